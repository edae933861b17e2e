// SPDX-License-Identifier: MIT
//
// JSON of the things that several commands show. Keys never change meaning.
#pragma once

#include "command.hpp"

namespace sqctl {

json region_json(const smartquant::RegionInfo &info);
json statistics_json(const smartquant::Statistics &statistics);
json layout_json(const smartquant::Layout &layout);

/// The keys that `read` and `stats` share; adds up when called again.
struct Cost {
	uint64_t requests = 0;
	uint64_t elements = 0;
	uint64_t link_bytes = 0;
	uint64_t plane_lines = 0;
	uint64_t check_lines = 0;
	uint64_t baseline_lines = 0;
	uint64_t dram_time_ns = 0;
	uint64_t dram_energy_pj = 0;
	uint64_t link_time_ns = 0;

	void add(const smartquant::FetchResult &result);
	/// What happened between two snapshots of one set of counters.
	void add(const smartquant::Statistics &before, const smartquant::Statistics &after);
	void write_to(json &document) const;
};

/// The same as lines for people.
std::string cost_text(const json &document);

} // namespace sqctl
