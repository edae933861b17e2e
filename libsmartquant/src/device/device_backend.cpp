// SPDX-License-Identifier: MIT
#include "device_backend.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <future>
#include <numeric>
#include <thread>

#include "device/device_window.hpp"
#include "device/from_uapi.hpp"
#include "device/to_uapi.hpp"
#include "failure.hpp"
#include "fetched_planes.hpp"
#include "pieces.hpp"
#include "precision_vector.hpp"
#include "request.hpp"
#include "text.hpp"
#include "translate.hpp"

namespace smartquant {

namespace {

constexpr std::uint32_t handles_per_page = 512;
constexpr std::uint32_t bad_runs_max = 1000;
constexpr unsigned int queue_threads_max = 16;
constexpr auto progress_interval = std::chrono::milliseconds(100);

void add(sqc_result &sum, const sqc_result &part)
{
	sum.format = part.format;
	sum.rounding = part.rounding;
	sum.bytes += part.bytes;
	sum.elements += part.elements;
	sum.plane_lines += part.plane_lines;
	sum.check_lines += part.check_lines;
	sum.baseline_lines += part.baseline_lines;
	sum.dram_time_ns += part.dram_time_ns;
	sum.dram_energy_pj += part.dram_energy_pj;
	sum.link_time_ns += part.link_time_ns;
	sum.rounded_elements += part.rounded_elements;
	sum.max_rounding_error = std::max(sum.max_rounding_error, part.max_rounding_error);
}

// Rows after which a segment begins anew. Pieces of so many rows read no line
// and no checksum twice.
std::uint64_t rows_of_whole_segments(std::uint32_t cols)
{
	const std::uint64_t stride = (std::uint64_t{cols} + SQC_GROUP_ELEMENTS - 1) /
				     SQC_GROUP_ELEMENTS * SQC_GROUP_ELEMENTS;

	return SQC_SEGMENT_ELEMENTS / std::gcd(stride, std::uint64_t{SQC_SEGMENT_ELEMENTS});
}

[[noreturn]] void fail_wide_row(const RegionInfo &region, std::uint32_t bytes_max)
{
	fail(Status::Unsupported, region_subject(region.name),
	     concat("a row of ", region.cols, " columns is more than the card transfers at once (",
		    size_text(bytes_max), "); store it as more and shorter rows"));
}

} // namespace

std::shared_ptr<Backend> open_device(std::string_view path, const OpenOptions &options)
{
	return std::make_shared<DeviceBackend>(std::string(path), options);
}

DeviceBackend::DeviceBackend(std::string path, const OpenOptions &options)
	: Backend(path), card_(std::move(path), options.read_only), limits_{},
	  workers_(std::max(1u, std::thread::hardware_concurrency()))
{
	if (options.size_bytes)
		fail(Status::InvalidInput, card_.subject(),
		     "a card has the size it has; leave the size out");
	check(card_.call(SQ_IOC_INFO, limits_), card_.subject());
	from_info(limits_, card_.subject());
}

StoreInfo DeviceBackend::info()
{
	sq_ioc_info answer{};

	check(card_.call(SQ_IOC_INFO, answer), card_.subject());

	StoreInfo info = from_info(answer, card_.subject());

	info.uri = uri();
	info.read_only = card_.read_only();
	for (const RegionInfo &region : regions())
		info.views += region.views;
	return info;
}

// Pages are as long as the device makes them; each must bring something new.
std::vector<std::uint32_t> DeviceBackend::handles() const
{
	std::vector<std::uint32_t> all;
	std::array<std::uint32_t, handles_per_page> page{};
	sq_ioc_region_list list{};

	list.max = page.size();
	list.handles = reinterpret_cast<std::uintptr_t>(page.data());
	do {
		check(card_.call(SQ_IOC_REGION_LIST, list), card_.subject());
		if (list.count > page.size() || (list.more && list.count == 0) ||
		    all.size() + list.count > limits_.regions_max)
			fail(Status::InternalError, card_.subject(),
			     concat("the driver answered with an impossible list of ", list.count,
				    " regions"));
		all.insert(all.end(), page.begin(), page.begin() + list.count);
		if (!all.empty())
			list.after = all.back();
	} while (list.more);
	return all;
}

RegionInfo DeviceBackend::region_of(std::uint32_t handle, std::string_view subject) const
{
	sq_ioc_region region{};

	region.handle = handle;
	check(card_.call(SQ_IOC_REGION_GET, region), subject);
	return from_region(region, subject);
}

std::vector<RegionInfo> DeviceBackend::regions()
{
	std::vector<RegionInfo> regions;

	for (const std::uint32_t handle : handles()) {
		try {
			regions.push_back(region_of(handle, card_.subject()));
		} catch (const Error &error) {
			// Removed since the list was made.
			if (error.status() != Status::InvalidHandle)
				throw;
		}
	}
	return regions;
}

RegionInfo DeviceBackend::create_region(const RegionSpec &spec)
{
	sq_ioc_region_create create = to_create(spec);
	const Verdict verdict = card_.call(SQ_IOC_REGION_CREATE, create);

	if (!verdict && verdict.error == 0)
		fail_create(static_cast<sqc_status>(verdict.status), spec);
	check(verdict, region_subject(spec.name));
	return region_of(create.handle, region_subject(spec.name));
}

std::optional<RegionInfo> DeviceBackend::find_region(std::string_view name)
{
	sq_ioc_region region = to_find(name);
	const Verdict verdict = card_.call(SQ_IOC_REGION_FIND, region);

	if (verdict.status == Status::NotFound || verdict.status == Status::Name)
		return std::nullopt;
	check(verdict, region_subject(name));
	return from_region(region, region_subject(name));
}

RegionInfo DeviceBackend::region_info(const RegionInfo &region)
{
	return region_of(region.handle, region_subject(region.name));
}

void DeviceBackend::simple(unsigned long number, std::uint32_t handle,
			   const std::string &subject) const
{
	sq_ioc_handle argument = to_handle(handle);

	check(card_.call(number, argument), subject);
}

void DeviceBackend::remove(const RegionInfo &region)
{
	simple(SQ_IOC_REGION_DELETE, region.handle, region_subject(region.name));
}

void DeviceBackend::seal(const RegionInfo &region)
{
	simple(SQ_IOC_REGION_SEAL, region.handle, region_subject(region.name));
}

void DeviceBackend::pack(const RegionInfo &region)
{
	sq_ioc_handle argument = to_handle(region.handle);
	const Verdict verdict = card_.call(SQ_IOC_REGION_PACK, argument);

	// A card without the command says the same of any region.
	if (verdict.status == Status::Unsupported && region.placement != Placement::Aligned)
		fail_pack(region);
	check(verdict, region_subject(region.name));
}

void DeviceBackend::flush(const RegionInfo &region)
{
	simple(SQ_IOC_FLUSH, region.handle, region_subject(region.name));
}

void DeviceBackend::flush_all()
{
	simple(SQ_IOC_FLUSH, 0, card_.subject());
}

void DeviceBackend::set_precision(const RegionInfo &region, Format format)
{
	sq_ioc_region_precision precision{};

	precision.handle = region.handle;
	precision.format = format.code();

	const Verdict verdict = card_.call(SQ_IOC_REGION_SET_PRECISION, precision);

	if (verdict.status == Status::Format)
		fail_precision(region, format);
	check(verdict, region_subject(region.name));
}

void DeviceBackend::sanitize()
{
	sq_ioc_sanitize sanitize{};

	sanitize.flags = SQ_SANITIZE_ALL;
	check(card_.call(SQ_IOC_SANITIZE, sanitize), card_.subject());
}

// What a region does not take, the card refuses when it comes.
std::uint64_t DeviceBackend::store_bytes(const RegionInfo &region,
					 const sqc_write_request &request)
{
	std::uint32_t elements = 1;
	std::uint32_t bytes = word_bytes(region.dtype);

	if (request.encoding != SQ_ENCODING_DTYPE &&
	    !sqc_encoding_block(request.encoding, &elements, &bytes))
		fail_store(SQ_STATUS_UNSUPPORTED, region, request, nullptr);
	if (region.cols % elements)
		fail_store(SQ_STATUS_INVALID_INPUT, region, request, nullptr);
	return std::uint64_t{region.cols / elements} * bytes * request.row_count;
}

sqc_result DeviceBackend::submit_store(const RegionInfo &region, const sqc_write_request &request,
				       std::span<const std::byte> data) const
{
	const sq_buffer buffer = to_buffer(data);
	sq_ioc_submit submit = to_store(request, std::span(&buffer, 1));
	const Verdict verdict = card_.call(SQ_IOC_SUBMIT, submit);
	const sqc_result result = from_result(submit.result);

	if (!verdict && verdict.error == 0)
		fail_store(static_cast<sqc_status>(verdict.status), region, request, &result);
	check(verdict, region_subject(region.name));
	return result;
}

StoreResult DeviceBackend::store(const RegionInfo &region, const sqc_write_request &request,
				 std::span<const float> importance,
				 std::span<const std::byte> data)
{
	if (!importance.empty())
		fail(Status::Unsupported, region_subject(region.name),
		     "a card takes no importance of columns; make the codebook in an embedded "
		     "store, whose file can be the card's plane memory");

	const std::uint64_t row_bytes = data.size() / request.row_count;
	const std::uint64_t piece_rows = limits_.transfer_bytes_max / row_bytes;
	sqc_result sum{};

	if (piece_rows == 0)
		fail_wide_row(region, limits_.transfer_bytes_max);
	for (std::uint64_t done = 0; done < request.row_count; done += piece_rows) {
		sqc_write_request piece = request;

		piece.first_row += static_cast<std::uint32_t>(done);
		piece.row_count = static_cast<std::uint32_t>(
			std::min(piece_rows, request.row_count - done));
		add(sum, submit_store(region, piece,
				      data.subspan(done * row_bytes, piece.row_count * row_bytes)));
	}
	return public_store(sum);
}

sqc_layout DeviceBackend::layout(const RegionInfo &region, const sqc_read_request &request)
{
	sqc_read_request resolved = request;
	sqc_layout layout;

	if (request.format == SQ_FORMAT_TAG)
		resolved.format = region_info(region).precision.code();
	if (const sqc_status status = sqc_layout_of(
		    static_cast<std::uint8_t>(region.dtype),
		    static_cast<std::uint8_t>(region.placement), region.rows, region.cols,
		    &resolved, &layout))
		fail_read(status, region, resolved, nullptr);
	return layout;
}

// Every row adds the same number of bytes to a piece, so the estimate is the
// answer, but for axis col, where a piece's rows are rounded to bytes; whole
// units of 32 rows are bytes already.
std::uint32_t DeviceBackend::rows_of_piece(const RegionInfo &region,
					   const sqc_read_request &request,
					   const sqc_layout &layout) const
{
	const std::uint64_t unit = request.axis == SQ_AXIS_COL ? piece_row_unit : 1;
	const std::uint64_t segments = std::lcm(rows_of_whole_segments(region.cols), unit);
	const auto fitting = static_cast<std::uint64_t>(
		static_cast<long double>(limits_.transfer_bytes_max) / layout.bytes *
		request.row_count);
	const std::uint64_t rows = fitting - fitting % (fitting >= segments ? segments : unit);

	return static_cast<std::uint32_t>(
		std::min<std::uint64_t>(std::max(rows, unit), request.row_count));
}

sqc_result DeviceBackend::submit_read(const RegionInfo &region, const sqc_read_request &request,
				      sq_ioc_submit &submit, std::uint64_t bytes) const
{
	const Verdict verdict = card_.call(SQ_IOC_SUBMIT, submit);
	const sqc_result result = from_result(submit.result);

	if (!verdict && verdict.error == 0)
		fail_read(static_cast<sqc_status>(verdict.status), region, request, &result);
	check(verdict, region_subject(region.name));
	if (result.bytes != bytes)
		fail(Status::InternalError, region_subject(region.name),
		     concat("the card delivered ", result.bytes, " bytes of ", bytes));
	return result;
}

sqc_result DeviceBackend::submit_fetch(const RegionInfo &region, const sqc_read_request &request,
				       std::uint64_t bytes,
				       std::span<const sq_buffer> buffers) const
{
	sq_ioc_submit submit = to_fetch(request, buffers);

	return submit_read(region, request, submit, bytes);
}

sqc_result DeviceBackend::fetch_piece(const RegionInfo &region, const sqc_read_request &request,
				      const sqc_layout &piece, const sqc_layout &whole,
				      std::uint32_t first_row,
				      std::span<std::byte> buffer) const
{
	const std::vector<PiecePlace> places = piece_places(whole, piece, first_row);
	std::vector<sq_buffer> buffers;

	if (is_contiguous(places) && places.size() <= limits_.buffers_max) {
		for (const PiecePlace &place : places)
			buffers.push_back(to_buffer(
				buffer.subspan(place.whole_offset, place.piece_row_bytes)));
		return submit_fetch(region, request, piece.bytes, buffers);
	}

	std::vector<std::byte> bytes(piece.bytes);

	buffers.push_back(to_buffer(bytes));

	const sqc_result result = submit_fetch(region, request, piece.bytes, buffers);

	copy_piece(places, buffer, bytes);
	return result;
}

sqc_result DeviceBackend::fetch_all(const RegionInfo &region, const sqc_read_request &request,
				    const sqc_layout &whole, std::span<std::byte> buffer)
{
	if (whole.bytes <= limits_.transfer_bytes_max) {
		const sq_buffer all = to_buffer(buffer);

		return submit_fetch(region, request, whole.bytes, std::span(&all, 1));
	}

	const std::uint32_t piece_rows = rows_of_piece(region, request, whole);
	sqc_result sum{};

	for (std::uint64_t done = 0; done < request.row_count; done += piece_rows) {
		const auto first = static_cast<std::uint32_t>(done);
		const sqc_read_request part = piece_request(
			request, first, std::min(piece_rows, request.row_count - first));
		const sqc_layout piece = layout(region, part);

		if (piece.bytes > limits_.transfer_bytes_max)
			fail_wide_row(region, limits_.transfer_bytes_max);
		add(sum, fetch_piece(region, part, piece, whole, first, buffer));
	}
	return sum;
}

FetchResult DeviceBackend::fetch(const RegionInfo &region, const sqc_read_request &request,
				 const sqc_layout &layout, std::span<std::byte> buffer)
{
	return public_fetch(fetch_all(region, request, layout, buffer));
}

// As many parts from `first` on as one transfer takes, at least one.
std::size_t DeviceBackend::parts_of_transfer(const VectorPlan &plan, std::size_t first) const
{
	const auto &offsets = plan.layout.offsets;
	const auto limit = std::upper_bound(offsets.begin() + static_cast<std::ptrdiff_t>(first) + 1,
					    offsets.end(),
					    offsets[first] + limits_.transfer_bytes_max);
	const auto fitting = static_cast<std::size_t>(limit - offsets.begin()) - 1;
	const std::size_t listed = first + std::max<std::size_t>(limits_.formats_max, 1);

	return std::max(std::min(fitting, listed), first + 1);
}

sqc_result DeviceBackend::submit_vector(const RegionInfo &region, const VectorPlan &plan,
					std::size_t first, std::size_t end,
					std::span<std::byte> buffer) const
{
	const sq_buffer all = to_buffer(buffer);
	sq_ioc_submit submit = to_fetch(plan.request_of(first, end), std::span(&all, 1));

	set_formats(submit, std::span(plan.formats).subspan(first, end - first),
		    plan.rows_per_format);
	return submit_read(region, plan.request, submit, buffer.size());
}

// Parts follow each other, so what one transfer does not take goes in several,
// each straight to its place; a part that is too long by itself goes in pieces.
FetchResult DeviceBackend::fetch_vector(const RegionInfo &region, const VectorPlan &plan,
					std::span<std::byte> buffer)
{
	const auto &offsets = plan.layout.offsets;
	sqc_result sum{};

	for (std::size_t first = 0, end; first < plan.formats.size(); first = end) {
		end = parts_of_transfer(plan, first);

		const std::span<std::byte> some =
			buffer.subspan(offsets[first], offsets[end] - offsets[first]);

		if (some.size() <= limits_.transfer_bytes_max) {
			add(sum, submit_vector(region, plan, first, end, some));
			continue;
		}

		sqc_read_request part = plan.request_of(first, end);

		part.format = plan.formats[first];
		add(sum, fetch_all(region, part, layout(region, part), some));
	}
	sum.format = SQ_FORMAT_TAG;
	sum.rounding = plan.request.rounding;
	return public_fetch(sum);
}

FetchTrace DeviceBackend::trace(const RegionInfo &region, const sqc_read_request &)
{
	fail(Status::Unsupported, region_subject(region.name),
	     "a card does not tell which lines a fetch reads; trace the same region in a store file "
	     "(embedded:PATH)");
}

std::unique_ptr<Multiplier::Planes> DeviceBackend::planes(const RegionInfo &region,
							  const sqc_read_request &request)
{
	return std::make_unique<FetchedPlanes>(shared_from_this(), workers_, region, request,
					       layout(region, request));
}

std::unique_ptr<View::Window> DeviceBackend::map(const RegionInfo &region,
						 const sqc_read_request &request)
{
	const std::string subject = region_subject(region.name);
	sq_ioc_view view = to_view(request);
	const Verdict verdict = card_.call(SQ_IOC_VIEW_MAP, view);
	sqc_read_request granted = request;

	if (!verdict && verdict.error == 0)
		fail_read(static_cast<sqc_status>(verdict.status), region, request, nullptr);
	check(verdict, subject);
	granted.format = view.format;

	auto mapped = std::make_unique<MappedView>(shared_from_this(), view.view);
	sqc_layout view_layout = layout(region, granted);

	check_view(view, view_layout, subject);
	view_layout.rounding = view.rounding;
	mapped->map(view, subject);
	return std::make_unique<DeviceWindow>(std::move(mapped), view_layout);
}

VerifyResult DeviceBackend::verify_handle(std::uint32_t handle, const std::string &subject,
					  const VerifyOptions &options) const
{
	std::vector<sq_ioc_bad_run> bad(bad_runs_max);
	sq_ioc_verify argument{};

	argument.handle = handle;
	argument.bad = reinterpret_cast<std::uintptr_t>(bad.data());
	argument.bad_max = bad_runs_max;

	auto verdict = std::async(std::launch::async, [&] {
		return card_.call(SQ_IOC_VERIFY, argument);
	});

	while (options.progress &&
	       verdict.wait_for(progress_interval) != std::future_status::ready) {
		sq_ioc_background background{};

		if (card_.call(SQ_IOC_BACKGROUND, background) && background.running)
			options.progress(std::min(background.percent, 100u) / 100.0);
	}
	check(verdict.get(), subject);
	if (argument.bad_count > bad_runs_max)
		fail(Status::InternalError, subject,
		     concat("the driver answered with ", argument.bad_count,
			    " bad runs in an array of ", bad_runs_max));

	VerifyResult result{.runs_checked = argument.runs_checked,
			    .runs_bad = argument.runs_bad};

	for (const sq_ioc_bad_run &run : std::span(bad).first(argument.bad_count))
		result.bad.push_back(public_bad_run(region_of(run.handle, subject), run.segment,
						    static_cast<std::uint16_t>(run.run)));
	if (options.progress)
		options.progress(1.0);
	return result;
}

VerifyResult DeviceBackend::verify(const RegionInfo &region, const VerifyOptions &options)
{
	return verify_handle(region.handle, region_subject(region.name), options);
}

VerifyResult DeviceBackend::verify_all(const VerifyOptions &options)
{
	return verify_handle(0, card_.subject(), options);
}

Statistics DeviceBackend::statistics(std::uint32_t scope, std::uint32_t key,
				     std::string_view subject)
{
	sq_ioc_statistics statistics{};

	statistics.scope = scope;
	statistics.key = key;
	check(card_.call(SQ_IOC_STATISTICS_GET, statistics), subject);
	return public_statistics(statistics);
}

void DeviceBackend::reset_statistics(std::uint32_t scope, std::uint32_t key,
				     std::string_view subject)
{
	sq_ioc_statistics statistics{};

	statistics.scope = scope;
	statistics.key = key;
	check(card_.call(SQ_IOC_STATISTICS_RESET, statistics), subject);
}

unsigned int DeviceBackend::queue_threads(unsigned int depth) const
{
	return std::min(depth, queue_threads_max);
}

} // namespace smartquant
