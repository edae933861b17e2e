// SPDX-License-Identifier: MIT
//
// The C functions: translate, call the C++ API, turn exceptions into a status
#include <smartquant/smartquant.h>

#include <algorithm>
#include <cstdio>
#include <new>
#include <utility>

#include <smartquant/smartquant.hpp>

#include "failure.hpp"
#include "request.hpp"
#include "text.hpp"

using namespace smartquant;

struct smartquant_store {
	Store inner;
};

struct smartquant_region {
	Region inner;
};

struct smartquant_view {
	View inner;
};

struct smartquant_multiplier {
	Multiplier inner;
};

struct smartquant_queue {
	Queue inner;
};

namespace {

thread_local std::string last_error;

smartquant_status failed(Status status, std::string_view message) noexcept
{
	try {
		last_error = message;
	} catch (const std::bad_alloc &) {
		last_error.clear();
	}
	return static_cast<smartquant_status>(status);
}

// Runs a call; no exception leaves it.
template <typename F>
smartquant_status guarded(F &&call) noexcept
{
	last_error.clear();
	try {
		std::forward<F>(call)();
		return SMARTQUANT_STATUS_SUCCESS;
	} catch (const Error &error) {
		return failed(error.status(), error.what());
	} catch (const std::bad_alloc &) {
		return failed(Status::ResourcesExhausted, "out of memory");
	} catch (const std::exception &error) {
		return failed(Status::InternalError, error.what());
	}
}

// The pointers that a function cannot do without.
template <typename... Pointers>
void require(const Pointers *...pointers)
{
	if (((pointers == nullptr) || ...))
		fail(Status::InvalidInput, "argument", "is NULL where an object is needed");
}

// Memory may be NULL when it is empty.
template <typename Byte, typename Memory>
std::span<Byte> memory_of(Memory *memory, std::size_t bytes)
{
	if (!memory && bytes)
		fail(Status::InvalidInput, "argument",
		     concat("memory of ", bytes, " bytes is NULL"));
	return {static_cast<Byte *>(memory), bytes};
}

template <std::size_t bytes>
void copy_text(char (&to)[bytes], std::string_view from)
{
	const std::size_t length = std::min(from.size(), bytes - 1);

	std::copy_n(from.data(), length, to);
	std::fill(to + length, to + bytes, '\0');
}

Rows rows_of(std::uint32_t first_row, std::uint32_t end_row)
{
	return {first_row, end_row ? end_row : Rows::to_end};
}

ReadRequest request_of(const smartquant_read_request *request)
{
	if (!request)
		return {};
	return {.format = Format(request->format),
		.rounding = static_cast<Rounding>(request->rounding),
		.axis = static_cast<Axis>(request->axis),
		.rows = rows_of(request->first_row, request->end_row)};
}

// A request of the C++ API over formats that it keeps.
struct VectorArgument {
	std::vector<Format> formats;
	VectorRequest request;
};

VectorArgument argument_of(const smartquant_vector_request &request)
{
	VectorArgument argument;

	if (!request.formats && request.format_count)
		fail(Status::InvalidInput, "argument",
		     concat("list of ", request.format_count, " formats is NULL"));
	for (const std::uint16_t code : std::span(request.formats, request.format_count))
		argument.formats.emplace_back(code);
	argument.request = {.formats = argument.formats,
			    .rows_per_format = request.rows_per_format,
			    .rounding = static_cast<Rounding>(request.rounding),
			    .axis = static_cast<Axis>(request.axis),
			    .rows = rows_of(request.first_row, request.end_row)};
	return argument;
}

StoreRequest request_of(const smartquant_store_request *request)
{
	if (!request)
		return {};
	return {.encoding = Encoding(request->encoding),
		.allow_rounding = request->allow_rounding,
		.rows = rows_of(request->first_row, request->end_row),
		.importance = {request->importance,
			       request->importance ? request->importance_count : 0}};
}

std::uint64_t count_ns(std::chrono::nanoseconds time)
{
	return static_cast<std::uint64_t>(time.count());
}

smartquant_fetch_result c_result(const FetchResult &result)
{
	return {
		.format = result.format.code(),
		.rounding = static_cast<std::uint8_t>(result.rounding),
		.bytes = result.bytes,
		.elements = result.elements,
		.plane_lines = result.plane_lines,
		.check_lines = result.check_lines,
		.baseline_lines = result.baseline_lines,
		.dram_time_ns = count_ns(result.dram_time),
		.dram_energy_pj = result.dram_energy_pj,
		.link_time_ns = count_ns(result.link_time),
	};
}

smartquant_store_result c_result(const StoreResult &result)
{
	return {
		.bytes = result.bytes,
		.elements = result.elements,
		.rounded_elements = result.rounded_elements,
		.max_rounding_error = result.max_rounding_error,
	};
}

void give_offsets(const VectorLayout &layout, std::uint64_t *offsets)
{
	if (offsets)
		std::ranges::copy(layout.offsets, offsets);
}

smartquant_region_info c_info(const RegionInfo &info)
{
	smartquant_region_info out{
		.name = {},
		.handle = info.handle,
		.dtype = static_cast<std::uint8_t>(info.dtype),
		.placement = static_cast<std::uint8_t>(info.placement),
		.coding = static_cast<std::uint8_t>(info.coding),
		.sealed = info.sealed,
		.dirty = info.dirty,
		.rows = info.rows,
		.cols = info.cols,
		.precision = info.precision.code(),
		.stored_bytes = info.stored_bytes,
		.escapes = info.escapes,
		.segments = info.segments,
		.views = info.views,
	};

	copy_text(out.name, info.name);
	return out;
}

smartquant_store_info c_info(const StoreInfo &info)
{
	smartquant_store_info out{};

	out.embedded = info.embedded;
	out.read_only = info.read_only;
	std::sscanf(info.interface_version.c_str(), "%u.%u", &out.interface_major,
		    &out.interface_minor);
	out.capacity_bytes = info.capacity_bytes;
	out.used_bytes = info.used_bytes;
	out.logical_bytes = info.logical_bytes;
	out.regions = info.regions;
	out.regions_max = info.regions_max;
	out.views = info.views;
	out.views_max = info.views_max;
	copy_text(out.firmware, info.firmware);
	copy_text(out.serial, info.serial);
	return out;
}

smartquant_statistics c_statistics(const Statistics &statistics)
{
	return {
		.requests = statistics.requests,
		.elements = statistics.elements,
		.link_bytes = statistics.link_bytes,
		.plane_lines = statistics.plane_lines,
		.check_lines = statistics.check_lines,
		.baseline_lines = statistics.baseline_lines,
		.written_lines = statistics.written_lines,
		.stores = statistics.stores,
		.stored_elements = statistics.stored_elements,
		.errors = statistics.errors,
		.media_errors = statistics.media_errors,
		.poison_loads = statistics.poison_loads,
		.view_loads = statistics.view_loads,
		.dram_time_ns = count_ns(statistics.dram_time),
		.dram_energy_pj = statistics.dram_energy_pj,
		.link_time_ns = count_ns(statistics.link_time),
	};
}

// Rows [first_row, first_row + row_count) of what a layout delivers.
Rows delivered_rows(const Layout &layout, std::uint32_t first_row, std::uint32_t row_count)
{
	if (first_row > layout.rows || row_count > layout.rows - first_row)
		fail(Status::Range, "layout",
		     concat(row_count, " rows from row ", first_row,
			    " out of range (the read has ", layout.rows, " rows)"));
	return {first_row, first_row + row_count};
}

std::size_t value_count(const Layout &layout, std::uint32_t row_count)
{
	return std::size_t{row_count} * layout.cols;
}

void give(std::span<const std::byte> bytes, const void **data, std::size_t *size)
{
	*data = bytes.data();
	*size = bytes.size();
}

VerifyOptions verify_options(smartquant_progress progress, void *context)
{
	if (!progress)
		return {};
	return {.progress = [=](double done) { return progress(context, done); }};
}

smartquant_verify_result c_result(const VerifyResult &result)
{
	return {
		.runs_checked = result.runs_checked,
		.runs_bad = result.runs_bad,
		.complete = result.complete,
	};
}

// The index-th code of a list; behind its end Status::Range.
template <typename Code>
std::uint16_t code_at(const std::vector<Code> &codes, std::uint32_t index)
{
	if (index >= codes.size())
		fail(Status::Range, "store",
		     concat("index ", index, " is behind the last of ", codes.size()));
	return codes[index].code();
}

} // namespace

