/* SPDX-License-Identifier: MIT */
/*
 * Axis col: the transposed matrix, tile by tile
 *
 * A tile takes its words row by row, as they are stored, and is encoded column
 * by column. What a column is made of are exact values: blocks that run down
 * the columns share no exponent with those that were stored.
 */
#include <string.h>

#include "reader.h"

struct tile {
	uint32_t row;		/* region's, the first */
	uint32_t rows;
	uint32_t col;
	uint32_t cols;		/* whole groups */
};

static void row_scatter(const struct sqc_reader *reader, uint32_t cols, uint32_t row)
{
	const uint32_t word_bytes = reader->region->geometry.word_bytes;
	struct sqc_read_scratch *scratch = reader->scratch;

	for (uint32_t col = 0; col < cols; col++) {
		uint32_t word = 0;

		memcpy(&word, scratch->words + (size_t)col * word_bytes, word_bytes);
		scratch->tile[col][row] = word;
	}
}

/* Looks at another segment; its runs have been checked before. */
static bool segment_open(const struct sqc_reader *reader, struct sqc_gather *gather,
			 uint64_t index)
{
	sqc_gather_begin(gather, reader->store, reader->region, index, &reader->scratch->unpack);
	if (!gather->segment || !gather->coded)
		return true;
	return sqc_gather_open(gather, 0) && sqc_gather_open(gather, SQC_RUN_EXPONENTS) &&
	       sqc_gather_open(gather, SQC_RUN_ESCAPES);
}

/* A row's part of the tile may lie in two segments. False: gather->index is one
 * that cannot be opened. */
static bool row_fill(const struct sqc_reader *reader, struct sqc_gather *gather,
		     const struct tile *tile, uint32_t row)
{
	const struct sqc_geometry *geometry = &reader->region->geometry;
	uint64_t at = ((uint64_t)tile->row + row) * geometry->stride + tile->col;
	uint32_t rest = tile->cols;
	uint8_t *words = reader->scratch->words;

	while (rest) {
		const uint32_t first = (uint32_t)(at % SQC_SEGMENT_ELEMENTS);
		const uint32_t room = SQC_SEGMENT_ELEMENTS - first;
		const uint32_t some = rest < room ? rest : room;

		if (gather->index != at / SQC_SEGMENT_ELEMENTS &&
		    !segment_open(reader, gather, at / SQC_SEGMENT_ELEMENTS))
			return false;
		sqc_gather_words(gather, first, some, words, &reader->scratch->gather);
		words += (size_t)some * geometry->word_bytes;
		at += some;
		rest -= some;
	}
	row_scatter(reader, tile->cols, row);
	return true;
}

static bool tile_fill(const struct sqc_reader *reader, const struct tile *tile, uint64_t *damaged)
{
	struct sqc_gather gather = { .index = UINT64_MAX };

	for (uint32_t row = 0; row < tile->rows; row++) {
		if (!row_fill(reader, &gather, tile, row)) {
			*damaged = gather.index;
			return false;
		}
	}
	return true;
}

bool sqc_reader_column_piece(const struct sqc_reader *reader, uint32_t row, uint32_t col,
			     uint32_t cols, const struct sqc_row_out *out)
{
	const struct tile tile = {
		.row = reader->first_row + col,
		.rows = cols,
		.col = row / SQC_GROUP_ELEMENTS * SQC_GROUP_ELEMENTS,
		.cols = SQC_GROUP_ELEMENTS,
	};
	uint64_t damaged;

	if (!tile_fill(reader, &tile, &damaged))
		return false;
	sqc_reader_encode_column(reader, reader->scratch->tile[row % SQC_GROUP_ELEMENTS], cols, out);
	return true;
}

static void tile_deliver(const struct sqc_reader *reader, const struct tile *tile, uint8_t *out)
{
	const uint32_t cols_end = reader->region->geometry.cols;

	for (uint32_t col = 0; col < tile->cols && tile->col + col < cols_end; col++) {
		const struct sqc_row_out at = sqc_reader_out(reader, out, tile->col + col,
							     tile->row - reader->first_row);

		sqc_reader_encode_column(reader, reader->scratch->tile[col], tile->rows, &at);
	}
}

static uint32_t least(uint64_t a, uint64_t b)
{
	return (uint32_t)(a < b ? a : b);
}

bool sqc_reader_columns(const struct sqc_reader *reader, uint32_t row, uint32_t row_end,
			uint32_t col, uint32_t col_end, uint8_t *out, uint64_t *damaged)
{
	const uint64_t stride = reader->region->geometry.stride;

	for (uint64_t i = col; i < col_end; i += SQC_TILE_ROWS) {
		for (uint64_t j = row; j < row_end; j += SQC_TILE_COLS) {
			const struct tile tile = {
				.row = reader->first_row + (uint32_t)i,
				.rows = least(col_end - i, SQC_TILE_ROWS),
				.col = (uint32_t)j,
				.cols = least(least(stride, sqc_round_up(row_end, 32)) - j,
					      SQC_TILE_COLS),
			};

			if (!tile_fill(reader, &tile, damaged))
				return false;
			tile_deliver(reader, &tile, out);
		}
	}
	return true;
}
