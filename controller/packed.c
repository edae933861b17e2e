/* SPDX-License-Identifier: MIT */
#include "packed.h"

#include <stdbool.h>
#include <string.h>

/* Contexts in memory of the caller are zstd's "static" interface. */
#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>

#include "kernel.h"

#ifdef SQC_KERNELS_X86
#include <immintrin.h>
#endif

#define HEADER_BYTES	4u
#define HEADER_CODED	0x80000000u

/*
 * A level far below zero makes zstd skip its match finder: the streams are
 * independent bits, in which a match saves nothing and costs a sequence. What
 * stays is the Huffman coding of the bytes.
 */
#define HUFFMAN_ONLY_LEVEL	(-100000)

/* ------------------------------------------------------- entropy coder */

static void set_parameters(ZSTD_CCtx *context)
{
	ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, HUFFMAN_ONLY_LEVEL);
	ZSTD_CCtx_setParameter(context, ZSTD_c_literalCompressionMode, ZSTD_ps_enable);
	ZSTD_CCtx_setParameter(context, ZSTD_c_format, ZSTD_f_zstd1_magicless);
	ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0);
	ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 0);
}

size_t sqc_packed_encoder_bytes(void)
{
	return ZSTD_estimateCCtxSize(1) + SQC_PACKED_RUN_BYTES;
}

size_t sqc_packed_decoder_bytes(void)
{
	/* Behind the context: the decoded stream `new` of one plane. */
	return (ZSTD_estimateDCtxSize() + 63) / 64 * 64 +
	       SQC_SEGMENT_ELEMENTS / 8 + SQC_PACKED_SLACK;
}

static uint8_t *decoder_stream(void *decoder)
{
	return (uint8_t *)decoder + (ZSTD_estimateDCtxSize() + 63) / 64 * 64;
}

/* Stores `data` at run, coded if that is smaller; returns the bytes used,
 * header included, 0 on failure. */
static size_t put_stream(const uint8_t *data, size_t bytes, void *encoder, uint8_t *run)
{
	uint32_t header = (uint32_t)bytes;

	if (bytes > 0) {
		ZSTD_CCtx *context = ZSTD_initStaticCCtx(encoder, ZSTD_estimateCCtxSize(1));
		size_t coded;

		if (context == NULL)
			return 0;
		set_parameters(context);
		/* Less room than the data itself: "does not fit" means "not worth it". */
		coded = ZSTD_compress2(context, run + HEADER_BYTES, bytes - 1, data, bytes);
		if (!ZSTD_isError(coded))
			header = (uint32_t)coded | HEADER_CODED;
		else
			memcpy(run + HEADER_BYTES, data, bytes);
	}
	memcpy(run, &header, HEADER_BYTES);
	return HEADER_BYTES + (header & ~HEADER_CODED);
}

/*
 * Finds the stream of `bytes` bytes at a run. A plain one is used in place, a
 * coded one is decoded to `into`. *used says where it ends in the run.
 */
static const uint8_t *get_stream(const uint8_t *run, size_t run_bytes, size_t bytes,
				 uint8_t *into, void *decoder, size_t *used)
{
	uint32_t header;
	size_t stored;
	ZSTD_DCtx *context;

	if (run_bytes < HEADER_BYTES)
		return NULL;
	memcpy(&header, run, HEADER_BYTES);
	stored = header & ~HEADER_CODED;
	if (stored > run_bytes - HEADER_BYTES)
		return NULL;
	*used = HEADER_BYTES + stored;
	if (!(header & HEADER_CODED))
		return stored == bytes ? run + HEADER_BYTES : NULL;

	context = ZSTD_initStaticDCtx(decoder, ZSTD_estimateDCtxSize());
	if (context == NULL)
		return NULL;
	ZSTD_DCtx_setParameter(context, ZSTD_d_format, ZSTD_f_zstd1_magicless);
	if (ZSTD_decompressDCtx(context, into, bytes, run + HEADER_BYTES, stored) != bytes)
		return NULL;
	return into;
}

size_t sqc_packed_encode_bytes(const uint8_t *data, size_t bytes, void *encoder, uint8_t *run)
{
	return put_stream(data, bytes, encoder, run);
}

int sqc_packed_decode_bytes(const uint8_t *run, size_t run_bytes, uint8_t *data, size_t bytes, void *decoder)
{
	size_t used = 0;
	const uint8_t *stream = get_stream(run, run_bytes, bytes, data, decoder, &used);

	if (stream == NULL || used != run_bytes)
		return -1;
	if (stream != data)
		memcpy(data, stream, bytes);
	return 0;
}

