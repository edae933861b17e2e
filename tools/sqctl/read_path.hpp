// SPDX-License-Identifier: MIT
//
// The ways to the bytes of a read: a request (fetch), a mapped view (map), a
// view that is filled by fetch (cached). All give the same bytes.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include <smartquant/region.hpp>

#include "documents.hpp"

namespace sqctl {

/// Gets the bytes; they are gone when it returns.
using Use = std::function<void(const smartquant::Layout &, std::span<const std::byte>)>;
/// Reads, hands the bytes to the Use, and adds up what they cost.
using ReadPath = void (*)(const smartquant::Region &, const smartquant::ReadRequest &, Cost &, const Use &);

std::vector<std::string> read_path_names();
/// By a name of read_path_names().
ReadPath read_path(const std::string &name);

} // namespace sqctl
