/* SPDX-License-Identifier: MIT */
/* What a read needs of a segment, and from a segment's runs to codes. */
#include <string.h>

#include "encoding.h"
#include "reader.h"
#include "stream.h"

/* ---------------------------------------------------------- layout */

static sqc_status format_check(const struct sqc_geometry *geometry,
			       const struct sqc_read_request *request, uint16_t format)
{
	const struct sqc_format *row = sqc_format_find(format);

	if (!sqc_format_offered(geometry, format))
		return SQ_STATUS_FORMAT;
	if (request->rounding > SQ_ROUNDING_EVEN || request->axis > SQ_AXIS_COL)
		return SQ_STATUS_INVALID_INPUT;
	if (!sqc_format_accepts(row, request->rounding))
		return SQ_STATUS_UNSUPPORTED;
	/* Bytes and raw planes have no columns to run down; the scales of a
	 * tuned code run along rows. */
	if (request->axis == SQ_AXIS_COL &&
	    (row->source == SQC_SOURCE_PLANES || row->source == SQC_SOURCE_TUNED ||
	     row->source == SQC_SOURCE_LEVELS || !geometry->planes))
		return SQ_STATUS_UNSUPPORTED;
	return SQ_STATUS_SUCCESS;
}

static void sections_lay(const struct sqc_format *format, struct sqc_layout *layout)
{
	const uint64_t rows = layout->rows;

	layout->code_row_bytes = sqc_format_code_row_bytes(format, layout->dtype, layout->cols);
	layout->micro_row_bytes = sqc_format_micro_row_bytes(format, layout->cols);
	layout->scale_row_bytes = sqc_format_scale_row_bytes(format, layout->cols);
	layout->micro_offset = rows * layout->code_row_bytes;
	layout->scale_offset = layout->micro_offset + rows * layout->micro_row_bytes;
	layout->bytes = layout->scale_offset + rows * layout->scale_row_bytes;
}

/* Raw planes: each plane's rows, plane after plane, then exponents. */
static void planes_lay(const struct sqc_geometry *geometry, struct sqc_layout *layout)
{
	const uint64_t planes = SQ_FORMAT_PARAMETER(layout->format);

	layout->code_row_bytes = geometry->stride / 8;
	layout->scale_row_bytes = geometry->stride / SQC_GROUP_ELEMENTS * geometry->group_bytes;
	layout->micro_offset = planes * layout->rows * layout->code_row_bytes;
	layout->scale_offset = layout->micro_offset;
	layout->bytes = layout->scale_offset + layout->rows * layout->scale_row_bytes;
}

static sqc_status lay(const struct sqc_geometry *geometry,
		      const struct sqc_read_request *request, uint16_t format_code,
		      struct sqc_layout *layout)
{
	const struct sqc_format *format;
	sqc_status status;

	if (!request->row_count || request->first_row >= geometry->rows ||
	    request->row_count > geometry->rows - request->first_row)
		return SQ_STATUS_RANGE;
	status = format_check(geometry, request, format_code);
	if (status)
		return status;
	format = sqc_format_find(format_code);
	*layout = (struct sqc_layout){
		.format = format_code,
		.rounding = sqc_format_rounding(format, request->rounding),
		.axis = request->axis,
		.dtype = geometry->dtype,
		.placement = geometry->placement,
		.rows = request->axis == SQ_AXIS_ROW ? request->row_count : geometry->cols,
		.cols = request->axis == SQ_AXIS_ROW ? geometry->cols : request->row_count,
	};
	if (format->source == SQC_SOURCE_LEVELS) {	/* the region's, not the rows' */
		layout->rows = 1;
		layout->cols = 1u << SQ_FORMAT_PARAMETER(format_code);
	}
	if (format->source == SQC_SOURCE_PLANES)
		planes_lay(geometry, layout);
	else
		sections_lay(format, layout);
	return SQ_STATUS_SUCCESS;
}

