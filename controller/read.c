/* SPDX-License-Identifier: MIT */
/* Reading rows: the walk over segments. */
#include <string.h>

#include "checksum.h"
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
 * Pipelining: while a segment is delivered, what the request takes of the next one is
 * checked, and lines of the one after that come closer, a little of each in turns. So
 * memory is read while it is written, and what it brings is still in the second cache
 * level when it is used. A run that fails is left to its own turn.
 */
struct ahead {
	struct sqc_gather *next;	/* NULL: none */
	const struct sqc_gather *after;	/* NULL: none */
	const struct sqc_touched *touched;
	/* Bytes of the next one for each that is streamed of this one, and how many
	 * are due, both in units of 2^-16. */
	uint64_t share;
	uint64_t due;
	/* A run, in the order of sqc_reader_check(). */
	uint32_t run;
	uint32_t bytes;
	const uint8_t *memory;
	uintptr_t coming;		/* the one after's; 0: none */
	uint32_t come;			/* bytes of that which were asked for */
	uint32_t checked;
	uint32_t crc;			/* of those */
};

#define RUNS_END	(SQC_RUN_ESCAPES + 1u)

/* Begins with a run, or with the next one that is touched. */
static void ahead_run(struct ahead *ahead, uint32_t run)
{
	const struct sqc_touched *touched = ahead->touched;
	uint32_t bytes;

	if (run >= touched->end_run && run < SQC_RUN_EXPONENTS)
		run = SQC_RUN_EXPONENTS;
	if (run == SQC_RUN_EXPONENTS && !touched->exponents)
		run++;
	if (run == SQC_RUN_ESCAPES && !touched->escapes)
		run++;
	ahead->run = run;
	if (run == RUNS_END)
		return;
	ahead->memory = sqc_gather_run(ahead->next, run, &ahead->bytes);
	ahead->coming = ahead->after ? (uintptr_t)sqc_gather_run(ahead->after, run, &bytes) : 0;
	ahead->come = 0;
	ahead->checked = 0;
	ahead->crc = 0;
}

/* Lines are asked for a few at a time, or a CPU fetches not all of them; a CRC is made
 * of so many bytes at least, with which it is fastest. */
#define CHECK_BYTES	2048u

static void ahead_step(struct ahead *ahead, uint32_t bytes)
{
	if (ahead->coming)
		sqc_expect(ahead->coming + ahead->come, bytes);
	ahead->come += bytes;
	if (ahead->come < ahead->bytes && ahead->come - ahead->checked < CHECK_BYTES)
		return;
	bytes = ahead->come < ahead->bytes ? CHECK_BYTES : ahead->bytes - ahead->checked;
	ahead->crc = sqc_crc32c(ahead->crc, ahead->memory + ahead->checked, bytes);
	ahead->checked += bytes;
	if (ahead->checked < ahead->bytes)
		return;
	sqc_gather_checked(ahead->next, ahead->run, ahead->crc);
	ahead_run(ahead, ahead->run + 1);
}

/* So many bytes of this segment were streamed. See struct sqc_turns. */
static void ahead_take(void *context, size_t bytes)
{
	struct ahead *ahead = context;
	uint32_t rest;

	ahead->due += ahead->share * bytes;
	rest = (uint32_t)(ahead->due >> 16) / SQC_LINE_BYTES * SQC_LINE_BYTES;
	ahead->due -= (uint64_t)rest << 16;
	while (rest && ahead->run < RUNS_END) {
		const uint32_t some = sqc_least(rest, ahead->bytes - ahead->come);

		ahead_step(ahead, some);
		rest -= some;
	}
}

/* The rows of a request in one segment, piece by piece. Rows without padding
 * follow each other in the segment and in the output, so a piece may be parts
 * of several; what is streamed is one. */
