// SPDX-License-Identifier: MIT
#include "bringup/topology.hpp"

#include "bringup/sysfs.hpp"

namespace bringup {
namespace {

constexpr uint64_t card_vendor = 0x1af4;
constexpr uint64_t card_device = 0x10f1;

bool is_controller(const std::filesystem::path &function)
{
	return sysfs::number(function / "vendor") == card_vendor &&
	       sysfs::number(function / "device") == card_device;
}

std::string first_or_empty(const std::vector<std::string> &names)
{
	return names.empty() ? std::string() : names.front();
}

std::string find_endpoint(const Paths &paths, const std::string &memdev)
{
	for (const std::string &endpoint : sysfs::numbered(paths.cxl_devices(), "endpoint"))
		if (sysfs::link_name(paths.cxl_devices() / endpoint / "uport") == memdev)
			return endpoint;
	return {};
}

/// The region that one of the endpoint's decoders belongs to.
std::string find_region(const Paths &paths, const std::string &endpoint)
{
	const auto folder = paths.cxl_devices() / endpoint;
	for (const std::string &name : sysfs::names(folder)) {
		if (!name.starts_with("decoder"))
			continue;
		const auto region = sysfs::text(folder / name / "region");
		if (region && !region->empty())
			return *region;
	}
	return {};
}

void find_cxl_objects(const Paths &paths, Card &card)
{
	if (card.memdev.empty())
		return;
	card.endpoint = find_endpoint(paths, card.memdev);
	if (card.endpoint.empty())
		return;
	card.region = find_region(paths, card.endpoint);
	if (card.region.empty())
		return;
	const auto folder = paths.cxl_devices() / card.region;
	card.region_committed = sysfs::number(folder / "commit") == 1;
	card.region_driver = sysfs::link_name(folder / "driver").value_or("");
}

Card examine_card(const Paths &paths, const std::string &controller)
{
	Card card;
	card.controller = controller;
	card.memory = controller.substr(0, controller.size() - 1) + "0";
	const auto function0 = paths.pci_devices() / card.memory;
	const auto function1 = paths.pci_devices() / controller;
	card.memory_driver = sysfs::link_name(function0 / "driver").value_or("");
	card.memdev = first_or_empty(sysfs::numbered(function0, "mem"));
	find_cxl_objects(paths, card);
	card.controller_driver = sysfs::link_name(function1 / "driver").value_or("");
	card.node = first_or_empty(sysfs::numbered(function1 / "smartquant", "smartquant"));
	return card;
}

} // namespace

std::vector<Card> find_cards(const Paths &paths)
{
	std::vector<Card> cards;
	for (const std::string &address : sysfs::names(paths.pci_devices()))
		if (address.ends_with(".1") && is_controller(paths.pci_devices() / address))
			cards.push_back(examine_card(paths, address));
	return cards;
}

} // namespace bringup
