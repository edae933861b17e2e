// SPDX-License-Identifier: MIT
//
// Precision vectors: one read with a format for each block of rows
#include "store.hpp"

namespace {

using namespace controller;

struct VectorRead {
    sqc_status status = SQ_STATUS_SUCCESS;
    sqc_vector_layout layout = {};
    std::vector<std::uint64_t> offsets;
    Bytes bytes;
    Result result = {};
};

VectorRead read_vector(const Store& store, const sqc_read_request& request, const std::vector<std::uint16_t>& formats, std::uint32_t rows_per_format)
{
    VectorRead read;
    const sqc_precision_vector vector = {formats.data(), static_cast<std::uint32_t>(formats.size()), rows_per_format};
    read.offsets.resize(formats.size() + 1);
    read.status = sqc_vector_describe(store.get(), &request, &vector, &read.layout, read.offsets.data());
    if (read.status != SQ_STATUS_SUCCESS) {
        Result result;
        EXPECT_EQ(sqc_read_vector(store.get(), &request, &vector, nullptr, 0, nullptr, &result), read.status);
        return read;
    }
    read.bytes.assign(read.layout.bytes + 1, 0xa5);
    const Scratch scratch(read.layout.scratch_bytes);
    read.status = sqc_read_vector(store.get(), &request, &vector, read.bytes.data(), read.layout.bytes, scratch.get(), &read.result);
    EXPECT_EQ(read.bytes.back(), 0xa5) << "wrote behind the end";
    read.bytes.pop_back();
    return read;
}

TEST(PrecisionVector, GivesWhatOneReadABlockGives)
{
    Store store(16u << 20);
    const std::uint32_t rows = 75, cols = 1900;  // three segments, blocks that straddle them
    const auto handle = store.make("w", rows, cols);
    ASSERT_EQ(store.write(handle, weights(SQ_DTYPE_BF16, rows * cols, 1)), SQ_STATUS_SUCCESS);
    ASSERT_EQ(sqc_region_set_precision(store.get(), handle, SQ_FORMAT_MXINT(5)), SQ_STATUS_SUCCESS);
    const std::uint16_t pool[] = {SQ_FORMAT_MXINT(8), SQ_FORMAT_MXINT(3), SQ_FORMAT_NATIVE, SQ_FORMAT_MXFP4_E2M1, SQ_FORMAT_TAG,
                                  SQ_FORMAT_MX6, SQ_FORMAT_FP32, SQ_FORMAT_MXINT(2)};
    std::mt19937 random(1);
    for (const std::uint8_t axis : {SQ_AXIS_ROW, SQ_AXIS_COL}) {
        for (const std::uint32_t rows_per_format : {1u, 7u, 32u, 60u, 100u}) {
            const std::uint32_t first = 3, count = 70;
            std::vector<std::uint16_t> formats((count + rows_per_format - 1) / rows_per_format);
            for (auto& format : formats)
                format = pool[random() % std::size(pool)];
            const auto read = read_vector(store, {handle, SQ_FORMAT_TAG, SQ_ROUNDING_DEFAULT, axis, first, count}, formats, rows_per_format);
            ASSERT_EQ(read.status, SQ_STATUS_SUCCESS);
            Bytes expected;
            std::uint64_t baseline = 0, elements = 0;
            for (std::size_t i = 0; i < formats.size(); ++i) {
                EXPECT_EQ(read.offsets[i], expected.size());
                const auto begin = static_cast<std::uint32_t>(i) * rows_per_format;
                const auto part = store.read({handle, formats[i], SQ_ROUNDING_DEFAULT, axis, first + begin, std::min(rows_per_format, count - begin)});
                ASSERT_EQ(part.status, SQ_STATUS_SUCCESS);
                expected.insert(expected.end(), part.bytes.begin(), part.bytes.end());
                baseline += part.result.baseline_lines;
                elements += part.result.elements;
            }
            EXPECT_EQ(read.offsets.back(), expected.size());
            ASSERT_TRUE(read.bytes == expected) << "axis " << +axis << ", " << rows_per_format << " rows a format";
            EXPECT_EQ(read.result.bytes, expected.size());
            EXPECT_EQ(read.result.elements, elements);
            EXPECT_EQ(read.result.baseline_lines, baseline);
        }
    }
}

TEST(PrecisionVector, ReadsASharedRunOnce)
{
    Store store;
    const auto handle = store.make("w", 64, 1024);  // one segment of 128 lines a plane
    ASSERT_EQ(store.write(handle, weights(SQ_DTYPE_BF16, 65536, 1)), SQ_STATUS_SUCCESS);
    sqc_statistics_reset(store.get(), SQC_STATISTICS_GLOBAL, 0);
    const auto read = read_vector(store, {handle, SQ_FORMAT_TAG, SQ_ROUNDING_TRUNCATE, SQ_AXIS_ROW, 0, 48},
                                  {SQ_FORMAT_MXINT(4), SQ_FORMAT_MXINT(2), SQ_FORMAT_MXINT(4)}, 16);
    ASSERT_EQ(read.status, SQ_STATUS_SUCCESS);
    // 32 lines a plane and block; 8 exponent lines a block.
    EXPECT_EQ(read.result.plane_lines, (4u + 2 + 4) * 32 + 3 * 8);
    EXPECT_EQ(read.result.check_lines, 4 * 128u + 32 - read.result.plane_lines) << "of four planes and the exponents";
    const auto four = store.statistics(SQC_STATISTICS_FORMAT, SQ_FORMAT_MXINT(4));
    const auto two = store.statistics(SQC_STATISTICS_FORMAT, SQ_FORMAT_MXINT(2));
    EXPECT_EQ(four.requests, 2u);
    EXPECT_EQ(four.plane_lines, 8u * 32 + 16);
    EXPECT_EQ(two.plane_lines, 2u * 32 + 8);
    EXPECT_EQ(four.elements, 2 * 16u * 1024);
    const auto all = store.statistics();
    EXPECT_EQ(all.requests, 1u);
    EXPECT_EQ(all.plane_lines, read.result.plane_lines);
    EXPECT_EQ(all.link_bytes, four.link_bytes + two.link_bytes);
    EXPECT_EQ(all.dram_time_ns, four.dram_time_ns + two.dram_time_ns);
    EXPECT_EQ(all.dram_energy_pj, four.dram_energy_pj + two.dram_energy_pj);
    EXPECT_EQ(store.statistics(SQC_STATISTICS_REGION, handle).requests, 1u);
}

TEST(PrecisionVector, IsRefusedAsAWhole)
{
    Store store;
    const auto handle = store.make("w", 10, 64);
    ASSERT_EQ(store.write(handle, weights(SQ_DTYPE_BF16, 640, 1)), SQ_STATUS_SUCCESS);
    const sqc_read_request request = {handle, SQ_FORMAT_TAG, SQ_ROUNDING_DEFAULT, SQ_AXIS_ROW, 0, 10};
    const std::vector<std::uint16_t> two = {SQ_FORMAT_MXINT(4), SQ_FORMAT_MXINT(2)};
    const auto status = [&](sqc_read_request with, const std::vector<std::uint16_t>& formats, std::uint32_t rows_per_format) {
        return read_vector(store, with, formats, rows_per_format).status;
    };
    EXPECT_EQ(status(request, two, 5), SQ_STATUS_SUCCESS);
    EXPECT_EQ(status(request, two, 9), SQ_STATUS_SUCCESS);
    EXPECT_EQ(status(request, two, 10), SQ_STATUS_INVALID_INPUT) << "one block, two formats";
    EXPECT_EQ(status(request, two, 4), SQ_STATUS_INVALID_INPUT) << "three blocks";
    EXPECT_EQ(status(request, two, 0), SQ_STATUS_INVALID_INPUT);
    EXPECT_EQ(status(request, {}, 10), SQ_STATUS_INVALID_INPUT);
    EXPECT_EQ(status(request, {SQ_FORMAT_MXINT(4), 0x7777}, 5), SQ_STATUS_FORMAT);
    EXPECT_EQ(status(request, {SQ_FORMAT_MXINT(4), SQ_FORMAT_PLANES(18)}, 5), SQ_STATUS_FORMAT);
    auto with = request;
    with.format = SQ_FORMAT_MXINT(4);
    EXPECT_EQ(status(with, two, 5), SQ_STATUS_INVALID_INPUT);
    with = request;
    with.rounding = SQ_ROUNDING_TRUNCATE;
    EXPECT_EQ(status(with, {SQ_FORMAT_MXINT(4), SQ_FORMAT_NATIVE}, 5), SQ_STATUS_UNSUPPORTED);
    with = request;
    with.row_count = 11;
    EXPECT_EQ(status(with, two, 6), SQ_STATUS_RANGE);
    with.handle ^= 1;
    EXPECT_EQ(status(with, two, 6), SQ_STATUS_INVALID_HANDLE);
    sqc_read_request part;
    const sqc_precision_vector vector = {two.data(), 2, 6};
    ASSERT_EQ(sqc_vector_part(&request, &vector, 1, &part), SQ_STATUS_SUCCESS);
    EXPECT_EQ(part.first_row, 6u);
    EXPECT_EQ(part.row_count, 4u);
    EXPECT_EQ(part.format, SQ_FORMAT_MXINT(2));
    EXPECT_EQ(sqc_vector_part(&request, &vector, 2, &part), SQ_STATUS_RANGE);
    EXPECT_EQ(store.statistics().requests, 2u);
}

TEST(PrecisionVector, FailsOnDamageThatAnyPartTouches)
{
    Store store;
    const auto handle = store.make("w", 128, 1024);
    ASSERT_EQ(store.write(handle, weights(SQ_DTYPE_BF16, 131072, 1)), SQ_STATUS_SUCCESS);
    auto* memory = store.memory().get();
    std::size_t at = 0;
    // A low plane of the second segment: native reads it, mxint2 does not.
    const auto hit = [&] {
        const auto bad = store.verify(handle);
        return bad.size() == 1 && bad[0].segment == 1 && bad[0].run > 8 && bad[0].run < 17;
    };
    for (; at < store.memory().bytes(); at += 4096) {
        memory[at] ^= 1;
        if (hit())
            break;
        memory[at] ^= 1;
    }
    ASSERT_LT(at, store.memory().bytes());
    const sqc_read_request request = {handle, SQ_FORMAT_TAG, SQ_ROUNDING_DEFAULT, SQ_AXIS_ROW, 0, 128};
    EXPECT_EQ(read_vector(store, request, {SQ_FORMAT_NATIVE, SQ_FORMAT_MXINT(2)}, 64).status, SQ_STATUS_SUCCESS);
    const auto failed = read_vector(store, request, {SQ_FORMAT_MXINT(2), SQ_FORMAT_NATIVE}, 64);
    EXPECT_EQ(failed.status, SQ_STATUS_MEDIA_FAILURE);
    EXPECT_EQ(failed.result.error_row, 64u);
    EXPECT_EQ(failed.result.plane_lines, 0u);
}

}  // namespace
