// SPDX-License-Identifier: MIT
#include "embedded_backend.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <mutex>
#include <thread>

#include <smartquant/device.h>

#include "embedded/embedded_planes.hpp"
#include "embedded/embedded_window.hpp"
#include "embedded/parallel_read.hpp"
#include "embedded/read_scratch.hpp"
#include "failure.hpp"
#include "precision_vector.hpp"
#include "request.hpp"
#include "row_parts.hpp"
#include "text.hpp"
#include "translate.hpp"

namespace smartquant {

namespace {

// Views have memory of their own here, so the space that names them is free.
constexpr std::uint64_t logical_bytes = std::uint64_t{1} << 46;
constexpr std::size_t bad_runs_max = 1000;
constexpr std::string_view scheme = "embedded:";
constexpr unsigned int threads_max = 256;
constexpr char threads_variable[] = "SMARTQUANT_THREADS";

using ReadLock = std::shared_lock<FairMutex>;

// Plane memory that so many rows of a region take, without escapes.
std::uint64_t stored_bytes(const RegionInfo &region, std::uint64_t rows)
{
	const std::uint64_t elements =
		rows * ((std::uint64_t{region.cols} + SQC_GROUP_ELEMENTS - 1) /
			SQC_GROUP_ELEMENTS * SQC_GROUP_ELEMENTS);
	const auto dtype = static_cast<std::uint8_t>(region.dtype);

	if (region.placement != Placement::Aligned)
		return elements * sqc_dtype_bytes(dtype);
	return elements / 8 * (1 + sqc_dtype_planes(dtype)) + elements / SQC_GROUP_ELEMENTS;
}

// The number that a text is, or 0.
unsigned int parse_threads(std::string_view text)
{
	unsigned int threads = 0;
	const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), threads);

	return error == std::errc() && end == text.data() + text.size() ? threads : 0;
}

// Threads at one read: as the options, the environment or the CPUs say.
unsigned int threads_of(const OpenOptions &options, const std::string &subject)
{
	const char *variable = options.threads ? nullptr : std::getenv(threads_variable);
	const unsigned int threads = variable ? parse_threads(variable) : options.threads;

	if (!variable && !threads)
		return std::clamp(std::thread::hardware_concurrency(), 1u, threads_max);
	if (threads >= 1 && threads <= threads_max)
		return threads;
	fail(Status::InvalidInput, subject,
	     concat(variable ? concat(threads_variable, "=", in_quotes(variable))
			     : concat("threads ", threads),
		    " is no number from 1 to ", threads_max));
}

} // namespace

std::shared_ptr<Backend> open_embedded_memory(const OpenOptions &options)
{
	return std::make_shared<EmbeddedBackend>(std::string(scheme), std::nullopt, options);
}

std::shared_ptr<Backend> open_embedded_file(std::string_view path, const OpenOptions &options)
{
	return std::make_shared<EmbeddedBackend>(concat(scheme, path), path, options);
}

EmbeddedBackend::EmbeddedBackend(std::string uri, std::optional<std::string_view> path,
				 const OpenOptions &options)
	: Backend(std::move(uri)), memory_(path, store_subject(this->uri()), options),
	  workers_(threads_of(options, store_subject(this->uri())))
{
	open();
}

EmbeddedBackend::WriteLock EmbeddedBackend::change()
{
	WriteLock lock(lock_);

	memory_.forget_error();
	return lock;
}

std::string EmbeddedBackend::subject() const
{
	return store_subject(uri());
}

void EmbeddedBackend::open()
{
	sqc_store *store = nullptr;
	const char *reason = nullptr;
	const sqc_status status =
		sqc_open(&store, memory_.bytes().data(), memory_.bytes().size(),
			 &memory_.environment(), memory_.read_only() ? SQC_OPEN_READ_ONLY : 0,
			 logical_bytes, &reason);

	if (status == SQ_STATUS_SUCCESS) {
		struct sqc_store_info info;

		store_.reset(store);
		sqc_store_describe(store, &info);
		memory_.reserve_front(memory_.bytes().size() - info.capacity_bytes, subject());
		return;
	}
	fail(static_cast<Status>(status), subject(),
	     concat(describe(static_cast<Status>(status)), reason ? " (" : "",
		    reason ? reason : "", reason ? ")" : "", "; the file was left as it is"));
}

