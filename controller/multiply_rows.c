/* SPDX-License-Identifier: MIT */
#include "multiply_rows.h"

#include <assert.h>
#include <string.h>

#include "geometry.h"

/* Sums in the making, of all rows and columns that a job has at once. */
#define SUMS_AT_ONCE		64u

static_assert(SUMS_AT_ONCE >= SQC_COLUMNS_MAX, "a job has at least one row");

struct walk {
	const struct sqc_plane_source *source;
	const struct sqc_activations *x;
	uint64_t lines_read;
	uint64_t begin, end;		/* the elements of the product */
	uint64_t index;			/* of the block, and the one behind it */
	struct sqc_plane_block block;
	struct sqc_plane_block next;
	float lanes[SUMS_AT_ONCE][SQC_LANES];
};

/* A line that lies in two blocks, put together. */
struct whole_line {
	uint8_t planes[SQC_MULTIPLY_PLANES_MAX][SQC_LINE_BYTES];
	uint8_t exponents[SQC_LINE_GROUPS];
};

/* Lines of [low, high) in a run where a line has so many elements. */
static uint64_t lines_of(uint64_t low, uint64_t high, uint64_t line_elements)
{
	return (high + line_elements - 1) / line_elements - low / line_elements;
}

static void count_lines(struct walk *walk, uint64_t index)
{
	const uint64_t base = index * walk->source->block_elements;
	const uint64_t rest = walk->end - base;
	const uint64_t low = walk->begin > base ? walk->begin - base : 0;
	const uint64_t high = rest < walk->source->block_elements ? rest :
								    walk->source->block_elements;

	walk->lines_read += walk->source->planes * lines_of(low, high, SQC_LINE_ELEMENTS) +
			    lines_of(low, high, (uint64_t)SQC_LINE_BYTES * SQC_GROUP_ELEMENTS);
}

static void block_enter(struct walk *walk, uint64_t index)
{
	const struct sqc_plane_source *source = walk->source;

	if (walk->index == index)
		return;
	if (walk->index + 1 == index)
		walk->block = walk->next;
	else
		source->block(source, index, &walk->block);
	walk->index = index;
	walk->next = walk->block;
	if ((index + 1) * source->block_elements < walk->end)
		source->block(source, index + 1, &walk->next);
	if (walk->block.stored)
		count_lines(walk, index);
}

/* Elements that can be read from `offset` on, in whole lines of the block. */
static uint64_t room(const struct walk *walk, uint64_t offset)
{
	const struct sqc_plane_source *source = walk->source;
	const uint64_t rest = source->elements - walk->index * source->block_elements;
	const uint64_t padded = sqc_round_up(rest, SQC_LINE_ELEMENTS);

	return (padded < source->block_elements ? padded : source->block_elements) - offset;
}

/* A job from an element of the block on. */
static struct sqc_multiply_job job_at(struct walk *walk, uint64_t offset, uint32_t line)
{
	const struct sqc_plane_source *source = walk->source;
	struct sqc_multiply_job job = {
		.x = walk->x,
		.planes = source->planes,
		.first_line = line,
		.rows = 1,
		.row_bytes = source->stride / 8,
		.next = walk->next.at,
		.run_bytes = room(walk, offset) / 8,
		.lanes = walk->lanes,
	};

	for (unsigned int plane = 0; plane < source->planes; plane++)
		job.at.plane[plane] = walk->block.at.plane[plane] + offset / 8;
	job.at.exponents = walk->block.at.exponents + offset / SQC_GROUP_ELEMENTS;
	return job;
}

/* Copies the groups of a line, from whichever blocks they are in. */
static void line_assemble(struct walk *walk, uint64_t element, uint64_t count,
			  struct whole_line *line)
{
	const struct sqc_plane_source *source = walk->source;

	memset(line, 0, sizeof(*line));
	for (uint64_t done = 0, some; done < count; done += some) {
		const uint64_t offset = (element + done) % source->block_elements;

		block_enter(walk, (element + done) / source->block_elements);
		some = source->block_elements - offset;
		if (some > count - done)
			some = count - done;
		for (unsigned int plane = 0; plane < source->planes; plane++)
			memcpy(line->planes[plane] + done / 8,
			       walk->block.at.plane[plane] + offset / 8, some / 8);
		memcpy(line->exponents + done / SQC_GROUP_ELEMENTS,
		       walk->block.at.exponents + offset / SQC_GROUP_ELEMENTS,
		       some / SQC_GROUP_ELEMENTS);
	}
}

