/* SPDX-License-Identifier: MIT */
/*
 * Elements scaled by their block: the form in which MXFP and MX round
 *
 * A magnitude is an fp32 number y = |v| / 2^g in [0, 2), so that the CPU's own
 * addition rounds it: with c = 2^23 units, y + c is y rounded to whole units
 * (nearest even), and its bits minus those of c are the number of units.
 * Everything here is branch-free over a block, for vector units. Below 2^-126
 * a magnitude counts as zero: far under half a unit of any format.
 */
#ifndef SMARTQUANT_SCALED_H
#define SMARTQUANT_SCALED_H

#include <stdbool.h>
#include <stdint.h>

#include "float_bits.h"
#include "group.h"

struct sqc_scaled {
	float magnitude[SQC_GROUP_ELEMENTS];
	uint32_t negative[SQC_GROUP_ELEMENTS];	/* 0 or 1 */
	uint8_t exponent;			/* g + 127; SQC_GROUP_NON_FINITE */
	bool zero;				/* all elements are */
};

/* `count` values as a block of `lanes` (16 or 32), the rest of it +0. Exact. */
void sqc_scale_values(const float *values, unsigned int count,
		      unsigned int lanes, struct sqc_scaled *scaled);

/* Elements [first, first + lanes) of a group as a block of their own: g is
 * that of their largest magnitude. For groups of at most 24 planes. */
void sqc_scale_group(const struct sqc_group *group, unsigned int first,
		     unsigned int lanes, struct sqc_scaled *scaled);

/* The number c of a unit of 2^exponent, as bits. */
static inline uint32_t sqc_rounder(int unit_exponent)
{
	return (uint32_t)(unit_exponent + 23 + 127) << 23;
}

/* `y` in units; `rounding` is a constant of the caller. */
static inline uint32_t sqc_round_scaled(float y, uint32_t rounder, uint8_t rounding)
{
	float sum = y + sqc_float_from_bits(rounder);
	uint32_t units = sqc_float_bits(sum) - rounder;
	float rounded = sum - sqc_float_from_bits(rounder);
	float half_unit = sqc_float_from_bits(rounder - (24u << 23));

	if (rounding == SQ_ROUNDING_TRUNCATE)
		units -= rounded > y;
	else if (rounding == SQ_ROUNDING_NEAREST)	/* a tie that went down */
		units += y - rounded == half_unit;
	return units;
}

#endif /* SMARTQUANT_SCALED_H */
