// SPDX-License-Identifier: MIT
//
// Views: windows, and loads that are decoded one by one
#include "store.hpp"

namespace {

using namespace controller;

class Views : public ::testing::Test {
protected:
    std::uint32_t filled(std::string_view name, std::uint32_t rows, std::uint32_t cols, std::uint8_t dtype = SQ_DTYPE_BF16,
                         std::uint8_t placement = SQ_PLACEMENT_ALIGNED)
    {
        const auto handle = store.make(name, rows, cols, dtype, placement);
        EXPECT_EQ(store.write(handle, weights(dtype, std::uint64_t{rows} * cols, rows + cols)), SQ_STATUS_SUCCESS);
        return handle;
    }
    sqc_status map(const sqc_read_request& request, ViewInfo* info) { return sqc_view_map(store.get(), &request, info); }
    sqc_status load(std::uint64_t dpa, unsigned bytes, std::uint64_t* value)
    {
        return sqc_view_load(store.get(), dpa, bytes, value, scratch.get());
    }

    Store store{16u << 20};
    Scratch scratch{SQC_VIEW_LOAD_SCRATCH_BYTES};
};

TEST_F(Views, LoadsGiveTheBytesOfTheReadInEveryFormat)
{
    const std::uint32_t regions[] = {filled("bf16", 37, 70), filled("fp32", 5, 100, SQ_DTYPE_FP32), filled("fp16", 3, 33, SQ_DTYPE_FP16),
                                     filled("word", 3, 40, SQ_DTYPE_BF16, SQ_PLACEMENT_WORD),
                                     filled("tuned", 5, 70, SQ_DTYPE_BF16, SQ_PLACEMENT_TUNED), filled("int8", 2, 40, SQ_DTYPE_INT8, SQ_PLACEMENT_WORD),
                                     filled("blob", 2, 9000, SQ_DTYPE_U8, SQ_PLACEMENT_BYTES)};
    std::mt19937 random(1);
    for (const auto handle : regions) {
        for (unsigned i = 0; const auto format = sqc_format_at(i); ++i) {
            for (const std::uint8_t axis : {SQ_AXIS_ROW, SQ_AXIS_COL}) {
                const std::uint32_t rows = store.info(handle).rows;
                const sqc_read_request request = {handle, format, SQ_ROUNDING_DEFAULT, axis, rows / 3, rows - rows / 3};
                const auto read = store.read(request);
                if (read.status != SQ_STATUS_SUCCESS)
                    continue;
                ViewInfo view;
                ASSERT_EQ(map(request, &view), SQ_STATUS_SUCCESS);
                ASSERT_EQ(view.layout.bytes, read.bytes.size());
                Bytes padded = read.bytes;
                padded.resize(view.window_bytes, 0);
                for (int n = 0; n < 60; ++n) {
                    const unsigned bytes = 1 + random() % 8;
                    // Half of the loads at the seams of sections and the end.
                    const std::uint64_t seams[] = {0, view.layout.micro_offset, view.layout.scale_offset, view.layout.bytes, view.window_bytes - bytes};
                    const std::uint64_t near = std::max<std::uint64_t>(seams[random() % 5], 4) - random() % 5;
                    const std::uint64_t offset = std::min<std::uint64_t>(n % 2 ? near : random() % view.layout.bytes, view.window_bytes - bytes);
                    std::uint64_t expected = 0, value = ~0ull;
                    std::memcpy(&expected, &padded[offset], bytes);
                    ASSERT_EQ(load(view.dpa + offset, bytes, &value), SQ_STATUS_SUCCESS);
                    ASSERT_EQ(value, expected) << "format " << std::hex << format << " axis " << +axis << " offset " << offset << " of " << view.layout.bytes;
                }
                ASSERT_EQ(sqc_view_unmap(store.get(), view.view), SQ_STATUS_SUCCESS);
            }
        }
    }
}

TEST_F(Views, ALoadReadsOnlyTheLinesThatItNeeds)
{
    const auto handle = filled("w", 4, 512);
    ViewInfo view;
    ASSERT_EQ(map({handle, SQ_FORMAT_MXINT(4), SQ_ROUNDING_TRUNCATE, SQ_AXIS_ROW, 0, 4}, &view), SQ_STATUS_SUCCESS);
    std::uint64_t value;
    ASSERT_EQ(load(view.dpa + 256, 8, &value), SQ_STATUS_SUCCESS);
    const auto one = store.statistics();
    EXPECT_EQ(one.view_loads, 1u);
    EXPECT_EQ(one.requests, 0u);
    EXPECT_EQ(one.plane_lines, 4u + 1) << "one line a plane, and one of exponents";
    EXPECT_EQ(one.check_lines, 4u * 3);
    EXPECT_EQ(one.link_bytes, 8u);
    EXPECT_GT(one.dram_time_ns, 0u);
    EXPECT_EQ(store.statistics(SQC_STATISTICS_FORMAT, SQ_FORMAT_MXINT(4)).view_loads, 1u);
    ASSERT_EQ(sqc_view_unmap(store.get(), view.view), SQ_STATUS_SUCCESS);
    ASSERT_EQ(map({handle, SQ_FORMAT_PLANES(5), 0, SQ_AXIS_ROW, 0, 4}, &view), SQ_STATUS_SUCCESS);
    ASSERT_EQ(load(view.dpa + 256 * 3, 1, &value), SQ_STATUS_SUCCESS);
    EXPECT_EQ(store.statistics().plane_lines - one.plane_lines, 1u) << "a byte of raw planes is in one line";
}

TEST_F(Views, LoadsOutsideOfWindowsAreCountedAsPoison)
{
    const auto handle = filled("w", 1, 32);
    ViewInfo view;
    ASSERT_EQ(map({handle, SQ_FORMAT_NATIVE, 0, 0, 0, 1}, &view), SQ_STATUS_SUCCESS);
    EXPECT_EQ(view.dpa, 0u);
    EXPECT_EQ(view.window_bytes, 4096u);
    std::uint64_t value = 0;
    EXPECT_EQ(load(4096, 1, &value), SQ_STATUS_INVALID_ADDRESS);
    EXPECT_EQ(load(4090, 8, &value), SQ_STATUS_INVALID_ADDRESS) << "its end is outside";
    EXPECT_EQ(load(UINT64_MAX, 8, &value), SQ_STATUS_INVALID_ADDRESS);
    EXPECT_EQ(load(0, 0, &value), SQ_STATUS_INVALID_INPUT);
    EXPECT_EQ(load(0, 9, &value), SQ_STATUS_INVALID_INPUT);
    sqc_count_poison(store.get());
    EXPECT_EQ(store.statistics().poison_loads, 4u);
    ViewInfo next;
    ASSERT_EQ(map({handle, SQ_FORMAT_NATIVE, 0, 0, 0, 1}, &next), SQ_STATUS_SUCCESS);
    EXPECT_EQ(next.dpa, 4096u);
    ASSERT_EQ(load(4092, 8, &value), SQ_STATUS_SUCCESS) << "one window follows the other";
    std::uint32_t begin;
    std::memcpy(&begin, store.native(handle).data(), 4);
    EXPECT_EQ(value, std::uint64_t{begin} << 32);
}

TEST_F(Views, HoldTheirRegionAndSeeItsWrites)
{
    const auto handle = filled("w", 2, 32);
    ViewInfo view;
    ASSERT_EQ(map({handle, SQ_FORMAT_TAG, 0, 0, 1, 1}, &view), SQ_STATUS_SUCCESS);
    EXPECT_EQ(view.request.format, SQ_FORMAT_NATIVE);
    EXPECT_EQ(view.request.rounding, SQ_ROUNDING_EVEN);
    EXPECT_EQ(store.info(handle).views, 1u);
    EXPECT_EQ(store.info().views, 1u);
    EXPECT_EQ(sqc_region_delete(store.get(), handle), SQ_STATUS_IN_USE);
    EXPECT_EQ(sqc_sanitize(store.get()), SQ_STATUS_IN_USE);
    const auto data = weights(SQ_DTYPE_BF16, 32, 77);
    ASSERT_EQ(store.write(handle, data, 1, 1), SQ_STATUS_SUCCESS);
    std::uint64_t value, expected;
    ASSERT_EQ(load(view.dpa + 8, 8, &value), SQ_STATUS_SUCCESS);
    std::memcpy(&expected, &data[8], 8);
    EXPECT_EQ(value, expected);
    ASSERT_EQ(sqc_view_unmap(store.get(), view.view), SQ_STATUS_SUCCESS);
    EXPECT_EQ(sqc_view_unmap(store.get(), view.view), SQ_STATUS_INVALID_HANDLE);
    ViewInfo again;
    EXPECT_EQ(sqc_view_describe(store.get(), view.view, &again), SQ_STATUS_INVALID_HANDLE);
    EXPECT_EQ(load(view.dpa, 8, &value), SQ_STATUS_INVALID_ADDRESS);
    EXPECT_EQ(sqc_region_delete(store.get(), handle), SQ_STATUS_SUCCESS);
}

TEST_F(Views, WindowsAreReusedAndNeverOverlap)
{
    const auto handle = filled("w", 64, 1024);
    std::mt19937 random(3);
    std::vector<ViewInfo> views;
    std::uint32_t last_id = 0;
    for (int round = 0; round < 2000; ++round) {
        if (!views.empty() && random() % 3 == 0) {
            const auto at = random() % views.size();
            ASSERT_EQ(sqc_view_unmap(store.get(), views[at].view), SQ_STATUS_SUCCESS);
            views.erase(views.begin() + static_cast<std::ptrdiff_t>(at));
            continue;
        }
        ViewInfo view;
        const auto status = map({handle, SQ_FORMAT_FP32, 0, 0, 0, static_cast<std::uint32_t>(1 + random() % 64)}, &view);
        if (views.size() == SQC_VIEWS_MAX) {
            ASSERT_EQ(status, SQ_STATUS_RESOURCES_EXHAUSTED);
            continue;
        }
        ASSERT_EQ(status, SQ_STATUS_SUCCESS);
        EXPECT_NE(view.view, last_id);
        last_id = view.view;
        EXPECT_EQ(view.dpa % SQC_VIEW_ALIGN, 0u);
        EXPECT_LE(view.dpa + view.window_bytes, 1u << 28);
        for (const auto& other : views)
            ASSERT_TRUE(view.dpa + view.window_bytes <= other.dpa || other.dpa + other.window_bytes <= view.dpa);
        views.push_back(view);
    }
    std::size_t listed = 0;
    for (std::uint32_t next = 0;; ++listed) {
        sqc_view_next(store.get(), next, &next);
        if (!next)
            break;
    }
    EXPECT_EQ(listed, views.size());
}

TEST(ViewSpace, RunsOut)
{
    Store store(4u << 20, 8192);
    const auto handle = store.make("w", 3, 1024);
    const sqc_read_request two_pages = {handle, SQ_FORMAT_NATIVE, 0, 0, 0, 3};
    ViewInfo view;
    ASSERT_EQ(sqc_view_map(store.get(), &two_pages, &view), SQ_STATUS_SUCCESS);
    EXPECT_EQ(view.window_bytes, 8192u);
    EXPECT_EQ(sqc_view_map(store.get(), &two_pages, &view), SQ_STATUS_RESOURCES_EXHAUSTED);
    Store none(4u << 20, 0);
    const sqc_read_request request = {none.make("w", 1, 1), SQ_FORMAT_NATIVE, 0, 0, 0, 1};
    EXPECT_EQ(sqc_view_map(none.get(), &request, &view), SQ_STATUS_RESOURCES_EXHAUSTED);
}

TEST_F(Views, LoadsFindDamage)
{
    const auto handle = filled("w", 1, 512);
    ViewInfo view;
    ASSERT_EQ(map({handle, SQ_FORMAT_MXINT(2), SQ_ROUNDING_TRUNCATE, 0, 0, 1}, &view), SQ_STATUS_SUCCESS);
    auto* memory = store.memory().get();
    std::size_t at = 0;
    do
        memory[at += 64] ^= 1;
    while (store.verify(handle).empty() && (memory[at] ^= 1, true));
    std::uint64_t value;
    EXPECT_EQ(store.verify(handle)[0].run, 0u) << "the sign plane comes first";
    EXPECT_EQ(load(view.dpa, 1, &value), SQ_STATUS_MEDIA_FAILURE);
    EXPECT_EQ(store.statistics().media_errors, 1u);
}

}  // namespace
