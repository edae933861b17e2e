// SPDX-License-Identifier: MIT
//
// The small languages of sqctl's arguments. Each parser throws WrongUsage
// with what it read and what would do.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <smartquant/layout.hpp>

namespace sqctl {

/// "4096", "64K", "512M", "4G": bytes, in binary units.
uint64_t parse_size(std::string_view text);

struct Shape {
	uint32_t rows;
	uint32_t cols;
};

/// "64x576".
Shape parse_shape(std::string_view text);

/// "0:64", "64:", ":64": rows from, to before.
smartquant::Rows parse_rows(std::string_view text);

struct Part {
	smartquant::Format format;
	smartquant::Rows rows;
};

/// "mxint4", or formats row by row: "mxint8@0:64,mxint3@64:".
std::vector<Part> parse_parts(std::string_view text);

/// Decimal, or hexadecimal after 0x.
uint64_t parse_number(std::string_view text, std::string_view what);
/// Hexadecimal, with or without 0x.
uint64_t parse_hexadecimal(std::string_view text, std::string_view what);

} // namespace sqctl