const char *smartquant_status_text(smartquant_status status)
{
	return describe(static_cast<Status>(status)).data();
}

const char *smartquant_last_error(void)
{
	return last_error.c_str();
}

const char *smartquant_version(void)
{
	return version().data();
}

smartquant_status smartquant_format_parse(const char *name, uint16_t *format)
{
	return guarded([&] {
		require(name, format);
		*format = Format::parse(name).code();
	});
}

smartquant_status smartquant_format_name(uint16_t format, char *name, size_t bytes)
{
	return guarded([&] {
		require(name);
		if (bytes == 0)
			fail(Status::Length, "buffer", "has no room for a name");
		std::snprintf(name, bytes, "%s", Format(format).name().c_str());
	});
}

double smartquant_format_bits(uint16_t format, uint8_t dtype)
{
	return Format(format).bits_per_weight(static_cast<Dtype>(dtype));
}

smartquant_status smartquant_store_open(const char *uri, const smartquant_open_options *options,
					smartquant_store **store)
{
	return guarded([&] {
		OpenOptions inner;

		require(uri, store);
		if (options)
			inner = {.size_bytes = options->size_bytes,
				 .read_only = options->read_only,
				 .create = !options->must_exist,
				 .threads = options->threads};
		*store = new smartquant_store{Store::open(uri, inner)};
	});
}

