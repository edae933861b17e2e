/* SPDX-License-Identifier: MIT */
#include "multiplier.h"

#include "reader.h"

/* What a segment that was never written reads as. */
static const uint8_t zeros[SQC_ROW_BYTES];

bool sqc_multiplier_planes(const struct sqc_layout *layout, uint32_t *planes)
{
	if (SQ_FORMAT_FAMILY(layout->format) != SQ_FORMAT_FAMILY_MXINT ||
	    layout->placement != SQ_PLACEMENT_ALIGNED || layout->axis != SQ_AXIS_ROW ||
	    layout->rounding > SQ_ROUNDING_NEAREST)
		return false;
	*planes = sqc_format_planes(sqc_format_find(layout->format), layout->rounding,
				    SQC_PLANES_MAX);
	return true;
}

static void segment_block(const struct sqc_plane_source *source, uint64_t index,
			  struct sqc_plane_block *block)
{
	const struct sqc_multiplier *multiplier = source->context;
	const struct sqc_geometry *geometry = &multiplier->region->geometry;
	const struct sqc_segment *segment = sqc_segment_at(multiplier->region, index);
	const uint8_t *memory = multiplier->store->memory;
	const uint32_t elements = sqc_segment_elements(geometry, index);

	/* The next call wants to know where the next segment is. */
	if (index + 1 < geometry->segments)
		__builtin_prefetch(sqc_segment_at(multiplier->region, index + 1));
	block->stored = segment && segment->current.planes;
	block->at.exponents = block->stored ? memory + segment->current.tail : zeros;
	for (uint32_t plane = 0; plane < source->planes; plane++)
		block->at.plane[plane] =
			block->stored ? memory + sqc_run_offset(geometry, index, elements,
								segment->current.planes, plane) :
					zeros;
}

sqc_status sqc_multiplier_begin(struct sqc_multiplier *multiplier, const struct sqc_store *store,
				const struct sqc_read_request *request)
{
	const struct sqc_region *region = sqc_region_of(store, request->handle);
	struct sqc_layout layout;
	const sqc_status status = sqc_read_layout(store, request, &layout);
	uint32_t planes;

	if (status)
		return status;
	if (region->coding != SQ_CODING_RAW || !sqc_multiplier_planes(&layout, &planes))
		return SQ_STATUS_UNSUPPORTED;
	*multiplier = (struct sqc_multiplier){
		.store = store,
		.region = region,
		.layout = layout,
		.source = {
			.stride = region->geometry.stride,
			.elements = region->geometry.elements,
			.block_elements = SQC_SEGMENT_ELEMENTS,
			.planes = (uint8_t)planes,
			.block = segment_block,
			.context = multiplier,
		},
		.first_row = request->first_row,
		.changes = UINT64_MAX,
	};
	return SQ_STATUS_SUCCESS;
}

bool sqc_multiplier_is_current(const struct sqc_multiplier *multiplier)
{
	return multiplier->changes == multiplier->region->changes;
}

/* Checks what a product reads of one segment, and counts all its lines. */
static bool segment_check(const struct sqc_multiplier *multiplier, struct sqc_gather *gather,
			  uint64_t *lines)
{
	uint32_t bytes;

	for (uint32_t run = 0; run < multiplier->source.planes; run++) {
		sqc_gather_run(gather, run, &bytes);
		*lines += bytes / SQC_LINE_BYTES;
		if (!sqc_gather_check(gather, run))
			return false;
	}
	sqc_gather_run(gather, SQC_RUN_EXPONENTS, &bytes);
	*lines += bytes / SQC_LINE_BYTES;
	return sqc_gather_check(gather, SQC_RUN_EXPONENTS);
}

static void count_check(const struct sqc_multiplier *multiplier, const struct sqc_result *result)
{
	uint64_t values[SQC_COUNTERS];

	sqc_read_values(result, 0, values);
	sqc_count(multiplier->store, multiplier->region, multiplier->layout.format, values);
}

sqc_status sqc_multiplier_check(struct sqc_multiplier *multiplier, struct sqc_result *result)
{
	const struct sqc_geometry *geometry = &multiplier->region->geometry;
	const uint64_t begin = multiplier->first_row * geometry->stride;
	const uint64_t end = begin + multiplier->layout.rows * geometry->stride;
	const struct sqc_touched touched = { .end_run = multiplier->source.planes,
					     .exponents = true };
	struct sqc_result cost = { 0 };
	struct sqc_tally tally;
	struct sqc_gather gather;
	uint64_t lines = 0;

	*result = (struct sqc_result){ 0 };
	if (multiplier->region->coding != SQ_CODING_RAW)
		return SQ_STATUS_UNSUPPORTED;
	sqc_tally_begin(&tally, &cost);
	for (uint64_t i = begin / SQC_SEGMENT_ELEMENTS; i <= (end - 1) / SQC_SEGMENT_ELEMENTS; i++) {
		const uint64_t base = i * SQC_SEGMENT_ELEMENTS;

		sqc_gather_begin(&gather, multiplier->store, multiplier->region, i, NULL);
		if (!gather.segment)
			continue;
		if (!segment_check(multiplier, &gather, &lines)) {
			result->error_row = (uint32_t)(base / geometry->stride);
			sqc_count_failure(multiplier->store, multiplier->region,
					  multiplier->layout.format, SQ_STATUS_MEDIA_FAILURE);
			return SQ_STATUS_MEDIA_FAILURE;
		}
		sqc_tally_segment(&tally, &gather, &touched,
				  begin > base ? (uint32_t)(begin - base) : 0,
				  end - base < gather.elements ? (uint32_t)(end - base) :
								 gather.elements);
	}
	sqc_tally_end(&tally, cost.plane_lines * SQC_LINE_BYTES);
	multiplier->cost = cost;
	multiplier->changes = multiplier->region->changes;
	result->check_lines = lines;
	count_check(multiplier, result);
	return SQ_STATUS_SUCCESS;
}

uint64_t sqc_multiplier_part(const struct sqc_multiplier *multiplier,
			     const struct sqc_activations *x, uint32_t first_row,
			     uint32_t row_count, float *y, uint64_t y_stride)
{
	return sqc_multiply_rows(&multiplier->source, x,
				 (uint64_t)multiplier->first_row + first_row, row_count, y,
				 y_stride);
}

void sqc_multiplier_count(const struct sqc_multiplier *multiplier, uint64_t lines,
			  struct sqc_result *result)
{
	const struct sqc_geometry *geometry = &multiplier->region->geometry;
	const struct sqc_layout *layout = &multiplier->layout;
	uint64_t values[SQC_COUNTERS];

	*result = (struct sqc_result){
		.format = layout->format,
		.rounding = layout->rounding,
		.bytes = lines * SQC_LINE_BYTES,
		.elements = (uint64_t)layout->rows * layout->cols,
		.plane_lines = lines,
		.baseline_lines = (layout->rows * geometry->stride * geometry->word_bytes +
				   SQC_LINE_BYTES - 1) / SQC_LINE_BYTES,
		.dram_time_ns = multiplier->cost.dram_time_ns,
		.dram_energy_pj = multiplier->cost.dram_energy_pj,
		.link_time_ns = multiplier->cost.link_time_ns,
	};
	sqc_read_values(result, 1, values);
	sqc_count(multiplier->store, multiplier->region, layout->format, values);
}
