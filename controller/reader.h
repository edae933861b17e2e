/* SPDX-License-Identifier: MIT */
/*
 * A read in progress
 *
 * read.c walks over the segments that a request touches; read_parts.c lets
 * several threads do so. For each it
 *   1. checks the runs that the request needs (reader.c), which for
 *      rounding even also finds out how many planes decide all ties,
 *   2. counts them (tally.c),
 *   3. delivers the elements (axis row), or, when all segments were checked,
 *      does so across segments (axis col, read_columns.c).
 */
#ifndef SMARTQUANT_READER_H
#define SMARTQUANT_READER_H

#include "format.h"
#include "gather.h"
#include "store.h"
#include "unpack.h"

struct sqc_read_scratch {
	struct sqc_gather_scratch gather;
	/* One piece in the forms between groups and codes. */
	uint8_t words[SQC_PIECE_ELEMENTS * 4];
	float values[SQC_PIECE_ELEMENTS];
	struct sqc_group groups[SQC_PIECE_GROUPS];
	/* Rounding even: of each group of the segment, the elements that are
	 * not decided yet, and those with a bit below the planes gathered. */
	uint32_t pending[SQC_SEGMENT_GROUPS];
	uint32_t sticky[SQC_SEGMENT_GROUPS];
	struct sqc_unpack unpack;	/* the last: what follows is its decoder */
	/* Behind that, for axis col: a band; see read_columns.c. */
};

/* What of a segment was read: the first so many data runs (from first_run,
 * which only u8 regions use), and parts of the tail. */
struct sqc_touched {
	uint8_t first_run;
	uint8_t end_run;
	bool exponents;
	bool escapes;
	bool signs;		/* of packed segments: those of zeros, too */
};

/* Lines [first, end) of a run that were counted. */
struct sqc_window {
	uint32_t first;
	uint32_t end;
};

struct sqc_tally {
	struct sqc_result *result;
	/* Of the segment visited last: a line that is wanted twice is read
	 * once. A read goes upwards, so one window a run says it all. */
	uint64_t segment;
	struct sqc_window window[SQC_RUNS_MAX];
	struct sqc_dram_cost cost;
	/* Of a part of a read: what the DRAM model is told when the parts are
	 * joined, because it follows the order of the whole; of a traced read,
	 * the trace. NULL: the model is told segment by segment. */
	struct sqc_dram_run *runs;
	uint64_t run_count;
	/* A run adds lines before its window and behind it. */
	struct sqc_dram_run segment_runs[2 * SQC_RUNS_MAX];
};

#define SQC_WALK_GATHERS	3u

/* The way of one request over segments, whatever its parts ask of them. */
struct sqc_walk {
	/* Of the segment visited, and of those after it; see read.c. */
	struct sqc_gather gathers[SQC_WALK_GATHERS];
	struct sqc_tally tally;
	uint64_t end;			/* the segment behind the last to be visited */
	bool streaming;			/* see sqc_reads_stream() */
};

struct sqc_reader {
	const struct sqc_store *store;
	const struct sqc_region *region;
	const struct sqc_format *format;
	enum sqc_source source;
	uint32_t first_row;
	/* Planes that are gathered, the sign plane included. */
	uint32_t planes;
	/* Some elements may need more planes to decide a tie. */
	bool ties;
	/* The sign of an element matters even where the planes show nothing of it. */
	bool signs;
	struct sqc_layout layout;
	struct sqc_read_scratch *scratch;
};

/* Finds out what a request needs. Errors: those of sqc_read_layout(). */
sqc_status sqc_reader_begin(struct sqc_reader *reader, const struct sqc_store *store,
			    const struct sqc_read_request *request);

/* A read of so much that what it delivers would not stay in the caches, of a
 * format that is delivered as it is gathered. */
bool sqc_reads_stream(const struct sqc_reader *reader);

/* Takes a caller's scratch memory for a new request. */
struct sqc_read_scratch *sqc_reader_scratch(void *scratch);

/*
 * Opens the runs that elements [low, high) of a segment need; whole groups.
 * With ties, fills scratch->sticky. False when a run is damaged. For axis col
 * the runs are only checked: sqc_reader_columns() opens them.
 */
