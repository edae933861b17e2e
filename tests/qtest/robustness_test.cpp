// SPDX-License-Identifier: MIT
//
// Garbage in every place that a guest can write: the device answers all the
// time, and what was stored stays right. Seeds are printed on failure; use a
// QEMU of scripts/build-qemu --sanitize to see more.
#include "fixture.hpp"

#include <algorithm>
#include <cstdlib>

using namespace qtest;

namespace {

class Robustness : public CardTest {
protected:
    void SetUp() override
    {
        start();
        if (const char *seed = std::getenv("SQ_TEST_SEED"))
            seed_ = static_cast<unsigned>(std::strtoul(seed, nullptr, 0));
        random_.seed(seed_);
        queue_.emplace(card(), 0);
        handle_ = create_region(card(), "kept", 16, 64);
        data_ = random_bf16(1024, 41);
        store(*queue_, handle_, 0, 16, data_);
        // Sealed, so that no random store can hit it by luck.
        ASSERT_EQ(card().command(SQ_MBOX_SEAL_REGION, handle_).status, SQ_STATUS_SUCCESS);
    }

    void TearDown() override
    {
        if (HasFailure())
            std::printf("seed %u (SQ_TEST_SEED)\n", seed_);
    }

    std::uint64_t bits(unsigned width = 64)
    {
        const std::uint64_t value = static_cast<std::uint64_t>(random_()) << 32 | random_();
        return width < 64 ? value & ((1ull << width) - 1) : value;
    }

    // Values that sit at edges more often than random ones do.
    std::uint64_t edgy(unsigned width)
    {
        switch (random_() % 6) {
        case 0:
            return 0;
        case 1:
            return 1;
        case 2:
            return width < 64 ? (1ull << width) - 1 : ~0ull;
        case 3:
            return bits(8);
        case 4:
            return handle_ & ((width < 64 ? 1ull << width : 0) - 1);
        default:
            return bits(width);
        }
    }

    void expect_alive()
    {
        ASSERT_EQ(card().command(SQ_MBOX_IDENTIFY).status, SQ_STATUS_SUCCESS);
        Queue fresh(card(), 7);
        ASSERT_EQ(fresh.status(), SQ_STATUS_SUCCESS);
        ASSERT_EQ(fetch(fresh, handle_, SQ_FORMAT_NATIVE, 0, 16, data_.size()), data_);
        ASSERT_EQ(card().command(SQ_MBOX_DELETE_QUEUE_PAIR, sq_mbox_queue{7, 0}).status, SQ_STATUS_SUCCESS);
    }

