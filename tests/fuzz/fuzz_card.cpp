// SPDX-License-Identifier: MIT
//
// A guest that asks a card for anything: mailbox commands with any payload,
// registers, queues with any entries, scatter lists, precision vectors and doorbells, on a
// good store. The card's own code, without QEMU (card/).
#include "card/card.h"
#include "store_use.hpp"

#include <smartquant/device.h>

#include <fuzzer/FuzzedDataProvider.h>

namespace {

// What commands take, and the longest name behind it.
constexpr struct Command {
    std::uint16_t opcode;
    std::uint16_t bytes;
    std::uint16_t name = 0;

    constexpr bool takes(std::uint32_t in_bytes) const { return in_bytes >= bytes + (name ? 1u : 0u) && in_bytes <= bytes + name; }
} commands[] = {
    {SQ_MBOX_IDENTIFY, 0},
    {SQ_MBOX_GET_FEATURE, sizeof(sq_mbox_feature)},
    {SQ_MBOX_SET_FEATURE, sizeof(sq_mbox_feature)},
    {SQ_MBOX_CREATE_REGION, sizeof(sq_mbox_create_region), SQ_NAME_MAX},
    {SQ_MBOX_DELETE_REGION, sizeof(sq_mbox_handle)},
    {SQ_MBOX_SEAL_REGION, sizeof(sq_mbox_handle)},
    {SQ_MBOX_GET_REGION, sizeof(sq_mbox_handle)},
    {SQ_MBOX_GET_REGION_BY_NAME, 0, SQ_NAME_MAX},
    {SQ_MBOX_LIST_REGIONS, sizeof(sq_mbox_list_in)},
    {SQ_MBOX_SET_PRECISION_TAG, sizeof(sq_mbox_precision_tag)},
    {SQ_MBOX_PACK_REGION, sizeof(sq_mbox_handle)},
    {SQ_MBOX_MAP_VIEW, sizeof(sq_mbox_map_view)},
    {SQ_MBOX_UNMAP_VIEW, sizeof(sq_mbox_handle)},
    {SQ_MBOX_GET_VIEW, sizeof(sq_mbox_handle)},
    {SQ_MBOX_CREATE_QUEUE_PAIR, sizeof(sq_mbox_create_queue)},
    {SQ_MBOX_DELETE_QUEUE_PAIR, sizeof(sq_mbox_queue)},
    {SQ_MBOX_GET_STATISTICS, sizeof(sq_mbox_statistics_in)},
    {SQ_MBOX_RESET_STATISTICS, sizeof(sq_mbox_statistics_in)},
    {SQ_MBOX_VERIFY, sizeof(sq_mbox_handle)},
    {SQ_MBOX_SANITIZE, 0},
    {SQ_MBOX_GET_VERIFY_RESULT, sizeof(sq_mbox_verify_in)},
    {SQ_MBOX_GET_HDM_INFO, 0},
};

constexpr std::uint64_t ring_bytes = 4096, rings = 4, data_begin = rings * ring_bytes;

class Guest {
public:
    explicit Guest(FuzzedDataProvider& input) : input_(input)
    {
        std::memcpy(store_memory().get(), fuzz::base_image(), fuzz::store_bytes);
        store_ = fuzz::open(store_memory().get());
        fuzz::require(store_ != nullptr);
        std::memset(memory().get(), 0x11, CARD_GUEST_BYTES);
        card_ = card_create(store_, memory().get());
        create_queue({.queue = 0, .depth = 8, .vector = 1, .flags = 0, .submission_address = 0, .completion_address = ring_bytes});
    }
    ~Guest()
    {
        card_destroy(card_);
        sqc_close(store_);
        sqc_store* again = fuzz::open(store_memory().get());
        fuzz::require(again != nullptr);
        sqc_close(again);
    }
    Guest(const Guest&) = delete;
    Guest& operator=(const Guest&) = delete;

