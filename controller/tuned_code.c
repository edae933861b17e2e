/* SPDX-License-Identifier: MIT */
/*
 * Coding with the codebook of a region of placement tuned
 *
 * x = v / scale is looked up in a grid of 1/4096: grid number 4096 + j holds
 * x in [j, j + 1) / 4096, number 4095 - j holds x in (-(j + 1), -j] / 4096, so
 * that both signs are treated alike (-0 is negative). The division is rounded,
 * but cannot reach a grid line that x is below of: for 16-bit words they are
 * at least 2^-20 of the scale apart. (With fp32 it can; the rank then does not
 * fit, and the element is an escape.)
 *
 * Ranks count in the words without their sign, whose order is that of the
 * magnitudes. The first word that is outside of a cell is the smallest one of
 * at least outer * |scale|, a product that is exact for 16-bit words, and one
 * more where the cell ends at 1, which belongs to it.
 */
#include <string.h>

#include "encoding.h"
#include "float_bits.h"
#include "tuned.h"

#define GRID		SQC_TUNED_GRID
#define GROUP		SQC_GROUP_ELEMENTS

/* Scales below 2^-100 are left out: there products would become subnormal,
 * which a CPU may be set to flush. Their elements are escapes. */
#define SCALE_BITS_MIN	((127u - 100u) << 23)

/* Ranks span a quarter of an octave of words: a plane more saves fewer
 * escapes than it costs bits, down to about here. */
struct word_type {
	uint8_t rank_bits;
	uint8_t bytes;
	uint32_t sign;
};

static const struct word_type word_types[] = {
	[SQ_DTYPE_BF16] = { 5, 2, 0x8000 },
	[SQ_DTYPE_FP16] = { 8, 2, 0x8000 },
	[SQ_DTYPE_FP32] = { 21, 4, 0x80000000 },
};

uint32_t sqc_tuned_planes(uint8_t dtype)
{
	return sqc_dtype_planes(dtype) ? SQC_TUNED_BITS + word_types[dtype].rank_bits : 0;
}

const float *sqc_codebook_levels(const struct sqc_codebook *codebook, unsigned int bits)
{
	return codebook->level + (1u << bits) - 4;
}

bool sqc_codebook_valid(const struct sqc_codebook *codebook)
{
	bool zero = false;

	if (codebook->cut[0] != -GRID || codebook->cut[SQC_TUNED_CELLS] != GRID ||
	    codebook->reserved)
		return false;
	for (unsigned int c = 0; c < SQC_TUNED_CELLS; c++) {
		if (codebook->cut[c + 1] < codebook->cut[c])
			return false;
		zero |= codebook->cut[c] == 0;
	}
	for (unsigned int i = 0; i < SQC_TUNED_LEVELS; i++) {
		if ((sqc_float_bits(codebook->level[i]) & 0x7fffffff) >= 0x7f800000)
			return false;
	}
	return zero;
}

void sqc_tuned_begin(struct sqc_tuned_coder *coder, const struct sqc_codebook *codebook)
{
	for (unsigned int c = 0; c < SQC_TUNED_CELLS; c++) {
		int low = codebook->cut[c], high = codebook->cut[c + 1];

		coder->negative[c] = low < 0;
		coder->outer[c] = (uint16_t)(low < 0 ? -low : high);
		coder->beside_zero[c] = low < high && (low == 0 || high == 0);
		for (int at = low; at < high; at++)
			coder->cell[GRID + at] = (uint8_t)c;
	}
}

/* ---------------------------------------------------------------- words */

static void load_words(uint8_t dtype, const void *words, uint32_t bits[GROUP])
{
	uint16_t halves[GROUP];

	if (word_types[dtype].bytes == 4) {
		memcpy(bits, words, GROUP * sizeof(*bits));
		return;
	}
	memcpy(halves, words, sizeof(halves));
	for (unsigned int i = 0; i < GROUP; i++)
		bits[i] = halves[i];
}

static void store_words(uint8_t dtype, const uint32_t bits[GROUP], void *words)
{
	uint16_t halves[GROUP];

	if (word_types[dtype].bytes == 4) {
		memcpy(words, bits, GROUP * sizeof(*bits));
		return;
	}
	for (unsigned int i = 0; i < GROUP; i++)
		halves[i] = (uint16_t)bits[i];
	memcpy(words, halves, sizeof(halves));
}

