/* SPDX-License-Identifier: MIT */
/*
 * Formats without blocks: `native`, the stored words bit for bit, and bf16,
 * fp16, fp32, the stored value rounded to nearest even.
 */
#include <string.h>

#include "encoding.h"
#include "formats.h"

void sqc_native_encode(const struct sqc_format *format, uint8_t rounding,
		       uint8_t dtype, const void *source, uint32_t cols,
		       const struct sqc_row_out *out)
{
	(void)format;
	(void)rounding;
	memcpy(out->codes, source, (size_t)cols * sqc_dtype_bytes(dtype));
}

void sqc_native_decode(const struct sqc_format *format, uint8_t dtype,
		       const struct sqc_row_in *in, uint32_t cols, float *values)
{
	(void)format;
	sqc_words_to_values(dtype, in->codes, cols, values);
}

static uint8_t dtype_of(const struct sqc_format *format)
{
	switch (format->code) {
	case SQ_FORMAT_BF16:
		return SQ_DTYPE_BF16;
	case SQ_FORMAT_FP16:
		return SQ_DTYPE_FP16;
	default:
		return SQ_DTYPE_FP32;
	}
}

void sqc_plain_encode(const struct sqc_format *format, uint8_t rounding,
		      uint8_t dtype, const void *source, uint32_t cols,
		      const struct sqc_row_out *out)
{
	(void)rounding;
	(void)dtype;
	sqc_values_to_words(dtype_of(format), source, cols, out->codes);
}

void sqc_plain_decode(const struct sqc_format *format, uint8_t dtype,
		      const struct sqc_row_in *in, uint32_t cols, float *values)
{
	(void)dtype;
	sqc_words_to_values(dtype_of(format), in->codes, cols, values);
}
