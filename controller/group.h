/* SPDX-License-Identifier: MIT */
/*
 * A group: 32 elements of a row, aligned to one exponent
 *
 * The one intermediate form between plane memory and every block format.
 *
 *            bit 31   30   29  ...  31-j  ...   0
 *   magnitude  A0     A1   A2  ...   Aj   ...  A31        value of Aj: 2^(g-j)
 *
 * Planes that were not read are zero. `sticky` has bit i set when element i
 * is known to have a non-zero bit below those in its magnitude (an escaped
 * element, or what the reader found in planes that it only looked at).
 */
#ifndef SMARTQUANT_GROUP_H
#define SMARTQUANT_GROUP_H

#include <stdint.h>

#include "controller.h"

struct sqc_group {
	uint32_t magnitude[SQC_GROUP_ELEMENTS];
	uint32_t sign;			/* bit i: element i is negative (or -0) */
	uint32_t sticky;
	uint8_t exponent;		/* g + 127; 0 also for a group of zeros */
};

/*
 * Aligns fp32 values (1 to 32 of them; the rest of the group is +0). `planes`
 * limits the magnitude to the first so many planes, 1 to 32; what is cut off
 * sets sticky. All values must be finite.
 */
void sqc_group_align(const float *values, unsigned int count,
		     unsigned int planes, struct sqc_group *group);

/*
 * Between 32 magnitudes and plane words. Word j holds plane Aj, bit i is
 * element i. planes is 1 to 32; scatter leaves lower magnitude bits 0.
 */
void sqc_group_to_planes(const uint32_t magnitude[32], unsigned int planes,
			 uint32_t *words);
void sqc_group_from_planes(const uint32_t *words, unsigned int planes,
			   uint32_t magnitude[32]);

#endif /* SMARTQUANT_GROUP_H */
