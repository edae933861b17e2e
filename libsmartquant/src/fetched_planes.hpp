// SPDX-License-Identifier: MIT
//
// Planes that were fetched once, for a store whose memory is not ours.
#ifndef SMARTQUANT_SRC_FETCHED_PLANES_HPP
#define SMARTQUANT_SRC_FETCHED_PLANES_HPP

#include <memory>

#include "backend.hpp"
#include "memory.hpp"
#include "multiply_rows.h"
#include "planes.hpp"
#include "workers.hpp"

namespace smartquant {

class FetchedPlanes final : public Multiplier::Planes {
public:
	// `codes` is the layout of the read whose codes the planes stand for.
	FetchedPlanes(std::shared_ptr<Backend> backend, Workers &workers, const RegionInfo &region,
		      const sqc_read_request &request, const sqc_layout &codes);

	FetchResult multiply(const sqc_activations &x, std::span<float> y) const override;

private:
	std::shared_ptr<Backend> backend_; // keeps the workers
	Workers &workers_;
	Mapping memory_;
	sqc_plane_bytes planes_;
	sqc_plane_source source_;
};

} // namespace smartquant

#endif // SMARTQUANT_SRC_FETCHED_PLANES_HPP