    void step()
    {
        switch (input_.ConsumeIntegralInRange(0, 7)) {
        case 0:
        case 1:
            return any_command();
        case 2:
            return any_queue();
        case 3:
            if (input_.ConsumeBool())
                any_register();
            return card_mailbox(card_);
        case 4:
            return card_run(card_);
        case 5:
            card_submit(card_, queue(), number(16));
            return card_consume(card_, queue(), number(16));
        default:
            return submit();
        }
    }
    void finish()
    {
        card_run(card_);
        card_mailbox(card_);
    }

private:
    struct Ring {
        std::uint64_t address = 0;
        std::uint32_t depth = 1, tail = 0;
    };

    static const fuzz::Memory& store_memory()
    {
        static const fuzz::Memory memory(fuzz::store_bytes);
        return memory;
    }
    static const fuzz::Memory& memory()
    {
        static const fuzz::Memory memory(CARD_GUEST_BYTES);
        return memory;
    }

    // Mostly small; else anything.
    std::uint32_t number(std::uint32_t below)
    {
        return input_.ConsumeIntegralInRange(0, 7) ? input_.ConsumeIntegralInRange<std::uint32_t>(0, below - 1) : input_.ConsumeIntegral<std::uint32_t>();
    }
    unsigned queue() { return input_.ConsumeIntegralInRange(0u, 1u); }
    std::uint64_t address()
    {
        return input_.ConsumeIntegralInRange(0, 7) ? input_.ConsumeIntegralInRange<std::uint64_t>(data_begin, CARD_GUEST_BYTES) : input_.ConsumeIntegral<std::uint64_t>();
    }
    std::uint32_t handle() { return fuzz::any_handle(input_, store_, 12); }
    // A view id is small at first, as its generation is.
    std::uint32_t view() { return std::uint32_t{input_.ConsumeIntegralInRange<std::uint16_t>(0, 3)} << 16 | number(4); }

    std::uint16_t command(std::uint16_t opcode, std::uint32_t in_bytes, const void* payload, std::size_t bytes)
    {
        card_mailbox(card_);  // a doorbell that any_register() rang
        std::uint32_t out_bytes = 0;
        const auto status = card_command(card_, opcode, in_bytes, payload, bytes, &out_bytes);
        fuzz::require(out_bytes <= SQ_MBOX_PAYLOAD_BYTES);
        fuzz::require(status == SQ_STATUS_SUCCESS || out_bytes == 0);
        // Whatever else is wrong with it: handlers see no payload of another length.
        for (const Command& row : commands)
            fuzz::require(row.opcode != opcode || row.takes(in_bytes) || status == SQ_STATUS_INVALID_PAYLOAD_LENGTH);
        return status;
    }
    void any_command()
    {
        const auto& row = commands[input_.ConsumeIntegralInRange<std::size_t>(0, std::size(commands) - 1)];
        const std::uint16_t opcode = input_.ConsumeIntegralInRange(0, 15) ? row.opcode : input_.ConsumeIntegral<std::uint16_t>();
        const bool right_length = input_.ConsumeBool(), named = row.name != 0;
        auto payload = input_.ConsumeBytes<std::uint8_t>(right_length ? row.bytes + (named ? number(20) % 300 : 0) : number(300) % SQ_MBOX_PAYLOAD_BYTES);
        if (right_length)
            payload.resize(std::max<std::size_t>(payload.size(), row.bytes + named));
        if (payload.size() >= 4 && input_.ConsumeBool()) {
            const std::uint32_t id = opcode == SQ_MBOX_UNMAP_VIEW || opcode == SQ_MBOX_GET_VIEW ? view() : handle();
            std::memcpy(payload.data(), &id, sizeof id);
        }
        // A name of the length that is there, and a size that can be.
        if (opcode == SQ_MBOX_CREATE_REGION && right_length) {
            sq_mbox_create_region in = {};
            in.dtype = input_.ConsumeIntegralInRange<std::uint8_t>(0, 6);
            in.placement = input_.ConsumeIntegralInRange<std::uint8_t>(0, 5);
            in.name_bytes = static_cast<std::uint16_t>(payload.size() - sizeof in);
            in.rows = number(80);
            in.cols = number(80);
            std::memcpy(payload.data(), &in, sizeof in);
        }
        // Rows and a format that a region may have.
        if (opcode == SQ_MBOX_MAP_VIEW && right_length) {
            const sq_mbox_map_view in = {.handle = handle(),
                                         .format = sqc_format_at(input_.ConsumeIntegralInRange(0u, 90u)),
                                         .rounding = input_.ConsumeIntegralInRange<std::uint8_t>(0, 4),
                                         .axis = input_.ConsumeIntegralInRange<std::uint8_t>(0, 2),
                                         .first_row = number(20),
                                         .row_count = number(20)};
            std::memcpy(payload.data(), &in, sizeof in);
        }
        const auto in_bytes = input_.ConsumeIntegralInRange(0, 15) ? static_cast<std::uint32_t>(payload.size()) : input_.ConsumeIntegralInRange(0u, (1u << 21) - 1);
        command(opcode, in_bytes, payload.data(), payload.size());
    }

