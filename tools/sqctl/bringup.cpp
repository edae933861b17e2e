// SPDX-License-Identifier: MIT
//
// A card's way into the system: up, doctor.
#include "bringup/bringup.hpp"

#include <fmt/format.h>

#include "bringup/doctor.hpp"
#include "command.hpp"
#include "text.hpp"

namespace sqctl {
namespace {

// -------------------------------------------------------------------- up

std::string up_text(const json &document)
{
	std::string out;
	for (const json &step : document.at("steps"))
		out += plain(step) + "\n";
	return out;
}

Output up()
{
	json steps = json::array();
	json cards = json::array();
	const auto control = bringup::open_libcxl();
	const auto states = bringup::bring_up(bringup::Paths::from_environment(), *control,
					      [&](const std::string &step) { steps.push_back(step); });
	for (const bringup::CardState &state : states)
		cards.push_back({{"card", state.card},
				 {"memdev", state.memdev},
				 {"region", state.region},
				 {"bytes", state.bytes},
				 {"created", state.created},
				 {"enabled", state.enabled}});
	return {.document = {{"schema", "smartquant/up/1"}, {"cards", cards}, {"steps", steps}},
		.text = up_text};
}

// ---------------------------------------------------------------- doctor

std::string open_node(const std::filesystem::path &node)
{
	const auto store = smartquant::Store::open(node.string(), {.read_only = true});
	const smartquant::StoreInfo info = store.info();
	return fmt::format("{} regions, {} of {} used", info.regions, size_text(info.used_bytes),
			   size_text(info.capacity_bytes));
}

std::string map_view(const std::filesystem::path &node)
{
	const auto store = smartquant::Store::open(node.string(), {.read_only = true});
	const std::vector<smartquant::RegionInfo> regions = store.regions();
	if (regions.empty())
		return "no region to map yet";
	const smartquant::View view = store.region(regions.front().name)
					      .map({.format = smartquant::Format::native(), .rows = {0, 1}});
	// Touched, not only mapped: a window that is not decoded fails here.
	const volatile std::byte first = view.bytes().front();
	static_cast<void>(first);
	return fmt::format("a view of \"{}\" is mapped and readable", regions.front().name);
}

json kernels_json()
{
	json list = json::array();
	for (const smartquant::Kernel &kernel : smartquant::kernels())
		list.push_back({{"family", kernel.family}, {"level", kernel.level}, {"forced", kernel.forced}});
	return list;
}

std::string doctor_text(const json &document)
{
	Table links({"", "link", "card", "found"});
	for (const json &link : document.at("links"))
		links.add({link.at("ok").get<bool>() ? "ok" : "BROKEN", plain(link.at("link")),
			   plain(link.at("card")), plain(link.at("found"))});
	Table kernels({"kernel", "level", "chosen by"});
	for (const json &kernel : document.at("kernels"))
		kernels.add({plain(kernel.at("family")), plain(kernel.at("level")),
			     kernel.at("forced").get<bool>() ? "SMARTQUANT_KERNELS" : "the CPU"});
	return links.text() + "\n" + kernels.text();
}

Output doctor()
{
	const auto links = bringup::examine(bringup::Paths::from_environment(),
					    {.open = open_node, .map = map_view});
	json list = json::array();
	for (const bringup::Link &link : links) {
		json entry = {{"link", link.name}, {"card", link.card}, {"ok", link.ok}, {"found", link.found}};
		if (!link.ok)
			entry["remedy"] = link.remedy;
		list.push_back(entry);
	}
	const bringup::Link &last = links.back();
	Output output{.document = {{"schema", "smartquant/doctor/1"},
				   {"healthy", last.ok},
				   {"links", list},
				   {"kernels", kernels_json()}},
		      .text = doctor_text};
	if (!last.ok)
		output.failure = fmt::format("{}: {}; remedy: {}", last.name, last.found, last.remedy);
	return output;
}

} // namespace

Run define_up(CommandLine &, const Context &)
{
	return up;
}

Run define_doctor(CommandLine &, const Context &)
{
	return doctor;
}

} // namespace sqctl
