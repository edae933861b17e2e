// SPDX-License-Identifier: MIT
//
// Reading: which lines a read touches, that parts are parts of the whole, and
// that damage is found by exactly the reads that touch it
#include "store.hpp"

namespace {

using namespace controller;

// A region of whole lines without escapes: a constant in every group.
Bytes constant(std::uint8_t dtype, std::uint64_t count)
{
    Bytes data(count * sqc_dtype_bytes(dtype));
    const std::uint32_t word = dtype == SQ_DTYPE_FP32 ? 0x3fc00000u : dtype == SQ_DTYPE_FP16 ? 0x3e00u : 0x3fc0u;
    for (std::uint64_t i = 0; i < count; ++i)
        std::memcpy(&data[i * sqc_dtype_bytes(dtype)], &word, sqc_dtype_bytes(dtype));
    return data;
}

TEST(Read, OfAllTouchesExactlyTheLinesOfItsPlanes)
{
    for (const std::uint8_t dtype : {SQ_DTYPE_BF16, SQ_DTYPE_FP16, SQ_DTYPE_FP32}) {
        Store store(16u << 20);
        const std::uint32_t rows = 300, cols = 1024;  // 4 segments and 11 / 16 of one
        const std::uint64_t lines = std::uint64_t{rows} * cols / 512;
        const std::uint64_t exponents = 4 * 32 + (300 * 1024 / 32 - 4 * 2048 + 63) / 64;
        const auto handle = store.make("w", rows, cols, dtype);
        ASSERT_EQ(store.write(handle, weights(dtype, std::uint64_t{rows} * cols, 1)), SQ_STATUS_SUCCESS);
        for (std::uint16_t n = 2; n <= 8; ++n) {
            EXPECT_EQ(store.read(handle, SQ_FORMAT_MXINT(n), SQ_ROUNDING_TRUNCATE).result.plane_lines, n * lines + exponents) << n;
            EXPECT_EQ(store.read(handle, SQ_FORMAT_MXINT(n), SQ_ROUNDING_NEAREST).result.plane_lines, (n + 1) * lines + exponents) << n;
        }
        for (std::uint16_t k = 1; k <= sqc_dtype_planes(dtype) + 1; ++k) {
            const auto read = store.read(handle, SQ_FORMAT_PLANES(k));
            EXPECT_EQ(read.result.plane_lines, k * lines + exponents) << k;
            EXPECT_EQ(read.bytes.size(), k * lines * 64 + std::uint64_t{rows} * cols / 32);
        }
        const auto native = store.read(handle);
        const auto escape_bytes = store.info(handle).escapes * (2 + sqc_dtype_bytes(dtype));
        EXPECT_GE(native.result.plane_lines, (sqc_dtype_planes(dtype) + 1) * lines + exponents + escape_bytes / 64);
        EXPECT_LE(native.result.plane_lines, (sqc_dtype_planes(dtype) + 1) * lines + exponents + escape_bytes / 64 + 5);
        EXPECT_EQ(native.result.baseline_lines, std::uint64_t{rows} * cols * sqc_dtype_bytes(dtype) / 64);
        EXPECT_EQ(native.result.check_lines, 0u) << "whole runs were wanted";
        EXPECT_EQ(native.result.elements, std::uint64_t{rows} * cols);
        EXPECT_GT(native.result.dram_time_ns, 0u);
        EXPECT_GT(native.result.dram_energy_pj, 0u);
        EXPECT_GT(native.result.link_time_ns, 0u);
    }
}

TEST(Read, OfSomeRowsTouchesTheLinesThatTheySpan)
{
    Store store;
    const auto handle = store.make("w", 100, 96);  // 192 / 1000 of a line: rows straddle lines
    ASSERT_EQ(store.write(handle, constant(SQ_DTYPE_BF16, 9600)), SQ_STATUS_SUCCESS);
    for (std::uint32_t first = 0; first < 100; first += 7) {
        for (std::uint32_t count = 1; first + count <= 100; count += 13) {
            const auto read = store.read({handle, SQ_FORMAT_MXINT(3), SQ_ROUNDING_TRUNCATE, SQ_AXIS_ROW, first, count});
            const std::uint64_t begin = first * 96, end = (first + count) * 96;
            const auto plane = (end + 511) / 512 - begin / 512;
            const auto exponents = (end / 32 + 63) / 64 - begin / 32 / 64;
            EXPECT_EQ(read.result.plane_lines, 3 * plane + exponents);
            EXPECT_EQ(read.result.check_lines, 3 * (19 - plane) + (5 - exponents)) << "9600 elements are 19 lines, 300 exponents 5";
            EXPECT_EQ(read.result.baseline_lines, (count * 96 * 2 + 63) / 64);
        }
    }
}

TEST(Read, EvenStopsAtThePlaneThatDecides)
{
    Store store;
    const auto handle = store.make("w", 1, 512);
    // g = 0. mxint4 keeps A0..A2, guard A3. Element 1 has guard 1, lowest bit 0
    // and its next one in plane `decider`.
    for (unsigned decider = 4; decider <= 7; ++decider) {
        Bytes data = constant(SQ_DTYPE_BF16, 512);
        for (std::size_t i = 0; i < 512; ++i)
            data[2 * i] = 0x80;  // 1.0
        data[2] = static_cast<std::uint8_t>(0x80 | 1u << 4 | 1u << (7 - decider));
        ASSERT_EQ(store.write(handle, data), SQ_STATUS_SUCCESS);
        const auto read = store.read(handle, SQ_FORMAT_MXINT(4), SQ_ROUNDING_EVEN);
        EXPECT_EQ(read.result.plane_lines, decider + 2 + 1) << "S, A0 to the decider, exponents";
        EXPECT_EQ(read.bytes[0], 0x54) << "rounded up";
    }
    Bytes tie = constant(SQ_DTYPE_BF16, 512);
    for (std::size_t i = 0; i < 512; ++i)
        tie[2 * i] = 0x80;
    tie[2] = 0x90;
    ASSERT_EQ(store.write(handle, tie), SQ_STATUS_SUCCESS);
    const auto read = store.read(handle, SQ_FORMAT_MXINT(4), SQ_ROUNDING_EVEN);
    EXPECT_EQ(read.result.plane_lines, 17u + 1) << "an exact tie needs all";
    EXPECT_EQ(read.bytes[0], 0x44);
    ASSERT_EQ(store.write(handle, constant(SQ_DTYPE_BF16, 512)), SQ_STATUS_SUCCESS);
    EXPECT_EQ(store.read(handle, SQ_FORMAT_MXINT(4), SQ_ROUNDING_EVEN).result.plane_lines, 5u + 1) << "nothing is near a tie";
}

TEST(Read, EvenNeedsNoEscapeList)
{
    Store store;
    const auto handle = store.make("w", 1, 512);
    // 1.0, a tie of mxint8 (1 + 2^-7), and an element that is all escape.
    Bytes data(1024, 0);
    const std::uint16_t words[] = {0x3f80, 0x3f81, 0x3741};
    std::memcpy(data.data(), words, sizeof words);
    ASSERT_EQ(store.write(handle, data), SQ_STATUS_SUCCESS);
    EXPECT_EQ(store.info(handle).escapes, 1u);
    const auto read = store.read(handle, SQ_FORMAT_MXINT(8), SQ_ROUNDING_EVEN);
    EXPECT_EQ(read.result.plane_lines, 17u + 1);
    EXPECT_EQ(read.bytes[0], 64);
    EXPECT_EQ(read.bytes[1], 64) << "1 + 2^-7 is 64.5 units: down to the even one";
    EXPECT_EQ(read.bytes[2], 0);
}

TEST(Read, PartsAreRowsOfTheWhole)
{
    struct Case {
        std::uint8_t dtype, placement;
    };
    for (const auto& [dtype, placement] : {Case{SQ_DTYPE_BF16, SQ_PLACEMENT_ALIGNED}, Case{SQ_DTYPE_FP32, SQ_PLACEMENT_ALIGNED},
                                           Case{SQ_DTYPE_BF16, SQ_PLACEMENT_WORD}}) {
        Store store(16u << 20);
        const std::uint32_t rows = 40, cols = 3333;  // rows straddle two segments' border
        const auto handle = store.make("w", rows, cols, dtype, placement);
        ASSERT_EQ(store.write(handle, weights(dtype, rows * cols, 5)), SQ_STATUS_SUCCESS);
        for (unsigned i = 0; const auto format = sqc_format_at(i); ++i) {
            const auto all = store.read(handle, format);
            if (all.status != SQ_STATUS_SUCCESS || SQ_FORMAT_FAMILY(format) == SQ_FORMAT_FAMILY_PLANES)
                continue;
            const auto& whole = all.layout;
            for (const auto& [first, count] : {std::pair{0u, 1u}, {18u, 3u}, {19u, 1u}, {39u, 1u}, {3u, 37u}}) {
                const auto part = store.read({handle, format, SQ_ROUNDING_DEFAULT, SQ_AXIS_ROW, first, count});
                ASSERT_EQ(part.status, SQ_STATUS_SUCCESS);
                Bytes expected;
                const auto take = [&](std::uint64_t offset, std::uint64_t row_bytes) {
                    const auto* at = all.bytes.data() + offset + first * row_bytes;
                    expected.insert(expected.end(), at, at + count * row_bytes);
                };
                take(0, whole.code_row_bytes);
                take(whole.micro_offset, whole.micro_row_bytes);
                take(whole.scale_offset, whole.scale_row_bytes);
                ASSERT_EQ(part.bytes, expected) << format << " rows " << first << " + " << count;
            }
        }
    }
}

TEST(Read, ColumnsOfThePlainFormatsAreTheTransposedMatrix)
{
    Store store(16u << 20);
    const std::uint32_t rows = 200, cols = 777;
    const auto handle = store.make("w", rows, cols);
    const auto data = weights(SQ_DTYPE_BF16, rows * cols, 6);
    ASSERT_EQ(store.write(handle, data), SQ_STATUS_SUCCESS);
    const auto read = store.read({handle, SQ_FORMAT_NATIVE, SQ_ROUNDING_DEFAULT, SQ_AXIS_COL, 3, 150});
    ASSERT_EQ(read.layout.rows, cols);
    ASSERT_EQ(read.layout.cols, 150u);
    for (std::uint32_t row = 0; row < 150; ++row) {
        for (std::uint32_t col = 0; col < cols; ++col)
            ASSERT_EQ(std::memcmp(&read.bytes[2 * (col * 150 + row)], &data[2 * ((row + 3) * cols + col)], 2), 0) << row << ' ' << col;
    }
}

TEST(Read, RefusesWhatCannotBeAskedFor)
{
    Store store;
    const auto handle = store.make("w", 4, 32);
    const auto blob = store.make("b", 2, 32, SQ_DTYPE_U8, SQ_PLACEMENT_BYTES);
    const auto integers = store.make("i", 2, 32, SQ_DTYPE_INT8, SQ_PLACEMENT_WORD);
    const auto status = [&](sqc_read_request request) { return store.read(request).status; };
    EXPECT_EQ(status({handle, SQ_FORMAT_NATIVE, 0, 0, 0, 0}), SQ_STATUS_RANGE);
    EXPECT_EQ(status({handle, SQ_FORMAT_NATIVE, 0, 0, 4, 1}), SQ_STATUS_RANGE);
    EXPECT_EQ(status({handle, SQ_FORMAT_NATIVE, 0, 0, 1, UINT32_MAX}), SQ_STATUS_RANGE);
    EXPECT_EQ(status({handle, 0x7777, 0, 0, 0, 4}), SQ_STATUS_FORMAT);
    EXPECT_EQ(status({handle, SQ_FORMAT_PLANES(0), 0, 0, 0, 4}), SQ_STATUS_FORMAT);
    EXPECT_EQ(status({handle, SQ_FORMAT_PLANES(18), 0, 0, 0, 4}), SQ_STATUS_FORMAT);
    EXPECT_EQ(status({handle, SQ_FORMAT_MXINT(4), 4, 0, 0, 4}), SQ_STATUS_INVALID_INPUT);
    EXPECT_EQ(status({handle, SQ_FORMAT_MXINT(4), 0, 2, 0, 4}), SQ_STATUS_INVALID_INPUT);
    EXPECT_EQ(status({handle, SQ_FORMAT_NATIVE, SQ_ROUNDING_TRUNCATE, 0, 0, 4}), SQ_STATUS_UNSUPPORTED);
    EXPECT_EQ(status({handle, SQ_FORMAT_PLANES(3), 0, SQ_AXIS_COL, 0, 4}), SQ_STATUS_UNSUPPORTED);
    EXPECT_EQ(status({blob, SQ_FORMAT_NATIVE, 0, SQ_AXIS_COL, 0, 2}), SQ_STATUS_UNSUPPORTED);
    EXPECT_EQ(status({blob, SQ_FORMAT_MXINT(4), 0, 0, 0, 2}), SQ_STATUS_FORMAT);
    EXPECT_EQ(status({integers, SQ_FORMAT_BF16, 0, 0, 0, 2}), SQ_STATUS_FORMAT);
    EXPECT_EQ(status({integers, SQ_FORMAT_PLANES(8), 0, 0, 0, 2}), SQ_STATUS_SUCCESS);
    EXPECT_EQ(status({integers, SQ_FORMAT_PLANES(9), 0, 0, 0, 2}), SQ_STATUS_FORMAT);
    const sqc_read_request request = {handle, SQ_FORMAT_NATIVE, 0, 0, 0, 4};
    Layout layout;
    ASSERT_EQ(sqc_read_layout(store.get(), &request, &layout), SQ_STATUS_SUCCESS);
    const Scratch scratch(sqc_read_scratch_bytes(&layout));
    Bytes out(layout.bytes + 1);
    Result result;
    EXPECT_EQ(sqc_read(store.get(), &request, out.data(), layout.bytes - 1, scratch.get(), &result), SQ_STATUS_LENGTH);
    EXPECT_EQ(sqc_read(store.get(), &request, out.data(), layout.bytes + 1, scratch.get(), &result), SQ_STATUS_LENGTH);
}

TEST(Read, LayoutWithoutAStoreIsTheStores)
{
    Store store;
    const auto handle = store.make("w", 5, 100);
    for (unsigned i = 0; const auto format = sqc_format_at(i); ++i) {
        for (const std::uint8_t axis : {SQ_AXIS_ROW, SQ_AXIS_COL}) {
            const sqc_read_request request = {handle, format, SQ_ROUNDING_DEFAULT, axis, 1, 3};
            Layout with, without;
            const auto status = sqc_read_layout(store.get(), &request, &with);
            EXPECT_EQ(sqc_layout_of(SQ_DTYPE_BF16, SQ_PLACEMENT_ALIGNED, 5, 100, &request, &without), status);
            if (status == SQ_STATUS_SUCCESS) {
                EXPECT_EQ(std::memcmp(&with, &without, sizeof with), 0) << format;
            }
        }
    }
    const sqc_read_request request = {0, SQ_FORMAT_NATIVE, 0, 0, 0, 1};
    Layout layout;
    EXPECT_EQ(sqc_layout_of(SQ_DTYPE_BF16, SQ_PLACEMENT_BYTES, 5, 100, &request, &layout), SQ_STATUS_UNSUPPORTED);
    EXPECT_EQ(sqc_layout_of(SQ_DTYPE_BF16, SQ_PLACEMENT_ALIGNED, 0, 100, &request, &layout), SQ_STATUS_INVALID_INPUT);
    EXPECT_EQ(sqc_layout_of(SQ_DTYPE_FP32, SQ_PLACEMENT_ALIGNED, UINT32_MAX, UINT32_MAX - 31, &request, &layout), SQ_STATUS_INVALID_INPUT);
}

// Flips one bit of every run in turn: verify names that run, reads that touch
// it fail with the segment's first row, others give the right bytes.
TEST(Read, FailsExactlyWhereARunIsDamaged)
{
    Store store;
    const std::uint32_t rows = 80, cols = 1024;  // segments begin at rows 0 and 64
    const auto handle = store.make("w", rows, cols);
    ASSERT_EQ(store.write(handle, weights(SQ_DTYPE_BF16, rows * cols, 7)), SQ_STATUS_SUCCESS);
    const auto native = store.native(handle);
    const auto mxint = store.read(handle, SQ_FORMAT_MXINT(4), SQ_ROUNDING_TRUNCATE).bytes;
    std::vector<bool> seen(2 * 19);
    auto* memory = store.memory().get();
    for (std::size_t at = 0; at < store.memory().bytes(); at += 512) {
        memory[at + 5] ^= 0x10;
        const auto bad = store.verify(handle);
        if (!bad.empty()) {
            ASSERT_EQ(bad.size(), 1u);
            const auto& [bad_handle, segment, run] = bad[0];
            EXPECT_EQ(bad_handle, handle);
            seen.at(segment * 19 + (run == SQC_RUN_EXPONENTS ? 17 : run == SQC_RUN_ESCAPES ? 18 : run)) = true;
            const auto all = store.read(handle);
            EXPECT_EQ(all.status, SQ_STATUS_MEDIA_FAILURE);
            EXPECT_EQ(all.result.error_row, segment * 64);
            const auto some = store.read(handle, SQ_FORMAT_MXINT(4), SQ_ROUNDING_TRUNCATE);
            if (run < 4 || run == SQC_RUN_EXPONENTS)
                EXPECT_EQ(some.status, SQ_STATUS_MEDIA_FAILURE) << run;
            else
                EXPECT_EQ(some.bytes, mxint) << run;
            const auto other = store.read({handle, SQ_FORMAT_NATIVE, 0, 0, segment ? 0u : 64u, 16});
            EXPECT_EQ(other.status, SQ_STATUS_SUCCESS) << "the other segment is whole";
        }
        memory[at + 5] ^= 0x10;
    }
    EXPECT_EQ(std::count(seen.begin(), seen.end(), true), 38) << "each run was hit";
    EXPECT_EQ(store.native(handle), native);
    EXPECT_GT(store.statistics().media_errors, 38u);
    EXPECT_EQ(store.statistics().media_errors, store.statistics().errors);
}

TEST(Read, CountsForTheStoreTheRegionAndTheFormat)
{
    Store store;
    const auto a = store.make("a", 2, 512), b = store.make("b", 2, 512);
    ASSERT_EQ(store.write(a, constant(SQ_DTYPE_BF16, 1024)), SQ_STATUS_SUCCESS);
    ASSERT_EQ(store.write(b, constant(SQ_DTYPE_BF16, 1024)), SQ_STATUS_SUCCESS);
    const auto first = store.read(a, SQ_FORMAT_MXINT(4), SQ_ROUNDING_TRUNCATE);
    const auto second = store.read({b, SQ_FORMAT_MXINT(4), SQ_ROUNDING_TRUNCATE, SQ_AXIS_ROW, 0, 1});
    store.read(a);
    store.read({a, SQ_FORMAT_NATIVE, 0, 0, 9, 1});
    const auto format = store.statistics(SQC_STATISTICS_FORMAT, SQ_FORMAT_MXINT(4));
    EXPECT_EQ(format.requests, 2u);
    EXPECT_EQ(format.elements, 1024u + 512);
    EXPECT_EQ(format.link_bytes, first.bytes.size() + second.bytes.size());
    EXPECT_EQ(format.plane_lines, 4u * 2 + 1 + 4 + 1);
    EXPECT_EQ(format.check_lines, 4u);
    EXPECT_EQ(format.baseline_lines, 32u + 16);
    EXPECT_EQ(format.dram_time_ns, first.result.dram_time_ns + second.result.dram_time_ns);
    EXPECT_EQ(format.dram_energy_pj, first.result.dram_energy_pj + second.result.dram_energy_pj);
    EXPECT_EQ(format.link_time_ns, first.result.link_time_ns + second.result.link_time_ns);
    EXPECT_EQ(store.statistics(SQC_STATISTICS_REGION, a).requests, 2u);
    EXPECT_EQ(store.statistics(SQC_STATISTICS_REGION, b).requests, 1u);
    EXPECT_EQ(store.statistics(SQC_STATISTICS_REGION, b).stores, 1u);
    // 17 planes of two lines, one line of exponents.
    EXPECT_EQ(store.statistics(SQC_STATISTICS_REGION, b).written_lines, 17u * 2 + 1);
    EXPECT_EQ(store.statistics().requests, 3u);
    EXPECT_EQ(store.statistics().stored_elements, 2048u);
    ASSERT_EQ(sqc_flush(store.get(), 0), SQ_STATUS_SUCCESS);
    store.reopen();
    EXPECT_EQ(store.statistics().requests, 3u) << "counters outlast a process";
    EXPECT_EQ(sqc_statistics_reset(store.get(), SQC_STATISTICS_FORMAT, SQ_FORMAT_MXINT(4)), SQ_STATUS_SUCCESS);
    EXPECT_EQ(store.statistics(SQC_STATISTICS_FORMAT, SQ_FORMAT_MXINT(4)).requests, 0u);
    EXPECT_EQ(store.statistics().requests, 3u);
    EXPECT_EQ(sqc_statistics_reset(store.get(), SQC_STATISTICS_GLOBAL, 0), SQ_STATUS_SUCCESS);
    EXPECT_EQ(store.statistics().requests, 0u);
    EXPECT_EQ(store.statistics(SQC_STATISTICS_REGION, store.find("b")).requests, 0u);
    Statistics statistics;
    EXPECT_EQ(sqc_statistics_get(store.get(), 3, 0, &statistics), SQ_STATUS_INVALID_INPUT);
    EXPECT_EQ(sqc_statistics_get(store.get(), SQC_STATISTICS_FORMAT, 0x7777, &statistics), SQ_STATUS_FORMAT);
    EXPECT_EQ(sqc_statistics_get(store.get(), SQC_STATISTICS_FORMAT, 0x10000 | SQ_FORMAT_NATIVE, &statistics), SQ_STATUS_FORMAT);
}

TEST(Read, AModelledSavingFollowsThePlanes)
{
    Store store(32u << 20);
    const auto handle = store.make("w", 128, 65536);
    ASSERT_EQ(store.write(handle, constant(SQ_DTYPE_BF16, 128ull * 65536)), SQ_STATUS_SUCCESS);
    const auto native = store.read(handle).result;
    const auto four = store.read(handle, SQ_FORMAT_MXINT(4), SQ_ROUNDING_TRUNCATE).result;
    // 4.25 of 17.25 bits: neighbours' planes do not share one bank group.
    EXPECT_NEAR(static_cast<double>(four.dram_time_ns) / static_cast<double>(native.dram_time_ns), 4.25 / 17.25, 0.02);
    EXPECT_NEAR(static_cast<double>(four.dram_energy_pj) / static_cast<double>(native.dram_energy_pj), 4.25 / 17.25, 0.03);
}

// So much that it goes around the caches, which only changes where it passes:
// the same as row by row, wherever it goes to. A segment was never written.
TEST(Read, DeliversMuchAsItDeliversLittle)
{
    constexpr std::uint32_t rows = 4200, cols = 4096, gap = 2048;
    for (const std::uint8_t placement : {SQ_PLACEMENT_ALIGNED, SQ_PLACEMENT_WORD}) {
        Store store(96u << 20);
        const auto data = weights(SQ_DTYPE_BF16, std::uint64_t{rows} * cols, placement);
        const auto much = store.make("much", rows, cols, SQ_DTYPE_BF16, placement);
        const auto few = store.make("few", 64, cols, SQ_DTYPE_BF16, placement);
        const Bytes first(data.begin(), data.begin() + gap * cols * 2), rest(data.begin() + (gap + 16) * cols * 2, data.end());
        ASSERT_EQ(store.write(much, first, 0, gap), SQ_STATUS_SUCCESS);
        ASSERT_EQ(store.write(much, rest, gap + 16, rows - gap - 16), SQ_STATUS_SUCCESS);
        for (const std::uint16_t format : {SQ_FORMAT_NATIVE, SQ_FORMAT_MXINT(8), SQ_FORMAT_PLANES(8)}) {
            if (format == SQ_FORMAT_MXINT(8) && placement == SQ_PLACEMENT_WORD)
                continue;
            sqc_read_request request = {much, format, SQ_ROUNDING_DEFAULT, SQ_AXIS_ROW, 0, rows};
            Layout layout = {};
            ASSERT_EQ(sqc_read_layout(store.get(), &request, &layout), SQ_STATUS_SUCCESS);
            ASSERT_GE(layout.bytes, std::uint64_t{16} << 20);
            const Scratch scratch(sqc_read_scratch_bytes(&layout));
            const Memory out(layout.bytes + 64);
            for (const std::size_t offset : {std::size_t{0}, std::size_t{7}}) {
                Result result;
                std::memset(out.get(), 0xa5, out.bytes());
                ASSERT_EQ(sqc_read(store.get(), &request, out.get() + offset, layout.bytes, scratch.get(), &result), SQ_STATUS_SUCCESS);
                ASSERT_EQ(out.get()[offset + layout.bytes], 0xa5);
                const std::uint64_t code_row = layout.code_row_bytes;
                const unsigned planes = format == SQ_FORMAT_PLANES(8) ? 8 : 1;
                for (std::uint32_t row = 0; row < rows; row += 40) {
                    const auto some = store.read({much, format, SQ_ROUNDING_DEFAULT, SQ_AXIS_ROW, row, 40});
                    for (unsigned p = 0; p < planes; ++p)
                        ASSERT_EQ(std::memcmp(out.get() + offset + (std::uint64_t{p} * rows + row) * code_row, &some.bytes[p * 40 * code_row], 40 * code_row), 0)
                            << format << " row " << row << " plane " << p;
                    ASSERT_EQ(std::memcmp(out.get() + offset + layout.scale_offset + row * layout.scale_row_bytes, &some.bytes[some.layout.scale_offset], 40 * layout.scale_row_bytes), 0);
                }
            }
        }
        const auto whole = store.native(much);
        ASSERT_EQ(std::memcmp(whole.data(), first.data(), first.size()), 0);
        ASSERT_EQ(std::memcmp(&whole[(gap + 16) * cols * 2], rest.data(), rest.size()), 0);
        // A write of little is what a part of one of much is.
        const Bytes part(data.begin(), data.begin() + 64 * cols * 2);
        ASSERT_EQ(store.write(few, part), SQ_STATUS_SUCCESS);
        ASSERT_EQ(store.native(few), part);
        ASSERT_TRUE(store.verify(much).empty());
    }
}

// Reading much checks ahead of what it delivers: what it counts and where it fails
// must not show it.
class ReadMuch : public testing::Test {
protected:
    static constexpr std::uint32_t rows = 4112, cols = 4096, segment_rows = SQC_SEGMENT_ELEMENTS / cols, segments = rows / segment_rows;