sqc_status sqc_layout_of(uint8_t dtype, uint8_t placement, uint32_t rows, uint32_t cols,
		      const struct sqc_read_request *request, struct sqc_layout *layout)
{
	struct sqc_geometry geometry;

	if (!rows || !cols || cols > UINT32_MAX - (SQC_GROUP_ELEMENTS - 1))
		return SQ_STATUS_INVALID_INPUT;
	if (!sqc_geometry_begin(&geometry, dtype, placement, rows, cols))
		return SQ_STATUS_UNSUPPORTED;
	/* 32 bits an element is the most that a format takes. */
	if (geometry.elements > UINT64_MAX / 8)
		return SQ_STATUS_INVALID_INPUT;
	return lay(&geometry, request, request->format, layout);
}

static uint16_t format_of(const struct sqc_region *region, uint16_t format)
{
	return format == SQ_FORMAT_TAG ? region->precision : format;
}

sqc_status sqc_read_layout(const struct sqc_store *store,
			   const struct sqc_read_request *request, struct sqc_layout *layout)
{
	const struct sqc_region *region = sqc_region_of(store, request->handle);

	if (!region)
		return SQ_STATUS_INVALID_HANDLE;
	return lay(&region->geometry, request, format_of(region, request->format), layout);
}

size_t sqc_read_scratch_bytes(const struct sqc_layout *layout)
{
	/* A region may be packed at any time: room for that, always. */
	return sizeof(struct sqc_read_scratch) - sizeof(struct sqc_unpack) +
	       sqc_round_up(sqc_unpack_bytes(), SQC_LINE_BYTES) + sqc_reader_band_bytes(layout);
}

uint64_t sqc_read_decoded_runs(const void *memory)
{
	const struct sqc_read_scratch *scratch = memory;

	return scratch->unpack.decoded;
}

struct sqc_read_scratch *sqc_reader_scratch(void *memory)
{
	struct sqc_read_scratch *scratch = memory;

	scratch->gather.escape = 0;
	sqc_unpack_forget(&scratch->unpack);
	return scratch;
}

void sqc_read_scratch_begin(void *memory)
{
	struct sqc_read_scratch *scratch = memory;

	sqc_unpack_begin(&scratch->unpack);
	sqc_reader_scratch(memory);
}

/* Groups as they are stored: only placement aligned has them. */
static bool gathers_groups(const struct sqc_reader *reader)
{
	return reader->source == SQC_SOURCE_GROUPS &&
	       reader->region->geometry.placement == SQ_PLACEMENT_ALIGNED;
}

/* The format is made from whole words, escapes included. */
static bool gathers_words(const struct sqc_reader *reader)
{
	return reader->source != SQC_SOURCE_PLANES && reader->source != SQC_SOURCE_TUNED &&
	       !gathers_groups(reader);
}

bool sqc_reads_stream(const struct sqc_reader *reader)
{
	const bool whole = reader->region->geometry.cols == reader->region->geometry.stride;

	return reader->layout.bytes >= SQC_STREAM_BYTES && reader->layout.axis == SQ_AXIS_ROW &&
	       (reader->source == SQC_SOURCE_PLANES ||
		(reader->source == SQC_SOURCE_WORDS && whole) ||
		(gathers_groups(reader) && reader->format->encode_planes));
}

/* Planes to gather; fewer than all only for groups, tuned codes and raw planes. */
static void planes_choose(struct sqc_reader *reader)
{
	const struct sqc_geometry *geometry = &reader->region->geometry;
	const uint8_t rounding = reader->layout.rounding;

	reader->planes = geometry->planes;
	if (reader->source == SQC_SOURCE_PLANES)
		reader->planes = SQ_FORMAT_PARAMETER(reader->layout.format);
	if (reader->source == SQC_SOURCE_TUNED)
		reader->planes = sqc_format_planes(reader->format, rounding, geometry->planes);
	if (!gathers_groups(reader))
		return;
	reader->planes = sqc_format_planes(reader->format, rounding, geometry->planes);
	if (!reader->planes) {
		reader->planes = sqc_format_planes(reader->format, SQ_ROUNDING_NEAREST,
						   geometry->planes);
		reader->ties = true;
	}
}

