/* SPDX-License-Identifier: MIT */
#include "packed.h"

#include <stdbool.h>
#include <string.h>

#include "bit_stream.h"

/* Contexts in memory of the caller are zstd's "static" interface. */
#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>

#include "packed_kernels.h"

/* A run of a plane begins with a header of 16 bits, bytes with one of 32. */
#define PLANE_HEADER	2u
#define PLANE_CODED	0x8000u
#define BYTES_HEADER	4u
#define BYTES_CODED	0x80000000u

#define SYMBOL_BITS	SQC_PACKED_SYMBOL_BITS
#define SYMBOLS_MAX	((SQC_SEGMENT_ELEMENTS + SYMBOL_BITS - 1) / SYMBOL_BITS)

/*
 * A level far below zero makes zstd skip its match finder: the streams are
 * independent bits, in which a match saves nothing and costs a sequence. What
 * stays is the Huffman coding of the symbols.
 */
#define HUFFMAN_ONLY_LEVEL	(-100000)

/* ------------------------------------------------------- entropy coder */

static size_t whole_lines(size_t bytes)
{
	return (bytes + 63) / 64 * 64;
}

/* Behind the context: the stream `new` of one plane, as symbols and as bits. */
#define SYMBOLS_BYTES	whole_lines(SYMBOLS_MAX + SQC_PACKED_SLACK)
#define BITS_BYTES	whole_lines(SQC_SEGMENT_ELEMENTS / 8 + SQC_PACKED_SLACK)

static size_t encoder_context_bytes(void)
{
	return whole_lines(ZSTD_estimateCCtxSize(1));
}

static size_t decoder_context_bytes(void)
{
	return whole_lines(ZSTD_estimateDCtxSize());
}

size_t sqc_packed_encoder_bytes(void)
{
	return encoder_context_bytes() + SYMBOLS_BYTES + BITS_BYTES;
}

size_t sqc_packed_decoder_bytes(void)
{
	return decoder_context_bytes() + SYMBOLS_BYTES + BITS_BYTES;
}

bool sqc_packed_encoder_begin(void *encoder)
{
	ZSTD_CCtx *context = ZSTD_initStaticCCtx(encoder, encoder_context_bytes());

	if (context == NULL)
		return false;
	ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, HUFFMAN_ONLY_LEVEL);
	ZSTD_CCtx_setParameter(context, ZSTD_c_literalCompressionMode, ZSTD_ps_enable);
	ZSTD_CCtx_setParameter(context, ZSTD_c_format, ZSTD_f_zstd1_magicless);
	ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0);
	ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 0);
	return true;
}

bool sqc_packed_decoder_begin(void *decoder)
{
	ZSTD_DCtx *context = ZSTD_initStaticDCtx(decoder, decoder_context_bytes());

	return context != NULL &&
	       !ZSTD_isError(ZSTD_DCtx_setParameter(context, ZSTD_d_format,
						    ZSTD_f_zstd1_magicless));
}

/* Codes into less than `room` bytes; 0 when they do not do. */
static size_t entropy_encode(void *encoder, const uint8_t *data, size_t bytes, uint8_t *coded,
			     size_t room)
{
	size_t used;

	if (!room)
		return 0;
	used = ZSTD_compress2(encoder, coded, room - 1, data, bytes);
	return ZSTD_isError(used) ? 0 : used;
}

static bool entropy_decode(void *decoder, const uint8_t *coded, size_t coded_bytes, uint8_t *data,
			   size_t bytes)
{
	return ZSTD_decompressDCtx(decoder, data, bytes, coded, coded_bytes) == bytes;
}

size_t sqc_packed_encode_bytes(const uint8_t *data, size_t bytes, void *encoder, uint8_t *run)
{
	const size_t coded = entropy_encode(encoder, data, bytes, run + BYTES_HEADER, bytes);
	const uint32_t header = coded ? (uint32_t)coded | BYTES_CODED : (uint32_t)bytes;

	memcpy(run, &header, BYTES_HEADER);
	if (!coded && bytes)
		memcpy(run + BYTES_HEADER, data, bytes);
	return BYTES_HEADER + (coded ? coded : bytes);
}

int sqc_packed_decode_bytes(const uint8_t *run, size_t run_bytes, uint8_t *data, size_t bytes,
			    void *decoder)
{
	uint32_t header;

	if (run_bytes < BYTES_HEADER)
		return -1;
	memcpy(&header, run, BYTES_HEADER);
	if ((header & ~BYTES_CODED) != run_bytes - BYTES_HEADER)
		return -1;
	if (header & BYTES_CODED)
		return entropy_decode(decoder, run + BYTES_HEADER, run_bytes - BYTES_HEADER, data,
				      bytes) ? 0 : -1;
	if (bytes != run_bytes - BYTES_HEADER)
		return -1;
	memcpy(data, run + BYTES_HEADER, bytes);
	return 0;
}

/* ---------------------------------------------------------- bit streams */

