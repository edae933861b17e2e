/* SPDX-License-Identifier: MIT */
/* What the vector versions of multiply_lines_template.h are made of on x86. */
#include "kernel.h"

#ifdef SQC_KERNELS_X86

#include <immintrin.h>

#include "float_bits.h"
#include "multiply_lines.h"

/*
 * How far ahead lines are prefetched, in lines of a run. A core drops a
 * prefetch when all its buffers for misses are taken, and the planes' prefetches
 * come in bursts; so a line gets three chances. The first is far off and goes
 * to the second cache level, as the planes' lines, 8 KiB apart, share the sets
 * of the first; the next goes there too unless the planes are so few that all
 * between it and the line in use is no more than half of a first level. The
 * largest is less than a whole run: behind that only the next block is known.
 */
#define AHEAD_LINES		120u
#define AHEAD_AGAIN_LINES	64u
#define AHEAD_LAST_LINES	24u
#define AHEAD_AGAIN_PLANES	(16384u / (AHEAD_AGAIN_LINES * SQC_LINE_BYTES))

/* From so many columns on, activations of 4096 x columns are 25 KiB and more. */
#define BY_LINE_COLUMNS		5u

#define INLINE			static inline __attribute__((always_inline))

/* ------------------------------------------------------------- AVX2 */

#define LEVEL(name)		name##_avx2
#define TARGET			SQC_TARGET_AVX2
#define VECTOR			__m256i
#define FLOATS			__m256
#define VECTOR_BYTES		32u

TARGET INLINE VECTOR LEVEL(zero)(void) { return _mm256_setzero_si256(); }
TARGET INLINE VECTOR LEVEL(load)(const void *from) { return _mm256_loadu_si256(from); }
TARGET INLINE void LEVEL(store)(void *to, VECTOR a) { _mm256_storeu_si256(to, a); }
TARGET INLINE VECTOR LEVEL(and)(VECTOR a, VECTOR b) { return _mm256_and_si256(a, b); }
TARGET INLINE VECTOR LEVEL(or)(VECTOR a, VECTOR b) { return _mm256_or_si256(a, b); }
TARGET INLINE VECTOR LEVEL(xor)(VECTOR a, VECTOR b) { return _mm256_xor_si256(a, b); }
TARGET INLINE VECTOR LEVEL(add)(VECTOR a, VECTOR b) { return _mm256_add_epi32(a, b); }

TARGET INLINE VECTOR LEVEL(xor_and)(VECTOR a, VECTOR b, VECTOR c)
{
	return _mm256_xor_si256(a, _mm256_and_si256(b, c));
}

TARGET INLINE VECTOR LEVEL(nand)(VECTOR a, VECTOR b)
{
	return _mm256_xor_si256(_mm256_and_si256(a, b), _mm256_set1_epi8(-1));
}

#define UNPACK(bits)									\
	TARGET INLINE VECTOR LEVEL(unpack_low_##bits)(VECTOR a, VECTOR b)		\
	{										\
		return _mm256_unpacklo_epi##bits(a, b);					\
	}										\
	TARGET INLINE VECTOR LEVEL(unpack_high_##bits)(VECTOR a, VECTOR b)		\
	{										\
		return _mm256_unpackhi_epi##bits(a, b);					\
	}

UNPACK(8)
UNPACK(16)
UNPACK(32)
UNPACK(64)
#undef UNPACK

/* Exchanges the bits of `mask` with those `distance` above them. */
TARGET INLINE VECTOR LEVEL(exchange)(VECTOR a, int distance, uint64_t mask)
{
	const VECTOR swap = _mm256_and_si256(_mm256_xor_si256(a, _mm256_srli_epi64(a, distance)),
					     _mm256_set1_epi64x((long long)mask));

	return _mm256_xor_si256(a, _mm256_xor_si256(swap, _mm256_slli_epi64(swap, distance)));
}

/* A quadword as 8 rows of 8 bits: its columns, the first row's bit on top. */
TARGET INLINE VECTOR LEVEL(transpose)(VECTOR a)
{
	const VECTOR reverse = _mm256_set_epi64x(0x08090a0b0c0d0e0f, 0x0001020304050607,
						 0x08090a0b0c0d0e0f, 0x0001020304050607);

	a = _mm256_shuffle_epi8(a, reverse);
	a = LEVEL(exchange)(a, 7, 0x00aa00aa00aa00aa);
	a = LEVEL(exchange)(a, 14, 0x0000cccc0000cccc);
	return LEVEL(exchange)(a, 28, 0x00000000f0f0f0f0);
}

/* `bits` bits of each byte, from bit `shift` on. */
TARGET INLINE VECTOR LEVEL(field)(VECTOR a, unsigned int shift, unsigned int bits)
{
	return bits == 8 ? a :
			   _mm256_and_si256(_mm256_srli_epi16(a, (int)shift),
					    _mm256_set1_epi8((char)((1 << bits) - 1)));
}

/* Pairs of products are summed in 16 bits, where 8-bit codes do not fit: the
 * lowest bit goes its own way. */
TARGET INLINE VECTOR LEVEL(dot)(VECTOR sum, VECTOR codes, const int8_t *x, unsigned int bits)
{
	const VECTOR in = LEVEL(load)(x);
	const VECTOR one = _mm256_set1_epi16(1);
	VECTOR high, low;

	if (bits < 8)
		return _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_maddubs_epi16(codes, in),
							       one));
	high = _mm256_maddubs_epi16(LEVEL(field)(codes, 1, 7), in);
	low = _mm256_maddubs_epi16(LEVEL(field)(codes, 0, 1), in);
	return _mm256_add_epi32(sum, _mm256_add_epi32(_mm256_madd_epi16(high, _mm256_set1_epi16(2)),
						      _mm256_madd_epi16(low, one)));
}

