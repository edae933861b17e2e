/* SPDX-License-Identifier: MIT */
/*
 * Loads from a view, decoded one by one
 *
 * A load's bytes are found in the view's sections; each byte belongs to a
 * group of 32 columns of a delivered row, which is read and encoded alone.
 * The bytes behind it in that group are taken from it as well. Of a packed
 * region, what was decoded of a segment stays for the next load.
 */
#include <assert.h>
#include <string.h>

#include "reader.h"

/* The decoder's part is known at run time only; tests compare the sums. */
static_assert(sizeof(struct sqc_read_scratch) + (512u << 10) <= SQC_VIEW_LOAD_SCRATCH_BYTES,
	       "a load's scratch holds a read's");

/* One group of a delivered row, in every form of section. */
struct piece {
	uint8_t codes[SQC_GROUP_ELEMENTS * 4];
	uint8_t micro[SQC_GROUP_ELEMENTS];
	uint8_t scales[SQC_GROUP_ELEMENTS];
};

struct load {
	struct sqc_reader reader;
	struct sqc_tally tally;
	struct sqc_result result;
	/* The segment that was checked last: its runs are not read again. */
	struct sqc_gather gather;
	struct sqc_touched touched;
	struct piece piece;
};

/* Where a byte of a section lies. */
struct place {
	uint64_t row;		/* of the section */
	uint64_t byte;		/* of that row */
};

static struct place place_of(uint64_t offset, uint64_t row_bytes)
{
	return (struct place){ offset / row_bytes, offset % row_bytes };
}

/* ------------------------------------------------------------- reading */

/* Makes elements [low, high) of a segment readable, and counts them. */
static sqc_status elements_open(struct load *load, uint64_t segment, uint32_t low, uint32_t high)
{
	if (load->gather.index != segment)
		sqc_gather_begin(&load->gather, load->reader.store, load->reader.region, segment,
				 &load->reader.scratch->unpack);
	if (!sqc_reader_check(&load->reader, &load->gather, low, high, &load->touched))
		return SQ_STATUS_MEDIA_FAILURE;
	sqc_tally_segment(&load->tally, &load->gather, &load->touched, low, high);
	return SQ_STATUS_SUCCESS;
}

static sqc_status group_open(struct load *load, uint64_t element)
{
	const uint32_t low = (uint32_t)(element % SQC_SEGMENT_ELEMENTS);

	load->result.baseline_lines += (SQC_GROUP_ELEMENTS * load->reader.region->geometry.word_bytes +
					SQC_LINE_BYTES - 1) / SQC_LINE_BYTES;
	return elements_open(load, element / SQC_SEGMENT_ELEMENTS, low, low + SQC_GROUP_ELEMENTS);
}

static struct sqc_row_out piece_out(struct load *load)
{
	return (struct sqc_row_out){
		.codes = load->piece.codes,
		.micro = load->reader.layout.micro_row_bytes ? load->piece.micro : NULL,
		.scales = load->reader.layout.scale_row_bytes ? load->piece.scales : NULL,
	};
}

static sqc_status row_piece(struct load *load, uint64_t row, uint32_t col, uint32_t cols)
{
	const struct sqc_row_out out = piece_out(load);
	const uint64_t element = (load->reader.first_row + row) *
				 load->reader.region->geometry.stride + col;
	const sqc_status status = group_open(load, element);

	if (!status)
		sqc_reader_encode(&load->reader, &load->gather,
				  (uint32_t)(element % SQC_SEGMENT_ELEMENTS), cols, &out);
	return status;
}

/* A group of a delivered row of axis col: one element of up to 32 rows. */
static sqc_status column_piece(struct load *load, uint64_t row, uint32_t col, uint32_t cols)
{
	const struct sqc_row_out out = piece_out(load);
	const uint64_t stride = load->reader.region->geometry.stride;
	const uint64_t first = (load->reader.first_row + (uint64_t)col) * stride +
			       row / SQC_GROUP_ELEMENTS * SQC_GROUP_ELEMENTS;

	for (uint32_t i = 0; i < cols; i++) {
		const sqc_status status = group_open(load, first + i * stride);

		if (status)
			return status;
	}
	return sqc_reader_column_piece(&load->reader, (uint32_t)row, col, cols, &out) ?
		       SQ_STATUS_SUCCESS : SQ_STATUS_MEDIA_FAILURE;
}

