// SPDX-License-Identifier: MIT
//
// Reading in parts: however the segments are dealt out and in whatever order
// the parts are read, the join is the one read that it stands for
#include "store.hpp"

#include <algorithm>
#include <numeric>
#include <tuple>

namespace {

using namespace controller;

auto fields(const Result& result)
{
    return std::tie(result.format, result.rounding, result.bytes, result.elements, result.plane_lines, result.check_lines,
                    result.baseline_lines, result.dram_time_ns, result.dram_energy_pj, result.link_time_ns, result.error_row);
}

auto fields(const Statistics& s)
{
    return std::tie(s.requests, s.elements, s.link_bytes, s.plane_lines, s.check_lines, s.baseline_lines, s.errors, s.media_errors,
                    s.dram_time_ns, s.dram_energy_pj, s.link_time_ns);
}

class Parts {
public:
    // Parts of so many segments each; what is left is the last one's.
    Parts(const Store& store, const sqc_read_request& request, const std::vector<std::uint64_t>& sizes)
        : store_(store), request_(request)
    {
        status = sqc_read_layout(store.get(), &request, &layout);
        std::uint64_t segments = 0;
        EXPECT_EQ(sqc_read_segments(store.get(), &request, &segments), status);
        std::uint64_t first = 0;
        for (std::size_t i = 0; first < segments; ++i) {
            const auto size = i < sizes.size() ? std::min(sizes[i], segments - first) : segments - first;
            runs_.emplace_back(size * SQC_RUNS_MAX);
            parts.push_back({first, size, runs_.back().data(), runs_.back().size(), 0, SQ_STATUS_BUSY, {}});
            first += size;
        }
        bytes.assign(layout.bytes + 1, 0xa5);
    }
    sqc_status read(std::size_t part)
    {
        const Scratch scratch(sqc_read_scratch_bytes(&layout));
        return sqc_read_part(store_.get(), &request_, bytes.data(), layout.bytes, scratch.get(), &parts[part]);
    }
    void read_all(std::uint64_t seed)
    {
        std::vector<std::size_t> order(parts.size());
        std::iota(order.begin(), order.end(), 0u);
        std::shuffle(order.begin(), order.end(), std::mt19937_64(seed));
        for (const auto part : order)
            read(part);
    }
    sqc_status join()
    {
        EXPECT_EQ(bytes.back(), 0xa5) << "wrote behind the end";
        return sqc_read_join(store_.get(), &request_, parts.data(), static_cast<std::uint32_t>(parts.size()), &result);
    }