bool sqc_reader_check(const struct sqc_reader *reader, struct sqc_gather *gather,
		      uint32_t low, uint32_t high, struct sqc_touched *touched);

/* Levels [first, first + count) of a format that asks for them. They are in
 * the controller, so no plane memory is read. */
void sqc_reader_levels(const struct sqc_reader *reader, uint32_t first, uint32_t count,
		       uint8_t *out);

/* Encodes one piece: `cols` real columns from element `first` of a segment. */
void sqc_reader_encode(const struct sqc_reader *reader, const struct sqc_gather *gather,
		       uint32_t first, uint32_t cols, const struct sqc_row_out *out);

/* Encodes `cols` words of a column. */
void sqc_reader_encode_column(const struct sqc_reader *reader, const void *words,
			      uint32_t cols, const struct sqc_row_out *out);

/* Where a piece of a delivered row goes. `col` is a multiple of 32. */
struct sqc_row_out sqc_reader_out(const struct sqc_reader *reader, uint8_t *out,
				  uint64_t row, uint32_t col);

/* Axis col: delivers everything, from checked segments. False when segment
 * *damaged cannot be opened. */
bool sqc_reader_columns(const struct sqc_reader *reader, uint8_t *out, uint64_t *damaged);
/* Scratch memory that this takes behind the decoder's. */
size_t sqc_reader_band_bytes(const struct sqc_layout *layout);

/* One piece of one delivered row of axis col, up to 32 columns of it. False
 * when a segment cannot be opened. */
bool sqc_reader_column_piece(const struct sqc_reader *reader, uint32_t row, uint32_t col,
			     uint32_t cols, const struct sqc_row_out *out);

/* tally.c; each run of lines is reported once for a segment, so at most
 * SQC_RUNS_MAX runs for each that is visited. */
void sqc_tally_begin(struct sqc_tally *tally, struct sqc_result *result);
/* Counts what reading elements [low, high) of a segment took. */
void sqc_tally_segment(struct sqc_tally *tally, const struct sqc_gather *gather,
		       const struct sqc_touched *touched, uint32_t low, uint32_t high);
/* Tells the DRAM model what was noted. */
void sqc_tally_replay(struct sqc_tally *tally, const struct sqc_dram_run *runs, uint64_t count);
void sqc_tally_end(struct sqc_tally *tally, uint64_t link_bytes);

/* read.c */
void sqc_walk_begin(struct sqc_walk *walk, struct sqc_result *result);
/* Segments that a request touches. */
uint64_t sqc_walk_segments(const struct sqc_reader *reader,
			   const struct sqc_read_request *request);
/* Checks, counts and, for axis row, delivers some of them, `first` counted from
 * the request's first. Writes no byte of `out` that is another segment's.
 * Errors: MEDIA_FAILURE. */
sqc_status sqc_walk_part(struct sqc_walk *walk, const struct sqc_reader *reader,
			 const struct sqc_read_request *request, uint64_t first,
			 uint64_t segments, uint8_t *out);
/* Adds to the walk's result what a request counts beside lines. */
void sqc_walk_count(struct sqc_walk *walk, const struct sqc_reader *reader,
		    const struct sqc_read_request *request);
/* The end of a walk that was one request: its modelled figures, and the store's
 * counters. */
void sqc_walk_end(struct sqc_walk *walk, const struct sqc_reader *reader);
/* The end of one that failed. `reader` has gone through sqc_reader_begin(). */
void sqc_read_failed(const struct sqc_reader *reader, const struct sqc_read_request *request,
		     sqc_status status, struct sqc_result *result);
/* Reads what a reader asks for into `out`, and adds to the walk's result.
 * Errors: MEDIA_FAILURE. */
sqc_status sqc_walk_read(struct sqc_walk *walk, const struct sqc_reader *reader,
			 const struct sqc_read_request *request, uint8_t *out);
/* The values that a result adds to counters; `requests` of them. */
void sqc_read_values(const struct sqc_result *result, uint64_t requests,
		     uint64_t values[SQC_COUNTERS]);

#endif /* SMARTQUANT_READER_H */
