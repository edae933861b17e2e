// SPDX-License-Identifier: MIT
#include "fake_card.hpp"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstdarg>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <sys/mman.h>

#include <smartquant/uapi.h>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#include "controller.h"
#pragma GCC diagnostic pop

extern "C" {
int __real_open(const char *path, int flags, ...);
int __real_ioctl(int descriptor, unsigned long number, ...);
void *__real_mmap(void *address, std::size_t bytes, int protection, int flags, int descriptor,
		  off_t offset);
int __real_close(int descriptor);
int __wrap_open(const char *path, int flags, ...);
int __wrap_close(int descriptor);
int __wrap_ioctl(int descriptor, unsigned long number, ...);
void *__wrap_mmap(void *address, std::size_t bytes, int protection, int flags, int descriptor,
		  off_t offset);
}

namespace sqtest {

namespace {

constexpr std::uint64_t memory_bytes = 64u << 20;
constexpr std::uint64_t logical_bytes = std::uint64_t{256} << 20;
constexpr std::uint32_t transfer_bytes_max = 288u << 10;
constexpr std::uint32_t buffers_max = 4;
constexpr std::uint32_t formats_max = 100;
constexpr std::uint32_t handles_per_page = 3;

void *allocate(void *, std::size_t bytes)
{
	return std::aligned_alloc(64, (bytes + 63) / 64 * 64);
}

void release(void *, void *memory)
{
	std::free(memory);
}

// Where a view is mapped; like the device's, the bytes follow the region.
struct Window {
	void *address;
	std::size_t bytes;
};

class Card {
public:
	Card()
	{
		const sqc_environment environment{nullptr, allocate, release, nullptr, nullptr};

		sqc_format(memory_, memory_bytes, &environment);
		sqc_open(&store_, memory_, memory_bytes, &environment, 0, logical_bytes, nullptr);
	}
	~Card()
	{
		sqc_close(store_);
		std::free(memory_);
	}
	Card(const Card &) = delete;

	sqc_status serve(sq_ioc_info &info);
	sqc_status serve(sq_ioc_region_create &create);
	sqc_status serve(unsigned long number, sq_ioc_handle &argument);
	sqc_status serve(unsigned long number, sq_ioc_region &region);
	sqc_status serve(sq_ioc_region_list &list);
	sqc_status serve(sq_ioc_region_precision &precision);
	sqc_status serve(sq_ioc_view &view);
	sqc_status serve(sq_ioc_view_unmap &unmap);
	sqc_status serve(unsigned long number, sq_ioc_statistics &statistics);
	sqc_status serve(sq_ioc_verify &verify);
	sqc_status serve(sq_ioc_background &) { return SQ_STATUS_SUCCESS; }
	sqc_status serve(sq_ioc_sanitize &sanitize);
	sqc_status serve(sq_ioc_submit &submit);

	void *map(off_t offset, std::size_t bytes);

	std::mutex mutex;
	FakeCard::Spoil spoil;
	unsigned long refused_number = 0;
	int refused_error = 0;

private:
	sqc_status read(const sqc_read_request &request, std::vector<std::uint8_t> &out,
			sqc_result &result);
	sqc_status read(const sqc_read_request &request, const sqc_precision_vector &vector,
			std::vector<std::uint8_t> &out, sqc_result &result);
	sqc_status fetch(const sq_ioc_submit &submit, sqc_result &result);
	sqc_status store(const sq_ioc_submit &submit, sqc_result &result);
	void refresh(std::uint32_t view);