void smartquant_store_release(smartquant_store *store)
{
	delete store;
}

smartquant_status smartquant_store_get_info(smartquant_store *store, smartquant_store_info *info)
{
	return guarded([&] {
		require(store, info);
		*info = c_info(store->inner.info());
	});
}

smartquant_status smartquant_store_format_at(smartquant_store *store, uint32_t index,
					     uint16_t *format)
{
	return guarded([&] {
		require(store, format);
		*format = code_at(store->inner.info().formats, index);
	});
}

smartquant_status smartquant_store_encoding_at(smartquant_store *store, uint32_t index,
					       uint16_t *encoding)
{
	return guarded([&] {
		require(store, encoding);
		*encoding = code_at(store->inner.info().encodings, index);
	});
}

smartquant_status smartquant_store_flush(smartquant_store *store)
{
	return guarded([&] {
		require(store);
		store->inner.flush();
	});
}

smartquant_status smartquant_store_sanitize(smartquant_store *store)
{
	return guarded([&] {
		require(store);
		store->inner.sanitize();
	});
}

smartquant_status smartquant_store_list_regions(smartquant_store *store,
						smartquant_region_info *infos, size_t max,
						size_t *count)
{
	return guarded([&] {
		require(store, count);
		if (max)
			require(infos);

		const auto regions = store->inner.regions();

		for (std::size_t i = 0; i < std::min(max, regions.size()); ++i)
			infos[i] = c_info(regions[i]);
		*count = regions.size();
	});
}

smartquant_status smartquant_region_create(smartquant_store *store, const char *name,
					   uint8_t dtype, uint8_t placement, uint32_t rows,
					   uint32_t cols, smartquant_region **region)
{
	return guarded([&] {
		require(store, name, region);
		*region = new smartquant_region{store->inner.create_region(
			{.name = name,
			 .dtype = static_cast<Dtype>(dtype),
			 .rows = rows,
			 .cols = cols,
			 .placement = static_cast<Placement>(placement)})};
	});
}

smartquant_status smartquant_region_find(smartquant_store *store, const char *name,
					 smartquant_region **region)
{
	return guarded([&] {
		require(store, name, region);
		*region = new smartquant_region{store->inner.region(name)};
	});
}

void smartquant_region_release(smartquant_region *region)
{
	delete region;
}

smartquant_status smartquant_region_remove(smartquant_region *region)
{
	return guarded([&] {
		require(region);
		region->inner.remove();
	});
}

smartquant_status smartquant_region_get_info(smartquant_region *region,
					     smartquant_region_info *info)
{
	return guarded([&] {
		require(region, info);
		*info = c_info(region->inner.info());
	});
}

smartquant_status smartquant_region_flush(smartquant_region *region)
{
	return guarded([&] {
		require(region);
		region->inner.flush();
	});
}

