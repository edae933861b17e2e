/* SPDX-License-Identifier: MIT */
/*
 * Coding `packed`: the planes of one segment, each coded given those above it
 *
 * An element is *significant* from the plane of its leading bit on, and
 * *spent* when all bits of its significand were in planes. A plane is coded
 * as it comes out smaller:
 *
 *   coded  new     for each element that is not significant yet: its bit.
 *                  Six bits are a symbol; entropy-coded (zstd, Huffman only)
 *          rest    for each element in order: its sign if it became
 *                  significant in this plane; its bit if it already was and
 *                  is not spent. Noise, stored as it is.
 *   plain  bits    of each element that is not spent
 *          signs   of those that became significant
 *
 * So a prefix of the planes is readable alone, and there is no sign plane.
 * A run closes the segment with the signs of the elements that never became
 * significant (-0.0, and escapes below the last plane); it is empty when all
 * of these are +.
 *
 * Layout of a plane's run:
 *   u16 header        bit 15 set: coded, bits 14:0 are the bytes of the zstd
 *                     frame (without magic number); else 0: plain
 *   the two streams, padded with zero bits to a byte
 * The lengths of the decoded streams follow from the planes above; a run
 * whose lengths disagree is refused.
 *
 * Everything read from a run is hostile: the decoder bounds each length
 * before it uses it, and works on a copy that the caller has checked.
 */
#ifndef SMARTQUANT_PACKED_H
#define SMARTQUANT_PACKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller.h"

/* Magnitude planes of a dtype at most. */
#define SQC_PACKED_PLANES	32u
/* Words of 64 elements of one plane of a segment. */
#define SQC_PACKED_WORDS	(SQC_SEGMENT_ELEMENTS / 64u)
/* The same from one such array to the next where several are used together:
 * equal words would else all fall into one set of the first cache level. */
#define SQC_PACKED_STRIDE	(SQC_PACKED_WORDS + 8u)
/* The longest run of a plane: header, both streams at their worst. */
#define SQC_PACKED_RUN_BYTES	(2u + 2u * SQC_SEGMENT_ELEMENTS / 8u)
/* Bytes behind a run that the decoder may read (not use). */
#define SQC_PACKED_SLACK	16u

