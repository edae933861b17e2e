// SPDX-License-Identifier: MIT
//
// A view of the embedded store: memory that the view is read into when it is
// mapped, and again when its region is stored to.
#ifndef SMARTQUANT_SRC_EMBEDDED_EMBEDDED_WINDOW_HPP
#define SMARTQUANT_SRC_EMBEDDED_EMBEDDED_WINDOW_HPP

#include <atomic>
#include <memory>

#include "embedded/embedded_backend.hpp"
#include "memory.hpp"
#include "window.hpp"

namespace smartquant {

class EmbeddedWindow final : public View::Window {
public:
	EmbeddedWindow(std::shared_ptr<EmbeddedBackend> backend, const RegionInfo &viewed,
		       const struct sqc_view_info &mapped);
	// Unmaps the view.
	~EmbeddedWindow() override;

	std::span<const std::byte> bytes() const override { return memory_.bytes(); }
	// Throws Status::MediaFailure after a refresh that failed.
	void need(std::uint32_t first_row, std::uint32_t end_row) const override;
	bool is_cached() const noexcept override { return false; }

	const RegionInfo region;
	const struct sqc_view_info view;

	std::span<std::byte> memory() noexcept { return memory_.bytes(); }
	void set_damaged(bool damaged) noexcept { damaged_ = damaged; }

private:
	std::shared_ptr<EmbeddedBackend> backend_;
	Mapping memory_;
	std::atomic<bool> damaged_ = false;
};

} // namespace smartquant

#endif // SMARTQUANT_SRC_EMBEDDED_EMBEDDED_WINDOW_HPP
