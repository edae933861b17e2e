// SPDX-License-Identifier: MIT
#include <smartquant/layout.hpp>

#include "controller_api.hpp"
#include "failure.hpp"
#include "format.h"
#include "multiply.h"
#include "request.hpp"
#include "text.hpp"

namespace smartquant {

namespace {

constexpr std::string_view subject = "layout";

// A Layout is a plain struct that anybody can fill, so nothing in it is
// believed: a section must lie within the bytes.
void check_section(const Layout &layout, std::uint64_t offset, std::uint64_t row_bytes)
{
	std::uint64_t section_bytes, end;

	if (__builtin_mul_overflow(row_bytes, std::uint64_t{layout.rows}, &section_bytes) ||
	    __builtin_add_overflow(offset, section_bytes, &end) || end > layout.bytes)
		fail(Status::InvalidInput, subject,
		     concat("a section of ", layout.rows, " rows of ", row_bytes,
			    " bytes from byte ", offset, " does not fit into ", layout.bytes,
			    " bytes"));
}

void check_read(const Layout &layout, std::span<const std::byte> read)
{
	if (read.size() < layout.bytes)
		fail(Status::Length, subject,
		     concat("bytes of a read: ", read.size(), " given, the layout has ",
			    layout.bytes));
	check_section(layout, 0, layout.code_row_bytes);
	check_section(layout, layout.micro_offset, layout.micro_row_bytes);
	check_section(layout, layout.scale_offset, layout.scale_row_bytes);
}

// Rows are as long as the format makes them.
void check_rows(const Layout &layout)
{
	const std::uint16_t code = layout.format.code();
	const struct sqc_format *format = sqc_format_find(code);
	const auto dtype = static_cast<std::uint8_t>(layout.dtype);

	if (!format || SQ_FORMAT_FAMILY(code) == SQ_FORMAT_FAMILY_PLANES)
		return; // no numbers in it
	if (layout.code_row_bytes != sqc_format_code_row_bytes(format, dtype, layout.cols) ||
	    layout.micro_row_bytes != sqc_format_micro_row_bytes(format, layout.cols) ||
	    layout.scale_row_bytes != sqc_format_scale_row_bytes(format, layout.cols))
		fail(Status::InvalidInput, subject,
		     concat("the row bytes are not those of ", layout.cols,
			    " columns in format ", layout.format.name()));
}

std::span<const std::byte> section_row(const Layout &layout, std::span<const std::byte> read,
				       std::uint32_t row, std::uint64_t offset,
				       std::uint64_t row_bytes)
{
	check_read(layout, read);
	if (row >= layout.rows)
		fail(Status::Range, subject,
		     concat("row ", row, " out of range (the read has ", layout.rows, " rows)"));
	return read.subspan(offset + row * row_bytes, row_bytes);
}

// Rows of the delivered matrix.
struct Part {
	std::uint32_t first;
	std::uint32_t count;
};

Part resolve(const Layout &layout, Rows rows)
{
	const std::uint32_t end = rows.end == Rows::to_end ? layout.rows : rows.end;

	if (end > layout.rows || rows.first > end)
		fail(Status::Range, subject,
		     concat("rows ", rows.first, ":", end, " out of range (the read has ",
			    layout.rows, " rows)"));
	return {rows.first, end - rows.first};
}

void check_values(std::string_view what, std::uint64_t given, std::uint64_t needed)
{
	if (given < needed)
		fail(Status::Length, subject,
		     concat(what, " holds ", given, " values, ", needed, " are needed"));
}

void check_status(sqc_status status, const Layout &layout)
{
	if (status == SQ_STATUS_FORMAT)
		fail(Status::Format, subject,
		     concat("bytes of format ", layout.format.name(),
			    " cannot be turned into numbers here"));
	if (status != SQ_STATUS_SUCCESS)
		fail(static_cast<Status>(status), subject);
}

} // namespace

std::span<const std::byte> Layout::codes(std::span<const std::byte> read, std::uint32_t row) const
{
	return section_row(*this, read, row, 0, code_row_bytes);
}

std::span<const std::byte> Layout::micro(std::span<const std::byte> read, std::uint32_t row) const
{
	return section_row(*this, read, row, micro_offset, micro_row_bytes);
}

std::span<const std::byte> Layout::scales(std::span<const std::byte> read, std::uint32_t row) const
{
	return section_row(*this, read, row, scale_offset, scale_row_bytes);
}

void decode(const Layout &layout, std::span<const std::byte> read, Rows rows,
	    std::span<float> values)
{
	decode(layout, read, rows, {}, values);
}

void decode(const Layout &layout, std::span<const std::byte> read, Rows rows,
	    std::span<const float> levels, std::span<float> values)
{
	const sqc_layout inner = raw_layout<sqc_layout>(layout);
	const Part part = resolve(layout, rows);

	check_read(layout, read);
	check_rows(layout);
	check_values("the buffer for values", values.size(),
		     std::uint64_t{part.count} * layout.cols);
	// More bits name no format, which the decoder says.
	if (const unsigned int bits = layout.format.tuned_bits();
	    !levels.empty() && bits && bits <= 8)
		check_values("the levels", levels.size(), std::uint64_t{1} << bits);
	check_status(sqc_decode_levels(&inner, levels.empty() ? nullptr : levels.data(),
				       read.data(), part.first, part.count, values.data()),
		     layout);
}

void multiply(const Layout &layout, std::span<const std::byte> read, Rows rows,
	      std::span<const float> x, std::span<float> y)
{
	const sqc_layout inner = raw_layout<sqc_layout>(layout);
	const Part part = resolve(layout, rows);

	check_read(layout, read);
	check_rows(layout);
	check_values("the vector x", x.size(), layout.cols);
	check_values("the vector y", y.size(), part.count);
	check_status(sqc_multiply(&inner, read.data(), part.first, part.count, x.data(),
				  y.data()),
		     layout);
}

} // namespace smartquant