    void any_register()
    {
        const unsigned bytes = 1u << input_.ConsumeIntegralInRange(0, 3);
        const auto last = input_.ConsumeBool() ? SQ_REG_MAILBOX + SQ_MBOX_PAYLOAD + 8 : SQ_BAR_REGISTERS_BYTES - 8;
        const auto offset = input_.ConsumeIntegralInRange<std::uint32_t>(0, last) & ~(bytes - 1);
        card_register_write(card_, offset, input_.ConsumeIntegral<std::uint64_t>(), bytes);
        card_register_read(card_, offset, bytes);
    }

    void create_queue(const sq_mbox_create_queue& in)
    {
        if (command(SQ_MBOX_CREATE_QUEUE_PAIR, sizeof in, &in, sizeof in) == SQ_STATUS_SUCCESS)
            rings_[in.queue] = {in.submission_address, in.depth, 0};
    }
    void any_queue()
    {
        const sq_mbox_queue gone = {.queue = static_cast<std::uint16_t>(queue()), .reserved = 0};
        if (input_.ConsumeBool())
            command(SQ_MBOX_DELETE_QUEUE_PAIR, sizeof gone, &gone, sizeof gone);
        create_queue({.queue = static_cast<std::uint16_t>(number(2)),
                      .depth = static_cast<std::uint16_t>(number(12)),
                      .vector = static_cast<std::uint16_t>(number(9)),
                      .flags = 0,
                      .submission_address = number(rings + 1) * ring_bytes,
                      .completion_address = number(rings + 1) * ring_bytes});
    }

