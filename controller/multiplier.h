/* SPDX-License-Identifier: MIT */
/*
 * A multiplier: products with the planes of a region where they are
 *
 * Takes rows of a region of placement aligned and coding raw as the codes of
 * mxint2 .. mxint8, rounding truncate or nearest, without making them: see
 * multiply_lines.h for the arithmetic. The checksums of the planes are checked
 * once, and again after a change of the region; a product itself reads plane
 * memory once and trusts it.
 *
 * It needs the region to stay: the caller keeps a view of it mapped for as
 * long. All functions are [shared]; parts of one product may run in several
 * threads, with nothing [exclusive] between check and count.
 */
#ifndef SMARTQUANT_MULTIPLIER_H
#define SMARTQUANT_MULTIPLIER_H

#include "multiply_rows.h"

#ifdef __cplusplus
extern "C" {
#endif

struct sqc_region;

struct sqc_multiplier {
	const struct sqc_store *store;
	const struct sqc_region *region;
	struct sqc_layout layout;	/* of the read whose codes it stands for */
	struct sqc_plane_source source;
	uint32_t first_row;
	uint64_t changes;		/* of the region, when its checksums were checked */
	struct sqc_result cost;		/* the modelled figures of one product */
};

/*
 * What a multiplier needs of a read request: that its format is mxint, its
 * rounding truncate or nearest, axis row. True with the number of planes that
 * it reads.
 */
bool sqc_multiplier_planes(const struct sqc_layout *layout, uint32_t *planes);

/*
 * Errors: those of sqc_read_layout(); UNSUPPORTED: another placement, coding,
 * format, rounding or axis.
 */
sqc_status sqc_multiplier_begin(struct sqc_multiplier *multiplier, const struct sqc_store *store,
				const struct sqc_read_request *request);

/* True when no row was stored to since sqc_multiplier_check(). */
bool sqc_multiplier_is_current(const struct sqc_multiplier *multiplier);

/*
 * Checks the checksums of every run that products read, and counts the lines.
 * Errors: MEDIA_FAILURE (result->error_row), UNSUPPORTED (the region was
 * packed).
 */
sqc_status sqc_multiplier_check(struct sqc_multiplier *multiplier, struct sqc_result *result);

/*
 * The part of a product that rows [first_row, first_row + row_count) are,
 * counted from the multiplier's first; y and y_stride as in multiply_rows.h.
 * Returns the lines that were read.
 */
uint64_t sqc_multiplier_part(const struct sqc_multiplier *multiplier,
			     const struct sqc_activations *x, uint32_t first_row,
			     uint32_t row_count, float *y, uint64_t y_stride);

/* Counts a product, all parts of which read so many lines together, and says
 * what it cost. What goes over the link are these lines. */
void sqc_multiplier_count(const struct sqc_multiplier *multiplier, uint64_t lines,
			  struct sqc_result *result);

#ifdef __cplusplus
}
#endif

#endif /* SMARTQUANT_MULTIPLIER_H */
