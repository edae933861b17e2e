/* SPDX-License-Identifier: MIT */
/*
 * The three roundings of formats.md, on the magnitudes of a group
 *
 * Each drops the low `shift` bits (at least 1) of a magnitude and returns
 * what is left, which may carry into one bit more; saturating is up to the
 * caller. `even` needs what is below the magnitude as a sticky bit 0, and two
 * dropped bits or more.
 */
#ifndef SMARTQUANT_ROUNDING_H
#define SMARTQUANT_ROUNDING_H

#include <stdint.h>

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

#endif /* SMARTQUANT_ROUNDING_H */
