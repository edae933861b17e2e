// SPDX-License-Identifier: MIT
//
// The reference against the worked examples, and against what formats.md says
// in numbers. Nothing of controller/ is linked here.
#include "reference.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <fstream>

namespace {

using reference::Axis;
using reference::Dtype;
using reference::Read;
using reference::Region;
using reference::Rounding;

nlohmann::json examples()
{
    std::ifstream file(SQ_GOLDEN_DIR "/format-examples.json");
    return nlohmann::json::parse(file);
}

Region region_of(const nlohmann::json& document)
{
    Region region;
    region.rows = document.at("rows");
    region.cols = document.at("cols");
    for (const auto& row : document.at("words")) {
        for (const std::string word : row)
            region.words.push_back(static_cast<std::uint32_t>(std::stoul(word, nullptr, 16)));
    }
    return region;
}

Rounding rounding_named(const std::string& name)
{
    return name == "truncate" ? Rounding::truncate : name == "nearest" ? Rounding::nearest : Rounding::even;
}

std::string hex(const std::vector<std::uint8_t>& bytes)
{
    std::string text;
    for (const auto byte : bytes) {
        text += "0123456789abcdef"[byte >> 4];
        text += "0123456789abcdef"[byte & 15];
    }
    return text;
}

TEST(Reference, GivesTheWorkedExamples)
{
    const auto document = examples();
    const auto region = region_of(document);
    ASSERT_FALSE(document.at("reads").empty());
    for (const auto& example : document.at("reads")) {
        const std::string format = example.at("format");
        Read request;
        request.format = format;
        request.rounding = rounding_named(example.at("rounding"));
        request.axis = example.at("axis") == "col" ? Axis::col : Axis::row;
        request.row_count = region.rows;
        EXPECT_EQ(hex(reference::read(region, request)), example.at("bytes").get<std::string>())
            << format << " " << example.at("rounding") << " " << example.at("axis");
    }
}

TEST(Reference, RoundsTripsEveryBf16AndFp16Word)
{
    for (const auto dtype : {Dtype::bf16, Dtype::fp16}) {
        for (std::uint32_t word = 0; word < 0x10000; ++word) {
            const double value = reference::value_of(dtype, word);
            if (!std::isnan(value)) {
                ASSERT_EQ(reference::word_of(dtype, value), word);
            }
        }
    }
}

TEST(Reference, RoundsToNearestEvenWhenNarrowing)
{
    EXPECT_EQ(reference::word_of(Dtype::bf16, 1.0 + 1.0 / 256), 0x3f80u);         // tie, even below
    EXPECT_EQ(reference::word_of(Dtype::bf16, 1.0 + 3.0 / 256), 0x3f82u);         // tie, even above
    EXPECT_EQ(reference::word_of(Dtype::bf16, 1.0 + 1.0 / 256 + 1e-9), 0x3f81u);  // just above the tie
    EXPECT_EQ(reference::word_of(Dtype::fp16, 65520.0), 0x7c00u);                 // overflow
    EXPECT_EQ(reference::word_of(Dtype::fp16, std::ldexp(1.0, -25)), 0x0000u);    // half the least subnormal
}

TEST(Reference, CountsTheLinesOfTheTrafficFormulas)
{
    Region region;
    region.rows = 256;
    region.cols = 512;  // 131,072 elements: two full segments
    region.words.assign(std::size_t{256} * 512, 0x3f80);
    const std::uint64_t exponent_lines = 2 * 2048 / 64;
    EXPECT_EQ(reference::plane_lines(region, {"mxint4", Rounding::truncate, Axis::row, 0, 256}), 4 * 256 + exponent_lines);
    EXPECT_EQ(reference::plane_lines(region, {"mxint4", Rounding::nearest, Axis::row, 0, 256}), 5 * 256 + exponent_lines);
}

}  // namespace
