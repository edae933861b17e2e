/* SPDX-License-Identifier: MIT */
/*
 * The store in volatile memory: who owns what
 *
 * A store holds regions by slot. A region holds its segments in chunks that
 * are made when one of them is first written. A segment has two sets of
 * extents:
 *
 *   current     what reads see
 *   committed   what the region's durable map names
 *
 * They are equal in a clean region. A write builds new extents and replaces
 * `current`; the old one is released at once unless it is also committed. A
 * flush makes the new map durable with one journal record and only then
 * releases what was committed before. So plane memory that a durable map
 * names is never written.
 *
 * Changes of durable state are staged: each region that takes part gets its
 * future commit in `staged` and is marked; sqc_journal_commit() makes them
 * durable together or not at all; afterwards `committed` is set.
 */
#ifndef SMARTQUANT_STORE_H
#define SMARTQUANT_STORE_H

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller.h"
#include "dram.h"
#include "geometry.h"
#include "media.h"
#include "space.h"
#include "tuned.h"

#define SQC_CHUNK_SEGMENTS		32u

struct sqc_extent {
	uint64_t offset;
	uint64_t bytes;			/* 0: none */
};

struct sqc_extents {
	uint64_t planes;		/* offset in the store; 0: never written */
	uint64_t tail;
	uint32_t escapes;
	uint32_t packed_bytes;		/* of all runs, which lie at `planes`; 0: raw */
};

/*
 * The whole granules of a packed segment. One that does not begin at a granule
 * shares the first with the segment before it, whose it is.
 */
static inline struct sqc_extent sqc_packed_extent(const struct sqc_extents *extents)
{
	const uint64_t begin = sqc_round_up(extents->planes, SQC_GRANULE_BYTES);
	const uint64_t end = sqc_round_up(extents->planes + extents->packed_bytes,
					  SQC_GRANULE_BYTES);

	return (struct sqc_extent){ begin, end - begin };
}

struct sqc_segment {
	struct sqc_extents current;
	struct sqc_extents committed;
	uint32_t crc[];			/* of current: data runs, exponents, escapes; */
					/* of a packed region, then the bytes of each */
};

/* What a journal entry says about a region beyond what never changes. */
struct sqc_commit {
	struct sqc_extent map;
	uint32_t map_crc;
	uint16_t precision;
	uint8_t coding;
	bool sealed;
};

enum sqc_pending {
	SQC_PENDING_NOTHING,
	SQC_PENDING_COMMIT,
	SQC_PENDING_DELETE,
};

/* Placement tuned: what the codes of a region mean. */
struct sqc_tuned {
	struct sqc_codebook codebook;
	struct sqc_tuned_coder coder;
};

struct sqc_region {
	uint32_t slot;
	uint16_t generation;
	uint16_t precision;
	uint8_t coding;
	bool sealed;
	bool dirty;			/* differs from `committed` */
	bool durable;			/* the journal has it */
	bool packing;			/* under way: no writes, no end */
	enum sqc_pending pending;
	uint32_t views;
	struct sqc_geometry geometry;
	struct sqc_commit committed;
	struct sqc_commit staged;
	struct sqc_extent reserve;	/* for the map of the next commit */
	uint64_t written;		/* segments that have extents */
	uint64_t changes;		/* of what is current; counts up */
	uint64_t escapes;
	uint64_t extent_bytes;		/* of all current extents */
	uint64_t segment_bytes;		/* sizeof(struct sqc_segment) and its CRCs */
	uint8_t **chunks;
	uint64_t chunk_count;
	struct sqc_tuned *tuned;	/* NULL: other placements, or never written */
	uint16_t name_bytes;
	char name[SQ_NAME_MAX + 1];
};

struct sqc_view {
	uint16_t generation;		/* of the slot; counts up at each map */
	bool mapped;
	struct sqc_view_info info;
};

