/* SPDX-License-Identifier: MIT */
/* The portable version, and which version runs. */
#include "multiply_lines.h"

#include <math.h>

#include "float_bits.h"
#include "formats/rounding.h"
#include "group.h"
#include "kernel.h"
#include "little_endian.h"

/* The codes m of a group of one row. */
static void group_codes(const struct sqc_multiply_job *job, uint64_t byte,
			int32_t codes[SQC_GROUP_ELEMENTS])
{
	const unsigned int bits = job->x->bits;
	const uint32_t largest = (1u << (bits - 1)) - 1;
	const uint32_t sign = sqc_le32(job->at->plane[0] + byte);
	uint32_t words[SQC_MULTIPLY_PLANES_MAX];
	uint32_t magnitude[SQC_GROUP_ELEMENTS];

	for (unsigned int plane = 1; plane < job->planes; plane++)
		words[plane - 1] = sqc_le32(job->at->plane[plane] + byte);
	sqc_group_from_planes(words, job->planes - 1u, magnitude);
	for (uint32_t i = 0; i < SQC_GROUP_ELEMENTS; i++) {
		/* Without a guard plane there is nothing to round. */
		const uint32_t rounded = sqc_round32_nearest(magnitude[i], 32 - (bits - 1));
		const int32_t m = (int32_t)(rounded < largest ? rounded : largest);

		codes[i] = sign >> i & 1 ? -m : m;
	}
}

static void group_int8(const struct sqc_activation_line *line, unsigned int bits, uint32_t group,
		       const int32_t codes[SQC_GROUP_ELEMENTS], uint8_t exponent,
		       float lanes[SQC_LANES])
{
	const float weight = line->scales[group] *
			     (exponent == 0xff ? INFINITY : sqc_exp2(exponent - 127));
	int32_t sum = 0;

	for (uint32_t i = 0; i < SQC_GROUP_ELEMENTS; i++)
		sum += codes[i] *
		       line->codes[sqc_activation_place(bits, group * 4 + i / 8, i % 8)];
	lanes[group] = fmaf((float)sum, weight, lanes[group]);
}

static void group_fp32(const float *x, unsigned int bits,
		       const int32_t codes[SQC_GROUP_ELEMENTS], uint8_t exponent,
		       float lanes[SQC_LANES])
{
	const float unit = sqc_e8m0_to_unit(exponent, (int)bits - 2);

	for (uint32_t i = 0; i < SQC_GROUP_ELEMENTS; i++)
		lanes[i % SQC_LANES] += (float)codes[i] * unit * x[i];
}

static void line_multiply(const struct sqc_multiply_job *job, uint64_t byte, uint32_t line,
			  float (*lanes)[SQC_LANES])
{
	const struct sqc_activations *x = job->x;

	for (uint32_t group = 0; group < SQC_LINE_ELEMENTS / SQC_GROUP_ELEMENTS; group++) {
		const uint8_t exponent = job->at->exponents[byte / 4 + group];
		int32_t codes[SQC_GROUP_ELEMENTS];

		group_codes(job, byte + group * 4, codes);
		for (uint32_t column = 0; column < x->columns; column++) {
			const uint64_t at = (uint64_t)column * x->lines + line;

			if (x->arithmetic == SQC_ARITHMETIC_INT8)
				group_int8(&x->int8[at], x->bits, group, codes, exponent,
					   lanes[column]);
			else
				group_fp32(&x->fp32[at * SQC_LINE_ELEMENTS +
						    group * SQC_GROUP_ELEMENTS],
					   x->bits, codes, exponent, lanes[column]);
		}
	}
}

void sqc_multiply_lines_portable(const struct sqc_multiply_job *job)
{
	for (uint32_t row = 0; row < job->rows; row++)
		for (uint32_t line = 0; line < job->lines; line++)
			line_multiply(job, job->byte + row * job->row_bytes + line * SQC_LINE_BYTES,
				      job->first_line + line,
				      job->lanes + (size_t)row * job->x->columns);
}

/* The lanes of a half are added side by side, by vectors where there are some. */
float sqc_lanes_sum(const float lanes[SQC_LANES])
{
	float eight[8], four[4];

	for (uint32_t lane = 0; lane < 8; lane++)
		eight[lane] = lanes[lane] + lanes[lane + 8];
	for (uint32_t lane = 0; lane < 4; lane++)
		four[lane] = eight[lane] + eight[lane + 4];
	return (four[0] + four[2]) + (four[1] + four[3]);
}

static void (*const versions[SQC_LEVELS])(const struct sqc_multiply_job *) = {
	[SQC_LEVEL_PORTABLE] = sqc_multiply_lines_portable,
#ifdef SQC_KERNELS_X86
	[SQC_LEVEL_AVX2] = sqc_multiply_lines_avx2,
	[SQC_LEVEL_AVX512] = sqc_multiply_lines_avx512,
#endif
};

void sqc_multiply_lines(const struct sqc_multiply_job *job)
{
	versions[sqc_kernel(SQC_KERNEL_MULTIPLY)](job);
}
