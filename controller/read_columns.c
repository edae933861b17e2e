/* SPDX-License-Identifier: MIT */
/*
 * Axis col: the transposed matrix, tile by tile
 *
 * A tile takes its words row by row, as they are stored, and is encoded column
 * by column. What a column is made of are exact values: blocks that run down
 * the columns share no exponent with those that were stored.
 *
 * A tile is as wide as the region's rows, if that is not too much, so that a
 * read comes to each segment once: a packed one takes long to decode.
 */
#include <string.h>

#include "reader.h"

/* Words that a band has at most. It is as wide as rows of up to 32768 elements of
 * fp32, and 65536 of 16 bits. */
#define BAND_BYTES	(4u << 20)
#define BAND_ROWS	128u

/* Memory for the words of a tile. */
struct band {
	uint32_t rows;
	uint32_t cols;
	uint32_t word_bytes;
	size_t row_bytes;		/* from one row to the next */
};

struct tile {
	uint32_t row;		/* region's, the first */
	uint32_t rows;
	uint32_t col;
	uint32_t cols;		/* whole groups */
};

/* The delivered rows are the region's columns. */
static struct band band_of(const struct sqc_layout *layout)
{
	struct band band = { .word_bytes = sqc_dtype_bytes(layout->dtype) };
	uint32_t rows;

	band.cols = sqc_least(sqc_round_up(layout->rows, SQC_GROUP_ELEMENTS),
			      BAND_BYTES / SQC_GROUP_ELEMENTS / band.word_bytes);
	/* A line more than a row has: where rows are a power of two, the words
	 * of a column would else all fall into one set of the first cache level. */
	band.row_bytes = (size_t)band.cols * band.word_bytes + SQC_LINE_BYTES;
	rows = BAND_BYTES / band.word_bytes / band.cols / SQC_GROUP_ELEMENTS * SQC_GROUP_ELEMENTS;
	band.rows = sqc_least(rows < BAND_ROWS ? rows : BAND_ROWS,
			      sqc_round_up(layout->cols, SQC_GROUP_ELEMENTS));
	return band;
}

size_t sqc_reader_band_bytes(const struct sqc_layout *layout)
{
	const struct band band = band_of(layout);

	return layout->axis == SQ_AXIS_COL ? band.rows * band.row_bytes : 0;
}

/* Behind the decoder of the scratch. */
static uint8_t *band_memory(const struct sqc_reader *reader)
{
	return (uint8_t *)&reader->scratch->unpack + sqc_round_up(sqc_unpack_bytes(), SQC_LINE_BYTES);
}

/* Looks at another segment; its runs have been checked before. */
static bool segment_open(const struct sqc_reader *reader, struct sqc_gather *gather,
			 uint64_t index)
{
	sqc_gather_begin(gather, reader->store, reader->region, index, &reader->scratch->unpack);
	if (!gather->segment || !gather->coded)
		return true;
	return sqc_gather_open(gather, 0) && sqc_gather_open(gather, SQC_RUN_EXPONENTS) &&
	       (!gather->escapes || sqc_gather_open(gather, SQC_RUN_ESCAPES));
}

/* A row's part of the tile may lie in several segments. False: gather->index is
 * one that cannot be opened. */
static bool row_fill(const struct sqc_reader *reader, struct sqc_gather *gather,
		     const struct tile *tile, uint32_t row, uint8_t *words)
{
	const struct sqc_geometry *geometry = &reader->region->geometry;
	uint64_t at = ((uint64_t)tile->row + row) * geometry->stride + tile->col;
	uint32_t rest = tile->cols;

	while (rest) {
		const uint32_t first = (uint32_t)(at % SQC_SEGMENT_ELEMENTS);
		const uint32_t room = SQC_SEGMENT_ELEMENTS - first;
		const uint32_t some = sqc_least(sqc_least(rest, room), SQC_PIECE_ELEMENTS);

		if (gather->index != at / SQC_SEGMENT_ELEMENTS &&
		    !segment_open(reader, gather, at / SQC_SEGMENT_ELEMENTS))
			return false;
		sqc_gather_words(gather, first, some, words, &reader->scratch->gather);
		words += (size_t)some * geometry->word_bytes;
		at += some;
		rest -= some;
	}
	return true;
}

static bool tile_fill(const struct sqc_reader *reader, const struct band *band,
		      const struct tile *tile, uint64_t *damaged)
{
	struct sqc_gather gather = { .index = UINT64_MAX };
	uint8_t *words = band_memory(reader);

	for (uint32_t row = 0; row < tile->rows; row++, words += band->row_bytes) {
		if (!row_fill(reader, &gather, tile, row, words)) {
			*damaged = gather.index;
			return false;
		}
	}
	return true;
}

/* The words of a column. */
static void column_take(const uint8_t *words, const struct band *band, uint32_t rows, uint8_t *to)
{
	for (uint32_t row = 0; row < rows; row++, words += band->row_bytes) {
		if (band->word_bytes == 2)
			memcpy(to + 2 * (size_t)row, words, 2);
		else if (band->word_bytes == 4)
			memcpy(to + 4 * (size_t)row, words, 4);
		else
			to[row] = *words;
	}
}

static void column_encode(const struct sqc_reader *reader, const struct band *band, uint32_t col,
			  uint32_t rows, const struct sqc_row_out *out)
{
	column_take(band_memory(reader) + (size_t)col * band->word_bytes, band, rows,
		    reader->scratch->words);
	sqc_reader_encode_column(reader, reader->scratch->words, rows, out);
}

bool sqc_reader_column_piece(const struct sqc_reader *reader, uint32_t row, uint32_t col,
			     uint32_t cols, const struct sqc_row_out *out)
{
	const struct band band = {
		.word_bytes = reader->region->geometry.word_bytes,
		.row_bytes = SQC_GROUP_ELEMENTS * sizeof(uint32_t),
	};
	const struct tile tile = {
		.row = reader->first_row + col,
		.rows = cols,
		.col = row / SQC_GROUP_ELEMENTS * SQC_GROUP_ELEMENTS,
		.cols = SQC_GROUP_ELEMENTS,
	};
	uint64_t damaged;

	if (!tile_fill(reader, &band, &tile, &damaged))
		return false;
	column_encode(reader, &band, row % SQC_GROUP_ELEMENTS, cols, out);
	return true;
}

static void tile_deliver(const struct sqc_reader *reader, const struct band *band,
			 const struct tile *tile, uint8_t *out)
{
	const uint32_t cols_end = reader->region->geometry.cols;

	for (uint32_t col = 0; col < tile->cols && tile->col + col < cols_end; col++) {
		const struct sqc_row_out at = sqc_reader_out(reader, out, tile->col + col,
							     tile->row - reader->first_row);

		column_encode(reader, band, col, tile->rows, &at);
	}
}

bool sqc_reader_columns(const struct sqc_reader *reader, uint8_t *out, uint64_t *damaged)
{
	const struct band band = band_of(&reader->layout);
	const uint64_t cols_end = sqc_round_up(reader->layout.rows, SQC_GROUP_ELEMENTS);

	for (uint64_t i = 0; i < reader->layout.cols; i += band.rows) {
		for (uint64_t j = 0; j < cols_end; j += band.cols) {
			const struct tile tile = {
				.row = reader->first_row + (uint32_t)i,
				.rows = sqc_least(reader->layout.cols - i, band.rows),
				.col = (uint32_t)j,
				.cols = sqc_least(cols_end - j, band.cols),
			};

			if (!tile_fill(reader, &band, &tile, damaged))
				return false;
			tile_deliver(reader, &band, &tile, out);
		}
	}
	return true;
}