/* The bits of `value` under `mask`, moved together. */
static uint64_t gather_portable(uint64_t value, uint64_t mask)
{
	uint64_t gathered = 0;

	for (unsigned int i = 0; mask != 0; i++, mask &= mask - 1)
		gathered |= (uint64_t)((value & mask & -mask) != 0) << i;
	return gathered;
}

static inline unsigned int count_ones(uint64_t value)
{
	return (unsigned int)__builtin_popcountll(value);
}

/* ---------------------------------------------------------------- state */

void sqc_packed_begin(struct sqc_packed *state, unsigned int words, unsigned int significand)
{
	state->words = words;
	state->significand = significand;
	state->plane = 0;
	state->count[0] = 0;
	memset(state->significant, 0, words * sizeof(state->significant[0]));
	memset(state->spent, 0, words * sizeof(state->spent[0]));
}

/* Bits of the stream `new` of the next plane. */
static size_t new_bits(const struct sqc_packed *state)
{
	return (size_t)state->words * 64 - state->count[state->plane];
}

/* Elements whose significand ended above the next plane. */
static size_t spent_count(const struct sqc_packed *state)
{
	const unsigned int plane = state->plane;

	return plane < state->significand ? 0 : state->count[plane - state->significand + 1];
}

/* Elements that are significant and have a bit in the next plane. */
static size_t live_bits(const struct sqc_packed *state)
{
	return state->count[state->plane] - spent_count(state);
}

/*
 * Moves on to the next plane. `planes` still has every plane so far: what led
 * `significand - 1` planes ago has shown its last bit.
 */
static void advance(struct sqc_packed *state, const uint64_t *const *planes, size_t led)
{
	const unsigned int next = ++state->plane;

	state->count[next] = state->count[next - 1] + (uint32_t)led;
	if (next < state->significand)
		return;
	sqc_packed_kernel()->spend(state, planes[next - state->significand]);
}

/* --------------------------------------------------------------- encode */

/* A stream under way; its memory is zero. */
struct stream {
	uint8_t *bytes;
	size_t bits;
};

/* Adds the bits of `value` under `mask`. */
static void stream_add(struct stream *stream, uint64_t value, uint64_t mask)
{
	sqc_poke_bits(stream->bytes, stream->bits, gather_portable(value, mask));
	stream->bits += count_ones(mask);
}

static struct stream stream_begin(uint8_t *bytes, size_t room)
{
	memset(bytes, 0, room);
	return (struct stream){ bytes, 0 };
}

/* The symbols of a stream of bits. */
static size_t symbols_make(const struct stream *stream, uint8_t *symbols)
{
	const size_t count = (stream->bits + SYMBOL_BITS - 1) / SYMBOL_BITS;

	for (size_t i = 0; i < count; i++)
		symbols[i] = sqc_peek_bits(stream->bytes, i * SYMBOL_BITS) &
			     ((1u << SYMBOL_BITS) - 1);
	return count;
}

/* Codes the bits of `plane` of the elements that are not significant, when
 * that is smaller than to store them; returns the bytes, or 0. */
static size_t new_encode(const struct sqc_packed *state, const uint64_t *plane, void *encoder,
			 uint8_t *coded)
{
	uint8_t *symbols = (uint8_t *)encoder + encoder_context_bytes();
	struct stream fresh = stream_begin(symbols + SYMBOLS_BYTES, BITS_BYTES);

	for (unsigned int w = 0; w < state->words; w++)
		stream_add(&fresh, plane[w], ~state->significant[w]);
	return entropy_encode(encoder, symbols, symbols_make(&fresh, symbols), coded,
			      sqc_stream_bytes(fresh.bits));
}

/* The signs of those that became significant, and the bits of those that
 * were, merged; returns the bytes. */
static size_t rest_encode(const struct sqc_packed *state, const uint64_t *plane,
			  const uint64_t *sign, uint8_t *run)
{
	struct stream rest = stream_begin(run, (size_t)state->words * 8 + SQC_PACKED_SLACK);

	for (unsigned int w = 0; w < state->words; w++) {
		const uint64_t led = plane[w] & ~state->significant[w];
		const uint64_t live = state->significant[w] & ~state->spent[w];

		stream_add(&rest, (sign[w] & led) | (plane[w] & live), led | live);
	}
	return sqc_stream_bytes(rest.bits);
}

/* A plane as it is, then the signs; returns the bytes. */
static size_t plain_encode(const struct sqc_packed *state, const uint64_t *plane,
			   const uint64_t *sign, uint8_t *run)
{
	struct stream bits = stream_begin(run, (size_t)state->words * 8 + SQC_PACKED_SLACK);
	struct stream signs;

	for (unsigned int w = 0; w < state->words; w++)
		stream_add(&bits, plane[w], ~state->spent[w]);
	signs = stream_begin(run + sqc_stream_bytes(bits.bits),
			     (size_t)state->words * 8 + SQC_PACKED_SLACK);
	for (unsigned int w = 0; w < state->words; w++)
		stream_add(&signs, sign[w], plane[w] & ~state->significant[w]);
	return sqc_stream_bytes(bits.bits) + sqc_stream_bytes(signs.bits);
}