/* The smallest half-precision word of at least a value. Subnormal ones count
 * in units of 2^-24. */
static uint32_t fp16_at_least(float value)
{
	uint32_t bits = sqc_float_bits(value);
	float units = value * 16777216.0f;

	if (bits >= 113u << 23)
		return (bits - (112u << 23) + 0x1fff) >> 13;
	return (uint32_t)(int32_t)units + ((float)(int32_t)units < units);
}

static inline uint32_t word_at_least(uint8_t dtype, float value)
{
	if (dtype == SQ_DTYPE_BF16)
		return (sqc_float_bits(value) + 0xffff) >> 16;
	if (dtype == SQ_DTYPE_FP16)
		return fp16_at_least(value);
	return sqc_float_bits(value);
}

/* The first word behind a cell, seen from 0. */
static inline uint32_t word_behind(uint8_t dtype, uint32_t outer, float scale)
{
	return word_at_least(dtype, (float)(int32_t)outer * (1.0f / GRID) * scale) +
	       (outer == GRID);
}

/* ---------------------------------------------------------------- scale */

static uint32_t largest_of(const uint32_t bits[GROUP])
{
	uint32_t largest = 0;

	for (unsigned int i = 0; i < GROUP; i++) {
		uint32_t absolute = bits[i] & 0x7fffffff;

		largest = absolute > largest ? absolute : largest;
	}
	return largest;
}

/* The sign, as bit 31, of the first element of largest magnitude. */
static uint32_t sign_of(const uint32_t bits[GROUP], uint32_t largest)
{
	unsigned int i = 0;

	while ((bits[i] & 0x7fffffff) != largest)
		i++;
	return bits[i] & 0x80000000;
}

/* The scale of fp32 elements as bf16, away from zero; at most the largest. */
static uint16_t wide_scale(uint32_t largest)
{
	uint32_t up = (largest + 0xffff) >> 16;

	return (uint16_t)(up < 0x7f7f ? up : 0x7f7f);
}

static uint16_t scale_word(uint8_t dtype, uint32_t largest, uint32_t sign)
{
	float value = sqc_float_from_bits(largest);
	uint16_t word;

	if (dtype == SQ_DTYPE_FP32)
		word = wide_scale(largest);
	else
		sqc_values_to_words(dtype, &value, 1, &word);
	return (uint16_t)(word | sign >> 16);
}

/* |scale| as fp32 bits. */
static uint32_t scale_bits(uint8_t dtype, uint16_t scale)
{
	uint16_t absolute = scale & 0x7fff;

	return sqc_float_bits(dtype == SQ_DTYPE_FP16 ? sqc_fp16_to_float(absolute)
						     : sqc_bf16_to_float(absolute));
}

/* --------------------------------------------------------------- coding */

/* Grid numbers of the elements; of a group of zeros, the ones beside 0. Very
 * small groups are scaled up: by 2^100, subnormals through their integers. */
static void grid_numbers(const uint32_t bits[GROUP], uint32_t scale, uint32_t sign,
			 uint32_t grid[GROUP])
{
	const float up = sqc_exp2(100);
	bool small = scale < SCALE_BITS_MIN;
	float whole = sqc_float_from_bits(scale);

	if (scale == 0)
		whole = 1.0f;
	else if (small)
		whole = scale < 0x800000 ? (float)(int32_t)scale * sqc_exp2(-49) : whole * up;
	for (unsigned int i = 0; i < GROUP; i++) {
		uint32_t absolute = bits[i] & 0x7fffffff;
		float part = sqc_float_from_bits(absolute);
		uint32_t negative = (bits[i] ^ sign) >> 31;
		uint32_t j;

		if (small)
			part = absolute < 0x800000 ? (float)(int32_t)absolute * sqc_exp2(-49)
						   : part * up;
		j = (uint32_t)(int32_t)(part / whole * (float)GRID);
		j = j < GRID ? j : GRID - 1;
		grid[i] = negative ? GRID - 1 - j : GRID + j;
	}
}