	void *memory_ = allocate(nullptr, memory_bytes);
	sqc_store *store_ = nullptr;
	std::map<std::uint32_t, Window> windows_; // by view; not mapped: no address
};

Card &card()
{
	static Card card;

	return card;
}

template <typename T>
T *pointer(std::uint64_t address)
{
	return reinterpret_cast<T *>(static_cast<std::uintptr_t>(address));
}

sqc_status Card::serve(sq_ioc_info &info)
{
	struct sqc_store_info store;

	sqc_store_describe(store_, &store);
	info.interface_major = SQ_INTERFACE_MAJOR;
	info.interface_minor = SQ_INTERFACE_MINOR;
	info.cxl_memdev = -1;
	info.capacity_bytes = store.capacity_bytes;
	info.used_bytes = store.used_bytes;
	info.logical_bytes = store.logical_bytes;
	info.regions = store.regions;
	info.regions_max = store.regions_max;
	info.views_max = store.views_max;
	info.buffers_max = buffers_max;
	info.transfer_bytes_max = transfer_bytes_max;
	info.formats_max = formats_max;
	for (unsigned int i = 0; const std::uint16_t code = sqc_format_at(i); ++i)
		info.formats[info.format_count++] = code;
	for (std::uint16_t i = 0, code; sqc_encoding_at(i, &code); ++i)
		info.encodings[info.encoding_count++] = code;
	std::strcpy(info.firmware, "fake card");
	std::strcpy(info.serial, "0");
	return SQ_STATUS_SUCCESS;
}

sqc_status Card::serve(sq_ioc_region_create &create)
{
	const sqc_region_spec spec{create.name,	     create.name_bytes, create.dtype,
				   create.placement, create.rows,	create.cols};

	return sqc_region_create(store_, &spec, &create.handle);
}

sqc_status Card::serve(unsigned long number, sq_ioc_handle &argument)
{
	if (number == SQ_IOC_REGION_DELETE)
		return sqc_region_delete(store_, argument.handle);
	if (number == SQ_IOC_REGION_SEAL)
		return sqc_region_seal(store_, argument.handle);
	if (number == SQ_IOC_REGION_PACK)
		return sqc_region_pack(store_, argument.handle, nullptr);
	return sqc_flush(store_, argument.handle);
}

sqc_status Card::serve(unsigned long number, sq_ioc_region &region)
{
	struct sqc_region_info info;
	sqc_status status = SQ_STATUS_SUCCESS;

	if (number == SQ_IOC_REGION_FIND)
		status = sqc_region_find(store_, region.name, region.name_bytes, &region.handle);
	if (!status)
		status = sqc_region_describe(store_, region.handle, &info);
	if (status)
		return status;
	region.dtype = info.dtype;
	region.placement = info.placement;
	region.coding = info.coding;
	region.rows = info.rows;
	region.cols = info.cols;
	region.region_flags = (info.sealed ? SQ_REGION_SEALED : 0) |
			      (info.dirty ? SQ_REGION_DIRTY : 0);
	region.precision = info.precision;
	region.name_bytes = info.name_bytes;
	region.segments = info.segments;
	region.views = info.views;
	region.stored_bytes = info.stored_bytes;
	region.escapes = info.escapes;
	std::memcpy(region.name, info.name, sizeof(region.name));
	return SQ_STATUS_SUCCESS;
}

sqc_status Card::serve(sq_ioc_region_list &list)
{
	std::uint32_t handle = list.after;
	std::uint32_t *handles = pointer<std::uint32_t>(list.handles);

	list.count = 0;
	for (;;) {
		sqc_region_next(store_, handle, &handle);
		list.more = handle != 0;
		if (!handle || list.count == std::min(list.max, handles_per_page))
			return SQ_STATUS_SUCCESS;
		handles[list.count++] = handle;
	}
}

sqc_status Card::serve(sq_ioc_region_precision &precision)
{
	return sqc_region_set_precision(store_, precision.handle, precision.format);
}

sqc_status Card::serve(sq_ioc_view &view)
{
	const sqc_read_request request{.handle = view.handle,
				       .format = view.format,
				       .rounding = view.rounding,
				       .axis = view.axis,
				       .first_row = view.first_row,
				       .row_count = view.row_count};
	struct sqc_view_info info;

	if (const sqc_status status = sqc_view_map(store_, &request, &info))
		return status;
	view.view = info.view;
	view.format = info.layout.format;
	view.rounding = info.layout.rounding;
	view.dpa = info.dpa;
	view.length_bytes = info.layout.bytes;
	view.window_bytes = info.window_bytes;
	view.mmap_offset = std::uint64_t{info.view} * SQC_VIEW_ALIGN;
	windows_[info.view] = {};
	return SQ_STATUS_SUCCESS;
}

sqc_status Card::serve(sq_ioc_view_unmap &unmap)
{
	windows_.erase(unmap.view);
	return sqc_view_unmap(store_, unmap.view);
}

sqc_status Card::serve(unsigned long number, sq_ioc_statistics &statistics)
{
	sqc_statistics counters{};

	if (number == SQ_IOC_STATISTICS_RESET)
		return sqc_statistics_reset(store_, statistics.scope, statistics.key);
	if (const sqc_status status =
		    sqc_statistics_get(store_, statistics.scope, statistics.key, &counters))
		return status;
	static_assert(sizeof(counters) == sizeof(sq_ioc_statistics) -
						  offsetof(sq_ioc_statistics, requests));
	std::memcpy(&statistics.requests, &counters, sizeof(counters));
	return SQ_STATUS_SUCCESS;
}

sqc_status Card::serve(sq_ioc_verify &verify)
{
	sqc_bad_run bad[SQC_RUNS_MAX];
	std::uint32_t handle = verify.handle;

	verify.runs_checked = verify.runs_bad = verify.bad_count = 0;
	if (!handle)
		sqc_region_next(store_, 0, &handle);
	while (handle) {
		std::uint64_t runs;
		std::uint32_t count;
		sqc_status status = SQ_STATUS_SUCCESS;

		for (std::uint32_t segment = 0; !status; ++segment) {
			runs = count = 0;
			status = sqc_verify_segment(store_, handle, segment, &runs, bad, &count);
			verify.runs_checked += runs;
			verify.runs_bad += count;
		}
		if (status != SQ_STATUS_RANGE)
			return status;
		if (verify.handle)
			break;
		sqc_region_next(store_, handle, &handle);
	}
	return SQ_STATUS_SUCCESS;
}

sqc_status Card::serve(sq_ioc_sanitize &sanitize)
{
	return sanitize.flags == SQ_SANITIZE_ALL ? sqc_sanitize(store_) :
						   SQ_STATUS_INVALID_INPUT;
}

sqc_status Card::read(const sqc_read_request &request, std::vector<std::uint8_t> &out,
		      sqc_result &result)
{
	struct sqc_layout layout;
	sqc_status status = sqc_read_layout(store_, &request, &layout);

	if (status)
		return status;
	void *scratch = allocate(nullptr, sqc_read_scratch_bytes(&layout));
	sqc_read_scratch_begin(scratch);

	out.resize(layout.bytes);
	status = sqc_read(store_, &request, out.data(), out.size(), scratch, &result);
	std::free(scratch);
	return status;
}

sqc_status Card::read(const sqc_read_request &request, const sqc_precision_vector &vector,
		      std::vector<std::uint8_t> &out, sqc_result &result)
{
	sqc_vector_layout layout;
	sqc_status status = vector.format_count > formats_max ?
				    SQ_STATUS_INVALID_INPUT :
				    sqc_vector_describe(store_, &request, &vector, &layout, nullptr);

	if (status)
		return status;
	void *scratch = allocate(nullptr, layout.scratch_bytes);
	sqc_read_scratch_begin(scratch);

	out.resize(layout.bytes);
	status = sqc_read_vector(store_, &request, &vector, out.data(), out.size(), scratch,
				 &result);
	std::free(scratch);
	return status;
}

sqc_status Card::fetch(const sq_ioc_submit &submit, sqc_result &result)
{
	const sqc_read_request request{.handle = submit.handle,
				       .format = submit.format,
				       .rounding = submit.rounding,
				       .axis = submit.axis,
				       .first_row = submit.first_row,
				       .row_count = submit.row_count};
	const sq_buffer *buffers = pointer<const sq_buffer>(submit.buffers);
	std::vector<std::uint8_t> bytes;
	std::uint64_t room = 0, done = 0;

	const sqc_precision_vector vector{.formats = pointer<const std::uint16_t>(submit.formats),
					  .format_count = submit.format_count,
					  .rows_per_format = submit.rows_per_format};

	if (const sqc_status status = submit.format_count ?
					      read(request, vector, bytes, result) :
					      read(request, bytes, result))
		return status;
	for (std::uint32_t i = 0; i < submit.buffer_count; ++i)
		room += buffers[i].length_bytes;
	if (room != bytes.size() || room > transfer_bytes_max)
		return SQ_STATUS_LENGTH;
	for (std::uint32_t i = 0; i < submit.buffer_count; ++i) {
		std::memcpy(pointer<void>(buffers[i].address), &bytes[done],
			    buffers[i].length_bytes);
		done += buffers[i].length_bytes;
	}
	return SQ_STATUS_SUCCESS;
}

sqc_status Card::store(const sq_ioc_submit &submit, sqc_result &result)
{
	const sqc_write_request request{submit.handle, submit.format,
					static_cast<std::uint8_t>(
						submit.flags & SQ_SUBMIT_ROUND ? SQ_STORE_ROUND : 0),
					submit.first_row, submit.row_count};
	const sq_buffer *buffer = pointer<const sq_buffer>(submit.buffers);

	if (submit.buffer_count != 1 || buffer->length_bytes > transfer_bytes_max)
		return SQ_STATUS_LENGTH;

	const sqc_status status = sqc_write(store_, &request, pointer<void>(buffer->address),
					    buffer->length_bytes, &result);

	if (!status)
		for (const auto &[view, window] : windows_)
			refresh(view);
	return status;
}

sqc_status Card::serve(sq_ioc_submit &submit)
{
	sqc_result result{};
	const sqc_status status = submit.buffer_count > buffers_max ? SQ_STATUS_INVALID_INPUT :
				  submit.opcode == SQ_OP_FETCH	    ? fetch(submit, result) :
								      store(submit, result);

	submit.result.status = status;
	submit.result.format = result.format;
	submit.result.rounding = result.rounding;
	submit.result.bytes = result.bytes;
	submit.result.elements = result.elements;
	submit.result.plane_lines = result.plane_lines;
	submit.result.check_lines = result.check_lines;
	submit.result.baseline_lines = result.baseline_lines;
	submit.result.dram_time_ns = result.dram_time_ns;
	submit.result.dram_energy_pj = result.dram_energy_pj;
	submit.result.link_time_ns = result.link_time_ns;
	submit.result.rounded_elements = result.rounded_elements;
	submit.result.max_rounding_error =
		std::bit_cast<std::uint32_t>(result.max_rounding_error);
	submit.result.error_row = result.error_row;
	submit.result.error_col = result.error_col;
	return status;
}

void Card::refresh(std::uint32_t view)
{
	struct sqc_view_info info;
	std::vector<std::uint8_t> bytes;
	sqc_result result{};
	const Window window = windows_[view];

	if (!window.address || sqc_view_describe(store_, view, &info) ||
	    read(info.request, bytes, result))
		return;
	::mprotect(window.address, window.bytes, PROT_READ | PROT_WRITE);
	std::memcpy(window.address, bytes.data(), bytes.size());
	::mprotect(window.address, window.bytes, PROT_READ);
}

void *Card::map(off_t offset, std::size_t bytes)
{
	const auto view = static_cast<std::uint32_t>(offset / SQC_VIEW_ALIGN);

	if (!windows_.contains(view)) {
		errno = EINVAL;
		return MAP_FAILED;
	}
	windows_[view] = {__real_mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
			  bytes};
	refresh(view);
	return windows_[view].address;
}

// --------------------------------------------------------- the driver's part

// What an ioctl does with its structure, and whether it changes the store.
struct Entry {
	unsigned long number;
	bool writes;
	sqc_status (*serve)(unsigned long number, void *argument);
	std::uint32_t size;
};

template <typename Argument>
sqc_status serve(unsigned long, void *argument)
{
	return card().serve(*static_cast<Argument *>(argument));
}

template <typename Argument>
sqc_status serve_numbered(unsigned long number, void *argument)
{
	return card().serve(number, *static_cast<Argument *>(argument));
}

template <typename Argument>
constexpr Entry entry(unsigned long number, bool writes)
{
	return {number, writes, serve<Argument>, sizeof(Argument)};
}

template <typename Argument>
constexpr Entry numbered(unsigned long number, bool writes)
{
	return {number, writes, serve_numbered<Argument>, sizeof(Argument)};
}

constexpr Entry entries[] = {
	entry<sq_ioc_info>(SQ_IOC_INFO, false),
	entry<sq_ioc_region_create>(SQ_IOC_REGION_CREATE, true),
	numbered<sq_ioc_handle>(SQ_IOC_REGION_DELETE, true),
	numbered<sq_ioc_handle>(SQ_IOC_REGION_SEAL, true),
	numbered<sq_ioc_handle>(SQ_IOC_REGION_PACK, true),
	numbered<sq_ioc_handle>(SQ_IOC_FLUSH, true),
	numbered<sq_ioc_region>(SQ_IOC_REGION_GET, false),
	numbered<sq_ioc_region>(SQ_IOC_REGION_FIND, false),
	entry<sq_ioc_region_list>(SQ_IOC_REGION_LIST, false),
	entry<sq_ioc_region_precision>(SQ_IOC_REGION_SET_PRECISION, true),
	entry<sq_ioc_view>(SQ_IOC_VIEW_MAP, false),
	entry<sq_ioc_view_unmap>(SQ_IOC_VIEW_UNMAP, false),
	numbered<sq_ioc_statistics>(SQ_IOC_STATISTICS_GET, false),
	numbered<sq_ioc_statistics>(SQ_IOC_STATISTICS_RESET, true),
	entry<sq_ioc_verify>(SQ_IOC_VERIFY, false),
	entry<sq_ioc_background>(SQ_IOC_BACKGROUND, false),
	entry<sq_ioc_sanitize>(SQ_IOC_SANITIZE, true),
	entry<sq_ioc_submit>(SQ_IOC_SUBMIT, false),
};

struct Header {
	std::uint32_t size;
	std::uint32_t flags;
	std::uint32_t status;
};

// Descriptors of the card, and whether they may write.
std::map<int, bool> descriptors;

// 0, or the errno.
int serve_ioctl(bool writable, unsigned long number, void *argument)
{
	const auto found = std::ranges::find(entries, number, &Entry::number);
	auto *header = static_cast<Header *>(argument);

	if (found == std::end(entries))
		return ENOTTY;
	if (header->size != found->size)
		return EINVAL;

	const bool stores = number == SQ_IOC_SUBMIT &&
			    static_cast<sq_ioc_submit *>(argument)->opcode != SQ_OP_FETCH;

	if (!writable && (found->writes || stores))
		return EACCES;
	if (card().refused_error && number == card().refused_number)
		return card().refused_error;
	header->status = found->serve(number, argument);
	if (card().spoil)
		card().spoil(number, argument);
	return header->status ? EIO : 0;
}

} // namespace

void FakeCard::spoil(Spoil spoil)
{
	const std::lock_guard lock(card().mutex);

	card().spoil = std::move(spoil);
}

void FakeCard::refuse(unsigned long number, int error)
{
	const std::lock_guard lock(card().mutex);

	card().refused_number = number;
	card().refused_error = error;
}

} // namespace sqtest

