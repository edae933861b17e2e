// SPDX-License-Identifier: MIT
//
// Regions by name or pattern.
#pragma once

#include <string>
#include <vector>

#include <smartquant/store.hpp>

namespace sqctl {

/// True for a name with *, ? or [.
bool is_pattern(const std::string &name);

/// The float regions that a pattern matches ('*' crosses '/'), in order of
/// name; or the one region of that exact name, whatever its dtype. Throws
/// Refused when there is none.
std::vector<smartquant::RegionInfo> select(const smartquant::Store &store, const std::string &name);

} // namespace sqctl