sqc_status sqc_reader_begin(struct sqc_reader *reader, const struct sqc_store *store,
			    const struct sqc_read_request *request)
{
	const sqc_status status = sqc_read_layout(store, request, &reader->layout);

	reader->store = store;
	reader->region = sqc_region_of(store, request->handle);
	if (status)
		return status;
	reader->format = sqc_format_find(reader->layout.format);
	reader->source = sqc_format_source(reader->format, reader->layout.rounding);
	/* Blocks that run down columns are aligned anew, from exact values. */
	if (request->axis == SQ_AXIS_COL && reader->source == SQC_SOURCE_GROUPS)
		reader->source = SQC_SOURCE_VALUES;
	reader->first_row = request->first_row;
	reader->ties = false;
	planes_choose(reader);
	reader->signs = reader->format->signed_zeros || !gathers_groups(reader);
	return SQ_STATUS_SUCCESS;
}

/* ----------------------------------------------------------- checking */

/* What is done with each run that is touched. */
typedef bool run_fn(struct sqc_gather *gather, uint32_t run);

static bool runs_visit(struct sqc_gather *gather, const struct sqc_touched *touched, run_fn *visit)
{
	for (uint32_t run = touched->first_run; run < touched->end_run; run++) {
		if (!visit(gather, run))
			return false;
	}
	if (touched->exponents && !visit(gather, SQC_RUN_EXPONENTS))
		return false;
	return !touched->escapes || visit(gather, SQC_RUN_ESCAPES);
}

static uint32_t plane_word(const struct sqc_gather *gather, uint32_t plane, uint32_t group)
{
	uint32_t word;

	memcpy(&word, gather->run[plane] + group * 4, sizeof(word));
	return word;
}

/*
 * A tie is possible where the guard plane, the last one gathered, has a one
 * and the plane before it, the lowest bit of the result, has none: only then
 * does it matter whether anything lies below.
 */
static uint32_t ties_begin(const struct sqc_reader *reader, const struct sqc_gather *gather,
			   uint32_t low, uint32_t high)
{
	struct sqc_read_scratch *scratch = reader->scratch;
	uint32_t any = 0;

	for (uint32_t group = low; group < high; group++) {
		scratch->pending[group] = plane_word(gather, reader->planes - 1, group) &
					  ~plane_word(gather, reader->planes - 2, group);
		scratch->sticky[group] = 0;
		any |= scratch->pending[group];
	}
	return any;
}

static uint32_t ties_plane(const struct sqc_reader *reader, const struct sqc_gather *gather,
			   uint32_t plane, uint32_t low, uint32_t high)
{
	struct sqc_read_scratch *scratch = reader->scratch;
	uint32_t any = 0;

	for (uint32_t group = low; group < high; group++) {
		const uint32_t found = scratch->pending[group] & plane_word(gather, plane, group);

		scratch->sticky[group] |= found;
		scratch->pending[group] &= ~found;
		any |= scratch->pending[group];
	}
	return any;
}

/*
 * Reads on, plane by plane, until every element is decided. Escapes decide
 * nothing: an element that reaches below the last plane begins so far down
 * (K minus the significand's bits, at least 8 planes below the first) that
 * its guard bit, in the first 8 magnitude planes, is 0.
 */
