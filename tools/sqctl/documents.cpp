// SPDX-License-Identifier: MIT
#include "documents.hpp"

#include <fmt/format.h>

#include "text.hpp"

namespace sqctl {
namespace {

uint64_t count_ns(std::chrono::nanoseconds time)
{
	return static_cast<uint64_t>(time.count());
}

} // namespace

json region_json(const smartquant::RegionInfo &info)
{
	return {{"name", info.name},
		{"dtype", smartquant::name(info.dtype)},
		{"rows", info.rows},
		{"cols", info.cols},
		{"placement", smartquant::name(info.placement)},
		{"coding", smartquant::name(info.coding)},
		{"precision", info.precision.name()},
		{"sealed", info.sealed},
		{"stored_bytes", info.stored_bytes},
		{"handle", info.handle},
		{"segments", info.segments},
		{"escapes", info.escapes},
		{"views", info.views},
		{"unflushed", info.dirty}};
}

json statistics_json(const smartquant::Statistics &statistics)
{
	json document;
	Cost cost;
	cost.add({}, statistics);
	cost.write_to(document);
	document["written_lines"] = statistics.written_lines;
	document["stores"] = statistics.stores;
	document["stored_elements"] = statistics.stored_elements;
	document["errors"] = statistics.errors;
	document["media_errors"] = statistics.media_errors;
	document["poison_loads"] = statistics.poison_loads;
	document["view_loads"] = statistics.view_loads;
	return document;
}

json layout_json(const smartquant::Layout &layout)
{
	return {{"rows", layout.rows},
		{"cols", layout.cols},
		{"bytes", layout.bytes},
		{"code_row_bytes", layout.code_row_bytes},
		{"micro_offset", layout.micro_offset},
		{"micro_row_bytes", layout.micro_row_bytes},
		{"scale_offset", layout.scale_offset},
		{"scale_row_bytes", layout.scale_row_bytes}};
}

void Cost::add(const smartquant::FetchResult &result)
{
	requests++;
	elements += result.elements;
	link_bytes += result.bytes;
	plane_lines += result.plane_lines;
	check_lines += result.check_lines;
	baseline_lines += result.baseline_lines;
	dram_time_ns += count_ns(result.dram_time);
	dram_energy_pj += result.dram_energy_pj;
	link_time_ns += count_ns(result.link_time);
}

void Cost::add(const smartquant::Statistics &before, const smartquant::Statistics &after)
{
	requests += after.requests - before.requests;
	elements += after.elements - before.elements;
	link_bytes += after.link_bytes - before.link_bytes;
	plane_lines += after.plane_lines - before.plane_lines;
	check_lines += after.check_lines - before.check_lines;
	baseline_lines += after.baseline_lines - before.baseline_lines;
	dram_time_ns += count_ns(after.dram_time - before.dram_time);
	dram_energy_pj += after.dram_energy_pj - before.dram_energy_pj;
	link_time_ns += count_ns(after.link_time - before.link_time);
}

void Cost::write_to(json &document) const
{
	document["requests"] = requests;
	document["elements"] = elements;
	document["link_bytes"] = link_bytes;
	document["plane_lines"] = plane_lines;
	document["check_lines"] = check_lines;
	document["baseline_lines"] = baseline_lines;
	document["dram_time_ns"] = dram_time_ns;
	document["dram_energy_pj"] = dram_energy_pj;
	document["link_time_ns"] = link_time_ns;
}

std::string cost_text(const json &document)
{
	const auto number = [&](const char *key) { return document.at(key).get<uint64_t>(); };
	const uint64_t baseline = number("baseline_lines");
	const uint64_t lines = number("plane_lines");
	std::string saving;
	if (baseline > 0)
		saving = fmt::format(" ({:.1f} % of the {} of whole words)",
				     100.0 * static_cast<double>(lines) / static_cast<double>(baseline),
				     baseline);
	Facts facts;
	facts.add("requests", std::to_string(number("requests")));
	facts.add("elements", std::to_string(number("elements")));
	facts.add("over the link", size_text(number("link_bytes")));
	facts.add("plane lines", fmt::format("{}{}", lines, saving));
	facts.add("check lines", std::to_string(number("check_lines")));
	facts.add("DRAM time", time_text(number("dram_time_ns")) + " (modelled)");
	facts.add("DRAM energy", energy_text(number("dram_energy_pj")) + " (modelled)");
	facts.add("link time", time_text(number("link_time_ns")) + " (modelled)");
	return facts.text();
}

} // namespace sqctl
