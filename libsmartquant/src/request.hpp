// SPDX-License-Identifier: MIT
//
// From the requests of the public headers to those of the controller. What
// is wrong with a request whatever the store says is refused here, in one
// place and in the same words for both backends.
#ifndef SMARTQUANT_SRC_REQUEST_HPP
#define SMARTQUANT_SRC_REQUEST_HPP

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <smartquant/region.hpp>

#include "controller_api.hpp"

namespace smartquant {

// Throws Status::Range when the rows are not in the region, or none.
sqc_read_request read_request(const RegionInfo &region, const ReadRequest &request);
sqc_write_request write_request(const RegionInfo &region, const StoreRequest &request);
// Throws Status::Length.
void check_read_buffer(const RegionInfo &region, std::uint64_t buffer_bytes,
		       std::uint64_t needed_bytes);
void check_store_data(const RegionInfo &region, const sqc_write_request &request,
		      std::uint64_t data_bytes, std::uint64_t needed_bytes);
// Throws Status::Length, Status::InvalidInput or Status::Unsupported. Empty is fine.
void check_importance(const RegionInfo &region, std::span<const float> importance);
// Throws Status::Name or Status::InvalidInput.
void check_spec(const RegionSpec &spec);

// Failures of requests that a backend reports as a status, in words.
[[noreturn]] void fail_read(sqc_status status, const RegionInfo &region,
			    const sqc_read_request &request, const sqc_result *result);
// A region or request that has no planes to multiply with.
[[noreturn]] void fail_multiplier(const RegionInfo &region, const sqc_read_request &request);
[[noreturn]] void fail_store(sqc_status status, const RegionInfo &region,
			     const sqc_write_request &request, const sqc_result *result);
[[noreturn]] void fail_precision(const RegionInfo &region, Format format);
// Not packed: its placement cannot be.
[[noreturn]] void fail_pack(const RegionInfo &region);
[[noreturn]] void fail_create(sqc_status status, const RegionSpec &spec);

// Of the controller's layouts or of the C API's, which have the same names.
template <typename Raw> Layout public_layout(const Raw &layout)
{
	return {
		.format = Format(layout.format),
		.rounding = static_cast<Rounding>(layout.rounding),
		.axis = static_cast<Axis>(layout.axis),
		.dtype = static_cast<Dtype>(layout.dtype),
		.placement = static_cast<Placement>(layout.placement),
		.rows = layout.rows,
		.cols = layout.cols,
		.bytes = layout.bytes,
		.code_row_bytes = layout.code_row_bytes,
		.micro_offset = layout.micro_offset,
		.micro_row_bytes = layout.micro_row_bytes,
		.scale_offset = layout.scale_offset,
		.scale_row_bytes = layout.scale_row_bytes,
	};
}

template <typename Raw> Raw raw_layout(const Layout &layout)
{
	return {
		.format = layout.format.code(),
		.rounding = static_cast<std::uint8_t>(layout.rounding),
		.axis = static_cast<std::uint8_t>(layout.axis),
		.dtype = static_cast<std::uint8_t>(layout.dtype),
		.placement = static_cast<std::uint8_t>(layout.placement),
		.rows = layout.rows,
		.cols = layout.cols,
		.bytes = layout.bytes,
		.code_row_bytes = layout.code_row_bytes,
		.micro_offset = layout.micro_offset,
		.micro_row_bytes = layout.micro_row_bytes,
		.scale_offset = layout.scale_offset,
		.scale_row_bytes = layout.scale_row_bytes,
	};
}

} // namespace smartquant

#endif // SMARTQUANT_SRC_REQUEST_HPP