void EmbeddedBackend::check(sqc_status status, std::string_view subject) const
{
	if (status == SQ_STATUS_SUCCESS)
		return;
	if (status == SQ_STATUS_SYNC_FAILED && memory_.last_error())
		fail(Status::SyncFailed, subject,
		     concat("could not be made durable: ", system_text(memory_.last_error())));
	if (status == SQ_STATUS_STORE_FULL)
		fail_full(subject, 0);
	fail(static_cast<Status>(status), subject);
}

void EmbeddedBackend::fail_full(std::string_view subject, std::uint64_t needed_bytes) const
{
	struct sqc_store_info info;

	if (memory_.last_error())
		fail(Status::StoreFull, subject,
		     concat("store ", in_quotes(uri()), " gets no space from its disk: ",
			    system_text(memory_.last_error())));
	sqc_store_describe(store_.get(), &info);
	fail(Status::StoreFull, subject,
	     concat("store ", in_quotes(uri()), " is full",
		    needed_bytes ? concat(": about ", size_text(needed_bytes), " are needed") : "",
		    ", ", size_text(info.capacity_bytes - info.used_bytes), " of ",
		    size_text(info.capacity_bytes),
		    " are free; remove regions, or make a larger store (--size)"));
}

RegionInfo EmbeddedBackend::known_region(std::uint32_t handle, std::string_view subject) const
{
	struct sqc_region_info info;

	check(sqc_region_describe(store_.get(), handle, &info), subject);
	return public_region(info);
}

StoreInfo EmbeddedBackend::info()
{
	const ReadLock lock(lock_);
	struct sqc_store_info info;
	StoreInfo out{
		.uri = uri(),
		.embedded = true,
		.read_only = memory_.read_only(),
		.interface_version = concat(SQ_INTERFACE_MAJOR, ".", SQ_INTERFACE_MINOR),
		.firmware = concat("libsmartquant ", SMARTQUANT_VERSION),
	};

	sqc_store_describe(store_.get(), &info);
	out.capacity_bytes = info.capacity_bytes;
	out.used_bytes = info.used_bytes;
	out.logical_bytes = info.logical_bytes;
	out.regions = info.regions;
	out.regions_max = info.regions_max;
	out.views = info.views;
	out.views_max = info.views_max;
	for (unsigned int index = 0; const std::uint16_t code = sqc_format_at(index); ++index)
		out.formats.emplace_back(code);
	for (std::uint16_t code, index = 0; sqc_encoding_at(index, &code); ++index)
		out.encodings.emplace_back(code);
	return out;
}

std::vector<RegionInfo> EmbeddedBackend::regions()
{
	const ReadLock lock(lock_);
	std::vector<RegionInfo> regions;

	for (std::uint32_t handle = 0;;) {
		sqc_region_next(store_.get(), handle, &handle);
		if (!handle)
			return regions;
		regions.push_back(known_region(handle, subject()));
	}
}

RegionInfo EmbeddedBackend::create_region(const RegionSpec &spec)
{
	const sqc_region_spec inner{
		.name = spec.name.data(),
		.name_bytes = static_cast<std::uint32_t>(spec.name.size()),
		.dtype = static_cast<std::uint8_t>(spec.dtype),
		.placement = static_cast<std::uint8_t>(spec.placement),
		.rows = spec.rows,
		.cols = spec.cols,
	};
	const WriteLock lock = change();
	std::uint32_t handle;

	if (const sqc_status status = sqc_region_create(store_.get(), &inner, &handle))
		fail_create(status, spec);
	return known_region(handle, region_subject(spec.name));
}

std::optional<RegionInfo> EmbeddedBackend::find_region(std::string_view name)
{
	const ReadLock lock(lock_);
	std::uint32_t handle;

	if (sqc_region_find(store_.get(), name.data(), static_cast<std::uint32_t>(name.size()),
			    &handle))
		return std::nullopt;
	return known_region(handle, region_subject(name));
}

