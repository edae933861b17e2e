/* SPDX-License-Identifier: MIT */
/*
 * Writing rows
 *
 * Each segment that the rows touch is made anew: what it was (unless the rows
 * cover all of it), then the rows over it, then its runs in fresh extents.
 * Only when all of them are there do they replace the old ones, so a request
 * that fails on the way leaves the region as it was.
 */
#include <math.h>
#include <string.h>

#include "build.h"
#include "encoding.h"
#include "gather.h"
#include "store.h"
#include "stream.h"

/* Elements converted at once; a multiple of every encoding's block. */
#define CONVERT_ELEMENTS 2048u

struct write_scratch {
	uint8_t words[SQC_SEGMENT_ELEMENTS * 4];
	float given[CONVERT_ELEMENTS];
	float stored[CONVERT_ELEMENTS];
	struct sqc_build_scratch build;
	struct sqc_gather_scratch gather;
	struct sqc_codebook_builder codebook;
};

/* A write in progress. */
struct writer {
	struct sqc_store *store;
	struct sqc_region *region;
	const struct sqc_write_request *request;
	const struct sqc_encoding *encoding;	/* NULL: the region's own words */
	const float *importance;		/* of each column; NULL: all alike */
	uint32_t block_elements;
	uint32_t block_bytes;
	const uint8_t *data;
	struct sqc_result *result;
	uint64_t written_lines;
	bool streaming;				/* so much that it would not stay in the caches */
	struct write_scratch *scratch;
	uint64_t first_segment;
	uint64_t last_segment;
	uint8_t *staged;			/* struct sqc_segment each */
	uint64_t staged_count;
	struct sqc_tuned *tuned;		/* placement tuned: of the staged segments */
};

static struct sqc_segment *staged_at(const struct writer *writer, uint64_t i)
{
	return (struct sqc_segment *)(writer->staged + i * writer->region->segment_bytes);
}

/* ------------------------------------------------------------ validation */

/* The float dtype that an encoding is the words of; 0 if none. */
static uint8_t dtype_of_encoding(uint16_t encoding)
{
	switch (encoding) {
	case SQ_ENCODING_BF16:
		return SQ_DTYPE_BF16;
	case SQ_ENCODING_FP16:
		return SQ_DTYPE_FP16;
	case SQ_ENCODING_FP32:
		return SQ_DTYPE_FP32;
	default:
		return 0;
	}
}

static sqc_status rows_check(const struct sqc_region *region,
			     const struct sqc_write_request *request)
{
	const uint32_t rows = region->geometry.rows;

	if (request->flags & ~SQ_STORE_ROUND)
		return SQ_STATUS_INVALID_INPUT;
	if (!request->row_count || request->first_row >= rows ||
	    request->row_count > rows - request->first_row)
		return SQ_STATUS_RANGE;
	return SQ_STATUS_SUCCESS;
}

/* Finds the region and how its data is encoded. */
static sqc_status writer_begin(struct writer *writer, const struct sqc_store *store,
			       const struct sqc_write_request *request)
{
	struct sqc_region *region = sqc_region_of(store, request->handle);
	sqc_status status;

	*writer = (struct writer){ .region = region, .request = request, .block_elements = 1 };
	if (!region)
		return SQ_STATUS_INVALID_HANDLE;
	status = rows_check(region, request);
	if (status)
		return status;
	writer->block_bytes = region->geometry.word_bytes;
	if (request->encoding == SQ_ENCODING_DTYPE ||
	    dtype_of_encoding(request->encoding) == region->geometry.dtype)
		return SQ_STATUS_SUCCESS;
	writer->encoding = sqc_encoding_find(request->encoding);
	if (!writer->encoding || !sqc_dtype_planes(region->geometry.dtype))
		return SQ_STATUS_UNSUPPORTED;
	writer->block_elements = writer->encoding->block_elements;
	writer->block_bytes = writer->encoding->block_bytes;
	return region->geometry.cols % writer->block_elements ? SQ_STATUS_INVALID_INPUT :
								SQ_STATUS_SUCCESS;
}

static uint64_t row_bytes(const struct writer *writer)
{
	return (uint64_t)writer->region->geometry.cols / writer->block_elements *
	       writer->block_bytes;
}