    // Bytes that the request takes, or not.
    std::uint32_t data_bytes(const sq_submission& entry)
    {
        std::uint64_t bytes = number(5000);
        if (input_.ConsumeIntegralInRange(0, 3) == 0)
            return static_cast<std::uint32_t>(bytes);
        if (entry.opcode == SQ_OP_STORE) {
            const sqc_write_request request = {entry.handle, entry.format, 0, entry.first_row, entry.row_count};
            sqc_write_bytes(store_, &request, &bytes);
        } else {
            const sqc_read_request request = {entry.handle, entry.format, entry.rounding, entry.axis, entry.first_row, entry.row_count};
            sqc_layout layout;
            if (sqc_read_layout(store_, &request, &layout) == SQ_STATUS_SUCCESS)
                bytes = layout.bytes;
        }
        return static_cast<std::uint32_t>(bytes);
    }
    void put(std::uint64_t at, const void* from, std::size_t bytes)
    {
        if (bytes != 0 && at <= CARD_GUEST_BYTES && bytes <= CARD_GUEST_BYTES - at)
            std::memcpy(memory().get() + at, from, bytes);
    }
    void scatter(sq_submission& entry, std::uint32_t bytes)
    {
        if (input_.ConsumeIntegralInRange(0, 3)) {
            const std::uint32_t first = input_.ConsumeBool() ? bytes : number(bytes + 1);
            entry.segment_address[0] = address();
            entry.segment_address[1] = first < bytes ? address() : 0;
            entry.segment_bytes[0] = first;
            entry.segment_bytes[1] = bytes - first;
            return;
        }
        std::vector<sq_scatter> list(input_.ConsumeIntegralInRange(0u, 4u));
        for (auto& part : list) {
            const std::uint32_t some = &part == &list.back() ? bytes : number(bytes + 1);
            part = {};
            part.address = address();
            part.length_bytes = some;
            bytes -= some;
        }
        entry.flags |= SQ_SUBMIT_INDIRECT;
        entry.segment_address[0] = address();
        entry.segment_bytes[0] = input_.ConsumeIntegralInRange(0, 7) ? static_cast<std::uint32_t>(list.size() * sizeof(sq_scatter)) : input_.ConsumeIntegral<std::uint32_t>();
        put(entry.segment_address[0], list.data(), list.size() * sizeof(sq_scatter));
    }
    void vector(sq_submission& entry)
    {
        sq_precision_vector head = {};
        head.rows_per_format = number(8);
        head.format_count = number(20);
        entry.vector_address = address();
        entry.format = input_.ConsumeIntegralInRange(0, 7) ? SQ_FORMAT_TAG : entry.format;
        put(entry.vector_address, &head, sizeof head);
        for (std::uint32_t i = 0; i < std::min(head.format_count, 20u); ++i) {
            const std::uint16_t format = sqc_format_at(input_.ConsumeIntegralInRange(0u, 90u));
            put(entry.vector_address + sizeof head + 2 * i, &format, sizeof format);
        }
    }
    sq_submission transfer()
    {
        sq_submission entry = {};
        entry.opcode = input_.ConsumeBool() ? SQ_OP_FETCH : SQ_OP_STORE;
        entry.id = input_.ConsumeIntegralInRange<std::uint16_t>(0, 9);
        entry.handle = handle();
        entry.first_row = number(40);
        entry.row_count = number(40);
        if (entry.opcode == SQ_OP_FETCH) {
            entry.format = sqc_format_at(input_.ConsumeIntegralInRange(0u, 90u));
            entry.rounding = input_.ConsumeIntegralInRange<std::uint8_t>(0, 4);
            entry.axis = input_.ConsumeIntegralInRange<std::uint8_t>(0, 2);
        } else {
            sqc_encoding_at(input_.ConsumeIntegralInRange(0u, 20u), &entry.format);
            entry.flags = input_.ConsumeBool() ? SQ_SUBMIT_ROUND : 0;
        }
        scatter(entry, data_bytes(entry));
        if (entry.opcode == SQ_OP_FETCH && input_.ConsumeIntegralInRange(0, 3) == 0)
            vector(entry);
        entry.result_address = input_.ConsumeBool() ? address() : 0;
        return entry;
    }
    sq_submission anything()
    {
        sq_submission entry = {};
        input_.ConsumeData(&entry, sizeof entry);
        return entry;
    }
    void submit()
    {
        const unsigned id = queue();
        Ring& ring = rings_[id];
        sq_submission entry = input_.ConsumeIntegralInRange(0, 3) ? transfer() : anything();
        put(ring.address + ring.tail * sizeof entry, &entry, sizeof entry);
        ring.tail = (ring.tail + 1) % ring.depth;
        card_submit(card_, id, ring.tail);
        if (input_.ConsumeBool())
            card_run(card_);
    }

    FuzzedDataProvider& input_;
    sqc_store* store_ = nullptr;
    Card* card_ = nullptr;
    Ring rings_[SQ_QUEUES_MAX];
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    FuzzedDataProvider input(data, size);
    Guest guest(input);
    for (int steps = 0; steps < 64 && input.remaining_bytes() > 0; ++steps)
        guest.step();
    guest.finish();
    return 0;
}
