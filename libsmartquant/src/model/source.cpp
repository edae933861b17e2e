// SPDX-License-Identifier: MIT
#include "source.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fmt/format.h>

namespace smartquant::model {
namespace {

constexpr size_t window_bytes = 64 * 1024;
constexpr size_t quote_max = 64;	// of a hostile name in a message

} // namespace

FileSource::FileSource(const std::filesystem::path &path)
{
	// O_NONBLOCK: opening a pipe must not wait for a writer.
	descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (descriptor_ < 0)
		throw Malformed(fmt::format("cannot be opened: {}", std::strerror(errno)));
	struct stat status {};
	const bool regular = ::fstat(descriptor_, &status) == 0 && S_ISREG(status.st_mode);
	if (!regular) {
		::close(descriptor_);
		throw Malformed("is not a regular file; a model is loaded from a file on a disk");
	}
	size_ = static_cast<uint64_t>(status.st_size);
}

FileSource::~FileSource()
{
	::close(descriptor_);
}

void FileSource::read(uint64_t offset, std::span<std::byte> out) const
{
	while (!out.empty()) {
		const ssize_t got = ::pread(descriptor_, out.data(), out.size(),
					    static_cast<off_t>(offset));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			throw Malformed(fmt::format("read of {} bytes at offset {} failed: {}",
						    out.size(), offset, std::strerror(errno)));
		if (got == 0)
			throw Malformed(fmt::format("ends at offset {}, {} bytes too early; "
						    "it shrank while it was read",
						    offset, out.size()));
		out = out.subspan(static_cast<size_t>(got));
		offset += static_cast<uint64_t>(got);
	}
}

void MemorySource::read(uint64_t offset, std::span<std::byte> out) const
{
	if (offset > bytes_.size() || out.size() > bytes_.size() - offset)
		throw Malformed(fmt::format("ends before offset {}", offset + out.size()));
	std::copy_n(bytes_.begin() + static_cast<ptrdiff_t>(offset), out.size(), out.begin());
}

Cursor::Cursor(const Source &source, uint64_t limit) : source_(source), limit_(limit) {}

void Cursor::need(uint64_t bytes, std::string_view what) const
{
	if (bytes > remaining())
		throw Malformed(fmt::format("is truncated: {} needs {} bytes at offset {}, "
					    "the file has {}",
					    what, bytes, position_, source_.size()));
	if (position_ > limit_ || bytes > limit_ - position_)
		throw Malformed(fmt::format("has a header of more than {} MiB ({} at offset {})",
					    limit_ >> 20, what, position_));
}

void Cursor::copy(std::span<std::byte> out, std::string_view what)
{
	need(out.size(), what);
	const bool inside = position_ >= window_offset_ &&
			    position_ - window_offset_ + out.size() <= window_.size();
	if (!inside && out.size() <= window_bytes) {
		window_.resize(std::min<uint64_t>(window_bytes, remaining()));
		window_offset_ = position_;
		source_.read(window_offset_, window_);
	}
	if (out.size() <= window_bytes)
		std::copy_n(window_.begin() + static_cast<ptrdiff_t>(position_ - window_offset_),
			    out.size(), out.begin());
	else
		source_.read(position_, out);
	position_ += out.size();
}

std::string Cursor::text(std::string_view what, uint64_t bytes_max)
{
	const auto bytes = number<uint64_t>(what);
	if (bytes > bytes_max)
		throw Malformed(fmt::format("has a {} of {} bytes at offset {}; {} are allowed", what,
					    bytes, position_, bytes_max));
	need(bytes, what);
	std::string text(bytes, '\0');
	copy(std::as_writable_bytes(std::span(text)), what);
	if (!is_utf8(text))
		throw Malformed(fmt::format("has a {} that is not UTF-8: {}", what, quote(text)));
	return text;
}

void Cursor::skip(uint64_t bytes, std::string_view what)
{
	need(bytes, what);
	position_ += bytes;
}

bool is_utf8(std::string_view text)
{
	// Smallest code point that a sequence of 2, 3 and 4 bytes may carry.
	static constexpr uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};

	for (size_t i = 0; i < text.size();) {
		const auto lead = static_cast<unsigned char>(text[i]);
		const size_t length = lead < 0x80           ? 1
				      : (lead >> 5) == 0x06 ? 2
				      : (lead >> 4) == 0x0e ? 3
				      : (lead >> 3) == 0x1e ? 4
							    : 0;
		if (length == 0 || length > text.size() - i)
			return false;
		uint32_t point = length == 1 ? lead : lead & (0x7fu >> length);
		for (size_t j = 1; j < length; j++) {
			const auto next = static_cast<unsigned char>(text[i + j]);
			if ((next >> 6) != 0x02)
				return false;
			point = point << 6 | (next & 0x3fu);
		}
		if (length > 1 && point < least[length])
			return false;
		if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
			return false;
		i += length;
	}
	return true;
}

std::string quote(std::string_view text)
{
	std::string out = "\"";
	for (const unsigned char byte : text.substr(0, quote_max)) {
		if (byte < 0x20 || byte > 0x7e || byte == '"' || byte == '\\')
			out += fmt::format("\\x{:02x}", byte);
		else
			out += static_cast<char>(byte);
	}
	return out + (text.size() > quote_max ? "...\"" : "\"");
}

} // namespace smartquant::model
