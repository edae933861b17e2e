/* SPDX-License-Identifier: MIT */
/* Coding packed: the escapes of a segment. See packed.h. */
#include <stdbool.h>

#include "bit_stream.h"
#include "float_bits.h"
#include "geometry.h"
#include "little_endian.h"
#include "packed.h"

#define COUNT_BYTES	2u

unsigned int sqc_packed_significand(uint8_t dtype)
{
	return dtype == SQ_DTYPE_BF16 ? 8 : dtype == SQ_DTYPE_FP16 ? 11 : 24;
}

/* ------------------------------------------------------------------ words */

/* 24 bits of the significand of a finite word, leading one first; 0 for 0. */
static uint32_t significand_of(uint8_t dtype, const uint8_t *word)
{
	const uint32_t bits = dtype == SQ_DTYPE_FP32 ? sqc_le32(word) :
			      dtype == SQ_DTYPE_BF16 ? (uint32_t)sqc_le16(word) << 16 :
			      sqc_float_bits(sqc_fp16_to_float(sqc_le16(word)));
	const uint32_t fraction = bits & 0x7fffff;

	if (bits & 0x7f800000)
		return fraction | 0x800000;
	return fraction ? fraction << (__builtin_clz(fraction) - 8) : 0;
}

/* The word of a value whose leading bit weighs 2^exponent; not told from
 * others when it is too large or too small for the dtype. */
static void word_put(uint8_t dtype, bool negative, int exponent, uint32_t significand,
		     uint8_t *word)
{
	uint32_t bits = (uint32_t)negative << 31;

	if (exponent >= -126)
		bits |= (uint32_t)(exponent + 127) << 23 | (significand & 0x7fffff);
	else if (exponent >= -149)
		bits |= significand >> (-126 - exponent);
	if (dtype == SQ_DTYPE_FP32)
		sqc_put_le32(word, bits);
	else
		sqc_put_le16(word, dtype == SQ_DTYPE_BF16 ?
					   (uint16_t)(bits >> 16) :
					   sqc_fp16_from_float(sqc_float_from_bits(bits)));
}

/* ------------------------------------------------------------- candidates */

/* Elements of 64 that the last planes do not show whole. */
static uint64_t unfinished(const struct sqc_packed_segment *segment, unsigned int w)
{
	return segment->state->significant[w] & ~segment->state->spent[w];
}

/* What the planes show of an unfinished element's significand: its bits from the
 * leading one, which is in one of the last `significand - 1` planes, on. */
static uint32_t shown_bits(const struct sqc_packed_segment *segment, uint32_t element)
{
	const struct sqc_packed *state = segment->state;
	uint32_t shown = 0;

	for (unsigned int p = state->plane - state->significand + 1; p < state->plane; p++)
		shown = shown << 1 | (segment->planes[p][element / 64] >> element % 64 & 1);
	return shown;
}

/* The plane in which it became significant. */
static unsigned int leading_plane(const struct sqc_packed *state, uint32_t shown)
{
	return state->plane + (unsigned int)__builtin_clz(shown) - 32;
}

/* Bits that it lacks. */
static unsigned int missing_bits(const struct sqc_packed *state, unsigned int leading)
{
	return leading + state->significand - state->plane;
}

static size_t missing_bits_of_all(const struct sqc_packed *state)
{
	size_t bits = 0;

	for (unsigned int p = state->plane - state->significand + 1; p < state->plane; p++)
		bits += (size_t)(state->count[p + 1] - state->count[p]) * missing_bits(state, p);
	return bits;
}

static int leading_exponent(const struct sqc_packed_segment *segment, uint32_t element,
			    unsigned int leading)
{
	return (int)segment->exponents[element / SQC_GROUP_ELEMENTS] - 127 - (int)leading;
}

/* ----------------------------------------------------------------- encode */

/* Adds the missing bits to the stream; moves the unfinished ones of the escapes
 * behind the others. Returns how many are left to be listed. */
static uint32_t missing_put(const struct sqc_packed_segment *segment,
			    const struct sqc_escape_list *escapes, uint8_t *stream,
			    uint8_t *words, uint8_t *indexes)
{
	const size_t word_bytes = sqc_dtype_bytes(segment->dtype);
	uint32_t next = 0, listed = 0;
	size_t at = 0;

	for (unsigned int w = 0; w < segment->state->words; w++) {
		for (uint64_t rest = unfinished(segment, w); rest; rest &= rest - 1) {
			const uint32_t element = w * 64 + (unsigned int)__builtin_ctzll(rest);
			const uint32_t shown = shown_bits(segment, element);
			const unsigned int count =
				missing_bits(segment->state, leading_plane(segment->state, shown));
			uint32_t bits = 0;

			for (; next < escapes->count && escapes->indexes[next] < element; next++) {
				sqc_put_le16(indexes + 2 * (size_t)listed, escapes->indexes[next]);
				memcpy(words + listed++ * word_bytes,
				       escapes->words + next * word_bytes, word_bytes);
			}
			if (next < escapes->count && escapes->indexes[next] == element)
				bits = significand_of(segment->dtype,
						      escapes->words + next++ * word_bytes) >>
				       (24 - segment->state->significand);
			sqc_poke_bits(stream, at, bits & ((1u << count) - 1));
			at += count;
		}
	}
	for (; next < escapes->count; next++) {
		sqc_put_le16(indexes + 2 * (size_t)listed, escapes->indexes[next]);
		memcpy(words + listed++ * word_bytes, escapes->words + next * word_bytes, word_bytes);
	}
	return listed;
}

