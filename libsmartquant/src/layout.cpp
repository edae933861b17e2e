// SPDX-License-Identifier: MIT
#include <smartquant/layout.hpp>

#include "controller_api.hpp"
#include "failure.hpp"
#include "multiply.h"
#include "request.hpp"
#include "text.hpp"

namespace smartquant {

namespace {

constexpr std::string_view subject = "layout";

void check_read(const Layout &layout, std::span<const std::byte> read)
{
	if (read.size() < layout.bytes)
		fail(Status::Length, subject,
		     concat("bytes of a read: ", read.size(), " given, the layout has ",
			    layout.bytes));
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
	const sqc_layout inner = controller_layout(layout);
	const Part part = resolve(layout, rows);

	check_read(layout, read);
	check_values("the buffer for values", values.size(),
		     std::uint64_t{part.count} * layout.cols);
	check_status(sqc_decode(&inner, read.data(), part.first, part.count, values.data()),
		     layout);
}

void multiply(const Layout &layout, std::span<const std::byte> read, Rows rows,
	      std::span<const float> x, std::span<float> y)
{
	const sqc_layout inner = controller_layout(layout);
	const Part part = resolve(layout, rows);

	check_read(layout, read);
	check_values("the vector x", x.size(), layout.cols);
	check_values("the vector y", y.size(), part.count);
	check_status(sqc_multiply(&inner, read.data(), part.first, part.count, x.data(),
				  y.data()),
		     layout);
}

} // namespace smartquant