size_t sqc_packed_encode(struct sqc_packed *state, const uint64_t *const *planes,
			 const uint64_t *sign, void *encoder, uint8_t *run)
{
	const uint64_t *plane = planes[state->plane];
	const size_t coded = new_encode(state, plane, encoder, run + PLANE_HEADER);
	const uint16_t header = coded ? (uint16_t)(coded | PLANE_CODED) : 0;
	uint8_t *rest = run + PLANE_HEADER + coded;
	size_t bytes, led_count = 0;

	memcpy(run, &header, PLANE_HEADER);
	bytes = coded ? rest_encode(state, plane, sign, rest) :
			plain_encode(state, plane, sign, rest);
	for (unsigned int w = 0; w < state->words; w++) {
		led_count += count_ones(plane[w] & ~state->significant[w]);
		state->significant[w] |= plane[w] & ~state->spent[w];
	}
	advance(state, planes, led_count);
	return PLANE_HEADER + coded + bytes;
}

size_t sqc_packed_encode_signs(const struct sqc_packed *state, const uint64_t *sign, uint8_t *run)
{
	struct stream signs = stream_begin(run, (size_t)state->words * 8 + SQC_PACKED_SLACK);
	uint64_t any = 0;

	for (unsigned int w = 0; w < state->words; w++) {
		any |= sign[w] & ~state->significant[w];
		stream_add(&signs, sign[w], ~state->significant[w]);
	}
	return any ? sqc_stream_bytes(signs.bits) : 0;
}

/* --------------------------------------------------------------- decode */

/* A plane whose stream `new` takes `coded` bytes behind the header. */
static bool coded_decode(struct sqc_packed *state, const uint8_t *run, size_t run_bytes,
			 size_t coded, uint64_t *plane, uint64_t *sign, void *decoder, size_t *led)
{
	const size_t bits = new_bits(state);
	const size_t count = (bits + SYMBOL_BITS - 1) / SYMBOL_BITS;
	uint8_t *symbols = (uint8_t *)decoder + decoder_context_bytes();
	uint8_t *fresh = symbols + SYMBOLS_BYTES;
	const uint8_t *rest = run + coded;
	size_t rest_bits;

	if (coded > run_bytes || !entropy_decode(decoder, run, coded, symbols, count) ||
	    !sqc_packed_kernel()->symbols(symbols, count, fresh) || !sqc_padding_is_zero(fresh, bits) ||
	    (bits % SYMBOL_BITS && symbols[count - 1] >> bits % SYMBOL_BITS))
		return false;
	/* Every 1 of `new` leads an element and brings its sign. */
	*led = sqc_packed_kernel()->count(fresh, sqc_stream_bytes(bits));
	rest_bits = live_bits(state) + *led;
	if (run_bytes - coded != sqc_stream_bytes(rest_bits) ||
	    !sqc_padding_is_zero(rest, rest_bits))
		return false;
	sqc_packed_kernel()->place(state, fresh, rest, plane, sign);
	return true;
}

static bool plain_decode(struct sqc_packed *state, const uint8_t *run, size_t run_bytes,
			 uint64_t *plane, uint64_t *sign, size_t *led)
{
	const size_t bits = (size_t)state->words * 64 - spent_count(state);
	const size_t bytes = sqc_stream_bytes(bits);

	if (run_bytes < bytes || !sqc_padding_is_zero(run, bits))
		return false;
	*led = sqc_packed_kernel()->plain(state, run, run + bytes, run_bytes - bytes, plane, sign);
	return run_bytes - bytes == sqc_stream_bytes(*led) &&
	       sqc_padding_is_zero(run + bytes, *led);
}

int sqc_packed_decode(struct sqc_packed *state, const uint8_t *run, size_t run_bytes,
		      uint64_t *const *planes, uint64_t *sign, void *decoder)
{
	uint64_t *plane = planes[state->plane];
	size_t led = 0;
	uint16_t header;
	bool good;

	if (run_bytes < PLANE_HEADER)
		return -1;
	memcpy(&header, run, PLANE_HEADER);
	run += PLANE_HEADER;
	run_bytes -= PLANE_HEADER;
	if (header & PLANE_CODED)
		good = coded_decode(state, run, run_bytes, header & ~PLANE_CODED, plane, sign,
				    decoder, &led);
	else
		good = !header && plain_decode(state, run, run_bytes, plane, sign, &led);
	if (!good)
		return -1;
	advance(state, (const uint64_t *const *)planes, led);
	return 0;
}

int sqc_packed_decode_signs(const struct sqc_packed *state, const uint8_t *run, size_t run_bytes,
			    uint64_t *sign)
{
	const size_t bits = new_bits(state);

	if (run_bytes == 0)
		return 0;
	if (run_bytes != sqc_stream_bytes(bits) || !sqc_padding_is_zero(run, bits))
		return -1;
	sqc_packed_kernel()->signs(state, run, sign);
	return 0;
}