sqc_status sqc_write_bytes(const struct sqc_store *store,
			   const struct sqc_write_request *request, uint64_t *bytes)
{
	struct writer writer;
	const sqc_status status = writer_begin(&writer, store, request);

	if (!status)
		*bytes = request->row_count * row_bytes(&writer);
	return status;
}

/* -------------------------------------------------------------- elements */

/* Words from element `first` of the region on must be finite to be aligned or
 * tuned. */
static sqc_status finite_check(struct writer *writer, const uint8_t *words, uint64_t first,
			       uint32_t count)
{
	const struct sqc_geometry *geometry = &writer->region->geometry;
	uint32_t i = 0;

	if (!geometry->exponents || sqc_words_finite(words, geometry->dtype, count))
		return SQ_STATUS_SUCCESS;
	/* Bounded by itself: the words may be the caller's memory, which another
	 * process may change (a mapped file). */
	while (i + 1 < count &&
	       sqc_words_finite(words + (size_t)i * geometry->word_bytes, geometry->dtype, 1))
		i++;
	writer->result->error_row = (uint32_t)((first + i) / geometry->stride);
	writer->result->error_col = (uint32_t)((first + i) % geometry->stride);
	return SQ_STATUS_NON_FINITE;
}

/* Counts what rounding changed. A given NaN is no number to be off from. */
static void rounding_count(struct sqc_result *result, const float *given, const float *stored,
			   uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		double error;

		if (stored[i] == given[i] || given[i] != given[i])
			continue;
		error = fabs((double)stored[i] - (double)given[i]) / fabs((double)given[i]);
		result->rounded_elements++;
		if (error > (double)result->max_rounding_error)
			result->max_rounding_error = (float)error;
	}
}

/* Columns [col, col + count) of a row, whole blocks, to words of the dtype. */
static void convert(struct writer *writer, const uint8_t *row, uint32_t col, uint32_t count,
		    uint8_t *words)
{
	const struct sqc_geometry *geometry = &writer->region->geometry;
	struct write_scratch *scratch = writer->scratch;

	for (uint32_t done = 0; done < count;) {
		const uint32_t some = sqc_least(count - done, CONVERT_ELEMENTS);
		const uint64_t block = (col + done) / writer->block_elements;
		uint8_t *to = words + (size_t)done * geometry->word_bytes;

		writer->encoding->decode(row + block * writer->block_bytes,
					 some / writer->block_elements, scratch->given);
		sqc_values_to_words(geometry->dtype, scratch->given, some, to);
		sqc_words_to_values(geometry->dtype, to, some, scratch->stored);
		rounding_count(writer->result, scratch->given, scratch->stored, some);
		done += some;
	}
}

/* The real columns [col, end) of a row of the request into `words`. */
static void row_put(struct writer *writer, uint32_t row, uint32_t col, uint32_t end,
		    uint8_t *words)
{
	const uint8_t *data = writer->data +
			      (uint64_t)(row - writer->request->first_row) * row_bytes(writer);
	const uint32_t word_bytes = writer->region->geometry.word_bytes;

	if (writer->encoding)
		convert(writer, data, col, end - col, words);
	else
		memcpy(words, data + (uint64_t)col * word_bytes,
		       (size_t)(end - col) * word_bytes);
}

/* -------------------------------------------------------------- segments */

/* Elements of the region that the request covers. */
static uint64_t request_begin(const struct writer *writer)
{
	return writer->request->first_row * writer->region->geometry.stride;
}

static uint64_t request_end(const struct writer *writer)
{
	return request_begin(writer) +
	       writer->request->row_count * writer->region->geometry.stride;
}

static sqc_status segment_damaged(struct writer *writer, uint64_t index)
{
	writer->result->error_row = (uint32_t)(index * SQC_SEGMENT_ELEMENTS /
					       writer->region->geometry.stride);
	return SQ_STATUS_MEDIA_FAILURE;
}

/* All words of a segment as it is now. Some that are not finite were never
 * stored here, whatever the checksums say, and cannot be stored again. */
