// SPDX-License-Identifier: MIT
//
// A progress bar on standard error, when that is a terminal.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace sqctl {

class Progress {
public:
	explicit Progress(std::string title);
	~Progress();

	/// `done` from 0 to 1; redraws a few times a second at most.
	void show(double done, std::string_view detail);
	/// Takes the bar away.
	void clear();

private:
	std::string title_;
	bool terminal_;
	bool shown_ = false;
	std::chrono::steady_clock::time_point last_{};
};

} // namespace sqctl
