/* SPDX-License-Identifier: MIT */
/*
 * tuned2 .. tuned8 (formats.md, "Placement tuned"): the upper n bits of the
 * stored code, a cell's number, and the 16-bit scale of each group of 32
 *
 * The value of cell c is level[c] * scale, with the levels of width n from
 * the region's codebook.
 */
#include "code_stream.h"
#include "encoding.h"
#include "formats.h"
#include "tuned.h"

void sqc_tuned_format_encode(const struct sqc_format *format, uint8_t rounding,
			     uint8_t dtype, const void *source, uint32_t cols,
			     const struct sqc_row_out *out)
{
	const struct sqc_tuned_group *group = source;
	unsigned int n = format->code_bits;
	uint8_t codes[32];

	(void)rounding;
	(void)dtype;
	for (uint32_t b = 0; 32 * b < cols; b++, group++) {
		uint32_t count = cols - 32 * b < 32 ? cols - 32 * b : 32;

		for (unsigned int i = 0; i < 32; i++)
			codes[i] = (uint8_t)(group->code[i] >> (32 - n));
		sqc_pack_codes(out->codes + (uint64_t)4 * n * b, codes, count, n);
		sqc_put_le16(out->scales + (uint64_t)2 * b, group->scale);
	}
}

void sqc_tuned_format_decode(const struct sqc_format *format, uint8_t dtype,
			     const float *levels, const struct sqc_row_in *in,
			     uint32_t cols, float *values)
{
	uint8_t scale_dtype = dtype == SQ_DTYPE_FP16 ? SQ_DTYPE_FP16 : SQ_DTYPE_BF16;
	unsigned int n = format->code_bits;
	uint8_t codes[32];

	for (uint32_t b = 0; 32 * b < cols; b++) {
		uint32_t count = cols - 32 * b < 32 ? cols - 32 * b : 32;
		float scale;

		sqc_words_to_values(scale_dtype, in->scales + (uint64_t)2 * b, 1, &scale);
		sqc_unpack_codes(in->codes + (uint64_t)4 * n * b, codes, count, n);
		for (uint32_t i = 0; i < count; i++)
			values[32 * b + i] = levels[codes[i]] * scale;
	}
}
