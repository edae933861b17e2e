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
#include "formats.h"
#include "scaled.h"

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

/* `top` is the exponent of 2^g relative to the block's scale: emax, or less
 * where the scale was clamped. Exponents are kept as fp32 fields. */
static inline void encode_block(const struct sqc_scaled *scaled,
				const struct element *element, int top,
				unsigned int bits, uint8_t rounding,
				uint8_t codes[32])
{
	unsigned int M = element->mantissa_bits;
	uint32_t lowest_field = (uint32_t)(element->emin - top + 127);
	uint32_t largest = element->largest;

	for (unsigned int i = 0; i < 32; i++) {
		float y = scaled->magnitude[i];
		uint32_t field = sqc_float_bits(y) >> 23;
		uint32_t exponent = field > lowest_field ? field : lowest_field;
		uint32_t r = sqc_round_scaled(y, (exponent + 23 - M) << 23, rounding);
		uint32_t code = ((exponent - lowest_field) << M) + r;

		code = code < largest ? code : largest;
		codes[i] = (uint8_t)(scaled->negative[i] << (bits - 1) | code);
	}
}

static void encode_codes(const struct sqc_scaled *scaled,
			 const struct element *element, unsigned int bits,
			 uint8_t rounding, uint8_t codes[32])
{
	int top = scaled->exponent < element->emax ? scaled->exponent : element->emax;

	if (scaled->exponent == SQC_GROUP_NON_FINITE)
		memset(codes, 0, 32);
	else if (rounding == SQ_ROUNDING_TRUNCATE)
		encode_block(scaled, element, top, bits, SQ_ROUNDING_TRUNCATE, codes);
	else if (rounding == SQ_ROUNDING_NEAREST)
		encode_block(scaled, element, top, bits, SQ_ROUNDING_NEAREST, codes);
	else
		encode_block(scaled, element, top, bits, SQ_ROUNDING_EVEN, codes);
}

static uint8_t scale_byte(const struct sqc_scaled *scaled, const struct element *element)
{
	if (scaled->exponent == SQC_GROUP_NON_FINITE)
		return SQC_GROUP_NON_FINITE;
	return scaled->exponent > element->emax ? (uint8_t)(scaled->exponent - element->emax) : 0;
}

void sqc_mxfp_encode(const struct sqc_format *format, uint8_t rounding,
		     uint8_t dtype, const void *source, uint32_t cols,
		     const struct sqc_row_out *out)
{
	const struct element *element = &elements[SQ_FORMAT_PARAMETER(format->code)];
	bool values = sqc_format_source(format, rounding) == SQC_SOURCE_VALUES;
	unsigned int bits = format->code_bits;
	struct sqc_scaled scaled;
	uint8_t codes[32];

	(void)dtype;
	for (uint32_t b = 0; 32 * b < cols; b++) {
		uint32_t count = cols - 32 * b < 32 ? cols - 32 * b : 32;

		if (values)
			sqc_scale_values((const float *)source + 32 * b, count, 32, &scaled);
		else
			sqc_scale_group((const struct sqc_group *)source + b, 0, 32, &scaled);
		encode_codes(&scaled, element, bits, rounding, codes);
		sqc_pack_codes(out->codes + (uint64_t)4 * bits * b, codes, count, bits);
		out->scales[b] = scale_byte(&scaled, element);
	}
}

/*
 * Fractions go under a hidden bit. Where the exponent field is 0 there is
 * none: it is made with one of 2^emin, which is then taken away.
 */
static inline float decode_element(const struct element *element, unsigned int bits,
				   uint8_t code)
{
	unsigned int M = element->mantissa_bits;
	uint32_t magnitude = code & ((1u << (bits - 1)) - 1);
	uint32_t field = magnitude >> M;
	uint32_t fraction = (magnitude & ((1u << M) - 1)) << (23 - M);
	uint32_t lowest = (uint32_t)(element->emin + 127) << 23;
	float subnormal = sqc_float_from_bits(lowest | fraction) - sqc_float_from_bits(lowest);
	uint32_t normal = lowest + ((field - 1) << 23) + fraction;
	uint32_t finite = field ? normal : sqc_float_bits(subnormal);
	uint32_t special = magnitude < element->nan ? 0x7f800000 : SQC_FLOAT_NAN_BITS;

	return sqc_float_from_bits((magnitude < element->infinity ? finite : special) |
				   (uint32_t)(code >> (bits - 1)) << 31);
}

void sqc_mxfp_decode(const struct sqc_format *format, uint8_t dtype,
		     const struct sqc_row_in *in, uint32_t cols, float *values)
{
	const struct element *element = &elements[SQ_FORMAT_PARAMETER(format->code)];
	unsigned int bits = format->code_bits;
	uint8_t codes[32] = { 0 };
	float block[32];

	(void)dtype;
	for (uint32_t b = 0; 32 * b < cols; b++) {
		uint32_t count = cols - 32 * b < 32 ? cols - 32 * b : 32;
		float unit = sqc_e8m0_to_unit(in->scales[b], 0);

		sqc_unpack_codes(in->codes + (uint64_t)4 * bits * b, codes, count, bits);
		for (uint32_t i = 0; i < 32; i++)
			block[i] = decode_element(element, bits, codes[i]) * unit;
		memcpy(values + 32 * b, block, count * sizeof(*block));
	}
}
