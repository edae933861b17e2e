/* SPDX-License-Identifier: MIT */
/*
 * CRC32C (Castagnoli), reflected polynomial 82f63b78h
 *
 * Versions of one function: eight bytes a step through tables; x86's crc32
 * instruction on interleaved streams that are joined by a carry-less
 * multiplication; carry-less multiplications of whole vectors beside them.
 * tests/controller/crc32c_test.cpp compares all with a bitwise one.
 */
#include <string.h>

#include "controller.h"
#include "crc32c_fold.h"
#include "kernel.h"

/*
 * Table k holds the CRC of a byte followed by k zero bytes. It is linear in
 * the byte's bits, so eight entries give the other 248. BASIS_k is the entry
 * of byte 1 << b: start from crc = 1 << b, then 8 (k + 1) times
 * crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0).
 */
#define BASIS_0 0xf26b8303, 0xe13b70f7, 0xc79a971f, 0x8ad958cf, 0x105ec76f, 0x20bd8ede, 0x417b1dbc, 0x82f63b78
#define BASIS_1 0x13a29877, 0x274530ee, 0x4e8a61dc, 0x9d14c3b8, 0x3fc5f181, 0x7f8be302, 0xff17c604, 0xfbc3faf9
#define BASIS_2 0xa541927e, 0x4f6f520d, 0x9edea41a, 0x38513ec5, 0x70a27d8a, 0xe144fb14, 0xc76580d9, 0x8b277743
#define BASIS_3 0xdd45aab8, 0xbf672381, 0x7b2231f3, 0xf64463e6, 0xe964b13d, 0xd725148b, 0xaba65fe7, 0x52a0c93f
#define BASIS_4 0x38116fac, 0x7022df58, 0xe045beb0, 0xc5670b91, 0x8f2261d3, 0x1ba8b557, 0x37516aae, 0x6ea2d55c
#define BASIS_5 0xef306b19, 0xdb8ca0c3, 0xb2f53777, 0x6006181f, 0xc00c303e, 0x85f4168d, 0x0e045beb, 0x1c08b7d6
#define BASIS_6 0x68032cc8, 0xd0065990, 0xa5e0c5d1, 0x4e2dfd53, 0x9c5bfaa6, 0x3d5b83bd, 0x7ab7077a, 0xf56e0ef4
#define BASIS_7 0x493c7d27, 0x9278fa4e, 0x211d826d, 0x423b04da, 0x847609b4, 0x0d006599, 0x1a00cb32, 0x34019664

#define BIT(i, b, basis) (((i) >> (b) & 1u) ? (uint32_t)(basis) : 0u)
#define SUM(i, b0, b1, b2, b3, b4, b5, b6, b7) \
	(BIT(i, 0, b0) ^ BIT(i, 1, b1) ^ BIT(i, 2, b2) ^ BIT(i, 3, b3) ^ \
	 BIT(i, 4, b4) ^ BIT(i, 5, b5) ^ BIT(i, 6, b6) ^ BIT(i, 7, b7))
#define ENTRY(i, ...) SUM(i, __VA_ARGS__)
#define ENTRIES_4(i, ...) \
	ENTRY((i), __VA_ARGS__), ENTRY((i) + 1, __VA_ARGS__), \
	ENTRY((i) + 2, __VA_ARGS__), ENTRY((i) + 3, __VA_ARGS__)
#define ENTRIES_16(i, ...) \
	ENTRIES_4((i), __VA_ARGS__), ENTRIES_4((i) + 4, __VA_ARGS__), \
	ENTRIES_4((i) + 8, __VA_ARGS__), ENTRIES_4((i) + 12, __VA_ARGS__)
#define ENTRIES_64(i, ...) \
	ENTRIES_16((i), __VA_ARGS__), ENTRIES_16((i) + 16, __VA_ARGS__), \
	ENTRIES_16((i) + 32, __VA_ARGS__), ENTRIES_16((i) + 48, __VA_ARGS__)
#define TABLE(...) \
	{ ENTRIES_64(0, __VA_ARGS__), ENTRIES_64(64, __VA_ARGS__), \
	  ENTRIES_64(128, __VA_ARGS__), ENTRIES_64(192, __VA_ARGS__) }

static const uint32_t table[8][256] = {
	TABLE(BASIS_0), TABLE(BASIS_1), TABLE(BASIS_2), TABLE(BASIS_3),
	TABLE(BASIS_4), TABLE(BASIS_5), TABLE(BASIS_6), TABLE(BASIS_7),
};

static uint32_t crc_portable(uint32_t crc, const void *data, size_t bytes)
{
	const uint8_t *at = data;

	crc = ~crc;
	for (; bytes >= 8; bytes -= 8, at += 8) {
		uint32_t low, high;

		memcpy(&low, at, 4);
		memcpy(&high, at + 4, 4);
		low ^= crc;
		crc = table[7][low & 0xff] ^ table[6][low >> 8 & 0xff] ^
		      table[5][low >> 16 & 0xff] ^ table[4][low >> 24] ^
		      table[3][high & 0xff] ^ table[2][high >> 8 & 0xff] ^
		      table[1][high >> 16 & 0xff] ^ table[0][high >> 24];
	}
	while (bytes--)
		crc = crc >> 8 ^ table[0][(crc ^ *at++) & 0xff];
	return ~crc;
}

#ifdef SQC_KERNELS_X86
/* A size n of the three streams, and x^(8n - 33) mod P, reflected, for one and
 * two of them: crc32(0, clmul(crc, that)) is the CRC moved n bytes on. */
struct stride {
	size_t bytes;
	uint32_t one;
	uint32_t two;
};

