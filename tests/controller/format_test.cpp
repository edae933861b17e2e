// SPDX-License-Identifier: MIT
//
// The block formats against a second implementation in doubles, written from
// the format document: one element at a time, exact (all values and all scaled
// values are doubles), no bits, no groups.
#include "format_rows.hpp"
#include "golden.hpp"

#include <algorithm>
#include <functional>
#include <set>

namespace {

constexpr std::uint8_t all_roundings[] = {SQ_ROUNDING_TRUNCATE, SQ_ROUNDING_NEAREST, SQ_ROUNDING_EVEN};

double rounded(double magnitude, std::uint8_t rounding)
{
    switch (rounding) {
    case SQ_ROUNDING_TRUNCATE: return std::floor(magnitude);
    case SQ_ROUNDING_NEAREST: return std::floor(magnitude + 0.5);
    default: return std::nearbyint(magnitude);
    }
}

bool all_zero(const std::vector<double>& values)
{
    return std::all_of(values.begin(), values.end(), [](double v) { return v == 0; });
}

int exponent_of(const std::vector<double>& values)
{
    double largest = 0;
    for (const double v : values)
        largest = std::max(largest, std::fabs(v));
    return std::clamp(std::ilogb(largest), -127, 127);
}

// What the planes that a rounding reads show: all for even.
std::vector<double> shown(const std::vector<float>& values, int n, std::uint8_t rounding)
{
    std::vector<double> result(values.begin(), values.end());
    if (rounding == SQ_ROUNDING_EVEN)
        return result;
    const int planes = rounding == SQ_ROUNDING_TRUNCATE ? n - 1 : n;
    for (std::size_t first = 0; first < result.size(); first += 32) {
        const std::vector<double> group(result.begin() + static_cast<std::ptrdiff_t>(first),
                                        result.begin() + static_cast<std::ptrdiff_t>(std::min(first + 32, result.size())));
        if (all_zero(group))
            continue;
        const double unit = std::ldexp(1.0, exponent_of(group) - (planes - 1));
        for (std::size_t i = first; i < first + group.size(); ++i)
            result[i] = std::copysign(std::floor(std::fabs(result[i]) / unit) * unit, result[i]);
    }
    return result;
}

// Bits of codes, least significant first, element after element.
struct Stream {
    rows::Bytes bytes;
    std::size_t bits = 0;

