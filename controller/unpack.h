/* SPDX-License-Identifier: MIT */
/*
 * Unpacking: the runs of one packed segment, decoded as far as a read needs
 *
 * Memory that a read brings. What is decoded stays until another segment is
 * asked for, so a walk over rows decodes no run twice; loads from views keep it
 * from one to the next. A segment is known again by the CRCs and lengths of its
 * runs, and a gather that is new to it checks the stored runs against these
 * once more: so it does not matter what became of region, segment or memory
 * meanwhile. A run is copied before its CRC is checked and the copy is decoded:
 * whatever happens to the plane memory in between, the decoder sees what was
 * checked.
 */
#ifndef SMARTQUANT_UNPACK_H
#define SMARTQUANT_UNPACK_H

#include <stdalign.h>

#include "gather.h"
#include "packed.h"

/* Followed by the memory of the entropy decoder, which only it knows the size of. */
struct sqc_unpack {
	uint64_t index;				/* of the segment; UINT64_MAX: none yet */
	bool ready;				/* the decoder */
	uint64_t opened;			/* runs decoded, a bit each; see gather.c */
	uint64_t decoded;			/* runs, of all segments */
	/* What it was decoded from. */
	uint32_t crc[SQC_RUNS_MAX];
	uint32_t bytes[SQC_RUNS_MAX];
	uint32_t elements;
	uint32_t escapes;
	uint8_t dtype;
	struct sqc_packed state;
	/* The signs known so far, then the magnitude planes. */
	alignas(64) uint64_t planes[SQC_PLANES_MAX][SQC_PACKED_STRIDE];
	uint8_t exponents[SQC_SEGMENT_GROUPS];
	uint16_t escape_indexes[SQC_SEGMENT_ELEMENTS];
	uint8_t escape_words[SQC_SEGMENT_ELEMENTS * 4u];
	uint8_t list[SQC_SEGMENT_ELEMENTS * 6u];
	uint8_t run[SQC_PACKED_ESCAPES_BYTES + SQC_PACKED_SLACK];
};

/* Bytes of the struct and its decoder. */
size_t sqc_unpack_bytes(void);
/* Before the first use of that memory. */
void sqc_unpack_begin(struct sqc_unpack *unpack);
/* Nothing is decoded any more. The decoder stays: to begin one takes long. */
void sqc_unpack_forget(struct sqc_unpack *unpack);

/*
 * Decodes a run of a packed segment that is written, and what it builds on:
 * a magnitude plane (1 ..), SQC_RUN_EXPONENTS, SQC_RUN_ESCAPES, or 0 for the
 * signs of all elements, which takes every plane. False when a run does not
 * match its CRC, or lies.
 */
bool sqc_unpack_open(struct sqc_gather *gather, uint32_t run);

#endif /* SMARTQUANT_UNPACK_H */
