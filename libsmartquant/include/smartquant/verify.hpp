// SPDX-License-Identifier: MIT
//
// Checking every checksum of a region or of the whole store. Damage is what
// verify() reports, not an error of it.
#ifndef SMARTQUANT_VERIFY_HPP
#define SMARTQUANT_VERIFY_HPP

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace smartquant {

// A damaged run: some rows of one plane of a region.
struct BadRun {
	std::string region = {};
	std::uint32_t segment = 0;
	std::string run = {};		// "plane 3", "exponents" or "escapes"
	std::uint32_t first_row = 0;	// rows that touch the segment: [first_row, end_row)
	std::uint32_t end_row = 0;
};

struct VerifyOptions {
	// Called from time to time with the share that is done, 0 to 1; false
	// stops the verification.
	std::function<bool(double done)> progress = {};
};

struct VerifyResult {
	std::uint64_t runs_checked = 0;
	std::uint64_t runs_bad = 0;
	std::vector<BadRun> bad = {};	// at most the first 1000
	bool complete = true;		// false: progress stopped it
};

} // namespace smartquant

#endif // SMARTQUANT_VERIFY_HPP