    sqc_status status;
    Layout layout = {};
    std::vector<sqc_part> parts;
    Bytes bytes;
    Result result = {};

private:
    const Store& store_;
    sqc_read_request request_;
    std::vector<std::vector<sqc_dram_run>> runs_;
};

// What reading leaves in the counters.
template <typename F> Statistics counted(Store& store, const F& read)
{
    EXPECT_EQ(sqc_statistics_reset(store.get(), SQC_STATISTICS_GLOBAL, 0), SQ_STATUS_SUCCESS);
    read();
    return store.statistics();
}

void expect_same(Store& store, const sqc_read_request& request, const std::vector<std::uint64_t>& sizes, std::uint64_t seed)
{
    Read whole;
    const auto whole_counted = counted(store, [&] { whole = store.read(request); });
    Parts parts(store, request, sizes);
    const auto parts_counted = counted(store, [&] {
        parts.read_all(seed);
        ASSERT_EQ(parts.join(), SQ_STATUS_SUCCESS);
    });
    parts.bytes.pop_back();
    EXPECT_EQ(parts.bytes, whole.bytes);
    EXPECT_EQ(fields(parts.result), fields(whole.result));
    EXPECT_EQ(fields(parts_counted), fields(whole_counted));
}

TEST(ReadParts, OfAnyDealAreTheWholeRead)
{
    struct Case {
        std::uint8_t dtype, placement;
    };
    std::mt19937_64 random(7);
    for (const auto& [dtype, placement] :
         {Case{SQ_DTYPE_BF16, SQ_PLACEMENT_ALIGNED}, Case{SQ_DTYPE_FP32, SQ_PLACEMENT_ALIGNED}, Case{SQ_DTYPE_BF16, SQ_PLACEMENT_WORD},
          Case{SQ_DTYPE_BF16, SQ_PLACEMENT_TUNED}, Case{SQ_DTYPE_INT8, SQ_PLACEMENT_WORD}}) {
        Store store(16u << 20);
        const std::uint32_t rows = 150, cols = 3333;  // 8 segments, rows straddle their borders
        const auto handle = store.make("w", rows, cols, dtype, placement);
        ASSERT_EQ(store.write(handle, weights(dtype, rows * cols, 5)), SQ_STATUS_SUCCESS);
        for (unsigned i = 0; const auto format = sqc_format_at(i); ++i) {
            for (const std::uint8_t rounding : {SQ_ROUNDING_DEFAULT, SQ_ROUNDING_EVEN}) {
                const auto first = static_cast<std::uint32_t>(random() % 30);
                const sqc_read_request request = {handle, format, rounding, SQ_AXIS_ROW, first, rows - first - static_cast<std::uint32_t>(random() % 30)};
                Layout layout;
                std::uint64_t segments = 0;
                if (sqc_read_layout(store.get(), &request, &layout) != SQ_STATUS_SUCCESS)
                    continue;
                ASSERT_EQ(sqc_read_segments(store.get(), &request, &segments), SQ_STATUS_SUCCESS);
                if (!segments)
                    continue;
                SCOPED_TRACE(testing::Message() << "format " << format << " rounding " << int{rounding} << " dtype " << int{dtype});
                expect_same(store, request, {1 + random() % 3, 1 + random() % 3}, random());
            }
        }
    }
}

TEST(ReadParts, OfSegmentsThatWereNeverWrittenAreZeros)
{
    Store store(16u << 20);
    const auto handle = store.make("w", 400, 1024);
    ASSERT_EQ(store.write(handle, weights(SQ_DTYPE_BF16, 100 * 1024, 1), 150, 100), SQ_STATUS_SUCCESS);
    expect_same(store, {handle, SQ_FORMAT_MXINT(4), SQ_ROUNDING_EVEN, SQ_AXIS_ROW, 0, 400}, {1, 1, 1}, 1);
}

TEST(ReadParts, OneIsEnough)
{
    Store store;
    const auto handle = store.make("w", 3, 100);
    ASSERT_EQ(store.write(handle, weights(SQ_DTYPE_BF16, 300, 1)), SQ_STATUS_SUCCESS);
    expect_same(store, {handle, SQ_FORMAT_NATIVE, SQ_ROUNDING_DEFAULT, SQ_AXIS_ROW, 0, 3}, {}, 1);
}

class DamagedParts : public testing::Test {
protected:
    DamagedParts() : store(16u << 20), handle(store.make("w", 512, 1024))
    {
        EXPECT_EQ(store.write(handle, weights(SQ_DTYPE_BF16, 512 * 1024, 1)), SQ_STATUS_SUCCESS);
    }
    // Breaks the first plane of a segment; the first of them in memory is found
    // by its contents, as no interface tells where planes are.
    void damage(std::uint64_t segment)
    {
        const sqc_read_request request = {handle, SQ_FORMAT_PLANES(1), SQ_ROUNDING_DEFAULT, SQ_AXIS_ROW, 0, 512};
        Parts parts(store, request, {1, 1, 1, 1, 1, 1, 1});
        parts.read_all(1);
        store.memory().get()[parts.parts[segment].runs[0].address] ^= 1;
    }

