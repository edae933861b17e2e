// SPDX-License-Identifier: MIT
//
// Counters, each counted in the controller where the thing happens. dram_*
// and link_time are results of the controller's model of a real card.
#ifndef SMARTQUANT_STATISTICS_HPP
#define SMARTQUANT_STATISTICS_HPP

#include <chrono>
#include <cstdint>

#include <smartquant/format.hpp>

namespace smartquant {

// Since the store was opened or last reset; a device counts from its start.
struct Statistics {
	std::uint64_t requests = 0;		// reads that completed
	std::uint64_t elements = 0;		// weights delivered
	std::uint64_t link_bytes = 0;		// bytes delivered by reads
	std::uint64_t plane_lines = 0;		// 64-byte lines read from plane memory for data
	std::uint64_t check_lines = 0;		// further lines, read only to check a checksum
	std::uint64_t baseline_lines = 0;	// what a store of whole words would have read
	std::uint64_t written_lines = 0;
	std::uint64_t stores = 0;		// stores that completed
	std::uint64_t stored_elements = 0;
	std::uint64_t errors = 0;		// requests refused or failed
	std::uint64_t media_errors = 0;		// of these: checksum mismatches
	std::uint64_t poison_loads = 0;		// accesses outside of any view
	std::uint64_t view_loads = 0;		// loads decoded one by one
	std::chrono::nanoseconds dram_time{};	// modelled
	std::uint64_t dram_energy_pj = 0;	// modelled
	std::chrono::nanoseconds link_time{};	// modelled
};

// What one read cost.
struct FetchResult {
	Format format = {};				// granted
	Rounding rounding = Rounding::Default;	// granted
	std::uint64_t bytes = 0;		// delivered
	std::uint64_t elements = 0;
	std::uint64_t plane_lines = 0;
	std::uint64_t check_lines = 0;
	std::uint64_t baseline_lines = 0;
	std::chrono::nanoseconds dram_time{};	// modelled
	std::uint64_t dram_energy_pj = 0;	// modelled
	std::chrono::nanoseconds link_time{};	// modelled
};

// What one store did.
struct StoreResult {
	std::uint64_t bytes = 0;		// taken
	std::uint64_t elements = 0;
	std::uint64_t rounded_elements = 0;	// changed by rounding to the dtype
	float max_rounding_error = 0;		// largest |stored - given| / |given|
};

} // namespace smartquant

#endif // SMARTQUANT_STATISTICS_HPP