    void push(unsigned int code, int width)
    {
        for (int b = 0; b < width; ++b, ++bits) {
            if (bits % 8 == 0)
                bytes.push_back(0);
            bytes.back() |= static_cast<std::uint8_t>((code >> b & 1) << bits % 8);
        }
    }
};

struct Expected {
    Stream codes, micro;
    rows::Bytes scales;
    std::vector<double> values;     // that the codes stand for
};

unsigned int twos_complement(double m, bool negative, int bits)
{
    return static_cast<unsigned int>(static_cast<int>(negative ? -m : m)) & ((1u << bits) - 1);
}

Expected expect_mxint(const std::vector<double>& values, int n, std::uint8_t rounding)
{
    Expected out;
    for (std::size_t first = 0; first < values.size(); first += 32) {
        const std::vector<double> block(values.begin() + static_cast<std::ptrdiff_t>(first),
                                        values.begin() + static_cast<std::ptrdiff_t>(std::min(first + 32, values.size())));
        const bool zero = all_zero(block);
        const int g = zero ? -127 : exponent_of(block);
        out.scales.push_back(static_cast<std::uint8_t>(g + 127));
        for (const double v : block) {
            const double unit = std::ldexp(1.0, g - (n - 2));
            const double m = std::min(rounded(std::fabs(v) / unit, rounding), std::ldexp(1.0, n - 1) - 1);
            out.codes.push(twos_complement(m, std::signbit(v), n), n);
            out.values.push_back(m == 0 ? 0 : std::copysign(m * unit, v));
        }
    }
    return out;
}

Expected expect_mx(const std::vector<double>& values, int b, std::uint8_t rounding)
{
    Expected out;
    for (std::size_t first = 0; first < values.size(); first += 16) {
        const std::vector<double> block(values.begin() + static_cast<std::ptrdiff_t>(first),
                                        values.begin() + static_cast<std::ptrdiff_t>(std::min(first + 16, values.size())));
        const bool zero = all_zero(block);
        const int g = zero ? -127 : exponent_of(block);
        out.scales.push_back(static_cast<std::uint8_t>(g + 127));
        for (std::size_t i = 0; i < block.size(); ++i) {
            const double partner = (i ^ 1) < block.size() ? block[i ^ 1] : 0;
            const double limit = std::ldexp(1.0, g);
            const int u = !zero && std::fabs(block[i]) < limit && std::fabs(partner) < limit;
            const double unit = std::ldexp(1.0, g - u - (b - 2));
            const double m = std::min(rounded(std::fabs(block[i]) / unit, rounding), std::ldexp(1.0, b - 1) - 1);
            if (i % 2 == 0)
                out.micro.push(static_cast<unsigned int>(u), 1);
            out.codes.push(twos_complement(m, std::signbit(block[i]), b), b);
            out.values.push_back(m == 0 ? 0 : std::copysign(m * unit, block[i]));
        }
        while (out.micro.bits % 8)
            out.micro.push(0, 1);
    }
    return out;
}

struct Element {
    int bits, fraction_bits, emax, emin;
    double largest;
};

// The code of a value of the element type, found by trying all of them.
unsigned int element_code(const Element& e, double magnitude)
{
    for (unsigned int code = 0; code < 1u << (e.bits - 1); ++code) {
        const auto exponent = static_cast<int>(code >> e.fraction_bits);
        const double fraction = code & ((1u << e.fraction_bits) - 1);
        const double significand = fraction + (exponent ? 1 << e.fraction_bits : 0);
        if (std::ldexp(significand, std::max(exponent, 1) - 1 + e.emin - e.fraction_bits) == magnitude)
            return code;
    }
    ADD_FAILURE() << magnitude << " is no element";
    return 0;
}

Expected expect_mxfp(const std::vector<double>& values, const Element& e, std::uint8_t rounding)
{
    Expected out;
    for (std::size_t first = 0; first < values.size(); first += 32) {
        const std::vector<double> block(values.begin() + static_cast<std::ptrdiff_t>(first),
                                        values.begin() + static_cast<std::ptrdiff_t>(std::min(first + 32, values.size())));
        const int scale = all_zero(block) ? -127 : std::clamp(exponent_of(block) - e.emax, -127, 127);
        out.scales.push_back(static_cast<std::uint8_t>(scale + 127));
        for (const double v : block) {
            const double scaled = std::ldexp(std::fabs(v), -scale);
            const int exponent = scaled == 0 ? e.emin : std::max(std::ilogb(scaled), e.emin);
            const double unit = std::ldexp(1.0, exponent - e.fraction_bits);
            const double m = std::min(rounded(scaled / unit, rounding) * unit, e.largest);
            const unsigned int sign = std::signbit(v) ? 1u << (e.bits - 1) : 0;
            out.codes.push(sign | element_code(e, m), e.bits);
            out.values.push_back(std::copysign(std::ldexp(m, scale), v));
        }
    }
    return out;
}

struct Case {
    std::string name;
    int n;      // of the plane counts
    std::function<Expected(const std::vector<double>&, std::uint8_t)> expect;
};

std::vector<Case> cases()
{
    std::vector<Case> result;
    for (int n = 2; n <= 8; ++n)
        result.push_back({"mxint" + std::to_string(n), n,
                          [n](const auto& values, std::uint8_t r) { return expect_mxint(values, n, r); }});
    for (const auto& [name, n, b] : {std::tuple("mx9", 9, 8), std::tuple("mx6", 6, 5), std::tuple("mx4", 4, 3)})
        result.push_back({name, n, [b = b](const auto& values, std::uint8_t r) { return expect_mx(values, b, r); }});
    const std::pair<const char*, Element> elements[] = {
        {"mxfp8_e4m3", {8, 3, 8, -6, 448}}, {"mxfp8_e5m2", {8, 2, 15, -14, 57344}}, {"mxfp6_e3m2", {6, 2, 4, -2, 28}},
        {"mxfp6_e2m3", {6, 3, 2, 0, 7.5}},  {"mxfp4_e2m1", {4, 1, 2, 0, 6}}};
    for (const auto& [name, element] : elements)
        result.push_back({name, element.bits, [element = element](const auto& values, std::uint8_t r) {
                              return expect_mxfp(values, element, r);
                          }});
    return result;
}

class BlockFormat : public testing::TestWithParam<Case> {
protected:
    const rows::Format& format = rows::find(GetParam().name);

