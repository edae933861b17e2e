/* SPDX-License-Identifier: MIT */
/*
 * The table of read formats
 *
 * One row a format, one file a family (formats/). The read path (read.c)
 * finds a row, learns how many planes the request needs and in which form
 * the format wants its elements, and calls `encode` row by row. `decode` is
 * the way back to fp32 for clients. A new format is one file and one row.
 */
#ifndef SMARTQUANT_FORMAT_H
#define SMARTQUANT_FORMAT_H

#include <stdbool.h>
#include <stdint.h>

#include "controller.h"
#include "group.h"

/* What encode takes. */
enum sqc_source {
	SQC_SOURCE_GROUPS,	/* struct sqc_group, planes as asked for */
	SQC_SOURCE_WORDS,	/* the stored words, bit exact */
	SQC_SOURCE_VALUES,	/* the stored values as fp32, exact */
	SQC_SOURCE_PLANES,	/* raw plane bytes, copied by the reader itself */
};

/* Where one row of output goes; sections a format lacks are NULL. */
struct sqc_row_out {
	uint8_t *codes;
	uint8_t *micro;
	uint8_t *scales;
};

struct sqc_row_in {
	const uint8_t *codes;
	const uint8_t *micro;
	const uint8_t *scales;
};

struct sqc_format {
	uint16_t code;			/* SQ_FORMAT_* */
	const char *name;
	enum sqc_source source;
	uint8_t bits;			/* n: of one code, sign included; 0: the dtype's */
	uint8_t block;			/* elements that share a scale; 0: none */
	uint8_t scale_bytes;		/* for a block; 0 when interleaved with the codes */
	uint8_t micro_bits;		/* for a block */
	uint8_t code_block_bytes;	/* interleaved formats: bytes of a block; else 0 */
	uint8_t default_rounding;
	/* Rounding applied to the elements: the block formats accept all
	 * three, the others only SQ_ROUNDING_EVEN. */
	bool takes_rounding;
	/* One row of `cols` elements. Groups: ceil(cols / 32) of them, the
	 * last one padded with +0. Words: of the dtype. Values: fp32.
	 * Writes exactly the row's code, micro and scale bytes. */
	void (*encode)(const struct sqc_format *format, uint8_t rounding,
		       uint8_t dtype, const void *source, uint32_t cols,
		       const struct sqc_row_out *out);
	void (*decode)(const struct sqc_format *format, uint8_t dtype,
		       const struct sqc_row_in *in, uint32_t cols,
		       float *values);
};

/* The row of a format, or NULL. */
const struct sqc_format *sqc_format_find(uint16_t code);

/*
 * Planes, the sign plane included, that a read in `source` GROUPS needs from
 * `total` = K + 1 planes: n, n + 1, or 0 for "as many as make it exact"
 * (rounding even).
 */
unsigned int sqc_format_planes(const struct sqc_format *format,
			       uint8_t rounding, unsigned int total);

/* Bytes of one row of `cols` columns in each section. */
uint64_t sqc_format_code_row_bytes(const struct sqc_format *format,
				   uint8_t dtype, uint32_t cols);
uint64_t sqc_format_micro_row_bytes(const struct sqc_format *format, uint32_t cols);
uint64_t sqc_format_scale_row_bytes(const struct sqc_format *format, uint32_t cols);

#endif /* SMARTQUANT_FORMAT_H */
