/* SPDX-License-Identifier: MIT */
/*
 * mx9, mx6, mx4: shared microexponents (formats.md; the formats that JIT-Q
 * trains with, not OCP's)
 *
 * Blocks of 16 with an E8M0 scale g of their own; each pair has one bit u,
 * set when both of its values are below 2^g, and codes of b bits (8, 5, 3)
 * worth m * 2^(g - u - (b-2)). A block of zeros has no g: its scale, bits u
 * and codes are all 0.
 *
 * A group may hold two blocks. With exact values at hand (rounding even) each
 * block is scaled by itself, because the smaller of the two may lie below the
 * last plane of their group. With n or n + 1 planes it is made from what
 * these show of it.
 */
#include "code_stream.h"
#include "formats.h"
#include "scaled.h"

#define BLOCK	16u

struct block {
	uint8_t codes[BLOCK];
	uint8_t micro;		/* bit j: u of pair j */
	uint8_t scale;
};

/* u for each element of a pair; scaled by g, "below 2^g" is below 1. */
static void microexponents(const struct sqc_scaled *scaled, uint32_t u[BLOCK])
{
	for (unsigned int i = 0; i < BLOCK; i += 2) {
		uint32_t below = scaled->magnitude[i] < 1.0f && scaled->magnitude[i + 1] < 1.0f;

		u[i] = below;
		u[i + 1] = below;
	}
}

static inline void encode_elements(const struct sqc_scaled *scaled,
				   const uint32_t u[BLOCK], unsigned int b,
				   uint8_t rounding, uint8_t codes[BLOCK])
{
	uint32_t rounder = sqc_rounder(-((int)b - 2));
	uint32_t largest = (1u << (b - 1)) - 1;
	uint32_t mask = (1u << b) - 1;

	for (unsigned int i = 0; i < BLOCK; i++) {
		uint32_t m = sqc_round_scaled(scaled->magnitude[i], rounder - (u[i] << 23), rounding);
		uint32_t negative = 0 - scaled->negative[i];

		m = m < largest ? m : largest;
		codes[i] = (uint8_t)(((m ^ negative) - negative) & mask);
	}
}

static void encode_block(const struct sqc_scaled *scaled, unsigned int b,
			 uint8_t rounding, struct block *block)
{
	uint32_t u[BLOCK];

	memset(block, 0, sizeof(*block));
	block->scale = scaled->exponent;
	if (scaled->exponent == SQC_GROUP_NON_FINITE || scaled->zero)
		return;
	microexponents(scaled, u);
	for (unsigned int i = 0; i < BLOCK; i += 2)
		block->micro |= (uint8_t)(u[i] << (i / 2));
	if (rounding == SQ_ROUNDING_TRUNCATE)
		encode_elements(scaled, u, b, SQ_ROUNDING_TRUNCATE, block->codes);
	else if (rounding == SQ_ROUNDING_NEAREST)
		encode_elements(scaled, u, b, SQ_ROUNDING_NEAREST, block->codes);
	else
		encode_elements(scaled, u, b, SQ_ROUNDING_EVEN, block->codes);
}

void sqc_mx_encode(const struct sqc_format *format, uint8_t rounding,
		   uint8_t dtype, const void *source, uint32_t cols,
		   const struct sqc_row_out *out)
{
	bool values = sqc_format_source(format, rounding) == SQC_SOURCE_VALUES;
	unsigned int b = format->code_bits;
	struct sqc_scaled scaled;
	struct block block;

	(void)dtype;
	for (uint32_t k = 0; BLOCK * k < cols; k++) {
		uint32_t count = cols - BLOCK * k < BLOCK ? cols - BLOCK * k : BLOCK;
		unsigned int pairs = (count + 1) / 2;

		if (values)
			sqc_scale_values((const float *)source + BLOCK * k, count, BLOCK, &scaled);
		else
			sqc_scale_group((const struct sqc_group *)source + k / 2,
					BLOCK * (k % 2), BLOCK, &scaled);
		encode_block(&scaled, b, rounding, &block);
		sqc_pack_codes(out->codes + (uint64_t)2 * b * k, block.codes, count, b);
		out->micro[k] = (uint8_t)(block.micro & ((1u << pairs) - 1));
		out->scales[k] = block.scale;
	}
}

void sqc_mx_decode(const struct sqc_format *format, uint8_t dtype,
		   const struct sqc_row_in *in, uint32_t cols, float *values)
{
	unsigned int b = format->code_bits;
	uint8_t codes[BLOCK];

	(void)dtype;
	for (uint32_t k = 0; BLOCK * k < cols; k++) {
		uint32_t count = cols - BLOCK * k < BLOCK ? cols - BLOCK * k : BLOCK;
		float unit[2] = { sqc_e8m0_to_unit(in->scales[k], (int)b - 2),
				  sqc_e8m0_to_unit(in->scales[k], (int)b - 1) };

		sqc_unpack_codes(in->codes + (uint64_t)2 * b * k, codes, count, b);
		for (uint32_t i = 0; i < count; i++) {
			float m = (float)sqc_sign_extend(codes[i], b);

			values[BLOCK * k + i] = m * unit[(in->micro[k] >> (i / 2)) & 1];
		}
	}
}