/* Reads and encodes the group of 32 columns with number `group` of a row. */
static sqc_status piece_read(struct load *load, uint64_t row, uint64_t group)
{
	const struct sqc_layout *layout = &load->reader.layout;
	const uint32_t col = (uint32_t)(group * SQC_GROUP_ELEMENTS);
	const uint32_t cols = sqc_least(layout->cols - col, SQC_GROUP_ELEMENTS);

	if (load->reader.source == SQC_SOURCE_LEVELS) {
		sqc_reader_levels(&load->reader, col, cols, load->piece.codes);
		return SQ_STATUS_SUCCESS;
	}
	return layout->axis == SQ_AXIS_ROW ? row_piece(load, row, col, cols) :
					     column_piece(load, row, col, cols);
}

/* ------------------------------------------------------------ sections */

struct section {
	uint64_t offset;
	uint64_t row_bytes;
	uint64_t unit_bytes;	/* of a whole group */
	const uint8_t *piece;
};

/* The section of a byte: the last one that begins at or before it. */
static struct section section_of(const struct load *load, uint64_t offset)
{
	const struct sqc_layout *layout = &load->reader.layout;
	const struct sqc_format *format = load->reader.format;

	if (layout->scale_row_bytes && offset >= layout->scale_offset)
		return (struct section){
			.offset = layout->scale_offset,
			.row_bytes = layout->scale_row_bytes,
			.unit_bytes = sqc_format_scale_row_bytes(format, SQC_GROUP_ELEMENTS),
			.piece = load->piece.scales,
		};
	if (layout->micro_row_bytes && offset >= layout->micro_offset)
		return (struct section){
			.offset = layout->micro_offset,
			.row_bytes = layout->micro_row_bytes,
			.unit_bytes = sqc_format_micro_row_bytes(format, SQC_GROUP_ELEMENTS),
			.piece = load->piece.micro,
		};
	return (struct section){
		.row_bytes = layout->code_row_bytes,
		.unit_bytes = sqc_format_code_row_bytes(format, layout->dtype, SQC_GROUP_ELEMENTS),
		.piece = load->piece.codes,
	};
}

/* Up to `wanted` encoded bytes at an offset of the view. */
static sqc_status codes_load(struct load *load, uint64_t offset, uint32_t wanted,
			     uint8_t *to, uint32_t *taken)
{
	const struct section section = section_of(load, offset);
	const struct place place = place_of(offset - section.offset, section.row_bytes);
	const uint64_t group = place.byte / section.unit_bytes;
	const uint64_t at = place.byte % section.unit_bytes;
	uint64_t some = section.unit_bytes - at;
	const sqc_status status = piece_read(load, place.row, group);

	if (status)
		return status;
	if (some > section.row_bytes - place.byte)
		some = section.row_bytes - place.byte;
	if (some > wanted)
		some = wanted;
	memcpy(to, section.piece + at, some);
	*taken = (uint32_t)some;
	return SQ_STATUS_SUCCESS;
}

/* Raw planes: a byte comes out of one run alone. */
static sqc_status raw_load(struct load *load, uint64_t offset, uint8_t *to, uint32_t *taken)
{
	const struct sqc_layout *layout = &load->reader.layout;
	const bool exponent = layout->scale_row_bytes && offset >= layout->scale_offset;
	const uint32_t elements = exponent ? SQC_GROUP_ELEMENTS : 8;
	const uint32_t unit_bytes = exponent ? load->reader.region->geometry.group_bytes : 1;
	const struct place place = exponent ?
		place_of(offset - layout->scale_offset, layout->scale_row_bytes) :
		place_of(offset, layout->code_row_bytes);
	const uint32_t plane = exponent ? 0 : (uint32_t)(place.row / layout->rows);
	const uint64_t element = (load->reader.first_row + place.row % layout->rows) *
				 load->reader.region->geometry.stride +
				 place.byte / unit_bytes * elements;
	const uint32_t low = (uint32_t)(element % SQC_SEGMENT_ELEMENTS);
	const uint32_t run = exponent ? SQC_RUN_EXPONENTS : plane;
	uint32_t run_bytes;

	sqc_gather_begin(&load->gather, load->reader.store, load->reader.region,
			 element / SQC_SEGMENT_ELEMENTS, &load->reader.scratch->unpack);
	*taken = 1;
	*to = 0;
	if (!load->gather.segment)
		return SQ_STATUS_SUCCESS;
	if (!sqc_gather_open(&load->gather, run))
		return SQ_STATUS_MEDIA_FAILURE;
	load->touched = (struct sqc_touched){
		.first_run = (uint8_t)plane,
		.end_run = (uint8_t)(exponent ? plane : plane + 1),
		.exponents = exponent,
		.signs = plane == 0 && !exponent && load->gather.coded,
	};
	sqc_tally_segment(&load->tally, &load->gather, &load->touched, low, low + elements);
	*to = sqc_gather_run(&load->gather, run, &run_bytes)[low / elements * unit_bytes +
								    place.byte % unit_bytes];
	return SQ_STATUS_SUCCESS;
}

