// SPDX-License-Identifier: MIT
#include "from_uapi.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <span>

#include "failure.hpp"
#include "text.hpp"

namespace smartquant {

namespace {

[[noreturn]] void fail_answer(std::string_view subject, std::string_view field,
			      std::uint64_t value)
{
	fail(Status::InternalError, subject,
	     concat("the driver answered with ", field, " ", value,
		    ", which cannot be; driver, library and card do not fit together"));
}

void expect(bool possible, std::string_view subject, std::string_view field, std::uint64_t value)
{
	if (!possible)
		fail_answer(subject, field, value);
}

// Text in a field of fixed length, terminated or not.
std::string text_of(std::span<const char> field)
{
	return {field.begin(), std::ranges::find(field, '\0')};
}

} // namespace

StoreInfo from_info(const sq_ioc_info &info, std::string_view subject)
{
	StoreInfo out{
		.interface_version = concat(info.interface_major, ".", info.interface_minor),
		.firmware = text_of(info.firmware),
		.serial = text_of(info.serial),
		.capacity_bytes = info.capacity_bytes,
		.used_bytes = info.used_bytes,
		.logical_bytes = info.logical_bytes,
		.regions = info.regions,
		.regions_max = info.regions_max,
		.views_max = info.views_max,
	};

	if (info.interface_major != SQ_INTERFACE_MAJOR)
		fail(Status::Unsupported, subject,
		     concat("speaks interface version ", out.interface_version,
			    ", this library version ", SQ_INTERFACE_MAJOR, ".x"));
	expect(info.format_count <= std::size(info.formats), subject, "format_count",
	       info.format_count);
	expect(info.encoding_count <= std::size(info.encodings), subject, "encoding_count",
	       info.encoding_count);
	expect(info.transfer_bytes_max > 0, subject, "transfer_bytes_max",
	       info.transfer_bytes_max);
	expect(info.buffers_max > 0, subject, "buffers_max", info.buffers_max);
	for (const std::uint16_t code : std::span(info.formats).first(info.format_count))
		out.formats.emplace_back(code);
	for (const std::uint16_t code : std::span(info.encodings).first(info.encoding_count))
		out.encodings.emplace_back(code);
	return out;
}

RegionInfo from_region(const sq_ioc_region &region, std::string_view subject)
{
	expect(region.handle != 0, subject, "handle", region.handle);
	expect(region.name_bytes >= 1 && region.name_bytes <= SQ_NAME_MAX, subject, "name_bytes",
	       region.name_bytes);
	expect(sqc_dtype_bytes(region.dtype) != 0, subject, "dtype", region.dtype);
	expect(region.placement >= SQ_PLACEMENT_BYTES && region.placement <= SQ_PLACEMENT_TUNED,
	       subject, "placement", region.placement);
	expect(region.coding <= SQ_CODING_PACKED, subject, "coding", region.coding);
	expect(region.rows != 0, subject, "rows", region.rows);
	expect(region.cols != 0, subject, "cols", region.cols);
	return {
		.name = std::string(region.name, region.name_bytes),
		.handle = region.handle,
		.dtype = static_cast<Dtype>(region.dtype),
		.placement = static_cast<Placement>(region.placement),
		.coding = static_cast<Coding>(region.coding),
		.sealed = (region.region_flags & SQ_REGION_SEALED) != 0,
		.dirty = (region.region_flags & SQ_REGION_DIRTY) != 0,
		.rows = region.rows,
		.cols = region.cols,
		.precision = Format(region.precision),
		.stored_bytes = region.stored_bytes,
		.escapes = region.escapes,
		.segments = region.segments,
		.views = region.views,
	};
}

sqc_result from_result(const sq_transfer_result &result)
{
	return {
		.format = result.format,
		.rounding = result.rounding,
		.bytes = result.bytes,
		.elements = result.elements,
		.plane_lines = result.plane_lines,
		.check_lines = result.check_lines,
		.baseline_lines = result.baseline_lines,
		.dram_time_ns = result.dram_time_ns,
		.dram_energy_pj = result.dram_energy_pj,
		.link_time_ns = result.link_time_ns,
		.rounded_elements = result.rounded_elements,
		.max_rounding_error = std::bit_cast<float>(result.max_rounding_error),
		.error_row = result.error_row,
		.error_col = result.error_col,
	};
}

void check_view(const sq_ioc_view &view, const sqc_layout &layout, std::string_view subject)
{
	expect(view.length_bytes == layout.bytes, subject, "length_bytes", view.length_bytes);
	expect(view.window_bytes >= view.length_bytes, subject, "window_bytes",
	       view.window_bytes);
	expect(view.rounding <= SQ_ROUNDING_EVEN, subject, "rounding", view.rounding);
	expect(view.mmap_offset % SQC_VIEW_ALIGN == 0, subject, "mmap_offset", view.mmap_offset);
}

} // namespace smartquant
