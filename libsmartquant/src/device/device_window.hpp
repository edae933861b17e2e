// SPDX-License-Identifier: MIT
//
// A view of a card: its window in the card's memory, mapped
#ifndef SMARTQUANT_SRC_DEVICE_DEVICE_WINDOW_HPP
#define SMARTQUANT_SRC_DEVICE_DEVICE_WINDOW_HPP

#include <memory>

#include "device/device_backend.hpp"
#include "memory.hpp"
#include "request.hpp"
#include "window.hpp"

namespace smartquant {

// A view that the driver gave us, and gets back.
class MappedView {
public:
	MappedView(std::shared_ptr<DeviceBackend> backend, std::uint32_t view) noexcept
		: backend_(std::move(backend)), view_(view)
	{
	}
	MappedView(const MappedView &) = delete;
	MappedView &operator=(const MappedView &) = delete;
	~MappedView();

	void map(const sq_ioc_view &view, std::string_view subject);
	std::span<const std::byte> pages() const noexcept { return pages_.bytes(); }

private:
	std::shared_ptr<DeviceBackend> backend_;
	std::uint32_t view_;
	Mapping pages_;
};

class DeviceWindow final : public View::Window {
public:
	DeviceWindow(std::unique_ptr<MappedView> view, const sqc_layout &granted)
		: Window(public_layout(granted)), view_(std::move(view))
	{
	}

	std::span<const std::byte> bytes() const override
	{
		return view_->pages().first(layout.bytes);
	}
	void need(std::uint32_t, std::uint32_t) const override {}
	bool is_cached() const noexcept override { return false; }

private:
	std::unique_ptr<MappedView> view_;
};

} // namespace smartquant

#endif // SMARTQUANT_SRC_DEVICE_DEVICE_WINDOW_HPP
