// SPDX-License-Identifier: MIT
//
// The cards of this machine, as sysfs shows them: PCI function 1 (controller),
// its sibling function 0 (memory), and what the kernel's CXL drivers made of
// the latter.
//
//     root0 - decoder0.N        the window in the host's address space
//       port1                   the host bridge
//         endpointN             function 0 as an end of the CXL tree
//           decoderN.M          its decoder: carries a region
//     memN                      function 0 as a memory device
#pragma once

#include <string>
#include <vector>

#include "bringup/paths.hpp"

namespace bringup {

struct Card {
	std::string controller;	// PCI address of function 1, "0000:0d:00.1"
	std::string memory;	// PCI address of function 0
	// Empty where the kernel has none:
	std::string memory_driver;
	std::string memdev;	// "mem0"
	std::string endpoint;	// "endpoint2"
	std::string region;	// "region0"
	bool region_committed = false;
	std::string region_driver;
	std::string controller_driver;
	std::string node;	// "smartquant0"
};

/// In order of PCI address.
std::vector<Card> find_cards(const Paths &paths);

} // namespace bringup
