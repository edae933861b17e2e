/* SPDX-License-Identifier: MIT */
/*
 * ggml_q8_0, ggml_q4_0, ggml_mxfp4: block structs byte for byte as ggml's
 * reference quantiser (quantize_row_*_ref) makes them
 *
 * That takes its arithmetic: fp32, in its order, without contraction. Where
 * its C leaves the result open (a scale so small that its reciprocal is
 * infinite, an exponent below the smallest), this gives what its code does on
 * x86-64. A last block that the row does not fill is filled with zeros. A
 * block with a NaN or an infinity, for which ggml has no rule, gets a scale
 * that is NaN and codes of zero.
 */
#include "encoding.h"
#include "float_bits.h"
#include "formats.h"
#include "little_endian.h"

#define BLOCK		32u
#define FP16_NAN	0x7e00u

static float absolute(float x)
{
	return sqc_float_from_bits(sqc_float_bits(x) & 0x7fffffff);
}

static bool all_finite(const float x[BLOCK])
{
	uint32_t finite = 1;

	for (unsigned int i = 0; i < BLOCK; i++)
		finite &= (sqc_float_bits(x[i]) & 0x7fffffff) < 0x7f800000;
	return finite;
}

/*
 * The reciprocal of a scale, 0 for a scale of 0. Of the smallest scales it is
 * infinite; ggml then casts infinities and NaNs to integers, which on x86-64
 * gives codes of 0. False says so.
 */
static bool reciprocal(float d, float *inverse)
{
	*inverse = d != 0.0f ? 1.0f / d : 0.0f;
	return sqc_float_bits(*inverse) << 1 < 0xff000000;
}

/* Half away from zero, like roundf(); |x| is below 2^31. */
static inline int32_t round_half_away(float x)
{
	int32_t whole = (int32_t)x;
	float rest = x - (float)whole;

	return whole + (rest >= 0.5f) - (rest <= -0.5f);
}

static void encode_q8_0(const float x[BLOCK], uint8_t *block)
{
	float largest = 0.0f;
	float d, inverse;

	for (unsigned int i = 0; i < BLOCK; i++)
		largest = absolute(x[i]) > largest ? absolute(x[i]) : largest;
	d = largest / 127.0f;
	sqc_put_le16(block, sqc_fp16_from_float(d));
	memset(block + 2, 0, BLOCK);
	if (!reciprocal(d, &inverse))
		return;
	for (unsigned int i = 0; i < BLOCK; i++)
		block[2 + i] = (uint8_t)round_half_away(x[i] * inverse);
}

/* The element of largest magnitude, the first of equals, with its sign. */
static float extreme(const float x[BLOCK])
{
	float largest = 0.0f;

	for (unsigned int i = 0; i < BLOCK; i++) {
		if (absolute(x[i]) > absolute(largest))
			largest = x[i];
	}
	return largest;
}

static void encode_q4_0(const float x[BLOCK], uint8_t *block)
{
	float d = extreme(x) / -8.0f;
	int32_t codes[BLOCK];
	float inverse;

	sqc_put_le16(block, sqc_fp16_from_float(d));
	memset(block + 2, 0, BLOCK / 2);
	if (!reciprocal(d, &inverse))
		return;
	for (unsigned int i = 0; i < BLOCK; i++) {
		codes[i] = (int32_t)(x[i] * inverse + 8.5f);
		codes[i] = codes[i] < 15 ? codes[i] : 15;
	}
	for (unsigned int i = 0; i < BLOCK / 2; i++)
		block[2 + i] = (uint8_t)(codes[i] | codes[i + BLOCK / 2] << 4);
}

/*
 * floorf(log2f(x)) for a positive x. Right below 2^N the logarithm rounds up
 * to N: log2(1 - e) is about -e / ln 2, and half a unit in the last place
 * of numbers just below |N| = 2^p .. 2^(p+1) makes that e up to
 * 2^p * ln 2 units of 2^-24.
 */
static int floor_log2_as_float(float x)
{
	uint32_t bits = sqc_float_bits(x);
	uint32_t significand = bits & 0x7fffff;
	int exponent = (int)(bits >> 23) - 127;
	unsigned int zeros, n, reach;

	if (bits < 0x800000) {
		zeros = (unsigned int)__builtin_clz(bits) - 8;
		significand = bits << zeros;
		exponent = -126 - (int)zeros;
	} else {
		significand |= 0x800000;
	}
	n = (unsigned int)(exponent >= 0 ? exponent : -exponent - 1);
	reach = n ? (45426u << (31 - __builtin_clz(n))) >> 16 : 0;
	return exponent + (0x1000000 - significand <= reach);
}

