// SPDX-License-Identifier: MIT
#include "progress.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

#include <fmt/format.h>

#include "text.hpp"

namespace sqctl {
namespace {

constexpr std::chrono::milliseconds redraw_interval{100};
constexpr size_t bar_width = 30;

size_t terminal_width()
{
	winsize size{};
	const bool known = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
	return known ? size.ws_col : 80;
}

} // namespace

Progress::Progress(std::string title) : title_(std::move(title)), terminal_(::isatty(STDERR_FILENO) == 1) {}

Progress::~Progress()
{
	clear();
}

void Progress::show(double done, std::string_view detail)
{
	const auto now = std::chrono::steady_clock::now();
	if (!terminal_ || (shown_ && now - last_ < redraw_interval))
		return;
	shown_ = true;
	last_ = now;
	const auto filled = static_cast<size_t>(std::clamp(done, 0.0, 1.0) * bar_width);
	std::string line = fmt::format("{} [{:<{}}] {:3.0f} %  {}", title_, std::string(filled, '#'),
				       bar_width, done * 100, printable(detail));
	line.resize(std::min(line.size(), terminal_width() - 1));
	fmt::print(stderr, "\r\033[K{}", line);
	std::fflush(stderr);
}

void Progress::clear()
{
	if (!shown_)
		return;
	fmt::print(stderr, "\r\033[K");
	std::fflush(stderr);
	shown_ = false;
}

} // namespace sqctl
