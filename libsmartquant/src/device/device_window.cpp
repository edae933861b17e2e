// SPDX-License-Identifier: MIT
#include "device_window.hpp"

#include <cerrno>

#include <sys/mman.h>

namespace smartquant {

MappedView::~MappedView()
{
	sq_ioc_view_unmap unmap{};

	pages_ = Mapping();
	unmap.view = view_;
	// A view that is gone (with its card, say) needs no giving back.
	backend_->card().call(SQ_IOC_VIEW_UNMAP, unmap);
}

void MappedView::map(const sq_ioc_view &view, std::string_view subject)
{
	void *start = ::mmap(nullptr, view.window_bytes, PROT_READ, MAP_SHARED,
			     backend_->card().descriptor(), static_cast<off_t>(view.mmap_offset));

	if (start == MAP_FAILED)
		check(driver_verdict(errno), subject);
	pages_ = Mapping::adopt(start, view.window_bytes);
}

} // namespace smartquant
