// SPDX-License-Identifier: MIT
//
// The regions and reads of tests/golden/formats.json. Words come from a
// generator of our own, so every machine has the same.
#pragma once

#include "reference.hpp"

#include <cmath>
#include <string>
#include <vector>

namespace golden_cases {

constexpr std::uint32_t rows = 35, cols = 37;

inline const char* name(reference::Rounding rounding)
{
    return rounding == reference::Rounding::truncate ? "truncate" : rounding == reference::Rounding::nearest ? "nearest" : "even";
}

inline const char* name(reference::Axis axis) { return axis == reference::Axis::row ? "row" : "col"; }

inline std::string name(const reference::Region& region)
{
    const char* dtype = region.dtype == reference::Dtype::bf16 ? "bf16" : region.dtype == reference::Dtype::fp16 ? "fp16" : "fp32";
    return std::string(dtype) + (region.placement == reference::Placement::aligned ? "/aligned" : "/word");
}

// Magnitudes over 16 octaves with ties and values just under powers of two,
// zeros of both signs, a subnormal here and there.
inline double value(std::uint32_t index)
{
    std::uint32_t state = index * 2654435761u + 12345u;
    const auto next = [&] { return (state = state * 1664525u + 1013904223u) >> 8; };
    const int exponent = -static_cast<int>(next() % 16);
    const double sign = next() % 2 ? -1.0 : 1.0;
    switch (next() % 8) {
    case 0: return sign * 0.0;
    case 1: return sign * std::ldexp(1.0 - 1.0 / 512, exponent);
    case 2: return sign * std::ldexp(static_cast<double>(next() % 64), exponent - 5);
    case 3: return index % 97 == 0 ? sign * std::ldexp(static_cast<double>(next() % 128), -140) : sign;
    default: return sign * std::ldexp(static_cast<double>(next()), exponent - 24);
    }
}

inline std::vector<reference::Region> regions()
{
    std::vector<reference::Region> all;
    for (const auto dtype : {reference::Dtype::bf16, reference::Dtype::fp16, reference::Dtype::fp32}) {
        for (const auto placement : {reference::Placement::aligned, reference::Placement::word}) {
            reference::Region region{dtype, placement, rows, cols, {}};
            for (std::uint32_t i = 0; i < rows * cols; ++i)
                region.words.push_back(reference::word_of(dtype, value(i)));
            all.push_back(region);
        }
    }
    return all;
}

// Some rows of each, so that the file stays small: the first that are not at a
// line's start.
inline std::vector<reference::Read> reads(const reference::Region& region)
{
    using reference::Axis;
    using reference::Rounding;
    constexpr std::uint32_t first = 1, few = 3, many = 33;
    std::vector<reference::Read> all;
    for (const char* format : {"mx9", "mx6", "mx4", "mxint4", "mxint8", "mxfp8_e4m3", "mxfp4_e2m1"}) {
        for (const auto rounding : {Rounding::truncate, Rounding::nearest, Rounding::even})
            all.push_back({format, rounding, Axis::row, first, few});
    }
    for (const char* format : {"native", "bf16", "fp16", "fp32", "planes1", "planes5", "planes16"})
        all.push_back({format, Rounding::even, Axis::row, first, few});
    // Blocks of 32 and 16 rows, and what is left over.
    if (region.placement == reference::Placement::aligned && region.dtype != reference::Dtype::fp16) {
        for (const char* format : {"mx9", "mx6", "mx4", "mxint4"})
            all.push_back({format, reference::default_rounding(format), Axis::col, first, many});
    }
    return all;
}

}  // namespace golden_cases
