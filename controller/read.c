/* SPDX-License-Identifier: MIT */
/* Reading rows: the walk over segments. */
#include <string.h>

#include "reader.h"
#include "stream.h"

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

/*
 * Pipelining: while a segment is delivered, what the request takes of the next one
 * comes closer, run after run, and runs that are there are checked. So memory is busy
 * while words are made, and what it brings is still in the second cache level when its
 * turn comes. A run that fails is left to that turn.
 */
struct ahead {
	struct sqc_gather *gather;	/* of the next segment; NULL: none */
	const struct sqc_touched *touched;
	uint32_t run;			/* the first that was not looked at */
};

/* NULL when there is no such run. */
static const uint8_t *ahead_run(const struct ahead *ahead, uint32_t run)
{
	return ahead->gather && run < ahead->touched->end_run ? ahead->gather->run[run] : NULL;
}

static void ahead_expect(const struct ahead *ahead, uint32_t run, uint32_t low, uint32_t high)
{
	uint32_t bytes;
	const uint8_t *memory = sqc_gather_run(ahead->gather, run, &bytes);

	high = sqc_least(high, bytes);
	if (low < high)
		sqc_expect((uintptr_t)memory + low, high - low);
}

/* Escapes that are expected among so many elements. */
#define ESCAPES_EXPECTED(elements)	((elements) / 64)

/*
 * Elements [low, high) of the segment are to be delivered. Returns where that share
 * of the next one's runs begins, which come closer as planes are read, and checks
 * those that have done so for the time of a run.
 */
static const uint8_t *ahead_share(struct ahead *ahead, uint32_t low, uint32_t high)
{
	const struct sqc_touched *touched = ahead->touched;
	const struct sqc_geometry *geometry;
	uint32_t bytes, run_bytes, run;

	if (!ahead->gather)
		return NULL;
	geometry = ahead->gather->geometry;
	run_bytes = sqc_run_bytes(geometry, ahead->gather->elements, 0);
	bytes = low / 8 * (touched->end_run - touched->first_run);
	run = touched->first_run + bytes / run_bytes;
	for (; ahead->run + 1 < run && ahead->run < touched->end_run; ahead->run++)
		sqc_gather_check(ahead->gather, ahead->run);
	if (touched->exponents)
		ahead_expect(ahead, SQC_RUN_EXPONENTS,
			     low / SQC_GROUP_ELEMENTS * geometry->group_bytes,
			     high / SQC_GROUP_ELEMENTS * geometry->group_bytes);
	if (touched->escapes)
		ahead_expect(ahead, SQC_RUN_ESCAPES,
			     ESCAPES_EXPECTED(low) * (2u + geometry->word_bytes),
			     ESCAPES_EXPECTED(high) * (2u + geometry->word_bytes));
	return run < touched->end_run ? ahead->gather->run[run] + bytes % run_bytes : NULL;
}

/* One plane of the segment was delivered. The next one's first run came closer
 * meanwhile, and any other does while the one before is checked: streaming itself
 * leaves no room for it. */
static void ahead_plane(struct ahead *ahead)
{
	if (!ahead_run(ahead, ahead->run))
		return;
	sqc_gather_check_ahead(ahead->gather, ahead->run, ahead_run(ahead, ahead->run + 1));
	ahead->run++;
}

/* The rows of a request in one segment, piece by piece. Rows without padding
 * follow each other in the segment and in the output, so a piece may be parts
 * of several. */
static void rows_deliver(const struct sqc_reader *reader, struct sqc_gather *gather,
			 struct ahead *ahead, uint32_t low, uint32_t high, uint8_t *out)
{
	const struct sqc_geometry *geometry = &reader->region->geometry;
	const uint64_t base = gather->index * SQC_SEGMENT_ELEMENTS;
	const bool padded = geometry->cols != geometry->stride;
	uint64_t row = (base + low) / geometry->stride;
	uint64_t col = (base + low) % geometry->stride;

