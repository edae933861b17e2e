// SPDX-License-Identifier: MIT
//
// One read of the embedded store by several threads
#ifndef SMARTQUANT_SRC_EMBEDDED_PARALLEL_READ_HPP
#define SMARTQUANT_SRC_EMBEDDED_PARALLEL_READ_HPP

#include <cstddef>
#include <span>

#include "controller_api.hpp"
#include "workers.hpp"

namespace smartquant {

// As sqc_read(), with the same results. The caller holds the store's lock; a
// read that is small or has no parts stays in its thread.
sqc_status parallel_read(sqc_store *store, const sqc_read_request &request,
			 const sqc_layout &layout, std::span<std::byte> buffer, Workers &workers,
			 sqc_result &result);

} // namespace smartquant

#endif // SMARTQUANT_SRC_EMBEDDED_PARALLEL_READ_HPP
