// SPDX-License-Identifier: MIT
//
// What the shared library exports. Everything else in it is hidden.
#ifndef SMARTQUANT_EXPORT_HPP
#define SMARTQUANT_EXPORT_HPP

#if defined(__GNUC__)
#define SMARTQUANT_API __attribute__((visibility("default")))
#else
#define SMARTQUANT_API
#endif

#endif // SMARTQUANT_EXPORT_HPP
