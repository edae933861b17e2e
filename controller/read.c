/* SPDX-License-Identifier: MIT */
/* Reading rows: the walk over segments. */
#include <string.h>

#include "reader.h"

/* Elements of the region that a read covers. */
struct span {
	uint64_t begin;
	uint64_t end;
};

static struct span span_of(const struct sqc_reader *reader,
			   const struct sqc_read_request *request)
{
	const uint64_t stride = reader->region->geometry.stride;

	return (struct span){
		.begin = request->first_row * stride,
		.end = ((uint64_t)request->first_row + request->row_count) * stride,
	};
}

/* The rows of a request in one segment, piece by piece. */
static void rows_deliver(const struct sqc_reader *reader, const struct sqc_gather *gather,
			 uint32_t low, uint32_t high, uint8_t *out)
{
	const struct sqc_geometry *geometry = &reader->region->geometry;
	const uint64_t base = gather->index * SQC_SEGMENT_ELEMENTS;
	uint64_t row = (base + low) / geometry->stride;
	uint64_t col = (base + low) % geometry->stride;

	for (uint32_t at = low; at < high;) {
		uint64_t some = geometry->stride - col;
		struct sqc_row_out piece;

		if (some > high - at)
			some = high - at;
		if (some > SQC_PIECE_ELEMENTS)
			some = SQC_PIECE_ELEMENTS;
		piece = sqc_reader_out(reader, out, row - reader->first_row, (uint32_t)col);
		sqc_reader_encode(reader, gather, at,
				  (uint32_t)(col + some < geometry->cols ? some :
								geometry->cols - col),
				  &piece);
		at += (uint32_t)some;
		col += some;
		if (col == geometry->stride) {
			col = 0;
			row++;
		}
	}
}

/* Bits of one raw run, or zeros. */
static void raw_copy(uint8_t *to, const struct sqc_gather *gather, const uint8_t *run,
		     uint32_t low, uint32_t high)
{
	if (gather->segment)
		memcpy(to, run + low, high - low);
	else
		memset(to, 0, high - low);
}

static void planes_deliver(const struct sqc_reader *reader, const struct sqc_gather *gather,
			   uint32_t low, uint32_t high, uint8_t *out)
{
	const struct sqc_geometry *geometry = &reader->region->geometry;
	const struct sqc_layout *layout = &reader->layout;
	const uint64_t plane_bytes = layout->rows * layout->code_row_bytes;
	const uint64_t element = gather->index * SQC_SEGMENT_ELEMENTS + low -
				 reader->first_row * geometry->stride;

	for (uint32_t plane = 0; plane < reader->planes; plane++)
		raw_copy(out + plane * plane_bytes + element / 8, gather, gather->run[plane],
			 low / 8, high / 8);
	if (geometry->exponents)
		raw_copy(out + layout->scale_offset + element / SQC_GROUP_ELEMENTS, gather,
			 gather->exponents, low / SQC_GROUP_ELEMENTS, high / SQC_GROUP_ELEMENTS);
}

static void segment_deliver(const struct sqc_reader *reader, const struct sqc_gather *gather,
			    uint32_t low, uint32_t high, uint8_t *out)
{
	if (reader->layout.axis == SQ_AXIS_COL)
		return;
	if (reader->source == SQC_SOURCE_PLANES)
		planes_deliver(reader, gather, low, high, out);
	else
		rows_deliver(reader, gather, low, high, out);
}

/* Checks, counts and delivers the segments of a span in order. */
static sqc_status segments_read(const struct sqc_reader *reader, const struct span *span,
				struct sqc_tally *tally, uint8_t *out)
{
	const uint64_t last = (span->end - 1) / SQC_SEGMENT_ELEMENTS;

	for (uint64_t i = span->begin / SQC_SEGMENT_ELEMENTS; i <= last; i++) {
		const uint64_t base = i * SQC_SEGMENT_ELEMENTS;
		const uint32_t low = span->begin > base ? (uint32_t)(span->begin - base) : 0;
		struct sqc_touched touched;
		struct sqc_gather gather;
		uint32_t high;

		sqc_gather_begin(&gather, reader->store, reader->region, i);
		high = span->end - base < gather.elements ? (uint32_t)(span->end - base) :
							    gather.elements;
		if (!sqc_reader_check(reader, &gather, low, high, &touched)) {
			tally->result->error_row =
				(uint32_t)(base / reader->region->geometry.stride);
			return SQ_STATUS_MEDIA_FAILURE;
		}
		sqc_tally_segment(tally, &gather, &touched, low, high, false);
		segment_deliver(reader, &gather, low, high, out);
	}
	if (reader->layout.axis == SQ_AXIS_COL)
		sqc_reader_columns(reader, 0, reader->layout.rows, 0, reader->layout.cols, out);
	return SQ_STATUS_SUCCESS;
}

static void count_read(const struct sqc_reader *reader, const struct sqc_result *result)
{
	const uint64_t values[SQC_COUNTERS] = {
		[SQC_COUNT_REQUESTS] = 1,
		[SQC_COUNT_ELEMENTS] = result->elements,
		[SQC_COUNT_LINK_BYTES] = result->bytes,
		[SQC_COUNT_PLANE_LINES] = result->plane_lines,
		[SQC_COUNT_CHECK_LINES] = result->check_lines,
		[SQC_COUNT_BASELINE_LINES] = result->baseline_lines,
		[SQC_COUNT_DRAM_TIME_NS] = result->dram_time_ns,
		[SQC_COUNT_DRAM_ENERGY_PJ] = result->dram_energy_pj,
		[SQC_COUNT_LINK_TIME_NS] = result->link_time_ns,
	};

	sqc_count(reader->store, reader->region, reader->layout.format, values);
}

static sqc_status read_checked(struct sqc_reader *reader, const struct sqc_read_request *request,
			       uint8_t *out, struct sqc_result *result)
{
	const struct sqc_geometry *geometry = &reader->region->geometry;
	const struct span span = span_of(reader, request);
	struct sqc_tally tally;
	sqc_status status;

	sqc_tally_begin(&tally, result);
	status = segments_read(reader, &span, &tally, out);
	if (status)
		return status;
	result->format = reader->layout.format;
	result->rounding = reader->layout.rounding;
	result->bytes = reader->layout.bytes;
	result->elements = (uint64_t)request->row_count * geometry->cols;
	result->baseline_lines = ((span.end - span.begin) * geometry->word_bytes +
				  SQC_LINE_BYTES - 1) / SQC_LINE_BYTES;
	sqc_tally_end(&tally, result->bytes);
	count_read(reader, result);
	return SQ_STATUS_SUCCESS;
}

sqc_status sqc_read(struct sqc_store *store, const struct sqc_read_request *request,
		    void *out, uint64_t bytes, void *scratch, struct sqc_result *result)
{
	struct sqc_reader reader;
	sqc_status status = sqc_reader_begin(&reader, store, request);

	*result = (struct sqc_result){ 0 };
	reader.scratch = scratch;
	if (!status && bytes != reader.layout.bytes)
		status = SQ_STATUS_LENGTH;
	if (!status)
		status = read_checked(&reader, request, out, result);
	if (status) {
		*result = (struct sqc_result){ .error_row = result->error_row };
		sqc_count_failure(store, reader.region, request->format, status);
	}
	return status;
}