/*
 * The code of least error, of two equally near ones that of smaller magnitude:
 * the outcome of ggml's search from code 0 upwards, whose differences are
 * exact wherever they decide.
 */
static void nearest_codes(const float x[BLOCK], float half_unit, uint8_t codes[BLOCK])
{
	static const float middles[7] = { 0.5f, 1.5f, 2.5f, 3.5f, 5.0f, 7.0f, 10.0f };
	uint32_t above[BLOCK] = { 0 };

	for (unsigned int k = 0; k < 7; k++) {
		float middle = middles[k] * half_unit;

		for (unsigned int i = 0; i < BLOCK; i++)
			above[i] += absolute(x[i]) > middle;
	}
	for (unsigned int i = 0; i < BLOCK; i++) {
		uint32_t sign = above[i] ? sqc_float_bits(x[i]) >> 31 << 3 : 0;

		codes[i] = (uint8_t)(above[i] | sign);
	}
}

static void encode_mxfp4(const float x[BLOCK], uint8_t *block)
{
	uint8_t codes[BLOCK];
	float largest = 0.0f;

	for (unsigned int i = 0; i < BLOCK; i++)
		largest = absolute(x[i]) > largest ? absolute(x[i]) : largest;
	block[0] = largest > 0.0f ? (uint8_t)(floor_log2_as_float(largest) - 2 + 127) : 0;
	nearest_codes(x, sqc_exp2(block[0] - 128), codes);
	for (unsigned int i = 0; i < BLOCK / 2; i++)
		block[1 + i] = (uint8_t)(codes[i] | codes[i + BLOCK / 2] << 4);
}

/* Blocks of no values: what decodes to NaN. */
static void poison_half(uint8_t *block, uint8_t zero_codes, unsigned int bytes)
{
	sqc_put_le16(block, FP16_NAN);
	memset(block + 2, zero_codes, bytes - 2);
}

static void poison_q8_0(uint8_t *block)
{
	poison_half(block, 0, 34);
}

static void poison_q4_0(uint8_t *block)
{
	poison_half(block, 0x88, 18);
}

static void poison_mxfp4(uint8_t *block)
{
	memset(block, 0, 17);
	block[0] = SQC_GROUP_NON_FINITE;
}

static inline void encode_row(const float *x, uint32_t cols, unsigned int block_bytes,
			      void (*encode)(const float *, uint8_t *),
			      void (*poison)(uint8_t *), uint8_t *out)
{
	for (; cols; out += block_bytes) {
		uint32_t count = cols < BLOCK ? cols : BLOCK;
		float padded[BLOCK] = { 0 };

		memcpy(padded, x, count * sizeof(*x));
		if (all_finite(padded))
			encode(padded, out);
		else
			poison(out);
		x += count;
		cols -= count;
	}
}

/* The same structs are store encodings: their decoder serves both ways. */
static void decode_row(const struct sqc_format *format, const uint8_t *codes,
		       uint32_t cols, float *values)
{
	uint16_t type = SQ_FORMAT_PARAMETER(format->code);
	const struct sqc_encoding *encoding = sqc_encoding_find((uint16_t)SQ_ENCODING_GGML(type));
	uint32_t whole = cols / BLOCK;
	uint32_t rest = cols % BLOCK;
	float last[BLOCK];

	encoding->decode(codes, whole, values);
	if (!rest)
		return;
	encoding->decode(codes + (uint64_t)whole * encoding->block_bytes, 1, last);
	memcpy(values + (uint64_t)whole * BLOCK, last, rest * sizeof(*last));
}

#define GGML_FAMILY(name)						\
	void sqc_ggml_##name##_encode(const struct sqc_format *format,	\
				      uint8_t rounding, uint8_t dtype,	\
				      const void *source, uint32_t cols, \
				      const struct sqc_row_out *out)	\
	{								\
		(void)rounding;						\
		(void)dtype;						\
		encode_row(source, cols, format->code_block_bytes,	\
			   encode_##name, poison_##name, out->codes);	\
	}								\
									\
	void sqc_ggml_##name##_decode(const struct sqc_format *format,	\
				      uint8_t dtype,			\
				      const struct sqc_row_in *in,	\
				      uint32_t cols, float *values)	\
	{								\
		(void)dtype;						\
		decode_row(format, in->codes, cols, values);		\
	}

GGML_FAMILY(q8_0)
GGML_FAMILY(q4_0)
GGML_FAMILY(mxfp4)
