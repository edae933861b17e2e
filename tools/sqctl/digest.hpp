// SPDX-License-Identifier: MIT
//
// XXH64 of what a read delivers: 64-bit integer arithmetic only, which stays
// fast on an emulated CPU. It tells equal from different; it is no protection
// against somebody who wants two reads to look alike.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace sqctl {

class Digest {
public:
	Digest();
	Digest(const Digest &) = delete;
	Digest &operator=(const Digest &) = delete;
	~Digest();

	void update(std::span<const std::byte> bytes);
	/// 16 hexadecimal digits.
	std::string text() const;

private:
	struct State;
	std::unique_ptr<State> state_;
};

} // namespace sqctl
