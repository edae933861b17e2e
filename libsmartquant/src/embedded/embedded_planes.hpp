// SPDX-License-Identifier: MIT
//
// A multiplier's hold on a region of the embedded store: a view keeps the
// region there, and its planes are read in place.
#ifndef SMARTQUANT_SRC_EMBEDDED_EMBEDDED_PLANES_HPP
#define SMARTQUANT_SRC_EMBEDDED_EMBEDDED_PLANES_HPP

#include <memory>
#include <mutex>

#include "embedded/embedded_backend.hpp"
#include "multiplier.h"
#include "planes.hpp"

namespace smartquant {

class EmbeddedPlanes final : public Multiplier::Planes {
public:
	// `view` is unmapped when this goes.
	EmbeddedPlanes(std::shared_ptr<EmbeddedBackend> backend, const RegionInfo &region,
		       const struct sqc_view_info &view);
	~EmbeddedPlanes() override;

	FetchResult multiply(const sqc_activations &x, std::span<float> y) const override;

	const struct sqc_view_info view;

	std::mutex &checking() const noexcept { return checking_; }
	sqc_multiplier &multiplier() const noexcept { return multiplier_; }

private:
	std::shared_ptr<EmbeddedBackend> backend_;
	mutable std::mutex checking_; // guards what a check of the multiplier changes
	mutable sqc_multiplier multiplier_{};
};

} // namespace smartquant

#endif // SMARTQUANT_SRC_EMBEDDED_EMBEDDED_PLANES_HPP
