// SPDX-License-Identifier: MIT
//
// Products straight from planes: each version of the kernel gives the bytes
// that the arithmetic of multiply_lines.h, done slowly on codes that were read,
// gives
#include "kernels.hpp"
#include "multiplier.h"
#include "multiply.h"
#include "store.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

namespace controller {
namespace {

using Floats = std::vector<float>;

constexpr std::uint32_t group = SQC_GROUP_ELEMENTS;

struct Shape {
    std::uint32_t rows;
    std::uint32_t cols;
};

// One element; rows that are whole lines, that begin amid a line, that are
// longer than a segment, and that end where a segment ends.
constexpr Shape shapes[] = {{1, 1}, {3, 33}, {5, 512}, {20, 4096}, {70, 96}, {40, 2080}, {130, 513}, {2, 70000}, {2100, 32}, {33, 2048}};

constexpr std::uint8_t roundings[] = {SQ_ROUNDING_TRUNCATE, SQ_ROUNDING_NEAREST};

// fp32 words at the ends of what groups can be: zeros, -0, subnormals, the
// largest exponent, all bits set, one element far above the others.
Bytes extremes(std::uint32_t count, std::uint64_t seed)
{
    std::mt19937 random(static_cast<std::uint32_t>(seed));
    std::vector<std::uint32_t> words(count);
    for (std::uint32_t at = 0; at < count; at += group)
        for (std::uint32_t i = at, kind = random() % 8; i < std::min(count, at + group); ++i) {
            const std::uint32_t bits = static_cast<std::uint32_t>(random());
            const std::uint32_t of_kind[] = {0,
                                             bits & 0x80000000u,
                                             bits & 0x807fffffu,
                                             (bits & 0x807fffffu) | 254u << 23,
                                             (bits & 0x80000000u) | 0x7f7fffffu,
                                             (bits & 0x80000000u) | 0x3fffffffu,
                                             i == at ? 0x42000000u : bits & 0x807fffffu,
                                             (bits & 0x807fffffu) | (100 + bits % 8) << 23};
            words[i] = of_kind[kind];
        }
    Bytes bytes(words.size() * 4);
    std::memcpy(bytes.data(), words.data(), bytes.size());
    return bytes;
}

Floats values(std::uint64_t count, std::uint64_t seed)
{
    std::mt19937 random(static_cast<std::uint32_t>(seed));
    std::normal_distribution<float> normal;
    Floats x(count);
    for (float& value : x)
        value = random() % 20 == 0 ? 0 : std::ldexp(normal(random), static_cast<int>(random() % 6));
    return x;
}

// Codes m of a read in format mxint.
std::vector<int> codes_of(const Read& read, std::uint32_t row)
{
    const unsigned bits = SQ_FORMAT_PARAMETER(read.layout.format);
    const std::uint8_t* stream = read.bytes.data() + row * read.layout.code_row_bytes;
    std::vector<int> codes(read.layout.cols);
    for (std::uint32_t i = 0; i < codes.size(); ++i) {
        unsigned code = 0;
        for (unsigned bit = 0; bit < bits; ++bit)
            code |= (stream[(i * bits + bit) / 8] >> (i * bits + bit) % 8 & 1u) << bit;
        codes[i] = static_cast<int>(code) - (code >> (bits - 1) ? 1 << bits : 0);
    }
    return codes;
}

float lanes_sum(Floats lanes)
{
    for (unsigned half = 8; half; half /= 2)
        for (unsigned lane = 0; lane < half; ++lane)
            lanes[lane] += lanes[lane + half];
    return lanes[0];
}

// One row of a read times one column, as multiply_lines.h says.
float slow_int8(const Read& read, std::uint32_t row, const float* x)
{
    const auto codes = codes_of(read, row);
    const int bits = SQ_FORMAT_PARAMETER(read.layout.format);
    const std::uint8_t* scales = read.bytes.data() + read.layout.scale_offset + row * read.layout.scale_row_bytes;
    const std::uint32_t lines = (read.layout.cols + SQC_LINE_ELEMENTS - 1) / SQC_LINE_ELEMENTS;
    Floats lanes(16);
    for (std::uint32_t g = 0; g < lines * 16; ++g) {
        const std::uint32_t first = g * group;
        const std::uint32_t end = std::min(first + group, read.layout.cols);
        float largest = 0, d = 0, weight = 0;
        int sum = 0;
        for (std::uint32_t i = first; i < end; ++i)
            largest = std::max(largest, std::fabs(x[i]));
        if (largest >= std::ldexp(1.0f, -100)) {
            d = largest / 127;
            for (std::uint32_t i = first; i < end; ++i)
                sum += codes[i] * static_cast<int>(std::nearbyint(x[i] * (127 / largest)));
        }
        if (first < end)
            weight = d * std::ldexp(1.0f, 2 - bits) * std::ldexp(1.0f, scales[g] - 127);
        lanes[g % 16] = std::fma(static_cast<float>(sum), weight, lanes[g % 16]);
    }
    return lanes_sum(lanes);
}

struct Product {
    sqc_status status = SQ_STATUS_SUCCESS;
    Floats y;
    Result checked = {};
    Result result = {};
};

Product multiply(const Store& store, const sqc_read_request& request, sqc_arithmetic arithmetic, std::uint32_t columns, const Floats& x)
{
    Product product;
    sqc_multiplier multiplier;
    product.status = sqc_multiplier_begin(&multiplier, store.get(), &request);
    if (product.status)
        return product;
    product.status = sqc_multiplier_check(&multiplier, &product.checked);
    if (product.status)
        return product;
    const Memory memory(sqc_activations_bytes(arithmetic, multiplier.layout.cols, columns));
    sqc_activations in;
    std::uint64_t error_at = 0;
    product.status = sqc_activations_make(&in, arithmetic, SQ_FORMAT_PARAMETER(multiplier.layout.format), multiplier.layout.cols, columns,
                                          x.data(), memory.get(), &error_at);
    if (product.status)
        return product;
    product.y.assign(std::size_t{columns} * request.row_count + 1, -1.0f);
    const auto lines = sqc_multiplier_part(&multiplier, &in, 0, request.row_count, product.y.data(), request.row_count);
    sqc_multiplier_count(&multiplier, lines, &product.result);
    EXPECT_EQ(product.y.back(), -1.0f) << "wrote behind the end";
    product.y.pop_back();
    return product;
}

std::vector<std::uint32_t> bits_of(const Floats& values)
{
    std::vector<std::uint32_t> bits(values.size());
    std::memcpy(bits.data(), values.data(), values.size() * 4);
    return bits;
}

class Multiplier : public EveryKernel<SQC_KERNEL_MULTIPLY> {
protected:
    // Both arithmetics, all widths and roundings of some rows against the slow way.
    void expect_exact(std::uint32_t handle, std::uint32_t first_row, std::uint32_t rows, std::uint32_t columns)
    {
        const std::uint32_t cols = store.info(handle).cols;
        const auto x = values(std::uint64_t{cols} * columns, cols + columns);
        for (unsigned bits = 2; bits <= 8; ++bits)
            for (const std::uint8_t rounding : roundings) {
                const sqc_read_request request = {handle, static_cast<std::uint16_t>(SQ_FORMAT_FAMILY_MXINT << 8 | bits), rounding, SQ_AXIS_ROW, first_row, rows};
                const auto read = store.read(request);
                ASSERT_EQ(read.status, SQ_STATUS_SUCCESS);
                SCOPED_TRACE(testing::Message() << "mxint" << bits << " rounding " << int{rounding} << ", rows " << first_row << "+" << rows << ", cols "
                                                << cols << ", columns " << columns);
                Floats slow(std::size_t{columns} * rows), ordered(slow.size());
                for (std::uint32_t c = 0; c < columns; ++c) {
                    for (std::uint32_t r = 0; r < rows; ++r)
                        slow[c * rows + r] = slow_int8(read, r, &x[std::size_t{c} * cols]);
                    ASSERT_EQ(sqc_multiply(&read.layout, read.bytes.data(), 0, rows, &x[std::size_t{c} * cols], &ordered[c * rows]), SQ_STATUS_SUCCESS);
                }
                ASSERT_EQ(bits_of(multiply(store, request, SQC_ARITHMETIC_INT8, columns, x).y), bits_of(slow));
                ASSERT_EQ(bits_of(multiply(store, request, SQC_ARITHMETIC_FP32, columns, x).y), bits_of(ordered));
            }
    }

