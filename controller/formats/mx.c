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
 * A group may hold two blocks. With all planes at hand (rounding even) each
 * block is aligned by itself, because the smaller of the two may lie below
 * the last plane of their group. With n or n + 1 planes it is made from what
 * these show of it.
 */
#include "code_stream.h"
#include "float_bits.h"
#include "formats.h"
#include "rounding.h"

#define BLOCK	16u

struct block {
	uint8_t codes[BLOCK];
	uint8_t micro;		/* bit j: u of pair j */
	uint8_t scale;
};

static uint32_t any_bits(const uint32_t magnitude[BLOCK])
{
	uint32_t any = 0;

	for (unsigned int i = 0; i < BLOCK; i++)
		any |= magnitude[i];
	return any;
}

static inline uint8_t encode_element(const struct sqc_group *group, unsigned int i,
				     unsigned int shift, unsigned int b, uint8_t rounding)
{
	uint32_t largest = (1u << (b - 1)) - 1;
	uint32_t m = (uint32_t)sqc_round64(sqc_jam64(group, i), shift, rounding);
	bool negative = (group->sign >> i) & 1;

	m = m < largest ? m : largest;
	return (uint8_t)((negative ? 0 - m : m) & ((1u << b) - 1));
}

/* Elements [first, first + 16) of a group; `drop` is how far the block's 2^g
 * is below the group's. */
static inline void encode_pairs(const struct sqc_group *group, unsigned int first,
				unsigned int drop, unsigned int b,
				uint8_t rounding, struct block *block)
{
	uint32_t two_to_g = 0x80000000u >> drop;

	block->micro = 0;
	for (unsigned int j = 0; j < BLOCK / 2; j++) {
		unsigned int i = first + 2 * j;
		unsigned int u = (group->magnitude[i] | group->magnitude[i + 1]) < two_to_g;
		unsigned int shift = SQC_JAM_TOP - drop - u - (b - 2);

		block->micro |= (uint8_t)(u << j);
		block->codes[2 * j] = encode_element(group, i, shift, b, rounding);
		block->codes[2 * j + 1] = encode_element(group, i + 1, shift, b, rounding);
	}
}

static void encode_block(const struct sqc_group *group, unsigned int first,
			 unsigned int b, uint8_t rounding, struct block *block)
{
	uint32_t any = any_bits(group->magnitude + first);
	unsigned int drop;

	memset(block, 0, sizeof(*block));
	if (group->exponent == SQC_GROUP_NON_FINITE) {
		block->scale = SQC_GROUP_NON_FINITE;
		return;
	}
	if (!any)
		return;
	drop = (unsigned int)__builtin_clz(any);
	drop = drop < group->exponent ? drop : group->exponent;
	block->scale = (uint8_t)(group->exponent - drop);
	if (rounding == SQ_ROUNDING_TRUNCATE)
		encode_pairs(group, first, drop, b, SQ_ROUNDING_TRUNCATE, block);
	else if (rounding == SQ_ROUNDING_NEAREST)
		encode_pairs(group, first, drop, b, SQ_ROUNDING_NEAREST, block);
	else
		encode_pairs(group, first, drop, b, SQ_ROUNDING_EVEN, block);
}

void sqc_mx_encode(const struct sqc_format *format, uint8_t rounding,
		   uint8_t dtype, const void *source, uint32_t cols,
		   const struct sqc_row_out *out)
{
	bool values = sqc_format_source(format, rounding) == SQC_SOURCE_VALUES;
	const struct sqc_group *groups = source;
	unsigned int b = format->code_bits;
	struct sqc_group aligned;
	struct block block;

	(void)dtype;
	for (uint32_t k = 0; BLOCK * k < cols; k++) {
		uint32_t count = cols - BLOCK * k < BLOCK ? cols - BLOCK * k : BLOCK;
		unsigned int pairs = (count + 1) / 2;

		if (values) {
			sqc_group_align((const float *)source + BLOCK * k, count, 32, &aligned);
			encode_block(&aligned, 0, b, rounding, &block);
		} else {
			encode_block(&groups[k / 2], BLOCK * (k % 2), b, rounding, &block);
		}
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

		sqc_unpack_codes(in->codes + (uint64_t)2 * b * k, codes, count, b);
		for (uint32_t i = 0; i < count; i++) {
			int u = (in->micro[k] >> (i / 2)) & 1;

			*values++ = (float)sqc_sign_extend(codes[i], b) *
				    sqc_e8m0_to_unit(in->scales[k], (int)b - 2 + u);
		}
	}
}
