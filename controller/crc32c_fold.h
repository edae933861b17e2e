/* SPDX-License-Identifier: MIT */
/* CRC32C by carry-less multiplication, on x86: for crc32c.c, and for planes that are checked on their way. */
#ifndef SMARTQUANT_CRC32C_FOLD_H
#define SMARTQUANT_CRC32C_FOLD_H

#include <stdint.h>

#include "kernel.h"

#ifdef SQC_KERNELS_X86
#include <immintrin.h>

/* A CRC moved n bytes on, by factor x^(8n - 33) mod P, reflected. */
SQC_TARGET_SSE42 static inline uint64_t moved(uint64_t crc, uint32_t factor)
{
	const __m128i product = _mm_clmulepi64_si128(_mm_cvtsi64_si128((long long)crc),
						     _mm_cvtsi64_si128(factor), 0);

	return _mm_crc32_u64(0, (unsigned long long)_mm_cvtsi128_si64(product));
}

/*
 * Folding: a message is a polynomial, and a part of it moved d bits on is that
 * part times x^d. So a vector is multiplied by x^512 mod P and added to the
 * next one. The low half of 128 bits is 64 places further up than the high
 * half, hence two factors, x^(d + 32) and x^(d - 32) mod P, reflected and
 * shifted left by one to make up for reflected products. What is left at the
 * end is a polynomial with the CRC of the whole message.
 */
#define FOLD_512	0x740eef02, 0x9e4addf8
#define FOLD_384	0x1c291d04, 0x1d82c63da
#define FOLD_256	0x1384aa63a, 0xba4fc28e
#define FOLD_128	0xf20c0dfe, 0x14cd00bd6
#define FACTOR_BACK_64	0x0e6e0c8a	/* of moved(): -64 bytes */

#define PAIR_(low, high)	(high), (low)
#define PAIR(...)		PAIR_(__VA_ARGS__)

SQC_TARGET_AVX512 static inline __m512i folded(__m512i crc, __m512i factors, __m512i next)
{
	return _mm512_ternarylogic_epi64(_mm512_clmulepi64_epi128(crc, factors, 0x00),
					 _mm512_clmulepi64_epi128(crc, factors, 0x11), next, 0x96);
}

/* The four lanes of a vector: the first three move to the place of the last. */
SQC_TARGET_AVX512 static inline uint64_t crc_of(__m512i sum)
{
	const __m512i factors = _mm512_set_epi64(0, 0, PAIR(FOLD_128), PAIR(FOLD_256), PAIR(FOLD_384));
	const __m512i moved = folded(sum, factors, _mm512_maskz_mov_epi64(0xc0, sum));
	const __m256i half = _mm256_xor_si256(_mm512_castsi512_si256(moved),
					      _mm512_extracti64x4_epi64(moved, 1));
	const __m128i rest = _mm_xor_si128(_mm256_castsi256_si128(half),
					   _mm256_extracti128_si256(half, 1));

	return _mm_crc32_u64(_mm_crc32_u64(0, (unsigned long long)_mm_cvtsi128_si64(rest)),
			     (unsigned long long)_mm_extract_epi64(rest, 1));
}

/* By one vector. */
SQC_TARGET_AVX512 static inline __m512i sqc_fold(__m512i sum, __m512i next)
{
	return folded(sum, _mm512_broadcast_i32x4(_mm_set_epi64x(PAIR(FOLD_512))), next);
}

/* A sum to fold vectors into, from the CRC of what is before them: it is taken back by a
 * vector, which the first one's step makes up for. And the CRC with all of them. */
SQC_TARGET_AVX512 static inline __m512i sqc_fold_begin(uint32_t crc)
{
	return _mm512_zextsi128_si512(_mm_cvtsi32_si128((int)moved((uint32_t)~crc, FACTOR_BACK_64)));
}

SQC_TARGET_AVX512 static inline uint32_t sqc_fold_end(__m512i sum)
{
	return ~(uint32_t)crc_of(sum);
}
#endif

#endif /* SMARTQUANT_CRC32C_FOLD_H */
