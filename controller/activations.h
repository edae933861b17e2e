/* SPDX-License-Identifier: MIT */
/*
 * Activations: the right side of a product with planes
 *
 * One to SQC_COLUMNS_MAX columns of as many values as the matrix has columns,
 * made ready once a product for every version of the kernel (multiply_lines.h).
 *
 * SQC_ARITHMETIC_INT8 makes 8-bit codes of them, in groups of 32 (the last
 * one padded with zeros), each group with a scale of its own:
 *
 *   a     the largest |x| of the group
 *   d     a / 127
 *   code  x * (127 / a), rounded to an integer, half to even: -127 to 127
 *
 * each step rounded to fp32; x is about code * d, wrong by at most d / 2 (and
 * the rounding of the steps). A group with a below 2^-100 is all zeros, with
 * d = 0. SQC_ARITHMETIC_FP32 keeps the values.
 *
 * NaN and infinity have no code, and are refused with either arithmetic.
 */
#ifndef SMARTQUANT_ACTIVATIONS_H
#define SMARTQUANT_ACTIVATIONS_H

#include "controller.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SQC_COLUMNS_MAX			16u

enum sqc_arithmetic {
	SQC_ARITHMETIC_INT8,
	SQC_ARITHMETIC_FP32,
};

/*
 * The codes of `count` values (1 to 32 of them) and their scale. False when a
 * value is NaN or infinite; then nothing was written.
 */
bool sqc_activation_group(const float *x, uint32_t count, int8_t codes[SQC_GROUP_ELEMENTS],
			  float *scale);

/* What the kernels use of 512 values as int8. */
struct sqc_activation_line {
	/* In the order in which the kernel has the codes of a line of planes, see
	 * sqc_activation_place(). */
	int8_t codes[SQC_LINE_ELEMENTS];
	/* Of each group: what makes a sum over codes + 2^(bits-1) one over codes. */
	int32_t start[SQC_LINE_ELEMENTS / SQC_GROUP_ELEMENTS];
	/* d * 2^(2 - bits): a code's unit without the weights' exponent. */
	float scales[SQC_LINE_ELEMENTS / SQC_GROUP_ELEMENTS];
};

struct sqc_activations {
	enum sqc_arithmetic arithmetic;
	uint8_t bits;			/* of the weights */
	uint32_t lines;			/* of a column */
	uint32_t columns;
	/* One of them: column after column. */
	const struct sqc_activation_line *int8;
	const float *fp32;		/* 512 values a line, padded with zeros */
};

/*
 * Byte b of a line of planes holds elements 8b .. 8b+7. Where the code of element
 * 8b+j lies in sqc_activation_line.codes, which is where the kernel has the
 * weight's; `bits` are those of the weights, 2 to 8.
 *
 * Up to 4 bits the kernel moves no byte: vector j has in byte b the code of
 * element 8b+j. So the four bytes of a group of 32 are a dword of each vector.
 *
 * More bits are transposed. Bytes travel together, and become eight bytes that
 * lie side by side. The kernel interleaves the bytes of 8 planes in 3 steps within
 * lanes of 16 bytes; in the end a vector holds, in each lane, two quadwords of
 * a byte's codes:
 *
 *   b within the lane, 4 bits:   vector (3) | quadword (1)
 */
static inline uint32_t sqc_activation_place(unsigned int bits, uint32_t b, uint32_t j)
{
	const uint32_t lane = b / 16, vector = b % 16 / 2, quadword = b % 2;

	return bits > 4 ? vector * SQC_LINE_BYTES + lane * 16 + quadword * 8 + j :
			  j * SQC_LINE_BYTES + b;
}

/* Memory, 64-byte aligned, that sqc_activations_make() needs. Products of 32-bit
 * numbers of columns and at most SQC_COLUMNS_MAX do not overflow. */
uint64_t sqc_activations_bytes(enum sqc_arithmetic arithmetic, uint32_t cols, uint32_t columns);

/*
 * Makes `columns` columns of `cols` values each, one after the other in `x`,
 * ready for weights of so many bits; `memory` holds the result.
 * Errors: NON_FINITE (*error_at: index in x of the first such value).
 */
sqc_status sqc_activations_make(struct sqc_activations *activations,
				enum sqc_arithmetic arithmetic, unsigned int bits, uint32_t cols,
				uint32_t columns, const float *x, void *memory, uint64_t *error_at);

#ifdef __cplusplus
}
#endif

#endif /* SMARTQUANT_ACTIVATIONS_H */