    Store store;
    std::uint32_t handle;
};

TEST_F(DamagedParts, FailWithTheFirstDamagedRowWhicheverIsReadFirst)
{
    damage(3);
    damage(6);
    const sqc_read_request request = {handle, SQ_FORMAT_MXINT(4), SQ_ROUNDING_TRUNCATE, SQ_AXIS_ROW, 0, 512};
    Read whole;
    const auto whole_counted = counted(store, [&] { whole = store.read(request); });
    ASSERT_EQ(whole.status, SQ_STATUS_MEDIA_FAILURE);
    EXPECT_EQ(whole.result.error_row, 3u * 64);
    for (std::uint64_t seed = 0; seed < 5; ++seed) {
        Parts parts(store, request, {2, 1, 2, 1});
        const auto parts_counted = counted(store, [&] {
            parts.read_all(seed);
            EXPECT_EQ(parts.join(), SQ_STATUS_MEDIA_FAILURE);
        });
        EXPECT_EQ(fields(parts.result), fields(whole.result));
        EXPECT_EQ(fields(parts_counted), fields(whole_counted));
    }
}

TEST_F(DamagedParts, NeedNotBeReadBehindTheFirstThatFailed)
{
    damage(3);
    Parts parts(store, {handle, SQ_FORMAT_NATIVE, SQ_ROUNDING_DEFAULT, SQ_AXIS_ROW, 0, 512}, {2, 2, 2});
    EXPECT_EQ(parts.read(0), SQ_STATUS_SUCCESS);
    EXPECT_EQ(parts.read(1), SQ_STATUS_MEDIA_FAILURE);
    EXPECT_EQ(parts.join(), SQ_STATUS_MEDIA_FAILURE);
    EXPECT_EQ(parts.result.error_row, 3u * 64);
}

class RefusedParts : public DamagedParts {
protected:
    Parts two(std::uint16_t format = SQ_FORMAT_NATIVE) { return Parts(store, {handle, format, SQ_ROUNDING_DEFAULT, SQ_AXIS_ROW, 0, 512}, {4}); }
};

TEST_F(RefusedParts, ThatDoNotCoverTheRead)
{
    auto missing = two();
    missing.read_all(1);
    missing.parts.pop_back();
    EXPECT_EQ(missing.join(), SQ_STATUS_INVALID_INPUT);
    auto twice = two();
    twice.read_all(1);
    twice.parts[1].first_segment = 0;
    EXPECT_EQ(twice.join(), SQ_STATUS_INVALID_INPUT);
    auto none = two();
    none.parts.clear();
    EXPECT_EQ(none.join(), SQ_STATUS_INVALID_INPUT);
    auto unread = two();
    unread.read(0);
    EXPECT_EQ(unread.join(), SQ_STATUS_BUSY) << "the status that the part still has";
}

TEST_F(RefusedParts, OutsideTheRequest)
{
    for (const auto& [first, segments] : {std::pair<std::uint64_t, std::uint64_t>{0, 0}, {0, 9}, {8, 1}, {UINT64_MAX, 1}, {1, UINT64_MAX}}) {
        auto parts = two();
        parts.parts[0].first_segment = first;
        parts.parts[0].segments = segments;
        parts.parts[0].runs_max = UINT64_MAX;
        EXPECT_EQ(parts.read(0), SQ_STATUS_INVALID_INPUT) << first << " " << segments;
        EXPECT_EQ(parts.parts[0].run_count, 0u);
    }
}

TEST_F(RefusedParts, WithoutRoomForTheirRuns)
{
    auto parts = two();
    --parts.parts[0].runs_max;
    EXPECT_EQ(parts.read(0), SQ_STATUS_INVALID_INPUT);
}

TEST_F(RefusedParts, OfAnotherLength)
{
    auto parts = two();
    const Scratch scratch(sqc_read_scratch_bytes(&parts.layout));
    const sqc_read_request request = {handle, SQ_FORMAT_NATIVE, SQ_ROUNDING_DEFAULT, SQ_AXIS_ROW, 0, 512};
    EXPECT_EQ(sqc_read_part(store.get(), &request, parts.bytes.data(), parts.layout.bytes - 1, scratch.get(), &parts.parts[0]), SQ_STATUS_LENGTH);
}

TEST_F(RefusedParts, OfReadsThatHaveNone)
{
    const sqc_read_request columns = {handle, SQ_FORMAT_MXINT(4), SQ_ROUNDING_DEFAULT, SQ_AXIS_COL, 0, 512};
    std::uint64_t segments = 1;
    EXPECT_EQ(sqc_read_segments(store.get(), &columns, &segments), SQ_STATUS_SUCCESS);
    EXPECT_EQ(segments, 0u);
    auto parts = two(SQ_FORMAT_MXINT(4));
    const Scratch scratch(sqc_read_scratch_bytes(&parts.layout));
    EXPECT_EQ(sqc_read_part(store.get(), &columns, parts.bytes.data(), parts.layout.bytes, scratch.get(), &parts.parts[0]), SQ_STATUS_INVALID_INPUT);
    const sqc_read_request stale = {handle + 0x10000, SQ_FORMAT_NATIVE, SQ_ROUNDING_DEFAULT, SQ_AXIS_ROW, 0, 1};
    EXPECT_EQ(sqc_read_segments(store.get(), &stale, &segments), SQ_STATUS_INVALID_HANDLE);
    EXPECT_EQ(sqc_read_join(store.get(), &stale, parts.parts.data(), 1, &parts.result), SQ_STATUS_INVALID_HANDLE);
}

}  // namespace
