// SPDX-License-Identifier: MIT
//
// Reads that go around the caches: what they deliver, count and refuse is what others do
#include "kernels.hpp"
#include "store.hpp"
#include "stream.h"
#include "stream/read_streamed.h"

namespace controller {
namespace {

class Stream : public EveryKernel<SQC_KERNEL_PLANES> {};

TEST_P(Stream, CopiesWhateverTheAlignment)
{
    std::mt19937 random(5);
    Bytes from(3000);
    for (auto& byte : from)
        byte = static_cast<std::uint8_t>(random());
    for (unsigned i = 0; i < 4000; ++i) {
        const std::size_t at = random() % 130, in = random() % 130, bytes = random() % 2600;
        Bytes to(2800, 0xa5), same(2800, 0xa5);
        std::size_t taken = 0;
        const sqc_turns turns{[](void* context, std::size_t more) {
                                  EXPECT_GT(more, 0u);
                                  *static_cast<std::size_t*>(context) += more;
                              },
                              &taken};
        std::memcpy(&same[at], &from[in], bytes);
        sqc_stream(&to[at], &from[in], bytes, i % 2 ? &turns : nullptr);
        sqc_stream_end();
        ASSERT_EQ(to, same) << at << ' ' << in << ' ' << bytes;
        // All of it where there are whole lines.
        ASSERT_TRUE(taken == 0 || taken == bytes) << bytes;
        ASSERT_TRUE(i % 2 == 0 || bytes < 127 || taken == bytes) << bytes;
    }
}

// A region with a gap of two segments, and one that is cut short.
struct Region {
    Region(std::uint8_t dtype, std::uint8_t placement, std::uint32_t cols) : segment_rows(SQC_SEGMENT_ELEMENTS / ((cols + 31) / 32 * 32))
    {
        const std::uint64_t row_bytes = std::uint64_t{cols} * sqc_dtype_bytes(dtype);
        const std::uint32_t gap = 2 * segment_rows, rest = 4 * segment_rows;

        rows = 6 * segment_rows + segment_rows / 3;
        handle = store.make("r", rows, cols, dtype, placement);
        const auto data = weights(dtype, std::uint64_t{rows} * cols, 7);
        EXPECT_EQ(store.write(handle, Bytes(data.begin(), data.begin() + gap * row_bytes), 0, gap), SQ_STATUS_SUCCESS);
        EXPECT_EQ(store.write(handle, Bytes(data.begin() + rest * row_bytes, data.end()), rest, rows - rest), SQ_STATUS_SUCCESS);
    }
    sqc_read_request request(std::uint16_t format, std::uint8_t rounding, std::uint32_t first, std::uint32_t count) const
    {
        return {handle, format, rounding, SQ_AXIS_ROW, first, count};
    }

