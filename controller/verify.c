/* SPDX-License-Identifier: MIT */
/* Checking runs against their CRCs, a segment at a time. */
#include "gather.h"

struct verification {
	struct sqc_gather *gather;
	uint32_t handle;
	uint64_t *checked;
	struct sqc_bad_run *bad;
	uint32_t *bad_count;
};

static void run_verify(const struct verification *verification, uint32_t run)
{
	++*verification->checked;
	if (sqc_gather_check(verification->gather, run))
		return;
	verification->bad[(*verification->bad_count)++] = (struct sqc_bad_run){
		.handle = verification->handle,
		.segment = (uint32_t)verification->gather->index,
		.run = (uint16_t)run,
	};
}

sqc_status sqc_verify_segment(struct sqc_store *store, uint32_t handle, uint32_t segment,
			      uint64_t *runs_checked, struct sqc_bad_run *bad,
			      uint32_t *bad_count)
{
	const struct sqc_region *region = sqc_region_of(store, handle);
	struct sqc_gather gather;
	const struct verification verification = {
		.gather = &gather,
		.handle = handle,
		.checked = runs_checked,
		.bad = bad,
		.bad_count = bad_count,
	};

	*runs_checked = 0;
	*bad_count = 0;
	if (!region)
		return SQ_STATUS_INVALID_HANDLE;
	if (segment >= region->geometry.segments)
		return SQ_STATUS_RANGE;
	sqc_gather_begin(&gather, store, region, segment, NULL);
	if (!gather.segment)
		return SQ_STATUS_SUCCESS;
	for (uint32_t run = 0; run < gather.runs; run++)
		run_verify(&verification, run);
	if (region->geometry.exponents)
		run_verify(&verification, SQC_RUN_EXPONENTS);
	if (gather.escapes)
		run_verify(&verification, SQC_RUN_ESCAPES);
	return SQ_STATUS_SUCCESS;
}
