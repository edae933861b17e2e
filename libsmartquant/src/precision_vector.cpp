// SPDX-License-Identifier: MIT
#include "precision_vector.hpp"

#include <algorithm>

#include "failure.hpp"
#include "request.hpp"
#include "text.hpp"

namespace smartquant {

std::span<const std::byte> VectorLayout::part(std::span<const std::byte> read,
					      std::size_t index) const
{
	if (index >= parts.size() || offsets.size() != parts.size() + 1)
		fail(Status::Range, "layout",
		     concat("part ", index, " out of range (the read has ", parts.size(), " parts)"));
	if (offsets[index] > offsets[index + 1] || read.size() < bytes() ||
	    offsets[index + 1] > bytes())
		fail(Status::Length, "buffer",
		     concat("of ", read.size(), " bytes is shorter than the read of ", bytes(),
			    " bytes"));
	return read.subspan(offsets[index], offsets[index + 1] - offsets[index]);
}

sqc_precision_vector VectorPlan::vector() const noexcept
{
	return {
		.formats = formats.data(),
		.format_count = static_cast<std::uint32_t>(formats.size()),
		.rows_per_format = rows_per_format,
	};
}

sqc_read_request VectorPlan::request_of(std::size_t first, std::size_t end) const noexcept
{
	const std::uint64_t first_row = std::uint64_t{first} * rows_per_format;
	const std::uint64_t end_row =
		std::min<std::uint64_t>(std::uint64_t{end} * rows_per_format, request.row_count);
	sqc_read_request some = request;

	some.first_row += static_cast<std::uint32_t>(first_row);
	some.row_count = static_cast<std::uint32_t>(end_row - first_row);
	return some;
}

static void check_count(const RegionInfo &region, const sqc_read_request &request,
			const VectorRequest &asked)
{
	if (asked.rows_per_format == 0)
		fail(Status::InvalidInput, region_subject(region.name),
		     "precision vector with 0 rows a format; blocks have at least 1 row");

	const std::uint32_t blocks = (request.row_count - 1) / asked.rows_per_format + 1;

	if (asked.formats.size() != blocks)
		fail(Status::InvalidInput, region_subject(region.name),
		     concat("precision vector of ", asked.formats.size(), " formats; ",
			    request.row_count, " rows in blocks of ", asked.rows_per_format, " need ",
			    blocks));
}

static std::vector<std::uint16_t> granted_formats(Backend &backend, const RegionInfo &region,
						  std::span<const Format> asked)
{
	const Format tag = std::ranges::find(asked, Format::tag()) == asked.end() ?
				   Format::tag() :
				   backend.region_info(region).precision;
	std::vector<std::uint16_t> formats;

	formats.reserve(asked.size());
	for (const Format format : asked)
		formats.push_back((format.is_tag() ? tag : format).code());
	return formats;
}

VectorPlan plan_vector(Backend &backend, const RegionInfo &region, const VectorRequest &asked)
{
	VectorPlan plan;

	plan.request = read_request(region, {.rounding = asked.rounding,
					     .axis = asked.axis,
					     .rows = asked.rows});
	check_count(region, plan.request, asked);
	plan.formats = granted_formats(backend, region, asked.formats);
	plan.rows_per_format = asked.rows_per_format;
	plan.layout.parts.reserve(plan.formats.size());
	plan.layout.offsets.reserve(plan.formats.size() + 1);
	plan.layout.offsets.push_back(0);
	for (std::size_t part = 0; part < plan.formats.size(); ++part) {
		sqc_read_request read = plan.request_of(part, part + 1);
		sqc_layout layout;

		read.format = plan.formats[part];
		if (const sqc_status status = sqc_layout_of(
			    static_cast<std::uint8_t>(region.dtype),
			    static_cast<std::uint8_t>(region.placement), region.rows, region.cols,
			    &read, &layout))
			fail_read(status, region, read, nullptr);
		plan.layout.parts.push_back(public_layout(layout));
		plan.layout.offsets.push_back(plan.layout.offsets.back() + layout.bytes);
	}
	return plan;
}

} // namespace smartquant
