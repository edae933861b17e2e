// SPDX-License-Identifier: MIT
#include "plane_file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "controller_api.hpp"
#include "failure.hpp"
#include "text.hpp"

namespace smartquant {

namespace {

constexpr std::uint64_t page_bytes = 4096;
constexpr std::uint64_t default_file_bytes = std::uint64_t{4} << 30;
constexpr mode_t new_file_mode = 0644; // less the umask

struct stat status_of(int descriptor, const std::string &subject)
{
	struct stat status;

	if (::fstat(descriptor, &status))
		fail_system(errno, subject, "cannot be examined");
	return status;
}

// EOF of data in front of it is the file's end.
bool is_zero_range(int descriptor, off_t from, off_t to, const std::string &subject)
{
	std::array<char, 65536> buffer;

	while (from < to) {
		const std::size_t want = std::min<off_t>(to - from, buffer.size());
		const ssize_t got = ::pread(descriptor, buffer.data(), want, from);

		if (got < 0)
			fail_system(errno, subject, "cannot be read");
		if (got == 0)
			return true;
		if (std::any_of(buffer.data(), buffer.data() + got, [](char c) { return c; }))
			return false;
		from += got;
	}
	return true;
}

void check_size_unchanged(const OpenOptions &options, std::uint64_t bytes,
			  const std::string &subject)
{
	if (options.size_bytes && options.size_bytes != bytes)
		fail(Status::InvalidInput, subject,
		     concat("its size is ", size_text(bytes), ", not ",
			    size_text(options.size_bytes),
			    "; an existing store keeps its size, so leave the size out"));
}

} // namespace

std::uint64_t new_store_bytes(const OpenOptions &options, std::uint64_t default_bytes,
			      const std::string &subject)
{
	const std::uint64_t bytes = options.size_bytes ? options.size_bytes : default_bytes;

	if (bytes < SQC_STORE_BYTES_MIN || bytes % page_bytes || bytes > INT64_MAX)
		fail(Status::InvalidInput, subject,
		     concat("size ", bytes, " is not possible; a store has a multiple of ",
			    page_bytes, " bytes, at least ", size_text(SQC_STORE_BYTES_MIN)));
	return bytes;
}

PlaneFile::PlaneFile(std::string path, std::string subject, const OpenOptions &options,
		     const Format &format)
	: path_(std::move(path)), subject_(std::move(subject)), read_only_(options.read_only)
{
	// Each time around, somebody else created or replaced the file.
	for (int attempt = 0; attempt < 16; ++attempt)
		if (open_existing(options, format) || create(options, format))
			return;
	fail(Status::InUse, subject_, "other processes keep replacing the file; try again");
}

// False: there is no such file and it shall be created, or it was replaced
// before it could be locked.
bool PlaneFile::open_existing(const OpenOptions &options, const Format &format)
{
	file_ = Descriptor(::open(path_.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK));
	counts_in_file_ = bool(file_);
	if (!file_ && read_only_ && errno != ENOENT)
		file_ = Descriptor(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
	if (!file_ && errno == ENOENT) {
		if (options.create && !read_only_)
			return false;
		fail(Status::NotFound, subject_,
		     "the file does not exist; `sqctl create` and `sqctl load` make one");
	}
	if (!file_)
		fail_system(errno, subject_, "cannot be opened");
	if (!S_ISREG(status_of(file_.number(), subject_).st_mode))
		fail(Status::NotAStore, subject_, "is not a regular file");
	lock(!read_only_);
	if (!is_still_at_path())
		return false;

	const auto bytes =
		static_cast<std::uint64_t>(status_of(file_.number(), subject_).st_size);

	if (bytes == 0 && options.create && !read_only_) {
		resize(new_store_bytes(options, default_file_bytes, subject_));
		format(*this);
		return true;
	}
	if (bytes < SQC_STORE_BYTES_MIN || bytes % page_bytes)
		fail(Status::NotAStore, subject_,
		     concat("is not a SmartQuant store (a file of ", bytes,
			    " bytes cannot be one); it was left as it is"));
	map(bytes);
	if (sqc_is_blank(memory_.data(), bytes) && options.create && !read_only_ &&
	    is_all_zero()) {
		check_size_unchanged(options, bytes, subject_);
		format(*this);
	} else if (!sqc_is_blank(memory_.data(), bytes)) {
		check_size_unchanged(options, bytes, subject_);
	}
	return true;
}

// False: somebody else created it in the meantime.
bool PlaneFile::create(const OpenOptions &options, const Format &format)
{
	file_ = unnamed_file();
	counts_in_file_ = true;
	try {
		lock(true);
		resize(new_store_bytes(options, default_file_bytes, subject_));
		format(*this);
		if (::fsync(file_.number()))
			fail_system(errno, subject_, "cannot be made durable");
		return link_to_path();
	} catch (...) {
		if (!temporary_path_.empty())
			::unlink(temporary_path_.c_str());
		throw;
	}
}

std::string PlaneFile::folder() const
{
	const auto slash = path_.rfind('/');

	return slash == path_.npos ? "." : slash == 0 ? "/" : path_.substr(0, slash);
}

// Not every file system has files without a name; there it gets one that
// nobody else uses.
Descriptor PlaneFile::unnamed_file()
{
	temporary_path_.clear();
	Descriptor file(::open(folder().c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, new_file_mode));

	if (file)
		return file;
	if (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL) {
		temporary_path_ = concat(path_, ".new-", ::getpid());
		file = Descriptor(::open(temporary_path_.c_str(),
					 O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, new_file_mode));
	}
	if (!file)
		fail_system(errno, subject_, "cannot be created");
	return file;
}

bool PlaneFile::link_to_path()
{
	const std::string from = temporary_path_.empty() ?
					 concat("/proc/self/fd/", file_.number()) :
					 temporary_path_;
	const int failed = ::linkat(AT_FDCWD, from.c_str(), AT_FDCWD, path_.c_str(),
				    temporary_path_.empty() ? AT_SYMLINK_FOLLOW : 0);
	const int error = failed ? errno : 0;

	if (!temporary_path_.empty())
		::unlink(temporary_path_.c_str());
	if (error == EEXIST)
		return false;
	if (error)
		fail_system(error, subject_, "cannot be created");

	const Descriptor directory(::open(folder().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));

	if (directory && ::fsync(directory.number()) && errno != EINVAL)
		fail_system(errno, subject_, "its folder cannot be made durable");
	return true;
}

void PlaneFile::lock(bool exclusive)
{
	if (::flock(file_.number(), (exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB) == 0)
		return;
	if (errno != EWOULDBLOCK)
		fail_system(errno, subject_, "cannot be locked");
	fail(Status::InUse, subject_,
	     exclusive ? "is open elsewhere, and a writer must be alone; close it there, or open "
			 "it for reading only" :
			 "is open for writing elsewhere; close it there");
}

// A file may be unlinked or replaced between open() and flock().
bool PlaneFile::is_still_at_path() const
{
	const struct stat ours = status_of(file_.number(), subject_);
	struct stat there;

	return ::stat(path_.c_str(), &there) == 0 && there.st_dev == ours.st_dev &&
	       there.st_ino == ours.st_ino;
}

bool PlaneFile::is_all_zero() const
{
	const off_t end = static_cast<off_t>(memory_.bytes().size());
	off_t data = 0, hole = 0;

	while ((data = ::lseek(file_.number(), hole, SEEK_DATA)) >= 0 && data < end) {
		hole = ::lseek(file_.number(), data, SEEK_HOLE);
		if (hole < 0)
			hole = end;
		if (!is_zero_range(file_.number(), data, hole, subject_))
			return false;
	}
	return true;
}

void PlaneFile::resize(std::uint64_t bytes)
{
	if (::ftruncate(file_.number(), static_cast<off_t>(bytes)))
		fail_system(errno, subject_, concat("cannot be given ", size_text(bytes)));
	map(bytes);
}

// Counters live in the file, so that they outlast the process that counted;
// the controller changes nothing else of a store that is open for reading. For
// somebody who may not write the file they change in a private copy.
void PlaneFile::map(std::uint64_t bytes)
{
	memory_ = counts_in_file_ ? Mapping::of_file(file_.number(), bytes, subject_) :
				    Mapping::of_file_private(file_.number(), bytes, subject_);
}

int PlaneFile::sync(std::uint64_t offset, std::uint64_t bytes) noexcept
{
	const std::uint64_t first = offset / page_bytes * page_bytes;

	return ::msync(memory_.data() + first, offset + bytes - first, MS_SYNC) ? errno : 0;
}

int PlaneFile::reserve(std::uint64_t offset, std::uint64_t bytes) noexcept
{
	struct statvfs disk;
	int failed;

	do {
		failed = ::fallocate(file_.number(), FALLOC_FL_KEEP_SIZE,
				     static_cast<off_t>(offset), static_cast<off_t>(bytes));
	} while (failed && errno == EINTR);
	if (!failed)
		return 0;
	if (errno != EOPNOTSUPP)
		return errno;
	// No way to reserve here: the free space now is the best that can be known.
	if (::fstatvfs(file_.number(), &disk))
		return errno;
	return disk.f_bavail < bytes / disk.f_frsize + 1 ? ENOSPC : 0;
}

} // namespace smartquant
