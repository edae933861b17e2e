/* SPDX-License-Identifier: MIT */
/* The table of store encodings. */
#include "encoding.h"
#include "encodings/encodings.h"

static const struct sqc_encoding encodings[] = {
	{ SQ_ENCODING_BF16, "bf16", 1, 2, true, sqc_decode_bf16 },
	{ SQ_ENCODING_FP16, "fp16", 1, 2, true, sqc_decode_fp16 },
	{ SQ_ENCODING_FP32, "fp32", 1, 4, true, sqc_decode_fp32 },
	{ SQ_ENCODING_GGML(SQ_GGML_Q4_0), "q4_0", 32, 18, false, sqc_decode_q4_0 },
	{ SQ_ENCODING_GGML(SQ_GGML_Q4_1), "q4_1", 32, 20, false, sqc_decode_q4_1 },
	{ SQ_ENCODING_GGML(SQ_GGML_Q5_0), "q5_0", 32, 22, false, sqc_decode_q5_0 },
	{ SQ_ENCODING_GGML(SQ_GGML_Q5_1), "q5_1", 32, 24, false, sqc_decode_q5_1 },
	{ SQ_ENCODING_GGML(SQ_GGML_Q8_0), "q8_0", 32, 34, false, sqc_decode_q8_0 },
	{ SQ_ENCODING_GGML(SQ_GGML_Q2_K), "q2_k", 256, 84, false, sqc_decode_q2_k },
	{ SQ_ENCODING_GGML(SQ_GGML_Q3_K), "q3_k", 256, 110, false, sqc_decode_q3_k },
	{ SQ_ENCODING_GGML(SQ_GGML_Q4_K), "q4_k", 256, 144, false, sqc_decode_q4_k },
	{ SQ_ENCODING_GGML(SQ_GGML_Q5_K), "q5_k", 256, 176, false, sqc_decode_q5_k },
	{ SQ_ENCODING_GGML(SQ_GGML_Q6_K), "q6_k", 256, 210, false, sqc_decode_q6_k },
	{ SQ_ENCODING_GGML(SQ_GGML_MXFP4), "mxfp4", 32, 17, false, sqc_decode_mxfp4 },
};

#define ENCODINGS	(sizeof(encodings) / sizeof(encodings[0]))

const struct sqc_encoding *sqc_encoding_find(uint16_t code)
{
	for (unsigned int i = 0; i < ENCODINGS; i++) {
		if (encodings[i].code == code)
			return &encodings[i];
	}
	return NULL;
}

bool sqc_encoding_at(unsigned int index, uint16_t *encoding)
{
	if (index >= ENCODINGS)
		return false;
	*encoding = encodings[index].code;
	return true;
}

bool sqc_encoding_block(uint16_t encoding, uint32_t *elements, uint32_t *bytes)
{
	const struct sqc_encoding *row = sqc_encoding_find(encoding);

	if (!row)
		return false;
	*elements = row->block_elements;
	*bytes = row->block_bytes;
	return true;
}
