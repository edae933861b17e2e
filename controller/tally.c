/* SPDX-License-Identifier: MIT */
/* Lines, counted where runs are read, and the DRAM model's view of them. */
#include <string.h>

#include "reader.h"

void sqc_tally_begin(struct sqc_tally *tally, struct sqc_result *result)
{
	tally->result = result;
	tally->segment = UINT64_MAX;
	tally->runs = NULL;
	tally->run_count = 0;
	sqc_dram_cost_begin(&tally->cost, NULL, SQC_DRAM_INTERLEAVED);
}

/* Lines [first, end) of memory that begins at `memory`. */
static void lines_count(struct sqc_tally *tally, const struct sqc_gather *gather,
			const uint8_t *memory, uint32_t first, uint32_t end)
{
	const uint64_t address = (uint64_t)(memory - gather->store->memory);
	struct sqc_dram_run *runs = tally->runs ? tally->runs : tally->segment_runs;

	if (first >= end)
		return;
	tally->result->plane_lines += end - first;
	runs[tally->run_count++] = (struct sqc_dram_run){ address + first * SQC_LINE_BYTES,
							  end - first };
}

/* Bytes [low, high) are wanted; the lines among them that were not, yet, are
 * counted, and their number returned. */
static uint32_t lines_want(struct sqc_tally *tally, const struct sqc_gather *gather,
			   const uint8_t *memory, struct sqc_window *window, uint32_t low,
			   uint32_t high)
{
	const uint64_t before = tally->result->plane_lines;
	const uint32_t first = low / SQC_LINE_BYTES;
	const uint32_t end = (high + SQC_LINE_BYTES - 1) / SQC_LINE_BYTES;

	if (first >= end)
		return 0;
	if (!window->end)
		*window = (struct sqc_window){ first, first };
	lines_count(tally, gather, memory, first, end < window->first ? end : window->first);
	lines_count(tally, gather, memory, first > window->end ? first : window->end, end);
	if (first < window->first)
		window->first = first;
	if (end > window->end)
		window->end = end;
	return (uint32_t)(tally->result->plane_lines - before);
}

/* Bytes [low, high) of a run are wanted; all of it was read for its CRC. */
static void run_count(struct sqc_tally *tally, const struct sqc_gather *gather, uint32_t run,
		      uint32_t low, uint32_t high)
{
	struct sqc_window *window = &tally->window[sqc_gather_run_index(gather, run)];
	uint32_t bytes;
	const uint8_t *memory = sqc_gather_run(gather, run, &bytes);

	if (low / SQC_LINE_BYTES < (high + SQC_LINE_BYTES - 1) / SQC_LINE_BYTES && !window->end)
		tally->result->check_lines += bytes / SQC_LINE_BYTES;
	tally->result->check_lines -= lines_want(tally, gather, memory, window, low, high);
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

/* Of a packed segment, whose runs lie in the order of their use: everything
 * from the first of those touched to the end of the last. */
static void packed_count(struct sqc_tally *tally, const struct sqc_gather *gather,
			 const struct sqc_touched *touched)
{
	const uint32_t runs = gather->geometry->runs;
	const uint32_t last = touched->escapes ? runs + 1 : touched->signs ? 0 :
			      touched->end_run > touched->first_run ? touched->end_run - 1u : runs;
	const uint32_t low = touched->exponents ? 0 : gather->coded_begin[1];
	const uint32_t high = gather->coded_begin[last] +
			      sqc_segment_packed(gather->geometry, gather->segment)[last];

	lines_want(tally, gather, gather->coded, &tally->window[0], low, high);
}

static void raw_count(struct sqc_tally *tally, const struct sqc_gather *gather,
		      const struct sqc_touched *touched, uint32_t low, uint32_t high)
{
	uint32_t bytes;

	for (uint32_t run = touched->first_run; run < touched->end_run; run++) {
		if (gather->geometry->planes)
			run_count(tally, gather, run, low / 8, high / 8);
		else
			bytes_count(tally, gather, run, low, high);
	}
	if (touched->exponents)
		run_count(tally, gather, SQC_RUN_EXPONENTS,
			  low / SQC_GROUP_ELEMENTS * gather->geometry->group_bytes,
			  high / SQC_GROUP_ELEMENTS * gather->geometry->group_bytes);
	if (touched->escapes) {
		sqc_gather_run(gather, SQC_RUN_ESCAPES, &bytes);
		run_count(tally, gather, SQC_RUN_ESCAPES, 0, bytes);
	}
}

void sqc_tally_segment(struct sqc_tally *tally, const struct sqc_gather *gather,
		       const struct sqc_touched *touched, uint32_t low, uint32_t high)
{
	if (tally->segment != gather->index) {
		tally->segment = gather->index;
		memset(tally->window, 0, sizeof(tally->window));
	}
	if (gather->coded)
		packed_count(tally, gather, touched);
	else
		raw_count(tally, gather, touched, low, high);
	if (!tally->runs) {
		sqc_tally_replay(tally, tally->segment_runs, tally->run_count);
		tally->run_count = 0;
	}
}

void sqc_tally_replay(struct sqc_tally *tally, const struct sqc_dram_run *runs, uint64_t count)
{
	sqc_dram_cost_runs(&tally->cost, runs, count);
}

void sqc_tally_end(struct sqc_tally *tally, uint64_t link_bytes)
{
	sqc_dram_cost_end(&tally->cost, &tally->result->dram_time_ns,
			  &tally->result->dram_energy_pj);
	tally->result->link_time_ns = sqc_link_time_ns(NULL, link_bytes);
}
