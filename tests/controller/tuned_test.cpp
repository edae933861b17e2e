// SPDX-License-Identifier: MIT
//
// Placement tuned: codebooks are nested and good at every width, words come
// back exactly, and bits that lie do no harm.
#include "format_rows.hpp"
#include "tuned.h"

#include <memory>
#include <numeric>

namespace {

constexpr std::uint8_t dtypes[] = {SQ_DTYPE_BF16, SQ_DTYPE_FP16, SQ_DTYPE_FP32};

rows::Bytes words_of(std::uint8_t dtype, const std::vector<float>& values)
{
    rows::Bytes words(values.size() * sqc_dtype_bytes(dtype));
    sqc_values_to_words(dtype, values.data(), values.size(), words.data());
    return words;
}

std::vector<float> values_of(std::uint8_t dtype, const rows::Bytes& words)
{
    std::vector<float> values(words.size() / sqc_dtype_bytes(dtype));
    sqc_words_to_values(dtype, words.data(), values.size(), values.data());
    return values;
}

// Finite after rounding to the dtype.
std::vector<float> finite(std::uint8_t dtype, std::vector<float> values)
{
    for (auto& v : values) {
        if (!std::isfinite(values_of(dtype, words_of(dtype, {v}))[0]))
            v = 1.0f;
    }
    return values;
}

sqc_codebook codebook_of(std::uint8_t dtype, const rows::Bytes& words)
{
    auto builder = std::make_unique<sqc_codebook_builder>();
    sqc_codebook codebook;
    sqc_codebook_begin(builder.get());
    for (std::size_t at = 0; at < words.size(); at += 32 * sqc_dtype_bytes(dtype))
        sqc_codebook_add(builder.get(), dtype, words.data() + at, nullptr);
    sqc_codebook_finish(builder.get(), &codebook);
    return codebook;
}

std::vector<float> gaussian(std::size_t count, unsigned int seed, float spread = 0.02f)
{
    std::mt19937 random(seed);
    std::normal_distribution<float> normal(0, spread);
    std::vector<float> values(count);
    for (auto& v : values)
        v = normal(random);
    return values;
}

struct Coded {
    std::unique_ptr<sqc_tuned_coder> coder = std::make_unique<sqc_tuned_coder>();
    std::vector<sqc_tuned_group> groups;
    std::size_t escapes = 0;

    Coded(const sqc_codebook& codebook, std::uint8_t dtype, const rows::Bytes& words)
    {
        sqc_tuned_begin(coder.get(), &codebook);
        groups.resize(words.size() / (32 * sqc_dtype_bytes(dtype)));
        for (std::size_t g = 0; g < groups.size(); ++g) {
            sqc_tuned_encode(coder.get(), dtype, words.data() + g * 32 * sqc_dtype_bytes(dtype), &groups[g]);
            escapes += static_cast<std::size_t>(__builtin_popcount(groups[g].escaped));
        }
    }

