/* SPDX-License-Identifier: MIT */
/*
 * ggml's plain block types: 32 elements, a half-precision scale d, for the
 * _1 types an offset m beside it. Byte layouts:
 *
 *   q4_0  d, 16 nibble bytes           d * (q - 8)
 *   q4_1  d, m, 16 nibble bytes        d * q + m
 *   q5_0  d, 4 bytes of high bits, 16 nibble bytes     d * (q - 16)
 *   q5_1  d, m, 4 bytes of high bits, 16 nibble bytes  d * q + m
 *   q8_0  d, 32 signed bytes           d * q
 *
 * The low nibble of byte j is element j, the high nibble element j + 16. The
 * product of a half and a code is exact in fp32, so the values do not depend
 * on how a compiler would contract the sum.
 */
#include "encodings.h"
#include "float_bits.h"
#include "little_endian.h"

#define BLOCK	32

static void low_nibbles(const uint8_t *packed, int codes[BLOCK])
{
	for (int j = 0; j < BLOCK / 2; j++) {
		codes[j] = packed[j] & 0x0f;
		codes[j + BLOCK / 2] = packed[j] >> 4;
	}
}

static void add_fifth_bits(uint32_t high, int codes[BLOCK])
{
	for (int j = 0; j < BLOCK; j++)
		codes[j] |= (int)((high >> j) & 1) << 4;
}

static void scale_and_shift(const int codes[BLOCK], float d, float m, float *values)
{
	for (int j = 0; j < BLOCK; j++)
		values[j] = (float)codes[j] * d + m;
}

static void scale_from_zero(const int codes[BLOCK], int zero, float d, float *values)
{
	for (int j = 0; j < BLOCK; j++)
		values[j] = (float)(codes[j] - zero) * d;
}

void sqc_decode_q4_0(const uint8_t *blocks, uint64_t block_count, float *values)
{
	int codes[BLOCK];

	for (; block_count--; blocks += 18, values += BLOCK) {
		low_nibbles(blocks + 2, codes);
		scale_from_zero(codes, 8, sqc_fp16_to_float(sqc_le16(blocks)), values);
	}
}

void sqc_decode_q4_1(const uint8_t *blocks, uint64_t block_count, float *values)
{
	int codes[BLOCK];

	for (; block_count--; blocks += 20, values += BLOCK) {
		low_nibbles(blocks + 4, codes);
		scale_and_shift(codes, sqc_fp16_to_float(sqc_le16(blocks)),
				sqc_fp16_to_float(sqc_le16(blocks + 2)), values);
	}
}

void sqc_decode_q5_0(const uint8_t *blocks, uint64_t block_count, float *values)
{
	int codes[BLOCK];

	for (; block_count--; blocks += 22, values += BLOCK) {
		low_nibbles(blocks + 6, codes);
		add_fifth_bits(sqc_le32(blocks + 2), codes);
		scale_from_zero(codes, 16, sqc_fp16_to_float(sqc_le16(blocks)), values);
	}
}

void sqc_decode_q5_1(const uint8_t *blocks, uint64_t block_count, float *values)
{
	int codes[BLOCK];

	for (; block_count--; blocks += 24, values += BLOCK) {
		low_nibbles(blocks + 8, codes);
		add_fifth_bits(sqc_le32(blocks + 4), codes);
		scale_and_shift(codes, sqc_fp16_to_float(sqc_le16(blocks)),
				sqc_fp16_to_float(sqc_le16(blocks + 2)), values);
	}
}

void sqc_decode_q8_0(const uint8_t *blocks, uint64_t block_count, float *values)
{
	for (; block_count--; blocks += 34, values += BLOCK) {
		float d = sqc_fp16_to_float(sqc_le16(blocks));

		for (int j = 0; j < BLOCK; j++)
			values[j] = (float)(int8_t)blocks[2 + j] * d;
	}
}