using namespace sqtest;

int __wrap_open(const char *path, int flags, ...)
{
	std::va_list arguments;

	va_start(arguments, flags);
	const mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, mode_t) : 0;

	va_end(arguments);
	if (path != std::string_view(fake_card_path))
		return __real_open(path, flags, mode);

	const std::lock_guard lock(card().mutex);
	const int descriptor = __real_open("/dev/null", O_RDONLY | O_CLOEXEC);

	descriptors[descriptor] = (flags & O_ACCMODE) == O_RDWR;
	return descriptor;
}

int __wrap_close(int descriptor)
{
	const std::lock_guard lock(card().mutex);

	descriptors.erase(descriptor);
	return __real_close(descriptor);
}

int __wrap_ioctl(int descriptor, unsigned long number, ...)
{
	std::va_list arguments;

	va_start(arguments, number);
	void *argument = va_arg(arguments, void *);

	va_end(arguments);

	const std::lock_guard lock(card().mutex);
	const auto found = descriptors.find(descriptor);

	if (found == descriptors.end())
		return __real_ioctl(descriptor, number, argument);
	errno = serve_ioctl(found->second, number, argument);
	return errno ? -1 : 0;
}

void *__wrap_mmap(void *address, std::size_t bytes, int protection, int flags, int descriptor,
		  off_t offset)
{
	if (descriptor >= 0) {
		const std::lock_guard lock(card().mutex);

		if (descriptors.contains(descriptor))
			return card().map(offset, bytes);
	}
	return __real_mmap(address, bytes, protection, flags, descriptor, offset);
}