/* ---------------------------------------------------------- bit streams */

/* Bits are read and written at `position`, least significant first. The
 * memory is readable (writable) for 16 bytes from any byte of the stream. */
static inline uint64_t peek_bits(const uint8_t *bytes, size_t position)
{
	const unsigned int shift = position & 7;
	uint64_t low;

	memcpy(&low, bytes + (position >> 3), 8);
	low >>= shift;
	/* Shifting twice keeps the count below 64 when shift is 0. */
	return low | (uint64_t)bytes[(position >> 3) + 8] << 1 << (63 - shift);
}

static inline void poke_bits(uint8_t *bytes, size_t position, uint64_t value)
{
	const unsigned int shift = position & 7;
	uint64_t low;

	memcpy(&low, bytes + (position >> 3), 8);
	low |= value << shift;
	memcpy(bytes + (position >> 3), &low, 8);
	bytes[(position >> 3) + 8] = (uint8_t)(value >> 1 >> (63 - shift));
}

/* The bits of `value` under `mask`, moved together; and back. */
static uint64_t gather_portable(uint64_t value, uint64_t mask)
{
	uint64_t gathered = 0;

	for (unsigned int i = 0; mask != 0; i++, mask &= mask - 1)
		gathered |= (uint64_t)((value & mask & -mask) != 0) << i;
	return gathered;
}

static inline uint64_t scatter_portable(uint64_t bits, uint64_t mask)
{
	uint64_t scattered = 0;

	for (; mask != 0; bits >>= 1, mask &= mask - 1)
		scattered |= (mask & -mask) & -(bits & 1);
	return scattered;
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

/* Elements that are significant and have a bit in the next plane. */
static size_t live_bits(const struct sqc_packed *state)
{
	const unsigned int plane = state->plane;
	const size_t spent = plane < state->significand ? 0 : state->count[plane - state->significand + 1];

	return state->count[plane] - spent;
}

static size_t stream_bytes(size_t bits)
{
	return (bits + 7) / 8;
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
	for (unsigned int w = 0; w < state->words; w++)
		state->spent[w] |= planes[next - state->significand][w];
}

/* --------------------------------------------------------------- encode */

size_t sqc_packed_encode(struct sqc_packed *state, const uint64_t *const *planes,
			 const uint64_t *sign, void *encoder, uint8_t *run)
{
	uint8_t *fresh = (uint8_t *)encoder + ZSTD_estimateCCtxSize(1);
	const uint64_t *plane = planes[state->plane];
	const size_t fresh_bytes = stream_bytes(new_bits(state));
	size_t used, led_count = 0, at = 0;

	memset(fresh, 0, fresh_bytes + SQC_PACKED_SLACK);
	for (unsigned int w = 0; w < state->words; w++) {
		const uint64_t rest = ~state->significant[w];

		poke_bits(fresh, at, gather_portable(plane[w], rest));
		at += count_ones(rest);
	}
	used = put_stream(fresh, fresh_bytes, encoder, run);
	if (used == 0)
		return 0;

	uint8_t *raw = run + used;

	memset(raw, 0, (size_t)state->words * 8 + SQC_PACKED_SLACK);
	at = 0;
	for (unsigned int w = 0; w < state->words; w++) {
		const uint64_t led = plane[w] & ~state->significant[w];
		const uint64_t live = state->significant[w] & ~state->spent[w];
		const uint64_t value = (sign[w] & led) | (plane[w] & live);

		poke_bits(raw, at, gather_portable(value, led | live));
		at += count_ones(led | live);
		led_count += count_ones(led);
		state->significant[w] |= led;
	}
	advance(state, planes, led_count);
	return used + stream_bytes(at);
}

size_t sqc_packed_encode_signs(const struct sqc_packed *state, const uint64_t *sign,
			       void *encoder, uint8_t *run)
{
	uint8_t *stream = (uint8_t *)encoder + ZSTD_estimateCCtxSize(1);
	size_t at = 0;
	uint64_t any = 0;

	memset(stream, 0, SQC_SEGMENT_ELEMENTS / 8 + SQC_PACKED_SLACK);
	for (unsigned int w = 0; w < state->words; w++) {
		const uint64_t rest = ~state->significant[w];

		any |= sign[w] & rest;
		poke_bits(stream, at, gather_portable(sign[w], rest));
		at += count_ones(rest);
	}
	return any ? put_stream(stream, stream_bytes(at), encoder, run) : 0;
}

/* --------------------------------------------------------------- decode */

/*
 * One body, one kernel a way to scatter bits:
 *   count_*  the ones of a stream of `bytes` bytes; what follows is not looked at
 *   place_*  puts the two streams of a plane where they belong
 */
#define DEFINE_KERNEL(suffix, attribute, scatter)					\
attribute static size_t count_##suffix(const uint8_t *stream, size_t bytes)		\
{											\
	size_t ones = 0, i = 0;								\
	uint64_t word;									\
											\
	for (; i + 8 <= bytes; i += 8) {						\
		memcpy(&word, stream + i, 8);						\
		ones += (unsigned int)__builtin_popcountll(word);			\
	}										\
	for (; i < bytes; i++)								\
		ones += (unsigned int)__builtin_popcount(stream[i]);			\
	return ones;									\
}											\
											\
attribute static void place_##suffix(struct sqc_packed *state,				\
				     const uint8_t *fresh, const uint8_t *raw,		\
				     uint64_t *restrict plane, uint64_t *restrict sign)	\
{											\
	size_t fresh_at = 0, raw_at = 0;						\
											\
	for (unsigned int w = 0; w < state->words; w++) {				\
		const uint64_t significant = state->significant[w];			\
		const uint64_t live = significant & ~state->spent[w];			\
		const uint64_t led = scatter(peek_bits(fresh, fresh_at), ~significant);	\
		const uint64_t value = scatter(peek_bits(raw, raw_at), led | live);	\
											\
		fresh_at += (unsigned int)__builtin_popcountll(~significant);		\
		raw_at += (unsigned int)__builtin_popcountll(led | live);		\
		plane[w] = led | (value & live);					\
		sign[w] |= value & led;							\
		state->significant[w] = significant | led;				\
	}										\
}

