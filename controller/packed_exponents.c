/* SPDX-License-Identifier: MIT */
/* Coding packed: the group exponents of a segment. See packed.h. */
#include "packed.h"

#define EACH		0u	/* one a symbol */
#define PAIRS		1u	/* two a symbol, 4 bits each above the least one */
#define HEAD_BYTES	2u	/* which of them, the least exponent (EACH: 0) */
#define PAIR_RANGE	16u

/* False when the exponents differ too much for pairs. */
static bool pairs_make(const uint8_t *exponents, size_t count, uint8_t *least, uint8_t *pairs)
{
	uint8_t low = 255, high = 0;

	for (size_t i = 0; i < count; i++) {
		low = exponents[i] < low ? exponents[i] : low;
		high = exponents[i] > high ? exponents[i] : high;
	}
	if (high - low >= (int)PAIR_RANGE)
		return false;
	*least = low;
	for (size_t i = 0; i < count; i += 2)
		pairs[i / 2] = (uint8_t)((exponents[i] - low) |
					 (i + 1 < count ? exponents[i + 1] - low : 0) << 4);
	return true;
}

size_t sqc_packed_encode_exponents(const uint8_t *exponents, size_t count, void *encoder,
				   uint8_t *run)
{
	uint8_t pairs[SQC_SEGMENT_ELEMENTS / SQC_GROUP_ELEMENTS / 2];

	run[0] = EACH;
	run[1] = 0;
	if (!pairs_make(exponents, count, &run[1], pairs))
		return HEAD_BYTES + sqc_packed_encode_bytes(exponents, count, encoder,
							    run + HEAD_BYTES);
	run[0] = PAIRS;
	return HEAD_BYTES + sqc_packed_encode_bytes(pairs, (count + 1) / 2, encoder,
						    run + HEAD_BYTES);
}

/* False when there is one too many, or one that is no exponent. */
static bool pairs_take(const uint8_t *pairs, size_t count, uint8_t least, uint8_t *exponents)
{
	unsigned int high = 0;

	if (count % 2 && pairs[count / 2] >> 4)
		return false;
	for (size_t i = 0; i < count / 2; i++) {
		const uint8_t pair = pairs[i];

		exponents[2 * i] = (uint8_t)(least + (pair & 15));
		exponents[2 * i + 1] = (uint8_t)(least + (pair >> 4));
		high |= (least + (pair & 15u)) | (least + (pair >> 4));
	}
	if (count % 2)
		exponents[count - 1] = (uint8_t)(least + (pairs[count / 2] & 15));
	return high <= 255;
}

int sqc_packed_decode_exponents(const uint8_t *run, size_t run_bytes, uint8_t *exponents,
				size_t count, void *decoder)
{
	uint8_t pairs[SQC_SEGMENT_ELEMENTS / SQC_GROUP_ELEMENTS / 2];

	if (run_bytes < HEAD_BYTES || run[0] > PAIRS || (run[0] == EACH && run[1]))
		return -1;
	if (run[0] == EACH)
		return sqc_packed_decode_bytes(run + HEAD_BYTES, run_bytes - HEAD_BYTES, exponents,
					       count, decoder);
	if (sqc_packed_decode_bytes(run + HEAD_BYTES, run_bytes - HEAD_BYTES, pairs,
				    (count + 1) / 2, decoder))
		return -1;
	return pairs_take(pairs, count, run[1], exponents) ? 0 : -1;
}
