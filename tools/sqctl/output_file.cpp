// SPDX-License-Identifier: MIT
#include "output_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include <fmt/format.h>

#include "command.hpp"

namespace sqctl {
namespace {

/// The file that a path means, behind symbolic links: a rename must not
/// replace the link.
std::string resolved(const std::string &path)
{
	std::error_code error;
	const auto target = std::filesystem::weakly_canonical(path, error);
	return error ? path : target.string();
}

mode_t new_file_mode()
{
	const mode_t mask = ::umask(0);
	::umask(mask);
	return 0666 & ~mask;
}

} // namespace

OutputFile::OutputFile(const std::string &path) : path_(path)
{
	if (path == "-") {
		path_ = "standard output";
		descriptor_ = ::dup(STDOUT_FILENO);
		if (descriptor_ < 0)
			refuse("cannot be opened");
		return;
	}
	struct stat status {};
	const bool exists = ::stat(path.c_str(), &status) == 0;
	if (exists && !S_ISREG(status.st_mode)) {
		descriptor_ = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
		if (descriptor_ < 0)
			refuse("cannot be opened");
		return;
	}
	path_ = resolved(path);
	create_temporary();
	if (::fchmod(descriptor_, exists ? status.st_mode & 07777 : new_file_mode()) != 0)
		refuse("the permissions of its temporary file cannot be set");
}

OutputFile::~OutputFile()
{
	if (descriptor_ >= 0)
		::close(descriptor_);
	if (!temporary_.empty())
		::unlink(temporary_.c_str());
}

void OutputFile::create_temporary()
{
	std::string pattern = path_ + ".XXXXXX";
	descriptor_ = ::mkostemp(pattern.data(), O_CLOEXEC);
	if (descriptor_ < 0)
		refuse("cannot be created");
	temporary_ = pattern;
}

void OutputFile::write(std::span<const std::byte> bytes)
{
	while (!bytes.empty()) {
		const ssize_t wrote = ::write(descriptor_, bytes.data(), bytes.size());
		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote < 0)
			refuse("cannot be written");
		bytes = bytes.subspan(static_cast<size_t>(wrote));
	}
}

void OutputFile::commit()
{
	const int descriptor = descriptor_;
	descriptor_ = -1;
	if (::close(descriptor) != 0)
		refuse("cannot be written");
	if (temporary_.empty())
		return;
	if (::rename(temporary_.c_str(), path_.c_str()) != 0)
		refuse("the finished file cannot be put in its place");
	temporary_.clear();
}

void OutputFile::refuse(const char *what) const
{
	throw Refused(fmt::format("{}: {}: {}", path_, what, std::strerror(errno)));
}

} // namespace sqctl
