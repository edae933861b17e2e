// SPDX-License-Identifier: MIT
//
// Mailbox commands: what they do, and that each of them refuses payloads that
// are too short, too long, or have reserved bits set, and changes nothing.
#include "fixture.hpp"

#include <algorithm>
#include <fstream>

using namespace qtest;

namespace {

class Mailbox : public CardTest {
protected:
    void SetUp() override { start(); }
};

// Input lengths of all commands, from the command table of device.h.
struct Command {
    std::uint16_t opcode;
    std::size_t shortest, longest;
    // Reserved bytes of the input that must be zero.
    std::size_t reserved_at, reserved_bytes;
};

constexpr Command commands[] = {
    {SQ_MBOX_IDENTIFY, 0, 0, 0, 0},
    {SQ_MBOX_GET_FEATURE, 16, 16, 4, 4},
    {SQ_MBOX_SET_FEATURE, 16, 16, 4, 4},
    {SQ_MBOX_CREATE_REGION, 17, 16 + SQ_NAME_MAX, 4, 4},
    {SQ_MBOX_DELETE_REGION, 4, 4, 0, 0},
    {SQ_MBOX_SEAL_REGION, 4, 4, 0, 0},
    {SQ_MBOX_GET_REGION, 4, 4, 0, 0},
    {SQ_MBOX_GET_REGION_BY_NAME, 1, SQ_NAME_MAX, 0, 0},
    {SQ_MBOX_LIST_REGIONS, 8, 8, 0, 0},
    {SQ_MBOX_SET_PRECISION_TAG, 8, 8, 6, 2},
    {SQ_MBOX_PACK_REGION, 4, 4, 0, 0},
    {SQ_MBOX_MAP_VIEW, 16, 16, 0, 0},
    {SQ_MBOX_UNMAP_VIEW, 4, 4, 0, 0},
    {SQ_MBOX_GET_VIEW, 4, 4, 0, 0},
    {SQ_MBOX_CREATE_QUEUE_PAIR, 24, 24, 6, 2},
    {SQ_MBOX_DELETE_QUEUE_PAIR, 4, 4, 2, 2},
    {SQ_MBOX_GET_STATISTICS, 8, 8, 0, 0},
    {SQ_MBOX_RESET_STATISTICS, 8, 8, 0, 0},
    {SQ_MBOX_VERIFY, 4, 4, 0, 0},
    {SQ_MBOX_SANITIZE, 0, 0, 0, 0},
    {SQ_MBOX_GET_VERIFY_RESULT, 8, 8, 4, 4},
    {SQ_MBOX_GET_HDM_INFO, 0, 0, 0, 0},
};

sq_mbox_identify identify(Card &card) { return structure<sq_mbox_identify>(card.command(SQ_MBOX_IDENTIFY).payload); }

TEST_F(Mailbox, EveryCommandRefusesPayloadsThatAreTooShort)
{
    for (const Command &command : commands)
        for (std::size_t bytes = 0; bytes < std::min<std::size_t>(command.shortest, 16); ++bytes)
            EXPECT_EQ(card().command(command.opcode, Bytes(bytes)).status, SQ_STATUS_INVALID_PAYLOAD_LENGTH)
                << std::hex << "opcode " << command.opcode << " with " << bytes << " bytes";
}

TEST_F(Mailbox, EveryCommandRefusesPayloadsThatAreTooLong)
{
    for (const Command &command : commands) {
        for (const std::size_t bytes : {command.longest + 1, std::size_t{SQ_MBOX_PAYLOAD_BYTES}, std::size_t{SQ_MBOX_PAYLOAD_BYTES} + 1,
                                        std::size_t{0x1fffff}}) {
            EXPECT_EQ(card().command(command.opcode, Bytes(bytes)).status, SQ_STATUS_INVALID_PAYLOAD_LENGTH)
                << std::hex << "opcode " << command.opcode << " with " << bytes << " zeros";
            EXPECT_EQ(card().command(command.opcode, Bytes(bytes, 0xa5)).status, SQ_STATUS_INVALID_PAYLOAD_LENGTH)
                << std::hex << "opcode " << command.opcode << " with " << bytes << " bytes of junk";
        }
    }
}

TEST_F(Mailbox, EveryReservedFieldIsChecked)
{
    for (const Command &command : commands) {
        for (std::size_t i = 0; i < command.reserved_bytes; ++i) {
            Bytes payload(command.shortest);
            if (command.opcode == SQ_MBOX_CREATE_REGION)
                payload = create_region_payload("r", SQ_DTYPE_BF16, SQ_PLACEMENT_ALIGNED, 1, 1);
            payload[command.reserved_at + i] = 0x80;
            EXPECT_EQ(card().command(command.opcode, payload).status, SQ_STATUS_INVALID_INPUT)
                << std::hex << "opcode " << command.opcode << " reserved byte " << command.reserved_at + i;
        }
    }
    EXPECT_EQ(identify(card()).regions, 0u);
}

TEST_F(Mailbox, JunkOfTheRightLengthIsRefusedAndChangesNothing)
{
    const std::uint16_t may_succeed[] = {SQ_MBOX_IDENTIFY, SQ_MBOX_SANITIZE, SQ_MBOX_GET_HDM_INFO, SQ_MBOX_LIST_REGIONS};
    for (const Command &command : commands) {
        if (std::find(std::begin(may_succeed), std::end(may_succeed), command.opcode) != std::end(may_succeed))
            continue;
        for (const std::uint8_t junk : {0xff, 0x5a})
            EXPECT_NE(card().command(command.opcode, Bytes(command.shortest, junk)).status, SQ_STATUS_SUCCESS)
                << std::hex << "opcode " << command.opcode << " junk " << int{junk};
    }
    EXPECT_EQ(identify(card()).regions, 0u);
    EXPECT_EQ(identify(card()).used_bytes, 0u);
}

TEST_F(Mailbox, UnknownOpcodesAreUnsupported)
{
    for (const unsigned opcode : {0x0000u, 0x0001u, 0x4000u, 0xbfffu, 0xc003u, 0xc0ffu, 0xffffu})
        EXPECT_EQ(card().command(static_cast<std::uint16_t>(opcode)).status, SQ_STATUS_UNSUPPORTED) << std::hex << opcode;
}

TEST_F(Mailbox, IdentifyDescribesTheCard)
{
    const Answer answer = card().command(SQ_MBOX_IDENTIFY);
    ASSERT_EQ(answer.payload.size(), sizeof(sq_mbox_identify));
    const auto info = structure<sq_mbox_identify>(answer.payload);
    EXPECT_EQ(info.interface_major, SQ_INTERFACE_MAJOR);
    EXPECT_EQ(info.logical_bytes, 256ull << 20);
    EXPECT_GT(info.capacity_bytes, 32ull << 20);
    EXPECT_LT(info.capacity_bytes, 64ull << 20);
    EXPECT_EQ(info.queues_max, SQ_QUEUES_MAX);
    EXPECT_EQ(info.queue_depth_max, SQ_QUEUE_DEPTH_MAX);
    EXPECT_EQ(info.transfer_bytes_max, SQ_TRANSFER_BYTES_MAX);
    const auto *end = info.formats + info.format_count;
    EXPECT_NE(std::find(info.formats, end, SQ_FORMAT_NATIVE), end);
    EXPECT_NE(std::find(info.formats, end, SQ_FORMAT_MXINT(4)), end);
    EXPECT_GT(info.encoding_count, 0u);
    // Whatever it says it takes, it takes.
    for (std::uint8_t dtype = 0; dtype < 32; ++dtype) {
        if (!(info.dtypes >> dtype & 1))
            continue;
        unsigned placements = 0;
        for (std::uint8_t placement = 0; placement < 32; ++placement)
            if (info.placements >> placement & 1)
                placements += card().command(SQ_MBOX_CREATE_REGION, create_region_payload(std::to_string(dtype) + "/" + std::to_string(placement), dtype, placement, 1, 1)).status == SQ_STATUS_SUCCESS;
        EXPECT_GT(placements, 0u) << "dtype " << int{dtype};
    }
    EXPECT_NE(info.dtypes & 1u << SQ_DTYPE_BF16, 0u);
    EXPECT_NE(info.placements & 1u << SQ_PLACEMENT_ALIGNED, 0u);
    EXPECT_EQ(std::string(reinterpret_cast<const char *>(info.serial), sizeof info.serial), "0000000000005351");
}

TEST_F(Mailbox, ARegionLivesFromCreateToDelete)
{
    const std::uint32_t handle = create_region(card(), "blk.0/w", 64, 576);
    const Answer got = card().command(SQ_MBOX_GET_REGION, handle);
    ASSERT_EQ(got.status, SQ_STATUS_SUCCESS);
    const auto info = structure<sq_region_info>(got.payload);
    EXPECT_EQ(info.handle, handle);
    EXPECT_EQ(info.dtype, SQ_DTYPE_BF16);
    EXPECT_EQ(info.placement, SQ_PLACEMENT_ALIGNED);
    EXPECT_EQ(info.rows, 64u);
    EXPECT_EQ(info.cols, 576u);
    EXPECT_EQ(info.precision, SQ_FORMAT_NATIVE);
    EXPECT_EQ(std::string(got.payload.begin() + sizeof info, got.payload.end()), "blk.0/w");

    const std::string name = "blk.0/w";
    const Answer by_name = card().command(SQ_MBOX_GET_REGION_BY_NAME, Bytes(name.begin(), name.end()));
    EXPECT_EQ(by_name.status, SQ_STATUS_SUCCESS);
    EXPECT_EQ(by_name.payload, got.payload);

    EXPECT_EQ(card().command(SQ_MBOX_CREATE_REGION, create_region_payload(name, SQ_DTYPE_BF16, SQ_PLACEMENT_ALIGNED, 1, 1)).status,
              SQ_STATUS_NAME_EXISTS);
    EXPECT_EQ(card().command(SQ_MBOX_DELETE_REGION, handle).status, SQ_STATUS_SUCCESS);
    EXPECT_EQ(card().command(SQ_MBOX_GET_REGION, handle).status, SQ_STATUS_INVALID_HANDLE);
    EXPECT_EQ(card().command(SQ_MBOX_GET_REGION_BY_NAME, Bytes(name.begin(), name.end())).status, SQ_STATUS_NOT_FOUND);
    // The slot is used again, the old handle stays dead.
    const std::uint32_t second = create_region(card(), name, 1, 1);
    EXPECT_NE(second, handle);
    EXPECT_EQ(card().command(SQ_MBOX_DELETE_REGION, handle).status, SQ_STATUS_INVALID_HANDLE);
}

TEST_F(Mailbox, ANameLengthThatDoesNotMatchThePayloadIsRefused)
{
    Bytes payload = create_region_payload("name", SQ_DTYPE_BF16, SQ_PLACEMENT_ALIGNED, 1, 1);
    for (const std::uint8_t length : {0, 3, 5, 255}) {
        payload[2] = length;
        EXPECT_EQ(card().command(SQ_MBOX_CREATE_REGION, payload).status, SQ_STATUS_INVALID_PAYLOAD_LENGTH) << int{length};
    }
    payload[2] = 4;
    payload[3] = 1;
    EXPECT_EQ(card().command(SQ_MBOX_CREATE_REGION, payload).status, SQ_STATUS_INVALID_PAYLOAD_LENGTH);
}

TEST_F(Mailbox, UnknownDtypesPlacementsAndShapesAreRefused)
{
    const auto status = [&](std::uint8_t dtype, std::uint8_t placement, std::uint32_t rows, std::uint32_t cols) {
        return card().command(SQ_MBOX_CREATE_REGION, create_region_payload("x", dtype, placement, rows, cols)).status;
    };
    EXPECT_EQ(status(0, SQ_PLACEMENT_ALIGNED, 1, 1), SQ_STATUS_INVALID_INPUT);
    EXPECT_EQ(status(200, SQ_PLACEMENT_ALIGNED, 1, 1), SQ_STATUS_INVALID_INPUT);
    EXPECT_NE(status(SQ_DTYPE_BF16, 0, 1, 1), SQ_STATUS_SUCCESS);
    EXPECT_NE(status(SQ_DTYPE_BF16, 77, 1, 1), SQ_STATUS_SUCCESS);
    EXPECT_NE(status(SQ_DTYPE_BF16, SQ_PLACEMENT_BYTES, 1, 1), SQ_STATUS_SUCCESS);
    EXPECT_EQ(status(SQ_DTYPE_BF16, SQ_PLACEMENT_ALIGNED, 0, 1), SQ_STATUS_INVALID_INPUT);
    EXPECT_EQ(status(SQ_DTYPE_BF16, SQ_PLACEMENT_ALIGNED, 1, 0), SQ_STATUS_INVALID_INPUT);
    EXPECT_NE(status(SQ_DTYPE_FP32, SQ_PLACEMENT_ALIGNED, 0xffffffff, 0xffffffff), SQ_STATUS_SUCCESS);
    EXPECT_EQ(identify(card()).regions, 0u);
}

TEST_F(Mailbox, NamesThatAreNoUtf8AreRefused)
{
    for (const std::string name : {"\xff", "\xc0\x80", "a\xe2\x82"})
        EXPECT_EQ(card().command(SQ_MBOX_CREATE_REGION, create_region_payload(name, SQ_DTYPE_BF16, SQ_PLACEMENT_ALIGNED, 1, 1)).status,
                  SQ_STATUS_NAME);
}

TEST_F(Mailbox, ListIsPagedAndComplete)
{
    std::vector<std::uint32_t> created;
    for (int i = 0; i < 10; ++i)
        created.push_back(create_region(card(), "r" + std::to_string(i), 1, 32));
    std::vector<std::uint32_t> listed;
    std::uint32_t after = 0;
    for (bool more = true; more;) {
        const Answer answer = card().command(SQ_MBOX_LIST_REGIONS, sq_mbox_list_in{after, 3});
        ASSERT_EQ(answer.status, SQ_STATUS_SUCCESS);
        const auto page = structure<sq_mbox_list_out>(answer.payload);
        ASSERT_LE(page.count, 3u);
        ASSERT_EQ(answer.payload.size(), sizeof page + 4 * page.count);
        for (std::uint32_t i = 0; i < page.count; ++i)
            listed.push_back(structure<std::uint32_t>(answer.payload, sizeof page + 4 * i));
        more = page.more;
        ASSERT_TRUE(page.count > 0 || !more);
        after = listed.empty() ? 0 : listed.back();
    }
    std::sort(created.begin(), created.end());
    std::sort(listed.begin(), listed.end());
    EXPECT_EQ(listed, created);
    const auto none = structure<sq_mbox_list_out>(card().command(SQ_MBOX_LIST_REGIONS, sq_mbox_list_in{0, 0}).payload);
    EXPECT_EQ(none.count, 0u);
    EXPECT_EQ(none.more, 1u);
    EXPECT_EQ(card().command(SQ_MBOX_LIST_REGIONS, sq_mbox_list_in{0, 0xffffffff}).payload.size(), 8 + 4 * created.size());
}

TEST_F(Mailbox, ThePrecisionTagIsWhatAFetchWithoutAFormatGets)
{
    const std::uint32_t handle = create_region(card(), "w", 2, 64);
    EXPECT_EQ(card().command(SQ_MBOX_SET_PRECISION_TAG, sq_mbox_precision_tag{handle, SQ_FORMAT_MXINT(4), 0}).status, SQ_STATUS_SUCCESS);
    EXPECT_EQ(structure<sq_region_info>(card().command(SQ_MBOX_GET_REGION, handle).payload).precision, SQ_FORMAT_MXINT(4));
    EXPECT_EQ(card().command(SQ_MBOX_SET_PRECISION_TAG, sq_mbox_precision_tag{handle, 0x7777, 0}).status, SQ_STATUS_FORMAT);
    EXPECT_EQ(structure<sq_region_info>(card().command(SQ_MBOX_GET_REGION, handle).payload).precision, SQ_FORMAT_MXINT(4));
    Queue queue(card(), 0);
    const Bytes data = random_bf16(128, 7);
    store(queue, handle, 0, 2, data);
    const std::size_t bytes = 2 * 64 / 2 + 2 * 2;
    EXPECT_EQ(fetch(queue, handle, SQ_FORMAT_TAG, 0, 2, bytes), fetch(queue, handle, SQ_FORMAT_MXINT(4), 0, 2, bytes));
}

TEST_F(Mailbox, APackedRegionGivesTheSameBytesFromFewerLines)
{
    const std::uint32_t handle = create_region(card(), "w", 256, 512);  // two segments
    Queue queue(card(), 0);
    Bytes data = random_bf16(256 * 512, 5);
    for (std::size_t i = 1; i < data.size(); i += 2)  // magnitudes within 2 to 8
        data[i] = static_cast<std::uint8_t>((data[i] & 0x80) | 0x40);
    store(queue, handle, 0, 256, data);
    const std::size_t bytes = 256 * 512 / 2 + 256 * 16;
    const auto region = [&] { return structure<sq_region_info>(card().command(SQ_MBOX_GET_REGION, handle).payload); };
    const auto raw = region();
    const Bytes before = fetch(queue, handle, SQ_FORMAT_MXINT(4), 0, 256, bytes);
    const auto raw_lines = statistics().plane_lines;
    ASSERT_EQ(card().command(SQ_MBOX_PACK_REGION, handle).status, SQ_STATUS_BACKGROUND_STARTED);
    EXPECT_EQ(card().background(), SQ_STATUS_SUCCESS);
    EXPECT_EQ(card().mailbox(SQ_MBOX_BG_STATUS) & SQ_MBOX_BG_OPCODE, static_cast<std::uint64_t>(SQ_MBOX_PACK_REGION));
    EXPECT_EQ(region().coding, SQ_CODING_PACKED);
    EXPECT_NE(region().flags & SQ_REGION_SEALED, 0u);
    EXPECT_LT(region().stored_bytes, raw.stored_bytes);
    const auto lines = statistics().plane_lines;
    EXPECT_EQ(fetch(queue, handle, SQ_FORMAT_MXINT(4), 0, 256, bytes), before);
    EXPECT_LT(statistics().plane_lines - lines, raw_lines);
    EXPECT_EQ(fetch(queue, handle, SQ_FORMAT_NATIVE, 0, 256, data.size()), data);
    EXPECT_EQ(card().command(SQ_MBOX_PACK_REGION, handle).status, SQ_STATUS_BACKGROUND_STARTED) << "again";
    EXPECT_EQ(card().background(), SQ_STATUS_SUCCESS);
    EXPECT_EQ(card().command(SQ_MBOX_PACK_REGION, 0xdeadbeefu).status, SQ_STATUS_INVALID_HANDLE);
    const std::uint32_t word = create_region(card(), "word", 1, 32, SQ_DTYPE_BF16, SQ_PLACEMENT_WORD);
    EXPECT_EQ(card().command(SQ_MBOX_PACK_REGION, word).status, SQ_STATUS_UNSUPPORTED);
    EXPECT_NE(identify(card()).features & SQ_FEATURE_PACKED, 0u);
}

TEST_F(Mailbox, AResetGivesUpPackingAndLeavesTheRegionWhole)
{
    const std::uint32_t handle = create_region(card(), "w", 2048, 1024);  // 32 segments
    const Bytes data = random_bf16(2048 * 1024, 6);
    {
        Queue queue(card(), 0);
        store(queue, handle, 0, 2048, data);
        sq_submission flush{};
        flush.opcode = SQ_OP_FLUSH;
        flush.handle = handle;
        ASSERT_EQ(queue.run(flush).status, SQ_STATUS_SUCCESS);
    }
    ASSERT_EQ(card().command(SQ_MBOX_PACK_REGION, handle).status, SQ_STATUS_BACKGROUND_STARTED);
    card().reset_function1();
    Queue queue(card(), 0);
    EXPECT_EQ(fetch(queue, handle, SQ_FORMAT_NATIVE, 0, 2048, data.size()), data);
    // Not held by the packing that was given up.
    EXPECT_EQ(card().command(SQ_MBOX_DELETE_REGION, handle).status, SQ_STATUS_SUCCESS);
}

TEST_F(Mailbox, ASealedRegionRefusesStores)
{
    const std::uint32_t handle = create_region(card(), "w", 1, 32);
    Queue queue(card(), 0);
    const Bytes data = random_bf16(32, 1);
    store(queue, handle, 0, 1, data);
    EXPECT_EQ(card().command(SQ_MBOX_SEAL_REGION, handle).status, SQ_STATUS_SUCCESS);
    EXPECT_EQ(queue.run(store_entry(handle, 0, 1, place(data), 64)).status, SQ_STATUS_SEALED);
    EXPECT_EQ(fetch(queue, handle, SQ_FORMAT_NATIVE, 0, 1, 64), data);
    EXPECT_NE(structure<sq_region_info>(card().command(SQ_MBOX_GET_REGION, handle).payload).flags & SQ_REGION_SEALED, 0u);
}

TEST_F(Mailbox, FeaturesAreCheckedAndDefaultRoundingWorks)
{
    const auto get = [&](std::uint16_t id, std::uint16_t index) { return card().command(SQ_MBOX_GET_FEATURE, sq_mbox_feature{id, index, 0, 0}); };
    const auto set = [&](std::uint16_t id, std::uint64_t value) { return card().command(SQ_MBOX_SET_FEATURE, sq_mbox_feature{id, 0, 0, value}).status; };
    EXPECT_EQ(get(SQ_FEATURE_ID_SCRUB_RATE, 0).status, SQ_STATUS_UNSUPPORTED);
    EXPECT_EQ(get(0x1234, 0).status, SQ_STATUS_INVALID_INPUT);
    EXPECT_EQ(get(SQ_FEATURE_ID_DEFAULT_ROUNDING, 1).status, SQ_STATUS_INVALID_INPUT);
    EXPECT_EQ(structure<sq_mbox_feature>(get(SQ_FEATURE_ID_DEFAULT_ROUNDING, 0).payload).value, 0u);
    EXPECT_EQ(set(SQ_FEATURE_ID_DEFAULT_ROUNDING, 4), SQ_STATUS_INVALID_INPUT);
    EXPECT_EQ(set(SQ_FEATURE_ID_DEFAULT_ROUNDING, 1ull << 32), SQ_STATUS_INVALID_INPUT);

    const std::uint32_t handle = create_region(card(), "w", 16, 64);
    Queue queue(card(), 0);
    store(queue, handle, 0, 16, random_bf16(1024, 3));
    const std::size_t bytes = 16 * (32 + 2);
    const Bytes truncated = fetch(queue, handle, SQ_FORMAT_MXINT(4), 0, 16, bytes, SQ_ROUNDING_TRUNCATE);
    ASSERT_NE(fetch(queue, handle, SQ_FORMAT_MXINT(4), 0, 16, bytes), truncated);
    EXPECT_EQ(set(SQ_FEATURE_ID_DEFAULT_ROUNDING, SQ_ROUNDING_TRUNCATE), SQ_STATUS_SUCCESS);
    EXPECT_EQ(fetch(queue, handle, SQ_FORMAT_MXINT(4), 0, 16, bytes), truncated);
    // A format that does not round is left alone.
    fetch(queue, handle, SQ_FORMAT_NATIVE, 0, 16, 2048);
}

TEST_F(Mailbox, StatisticsCountAndReset)
{
    const std::uint32_t handle = create_region(card(), "w", 8, 512);
    Queue queue(card(), 0);
    store(queue, handle, 0, 8, random_bf16(4096, 5));
    const std::size_t bytes = 8 * (256 + 16);
    fetch(queue, handle, SQ_FORMAT_MXINT(4), 0, 8, bytes, SQ_ROUNDING_TRUNCATE);
    auto counters = statistics();
    EXPECT_EQ(counters.requests, 1u);
    EXPECT_EQ(counters.elements, 4096u);
    EXPECT_EQ(counters.link_bytes, bytes);
    // 4 planes of 8 lines, and 128 exponent bytes in 2 lines.
    EXPECT_EQ(counters.plane_lines, 4u * 8 + 2);
    EXPECT_EQ(counters.baseline_lines, 4096u * 16 / 512);
    EXPECT_EQ(counters.stores, 1u);
    EXPECT_EQ(counters.stored_elements, 4096u);
    const auto scoped = [&](std::uint32_t scope, std::uint32_t key) { return card().command(SQ_MBOX_GET_STATISTICS, sq_mbox_statistics_in{scope, key}); };
    EXPECT_EQ(structure<sq_statistics>(scoped(SQ_STATISTICS_REGION, handle).payload).plane_lines, counters.plane_lines);
    EXPECT_EQ(structure<sq_statistics>(scoped(SQ_STATISTICS_FORMAT, SQ_FORMAT_MXINT(4)).payload).link_bytes, bytes);
    EXPECT_EQ(scoped(3, 0).status, SQ_STATUS_INVALID_INPUT);
    EXPECT_EQ(scoped(SQ_STATISTICS_REGION, 0x12345678).status, SQ_STATUS_INVALID_HANDLE);
    EXPECT_EQ(scoped(SQ_STATISTICS_FORMAT, 0x7777).status, SQ_STATUS_FORMAT);
    EXPECT_EQ(card().command(SQ_MBOX_RESET_STATISTICS, sq_mbox_statistics_in{SQ_STATISTICS_GLOBAL, 0}).status, SQ_STATUS_SUCCESS);
    EXPECT_EQ(statistics().requests, 0u);
}

TEST_F(Mailbox, QueuePairParametersAreChecked)
{
    const auto status = [&](std::uint16_t queue, std::uint16_t depth, std::uint16_t vector, std::uint64_t submission, std::uint64_t completion) {
        sq_mbox_create_queue payload{};
        payload.queue = queue;
        payload.depth = depth;
        payload.vector = vector;
        payload.submission_address = submission;
        payload.completion_address = completion;
        return card().command(SQ_MBOX_CREATE_QUEUE_PAIR, payload).status;
    };
    EXPECT_EQ(status(SQ_QUEUES_MAX, 16, 1, ram_start, ram_start), SQ_STATUS_INVALID_INPUT);
    EXPECT_EQ(status(0, 1, 1, ram_start, ram_start), SQ_STATUS_INVALID_INPUT);
    EXPECT_EQ(status(0, SQ_QUEUE_DEPTH_MAX + 1, 1, ram_start, ram_start), SQ_STATUS_INVALID_INPUT);
    EXPECT_EQ(status(0, 16, 0, ram_start, ram_start), SQ_STATUS_INVALID_INPUT);
    EXPECT_EQ(status(0, 16, SQ_MSIX_VECTORS, ram_start, ram_start), SQ_STATUS_INVALID_INPUT);
    EXPECT_EQ(status(0, 16, 1, ram_start + 64, ram_start), SQ_STATUS_INVALID_INPUT);
    EXPECT_EQ(status(0, 16, 1, ram_start, ram_start + 8), SQ_STATUS_INVALID_INPUT);
    EXPECT_EQ(status(0, 16, 1, ram_start, ram_start + 4096), SQ_STATUS_SUCCESS);
    EXPECT_EQ(status(0, 16, 1, ram_start, ram_start + 4096), SQ_STATUS_IN_USE);
    EXPECT_EQ(card().command(SQ_MBOX_DELETE_QUEUE_PAIR, sq_mbox_queue{1, 0}).status, SQ_STATUS_INVALID_INPUT);
    EXPECT_EQ(card().command(SQ_MBOX_DELETE_QUEUE_PAIR, sq_mbox_queue{0xffff, 0}).status, SQ_STATUS_INVALID_INPUT);
    EXPECT_EQ(card().command(SQ_MBOX_DELETE_QUEUE_PAIR, sq_mbox_queue{0, 0}).status, SQ_STATUS_SUCCESS);
    EXPECT_EQ(card().command(SQ_MBOX_DELETE_QUEUE_PAIR, sq_mbox_queue{0, 0}).status, SQ_STATUS_INVALID_INPUT);
}

TEST_F(Mailbox, HdmInfoFollowsTheDecoder)
{
    const auto info = [&] { return structure<sq_hdm_info>(card().command(SQ_MBOX_GET_HDM_INFO).payload); };
    EXPECT_EQ(info().flags, 0u);
    card().commit_decoder(256ull << 20);
    EXPECT_EQ(info().flags, static_cast<std::uint32_t>(SQ_HDM_COMMITTED));
    EXPECT_EQ(info().host_base, card().window());
    EXPECT_EQ(info().size_bytes, 256ull << 20);
    EXPECT_EQ(info().dpa_base, 0u);
    EXPECT_EQ(info().interleave_ways, 1u);
    card().commit_decoder(256ull << 20, 1);
    EXPECT_EQ(info().flags, static_cast<std::uint32_t>(SQ_HDM_COMMITTED | SQ_HDM_INTERLEAVED));
    EXPECT_EQ(info().interleave_ways, 2u);
    card().uncommit_decoder();
    EXPECT_EQ(info().flags, 0u);
}

TEST_F(Mailbox, VerifyRunsInTheBackgroundAndInterrupts)
{
    const std::uint32_t handle = create_region(card(), "w", 64, 512);
    Queue queue(card(), 0);
    store(queue, handle, 0, 64, random_bf16(64 * 512, 11));
    card().enable_interrupts();
    const std::uint64_t control = card().registers() + SQ_REG_MAILBOX + SQ_MBOX_CTRL;
    machine().write(control, SQ_MBOX_CTRL_BG_IRQ, 4);
    for (const std::uint32_t target : {handle, 0u}) {
        EXPECT_EQ(card().command(SQ_MBOX_VERIFY, target).status, SQ_STATUS_BACKGROUND_STARTED);
        EXPECT_EQ(card().background(), SQ_STATUS_SUCCESS);
        EXPECT_EQ(card().mailbox(SQ_MBOX_BG_STATUS) & SQ_MBOX_BG_OPCODE, static_cast<std::uint64_t>(SQ_MBOX_VERIFY));
        EXPECT_EQ((card().mailbox(SQ_MBOX_BG_STATUS) & SQ_MBOX_BG_PERCENT) >> 16, 100u);
        EXPECT_EQ(card().interrupts(SQ_MSIX_VECTOR_MAILBOX), 0x51000000u);
        const auto result = structure<sq_mbox_verify_out>(card().command(SQ_MBOX_GET_VERIFY_RESULT, sq_mbox_verify_in{}).payload);
        EXPECT_EQ(result.complete, 1u);
        EXPECT_GT(result.runs_checked, 0u);
        EXPECT_EQ(result.runs_bad, 0u);
    }
    EXPECT_EQ(card().command(SQ_MBOX_VERIFY, 0xdeadbeefu).status, SQ_STATUS_INVALID_HANDLE);
}

TEST_F(Mailbox, VerifyNamesTheRunThatIsDamagedAndFetchRefusesIt)
{
    const std::uint32_t handle = create_region(card(), "w", 128, 512);
    Queue queue(card(), 0);
    const Bytes data = random_bf16(128 * 512, 12);
    store(queue, handle, 0, 128, data);
    ASSERT_EQ(card().command(SQ_MBOX_SEAL_REGION, handle).status, SQ_STATUS_SUCCESS);

    // The sign plane of the first lines, found in the file by its bits.
    Bytes plane(64);
    for (unsigned i = 0; i < 512; ++i)
        if (data[2 * i + 1] & 0x80)
            plane[i / 8] = static_cast<std::uint8_t>(plane[i / 8] | 1 << i % 8);
    std::fstream file(folder_ / "planes", std::ios::binary | std::ios::in | std::ios::out);
    Bytes store_bytes(64ull << 20);
    file.read(reinterpret_cast<char *>(store_bytes.data()), static_cast<std::streamsize>(store_bytes.size()));
    const auto found = std::search(store_bytes.begin(), store_bytes.end(), plane.begin(), plane.end());
    ASSERT_NE(found, store_bytes.end());
    file.seekp(found - store_bytes.begin());
    file.put(static_cast<char>(*found ^ 0x10));
    file.close();

    sq_submission entry = fetch_entry(handle, SQ_FORMAT_NATIVE, 0, 128, card().allocate(data.size()), static_cast<std::uint32_t>(data.size()));
    entry.result_address = card().allocate(sizeof(sq_result));
    EXPECT_EQ(queue.run(entry).status, SQ_STATUS_MEDIA_FAILURE);
    EXPECT_EQ(structure<sq_result>(machine().read_block(entry.result_address, sizeof(sq_result))).error_row, 0u);
    EXPECT_EQ(machine().read_block(entry.segment_address[0], data.size()), Bytes(data.size())) << "a failed fetch wrote data";
    EXPECT_EQ(statistics().media_errors, 1u);

    ASSERT_EQ(card().command(SQ_MBOX_VERIFY, handle).status, SQ_STATUS_BACKGROUND_STARTED);
    EXPECT_EQ(card().background(), SQ_STATUS_SUCCESS);
    const Answer answer = card().command(SQ_MBOX_GET_VERIFY_RESULT, sq_mbox_verify_in{});
    const auto result = structure<sq_mbox_verify_out>(answer.payload);
    EXPECT_EQ(result.runs_bad, 1u);
    ASSERT_EQ(result.count, 1u);
    const auto bad = structure<sq_bad_run>(answer.payload, sizeof result);
    EXPECT_EQ(bad.handle, handle);
    EXPECT_EQ(bad.segment, 0u);
    EXPECT_EQ(bad.run, 0u);
}

TEST_F(Mailbox, SanitizeErasesEverythingButNotUnderViews)
{
    const std::uint32_t handle = create_region(card(), "secret", 1, 64);
    Queue queue(card(), 0);
    store(queue, handle, 0, 1, random_bf16(64, 9));
    const Answer view = card().command(SQ_MBOX_MAP_VIEW, sq_mbox_map_view{handle, SQ_FORMAT_NATIVE, 0, 0, 0, 1});
    ASSERT_EQ(view.status, SQ_STATUS_SUCCESS);
    EXPECT_EQ(card().command(SQ_MBOX_SANITIZE).status, SQ_STATUS_IN_USE);
    ASSERT_EQ(card().command(SQ_MBOX_UNMAP_VIEW, structure<sq_view_info>(view.payload).view).status, SQ_STATUS_SUCCESS);
    EXPECT_EQ(card().command(SQ_MBOX_SANITIZE).status, SQ_STATUS_BACKGROUND_STARTED);
    EXPECT_EQ(card().background(), SQ_STATUS_SUCCESS);
    EXPECT_EQ(identify(card()).regions, 0u);
    EXPECT_EQ(card().command(SQ_MBOX_GET_REGION, handle).status, SQ_STATUS_INVALID_HANDLE);
}

TEST_F(Mailbox, WritesWhileTheDoorbellIsSetAreIgnored)
{
    machine().qmp("{\"execute\": \"qom-set\", \"arguments\": {\"path\": \"/machine/peripheral/sqc0\", \"property\": \"x-stall\", \"value\": true}}");
    const std::uint64_t base = card().registers() + SQ_REG_MAILBOX;
    machine().write(base + SQ_MBOX_CMD, SQ_MBOX_IDENTIFY, 8);
    machine().write(base + SQ_MBOX_CTRL, SQ_MBOX_CTRL_DOORBELL, 4);
    machine().write(base + SQ_MBOX_CMD, 0xffff, 8);
    machine().write(base + SQ_MBOX_PAYLOAD, ~0ull, 8);
    machine().write(base + SQ_MBOX_CTRL, 0, 4);
    EXPECT_EQ(card().mailbox(SQ_MBOX_CTRL, 4), static_cast<std::uint64_t>(SQ_MBOX_CTRL_DOORBELL)) << "the host cleared the doorbell";
    EXPECT_EQ(card().mailbox(SQ_MBOX_CMD), static_cast<std::uint64_t>(SQ_MBOX_IDENTIFY));
    EXPECT_EQ(card().mailbox(SQ_MBOX_PAYLOAD), 0u);
    // A stalled card comes back by a function-level reset.
    card().reset_function1();
    EXPECT_EQ(card().mailbox(SQ_MBOX_CTRL, 4), 0u);
    machine().qmp("{\"execute\": \"qom-set\", \"arguments\": {\"path\": \"/machine/peripheral/sqc0\", \"property\": \"x-stall\", \"value\": false}}");
    EXPECT_EQ(card().command(SQ_MBOX_IDENTIFY).status, SQ_STATUS_SUCCESS);
}

} // namespace
