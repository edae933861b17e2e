// SPDX-License-Identifier: MIT
#include "bringup/bringup.hpp"

#include <fmt/format.h>

#include "bringup/topology.hpp"

namespace bringup {
namespace {

void check_card(const Card &card)
{
	if (card.memdev.empty())
		throw Failure(fmt::format("card {}: function {} has no CXL memory device; modprobe cxl_pci",
					  card.controller, card.memory));
	if (card.endpoint.empty())
		throw Failure(fmt::format("card {}: {} is no endpoint of the CXL tree; modprobe cxl_acpi "
					  "cxl_mem cxl_port",
					  card.controller, card.memdev));
}

CardState bring_up_card(const Card &card, CxlControl &control, const Step &step)
{
	check_card(card);
	CardState state;
	state.card = card.controller;
	state.memdev = card.memdev;
	const uint64_t capacity = control.capacity_bytes(card.memdev);
	std::optional<RegionState> region = control.region_of(card.memdev);
	if (!region) {
		region = control.create_region(card.memdev, capacity);
		state.created = true;
		step(fmt::format("card {}: {} created over {} MiB of {}", card.controller, region->name,
				 region->bytes >> 20, card.memdev));
	} else if (region->bytes != capacity) {
		throw Failure(fmt::format("card {}: {} covers {} of {} bytes of {}; remove it (cxl "
					  "destroy-region -f {}) and try again",
					  card.controller, region->name, region->bytes, capacity,
					  card.memdev, region->name));
	}
	if (!region->committed) {
		control.commit(region->name);
		step(fmt::format("card {}: {} committed", card.controller, region->name));
	}
	if (!region->enabled) {
		control.enable(region->name);
		state.enabled = true;
		step(fmt::format("card {}: {} enabled", card.controller, region->name));
	}
	state.region = region->name;
	state.bytes = region->bytes;
	if (!state.created && !state.enabled)
		step(fmt::format("card {}: already up, {} over {} MiB", card.controller, region->name,
				 region->bytes >> 20));
	return state;
}

} // namespace

std::vector<CardState> bring_up(const Paths &paths, CxlControl &control, const Step &step)
{
	const std::vector<Card> cards = find_cards(paths);
	if (cards.empty())
		throw Failure("no SmartQuant card (PCI function 1 with id 1af4:10f1) in this machine; "
			      "sqctl doctor shows how far it gets");
	std::vector<CardState> states;
	for (const Card &card : cards)
		states.push_back(bring_up_card(card, control, step));
	return states;
}

} // namespace bringup