    ReadMuch() : store(96u << 20), handle(store.make("much", rows, cols))
    {
        EXPECT_EQ(store.write(handle, weights(SQ_DTYPE_BF16, std::uint64_t{rows} * cols, 3)), SQ_STATUS_SUCCESS);
    }
    sqc_read_request request(std::uint16_t format, std::uint32_t first = 0, std::uint32_t count = rows) const
    {
        return {handle, format, SQ_ROUNDING_DEFAULT, SQ_AXIS_ROW, first, count};
    }
    // The runs that a read takes of a segment, by the addresses that it counts.
    std::vector<sqc_dram_run> runs(std::uint16_t format, std::uint32_t segment)
    {
        const auto part = request(format, segment * segment_rows, segment_rows);
        std::vector<sqc_dram_run> found(SQC_RUNS_MAX);
        std::uint64_t count = 0;
        Layout layout = {};
        Result result;
        EXPECT_EQ(sqc_read_layout(store.get(), &part, &layout), SQ_STATUS_SUCCESS);
        const Scratch scratch(sqc_read_scratch_bytes(&layout));
        const Memory out(layout.bytes);
        EXPECT_EQ(sqc_read_traced(store.get(), &part, out.get(), layout.bytes, scratch.get(), found.data(), found.size(), &count, &result),
                  SQ_STATUS_SUCCESS);
        found.resize(count);
        return found;
    }

