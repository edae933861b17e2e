/* SPDX-License-Identifier: MIT */
/*
 * Coding `packed`: the planes of one segment, each coded given those above it
 *
 * An element is *significant* from the plane of its leading bit on. Plane j
 * is coded as two streams:
 *
 *   new    for each element that is not significant yet: its bit. Mostly
 *          zeros or ones, so entropy-coded (zstd, Huffman only) where that
 *          is smaller.
 *   raw    for each element in order: its sign if it became significant in
 *          this plane; its bit if it already was and the significand of the
 *          stored dtype still has one here. Noise, stored as it is.
 *
 * So a prefix of the planes is readable alone, and there is no sign plane.
 * A run closes the segment with the signs of the elements that never became
 * significant (-0.0, and escapes below the last plane); it is empty when all
 * of these are +.
 *
 * Layout of a plane's run:
 *   u32 header        bits 30:0 bytes of the stream `new` as it is stored,
 *                     bit 31 set when it is a zstd frame (without magic
 *                     number), clear when it is plain
 *   the stream `new`, then `raw`, both padded with zero bits to a byte
 * The lengths of the decoded streams follow from the planes above; a run
 * whose lengths disagree is refused.
 *
 * Everything read from a run is hostile: the decoder bounds each length
 * before it uses it, and works on a copy that the caller has checked.
 */
#ifndef SMARTQUANT_PACKED_H
#define SMARTQUANT_PACKED_H

#include <stddef.h>
#include <stdint.h>

#include "controller.h"

/* Magnitude planes of a dtype at most. */
#define SQC_PACKED_PLANES	32u
/* Words of 64 elements of one plane of a segment. */
#define SQC_PACKED_WORDS	(SQC_SEGMENT_ELEMENTS / 64u)
/* The longest run of a plane: header, both streams at their worst. */
#define SQC_PACKED_RUN_BYTES	(4u + 2u * SQC_SEGMENT_ELEMENTS / 8u)
/* Bytes behind a run that the decoder may read (not use). */
#define SQC_PACKED_SLACK	16u

/* State between the planes of one segment, the same on both sides. */
struct sqc_packed {
	unsigned int words;		/* of 64 elements, up to SQC_PACKED_WORDS */
	unsigned int significand;	/* bits of the dtype's: 8, 11 or 24 */
	unsigned int plane;		/* the next one */
	uint32_t count[SQC_PACKED_PLANES + 1];	/* significant before plane p */
	uint64_t significant[SQC_PACKED_WORDS];	/* before that plane */
	uint64_t spent[SQC_PACKED_WORDS];	/* all bits of the significand seen */
};

void sqc_packed_begin(struct sqc_packed *state, unsigned int words,
		      unsigned int significand);

/*
 * Memory for the entropy coder, 64-byte aligned; the same block serves any
 * number of planes one after the other.
 */
size_t sqc_packed_encoder_bytes(void);
size_t sqc_packed_decoder_bytes(void);

/*
 * Codes the next plane. `planes` holds this plane and all above it, `sign`
 * the signs. `run` has room for SQC_PACKED_RUN_BYTES + SQC_PACKED_SLACK.
 * Returns the bytes of the run, 0 when the entropy coder failed.
 */
size_t sqc_packed_encode(struct sqc_packed *state,
			 const uint64_t *const *planes, const uint64_t *sign,
			 void *encoder, uint8_t *run);

/*
 * Decodes the next plane into planes[state->plane], and adds the signs that
 * it brings to `sign` (zero before plane 0). `run` is followed by
 * SQC_PACKED_SLACK readable bytes. Returns 0, or -1 when the run lies.
 */
int sqc_packed_decode(struct sqc_packed *state, const uint8_t *run,
		      size_t run_bytes, uint64_t *const *planes,
		      uint64_t *sign, void *decoder);

/* The closing run: signs of the elements that never became significant. */
size_t sqc_packed_encode_signs(const struct sqc_packed *state,
			       const uint64_t *sign, void *encoder,
			       uint8_t *run);
int sqc_packed_decode_signs(const struct sqc_packed *state, const uint8_t *run,
			    size_t run_bytes, uint64_t *sign, void *decoder);

/*
 * Bytes that are neither planes nor signs (exponents, escapes): coded where
 * that is smaller. Same header; `bytes` at most SQC_SEGMENT_ELEMENTS * 8.
 * The encoder's `run` has room for bytes + 16. Returns as above.
 */
size_t sqc_packed_encode_bytes(const uint8_t *data, size_t bytes,
			       void *encoder, uint8_t *run);
int sqc_packed_decode_bytes(const uint8_t *run, size_t run_bytes,
			    uint8_t *data, size_t bytes, void *decoder);

#endif /* SMARTQUANT_PACKED_H */
