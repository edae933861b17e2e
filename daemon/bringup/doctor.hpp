// SPDX-License-Identifier: MIT
//
// What stands between a card and a mapped view: a chain of links, each with
// the remedy when it is broken.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "bringup/paths.hpp"

namespace bringup {

struct Link {
	std::string name;	// "root decoder"
	std::string card;	// PCI address of function 1; empty for the machine's links
	bool ok = false;
	std::string found;	// what was seen, or what is missing
	std::string remedy;	// of a broken link
};

/// Tries a card's node: opens it and maps a view. Returns what it saw; throws
/// std::exception with the reason when it could not.
struct Probe {
	std::function<std::string(const std::filesystem::path &node)> open;
	std::function<std::string(const std::filesystem::path &node)> map;
};

/// The links up to the first broken one, or all. With several cards, the
/// links of each, until one is broken.
std::vector<Link> examine(const Paths &paths, const Probe &probe);

} // namespace bringup