    void expect_row(const std::vector<float>& values, std::uint8_t rounding)
    {
        const auto expected = GetParam().expect(shown(values, GetParam().n, rounding), rounding);
        const auto row = rows::encode(format, rounding, values);
        ASSERT_EQ(row.codes, expected.codes.bytes);
        ASSERT_EQ(row.micro, expected.micro.bytes);
        ASSERT_EQ(row.scales, expected.scales);
        const auto decoded = rows::decode(format, row, static_cast<std::uint32_t>(values.size()));
        for (std::size_t i = 0; i < values.size(); ++i)
            ASSERT_EQ(static_cast<double>(decoded[i]), expected.values[i]) << "element " << i << " of " << values[i];
    }
};

TEST_P(BlockFormat, GivesTheDocumentsBytesForHardRowsOfAnyLength)
{
    std::mt19937 random(5);
    for (const auto rounding : all_roundings) {
        for (int kind = 0; kind < rows::kinds; ++kind) {
            for (int repeat = 0; repeat < 50; ++repeat) {
                const auto cols = 1 + static_cast<std::uint32_t>(random() % (repeat < 45 ? 70 : 700));
                SCOPED_TRACE(testing::Message() << "rounding " << int(rounding) << " kind " << kind << " cols " << cols
                                                << " repeat " << repeat);
                expect_row(rows::make(random, kind, cols), rounding);
                if (HasFatalFailure())
                    return;
            }
        }
    }
}

TEST_P(BlockFormat, RoundsEveryTieAndItsNeighboursRight)
{
    // 2^g first, then all multiples of a quarter of the finest code step.
    for (const auto rounding : all_roundings) {
        for (int g : {-140, -127, -126, -3, 0, 100, 127}) {
            for (int fine = 0; fine < 1 << 11; fine += 31) {
                std::vector<float> values{std::ldexp(1.0f, g)};
                for (int i = fine; i < fine + 31; ++i) {
                    const float v = std::ldexp(static_cast<float>(i), g - 10);
                    values.push_back(i % 2 ? -v : v);
                    values.push_back(std::nextafter(v, 0.0f));
                    values.push_back(std::nextafter(v, -INFINITY));
                }
                for (auto& v : values)
                    v = std::isfinite(v) ? v : 1.0f;
                SCOPED_TRACE(testing::Message() << "rounding " << int(rounding) << " g " << g << " from " << fine);
                expect_row(values, rounding);
                if (HasFatalFailure())
                    return;
            }
        }
    }
}

TEST_P(BlockFormat, GivesANaNBlockForNonFiniteValues)
{
    for (const auto rounding : all_roundings) {
        for (const float bad : {INFINITY, -INFINITY, NAN}) {
            std::vector<float> values(70, -1.5f);
            values[5] = bad;
            const auto row = rows::encode(format, rounding, values);
            const auto decoded = rows::decode(format, row, 70);
            EXPECT_EQ(row.scales[0], 0xff);
            for (std::size_t i = 0; i < format.block; ++i)
                EXPECT_TRUE(std::isnan(decoded[i])) << i;
            for (std::size_t i = 32; i < 70; ++i)
                EXPECT_FALSE(std::isnan(decoded[i])) << i;
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Formats, BlockFormat, testing::ValuesIn(cases()),
                         [](const auto& tested) { return tested.param.name; });

TEST(Mxint, NeverGivesTheMostNegativeCode)
{
    for (int n = 2; n <= 8; ++n) {
        const auto& format = rows::find("mxint" + std::to_string(n));
        for (const auto rounding : all_roundings) {
            const auto row = rows::encode(format, rounding, {-1.9999999f, 1.9999999f, -1.0f});
            const float limit = std::ldexp(1.0f, n - 1) - 1;
            const auto values = rows::decode(format, row, 3);
            EXPECT_EQ(values[0], -limit / std::ldexp(1.0f, n - 2));
            EXPECT_EQ(values[1], limit / std::ldexp(1.0f, n - 2));
        }
    }
}

TEST(Mx, SaturatesAValueJustBelowAPowerOfTwoInAPairWithMicroexponent)
{
    // 2^0 sets g; the second pair is below it, so u = 1, and rounds up to 2^(b-1).
    for (const auto& [name, b] : {std::pair("mx9", 8), std::pair("mx6", 5), std::pair("mx4", 3)}) {
        const float below = std::nextafter(1.0f, 0.0f);
        const auto row = rows::encode(rows::find(name), SQ_ROUNDING_EVEN, {1.0f, 1.0f, below, -below});
        EXPECT_EQ(row.micro[0], 0b10) << name;
        const float largest = std::ldexp(std::ldexp(1.0f, b - 1) - 1, -1 - (b - 2));
        const auto values = rows::decode(rows::find(name), row, 4);
        EXPECT_EQ(values[2], largest) << name;
        EXPECT_EQ(values[3], -largest) << name;
    }
}

TEST(Mx, AlignsEachBlockOf16ByItselfWhenRoundingEven)
{
    std::vector<float> values(32, 1.0e20f);
    std::fill(values.begin() + 16, values.end(), 1.0e-20f);
    const auto decoded = rows::decode(rows::find("mx9"), rows::encode(rows::find("mx9"), SQ_ROUNDING_EVEN, values), 32);
    EXPECT_NEAR(decoded[20], 1.0e-20f, 1e-22f);
}

TEST(Mxfp, RoundsHalfOfTheSmallestSubnormalOfE5m2ToEven)
{
    // 2^-31 below the block's exponent: the one bit that no plane of 32 holds.
    const auto& format = rows::find("mxfp8_e5m2");
    const auto row = rows::encode(format, SQ_ROUNDING_EVEN,
                                  {1.0f, std::ldexp(1.0f, -31), std::ldexp(1.0f, -32), std::ldexp(1.25f, -32),
                                   std::ldexp(1.5f, -31), std::ldexp(-1.0f, -33)});
    EXPECT_EQ(rows::Bytes(row.codes.begin() + 1, row.codes.end()), (rows::Bytes{1, 0, 1, 2, 0x80}));
}

TEST(Mxfp, DecodesTheSpecialCodesOfOcp)
{
    const rows::Row e4m3{{0x7f, 0xff, 0x7e, 0x80}, {}, {127}};
    const auto a = rows::decode(rows::find("mxfp8_e4m3"), e4m3, 4);
    EXPECT_TRUE(std::isnan(a[0]) && std::isnan(a[1]));
    EXPECT_EQ(a[2], 448.0f);
    EXPECT_TRUE(a[3] == 0 && std::signbit(a[3]));
    const rows::Row e5m2{{0x7c, 0xfc, 0x7d, 0x7b}, {}, {127}};
    const auto b = rows::decode(rows::find("mxfp8_e5m2"), e5m2, 4);
    EXPECT_EQ(b[0], INFINITY);
    EXPECT_EQ(b[1], -INFINITY);
    EXPECT_TRUE(std::isnan(b[2]));
    EXPECT_EQ(b[3], 57344.0f);
}

TEST(Mxfp, AgreesWithTheIndependentImplementationOfTheGoldenFile)
{
    const auto document = golden::load("ocp-mx.json");
    const auto values = golden::floats(document["values"]);
    ASSERT_EQ(document["formats"].size(), 5u);
    for (const auto& expected : document["formats"]) {
        const std::string name = expected["name"];
        const auto& format = rows::find(name);
        const auto row = rows::encode(format, SQ_ROUNDING_EVEN, values);
        Stream codes;
        for (const auto code : golden::bytes(expected["codes"]))
            codes.push(code, format.code_bits);
        EXPECT_EQ(row.codes, codes.bytes) << name;
        EXPECT_EQ(row.scales, golden::bytes(expected["scales"])) << name;
    }
}

TEST(Ggml, GivesTheBytesOfItsReferenceQuantiser)
{
    const auto document = golden::load("ggml-quantize.json");
    const auto values = golden::floats(document["values"]);
    for (const char* type : {"q8_0", "q4_0", "mxfp4"}) {
        const auto& format = rows::find(std::string("ggml_") + type);
        const auto row = rows::encode(format, SQ_ROUNDING_EVEN, values);
        const auto expected = golden::bytes(document[type]);
        ASSERT_EQ(row.codes.size(), expected.size());
        const std::size_t bytes = format.code_block_bytes;
        for (std::size_t b = 0; b < expected.size() / bytes; ++b) {
            ASSERT_TRUE(std::equal(row.codes.begin() + static_cast<std::ptrdiff_t>(b * bytes),
                                   row.codes.begin() + static_cast<std::ptrdiff_t>((b + 1) * bytes),
                                   expected.begin() + static_cast<std::ptrdiff_t>(b * bytes)))
                << type << " block " << b;
        }
    }
}

TEST(Ggml, FillsAShortLastBlockWithZeros)
{
    std::mt19937 random(6);
    for (const char* name : {"ggml_q8_0", "ggml_q4_0", "ggml_mxfp4"}) {
        const auto& format = rows::find(name);
        for (const std::uint32_t cols : {1u, 31u, 33u, 63u}) {
            auto values = rows::make(random, 0, cols);
            const auto row = rows::encode(format, SQ_ROUNDING_EVEN, values);
            auto decoded = rows::decode(format, row, cols);
            values.resize((cols + 31) / 32 * 32);
            const auto whole = rows::encode(format, SQ_ROUNDING_EVEN, values);
            EXPECT_EQ(row.codes, whole.codes) << name << " " << cols;
            auto expected = rows::decode(format, whole, static_cast<std::uint32_t>(values.size()));
            expected.resize(cols);
            EXPECT_EQ(decoded, expected) << name << " " << cols;
        }
    }
}

TEST(Ggml, GivesANaNBlockForNonFiniteValues)
{
    std::vector<float> values(64, 0.5f);
    values[40] = -INFINITY;
    for (const char* name : {"ggml_q8_0", "ggml_q4_0"}) {
        const auto decoded = rows::decode(rows::find(name), rows::encode(rows::find(name), SQ_ROUNDING_EVEN, values), 64);
        EXPECT_NEAR(decoded[31], 0.5f, 0.01f) << name;
        for (std::size_t i = 32; i < 64; ++i)
            EXPECT_TRUE(std::isnan(decoded[i])) << name;
    }
    const auto row = rows::encode(rows::find("ggml_mxfp4"), SQ_ROUNDING_EVEN, values);
    EXPECT_EQ(row.codes[17], 0xff);
}

TEST(Plain, FormatsRoundTheValueToNearestEven)
{
    const std::vector<float> values{1.0f, -0.0f, 1.00390625f, 65520.0f, 1e-8f, 3.4e38f, 0.1f};
    for (const auto& [name, dtype] :
         {std::pair("bf16", SQ_DTYPE_BF16), std::pair("fp16", SQ_DTYPE_FP16), std::pair("fp32", SQ_DTYPE_FP32)}) {
        const auto row = rows::encode(rows::find(name), SQ_ROUNDING_EVEN, values);
        rows::Bytes words(values.size() * sqc_dtype_bytes(static_cast<std::uint8_t>(dtype)));
        sqc_values_to_words(static_cast<std::uint8_t>(dtype), values.data(), values.size(), words.data());
        EXPECT_EQ(row.codes, words) << name;
        EXPECT_TRUE(row.scales.empty() && row.micro.empty());
        std::vector<float> widened(values.size());
        sqc_words_to_values(static_cast<std::uint8_t>(dtype), words.data(), values.size(), widened.data());
        EXPECT_EQ(rows::decode(rows::find(name), row, static_cast<std::uint32_t>(values.size())), widened) << name;
    }
}

TEST(FormatTable, NamesEachFormatOnce)
{
    std::set<std::uint16_t> codes;
    std::set<std::string> names;
    for (unsigned int i = 0;; ++i) {
        const auto code = sqc_format_at(i);
        if (code == SQ_FORMAT_TAG)
            break;
        char name[32];
        ASSERT_NE(sqc_format_name(code, name, sizeof(name)), nullptr);
        EXPECT_EQ(sqc_format_by_name(name), code);
        EXPECT_TRUE(codes.insert(code).second) << name;
        EXPECT_TRUE(names.insert(name).second) << name;
        char exact[32];
        EXPECT_EQ(sqc_format_name(code, exact, std::strlen(name)), nullptr) << "no room for the terminator";
    }
    for (const char* name : {"native", "bf16", "fp16", "fp32", "mxint2", "mxint8", "mxfp8_e4m3", "mxfp4_e2m1", "mx9",
                             "mx6", "mx4", "ggml_q8_0", "ggml_q4_0", "ggml_mxfp4", "planes1", "planes33"})
        EXPECT_EQ(names.count(name), 1u) << name;
    EXPECT_EQ(sqc_format_by_name("mxint9"), SQ_FORMAT_TAG);
    EXPECT_EQ(sqc_format_by_name(""), SQ_FORMAT_TAG);
    EXPECT_EQ(sqc_format_find(0x7777), nullptr);
    EXPECT_EQ(sqc_format_name(0x7777, nullptr, 0), nullptr);
}

TEST(FormatTable, GivesTheBitsOfTheDocument)
{
    const std::pair<const char*, double> bits[] = {
        {"native", 16}, {"bf16", 16}, {"fp16", 16}, {"fp32", 32}, {"mxint2", 2.25}, {"mxint8", 8.25},
        {"mxfp8_e4m3", 8.25}, {"mxfp8_e5m2", 8.25}, {"mxfp6_e3m2", 6.25}, {"mxfp6_e2m3", 6.25}, {"mxfp4_e2m1", 4.25},
        {"mx9", 9}, {"mx6", 6}, {"mx4", 4}, {"ggml_q8_0", 8.5}, {"ggml_q4_0", 4.5}, {"ggml_mxfp4", 4.25},
        {"planes7", 7.25}};
    for (const auto& [name, expected] : bits)
        EXPECT_EQ(sqc_format_bits(sqc_format_by_name(name), SQ_DTYPE_BF16), expected) << name;
    EXPECT_EQ(sqc_format_bits(SQ_FORMAT_NATIVE, SQ_DTYPE_FP32), 32);
    EXPECT_EQ(sqc_format_bits(0x7777, SQ_DTYPE_BF16), 0);
}

TEST(FormatTable, CountsPlanesAsTheDocumentDoes)
{
    for (const auto& c : cases()) {
        const auto& format = rows::find(c.name);
        const auto n = static_cast<unsigned int>(c.n);
        EXPECT_EQ(sqc_format_planes(&format, SQ_ROUNDING_TRUNCATE, 17), n) << c.name;
        EXPECT_EQ(sqc_format_planes(&format, SQ_ROUNDING_NEAREST, 17), n + 1) << c.name;
        EXPECT_EQ(sqc_format_planes(&format, SQ_ROUNDING_EVEN, 17), 0u) << c.name;
        EXPECT_EQ(sqc_format_planes(&format, SQ_ROUNDING_NEAREST, n), n) << c.name;
        const bool mxint = c.name.starts_with("mxint");
        EXPECT_EQ(sqc_format_planes(&format, SQ_ROUNDING_DEFAULT, 17), mxint ? n + 1 : 0u) << c.name;
        for (const auto rounding : all_roundings)
            EXPECT_TRUE(sqc_format_accepts(&format, rounding));
        EXPECT_FALSE(sqc_format_accepts(&format, 4));
    }
    EXPECT_EQ(sqc_format_planes(&rows::find("planes7"), SQ_ROUNDING_DEFAULT, 17), 7u);
    for (const char* name : {"native", "bf16", "ggml_q8_0", "planes7"}) {
        EXPECT_TRUE(sqc_format_accepts(&rows::find(name), SQ_ROUNDING_EVEN)) << name;
        EXPECT_TRUE(sqc_format_accepts(&rows::find(name), SQ_ROUNDING_DEFAULT)) << name;
        EXPECT_FALSE(sqc_format_accepts(&rows::find(name), SQ_ROUNDING_TRUNCATE)) << name;
    }
}

TEST(FormatTable, RowBytesAreLinearAtWholeGroups)
{
    // The read path encodes pieces of rows that start at multiples of 32.
    for (unsigned int i = 0; sqc_format_at(i) != SQ_FORMAT_TAG; ++i) {
        const rows::Format* format = sqc_format_find(sqc_format_at(i));
        for (const std::uint32_t rest : {0u, 1u, 17u, 40u}) {
            EXPECT_EQ(sqc_format_code_row_bytes(format, SQ_DTYPE_FP16, 64 + rest),
                      sqc_format_code_row_bytes(format, SQ_DTYPE_FP16, 64) +
                          sqc_format_code_row_bytes(format, SQ_DTYPE_FP16, rest)) << format->name;
            EXPECT_EQ(sqc_format_micro_row_bytes(format, 64 + rest),
                      sqc_format_micro_row_bytes(format, 64) + sqc_format_micro_row_bytes(format, rest));
            EXPECT_EQ(sqc_format_scale_row_bytes(format, 64 + rest),
                      sqc_format_scale_row_bytes(format, 64) + sqc_format_scale_row_bytes(format, rest));
        }
    }
    EXPECT_EQ(sqc_format_code_row_bytes(&rows::find("mxint3"), SQ_DTYPE_BF16, 4294967295u), 1610612736u);
    EXPECT_EQ(sqc_format_code_row_bytes(&rows::find("native"), SQ_DTYPE_FP32, 4294967295u), 17179869180u);
}

TEST(Decode, RefusesWhatHasNoValuesAndRowsOutsideTheLayout)
{
    std::uint8_t bytes[256] = {};
    float values[256];
    struct sqc_layout layout{};
    layout.format = SQ_FORMAT_MXINT(4);
    layout.dtype = SQ_DTYPE_BF16;
    layout.rows = 3;
    layout.cols = 40;
    layout.code_row_bytes = 20;
    layout.scale_offset = 60;
    layout.scale_row_bytes = 2;
    EXPECT_EQ(sqc_decode(&layout, bytes, 0, 3, values), SQ_STATUS_SUCCESS);
    EXPECT_EQ(sqc_decode(&layout, bytes, 3, 0, values), SQ_STATUS_SUCCESS);
    EXPECT_EQ(sqc_decode(&layout, bytes, 1, 3, values), SQ_STATUS_RANGE);
    EXPECT_EQ(sqc_decode(&layout, bytes, 4, 0, values), SQ_STATUS_RANGE);
    EXPECT_EQ(sqc_decode(&layout, bytes, 4294967295u, 2, values), SQ_STATUS_RANGE);
    layout.format = SQ_FORMAT_PLANES(3);
    EXPECT_EQ(sqc_decode(&layout, bytes, 0, 1, values), SQ_STATUS_FORMAT);
    layout.format = 0x7777;
    EXPECT_EQ(sqc_decode(&layout, bytes, 0, 1, values), SQ_STATUS_FORMAT);
    layout.format = SQ_FORMAT_NATIVE;
    layout.dtype = SQ_DTYPE_U8;
    EXPECT_EQ(sqc_decode(&layout, bytes, 0, 1, values), SQ_STATUS_FORMAT);
}

TEST(Decode, FindsTheSectionsOfEachRow)
{
    const auto& format = rows::find("mx6");
    const std::vector<std::vector<float>> matrix = {{1.0f, -2.0f, 0.5f}, {8.0f, 4.0f, -1.0f}};
    rows::Row all;
    for (const auto& values : matrix) {
        const auto row = rows::encode(format, SQ_ROUNDING_EVEN, values);
        all.codes.insert(all.codes.end(), row.codes.begin(), row.codes.end());
        all.micro.insert(all.micro.end(), row.micro.begin(), row.micro.end());
        all.scales.insert(all.scales.end(), row.scales.begin(), row.scales.end());
    }
    struct sqc_layout layout{};
    layout.format = SQ_FORMAT_MX6;
    layout.dtype = SQ_DTYPE_BF16;
    layout.rows = 2;
    layout.cols = 3;
    layout.code_row_bytes = all.codes.size() / 2;
    layout.micro_offset = all.codes.size();
    layout.micro_row_bytes = 1;
    layout.scale_offset = layout.micro_offset + 2;
    layout.scale_row_bytes = 1;
    all.codes.insert(all.codes.end(), all.micro.begin(), all.micro.end());
    all.codes.insert(all.codes.end(), all.scales.begin(), all.scales.end());
    std::vector<float> values(3);
    for (std::uint32_t r = 0; r < 2; ++r) {
        ASSERT_EQ(sqc_decode(&layout, all.codes.data(), r, 1, values.data()), SQ_STATUS_SUCCESS);
        EXPECT_EQ(values, matrix[r]);
    }
}

}  // namespace
