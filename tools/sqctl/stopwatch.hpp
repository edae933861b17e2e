// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>

namespace sqctl {

/// Measures from its construction.
class Stopwatch {
public:
	uint64_t elapsed_ns() const
	{
		const auto elapsed = std::chrono::steady_clock::now() - start_;
		return static_cast<uint64_t>(
			std::chrono::duration_cast<std::chrono::nanoseconds>(elapsed).count());
	}

private:
	std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

} // namespace sqctl