static void split_line_multiply(struct walk *walk, uint64_t element, uint64_t count,
				uint32_t line_number)
{
	struct sqc_multiply_job job;
	struct whole_line line;

	line_assemble(walk, element, count, &line);
	job = job_at(walk, 0, line_number);
	for (unsigned int plane = 0; plane < walk->source->planes; plane++)
		job.at.plane[plane] = line.planes[plane];
	job.at.exponents = line.exponents;
	job.lines = 1;
	job.next = job.at;
	job.run_bytes = 0;
	sqc_multiply_lines(&job);
}

/* A row that lies in several blocks, or at the end of one. */
static void row_multiply(struct walk *walk, uint64_t row)
{
	const struct sqc_plane_source *source = walk->source;
	const uint64_t begin = row * source->stride;

	for (uint32_t line = 0; line < walk->x->lines;) {
		const uint64_t col = (uint64_t)line * SQC_LINE_ELEMENTS;
		const uint64_t rest = source->stride - col;
		const uint64_t offset = (begin + col) % source->block_elements;
		struct sqc_multiply_job job;

		block_enter(walk, (begin + col) / source->block_elements);
		job = job_at(walk, offset, line);
		job.lines = (uint32_t)(room(walk, offset) / SQC_LINE_ELEMENTS);
		if (job.lines > walk->x->lines - line)
			job.lines = walk->x->lines - line;
		if (job.lines) {
			sqc_multiply_lines(&job);
			line += job.lines;
			continue;
		}
		split_line_multiply(walk, begin + col,
				    rest < SQC_LINE_ELEMENTS ? rest : SQC_LINE_ELEMENTS, line);
		line++;
	}
}

/* Rows from this one on that lie in one block with all their lines. */
static uint32_t rows_together(struct walk *walk, uint64_t row, uint64_t end)
{
	const struct sqc_plane_source *source = walk->source;
	const uint64_t line_elements = (uint64_t)walk->x->lines * SQC_LINE_ELEMENTS;
	const uint64_t begin = row * source->stride;
	uint64_t rows, space;

	block_enter(walk, begin / source->block_elements);
	space = room(walk, begin % source->block_elements);
	if (space < line_elements)
		return 0;
	rows = (space - line_elements) / source->stride + 1;
	if (rows > end - row)
		rows = end - row;
	return (uint32_t)(rows < SUMS_AT_ONCE / walk->x->columns ?
				  rows : SUMS_AT_ONCE / walk->x->columns);
}

static void sums_store(const struct walk *walk, uint32_t rows, float *y, uint64_t y_stride)
{
	const uint32_t columns = walk->x->columns;

	for (uint32_t row = 0; row < rows; row++)
		for (uint32_t column = 0; column < columns; column++)
			y[column * y_stride + row] = sqc_lanes_sum(walk->lanes[row * columns +
									       column]);
}

uint64_t sqc_multiply_rows(const struct sqc_plane_source *source,
			   const struct sqc_activations *x, uint64_t first_row,
			   uint64_t row_count, float *y, uint64_t y_stride)
{
	const uint64_t end = first_row + row_count;
	struct walk walk = {
		.source = source,
		.x = x,
		.begin = first_row * source->stride,
		.end = end * source->stride,
		.index = UINT64_MAX - 1,
	};
	uint32_t rows;

	for (uint64_t row = first_row; row < end; row += rows) {
		rows = rows_together(&walk, row, end);
		memset(walk.lanes, 0, sizeof(walk.lanes[0]) * x->columns * (rows ? rows : 1));
		if (rows) {
			struct sqc_multiply_job job =
				job_at(&walk, row * source->stride % source->block_elements, 0);

			job.lines = x->lines;
			job.rows = rows;
			sqc_multiply_lines(&job);
		} else {
			rows = 1;
			row_multiply(&walk, row);
		}
		sums_store(&walk, rows, y + (row - first_row), y_stride);
	}
	return walk.lines_read;
}

static void bytes_block(const struct sqc_plane_source *source, uint64_t index,
			struct sqc_plane_block *block)
{
	const struct sqc_plane_bytes *planes = source->context;

	(void)index;
	*block = planes->block;
}

void sqc_plane_bytes_source(const struct sqc_layout *layout, uint64_t stride, const void *bytes,
			    struct sqc_plane_bytes *planes, struct sqc_plane_source *source)
{
	const uint8_t *start = bytes;

	*source = (struct sqc_plane_source){
		.stride = stride,
		.elements = layout->rows * stride,
		.block_elements = sqc_round_up(layout->rows * stride, SQC_LINE_ELEMENTS),
		.planes = (uint8_t)SQ_FORMAT_PARAMETER(layout->format),
		.block = bytes_block,
		.context = planes,
	};
	planes->block = (struct sqc_plane_block){ .stored = true };
	for (uint64_t plane = 0; plane < source->planes; plane++)
		planes->block.at.plane[plane] =
			start + plane * layout->rows * layout->code_row_bytes;
	planes->block.at.exponents = start + layout->scale_offset;
}