/* State between the planes of one segment, the same on both sides. */
struct sqc_packed {
	unsigned int words;		/* of 64 elements, up to SQC_PACKED_WORDS */
	unsigned int significand;	/* bits of the dtype's: 8, 11 or 24 */
	unsigned int plane;		/* the next one */
	uint32_t count[SQC_PACKED_PLANES + 1];	/* significant before plane p */
	uint64_t significant[SQC_PACKED_STRIDE];	/* before that plane */
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
/* Before the first use. (Not before each: it asks the CPU for its features,
 * which takes 10 us in a virtual machine.) False when that memory will not do. */
bool sqc_packed_encoder_begin(void *encoder);
bool sqc_packed_decoder_begin(void *decoder);

/*
 * Codes the next plane. `planes` holds this plane and all above it, `sign`
 * the signs. `run` has room for SQC_PACKED_RUN_BYTES + SQC_PACKED_SLACK.
 * Returns the bytes of the run.
 */
size_t sqc_packed_encode(struct sqc_packed *state,
			 const uint64_t *const *planes, const uint64_t *sign,
			 void *encoder, uint8_t *run);

/*
 * Decodes the next plane into planes[state->plane], and adds the signs that
 * it brings to `sign` (zero before plane 0). `run` is followed by
 * SQC_PACKED_SLACK readable bytes. Returns 0, or -1 when the run lies; the
 * state and what was decoded are of no use then.
 */
int sqc_packed_decode(struct sqc_packed *state, const uint8_t *run,
		      size_t run_bytes, uint64_t *const *planes,
		      uint64_t *sign, void *decoder);

/* The closing run: signs of the elements that never became significant. */
size_t sqc_packed_encode_signs(const struct sqc_packed *state,
			       const uint64_t *sign, uint8_t *run);
int sqc_packed_decode_signs(const struct sqc_packed *state, const uint8_t *run,
			    size_t run_bytes, uint64_t *sign);

/*
 * Bytes that are neither planes nor signs (exponents, lists): coded where that
 * is smaller, behind a header of 32 bits of the same kind. `bytes` at most
 * SQC_SEGMENT_ELEMENTS * 8. The encoder's `run` has room for bytes + 16.
 * Returns as above.
 */
size_t sqc_packed_encode_bytes(const uint8_t *data, size_t bytes,
			       void *encoder, uint8_t *run);
int sqc_packed_decode_bytes(const uint8_t *run, size_t run_bytes,
			    uint8_t *data, size_t bytes, void *decoder);

/*
 * Group exponents (packed_exponents.c), up to SQC_SEGMENT_ELEMENTS / 32: two
 * bytes, then as above. The bytes are 0 and 0 before the exponents as they are;
 * or 1 and the least exponent before pairs of what they are more than that,
 * the first in bits 3:0 (a last one alone has 0 in bits 7:4). Pairs are taken
 * where none is 16 or more: the coder's shortest symbol is one bit.
 */
size_t sqc_packed_encode_exponents(const uint8_t *exponents, size_t count, void *encoder,
				   uint8_t *run);
int sqc_packed_decode_exponents(const uint8_t *run, size_t run_bytes, uint8_t *exponents,
				size_t count, void *decoder);

/*
 * Escapes (packed_escapes.c). Most of them are elements that became
 * significant so late that the last planes do not hold all of their
 * significand; the planes say which elements these can be, so only the
 * missing bits are kept:
 *
 *   missing  for each element that became significant in plane p, with
 *            p + significand > planes, in order: the p + significand - planes
 *            lowest bits of its significand, least significant first
 *
 * What the planes do not show at all is listed. Layout of the run, empty when
 * there are no escapes:
 *   u16 count         of the list
 *   the stream `missing`, padded with zero bits to a byte
 *   only if count is not 0: as sqc_packed_encode_bytes() makes them, the
 *   indexes in the segment (16 bits, ascending), then the words
 */
struct sqc_escape_list {
	uint16_t *indexes;		/* ascending */
	uint8_t *words;			/* of the dtype */
	uint32_t count;
};

/* The longest run of escapes: 23 bits are missing at most. */
#define SQC_PACKED_ESCAPES_BYTES	(2u + SQC_SEGMENT_ELEMENTS * 23u / 8u + \
					 4u + SQC_SEGMENT_ELEMENTS * 6u)

/* Planes, signs and group exponents of a segment, all decoded. */
struct sqc_packed_segment {
	const struct sqc_packed *state;	/* behind the last plane */
	const uint64_t *const *planes;
	const uint64_t *sign;
	const uint8_t *exponents;
	uint8_t dtype;
};

/* `run` has room for SQC_PACKED_ESCAPES_BYTES + SQC_PACKED_SLACK, `list` for
 * as many bytes. Returns the bytes of the run, 0 when it is empty or the
 * entropy coder failed (so check by decoding). */
size_t sqc_packed_encode_escapes(const struct sqc_packed_segment *segment,
				 const struct sqc_escape_list *escapes, void *encoder,
				 uint8_t *list, uint8_t *run);
/* Gives escapes->count escapes, or -1 when the run lies, says of how many. The
 * arrays have room for SQC_SEGMENT_ELEMENTS; `list` as above. */
int sqc_packed_decode_escapes(const struct sqc_packed_segment *segment, const uint8_t *run,
			      size_t run_bytes, const struct sqc_escape_list *escapes,
			      void *decoder, uint8_t *list);

/* Bits of the significand of a float dtype, the leading one included. */
unsigned int sqc_packed_significand(uint8_t dtype);

#endif /* SMARTQUANT_PACKED_H */
