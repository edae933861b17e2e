// SPDX-License-Identifier: MIT
//
// An independent, slow reference of docs/formats.md
//
// Written from that page alone and sharing no code with controller/: values are
// doubles (every value of a region, and every value scaled by a power of two
// here, is exact in a double), one element at a time, no planes in memory.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reference {

enum class Dtype { bf16, fp16, fp32 };
enum class Placement { aligned, word };
enum class Rounding { truncate, nearest, even };
enum class Axis { row, col };

// One stored region: rows x cols words, row-major, without padding.
struct Region {
    Dtype dtype = Dtype::bf16;
    Placement placement = Placement::aligned;
    std::uint32_t rows = 0;
    std::uint32_t cols = 0;
    std::vector<std::uint32_t> words;
};

struct Read {
    std::string_view format;
    Rounding rounding = Rounding::even;
    Axis axis = Axis::row;
    std::uint32_t first_row = 0;
    std::uint32_t row_count = 0;
};

// Value of a stored word; exact. NaN and infinity come out as such.
double value_of(Dtype dtype, std::uint32_t word);

// Nearest word to a value, ties to even; overflow gives infinity.
std::uint32_t word_of(Dtype dtype, double value);

// The bytes of a read. Throws std::invalid_argument for a format that this
// reference does not know (tuned) or that needs finite data and has none.
std::vector<std::uint8_t> read(const Region& region, const Read& request);

// The rounding that a format has when none is asked for.
Rounding default_rounding(std::string_view format);

// Lines that a full or partial read along rows has to touch, by the formulas
// of docs/formats.md section 7. Empty where the page gives none (rounding even).
std::optional<std::uint64_t> plane_lines(const Region& region, const Read& request);

// Elements that the escape lists of an aligned region have to hold.
std::uint64_t escapes(const Region& region);

}  // namespace reference
