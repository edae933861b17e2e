// SPDX-License-Identifier: MIT
//
// CxlControl on libcxl. A region is made the way the kernel's ABI document
// for sysfs-bus-cxl orders it: granularity, ways, uuid (persistent memory
// only), size, then the endpoint's decoder (mode, size), target, commit.
#include "bringup/bringup.hpp"

#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <cxl/libcxl.h>
#include <fmt/format.h>

namespace bringup {
namespace {

constexpr uint64_t region_align = 256ull << 20;

/// libcxl's own messages repeat in other words what its results say.
void drop_message(cxl_ctx *, int, const char *, int, const char *, const char *, va_list) {}

/// libcxl reports errors as -1 with errno, or as a negative errno.
std::string reason(int result)
{
	return std::strerror(result < -1 ? -result : errno);
}

[[noreturn]] void fail(const std::string &object, std::string_view what, int result,
		       std::string_view remedy)
{
	throw Failure(fmt::format("{}: {}: {}; {}", object, what, reason(result), remedy));
}

void make_uuid(uuid_t uuid)
{
	// Random, version 4.
	if (::getrandom(uuid, sizeof(uuid_t), 0) != static_cast<ssize_t>(sizeof(uuid_t)))
		throw Failure("no random bytes for the region's uuid; try again");
	uuid[6] = static_cast<unsigned char>((uuid[6] & 0x0f) | 0x40);
	uuid[8] = static_cast<unsigned char>((uuid[8] & 0x3f) | 0x80);
}

/// What a memory device offers: persistent or volatile.
struct Capacity {
	uint64_t bytes;
	cxl_decoder_mode mode;
};

Capacity capacity_of(cxl_memdev *memdev)
{
	const uint64_t pmem = cxl_memdev_get_pmem_size(memdev);
	if (pmem > 0)
		return {pmem, CXL_DECODER_MODE_PMEM};
	return {cxl_memdev_get_ram_size(memdev), CXL_DECODER_MODE_RAM};
}

bool takes(cxl_decoder *decoder, cxl_decoder_mode mode)
{
	return mode == CXL_DECODER_MODE_PMEM ? cxl_decoder_is_pmem_capable(decoder)
					     : cxl_decoder_is_volatile_capable(decoder);
}

cxl_region *new_region(cxl_decoder *root_decoder, cxl_decoder_mode mode)
{
	if (mode == CXL_DECODER_MODE_PMEM)
		return cxl_decoder_create_pmem_region(root_decoder);
#ifdef SQ_LIBCXL_RAM_REGIONS
	return cxl_decoder_create_ram_region(root_decoder);
#else
	throw Failure(fmt::format("{}: this libcxl makes no regions of volatile memory; install libcxl 77 "
				  "or later, or give the card persistent memory",
				  cxl_decoder_get_devname(root_decoder)));
#endif
}

/// A region under construction; taken apart again unless finished.
class Construction {
public:
	Construction(cxl_decoder *root_decoder, cxl_decoder *endpoint_decoder, Capacity capacity)
	    : endpoint_decoder_(endpoint_decoder), capacity_(capacity)
	{
		region_ = new_region(root_decoder, capacity.mode);
		if (!region_)
			fail(cxl_decoder_get_devname(root_decoder), "no region can be created", -1,
			     "run it as root");
		granularity_ = cxl_decoder_get_interleave_granularity(root_decoder);
	}
	Construction(const Construction &) = delete;
	Construction &operator=(const Construction &) = delete;

	~Construction()
	{
		if (!region_)
			return;
		cxl_region_delete(region_);
		cxl_decoder_set_dpa_size(endpoint_decoder_, 0);
	}

	void set_geometry()
	{
		check(cxl_region_set_interleave_granularity(region_, granularity_), "granularity");
		check(cxl_region_set_interleave_ways(region_, 1), "interleave ways");
		if (capacity_.mode == CXL_DECODER_MODE_PMEM) {
			uuid_t uuid;
			make_uuid(uuid);
			check(cxl_region_set_uuid(region_, uuid), "uuid");
		}
		check(cxl_region_set_size(region_, capacity_.bytes), "size");
	}

	void set_target()
	{
		check(cxl_decoder_set_mode(endpoint_decoder_, capacity_.mode), "decoder mode");
		check(cxl_decoder_set_dpa_size(endpoint_decoder_, capacity_.bytes), "decoder size");
		check(cxl_region_set_target(region_, 0, endpoint_decoder_), "target");
	}

	cxl_region *region() const { return region_; }
	void finish() { region_ = nullptr; }

private:
	void check(int result, std::string_view what)
	{
		if (result != 0)
			fail(cxl_region_get_devname(region_), fmt::format("the kernel refuses its {}", what),
			     result, "see the kernel log");
	}

	cxl_region *region_ = nullptr;
	cxl_decoder *endpoint_decoder_;
	Capacity capacity_;
	unsigned int granularity_ = 0;
};

RegionState state_of(cxl_region *region)
{
	return {.name = cxl_region_get_devname(region),
		.bytes = cxl_region_get_size(region),
		.committed = cxl_region_decode_is_committed(region) == 1,
		.enabled = cxl_region_is_enabled(region) == 1};
}

void commit_region(cxl_region *region)
{
	const int result = cxl_region_decode_commit(region);
	if (result == 0)
		return;
	const bool no_flush = result == -ENXIO || (result == -1 && errno == ENXIO);
	fail(cxl_region_get_devname(region), "the kernel refuses to commit it", result,
	     no_flush ? "it cannot flush the CPU's caches under a hypervisor; for QEMU: -cpu "
			"max,-hypervisor"
		      : "see the kernel log");
}

class LibCxl final : public CxlControl {
public:
	LibCxl()
	{
		const int result = cxl_new(&context_);
		if (result != 0)
			fail("libcxl", "it does not start", result, "modprobe cxl_acpi");
		cxl_set_log_fn(context_, drop_message);
	}
	LibCxl(const LibCxl &) = delete;
	LibCxl &operator=(const LibCxl &) = delete;
	~LibCxl() override { cxl_unref(context_); }