    Store store{8u << 20};
    std::uint32_t segment_rows, rows = 0, handle = 0;
};

// `offset` bytes behind a line; what is around stays.
Read streamed(const Store& store, const sqc_read_request& request, std::size_t offset, bool* streams)
{
    Read read;
    read.status = sqc_read_layout(store.get(), &request, &read.layout);
    if (read.status != SQ_STATUS_SUCCESS)
        return read;
    const Memory scratch(sqc_read_scratch_bytes(&read.layout)), out(offset + read.layout.bytes + 64);
    std::memset(out.get(), 0xa5, out.bytes());
    read.status = read_streamed(store.get(), &request, out.get() + offset, scratch.get(), &read.result, streams);
    const std::uint8_t* begin = out.get() + offset;
    EXPECT_TRUE(std::all_of(out.get(), out.get() + offset, [](std::uint8_t byte) { return byte == 0xa5; }));
    EXPECT_TRUE(std::all_of(begin + read.layout.bytes, begin + read.layout.bytes + 64, [](std::uint8_t byte) { return byte == 0xa5; }));
    read.bytes.assign(begin, begin + read.layout.bytes);
    return read;
}

TEST_P(Stream, DeliversAndCountsWhatOtherReadsDo)
{
    unsigned formats = 0;
    for (const auto& [dtype, placement, cols] :
         {std::tuple{SQ_DTYPE_BF16, SQ_PLACEMENT_ALIGNED, 4096u}, {SQ_DTYPE_BF16, SQ_PLACEMENT_WORD, 4096u}, {SQ_DTYPE_FP16, SQ_PLACEMENT_ALIGNED, 96u},
          {SQ_DTYPE_FP32, SQ_PLACEMENT_ALIGNED, 2080u}, {SQ_DTYPE_BF16, SQ_PLACEMENT_ALIGNED, 1000u}, {SQ_DTYPE_U8, SQ_PLACEMENT_BYTES, 4096u}, {SQ_DTYPE_INT8, SQ_PLACEMENT_WORD, 2048u}}) {
        const Region region(static_cast<std::uint8_t>(dtype), static_cast<std::uint8_t>(placement), cols);
        for (unsigned i = 0; sqc_format_at(i) != SQ_FORMAT_TAG; ++i) {
            for (const std::uint8_t rounding : {SQ_ROUNDING_DEFAULT, SQ_ROUNDING_EVEN}) {
                for (const std::uint32_t first : {0u, region.segment_rows + 5}) {
                    const auto request = region.request(sqc_format_at(i), rounding, first, region.rows - first - (first ? 3 : 0));
                    const std::size_t offset = first ? 7 + i : i % 4 * 16;
                    const auto plain = region.store.read(request);
                    bool streams = false;
                    const auto around = streamed(region.store, request, offset, &streams);
                    ASSERT_EQ(around.status, plain.status);
                    if (!streams)
                        break;
                    formats++;
                    char name[32];
                    const auto where = [&] { return std::string(sqc_format_name(request.format, name, sizeof(name))) + " of " + std::to_string(cols) + " columns, rounding " + std::to_string(rounding) + ", from row " + std::to_string(first) + ", byte " +
                                                       std::to_string(std::mismatch(around.bytes.begin(), around.bytes.end(), plain.bytes.begin()).first - around.bytes.begin()); };
                    ASSERT_TRUE(around.bytes == plain.bytes) << where();
                    EXPECT_EQ(around.result.plane_lines, plain.result.plane_lines) << where();
                    EXPECT_EQ(around.result.check_lines, plain.result.check_lines) << where();
                    EXPECT_EQ(around.result.dram_time_ns, plain.result.dram_time_ns) << where();
                    EXPECT_EQ(around.result.dram_energy_pj, plain.result.dram_energy_pj) << where();
                }
            }
        }
    }
    EXPECT_GT(formats, 100u);
}

// Whether rows of what was delivered are those of `whole` before a row, and not touched from it on.
testing::AssertionResult delivered_until(const Read& read, const Read& whole, unsigned planes, std::uint64_t row)
{
    const Layout& of = whole.layout;
    const auto section = [&](std::uint64_t begin, std::uint64_t row_bytes) {
        const auto cut = static_cast<std::ptrdiff_t>(begin + row * row_bytes), from = static_cast<std::ptrdiff_t>(begin);
        const auto end = static_cast<std::ptrdiff_t>(begin + of.rows * row_bytes);
        return std::equal(read.bytes.begin() + from, read.bytes.begin() + cut, whole.bytes.begin() + from) &&
               std::all_of(read.bytes.begin() + cut, read.bytes.begin() + end, [](std::uint8_t byte) { return byte == 0xa5; });
    };
    for (unsigned plane = 0; plane < planes; ++plane) {
        if (!section(plane * of.rows * of.code_row_bytes, of.code_row_bytes))
            return testing::AssertionFailure() << "codes or plane " << plane;
    }
    if (!section(of.scale_offset, of.scale_row_bytes))
        return testing::AssertionFailure() << "scales";
    return testing::AssertionSuccess();
}

TEST_P(Stream, DeliversNothingOfADamagedSegment)
{
    const Region region(SQ_DTYPE_BF16, SQ_PLACEMENT_ALIGNED, 4096);
    for (const auto& [format, planes] : {std::pair{SQ_FORMAT_NATIVE, 1u}, {SQ_FORMAT_MXINT(2), 1u}, {SQ_FORMAT_MXINT(7), 1u}, {SQ_FORMAT_PLANES(1), 1u}, {SQ_FORMAT_PLANES(6), 6u}}) {
        const auto request = region.request(static_cast<std::uint16_t>(format), SQ_ROUNDING_DEFAULT, 0, region.rows);
        const auto whole = region.store.read(request);
        const Memory scratch(sqc_read_scratch_bytes(&whole.layout)), out(whole.layout.bytes);
        std::vector<sqc_dram_run> runs(7 * SQC_RUNS_MAX);
        std::uint64_t count = 0;
        Result result;
        ASSERT_EQ(sqc_read_traced(region.store.get(), &request, out.get(), whole.layout.bytes, scratch.get(), runs.data(), runs.size(), &count, &result),
                  SQ_STATUS_SUCCESS);
        std::uint64_t last = 0;
        for (std::uint64_t i = 0; i < count; ++i) {
            std::uint8_t& byte = region.store.memory().get()[runs[i].address + (i % 3 == 0 ? 0 : i % 3 == 1 ? runs[i].lines * 64 - 1 : runs[i].lines * 32)];
            bool streams = false;
            byte ^= 0x20;
            const auto plain = region.store.read(request);
            const auto around = streamed(region.store, request, i % 2 * 16, &streams);
            byte ^= 0x20;
            ASSERT_TRUE(streams);
            ASSERT_EQ(around.status, SQ_STATUS_MEDIA_FAILURE) << i;
            ASSERT_EQ(around.result.error_row, plain.result.error_row) << i;
            ASSERT_EQ(around.result.error_row % region.segment_rows, 0u);
            ASSERT_GE(around.result.error_row, last) << "a run is of an earlier segment than the one before";
            last = around.result.error_row;
            ASSERT_TRUE(delivered_until(around, whole, planes, last)) << "run " << i << " of format " << format;
        }
        EXPECT_EQ(last, 6 * region.segment_rows);
    }
}

INSTANTIATE_TEST_SUITE_P(Kernels, Stream, testing::Values(SQC_LEVEL_PORTABLE, SQC_LEVEL_AVX2, SQC_LEVEL_AVX512), kernel_name);

}  // namespace
}  // namespace controller