/* ---------------------------------------------------------------- loads */

static void load_count(struct load *load, uint32_t bytes)
{
	uint64_t values[SQC_COUNTERS] = {
		[SQC_COUNT_VIEW_LOADS] = 1,
		[SQC_COUNT_LINK_BYTES] = bytes,
	};

	sqc_tally_end(&load->tally, bytes);
	values[SQC_COUNT_PLANE_LINES] = load->result.plane_lines;
	values[SQC_COUNT_CHECK_LINES] = load->result.check_lines;
	values[SQC_COUNT_BASELINE_LINES] = load->result.baseline_lines;
	values[SQC_COUNT_DRAM_TIME_NS] = load->result.dram_time_ns;
	values[SQC_COUNT_DRAM_ENERGY_PJ] = load->result.dram_energy_pj;
	values[SQC_COUNT_LINK_TIME_NS] = load->result.link_time_ns;
	sqc_count(load->reader.store, load->reader.region, load->reader.layout.format, values);
}

/* Bytes [offset, offset + bytes) of a view; zeros behind its end. */
static sqc_status view_load(const struct sqc_store *store, const struct sqc_view *view,
			    uint64_t offset, uint32_t bytes, uint8_t *to, void *scratch)
{
	struct load load;
	const uint64_t end = view->info.layout.bytes;
	sqc_status status = sqc_reader_begin(&load.reader, store, &view->info.request);
	uint32_t done = 0;

	if (status)
		return status;
	load.reader.scratch = scratch;
	load.reader.scratch->unpack.decoded = 0;
	load.gather.index = UINT64_MAX;
	load.result = (struct sqc_result){ 0 };
	sqc_tally_begin(&load.tally, &load.result);
	memset(to, 0, bytes);
	while (done < bytes && offset + done < end && !status) {
		const uint64_t at = offset + done;
		const uint32_t wanted = bytes - done < end - at ? bytes - done : (uint32_t)(end - at);
		uint32_t taken = 0;

		status = load.reader.source == SQC_SOURCE_PLANES ?
				 raw_load(&load, at, to + done, &taken) :
				 codes_load(&load, at, wanted, to + done, &taken);
		done += taken;
	}
	if (status)
		sqc_count_failure(store, load.reader.region, load.reader.layout.format, status);
	else
		load_count(&load, bytes);
	return status;
}

sqc_status sqc_view_load(struct sqc_store *store, uint64_t dpa, unsigned int bytes,
			 uint64_t *value, void *scratch)
{
	uint8_t buffer[8] = { 0 };

	if (!bytes || bytes > sizeof(buffer))
		return SQ_STATUS_INVALID_INPUT;
	for (uint32_t done = 0; done < bytes;) {
		const struct sqc_view *view = sqc_view_at(store, dpa + done);
		uint64_t offset, some;
		sqc_status status;

		if (!view) {
			sqc_count_poison(store);
			return SQ_STATUS_INVALID_ADDRESS;
		}
		/* A load may go on in the next window. */
		offset = dpa + done - view->info.dpa;
		some = view->info.window_bytes - offset;
		if (some > bytes - done)
			some = bytes - done;
		status = view_load(store, view, offset, (uint32_t)some, buffer + done, scratch);
		if (status)
			return status;
		done += (uint32_t)some;
	}
	memcpy(value, buffer, sizeof(buffer));
	return SQ_STATUS_SUCCESS;
}
