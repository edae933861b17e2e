// SPDX-License-Identifier: MIT
#include "bringup/doctor.hpp"

#include <exception>

#include <fmt/format.h>

#include "bringup/sysfs.hpp"
#include "bringup/topology.hpp"

namespace bringup {
namespace {

/// What a check saw.
struct Finding {
	bool ok;
	std::string found;
};

// ------------------------------------------------- links of the machine

Finding check_table(const Paths &paths)
{
	const auto table = paths.acpi_tables() / "CEDT";
	if (!sysfs::exists(table))
		return {false, fmt::format("{} is missing: the firmware describes no CXL", table.string())};
	return {true, table.string()};
}

Finding check_root(const Paths &paths)
{
	const auto root = sysfs::numbered(paths.cxl_devices(), "root");
	if (root.empty())
		return {false, fmt::format("no root port in {}", paths.cxl_devices().string())};
	return {true, root.front()};
}

Finding check_root_decoder(const Paths &paths)
{
	const auto decoders = sysfs::numbered(paths.cxl_devices(), "decoder0.");
	for (const std::string &decoder : decoders) {
		const auto folder = paths.cxl_devices() / decoder;
		const uint64_t bytes = sysfs::number(folder / "size").value_or(0);
		const bool takes_pmem = sysfs::number(folder / "cap_pmem") == 1;
		const bool takes_ram = sysfs::number(folder / "cap_ram") == 1;
		if (bytes > 0 && (takes_pmem || takes_ram))
			return {true, fmt::format("{}, a window of {} MiB", decoder, bytes >> 20)};
	}
	return {false, decoders.empty() ? "no decoder0.*: the table has no fixed memory window"
					: "no decoder0.* that takes memory devices"};
}

Finding check_host_bridge(const Paths &paths)
{
	const auto ports = sysfs::numbered(paths.cxl_devices(), "port");
	if (ports.empty())
		return {false, "no CXL port: no host bridge was found"};
	return {true, ports.front()};
}

Finding check_card(const Paths &paths)
{
	const auto cards = find_cards(paths);
	if (cards.empty())
		return {false, "no PCI function 1 with id 1af4:10f1"};
	return {true, fmt::format("{}{}", cards.front().controller,
				  cards.size() > 1 ? fmt::format(" and {} more", cards.size() - 1) : "")};
}

struct MachineLink {
	const char *name;
	Finding (*check)(const Paths &paths);
	const char *remedy;
};

constexpr MachineLink machine_links[] = {
	{"ACPI table", check_table,
	 "turn CXL on in the firmware's setup; for a virtual machine, boot it with scripts/vm "
	 "(-machine q35,cxl=on)"},
	{"CXL root", check_root, "modprobe cxl_acpi"},
	{"root decoder", check_root_decoder,
	 "give the machine a CXL memory window; for QEMU: -M cxl-fmw.0.targets.0=...,cxl-fmw.0.size=..."},
	{"host bridge", check_host_bridge,
	 "modprobe cxl_acpi cxl_port; without a bridge in the machine, for QEMU: -device pxb-cxl"},
	{"card", check_card,
	 "put a SmartQuant card into a CXL slot; for QEMU: -device cxl-smartquant under a cxl-rp"},
};

// --------------------------------------------------- links of one card

Finding check_memdev(const Paths &, const Card &card, const Probe &)
{
	if (card.memdev.empty())
		return {false, fmt::format("function {} has driver {} and no memory device", card.memory,
					   card.memory_driver.empty() ? "none" : card.memory_driver)};
	return {true, card.memdev};
}

Finding check_endpoint(const Paths &, const Card &card, const Probe &)
{
	if (card.endpoint.empty())
		return {false, fmt::format("{} is no endpoint of the CXL tree", card.memdev)};
	return {true, card.endpoint};
}

Finding check_region(const Paths &, const Card &card, const Probe &)
{
	if (card.region.empty())
		return {false, fmt::format("{} has no region", card.endpoint)};
	if (!card.region_committed)
		return {false, fmt::format("{} is not committed to the decoders", card.region)};
	return {true, card.region};
}

Finding check_region_driver(const Paths &, const Card &card, const Probe &)
{
	if (card.region_driver.empty())
		return {false, fmt::format("{} is not enabled", card.region)};
	return {true, fmt::format("{} has driver {}", card.region, card.region_driver)};
}

Finding check_driver(const Paths &, const Card &card, const Probe &)
{
	if (card.controller_driver != "smartquant")
		return {false, fmt::format("function {} has driver {}", card.controller,
					   card.controller_driver.empty() ? "none" : card.controller_driver)};
	return {true, fmt::format("function {} has driver smartquant", card.controller)};
}

Finding check_node(const Paths &paths, const Card &card, const Probe &)
{
	if (card.node.empty())
		return {false, fmt::format("the driver made no device of function {}", card.controller)};
	const auto node = paths.dev / card.node;
	if (!sysfs::exists(node))
		return {false, fmt::format("{} is missing", node.string())};
	return {true, node.string()};
}

Finding try_probe(const std::function<std::string(const std::filesystem::path &)> &probe,
		  const Paths &paths, const Card &card)
{
	try {
		return {true, probe(paths.dev / card.node)};
	} catch (const std::exception &error) {
		return {false, error.what()};
	}
}

Finding check_store(const Paths &paths, const Card &card, const Probe &probe)
{
	return try_probe(probe.open, paths, card);
}

Finding check_view(const Paths &paths, const Card &card, const Probe &probe)
{
	return try_probe(probe.map, paths, card);
}

struct CardLink {
	const char *name;
	Finding (*check)(const Paths &paths, const Card &card, const Probe &probe);
	const char *remedy;
};

constexpr CardLink card_links[] = {
	{"memory device", check_memdev, "modprobe cxl_pci"},
	{"endpoint", check_endpoint, "modprobe cxl_mem cxl_port"},
	{"region", check_region, "sqctl up"},
	{"region driver", check_region_driver, "modprobe cxl_pmem, then sqctl up"},
	{"driver", check_driver, "modprobe smartquant"},
	{"device node", check_node, "start udev, or mount devtmpfs on /dev"},
	{"store", check_store, "see the kernel log for smartquant; as another user, check the node's permissions"},
	{"view", check_view, "sqctl up, then reload the driver: modprobe -r smartquant; modprobe smartquant"},
};

Link make_link(const char *name, const std::string &card, Finding finding, const char *remedy)
{
	return {name, card, finding.ok, std::move(finding.found), finding.ok ? "" : remedy};
}

} // namespace

std::vector<Link> examine(const Paths &paths, const Probe &probe)
{
	std::vector<Link> links;
	for (const MachineLink &link : machine_links) {
		links.push_back(make_link(link.name, "", link.check(paths), link.remedy));
		if (!links.back().ok)
			return links;
	}
	for (const Card &card : find_cards(paths))
		for (const CardLink &link : card_links) {
			links.push_back(make_link(link.name, card.controller,
						  link.check(paths, card, probe), link.remedy));
			if (!links.back().ok)
				return links;
		}
	return links;
}

} // namespace bringup
