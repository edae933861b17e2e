// SPDX-License-Identifier: MIT
#pragma once

#include <span>

#include "command.hpp"

namespace sqctl {

std::span<const Command> commands();

} // namespace sqctl