	for (uint32_t at = low; at < high;) {
		uint64_t some = padded ? geometry->stride - col : high - at;
		struct sqc_row_out piece;

		if (some > high - at)
			some = high - at;
		if (some > SQC_PIECE_ELEMENTS)
			some = SQC_PIECE_ELEMENTS;
		gather->ahead = ahead_share(ahead, at, at + (uint32_t)some);
		piece = sqc_reader_out(reader, out, row - reader->first_row, (uint32_t)col);
		sqc_reader_encode(reader, gather, at,
				  (uint32_t)(padded && col + some > geometry->cols ?
						     geometry->cols - col : some),
				  &piece);
		at += (uint32_t)some;
		col += some;
		row += col / geometry->stride;
		col %= geometry->stride;
	}
}

/* Bits of one raw run, or zeros. */
static void raw_copy(uint8_t *to, const struct sqc_gather *gather, const uint8_t *run,
		     uint32_t low, uint32_t high, const uint8_t *ahead)
{
	if (gather->segment && gather->streaming)
		sqc_stream(to, run + low, high - low, ahead);
	else if (gather->segment)
		memcpy(to, run + low, high - low);
	else
		memset(to, 0, high - low);
}

static void planes_deliver(const struct sqc_reader *reader, const struct sqc_gather *gather,
			   struct ahead *ahead, uint32_t low, uint32_t high, uint8_t *out)
{
	const struct sqc_geometry *geometry = &reader->region->geometry;
	const struct sqc_layout *layout = &reader->layout;
	const uint64_t plane_bytes = layout->rows * layout->code_row_bytes;
	const uint64_t element = gather->index * SQC_SEGMENT_ELEMENTS + low -
				 reader->first_row * geometry->stride;

	for (uint32_t plane = 0; plane < reader->planes; plane++) {
		uint8_t *to = out + plane * plane_bytes + element / 8;

		if (gather->streaming)
			sqc_stream_expect((uintptr_t)to + plane_bytes, (high - low) / 8);
		raw_copy(to, gather, gather->run[plane], low / 8, high / 8,
			 plane ? NULL : ahead_run(ahead, 0));
		ahead_plane(ahead);
	}
	if (geometry->exponents)
		raw_copy(out + layout->scale_offset +
				 element / SQC_GROUP_ELEMENTS * geometry->group_bytes,
			 gather, gather->exponents,
			 low / SQC_GROUP_ELEMENTS * geometry->group_bytes,
			 high / SQC_GROUP_ELEMENTS * geometry->group_bytes,
			 ahead->gather ? ahead->gather->exponents : NULL);
}

static void segment_deliver(const struct sqc_reader *reader, struct sqc_gather *gather,
			    struct ahead *ahead, uint32_t low, uint32_t high, uint8_t *out)
{
	if (reader->layout.axis == SQ_AXIS_COL)
		return;
	if (reader->source == SQC_SOURCE_PLANES)
		planes_deliver(reader, gather, ahead, low, high, out);
	else
		rows_deliver(reader, gather, ahead, low, high, out);
}

/* None when nothing of the next segment is read, or not in a way that is known
 * by now. */
static struct ahead ahead_begin(struct sqc_walk *walk, const struct sqc_reader *reader,
				const struct sqc_touched *touched)
{
	const uint64_t index = walk->gather.index + 1;
	struct ahead ahead = { NULL, touched, touched->first_run };

	if (!walk->streaming || index >= walk->end)
		return ahead;
	sqc_gather_begin(&walk->next, reader->store, reader->region, index, &reader->scratch->unpack);
	if (walk->next.segment && !walk->next.coded && walk->next.geometry->planes)
		ahead.gather = &walk->next;
	return ahead;
}

