// SPDX-License-Identifier: MIT
#include "plane_memory.hpp"

#include <cstdlib>

#include "failure.hpp"
#include "text.hpp"

namespace smartquant {

namespace {

constexpr std::uint64_t default_memory_bytes = std::uint64_t{1} << 30;
constexpr std::size_t allocation_align = 64;

void *allocate(void *, std::size_t bytes) noexcept
{
	if (bytes > SIZE_MAX - allocation_align)
		return nullptr;
	return std::aligned_alloc(allocation_align, (bytes + allocation_align - 1) /
							    allocation_align * allocation_align);
}

void release(void *, void *memory) noexcept
{
	std::free(memory);
}

} // namespace

PlaneMemory::PlaneMemory(std::optional<std::string_view> path, const std::string &subject,
			 const OpenOptions &options)
	: environment_{.context = this,
		       .allocate = allocate,
		       .release = release,
		       .sync = path ? sync : nullptr,
		       .reserve = path ? reserve : nullptr}
{
	if (path)
		open_file(*path, subject, options);
	else
		open_memory(subject, options);
}

void PlaneMemory::open_memory(const std::string &subject, const OpenOptions &options)
{
	if (options.read_only)
		fail(Status::InvalidInput, subject,
		     "a store in memory begins empty, so it cannot be opened for reading only");
	memory_ = Mapping::anonymous(new_store_bytes(options, default_memory_bytes, subject),
				     subject);
	format(memory_.bytes(), subject);
}

void PlaneMemory::open_file(std::string_view path, const std::string &subject,
			    const OpenOptions &options)
{
	if (path.find('\0') != path.npos)
		fail(Status::InvalidInput, subject, "a path cannot hold a zero byte");
	file_.emplace(std::string(path), subject, options, [&](PlaneFile &file) {
		open_file_ = &file;
		format(file.memory(), subject);
	});
	open_file_ = &*file_;
}

void PlaneMemory::reserve_front(std::uint64_t front_bytes, const std::string &subject)
{
	if (!open_file_ || open_file_->read_only())
		return;
	if (const int error = open_file_->reserve(0, front_bytes))
		fail_system(error, subject, "no disk space for the store's metadata");
}

std::span<std::byte> PlaneMemory::bytes() const noexcept
{
	return file_ ? file_->memory() : memory_.bytes();
}

void PlaneMemory::format(std::span<std::byte> memory, const std::string &subject)
{
	const sqc_status status = sqc_format(memory.data(), memory.size(), &environment_);

	if (status && last_error_)
		fail_system(last_error_, subject, "an empty store cannot be written");
	if (status)
		fail(static_cast<Status>(status), subject);
}

int PlaneMemory::sync(void *context, std::uint64_t offset, std::uint64_t bytes) noexcept
{
	auto *self = static_cast<PlaneMemory *>(context);
	const int error = self->open_file_->sync(offset, bytes);

	if (error)
		self->last_error_ = error;
	return error;
}

int PlaneMemory::reserve(void *context, std::uint64_t offset, std::uint64_t bytes) noexcept
{
	auto *self = static_cast<PlaneMemory *>(context);
	const int error = self->open_file_->reserve(offset, bytes);

	if (error)
		self->last_error_ = error;
	return error;
}

} // namespace smartquant
