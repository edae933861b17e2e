// SPDX-License-Identifier: MIT
//
// The DRAM model alone: what reading a list of runs would cost on a modelled
// channel. Everything here is modelled, nothing is measured.
#ifndef SMARTQUANT_DRAM_HPP
#define SMARTQUANT_DRAM_HPP

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <smartquant/export.hpp>

namespace smartquant::dram {

// How line addresses spread over bank groups.
enum class Mapping : std::uint8_t {
	Interleaved,			// consecutive lines rotate over bank groups
	Stock,				// consecutive lines stay in one bank's row
};

// "interleaved", "stock"; throws Status::InvalidInput for another name.
SMARTQUANT_API Mapping parse_mapping(std::string_view text);

// A parameter of the modelled part, by name with its unit: "trcd_cycles".
struct Parameter {
	std::string name = {};
	std::string text = {};		// one phrase of description
	std::uint32_t value = 0;
	std::uint32_t min = 0;
	std::uint32_t max = 0;
};

struct Setting {
	std::string name = {};
	std::uint64_t value = 0;
};

struct Options {
	Mapping mapping = Mapping::Interleaved;
	std::string set = {};		// a named set of parameters; empty: the default
	std::vector<Setting> settings = {};	// changes to it, in order
};

// Names of the sets, the default first.
SMARTQUANT_API std::vector<std::string> parameter_sets();
// Throws Status::InvalidInput when a name or value of the options is wrong, or they
// do not go together.
SMARTQUANT_API std::vector<Parameter> parameters(const Options &options = {});
// Throws Status::InvalidInput when there is no such parameter, or no such value of
// it whatever the others are.
SMARTQUANT_API void check(const Setting &setting);
// What the modelled channel holds. Throws as parameters().
SMARTQUANT_API std::uint64_t channel_bytes(const Options &options = {});

// `lines` consecutive 64-byte lines from a byte address.
struct Run {
	std::uint64_t address = 0;
	std::uint64_t lines = 0;
};

struct Report {
	std::uint64_t reads = 0;	// lines
	std::uint64_t cycles = 0;	// until the last read returned
	double time_ns = 0;
	std::uint64_t activates = 0;
	std::uint64_t refreshes = 0;
	double energy_pj = 0;
	double energy_activate_pj = 0;
	double energy_read_pj = 0;
	double energy_refresh_pj = 0;
	double energy_background_pj = 0;
};

// Reads the runs in order, all of them available at time 0. Takes time in
// proportion to the lines. Throws Status::InvalidInput for wrong options,
// Status::Range for a run outside the modelled channel.
SMARTQUANT_API Report simulate(std::span<const Run> runs, const Options &options = {});

} // namespace smartquant::dram

#endif // SMARTQUANT_DRAM_HPP
