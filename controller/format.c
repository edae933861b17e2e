/* SPDX-License-Identifier: MIT */
/* The table of read formats, and what follows from its rows alone. */
#include <string.h>

#include "format.h"
#include "formats/formats.h"

#define PLAIN(code_, name_, bits_)					\
	{ .code = (code_), .name = (name_), .code_bits = (bits_),	\
	  .source = SQC_SOURCE_VALUES, .source_even = SQC_SOURCE_VALUES, \
	  .default_rounding = SQ_ROUNDING_EVEN,				\
	  .encode = sqc_plain_encode, .decode = sqc_plain_decode }

#define MXINT(n_)							\
	{ .code = SQ_FORMAT_MXINT(n_), .name = "mxint" #n_,		\
	  .source = SQC_SOURCE_GROUPS, .source_even = SQC_SOURCE_GROUPS, \
	  .code_bits = (n_), .planes = (n_), .block = 32,		\
	  .scale_bytes = 1, .default_rounding = SQ_ROUNDING_NEAREST,	\
	  .takes_rounding = true,					\
	  .encode = sqc_mxint_encode, .decode = sqc_mxint_decode,	\
	  .encode_planes = sqc_mxint_encode_planes }

#define MXFP(code_, name_, bits_)					\
	{ .code = (code_), .name = (name_), .source = SQC_SOURCE_GROUPS, \
	  .source_even = SQC_SOURCE_VALUES, .code_bits = (bits_),	\
	  .planes = (bits_), .block = 32, .scale_bytes = 1,		\
	  .default_rounding = SQ_ROUNDING_EVEN, .takes_rounding = true,	\
	  .signed_zeros = true,						\
	  .encode = sqc_mxfp_encode, .decode = sqc_mxfp_decode }

/* mx9, mx6, mx4: a microexponent takes one plane more than the code. */
#define MX(n_, bits_)							\
	{ .code = SQ_FORMAT_MX##n_, .name = "mx" #n_,			\
	  .source = SQC_SOURCE_GROUPS, .source_even = SQC_SOURCE_VALUES, \
	  .code_bits = (bits_), .planes = (n_), .block = 16,		\
	  .scale_bytes = 1, .micro_block = 2,				\
	  .default_rounding = SQ_ROUNDING_EVEN, .takes_rounding = true,	\
	  .encode = sqc_mx_encode, .decode = sqc_mx_decode }

