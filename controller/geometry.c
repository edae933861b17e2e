/* SPDX-License-Identifier: MIT */
#include "geometry.h"

#include "media.h"
#include "tuned.h"

/* Rows of a bank group and bank cycle, see geometry.h. */
#define ROTATION 16u

/* Planes of a segment; -1 when the two do not go together. */
static int planes_of(uint8_t dtype, uint8_t placement)
{
	const uint32_t magnitudes = sqc_dtype_planes(dtype);

	if (placement == SQ_PLACEMENT_BYTES && dtype == SQ_DTYPE_U8)
		return 0;
	if (placement == SQ_PLACEMENT_ALIGNED && magnitudes)
		return (int)magnitudes + 1;
	if (placement == SQ_PLACEMENT_TUNED && magnitudes)
		return (int)sqc_tuned_planes(dtype);
	if (placement == SQ_PLACEMENT_WORD && (magnitudes || dtype == SQ_DTYPE_INT8))
		return (int)(8 * sqc_dtype_bytes(dtype));
	return -1;
}

static uint8_t group_bytes_of(uint8_t placement)
{
	return placement == SQ_PLACEMENT_ALIGNED ? 1 : placement == SQ_PLACEMENT_TUNED ? 2 : 0;
}

bool sqc_geometry_begin(struct sqc_geometry *geometry, uint8_t dtype,
			uint8_t placement, uint32_t rows, uint32_t cols)
{
	const int planes = planes_of(dtype, placement);

	if (planes < 0)
		return false;
	*geometry = (struct sqc_geometry){
		.rows = rows,
		.cols = cols,
		.stride = sqc_round_up(cols, SQC_GROUP_ELEMENTS),
		.dtype = dtype,
		.placement = placement,
		.word_bytes = (uint8_t)sqc_dtype_bytes(dtype),
		.planes = (uint8_t)planes,
		.runs = (uint8_t)(planes ? (uint32_t)planes : SQC_SEGMENT_ELEMENTS / SQC_ROW_BYTES),
		.exponents = group_bytes_of(placement) != 0,
		.group_bytes = group_bytes_of(placement),
	};
	geometry->crcs = (uint8_t)(geometry->runs + (geometry->exponents ? 2 : 0));
	geometry->elements = geometry->stride * rows;
	geometry->segments = geometry->elements / SQC_SEGMENT_ELEMENTS +
			     (geometry->elements % SQC_SEGMENT_ELEMENTS != 0);
	return true;
}

uint32_t sqc_segment_elements(const struct sqc_geometry *geometry, uint64_t segment)
{
	return sqc_least(geometry->elements - segment * SQC_SEGMENT_ELEMENTS, SQC_SEGMENT_ELEMENTS);
}

static uint32_t whole_lines(uint32_t bytes)
{
	return (bytes + SQC_LINE_BYTES - 1) / SQC_LINE_BYTES * SQC_LINE_BYTES;
}

uint32_t sqc_segment_runs(const struct sqc_geometry *geometry, uint32_t elements)
{
	return geometry->planes ? geometry->planes :
				  (elements + SQC_ROW_BYTES - 1) / SQC_ROW_BYTES;
}

uint32_t sqc_run_bytes(const struct sqc_geometry *geometry, uint32_t elements, uint32_t run)
{
	if (geometry->planes)
		return whole_lines(elements / 8);
	return sqc_least(whole_lines(elements) - run * SQC_ROW_BYTES, SQC_ROW_BYTES);
}

uint64_t sqc_planes_bytes(const struct sqc_geometry *geometry, uint32_t elements)
{
	if (!geometry->planes)
		return whole_lines(elements);
	return (uint64_t)geometry->planes * whole_lines(elements / 8);
}

uint64_t sqc_planes_align(const struct sqc_geometry *geometry, uint32_t elements)
{
	return sqc_run_bytes(geometry, elements, 0) == SQC_ROW_BYTES ? SQC_ROW_BYTES :
								       SQC_GRANULE_BYTES;
}

uint64_t sqc_run_offset(const struct sqc_geometry *geometry, uint64_t segment,
			uint32_t elements, uint64_t planes_offset, uint32_t run)
{
	const uint32_t bytes = geometry->planes ? whole_lines(elements / 8) : SQC_ROW_BYTES;
	uint32_t place = run;

	if (geometry->planes && bytes == SQC_ROW_BYTES) {
		const uint64_t row = planes_offset / SQC_ROW_BYTES;

		place = (run + (uint32_t)((segment - row) % ROTATION)) % geometry->planes;
	}
	return planes_offset + (uint64_t)place * bytes;
}

uint32_t sqc_exponent_bytes(const struct sqc_geometry *geometry, uint32_t elements)
{
	return whole_lines(elements / SQC_GROUP_ELEMENTS * geometry->group_bytes);
}

uint32_t sqc_escape_bytes(const struct sqc_geometry *geometry, uint32_t escapes)
{
	return whole_lines(escapes * (2u + geometry->word_bytes));
}

uint64_t sqc_tail_bytes(const struct sqc_geometry *geometry, uint32_t elements,
			uint32_t escapes)
{
	if (!geometry->exponents)
		return 0;
	return (uint64_t)sqc_exponent_bytes(geometry, elements) + sqc_escape_bytes(geometry, escapes);
}
