// SPDX-License-Identifier: MIT
//
// Owned pieces of address space and descriptors
#ifndef SMARTQUANT_SRC_MEMORY_HPP
#define SMARTQUANT_SRC_MEMORY_HPP

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace smartquant {

// A file descriptor that closes itself.
class Descriptor {
public:
	Descriptor() noexcept = default;
	explicit Descriptor(int number) noexcept : number_(number) {}
	Descriptor(Descriptor &&other) noexcept;
	Descriptor &operator=(Descriptor &&other) noexcept;
	~Descriptor();

	int number() const noexcept { return number_; }
	explicit operator bool() const noexcept { return number_ >= 0; }

private:
	int number_ = -1;
};

// A mapping that unmaps itself.
class Mapping {
public:
	Mapping() noexcept = default;
	Mapping(Mapping &&other) noexcept;
	Mapping &operator=(Mapping &&other) noexcept;
	~Mapping();

	// Takes over what mmap() gave.
	static Mapping adopt(void *start, std::size_t bytes) noexcept { return {start, bytes}; }
	// Zeroed pages of this process, taken as they are touched.
	static Mapping anonymous(std::uint64_t bytes, std::string_view subject);
	static Mapping of_file(int descriptor, std::uint64_t bytes, std::string_view subject);

	// Writable; what is written stays in this process.
	static Mapping of_file_private(int descriptor, std::uint64_t bytes,
				       std::string_view subject);

	std::span<std::byte> bytes() const noexcept { return {start_, bytes_}; }
	std::byte *data() const noexcept { return start_; }

private:
	Mapping(void *start, std::size_t bytes) noexcept
		: start_(static_cast<std::byte *>(start)), bytes_(bytes)
	{
	}

	std::byte *start_ = nullptr;
	std::size_t bytes_ = 0;
};

// 64-byte aligned working memory that its owner, a thread, keeps between calls.
class Scratch {
public:
	// At least this long. Memory that is new goes through `begin` first; what it
	// holds otherwise is what the call before left there. Throws std::bad_alloc.
	std::span<std::byte> take(std::size_t bytes, void (*begin)(void *) = nullptr);

private:
	struct Free {
		void operator()(std::byte *memory) const noexcept;
	};

	std::unique_ptr<std::byte, Free> memory_ = {};
	std::size_t bytes_ = 0;
};

} // namespace smartquant

#endif // SMARTQUANT_SRC_MEMORY_HPP
