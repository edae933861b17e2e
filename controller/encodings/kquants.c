/* SPDX-License-Identifier: MIT */
/*
 * ggml's k-quants: superblocks of 256 elements. One or two half-precision
 * numbers scale a set of small integer scales, which scale the codes of 16
 * (q2_k, q3_k, q6_k) or 32 (q4_k, q5_k) elements:
 *
 *         bytes in order                              value
 *   q2_k  scales 16, codes 64, d, dmin                d*s * q - dmin*m
 *   q3_k  high bits 32, codes 64, scales 12, d        d*(s-32) * (q - 4)
 *   q4_k  d, dmin, scales 12, codes 128               d*s * q - dmin*m
 *   q5_k  d, dmin, scales 12, high bits 32, codes 128 d*s * q - dmin*m
 *   q6_k  low 128, high 64, scales 16, d              d*s * (q - 32)
 *
 * The products with d and the scale are exact in fp32, so only the last
 * operation rounds, however a compiler would contract it (in q6_k the last
 * product).
 */
#include "encodings.h"
#include "float_bits.h"
#include "little_endian.h"

#define SUPER		256

static float half_at(const uint8_t *bytes)
{
	return sqc_fp16_to_float(sqc_le16(bytes));
}

/* 2-bit codes: four layers of 32 elements in each 32 bytes. */
static int two_bit_code(const uint8_t *codes, int element)
{
	int byte = element / 128 * 32 + element % 32;

	return (codes[byte] >> (element % 128 / 32 * 2)) & 3;
}

void sqc_decode_q2_k(const uint8_t *blocks, uint64_t block_count, float *values)
{
	for (; block_count--; blocks += 84, values += SUPER) {
		const uint8_t *codes = blocks + 16;
		float d = half_at(blocks + 80);
		float dmin = half_at(blocks + 82);

		for (int i = 0; i < SUPER; i++) {
			uint8_t scale = blocks[i / 16];
			float step = d * (float)(scale & 0x0f);
			float base = dmin * (float)(scale >> 4);

			values[i] = step * (float)two_bit_code(codes, i) - base;
		}
	}
}

/* Sixteen 6-bit scales in 12 bytes: the low nibbles of 0 .. 7, the low nibbles
 * of 8 .. 15 above them, then four layers of upper bit pairs. */
static int q3_k_scale(const uint8_t *scales, int k)
{
	int low = (scales[k % 8] >> (k / 8 * 4)) & 0x0f;
	int high = (scales[8 + k % 4] >> (k / 4 * 2)) & 3;

	return low | high << 4;
}

void sqc_decode_q3_k(const uint8_t *blocks, uint64_t block_count, float *values)
{
	for (; block_count--; blocks += 110, values += SUPER) {
		const uint8_t *codes = blocks + 32;
		const uint8_t *scales = blocks + 96;
		float d = half_at(blocks + 108);

		for (int i = 0; i < SUPER; i++) {
			int high = (blocks[i % 32] >> (i / 32)) & 1;
			int code = two_bit_code(codes, i) + 4 * high - 4;
			float step = d * (float)(q3_k_scale(scales, i / 16) - 32);

			values[i] = step * (float)code;
		}
	}
}

/* Eight pairs of 6-bit scale and minimum in 12 bytes: the first four whole in
 * bytes 0 .. 7, of the others the low nibbles in bytes 8 .. 11 and the upper
 * pairs of bits above the first four. */
static void q4_k_scale(const uint8_t *scales, int k, int *scale, int *minimum)
{
	if (k < 4) {
		*scale = scales[k] & 0x3f;
		*minimum = scales[k + 4] & 0x3f;
	} else {
		*scale = (scales[k + 4] & 0x0f) | scales[k - 4] >> 6 << 4;
		*minimum = scales[k + 4] >> 4 | scales[k] >> 6 << 4;
	}
}

/* 32 elements of q4_k or q5_k; `high` is NULL or holds their fifth bits. */
static void decode_32(const uint8_t *block, int k, const uint8_t *codes,
		      const uint8_t *high, float *values)
{
	int scale, minimum;
	float step, base;

	q4_k_scale(block + 4, k, &scale, &minimum);
	step = half_at(block) * (float)scale;
	base = half_at(block + 2) * (float)minimum;
	codes += k / 2 * 32;
	for (int i = 0; i < 32; i++) {
		int code = (codes[i] >> (k % 2 * 4)) & 0x0f;

		if (high)
			code |= ((high[i] >> k) & 1) << 4;
		values[i] = step * (float)code - base;
	}
}

void sqc_decode_q4_k(const uint8_t *blocks, uint64_t block_count, float *values)
{
	for (; block_count--; blocks += 144, values += SUPER) {
		for (int k = 0; k < SUPER / 32; k++)
			decode_32(blocks, k, blocks + 16, NULL, values + 32 * k);
	}
}

void sqc_decode_q5_k(const uint8_t *blocks, uint64_t block_count, float *values)
{
	for (; block_count--; blocks += 176, values += SUPER) {
		for (int k = 0; k < SUPER / 32; k++)
			decode_32(blocks, k, blocks + 48, blocks + 16, values + 32 * k);
	}
}

/* In each half of 128: low nibbles in two layers of 64 bytes, upper pairs of
 * bits in four layers of 32. */
static int q6_k_code(const uint8_t *block, int element)
{
	int half = element / 128;
	int i = element % 128;
	int low = block[64 * half + i % 64] >> (i / 64 * 4) & 0x0f;
	int high = block[128 + 32 * half + i % 32] >> (i / 32 * 2) & 3;

	return (low | high << 4) - 32;
}

void sqc_decode_q6_k(const uint8_t *blocks, uint64_t block_count, float *values)
{
	for (; block_count--; blocks += 210, values += SUPER) {
		const int8_t *scales = (const int8_t *)(blocks + 192);
		float d = half_at(blocks + 208);

		for (int i = 0; i < SUPER; i++)
			values[i] = d * (float)scales[i / 16] * (float)q6_k_code(blocks, i);
	}
}
