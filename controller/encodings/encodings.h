/* SPDX-License-Identifier: MIT */
/* The block decoders behind the table of encodings: one function a block
 * type, `block_count` blocks in, 1, 32 or 256 values a block out. */
#ifndef SMARTQUANT_ENCODINGS_H
#define SMARTQUANT_ENCODINGS_H

#include <stdint.h>

/* floats.c: words of a float type, a block is one word */
void sqc_decode_bf16(const uint8_t *blocks, uint64_t block_count, float *values);
void sqc_decode_fp16(const uint8_t *blocks, uint64_t block_count, float *values);
void sqc_decode_fp32(const uint8_t *blocks, uint64_t block_count, float *values);

/* quants.c: blocks of 32 with a half-precision scale */
void sqc_decode_q4_0(const uint8_t *blocks, uint64_t block_count, float *values);
void sqc_decode_q4_1(const uint8_t *blocks, uint64_t block_count, float *values);
void sqc_decode_q5_0(const uint8_t *blocks, uint64_t block_count, float *values);
void sqc_decode_q5_1(const uint8_t *blocks, uint64_t block_count, float *values);
void sqc_decode_q8_0(const uint8_t *blocks, uint64_t block_count, float *values);

/* kquants.c: superblocks of 256 with 4- to 8-bit scales of their own */
void sqc_decode_q2_k(const uint8_t *blocks, uint64_t block_count, float *values);
void sqc_decode_q3_k(const uint8_t *blocks, uint64_t block_count, float *values);
void sqc_decode_q4_k(const uint8_t *blocks, uint64_t block_count, float *values);
void sqc_decode_q5_k(const uint8_t *blocks, uint64_t block_count, float *values);
void sqc_decode_q6_k(const uint8_t *blocks, uint64_t block_count, float *values);

/* mxfp4.c: OCP's 4-bit elements in ggml's arrangement */
void sqc_decode_mxfp4(const uint8_t *blocks, uint64_t block_count, float *values);

#endif /* SMARTQUANT_ENCODINGS_H */
