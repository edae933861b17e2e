/* SPDX-License-Identifier: MIT */
/* Plain float words of a write, as values: a block is one element. */
#include "encoding.h"
#include "encodings.h"

void sqc_decode_bf16(const uint8_t *blocks, uint64_t block_count, float *values)
{
	sqc_words_to_values(SQ_DTYPE_BF16, blocks, block_count, values);
}

void sqc_decode_fp16(const uint8_t *blocks, uint64_t block_count, float *values)
{
	sqc_words_to_values(SQ_DTYPE_FP16, blocks, block_count, values);
}

void sqc_decode_fp32(const uint8_t *blocks, uint64_t block_count, float *values)
{
	sqc_words_to_values(SQ_DTYPE_FP32, blocks, block_count, values);
}