smartquant_status smartquant_region_seal(smartquant_region *region)
{
	return guarded([&] {
		require(region);
		region->inner.seal();
	});
}

smartquant_status smartquant_region_pack(smartquant_region *region)
{
	return guarded([&] {
		require(region);
		region->inner.pack();
	});
}

smartquant_status smartquant_region_set_precision(smartquant_region *region, uint16_t format)
{
	return guarded([&] {
		require(region);
		region->inner.set_precision(Format(format));
	});
}

smartquant_status smartquant_region_store_bytes(smartquant_region *region,
						const smartquant_store_request *request,
						uint64_t *bytes)
{
	return guarded([&] {
		require(region, bytes);
		*bytes = region->inner.store_bytes(request_of(request));
	});
}

smartquant_status smartquant_region_store(smartquant_region *region,
					  const smartquant_store_request *request,
					  const void *data, size_t bytes,
					  smartquant_store_result *result)
{
	return guarded([&] {
		require(region);

		const StoreResult inner = region->inner.store(
			request_of(request), memory_of<const std::byte>(data, bytes));

		if (result)
			*result = c_result(inner);
	});
}

smartquant_status smartquant_region_layout(smartquant_region *region,
					   const smartquant_read_request *request,
					   smartquant_layout *layout)
{
	return guarded([&] {
		require(region, layout);
		*layout = raw_layout<smartquant_layout>(region->inner.layout(request_of(request)));
	});
}

smartquant_status smartquant_region_fetch(smartquant_region *region,
					  const smartquant_read_request *request, void *buffer,
					  size_t bytes, smartquant_fetch_result *result)
{
	return guarded([&] {
		require(region);

		const FetchResult inner = region->inner.fetch(request_of(request),
							      memory_of<std::byte>(buffer, bytes));

		if (result)
			*result = c_result(inner);
	});
}

smartquant_status smartquant_region_vector_layout(smartquant_region *region,
						  const smartquant_vector_request *request,
						  smartquant_layout *layouts, uint64_t *offsets)
{
	return guarded([&] {
		require(region, request);

		const VectorLayout layout =
			region->inner.vector_layout(argument_of(*request).request);

		if (layouts)
			std::ranges::transform(layout.parts, layouts, raw_layout<smartquant_layout>);
		give_offsets(layout, offsets);
	});
}

smartquant_status smartquant_region_fetch_vector(smartquant_region *region,
						 const smartquant_vector_request *request,
						 void *buffer, size_t bytes, uint64_t *offsets,
						 smartquant_fetch_result *result)
{
	return guarded([&] {
		require(region, request);

		const VectorResult inner = region->inner.fetch_vector(
			argument_of(*request).request, memory_of<std::byte>(buffer, bytes));

		give_offsets(inner.layout, offsets);
		if (result)
			*result = c_result(inner.total);
	});
}

smartquant_status smartquant_decode(const smartquant_layout *layout, const void *read,
				    size_t bytes, uint32_t first_row, uint32_t row_count,
				    float *values)
{
	return guarded([&] {
		require(layout, values);

		const Layout inner = public_layout(*layout);

		decode(inner, memory_of<const std::byte>(read, bytes),
		       delivered_rows(inner, first_row, row_count),
		       {values, value_count(inner, row_count)});
	});
}

smartquant_status smartquant_region_levels(smartquant_region *region, unsigned int bits,
					   float *levels)
{
	return guarded([&] {
		require(region, levels);
		std::ranges::copy(region->inner.levels(bits), levels);
	});
}

smartquant_status smartquant_decode_levels(const smartquant_layout *layout, const float *levels,
					   const void *read, size_t bytes, uint32_t first_row,
					   uint32_t row_count, float *values)
{
	return guarded([&] {
		require(layout, levels, values);

		const Layout inner = public_layout(*layout);
		const unsigned int bits = inner.format.tuned_bits();

		decode(inner, memory_of<const std::byte>(read, bytes),
		       delivered_rows(inner, first_row, row_count),
		       {levels, bits && bits <= 8 ? std::size_t{1} << bits : 0},
		       {values, value_count(inner, row_count)});
	});
}

