/* SPDX-License-Identifier: MIT */
/* Reads with a precision vector: one walk over the segments for all parts. */
#include "reader.h"

sqc_status sqc_vector_part(const struct sqc_read_request *request,
			   const struct sqc_precision_vector *vector,
			   uint32_t part, struct sqc_read_request *part_request)
{
	const uint64_t first = (uint64_t)part * vector->rows_per_format;

	if (part >= vector->format_count || first >= request->row_count)
		return SQ_STATUS_RANGE;
	*part_request = *request;
	part_request->format = vector->formats[part];
	part_request->first_row = request->first_row + (uint32_t)first;
	part_request->row_count = request->row_count - (uint32_t)first;
	if (part_request->row_count > vector->rows_per_format)
		part_request->row_count = vector->rows_per_format;
	return SQ_STATUS_SUCCESS;
}

/* The rows as a whole, and that there is one format for each block of them. */
static sqc_status vector_check(const struct sqc_store *store,
			       const struct sqc_read_request *request,
			       const struct sqc_precision_vector *vector)
{
	struct sqc_read_request whole = *request;
	struct sqc_layout layout;
	sqc_status status;

	if (request->format != SQ_FORMAT_TAG || !vector->rows_per_format)
		return SQ_STATUS_INVALID_INPUT;
	whole.format = SQ_FORMAT_NATIVE;
	whole.rounding = SQ_ROUNDING_DEFAULT;
	whole.axis = SQ_AXIS_ROW;
	status = sqc_read_layout(store, &whole, &layout);
	if (status)
		return status;
	return (request->row_count - 1) / vector->rows_per_format + 1 == vector->format_count ?
		       SQ_STATUS_SUCCESS : SQ_STATUS_INVALID_INPUT;
}

sqc_status sqc_vector_describe(const struct sqc_store *store,
			       const struct sqc_read_request *request,
			       const struct sqc_precision_vector *vector,
			       struct sqc_vector_layout *layout, uint64_t *offsets)
{
	sqc_status status = vector_check(store, request, vector);

	*layout = (struct sqc_vector_layout){ 0 };
	for (uint32_t part = 0; !status && part < vector->format_count; part++) {
		struct sqc_layout part_layout = { 0 };
		struct sqc_read_request part_request;

		sqc_vector_part(request, vector, part, &part_request);
		status = sqc_read_layout(store, &part_request, &part_layout);
		if (status)
			break;
		if (offsets)
			offsets[part] = layout->bytes;
		layout->bytes += part_layout.bytes;
		if (layout->scratch_bytes < sqc_read_scratch_bytes(&part_layout))
			layout->scratch_bytes = sqc_read_scratch_bytes(&part_layout);
	}
	if (!status && offsets)
		offsets[vector->format_count] = layout->bytes;
	return status;
}

/* What a result has more than it had. */
static struct sqc_result difference(const struct sqc_result *now, const struct sqc_result *before)
{
	return (struct sqc_result){
		.bytes = now->bytes - before->bytes,
		.elements = now->elements - before->elements,
		.plane_lines = now->plane_lines - before->plane_lines,
		.check_lines = now->check_lines - before->check_lines,
		.baseline_lines = now->baseline_lines - before->baseline_lines,
		.dram_time_ns = now->dram_time_ns - before->dram_time_ns,
		.dram_energy_pj = now->dram_energy_pj - before->dram_energy_pj,
		.link_time_ns = now->link_time_ns - before->link_time_ns,
	};
}

/* Reads one part, and counts it for its format. */
static sqc_status part_read(struct sqc_walk *walk, struct sqc_reader *reader,
			    const struct sqc_read_request *request, uint8_t *out)
{
	struct sqc_result *result = walk->tally.result;
	const struct sqc_result before = *result;
	uint64_t values[SQC_COUNTERS];
	struct sqc_result part;
	sqc_status status = sqc_reader_begin(reader, reader->store, request);

	if (!status)
		status = sqc_walk_read(walk, reader, request, out);
	if (status)
		return status;
	sqc_tally_end(&walk->tally, result->bytes);
	part = difference(result, &before);
	sqc_read_values(&part, 1, values);
	sqc_count_format(reader->store, reader->layout.format, values);
	return SQ_STATUS_SUCCESS;
}

static sqc_status parts_read(const struct sqc_store *store, const struct sqc_read_request *request,
			     const struct sqc_precision_vector *vector, uint8_t *out,
			     void *scratch, struct sqc_result *result)
{
	struct sqc_reader reader = { .store = store, .scratch = sqc_reader_scratch(scratch) };
	sqc_status status = SQ_STATUS_SUCCESS;
	struct sqc_walk walk;

	sqc_walk_begin(&walk, result);
	for (uint32_t part = 0; !status && part < vector->format_count; part++) {
		struct sqc_read_request part_request;

		sqc_vector_part(request, vector, part, &part_request);
		status = part_read(&walk, &reader, &part_request, out + result->bytes);
	}
	return status;
}

sqc_status sqc_read_vector(struct sqc_store *store, const struct sqc_read_request *request,
			   const struct sqc_precision_vector *vector, void *out, uint64_t bytes,
			   void *scratch, struct sqc_result *result)
{
	const struct sqc_region *region = sqc_region_of(store, request->handle);
	struct sqc_vector_layout layout;
	sqc_status status = sqc_vector_describe(store, request, vector, &layout, NULL);
	uint64_t values[SQC_COUNTERS];

	*result = (struct sqc_result){ 0 };
	if (!status && bytes != layout.bytes)
		status = SQ_STATUS_LENGTH;
	if (!status)
		status = parts_read(store, request, vector, out, scratch, result);
	if (status) {
		*result = (struct sqc_result){ .error_row = result->error_row };
		sqc_count_failure(store, region, SQ_FORMAT_TAG, status);
		return status;
	}
	result->rounding = request->rounding;
	sqc_read_values(result, 1, values);
	sqc_count(store, region, SQ_FORMAT_TAG, values);
	return SQ_STATUS_SUCCESS;
}
