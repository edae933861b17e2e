/* SPDX-License-Identifier: MIT */
/* What the families give to the table of formats; see struct sqc_format. */
#ifndef SMARTQUANT_FORMATS_H
#define SMARTQUANT_FORMATS_H

#include "format.h"

/* Encode and decode of one family, to be called through the table. */
#define SQC_FAMILY(name)						\
	void sqc_##name##_encode(const struct sqc_format *format,	\
				 uint8_t rounding, uint8_t dtype,	\
				 const void *source, uint32_t cols,	\
				 const struct sqc_row_out *out);	\
	void sqc_##name##_decode(const struct sqc_format *format,	\
				 uint8_t dtype,				\
				 const struct sqc_row_in *in,		\
				 uint32_t cols, float *values)

SQC_FAMILY(native);
SQC_FAMILY(plain);
SQC_FAMILY(mxint);
SQC_FAMILY(mxfp);
SQC_FAMILY(mx);
SQC_FAMILY(ggml_q8_0);
SQC_FAMILY(ggml_q4_0);
SQC_FAMILY(ggml_mxfp4);

#undef SQC_FAMILY

void sqc_mxint_encode_planes(const struct sqc_format *format, uint8_t rounding,
			     const struct sqc_planes *planes, uint32_t cols,
			     const struct sqc_row_out *out);

/* tuned.c: its decoder needs the region's levels, so is not in the table. */
void sqc_tuned_format_encode(const struct sqc_format *format, uint8_t rounding,
			     uint8_t dtype, const void *source, uint32_t cols,
			     const struct sqc_row_out *out);
void sqc_tuned_format_decode(const struct sqc_format *format, uint8_t dtype,
			     const float *levels, const struct sqc_row_in *in,
			     uint32_t cols, float *values);

#endif /* SMARTQUANT_FORMATS_H */
