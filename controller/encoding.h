/* SPDX-License-Identifier: MIT */
/*
 * The table of store encodings: what the data of a write may look like
 *
 * Every encoding decodes to fp32; the dtype then rounds to nearest even.
 * ggml's block types give the values that ggml's reference gives (its
 * arithmetic in fp32, in its order). One row an encoding; the block types
 * live in encodings/.
 */
#ifndef SMARTQUANT_ENCODING_H
#define SMARTQUANT_ENCODING_H

#include <stdbool.h>
#include <stdint.h>

#include "controller.h"

#ifdef __cplusplus
extern "C" {
#endif

struct sqc_encoding {
	uint16_t code;			/* SQ_ENCODING_* */
	const char *name;		/* "q4_1", "bf16" */
	uint32_t block_elements;	/* 1 for plain floats */
	uint32_t block_bytes;
	bool exact;			/* plain float: needs SQ_STORE_ROUND when not the dtype */
	void (*decode)(const uint8_t *blocks, uint64_t block_count, float *values);
};

/* The row of an encoding; NULL for an unknown one and SQ_ENCODING_DTYPE. */
const struct sqc_encoding *sqc_encoding_find(uint16_t code);

/*
 * Words of a dtype and fp32. Widening is exact; NaNs stay NaNs with their
 * payload. Narrowing rounds to nearest even: overflow gives infinity, a NaN a
 * quiet NaN; int8 saturates and takes NaN as 0. Words are little-endian, of
 * sqc_dtype_bytes(). Any alignment of `words`.
 */
void sqc_words_to_values(uint8_t dtype, const void *words, uint64_t count, float *values);
void sqc_values_to_words(uint8_t dtype, const float *values, uint64_t count, void *words);

#ifdef __cplusplus
}
#endif

#endif /* SMARTQUANT_ENCODING_H */
