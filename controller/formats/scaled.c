/* SPDX-License-Identifier: MIT */
#include "scaled.h"

#include <string.h>

static uint32_t largest_of(const uint32_t *numbers, unsigned int count)
{
	uint32_t largest = 0;

	for (unsigned int i = 0; i < count; i++)
		largest = numbers[i] > largest ? numbers[i] : largest;
	return largest;
}

/*
 * Normal numbers are scaled by taking g from their exponent field. Subnormal
 * ones are their fraction, an integer, times 2^(-149 - g); where that factor
 * is not a normal number they are too small to matter.
 */
static inline void scale_bits(const uint32_t *bits, unsigned int lanes,
			      struct sqc_scaled *scaled)
{
	uint32_t absolute[SQC_GROUP_ELEMENTS];
	uint32_t largest, exponent, down;
	float subnormal_unit;

	for (unsigned int i = 0; i < lanes; i++) {
		absolute[i] = bits[i] & 0x7fffffff;
		scaled->negative[i] = bits[i] >> 31;
	}
	largest = largest_of(absolute, lanes);
	exponent = largest >> 23;
	scaled->exponent = (uint8_t)exponent;
	scaled->zero = largest == 0;
	/* Of the fields: g + 127 becomes 127. Unsigned, it may wrap. */
	down = (exponent - 127) << 23;
	subnormal_unit = exponent <= 104 ? sqc_exp2(-22 - (int)exponent) : 0.0f;
	for (unsigned int i = 0; i < lanes; i++) {
		uint32_t field = absolute[i] >> 23;
		float normal = sqc_float_from_bits(absolute[i] - down);
		float subnormal = (float)(int32_t)absolute[i] * subnormal_unit;

		normal = field + 127 > exponent ? normal : 0.0f;
		scaled->magnitude[i] = field ? normal : subnormal;
	}
}

void sqc_scale_values(const float *values, unsigned int count,
		      unsigned int lanes, struct sqc_scaled *scaled)
{
	uint32_t bits[SQC_GROUP_ELEMENTS] = { 0 };

	memcpy(bits, values, count * sizeof(bits[0]));
	if (lanes == 16)	/* a constant for the compiler */
		scale_bits(bits, 16, scaled);
	else
		scale_bits(bits, 32, scaled);
}

static inline void scale_magnitudes(const struct sqc_group *group, unsigned int first,
				    unsigned int lanes, struct sqc_scaled *scaled)
{
	const uint32_t *magnitude = group->magnitude + first;
	uint32_t largest = largest_of(magnitude, lanes);
	uint32_t drop = largest ? (uint32_t)__builtin_clz(largest) : group->exponent;
	float unit;

	drop = drop < group->exponent ? drop : group->exponent;
	scaled->exponent = (uint8_t)(group->exponent - drop);
	scaled->zero = largest == 0;
	/* The lowest of 24 planes is worth 2^(g - 23). */
	unit = largest ? sqc_exp2((int)drop - 23) : 0.0f;
	for (unsigned int i = 0; i < lanes; i++) {
		scaled->negative[i] = (uint64_t)group->sign >> (first + i) & 1;
		scaled->magnitude[i] = (float)(int32_t)(magnitude[i] >> 8) * unit;
	}
}

void sqc_scale_group(const struct sqc_group *group, unsigned int first,
		     unsigned int lanes, struct sqc_scaled *scaled)
{
	if (group->exponent == SQC_GROUP_NON_FINITE) {
		memset(scaled, 0, sizeof(*scaled));
		scaled->exponent = SQC_GROUP_NON_FINITE;
	} else if (lanes == 16) {
		scale_magnitudes(group, first, 16, scaled);
	} else {
		scale_magnitudes(group, first, 32, scaled);
	}
}
