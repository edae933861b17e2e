// SPDX-License-Identifier: MIT
//
// A view: rows of a region at one precision, mapped into this process
//
// Region::map() asks the store for a window; loads from it return the view's
// bytes without any call. The window follows the region: after a store() to
// its rows it shows the new values.
//
// Region::map_cached() keeps the bytes in memory of this process and fills
// them by fetch, a block of rows at a time, when they are first asked for:
// codes(row), scales(row), micro(row), decode() and multiply() fetch what
// they need; bytes() fetches all that is missing. What was fetched stays as
// it was until the view is dropped.
//
// Calls on one View may run in several threads at the same time, unmap() and
// moving excepted.
#ifndef SMARTQUANT_VIEW_HPP
#define SMARTQUANT_VIEW_HPP

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <smartquant/export.hpp>
#include <smartquant/layout.hpp>

namespace smartquant {

class SMARTQUANT_API View {
public:
	View(View &&) noexcept;
	View &operator=(View &&) noexcept;
	// Unmaps. Spans taken from the view end here.
	~View();

	const Layout &layout() const;
	bool is_cached() const;
	// The whole read, layout().bytes long.
	std::span<const std::byte> bytes() const;
	// One row of a section, empty when the format has none such.
	std::span<const std::byte> codes(std::uint32_t row) const;
	std::span<const std::byte> micro(std::uint32_t row) const;
	std::span<const std::byte> scales(std::uint32_t row) const;
	// See smartquant::decode() and smartquant::multiply().
	void decode(Rows rows, std::span<float> values) const;
	void multiply(Rows rows, std::span<const float> x, std::span<float> y) const;
	// Releases the window now; calls after it throw Status::Closed.
	void unmap();

	class Window; // how a backend holds the bytes
	explicit View(std::unique_ptr<Window> window) noexcept;

private:
	friend class Region;
	const Window &window() const;

	std::unique_ptr<Window> window_;
	std::vector<float> levels_; // of Format::tuned(), as they were when mapped
};

} // namespace smartquant

#endif // SMARTQUANT_VIEW_HPP
