// SPDX-License-Identifier: MIT
//
// Runs one row through the table of formats the way the read path does, into
// buffers of exactly the advertised size with a guard behind each.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "encoding.h"
#include "format.h"

namespace rows {

using Bytes = std::vector<std::uint8_t>;
using Format = struct sqc_format;   // the plain name is a function of controller.h
constexpr std::size_t guard_bytes = 16;
constexpr std::uint8_t guard_value = 0xa5;

struct Row {
    Bytes codes, micro, scales;
};

class Guarded {
public:
    explicit Guarded(std::uint64_t bytes) : bytes_(bytes), memory_(bytes + 2 * guard_bytes, guard_value) {}
    std::uint8_t* data() { return memory_.data() + guard_bytes; }
    Bytes take() const
    {
        for (std::size_t i = 0; i < guard_bytes; ++i) {
            EXPECT_EQ(memory_[i], guard_value) << "written before the section";
            EXPECT_EQ(memory_[guard_bytes + bytes_ + i], guard_value) << "written behind the section";
        }
        return {memory_.begin() + guard_bytes, memory_.begin() + guard_bytes + static_cast<std::ptrdiff_t>(bytes_)};
    }

private:
    std::uint64_t bytes_;
    Bytes memory_;
};

inline const Format& find(std::string_view name)
{
    const std::string text(name);
    const Format* format = sqc_format_find(sqc_format_by_name(text.c_str()));
    if (!format)
        throw std::runtime_error("no format " + text);
    return *format;
}

// Groups as a reader makes them: cut to the planes that the request reads.
inline std::vector<sqc_group> groups_of(const std::vector<float>& values, unsigned int magnitude_planes)
{
    std::vector<sqc_group> groups((values.size() + 31) / 32);
    for (std::size_t i = 0; i < groups.size(); ++i) {
        const auto count = static_cast<unsigned int>(std::min<std::size_t>(32, values.size() - 32 * i));
        sqc_group_align(values.data() + 32 * i, count, magnitude_planes, &groups[i]);
    }
    return groups;
}

inline Row encode(const Format& format, std::uint8_t rounding, const std::vector<float>& values)
{
    const auto cols = static_cast<std::uint32_t>(values.size());
    Guarded codes(sqc_format_code_row_bytes(&format, SQ_DTYPE_FP32, cols));
    Guarded micro(sqc_format_micro_row_bytes(&format, cols));
    Guarded scales(sqc_format_scale_row_bytes(&format, cols));
    const sqc_row_out out{codes.data(), micro.data(), scales.data()};
    const auto planes = sqc_format_planes(&format, rounding, 33);
    std::vector<sqc_group> groups;
    const void* source = values.data();
    if (sqc_format_source(&format, rounding) == SQC_SOURCE_GROUPS) {
        groups = groups_of(values, planes ? planes - 1 : 32);
        source = groups.data();
    }
    format.encode(&format, rounding, SQ_DTYPE_FP32, source, cols, &out);
    return {codes.take(), micro.take(), scales.take()};
}

inline std::vector<float> decode(const Format& format, const Row& row, std::uint32_t cols)
{
    std::vector<float> values(cols + 1, 12345.0f);
    const sqc_row_in in{row.codes.data(), row.micro.data(), row.scales.data()};
    format.decode(&format, SQ_DTYPE_FP32, &in, cols, values.data());
    EXPECT_EQ(values[cols], 12345.0f) << "written behind the values";
    values.resize(cols);
    return values;
}

inline std::uint32_t bits_of(float value)
{
    std::uint32_t bits;
    std::memcpy(&bits, &value, sizeof(bits));
    return bits;
}

inline float from_bits(std::uint32_t bits)
{
    float value;
    std::memcpy(&value, &bits, sizeof(value));
    return value;
}

inline float finite_from(std::uint32_t bits)
{
    return from_bits((bits >> 23 & 255) == 255 ? bits ^ (1u << 30) : bits);
}

// Kinds of rows: each is hard for another part of an encoder.
constexpr int kinds = 9;
inline std::vector<float> make(std::mt19937& random, int kind, std::uint32_t cols)
{
    std::normal_distribution<float> normal;
    auto between = [&](int low, int high) { return std::uniform_int_distribution<int>(low, high)(random); };
    std::vector<float> values(cols);
    const int scale = between(-40, 40);
    for (auto& v : values) {
        switch (kind) {
        case 0: v = std::ldexp(normal(random), scale); break;
        case 1: v = std::ldexp(normal(random), between(-30, 30)); break;
        case 2: v = std::ldexp(static_cast<float>(between(-512, 512)), between(-3, 3)); break;       // ties
        case 3: v = finite_from(static_cast<std::uint32_t>(random())); break;                         // anything
        case 4: v = from_bits(static_cast<std::uint32_t>(random()) & 0x80ffffff); break;              // subnormals
        case 5: v = from_bits(bits_of(std::ldexp(1.0f, between(-3, 3))) - static_cast<std::uint32_t>(between(0, 2))); break;
        case 6: v = between(0, 3) ? 0.0f : -0.0f; break;                                              // zeros
        case 7: v = std::ldexp(normal(random), -30); break;                                           // + one huge
        default: v = std::ldexp(between(0, 1) ? 1.0f : -1.5f, -between(0, 40)); break;                // single bits
        }
    }
    if (kind == 7)
        values[static_cast<std::size_t>(between(0, static_cast<int>(cols) - 1))] = 3.0e38f;
    return values;
}

}  // namespace rows
