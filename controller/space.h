/* SPDX-License-Identifier: MIT */
/*
 * The space map: which granules of the data area are in use
 *
 * A bitmap, in volatile memory only: it is derived from the region maps when
 * a store opens. Searches begin at a hint, one for extents that must begin at
 * a DRAM row and one for the rest, so that filling a store costs constant
 * time an extent; releasing pulls the hint back, so low addresses fill first
 * and a sparse file stays small.
 */
#ifndef SMARTQUANT_SPACE_H
#define SMARTQUANT_SPACE_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct sqc_space {
	uint64_t *bits;
	uint64_t base;			/* offset of granule 0 in the store */
	uint64_t granules;
	uint64_t used;			/* granules */
	uint64_t hint[2];		/* any alignment, row alignment */
};

/* Bytes of the bitmap; the caller allocates it, zeroed. */
uint64_t sqc_space_bitmap_bytes(uint64_t data_bytes);
void sqc_space_begin(struct sqc_space *space, uint64_t *bits, uint64_t data_offset,
		     uint64_t data_bytes);
/* `align_bytes` is a power of two, at least a granule. False when full. */
bool sqc_space_allocate(struct sqc_space *space, uint64_t bytes,
			uint64_t align_bytes, uint64_t *offset);
void sqc_space_release(struct sqc_space *space, uint64_t offset, uint64_t bytes);
/* Takes a range that the store's maps name; false when it is not free, not
 * aligned or not in the data area. */
bool sqc_space_claim(struct sqc_space *space, uint64_t offset, uint64_t bytes,
		     uint64_t align_bytes);
/* The bytes that an extent really takes. */
uint64_t sqc_space_round(uint64_t bytes);

#ifdef __cplusplus
}
#endif

#endif /* SMARTQUANT_SPACE_H */