/* Checks, counts and delivers the part of a segment that lies in a span. */
static bool segment_read(struct sqc_walk *walk, const struct sqc_reader *reader,
			 const struct span *span, uint64_t index, uint8_t *out)
{
	const uint64_t base = index * SQC_SEGMENT_ELEMENTS;
	const uint32_t low = span->begin > base ? (uint32_t)(span->begin - base) : 0;
	struct sqc_gather *gather = &walk->gather;
	struct sqc_touched touched;
	struct ahead ahead;
	uint32_t high;

	if (walk->next.index == index)
		*gather = walk->next;
	else if (gather->index != index)
		sqc_gather_begin(gather, reader->store, reader->region, index,
				 &reader->scratch->unpack);
	high = span->end - base < gather->elements ? (uint32_t)(span->end - base) :
						     gather->elements;
	if (!sqc_reader_check(reader, gather, low, high, &touched))
		return false;
	sqc_tally_segment(&walk->tally, gather, &touched, low, high);
	gather->streaming = walk->streaming;
	ahead = ahead_begin(walk, reader, &touched);
	segment_deliver(reader, gather, &ahead, low, high, out);
	gather->streaming = false;
	gather->ahead = NULL;
	return true;
}

bool sqc_reads_stream(const struct sqc_reader *reader)
{
	const bool whole = reader->region->geometry.cols == reader->region->geometry.stride;

	return reader->layout.bytes >= SQC_STREAM_BYTES && reader->layout.axis == SQ_AXIS_ROW &&
	       (reader->source == SQC_SOURCE_PLANES ||
		(reader->source == SQC_SOURCE_WORDS && whole) ||
		(reader->source == SQC_SOURCE_GROUPS && reader->format->encode_planes));
}

void sqc_walk_begin(struct sqc_walk *walk, struct sqc_result *result)
{
	walk->gather.index = UINT64_MAX;
	walk->next.index = UINT64_MAX;
	walk->streaming = false;
	sqc_tally_begin(&walk->tally, result);
}

static sqc_status segment_damaged(struct sqc_walk *walk, const struct sqc_reader *reader,
				  uint64_t index)
{
	walk->tally.result->error_row =
		(uint32_t)(index * SQC_SEGMENT_ELEMENTS / reader->region->geometry.stride);
	return SQ_STATUS_MEDIA_FAILURE;
}

uint64_t sqc_walk_segments(const struct sqc_reader *reader,
			   const struct sqc_read_request *request)
{
	const struct span span = span_of(reader, request);

	return (span.end - 1) / SQC_SEGMENT_ELEMENTS - span.begin / SQC_SEGMENT_ELEMENTS + 1;
}

sqc_status sqc_walk_part(struct sqc_walk *walk, const struct sqc_reader *reader,
			 const struct sqc_read_request *request, uint64_t first,
			 uint64_t segments, uint8_t *out)
{
	const struct span span = span_of(reader, request);

	first += span.begin / SQC_SEGMENT_ELEMENTS;
	walk->end = first + segments;
	for (uint64_t i = first; i < first + segments; i++) {
		if (!segment_read(walk, reader, &span, i, out))
			return segment_damaged(walk, reader, i);
	}
	if (walk->streaming)
		sqc_stream_end();
	return SQ_STATUS_SUCCESS;
}

void sqc_walk_count(struct sqc_walk *walk, const struct sqc_reader *reader,
		    const struct sqc_read_request *request)
{
	const struct sqc_geometry *geometry = &reader->region->geometry;
	const struct span span = span_of(reader, request);
	struct sqc_result *result = walk->tally.result;

	result->bytes += reader->layout.bytes;
	result->elements += (uint64_t)request->row_count * geometry->cols;
	result->baseline_lines += ((span.end - span.begin) * geometry->word_bytes +
				   SQC_LINE_BYTES - 1) / SQC_LINE_BYTES;
}

sqc_status sqc_walk_read(struct sqc_walk *walk, const struct sqc_reader *reader,
			 const struct sqc_read_request *request, uint8_t *out)
{
	struct sqc_result *result = walk->tally.result;
	sqc_status status;
	uint64_t damaged = 0;

	if (reader->source == SQC_SOURCE_LEVELS) {
		sqc_reader_levels(reader, 0, reader->layout.cols, out);
		result->bytes += reader->layout.bytes;
		result->elements += reader->layout.cols;
		return SQ_STATUS_SUCCESS;
	}
	status = sqc_walk_part(walk, reader, request, 0, sqc_walk_segments(reader, request), out);
	if (status)
		return status;
	if (reader->layout.axis == SQ_AXIS_COL &&
	    !sqc_reader_columns(reader, out, &damaged))
		return segment_damaged(walk, reader, damaged);
	sqc_walk_count(walk, reader, request);
	return SQ_STATUS_SUCCESS;
}