size_t sqc_packed_encode_escapes(const struct sqc_packed_segment *segment,
				 const struct sqc_escape_list *escapes, void *encoder,
				 uint8_t *list, uint8_t *run)
{
	const size_t word_bytes = sqc_dtype_bytes(segment->dtype);
	const size_t stream_bytes = sqc_stream_bytes(missing_bits_of_all(segment->state));
	uint8_t *words = list + 2 * (size_t)SQC_SEGMENT_ELEMENTS;
	size_t used = COUNT_BYTES + stream_bytes, coded;
	uint32_t listed;

	if (!escapes->count)
		return 0;
	memset(run, 0, used + SQC_PACKED_SLACK);
	listed = missing_put(segment, escapes, run + COUNT_BYTES, words, list);
	if (listed > UINT16_MAX)
		return 0;
	sqc_put_le16(run, (uint16_t)listed);
	if (!listed)
		return used;
	memmove(list + 2 * (size_t)listed, words, listed * word_bytes);
	coded = sqc_packed_encode_bytes(list, listed * (2 + word_bytes), encoder, run + used);
	return coded ? used + coded : 0;
}

/* ----------------------------------------------------------------- decode */

/* Escapes on their way out, and how many were given. */
struct output {
	const struct sqc_escape_list *escapes;
	size_t word_bytes;
	uint32_t count;
};

/* The list of a run, and what of it was not given yet. */
struct listed {
	const uint8_t *indexes;
	const uint8_t *words;
	uint32_t next;
	uint32_t count;
};

/* Room for one more escape, or NULL: there are more than the run may have. */
static uint8_t *escape_add(struct output *output, uint32_t element)
{
	if (output->count == output->escapes->count)
		return NULL;
	output->escapes->indexes[output->count] = (uint16_t)element;
	return output->escapes->words + output->count++ * output->word_bytes;
}

/* Gives the listed escapes below an element; they ascend, and the planes show
 * nothing of them. */
static bool listed_give(const struct sqc_packed_segment *segment, struct listed *listed,
			uint32_t end, struct output *output)
{
	while (listed->next < listed->count) {
		const uint32_t element = sqc_le16(listed->indexes + 2 * (size_t)listed->next);
		uint8_t *word;

		if (element >= end)
			return true;
		if (element >= segment->state->words * 64 ||
		    segment->state->significant[element / 64] >> element % 64 & 1 ||
		    (output->count && output->escapes->indexes[output->count - 1] >= element))
			return false;
		word = escape_add(output, element);
		if (!word)
			return false;
		memcpy(word, listed->words + listed->next++ * output->word_bytes,
		       output->word_bytes);
	}
	return true;
}

/* Gives an unfinished element whose missing bits are not all 0. */
static bool missing_give(const struct sqc_packed_segment *segment, uint32_t element,
			 uint32_t shown, uint32_t bits, struct output *output)
{
	const struct sqc_packed *state = segment->state;
	const unsigned int leading = leading_plane(state, shown);
	uint8_t *word = escape_add(output, element);

	if (!word)
		return false;
	word_put(segment->dtype, segment->sign[element / 64] >> element % 64 & 1,
		 leading_exponent(segment, element, leading),
		 (shown << missing_bits(state, leading) | bits) << (24 - state->significand), word);
	return true;
}

static bool escapes_give(const struct sqc_packed_segment *segment, const uint8_t *stream,
			 struct listed *listed, struct output *output)
{
	size_t at = 0;

	for (unsigned int w = 0; w < segment->state->words; w++) {
		for (uint64_t rest = unfinished(segment, w); rest; rest &= rest - 1) {
			const uint32_t element = w * 64 + (unsigned int)__builtin_ctzll(rest);
			const uint32_t shown = shown_bits(segment, element);
			const unsigned int count =
				missing_bits(segment->state, leading_plane(segment->state, shown));
			const uint32_t bits = (uint32_t)sqc_peek_bits(stream, at) &
					      ((1u << count) - 1);

			at += count;
			if (bits && !(listed_give(segment, listed, element, output) &&
				      missing_give(segment, element, shown, bits, output)))
				return false;
		}
	}
	return listed_give(segment, listed, UINT32_MAX, output);
}

int sqc_packed_decode_escapes(const struct sqc_packed_segment *segment, const uint8_t *run,
			      size_t run_bytes, const struct sqc_escape_list *escapes,
			      void *decoder, uint8_t *list)
{
	const size_t bits = missing_bits_of_all(segment->state);
	const size_t used = COUNT_BYTES + sqc_stream_bytes(bits);
	struct output output = { escapes, sqc_dtype_bytes(segment->dtype), 0 };
	struct listed listed = { 0 };

	if (!escapes->count)
		return run_bytes ? -1 : 0;
	if (run_bytes < used || !sqc_padding_is_zero(run + COUNT_BYTES, bits))
		return -1;
	listed.count = sqc_le16(run);
	listed.indexes = list;
	listed.words = list + 2 * (size_t)listed.count;
	if (listed.count ? sqc_packed_decode_bytes(run + used, run_bytes - used, list,
						   listed.count * (2 + output.word_bytes), decoder) :
			   run_bytes != used)
		return -1;
	if (!escapes_give(segment, run + COUNT_BYTES, &listed, &output))
		return -1;
	return output.count == escapes->count ? 0 : -1;
}
