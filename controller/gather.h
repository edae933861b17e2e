/* SPDX-License-Identifier: MIT */
/*
 * Gathering: from the runs of one segment to groups and words
 *
 * A gather looks at one segment and owns nothing. It checks nothing by
 * itself: whoever uses a run calls sqc_gather_open() for it first. The runs of
 * a packed segment are then those that were decoded into `unpack`.
 */
#ifndef SMARTQUANT_GATHER_H
#define SMARTQUANT_GATHER_H

#include "group.h"
#include "planes.h"
#include "store.h"

/* Groups gathered at once: a piece of a row. */
#define SQC_PIECE_GROUPS		64u
#define SQC_PIECE_ELEMENTS		(SQC_PIECE_GROUPS * SQC_GROUP_ELEMENTS)

struct sqc_unpack;

struct sqc_gather {
	const struct sqc_store *store;
	const struct sqc_geometry *geometry;
	const struct sqc_segment *segment;	/* NULL: never written, reads as zeros */
	uint64_t index;
	uint32_t elements;
	uint32_t runs;				/* without the tail's */
	uint32_t escapes;
	const uint8_t *run[SQC_PLANES_MAX];
	const uint8_t *exponents;		/* or scales */
	const struct sqc_tuned_coder *coder;	/* placement tuned */
	const uint8_t *escape_indexes;		/* 16 bits each */
	const uint8_t *escape_words;
	uint64_t checked;			/* runs that were, a bit each; see gather.c */
	bool streaming;				/* what is delivered goes around the caches, */
	struct sqc_turns turns;			/* in turns with this */
	struct sqc_unpack *unpack;		/* of a packed region; else NULL */
	/* Coding packed: the extent, and where in it each run begins (as its
	 * CRC is numbered). */
	const uint8_t *coded;
	uint32_t coded_begin[SQC_RUNS_MAX];
};

struct sqc_gather_scratch {
	uint32_t words[SQC_PLANES_MAX][SQC_PIECE_GROUPS];
	struct sqc_group groups[SQC_PIECE_GROUPS];
	struct sqc_tuned_group tuned[SQC_PIECE_GROUPS];
	uint8_t piece[SQC_PIECE_ELEMENTS * 4];	/* words that are streamed */
	uint32_t escape;	/* behind those of the piece before: the next one's first? */
};

/* `unpack` is where a packed segment is decoded; NULL when the runs are only
 * checked. */
void sqc_gather_begin(struct sqc_gather *gather, const struct sqc_store *store,
		      const struct sqc_region *region, uint64_t segment,
		      struct sqc_unpack *unpack);

/* Memory and size of a run: a data run's number, SQC_RUN_EXPONENTS or
 * SQC_RUN_ESCAPES. Of a packed segment, of what it is decoded to. */
const uint8_t *sqc_gather_run(const struct sqc_gather *gather, uint32_t run, uint32_t *bytes);
/* The same of a run as it is stored. Run 0 of a packed segment are its signs. */
const uint8_t *sqc_gather_stored(const struct sqc_gather *gather, uint32_t run, uint32_t *bytes);
/* Number of a run among the segment's CRCs: the tail's follow the data runs'. */
uint32_t sqc_gather_run_index(const struct sqc_gather *gather, uint32_t run);
/* A run's CRC is this. True when it matches. */
bool sqc_gather_checked(struct sqc_gather *gather, uint32_t run, uint32_t crc);
/* True when the run matches its CRC. Looks once, as long as it does. */
bool sqc_gather_check(struct sqc_gather *gather, uint32_t run);
/* Makes a run readable: checks it, and decodes it with what it builds on. */
bool sqc_gather_open(struct sqc_gather *gather, uint32_t run);
/* True when every run of the segment does. */
bool sqc_gather_check_all(struct sqc_gather *gather);

/* The planes of a segment that was written, from an element on. */
struct sqc_planes sqc_gather_planes(const struct sqc_gather *gather, uint32_t first);

/* Groups from `first` on (an element's index in the segment), at most a
 * piece, with `planes` planes, the sign plane included; sticky is 0. */
void sqc_gather_groups(const struct sqc_gather *gather, uint32_t first, uint32_t groups,
		       uint32_t planes, struct sqc_gather_scratch *scratch);

/* The same of placement tuned, into scratch->tuned. */
void sqc_gather_tuned(const struct sqc_gather *gather, uint32_t first, uint32_t groups,
		      uint32_t planes, struct sqc_gather_scratch *scratch);

/* The stored words of elements from `first` on, at most a piece unless they are
 * streamed; whole groups. `words` has room for them. */
void sqc_gather_words(const struct sqc_gather *gather, uint32_t first, uint32_t count,
		      void *words, struct sqc_gather_scratch *scratch);

/* The index in the segment of an escape. */
uint32_t sqc_gather_escape(const struct sqc_gather *gather, uint32_t escape);

#endif /* SMARTQUANT_GATHER_H */