    unsigned seed_ = std::random_device{}();
    std::mt19937 random_;
    std::optional<Queue> queue_;
    std::uint32_t handle_ = 0;
    Bytes data_;
};

TEST_F(Robustness, RandomCommandsNeverStopTheMailbox)
{
    const std::uint16_t opcodes[] = {
        SQ_MBOX_GET_FEATURE, SQ_MBOX_SET_FEATURE, SQ_MBOX_CREATE_REGION, SQ_MBOX_SEAL_REGION, SQ_MBOX_GET_REGION,
        SQ_MBOX_GET_REGION_BY_NAME, SQ_MBOX_LIST_REGIONS, SQ_MBOX_SET_PRECISION_TAG, SQ_MBOX_PACK_REGION, SQ_MBOX_MAP_VIEW,
        SQ_MBOX_UNMAP_VIEW, SQ_MBOX_GET_VIEW, SQ_MBOX_GET_STATISTICS, SQ_MBOX_RESET_STATISTICS, SQ_MBOX_VERIFY,
        SQ_MBOX_GET_VERIFY_RESULT, SQ_MBOX_GET_HDM_INFO,
    };
    const std::size_t lengths[] = {0, 4, 8, 16, 17, 24, 255};
    card().commit_decoder(256ull << 20);
    for (int i = 0; i < 1500; ++i) {
        Bytes payload(random_() % 4 ? lengths[random_() % std::size(lengths)] : random_() % 300);
        for (std::size_t at = 0; at < payload.size(); at += 4) {
            const std::uint64_t value = edgy(32);
            std::memcpy(&payload[at], &value, std::min<std::size_t>(4, payload.size() - at));
        }
        const std::uint16_t opcode = random_() % 16 ? opcodes[random_() % std::size(opcodes)] : static_cast<std::uint16_t>(bits(16));
        // Those two would take away what expect_alive() looks for.
        if (opcode == SQ_MBOX_SANITIZE || opcode == SQ_MBOX_DELETE_REGION || opcode == SQ_MBOX_DELETE_QUEUE_PAIR)
            continue;
        card().command(opcode, payload);
    }
    expect_alive();
}

TEST_F(Robustness, RandomRegisterWritesNeverStopTheDevice)
{
    for (int i = 0; i < 3000; ++i) {
        const unsigned width = 1u << random_() % 4;
        const std::uint64_t offset = bits(13) & ~static_cast<std::uint64_t>(width - 1);
        if (random_() % 2)
            machine().write(card().registers() + offset, edgy(8 * width), width);
        else
            machine().read(card().registers() + offset, width);
        if (random_() % 8 == 0)
            machine().write(card().doorbells() + (bits(15) & ~3ull), edgy(32), 4);
    }
    card().reset_function1();
    expect_alive();
}

TEST_F(Robustness, RandomEntriesAllComplete)
{
    const std::uint64_t buffer = card().allocate(1 << 20);
    const auto address = [&]() -> std::uint64_t {
        switch (random_() % 8) {
        case 0:
            return 0;
        case 1:
            return bits();
        case 2:
            return card().registers();
        case 3:
            return ~0ull - bits(8);
        default:
            return buffer + bits(18);
        }
    };
    const std::uint32_t open = create_region(card(), "open", 16, 64);
    for (int i = 0; i < 1500; ++i) {
        sq_submission entry{};
        entry.opcode = static_cast<std::uint8_t>(random_() % 16 ? random_() % 5 : bits(8));
        entry.id = static_cast<std::uint16_t>(i);
        if (entry.opcode == SQ_OP_STORE || entry.opcode == SQ_OP_FETCH) {
            entry.flags = static_cast<std::uint8_t>(random_() % 8 ? random_() % 2 : bits(8));
            entry.handle = random_() % 4 ? (random_() % 2 ? handle_ : open) : static_cast<std::uint32_t>(edgy(32));
            entry.format = static_cast<std::uint16_t>(random_() % 4 ? (random_() % 2 ? 0x100 | random_() % 10 : random_() % 20) : bits(16));
            entry.first_row = static_cast<std::uint32_t>(random_() % 2 ? random_() % 16 : edgy(32));
            entry.row_count = static_cast<std::uint32_t>(random_() % 2 ? random_() % 17 : edgy(32));
            entry.segment_address[0] = address();
            entry.segment_bytes[0] = static_cast<std::uint32_t>(random_() % 2 ? 128 * entry.row_count : edgy(32));
            if (entry.opcode == SQ_OP_FETCH && random_() % 4 == 0) {
                entry.rounding = static_cast<std::uint8_t>(random_() % 5);
                entry.axis = static_cast<std::uint8_t>(random_() % 3);
                entry.vector_address = random_() % 2 ? 0 : address();
            }
        } else if (random_() % 2) {
            Bytes raw(sizeof entry);
            std::generate(raw.begin() + 1, raw.end(), [&] { return static_cast<std::uint8_t>(edgy(8)); });
            raw[0] = entry.opcode;
            entry = structure<sq_submission>(raw);
        }
        entry.result_address = random_() % 2 ? 0 : address();
        // Results must not land on the card's rings.
        queue_->run(entry);
    }
    expect_alive();
}

TEST_F(Robustness, RingsThatChangeUnderTheDeviceDoNoHarm)
{
    // Nonsense entries behind a doorbell that runs ahead, again and again.
    for (int i = 0; i < 200; ++i) {
        Bytes garbage(64 * 16);
        std::generate(garbage.begin(), garbage.end(), [&] { return static_cast<std::uint8_t>(bits(8)); });
        for (std::size_t entry = 0; entry < 16; ++entry)
            garbage[64 * entry] = static_cast<std::uint8_t>(random_() % 6);
        machine().write_block(queue_->submission_ring(), garbage);
        queue_->doorbell(SQ_DOORBELL_SUBMISSION, static_cast<std::uint32_t>(bits(4)));
        queue_->doorbell(SQ_DOORBELL_COMPLETION, static_cast<std::uint32_t>(bits(4)));
    }
    ASSERT_EQ(card().command(SQ_MBOX_DELETE_QUEUE_PAIR, sq_mbox_queue{0, 0}).status, SQ_STATUS_SUCCESS);
    expect_alive();
}

TEST_F(Robustness, ACardThatIsTakenOutUnderLoadLeavesTheMachineRunning)
{
    card().commit_decoder(256ull << 20);
    const auto view = structure<sq_view_info>(
        card().command(SQ_MBOX_MAP_VIEW, sq_mbox_map_view{handle_, SQ_FORMAT_NATIVE, 0, 0, 0, 16}).payload);
    ASSERT_EQ(machine().read_block(card().window() + view.dpa, data_.size()), data_);
    const std::uint64_t target = card().allocate(data_.size());
    for (int i = 0; i < 15; ++i)
        queue_->push(fetch_entry(handle_, SQ_FORMAT_NATIVE, 0, 16, target, static_cast<std::uint32_t>(data_.size())));
    queue_->submit();
    card().remove();
    EXPECT_EQ(card().config(0, 0), 0xffffffffu);
    EXPECT_EQ(card().config(1, 0), 0xffffffffu);
    EXPECT_EQ(machine().read(card().window() + view.dpa, 8), 0u) << "nobody decodes the window";
    machine().write(card().window(), 1, 8);
    machine().write(card().doorbells(), 1, 4);
    // Its file is free again, and whole.
    machine().kill();
    start();
    Queue queue(card(), 0);
    const std::string name = "kept";
    const Answer kept = card().command(SQ_MBOX_GET_REGION_BY_NAME, Bytes(name.begin(), name.end()));
    ASSERT_EQ(kept.status, SQ_STATUS_SUCCESS);
    EXPECT_EQ(fetch(queue, structure<sq_region_info>(kept.payload).handle, SQ_FORMAT_NATIVE, 0, 16, data_.size()), data_);
}

TEST_F(Robustness, StoresFetchesAndViewsAtTheSameTimeStayWhole)
{
    card().commit_decoder(256ull << 20);
    constexpr std::uint32_t rows = 128, cols = 512;
    const std::uint32_t handle = create_region(card(), "busy", rows, cols);
    const Bytes versions[] = {random_bf16(rows * cols, 51), random_bf16(rows * cols, 52)};
    const std::uint64_t sources[] = {place(versions[0]), place(versions[1])};
    const auto bytes = static_cast<std::uint32_t>(versions[0].size());
    store(*queue_, handle, 0, rows, versions[0]);
    const auto view = structure<sq_view_info>(
        card().command(SQ_MBOX_MAP_VIEW, sq_mbox_map_view{handle, SQ_FORMAT_NATIVE, 0, 0, 0, rows}).payload);
    Queue writer(card(), 1, 64), reader(card(), 2, 64);
    const std::uint64_t target = card().allocate(bytes);
    for (int round = 0; round < 20; ++round) {
        for (int i = 0; i < 4; ++i)
            writer.push(store_entry(handle, 0, rows, sources[i % 2], bytes));
        reader.push(fetch_entry(handle, SQ_FORMAT_NATIVE, 0, rows, target, bytes));
        writer.submit();
        reader.submit();
        ASSERT_EQ(reader.wait().status, SQ_STATUS_SUCCESS);
        const Bytes seen = machine().read_block(target, bytes);
        ASSERT_TRUE(seen == versions[0] || seen == versions[1]) << "a fetch saw a mix of two stores";
        for (int i = 0; i < 4; ++i)
            ASSERT_EQ(writer.wait().status, SQ_STATUS_SUCCESS);
        ASSERT_EQ(machine().read_block(card().window() + view.dpa, bytes), versions[1]);
    }
    expect_alive();
}

} // namespace
