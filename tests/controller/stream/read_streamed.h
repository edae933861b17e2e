/* SPDX-License-Identifier: MIT */
#pragma once

#include "controller.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * As sqc_read(), without the store's counters: goes around the caches if a large
 * request of that kind does, however small this one is. *streams says so.
 */
sqc_status read_streamed(const struct sqc_store *store, const struct sqc_read_request *request,
			 void *out, void *scratch, struct sqc_result *result, bool *streams);

#ifdef __cplusplus
}
#endif
