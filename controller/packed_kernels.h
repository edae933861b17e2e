/* SPDX-License-Identifier: MIT */
/*
 * Kernels of the family `packed`: from the streams of a run to planes and signs
 *
 * packed_template.h is their body. What they are given was checked only as far
 * as is said here: none reads a stream further than SQC_PACKED_SLACK bytes
 * behind its end, whatever is in it.
 */
#ifndef SMARTQUANT_PACKED_KERNELS_H
#define SMARTQUANT_PACKED_KERNELS_H

#include "packed.h"

/* Elements in one symbol of the entropy coder. Of 4 to 8, six gave the least
 * bits on weights: longer symbols need longer tables. */
#define SQC_PACKED_SYMBOL_BITS	6u

struct sqc_packed_kernels {
	/* Symbols to a stream of bits, both followed by the slack. False when one
	 * has bits that it may not have. */
	bool (*symbols)(const uint8_t *symbols, size_t count, uint8_t *stream);
	/* The ones of a stream of `bytes` bytes. */
	size_t (*count)(const uint8_t *stream, size_t bytes);
	/* Puts the two streams of a coded plane where they belong; they have as
	 * many bits as `state` and the ones of `fresh` say. */
	void (*place)(struct sqc_packed *state, const uint8_t *fresh, const uint8_t *rest,
		      uint64_t *plane, uint64_t *sign);
	/* The same of a plain plane, with any number of bytes of signs. Returns
	 * how many elements became significant: the signs that it took. */
	size_t (*plain)(struct sqc_packed *state, const uint8_t *bits, const uint8_t *signs,
			size_t sign_bytes, uint64_t *plane, uint64_t *sign);
	/* Gives the elements that never became significant their signs. */
	void (*signs)(const struct sqc_packed *state, const uint8_t *signs, uint64_t *sign);
	/* What led in `plane` has shown its last bit. */
	void (*spend)(struct sqc_packed *state, const uint64_t *plane);
};

/* The version that the family runs now. */
const struct sqc_packed_kernels *sqc_packed_kernel(void);

#endif /* SMARTQUANT_PACKED_KERNELS_H */