smartquant_status smartquant_multiply(const smartquant_layout *layout, const void *read,
				      size_t bytes, uint32_t first_row, uint32_t row_count,
				      const float *x, float *y)
{
	return guarded([&] {
		require(layout, x, y);

		const Layout inner = public_layout(*layout);

		multiply(inner, memory_of<const std::byte>(read, bytes),
			 delivered_rows(inner, first_row, row_count), {x, inner.cols},
			 {y, row_count});
	});
}

smartquant_status smartquant_view_map(smartquant_region *region,
				      const smartquant_read_request *request, bool cached,
				      smartquant_view **view)
{
	return guarded([&] {
		require(region, view);

		const ReadRequest inner = request_of(request);

		*view = new smartquant_view{cached ? region->inner.map_cached(inner) :
						     region->inner.map(inner)};
	});
}

void smartquant_view_release(smartquant_view *view)
{
	delete view;
}

smartquant_status smartquant_view_layout(smartquant_view *view, smartquant_layout *layout)
{
	return guarded([&] {
		require(view, layout);
		*layout = raw_layout<smartquant_layout>(view->inner.layout());
	});
}

smartquant_status smartquant_view_bytes(smartquant_view *view, const void **data, size_t *bytes)
{
	return guarded([&] {
		require(view, data, bytes);
		give(view->inner.bytes(), data, bytes);
	});
}

smartquant_status smartquant_view_codes(smartquant_view *view, uint32_t row, const void **data,
					size_t *bytes)
{
	return guarded([&] {
		require(view, data, bytes);
		give(view->inner.codes(row), data, bytes);
	});
}

smartquant_status smartquant_view_micro(smartquant_view *view, uint32_t row, const void **data,
					size_t *bytes)
{
	return guarded([&] {
		require(view, data, bytes);
		give(view->inner.micro(row), data, bytes);
	});
}

smartquant_status smartquant_view_scales(smartquant_view *view, uint32_t row, const void **data,
					 size_t *bytes)
{
	return guarded([&] {
		require(view, data, bytes);
		give(view->inner.scales(row), data, bytes);
	});
}

smartquant_status smartquant_view_decode(smartquant_view *view, uint32_t first_row,
					 uint32_t row_count, float *values)
{
	return guarded([&] {
		require(view, values);

		const Layout &layout = view->inner.layout();

		view->inner.decode(delivered_rows(layout, first_row, row_count),
				   {values, value_count(layout, row_count)});
	});
}

smartquant_status smartquant_view_multiply(smartquant_view *view, uint32_t first_row,
					   uint32_t row_count, const float *x, float *y)
{
	return guarded([&] {
		require(view, x, y);

		const Layout &layout = view->inner.layout();

		view->inner.multiply(delivered_rows(layout, first_row, row_count),
				     {x, layout.cols}, {y, row_count});
	});
}

smartquant_status smartquant_multiplier_create(smartquant_region *region,
					       const smartquant_multiplier_request *request,
					       smartquant_multiplier **multiplier)
{
	return guarded([&] {
		const smartquant_multiplier_request none{};
		const smartquant_multiplier_request &given = request ? *request : none;

		require(region, multiplier);
		*multiplier = new smartquant_multiplier{region->inner.multiplier(
			{.format = Format(given.format),
			 .rounding = static_cast<Rounding>(given.rounding),
			 .arithmetic = static_cast<Arithmetic>(given.arithmetic),
			 .rows = rows_of(given.first_row, given.end_row)})};
	});
}

void smartquant_multiplier_release(smartquant_multiplier *multiplier)
{
	delete multiplier;
}

smartquant_status smartquant_multiplier_layout(smartquant_multiplier *multiplier,
					       smartquant_layout *layout)
{
	return guarded([&] {
		require(multiplier, layout);
		*layout = raw_layout<smartquant_layout>(multiplier->inner.layout());
	});
}

smartquant_status smartquant_multiplier_multiply(smartquant_multiplier *multiplier, const float *x,
						 float *y, uint32_t columns,
						 smartquant_fetch_result *result)
{
	return guarded([&] {
		require(multiplier, x, y);

		const Layout &layout = multiplier->inner.layout();
		const FetchResult inner = multiplier->inner.multiply(
			{x, std::size_t{columns} * layout.cols},
			{y, std::size_t{columns} * layout.rows}, columns);

		if (result)
			*result = c_result(inner);
	});
}

