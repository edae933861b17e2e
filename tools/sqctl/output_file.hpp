// SPDX-License-Identifier: MIT
//
// Where a read's bytes go. A regular file appears whole or not at all: the
// bytes go to a temporary file beside it, which commit() renames. Pipes,
// devices and standard output ("-") are written directly.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace sqctl {

class OutputFile {
public:
	explicit OutputFile(const std::string &path);
	OutputFile(const OutputFile &) = delete;
	OutputFile &operator=(const OutputFile &) = delete;
	/// Without commit() nothing stays behind.
	~OutputFile();

	void write(std::span<const std::byte> bytes);
	void commit();

private:
	void create_temporary();
	[[noreturn]] void refuse(const char *what) const;

	std::string path_;
	std::string temporary_;	// empty: written directly
	int descriptor_ = -1;
};

} // namespace sqctl
