// SPDX-License-Identifier: MIT
//
// A read in pieces of rows, put together to the bytes of the whole
//
// A piece is a read of some of the whole read's rows, with sections of its
// own. Axis row: a section of the piece is one run of bytes in the same
// section of the whole. Axis col: the piece's rows are columns of the
// delivered matrix, so each delivered row takes a few bytes from it.
//
//     whole    |codes: row 0 .. row 99      |scales: row 0 .. row 99|
//     piece          |codes: 32 .. 63|             |scales: 32 .. 63|
#ifndef SMARTQUANT_SRC_PIECES_HPP
#define SMARTQUANT_SRC_PIECES_HPP

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "controller_api.hpp"

namespace smartquant {

// Pieces start at multiples of this many rows behind the whole read's first,
// so that for axis col they end on whole blocks and whole bytes.
inline constexpr std::uint32_t piece_row_unit = 32;

// One part of a piece and its place.
struct PiecePlace {
	std::uint64_t whole_offset;	// of its first row
	std::uint64_t whole_row_bytes;	// from row to row
	std::uint64_t piece_offset;
	std::uint64_t piece_row_bytes;
	std::uint64_t rows;
};

// Where the piece that starts `first_row` rows behind the whole read's first
// belongs, in the order of the piece's bytes, without gaps in the piece.
std::vector<PiecePlace> piece_places(const sqc_layout &whole, const sqc_layout &piece,
				      std::uint32_t first_row);

void copy_piece(std::span<const PiecePlace> places, std::span<std::byte> whole,
		std::span<const std::byte> piece) noexcept;

// True when every place is one run of bytes: the piece can be read in place.
bool is_contiguous(std::span<const PiecePlace> places) noexcept;

// Rows [first_row, first_row + row_count) behind the whole read's first.
sqc_read_request piece_request(const sqc_read_request &whole, std::uint32_t first_row,
			       std::uint32_t row_count) noexcept;

} // namespace smartquant

#endif // SMARTQUANT_SRC_PIECES_HPP
