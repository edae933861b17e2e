// SPDX-License-Identifier: MIT
#include "request.hpp"

#include <algorithm>
#include <cmath>

#include "failure.hpp"
#include "text.hpp"

namespace smartquant {

namespace {

struct RowSpan {
	std::uint32_t first;
	std::uint32_t count;
};

std::string rows_text(Rows rows)
{
	return concat("rows ", rows.first, ":",
		      rows.end == Rows::to_end ? "" : std::to_string(rows.end));
}

RowSpan resolve(const RegionInfo &region, Rows rows)
{
	const std::uint32_t end = rows.end == Rows::to_end ? region.rows : rows.end;

	if (end > region.rows || rows.first > region.rows)
		fail(Status::Range, region_subject(region.name),
		     concat(rows_text(rows), " out of range (region has ", region.rows, " rows)"));
	if (rows.first >= end)
		fail(Status::Range, region_subject(region.name),
		     concat(rows_text(rows), " names no row (the end is exclusive)"));
	return {rows.first, end - rows.first};
}

template <typename Code>
std::uint8_t checked_code(const RegionInfo &region, std::string_view kind, Code code,
			  Code last)
{
	const auto number = static_cast<std::uint8_t>(code);

	if (number > static_cast<std::uint8_t>(last))
		fail(Status::InvalidInput, region_subject(region.name),
		     concat("unknown ", kind, " ", number));
	return number;
}

std::string kind_text(const RegionInfo &region)
{
	return concat(name(region.dtype), " region of placement ", name(region.placement));
}

Position position_of(const sqc_result &result)
{
	return {result.error_row, result.error_col};
}

[[noreturn]] void fail_media(const RegionInfo &region, const sqc_result *result)
{
	if (!result)
		fail(Status::MediaFailure, region_subject(region.name));
	fail(Status::MediaFailure, region_subject(region.name),
	     concat("stored bytes from row ", result->error_row,
		    " on do not match their checksum; store these rows again "
		    "(verify shows what is damaged)"),
	     position_of(*result));
}

} // namespace

sqc_read_request read_request(const RegionInfo &region, const ReadRequest &request)
{
	const RowSpan rows = resolve(region, request.rows);

	return {
		.handle = region.handle,
		.format = request.format.code(),
		.rounding = checked_code(region, "rounding", request.rounding, Rounding::Even),
		.axis = checked_code(region, "axis", request.axis, Axis::Col),
		.first_row = rows.first,
		.row_count = rows.count,
	};
}

sqc_write_request write_request(const RegionInfo &region, const StoreRequest &request)
{
	const RowSpan rows = resolve(region, request.rows);

	return {
		.handle = region.handle,
		.encoding = request.encoding.code(),
		.flags = static_cast<std::uint8_t>(request.allow_rounding ? SQ_STORE_ROUND : 0),
		.first_row = rows.first,
		.row_count = rows.count,
	};
}

void check_read_buffer(const RegionInfo &region, std::uint64_t buffer_bytes,
		       std::uint64_t needed_bytes)
{
	if (buffer_bytes < needed_bytes)
		fail(Status::Length, region_subject(region.name),
		     concat("buffer of ", buffer_bytes, " bytes is too short; the read delivers ",
			    needed_bytes, " bytes"));
}

void check_store_data(const RegionInfo &region, const sqc_write_request &request,
		      std::uint64_t data_bytes, std::uint64_t needed_bytes)
{
	if (data_bytes == needed_bytes)
		return;
	fail(Status::Length, region_subject(region.name),
	     concat("data of ", data_bytes, " bytes does not fit; ", request.row_count, " rows of ",
		    region.cols, " columns in encoding ", Encoding(request.encoding).name(),
		    " take ", needed_bytes, " bytes"));
}

void check_importance(const RegionInfo &region, std::span<const float> importance)
{
	const std::string subject = region_subject(region.name);

	if (importance.empty())
		return;
	if (region.placement != Placement::Tuned)
		fail(Status::Unsupported, subject,
		     concat("placement ", name(region.placement),
			    " has no codebook that importance could shape; use placement tuned"));
	if (importance.size() != region.cols)
		fail(Status::Length, subject,
		     concat("importance of ", importance.size(), " columns; the region has ",
			    region.cols));
	const auto bad = std::ranges::find_if_not(
		importance, [](float number) { return number >= 0 && std::isfinite(number); });
	if (bad != importance.end())
		fail(Status::InvalidInput, subject,
		     concat("importance of column ", bad - importance.begin(),
			    " is not a finite number of at least 0"));
}

void check_spec(const RegionSpec &spec)
{
	const std::string subject = region_subject(spec.name);

	if (spec.name.empty() || spec.name.size() > SQ_NAME_MAX)
		fail(Status::Name, subject,
		     concat("name of ", spec.name.size(),
			    " bytes; a region name is 1 to 255 bytes of UTF-8"));
	if (word_bytes(spec.dtype) == 0)
		fail(Status::InvalidInput, subject,
		     concat("unknown dtype ", static_cast<std::uint8_t>(spec.dtype)));
	if (spec.rows == 0 || spec.cols == 0)
		fail(Status::InvalidInput, subject,
		     concat("shape ", spec.rows, "x", spec.cols,
			    " has no element; rows and columns start at 1"));
}

void fail_read(sqc_status status, const RegionInfo &region, const sqc_read_request &request,
	       const sqc_result *result)
{
	const std::string subject = region_subject(region.name);
	const std::string format = Format(request.format).name();

	switch (static_cast<Status>(status)) {
	case Status::Format:
		fail(Status::Format, subject,
		     concat("format ", format, " is not offered for a ", kind_text(region),
			    request.axis == SQ_AXIS_COL ? " along columns" : ""));
	case Status::InvalidInput:
		fail(Status::InvalidInput, subject,
		     concat("format ", format, " with rounding ",
			    name(static_cast<Rounding>(request.rounding)), " along axis ",
			    name(static_cast<Axis>(request.axis)),
			    " is not possible; leave rounding and axis at their defaults"));
	case Status::MediaFailure:
		fail_media(region, result);
	default:
		fail(static_cast<Status>(status), subject);
	}
}

void fail_multiplier(const RegionInfo &region, const sqc_read_request &request)
{
	fail(Status::Unsupported, region_subject(region.name),
	     concat("a multiplier takes mxint2 to mxint8, rounding truncate or nearest, along rows of "
		    "a region of placement aligned and coding raw; this is ",
		    Format(request.format).name(), ", rounding ",
		    name(static_cast<Rounding>(request.rounding)), ", along axis ",
		    name(static_cast<Axis>(request.axis)), " of a ", kind_text(region),
		    " and coding ", name(region.coding), " (a view multiplies any format)"));
}

void fail_store(sqc_status status, const RegionInfo &region, const sqc_write_request &request,
		const sqc_result *result)
{
	const std::string subject = region_subject(region.name);
	const std::string encoding = Encoding(request.encoding).name();

	switch (static_cast<Status>(status)) {
	case Status::NonFinite:
		if (!result)
			break;
		fail(Status::NonFinite, subject,
		     concat("row ", result->error_row, ", column ", result->error_col,
			    " is a NaN or an infinity, which placement ", name(region.placement),
			    " cannot hold; use placement word"),
		     position_of(*result));
	case Status::RoundingNeeded:
		fail(Status::RoundingNeeded, subject,
		     concat("data is ", encoding, ", the region ", name(region.dtype),
			    "; allow rounding, or create the region as ", encoding));
	case Status::Unsupported:
		fail(Status::Unsupported, subject,
		     concat("a ", kind_text(region), " does not take encoding ", encoding));
	case Status::InvalidInput:
		if (const auto block = Encoding(request.encoding).block();
		    block && region.cols % block->elements)
			fail(Status::InvalidInput, subject,
			     concat("rows of ", region.cols, " columns are no whole blocks of ",
				    block->elements, " as encoding ", encoding, " needs"));
		break;
	case Status::MediaFailure:
		fail_media(region, result);
	default:
		break;
	}
	fail(static_cast<Status>(status), subject);
}

void fail_precision(const RegionInfo &region, Format format)
{
	fail(Status::Format, region_subject(region.name),
	     concat("format ", format.name(), " cannot be the precision of a ", kind_text(region)));
}

void fail_pack(const RegionInfo &region)
{
	fail(Status::Unsupported, region_subject(region.name),
	     concat("placement ", name(region.placement),
		    " cannot be packed; only placement aligned can, and it stays as it is"));
}

void fail_create(sqc_status status, const RegionSpec &spec)
{
	const std::string subject = region_subject(spec.name);

	switch (static_cast<Status>(status)) {
	case Status::Unsupported:
		fail(Status::Unsupported, subject,
		     concat("dtype ", name(spec.dtype), " cannot have placement ",
			    name(spec.placement), "; its default is ",
			    name(default_placement(spec.dtype))));
	case Status::ResourcesExhausted:
		fail(Status::ResourcesExhausted, subject,
		     "no more regions can be created; remove one first");
	case Status::InvalidInput:
		fail(Status::InvalidInput, subject,
		     concat("shape ", spec.rows, "x", spec.cols, " of ", name(spec.dtype),
			    " is larger than a region can be"));
	default:
		fail(static_cast<Status>(status), subject);
	}
}

} // namespace smartquant
