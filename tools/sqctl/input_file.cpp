// SPDX-License-Identifier: MIT
#include "input_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <vector>

#include <fmt/format.h>

#include "command.hpp"

namespace sqctl {
namespace {

constexpr size_t chunk_bytes = 1u << 20;

[[noreturn]] void refuse(const std::string &name, std::string_view what)
{
	throw Refused(fmt::format("{}: {}: {}", name, what, std::strerror(errno)));
}

/// An unnamed file: it is gone when the process is.
int open_temporary(const std::string &name)
{
	std::FILE *file = std::tmpfile();
	if (!file)
		refuse(name, "no temporary file for it");
	const int descriptor = ::dup(::fileno(file));
	std::fclose(file);
	if (descriptor < 0)
		refuse(name, "no temporary file for it");
	return descriptor;
}

void write_all(int descriptor, std::span<const std::byte> bytes, const std::string &name)
{
	while (!bytes.empty()) {
		const ssize_t wrote = ::write(descriptor, bytes.data(), bytes.size());
		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote < 0)
			refuse(name, "staging it in a temporary file failed");
		bytes = bytes.subspan(static_cast<size_t>(wrote));
	}
}

} // namespace

InputFile::InputFile(const std::string &path, uint64_t bytes_max)
    : name_(path == "-" ? "standard input" : "file \"" + path + "\"")
{
	const bool standard = path == "-";
	const int descriptor = standard ? ::dup(STDIN_FILENO) : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
	if (descriptor < 0)
		refuse(name_, "cannot be opened");
	struct stat status {};
	const bool regular = !standard && ::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
	if (regular) {
		descriptor_ = descriptor;
		size_ = static_cast<uint64_t>(status.st_size);
		return;
	}
	try {
		stage(descriptor, bytes_max);
	} catch (...) {
		::close(descriptor);
		throw;
	}
	::close(descriptor);
}

InputFile::~InputFile()
{
	if (descriptor_ >= 0)
		::close(descriptor_);
}

void InputFile::stage(int from, uint64_t bytes_max)
{
	descriptor_ = open_temporary(name_);
	std::vector<std::byte> chunk(chunk_bytes);
	while (size_ <= bytes_max) {
		const uint64_t wanted = std::min<uint64_t>(chunk.size(), bytes_max + 1 - size_);
		const ssize_t got = ::read(from, chunk.data(), wanted);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			refuse(name_, "cannot be read");
		if (got == 0)
			return;
		write_all(descriptor_, std::span(chunk).first(static_cast<size_t>(got)), name_);
		size_ += static_cast<uint64_t>(got);
	}
}

void InputFile::read(uint64_t offset, std::span<std::byte> out) const
{
	while (!out.empty()) {
		const ssize_t got = ::pread(descriptor_, out.data(), out.size(), static_cast<off_t>(offset));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			refuse(name_, "cannot be read");
		if (got == 0)
			throw Refused(fmt::format("{}: ends at byte {}, it shrank while it was read", name_,
						  offset));
		out = out.subspan(static_cast<size_t>(got));
		offset += static_cast<uint64_t>(got);
	}
}

} // namespace sqctl
