// SPDX-License-Identifier: GPL-2.0-or-later
/* Codes as the words that sysfs shows, and back. */

#include <linux/ctype.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/kstrtox.h>
#include <linux/string.h>

#include <smartquant/codes.h>

#include "smartquant_names.h"

static const char * const sq_dtype_names[] = {
	[SQ_DTYPE_BF16] = "bf16",
	[SQ_DTYPE_FP16] = "fp16",
	[SQ_DTYPE_FP32] = "fp32",
	[SQ_DTYPE_INT8] = "int8",
	[SQ_DTYPE_U8] = "u8",
};

static const char * const sq_placement_names[] = {
	[SQ_PLACEMENT_BYTES] = "bytes",
	[SQ_PLACEMENT_ALIGNED] = "aligned",
	[SQ_PLACEMENT_WORD] = "word",
	[SQ_PLACEMENT_TUNED] = "tuned",
};

static const char * const sq_coding_names[] = {
	[SQ_CODING_RAW] = "raw",
	[SQ_CODING_PACKED] = "packed",
};

/*
 * A row names the formats @first to @last. Where these are more than one the
 * name ends with the parameter of the format.
 */
static const struct {
	const char *name;
	u16 first;
	u16 last;
} sq_format_names[] = {
	{ "native", SQ_FORMAT_NATIVE, SQ_FORMAT_NATIVE },
	{ "bf16", SQ_FORMAT_BF16, SQ_FORMAT_BF16 },
	{ "fp16", SQ_FORMAT_FP16, SQ_FORMAT_FP16 },
	{ "fp32", SQ_FORMAT_FP32, SQ_FORMAT_FP32 },
	{ "mxint", SQ_FORMAT_MXINT(2), SQ_FORMAT_MXINT(8) },
	{ "mxfp8_e4m3", SQ_FORMAT_MXFP8_E4M3, SQ_FORMAT_MXFP8_E4M3 },
	{ "mxfp8_e5m2", SQ_FORMAT_MXFP8_E5M2, SQ_FORMAT_MXFP8_E5M2 },
	{ "mxfp6_e3m2", SQ_FORMAT_MXFP6_E3M2, SQ_FORMAT_MXFP6_E3M2 },
	{ "mxfp6_e2m3", SQ_FORMAT_MXFP6_E2M3, SQ_FORMAT_MXFP6_E2M3 },
	{ "mxfp4_e2m1", SQ_FORMAT_MXFP4_E2M1, SQ_FORMAT_MXFP4_E2M1 },
	{ "mx4", SQ_FORMAT_MX4, SQ_FORMAT_MX4 },
	{ "mx6", SQ_FORMAT_MX6, SQ_FORMAT_MX6 },
	{ "mx9", SQ_FORMAT_MX9, SQ_FORMAT_MX9 },
	{ "ggml_q4_0", SQ_FORMAT_GGML(SQ_GGML_Q4_0), SQ_FORMAT_GGML(SQ_GGML_Q4_0) },
	{ "ggml_q8_0", SQ_FORMAT_GGML(SQ_GGML_Q8_0), SQ_FORMAT_GGML(SQ_GGML_Q8_0) },
	{ "ggml_mxfp4", SQ_FORMAT_GGML(SQ_GGML_MXFP4), SQ_FORMAT_GGML(SQ_GGML_MXFP4) },
	{ "planes", SQ_FORMAT_PLANES(1), SQ_FORMAT_PLANES(0xff) },
	{ "tuned", SQ_FORMAT_TUNED(2), SQ_FORMAT_TUNED(8) },
};

static const char *sq_name(const char * const *names, size_t count, u8 code)
{
	return code < count && names[code] ? names[code] : "unknown";
}

const char *sq_dtype_name(u8 dtype)
{
	return sq_name(sq_dtype_names, ARRAY_SIZE(sq_dtype_names), dtype);
}

const char *sq_placement_name(u8 placement)
{
	return sq_name(sq_placement_names, ARRAY_SIZE(sq_placement_names), placement);
}

const char *sq_coding_name(u8 coding)
{
	return sq_name(sq_coding_names, ARRAY_SIZE(sq_coding_names), coding);
}

void sq_format_name(u16 format, char name[SQ_FORMAT_NAME_BYTES])
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sq_format_names); i++) {
		if (format < sq_format_names[i].first || format > sq_format_names[i].last)
			continue;
		if (sq_format_names[i].first == sq_format_names[i].last)
			strscpy(name, sq_format_names[i].name, SQ_FORMAT_NAME_BYTES);
		else
			snprintf(name, SQ_FORMAT_NAME_BYTES, "%s%u", sq_format_names[i].name,
				 SQ_FORMAT_PARAMETER(format));
		return;
	}
	snprintf(name, SQ_FORMAT_NAME_BYTES, "%#06x", format);
}

/* The parameter behind the name of a row that has one. */
static int sq_format_parameter(unsigned int row, const char *text, u16 *format)
{
	u16 family = sq_format_names[row].first & 0xff00;
	u8 parameter;

	if (!isdigit(*text) || kstrtou8(text, 10, &parameter))
		return -EINVAL;
	if ((family | parameter) < sq_format_names[row].first ||
	    (family | parameter) > sq_format_names[row].last)
		return -EINVAL;
	*format = family | parameter;
	return 0;
}

int sq_format_by_name(const char *name, u16 *format)
{
	unsigned int i;
	size_t prefix;

	for (i = 0; i < ARRAY_SIZE(sq_format_names); i++) {
		prefix = str_has_prefix(name, sq_format_names[i].name);
		if (!prefix)
			continue;
		if (sq_format_names[i].first == sq_format_names[i].last) {
			if (name[prefix])
				continue;
			*format = sq_format_names[i].first;
			return 0;
		}
		if (!sq_format_parameter(i, name + prefix, format))
			return 0;
	}
	return kstrtou16(name, 0, format) ? -EINVAL : 0;
}
