/* SPDX-License-Identifier: MIT */
/*
 * The three roundings of formats.md, on magnitudes
 *
 * Each drops the low `shift` bits (at least 1) of a magnitude and returns
 * what is left, which may carry into one bit more; saturating is up to the
 * caller. `even` needs what is below the magnitude as a sticky bit 0, and two
 * dropped bits or more.
 */
#ifndef SMARTQUANT_ROUNDING_H
#define SMARTQUANT_ROUNDING_H

#include <stdint.h>

#include "group.h"

static inline uint32_t sqc_round32_truncate(uint32_t x, unsigned int shift)
{
	return x >> shift;
}

/* Half away from zero: only the first dropped bit decides. */
static inline uint32_t sqc_round32_nearest(uint32_t x, unsigned int shift)
{
	return ((x >> (shift - 1)) + 1) >> 1;
}

/* The sum x + half - 1 + odd cannot be made in 32 bits: halve x first, which
 * keeps its sticky bit. */
static inline uint32_t sqc_round32_even(uint32_t x, unsigned int shift)
{
	uint32_t halved = (x >> 1) | (x & 1);
	uint32_t below_half = (UINT32_C(1) << (shift - 2)) - 1;

	return (halved + below_half + ((x >> shift) & 1)) >> (shift - 1);
}

static inline uint64_t sqc_round64_truncate(uint64_t x, unsigned int shift)
{
	return x >> shift;
}

static inline uint64_t sqc_round64_nearest(uint64_t x, unsigned int shift)
{
	return ((x >> (shift - 1)) + 1) >> 1;
}

/* For x below 2^63. */
static inline uint64_t sqc_round64_even(uint64_t x, unsigned int shift)
{
	return (x + (UINT64_C(1) << (shift - 1)) - 1 + ((x >> shift) & 1)) >> shift;
}

/* One of the three by its code; inlined where `rounding` is a constant. */
static inline uint64_t sqc_round64(uint64_t x, unsigned int shift, uint8_t rounding)
{
	if (rounding == SQ_ROUNDING_TRUNCATE)
		return sqc_round64_truncate(x, shift);
	if (rounding == SQ_ROUNDING_NEAREST)
		return sqc_round64_nearest(x, shift);
	return sqc_round64_even(x, shift);
}

/* Where sqc_jam64() puts A0, the bit of value 2^g. */
#define SQC_JAM_TOP	62

/* Element i with all that is known of it: A0 at bit 62, guard at bit 30,
 * sticky at bit 0. Rounds correctly at any place that is above guard. */
static inline uint64_t sqc_jam64(const struct sqc_group *group, unsigned int i)
{
	return (uint64_t)group->magnitude[i] << 31 |
	       (uint64_t)((group->guard >> i) & 1) << 30 |
	       ((group->sticky >> i) & 1);
}

#endif /* SMARTQUANT_ROUNDING_H */
