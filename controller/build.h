/* SPDX-License-Identifier: MIT */
/* Building: from the words of a segment to its runs, in fresh extents. */
#ifndef SMARTQUANT_BUILD_H
#define SMARTQUANT_BUILD_H

#include "store.h"

struct sqc_build_scratch {
	uint32_t line[SQC_PLANES_MAX][SQC_LINE_GROUPS];	/* placement tuned */
	uint32_t sticky[SQC_SEGMENT_GROUPS];		/* placement aligned */
	uint8_t exponents[2 * SQC_SEGMENT_GROUPS];	/* group_bytes each */
	uint16_t escaped[SQC_SEGMENT_GROUPS / 2];	/* pairs of groups: the first one */
	uint16_t escapes[SQC_SEGMENT_ELEMENTS];
	uint32_t escape_count;
};

/*
 * Builds segment `index` of a region from all its words (padding included;
 * finite, with placement tuned). `coder` is for tuned, else NULL.
 * `streaming` as in struct sqc_runs. Fills `next` with extents that belong to
 * the caller, and with CRCs. `lines` grows by the lines written.
 * Errors: STORE_FULL; NON_FINITE, with placement aligned. Then it owns nothing.
 */
sqc_status sqc_build(struct sqc_store *store, const struct sqc_region *region, uint64_t index,
		     const uint8_t *words, bool streaming, struct sqc_segment *next,
		     uint64_t *lines, const struct sqc_tuned_coder *coder,
		     struct sqc_build_scratch *scratch);

#endif /* SMARTQUANT_BUILD_H */