DEFINE_KERNEL(portable, , scatter_portable)
#ifdef SQC_KERNELS_X86
DEFINE_KERNEL(avx2, SQC_TARGET_AVX2, _pdep_u64)
#endif

static const struct kernel {
	size_t (*count)(const uint8_t *stream, size_t bytes);
	void (*place)(struct sqc_packed *state, const uint8_t *fresh, const uint8_t *raw,
		      uint64_t *plane, uint64_t *sign);
} kernels[SQC_LEVELS] = {
	[SQC_LEVEL_PORTABLE] = { count_portable, place_portable },
#ifdef SQC_KERNELS_X86
	[SQC_LEVEL_AVX2] = { count_avx2, place_avx2 },
#endif
};

/* Bits behind the last one of a stream are zero, or somebody made them up. */
static bool padding_is_zero(const uint8_t *stream, size_t bits)
{
	return bits % 8 == 0 || stream[bits / 8] >> (bits % 8) == 0;
}

int sqc_packed_decode(struct sqc_packed *state, const uint8_t *run, size_t run_bytes,
		      uint64_t *const *planes, uint64_t *sign, void *decoder)
{
	const struct kernel *kernel = &kernels[sqc_kernel(SQC_KERNEL_PACKED)];
	const size_t fresh_bits = new_bits(state);
	size_t led, used = 0;
	const uint8_t *fresh = get_stream(run, run_bytes, stream_bytes(fresh_bits),
					  decoder_stream(decoder), decoder, &used);

	if (fresh == NULL || !padding_is_zero(fresh, fresh_bits))
		return -1;
	/* Every 1 of `new` leads an element and brings its sign. */
	led = kernel->count(fresh, stream_bytes(fresh_bits));
	if (run_bytes - used != stream_bytes(live_bits(state) + led))
		return -1;
	kernel->place(state, fresh, run + used, planes[state->plane], sign);
	advance(state, (const uint64_t *const *)planes, led);
	return 0;
}

int sqc_packed_decode_signs(const struct sqc_packed *state, const uint8_t *run, size_t run_bytes,
			    uint64_t *sign, void *decoder)
{
	size_t used = 0, at = 0;
	const uint8_t *stream;

	if (run_bytes == 0)
		return 0;
	stream = get_stream(run, run_bytes, stream_bytes(new_bits(state)), decoder_stream(decoder), decoder, &used);
	if (stream == NULL || used != run_bytes)
		return -1;
	for (unsigned int w = 0; w < state->words; w++) {
		const uint64_t rest = ~state->significant[w];

		sign[w] |= scatter_portable(peek_bits(stream, at), rest);
		at += count_ones(rest);
	}
	return 0;
}
