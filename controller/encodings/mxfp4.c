/* SPDX-License-Identifier: MIT */
/*
 * ggml's mxfp4: 32 elements, an E8M0 byte e, 16 nibble bytes; the low nibble
 * of byte j is element j, the high nibble element j + 16. ggml keeps the
 * doubled element values as integers and halves the scale. It has no NaN: the
 * scale byte FFh is 2^128, halved to 2^127.
 */
#include "encodings.h"
#include "float_bits.h"

#define BLOCK		32
#define BLOCK_BYTES	17

static const int8_t doubled[16] = { 0, 1, 2, 3, 4, 6, 8, 12,
				    0, -1, -2, -3, -4, -6, -8, -12 };

void sqc_decode_mxfp4(const uint8_t *blocks, uint64_t block_count, float *values)
{
	for (; block_count--; blocks += BLOCK_BYTES, values += BLOCK) {
		float half_unit = sqc_exp2(blocks[0] - 128);

		for (int j = 0; j < BLOCK / 2; j++) {
			uint8_t pair = blocks[1 + j];

			values[j] = (float)doubled[pair & 0x0f] * half_unit;
			values[j + BLOCK / 2] = (float)doubled[pair >> 4] * half_unit;
		}
	}
}
