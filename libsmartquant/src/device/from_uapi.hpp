// SPDX-License-Identifier: MIT
//
// Answers of the driver. A value that an answer cannot have (a kernel and a
// library that do not fit together, a device gone wrong) throws
// Status::InternalError and names it, before anybody relies on it.
#ifndef SMARTQUANT_SRC_DEVICE_FROM_UAPI_HPP
#define SMARTQUANT_SRC_DEVICE_FROM_UAPI_HPP

#include <string_view>

#include <smartquant/store.hpp>
#include <smartquant/uapi.h>

#include "controller_api.hpp"

namespace smartquant {

// Fields that the answer has; uri, read_only and views are the caller's.
StoreInfo from_info(const sq_ioc_info &info, std::string_view subject);
RegionInfo from_region(const sq_ioc_region &region, std::string_view subject);
sqc_result from_result(const sq_transfer_result &result);
// A view is `layout` long and starts at whole pages of its window.
void check_view(const sq_ioc_view &view, const sqc_layout &layout, std::string_view subject);

} // namespace smartquant

#endif // SMARTQUANT_SRC_DEVICE_FROM_UAPI_HPP
