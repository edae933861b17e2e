// SPDX-License-Identifier: MIT
//
// Errors
//
// Every call that can fail throws smartquant::Error. It carries a Status, the
// same number at every layer from the device to here, and a message that
// names the object, what was wrong with it and what would do:
//
//     region "blk.0": rows 64:70 out of range (region has 64 rows)
//
// A call that failed has changed nothing unless its description says
// otherwise. Code that wants values instead of exceptions wraps a call in
// attempt() (result.hpp).
#ifndef SMARTQUANT_ERROR_HPP
#define SMARTQUANT_ERROR_HPP

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include <smartquant/export.hpp>

namespace smartquant {

// The numbers of include/smartquant/codes.h; from f000h the library's own.
enum class Status : std::uint16_t {
	Success = 0x0000,
	InvalidInput = 0x0002,		// a field has no such value
	Unsupported = 0x0003,		// known, but not for this object
	InternalError = 0x0004,
	RetryRequired = 0x0005,
	Busy = 0x0006,			// the device or the queue takes no more now
	InvalidHandle = 0x000e,		// the region or view is gone
	InvalidAddress = 0x000f,
	MediaFailure = 0x0011,		// stored bytes do not match their checksum
	Aborted = 0x0012,
	InvalidPayloadLength = 0x0016,
	ResourcesExhausted = 0x001d,	// out of handles, views or memory
	NameExists = 0x8001,
	NotFound = 0x8002,
	Sealed = 0x8003,		// the region is read-only
	NonFinite = 0x8004,		// NaN or infinity in data for an aligned region
	Range = 0x8005,			// rows outside the region
	Format = 0x8006,		// format not offered for this region
	InUse = 0x8007,			// held by views, transfers or another process
	StoreFull = 0x8008,
	RoundingNeeded = 0x8009,	// the encoding differs from the dtype, rounding not allowed
	Length = 0x800a,		// a buffer does not fit the rows
	NotAStore = 0x800b,		// a foreign file
	StoreVersion = 0x800c,		// written by an incompatible version
	StoreDamaged = 0x800d,
	SyncFailed = 0x800e,		// the backing store refused a write
	NoHdm = 0x800f,			// the memory window is not set up
	DmaFault = 0x8010,
	ReadOnly = 0x8011,		// the store is open for reading only
	Name = 0x8012,			// empty, too long or not UTF-8
	System = 0xf000,		// the operating system refused; the message says how
	Closed = 0xf001,		// the handle was closed, removed or moved from
	NoDevice = 0xf002,		// the device is absent or was removed
};

// One short sentence for a status, "rows outside the region".
SMARTQUANT_API std::string_view describe(Status status) noexcept;

// An element, counted from 0.
struct Position {
	std::uint32_t row = 0;
	std::uint32_t col = 0;
};

class SMARTQUANT_API Error : public std::runtime_error {
public:
	Error(Status status, const std::string &message);
	Error(Status status, const std::string &message, Position position);
	Error(const Error &) noexcept;
	Error &operator=(const Error &) noexcept;
	~Error() override;

	Status status() const noexcept;
	// NonFinite: the first such element. MediaFailure: the first row of the
	// damaged segment.
	std::optional<Position> position() const noexcept;

private:
	Status status_;
	std::optional<Position> position_;
};

} // namespace smartquant

#endif // SMARTQUANT_ERROR_HPP
