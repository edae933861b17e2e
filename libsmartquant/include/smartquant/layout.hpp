// SPDX-License-Identifier: MIT
//
// Where the bytes of a read are, and how they become numbers
//
// A read delivers a matrix as up to three sections, one behind the other:
//
//     codes            rows x code_row_bytes
//     microexponents   rows x micro_row_bytes     mx9, mx6, mx4 only
//     scales           rows x scale_row_bytes     block formats only
//
// decode() and multiply() work on such bytes wherever they are: in a buffer
// that fetch() filled, or in a mapped view.
#ifndef SMARTQUANT_LAYOUT_HPP
#define SMARTQUANT_LAYOUT_HPP

#include <cstddef>
#include <cstdint>
#include <span>

#include <smartquant/export.hpp>
#include <smartquant/format.hpp>

namespace smartquant {

// Rows [first, end) of a region, counted from 0. The default is all of them.
struct Rows {
	static constexpr std::uint32_t to_end = 0xffffffff;

	std::uint32_t first = 0;
	std::uint32_t end = to_end;
};

// What to read.
struct ReadRequest {
	Format format = Format::tag();
	Rounding rounding = Rounding::Default;
	Axis axis = Axis::Row;
	Rows rows = {};
};

struct SMARTQUANT_API Layout {
	Format format = {};			// granted: never tag()
	Rounding rounding = Rounding::Default; // granted
	Axis axis = Axis::Row;
	Dtype dtype = Dtype::Bf16;	// of the region
	Placement placement = Placement::Aligned;
	std::uint32_t rows = 0;		// of the delivered matrix
	std::uint32_t cols = 0;
	std::uint64_t bytes = 0;	// the whole read
	std::uint64_t code_row_bytes = 0;
	std::uint64_t micro_offset = 0;
	std::uint64_t micro_row_bytes = 0;
	std::uint64_t scale_offset = 0;
	std::uint64_t scale_row_bytes = 0;

	// One row of a section within the bytes of a read; empty when the
	// format has no such section. Throws Status::Range for a row that is
	// not there, Status::Length when `read` is shorter than `bytes`.
	std::span<const std::byte> codes(std::span<const std::byte> read, std::uint32_t row) const;
	std::span<const std::byte> micro(std::span<const std::byte> read, std::uint32_t row) const;
	std::span<const std::byte> scales(std::span<const std::byte> read, std::uint32_t row) const;
};

// Rows of the delivered matrix as fp32, row-major: (rows.end - rows.first) x
// cols values. Throws Status::Range, Status::Length (a buffer is too short),
// Status::Format (the format carries no numbers, or is unknown here).
SMARTQUANT_API void decode(const Layout &layout, std::span<const std::byte> read, Rows rows,
			   std::span<float> values);

// The same for any format, Format::tuned() included, whose codes stand for
// `levels` (Region::levels() of as many bits). Other formats take none.
SMARTQUANT_API void decode(const Layout &layout, std::span<const std::byte> read, Rows rows,
			   std::span<const float> levels, std::span<float> values);

// y[i] = sum over j of W[first + i][j] * x[j], W the rows of the delivered
// matrix. The order of additions is fixed, so every machine gives the same
// bits. x holds cols values, y one a row. Throws like decode(), and
// Status::Format for Format::tuned().
SMARTQUANT_API void multiply(const Layout &layout, std::span<const std::byte> read, Rows rows,
			     std::span<const float> x, std::span<float> y);

} // namespace smartquant

#endif // SMARTQUANT_LAYOUT_HPP
