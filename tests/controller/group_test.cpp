// SPDX-License-Identifier: MIT
//
// Groups: alignment against exact arithmetic in doubles, plane words against
// a bit-by-bit copy.
#include "format_rows.hpp"

#include <algorithm>
#include <array>

namespace {

// floor(log2 max), clamped, as a byte; 0 for zeros.
int expected_exponent(const std::vector<float>& values)
{
    double largest = 0;
    for (const float v : values)
        largest = std::max(largest, std::fabs(static_cast<double>(v)));
    return largest == 0 ? 0 : std::clamp(std::ilogb(largest), -127, 127) + 127;
}

void expect_aligned(const std::vector<float>& values, unsigned int planes)
{
    sqc_group group;
    sqc_group_align(values.data(), static_cast<unsigned int>(values.size()), planes, &group);
    ASSERT_EQ(group.exponent, expected_exponent(values));
    for (unsigned int i = 0; i < 32; ++i) {
        const float v = i < values.size() ? values[i] : 0.0f;
        // In units of the last plane: a whole number and what is cut off.
        const double units = std::ldexp(std::fabs(static_cast<double>(v)), int(planes) - 1 - (group.exponent - 127));
        const double whole = std::floor(units);
        ASSERT_EQ(group.magnitude[i], static_cast<std::uint64_t>(whole) << (32 - planes)) << v << " element " << i;
        ASSERT_EQ(group.sign >> i & 1, std::signbit(v) ? 1u : 0u);
        ASSERT_EQ(group.sticky >> i & 1, units != whole ? 1u : 0u) << v;
    }
}

TEST(Group, AlignsToTheLargestExponentExactlyForEveryPlaneCount)
{
    std::mt19937 random(1);
    for (int kind = 0; kind < rows::kinds; ++kind) {
        for (unsigned int planes = 1; planes <= 32; ++planes) {
            for (unsigned int count : {1u, 2u, 7u, 16u, 31u, 32u}) {
                SCOPED_TRACE(testing::Message() << "kind " << kind << " planes " << planes << " count " << count);
                expect_aligned(rows::make(random, kind, count), planes);
                if (HasFatalFailure())
                    return;
            }
        }
    }
}

TEST(Group, KeepsSubnormalsOfFp32Exactly)
{
    const float smallest = std::numeric_limits<float>::denorm_min();
    sqc_group group;
    const std::array<float, 3> values{smallest, -smallest * 3, std::numeric_limits<float>::min() / 2};
    sqc_group_align(values.data(), 3, 32, &group);
    EXPECT_EQ(group.exponent, 0);
    EXPECT_EQ(group.magnitude[0], 1u << 9);     // 2^-149 is plane 22 below 2^-127
    EXPECT_EQ(group.magnitude[1], 3u << 9);
    EXPECT_EQ(group.magnitude[2], 1u << 31);
    EXPECT_EQ(group.sign, 2u);
    EXPECT_EQ(group.sticky, 0u);
}

TEST(Group, MarksAValueThatLiesWhollyBelowThePlanes)
{
    const std::array<float, 2> values{1.0f, 1e-30f};
    sqc_group group;
    sqc_group_align(values.data(), 2, 32, &group);
    EXPECT_EQ(group.magnitude[1], 0u);
    EXPECT_EQ(group.sticky, 2u);
}

TEST(Group, OfNonFiniteValuesIsMarkedAndEmpty)
{
    for (const float bad : {INFINITY, -INFINITY, NAN}) {
        std::vector<float> values(32, -1.0f);
        values[17] = bad;
        sqc_group group;
        sqc_group_align(values.data(), 32, 16, &group);
        EXPECT_EQ(group.exponent, SQC_GROUP_NON_FINITE);
        EXPECT_EQ(group.sign | group.sticky, 0u);
        EXPECT_TRUE(std::all_of(group.magnitude, group.magnitude + 32, [](std::uint32_t m) { return m == 0; }));
    }
}

TEST(Group, PlaneWordsHoldOnePlaneOfAllElements)
{
    std::mt19937 random(2);
    for (unsigned int planes = 1; planes <= 32; ++planes) {
        std::uint32_t magnitude[32], words[33], back[32];
        for (auto& m : magnitude)
            m = static_cast<std::uint32_t>(random());
        std::fill(words, words + 33, 0xdeadbeef);
        sqc_group_to_planes(magnitude, planes, words);
        for (unsigned int j = 0; j < planes; ++j) {
            for (unsigned int i = 0; i < 32; ++i)
                ASSERT_EQ(words[j] >> i & 1, magnitude[i] >> (31 - j) & 1) << planes << " planes, plane " << j;
        }
        ASSERT_EQ(words[planes], 0xdeadbeef) << "more planes written than asked for";
        sqc_group_from_planes(words, planes, back);
        for (unsigned int i = 0; i < 32; ++i)
            ASSERT_EQ(back[i], magnitude[i] & ~static_cast<std::uint32_t>(0xffffffffull >> planes));
    }
}

}  // namespace