    Store store{64u << 20};
};

TEST_P(Multiplier, GivesTheDocumentedBitsForEveryWidthAndShape)
{
    int number = 0;
    for (const auto [rows, cols] : shapes) {
        const auto handle = store.make("w" + std::to_string(number++), rows, cols);
        ASSERT_EQ(store.write(handle, weights(SQ_DTYPE_BF16, std::uint64_t{rows} * cols, rows + cols)), SQ_STATUS_SUCCESS);
        expect_exact(handle, 0, rows, 1);
    }
}

TEST_P(Multiplier, GivesThemForEveryNumberOfColumns)
{
    const auto handle = store.make("w", 37, 1056);
    ASSERT_EQ(store.write(handle, weights(SQ_DTYPE_BF16, 37 * 1056, 5)), SQ_STATUS_SUCCESS);
    for (std::uint32_t columns = 2; columns <= SQC_COLUMNS_MAX; columns = columns < 4 ? columns + 1 : columns * 2)
        expect_exact(handle, 0, 37, columns);
}

TEST_P(Multiplier, GivesThemAtTheEndsOfTheNumberRange)
{
    const auto handle = store.make("w", 64, 2080, SQ_DTYPE_FP32);
    ASSERT_EQ(store.write(handle, extremes(64 * 2080, 1)), SQ_STATUS_SUCCESS);
    expect_exact(handle, 0, 64, 1);
    expect_exact(handle, 0, 64, 3);
}

TEST_P(Multiplier, GivesThemForEveryDtype)
{
    for (const std::uint8_t dtype : {SQ_DTYPE_FP16, SQ_DTYPE_FP32}) {
        const auto handle = store.make("w" + std::to_string(dtype), 9, 1000, dtype);
        ASSERT_EQ(store.write(handle, weights(dtype, 9 * 1000, dtype)), SQ_STATUS_SUCCESS);
        expect_exact(handle, 0, 9, 1);
    }
}

// Sums of bytes' products must fit wherever a version adds them up.
TEST_P(Multiplier, LosesNothingOfTheLargestSums)
{
    const std::uint32_t rows = 4, cols = 512;
    const auto handle = store.make("w", rows, cols);
    Bytes words(rows * cols * 2);
    for (std::uint32_t i = 0; i < rows * cols; ++i) {
        const bool negative[rows] = {false, true, i % 2 != 0, i % 64 >= 32};
        words[2 * i] = 0xff;  // all bits of a magnitude set
        words[2 * i + 1] = negative[i / cols] ? 0xbf : 0x3f;
    }
    ASSERT_EQ(store.write(handle, words), SQ_STATUS_SUCCESS);
    for (unsigned bits = 2; bits <= 8; ++bits)
        for (const float value : {1.0f, -1.0f}) {
            const sqc_read_request request = {handle, static_cast<std::uint16_t>(SQ_FORMAT_FAMILY_MXINT << 8 | bits), SQ_ROUNDING_TRUNCATE, SQ_AXIS_ROW, 0, rows};
            const auto read = store.read(request);
            const Floats x(cols, value);
            Floats slow(rows);
            ASSERT_EQ(read.status, SQ_STATUS_SUCCESS);
            ASSERT_EQ(codes_of(read, 0)[0], (1 << (bits - 1)) - 1);
            for (std::uint32_t row = 0; row < rows; ++row)
                slow[row] = slow_int8(read, row, x.data());
            EXPECT_EQ(bits_of(multiply(store, request, SQC_ARITHMETIC_INT8, 1, x).y), bits_of(slow)) << "mxint" << bits;
        }
}

TEST_P(Multiplier, TakesSomeRows)
{
    const auto handle = store.make("w", 200, 992);
    ASSERT_EQ(store.write(handle, weights(SQ_DTYPE_BF16, 200 * 992, 8)), SQ_STATUS_SUCCESS);
    for (const auto& [first, rows] : {std::pair<std::uint32_t, std::uint32_t>{0, 1}, {65, 2}, {66, 70}, {199, 1}})
        expect_exact(handle, first, rows, 2);
}

TEST_P(Multiplier, TakesWhatWasNeverWrittenAsZeros)
{
    const auto handle = store.make("w", 300, 992);
    expect_exact(handle, 0, 300, 1);
    ASSERT_EQ(store.write(handle, weights(SQ_DTYPE_BF16, 2 * 992, 8), 150, 2), SQ_STATUS_SUCCESS);
    expect_exact(handle, 0, 300, 1);
}

TEST_P(Multiplier, KeepsToTheCodesWhereElementsAreEscapes)
{
    const auto handle = store.make("w", 4, 512);
    Bytes data(4 * 512 * 2);
    for (std::size_t i = 0; i < data.size() / 2; ++i)
        data[2 * i] = static_cast<std::uint8_t>(i * 37), data[2 * i + 1] = i % 32 == 0 ? 0x50 : 0x10;
    ASSERT_EQ(store.write(handle, data), SQ_STATUS_SUCCESS);
    ASSERT_GT(store.info(handle).escapes, 0u);
    expect_exact(handle, 0, 4, 1);
}

TEST_P(Multiplier, CountsTheLinesOfThePlanesThatItReads)
{
    const std::uint64_t rows = 48, cols = 4096, lines = rows * cols / SQC_LINE_ELEMENTS;
    const std::uint64_t exponent_lines = rows * cols / group / SQC_LINE_BYTES;
    const auto handle = store.make("w", rows, cols);
    const auto x = values(cols, 1);
    ASSERT_EQ(store.write(handle, weights(SQ_DTYPE_BF16, rows * cols, 2)), SQ_STATUS_SUCCESS);
    for (unsigned bits = 2; bits <= 8; ++bits)
        for (const std::uint8_t rounding : roundings) {
            const auto format = static_cast<std::uint16_t>(SQ_FORMAT_FAMILY_MXINT << 8 | bits);
            const std::uint64_t expected = (bits + (rounding == SQ_ROUNDING_NEAREST)) * lines + exponent_lines;
            const auto before = store.statistics(SQC_STATISTICS_REGION, handle);
            const auto product = multiply(store, {handle, format, rounding, SQ_AXIS_ROW, 0, rows}, SQC_ARITHMETIC_INT8, 1, x);
            const auto after = store.statistics(SQC_STATISTICS_REGION, handle);
            EXPECT_EQ(product.result.plane_lines, expected);
            EXPECT_EQ(product.result.check_lines, 0u);
            EXPECT_EQ(product.checked.check_lines, expected);
            EXPECT_EQ(product.result.elements, rows * cols);
            EXPECT_EQ(product.result.baseline_lines, rows * cols * 2 / SQC_LINE_BYTES);
            EXPECT_EQ(after.plane_lines - before.plane_lines, expected);
            EXPECT_EQ(after.check_lines - before.check_lines, expected);
            EXPECT_EQ(after.requests - before.requests, 1u);
            const auto read = store.read({handle, format, rounding, SQ_AXIS_ROW, 0, rows});
            EXPECT_EQ(product.result.plane_lines, read.result.plane_lines);
            EXPECT_EQ(product.result.dram_time_ns, read.result.dram_time_ns);
            EXPECT_EQ(product.result.dram_energy_pj, read.result.dram_energy_pj);
        }
}

TEST_P(Multiplier, CountsTheLinesOfSomeRows)
{
    const auto handle = store.make("w", 300, 992);
    const auto x = values(992, 1);
    ASSERT_EQ(store.write(handle, weights(SQ_DTYPE_BF16, 100 * 992, 2), 100, 100), SQ_STATUS_SUCCESS);
    for (const auto& [first, rows] : {std::pair<std::uint32_t, std::uint32_t>{0, 300}, {0, 20}, {64, 5}, {199, 101}}) {
        const sqc_read_request request = {handle, SQ_FORMAT_FAMILY_MXINT << 8 | 4, SQ_ROUNDING_TRUNCATE, SQ_AXIS_ROW, first, rows};
        EXPECT_EQ(multiply(store, request, SQC_ARITHMETIC_FP32, 1, x).result.plane_lines, store.read(request).result.plane_lines);
    }
}

// Bytes of a read of planes<k> give what the region gives.
TEST_P(Multiplier, TakesPlanesThatWereRead)
{
    const std::uint32_t rows = 40, cols = 1000, columns = 2;
    const auto handle = store.make("w", rows, cols);
    const auto x = values(cols * columns, 3);
    ASSERT_EQ(store.write(handle, weights(SQ_DTYPE_BF16, rows * cols, 2)), SQ_STATUS_SUCCESS);
    for (unsigned bits = 2; bits <= 8; ++bits)
        for (const std::uint8_t rounding : roundings) {
            const unsigned planes_count = bits + (rounding == SQ_ROUNDING_NEAREST);
            const auto format = static_cast<std::uint16_t>(SQ_FORMAT_FAMILY_MXINT << 8 | bits);
            auto read = store.read(handle, static_cast<std::uint16_t>(SQ_FORMAT_FAMILY_PLANES << 8 | planes_count));
            ASSERT_EQ(read.status, SQ_STATUS_SUCCESS);
            read.bytes.resize(read.bytes.size() + SQC_LINE_BYTES, 0xff);
            sqc_plane_bytes planes;
            sqc_plane_source source;
            sqc_activations in;
            std::uint64_t error_at = 0;
            const Memory memory(sqc_activations_bytes(SQC_ARITHMETIC_INT8, cols, columns));
            Floats y(rows * columns);
            sqc_plane_bytes_source(&read.layout, 1024, read.bytes.data(), &planes, &source);
            ASSERT_EQ(sqc_activations_make(&in, SQC_ARITHMETIC_INT8, bits, cols, columns, x.data(), memory.get(), &error_at), SQ_STATUS_SUCCESS);
            sqc_multiply_rows(&source, &in, 0, rows, y.data(), rows);
            EXPECT_EQ(bits_of(y), bits_of(multiply(store, {handle, format, rounding, SQ_AXIS_ROW, 0, rows}, SQC_ARITHMETIC_INT8, columns, x).y));
        }
}

// Exponent 255, which no store makes: no number comes out, and the same way
// as from codes with that scale. NaN has many bit patterns, which are not told apart.
TEST_P(Multiplier, TakesAnExponentOf255AsNoNumber)
{
    const std::uint32_t rows = 4, cols = 1024;
    const auto handle = store.make("w", rows, cols);
    auto x = values(cols, 3);
    auto words = weights(SQ_DTYPE_BF16, rows * cols, 2);
    const std::uint32_t places[] = {0, 17, 31};  // groups of rows 0, 1 and 2
    // All above 0 and no code 0: else any arithmetic ends at infinity less infinity.
    for (float &value : x)
        value = 1 + std::abs(value);
    for (std::size_t i = 0; i < words.size(); i += 2) {  // from 1 up to 2
        words[i] |= 0x80;
        words[i + 1] = 0x3f;
    }
    ASSERT_EQ(store.write(handle, words), SQ_STATUS_SUCCESS);
    for (unsigned bits = 2; bits <= 8; ++bits)
        for (const auto arithmetic : {SQC_ARITHMETIC_INT8, SQC_ARITHMETIC_FP32}) {
            const auto format = static_cast<std::uint16_t>(SQ_FORMAT_FAMILY_MXINT << 8 | bits);
            auto codes = store.read({handle, format, SQ_ROUNDING_TRUNCATE, SQ_AXIS_ROW, 0, rows});
            auto read = store.read(handle, static_cast<std::uint16_t>(SQ_FORMAT_FAMILY_PLANES << 8 | bits));
            ASSERT_EQ(codes.status, SQ_STATUS_SUCCESS);
            ASSERT_EQ(read.status, SQ_STATUS_SUCCESS);
            for (std::uint32_t row = 0; row < std::size(places); ++row) {
                codes.bytes[codes.layout.scale_offset + row * codes.layout.scale_row_bytes + places[row]] = 255;
                read.bytes[read.layout.scale_offset + row * cols / group + places[row]] = 255;
            }
            read.bytes.resize(read.bytes.size() + SQC_LINE_BYTES, 0xff);
            sqc_plane_bytes planes;
            sqc_plane_source source;
            sqc_activations in;
            std::uint64_t error_at = 0;
            const Memory memory(sqc_activations_bytes(arithmetic, cols, 1));
            Floats y(rows), slow(rows);
            sqc_plane_bytes_source(&read.layout, cols, read.bytes.data(), &planes, &source);
            ASSERT_EQ(sqc_activations_make(&in, arithmetic, bits, cols, 1, x.data(), memory.get(), &error_at), SQ_STATUS_SUCCESS);
            sqc_multiply_rows(&source, &in, 0, rows, y.data(), rows);
            if (arithmetic == SQC_ARITHMETIC_FP32)
                ASSERT_EQ(sqc_multiply(&codes.layout, codes.bytes.data(), 0, rows, x.data(), slow.data()), SQ_STATUS_SUCCESS);
            else
                for (std::uint32_t row = 0; row < rows; ++row)
                    slow[row] = slow_int8(codes, row, x.data());
            for (std::uint32_t row = 0; row < rows; ++row) {
                SCOPED_TRACE(testing::Message() << bits << " bits, arithmetic " << arithmetic << ", row " << row);
                EXPECT_EQ(std::isfinite(y[row]), row == 3);
                if (std::isnan(slow[row]))
                    EXPECT_TRUE(std::isnan(y[row]));
                else
                    EXPECT_EQ(bits_of({y[row]}), bits_of({slow[row]}));
            }
        }
}

INSTANTIATE_TEST_SUITE_P(Kernels, Multiplier, testing::Values(SQC_LEVEL_PORTABLE, SQC_LEVEL_AVX2, SQC_LEVEL_AVX512), kernel_name);

TEST(MultiplierRequests, AreRefusedWhereThereAreNoSuchCodes)
{
    Store store;
    const auto aligned = store.make("aligned", 2, 64);
    const auto word = store.make("word", 2, 64, SQ_DTYPE_BF16, SQ_PLACEMENT_WORD);
    const auto begin = [&](const sqc_read_request& request) {
        sqc_multiplier multiplier;
        return sqc_multiplier_begin(&multiplier, store.get(), &request);
    };
    const std::uint16_t mxint4 = SQ_FORMAT_FAMILY_MXINT << 8 | 4;
    EXPECT_EQ(begin({aligned, mxint4, SQ_ROUNDING_DEFAULT, SQ_AXIS_ROW, 0, 2}), SQ_STATUS_SUCCESS);
    EXPECT_EQ(begin({aligned, mxint4, SQ_ROUNDING_EVEN, SQ_AXIS_ROW, 0, 2}), SQ_STATUS_UNSUPPORTED);
    EXPECT_EQ(begin({aligned, mxint4, SQ_ROUNDING_DEFAULT, SQ_AXIS_COL, 0, 2}), SQ_STATUS_UNSUPPORTED);
    EXPECT_EQ(begin({aligned, SQ_FORMAT_BF16, SQ_ROUNDING_DEFAULT, SQ_AXIS_ROW, 0, 2}), SQ_STATUS_UNSUPPORTED);
    EXPECT_EQ(begin({word, mxint4, SQ_ROUNDING_DEFAULT, SQ_AXIS_ROW, 0, 2}), SQ_STATUS_UNSUPPORTED);
    EXPECT_EQ(begin({aligned, mxint4, SQ_ROUNDING_DEFAULT, SQ_AXIS_ROW, 1, 2}), SQ_STATUS_RANGE);
    EXPECT_EQ(begin({aligned, mxint4, SQ_ROUNDING_DEFAULT, SQ_AXIS_ROW, 0, 0}), SQ_STATUS_RANGE);
    EXPECT_EQ(begin({0, mxint4, SQ_ROUNDING_DEFAULT, SQ_AXIS_ROW, 0, 2}), SQ_STATUS_INVALID_HANDLE);
}

TEST(MultiplierRequests, FindDamageWhenTheyAreChecked)
{
    Store store;
    const auto handle = store.make("w", 40, 2048);
    const sqc_read_request request = {handle, SQ_FORMAT_FAMILY_MXINT << 8 | 4, SQ_ROUNDING_TRUNCATE, SQ_AXIS_ROW, 0, 40};
    sqc_multiplier multiplier;
    Result result;
    ASSERT_EQ(store.write(handle, weights(SQ_DTYPE_BF16, 40 * 2048, 2)), SQ_STATUS_SUCCESS);
    ASSERT_EQ(sqc_multiplier_begin(&multiplier, store.get(), &request), SQ_STATUS_SUCCESS);
    EXPECT_FALSE(sqc_multiplier_is_current(&multiplier));
    ASSERT_EQ(sqc_multiplier_check(&multiplier, &result), SQ_STATUS_SUCCESS);
    EXPECT_TRUE(sqc_multiplier_is_current(&multiplier));
    sqc_plane_block block;
    multiplier.source.block(&multiplier.source, 1, &block);
    const_cast<std::uint8_t*>(block.at.plane[2])[5] ^= 4;
    EXPECT_EQ(sqc_multiplier_check(&multiplier, &result), SQ_STATUS_MEDIA_FAILURE);
    EXPECT_EQ(result.error_row, 32u);
    EXPECT_EQ(store.statistics().media_errors, 1u);
}

TEST(MultiplierRequests, AreOutOfDateAfterAStore)
{
    Store store;
    const auto handle = store.make("w", 4, 64);
    const sqc_read_request request = {handle, SQ_FORMAT_FAMILY_MXINT << 8 | 4, SQ_ROUNDING_TRUNCATE, SQ_AXIS_ROW, 0, 4};
    sqc_multiplier multiplier;
    Result result;
    ASSERT_EQ(sqc_multiplier_begin(&multiplier, store.get(), &request), SQ_STATUS_SUCCESS);
    ASSERT_EQ(sqc_multiplier_check(&multiplier, &result), SQ_STATUS_SUCCESS);
    ASSERT_EQ(store.write(handle, weights(SQ_DTYPE_BF16, 4 * 64, 2)), SQ_STATUS_SUCCESS);
    EXPECT_FALSE(sqc_multiplier_is_current(&multiplier));
    ASSERT_EQ(sqc_flush(store.get(), handle), SQ_STATUS_SUCCESS);
    ASSERT_EQ(sqc_multiplier_check(&multiplier, &result), SQ_STATUS_SUCCESS);
    EXPECT_TRUE(sqc_multiplier_is_current(&multiplier));
}

TEST(Activations, BecomeCodesOfTheNearestMultipleOfTheScale)
{
    std::int8_t codes[group];
    float scale = 0;
    const Floats x = {127, -127, 0.5f, 1.5f, -2.5f, 126.4f, 0};
    ASSERT_TRUE(sqc_activation_group(x.data(), static_cast<std::uint32_t>(x.size()), codes, &scale));
    EXPECT_EQ(scale, 1.0f);
    EXPECT_EQ(std::vector<int>(codes, codes + 8), (std::vector<int>{127, -127, 0, 2, -2, 126, 0, 0}));
    for (const float largest : {std::numeric_limits<float>::max(), std::ldexp(1.0f, -100), 3.3e-7f}) {
        ASSERT_TRUE(sqc_activation_group(&largest, 1, codes, &scale));
        EXPECT_EQ(codes[0], 127);
        EXPECT_EQ(scale, largest / 127);
    }
    const float tiny = std::ldexp(0.99f, -100);
    ASSERT_TRUE(sqc_activation_group(&tiny, 1, codes, &scale));
    EXPECT_EQ(codes[0], 0);
    EXPECT_EQ(scale, 0.0f);
}

TEST(Activations, OfNoNumberAreRefusedByTheirPlace)
{
    for (const float bad : {std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()})
        for (const auto arithmetic : {SQC_ARITHMETIC_INT8, SQC_ARITHMETIC_FP32}) {
            Floats x(2 * 700, 1.0f);
            x[700 + 650] = bad;
            x[700 + 651] = bad;
            const Memory memory(sqc_activations_bytes(arithmetic, 700, 2));
            sqc_activations in;
            std::uint64_t error_at = 0;
            EXPECT_EQ(sqc_activations_make(&in, arithmetic, 4, 700, 2, x.data(), memory.get(), &error_at), SQ_STATUS_NON_FINITE);
            EXPECT_EQ(error_at, 1350u);
        }
}

}  // namespace
}  // namespace controller