/* In the order of struct sqc_statistics. */
enum sqc_counter {
	SQC_COUNT_REQUESTS,
	SQC_COUNT_ELEMENTS,
	SQC_COUNT_LINK_BYTES,
	SQC_COUNT_PLANE_LINES,
	SQC_COUNT_CHECK_LINES,
	SQC_COUNT_BASELINE_LINES,
	SQC_COUNT_WRITTEN_LINES,
	SQC_COUNT_STORES,
	SQC_COUNT_STORED_ELEMENTS,
	SQC_COUNT_ERRORS,
	SQC_COUNT_MEDIA_ERRORS,
	SQC_COUNT_POISON_LOADS,
	SQC_COUNT_VIEW_LOADS,
	SQC_COUNT_DRAM_TIME_NS,
	SQC_COUNT_DRAM_ENERGY_PJ,
	SQC_COUNT_LINK_TIME_NS,
	SQC_COUNTERS
};

struct sqc_counters {
	_Atomic uint64_t value[SQC_COUNTERS];
};

static_assert(sizeof(struct sqc_counters) == sizeof(struct sqc_statistics),
	       "a counter is 64 bits wide, without a lock");

struct sqc_journal {
	uint64_t tail;			/* offset in the active half */
	uint64_t sequence;		/* of the next record */
};

struct sqc_store {
	uint8_t *memory;
	struct sqc_environment environment;
	bool read_only;
	bool failed;			/* durable state is unknown: no more commits */
	uint64_t logical_bytes;
	struct sqc_superblock superblock;
	struct sqc_journal journal;
	struct sqc_space space;
	struct sqc_region **regions;	/* by slot */
	uint32_t *name_crcs;		/* by slot, of regions that exist */
	uint32_t region_count;
	uint16_t last_generation;
	uint32_t packing_count;
	uint32_t view_count;
	struct sqc_view views[SQC_VIEWS_MAX];
};

/* Memory on the control path; zeroed, NULL when there is none. */
void *sqc_allocate(struct sqc_store *store, uint64_t bytes);
void sqc_release(struct sqc_store *store, void *memory);
sqc_status sqc_sync(struct sqc_store *store, uint64_t offset, uint64_t bytes);

/* A free extent of the data area, or STORE_FULL. */
sqc_status sqc_extent_allocate(struct sqc_store *store, uint64_t bytes, uint64_t align_bytes,
			       uint64_t *offset);

/* The region of a handle, or NULL. */
struct sqc_region *sqc_region_of(const struct sqc_store *store, uint32_t handle);
static inline uint32_t sqc_region_handle(const struct sqc_region *region)
{
	return (uint32_t)region->generation << 16 | region->slot;
}

/* A region without segments, in no slot yet; NULL when out of memory. */
struct sqc_region *sqc_region_make(struct sqc_store *store, const struct sqc_geometry *geometry,
				   const char *name, uint16_t name_bytes);
/* Sets the coding of a region that has no segments yet. */
void sqc_region_code(struct sqc_region *region, uint8_t coding);
/* Frees the volatile part alone. */
void sqc_region_free(struct sqc_store *store, struct sqc_region *region);
void sqc_region_attach(struct sqc_store *store, struct sqc_region *region, uint32_t slot);
void sqc_region_detach(struct sqc_store *store, struct sqc_region *region);
/* True for 1 to SQ_NAME_MAX bytes of UTF-8 without a zero byte. */
bool sqc_name_valid(const char *name, uint32_t bytes);
/* A size that this store could hold when it was empty. */
bool sqc_region_fits(const struct sqc_store *store, uint32_t rows, uint32_t cols,
		     uint8_t placement, uint8_t dtype);
/* A format that a read of such a region may ask for; not TAG. */
bool sqc_format_offered(const struct sqc_geometry *geometry, uint16_t format);

/* segment.c: a segment, NULL when its chunk was never made. */
struct sqc_segment *sqc_segment_at(const struct sqc_region *region, uint64_t segment);
/* Bytes of each run of a packed segment, in the order of their CRCs: the signs,
 * the planes, the exponents, the escapes. */
static inline uint32_t *sqc_segment_packed(const struct sqc_geometry *geometry,
					   const struct sqc_segment *segment)
{
	return (uint32_t *)segment->crc + geometry->crcs;
}
/* Makes the chunks of [first, last]. Errors: RESOURCES_EXHAUSTED. */
sqc_status sqc_segments_make(struct sqc_store *store, struct sqc_region *region,
			     uint64_t first, uint64_t last);
