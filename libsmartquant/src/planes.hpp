// SPDX-License-Identifier: MIT
//
// What a Multiplier multiplies with: planes in a store's memory, or planes
// that were fetched.
#ifndef SMARTQUANT_SRC_PLANES_HPP
#define SMARTQUANT_SRC_PLANES_HPP

#include <span>

#include <smartquant/multiplier.hpp>
#include <smartquant/region.hpp>

#include "activations.h"
#include "controller_api.hpp"

namespace smartquant {

// Hidden: a class within an exported one would be exported with it.
class __attribute__((visibility("hidden"))) Multiplier::Planes {
public:
	Planes(const RegionInfo &of, const Layout &granted) : region(of), layout(granted) {}
	Planes(const Planes &) = delete;
	Planes &operator=(const Planes &) = delete;
	virtual ~Planes() = default;

	// y is as long as columns and rows make it.
	virtual FetchResult multiply(const sqc_activations &x, std::span<float> y) const = 0;

	const RegionInfo region;
	const Layout layout;
};

} // namespace smartquant

#endif // SMARTQUANT_SRC_PLANES_HPP