static bool ties_decide(const struct sqc_reader *reader, struct sqc_gather *gather,
			uint32_t low, uint32_t high, struct sqc_touched *touched)
{
	const uint32_t first = low / SQC_GROUP_ELEMENTS, end = high / SQC_GROUP_ELEMENTS;
	uint32_t any = ties_begin(reader, gather, first, end);

	while (any && touched->end_run < gather->geometry->planes) {
		if (!sqc_gather_open(gather, touched->end_run))
			return false;
		any = ties_plane(reader, gather, touched->end_run++, first, end);
	}
	return true;
}

/* A packed segment keeps the signs with the planes; those of all elements take
 * all planes. */
static void packed_touch(const struct sqc_reader *reader, const struct sqc_gather *gather,
			 struct sqc_touched *touched)
{
	touched->signs = reader->signs;
	touched->first_run = !reader->signs;
	if (reader->signs)
		touched->end_run = gather->geometry->planes;
}

bool sqc_reader_check(const struct sqc_reader *reader, struct sqc_gather *gather,
		      uint32_t low, uint32_t high, struct sqc_touched *touched)
{
	*touched = (struct sqc_touched){ 0 };
	if (!gather->segment) {
		if (reader->ties)
			memset(reader->scratch->sticky, 0, sizeof(reader->scratch->sticky));
		return true;
	}
	touched->end_run = (uint8_t)reader->planes;
	touched->exponents = gather->geometry->exponents;
	touched->escapes = gathers_words(reader) && gather->escapes;
	if (!gather->geometry->planes) {
		touched->first_run = (uint8_t)(low / SQC_ROW_BYTES);
		touched->end_run = (uint8_t)((high - 1) / SQC_ROW_BYTES + 1);
	}
	if (gather->coded)
		packed_touch(reader, gather, touched);
	if (!runs_visit(gather, touched, reader->layout.axis == SQ_AXIS_COL ? sqc_gather_check :
									       sqc_gather_open))
		return false;
	return !reader->ties || ties_decide(reader, gather, low, high, touched);
}

/* ----------------------------------------------------------- encoding */

struct sqc_row_out sqc_reader_out(const struct sqc_reader *reader, uint8_t *out,
				  uint64_t row, uint32_t col)
{
	const struct sqc_layout *layout = &reader->layout;
	const struct sqc_format *format = reader->format;
	struct sqc_row_out at = {
		.codes = out + row * layout->code_row_bytes +
			 sqc_format_code_row_bytes(format, layout->dtype, col),
	};

	if (layout->micro_row_bytes)
		at.micro = out + layout->micro_offset + row * layout->micro_row_bytes +
			   sqc_format_micro_row_bytes(format, col);
	if (layout->scale_row_bytes)
		at.scales = out + layout->scale_offset + row * layout->scale_row_bytes +
			    sqc_format_scale_row_bytes(format, col);
	return at;
}

static void encode(const struct sqc_reader *reader, const void *source, uint32_t cols,
		   const struct sqc_row_out *out)
{
	reader->format->encode(reader->format, reader->layout.rounding, reader->layout.dtype,
			       source, cols, out);
}

/* Values to a format that takes groups. */
static void encode_aligned(const struct sqc_reader *reader, const float *values, uint32_t cols,
			   const struct sqc_row_out *out)
{
	const uint32_t planes = sqc_format_planes(reader->format, reader->layout.rounding,
						  SQC_PLANES_MAX);
	struct sqc_group *groups = reader->scratch->groups;

	for (uint32_t col = 0; col < cols; col += SQC_GROUP_ELEMENTS)
		sqc_group_align(values + col, sqc_least(cols - col, SQC_GROUP_ELEMENTS),
				planes ? planes - 1 : SQC_PLANES_MAX - 1,
				&groups[col / SQC_GROUP_ELEMENTS]);
	encode(reader, groups, cols, out);
}

/* What the format itself takes: not what the reader gathers. */
static bool takes_groups(const struct sqc_reader *reader)
{
	return sqc_format_source(reader->format, reader->layout.rounding) == SQC_SOURCE_GROUPS;
}

