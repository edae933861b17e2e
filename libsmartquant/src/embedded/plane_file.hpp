// SPDX-License-Identifier: MIT
//
// The file of an embedded store: found or created, locked, mapped
//
// Creation    The file is made without a name, formatted, made durable and
//             only then linked to its path. So a process that dies while it
//             creates a store leaves nothing, and a path either names a whole
//             store or nothing.
// Lock        flock(): exclusive for a writer, shared for readers, for as
//             long as the file is open. The kernel drops it with the process.
// Never       A file that does not open as a store is left as it is. Empty
//             files, and files that hold nothing but zeros, are formatted.
// Holes       The file is sparse. A store to a hole of a mapped file on a full
//             disk raises SIGBUS, so every range is reserved before it is
//             written for the first time (reserve()).
#ifndef SMARTQUANT_SRC_EMBEDDED_PLANE_FILE_HPP
#define SMARTQUANT_SRC_EMBEDDED_PLANE_FILE_HPP

#include <cstdint>
#include <functional>
#include <string>

#include <smartquant/store.hpp>

#include "memory.hpp"

namespace smartquant {

class PlaneFile {
public:
	// Writes an empty store over mapped, zeroed memory; throws Error.
	using Format = std::function<void(PlaneFile &)>;

	PlaneFile(std::string path, std::string subject, const OpenOptions &options,
		  const Format &format);

	std::span<std::byte> memory() const noexcept { return memory_.bytes(); }
	bool read_only() const noexcept { return read_only_; }
	const std::string &subject() const noexcept { return subject_; }

	// Makes a range durable; 0, or the errno.
	int sync(std::uint64_t offset, std::uint64_t bytes) noexcept;
	// Gives a range blocks on the disk; 0, or the errno.
	int reserve(std::uint64_t offset, std::uint64_t bytes) noexcept;

private:
	bool open_existing(const OpenOptions &options, const Format &format);
	bool create(const OpenOptions &options, const Format &format);
	Descriptor unnamed_file();
	bool link_to_path();
	void lock(bool exclusive);
	bool is_still_at_path() const;
	bool is_all_zero() const;
	void resize(std::uint64_t bytes);
	void map(std::uint64_t bytes);
	std::string folder() const;

	std::string path_;
	std::string subject_;
	bool read_only_;
	bool counts_in_file_ = false;
	std::string temporary_path_;	// of a file being created, where it must have a name
	Descriptor file_;
	Mapping memory_;
};

// The size of a store that is created, checked.
std::uint64_t new_store_bytes(const OpenOptions &options, std::uint64_t default_bytes,
			      const std::string &subject);

} // namespace smartquant

#endif // SMARTQUANT_SRC_EMBEDDED_PLANE_FILE_HPP