RegionInfo EmbeddedBackend::region_info(const RegionInfo &region)
{
	const ReadLock lock(lock_);

	return known_region(region.handle, region_subject(region.name));
}

void EmbeddedBackend::remove(const RegionInfo &region)
{
	const WriteLock lock = change();

	check(sqc_region_delete(store_.get(), region.handle), region_subject(region.name));
}

void EmbeddedBackend::seal(const RegionInfo &region)
{
	const WriteLock lock = change();

	check(sqc_region_seal(store_.get(), region.handle), region_subject(region.name));
}

void EmbeddedBackend::pack(const RegionInfo &region)
{
	const WriteLock lock = change();
	const sqc_status status = sqc_region_pack(store_.get(), region.handle, nullptr);

	if (status == SQ_STATUS_UNSUPPORTED)
		fail_pack(region);
	check(status, region_subject(region.name));
}

void EmbeddedBackend::set_precision(const RegionInfo &region, Format format)
{
	const WriteLock lock = change();
	const sqc_status status =
		sqc_region_set_precision(store_.get(), region.handle, format.code());

	if (status == SQ_STATUS_FORMAT)
		fail_precision(region, format);
	check(status, region_subject(region.name));
}

void EmbeddedBackend::flush(const RegionInfo &region)
{
	const WriteLock lock = change();

	check(sqc_flush(store_.get(), region.handle), region_subject(region.name));
}

void EmbeddedBackend::flush_all()
{
	const WriteLock lock = change();

	check(sqc_flush(store_.get(), 0), subject());
}

void EmbeddedBackend::sanitize()
{
	const WriteLock lock = change();

	check(sqc_sanitize(store_.get()), subject());
}

std::uint64_t EmbeddedBackend::store_bytes(const RegionInfo &region,
					   const sqc_write_request &request)
{
	const ReadLock lock(lock_);
	std::uint64_t bytes;

	if (const sqc_status status = sqc_write_bytes(store_.get(), &request, &bytes))
		fail_store(status, region, request, nullptr);
	return bytes;
}

StoreResult EmbeddedBackend::store(const RegionInfo &region, const sqc_write_request &request,
				   std::span<const float> importance,
				   std::span<const std::byte> data)
{
	const WriteLock lock = change();
	sqc_result result{};
	const sqc_status status =
		sqc_write_weighted(store_.get(), &request,
				   importance.empty() ? nullptr : importance.data(), data.data(),
				   data.size(), &result);

	if (status == SQ_STATUS_STORE_FULL)
		fail_full(region_subject(region.name), stored_bytes(region, request.row_count));
	if (status)
		fail_store(status, region, request, &result);
	refresh_windows(region.handle);
	return public_store(result);
}

sqc_layout EmbeddedBackend::layout(const RegionInfo &region, const sqc_read_request &request)
{
	const ReadLock lock(lock_);
	sqc_layout layout;

	if (const sqc_status status = sqc_read_layout(store_.get(), &request, &layout))
		fail_read(status, region, request, nullptr);
	return layout;
}

FetchResult EmbeddedBackend::read(const RegionInfo &region, const sqc_read_request &request,
				  std::span<std::byte> buffer)
{
	sqc_layout layout;
	sqc_result result{};
	sqc_status status = sqc_read_layout(store_.get(), &request, &layout);

	if (status == SQ_STATUS_SUCCESS)
		status = parallel_read(store_.get(), request, layout, buffer, workers_, result);
	if (status)
		fail_read(status, region, request, &result);
	return public_fetch(result);
}

FetchResult EmbeddedBackend::fetch(const RegionInfo &region, const sqc_read_request &request,
				   const sqc_layout &, std::span<std::byte> buffer)
{
	const ReadLock lock(lock_);

	return read(region, request, buffer);
}

