// SPDX-License-Identifier: MIT
//
// The memory that an embedded store lives in, as the controller wants it:
// a file, or pages of this process.
#ifndef SMARTQUANT_SRC_EMBEDDED_PLANE_MEMORY_HPP
#define SMARTQUANT_SRC_EMBEDDED_PLANE_MEMORY_HPP

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "controller_api.hpp"
#include "embedded/plane_file.hpp"
#include "memory.hpp"

namespace smartquant {

class PlaneMemory {
public:
	PlaneMemory(std::optional<std::string_view> path, const std::string &subject,
		    const OpenOptions &options);
	// The environment points here.
	PlaneMemory(const PlaneMemory &) = delete;
	PlaneMemory &operator=(const PlaneMemory &) = delete;

	std::span<std::byte> bytes() const noexcept;
	const sqc_environment &environment() const noexcept { return environment_; }
	// Of an opened store: one that was copied may have got holes where its
	// superblocks, counters and journal are zero.
	void reserve_front(std::uint64_t front_bytes, const std::string &subject);
	bool read_only() const noexcept { return file_ && file_->read_only(); }
	// errno of the last sync or reservation that failed since it was
	// forgotten; 0: none did.
	int last_error() const noexcept { return last_error_; }
	void forget_error() noexcept { last_error_ = 0; }

private:
	void open_memory(const std::string &subject, const OpenOptions &options);
	void open_file(std::string_view path, const std::string &subject,
		       const OpenOptions &options);
	void format(std::span<std::byte> memory, const std::string &subject);
	static int sync(void *context, std::uint64_t offset, std::uint64_t bytes) noexcept;
	static int reserve(void *context, std::uint64_t offset, std::uint64_t bytes) noexcept;

	PlaneFile *open_file_ = nullptr; // also while it is being formatted
	int last_error_ = 0;
	sqc_environment environment_;
	Mapping memory_;
	std::optional<PlaneFile> file_;
};

} // namespace smartquant

#endif // SMARTQUANT_SRC_EMBEDDED_PLANE_MEMORY_HPP
