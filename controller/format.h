/* SPDX-License-Identifier: MIT */
/*
 * The table of read formats
 *
 * One row a format, one file a family (formats/). The read path finds a row,
 * learns how many planes the request needs and in which form the format
 * wants its elements, and calls `encode` row by row. `decode` is the way
 * back to fp32 for clients. A new format is one file and one row.
 */
#ifndef SMARTQUANT_FORMAT_H
#define SMARTQUANT_FORMAT_H

#include <stdbool.h>
#include <stdint.h>

#include "controller.h"
#include "group.h"
#include "planes.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What encode takes. */
enum sqc_source {
	SQC_SOURCE_GROUPS,	/* struct sqc_group, planes as asked for */
	SQC_SOURCE_WORDS,	/* the stored words, bit exact */
	SQC_SOURCE_VALUES,	/* the stored values as fp32, exact */
	SQC_SOURCE_PLANES,	/* raw plane bytes, copied by the reader itself */
	SQC_SOURCE_TUNED,	/* struct sqc_tuned_group, the code's planes as asked for */
	SQC_SOURCE_LEVELS,	/* the region's levels, copied by the reader itself */
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
	/* Of truncate and nearest, and of formats that take no rounding. */
	enum sqc_source source;
	enum sqc_source source_even;	/* of rounding even */
	uint8_t code_bits;		/* of one code, sign included; 0: the dtype's, or interleaved */
	uint8_t planes;			/* that truncate reads, sign included; 0: all */
	uint8_t block;			/* elements that share a scale; 0: none */
	uint8_t scale_bytes;		/* for a block; 0 when interleaved with the codes */
	uint8_t micro_block;		/* elements that share a bit in the micro section; 0: no such */
	uint8_t code_block_bytes;	/* interleaved formats: bytes of a block; else 0 */
	uint8_t default_rounding;
	/* Rounding applied to the elements: the MX formats accept all three,
	 * the others only SQ_ROUNDING_EVEN. */
	bool takes_rounding;
	/* What is made of groups or planes shows the sign of a zero, too. */
	bool signed_zeros;
	/*
	 * One row of `cols` elements, `rounding` resolved. Groups:
	 * ceil(cols / 32) of them, the last one padded with +0; so for
	 * tuned groups. Words: of the
	 * dtype. Values: `cols` of fp32. Writes exactly the row's code, micro
	 * and scale bytes. NULL for SQC_SOURCE_PLANES and _LEVELS.
	 *
	 * A block with a NaN or an infinity in it (placement word) has codes 0
	 * and a scale that is NaN, so all of it decodes to NaN (MX v1.0, 6.3
	 * leaves this to the implementation). For formats with blocks of 16
	 * and rounding truncate or nearest that is the whole group of 32.
	 */
	void (*encode)(const struct sqc_format *format, uint8_t rounding,
		       uint8_t dtype, const void *source, uint32_t cols,
		       const struct sqc_row_out *out);
	/* The same from planes of placement aligned, as many as groups would
	 * have, without making groups. NULL: only encode() can. */
	void (*encode_planes)(const struct sqc_format *format, uint8_t rounding,
			      const struct sqc_planes *planes, uint32_t cols,
			      const struct sqc_row_out *out);
	/* NULL: the format has no numeric values, or (tuned) needs a region's
	 * levels: sqc_decode_levels(). */
	void (*decode)(const struct sqc_format *format, uint8_t dtype,
		       const struct sqc_row_in *in, uint32_t cols,
		       float *values);
};

/* The row of a format, or NULL. */
const struct sqc_format *sqc_format_find(uint16_t code);

/* SQ_ROUNDING_DEFAULT becomes the format's; other values pass unchanged. */
uint8_t sqc_format_rounding(const struct sqc_format *format, uint8_t rounding);
/* Whether a format can be read with a rounding (resolved or DEFAULT). */
bool sqc_format_accepts(const struct sqc_format *format, uint8_t rounding);
/* What encode takes with this rounding (resolved). */
enum sqc_source sqc_format_source(const struct sqc_format *format, uint8_t rounding);

/*
 * Planes, the sign plane included, that a read needs from `total` = K + 1
 * planes: n for truncate, n + 1 for nearest, never more than `total`, or 0
 * for "as many as make it exact" (rounding even, and formats that are not
 * made from groups).
 */
unsigned int sqc_format_planes(const struct sqc_format *format,
			       uint8_t rounding, unsigned int total);

/* Bytes of one row of `cols` columns in each section. Raw planes are not
 * made of rows: 0. */
uint64_t sqc_format_code_row_bytes(const struct sqc_format *format,
				   uint8_t dtype, uint32_t cols);
uint64_t sqc_format_micro_row_bytes(const struct sqc_format *format, uint32_t cols);
uint64_t sqc_format_scale_row_bytes(const struct sqc_format *format, uint32_t cols);

#ifdef __cplusplus
}
#endif

#endif /* SMARTQUANT_FORMAT_H */
