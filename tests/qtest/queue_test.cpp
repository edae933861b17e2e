// SPDX-License-Identifier: MIT
//
// Queue pairs: transfers give the embedded store's bytes, completions and
// result records say what happened, and malformed entries are refused.
#include "fixture.hpp"

#include <algorithm>

using namespace qtest;

namespace {

class Queues : public CardTest {
protected:
    void SetUp() override { start(); }

    // A region of the card and of the twin with the same data.
    void fill(Queue &queue, std::uint32_t rows, std::uint32_t cols, unsigned seed)
    {
        rows_ = rows;
        cols_ = cols;
        data_ = random_bf16(static_cast<std::size_t>(rows) * cols, seed);
        handle_ = create_region(card(), "w" + std::to_string(seed), rows, cols);
        store(queue, handle_, 0, rows, data_);
        twin_handle_ = twin_.create(SQ_DTYPE_BF16, SQ_PLACEMENT_ALIGNED, rows, cols);
        twin_.write(twin_handle_, 0, rows, data_);
    }

    Twin twin_;
    Bytes data_;
    std::uint32_t handle_ = 0, twin_handle_ = 0, rows_ = 0, cols_ = 0;
};

TEST_F(Queues, EveryFormatGivesTheBytesOfTheEmbeddedStore)
{
    Queue queue(card(), 0);
    fill(queue, 33, 100, 1);
    unsigned compared = 0;
    for (unsigned i = 0; sqc_format_at(i) != SQ_FORMAT_TAG; ++i) {
        for (const std::uint8_t rounding : {SQ_ROUNDING_DEFAULT, SQ_ROUNDING_TRUNCATE, SQ_ROUNDING_NEAREST, SQ_ROUNDING_EVEN}) {
            for (const std::uint8_t axis : {SQ_AXIS_ROW, SQ_AXIS_COL}) {
                sqc_read_request request{twin_handle_, sqc_format_at(i), rounding, axis, 3, 17};
                sqc_status status = SQ_STATUS_SUCCESS;
                sqc_result cost{};
                const Bytes expected = twin_.read(request, &cost, &status);
                const std::uint64_t address = card().allocate(expected.size() + 1);
                sq_submission entry = fetch_entry(handle_, request.format, 3, 17, address, static_cast<std::uint32_t>(expected.size()));
                entry.rounding = rounding;
                entry.axis = axis;
                const auto completion = queue.run(entry);
                ASSERT_EQ(completion.status, status) << "format " << request.format << " rounding " << int{rounding} << " axis " << int{axis};
                if (status != SQ_STATUS_SUCCESS)
                    continue;
                EXPECT_EQ(completion.plane_lines, cost.plane_lines);
                ASSERT_EQ(machine().read_block(address, expected.size()), expected)
                    << "format " << request.format << " rounding " << int{rounding} << " axis " << int{axis};
                ++compared;
            }
        }
    }
    EXPECT_GT(compared, 20u);
}

TEST_F(Queues, TheResultRecordSaysWhatTheRequestCost)
{
    Queue queue(card(), 0);
    fill(queue, 8, 512, 2);
    sqc_result cost{};
    const Bytes expected = twin_.read({twin_handle_, SQ_FORMAT_MXINT(3), SQ_ROUNDING_TRUNCATE, SQ_AXIS_ROW, 0, 8}, &cost);
    sq_submission entry = fetch_entry(handle_, SQ_FORMAT_MXINT(3), 0, 8, card().allocate(expected.size()), static_cast<std::uint32_t>(expected.size()));
    entry.rounding = SQ_ROUNDING_TRUNCATE;
    entry.result_address = card().allocate(sizeof(sq_result));
    ASSERT_EQ(queue.run(entry).status, SQ_STATUS_SUCCESS);
    const auto result = structure<sq_result>(machine().read_block(entry.result_address, sizeof(sq_result)));
    EXPECT_EQ(result.status, SQ_STATUS_SUCCESS);
    EXPECT_EQ(result.format, SQ_FORMAT_MXINT(3));
    EXPECT_EQ(result.rounding, SQ_ROUNDING_TRUNCATE);
    EXPECT_EQ(result.bytes, expected.size());
    EXPECT_EQ(result.elements, 8u * 512);
    EXPECT_EQ(result.plane_lines, 3u * 8 + 2);
    EXPECT_EQ(result.plane_lines, cost.plane_lines);
    EXPECT_EQ(result.check_lines, cost.check_lines);
    EXPECT_EQ(result.baseline_lines, cost.baseline_lines);
    EXPECT_EQ(result.link_time_ns, cost.link_time_ns);
    EXPECT_EQ(result.error_row, 0u);
}

TEST_F(Queues, StoresAndFetchesWorkThroughScatterLists)
{
    Queue queue(card(), 0);
    const std::uint32_t rows = 40, cols = 333;
    const Bytes data = random_bf16(rows * cols, 3);
    const std::uint32_t handle = create_region(card(), "w", rows, cols);
    std::mt19937 random(4);

    // Pieces of odd sizes at odd addresses.
    const auto list_of = [&](const Bytes *content, std::vector<sq_scatter> &list) {
        Bytes raw;
        for (std::size_t at = 0; at < data.size();) {
            const std::size_t bytes = std::min<std::size_t>(1 + random() % 4000, data.size() - at);
            const std::uint64_t address = card().allocate(bytes + 64) + random() % 64;
            if (content)
                machine().write_block(address, Bytes(content->begin() + static_cast<std::ptrdiff_t>(at), content->begin() + static_cast<std::ptrdiff_t>(at + bytes)));
            list.push_back({address, static_cast<std::uint32_t>(bytes), 0});
            const Bytes one = bytes_of(list.back());
            raw.insert(raw.end(), one.begin(), one.end());
            at += bytes;
        }
        return place(raw);
    };
    std::vector<sq_scatter> list;
    sq_submission entry = store_entry(handle, 0, rows, list_of(&data, list), static_cast<std::uint32_t>(16 * list.size()));
    entry.segment_bytes[0] = static_cast<std::uint32_t>(16 * list.size());
    entry.flags = SQ_SUBMIT_INDIRECT;
    const auto stored = queue.run(entry);
    ASSERT_EQ(stored.status, SQ_STATUS_SUCCESS);
    EXPECT_EQ(stored.bytes, data.size());

    std::vector<sq_scatter> target;
    const std::uint64_t target_address = list_of(nullptr, target);
    entry = fetch_entry(handle, SQ_FORMAT_NATIVE, 0, rows, target_address, static_cast<std::uint32_t>(16 * target.size()));
    entry.flags = SQ_SUBMIT_INDIRECT;
    ASSERT_EQ(queue.run(entry).status, SQ_STATUS_SUCCESS);
    Bytes back;
    for (const sq_scatter &piece : target) {
        const Bytes part = machine().read_block(piece.address, piece.length_bytes);
        back.insert(back.end(), part.begin(), part.end());
    }
    EXPECT_EQ(back, data);

    // The two segments of the entry itself.
    const std::uint64_t first = card().allocate(data.size()), second = card().allocate(data.size());
    entry = fetch_entry(handle, SQ_FORMAT_NATIVE, 0, rows, first, 1001);
    entry.segment_address[1] = second;
    entry.segment_bytes[1] = static_cast<std::uint32_t>(data.size() - 1001);
    ASSERT_EQ(queue.run(entry).status, SQ_STATUS_SUCCESS);
    EXPECT_EQ(machine().read_block(first, 1001), Bytes(data.begin(), data.begin() + 1001));
    EXPECT_EQ(machine().read_block(second, data.size() - 1001), Bytes(data.begin() + 1001, data.end()));
}

TEST_F(Queues, APrecisionVectorGivesEachBlockOfRowsItsFormat)
{
    Queue queue(card(), 0);
    fill(queue, 10, 64, 5);
    const std::uint16_t formats[] = {SQ_FORMAT_MXINT(8), SQ_FORMAT_MXINT(3), SQ_FORMAT_NATIVE};
    Bytes expected;
    for (std::uint32_t i = 0; i < 3; ++i) {
        const Bytes part = twin_.read({twin_handle_, formats[i], SQ_ROUNDING_DEFAULT, SQ_AXIS_ROW, 1 + 4 * i, i < 2 ? 4u : 1u});
        expected.insert(expected.end(), part.begin(), part.end());
    }
    Bytes vector = bytes_of(sq_precision_vector{4, 3});
    const Bytes codes = bytes_of(formats);
    vector.insert(vector.end(), codes.begin(), codes.end());
    const std::uint64_t vector_address = place(vector);
    sq_submission entry = fetch_entry(handle_, SQ_FORMAT_TAG, 1, 9, card().allocate(expected.size()), static_cast<std::uint32_t>(expected.size()));
    entry.vector_address = vector_address;
    entry.result_address = card().allocate(sizeof(sq_result));
    const auto completion = queue.run(entry);
    ASSERT_EQ(completion.status, SQ_STATUS_SUCCESS);
    const sqc_result cost = twin_.vector_cost({twin_handle_, SQ_FORMAT_TAG, SQ_ROUNDING_DEFAULT, SQ_AXIS_ROW, 1, 9}, {formats, 3, 4}, expected.size());
    const auto result = structure<sq_result>(machine().read_block(entry.result_address, sizeof(sq_result)));
    EXPECT_EQ(result.format, SQ_FORMAT_TAG);
    EXPECT_EQ(result.elements, 9u * 64);
    EXPECT_EQ(result.plane_lines, cost.plane_lines);
    EXPECT_EQ(result.check_lines, cost.check_lines);
    EXPECT_EQ(machine().read_block(entry.segment_address[0], expected.size()), expected);

    const auto refused = [&](std::uint32_t rows_each, std::uint32_t count, std::uint16_t format) {
        machine().write_block(vector_address, bytes_of(sq_precision_vector{rows_each, count}));
        entry.format = format;
        return queue.run(entry).status;
    };
    EXPECT_EQ(refused(0, 3, 0), SQ_STATUS_INVALID_INPUT);
    EXPECT_EQ(refused(4, 2, 0), SQ_STATUS_INVALID_INPUT);
    EXPECT_EQ(refused(4, 4, 0), SQ_STATUS_INVALID_INPUT);
    EXPECT_EQ(refused(1, 0xffffffff, 0), SQ_STATUS_INVALID_INPUT);
    EXPECT_EQ(refused(4, 3, SQ_FORMAT_NATIVE), SQ_STATUS_INVALID_INPUT);
    entry.vector_address = 0xffffffffffff0000;
    entry.format = 0;
    EXPECT_EQ(queue.run(entry).status, SQ_STATUS_DMA_FAULT);
}

TEST_F(Queues, EntriesThatAskForTheImpossibleAreRefusedWithTheReason)
{
    Queue queue(card(), 0);
    fill(queue, 8, 64, 6);
    const std::uint64_t buffer = card().allocate(1 << 16);
    const auto fetch_status = [&](std::uint32_t handle, std::uint16_t format, std::uint32_t first, std::uint32_t rows, std::uint32_t bytes) {
        return queue.run(fetch_entry(handle, format, first, rows, buffer, bytes)).status;
    };
    EXPECT_EQ(fetch_status(0, SQ_FORMAT_NATIVE, 0, 8, 1024), SQ_STATUS_INVALID_HANDLE);
    EXPECT_EQ(fetch_status(handle_ + 0x10000, SQ_FORMAT_NATIVE, 0, 8, 1024), SQ_STATUS_INVALID_HANDLE);
    EXPECT_EQ(fetch_status(handle_, 0x7777, 0, 8, 1024), SQ_STATUS_FORMAT);
    EXPECT_EQ(fetch_status(handle_, SQ_FORMAT_NATIVE, 0, 9, 1152), SQ_STATUS_RANGE);
    EXPECT_EQ(fetch_status(handle_, SQ_FORMAT_NATIVE, 8, 1, 128), SQ_STATUS_RANGE);
    EXPECT_EQ(fetch_status(handle_, SQ_FORMAT_NATIVE, 0xffffffff, 2, 256), SQ_STATUS_RANGE);
    EXPECT_NE(fetch_status(handle_, SQ_FORMAT_NATIVE, 0, 0, 0), SQ_STATUS_SUCCESS);
    EXPECT_EQ(fetch_status(handle_, SQ_FORMAT_NATIVE, 0, 8, 1023), SQ_STATUS_LENGTH);
    EXPECT_EQ(fetch_status(handle_, SQ_FORMAT_NATIVE, 0, 8, 1025), SQ_STATUS_LENGTH);
    EXPECT_EQ(fetch_status(handle_, SQ_FORMAT_NATIVE, 0, 8, 0), SQ_STATUS_LENGTH);
    EXPECT_EQ(machine().read_block(buffer, 1 << 16), Bytes(1 << 16)) << "a refused fetch wrote data";

    EXPECT_EQ(queue.run(store_entry(handle_, 0, 8, buffer, 1022)).status, SQ_STATUS_LENGTH);
    EXPECT_EQ(queue.run(store_entry(handle_, 4, 8, buffer, 1024)).status, SQ_STATUS_RANGE);
    sq_submission entry = store_entry(handle_, 0, 8, buffer, 2048);
    entry.format = SQ_ENCODING_FP32;
    EXPECT_EQ(queue.run(entry).status, SQ_STATUS_ROUNDING_NEEDED);
    entry.flags = SQ_SUBMIT_ROUND;
    EXPECT_EQ(queue.run(entry).status, SQ_STATUS_SUCCESS);
    store(queue, handle_, 0, 8, data_);
    EXPECT_EQ(fetch(queue, handle_, SQ_FORMAT_NATIVE, 0, 8, 1024), data_);
}

TEST_F(Queues, ANonFiniteElementIsNamedAndTheRegionStaysAsItWas)
{
    Queue queue(card(), 0);
    fill(queue, 8, 64, 7);
    Bytes bad = data_;
    bad[2 * (5 * 64 + 9)] = 0x80;
    bad[2 * (5 * 64 + 9) + 1] = 0x7f;
    sq_submission entry = store_entry(handle_, 0, 8, place(bad), static_cast<std::uint32_t>(bad.size()));
    entry.result_address = card().allocate(sizeof(sq_result));
    const auto completion = queue.run(entry);
    EXPECT_EQ(completion.status, SQ_STATUS_NON_FINITE);
    EXPECT_EQ(completion.bytes, 0u);
    const auto result = structure<sq_result>(machine().read_block(entry.result_address, sizeof(sq_result)));
    EXPECT_EQ(result.status, SQ_STATUS_NON_FINITE);
    EXPECT_EQ(result.error_row, 5u);
    EXPECT_EQ(result.error_col, 9u);
    EXPECT_EQ(fetch(queue, handle_, SQ_FORMAT_NATIVE, 0, 8, data_.size()), data_);
}

TEST_F(Queues, EveryFieldThatAnOpcodeDoesNotUseMustBeZero)
{
    Queue queue(card(), 0);
    fill(queue, 1, 32, 8);
    struct Field {
        const char *name;
        std::size_t offset, bytes;
        bool store, fetch, flush; // used by
    };
    const Field fields[] = {
        {"handle", 4, 4, true, true, true},      {"format", 8, 2, true, true, false},
        {"rounding", 10, 1, false, true, false}, {"axis", 11, 1, false, true, false},
        {"first_row", 12, 4, true, true, false}, {"row_count", 16, 4, true, true, false},
        {"abort_id", 20, 2, false, false, false}, {"reserved", 22, 2, false, false, false},
        {"segment_address", 24, 16, true, true, false}, {"segment_bytes", 40, 8, true, true, false},
        {"vector_address", 56, 8, false, true, false},
    };
    const auto check = [&](sq_submission entry, bool Field::*used, const char *opcode) {
        for (const Field &field : fields) {
            if (used && field.*used)
                continue;
            for (std::size_t i = 0; i < field.bytes; ++i) {
                sq_submission changed = entry;
                reinterpret_cast<std::uint8_t *>(&changed)[field.offset + i] = 1;
                EXPECT_EQ(queue.run(changed).status, SQ_STATUS_INVALID_INPUT) << opcode << ": " << field.name << " byte " << i;
            }
        }
        for (unsigned bit = 0; bit < 8; ++bit) {
            sq_submission changed = entry;
            changed.flags = static_cast<std::uint8_t>(1u << bit);
            const bool known = entry.opcode == SQ_OP_STORE ? bit < 2 : entry.opcode == SQ_OP_FETCH && bit < 1;
            if (!known) {
                EXPECT_EQ(queue.run(changed).status, SQ_STATUS_INVALID_INPUT) << opcode << ": flag " << bit;
            }
        }
    };
    sq_submission noop{};
    check(noop, nullptr, "noop");
    sq_submission flush{};
    flush.opcode = SQ_OP_FLUSH;
    check(flush, &Field::flush, "flush");
    const std::uint64_t buffer = place(data_);
    check(store_entry(handle_, 0, 1, buffer, 64), &Field::store, "store");
    check(fetch_entry(handle_, SQ_FORMAT_NATIVE, 0, 1, buffer, 64), &Field::fetch, "fetch");
    for (unsigned opcode = SQ_OP_ABORT + 1; opcode < 256; opcode += 7) {
        sq_submission entry{};
        entry.opcode = static_cast<std::uint8_t>(opcode);
        EXPECT_EQ(queue.run(entry).status, SQ_STATUS_INVALID_INPUT) << "opcode " << opcode;
    }
    EXPECT_EQ(queue.run(noop).status, SQ_STATUS_SUCCESS);
}

TEST_F(Queues, ScatterListsAreChecked)
{
    Queue queue(card(), 0);
    fill(queue, 1, 32, 9);
    const std::uint64_t buffer = card().allocate(4096);
    const auto status = [&](const std::vector<sq_scatter> &list, std::uint32_t bytes, std::uint64_t address = 0) {
        Bytes raw;
        for (const sq_scatter &piece : list) {
            const Bytes one = bytes_of(piece);
            raw.insert(raw.end(), one.begin(), one.end());
        }
        sq_submission entry = fetch_entry(handle_, SQ_FORMAT_NATIVE, 0, 1, address ? address : place(raw), bytes);
        entry.flags = SQ_SUBMIT_INDIRECT;
        return queue.run(entry).status;
    };
    EXPECT_EQ(status({{buffer, 64, 0}}, 16), SQ_STATUS_SUCCESS);
    EXPECT_EQ(status({{buffer, 64, 0}}, 0), SQ_STATUS_INVALID_INPUT);
    EXPECT_EQ(status({{buffer, 64, 0}}, 15), SQ_STATUS_INVALID_INPUT);
    EXPECT_EQ(status({{buffer, 64, 0}}, 17), SQ_STATUS_INVALID_INPUT);
    EXPECT_EQ(status({{buffer, 64, 1}}, 16), SQ_STATUS_INVALID_INPUT);
    EXPECT_EQ(status({{buffer, 64, 0}, {buffer, 0, 0}}, 32), SQ_STATUS_INVALID_INPUT);
    EXPECT_EQ(status({{buffer, 63, 0}}, 16), SQ_STATUS_LENGTH);
    EXPECT_EQ(status({{buffer, 0xffffffff, 0}, {buffer, 0xffffffff, 0}}, 32), SQ_STATUS_LENGTH);
    EXPECT_EQ(status({{buffer, 64, 0}}, 16 * (SQ_SCATTER_ENTRIES_MAX + 1)), SQ_STATUS_INVALID_INPUT);
    EXPECT_EQ(status({{buffer, 64, 0}}, 0xfffffff0), SQ_STATUS_INVALID_INPUT);
    EXPECT_EQ(status({}, 16, 0xfffffffffffff000), SQ_STATUS_DMA_FAULT);
    EXPECT_EQ(status({{0xffffffffffffffc0, 64, 0}}, 16), SQ_STATUS_DMA_FAULT);
    EXPECT_EQ(status({{0x7fffffffff00, 64, 0}}, 16), SQ_STATUS_DMA_FAULT);

    sq_submission entry = fetch_entry(handle_, SQ_FORMAT_NATIVE, 0, 1, place(bytes_of(sq_scatter{buffer, 64, 0})), 16);
    entry.flags = SQ_SUBMIT_INDIRECT;
    entry.segment_bytes[1] = 16;
    EXPECT_EQ(queue.run(entry).status, SQ_STATUS_INVALID_INPUT);
    entry.segment_bytes[1] = 0;
    entry.segment_address[1] = 16;
    EXPECT_EQ(queue.run(entry).status, SQ_STATUS_INVALID_INPUT);
}

TEST_F(Queues, DmaReachesMemoryOnly)
{
    Queue queue(card(), 0);
    fill(queue, 1, 32, 10);
    card().commit_decoder(256ull << 20);
    // The card's own registers and its own window, read and written.
    for (const std::uint64_t address : {card().registers() + SQ_REG_MAILBOX, card().doorbells(), card().window()}) {
        EXPECT_EQ(queue.run(fetch_entry(handle_, SQ_FORMAT_NATIVE, 0, 1, address, 64)).status, SQ_STATUS_DMA_FAULT) << std::hex << address;
        EXPECT_EQ(queue.run(store_entry(handle_, 0, 1, address, 64)).status, SQ_STATUS_DMA_FAULT) << std::hex << address;
    }
    sq_submission entry{};
    entry.result_address = card().registers();
    EXPECT_EQ(queue.run(entry).status, SQ_STATUS_DMA_FAULT);
    EXPECT_EQ(fetch(queue, handle_, SQ_FORMAT_NATIVE, 0, 1, 64), data_);
}

TEST_F(Queues, ClearingBusMasteringStopsDma)
{
    Queue queue(card(), 0);
    fill(queue, 1, 32, 11);
    card().set_config(1, 4, 0x2, 2);
    queue.push(sq_submission{});
    queue.submit();
    EXPECT_FALSE(queue.poll(200).has_value());
    EXPECT_EQ(card().command(SQ_MBOX_IDENTIFY).status, SQ_STATUS_SUCCESS);
    EXPECT_EQ(card().command(SQ_MBOX_DELETE_QUEUE_PAIR, sq_mbox_queue{0, 0}).status, SQ_STATUS_SUCCESS);
    card().set_config(1, 4, 0x6, 2);
    Queue again(card(), 0);
    EXPECT_EQ(fetch(again, handle_, SQ_FORMAT_NATIVE, 0, 1, 64), data_);
}

TEST_F(Queues, ManyRequestsWrapAroundTheRingsInOrder)
{
    Queue queue(card(), 0, 4);
    for (std::uint16_t i = 0; i < 50; ++i) {
        for (std::uint16_t k = 0; k < 3; ++k) {
            sq_submission entry{};
            entry.id = static_cast<std::uint16_t>(3 * i + k);
            queue.push(entry);
        }
        queue.submit();
        for (std::uint16_t k = 0; k < 3; ++k) {
            const auto completion = queue.wait();
            ASSERT_EQ(completion.id, 3 * i + k);
            ASSERT_EQ(completion.status, SQ_STATUS_SUCCESS);
            ASSERT_LT(completion.submission_head, 4u);
        }
    }
}

TEST_F(Queues, TheDeviceWaitsForRoomInTheCompletionRing)
{
    Queue queue(card(), 0, 4);
    queue.consume_nothing();
    for (std::uint16_t i = 0; i < 3; ++i) {
        queue.push(sq_submission{});
        queue.submit();
        ASSERT_TRUE(queue.poll(10000).has_value());
    }
    // Three completions are unconsumed: the ring is full.
    queue.push(sq_submission{});
    queue.submit();
    EXPECT_FALSE(queue.poll(200).has_value());
    queue.doorbell(SQ_DOORBELL_COMPLETION, 2);
    EXPECT_TRUE(queue.poll(10000).has_value());
    // A queue that waits for room can be deleted.
    queue.push(sq_submission{});
    queue.push(sq_submission{});
    queue.submit();
    EXPECT_EQ(card().command(SQ_MBOX_DELETE_QUEUE_PAIR, sq_mbox_queue{0, 0}).status, SQ_STATUS_SUCCESS);
}

TEST_F(Queues, DoorbellsOutOfRangeAreIgnored)
{
    Queue queue(card(), 0, 4);
    for (const std::uint32_t value : {4u, 5u, 1024u, 0xffffffffu}) {
        queue.doorbell(SQ_DOORBELL_SUBMISSION, value);
        queue.doorbell(SQ_DOORBELL_COMPLETION, value);
    }
    machine().write(card().doorbells() + 3 * SQ_DOORBELL_STRIDE, 1, 4);
    machine().write(card().doorbells() + 8, 1, 4);
    machine().write(card().doorbells() + SQ_QUEUES_MAX * SQ_DOORBELL_STRIDE - 4, 1, 4);
    EXPECT_EQ(machine().read(card().doorbells(), 4), 0u);
    EXPECT_FALSE(queue.poll(100).has_value());
    EXPECT_EQ(queue.run(sq_submission{}).status, SQ_STATUS_SUCCESS);
}

TEST_F(Queues, CompletionsInterruptTheVectorOfTheirQueue)
{
    card().enable_interrupts();
    Queue first(card(), 0, 16, 3), second(card(), 1, 16, 8);
    ASSERT_EQ(first.run(sq_submission{}).status, SQ_STATUS_SUCCESS);
    EXPECT_EQ(card().interrupts(3), 0x51000003u);
    ASSERT_EQ(second.run(sq_submission{}).status, SQ_STATUS_SUCCESS);
    EXPECT_EQ(card().interrupts(8), 0x51000008u);
}

TEST_F(Queues, AllQueuesWorkAtTheSameTime)
{
    std::vector<std::unique_ptr<Queue>> queues;
    for (std::uint16_t id = 0; id < SQ_QUEUES_MAX; ++id)
        queues.push_back(std::make_unique<Queue>(card(), id, 64, 1 + id));
    fill(*queues[0], 256, 512, 12);
    const Bytes expected = twin_.read({twin_handle_, SQ_FORMAT_MXINT(5), SQ_ROUNDING_DEFAULT, SQ_AXIS_ROW, 0, 256});
    std::vector<std::uint64_t> targets;
    constexpr int each = 3;
    for (auto &queue : queues) {
        for (int i = 0; i < each; ++i) {
            targets.push_back(card().allocate(expected.size()));
            queue->push(fetch_entry(handle_, SQ_FORMAT_MXINT(5), 0, 256, targets.back(), static_cast<std::uint32_t>(expected.size())));
        }
        queue->submit();
    }
    for (auto &queue : queues)
        for (int i = 0; i < each; ++i)
            EXPECT_EQ(queue->wait().status, SQ_STATUS_SUCCESS);
    for (const std::uint64_t target : targets)
        ASSERT_EQ(machine().read_block(target, expected.size()), expected);
    EXPECT_EQ(statistics().requests, queues.size() * each);
}

TEST_F(Queues, AQueueGoesOnWhileAnotherOneIsStuck)
{
    Queue stuck(card(), 0, 4), lively(card(), 1, 4);
    stuck.consume_nothing();
    for (int round = 0; round < 2; ++round) {
        for (int i = 0; i < (round ? 1 : 3); ++i)
            stuck.push(sq_submission{});
        stuck.submit();
        for (int i = 0; i < (round ? 0 : 3); ++i)
            ASSERT_TRUE(stuck.poll(10000).has_value());
    }
    for (int i = 0; i < 10; ++i)
        EXPECT_EQ(lively.run(sq_submission{}).status, SQ_STATUS_SUCCESS);
}

TEST_F(Queues, AbortStopsWhatHasNotBegun)
{
    // A stalled card lets entries pile up, so the abort surely comes in time.
    const auto stall = [&](const char *value) {
        machine().qmp(std::string("{\"execute\": \"qom-set\", \"arguments\": {\"path\": \"/machine/peripheral/sqc0\", "
                                  "\"property\": \"x-stall\", \"value\": ") + value + "}}");
    };
    Queue queue(card(), 0);
    stall("true");
    for (std::uint16_t id = 1; id <= 3; ++id) {
        sq_submission entry{};
        entry.id = id;
        queue.push(entry);
    }
    sq_submission abort{};
    abort.opcode = SQ_OP_ABORT;
    abort.id = 9;
    abort.abort_id = 2;
    queue.push(abort);
    abort.id = 10;
    abort.abort_id = 77;
    queue.push(abort);
    queue.submit();
    stall("false");
    std::uint16_t status[16] = {};
    for (int i = 0; i < 5; ++i) {
        const auto completion = queue.wait();
        ASSERT_LT(completion.id, 16u);
        status[completion.id] = completion.status;
    }
    EXPECT_EQ(status[1], SQ_STATUS_SUCCESS);
    EXPECT_EQ(status[2], SQ_STATUS_ABORTED);
    EXPECT_EQ(status[3], SQ_STATUS_SUCCESS);
    EXPECT_EQ(status[9], SQ_STATUS_SUCCESS);
    EXPECT_EQ(status[10], SQ_STATUS_NOT_FOUND);
}

TEST_F(Queues, RingsThatCannotBeReachedStopOnlyTheirQueue)
{
    sq_mbox_create_queue payload{};
    payload.depth = 16;
    payload.vector = 1;
    payload.submission_address = 0x7ffffffff000;
    payload.completion_address = 0xfffffffffffff000;
    ASSERT_EQ(card().command(SQ_MBOX_CREATE_QUEUE_PAIR, payload).status, SQ_STATUS_SUCCESS);
    machine().write(card().doorbells(), 5, 4);
    Queue other(card(), 1);
    EXPECT_EQ(other.run(sq_submission{}).status, SQ_STATUS_SUCCESS);
    EXPECT_EQ(card().command(SQ_MBOX_DELETE_QUEUE_PAIR, sq_mbox_queue{0, 0}).status, SQ_STATUS_SUCCESS);
    Queue again(card(), 0);
    EXPECT_EQ(again.run(sq_submission{}).status, SQ_STATUS_SUCCESS);
}

TEST_F(Queues, AFunctionLevelResetLeavesRegionsAndTakesQueues)
{
    Queue queue(card(), 0);
    fill(queue, 4, 64, 13);
    card().reset_function1();
    queue.push(sq_submission{});
    queue.submit();
    EXPECT_FALSE(queue.poll(100).has_value());
    Queue again(card(), 0);
    ASSERT_EQ(again.status(), SQ_STATUS_SUCCESS);
    EXPECT_EQ(fetch(again, handle_, SQ_FORMAT_NATIVE, 0, 4, data_.size()), data_);
}

TEST_F(Queues, ResetInTheMiddleOfTransfersIsClean)
{
    for (int round = 0; round < 5; ++round) {
        std::vector<std::unique_ptr<Queue>> queues;
        for (std::uint16_t id = 0; id < 4; ++id)
            queues.push_back(std::make_unique<Queue>(card(), id, 64));
        if (round == 0)
            fill(*queues[0], 512, 512, 14);
        const std::uint64_t target = card().allocate(data_.size());
        for (auto &queue : queues) {
            for (int i = 0; i < 20; ++i)
                queue->push(fetch_entry(handle_, SQ_FORMAT_NATIVE, 0, 512, target, static_cast<std::uint32_t>(data_.size())));
            queue->submit();
        }
        card().reset_function1();
    }
    Queue queue(card(), 0);
    EXPECT_EQ(fetch(queue, handle_, SQ_FORMAT_NATIVE, 0, 512, data_.size()), data_);
}

} // namespace
