/* SPDX-License-Identifier: MIT */
/*
 * Rows of planes times activations, wherever the planes are
 *
 * A source has a matrix as blocks of planes: the segments of a region, or one
 * block with the bytes that a read of planes<k> delivered. Rows follow each
 * other without gaps from block to block, so a row, and even a line of it, may
 * lie in two.
 */
#ifndef SMARTQUANT_MULTIPLY_ROWS_H
#define SMARTQUANT_MULTIPLY_ROWS_H

#include "multiply_lines.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Memory of planes and exponents. After its last element each has as much
 * memory as a whole line of the block would need, whatever is in it. */
struct sqc_plane_block {
	struct sqc_plane_lines at;
	bool stored;			/* false: zeros that stand for what was never written */
};

struct sqc_plane_source {
	uint64_t stride;		/* elements of a row, padding included */
	uint64_t elements;
	uint64_t block_elements;	/* of all blocks but the last: whole lines */
	uint8_t planes;
	/* Says where a block is. */
	void (*block)(const struct sqc_plane_source *source, uint64_t index,
		      struct sqc_plane_block *block);
	const void *context;
};

/*
 * y[column * y_stride + i] = row (first_row + i) times the column, for the
 * rows [first_row, first_row + row_count). Columns, lanes and order as in
 * multiply_lines.h. Returns the number of stored lines that it read.
 */
uint64_t sqc_multiply_rows(const struct sqc_plane_source *source,
			   const struct sqc_activations *x, uint64_t first_row,
			   uint64_t row_count, float *y, uint64_t y_stride);

/*
 * The bytes of a read of planes<k>, rounding truncate of k bits or nearest of
 * k - 1, as a source. Behind them SQC_LINE_BYTES more must be readable. Lives
 * as long as `planes`, which it fills.
 */
struct sqc_plane_bytes {
	struct sqc_plane_block block;
};

void sqc_plane_bytes_source(const struct sqc_layout *layout, uint64_t stride, const void *bytes,
			    struct sqc_plane_bytes *planes, struct sqc_plane_source *source);

#ifdef __cplusplus
}
#endif

#endif /* SMARTQUANT_MULTIPLY_ROWS_H */
