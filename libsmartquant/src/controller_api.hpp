// SPDX-License-Identifier: MIT
//
// The controller's header for C++. It has structures and functions of one
// name (sqc_region_info), as C allows; in C++ the structure then needs the
// word struct, and the compiler's remark about it is of no use.
#ifndef SMARTQUANT_SRC_CONTROLLER_API_HPP
#define SMARTQUANT_SRC_CONTROLLER_API_HPP

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#include "controller.h"
#pragma GCC diagnostic pop

#endif // SMARTQUANT_SRC_CONTROLLER_API_HPP
