// SPDX-License-Identifier: MIT
//
// Where a view's bytes are: memory that loads read directly, or memory that
// is filled by fetch when it is first asked for.
#ifndef SMARTQUANT_SRC_WINDOW_HPP
#define SMARTQUANT_SRC_WINDOW_HPP

#include <cstddef>
#include <cstdint>
#include <span>

#include <smartquant/view.hpp>

namespace smartquant {

// Hidden: a class within an exported one would be exported with it.
class __attribute__((visibility("hidden"))) View::Window {
public:
	explicit Window(const Layout &granted) : layout(granted) {}
	Window(const Window &) = delete;
	Window &operator=(const Window &) = delete;
	virtual ~Window() = default;

	// The whole read. After need(first, end) the bytes of these rows of the
	// delivered matrix are valid, in each section.
	virtual std::span<const std::byte> bytes() const = 0;
	virtual void need(std::uint32_t first_row, std::uint32_t end_row) const = 0;
	virtual bool is_cached() const noexcept = 0;

	const Layout layout;
};

} // namespace smartquant

#endif // SMARTQUANT_SRC_WINDOW_HPP
