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
	/* The block with that first element, and the one behind it, in turns in
	 * one place and the other. */
	uint64_t base;
	unsigned int turn;
	struct sqc_plane_block blocks[2];
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

static void count_lines(struct walk *walk)
{
	const uint64_t base = walk->base;
	const uint64_t rest = walk->end - base;
	const uint64_t low = walk->begin > base ? walk->begin - base : 0;
	const uint64_t high = rest < walk->source->block_elements ? rest :
								    walk->source->block_elements;

	walk->lines_read += walk->source->planes * lines_of(low, high, SQC_LINE_ELEMENTS) +
			    lines_of(low, high, (uint64_t)SQC_LINE_BYTES * SQC_GROUP_ELEMENTS);
}

static struct sqc_plane_block *block_here(struct walk *walk)
{
	return &walk->blocks[walk->turn];
}

static struct sqc_plane_block *block_next(struct walk *walk)
{
	return &walk->blocks[walk->turn ^ 1];
}

/* What follows the block that has become the one here, in memory: whoever calls
 * for some rows may call for the ones behind them next. */
static void block_follow(struct walk *walk)
{
	const struct sqc_plane_source *source = walk->source;
	const uint64_t next = walk->base + source->block_elements;

	if (block_here(walk)->stored)
		count_lines(walk);
	if (next < source->elements)
		source->block(source, next / source->block_elements, block_next(walk));
	else
		*block_next(walk) = *block_here(walk);
}

static void block_first(struct walk *walk)
{
	const struct sqc_plane_source *source = walk->source;
	const uint64_t index = walk->begin / source->block_elements;

	walk->base = index * source->block_elements;
	source->block(source, index, block_here(walk));
	block_follow(walk);
}

/* To the block that an element is in, which lies behind all before; returns its
 * place there. */
static uint64_t block_enter(struct walk *walk, uint64_t element)
{
	const uint64_t elements = walk->source->block_elements;

	while (element - walk->base >= elements) {
		walk->base += elements;
		walk->turn ^= 1;
		block_follow(walk);
	}
	return element - walk->base;
}

/* Elements of the block, whole lines. */
static uint64_t block_size(const struct walk *walk)
{
	const struct sqc_plane_source *source = walk->source;
	const uint64_t padded = sqc_round_up(source->elements - walk->base, SQC_LINE_ELEMENTS);

	return padded < source->block_elements ? padded : source->block_elements;
}

/* A job from an element of the block on. */
static struct sqc_multiply_job job_at(struct walk *walk, uint64_t offset, uint32_t line)
{
	const struct sqc_plane_source *source = walk->source;

	return (struct sqc_multiply_job){
		.x = walk->x,
		.planes = source->planes,
		.first_line = line,
		.rows = 1,
		.row_bytes = source->stride / 8,
		.at = &block_here(walk)->at,
		.byte = offset / 8,
		.run_bytes = block_size(walk) / 8,
		.next = &block_next(walk)->at,
		.lanes = walk->lanes,
	};
}

/* Copies the groups of a line, from whichever blocks they are in. */
static void line_assemble(struct walk *walk, uint64_t element, uint64_t count,
			  struct whole_line *line)
{
	const struct sqc_plane_source *source = walk->source;

	memset(line, 0, sizeof(*line));
	for (uint64_t done = 0, some; done < count; done += some) {
		const uint64_t offset = block_enter(walk, element + done);
		const struct sqc_plane_lines *at = &block_here(walk)->at;

		some = source->block_elements - offset;
		if (some > count - done)
			some = count - done;
		for (unsigned int plane = 0; plane < source->planes; plane++)
			memcpy(line->planes[plane] + done / 8, at->plane[plane] + offset / 8,
			       some / 8);
		memcpy(line->exponents + done / SQC_GROUP_ELEMENTS,
		       at->exponents + offset / SQC_GROUP_ELEMENTS, some / SQC_GROUP_ELEMENTS);
	}
}

static void split_line_multiply(struct walk *walk, uint64_t element, uint64_t count,
				uint32_t line_number)
{
	struct sqc_multiply_job job;
	struct sqc_plane_lines at;
	struct whole_line line;

	line_assemble(walk, element, count, &line);
	for (unsigned int plane = 0; plane < walk->source->planes; plane++)
		at.plane[plane] = line.planes[plane];
	at.exponents = line.exponents;
	job = job_at(walk, 0, line_number);
	job.lines = 1;
	job.at = &at;
	job.next = &at;
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
		const uint64_t offset = block_enter(walk, begin + col);
		struct sqc_multiply_job job = job_at(walk, offset, line);

		job.lines = (uint32_t)((block_size(walk) - offset) / SQC_LINE_ELEMENTS);
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

/* Rows from this one on, at `offset` in the block, that lie there with all their lines. */
static uint32_t rows_together(const struct walk *walk, uint64_t offset, uint64_t count)
{
	const uint64_t line_elements = (uint64_t)walk->x->lines * SQC_LINE_ELEMENTS;
	const uint64_t space = block_size(walk) - offset;
	uint64_t rows = SUMS_AT_ONCE / walk->x->columns;

	if (space < line_elements)
		return 0;
	if (rows > count)
		rows = count;
	if (rows > (space - line_elements) / walk->source->stride + 1)
		rows = (space - line_elements) / walk->source->stride + 1;
	return (uint32_t)rows;
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
	struct walk walk;
	uint32_t rows;

	/* Not its lanes: they are many, and begin with each row. */
	walk.source = source;
	walk.x = x;
	walk.lines_read = 0;
	walk.begin = first_row * source->stride;
	walk.end = end * source->stride;
	walk.turn = 0;
	block_first(&walk);
	for (uint64_t row = first_row; row < end; row += rows) {
		const uint64_t offset = block_enter(&walk, row * source->stride);

		rows = rows_together(&walk, offset, end - row);
		memset(walk.lanes, 0, sizeof(walk.lanes[0]) * x->columns * (rows ? rows : 1));
		if (rows) {
			struct sqc_multiply_job job = job_at(&walk, offset, 0);

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