/* `dtype` is a constant of the caller, so that each gets loops of its own. */
static inline void encode_ranks(const struct sqc_tuned_coder *coder, uint8_t dtype,
				const uint32_t word[GROUP], const uint32_t grid[GROUP],
				float scale, struct sqc_tuned_group *group)
{
	const struct word_type *type = &word_types[dtype];
	uint32_t ranks = 1u << type->rank_bits;
	uint32_t cell[GROUP], outer[GROUP], beside_zero[GROUP], fits[GROUP];

	for (unsigned int i = 0; i < GROUP; i++) {
		cell[i] = coder->cell[grid[i]];
		outer[i] = coder->outer[cell[i]];
		beside_zero[i] = coder->beside_zero[cell[i]];
	}
	for (unsigned int i = 0; i < GROUP; i++) {
		uint32_t absolute = word[i] & (type->sign - 1);
		uint32_t rank = word_behind(dtype, outer[i], scale) - 1 - absolute;
		uint32_t zero = beside_zero[i] & (absolute == 0);

		fits[i] = zero | ((rank < ranks - beside_zero[i]) & (scale != 0.0f));
		rank = zero ? ranks - 1 : rank;
		rank = fits[i] ? rank : 0;
		group->code[i] = cell[i] << 24 | rank << (24 - type->rank_bits);
	}
	for (unsigned int i = 0; i < GROUP; i++)
		group->escaped |= (fits[i] ^ 1) << i;
}

void sqc_tuned_encode(const struct sqc_tuned_coder *coder, uint8_t dtype,
		      const void *words, struct sqc_tuned_group *group)
{
	uint32_t word[GROUP], bits[GROUP], grid[GROUP];
	float values[GROUP];
	uint32_t largest, scale, sign;

	load_words(dtype, words, word);
	sqc_words_to_values(dtype, words, GROUP, values);
	memcpy(bits, values, sizeof(bits));
	largest = largest_of(bits);
	sign = sign_of(bits, largest);
	group->scale = scale_word(dtype, largest, sign);
	group->escaped = 0;
	scale = scale_bits(dtype, group->scale);
	grid_numbers(bits, scale, sign, grid);
	/* A scale of 0 makes every element but zeros an escape. */
	scale = scale < SCALE_BITS_MIN ? 0 : scale;
	if (dtype == SQ_DTYPE_BF16)
		encode_ranks(coder, SQ_DTYPE_BF16, word, grid, sqc_float_from_bits(scale), group);
	else if (dtype == SQ_DTYPE_FP16)
		encode_ranks(coder, SQ_DTYPE_FP16, word, grid, sqc_float_from_bits(scale), group);
	else
		encode_ranks(coder, SQ_DTYPE_FP32, word, grid, sqc_float_from_bits(scale), group);
}

static inline void decode_ranks(const struct sqc_tuned_coder *coder, uint8_t dtype,
				const uint32_t code[GROUP], float scale,
				uint32_t flip, uint32_t word[GROUP])
{
	const struct word_type *type = &word_types[dtype];
	uint32_t last_rank = (1u << type->rank_bits) - 1;
	uint32_t outer[GROUP], beside_zero[GROUP], negative[GROUP];

	for (unsigned int i = 0; i < GROUP; i++) {
		uint32_t cell = code[i] >> 24;

		outer[i] = coder->outer[cell];
		beside_zero[i] = coder->beside_zero[cell];
		negative[i] = coder->negative[cell] ^ flip;
	}
	for (unsigned int i = 0; i < GROUP; i++) {
		uint32_t rank = code[i] >> (24 - type->rank_bits) & last_rank;
		uint32_t behind = word_behind(dtype, outer[i], scale);
		uint32_t absolute = behind > rank ? behind - 1 - rank : 0;
		uint32_t zero = beside_zero[i] & (rank == last_rank);

		absolute = zero ? 0 : absolute & (type->sign - 1);
		word[i] = absolute | (negative[i] ? type->sign : 0);
	}
}

void sqc_tuned_decode(const struct sqc_tuned_coder *coder, uint8_t dtype,
		      const struct sqc_tuned_group *group, void *words)
{
	uint32_t bits = scale_bits(dtype, group->scale);
	float scale = sqc_float_from_bits(bits < SCALE_BITS_MIN ? 0 : bits);
	uint32_t flip = group->scale >> 15;
	uint32_t word[GROUP];

	if (dtype == SQ_DTYPE_BF16)
		decode_ranks(coder, SQ_DTYPE_BF16, group->code, scale, flip, word);
	else if (dtype == SQ_DTYPE_FP16)
		decode_ranks(coder, SQ_DTYPE_FP16, group->code, scale, flip, word);
	else
		decode_ranks(coder, SQ_DTYPE_FP32, group->code, scale, flip, word);
	store_words(dtype, word, words);
}