static void rows_deliver(const struct sqc_reader *reader, const struct sqc_gather *gather,
			 uint32_t low, uint32_t high, uint8_t *out)
{
	const struct sqc_geometry *geometry = &reader->region->geometry;
	const uint64_t base = gather->index * SQC_SEGMENT_ELEMENTS;
	const bool padded = geometry->cols != geometry->stride;
	const uint32_t most = gather->streaming && !padded ? SQC_SEGMENT_ELEMENTS : SQC_PIECE_ELEMENTS;
	uint64_t row = (base + low) / geometry->stride;
	uint64_t col = (base + low) % geometry->stride;

	for (uint32_t at = low; at < high;) {
		const struct sqc_row_out piece =
			sqc_reader_out(reader, out, row - reader->first_row, (uint32_t)col);
		uint64_t some = padded ? geometry->stride - col : high - at;

		if (some > high - at)
			some = high - at;
		if (some > most)
			some = most;
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

/* Bits of one raw run, or zeros. The next segment's go to where these end. */
static void raw_copy(uint8_t *to, const struct sqc_gather *gather, const uint8_t *run,
		     uint32_t low, uint32_t high)
{
	const uint32_t bytes = high - low;

	if (gather->streaming) {
		sqc_stream_expect((uintptr_t)to + bytes, bytes);
		sqc_stream(to, run + low, bytes, &gather->turns);
	} else if (gather->segment) {
		memcpy(to, run + low, bytes);
	} else {
		memset(to, 0, bytes);
	}
}

static void planes_deliver(const struct sqc_reader *reader, const struct sqc_gather *gather,
			   uint32_t low, uint32_t high, uint8_t *out)
{
	const struct sqc_geometry *geometry = &reader->region->geometry;
	const struct sqc_layout *layout = &reader->layout;
	const uint64_t plane_bytes = layout->rows * layout->code_row_bytes;
	const uint64_t element = gather->index * SQC_SEGMENT_ELEMENTS + low -
				 reader->first_row * geometry->stride;

	for (uint32_t plane = 0; plane < reader->planes; plane++) {
		raw_copy(out + plane * plane_bytes + element / 8, gather, gather->run[plane],
			 low / 8, high / 8);
	}
	if (geometry->exponents)
		raw_copy(out + layout->scale_offset +
				 element / SQC_GROUP_ELEMENTS * geometry->group_bytes,
			 gather, gather->exponents,
			 low / SQC_GROUP_ELEMENTS * geometry->group_bytes,
			 high / SQC_GROUP_ELEMENTS * geometry->group_bytes);
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

/* The gather of a segment, which may have begun earlier. */
static struct sqc_gather *gather_of(struct sqc_walk *walk, const struct sqc_reader *reader,
				    uint64_t index)
{
	struct sqc_gather *gather = &walk->gathers[index % SQC_WALK_GATHERS];

	if (gather->index != index)
		sqc_gather_begin(gather, reader->store, reader->region, index,
				 &reader->scratch->unpack);
	return gather;
}

/* The same; NULL when nothing of it is read, or not in a way that is known by now. */
static struct sqc_gather *gather_ahead(struct sqc_walk *walk, const struct sqc_reader *reader,
				       uint64_t index)
{
	struct sqc_gather *gather;

	if (!walk->streaming || index >= walk->end)
		return NULL;
	gather = gather_of(walk, reader, index);
	return gather->segment && !gather->coded && gather->geometry->planes ? gather : NULL;
}

static uint64_t bytes_touched(const struct sqc_gather *gather, const struct sqc_touched *touched)
{
	const struct sqc_geometry *geometry = gather->geometry;

	return touched->end_run * sqc_run_bytes(geometry, gather->elements, 0) +
	       (touched->exponents ? sqc_exponent_bytes(geometry, gather->elements) : 0) +
	       (touched->escapes ? sqc_escape_bytes(geometry, gather->escapes) : 0);
}

static struct ahead ahead_begin(struct sqc_walk *walk, const struct sqc_reader *reader,
				const struct sqc_touched *touched, uint64_t index)
{
	const uint64_t elements = reader->layout.rows * reader->region->geometry.stride;
	struct sqc_gather *next = gather_ahead(walk, reader, index + 1);
	struct ahead ahead = { .next = next, .touched = touched, .run = RUNS_END };

	if (!next)
		return ahead;
	ahead.after = gather_ahead(walk, reader, index + 2);
	/* Rather a line too early than none at the end. */
	ahead.share = (bytes_touched(next, touched) << 16) /
		      (reader->layout.bytes * next->elements / elements) + 1;
	ahead.due = SQC_LINE_BYTES << 16;
	ahead_run(&ahead, touched->first_run);
	return ahead;
}

/* Checks, counts and delivers the part of a segment that lies in a span. */
static bool segment_read(struct sqc_walk *walk, const struct sqc_reader *reader,
			 const struct span *span, uint64_t index, uint8_t *out)
{
	const uint64_t base = index * SQC_SEGMENT_ELEMENTS;
	const uint32_t low = span->begin > base ? (uint32_t)(span->begin - base) : 0;
	struct sqc_gather *gather = gather_of(walk, reader, index);
	struct sqc_touched touched;
	struct ahead ahead;
	uint32_t high;

	high = span->end - base < gather->elements ? (uint32_t)(span->end - base) :
						     gather->elements;
	if (!sqc_reader_check(reader, gather, low, high, &touched))
		return false;
	sqc_tally_segment(&walk->tally, gather, &touched, low, high);
	ahead = ahead_begin(walk, reader, &touched, index);
	gather->streaming = walk->streaming && gather->segment;
	gather->turns = (struct sqc_turns){ ahead_take, &ahead };
	segment_deliver(reader, gather, low, high, out);
	gather->streaming = false;
	return true;
}

void sqc_walk_begin(struct sqc_walk *walk, struct sqc_result *result)
{
	for (unsigned int i = 0; i < SQC_WALK_GATHERS; i++)
		walk->gathers[i].index = UINT64_MAX;
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
