/* SPDX-License-Identifier: MIT */
/*
 * Placement tuned: one nested code of which every prefix is a good quantiser
 *
 * Elements are normalised by their group's scale, the element of largest
 * magnitude with its sign, to x in [-1, 1]. A region's codebook cuts that
 * range into 8 cells, each of them again in two, down to 256; the number of a
 * cell among 2^n is the first n bits of its number among 256. Every width has
 * its own levels, the values that its cells stand for.
 *
 *      -1        cells of 2 bits         0                       +1
 *       |      00      |      01      |      10      |      11   |
 *       | 000  |  001  | 010  |  011  | 100  |  101  | 110 | 111 |
 *
 * What is left to name the exact word is its rank: how many words of the dtype
 * lie between it and the end of its cell that is farther from 0. Zero is the
 * end of the two cells beside it; there the last rank means zero itself. A
 * word whose rank does not fit is an escape.
 *
 *      plane 0 .. 7      the code, most significant bit first
 *      plane 8 ..        the rank, most significant bit first
 *      scales            16 bits a group: of the dtype (bf16 for fp32, then
 *                        rounded away from zero)
 *
 * There is no sign plane: the code and the scale's sign tell.
 */
#ifndef SMARTQUANT_TUNED_H
#define SMARTQUANT_TUNED_H

#include <stdbool.h>
#include <stdint.h>

#include "controller.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SQC_TUNED_BITS		8u
#define SQC_TUNED_CELLS		256u
/* Cells end at multiples of 1/4096: products with a 16-bit word are exact. */
#define SQC_TUNED_GRID		4096
#define SQC_TUNED_LEVELS	508u	/* 4 + 8 + ... + 256 */
#define SQC_TUNED_PLANES_MAX	29u

/* As it is kept in the store. */
struct sqc_codebook {
	int16_t cut[SQC_TUNED_CELLS + 1];	/* cell c is [cut[c], cut[c + 1]) / 4096 */
	uint16_t reserved;
	float level[SQC_TUNED_LEVELS];	/* of cell c of width n: (1 << n) - 4 + c */
};

/* The levels of a width, 2 to 8 bits. */
const float *sqc_codebook_levels(const struct sqc_codebook *codebook, unsigned int bits);
/* Cuts in order, from -1 to 1, with one at 0; levels finite and reserved 0. */
bool sqc_codebook_valid(const struct sqc_codebook *codebook);

/* Planes of a segment: 13 for bf16, 16 for fp16, 29 for fp32; 0 for others. */
uint32_t sqc_tuned_planes(uint8_t dtype);

/*
 * Makes a codebook from groups of a region's values, in any number: a
 * histogram over x, weighted by the square of the scale, so that errors count
 * as they do in the values. Deterministic.
 */
struct sqc_codebook_builder {
	double weight[2 * SQC_TUNED_GRID + 1];
	double moment[2 * SQC_TUNED_GRID + 1];	/* weight times x */
};

void sqc_codebook_begin(struct sqc_codebook_builder *builder);
/* 32 words of a float dtype, finite, and what each matters; NULL: all alike. */
void sqc_codebook_add(struct sqc_codebook_builder *builder, uint8_t dtype,
		      const void *words, const float *importance);
/* Without any weight the levels are uniform. */
void sqc_codebook_finish(struct sqc_codebook_builder *builder,
			 struct sqc_codebook *codebook);

/* A codebook in the form that coding uses. */
struct sqc_tuned_coder {
	uint8_t cell[2 * SQC_TUNED_GRID];	/* by x, see tuned_code.c */
	uint16_t outer[SQC_TUNED_CELLS];	/* |end farther from 0| of each cell */
	uint8_t negative[SQC_TUNED_CELLS];	/* cell is below 0 */
	uint8_t beside_zero[SQC_TUNED_CELLS];	/* cell ends at 0 */
};

void sqc_tuned_begin(struct sqc_tuned_coder *coder, const struct sqc_codebook *codebook);

/* Codes and ranks of a group, as magnitudes for sqc_group_to_planes(): the
 * code in the upper 8 bits, the rank below. */
struct sqc_tuned_group {
	uint32_t code[SQC_GROUP_ELEMENTS];
	uint32_t escaped;		/* bit i: element i must be listed */
	uint16_t scale;
};

/* 32 words of a float dtype, finite. */
void sqc_tuned_encode(const struct sqc_tuned_coder *coder, uint8_t dtype,
		      const void *words, struct sqc_tuned_group *group);
/* The words, but for those that are escaped. Any bits are safe. */
void sqc_tuned_decode(const struct sqc_tuned_coder *coder, uint8_t dtype,
		      const struct sqc_tuned_group *group, void *words);

#ifdef __cplusplus
}
#endif

#endif /* SMARTQUANT_TUNED_H */
