/* SPDX-License-Identifier: MIT */
/* Lines, counted where runs are read, and the DRAM model's view of them. */
#include "reader.h"

void sqc_tally_begin(struct sqc_tally *tally, struct sqc_result *result)
{
	tally->result = result;
	sqc_dram_cost_begin(&tally->cost, NULL, SQC_DRAM_INTERLEAVED);
}

/* Bytes [low, high) of a run were asked for; all of it was checked. */
static void run_count(struct sqc_tally *tally, const struct sqc_gather *gather, uint32_t run,
		      uint32_t low, uint32_t high)
{
	uint32_t bytes;
	const uint8_t *memory = sqc_gather_run(gather, run, &bytes);
	const uint32_t first = low / SQC_LINE_BYTES;
	const uint32_t lines = (high + SQC_LINE_BYTES - 1) / SQC_LINE_BYTES - first;

	tally->result->plane_lines += lines;
	tally->result->check_lines += (tally->again ? 0 : bytes / SQC_LINE_BYTES) - (uint64_t)lines;
	sqc_dram_cost_run(&tally->cost,
			  (uint64_t)(memory - gather->store->memory) + first * SQC_LINE_BYTES,
			  lines);
}

/* The part of a u8 region's run that bytes [low, high) of the segment share. */
static void bytes_count(struct sqc_tally *tally, const struct sqc_gather *gather, uint32_t run,
			uint32_t low, uint32_t high)
{
	const uint32_t base = run * SQC_ROW_BYTES;
	const uint32_t end = base + SQC_ROW_BYTES;

	run_count(tally, gather, run, (low > base ? low : base) - base,
		  (high < end ? high : end) - base);
}

void sqc_tally_segment(struct sqc_tally *tally, const struct sqc_gather *gather,
		       const struct sqc_touched *touched, uint32_t low, uint32_t high,
		       bool again)
{
	uint32_t bytes;

	tally->again = again;
	for (uint32_t run = touched->first_run; run < touched->end_run; run++) {
		if (gather->geometry->planes)
			run_count(tally, gather, run, low / 8, high / 8);
		else
			bytes_count(tally, gather, run, low, high);
	}
	if (touched->exponents)
		run_count(tally, gather, SQC_RUN_EXPONENTS, low / SQC_GROUP_ELEMENTS,
			  high / SQC_GROUP_ELEMENTS);
	if (touched->escapes) {
		sqc_gather_run(gather, SQC_RUN_ESCAPES, &bytes);
		run_count(tally, gather, SQC_RUN_ESCAPES, 0, bytes);
	}
}

void sqc_tally_end(struct sqc_tally *tally, uint64_t link_bytes)
{
	sqc_dram_cost_end(&tally->cost, &tally->result->dram_time_ns,
			  &tally->result->dram_energy_pj);
	tally->result->link_time_ns = sqc_link_time_ns(NULL, link_bytes);
}