smartquant_status smartquant_quantize_activations(const float *x, size_t count, int8_t *codes,
						  float *scales)
{
	return guarded([&] {
		require(x, codes, scales);
		quantize_activations({x, count}, {codes, count}, {scales, (count + 31) / 32});
	});
}

smartquant_status smartquant_queue_open(smartquant_store *store, uint32_t depth,
					smartquant_queue **queue)
{
	return guarded([&] {
		QueueOptions options;

		require(store, queue);
		if (depth)
			options.depth = depth;
		*queue = new smartquant_queue{store->inner.queue(options)};
	});
}

void smartquant_queue_release(smartquant_queue *queue)
{
	delete queue;
}

smartquant_status smartquant_queue_fetch(smartquant_queue *queue, smartquant_region *region,
					 const smartquant_read_request *request, void *buffer,
					 size_t bytes, uint64_t tag)
{
	return guarded([&] {
		require(queue, region);
		queue->inner.fetch(region->inner, request_of(request),
				   memory_of<std::byte>(buffer, bytes), tag);
	});
}

smartquant_status smartquant_queue_fetch_vector(smartquant_queue *queue,
						smartquant_region *region,
						const smartquant_vector_request *request,
						void *buffer, size_t bytes, uint64_t tag)
{
	return guarded([&] {
		require(queue, region, request);
		queue->inner.fetch_vector(region->inner, argument_of(*request).request,
					  memory_of<std::byte>(buffer, bytes), tag);
	});
}

smartquant_status smartquant_queue_store(smartquant_queue *queue, smartquant_region *region,
					 const smartquant_store_request *request,
					 const void *data, size_t bytes, uint64_t tag)
{
	return guarded([&] {
		require(queue, region);
		queue->inner.store(region->inner, request_of(request),
				   memory_of<const std::byte>(data, bytes), tag);
	});
}

smartquant_status smartquant_queue_wait(smartquant_queue *queue,
					smartquant_completion *completion)
{
	return guarded([&] {
		require(queue, completion);

		const Completion inner = queue->inner.wait();

		completion->tag = inner.tag;
		completion->status = static_cast<smartquant_status>(inner.status);
		completion->fetch = c_result(inner.fetch);
		completion->store = c_result(inner.store);
		copy_text(completion->message, inner.message);
	});
}

smartquant_status smartquant_queue_in_flight(smartquant_queue *queue, uint32_t *count)
{
	return guarded([&] {
		require(queue, count);
		*count = queue->inner.in_flight();
	});
}

smartquant_status smartquant_store_verify(smartquant_store *store, smartquant_progress progress,
					  void *context, smartquant_verify_result *result)
{
	return guarded([&] {
		require(store, result);
		*result = c_result(store->inner.verify(verify_options(progress, context)));
	});
}

smartquant_status smartquant_region_verify(smartquant_region *region,
					   smartquant_progress progress, void *context,
					   smartquant_verify_result *result)
{
	return guarded([&] {
		require(region, result);
		*result = c_result(region->inner.verify(verify_options(progress, context)));
	});
}

smartquant_status smartquant_store_get_statistics(smartquant_store *store,
						  smartquant_statistics *statistics)
{
	return guarded([&] {
		require(store, statistics);
		*statistics = c_statistics(store->inner.statistics());
	});
}

smartquant_status smartquant_store_get_format_statistics(smartquant_store *store,
							 uint16_t format,
							 smartquant_statistics *statistics)
{
	return guarded([&] {
		require(store, statistics);
		*statistics = c_statistics(store->inner.statistics(Format(format)));
	});
}

smartquant_status smartquant_region_get_statistics(smartquant_region *region,
						   smartquant_statistics *statistics)
{
	return guarded([&] {
		require(region, statistics);
		*statistics = c_statistics(region->inner.statistics());
	});
}

smartquant_status smartquant_store_reset_statistics(smartquant_store *store)
{
	return guarded([&] {
		require(store);
		store->inner.reset_statistics();
	});
}

smartquant_status smartquant_store_reset_format_statistics(smartquant_store *store,
							   uint16_t format)
{
	return guarded([&] {
		require(store);
		store->inner.reset_statistics(Format(format));
	});
}

smartquant_status smartquant_region_reset_statistics(smartquant_region *region)
{
	return guarded([&] {
		require(region);
		region->inner.reset_statistics();
	});
}
