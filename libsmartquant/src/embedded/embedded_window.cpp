// SPDX-License-Identifier: MIT
#include "embedded_window.hpp"

#include "failure.hpp"
#include "request.hpp"

namespace smartquant {

EmbeddedWindow::EmbeddedWindow(std::shared_ptr<EmbeddedBackend> backend, const RegionInfo &viewed,
			       const struct sqc_view_info &mapped)
	: Window(public_layout(mapped.layout)), region(viewed), view(mapped),
	  backend_(std::move(backend)),
	  memory_(Mapping::anonymous(mapped.layout.bytes, region_subject(viewed.name)))
{
}

EmbeddedWindow::~EmbeddedWindow()
{
	backend_->unmap(*this);
}

void EmbeddedWindow::need(std::uint32_t, std::uint32_t) const
{
	if (damaged_)
		fail(Status::MediaFailure, region_subject(region.name));
}

} // namespace smartquant
