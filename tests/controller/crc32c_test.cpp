// SPDX-License-Identifier: MIT
// Every version of the CRC gives what one bit a step gives.
#include "controller.h"
#include "kernels.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <vector>

namespace {

// One bit a step, straight from the polynomial.
std::uint32_t bitwise(std::uint32_t crc, const std::uint8_t* data, std::size_t bytes)
{
    crc = ~crc;
    for (std::size_t i = 0; i < bytes; ++i) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; ++bit)
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
    }
    return ~crc;
}

using Crc32c = EveryKernel<SQC_KERNEL_CRC>;

// Check value of the CRC catalogue, and the vectors of RFC 3720, B.4.
TEST_P(Crc32c, GivesPublishedValues)
{
    std::uint8_t zeros[32] = {}, ones[32], up[32];
    std::memset(ones, 0xff, sizeof ones);
    for (int i = 0; i < 32; ++i)
        up[i] = static_cast<std::uint8_t>(i);
    EXPECT_EQ(sqc_crc32c(0, "123456789", 9), 0xe3069283u);
    EXPECT_EQ(sqc_crc32c(0, zeros, sizeof zeros), 0x8a9136aau);
    EXPECT_EQ(sqc_crc32c(0, ones, sizeof ones), 0x62a8ab43u);
    EXPECT_EQ(sqc_crc32c(0, up, sizeof up), 0x46dd794eu);
    EXPECT_EQ(sqc_crc32c(0, nullptr, 0), 0u);
}

TEST_P(Crc32c, AgreesWithTheBitwiseOneAtEveryLengthAndAlignment)
{
    std::mt19937 random(1);
    std::vector<std::uint8_t> data(20000);
    for (auto& byte : data)
        byte = static_cast<std::uint8_t>(random());
    // Around the strides of the interleaved streams, 3 x 680 and 3 x 2720
    // bytes, of folding, 64 bytes, and of two pieces, 2048 bytes.
    for (const std::size_t around : {std::size_t{40}, std::size_t{320}, std::size_t{1024}, std::size_t{2040}, std::size_t{4096}, std::size_t{8160}, std::size_t{10200}, std::size_t{16320}}) {
        for (std::size_t bytes = around - 40; bytes <= around + 40; ++bytes) {
            const std::uint8_t* at = data.data() + bytes % 9;
            const auto crc = bitwise(0x1234, at, bytes);
            ASSERT_EQ(sqc_crc32c(0x1234, at, bytes), crc) << bytes;
        }
    }
}

TEST_P(Crc32c, GoesOnWhereItStopped)
{
    const std::vector<std::uint8_t> data(10000, 0x5c);
    for (const std::size_t cut : {1u, 63u, 256u, 2040u, 8160u, 9999u}) {
        const auto before = sqc_crc32c(0, data.data(), cut);
        EXPECT_EQ(sqc_crc32c(before, data.data() + cut, data.size() - cut), sqc_crc32c(0, data.data(), data.size()));
    }
}

INSTANTIATE_TEST_SUITE_P(Levels, Crc32c, ::testing::Values(SQC_LEVEL_PORTABLE, SQC_LEVEL_SSE42, SQC_LEVEL_AVX512), kernel_name);

}  // namespace