static sqc_status segment_words(struct writer *writer, uint64_t index)
{
	const struct sqc_geometry *geometry = &writer->region->geometry;
	struct sqc_gather gather;

	sqc_gather_begin(&gather, writer->store, writer->region, index, NULL);
	if (!sqc_gather_check_all(&gather))
		return segment_damaged(writer, index);
	writer->scratch->gather.escape = 0;
	for (uint32_t first = 0; first < gather.elements; first += SQC_PIECE_ELEMENTS) {
		const uint32_t count = sqc_least(gather.elements - first, SQC_PIECE_ELEMENTS);
		uint8_t *words = writer->scratch->words + (size_t)first * geometry->word_bytes;

		sqc_gather_words(&gather, first, count, words, &writer->scratch->gather);
		if (geometry->exponents && !sqc_words_finite(words, geometry->dtype, count))
			return segment_damaged(writer, index);
	}
	return SQ_STATUS_SUCCESS;
}

/* Puts the request's rows over the words of a segment: elements [at, end). */
static void rows_put(struct writer *writer, uint64_t base, uint64_t at, uint64_t end)
{
	const struct sqc_geometry *geometry = &writer->region->geometry;

	while (at < end) {
		const uint64_t row = at / geometry->stride;
		const uint32_t col = (uint32_t)(at % geometry->stride);
		const uint32_t padded = sqc_least(geometry->stride - col, end - at);
		const uint32_t real_end = sqc_least((uint64_t)col + padded, geometry->cols);
		uint8_t *words = writer->scratch->words + (at - base) * geometry->word_bytes;

		row_put(writer, (uint32_t)row, col, real_end, words);
		memset(words + (size_t)(real_end - col) * geometry->word_bytes, 0,
		       (size_t)(col + padded - real_end) * geometry->word_bytes);
		at += padded;
	}
}

/* The words of elements [base, end), a segment; NULL when they do not lie in the
 * request as they are stored. */
static const uint8_t *words_given(const struct writer *writer, uint64_t base, uint64_t end)
{
	const struct sqc_geometry *geometry = &writer->region->geometry;

	if (writer->encoding || geometry->cols != geometry->stride || request_begin(writer) > base ||
	    request_end(writer) < end)
		return NULL;
	return writer->data + (base - request_begin(writer)) * geometry->word_bytes;
}

/* The same where they have to be put together, in scratch memory. */
static sqc_status words_make(struct writer *writer, uint64_t index, uint64_t base, uint64_t end)
{
	const uint64_t from = request_begin(writer) > base ? request_begin(writer) : base;
	const uint64_t to = request_end(writer) < end ? request_end(writer) : end;
	sqc_status status = SQ_STATUS_SUCCESS;

	if (from > base || to < end)
		status = segment_words(writer, index);
	if (!status)
		rows_put(writer, base, from, to);
	return status;
}

static sqc_status segment_stage(struct writer *writer, uint64_t index)
{
	const uint64_t base = index * SQC_SEGMENT_ELEMENTS;
	const uint64_t end = base + sqc_segment_elements(&writer->region->geometry, index);
	const uint8_t *words = words_given(writer, base, end);
	sqc_status status;

	if (!words) {
		status = words_make(writer, index, base, end);
		if (status)
			return status;
		words = writer->scratch->words;
	}
	if (writer->tuned && finite_check(writer, words, base, (uint32_t)(end - base)))
		return SQ_STATUS_NON_FINITE;
	status = sqc_build(writer->store, writer->region, index, words, writer->streaming,
			   staged_at(writer, writer->staged_count), &writer->written_lines,
			   writer->tuned ? &writer->tuned->coder : NULL,
			   &writer->scratch->build);
	if (!status)
		writer->staged_count++;
	else if (!writer->tuned && finite_check(writer, words, base, (uint32_t)(end - base)))
		/* This is said first, and where it is. */
		status = SQ_STATUS_NON_FINITE;
	return status;
}

static void unstage(struct writer *writer)
{
	const struct sqc_geometry *geometry = &writer->region->geometry;

	for (uint64_t i = 0; i < writer->staged_count; i++)
		sqc_extents_release(writer->store, geometry,
				    sqc_segment_elements(geometry, writer->first_segment + i),
				    &staged_at(writer, i)->current);
}

/* Room for the descriptors and for the map that names the new segments too. */
static sqc_status descriptors_make(struct writer *writer)
{
	struct sqc_region *region = writer->region;
	uint64_t written = region->written;
	sqc_status status = sqc_segments_make(writer->store, region, writer->first_segment,
					      writer->last_segment);

	if (status)
		return status;
	for (uint64_t i = writer->first_segment; i <= writer->last_segment; i++)
		written += !sqc_segment_at(region, i)->current.planes;
	return sqc_map_reserve(writer->store, region, written);
}

