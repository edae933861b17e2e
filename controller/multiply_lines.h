/* SPDX-License-Identifier: MIT */
/*
 * Lines of planes times activations: the kernels
 *
 * The weights are the mxint codes m of formats.md: sign and magnitude planes
 * of placement aligned, cut after bits - 1 magnitude planes (rounding
 * truncate), or rounded with one plane more (nearest). A row counts as padded
 * with groups of zeros up to whole lines.
 *
 * A sum has 16 lanes, each fp32, that begin at +0; when the row has ended,
 * lane l + 8 is added to lane l, then l + 4, l + 2 and l + 1
 * (sqc_lanes_sum()). What is added to the lanes, in ascending order:
 *
 *   int8   group after group of the row, group i to lane i % 16:
 *             s = the integer sum of m * activation code over the group
 *             w = (d * 2^(2-bits)) * 2^(e-127), e being the weights' exponent
 *                 byte, a product of two fp32, rounded
 *             lane = fma(s, w, lane), rounded once
 *   fp32   column after column, column j to lane j % 16:
 *             lane = lane + (m * 2^(e-127-(bits-2))) * x[j], each rounded
 *          which is the order of sqc_multiply(), and gives its result.
 *
 * So every version gives the same bits. e = 255 does not occur in planes that
 * a store made; if it does, the lanes of its groups are not numbers.
 */
#ifndef SMARTQUANT_MULTIPLY_LINES_H
#define SMARTQUANT_MULTIPLY_LINES_H

#include "activations.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SQC_LANES			16u
#define SQC_MULTIPLY_PLANES_MAX		9u	/* of 8 bits, and the guard plane */

/* Where the planes of a block begin, and its exponents. */
struct sqc_plane_lines {
	const uint8_t *plane[SQC_MULTIPLY_PLANES_MAX];	/* sign first */
	const uint8_t *exponents;
};

/*
 * Consecutive rows of one block of planes, from the same line on. Lines are 64
 * bytes from any address; a row follows the one before at row_bytes in each
 * plane and row_bytes / 4 in the exponents. All of it is read, also where the
 * last line of a row reaches into the next.
 */
struct sqc_multiply_job {
	const struct sqc_activations *x;
	uint8_t planes;			/* x->bits, or one more: rounding nearest */
	uint32_t first_line;		/* of the activations */
	uint32_t lines;
	uint32_t rows;
	uint64_t row_bytes;
	const struct sqc_plane_lines *at;	/* the block */
	uint64_t byte;			/* of a plane, where the first row's line begins */
	/* For prefetching only: the bytes of a plane, and what is read after them. */
	uint64_t run_bytes;
	const struct sqc_plane_lines *next;
	/* Of each row and column of the activations: [row][column][lane]. */
	float (*lanes)[SQC_LANES];
};

/* Adds the products of a job to its lanes, by the version that kernel.h says. */
void sqc_multiply_lines(const struct sqc_multiply_job *job);

float sqc_lanes_sum(const float lanes[SQC_LANES]);

/* The versions. x86 ones are there only with SQC_KERNELS_X86. */
void sqc_multiply_lines_portable(const struct sqc_multiply_job *job);
void sqc_multiply_lines_avx2(const struct sqc_multiply_job *job);
void sqc_multiply_lines_avx512(const struct sqc_multiply_job *job);

#ifdef __cplusplus
}
#endif

#endif /* SMARTQUANT_MULTIPLY_LINES_H */
