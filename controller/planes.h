/* SPDX-License-Identifier: MIT */
/*
 * Planes: from words to bit-planes and back, many elements at once
 *
 * A kernel family (kernel.h). Planes are given by the begin of each one's run;
 * `first` is the element of the runs that a call begins with, a multiple of
 * 32. Plane 0 is the most significant one, with placement aligned the signs.
 * Calls read whole groups of every plane and nothing beyond, and write exactly
 * what they say. [shared]
 */
#ifndef SMARTQUANT_PLANES_H
#define SMARTQUANT_PLANES_H

#include <stdbool.h>
#include <stdint.h>

#include "group.h"
#include "stream.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Where elements are read from. */
struct sqc_planes {
	const uint8_t *const *run;
	uint32_t first;
	/* Placement aligned: the exponent byte of each group, from `first` on. */
	const uint8_t *exponents;
	/* Elements with something below the planes, a word a group from `first`
	 * on; NULL: none. */
	const uint32_t *sticky;
	/* Codes go around the caches, as there are so many that they would not stay
	 * there, in turns with other work. NULL: they do not. */
	const struct sqc_turns *turns;
};

/* Where elements go to: runs from element `first` on. `crc` has the CRC of each
 * run up to there, and gets that of what is written too. */
struct sqc_runs {
	uint8_t *const *run;
	uint32_t first;
	uint32_t *crc;
	bool streaming;		/* around the caches; the words then come from memory, too */
};

/* True when no word of a float dtype is infinite or not a number. */
bool sqc_words_finite(const void *words, uint8_t dtype, uint32_t elements);

/* Words of 1, 2 or 4 bytes from as many planes as they have bits. */
void sqc_planes_to_words(const struct sqc_planes *planes, unsigned int word_bytes,
			 uint32_t elements, void *words);

/*
 * Words of a float dtype from all planes of placement aligned. Exact for what
 * sqc_words_to_aligned() made, but for escapes, whose words are cut.
 */
void sqc_planes_to_floats(const struct sqc_planes *planes, uint8_t dtype, uint32_t elements,
			  void *words);

/*
 * The n-bit codes of mxint (2 to 8) from planes of placement aligned: n of
 * them for truncate, n + 1 (the guard) for nearest and even. Writes
 * ceil(elements * n / 8) bytes.
 */
void sqc_planes_to_codes(const struct sqc_planes *planes, unsigned int n, uint8_t rounding,
			 uint32_t elements, uint8_t *codes);

/* Groups from the sign plane and the `magnitudes` (0 to 32) planes after it. */
void sqc_planes_to_groups(const struct sqc_planes *planes, unsigned int magnitudes,
			  uint32_t groups, struct sqc_group *to);

/* Words of 1, 2 or 4 bytes to planes; elements are whole groups. */
void sqc_words_to_planes(const void *words, unsigned int word_bytes, uint32_t elements,
			 const struct sqc_runs *to);

/*
 * Words of a float dtype to the sign plane and all magnitude planes of
 * placement aligned, the exponent byte of each group, and one bit an element
 * that is set where the planes do not hold all of it (an escape). False when
 * not all words are finite, and then the planes mean nothing.
 */
bool sqc_words_to_aligned(const void *words, uint8_t dtype, uint32_t elements,
			  const struct sqc_runs *to, uint8_t *exponents, uint32_t *sticky);

#ifdef __cplusplus
}
#endif

#endif /* SMARTQUANT_PLANES_H */
