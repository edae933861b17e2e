// SPDX-License-Identifier: MIT
//
// Bring-up: making a card's memory visible to the host. A region over the
// whole capacity of the memory device is created, committed to the decoders
// and enabled, where that is not done yet.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "bringup/paths.hpp"

namespace bringup {

/// One line: what is missing, and the remedy.
class Failure : public std::runtime_error {
public:
	using std::runtime_error::runtime_error;
};

struct RegionState {
	std::string name;	// "region0"
	uint64_t bytes = 0;
	bool committed = false;
	bool enabled = false;
};

/// The kernel's CXL objects, as far as bring-up changes them. A test puts a
/// machine of its own in place of libcxl. All throw Failure.
class CxlControl {
public:
	virtual ~CxlControl() = default;

	virtual uint64_t capacity_bytes(const std::string &memdev) = 0;
	virtual std::optional<RegionState> region_of(const std::string &memdev) = 0;
	/// A committed region over `bytes` of the memory device; on a failure
	/// nothing of it stays.
	virtual RegionState create_region(const std::string &memdev, uint64_t bytes) = 0;
	virtual void commit(const std::string &region) = 0;
	virtual void enable(const std::string &region) = 0;
};

/// The real one.
std::unique_ptr<CxlControl> open_libcxl();

struct CardState {
	std::string card;	// PCI address of function 1
	std::string memdev;
	std::string region;
	uint64_t bytes = 0;
	bool created = false;	// in this run
	bool enabled = false;	// in this run
};

using Step = std::function<void(const std::string &)>;

/// Brings up every card of the machine; a card that is up is left alone.
/// `step` hears of everything that was done.
std::vector<CardState> bring_up(const Paths &paths, CxlControl &control, const Step &step);

} // namespace bringup