static void replace(struct writer *writer)
{
	for (uint64_t i = 0; i < writer->staged_count; i++)
		sqc_segment_replace(writer->store, writer->region, writer->first_segment + i,
				    staged_at(writer, i));
	if (writer->tuned != writer->region->tuned) {
		sqc_release(writer->store, writer->region->tuned);
		writer->region->tuned = writer->tuned;
	}
	writer->region->dirty = true;
}

/* ------------------------------------------------------ placement tuned */

/* Groups that a codebook is made from, at most; spread over all rows. */
#define SAMPLE_GROUPS 16384u

/* The words of one group of a row of the request; the decoder takes whole
 * blocks. False when they are not finite: coding will say where. */
static bool sample_words(struct writer *writer, uint64_t row, uint32_t col, uint8_t *words)
{
	const struct sqc_geometry *geometry = &writer->region->geometry;
	const uint8_t *data = writer->data + row * row_bytes(writer);
	const uint32_t count = sqc_least(geometry->cols - col, SQC_GROUP_ELEMENTS);
	const uint32_t block = col / writer->block_elements;
	float *given = writer->scratch->given;

	memset(words, 0, SQC_GROUP_ELEMENTS * (size_t)geometry->word_bytes);
	data += (uint64_t)block * writer->block_bytes;
	if (writer->encoding) {
		writer->encoding->decode(data, writer->block_elements == 1 ? count : 1, given);
		sqc_values_to_words(geometry->dtype, given + col % writer->block_elements,
				    count, words);
	} else {
		memcpy(words, data, (size_t)count * geometry->word_bytes);
	}
	return sqc_words_finite(words, geometry->dtype, SQC_GROUP_ELEMENTS);
}

/* What the columns of a group matter; 0 for those that are padding. */
static const float *sample_importance(const struct writer *writer, uint32_t col,
				      float importance[SQC_GROUP_ELEMENTS])
{
	const uint32_t count = sqc_least(writer->region->geometry.cols - col, SQC_GROUP_ELEMENTS);

	if (!writer->importance)
		return NULL;
	memset(importance, 0, SQC_GROUP_ELEMENTS * sizeof(*importance));
	memcpy(importance, writer->importance + col, count * sizeof(*importance));
	return importance;
}

static void codebook_make(struct writer *writer, struct sqc_codebook *codebook)
{
	const struct sqc_geometry *geometry = &writer->region->geometry;
	const uint64_t row_groups = geometry->stride / SQC_GROUP_ELEMENTS;
	const uint64_t groups = row_groups * writer->request->row_count;
	const uint64_t step = (groups + SAMPLE_GROUPS - 1) / SAMPLE_GROUPS;
	struct sqc_codebook_builder *builder = &writer->scratch->codebook;
	uint8_t words[SQC_GROUP_ELEMENTS * 4];
	float importance[SQC_GROUP_ELEMENTS];

	sqc_codebook_begin(builder);
	for (uint64_t i = 0; i * step < groups; i++) {
		/* One of each `step`, at places that do not line up with rows. */
		uint64_t group = i * step + (i * 2654435761u >> 7) % step;
		uint32_t col = (uint32_t)(group % row_groups) * SQC_GROUP_ELEMENTS;

		if (group < groups && sample_words(writer, group / row_groups, col, words))
			sqc_codebook_add(builder, geometry->dtype, words,
					 sample_importance(writer, col, importance));
	}
	sqc_codebook_finish(builder, codebook);
}

/* A write of all rows makes a new codebook; others keep to the one there is. */
static sqc_status tuned_begin(struct writer *writer)
{
	struct sqc_region *region = writer->region;

	if (region->geometry.placement != SQ_PLACEMENT_TUNED)
		return SQ_STATUS_SUCCESS;
	writer->tuned = region->tuned;
	if (region->tuned && writer->request->row_count < region->geometry.rows)
		return SQ_STATUS_SUCCESS;
	writer->tuned = sqc_allocate(writer->store, sizeof(*writer->tuned));
	if (!writer->tuned)
		return SQ_STATUS_RESOURCES_EXHAUSTED;
	codebook_make(writer, &writer->tuned->codebook);
	sqc_tuned_begin(&writer->tuned->coder, &writer->tuned->codebook);
	return SQ_STATUS_SUCCESS;
}

