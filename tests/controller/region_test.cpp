// SPDX-License-Identifier: MIT
//
// The region table: names, handles, seals, tags, and what is refused
#include "store.hpp"

namespace {

using namespace controller;

TEST(Region, IsEmptyAndReadsAsZerosAtBirth)
{
    Store store;
    const auto handle = store.make("w", 3, 100);
    const auto info = store.info(handle);
    EXPECT_EQ(std::string(info.name), "w");
    EXPECT_EQ(info.row_stride, 128u);
    EXPECT_EQ(info.segments, 1u);
    EXPECT_EQ(info.stored_bytes, 0u);
    EXPECT_EQ(info.precision, SQ_FORMAT_NATIVE);
    EXPECT_TRUE(info.dirty);
    EXPECT_FALSE(info.sealed);
    const auto read = store.read(handle, SQ_FORMAT_MXINT(4));
    EXPECT_EQ(read.bytes, Bytes(read.layout.bytes, 0));
    EXPECT_EQ(read.result.plane_lines, 0u) << "no plane memory was touched";
    EXPECT_EQ(store.info().used_bytes, 0u);
}

TEST(Region, NamesAreUtf8OfAtMost255Bytes)
{
    Store store;
    std::uint32_t handle;
    for (const std::string_view good : {"a", "blk.0/ffn up", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xf4\x8f\xbf\xbf", "\x01"})
        EXPECT_EQ(store.create(good, SQ_DTYPE_BF16, SQ_PLACEMENT_ALIGNED, 1, 1, &handle), SQ_STATUS_SUCCESS) << good;
    EXPECT_EQ(store.create(std::string(255, 'x'), SQ_DTYPE_BF16, SQ_PLACEMENT_ALIGNED, 1, 1, &handle), SQ_STATUS_SUCCESS);
    EXPECT_EQ(std::string(store.info(handle).name), std::string(255, 'x'));
    const std::string_view bad[] = {"", {"a\0b", 3}, "\x80", "\xc0\xaf", "\xc1\x81", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf",
                                    "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xc3", "\xe2\x82", "\xc3\x29", "ok\xff"};
    for (const auto name : bad)
        EXPECT_EQ(store.create(name, SQ_DTYPE_BF16, SQ_PLACEMENT_ALIGNED, 1, 1, &handle), SQ_STATUS_NAME);
    EXPECT_EQ(store.create(std::string(256, 'x'), SQ_DTYPE_BF16, SQ_PLACEMENT_ALIGNED, 1, 1, &handle), SQ_STATUS_NAME);
    EXPECT_EQ(store.create("a", SQ_DTYPE_FP32, SQ_PLACEMENT_ALIGNED, 1, 1, &handle), SQ_STATUS_NAME_EXISTS);
}

TEST(Region, RefusesShapesAndTypesThatCannotBe)
{
    Store store;
    struct Case {
        std::uint8_t dtype, placement;
        std::uint32_t rows, cols;
        sqc_status status;
    };
    const Case cases[] = {
        {0, SQ_PLACEMENT_ALIGNED, 1, 1, SQ_STATUS_INVALID_INPUT},
        {6, SQ_PLACEMENT_ALIGNED, 1, 1, SQ_STATUS_INVALID_INPUT},
        {SQ_DTYPE_BF16, 0, 1, 1, SQ_STATUS_INVALID_INPUT},
        {SQ_DTYPE_BF16, 5, 1, 1, SQ_STATUS_INVALID_INPUT},
        {SQ_DTYPE_BF16, SQ_PLACEMENT_ALIGNED, 0, 1, SQ_STATUS_INVALID_INPUT},
        {SQ_DTYPE_BF16, SQ_PLACEMENT_ALIGNED, 1, 0, SQ_STATUS_INVALID_INPUT},
        {SQ_DTYPE_BF16, SQ_PLACEMENT_BYTES, 1, 1, SQ_STATUS_UNSUPPORTED},
        {SQ_DTYPE_U8, SQ_PLACEMENT_ALIGNED, 1, 1, SQ_STATUS_UNSUPPORTED},
        {SQ_DTYPE_U8, SQ_PLACEMENT_WORD, 1, 1, SQ_STATUS_UNSUPPORTED},
        {SQ_DTYPE_INT8, SQ_PLACEMENT_ALIGNED, 1, 1, SQ_STATUS_UNSUPPORTED},
        {SQ_DTYPE_BF16, SQ_PLACEMENT_ALIGNED, UINT32_MAX, UINT32_MAX, SQ_STATUS_STORE_FULL},
        {SQ_DTYPE_BF16, SQ_PLACEMENT_ALIGNED, 1, UINT32_MAX, SQ_STATUS_STORE_FULL},
        {SQ_DTYPE_U8, SQ_PLACEMENT_BYTES, 1, 4u << 20, SQ_STATUS_STORE_FULL},
    };
    for (const auto& c : cases) {
        std::uint32_t handle = 7;
        EXPECT_EQ(store.create("x", c.dtype, c.placement, c.rows, c.cols, &handle), c.status) << +c.dtype << ' ' << +c.placement;
        EXPECT_EQ(handle, 7u);
    }
    EXPECT_EQ(store.info().regions, 0u);
}

TEST(Region, HandlesOfDeletedRegionsAreStale)
{
    Store store;
    const auto first = store.make("w", 2, 32);
    ASSERT_EQ(store.write(first, weights(SQ_DTYPE_BF16, 64, 1)), SQ_STATUS_SUCCESS);
    ASSERT_EQ(sqc_region_delete(store.get(), first), SQ_STATUS_SUCCESS);
    EXPECT_EQ(store.info().used_bytes, 0u);
    const auto second = store.make("w", 2, 32);
    EXPECT_NE(first, second);
    RegionInfo info;
    EXPECT_EQ(sqc_region_describe(store.get(), first, &info), SQ_STATUS_INVALID_HANDLE);
    EXPECT_EQ(sqc_region_delete(store.get(), first), SQ_STATUS_INVALID_HANDLE);
    EXPECT_EQ(sqc_region_seal(store.get(), first), SQ_STATUS_INVALID_HANDLE);
    EXPECT_EQ(sqc_flush(store.get(), first), SQ_STATUS_INVALID_HANDLE);
    EXPECT_EQ(sqc_region_set_precision(store.get(), first, SQ_FORMAT_MXINT(4)), SQ_STATUS_INVALID_HANDLE);
    EXPECT_EQ(store.write(first, Bytes(128), 0, 2), SQ_STATUS_INVALID_HANDLE);
    EXPECT_EQ(store.read({first, SQ_FORMAT_NATIVE, 0, 0, 0, 1}).status, SQ_STATUS_INVALID_HANDLE);
    Statistics statistics;
    EXPECT_EQ(sqc_statistics_get(store.get(), SQC_STATISTICS_REGION, first, &statistics), SQ_STATUS_INVALID_HANDLE);
    for (const std::uint32_t wild : {0u, 1u, 0xffffu, 0xffffffffu, second ^ 0x8000u})
        EXPECT_EQ(sqc_region_describe(store.get(), wild, &info), SQ_STATUS_INVALID_HANDLE) << wild;
}

TEST(Region, SlotsRunOutAndComeBack)
{
    Store store(1u << 20);
    const auto slots = store.info().regions_max;
    std::vector<std::uint32_t> handles;
    for (std::uint32_t i = 0; i < slots; ++i)
        handles.push_back(store.make("r" + std::to_string(i), 1, 1));
    std::uint32_t handle;
    EXPECT_EQ(store.create("one more", SQ_DTYPE_BF16, SQ_PLACEMENT_ALIGNED, 1, 1, &handle), SQ_STATUS_RESOURCES_EXHAUSTED);
    std::uint32_t seen = 0;
    for (std::uint32_t next = 0;; ++seen) {
        sqc_region_next(store.get(), next, &next);
        if (!next)
            break;
    }
    EXPECT_EQ(seen, slots);
    ASSERT_EQ(sqc_flush(store.get(), 0), SQ_STATUS_SUCCESS);
    store.reopen();
    EXPECT_EQ(store.info().regions, slots);
    ASSERT_EQ(sqc_region_delete(store.get(), handles[slots / 2]), SQ_STATUS_SUCCESS);
    EXPECT_EQ(store.create("one more", SQ_DTYPE_BF16, SQ_PLACEMENT_ALIGNED, 1, 1, &handle), SQ_STATUS_SUCCESS);
}

TEST(Region, ListingGoesOnBehindAStaleHandle)
{
    Store store;
    const auto a = store.make("a", 1, 1), b = store.make("b", 1, 1), c = store.make("c", 1, 1);
    ASSERT_EQ(sqc_region_delete(store.get(), b), SQ_STATUS_SUCCESS);
    std::uint32_t next;
    sqc_region_next(store.get(), 0, &next);
    EXPECT_EQ(next, a);
    sqc_region_next(store.get(), a, &next);
    EXPECT_EQ(next, c);
    sqc_region_next(store.get(), b, &next);
    EXPECT_EQ(next, c);
    sqc_region_next(store.get(), c, &next);
    EXPECT_EQ(next, 0u);
}

TEST(Region, SealedOnesTakeNoMoreWrites)
{
    Store store;
    const auto handle = store.make("w", 2, 32);
    const auto data = weights(SQ_DTYPE_BF16, 64, 2);
    ASSERT_EQ(store.write(handle, data), SQ_STATUS_SUCCESS);
    ASSERT_EQ(sqc_region_seal(store.get(), handle), SQ_STATUS_SUCCESS);
    EXPECT_FALSE(store.info(handle).dirty);
    const auto syncs = store.environment.syncs;
    EXPECT_EQ(sqc_region_seal(store.get(), handle), SQ_STATUS_SUCCESS);
    EXPECT_EQ(store.environment.syncs, syncs) << "sealing again writes nothing";
    EXPECT_EQ(store.write(handle, weights(SQ_DTYPE_BF16, 64, 3)), SQ_STATUS_SEALED);
    EXPECT_EQ(store.native(handle), data);
    store.reopen();
    const auto again = store.find("w");
    EXPECT_TRUE(store.info(again).sealed);
    EXPECT_EQ(store.native(again), data);
    EXPECT_EQ(sqc_region_set_precision(store.get(), again, SQ_FORMAT_MXINT(3)), SQ_STATUS_SUCCESS) << "the tag is no data";
    EXPECT_EQ(sqc_region_delete(store.get(), again), SQ_STATUS_SUCCESS);
}

TEST(Region, TagIsWhatAReadWithoutFormatGets)
{
    Store store;
    const auto handle = store.make("w", 2, 32);
    EXPECT_EQ(sqc_region_set_precision(store.get(), handle, SQ_FORMAT_TAG), SQ_STATUS_FORMAT);
    EXPECT_EQ(sqc_region_set_precision(store.get(), handle, 0x7777), SQ_STATUS_FORMAT);
    EXPECT_EQ(sqc_region_set_precision(store.get(), handle, SQ_FORMAT_PLANES(18)), SQ_STATUS_FORMAT) << "bf16 has 17 planes";
    ASSERT_EQ(sqc_region_set_precision(store.get(), handle, SQ_FORMAT_MXINT(3)), SQ_STATUS_SUCCESS);
    EXPECT_EQ(store.read(handle, SQ_FORMAT_TAG).layout.format, SQ_FORMAT_MXINT(3));
    ASSERT_EQ(sqc_flush(store.get(), handle), SQ_STATUS_SUCCESS);
    ASSERT_EQ(sqc_region_set_precision(store.get(), handle, SQ_FORMAT_MXINT(5)), SQ_STATUS_SUCCESS);
    store.reopen();
    EXPECT_EQ(store.info(store.find("w")).precision, SQ_FORMAT_MXINT(5)) << "durable without a flush";
}

TEST(Region, TagAloneDoesNotMakeUnflushedRowsDurable)
{
    Store store;
    const auto handle = store.make("w", 2, 32);
    const auto old_data = weights(SQ_DTYPE_BF16, 64, 4), new_data = weights(SQ_DTYPE_BF16, 64, 5);
    ASSERT_EQ(store.write(handle, old_data), SQ_STATUS_SUCCESS);
    ASSERT_EQ(sqc_flush(store.get(), handle), SQ_STATUS_SUCCESS);
    ASSERT_EQ(store.write(handle, new_data), SQ_STATUS_SUCCESS);
    ASSERT_EQ(sqc_region_set_precision(store.get(), handle, SQ_FORMAT_MXINT(5)), SQ_STATUS_SUCCESS);
    EXPECT_EQ(store.native(handle), new_data);
    store.reopen();
    EXPECT_EQ(store.native(store.find("w")), old_data);
    EXPECT_EQ(store.info(store.find("w")).precision, SQ_FORMAT_MXINT(5));
}

TEST(Region, OfAReadOnlyStoreStaysAsItIs)
{
    Store store;
    const auto data = weights(SQ_DTYPE_BF16, 64, 6);
    ASSERT_EQ(store.write(store.make("w", 2, 32), data), SQ_STATUS_SUCCESS);
    ASSERT_EQ(sqc_flush(store.get(), 0), SQ_STATUS_SUCCESS);
    store.reopen(SQC_OPEN_READ_ONLY);
    ASSERT_EQ(sqc_statistics_reset(store.get(), SQC_STATISTICS_GLOBAL, 0), SQ_STATUS_SUCCESS);
    const auto before = store.memory().copy();
    const auto handle = store.find("w");
    std::uint32_t other;
    EXPECT_EQ(store.create("x", SQ_DTYPE_BF16, SQ_PLACEMENT_ALIGNED, 1, 1, &other), SQ_STATUS_READ_ONLY);
    EXPECT_EQ(store.write(handle, data), SQ_STATUS_READ_ONLY);
    EXPECT_EQ(sqc_region_delete(store.get(), handle), SQ_STATUS_READ_ONLY);
    EXPECT_EQ(sqc_region_seal(store.get(), handle), SQ_STATUS_READ_ONLY);
    EXPECT_EQ(sqc_region_set_precision(store.get(), handle, SQ_FORMAT_MXINT(3)), SQ_STATUS_READ_ONLY);
    EXPECT_EQ(sqc_sanitize(store.get()), SQ_STATUS_READ_ONLY);
    EXPECT_EQ(sqc_flush(store.get(), 0), SQ_STATUS_SUCCESS) << "there is nothing to flush";
    EXPECT_EQ(store.native(handle), data);
    ASSERT_EQ(sqc_statistics_reset(store.get(), SQC_STATISTICS_GLOBAL, 0), SQ_STATUS_SUCCESS);
    EXPECT_TRUE(store.memory().copy() == before) << "but for counters, which were reset";
}

TEST(Region, SanitizeLeavesNoByteOfAnyRegion)
{
    Store store(1u << 20);
    const Bytes secret(5000, 0xc7);
    const auto handle = store.make("secret name", 1, 5000, SQ_DTYPE_U8, SQ_PLACEMENT_BYTES);
    ASSERT_EQ(store.write(handle, secret), SQ_STATUS_SUCCESS);
    ASSERT_EQ(sqc_flush(store.get(), 0), SQ_STATUS_SUCCESS);
    ASSERT_EQ(store.write(handle, secret), SQ_STATUS_SUCCESS) << "leaves a freed copy behind";
    ASSERT_EQ(sqc_flush(store.get(), 0), SQ_STATUS_SUCCESS);
    ASSERT_EQ(sqc_sanitize(store.get()), SQ_STATUS_SUCCESS);
    const auto image = store.memory().copy();
    const std::string text(image.begin(), image.end());
    EXPECT_EQ(text.find("secret name"), std::string::npos);
    EXPECT_EQ(text.find(std::string(8, '\xc7')), std::string::npos);
    EXPECT_EQ(store.info().regions, 0u);
    EXPECT_EQ(store.info().used_bytes, 0u);
    store.reopen();
    EXPECT_EQ(store.info().regions, 0u);
    EXPECT_EQ(store.write(store.make("w", 1, 5000, SQ_DTYPE_U8, SQ_PLACEMENT_BYTES), secret), SQ_STATUS_SUCCESS);
}

TEST(Region, NothingIsLeakedWhenAnyAllocationFails)
{
    const auto data = weights(SQ_DTYPE_BF16, 4 * 40000, 8);
    for (long failing = 0;; ++failing) {
        Environment environment;
        environment.failing_allocation = failing;
        const auto env = environment.get();
        Memory memory(4u << 20);
        ASSERT_EQ(sqc_format(memory.get(), memory.bytes(), &env), SQ_STATUS_SUCCESS);
        sqc_store* store = nullptr;
        const char* reason;
        auto status = sqc_open(&store, memory.get(), memory.bytes(), &env, 0, 0, &reason);
        std::uint32_t handle = 0;
        const sqc_region_spec spec = {"w", 1, SQ_DTYPE_BF16, SQ_PLACEMENT_ALIGNED, 4, 40000};
        if (status == SQ_STATUS_SUCCESS)
            status = sqc_region_create(store, &spec, &handle);
        if (status == SQ_STATUS_SUCCESS) {
            const sqc_write_request request = {handle, SQ_ENCODING_DTYPE, 0, 0, 4};
            sqc_result result;
            status = sqc_write(store, &request, data.data(), data.size(), &result);
            StoreInfo info;
            sqc_store_describe(store, &info);
            if (status != SQ_STATUS_SUCCESS) {
                EXPECT_EQ(info.used_bytes, 0u) << "allocation " << failing;
            }
        }
        if (status == SQ_STATUS_SUCCESS)
            status = sqc_flush(store, 0);
        sqc_close(store);
        EXPECT_EQ(environment.live_allocations, 0) << "allocation " << failing;
        if (environment.allocations <= failing) {
            EXPECT_EQ(status, SQ_STATUS_SUCCESS);
            EXPECT_GT(failing, 5);
            break;
        }
        EXPECT_EQ(status, SQ_STATUS_RESOURCES_EXHAUSTED) << "allocation " << failing;
    }
}

}  // namespace
