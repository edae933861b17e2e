// SPDX-License-Identifier: MIT
//
// Requests for the driver
#ifndef SMARTQUANT_SRC_DEVICE_TO_UAPI_HPP
#define SMARTQUANT_SRC_DEVICE_TO_UAPI_HPP

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include <smartquant/region.hpp>
#include <smartquant/uapi.h>

#include "controller_api.hpp"

namespace smartquant {

sq_ioc_region_create to_create(const RegionSpec &spec);
// The name has 1 to SQ_NAME_MAX bytes.
sq_ioc_region to_find(std::string_view name);
sq_ioc_handle to_handle(std::uint32_t handle);
sq_ioc_view to_view(const sqc_read_request &request);
sq_buffer to_buffer(std::span<const std::byte> memory);
// `buffers` outlives the request.
sq_ioc_submit to_fetch(const sqc_read_request &request, std::span<const sq_buffer> buffers);
// Makes a fetch of rows in SQ_FORMAT_TAG one with a precision vector, which
// outlives the request.
void set_formats(sq_ioc_submit &submit, std::span<const std::uint16_t> formats,
		 std::uint32_t rows_per_format);
sq_ioc_submit to_store(const sqc_write_request &request, std::span<const sq_buffer> buffers);

} // namespace smartquant

#endif // SMARTQUANT_SRC_DEVICE_TO_UAPI_HPP
