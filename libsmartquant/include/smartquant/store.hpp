// SPDX-License-Identifier: MIT
//
// A store: a SmartQuant card, or the same store embedded in this process
//
//     /dev/smartquant0      the card behind the driver
//     embedded:             in memory of this process, gone with the handle
//     embedded:PATH         in a file; created on first use
//
// One process at a time may have a store file open for writing; any number
// may have it open for reading, but not beside a writer. The second one is
// refused with Status::InUse. A file that is not a store, or a damaged one,
// is refused and never written to.
//
// What was stored is durable after flush() or seal(), not before. A process
// that dies at any instant leaves a store that opens, in which each region is
// as it was at its last flush.
//
// Calls on one Store may run in several threads at the same time, close() and
// moving excepted. Regions, views and queues keep the store open.
#ifndef SMARTQUANT_STORE_HPP
#define SMARTQUANT_STORE_HPP

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <smartquant/error.hpp>
#include <smartquant/export.hpp>
#include <smartquant/queue.hpp>
#include <smartquant/region.hpp>
#include <smartquant/statistics.hpp>
#include <smartquant/verify.hpp>

namespace smartquant {

struct OpenOptions {
	// Embedded only: the size of a store that is created, a multiple of 4096
	// from 1 MiB; 0 means 4 GiB for a file (space is taken as it fills) and
	// 1 GiB in memory. An existing file keeps its size: any other value
	// than 0 or that size is refused.
	std::uint64_t size_bytes = 0;
	bool read_only = false;
	// embedded:PATH only: false refuses a file that does not exist.
	bool create = true;
	// Embedded only: threads that a large read is shared by, the caller's
	// included, up to 256; results are the same with any number. 0 means what
	// SMARTQUANT_THREADS in the environment says, or else as many as there
	// are CPUs for this process.
	unsigned int threads = 0;
};

struct StoreInfo {
	std::string uri = {};
	bool embedded = false;
	bool read_only = false;
	std::string interface_version = {};	// "1.0"
	std::string firmware = {};
	std::string serial = {};		// empty when embedded
	std::uint64_t capacity_bytes = 0; // plane memory that regions can use
	std::uint64_t used_bytes = 0;
	std::uint64_t logical_bytes = 0; // address space in which views are mapped
	std::uint32_t regions = 0;
	std::uint32_t regions_max = 0;
	std::uint32_t views = 0;
	std::uint32_t views_max = 0;
	std::vector<Format> formats = {};	// offered
	std::vector<Encoding> encodings = {}; // accepted
	// Version that each family of vector kernels runs in this process now.
	std::map<std::string, std::string> kernels = {};
};

class SMARTQUANT_API Store {
public:
	static Store open(std::string_view uri, const OpenOptions &options = {});
	Store(Store &&) noexcept;
	Store &operator=(Store &&) noexcept;
	~Store();

	const std::string &uri() const;
	StoreInfo info() const;

	// An empty region: its elements read as zero until they are stored.
	Region create_region(const RegionSpec &spec);
	// By name; region() throws Status::NotFound.
	Region region(std::string_view name) const;
	std::optional<Region> find_region(std::string_view name) const;
	// All of them, in order of creation slots.
	std::vector<RegionInfo> regions() const;

	// Makes every region's stores durable.
	void flush();
	VerifyResult verify(const VerifyOptions &options = {}) const;
	// Erases every region, durably. Throws Status::InUse while views are mapped.
	void sanitize();

	Statistics statistics() const;
	Statistics statistics(Format format) const;
	// Sets every counter to zero, those of regions and formats included.
	void reset_statistics();
	void reset_statistics(Format format);

	Queue queue(const QueueOptions &options = {}) const;

	// Drops this handle; calls after it throw Status::Closed. The store
	// itself closes when its last region, view and queue are gone.
	void close() noexcept;

private:
	explicit Store(std::shared_ptr<Backend> backend) noexcept;
	Backend &backend() const;

	std::shared_ptr<Backend> backend_;
};

// The cards that are present: "/dev/smartquant0", ... in order of number.
SMARTQUANT_API std::vector<std::string> devices();

// "0.1.0"
SMARTQUANT_API std::string_view version() noexcept;

// The version of a family of vector kernels that runs in this process.
struct Kernel {
	std::string family = {};
	std::string level = {};
	bool forced = false; // by SMARTQUANT_KERNELS, not chosen by the CPU
};

// Of every family, in order of names. Looks at SMARTQUANT_KERNELS as opening a
// store does: throws Status::InvalidInput when that names what is not there.
SMARTQUANT_API std::vector<Kernel> kernels();

} // namespace smartquant

#endif // SMARTQUANT_STORE_HPP
