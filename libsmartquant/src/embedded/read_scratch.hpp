// SPDX-License-Identifier: MIT
//
// The calling thread's memory for reads
#ifndef SMARTQUANT_SRC_EMBEDDED_READ_SCRATCH_HPP
#define SMARTQUANT_SRC_EMBEDDED_READ_SCRATCH_HPP

#include <cstddef>

namespace smartquant {

// For one read at a time, of any store. Throws std::bad_alloc.
void *read_scratch(std::size_t bytes);

} // namespace smartquant

#endif // SMARTQUANT_SRC_EMBEDDED_READ_SCRATCH_HPP
