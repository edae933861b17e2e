/* SPDX-License-Identifier: MIT */
/*
 * mxint2 .. mxint8 (formats.md, "mxint details"; n = 8 is OCP's MXINT8)
 *
 * Blocks of 32 with one E8M0 scale g. A code is n-bit two's complement m of
 * value m * 2^(g-(n-2)); |m| is the upper n-1 bits of the magnitude, rounded,
 * at most 2^(n-1)-1. All n share one loop: only a shift and a mask differ.
 */
#include <string.h>

#include "code_stream.h"
#include "float_bits.h"
#include "formats.h"
#include "rounding.h"
#include "stream.h"

/* One bit of a 32-bit mask a lane: what vector units without variable shifts
 * need to spread a mask over lanes. */
static const uint32_t lane_bit[32] = {
	1u << 0, 1u << 1, 1u << 2, 1u << 3, 1u << 4, 1u << 5, 1u << 6, 1u << 7,
	1u << 8, 1u << 9, 1u << 10, 1u << 11, 1u << 12, 1u << 13, 1u << 14, 1u << 15,
	1u << 16, 1u << 17, 1u << 18, 1u << 19, 1u << 20, 1u << 21, 1u << 22, 1u << 23,
	1u << 24, 1u << 25, 1u << 26, 1u << 27, 1u << 28, 1u << 29, 1u << 30, 1u << 31,
};

/* Codes of one group; `round` is a constant of the caller, so each rounding
 * gets a loop of its own. */
static inline void encode_group(const struct sqc_group *group, unsigned int n,
				uint32_t (*round)(uint32_t, unsigned int),
				uint8_t codes[32])
{
	uint32_t largest = (1u << (n - 1)) - 1;
	uint32_t mask = (1u << n) - 1;
	uint32_t sticky = group->sticky;
	uint32_t sign = group->sign;

	for (unsigned int i = 0; i < 32; i++) {
		uint32_t jam = (sticky & lane_bit[i]) == lane_bit[i];
		uint32_t m = round(group->magnitude[i] | jam, 32 - (n - 1));
		uint32_t negative = (sign & lane_bit[i]) == lane_bit[i] ? UINT32_MAX : 0;

		m = m < largest ? m : largest;
		codes[i] = (uint8_t)(((m ^ negative) - negative) & mask);
	}
}

static void encode_codes(const struct sqc_group *group, unsigned int n,
			 uint8_t rounding, uint8_t codes[32])
{
	if (rounding == SQ_ROUNDING_TRUNCATE)
		encode_group(group, n, sqc_round32_truncate, codes);
	else if (rounding == SQ_ROUNDING_NEAREST)
		encode_group(group, n, sqc_round32_nearest, codes);
	else
		encode_group(group, n, sqc_round32_even, codes);
}

void sqc_mxint_encode(const struct sqc_format *format, uint8_t rounding,
		      uint8_t dtype, const void *source, uint32_t cols,
		      const struct sqc_row_out *out)
{
	const struct sqc_group *groups = source;
	unsigned int n = format->code_bits;
	uint8_t codes[32];

	(void)dtype;
	for (uint32_t b = 0; 32 * b < cols; b++) {
		uint32_t count = cols - 32 * b < 32 ? cols - 32 * b : 32;

		encode_codes(&groups[b], n, rounding, codes);
		sqc_pack_codes(out->codes + (uint64_t)4 * n * b, codes, count, n);
		out->scales[b] = groups[b].exponent;
	}
}

void sqc_mxint_encode_planes(const struct sqc_format *format, uint8_t rounding,
			     const struct sqc_planes *planes, uint32_t cols,
			     const struct sqc_row_out *out)
{
	sqc_planes_to_codes(planes, format->code_bits, rounding, cols, out->codes);
	if (planes->turns)
		sqc_stream(out->scales, planes->exponents, (cols + 31) / 32, planes->turns);
	else
		memcpy(out->scales, planes->exponents, (cols + 31) / 32);
}

void sqc_mxint_decode(const struct sqc_format *format, uint8_t dtype,
		      const struct sqc_row_in *in, uint32_t cols, float *values)
{
	unsigned int n = format->code_bits;
	uint8_t codes[32];

	(void)dtype;
	for (uint32_t b = 0; 32 * b < cols; b++) {
		uint32_t count = cols - 32 * b < 32 ? cols - 32 * b : 32;
		float unit = sqc_e8m0_to_unit(in->scales[b], (int)n - 2);

		sqc_unpack_codes(in->codes + (uint64_t)4 * n * b, codes, count, n);
		for (uint32_t i = 0; i < count; i++)
			*values++ = (float)sqc_sign_extend(codes[i], n) * unit;
	}
}