FetchTrace EmbeddedBackend::trace(const RegionInfo &region, const sqc_read_request &request)
{
	const ReadLock lock(lock_);
	sqc_layout layout;
	sqc_result result{};
	std::uint64_t count = 0, runs_max = 0;

	sqc_trace_runs_max(store_.get(), &request, &runs_max);
	if (const sqc_status status = sqc_read_layout(store_.get(), &request, &layout))
		fail_read(status, region, request, nullptr);

	std::vector<std::byte> bytes(layout.bytes);
	std::vector<sqc_dram_run> runs(runs_max);

	if (const sqc_status status = sqc_read_traced(
		    store_.get(), &request, bytes.data(), bytes.size(),
		    read_scratch(sqc_read_scratch_bytes(&layout)), runs.data(), runs_max,
		    &count, &result))
		fail_read(status, region, request, &result);
	return {public_fetch(result), public_runs(std::span(runs).first(count))};
}

FetchResult EmbeddedBackend::fetch_vector(const RegionInfo &region, const VectorPlan &plan,
					  std::span<std::byte> buffer)
{
	const sqc_precision_vector vector = plan.vector();
	const ReadLock lock(lock_);
	sqc_vector_layout layout;
	sqc_result result{};
	sqc_status status =
		sqc_vector_describe(store_.get(), &plan.request, &vector, &layout, nullptr);

	if (status == SQ_STATUS_SUCCESS)
		status = sqc_read_vector(store_.get(), &plan.request, &vector, buffer.data(),
					 buffer.size(), read_scratch(layout.scratch_bytes), &result);
	if (status)
		fail_read(status, region, plan.request, &result);
	return public_fetch(result);
}

template <typename Holder>
std::unique_ptr<Holder> EmbeddedBackend::map_view(const RegionInfo &region,
						  const sqc_read_request &request)
{
	struct sqc_view_info view;

	if (const sqc_status status = sqc_view_map(store_.get(), &request, &view))
		fail_read(status, region, request, nullptr);
	try {
		return std::make_unique<Holder>(shared_from_this(), region, view);
	} catch (...) {
		sqc_view_unmap(store_.get(), view.view);
		throw;
	}
}

std::unique_ptr<View::Window> EmbeddedBackend::map(const RegionInfo &region,
						   const sqc_read_request &request)
{
	std::unique_ptr<EmbeddedWindow> window;
	{
		const WriteLock lock(lock_);

		windows_.reserve(windows_.size() + 1);
		window = map_view<EmbeddedWindow>(region, request);
		windows_.push_back(window.get());
	}

	// A store that comes first reads the window too; this read is not older.
	const ReadLock lock(lock_);

	read(region, window->view.request, window->memory());
	return window;
}

void EmbeddedBackend::unmap(EmbeddedWindow &window) noexcept
{
	const WriteLock lock(lock_);

	std::erase(windows_, &window);
	sqc_view_unmap(store_.get(), window.view.view);
}

// A window that cannot be read any more is marked, so that nobody takes its
// bytes for the region's.
void EmbeddedBackend::refresh_windows(std::uint32_t handle) noexcept
{
	for (EmbeddedWindow *window : windows_) {
		if (window->region.handle != handle)
			continue;
		try {
			read(window->region, window->view.request, window->memory());
			window->set_damaged(false);
		} catch (...) {
			window->set_damaged(true);
		}
	}
}

std::unique_ptr<Multiplier::Planes> EmbeddedBackend::planes(const RegionInfo &region,
							    const sqc_read_request &request)
{
	std::unique_ptr<EmbeddedPlanes> planes;
	{
		const WriteLock lock(lock_);

		planes = map_view<EmbeddedPlanes>(region, request);
	}

	const ReadLock lock(lock_);

	if (sqc_multiplier_begin(&planes->multiplier(), store_.get(), &planes->view.request))
		fail_multiplier(known_region(region.handle, region_subject(region.name)),
				planes->view.request);
	check_planes(*planes);
	return planes;
}

void EmbeddedBackend::unmap(const struct sqc_view_info &view) noexcept
{
	const WriteLock lock(lock_);

	sqc_view_unmap(store_.get(), view.view);
}

