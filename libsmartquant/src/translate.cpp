// SPDX-License-Identifier: MIT
#include "translate.hpp"

#include <algorithm>

#include "text.hpp"

namespace smartquant {

RegionInfo public_region(const struct sqc_region_info &info)
{
	return {
		.name = std::string(info.name, info.name_bytes),
		.handle = info.handle,
		.dtype = static_cast<Dtype>(info.dtype),
		.placement = static_cast<Placement>(info.placement),
		.coding = static_cast<Coding>(info.coding),
		.sealed = info.sealed,
		.dirty = info.dirty,
		.rows = info.rows,
		.cols = info.cols,
		.precision = Format(info.precision),
		.stored_bytes = info.stored_bytes,
		.escapes = info.escapes,
		.segments = info.segments,
		.views = info.views,
	};
}

FetchResult public_fetch(const sqc_result &result)
{
	return {
		.format = Format(result.format),
		.rounding = static_cast<Rounding>(result.rounding),
		.bytes = result.bytes,
		.elements = result.elements,
		.plane_lines = result.plane_lines,
		.check_lines = result.check_lines,
		.baseline_lines = result.baseline_lines,
		.dram_time = std::chrono::nanoseconds(result.dram_time_ns),
		.dram_energy_pj = result.dram_energy_pj,
		.link_time = std::chrono::nanoseconds(result.link_time_ns),
	};
}

std::vector<dram::Run> public_runs(std::span<const sqc_dram_run> runs)
{
	std::vector<dram::Run> list;

	list.reserve(runs.size());
	for (const sqc_dram_run &run : runs)
		list.push_back({.address = run.address, .lines = run.lines});
	return list;
}

StoreResult public_store(const sqc_result &result)
{
	return {
		.bytes = result.bytes,
		.elements = result.elements,
		.rounded_elements = result.rounded_elements,
		.max_rounding_error = result.max_rounding_error,
	};
}

std::string run_name(std::uint16_t run)
{
	if (run == SQC_RUN_EXPONENTS)
		return "exponents";
	if (run == SQC_RUN_ESCAPES)
		return "escapes";
	return concat("plane ", run);
}

BadRun public_bad_run(const RegionInfo &region, std::uint32_t segment, std::uint16_t run)
{
	const std::uint64_t stride = (std::uint64_t{region.cols} + SQC_GROUP_ELEMENTS - 1) /
				     SQC_GROUP_ELEMENTS * SQC_GROUP_ELEMENTS;
	const std::uint64_t first = std::uint64_t{segment} * SQC_SEGMENT_ELEMENTS;
	const std::uint64_t end = first + SQC_SEGMENT_ELEMENTS;

	return {
		.region = region.name,
		.segment = segment,
		.run = region.dtype == Dtype::U8 ? concat("run ", run) : run_name(run),
		.first_row = static_cast<std::uint32_t>(first / stride),
		.end_row = static_cast<std::uint32_t>(
			std::min<std::uint64_t>(region.rows, (end + stride - 1) / stride)),
	};
}

} // namespace smartquant
