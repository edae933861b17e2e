// SPDX-License-Identifier: MIT
//
// A region: one stored tensor
//
// A Region is a handle. It keeps the store open; it does not keep the region
// from being removed by somebody else, after which its calls throw
// Status::InvalidHandle. Dropping it changes nothing in the store.
//
// Calls on one Region may run in several threads at the same time, remove()
// and moving excepted.
#ifndef SMARTQUANT_REGION_HPP
#define SMARTQUANT_REGION_HPP

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <smartquant/dram.hpp>
#include <smartquant/export.hpp>
#include <smartquant/layout.hpp>
#include <smartquant/multiplier.hpp>
#include <smartquant/precision_vector.hpp>
#include <smartquant/statistics.hpp>
#include <smartquant/verify.hpp>
#include <smartquant/view.hpp>

namespace smartquant {

class Backend;

// What to create.
struct RegionSpec {
	std::string name = {};		// UTF-8, 1 to 255 bytes
	Dtype dtype = Dtype::Bf16;
	std::uint32_t rows = 0;
	std::uint32_t cols = 0;
	Placement placement = {};	// {}: default_placement(dtype)
};

struct RegionInfo {
	std::string name = {};
	std::uint32_t handle = 0;	// as every layer names it; never 0
	Dtype dtype = Dtype::Bf16;
	Placement placement = Placement::Aligned;
	Coding coding = Coding::Raw;
	bool sealed = false;
	bool dirty = false;		// written since the last flush
	std::uint32_t rows = 0;
	std::uint32_t cols = 0;
	Format precision = {};		// what Format::tag() means here
	std::uint64_t stored_bytes = 0;	// plane memory held
	std::uint64_t escapes = 0;	// elements kept as whole words beside the planes
	std::uint32_t segments = 0;
	std::uint32_t views = 0;
};

// What to store: whole rows.
struct StoreRequest {
	Encoding encoding = Encoding::dtype();
	bool allow_rounding = false;	// a float encoding other than the dtype is rounded
	Rows rows = {};
	// What each column matters, as the mean square of its activations: cols
	// finite numbers of at least 0, of which only the ratios count. Placement
	// tuned weights its errors with them when the store makes a codebook
	// (one of all rows, or the first). Empty: all alike. Embedded stores only.
	std::span<const float> importance = {};
};

// A fetch, and the lines that it read for data, in order: noted where they are
// counted, as offsets in the plane memory. They are what the DRAM model was told.
struct FetchTrace {
	FetchResult result = {};
	std::vector<dram::Run> runs = {};
};

class SMARTQUANT_API Region {
public:
	Region(Region &&) noexcept;
	Region &operator=(Region &&) noexcept;
	~Region();

	const std::string &name() const;
	RegionInfo info() const;

	// Bytes of data that such a store takes.
	std::uint64_t store_bytes(const StoreRequest &request = {}) const;
	// Replaces rows with `data`, store_bytes() long: little-endian, row-major.
	// Visible at once, durable after flush() or seal(). All or nothing, with
	// one exception: on a device, data of more than 64 MiB goes in pieces of
	// whole rows, and a store that fails in between leaves the rows before.
	StoreResult store(const StoreRequest &request, std::span<const std::byte> data);
	StoreResult store(std::span<const std::byte> data);

	// Where the bytes of such a read will be.
	Layout layout(const ReadRequest &request = {}) const;
	// Reads into the first layout().bytes of `buffer`. On an error the
	// buffer's contents are undefined.
	FetchResult fetch(const ReadRequest &request, std::span<std::byte> buffer) const;
	// The same into memory of its own.
	std::vector<std::byte> fetch(const ReadRequest &request = {}) const;
	// The same, decoded: rows x cols of the layout as fp32.
	std::vector<float> fetch_values(const ReadRequest &request = {}) const;
	// A fetch that tells which lines it read; its bytes are dropped. Throws
	// Status::Unsupported for a card, which does not tell.
	FetchTrace trace(const ReadRequest &request = {}) const;

	// The same for a read with a precision vector: one request, a format
	// for each block of rows. Throws Status::InvalidInput when there is not
	// one format for each block.
	VectorLayout vector_layout(const VectorRequest &request) const;
	VectorResult fetch_vector(const VectorRequest &request, std::span<std::byte> buffer) const;

	// What the codes of Format::tuned(bits) stand for, in units of a group's
	// scale; 2^bits values. A store of all rows changes them. Throws
	// Status::Format where the placement is not tuned or bits not 2 to 8.
	std::vector<float> levels(unsigned int bits) const;

	View map(const ReadRequest &request = {}) const;
	View map_cached(const ReadRequest &request = {}) const;
	// Throws Status::Unsupported where the request or the region has no planes
	// to multiply with (multiplier.hpp), Status::MediaFailure.
	Multiplier multiplier(const MultiplierRequest &request = {}) const;

	// Makes what was stored durable.
	void flush();
	// Flushes and makes the region read-only for good; idempotent.
	void seal();
	// Seals the region and packs its planes (coding packed): every read gives
	// the same bytes as before, from less plane memory. Durable at once, all
	// or nothing; idempotent. Takes a while: about a second for 30 M weights.
	// Throws Status::Unsupported where the placement is not aligned,
	// Status::StoreFull without room for the packed planes beside the others.
	void pack();
	// Sets the precision tag, durably.
	void set_precision(Format format);
	// Removes the region from the store, durably. Throws Status::InUse while
	// views of it are mapped. Afterwards this handle is closed.
	void remove();

	VerifyResult verify(const VerifyOptions &options = {}) const;
	Statistics statistics() const;
	void reset_statistics();

private:
	friend class Queue;
	friend class Store;
	Region(std::shared_ptr<Backend> backend, RegionInfo identity) noexcept;
	Backend &backend() const;

	std::shared_ptr<Backend> backend_;
	// As the handle was made: name, handle, dtype, placement and shape of a
	// region never change.
	RegionInfo identity_;
};

} // namespace smartquant

#endif // SMARTQUANT_REGION_HPP