#define GGML(type_, name_, bytes_)					\
	{ .code = SQ_FORMAT_GGML(type_), .name = "ggml_" #name_,	\
	  .source = SQC_SOURCE_VALUES, .source_even = SQC_SOURCE_VALUES, \
	  .block = 32, .code_block_bytes = (bytes_),			\
	  .default_rounding = SQ_ROUNDING_EVEN,				\
	  .encode = sqc_ggml_##name_##_encode,				\
	  .decode = sqc_ggml_##name_##_decode }

#define TUNED(n_)							\
	{ .code = SQ_FORMAT_TUNED(n_), .name = "tuned" #n_,		\
	  .source = SQC_SOURCE_TUNED, .source_even = SQC_SOURCE_TUNED,	\
	  .code_bits = (n_), .planes = (n_), .block = 32,		\
	  .scale_bytes = 2, .default_rounding = SQ_ROUNDING_EVEN,	\
	  .encode = sqc_tuned_format_encode }

#define LEVELS(n_)							\
	{ .code = SQ_FORMAT_LEVELS(n_), .name = "levels" #n_,		\
	  .source = SQC_SOURCE_LEVELS, .source_even = SQC_SOURCE_LEVELS, \
	  .code_bits = 32, .default_rounding = SQ_ROUNDING_EVEN,	\
	  .decode = sqc_plain_decode }

#define PLANES(k_)							\
	{ .code = SQ_FORMAT_PLANES(k_), .name = "planes" #k_,		\
	  .source = SQC_SOURCE_PLANES, .source_even = SQC_SOURCE_PLANES, \
	  .planes = (k_), .block = 32, .scale_bytes = 1,		\
	  .default_rounding = SQ_ROUNDING_EVEN }

static const struct sqc_format formats[] = {
	{ .code = SQ_FORMAT_NATIVE, .name = "native",
	  .source = SQC_SOURCE_WORDS, .source_even = SQC_SOURCE_WORDS,
	  .default_rounding = SQ_ROUNDING_EVEN,
	  .encode = sqc_native_encode, .decode = sqc_native_decode },
	PLAIN(SQ_FORMAT_BF16, "bf16", 16),
	PLAIN(SQ_FORMAT_FP16, "fp16", 16),
	PLAIN(SQ_FORMAT_FP32, "fp32", 32),
	MXINT(2), MXINT(3), MXINT(4), MXINT(5), MXINT(6), MXINT(7), MXINT(8),
	MXFP(SQ_FORMAT_MXFP8_E4M3, "mxfp8_e4m3", 8),
	MXFP(SQ_FORMAT_MXFP8_E5M2, "mxfp8_e5m2", 8),
	MXFP(SQ_FORMAT_MXFP6_E3M2, "mxfp6_e3m2", 6),
	MXFP(SQ_FORMAT_MXFP6_E2M3, "mxfp6_e2m3", 6),
	MXFP(SQ_FORMAT_MXFP4_E2M1, "mxfp4_e2m1", 4),
	MX(9, 8), MX(6, 5), MX(4, 3),
	GGML(SQ_GGML_Q8_0, q8_0, 34),
	GGML(SQ_GGML_Q4_0, q4_0, 18),
	GGML(SQ_GGML_MXFP4, mxfp4, 17),
	TUNED(2), TUNED(3), TUNED(4), TUNED(5), TUNED(6), TUNED(7), TUNED(8),
	LEVELS(2), LEVELS(3), LEVELS(4), LEVELS(5), LEVELS(6), LEVELS(7), LEVELS(8),
	PLANES(1), PLANES(2), PLANES(3), PLANES(4), PLANES(5), PLANES(6),
	PLANES(7), PLANES(8), PLANES(9), PLANES(10), PLANES(11), PLANES(12),
	PLANES(13), PLANES(14), PLANES(15), PLANES(16), PLANES(17), PLANES(18),
	PLANES(19), PLANES(20), PLANES(21), PLANES(22), PLANES(23), PLANES(24),
	PLANES(25), PLANES(26), PLANES(27), PLANES(28), PLANES(29), PLANES(30),
	PLANES(31), PLANES(32), PLANES(33),
};

#define FORMATS		(sizeof(formats) / sizeof(formats[0]))

const struct sqc_format *sqc_format_find(uint16_t code)
{
	for (unsigned int i = 0; i < FORMATS; i++) {
		if (formats[i].code == code)
			return &formats[i];
	}
	return NULL;
}

uint8_t sqc_format_rounding(const struct sqc_format *format, uint8_t rounding)
{
	return rounding == SQ_ROUNDING_DEFAULT ? format->default_rounding : rounding;
}

bool sqc_format_accepts(const struct sqc_format *format, uint8_t rounding)
{
	if (format->takes_rounding)
		return rounding <= SQ_ROUNDING_EVEN;
	return rounding == SQ_ROUNDING_DEFAULT || rounding == SQ_ROUNDING_EVEN;
}

enum sqc_source sqc_format_source(const struct sqc_format *format, uint8_t rounding)
{
	return sqc_format_rounding(format, rounding) == SQ_ROUNDING_EVEN
	     ? format->source_even : format->source;
}

unsigned int sqc_format_planes(const struct sqc_format *format,
			       uint8_t rounding, unsigned int total)
{
	unsigned int planes = format->planes;

	if (format->takes_rounding) {
		rounding = sqc_format_rounding(format, rounding);
		if (rounding == SQ_ROUNDING_EVEN)
			return 0;
		planes += rounding == SQ_ROUNDING_NEAREST;
	}
	return planes < total ? planes : total;
}

static uint64_t blocks_of(uint32_t cols, unsigned int block)
{
	return block ? ((uint64_t)cols + block - 1) / block : 0;
}

uint64_t sqc_format_code_row_bytes(const struct sqc_format *format,
				   uint8_t dtype, uint32_t cols)
{
	if (format->source == SQC_SOURCE_PLANES)
		return 0;
	if (format->code_block_bytes)
		return blocks_of(cols, format->block) * format->code_block_bytes;
	if (format->code_bits)
		return ((uint64_t)cols * format->code_bits + 7) / 8;
	return (uint64_t)cols * sqc_dtype_bytes(dtype);
}

uint64_t sqc_format_micro_row_bytes(const struct sqc_format *format, uint32_t cols)
{
	return (blocks_of(cols, format->micro_block) + 7) / 8;
}

uint64_t sqc_format_scale_row_bytes(const struct sqc_format *format, uint32_t cols)
{
	if (format->source == SQC_SOURCE_PLANES)
		return 0;
	return blocks_of(cols, format->block) * format->scale_bytes;
}

uint16_t sqc_format_at(unsigned int index)
{
	return index < FORMATS ? formats[index].code : SQ_FORMAT_TAG;
}

const char *sqc_format_name(uint16_t format, char *buffer, size_t buffer_bytes)
{
	const struct sqc_format *row = sqc_format_find(format);
	size_t bytes;

	if (!row)
		return NULL;
	bytes = strlen(row->name) + 1;
	if (bytes > buffer_bytes)
		return NULL;
	return memcpy(buffer, row->name, bytes);
}

uint16_t sqc_format_by_name(const char *name)
{
	for (unsigned int i = 0; i < FORMATS; i++) {
		if (strcmp(formats[i].name, name) == 0)
			return formats[i].code;
	}
	return SQ_FORMAT_TAG;
}

double sqc_format_bits(uint16_t format, uint8_t dtype)
{
	const struct sqc_format *row = sqc_format_find(format);
	double bits;

	if (!row)
		return 0;
	if (row->code_block_bytes)
		return 8.0 * row->code_block_bytes / row->block;
	bits = row->source == SQC_SOURCE_PLANES ? row->planes
	     : row->code_bits ? row->code_bits : 8.0 * sqc_dtype_bytes(dtype);
	if (row->block)
		bits += 8.0 * row->scale_bytes / row->block;
	if (row->micro_block)
		bits += 1.0 / row->micro_block;
	return bits;
}
