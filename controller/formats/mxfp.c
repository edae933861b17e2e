/* SPDX-License-Identifier: MIT */
/*
 * The five OCP MXFP formats (MX v1.0, 5.3 and 6.3): blocks of 32 small
 * floats with one E8M0 scale
 *
 * The scale is floor(log2 max) - emax, at least -127. An element is
 * (-1)^s * r * 2^(max(e, emin) - M): r has M bits and, unless e is below
 * emin (a subnormal), the hidden bit above them. So a code without its sign
 * is the number ((max(e, emin) - emin) << M) + r, and a carry out of r runs
 * into the exponent by itself.
 */
#include "code_stream.h"
#include "float_bits.h"
#include "formats.h"
#include "rounding.h"

struct element {
	uint8_t mantissa_bits;	/* M */
	int8_t emax;
	int8_t emin;
	uint8_t largest;	/* code of the largest normal, without sign */
	uint8_t infinity;	/* codes from here on are infinity (this one, if */
	uint8_t nan;		/* below nan) or NaN; 0x80: there are none */
};

static const struct element elements[] = {
	[SQ_FORMAT_PARAMETER(SQ_FORMAT_MXFP8_E4M3)] = { 3, 8, -6, 0x7e, 0x7f, 0x7f },
	[SQ_FORMAT_PARAMETER(SQ_FORMAT_MXFP8_E5M2)] = { 2, 15, -14, 0x7b, 0x7c, 0x7d },
	[SQ_FORMAT_PARAMETER(SQ_FORMAT_MXFP6_E3M2)] = { 2, 4, -2, 0x1f, 0x80, 0x80 },
	[SQ_FORMAT_PARAMETER(SQ_FORMAT_MXFP6_E2M3)] = { 3, 2, 0, 0x1f, 0x80, 0x80 },
	[SQ_FORMAT_PARAMETER(SQ_FORMAT_MXFP4_E2M1)] = { 1, 2, 0, 0x07, 0x80, 0x80 },
};

static unsigned int leading_zeros(uint32_t x)
{
	return (unsigned int)__builtin_clz(x | 1);
}

/* Element i of a group as a code without sign; `top` is the exponent of A0
 * relative to the block's scale. */
static inline unsigned int encode_element(const struct sqc_group *group,
					  unsigned int i,
					  const struct element *element,
					  int top, uint8_t rounding)
{
	int leading = top - (int)leading_zeros(group->magnitude[i]);
	int exponent = leading > element->emin ? leading : element->emin;
	int lowest = exponent - element->mantissa_bits;
	unsigned int shift = (unsigned int)(SQC_JAM_TOP - top + lowest);
	unsigned int r = (unsigned int)sqc_round64(sqc_jam64(group, i), shift, rounding);
	unsigned int code = ((unsigned int)(exponent - element->emin)
			     << element->mantissa_bits) + r;

	return code < element->largest ? code : element->largest;
}

static inline void encode_group(const struct sqc_group *group,
				const struct element *element,
				unsigned int bits, uint8_t rounding,
				uint8_t codes[32])
{
	int top = group->exponent < element->emax ? group->exponent : element->emax;

	for (unsigned int i = 0; i < 32; i++) {
		unsigned int sign = (group->sign >> i) & 1;

		codes[i] = (uint8_t)(sign << (bits - 1) |
				     encode_element(group, i, element, top, rounding));
	}
}

static void encode_codes(const struct sqc_group *group,
			 const struct element *element, unsigned int bits,
			 uint8_t rounding, uint8_t codes[32])
{
	if (group->exponent == SQC_GROUP_NON_FINITE)
		memset(codes, 0, 32);
	else if (rounding == SQ_ROUNDING_TRUNCATE)
		encode_group(group, element, bits, SQ_ROUNDING_TRUNCATE, codes);
	else if (rounding == SQ_ROUNDING_NEAREST)
		encode_group(group, element, bits, SQ_ROUNDING_NEAREST, codes);
	else
		encode_group(group, element, bits, SQ_ROUNDING_EVEN, codes);
}

static uint8_t scale_byte(const struct sqc_group *group, const struct element *element)
{
	if (group->exponent == SQC_GROUP_NON_FINITE)
		return SQC_GROUP_NON_FINITE;
	return group->exponent > element->emax ? (uint8_t)(group->exponent - element->emax) : 0;
}

void sqc_mxfp_encode(const struct sqc_format *format, uint8_t rounding,
		     uint8_t dtype, const void *source, uint32_t cols,
		     const struct sqc_row_out *out)
{
	const struct element *element = &elements[SQ_FORMAT_PARAMETER(format->code)];
	bool values = sqc_format_source(format, rounding) == SQC_SOURCE_VALUES;
	const struct sqc_group *groups = source;
	unsigned int bits = format->code_bits;
	struct sqc_group aligned;
	uint8_t codes[32];

	(void)dtype;
	for (uint32_t b = 0; 32 * b < cols; b++) {
		uint32_t count = cols - 32 * b < 32 ? cols - 32 * b : 32;
		const struct sqc_group *group = &aligned;

		if (values)
			sqc_group_align((const float *)source + 32 * b, count, 32, &aligned);
		else
			group = &groups[b];
		encode_codes(group, element, bits, rounding, codes);
		sqc_pack_codes(out->codes + (uint64_t)4 * bits * b, codes, count, bits);
		out->scales[b] = scale_byte(group, element);
	}
}

static float decode_element(const struct element *element, unsigned int bits, uint8_t code)
{
	unsigned int M = element->mantissa_bits;
	unsigned int magnitude = code & ((1u << (bits - 1)) - 1);
	unsigned int exponent = magnitude >> M;
	unsigned int hidden = exponent ? 1u << M : 0;
	unsigned int significand = (magnitude & ((1u << M) - 1)) | hidden;
	float sign = code >> (bits - 1) ? -1.0f : 1.0f;

	if (magnitude >= element->nan)
		return sqc_float_from_bits(SQC_FLOAT_NAN_BITS);
	if (magnitude >= element->infinity)
		return sign * sqc_float_from_bits(0x7f800000);
	return sign * (float)significand *
	       sqc_exp2((int)(exponent ? exponent - 1 : 0) + element->emin - (int)M);
}

void sqc_mxfp_decode(const struct sqc_format *format, uint8_t dtype,
		     const struct sqc_row_in *in, uint32_t cols, float *values)
{
	const struct element *element = &elements[SQ_FORMAT_PARAMETER(format->code)];
	unsigned int bits = format->code_bits;
	uint8_t codes[32];

	(void)dtype;
	for (uint32_t b = 0; 32 * b < cols; b++) {
		uint32_t count = cols - 32 * b < 32 ? cols - 32 * b : 32;
		float unit = sqc_e8m0_to_unit(in->scales[b], 0);

		sqc_unpack_codes(in->codes + (uint64_t)4 * bits * b, codes, count, bits);
		for (uint32_t i = 0; i < count; i++)
			*values++ = decode_element(element, bits, codes[i]) * unit;
	}
}
