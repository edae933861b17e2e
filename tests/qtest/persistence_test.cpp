// SPDX-License-Identifier: MIT
//
// The store outlives the machine, and the device refuses what is no store.
#include "fixture.hpp"

#include <fstream>

using namespace qtest;

namespace {

class Persistence : public CardTest {
protected:
    // A machine that is expected to refuse; what it says.
    std::string refusal(const std::string &memory_arguments = ",bloat=4", bool shared = true, const std::string &backend_arguments = {},
                        std::uint64_t store_bytes = 64ull << 20)
    {
        Options options;
        options.store = folder_ / "planes";
        options.store_bytes = store_bytes;
        options.memory_arguments = memory_arguments;
        options.backend_arguments = backend_arguments;
        options.shared = shared;
        Machine machine(options);
        EXPECT_FALSE(machine.running());
        return machine.errors();
    }

    Bytes file()
    {
        std::ifstream in(folder_ / "planes", std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }
};

std::uint32_t find(Card &card, const std::string &name)
{
    const Answer answer = card.command(SQ_MBOX_GET_REGION_BY_NAME, Bytes(name.begin(), name.end()));
    return answer.status == SQ_STATUS_SUCCESS ? structure<sq_region_info>(answer.payload).handle : 0;
}

TEST_F(Persistence, WhatWasFlushedOrSealedSurvivesAKill)
{
    const Bytes flushed = random_bf16(64 * 96, 31), sealed = random_bf16(8 * 512, 32);
    start();
    {
        Queue queue(card(), 0);
        const std::uint32_t first = create_region(card(), "flushed", 64, 96), second = create_region(card(), "sealed", 8, 512);
        store(queue, first, 0, 64, flushed);
        store(queue, second, 0, 8, sealed);
        sq_submission flush{};
        flush.opcode = SQ_OP_FLUSH;
        flush.handle = first;
        ASSERT_EQ(queue.run(flush).status, SQ_STATUS_SUCCESS);
        ASSERT_EQ(card().command(SQ_MBOX_SEAL_REGION, second).status, SQ_STATUS_SUCCESS);
        // Stored to, but not flushed: the old rows must come back.
        store(queue, first, 0, 1, random_bf16(96, 33));
    }
    machine().kill();
    start();
    Queue queue(card(), 0);
    ASSERT_NE(find(card(), "flushed"), 0u);
    ASSERT_NE(find(card(), "sealed"), 0u);
    EXPECT_EQ(fetch(queue, find(card(), "flushed"), SQ_FORMAT_NATIVE, 0, 64, flushed.size()), flushed);
    EXPECT_EQ(fetch(queue, find(card(), "sealed"), SQ_FORMAT_NATIVE, 0, 8, sealed.size()), sealed);
    EXPECT_NE(structure<sq_region_info>(card().command(SQ_MBOX_GET_REGION, find(card(), "sealed")).payload).flags & SQ_REGION_SEALED, 0u);
}

TEST_F(Persistence, FlushOfAllRegionsAndOfNoneWork)
{
    const Bytes data = random_bf16(32, 34);
    start();
    {
        Queue queue(card(), 0);
        sq_submission flush{};
        flush.opcode = SQ_OP_FLUSH;
        EXPECT_EQ(queue.run(flush).status, SQ_STATUS_SUCCESS);
        store(queue, create_region(card(), "a", 1, 32), 0, 1, data);
        store(queue, create_region(card(), "b", 1, 32), 0, 1, data);
        EXPECT_EQ(queue.run(flush).status, SQ_STATUS_SUCCESS);
        flush.handle = 0x12345678;
        EXPECT_EQ(queue.run(flush).status, SQ_STATUS_INVALID_HANDLE);
    }
    machine().kill();
    start();
    Queue queue(card(), 0);
    EXPECT_EQ(fetch(queue, find(card(), "a"), SQ_FORMAT_NATIVE, 0, 1, 64), data);
    EXPECT_EQ(fetch(queue, find(card(), "b"), SQ_FORMAT_NATIVE, 0, 1, 64), data);
}

TEST_F(Persistence, AForeignFileIsRefusedAndLeftAlone)
{
    std::ofstream out(folder_ / "planes", std::ios::binary);
    out << "this is somebody's thesis";
    out.close();
    std::filesystem::resize_file(folder_ / "planes", 64ull << 20);
    const Bytes before = file();
    const std::string said = refusal();
    EXPECT_NE(said.find("planes"), std::string::npos) << said;
    EXPECT_NE(said.find("holds no usable store"), std::string::npos) << said;
    EXPECT_EQ(file(), before);
}

TEST_F(Persistence, OneFileIsOpenedByOneMachineAtATime)
{
    start();
    EXPECT_NE(refusal().find("in use by another process"), std::string::npos);
    EXPECT_EQ(card().command(SQ_MBOX_IDENTIFY).status, SQ_STATUS_SUCCESS);
}

TEST_F(Persistence, APrivateMappingIsRefusedBecauseNothingWouldBeStored)
{
    EXPECT_NE(refusal(",bloat=4", false).find("share=on"), std::string::npos);
}

TEST_F(Persistence, MemoryThatCannotBeWrittenIsRefusedWithTheRemedy)
{
    start();
    machine().kill();
    EXPECT_NE(refusal(",bloat=4", true, ",readonly=on").find("readonly=on,rom=off,share=off"), std::string::npos);
}

TEST_F(Persistence, PropertiesAreCheckedByNameAndValue)
{
    EXPECT_NE(refusal(",bloat=0").find("bloat=0"), std::string::npos);
    EXPECT_NE(refusal(",bloat=65").find("bloat=65"), std::string::npos);
    EXPECT_NE(refusal(",bloat=3").find("256 MiB"), std::string::npos);
    EXPECT_NE(refusal(",views=maybe").find("views='maybe'"), std::string::npos);
}

TEST_F(Persistence, AReadOnlyStoreReadsAndRefusesWrites)
{
    const Bytes data = random_bf16(64, 35);
    start();
    {
        Queue queue(card(), 0);
        const std::uint32_t handle = create_region(card(), "w", 1, 64);
        store(queue, handle, 0, 1, data);
        ASSERT_EQ(card().command(SQ_MBOX_SEAL_REGION, handle).status, SQ_STATUS_SUCCESS);
    }
    machine().kill();
    const Bytes before = file();
    {
        Options options;
        options.store = folder_ / "planes";
        options.memory_arguments = ",bloat=4";
        options.backend_arguments = ",readonly=on,rom=off";
        options.shared = false;
        Machine machine(options);
        ASSERT_TRUE(machine.running()) << machine.errors();
        Card card(machine);
        Queue queue(card, 0);
        const std::uint32_t handle = find(card, "w");
        ASSERT_NE(handle, 0u);
        const std::uint64_t address = card.allocate(128);
        EXPECT_EQ(queue.run(fetch_entry(handle, SQ_FORMAT_NATIVE, 0, 1, address, 128)).status, SQ_STATUS_SUCCESS);
        EXPECT_EQ(machine.read_block(address, 128), data);
        EXPECT_EQ(card.command(SQ_MBOX_CREATE_REGION, create_region_payload("x", SQ_DTYPE_BF16, SQ_PLACEMENT_ALIGNED, 1, 1)).status, SQ_STATUS_READ_ONLY);
        EXPECT_EQ(card.command(SQ_MBOX_DELETE_REGION, handle).status, SQ_STATUS_READ_ONLY);
        EXPECT_EQ(card.command(SQ_MBOX_SANITIZE).status, SQ_STATUS_READ_ONLY);
    }
    EXPECT_EQ(file(), before);
}

} // namespace