    Store store;
    std::uint32_t handle;
    static constexpr std::uint16_t formats[] = {SQ_FORMAT_NATIVE, SQ_FORMAT_MXINT(8), SQ_FORMAT_PLANES(8)};
};

TEST_F(ReadMuch, CountsEachLineOnce)
{
    for (const std::uint16_t format : formats) {
        const auto whole = store.read(request(format));
        ASSERT_EQ(whole.status, SQ_STATUS_SUCCESS);
        ASSERT_GE(whole.layout.bytes, std::uint64_t{16} << 20);
        std::uint64_t plane_lines = 0, check_lines = 0;
        for (std::uint32_t segment = 0; segment < segments; ++segment) {
            const auto part = store.read(request(format, segment * segment_rows, segment_rows));
            plane_lines += part.result.plane_lines;
            check_lines += part.result.check_lines;
        }
        EXPECT_EQ(whole.result.plane_lines, plane_lines) << format;
        EXPECT_EQ(whole.result.check_lines, check_lines) << format;
    }
}

TEST_F(ReadMuch, FailsWithTheFirstDamagedRow)
{
    for (const std::uint16_t format : formats) {
        const auto before = store.read(request(format));
        for (const std::uint32_t segment : {0u, 1u, segments / 2, segments - 1}) {
            const auto in = runs(format, segment);
            const auto& run = segment == 0 ? in.front() : segment == 1 ? in.back() : in[in.size() / 2];
            std::uint8_t& byte = store.memory().get()[run.address + run.lines * SQC_LINE_BYTES / 2];
            // A later one is damaged too, but it is not the first.
            std::uint8_t& later = store.memory().get()[runs(format, segments - 1).front().address];
            byte ^= 0x10;
            later ^= 1;
            ASSERT_EQ(sqc_statistics_reset(store.get(), SQC_STATISTICS_GLOBAL, 0), SQ_STATUS_SUCCESS);
            const auto failed = store.read(request(format));
            EXPECT_EQ(failed.status, SQ_STATUS_MEDIA_FAILURE) << format << " segment " << segment;
            EXPECT_EQ(failed.result.error_row, segment * segment_rows) << format;
            EXPECT_EQ(failed.result.plane_lines, 0u);
            EXPECT_EQ(store.statistics().media_errors, 1u);
            EXPECT_EQ(store.statistics().plane_lines, 0u);
            byte ^= 0x10;
            later ^= 1;
        }
        const auto after = store.read(request(format));
        EXPECT_EQ(after.status, SQ_STATUS_SUCCESS);
        EXPECT_EQ(after.bytes, before.bytes);
        EXPECT_EQ(after.result.plane_lines, before.result.plane_lines);
        EXPECT_EQ(after.result.dram_time_ns, before.result.dram_time_ns);
    }
}

}  // namespace
