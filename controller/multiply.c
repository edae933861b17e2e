/* SPDX-License-Identifier: MIT */
/*
 * A row is decoded piece by piece into memory that stays in the first cache
 * level, and multiplied from there.
 */
#include "multiply.h"

#include "format.h"

/* Elements of a piece: a multiple of every block length and of the lanes. */
#define PIECE_ELEMENTS			512u

static bool has_values(const struct sqc_format *format, uint8_t dtype)
{
	return format && format->decode && dtype != SQ_DTYPE_U8;
}

static void add_products(float lanes[SQC_MULTIPLY_LANES], const float *w,
			 const float *x, uint32_t count)
{
	uint32_t whole = count - count % SQC_MULTIPLY_LANES;

	for (uint32_t i = 0; i < whole; i += SQC_MULTIPLY_LANES)
		for (uint32_t lane = 0; lane < SQC_MULTIPLY_LANES; lane++)
			lanes[lane] += w[i + lane] * x[i + lane];
	for (uint32_t i = whole; i < count; i++)
		lanes[i - whole] += w[i] * x[i];
}

static float sum_of(float lanes[SQC_MULTIPLY_LANES])
{
	for (uint32_t half = SQC_MULTIPLY_LANES / 2; half; half /= 2)
		for (uint32_t lane = 0; lane < half; lane++)
			lanes[lane] += lanes[lane + half];
	return lanes[0];
}

static float multiply_row(const struct sqc_format *format,
			  const struct sqc_layout *layout,
			  const struct sqc_row_in *row, const float *x)
{
	float lanes[SQC_MULTIPLY_LANES] = { 0 };
	float w[PIECE_ELEMENTS];
	uint32_t count;

	for (uint32_t col = 0; col < layout->cols; col += count) {
		struct sqc_row_in piece = {
			.codes = row->codes +
				sqc_format_code_row_bytes(format, layout->dtype, col),
			.micro = row->micro + sqc_format_micro_row_bytes(format, col),
			.scales = row->scales + sqc_format_scale_row_bytes(format, col),
		};

		count = layout->cols - col;
		if (count > PIECE_ELEMENTS)
			count = PIECE_ELEMENTS;
		format->decode(format, layout->dtype, &piece, count, w);
		add_products(lanes, w, x + col, count);
	}
	return sum_of(lanes);
}

sqc_status sqc_multiply(const struct sqc_layout *layout, const void *bytes,
			uint32_t first_row, uint32_t row_count,
			const float *x, float *y)
{
	const struct sqc_format *format = sqc_format_find(layout->format);
	const uint8_t *start = bytes;

	if (!has_values(format, layout->dtype))
		return SQ_STATUS_FORMAT;
	if (first_row > layout->rows || row_count > layout->rows - first_row)
		return SQ_STATUS_RANGE;
	for (uint32_t i = 0; i < row_count; i++) {
		uint64_t r = (uint64_t)first_row + i;
		struct sqc_row_in row = {
			.codes = start + r * layout->code_row_bytes,
			.micro = start + layout->micro_offset + r * layout->micro_row_bytes,
			.scales = start + layout->scale_offset + r * layout->scale_row_bytes,
		};

		y[i] = multiply_row(format, layout, &row, x);
	}
	return SQ_STATUS_SUCCESS;
}
