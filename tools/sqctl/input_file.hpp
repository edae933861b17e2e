// SPDX-License-Identifier: MIT
//
// Data for a store: a file, or standard input, which is staged in a temporary
// file so that its size is known before anything changes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace sqctl {

class InputFile {
public:
	/// "-" is standard input; of it at most `bytes_max` + 1 bytes are taken.
	InputFile(const std::string &path, uint64_t bytes_max);
	InputFile(const InputFile &) = delete;
	InputFile &operator=(const InputFile &) = delete;
	~InputFile();

	/// For messages: "file x.bin", "standard input".
	const std::string &name() const { return name_; }
	uint64_t size() const { return size_; }
	/// Throws Refused when the file ends before `out` is full.
	void read(uint64_t offset, std::span<std::byte> out) const;

private:
	void stage(int from, uint64_t bytes_max);

	std::string name_;
	int descriptor_ = -1;
	uint64_t size_ = 0;
};

} // namespace sqctl
