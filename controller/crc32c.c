/* SPDX-License-Identifier: MIT */
/*
 * CRC32C (Castagnoli), reflected polynomial 82f63b78h
 *
 * Two implementations of one function: eight bytes a step through tables, and
 * x86's crc32 instruction on three interleaved streams that are joined by a
 * carry-less multiplication. tests/controller/crc32c_test.cpp compares both
 * with a bitwise one.
 */
#include <string.h>

#include "crc32c.h"

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

uint32_t sqc_crc32c_portable(uint32_t crc, const void *data, size_t bytes)
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

#if defined(__x86_64__)
#include <immintrin.h>

/* A size of the three streams, and x^(8n - 33) mod P, reflected, for one and
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

__attribute__((target("sse4.2,pclmul")))
static uint64_t moved(uint64_t crc, uint32_t factor)
{
	const __m128i product = _mm_clmulepi64_si128(_mm_cvtsi64_si128((long long)crc),
						     _mm_cvtsi64_si128(factor), 0);

	return _mm_crc32_u64(0, (unsigned long long)_mm_cvtsi128_si64(product));
}

__attribute__((target("sse4.2,pclmul")))
static uint64_t three_streams(uint64_t crc, const uint8_t *at, const struct stride *stride)
{
	uint64_t second = 0, third = 0;

	for (size_t i = 0; i < stride->bytes; i += 8) {
		uint64_t a, b, c;

		memcpy(&a, at + i, 8);
		memcpy(&b, at + stride->bytes + i, 8);
		memcpy(&c, at + 2 * stride->bytes + i, 8);
		crc = _mm_crc32_u64(crc, a);
		second = _mm_crc32_u64(second, b);
		third = _mm_crc32_u64(third, c);
	}
	return moved(crc, stride->two) ^ moved(second, stride->one) ^ third;
}

__attribute__((target("sse4.2,pclmul")))
static uint32_t crc32c_x86(uint32_t initial, const void *data, size_t bytes)
{
	const uint8_t *at = data;
	uint64_t crc = ~initial;

	for (size_t i = 0; i < sizeof(strides) / sizeof(strides[0]); i++) {
		const size_t step = 3 * strides[i].bytes;

		for (; bytes >= step; bytes -= step, at += step)
			crc = three_streams(crc, at, &strides[i]);
	}
	for (; bytes >= 8; bytes -= 8, at += 8) {
		uint64_t word;

		memcpy(&word, at, 8);
		crc = _mm_crc32_u64(crc, word);
	}
	while (bytes--)
		crc = _mm_crc32_u8((uint32_t)crc, *at++);
	return ~(uint32_t)crc;
}

bool sqc_crc32c_vectorised(void)
{
	return __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("pclmul");
}

uint32_t sqc_crc32c(uint32_t crc, const void *data, size_t bytes)
{
	if (sqc_crc32c_vectorised())
		return crc32c_x86(crc, data, bytes);
	return sqc_crc32c_portable(crc, data, bytes);
}
#else
bool sqc_crc32c_vectorised(void)
{
	return false;
}

uint32_t sqc_crc32c(uint32_t crc, const void *data, size_t bytes)
{
	return sqc_crc32c_portable(crc, data, bytes);
}
#endif