static void tuned_end(struct writer *writer)
{
	if (writer->tuned != writer->region->tuned)
		sqc_release(writer->store, writer->tuned);
}

static sqc_status segments_write(struct writer *writer)
{
	sqc_status status = tuned_begin(writer);

	for (uint64_t i = writer->first_segment; i <= writer->last_segment && !status; i++)
		status = segment_stage(writer, i);
	if (writer->streaming)
		sqc_stream_end();
	if (!status)
		status = descriptors_make(writer);
	if (status)
		unstage(writer);
	else
		replace(writer);
	tuned_end(writer);
	return status;
}

static sqc_status write_checked(struct writer *writer)
{
	sqc_status status = SQ_STATUS_RESOURCES_EXHAUSTED;

	writer->first_segment = request_begin(writer) / SQC_SEGMENT_ELEMENTS;
	writer->last_segment = (request_end(writer) - 1) / SQC_SEGMENT_ELEMENTS;
	writer->scratch = sqc_allocate(writer->store, sizeof(*writer->scratch));
	writer->staged = sqc_allocate(writer->store,
				      (writer->last_segment - writer->first_segment + 1) *
				      writer->region->segment_bytes);
	if (writer->scratch && writer->staged)
		status = segments_write(writer);
	sqc_release(writer->store, writer->staged);
	sqc_release(writer->store, writer->scratch);
	return status;
}

static sqc_status importance_check(const struct writer *writer)
{
	const struct sqc_geometry *geometry = &writer->region->geometry;

	if (!writer->importance)
		return SQ_STATUS_SUCCESS;
	if (geometry->placement != SQ_PLACEMENT_TUNED)
		return SQ_STATUS_UNSUPPORTED;
	for (uint32_t col = 0; col < geometry->cols; col++) {
		/* False for a NaN, too. */
		if (!(writer->importance[col] >= 0.0f && writer->importance[col] < INFINITY))
			return SQ_STATUS_INVALID_INPUT;
	}
	return SQ_STATUS_SUCCESS;
}

static sqc_status write_refused(const struct writer *writer, uint64_t bytes)
{
	sqc_status status = sqc_writable(writer->store);

	if (!status)
		status = importance_check(writer);
	if (status)
		return status;
	if (writer->region->sealed)
		return SQ_STATUS_SEALED;
	if (writer->region->packing)
		return SQ_STATUS_IN_USE;
	if (writer->encoding && writer->encoding->exact &&
	    !(writer->request->flags & SQ_STORE_ROUND))
		return SQ_STATUS_ROUNDING_NEEDED;
	return bytes == writer->request->row_count * row_bytes(writer) ? SQ_STATUS_SUCCESS :
									 SQ_STATUS_LENGTH;
}

static void count_write(const struct writer *writer)
{
	const uint64_t values[SQC_COUNTERS] = {
		[SQC_COUNT_STORES] = 1,
		[SQC_COUNT_STORED_ELEMENTS] = writer->result->elements,
		[SQC_COUNT_WRITTEN_LINES] = writer->written_lines,
	};

	sqc_count(writer->store, writer->region, SQ_FORMAT_TAG, values);
}

sqc_status sqc_write(struct sqc_store *store, const struct sqc_write_request *request,
		     const void *data, uint64_t bytes, struct sqc_result *result)
{
	return sqc_write_weighted(store, request, NULL, data, bytes, result);
}

sqc_status sqc_write_weighted(struct sqc_store *store, const struct sqc_write_request *request,
			      const float *importance, const void *data, uint64_t bytes,
			      struct sqc_result *result)
{
	struct writer writer;
	sqc_status status = writer_begin(&writer, store, request);

	*result = (struct sqc_result){ 0 };
	writer.store = store;
	writer.importance = importance;
	writer.data = data;
	writer.result = result;
	writer.streaming = bytes >= SQC_STREAM_BYTES;
	if (!status)
		status = write_refused(&writer, bytes);
	if (!status)
		status = write_checked(&writer);
	if (status) {
		*result = (struct sqc_result){ .error_row = result->error_row,
					       .error_col = result->error_col };
		sqc_count_failure(store, writer.region, SQ_FORMAT_TAG, status);
		return status;
	}
	result->bytes = bytes;
	result->elements = (uint64_t)request->row_count * writer.region->geometry.cols;
	count_write(&writer);
	return SQ_STATUS_SUCCESS;
}
