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

/* Sixteen 2-bit codes from `first` on: each 32 bytes hold four layers of 32. */
static void two_bit_codes(const uint8_t *codes, int first, int out[16])
{
	int shift = first % 128 / 32 * 2;

	codes += first / 128 * 32 + first % 32;
	for (int i = 0; i < 16; i++)
		out[i] = (codes[i] >> shift) & 3;
}

void sqc_decode_q2_k(const uint8_t *blocks, uint64_t block_count, float *values)
{
	int codes[16];

	for (; block_count--; blocks += 84, values += SUPER) {
		float d = half_at(blocks + 80);
		float dmin = half_at(blocks + 82);

		for (int k = 0; k < SUPER / 16; k++) {
			float step = d * (float)(blocks[k] & 0x0f);
			float base = dmin * (float)(blocks[k] >> 4);

			two_bit_codes(blocks + 16, 16 * k, codes);
			for (int i = 0; i < 16; i++)
				values[16 * k + i] = step * (float)codes[i] - base;
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
	int codes[16];

	for (; block_count--; blocks += 110, values += SUPER) {
		float d = half_at(blocks + 108);

		for (int k = 0; k < SUPER / 16; k++) {
			const uint8_t *high = blocks + 16 * (k % 2);
			float step = d * (float)(q3_k_scale(blocks + 96, k) - 32);

			two_bit_codes(blocks + 32, 16 * k, codes);
			for (int i = 0; i < 16; i++) {
				int code = codes[i] + 4 * ((high[i] >> (k / 2)) & 1) - 4;

				values[16 * k + i] = step * (float)code;
			}
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

/* Sixteen codes from `first` on. Each half of 128 has its low nibbles in two
 * layers of 64 bytes and its upper pairs of bits in four layers of 32. */
static void q6_k_codes(const uint8_t *block, int first, int out[16])
{
	int i = first % 128;
	const uint8_t *low = block + first / 128 * 64 + i % 64;
	const uint8_t *high = block + 128 + first / 128 * 32 + i % 32;
	int low_shift = i / 64 * 4;
	int high_shift = i / 32 * 2;

	for (int j = 0; j < 16; j++)
		out[j] = ((low[j] >> low_shift & 0x0f) | (high[j] >> high_shift & 3) << 4) - 32;
}

void sqc_decode_q6_k(const uint8_t *blocks, uint64_t block_count, float *values)
{
	int codes[16];

	for (; block_count--; blocks += 210, values += SUPER) {
		float d = half_at(blocks + 208);

		for (int k = 0; k < SUPER / 16; k++) {
			float step = d * (float)(int8_t)blocks[192 + k];

			q6_k_codes(blocks, 16 * k, codes);
			for (int i = 0; i < 16; i++)
				values[16 * k + i] = step * (float)codes[i];
		}
	}
}
