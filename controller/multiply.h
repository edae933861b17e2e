/* SPDX-License-Identifier: MIT */
/*
 * A matrix that a read delivered times a vector
 *
 * y[i] is the sum over j of W[i][j] * x[j], in fp32: each product rounded,
 * then added to lane j % 16; in the end lane l + 8 is added to lane l, then
 * l + 4, l + 2 and l + 1. So the additions are the same on every machine,
 * vectors or not, and the result is too.
 */
#ifndef SMARTQUANT_MULTIPLY_H
#define SMARTQUANT_MULTIPLY_H

#include "controller.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SQC_MULTIPLY_LANES		16u

/*
 * Rows [first_row, first_row + row_count) of the delivered matrix times x
 * (layout->cols values) to y (row_count values). Needs no store.
 * Errors: RANGE, FORMAT (format has no numeric values). [shared]
 */
sqc_status sqc_multiply(const struct sqc_layout *layout, const void *bytes,
			uint32_t first_row, uint32_t row_count,
			const float *x, float *y);

#ifdef __cplusplus
}
#endif

#endif /* SMARTQUANT_MULTIPLY_H */