static void encode_values(const struct sqc_reader *reader, const float *values, uint32_t cols,
			  const struct sqc_row_out *out)
{
	if (takes_groups(reader))
		encode_aligned(reader, values, cols, out);
	else
		encode(reader, values, cols, out);
}

static void encode_groups(const struct sqc_reader *reader, const struct sqc_gather *gather,
			  uint32_t first, uint32_t cols, const struct sqc_row_out *out)
{
	struct sqc_read_scratch *scratch = reader->scratch;
	const uint32_t groups = (cols + SQC_GROUP_ELEMENTS - 1) / SQC_GROUP_ELEMENTS;

	if (reader->format->encode_planes && gather->segment) {
		struct sqc_planes planes = sqc_gather_planes(gather, first);

		if (reader->ties)
			planes.sticky = scratch->sticky + first / SQC_GROUP_ELEMENTS;
		reader->format->encode_planes(reader->format, reader->layout.rounding, &planes,
					      cols, out);
		return;
	}
	sqc_gather_groups(gather, first, groups, reader->planes, &scratch->gather);
	if (reader->ties) {
		for (uint32_t i = 0; i < groups; i++)
			scratch->gather.groups[i].sticky =
				scratch->sticky[first / SQC_GROUP_ELEMENTS + i];
	}
	encode(reader, scratch->gather.groups, cols, out);
}

static void encode_tuned(const struct sqc_reader *reader, const struct sqc_gather *gather,
			 uint32_t first, uint32_t cols, const struct sqc_row_out *out)
{
	struct sqc_read_scratch *scratch = reader->scratch;
	const uint32_t groups = (cols + SQC_GROUP_ELEMENTS - 1) / SQC_GROUP_ELEMENTS;

	sqc_gather_tuned(gather, first, groups, reader->planes, &scratch->gather);
	encode(reader, scratch->gather.tuned, cols, out);
}

void sqc_reader_levels(const struct sqc_reader *reader, uint32_t first, uint32_t count,
		       uint8_t *out)
{
	float levels[SQC_TUNED_CELLS];

	sqc_region_levels(reader->store, sqc_region_handle(reader->region),
			  SQ_FORMAT_PARAMETER(reader->layout.format), levels);
	memcpy(out, levels + first, count * sizeof(levels[0]));
}

void sqc_reader_encode(const struct sqc_reader *reader, const struct sqc_gather *gather,
		       uint32_t first, uint32_t cols, const struct sqc_row_out *out)
{
	struct sqc_read_scratch *scratch = reader->scratch;
	const uint32_t padded = (uint32_t)sqc_round_up(cols, SQC_GROUP_ELEMENTS);

	if (reader->source == SQC_SOURCE_TUNED) {
		encode_tuned(reader, gather, first, cols, out);
		return;
	}
	if (gathers_groups(reader)) {
		encode_groups(reader, gather, first, cols, out);
		return;
	}
	if (reader->source == SQC_SOURCE_WORDS && cols == padded) {	/* as they are */
		sqc_gather_words(gather, first, cols, out->codes, &scratch->gather);
		return;
	}
	sqc_gather_words(gather, first, padded, scratch->words, &scratch->gather);
	if (reader->source == SQC_SOURCE_WORDS) {
		encode(reader, scratch->words, cols, out);
		return;
	}
	sqc_words_to_values(reader->layout.dtype, scratch->words, cols, scratch->values);
	encode_values(reader, scratch->values, cols, out);
}

void sqc_reader_encode_column(const struct sqc_reader *reader, const void *words,
			      uint32_t cols, const struct sqc_row_out *out)
{
	struct sqc_read_scratch *scratch = reader->scratch;

	if (reader->source == SQC_SOURCE_WORDS) {
		encode(reader, words, cols, out);
		return;
	}
	sqc_words_to_values(reader->layout.dtype, words, cols, scratch->values);
	encode_values(reader, scratch->values, cols, out);
}