/* Releases the extents of a segment of so many elements. */
void sqc_extents_release(struct sqc_store *store, const struct sqc_geometry *geometry,
			 uint32_t elements, const struct sqc_extents *extents);
bool sqc_extents_equal(const struct sqc_extents *a, const struct sqc_extents *b);
/* Counts a segment that a map brought. */
void sqc_segment_account(struct sqc_region *region, uint64_t index);
/* Replaces what a segment currently is. */
void sqc_segment_replace(struct sqc_store *store, struct sqc_region *region,
			 uint64_t index, const struct sqc_segment *next);
/* After a commit: what is current is committed. */
void sqc_segments_committed(struct sqc_store *store, struct sqc_region *region);
/* Releases all extents of a region that is deleted. */
void sqc_segments_release(struct sqc_store *store, struct sqc_region *region);

/* map.c */
uint64_t sqc_map_bytes(const struct sqc_region *region, uint64_t segments_written);
/* Makes sure that the next commit has room for a map of so many segments. */
sqc_status sqc_map_reserve(struct sqc_store *store, struct sqc_region *region,
			   uint64_t segments_written);
/* Writes the map of what is current into the reserve; gives its CRC. */
uint32_t sqc_map_write(struct sqc_store *store, const struct sqc_region *region);
/* Loads the committed map of a region. Errors: STORE_DAMAGED, RESOURCES_EXHAUSTED. */
sqc_status sqc_map_load(struct sqc_store *store, struct sqc_region *region,
			const char **reason);

/* journal.c */
sqc_status sqc_journal_replay(struct sqc_store *store, const char **reason);
/* Makes every pending change durable. Errors: SYNC_FAILED: nothing changed. */
sqc_status sqc_journal_commit(struct sqc_store *store);
/* The same as a checkpoint in the other half, whatever room there is. */
sqc_status sqc_journal_checkpoint(struct sqc_store *store);
/* The first record of an empty store, in half 0. */
void sqc_journal_format(uint8_t *memory, const struct sqc_superblock *superblock);

/* commit.c: what a change needs: READ_ONLY, SYNC_FAILED. */
sqc_status sqc_writable(const struct sqc_store *store);
/* Releases the plane memory of a region that nobody needs any more. */
void sqc_region_abandon(struct sqc_store *store, struct sqc_region *region);
/* Flushes a region, with another seal or precision. */
sqc_status sqc_region_commit(struct sqc_store *store, struct sqc_region *region, bool seal);
/*
 * Makes a region durable, sealed, with the coding and the segments of another
 * one of the same geometry, which is in no slot. Afterwards that one has those
 * that the region had, and they own nothing.
 */
sqc_status sqc_region_commit_as(struct sqc_store *store, struct sqc_region *region,
				struct sqc_region *next);

/* view.c: the view whose window an address lies in, or NULL. */
const struct sqc_view *sqc_view_at(const struct sqc_store *store, uint64_t dpa);

/* statistics.c: counters of a scope; slots are within bounds. */
struct sqc_counters *sqc_counters_global(const struct sqc_store *store);
struct sqc_counters *sqc_counters_region(const struct sqc_store *store, uint32_t slot);
/* NULL for a format that has no slot. */
struct sqc_counters *sqc_counters_format(const struct sqc_store *store, uint16_t format);
void sqc_counters_clear(struct sqc_counters *counters);
/* Adds to the global counters, and to a region's and a format's if given. */
void sqc_count(const struct sqc_store *store, const struct sqc_region *region,
	       uint16_t format, const uint64_t values[SQC_COUNTERS]);
/* Adds to a format's counters alone. */
void sqc_count_format(const struct sqc_store *store, uint16_t format,
		      const uint64_t values[SQC_COUNTERS]);
void sqc_count_failure(const struct sqc_store *store, const struct sqc_region *region,
		       uint16_t format, sqc_status status);

#endif /* SMARTQUANT_STORE_H */
