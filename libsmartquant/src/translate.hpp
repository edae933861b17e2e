// SPDX-License-Identifier: MIT
//
// From the controller's results to those of the public headers
#ifndef SMARTQUANT_SRC_TRANSLATE_HPP
#define SMARTQUANT_SRC_TRANSLATE_HPP

#include <string>

#include <smartquant/region.hpp>

#include "controller_api.hpp"

namespace smartquant {

RegionInfo public_region(const struct sqc_region_info &info);
FetchResult public_fetch(const sqc_result &result);
StoreResult public_store(const sqc_result &result);
Statistics public_statistics(const sqc_statistics &statistics);
// "plane 3", "exponents", "escapes"
std::string run_name(std::uint16_t run);
BadRun public_bad_run(const RegionInfo &region, std::uint32_t segment, std::uint16_t run);

} // namespace smartquant

#endif // SMARTQUANT_SRC_TRANSLATE_HPP