/* The sums of the four dwords in each lane of each vector. */
TARGET INLINE VECTOR LEVEL(sums_of_4)(VECTOR a, VECTOR b, VECTOR c, VECTOR d)
{
	return _mm256_hadd_epi32(_mm256_hadd_epi32(a, b), _mm256_hadd_epi32(c, d));
}

/* The sums of the two dwords in each quadword. */
TARGET INLINE VECTOR LEVEL(sums_of_2)(VECTOR a, VECTOR b) { return _mm256_hadd_epi32(a, b); }

/* 2^(e-127); the exponent 0 is 2^-127, a subnormal. */
TARGET INLINE FLOATS LEVEL(powers)(const uint8_t *exponents)
{
	const VECTOR e = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const void *)exponents));

	return _mm256_castsi256_ps(_mm256_max_epi32(_mm256_slli_epi32(e, 23),
						    _mm256_set1_epi32(1 << 22)));
}

TARGET INLINE FLOATS LEVEL(all)(float a) { return _mm256_set1_ps(a); }
TARGET INLINE FLOATS LEVEL(load_floats)(const float *from) { return _mm256_loadu_ps(from); }
TARGET INLINE void LEVEL(store_floats)(float *to, FLOATS a) { _mm256_storeu_ps(to, a); }
TARGET INLINE FLOATS LEVEL(times)(FLOATS a, FLOATS b) { return _mm256_mul_ps(a, b); }
TARGET INLINE FLOATS LEVEL(plus)(FLOATS a, FLOATS b) { return _mm256_add_ps(a, b); }
TARGET INLINE FLOATS LEVEL(minus)(FLOATS a, FLOATS b) { return _mm256_sub_ps(a, b); }
TARGET INLINE FLOATS LEVEL(to_floats)(VECTOR a) { return _mm256_cvtepi32_ps(a); }
TARGET INLINE FLOATS LEVEL(fused)(FLOATS a, FLOATS b, FLOATS c) { return _mm256_fmadd_ps(a, b, c); }

/* Eight bytes b as 2^23 + b. */
TARGET INLINE FLOATS LEVEL(widen)(const uint8_t *bytes)
{
	return _mm256_castsi256_ps(_mm256_or_si256(
		_mm256_cvtepu8_epi32(_mm_loadl_epi64((const void *)bytes)),
		_mm256_set1_epi32(0x4b000000)));
}

#include "multiply_lines_template.h"

/* ---------------------------------------------------------- AVX-512 */

#define LEVEL(name)		name##_avx512
#define TARGET			SQC_TARGET_AVX512
#define VECTOR			__m512i
#define FLOATS			__m512
#define VECTOR_BYTES		64u

TARGET INLINE VECTOR LEVEL(zero)(void) { return _mm512_setzero_si512(); }
TARGET INLINE VECTOR LEVEL(load)(const void *from) { return _mm512_loadu_si512(from); }
TARGET INLINE void LEVEL(store)(void *to, VECTOR a) { _mm512_storeu_si512(to, a); }
TARGET INLINE VECTOR LEVEL(and)(VECTOR a, VECTOR b) { return _mm512_and_si512(a, b); }
TARGET INLINE VECTOR LEVEL(or)(VECTOR a, VECTOR b) { return _mm512_or_si512(a, b); }
TARGET INLINE VECTOR LEVEL(xor)(VECTOR a, VECTOR b) { return _mm512_xor_si512(a, b); }
TARGET INLINE VECTOR LEVEL(add)(VECTOR a, VECTOR b) { return _mm512_add_epi32(a, b); }

TARGET INLINE VECTOR LEVEL(xor_and)(VECTOR a, VECTOR b, VECTOR c)
{
	return _mm512_ternarylogic_epi64(a, b, c, 0x78);
}

