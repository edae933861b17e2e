// SPDX-License-Identifier: MIT
#include "pieces.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "format.h"

namespace smartquant {

namespace {

// A section whose rows are `row_bytes` apart in the whole and in the piece,
// the piece beginning `row_start` bytes into each row.
struct Section {
	std::uint64_t whole_offset;
	std::uint64_t whole_row_bytes;
	std::uint64_t piece_offset;
	std::uint64_t piece_row_bytes;
	std::uint64_t row_start; // axis col
};

std::array<Section, 3> matrix_sections(const sqc_layout &whole, const sqc_layout &piece,
				       std::uint32_t first_row)
{
	const struct sqc_format *format = sqc_format_find(whole.format);
	const std::uint8_t dtype = whole.dtype;

	return {{
		{0, whole.code_row_bytes, 0, piece.code_row_bytes,
		 sqc_format_code_row_bytes(format, dtype, first_row)},
		{whole.micro_offset, whole.micro_row_bytes, piece.micro_offset,
		 piece.micro_row_bytes, sqc_format_micro_row_bytes(format, first_row)},
		{whole.scale_offset, whole.scale_row_bytes, piece.scale_offset,
		 piece.scale_row_bytes, sqc_format_scale_row_bytes(format, first_row)},
	}};
}

PiecePlace place_along_rows(const Section &section, std::uint32_t first_row,
			    std::uint32_t piece_rows)
{
	return {
		.whole_offset = section.whole_offset + first_row * section.whole_row_bytes,
		.whole_row_bytes = piece_rows * section.whole_row_bytes,
		.piece_offset = section.piece_offset,
		.piece_row_bytes = piece_rows * section.piece_row_bytes,
		.rows = 1,
	};
}

PiecePlace place_along_columns(const Section &section, std::uint32_t rows)
{
	return {
		.whole_offset = section.whole_offset + section.row_start,
		.whole_row_bytes = section.whole_row_bytes,
		.piece_offset = section.piece_offset,
		.piece_row_bytes = section.piece_row_bytes,
		.rows = rows,
	};
}

// planes<k>: one section a plane, then the exponents, where there are any.
std::vector<PiecePlace> plane_places(const sqc_layout &whole, const sqc_layout &piece,
				     std::uint32_t first_row)
{
	const std::uint64_t row_bytes = whole.code_row_bytes;
	std::vector<PiecePlace> places;

	for (std::uint64_t plane = 0; plane < SQ_FORMAT_PARAMETER(whole.format); ++plane)
		places.push_back(place_along_rows({plane * whole.rows * row_bytes, row_bytes,
						   plane * piece.rows * row_bytes, row_bytes, 0},
						  first_row, piece.rows));
	if (whole.scale_row_bytes)
		places.push_back(place_along_rows({whole.scale_offset, whole.scale_row_bytes,
						   piece.scale_offset, piece.scale_row_bytes, 0},
						  first_row, piece.rows));
	return places;
}

} // namespace

std::vector<PiecePlace> piece_places(const sqc_layout &whole, const sqc_layout &piece,
				     std::uint32_t first_row)
{
	std::vector<PiecePlace> places;

	if (SQ_FORMAT_FAMILY(whole.format) == SQ_FORMAT_FAMILY_PLANES)
		return plane_places(whole, piece, first_row);
	for (const Section &section : matrix_sections(whole, piece, first_row))
		if (section.whole_row_bytes)
			places.push_back(whole.axis == SQ_AXIS_COL ?
						 place_along_columns(section, whole.rows) :
						 place_along_rows(section, first_row, piece.rows));
	return places;
}

void copy_piece(std::span<const PiecePlace> places, std::span<std::byte> whole,
		std::span<const std::byte> piece) noexcept
{
	for (const PiecePlace &place : places)
		for (std::uint64_t row = 0; row < place.rows; ++row)
			std::memcpy(&whole[place.whole_offset + row * place.whole_row_bytes],
				    &piece[place.piece_offset + row * place.piece_row_bytes],
				    place.piece_row_bytes);
}

bool is_contiguous(std::span<const PiecePlace> places) noexcept
{
	return std::ranges::all_of(places, [](const PiecePlace &place) { return place.rows == 1; });
}

sqc_read_request piece_request(const sqc_read_request &whole, std::uint32_t first_row,
			       std::uint32_t row_count) noexcept
{
	sqc_read_request piece = whole;

	piece.first_row += first_row;
	piece.row_count = row_count;
	return piece;
}

} // namespace smartquant
