// SPDX-License-Identifier: MIT
//
// From the request of a precision vector to what a backend reads
#ifndef SMARTQUANT_SRC_PRECISION_VECTOR_HPP
#define SMARTQUANT_SRC_PRECISION_VECTOR_HPP

#include <cstdint>
#include <vector>

#include <smartquant/precision_vector.hpp>

#include "backend.hpp"

namespace smartquant {

// Checked, with every tag resolved, so that a tag that changes now changes
// neither lengths nor offsets any more.
struct VectorPlan {
	sqc_read_request request = {};		// of all rows; format TAG
	std::vector<std::uint16_t> formats = {};	// granted
	std::uint32_t rows_per_format = 0;
	VectorLayout layout = {};

	// As the controller takes it; lives as long as this.
	sqc_precision_vector vector() const noexcept;
	// Parts [first, end) as a read of their own. `formats` stays this plan's.
	sqc_read_request request_of(std::size_t first, std::size_t end) const noexcept;
};

// Throws what a read of each part throws, and Status::InvalidInput when there
// is not one format for each block of rows.
VectorPlan plan_vector(Backend &backend, const RegionInfo &region, const VectorRequest &request);

} // namespace smartquant

#endif // SMARTQUANT_SRC_PRECISION_VECTOR_HPP
