/* SPDX-License-Identifier: MIT */
/* The bytes of a read, back to fp32: needs the layout, no store. */
#include "format.h"
#include "formats/formats.h"

static struct sqc_row_in row_of(const struct sqc_layout *layout,
				const uint8_t *bytes, uint32_t row)
{
	struct sqc_row_in in = {
		.codes = bytes + row * layout->code_row_bytes,
		.micro = bytes + layout->micro_offset + row * layout->micro_row_bytes,
		.scales = bytes + layout->scale_offset + row * layout->scale_row_bytes,
	};

	return in;
}

static void decode_row(const struct sqc_format *format, const struct sqc_layout *layout,
		       const float *levels, const struct sqc_row_in *in, float *values)
{
	if (format->source == SQC_SOURCE_TUNED)
		sqc_tuned_format_decode(format, layout->dtype, levels, in, layout->cols, values);
	else
		format->decode(format, layout->dtype, in, layout->cols, values);
}

/* u8 regions are blobs: their native bytes are no numbers. */
static bool has_values(const struct sqc_format *format, uint8_t dtype, const float *levels)
{
	if (!format || dtype == SQ_DTYPE_U8)
		return false;
	return format->source == SQC_SOURCE_TUNED ? levels != NULL : format->decode != NULL;
}

sqc_status sqc_decode_levels(const struct sqc_layout *layout, const float *levels,
			     const void *bytes, uint32_t first_row,
			     uint32_t row_count, float *values)
{
	const struct sqc_format *format = sqc_format_find(layout->format);

	if (!has_values(format, layout->dtype, levels))
		return SQ_STATUS_FORMAT;
	if (first_row > layout->rows || row_count > layout->rows - first_row)
		return SQ_STATUS_RANGE;
	for (uint32_t i = 0; i < row_count; i++) {
		struct sqc_row_in in = row_of(layout, bytes, first_row + i);

		decode_row(format, layout, levels, &in, values + (uint64_t)i * layout->cols);
	}
	return SQ_STATUS_SUCCESS;
}

sqc_status sqc_decode(const struct sqc_layout *layout, const void *bytes,
		      uint32_t first_row, uint32_t row_count, float *values)
{
	return sqc_decode_levels(layout, NULL, bytes, first_row, row_count, values);
}