void sqc_read_values(const struct sqc_result *result, uint64_t requests,
		     uint64_t values[SQC_COUNTERS])
{
	memset(values, 0, SQC_COUNTERS * sizeof(values[0]));
	values[SQC_COUNT_REQUESTS] = requests;
	values[SQC_COUNT_ELEMENTS] = result->elements;
	values[SQC_COUNT_LINK_BYTES] = result->bytes;
	values[SQC_COUNT_PLANE_LINES] = result->plane_lines;
	values[SQC_COUNT_CHECK_LINES] = result->check_lines;
	values[SQC_COUNT_BASELINE_LINES] = result->baseline_lines;
	values[SQC_COUNT_DRAM_TIME_NS] = result->dram_time_ns;
	values[SQC_COUNT_DRAM_ENERGY_PJ] = result->dram_energy_pj;
	values[SQC_COUNT_LINK_TIME_NS] = result->link_time_ns;
}

void sqc_walk_end(struct sqc_walk *walk, const struct sqc_reader *reader)
{
	struct sqc_result *result = walk->tally.result;
	uint64_t values[SQC_COUNTERS];

	result->format = reader->layout.format;
	result->rounding = reader->layout.rounding;
	sqc_tally_end(&walk->tally, result->bytes);
	sqc_read_values(result, 1, values);
	sqc_count(reader->store, reader->region, reader->layout.format, values);
}

void sqc_read_failed(const struct sqc_reader *reader, const struct sqc_read_request *request,
		     sqc_status status, struct sqc_result *result)
{
	*result = (struct sqc_result){ .error_row = result->error_row };
	sqc_count_failure(reader->store, reader->region, request->format, status);
}

sqc_status sqc_trace_runs_max(const struct sqc_store *store,
			      const struct sqc_read_request *request, uint64_t *runs_max)
{
	struct sqc_reader reader;
	const sqc_status status = sqc_reader_begin(&reader, store, request);

	*runs_max = status ? 0 : sqc_walk_segments(&reader, request) * SQC_RUNS_MAX;
	return status;
}

sqc_status sqc_read_traced(struct sqc_store *store, const struct sqc_read_request *request,
			   void *out, uint64_t bytes, void *scratch, struct sqc_dram_run *runs,
			   uint64_t runs_max, uint64_t *run_count, struct sqc_result *result)
{
	struct sqc_reader reader;
	struct sqc_walk walk;
	sqc_status status = sqc_reader_begin(&reader, store, request);

	*result = (struct sqc_result){ 0 };
	reader.scratch = sqc_reader_scratch(scratch);
	sqc_walk_begin(&walk, result);
	walk.tally.runs = runs;
	if (!status && bytes != reader.layout.bytes)
		status = SQ_STATUS_LENGTH;
	if (!status && runs && runs_max / SQC_RUNS_MAX < sqc_walk_segments(&reader, request))
		status = SQ_STATUS_INVALID_INPUT;
	walk.streaming = !status && sqc_reads_stream(&reader);
	if (!status)
		status = sqc_walk_read(&walk, &reader, request, out);
	*run_count = walk.tally.run_count;
	if (status) {
		sqc_read_failed(&reader, request, status, result);
		return status;
	}
	sqc_tally_replay(&walk.tally, runs, *run_count);
	sqc_walk_end(&walk, &reader);
	return SQ_STATUS_SUCCESS;
}

sqc_status sqc_read(struct sqc_store *store, const struct sqc_read_request *request,
		    void *out, uint64_t bytes, void *scratch, struct sqc_result *result)
{
	uint64_t none;

	return sqc_read_traced(store, request, out, bytes, scratch, NULL, 0, &none, result);
}