static const struct stride strides[] = {
	{ 2720, 0x5aa1f3cf, 0xfa0f2bd0 },	/* three and 32 bytes make a full run */
	{ 680, 0xe417f38a, 0x3f70cc6f },	/* three and 8 bytes: a full exponent run */
};

struct streams {
	uint64_t first;
	uint64_t second;
	uint64_t third;
};

SQC_TARGET_SSE42 static inline uint64_t crc_word(uint64_t crc, const uint8_t *at)
{
	uint64_t word;

	memcpy(&word, at, 8);
	return _mm_crc32_u64(crc, word);
}

/* The next `bytes` of each stream, of which the first one is at `at`. */
SQC_TARGET_SSE42 static inline void streams_step(struct streams *crc, const uint8_t *at,
						 const struct stride *stride, size_t bytes)
{
#pragma GCC unroll 16
	for (size_t i = 0; i < bytes; i += 8) {
		crc->first = crc_word(crc->first, at + i);
		crc->second = crc_word(crc->second, at + stride->bytes + i);
		crc->third = crc_word(crc->third, at + 2 * stride->bytes + i);
	}
}

SQC_TARGET_SSE42 static inline uint64_t streams_joined(const struct streams *crc,
						       const struct stride *stride)
{
	return moved(crc->first, stride->two) ^ moved(crc->second, stride->one) ^ crc->third;
}

SQC_TARGET_SSE42 static uint32_t crc_sse42(uint32_t initial, const void *data, size_t bytes)
{
	const uint8_t *at = data;
	uint64_t crc = ~initial;

	for (size_t i = 0; i < sizeof(strides) / sizeof(strides[0]); i++) {
		const size_t step = 3 * strides[i].bytes;

		for (; bytes >= step; bytes -= step, at += step) {
			struct streams streams = { crc, 0, 0 };

			streams_step(&streams, at, &strides[i], strides[i].bytes);
			crc = streams_joined(&streams, &strides[i]);
		}
	}
	for (; bytes >= 8; bytes -= 8, at += 8)
		crc = crc_word(crc, at);
	while (bytes--)
		crc = _mm_crc32_u8((uint32_t)crc, *at++);
	return ~(uint32_t)crc;
}

/*
 * A piece of a run in one go: its first 320 bytes by the crc32 instruction, the
 * other 11 vectors by folding, which other units of the CPU take at the same
 * time: two multiplications of a vector take four cycles, a crc32 of eight bytes
 * takes one. Each of the two is a chain of results that wait for each other, so
 * two pieces go side by side. They are written side by side, too, a
 * vector and four words at a time: a CPU does not look far enough ahead to find
 * what does not wait.
 */
#define PIECE_BYTES	1024u
#define WORDS_BYTES	320u
#define FACTOR_704	0xe6fc4e6a	/* of moved(): so many bytes on */
#define FACTOR_1024	0x170076fa
#define FACTOR_2048	0xa51b6135

/* Two pieces, one after the other. What was before them is moved over them and
 * added, so that they do not wait for it. */
SQC_TARGET_AVX512 static inline uint64_t two_pieces_crc(uint64_t state, const uint8_t *at)
{
	uint64_t piece[2] = { 0, 0 };
	__m512i sum[2];

#pragma GCC unroll 2
	for (unsigned int i = 0; i < 2; i++)
		sum[i] = _mm512_loadu_si512(at + i * PIECE_BYTES + WORDS_BYTES);
#pragma GCC unroll 10
	for (unsigned int step = 0; step < 10; step++) {
#pragma GCC unroll 2
		for (unsigned int i = 0; i < 2; i++)
			sum[i] = sqc_fold(sum[i], _mm512_loadu_si512(at + i * PIECE_BYTES + WORDS_BYTES +
								       64 + 64 * step));
#pragma GCC unroll 4
		for (unsigned int word = 4 * step; word < 4 * step + 4; word++) {
#pragma GCC unroll 2
			for (unsigned int i = 0; i < 2; i++)
				piece[i] = crc_word(piece[i], at + i * PIECE_BYTES + 8 * word);
		}
	}
#pragma GCC unroll 2
	for (unsigned int i = 0; i < 2; i++)
		piece[i] = moved(piece[i], FACTOR_704) ^ crc_of(sum[i]);
	return moved(state, FACTOR_2048) ^ moved(piece[0], FACTOR_1024) ^ piece[1];
}

SQC_TARGET_AVX512 static uint32_t crc_avx512(uint32_t initial, const void *data, size_t bytes)
{
	const uint8_t *at = data;
	uint64_t state = ~initial;
	__m512i sum;

	for (; bytes >= 2 * PIECE_BYTES; bytes -= 2 * PIECE_BYTES, at += 2 * PIECE_BYTES)
		state = two_pieces_crc(state, at);
	if (bytes < 64)
		return crc_sse42(~(uint32_t)state, at, bytes);
	sum = _mm512_xor_si512(_mm512_loadu_si512(at),
			       _mm512_zextsi128_si512(_mm_cvtsi32_si128((int)state)));
	for (at += 64, bytes -= 64; bytes >= 64; at += 64, bytes -= 64)
		sum = sqc_fold(sum, _mm512_loadu_si512(at));
	return crc_sse42(~(uint32_t)crc_of(sum), at, bytes);
}
#endif

static uint32_t (*const versions[SQC_LEVELS])(uint32_t crc, const void *data, size_t bytes) = {
	[SQC_LEVEL_PORTABLE] = crc_portable,
#ifdef SQC_KERNELS_X86
	[SQC_LEVEL_SSE42] = crc_sse42,
	[SQC_LEVEL_AVX512] = crc_avx512,
#endif
};

uint32_t sqc_crc32c(uint32_t crc, const void *data, size_t bytes)
{
	return versions[sqc_kernel(SQC_KERNEL_CRC)](crc, data, bytes);
}