	uint64_t capacity_bytes(const std::string &name) override
	{
		return capacity_of(find_memdev(name)).bytes;
	}

	std::optional<RegionState> region_of(const std::string &name) override
	{
		cxl_region *region = find_region_of(find_memdev(name));
		if (!region)
			return std::nullopt;
		return state_of(region);
	}

	RegionState create_region(const std::string &name, uint64_t bytes) override
	{
		cxl_memdev *memdev = find_memdev(name);
		const Capacity capacity{bytes, capacity_of(memdev).mode};
		if (bytes == 0 || bytes % region_align != 0)
			throw Failure(fmt::format("{}: has {} bytes, no multiple of 256 MiB; choose another "
						  "size or bloat of the card",
						  name, bytes));
		Construction construction(find_root_decoder(memdev, capacity),
					  find_free_decoder(memdev), capacity);
		construction.set_geometry();
		construction.set_target();
		commit_region(construction.region());
		RegionState state = state_of(construction.region());
		state.bytes = bytes;
		state.committed = true;
		construction.finish();
		return state;
	}

	void commit(const std::string &name) override { commit_region(find_region(name)); }

	void enable(const std::string &name) override
	{
		const int result = cxl_region_enable(find_region(name));
		if (result != 0)
			fail(name, "it cannot be enabled", result, "modprobe cxl_pmem, and try again");
	}

private:
	cxl_memdev *find_memdev(const std::string &name)
	{
		cxl_memdev *memdev;
		cxl_memdev_foreach(context_, memdev)
			if (name == cxl_memdev_get_devname(memdev))
				return memdev;
		throw Failure(fmt::format("{}: libcxl does not see it; modprobe cxl_mem cxl_port", name));
	}

	/// Calls `use` with each region until it returns true; returns that one.
	template <typename Use> cxl_region *search_regions(const Use &use)
	{
		cxl_bus *bus;
		cxl_decoder *decoder;
		cxl_region *region;
		cxl_bus_foreach(context_, bus)
			cxl_decoder_foreach(cxl_bus_get_port(bus), decoder)
				cxl_region_foreach(decoder, region)
					if (use(region))
						return region;
		return nullptr;
	}

	cxl_region *find_region(const std::string &name)
	{
		cxl_region *region = search_regions(
			[&](cxl_region *candidate) { return name == cxl_region_get_devname(candidate); });
		if (!region)
			throw Failure(fmt::format("{}: the region is gone; try again", name));
		return region;
	}

	cxl_region *find_region_of(cxl_memdev *memdev)
	{
		return search_regions([&](cxl_region *region) {
			cxl_memdev_mapping *mapping;
			cxl_mapping_foreach(region, mapping)
				if (cxl_decoder_get_memdev(cxl_mapping_get_decoder(mapping)) == memdev)
					return true;
			return false;
		});
	}

	cxl_decoder *find_root_decoder(cxl_memdev *memdev, Capacity capacity)
	{
		const char *name = cxl_memdev_get_devname(memdev);
		uint64_t largest = 0;
		cxl_decoder *decoder;
		cxl_decoder_foreach(cxl_bus_get_port(cxl_memdev_get_bus(memdev)), decoder) {
			if (!takes(decoder, capacity.mode) ||
			    !cxl_decoder_get_target_by_memdev(decoder, memdev))
				continue;
			const uint64_t free_bytes = cxl_decoder_get_max_available_extent(decoder);
			if (free_bytes != UINT64_MAX && free_bytes >= capacity.bytes)
				return decoder;
			if (free_bytes != UINT64_MAX)
				largest = std::max(largest, free_bytes);
		}
		throw Failure(fmt::format("{}: no root decoder has a free window of {} MiB (the largest has "
					  "{} MiB); enlarge the machine's CXL window (for QEMU: "
					  "-M cxl-fmw.0.size)",
					  name, capacity.bytes >> 20, largest >> 20));
	}

	/// The kernel takes an endpoint's decoders in order.
	cxl_decoder *find_free_decoder(cxl_memdev *memdev)
	{
		const char *name = cxl_memdev_get_devname(memdev);
		cxl_endpoint *endpoint = cxl_memdev_get_endpoint(memdev);
		if (!endpoint)
			throw Failure(fmt::format("{}: it is no endpoint of the CXL tree; modprobe cxl_mem "
						  "cxl_port",
						  name));
		cxl_decoder *decoder;
		cxl_decoder_foreach(cxl_endpoint_get_port(endpoint), decoder)
			if (cxl_decoder_get_dpa_size(decoder) == 0)
				return decoder;
		throw Failure(fmt::format("{}: all its decoders are taken; remove the regions that hold "
					  "them (cxl destroy-region)",
					  name));
	}

	cxl_ctx *context_ = nullptr;
};

} // namespace

std::unique_ptr<CxlControl> open_libcxl()
{
	return std::make_unique<LibCxl>();
}

} // namespace bringup