// A region that was stored to is checked again before it is believed.
void EmbeddedBackend::check_planes(const EmbeddedPlanes &planes)
{
	const std::lock_guard checking(planes.checking());
	sqc_result result;

	if (sqc_multiplier_is_current(&planes.multiplier()))
		return;

	const sqc_status status = sqc_multiplier_check(&planes.multiplier(), &result);

	if (status == SQ_STATUS_UNSUPPORTED)
		fail_multiplier(known_region(planes.region.handle,
					     region_subject(planes.region.name)),
				planes.view.request);
	if (status)
		fail_read(status, planes.region, planes.view.request, &result);
}

FetchResult EmbeddedBackend::multiply(const EmbeddedPlanes &planes, const sqc_activations &x,
				      std::span<float> y)
{
	const ReadLock lock(lock_);
	RowParts parts(planes.view.request.first_row, planes.layout.rows,
		       planes.multiplier().source.stride, workers_.threads());
	std::atomic<std::uint64_t> lines = 0;
	sqc_result result;

	check_planes(planes);
	workers_.run(parts.shares(), [&](std::size_t share) {
		while (const auto part = parts.take(share))
			lines += sqc_multiplier_part(&planes.multiplier(), &x, part->first,
						     part->count, y.data() + part->first,
						     planes.layout.rows);
		return true;
	});
	sqc_multiplier_count(&planes.multiplier(), lines, &result);
	return public_fetch(result);
}

bool EmbeddedBackend::verify_segments(const RegionInfo &region, VerifyResult &result,
				      const std::function<bool()> &segment_done)
{
	sqc_bad_run bad[SQC_RUNS_MAX];

	for (std::uint32_t segment = 0; segment < region.segments; ++segment) {
		std::uint64_t runs = 0;
		std::uint32_t bad_count = 0;
		{
			const ReadLock lock(lock_);

			check(sqc_verify_segment(store_.get(), region.handle, segment, &runs, bad,
						 &bad_count),
			      region_subject(region.name));
		}
		result.runs_checked += runs;
		result.runs_bad += bad_count;
		for (const sqc_bad_run &run : std::span(bad, bad_count))
			if (result.bad.size() < bad_runs_max)
				result.bad.push_back(public_bad_run(region, segment, run.run));
		if (!segment_done())
			return false;
	}
	return true;
}

VerifyResult EmbeddedBackend::verify(const RegionInfo &region, const VerifyOptions &options)
{
	const RegionInfo current = region_info(region);
	VerifyResult result;
	std::uint64_t done = 0;

	result.complete = verify_segments(current, result, [&] {
		++done;
		return !options.progress ||
		       options.progress(static_cast<double>(done) / current.segments);
	});
	return result;
}

VerifyResult EmbeddedBackend::verify_all(const VerifyOptions &options)
{
	const std::vector<RegionInfo> all = regions();
	VerifyResult result;
	std::uint64_t total = 0, done = 0;

	for (const RegionInfo &region : all)
		total += region.segments;
	const auto segment_done = [&] {
		++done;
		return !options.progress ||
		       options.progress(static_cast<double>(done) / static_cast<double>(total));
	};
	for (const RegionInfo &region : all) {
		try {
			result.complete = verify_segments(region, result, segment_done);
		} catch (const Error &error) {
			// Removed in the meantime: nothing left to verify.
			if (error.status() != Status::InvalidHandle)
				throw;
		}
		if (!result.complete)
			break;
	}
	return result;
}

Statistics EmbeddedBackend::statistics(std::uint32_t scope, std::uint32_t key,
				       std::string_view subject)
{
	const ReadLock lock(lock_);
	sqc_statistics statistics;

	check(sqc_statistics_get(store_.get(), scope, key, &statistics), subject);
	return public_statistics(statistics);
}

void EmbeddedBackend::reset_statistics(std::uint32_t scope, std::uint32_t key,
				       std::string_view subject)
{
	const ReadLock lock(lock_);

	check(sqc_statistics_reset(store_.get(), scope, key), subject);
}

unsigned int EmbeddedBackend::queue_threads(unsigned int depth) const
{
	return std::clamp(std::thread::hardware_concurrency(), 1u, depth);
}

} // namespace smartquant
