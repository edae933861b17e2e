/* SPDX-License-Identifier: MIT */
#include "activations.h"

#include <string.h>

#include "float_bits.h"
#include "geometry.h"

#define CODE_LARGEST		127.0f
#define SMALLEST_EXPONENT	(-100)

/* Adding 1.5 * 2^23 leaves the integer in the low bits, rounded to even. */
#define TO_INTEGER		12582912.0f

/* Compared as signed numbers, which every vector unit can. */
static uint32_t largest_bits(const float *x, uint32_t count)
{
	int32_t largest = 0;

	for (uint32_t i = 0; i < count; i++) {
		const int32_t absolute = (int32_t)(sqc_float_bits(x[i]) & 0x7fffffff);

		largest = absolute > largest ? absolute : largest;
	}
	return (uint32_t)largest;
}

static bool is_finite(uint32_t absolute_bits)
{
	return absolute_bits < 0x7f800000;
}

bool sqc_activation_group(const float *x, uint32_t count, int8_t codes[SQC_GROUP_ELEMENTS],
			  float *scale)
{
	const uint32_t bits = largest_bits(x, count);
	const float largest = sqc_float_from_bits(bits);
	float inverse;

	if (!is_finite(bits))
		return false;
	memset(codes, 0, SQC_GROUP_ELEMENTS);
	*scale = 0;
	if (largest < sqc_exp2(SMALLEST_EXPONENT))
		return true;
	*scale = largest / CODE_LARGEST;
	inverse = CODE_LARGEST / largest;
	for (uint32_t i = 0; i < count; i++)
		codes[i] = (int8_t)(int32_t)(sqc_float_bits(x[i] * inverse + TO_INTEGER) -
					     sqc_float_bits(TO_INTEGER));
	return true;
}

static uint32_t lines_of(uint32_t cols)
{
	return (uint32_t)(((uint64_t)cols + SQC_LINE_ELEMENTS - 1) / SQC_LINE_ELEMENTS);
}

uint64_t sqc_activations_bytes(enum sqc_arithmetic arithmetic, uint32_t cols, uint32_t columns)
{
	const uint64_t line_bytes = arithmetic == SQC_ARITHMETIC_INT8 ?
					    sizeof(struct sqc_activation_line) :
					    SQC_LINE_ELEMENTS * sizeof(float);

	return line_bytes * lines_of(cols) * columns;
}

/* A line's codes, in the order of the columns, to where the kernel wants them. */
static void codes_place(const int8_t codes[SQC_LINE_ELEMENTS], unsigned int bits,
			int8_t placed[SQC_LINE_ELEMENTS])
{
	/* Two loops, of which each becomes vector code. */
	if (bits > 4)
		for (uint32_t b = 0; b < SQC_LINE_BYTES; b++)
			memcpy(placed + sqc_activation_place(bits, b, 0), codes + 8 * b, 8);
	else
		for (uint32_t b = 0; b < SQC_LINE_BYTES; b++)
			for (uint32_t j = 0; j < 8; j++)
				placed[sqc_activation_place(bits, b, j)] = codes[8 * b + j];
}

/* A line of up to 512 values. */
static bool line_make(struct sqc_activation_line *line, unsigned int bits, uint32_t cols,
		      const float *x)
{
	int8_t codes[SQC_LINE_ELEMENTS] = { 0 };

	memset(line, 0, sizeof(*line));
	for (uint32_t col = 0; col < cols; col += SQC_GROUP_ELEMENTS) {
		const uint32_t group = col / SQC_GROUP_ELEMENTS;
		int32_t sum = 0;
		float scale;

		if (!sqc_activation_group(x + col, sqc_least(cols - col, SQC_GROUP_ELEMENTS),
					  codes + col, &scale))
			return false;
		for (uint32_t i = col; i < col + SQC_GROUP_ELEMENTS; i++)
			sum += codes[i];
		line->start[group] = -sum * (1 << (bits - 1));
		line->scales[group] = scale * sqc_exp2(2 - (int)bits);
	}
	codes_place(codes, bits, line->codes);
	return true;
}

static bool int8_column_make(struct sqc_activation_line *lines, unsigned int bits, uint32_t cols,
			     const float *x)
{
	for (uint32_t col = 0; col < cols; col += SQC_LINE_ELEMENTS)
		if (!line_make(&lines[col / SQC_LINE_ELEMENTS], bits,
			       sqc_least(cols - col, SQC_LINE_ELEMENTS), x + col))
			return false;
	return true;
}

static bool fp32_column_make(float *values, uint32_t cols, const float *x)
{
	const uint64_t padded = (uint64_t)lines_of(cols) * SQC_LINE_ELEMENTS;

	if (!is_finite(largest_bits(x, cols)))
		return false;
	memcpy(values, x, cols * sizeof(*x));
	memset(values + cols, 0, (padded - cols) * sizeof(*values));
	return true;
}

static uint64_t first_non_finite(const float *x)
{
	uint64_t at = 0;

	while (is_finite(largest_bits(x + at, 1)))
		at++;
	return at;
}

sqc_status sqc_activations_make(struct sqc_activations *activations,
				enum sqc_arithmetic arithmetic, unsigned int bits, uint32_t cols,
				uint32_t columns, const float *x, void *memory, uint64_t *error_at)
{
	struct sqc_activation_line *int8 = memory;
	float *fp32 = memory;
	const uint32_t lines = lines_of(cols);

	*activations = (struct sqc_activations){
		.arithmetic = arithmetic,
		.bits = (uint8_t)bits,
		.lines = lines,
		.columns = columns,
		.int8 = int8,
		.fp32 = fp32,
	};
	for (uint32_t i = 0; i < columns; i++) {
		const float *column = x + (uint64_t)i * cols;
		const bool made =
			arithmetic == SQC_ARITHMETIC_INT8 ?
				int8_column_make(int8 + (uint64_t)i * lines, bits, cols, column) :
				fp32_column_make(fp32 + (uint64_t)i * lines * SQC_LINE_ELEMENTS,
						 cols, column);

		if (!made) {
			*error_at = (uint64_t)i * cols + first_non_finite(column);
			return SQ_STATUS_NON_FINITE;
		}
	}
	return SQ_STATUS_SUCCESS;
}
