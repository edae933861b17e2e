/* SPDX-License-Identifier: MIT */
/*
 * What a store looks like in its memory
 *
 *   +--------------+--------------+------------+--------+--------+---------
 *   | superblock 0 | superblock 1 | statistics | half 0 | half 1 | data ...
 *   +--------------+--------------+------------+--------+--------+---------
 *     4 KiB          4 KiB          counters     journal           8 KiB aligned
 *
 * Where things lie follows from the store's size alone (sqc_media_layout()),
 * so a superblock that says otherwise is damaged.
 *
 * Superblock: the valid one with the higher generation rules; generation g
 * is written to page g % 2. It names the journal half in use and the sequence
 * number of that half's first record.
 *
 * Journal half: one CHECKPOINT record (every region), then UPDATE records, one
 * a commit. Sequence numbers are consecutive; replay ends at the first record
 * that is not valid. A record that does not fit any more becomes a checkpoint
 * in the other half, and a new superblock. So a commit is one record, seen
 * whole or not at all.
 *
 * Statistics: counters, neither checked nor trusted.
 *
 * Data: extents of granules. A segment has one extent for its planes and,
 * with placement aligned or tuned, one for its tail (exponents or scales, then
 * escapes); a region has one for its map. Which granules are free is derived
 * when a store opens.
 *
 * Everything is little-endian.
 */
#ifndef SMARTQUANT_MEDIA_H
#define SMARTQUANT_MEDIA_H

#include <assert.h>
#include <stdint.h>

#include "controller.h"

#if !defined(__BYTE_ORDER__) || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "a store is little-endian, and so must be the machine that runs the controller"
#endif

#define SQC_MEDIA_VERSION		1u
#define SQC_PAGE_BYTES			4096u
#define SQC_SUPERBLOCKS			2u
#define SQC_GRANULE_BYTES		256u	/* extents begin and end at these */
#define SQC_ROW_BYTES			8192u	/* of a DRAM bank; a full run */

#define SQC_REGIONS_MIN			64u
#define SQC_REGIONS_MAX			65535u
#define SQC_BYTES_PER_REGION		(128u << 10)

/* Counters of a format lie at family * 64 + parameter. */
#define SQC_FORMAT_FAMILIES		8u
#define SQC_FORMAT_PARAMETERS		64u
#define SQC_FORMAT_SLOTS		(SQC_FORMAT_FAMILIES * SQC_FORMAT_PARAMETERS)

struct sqc_superblock {
	uint8_t magic[8];
	uint32_t version;
	uint32_t struct_bytes;
	uint64_t generation;
	uint64_t store_bytes;
	uint64_t statistics_offset;
	uint64_t journal_offset;
	uint64_t half_bytes;
	uint64_t data_offset;
	uint64_t data_bytes;
	uint64_t first_sequence;
	uint32_t active_half;
	uint32_t regions_max;
	uint32_t reserved;
	uint32_t crc;			/* of all before */
};

#define SQC_RECORD_MAGIC		0x4a515351u	/* "SQQJ" */
#define SQC_RECORD_CHECKPOINT		1u
#define SQC_RECORD_UPDATE		2u

/* Followed by `entries` region entries, payload_bytes in all. */
struct sqc_record {
	uint32_t magic;
	uint32_t type;
	uint64_t sequence;
	uint64_t payload_bytes;
	uint32_t entries;
	uint32_t last_generation;	/* given to a region */
	uint32_t reserved;
	uint32_t crc;			/* of all before, then of the payload */
};

#define SQC_ENTRY_SEALED		0x1u
#define SQC_ENTRY_DELETED		0x2u	/* only slot and generation count */

/* Followed by the name, zero-padded to a multiple of 8. */
struct sqc_entry {
	uint32_t slot;
	uint16_t generation;
	uint16_t flags;
	uint8_t dtype;
	uint8_t placement;
	uint8_t coding;
	uint8_t reserved;
	uint16_t precision;
	uint16_t name_bytes;
	uint32_t rows;
	uint32_t cols;
	uint64_t map_offset;
	uint64_t map_bytes;		/* 0: nothing was ever written */
	uint32_t map_crc;
	uint32_t reserved2;
};

#define SQC_ENTRY_BYTES_MAX		(sizeof(struct sqc_entry) + 256u)

/* Followed by the codebook with placement tuned (struct sqc_codebook, padded
 * to 8 bytes), then `count` entries in ascending order of their segments. */
struct sqc_map {
	uint32_t count;
	uint32_t entry_bytes;
};

/* Followed by the CRC of every run: planes in order, exponents, escapes. */
struct sqc_map_entry {
	uint32_t segment;
	uint32_t escapes;
	uint64_t planes_offset;
	uint64_t tail_offset;
};

static_assert(sizeof(struct sqc_superblock) == 96, "superblock changed size");
static_assert(sizeof(struct sqc_record) == 40, "record changed size");
static_assert(sizeof(struct sqc_entry) == 48, "entry changed size");
static_assert(sizeof(struct sqc_map) == 8, "map changed size");
static_assert(sizeof(struct sqc_map_entry) == 24, "map entry changed size");
static_assert(sizeof(struct sqc_statistics) == 128, "counters changed size");

#ifdef __cplusplus
extern "C" {
#endif

/* Fills every field that follows from the size; false when it is too small. */
bool sqc_media_layout(uint64_t bytes, struct sqc_superblock *superblock);

/* Seals a superblock with its CRC and writes it to its page. Not synced. */
void sqc_superblock_write(uint8_t *memory, struct sqc_superblock *superblock);

/* Finds the ruling superblock. Errors: NOT_A_STORE, STORE_VERSION, STORE_DAMAGED. */
sqc_status sqc_superblock_read(const uint8_t *memory, uint64_t bytes,
			       struct sqc_superblock *superblock,
			       const char **reason);

static inline uint64_t sqc_superblock_page(uint64_t generation)
{
	return (generation % SQC_SUPERBLOCKS) * SQC_PAGE_BYTES;
}

#ifdef __cplusplus
}
#endif

#endif /* SMARTQUANT_MEDIA_H */
