// SPDX-License-Identifier: MIT
//
// Where the bytes of a model's header come from: a file, a region of a store,
// or memory. Everything in a source is hostile: Cursor checks each step
// against the source's end before it reads, and never allocates what the
// source merely claims.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace smartquant::model {

/// What is wrong with a model file: a sentence without the file's name.
/// Leaves src/model only as the Error of a Result.
class Malformed : public std::runtime_error {
public:
	using std::runtime_error::runtime_error;
};

class Source {
public:
	virtual ~Source() = default;
	virtual uint64_t size() const = 0;
	/// Fills `out` from `offset`, or throws Malformed.
	virtual void read(uint64_t offset, std::span<std::byte> out) const = 0;
};

/// A regular file, read with pread: a file that shrinks while it is read is an
/// error and not a SIGBUS.
class FileSource final : public Source {
public:
	explicit FileSource(const std::filesystem::path &path);
	FileSource(const FileSource &) = delete;
	FileSource &operator=(const FileSource &) = delete;
	~FileSource() override;

	uint64_t size() const override { return size_; }
	void read(uint64_t offset, std::span<std::byte> out) const override;

private:
	int descriptor_ = -1;
	uint64_t size_ = 0;
};

class MemorySource final : public Source {
public:
	explicit MemorySource(std::span<const std::byte> bytes) : bytes_(bytes) {}

	uint64_t size() const override { return bytes_.size(); }
	void read(uint64_t offset, std::span<std::byte> out) const override;

private:
	std::span<const std::byte> bytes_;
};

/// Reads little-endian fields one after the other through a small window.
class Cursor {
public:
	/// `limit`: no field may end behind it (the cap of a header's size).
	Cursor(const Source &source, uint64_t limit);

	uint64_t position() const { return position_; }
	/// Bytes that the source still has, whatever the limit.
	uint64_t remaining() const { return source_.size() - position_; }

	template <typename T> T number(std::string_view what)
	{
		static_assert(std::is_trivially_copyable_v<T>);
		std::byte raw[sizeof(T)];
		copy(raw, what);
		T value{};
		for (size_t i = sizeof(T); i-- > 0;)
			value = static_cast<T>(static_cast<uint64_t>(value) << 8 |
					       std::to_integer<uint64_t>(raw[i]));
		return value;
	}

	/// A string with a 64-bit length in front.
	std::string text(std::string_view what, uint64_t bytes_max);
	void skip(uint64_t bytes, std::string_view what);

private:
	void need(uint64_t bytes, std::string_view what) const;
	void copy(std::span<std::byte> out, std::string_view what);

	const Source &source_;
	uint64_t limit_;
	uint64_t position_ = 0;
	std::vector<std::byte> window_;
	uint64_t window_offset_ = 0;
};

bool is_utf8(std::string_view text);
/// For messages: a name out of a file may be long and need not be UTF-8, so it
/// is cut, and all but printable ASCII is escaped.
std::string quote(std::string_view text);

} // namespace smartquant::model
