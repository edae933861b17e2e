/* SPDX-License-Identifier: MIT */
/*
 * Geometry: how a region's elements fall into segments, runs and lines
 *
 *   elements   rows x row_stride, flattened
 *   segment    65,536 elements; the last one is shorter
 *   run        one plane of a segment (up to 8 KiB), its exponents, or its
 *              escapes; whole 64-byte lines, padded with zeros; has one CRC.
 *              Of a u8 region: 8 KiB of bytes.
 *
 * In the planes' extent the runs follow each other. Full runs are DRAM rows,
 * and the first plane is not at the extent's begin: plane p of segment s
 * comes to lie in a row with number s + p modulo 16 (as far as the extent
 * goes before it wraps around), so that the same planes of neighbouring
 * segments lie in different bank groups and banks under either mapping of
 * dram.h.
 *
 * The tail's extent: each group's exponent byte, or with placement tuned its
 * scale of two bytes, padded to a line, then the escape list:
 * the indexes of the escaped elements in the segment (16 bits, ascending),
 * then their words.
 */
#ifndef SMARTQUANT_GEOMETRY_H
#define SMARTQUANT_GEOMETRY_H

#include <stdbool.h>
#include <stdint.h>

#include "controller.h"

#define SQC_PLANES_MAX			33u	/* sign and 32 */
#define SQC_SEGMENT_GROUPS		(SQC_SEGMENT_ELEMENTS / SQC_GROUP_ELEMENTS)
#define SQC_LINE_GROUPS			(SQC_LINE_ELEMENTS / SQC_GROUP_ELEMENTS)

struct sqc_geometry {
	uint32_t rows;
	uint32_t cols;
	uint64_t stride;		/* elements of a row, padding included */
	uint64_t elements;
	uint64_t segments;
	uint8_t dtype;
	uint8_t placement;
	uint8_t word_bytes;
	uint8_t planes;			/* of a segment; 0: a u8 region */
	uint8_t runs;			/* of a full segment, without the tail's */
	uint8_t crcs;			/* runs, and the tail's */
	bool exponents;			/* has a tail */
	uint8_t group_bytes;		/* of a group in the tail: its exponent or scale */
};

/* False when the dtype and the placement do not go together. */
bool sqc_geometry_begin(struct sqc_geometry *geometry, uint8_t dtype,
			uint8_t placement, uint32_t rows, uint32_t cols);

uint32_t sqc_segment_elements(const struct sqc_geometry *geometry, uint64_t segment);
/* Data runs of a segment of so many elements: fewer in a short u8 segment. */
uint32_t sqc_segment_runs(const struct sqc_geometry *geometry, uint32_t elements);
uint32_t sqc_run_bytes(const struct sqc_geometry *geometry, uint32_t elements, uint32_t run);
uint64_t sqc_planes_bytes(const struct sqc_geometry *geometry, uint32_t elements);
/* What the planes' extent is aligned to. */
uint64_t sqc_planes_align(const struct sqc_geometry *geometry, uint32_t elements);
/* Offset in the store of a data run. */
uint64_t sqc_run_offset(const struct sqc_geometry *geometry, uint64_t segment,
			uint32_t elements, uint64_t planes_offset, uint32_t run);
uint32_t sqc_exponent_bytes(const struct sqc_geometry *geometry, uint32_t elements);
uint32_t sqc_escape_bytes(const struct sqc_geometry *geometry, uint32_t escapes);
uint64_t sqc_tail_bytes(const struct sqc_geometry *geometry, uint32_t elements,
			uint32_t escapes);

/* The smaller one, of which it is known that it has 32 bits. */
static inline uint32_t sqc_least(uint64_t a, uint64_t b)
{
	return (uint32_t)(a < b ? a : b);
}

static inline uint64_t sqc_round_up(uint64_t value, uint64_t unit)
{
	return (value + unit - 1) / unit * unit;
}

#endif /* SMARTQUANT_GEOMETRY_H */
