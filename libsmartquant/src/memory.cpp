// SPDX-License-Identifier: MIT
#include "memory.hpp"

#include <cerrno>
#include <cstdlib>
#include <limits>
#include <new>
#include <utility>

#include <sys/mman.h>
#include <unistd.h>

#include "failure.hpp"
#include "text.hpp"

namespace smartquant {

Descriptor::Descriptor(Descriptor &&other) noexcept : number_(std::exchange(other.number_, -1)) {}

Descriptor &Descriptor::operator=(Descriptor &&other) noexcept
{
	std::swap(number_, other.number_);
	return *this;
}

Descriptor::~Descriptor()
{
	if (number_ >= 0)
		::close(number_);
}

Mapping::Mapping(Mapping &&other) noexcept
	: start_(std::exchange(other.start_, nullptr)), bytes_(std::exchange(other.bytes_, 0))
{
}

Mapping &Mapping::operator=(Mapping &&other) noexcept
{
	std::swap(start_, other.start_);
	std::swap(bytes_, other.bytes_);
	return *this;
}

Mapping::~Mapping()
{
	if (start_)
		::munmap(start_, bytes_);
}

static void *map_pages(std::uint64_t bytes, int protection, int flags, int descriptor,
		       std::string_view subject)
{
	if (bytes > std::numeric_limits<std::ptrdiff_t>::max())
		fail(Status::ResourcesExhausted, subject,
		     concat(size_text(bytes), " do not fit into the address space"));

	void *start = ::mmap(nullptr, bytes, protection, flags, descriptor, 0);

	if (start == MAP_FAILED)
		fail_system(errno, subject, concat("cannot map ", size_text(bytes)));
	return start;
}

Mapping Mapping::anonymous(std::uint64_t bytes, std::string_view subject)
{
	void *const start = map_pages(bytes, PROT_READ | PROT_WRITE,
				      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, subject);

	// Planes are read in many places at once: fewer pages, fewer misses.
	// Where the system has no large ones, small ones do.
	::madvise(start, bytes, MADV_HUGEPAGE);
	return {start, bytes};
}

Mapping Mapping::of_file(int descriptor, std::uint64_t bytes, std::string_view subject)
{
	return {map_pages(bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, subject), bytes};
}

Mapping Mapping::of_file_private(int descriptor, std::uint64_t bytes, std::string_view subject)
{
	return {map_pages(bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, descriptor,
			  subject),
		bytes};
}

void Scratch::Free::operator()(std::byte *memory) const noexcept
{
	std::free(memory);
}

std::span<std::byte> Scratch::take(std::size_t bytes, void (*begin)(void *))
{
	// What a thread keeps at most.
	static constexpr std::size_t keep_bytes_max = 16u << 20;

	if (bytes <= bytes_ && bytes_ <= keep_bytes_max)
		return {memory_.get(), bytes_};
	const std::size_t rounded = (bytes + 4095) / 4096 * 4096;
	memory_.reset();
	bytes_ = 0;
	memory_.reset(static_cast<std::byte *>(std::aligned_alloc(4096, rounded)));
	if (!memory_)
		throw std::bad_alloc();
	bytes_ = rounded;
	if (begin)
		begin(memory_.get());
	return {memory_.get(), bytes_};
}

} // namespace smartquant