TARGET INLINE VECTOR LEVEL(nand)(VECTOR a, VECTOR b)
{
	return _mm512_ternarylogic_epi64(a, b, b, 0x3f);
}

#define UNPACK(bits)									\
	TARGET INLINE VECTOR LEVEL(unpack_low_##bits)(VECTOR a, VECTOR b)		\
	{										\
		return _mm512_unpacklo_epi##bits(a, b);					\
	}										\
	TARGET INLINE VECTOR LEVEL(unpack_high_##bits)(VECTOR a, VECTOR b)		\
	{										\
		return _mm512_unpackhi_epi##bits(a, b);					\
	}

UNPACK(8)
UNPACK(16)
UNPACK(32)
UNPACK(64)
#undef UNPACK

/* A quadword is a matrix over GF(2), its first byte being the row that gives
 * the highest bit; times the unit vectors, it gives its columns. */
TARGET INLINE VECTOR LEVEL(transpose)(VECTOR a)
{
	return _mm512_gf2p8affine_epi64_epi8(_mm512_set1_epi64((long long)0x8040201008040201), a,
					     0);
}

/* Shift and mask are one matrix for all bytes; its last byte is the row that
 * gives bit 0. */
TARGET INLINE VECTOR LEVEL(field)(VECTOR a, unsigned int shift, unsigned int bits)
{
	uint64_t rows = 0;

	if (bits == 8)
		return a;
	if (shift == 0)
		return _mm512_and_si512(a, _mm512_set1_epi8((char)((1 << bits) - 1)));
	for (unsigned int bit = 0; bit < bits; bit++)
		rows |= (uint64_t)1 << (8 * (7 - bit) + shift + bit);
	return _mm512_gf2p8affine_epi64_epi8(a, _mm512_set1_epi64((long long)rows), 0);
}

TARGET INLINE VECTOR LEVEL(dot)(VECTOR sum, VECTOR codes, const int8_t *x, unsigned int bits)
{
	(void)bits;
	return _mm512_dpbusd_epi32(sum, codes, LEVEL(load)(x));
}

TARGET INLINE VECTOR LEVEL(sums_of_4)(VECTOR a, VECTOR b, VECTOR c, VECTOR d)
{
	const VECTOR ab = LEVEL(add)(LEVEL(unpack_low_32)(a, b), LEVEL(unpack_high_32)(a, b));
	const VECTOR cd = LEVEL(add)(LEVEL(unpack_low_32)(c, d), LEVEL(unpack_high_32)(c, d));

	return LEVEL(add)(_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd));
}

TARGET INLINE VECTOR LEVEL(sums_of_2)(VECTOR a, VECTOR b)
{
	const FLOATS as = _mm512_castsi512_ps(a), bs = _mm512_castsi512_ps(b);

	return LEVEL(add)(_mm512_castps_si512(_mm512_shuffle_ps(as, bs, 0x88)),
			  _mm512_castps_si512(_mm512_shuffle_ps(as, bs, 0xdd)));
}

TARGET INLINE FLOATS LEVEL(powers)(const uint8_t *exponents)
{
	const VECTOR e = _mm512_cvtepu8_epi32(_mm_loadu_si128((const void *)exponents));

	return _mm512_castsi512_ps(_mm512_max_epi32(_mm512_slli_epi32(e, 23),
						    _mm512_set1_epi32(1 << 22)));
}

TARGET INLINE FLOATS LEVEL(all)(float a) { return _mm512_set1_ps(a); }
TARGET INLINE FLOATS LEVEL(load_floats)(const float *from) { return _mm512_loadu_ps(from); }
TARGET INLINE void LEVEL(store_floats)(float *to, FLOATS a) { _mm512_storeu_ps(to, a); }
TARGET INLINE FLOATS LEVEL(times)(FLOATS a, FLOATS b) { return _mm512_mul_ps(a, b); }
TARGET INLINE FLOATS LEVEL(plus)(FLOATS a, FLOATS b) { return _mm512_add_ps(a, b); }
TARGET INLINE FLOATS LEVEL(minus)(FLOATS a, FLOATS b) { return _mm512_sub_ps(a, b); }
TARGET INLINE FLOATS LEVEL(to_floats)(VECTOR a) { return _mm512_cvtepi32_ps(a); }
TARGET INLINE FLOATS LEVEL(fused)(FLOATS a, FLOATS b, FLOATS c) { return _mm512_fmadd_ps(a, b, c); }

/* Sixteen bytes b as 2^23 + b. */
TARGET INLINE FLOATS LEVEL(widen)(const uint8_t *bytes)
{
	return _mm512_castsi512_ps(_mm512_or_si512(
		_mm512_cvtepu8_epi32(_mm_loadu_si128((const void *)bytes)),
		_mm512_set1_epi32(0x4b000000)));
}

#include "multiply_lines_template.h"

#endif /* SQC_KERNELS_X86 */
