/* SPDX-License-Identifier: MIT */
/*
 * A group: 32 elements of a row, aligned to one exponent
 *
 * The one intermediate form between plane memory and every block format
 * (formats.md, "Placement aligned").
 *
 *            bit 31   30   29  ...  31-j  ...   0
 *   magnitude  A0     A1   A2  ...   Aj   ...  A31        value of Aj: 2^(g-j)
 *
 * Planes that were not read are zero. What lies below the magnitude is told
 * by one bit an element: `sticky` is set when something non-zero is known to
 * be there (cut off by alignment, or an escaped element of which only the
 * planes were read).
 */
#ifndef SMARTQUANT_GROUP_H
#define SMARTQUANT_GROUP_H

#include <stdint.h>

#include "controller.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Exponent byte of a group that holds a NaN or an infinity: the NaN of OCP
 * MX's E8M0 (MX v1.0, 5.4.1). Magnitudes and signs of such a group are 0. */
#define SQC_GROUP_NON_FINITE	0xffu

struct sqc_group {
	uint32_t magnitude[SQC_GROUP_ELEMENTS];
	uint32_t sign;			/* bit i: element i is negative (or -0) */
	uint32_t sticky;
	uint8_t exponent;		/* g + 127; 0 also for a group of zeros */
};

/*
 * Aligns fp32 values (1 to 32 of them; the rest of the group is +0) to
 * g = floor(log2 max |v|), clamped to [-127, 127]. `planes` limits the
 * magnitude to the first so many planes, 1 to 32; what is cut off sets sticky.
 * Subnormals are exact. NaN and infinity
 * give a group of SQC_GROUP_NON_FINITE.
 */
void sqc_group_align(const float *values, unsigned int count,
		     unsigned int planes, struct sqc_group *group);

/*
 * Between 32 magnitudes and plane words. Word j holds plane Aj, bit i is
 * element i. planes is 1 to 32; from_planes leaves lower magnitude bits 0.
 */
void sqc_group_to_planes(const uint32_t magnitude[32], unsigned int planes,
			 uint32_t *words);
void sqc_group_from_planes(const uint32_t *words, unsigned int planes,
			   uint32_t magnitude[32]);

#ifdef __cplusplus
}
#endif

#endif /* SMARTQUANT_GROUP_H */