    void expect_words(std::uint8_t dtype, const rows::Bytes& words) const
    {
        const std::size_t bytes = sqc_dtype_bytes(dtype);
        rows::Bytes back(32 * bytes);
        for (std::size_t g = 0; g < groups.size(); ++g) {
            sqc_tuned_decode(coder.get(), dtype, &groups[g], back.data());
            for (std::size_t i = 0; i < 32; ++i) {
                if (groups[g].escaped >> i & 1)
                    continue;
                ASSERT_EQ(std::memcmp(&back[i * bytes], &words[(32 * g + i) * bytes], bytes), 0)
                    << "dtype " << int(dtype) << " group " << g << " element " << i;
            }
        }
    }
};

double relative_rms(const std::vector<float>& given, const std::vector<float>& got)
{
    double error = 0, power = 0;
    for (std::size_t i = 0; i < given.size(); ++i) {
        error += std::pow(static_cast<double>(given[i]) - got[i], 2);
        power += std::pow(static_cast<double>(given[i]), 2);
    }
    return std::sqrt(error / power);
}

std::vector<float> read(const Coded& coded, const sqc_codebook& codebook, std::uint8_t dtype, unsigned int bits,
                        std::uint32_t cols)
{
    const auto& format = rows::find("tuned" + std::to_string(bits));
    rows::Guarded codes(sqc_format_code_row_bytes(&format, dtype, cols));
    rows::Guarded scales(sqc_format_scale_row_bytes(&format, cols));
    auto groups = coded.groups;
    for (auto& group : groups) {        // as a reader has them: n planes
        for (auto& code : group.code)
            code &= ~(0xffffffffu >> bits);
    }
    const sqc_row_out out{codes.data(), nullptr, scales.data()};
    format.encode(&format, SQ_ROUNDING_EVEN, dtype, groups.data(), cols, &out);
    auto bytes = codes.take();
    const auto scale_bytes = scales.take();
    struct sqc_layout layout{};
    layout.format = format.code;
    layout.dtype = dtype;
    layout.rows = 1;
    layout.cols = cols;
    layout.code_row_bytes = bytes.size();
    layout.scale_offset = bytes.size();
    layout.scale_row_bytes = scale_bytes.size();
    bytes.insert(bytes.end(), scale_bytes.begin(), scale_bytes.end());
    std::vector<float> values(cols);
    EXPECT_EQ(sqc_decode(&layout, bytes.data(), 0, 1, values.data()), SQ_STATUS_FORMAT) << "without levels";
    EXPECT_EQ(sqc_decode_levels(&layout, sqc_codebook_levels(&codebook, bits), bytes.data(), 0, 1, values.data()),
              SQ_STATUS_SUCCESS);
    return values;
}

TEST(Codebook, IsNestedAndItsLevelsLieInTheirCells)
{
    const auto codebook = codebook_of(SQ_DTYPE_BF16, words_of(SQ_DTYPE_BF16, gaussian(1 << 15, 1)));
    ASSERT_TRUE(sqc_codebook_valid(&codebook));
    for (unsigned int bits = 2; bits <= 8; ++bits) {
        const float* levels = sqc_codebook_levels(&codebook, bits);
        for (unsigned int c = 0; c < 1u << bits; ++c) {
            const float low = static_cast<float>(codebook.cut[c << (8 - bits)]) / SQC_TUNED_GRID;
            const float high = static_cast<float>(codebook.cut[(c + 1) << (8 - bits)]) / SQC_TUNED_GRID;
            EXPECT_GE(levels[c], low) << bits << " bits, cell " << c;
            EXPECT_LE(levels[c], high) << bits << " bits, cell " << c;
        }
    }
}

TEST(Codebook, IsTheSameForTheSameData)
{
    const auto words = words_of(SQ_DTYPE_BF16, gaussian(1 << 14, 2));
    const auto a = codebook_of(SQ_DTYPE_BF16, words), b = codebook_of(SQ_DTYPE_BF16, words);
    EXPECT_EQ(std::memcmp(&a, &b, sizeof(a)), 0);
}

TEST(Codebook, OfNoDataIsValidAndUniform)
{
    for (const auto& values : {std::vector<float>{}, std::vector<float>(64, 0.0f), std::vector<float>(32, -0.0f)}) {
        const auto codebook = codebook_of(SQ_DTYPE_BF16, words_of(SQ_DTYPE_BF16, values));
        ASSERT_TRUE(sqc_codebook_valid(&codebook));
        EXPECT_EQ(codebook.cut[128], 0);
        EXPECT_NEAR(sqc_codebook_levels(&codebook, 3)[7], 0.875f, 0.01f);
    }
}

TEST(Codebook, OfOneValueIsValid)
{
    for (const float v : {1.0f, -3.0f, 1e-30f, 3e38f}) {
        const auto codebook = codebook_of(SQ_DTYPE_FP32, words_of(SQ_DTYPE_FP32, std::vector<float>(64, v)));
        ASSERT_TRUE(sqc_codebook_valid(&codebook)) << v;
        EXPECT_EQ(sqc_codebook_levels(&codebook, 2)[3], 1.0f) << v;
    }
}

TEST(Codebook, ThatLiesIsNotValid)
{
    const auto good = codebook_of(SQ_DTYPE_BF16, words_of(SQ_DTYPE_BF16, gaussian(1 << 12, 3)));
    auto bad = good;
    bad.cut[0] = -4095;
    EXPECT_FALSE(sqc_codebook_valid(&bad));
    bad = good;
    bad.cut[256] = 32767;
    EXPECT_FALSE(sqc_codebook_valid(&bad));
    bad = good;
    std::swap(bad.cut[100], bad.cut[101]);
    EXPECT_FALSE(sqc_codebook_valid(&bad)) << "not in order";
    bad = good;
    for (auto& cut : bad.cut)
        cut = cut == 0 ? 1 : cut;
    EXPECT_FALSE(sqc_codebook_valid(&bad)) << "a cell with both signs";
    bad = good;
    bad.level[507] = INFINITY;
    EXPECT_FALSE(sqc_codebook_valid(&bad));
    bad = good;
    bad.reserved = 1;
    EXPECT_FALSE(sqc_codebook_valid(&bad));
}

TEST(Tuned, GivesEveryWordBackOrListsIt)
{
    std::mt19937 random(4);
    for (const auto dtype : dtypes) {
        const auto codebook = codebook_of(dtype, words_of(dtype, gaussian(1 << 13, 5)));
        for (int kind = 0; kind < rows::kinds; ++kind) {
            for (int repeat = 0; repeat < 20; ++repeat) {
                const auto words = words_of(dtype, finite(dtype, rows::make(random, kind, 32 * 8)));
                SCOPED_TRACE(testing::Message() << "kind " << kind << " repeat " << repeat);
                Coded(codebook, dtype, words).expect_words(dtype, words);
                if (HasFatalFailure())
                    return;
            }
        }
    }
}

TEST(Tuned, GivesEveryFiniteWordOfABfloatBackUnderEveryScale)
{
    const auto codebook = codebook_of(SQ_DTYPE_BF16, words_of(SQ_DTYPE_BF16, gaussian(1 << 13, 6)));
    for (const float scale : {1.0f, -1.9921875f, 1e-20f, -3.3e38f, 1e-32f, 1e-39f}) {
        std::vector<float> values;
        for (std::uint32_t word = 0; word < 0x10000; ++word) {
            const float v = rows::from_bits(word << 16);
            if (!(std::fabs(v) <= std::fabs(scale)))
                continue;
            if (values.size() % 32 == 0)
                values.push_back(scale);
            values.push_back(v);
        }
        values.resize((values.size() + 31) / 32 * 32, 0.0f);
        const auto words = words_of(SQ_DTYPE_BF16, values);
        Coded(codebook, SQ_DTYPE_BF16, words).expect_words(SQ_DTYPE_BF16, words);
    }
}

TEST(Tuned, ListsFewWordsOfOrdinaryWeights)
{
    for (const auto dtype : dtypes) {
        auto values = gaussian(1 << 15, 7);
        for (std::size_t i = 0; i < values.size(); i += 5)
            values[i] = i % 2 ? 0.0f : -0.0f;     // pruned weights are not escapes
        const auto words = words_of(dtype, values);
        const Coded coded(codebook_of(dtype, words), dtype, words);
        EXPECT_LT(static_cast<double>(coded.escapes) / static_cast<double>(values.size()), 0.03) << int(dtype);
    }
}

TEST(Tuned, CodesAreMonotoneInTheValue)
{
    for (const float sign : {1.0f, -1.0f}) {
        auto values = gaussian(32 * 64, 8);
        const auto codebook = codebook_of(SQ_DTYPE_BF16, words_of(SQ_DTYPE_BF16, values));
        for (std::size_t g = 0; g < values.size(); g += 32) {
            values[g] = sign;       // the scale
            std::sort(values.begin() + static_cast<std::ptrdiff_t>(g) + 1, values.begin() + static_cast<std::ptrdiff_t>(g) + 32);
        }
        const Coded coded(codebook, SQ_DTYPE_BF16, words_of(SQ_DTYPE_BF16, values));
        for (const auto& group : coded.groups) {
            for (std::size_t i = 2; i < 32; ++i) {
                const auto before = group.code[i - 1] >> 24, after = group.code[i] >> 24;
                ASSERT_TRUE(sign > 0 ? before <= after : before >= after);
            }
        }
    }
}

TEST(Tuned, EveryPrefixIsAGoodQuantiser)
{
    // Normal weights in groups of 32; the bounds are what Lloyd-Max at 3 bits
    // and nested halves give, with 3 % to spare.
    const double bounds[] = {0, 0, 0.36, 0.178, 0.089, 0.0445, 0.0225, 0.0115, 0.0058};
    for (const auto dtype : dtypes) {
        const auto words = words_of(dtype, gaussian(1 << 15, 9));
        const auto values = values_of(dtype, words);
        const auto codebook = codebook_of(dtype, words);
        const Coded coded(codebook, dtype, words);
        double last = 1;
        for (unsigned int bits = 2; bits <= 8; ++bits) {
            const double error =
                relative_rms(values, read(coded, codebook, dtype, bits, static_cast<std::uint32_t>(values.size())));
            EXPECT_LT(error, bounds[bits]) << bits << " bits, dtype " << int(dtype);
            EXPECT_LT(error, last);
            last = error;
        }
    }
}

TEST(Tuned, FormatsGiveCodesThenScales)
{
    // 1 and -0.5 under scale 1, 70 columns: three groups, the last one short.
    std::vector<float> values(96, 0.0f);
    for (std::size_t i = 0; i < 70; ++i)
        values[i] = i % 32 ? -0.5f : 1.0f;
    const auto words = words_of(SQ_DTYPE_BF16, values);
    const auto codebook = codebook_of(SQ_DTYPE_BF16, words);
    const Coded coded(codebook, SQ_DTYPE_BF16, words);
    for (unsigned int bits = 2; bits <= 8; ++bits) {
        const auto& format = rows::find("tuned" + std::to_string(bits));
        EXPECT_EQ(sqc_format_code_row_bytes(&format, SQ_DTYPE_BF16, 70), (70 * bits + 7) / 8);
        EXPECT_EQ(sqc_format_scale_row_bytes(&format, 70), 6u);
        EXPECT_EQ(sqc_format_bits(format.code, SQ_DTYPE_BF16), bits + 0.5);
        EXPECT_EQ(sqc_format_planes(&format, SQ_ROUNDING_DEFAULT, 13), bits);
        const auto got = read(coded, codebook, SQ_DTYPE_BF16, bits, 70);
        for (std::size_t i = 0; i < 70; ++i)
            EXPECT_NEAR(got[i], values[i], bits == 2 ? 0.3 : 0.001) << bits << " bits, element " << i;
    }
}

TEST(Tuned, AnyBitsDecodeToSomething)
{
    std::mt19937 random(10);
    const auto codebook = codebook_of(SQ_DTYPE_BF16, words_of(SQ_DTYPE_BF16, gaussian(1 << 12, 11)));
    sqc_tuned_coder coder;
    sqc_tuned_begin(&coder, &codebook);
    for (int i = 0; i < 20000; ++i) {
        sqc_tuned_group group;
        for (auto& code : group.code)
            code = static_cast<std::uint32_t>(random());
        group.scale = static_cast<std::uint16_t>(random());
        rows::Guarded words(128);
        const auto dtype = dtypes[random() % 3];
        sqc_tuned_decode(&coder, dtype, &group, words.data());
        words.take();
    }
}

TEST(Tuned, HasPlanesForTheFloatTypesOnly)
{
    EXPECT_EQ(sqc_tuned_planes(SQ_DTYPE_BF16), 13u);
    EXPECT_EQ(sqc_tuned_planes(SQ_DTYPE_FP16), 16u);
    EXPECT_EQ(sqc_tuned_planes(SQ_DTYPE_FP32), 29u);
    EXPECT_EQ(sqc_tuned_planes(SQ_DTYPE_INT8), 0u);
    EXPECT_EQ(sqc_tuned_planes(SQ_DTYPE_U8), 0u);
    EXPECT_EQ(sqc_tuned_planes(99), 0u);
}

}  // namespace
