// SPDX-License-Identifier: MIT
#include <smartquant/view.hpp>

#include "failure.hpp"
#include "window.hpp"

namespace smartquant {

View::View(std::unique_ptr<Window> window) noexcept : window_(std::move(window)) {}
View::View(View &&) noexcept = default;
View &View::operator=(View &&) noexcept = default;
View::~View() = default;

const View::Window &View::window() const
{
	if (!window_)
		fail_closed("view");
	return *window_;
}

const Layout &View::layout() const
{
	return window().layout;
}

bool View::is_cached() const
{
	return window().is_cached();
}

std::span<const std::byte> View::bytes() const
{
	window().need(0, window().layout.rows);
	return window().bytes();
}

std::span<const std::byte> View::codes(std::uint32_t row) const
{
	const auto bytes = window().layout.codes(window().bytes(), row);

	window().need(row, row + 1);
	return bytes;
}

std::span<const std::byte> View::micro(std::uint32_t row) const
{
	const auto bytes = window().layout.micro(window().bytes(), row);

	window().need(row, row + 1);
	return bytes;
}

std::span<const std::byte> View::scales(std::uint32_t row) const
{
	const auto bytes = window().layout.scales(window().bytes(), row);

	window().need(row, row + 1);
	return bytes;
}

// The part of `rows` that exists; decode() and multiply() refuse the rest.
static void need_rows(const View::Window &window, Rows rows)
{
	const std::uint32_t end = rows.end < window.layout.rows ? rows.end : window.layout.rows;

	if (rows.first < end)
		window.need(rows.first, end);
}

void View::decode(Rows rows, std::span<float> values) const
{
	need_rows(window(), rows);
	smartquant::decode(window().layout, window().bytes(), rows, levels_, values);
}

void View::multiply(Rows rows, std::span<const float> x, std::span<float> y) const
{
	need_rows(window(), rows);
	smartquant::multiply(window().layout, window().bytes(), rows, x, y);
}

void View::unmap()
{
	window();
	window_.reset();
}

} // namespace smartquant
