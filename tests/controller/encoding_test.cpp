// SPDX-License-Identifier: MIT
//
// Words of the float types against exact arithmetic, and ggml's block types
// against values that ggml's own reference gave (tests/golden/make-ggml.py).
#include "format_rows.hpp"
#include "golden.hpp"

#include <limits>
#include <map>

namespace {

struct FloatType {
    const char* name;
    std::uint8_t dtype;
    int fraction_bits;
    int emin;
    int emax;
};

constexpr FloatType bf16{"bf16", SQ_DTYPE_BF16, 7, -126, 127};
constexpr FloatType fp16{"fp16", SQ_DTYPE_FP16, 10, -14, 15};

// The value of a 16-bit word, from the definition of the type.
double value_of(const FloatType& type, std::uint32_t word)
{
    const int exponent_bits = 15 - type.fraction_bits;
    const int field = static_cast<int>(word >> type.fraction_bits) & ((1 << exponent_bits) - 1);
    const int fraction = static_cast<int>(word) & ((1 << type.fraction_bits) - 1);
    const double sign = word & 0x8000 ? -1.0 : 1.0;
    if (field == (1 << exponent_bits) - 1)
        return fraction ? NAN : sign * INFINITY;
    const double significand = fraction + (field ? 1 << type.fraction_bits : 0);
    return sign * std::ldexp(significand, std::max(field, 1) - 1 + type.emin - type.fraction_bits);
}

// Nearest even, from the definition: round in units of the last place.
double rounded(const FloatType& type, double v)
{
    if (v == 0 || !std::isfinite(v))
        return v;
    const double unit = std::ldexp(1.0, std::max(std::ilogb(v), type.emin) - type.fraction_bits);
    const double result = std::nearbyint(v / unit) * unit;
    return std::fabs(result) >= std::ldexp(1.0, type.emax + 1) ? std::copysign(INFINITY, v) : result;
}

std::uint16_t word_of(const FloatType& type, float v)
{
    std::uint8_t bytes[2];
    sqc_values_to_words(type.dtype, &v, 1, bytes);
    return static_cast<std::uint16_t>(bytes[0] | bytes[1] << 8);
}

class FloatWords : public testing::TestWithParam<FloatType> {};

TEST_P(FloatWords, WidenExactlyAndComeBackForAllOfThem)
{
    for (std::uint32_t word = 0; word < 0x10000; ++word) {
        const std::uint8_t bytes[2] = {static_cast<std::uint8_t>(word), static_cast<std::uint8_t>(word >> 8)};
        float value;
        sqc_words_to_values(GetParam().dtype, bytes, 1, &value);
        const double expected = value_of(GetParam(), word);
        ASSERT_EQ(std::signbit(value), (word & 0x8000) != 0) << std::hex << word;
        if (std::isnan(expected)) {
            ASSERT_TRUE(std::isnan(value)) << std::hex << word;
            ASSERT_TRUE(std::isnan(value_of(GetParam(), word_of(GetParam(), value)))) << std::hex << word;
            continue;
        }
        ASSERT_EQ(value, expected) << std::hex << word;
        ASSERT_EQ(word_of(GetParam(), value), word);
    }
}

TEST_P(FloatWords, NarrowToNearestEven)
{
    std::mt19937 random(3);
    auto expect = [&](float v) {
        const double result = value_of(GetParam(), word_of(GetParam(), v));
        ASSERT_EQ(result, rounded(GetParam(), v)) << std::hexfloat << v;
        ASSERT_EQ(std::signbit(result), std::signbit(v));
    };
    for (int i = 0; i < 300000; ++i)
        expect(rows::finite_from(static_cast<std::uint32_t>(random())));
    // Each word, the middle to its neighbour, and both sides of the middle.
    for (std::uint32_t word = 0; word + 1 < 0x8000; ++word) {
        const double low = value_of(GetParam(), word), high = value_of(GetParam(), word + 1);
        if (!std::isfinite(high))
            break;
        const auto middle = static_cast<float>((low + high) / 2);
        for (const float v : {middle, std::nextafter(middle, 0.0f), std::nextafter(middle, INFINITY)}) {
            expect(v);
            expect(-v);
        }
    }
    for (const float v : {65504.0f, 65519.996f, 65520.0f, 3.3895314e38f, 3.3961775e38f, 3.4028235e38f, INFINITY})
        expect(v);
}

INSTANTIATE_TEST_SUITE_P(Types, FloatWords, testing::Values(bf16, fp16),
                         [](const auto& tested) { return std::string(tested.param.name); });

TEST(Words, OfFp32PassUnchanged)
{
    std::mt19937 random(4);
    for (int i = 0; i < 1000; ++i) {
        const auto bits = static_cast<std::uint32_t>(random());
        std::uint8_t words[4];
        float value;
        std::memcpy(words, &bits, 4);
        sqc_words_to_values(SQ_DTYPE_FP32, words, 1, &value);
        EXPECT_EQ(rows::bits_of(value), bits);
        std::uint8_t back[4];
        sqc_values_to_words(SQ_DTYPE_FP32, &value, 1, back);
        EXPECT_EQ(std::memcmp(words, back, 4), 0);
    }
}

TEST(Words, OfInt8RoundToEvenAndSaturate)
{
    const std::vector<std::pair<float, int>> cases = {
        {0.0f, 0}, {-0.0f, 0}, {0.5f, 0}, {1.5f, 2}, {-2.5f, -2}, {126.5f, 126}, {127.5f, 127}, {1e30f, 127},
        {-128.0f, -128}, {-128.6f, -128}, {-1e30f, -128}, {INFINITY, 127}, {-INFINITY, -128}, {NAN, 0}};
    for (const auto& [value, expected] : cases) {
        std::int8_t word;
        sqc_values_to_words(SQ_DTYPE_INT8, &value, 1, &word);
        EXPECT_EQ(word, expected) << value;
    }
    for (int i = -128; i < 128; ++i) {
        const auto word = static_cast<std::int8_t>(i);
        float value;
        sqc_words_to_values(SQ_DTYPE_INT8, &word, 1, &value);
        EXPECT_EQ(value, static_cast<float>(i));
    }
}

const std::map<std::string, std::uint16_t> ggml_types = {
    {"q4_0", SQ_GGML_Q4_0}, {"q4_1", SQ_GGML_Q4_1}, {"q5_0", SQ_GGML_Q5_0}, {"q5_1", SQ_GGML_Q5_1},
    {"q8_0", SQ_GGML_Q8_0}, {"q2_k", SQ_GGML_Q2_K}, {"q3_k", SQ_GGML_Q3_K}, {"q4_k", SQ_GGML_Q4_K},
    {"q5_k", SQ_GGML_Q5_K}, {"q6_k", SQ_GGML_Q6_K}, {"mxfp4", SQ_GGML_MXFP4}};

TEST(Encodings, OfGgmlGiveTheValuesOfItsReference)
{
    const auto document = golden::load("ggml-dequantize.json");
    ASSERT_EQ(document["types"].size(), ggml_types.size());
    for (const auto& type : document["types"]) {
        const std::string name = type["name"];
        SCOPED_TRACE(name);
        const auto blocks = golden::bytes(type["blocks"]);
        const auto expected = golden::floats(type["values"]);
        const sqc_encoding* encoding = sqc_encoding_find(SQ_ENCODING_GGML(ggml_types.at(name)));
        ASSERT_NE(encoding, nullptr);
        EXPECT_EQ(encoding->name, name);
        const auto count = blocks.size() / encoding->block_bytes;
        ASSERT_EQ(blocks.size(), count * encoding->block_bytes);
        ASSERT_EQ(expected.size(), count * encoding->block_elements);
        std::vector<float> values(expected.size());
        encoding->decode(blocks.data(), count, values.data());
        for (std::size_t i = 0; i < values.size(); ++i)
            ASSERT_EQ(rows::bits_of(values[i]), rows::bits_of(expected[i])) << "element " << i;
    }
}

TEST(Encodings, AreListedAndSizedByTheTable)
{
    std::uint16_t code;
    unsigned int count = 0;
    for (; sqc_encoding_at(count, &code); ++count) {
        const sqc_encoding* encoding = sqc_encoding_find(code);
        ASSERT_NE(encoding, nullptr);
        std::uint32_t elements, bytes;
        ASSERT_TRUE(sqc_encoding_block(code, &elements, &bytes));
        EXPECT_EQ(elements, encoding->block_elements);
        EXPECT_EQ(bytes, encoding->block_bytes);
        EXPECT_EQ(encoding->exact, elements == 1);
    }
    EXPECT_EQ(count, 3 + ggml_types.size());
    std::uint32_t elements, bytes;
    EXPECT_FALSE(sqc_encoding_block(SQ_ENCODING_DTYPE, &elements, &bytes));
    EXPECT_FALSE(sqc_encoding_block(SQ_ENCODING_GGML(255), &elements, &bytes));
    EXPECT_EQ(sqc_encoding_find(0xffff), nullptr);
}

TEST(Encodings, OfFloatsAreTheirWords)
{
    const std::uint16_t codes[] = {SQ_ENCODING_BF16, SQ_ENCODING_FP16, SQ_ENCODING_FP32};
    const std::uint8_t dtypes[] = {SQ_DTYPE_BF16, SQ_DTYPE_FP16, SQ_DTYPE_FP32};
    for (int t = 0; t < 3; ++t) {
        const sqc_encoding* encoding = sqc_encoding_find(codes[t]);
        ASSERT_NE(encoding, nullptr);
        ASSERT_EQ(encoding->block_bytes, sqc_dtype_bytes(dtypes[t]));
        const float values[3] = {1.5f, -0.25f, 6.103515625e-05f};
        std::uint8_t words[12];
        float back[3];
        sqc_values_to_words(dtypes[t], values, 3, words);
        encoding->decode(words, 3, back);
        for (int i = 0; i < 3; ++i)
            EXPECT_EQ(back[i], values[i]);
    }
}

TEST(Dtypes, HaveTheirSizesAndPlanes)
{
    EXPECT_EQ(sqc_dtype_bytes(SQ_DTYPE_BF16), 2u);
    EXPECT_EQ(sqc_dtype_bytes(SQ_DTYPE_FP32), 4u);
    EXPECT_EQ(sqc_dtype_bytes(SQ_DTYPE_U8), 1u);
    EXPECT_EQ(sqc_dtype_bytes(0), 0u);
    EXPECT_EQ(sqc_dtype_bytes(200), 0u);
    EXPECT_EQ(sqc_dtype_planes(SQ_DTYPE_BF16), 16u);
    EXPECT_EQ(sqc_dtype_planes(SQ_DTYPE_FP16), 20u);
    EXPECT_EQ(sqc_dtype_planes(SQ_DTYPE_FP32), 32u);
    EXPECT_EQ(sqc_dtype_planes(SQ_DTYPE_INT8), 0u);
    EXPECT_EQ(sqc_dtype_planes(200), 0u);
}

}  // namespace
