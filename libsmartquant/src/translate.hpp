// SPDX-License-Identifier: MIT
//
// From the controller's results to those of the public headers
#ifndef SMARTQUANT_SRC_TRANSLATE_HPP
#define SMARTQUANT_SRC_TRANSLATE_HPP

#include <span>
#include <string>
#include <vector>

#include <smartquant/region.hpp>

#include "controller_api.hpp"

namespace smartquant {

RegionInfo public_region(const struct sqc_region_info &info);
FetchResult public_fetch(const sqc_result &result);
std::vector<dram::Run> public_runs(std::span<const sqc_dram_run> runs);
StoreResult public_store(const sqc_result &result);
// Of the controller's counters or of the driver's, which have the same names.
template <typename Counters>
Statistics public_statistics(const Counters &statistics)
{
	return {
		.requests = statistics.requests,
		.elements = statistics.elements,
		.link_bytes = statistics.link_bytes,
		.plane_lines = statistics.plane_lines,
		.check_lines = statistics.check_lines,
		.baseline_lines = statistics.baseline_lines,
		.written_lines = statistics.written_lines,
		.stores = statistics.stores,
		.stored_elements = statistics.stored_elements,
		.errors = statistics.errors,
		.media_errors = statistics.media_errors,
		.poison_loads = statistics.poison_loads,
		.view_loads = statistics.view_loads,
		.dram_time = std::chrono::nanoseconds(statistics.dram_time_ns),
		.dram_energy_pj = statistics.dram_energy_pj,
		.link_time = std::chrono::nanoseconds(statistics.link_time_ns),
	};
}

// "plane 3", "exponents", "escapes"
std::string run_name(std::uint16_t run);
BadRun public_bad_run(const RegionInfo &region, std::uint32_t segment, std::uint16_t run);

} // namespace smartquant

#endif // SMARTQUANT_SRC_TRANSLATE_HPP
