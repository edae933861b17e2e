/* SPDX-License-Identifier: MIT */
/* Element types: their sizes, and words to values and back. */
#include "encoding.h"
#include "float_bits.h"
#include "little_endian.h"

static const struct {
	uint8_t bytes;
	uint8_t planes;		/* K of placement aligned */
} dtypes[] = {
	[SQ_DTYPE_BF16] = { 2, 16 },
	[SQ_DTYPE_FP16] = { 2, 20 },
	[SQ_DTYPE_FP32] = { 4, 32 },
	[SQ_DTYPE_INT8] = { 1, 0 },
	[SQ_DTYPE_U8] = { 1, 0 },
};

#define DTYPES	(sizeof(dtypes) / sizeof(dtypes[0]))

uint32_t sqc_dtype_bytes(uint8_t dtype)
{
	return dtype < DTYPES ? dtypes[dtype].bytes : 0;
}

uint32_t sqc_dtype_planes(uint8_t dtype)
{
	return dtype < DTYPES ? dtypes[dtype].planes : 0;
}

void sqc_words_to_values(uint8_t dtype, const void *words, uint64_t count, float *values)
{
	const uint8_t *from = words;

	switch (dtype) {
	case SQ_DTYPE_BF16:
		for (uint64_t i = 0; i < count; i++)
			values[i] = sqc_bf16_to_float(sqc_le16(from + 2 * i));
		break;
	case SQ_DTYPE_FP16:
		for (uint64_t i = 0; i < count; i++)
			values[i] = sqc_fp16_to_float(sqc_le16(from + 2 * i));
		break;
	case SQ_DTYPE_FP32:
		for (uint64_t i = 0; i < count; i++)
			values[i] = sqc_float_from_bits(sqc_le32(from + 4 * i));
		break;
	case SQ_DTYPE_INT8:
		for (uint64_t i = 0; i < count; i++)
			values[i] = (float)(int8_t)from[i];
		break;
	default:
		for (uint64_t i = 0; i < count; i++)
			values[i] = (float)from[i];
		break;
	}
}

/* Nearest even, saturating: adding 1.5 * 2^23 leaves the integer in the low
 * bits of the sum. */
static uint8_t int8_from_float(float value)
{
	const float magic = 12582912.0f;
	float bounded = value > 127.0f ? 127.0f : value < -128.0f ? -128.0f : value;

	if (value != value)
		return 0;
	return (uint8_t)sqc_float_bits(bounded + magic);
}

void sqc_values_to_words(uint8_t dtype, const float *values, uint64_t count, void *words)
{
	uint8_t *to = words;

	switch (dtype) {
	case SQ_DTYPE_BF16:
		for (uint64_t i = 0; i < count; i++)
			sqc_put_le16(to + 2 * i, sqc_bf16_from_float(values[i]));
		break;
	case SQ_DTYPE_FP16:
		for (uint64_t i = 0; i < count; i++)
			sqc_put_le16(to + 2 * i, sqc_fp16_from_float(values[i]));
		break;
	case SQ_DTYPE_FP32:
		for (uint64_t i = 0; i < count; i++)
			sqc_put_le32(to + 4 * i, sqc_float_bits(values[i]));
		break;
	default:
		for (uint64_t i = 0; i < count; i++)
			to[i] = int8_from_float(values[i]);
		break;
	}
}
