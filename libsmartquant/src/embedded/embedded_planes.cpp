// SPDX-License-Identifier: MIT
#include "embedded_planes.hpp"

#include "request.hpp"

namespace smartquant {

EmbeddedPlanes::EmbeddedPlanes(std::shared_ptr<EmbeddedBackend> backend, const RegionInfo &held,
			       const struct sqc_view_info &mapped)
	: Planes(held, public_layout(mapped.layout)), view(mapped), backend_(std::move(backend))
{
}

EmbeddedPlanes::~EmbeddedPlanes()
{
	backend_->unmap(view);
}

FetchResult EmbeddedPlanes::multiply(const sqc_activations &x, std::span<float> y) const
{
	return backend_->multiply(*this, x, y);
}

} // namespace smartquant
