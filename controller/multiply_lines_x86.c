/* SPDX-License-Identifier: MIT */
/* What the vector versions of multiply_lines_template.h are made of on x86. */
#include "kernel.h"

#ifdef SQC_KERNELS_X86

#include <immintrin.h>

#include "float_bits.h"
#include "little_endian.h"
#include "multiply_lines.h"

/*
 * How far ahead lines are prefetched, in lines of a run. A core drops a
 * prefetch when all its buffers for misses are taken, and the planes' prefetches
 * come in bursts; so a line gets three chances. The first is far off and goes
 * to the second cache level, as the planes' lines, 8 KiB apart, share the sets
 * of the first; the next goes there too, and is left out where planes are so
 * few that it would cost more instructions than it saves waiting. The largest
 * is less than a whole run: behind that only the next block is known.
 */
#define AHEAD_LINES		120u
#define AHEAD_AGAIN_LINES	64u
#define AHEAD_LAST_LINES	24u
#define AHEAD_AGAIN_PLANES	4u

/* From so many columns on, activations of 4096 x columns are 25 KiB and more. */
#define BY_LINE_COLUMNS		5u

#define INLINE			static inline __attribute__((always_inline))

/*
 * What is ahead of a line: pointers with which the line's own offset in its run
 * finds it. They hold for it and those behind it up to an offset, with which one
 * of them would leave the block. Begins with `until` 0.
 */
struct ahead {
	struct sqc_plane_lines first, again, last;
	uint64_t until;
};

INLINE void ahead_find(const struct sqc_multiply_job *job, unsigned int planes, uint64_t byte,
		       unsigned int lines, struct sqc_plane_lines *found, uint64_t *until)
{
	const uint64_t bytes = lines * SQC_LINE_BYTES;
	const bool here = byte + bytes < job->run_bytes;
	const struct sqc_plane_lines *at = here ? job->at : job->next;
	const int64_t distance = (int64_t)(here ? bytes : bytes - job->run_bytes);

	if (here && *until > job->run_bytes - bytes)
		*until = job->run_bytes - bytes;
	for (unsigned int plane = 0; plane < planes; plane++)
		found->plane[plane] = at->plane[plane] + distance;
	found->exponents = at->exponents + distance / 4;
}

INLINE void ahead_of(const struct sqc_multiply_job *job, unsigned int planes, uint64_t byte,
		     struct ahead *ahead)
{
	if (byte >= ahead->until) {
		ahead->until = UINT64_MAX;
		ahead_find(job, planes, byte, AHEAD_LINES, &ahead->first, &ahead->until);
		if (planes >= AHEAD_AGAIN_PLANES)
			ahead_find(job, planes, byte, AHEAD_AGAIN_LINES, &ahead->again,
				   &ahead->until);
		ahead_find(job, planes, byte, AHEAD_LAST_LINES, &ahead->last, &ahead->until);
	}
	for (unsigned int plane = 0; plane < planes; plane++)
		__builtin_prefetch(ahead->first.plane[plane] + byte, 0, 2);
	/* Four lines of a plane share one of exponents: that is chances enough. */
	__builtin_prefetch(ahead->first.exponents + byte / 4, 0, 2);
	if (planes >= AHEAD_AGAIN_PLANES)
		for (unsigned int plane = 0; plane < planes; plane++)
			__builtin_prefetch(ahead->again.plane[plane] + byte, 0, 2);
	for (unsigned int plane = 0; plane < planes; plane++)
		__builtin_prefetch(ahead->last.plane[plane] + byte, 0, 3);
}

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

/* Of pairs of fields of `step` bits, `even` gets the first and `odd` the second, high
 * above low. */
TARGET INLINE void LEVEL(mix)(VECTOR high, VECTOR low, int step, VECTOR *even, VECTOR *odd)
{
	const VECTOR mask = _mm256_set1_epi8(step == 1 ? 0x55 : 0x33);
	const VECTOR swap = _mm256_and_si256(_mm256_xor_si256(_mm256_srli_epi16(low, step), high),
					     mask);

	*even = _mm256_xor_si256(low, _mm256_slli_epi16(swap, step));
	*odd = _mm256_xor_si256(high, swap);
}

TARGET INLINE VECTOR LEVEL(right)(VECTOR a, int shift) { return _mm256_srli_epi16(a, shift); }

TARGET INLINE VECTOR LEVEL(low_bits)(VECTOR a, unsigned int bits)
{
	return _mm256_and_si256(a, _mm256_set1_epi8((char)((1 << bits) - 1)));
}

/* A field of each byte of codes of up to 4 bits. */
TARGET INLINE VECTOR LEVEL(field)(VECTOR a, unsigned int field, unsigned int bits)
{
	return LEVEL(low_bits)(LEVEL(right)(a, (int)field * (bits > 2 ? 4 : 2)), bits);
}

/*
 * Pairs of products are summed in 16 bits. Up to 4 bits so are all eight dots,
 * which is 15 * 127 * 16 at most; pairs of 8-bit codes do not fit, so the lowest
 * bit goes its own way.
 */
TARGET INLINE VECTOR LEVEL(dot)(VECTOR sum, VECTOR codes, const int8_t *x, unsigned int bits)
{
	const VECTOR in = LEVEL(load)(x);
	const VECTOR one = _mm256_set1_epi16(1);
	VECTOR high, low;

	if (bits <= 4)
		return _mm256_add_epi16(sum, _mm256_maddubs_epi16(codes, in));
	if (bits < 8)
		return _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_maddubs_epi16(codes, in),
							       one));
	high = _mm256_maddubs_epi16(LEVEL(low_bits)(LEVEL(right)(codes, 1), 7), in);
	low = _mm256_maddubs_epi16(LEVEL(low_bits)(codes, 1), in);
	return _mm256_add_epi32(sum, _mm256_add_epi32(_mm256_madd_epi16(high, _mm256_set1_epi16(2)),
						      _mm256_madd_epi16(low, one)));
}

TARGET INLINE VECTOR LEVEL(sum_begin)(const int32_t *start)
{
	(void)start;
	return LEVEL(zero)();
}

TARGET INLINE VECTOR LEVEL(sum_end)(VECTOR even, VECTOR odd, unsigned int bits,
				    const int32_t *start)
{
	const VECTOR sum = _mm256_madd_epi16(_mm256_add_epi16(even, odd), _mm256_set1_epi16(1));

	(void)bits;
	return LEVEL(add)(sum, LEVEL(load)(start));
}

/* The sums of the four dwords in each lane of each vector. */
TARGET INLINE VECTOR LEVEL(sums_of_4)(VECTOR a, VECTOR b, VECTOR c, VECTOR d)
{
	return _mm256_hadd_epi32(_mm256_hadd_epi32(a, b), _mm256_hadd_epi32(c, d));
}

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

/* Eight codes of up to 4 bits, from one byte of a plane, as 2^23 + u. */
TARGET INLINE FLOATS LEVEL(cut)(const uint8_t *bytes, unsigned int bits)
{
	const VECTOR shifts = bits > 2 ? _mm256_setr_epi32(0, 8, 16, 24, 4, 12, 20, 28) :
					 _mm256_setr_epi32(0, 8, 2, 10, 4, 12, 6, 14);
	const VECTOR all = _mm256_set1_epi32((int)sqc_le32(bytes));
	const VECTOR codes = _mm256_and_si256(_mm256_srlv_epi32(all, shifts),
					      _mm256_set1_epi32((1 << bits) - 1));

	return _mm256_castsi256_ps(_mm256_or_si256(codes, _mm256_set1_epi32(0x4b000000)));
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
#undef UNPACK

/* A quadword is a matrix over GF(2), its first byte being the row that gives
 * the highest bit; times the unit vectors, it gives its columns. */
TARGET INLINE VECTOR LEVEL(transpose)(VECTOR a)
{
	return _mm512_gf2p8affine_epi64_epi8(_mm512_set1_epi64((long long)0x8040201008040201), a,
					     0);
}

/* The same as for AVX2: each is one choice between two by a mask. */
TARGET INLINE void LEVEL(mix)(VECTOR high, VECTOR low, int step, VECTOR *even, VECTOR *odd)
{
	const VECTOR mask = _mm512_set1_epi8(step == 1 ? 0x55 : 0x33);
	const VECTOR up = step == 1 ? _mm512_add_epi8(high, high) : _mm512_slli_epi16(high, step);
	const VECTOR down = _mm512_srli_epi16(low, step);

	*even = _mm512_ternarylogic_epi64(up, low, mask, 0xd8);
	*odd = _mm512_ternarylogic_epi64(down, high, mask, 0xe4);
}

TARGET INLINE VECTOR LEVEL(right)(VECTOR a, int shift) { return _mm512_srli_epi16(a, shift); }

/*
 * A field, an odd one times 2^4 or, of 2 bits, 2^2: then the lower half of a byte
 * needs no shift. For the upper half's fields of 2 bits shift and mask are one
 * matrix for all bytes; its last byte is the row that gives bit 0.
 */
TARGET INLINE VECTOR LEVEL(field)(VECTOR a, unsigned int field, unsigned int bits)
{
	const unsigned int mask = (1u << bits) - 1;

	if (bits > 2)
		return _mm512_and_si512(a, _mm512_set1_epi8((char)(mask << field * 4)));
	if (field < 2)
		return _mm512_and_si512(a, _mm512_set1_epi8((char)(mask << field * 2)));
	return _mm512_gf2p8affine_epi64_epi8(
		a, _mm512_set1_epi64(field == 2 ? 0x1020000000000000 : 0x0000408000000000), 0);
}

TARGET INLINE VECTOR LEVEL(dot)(VECTOR sum, VECTOR codes, const int8_t *x, unsigned int bits)
{
	(void)bits;
	return _mm512_dpbusd_epi32(sum, codes, LEVEL(load)(x));
}

TARGET INLINE VECTOR LEVEL(sum_begin)(const int32_t *start) { return LEVEL(load)(start); }

TARGET INLINE VECTOR LEVEL(sum_end)(VECTOR even, VECTOR odd, unsigned int bits,
				    const int32_t *start)
{
	(void)start;
	return LEVEL(add)(even, _mm512_srai_epi32(odd, bits > 2 ? 4 : 2));
}

TARGET INLINE VECTOR LEVEL(sums_of_4)(VECTOR a, VECTOR b, VECTOR c, VECTOR d)
{
	const VECTOR ab = LEVEL(add)(LEVEL(unpack_low_32)(a, b), LEVEL(unpack_high_32)(a, b));
	const VECTOR cd = LEVEL(add)(LEVEL(unpack_low_32)(c, d), LEVEL(unpack_high_32)(c, d));

	return LEVEL(add)(_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd));
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

/* Sixteen codes of up to 4 bits, from two bytes of a plane, as 2^23 + u: each dword
 * has its code at the bit of the quadword that `from` says. */
TARGET INLINE FLOATS LEVEL(cut)(const uint8_t *bytes, unsigned int bits)
{
	const VECTOR from =
		bits > 2 ? _mm512_setr_epi32(0, 8, 16, 24, 4, 12, 20, 28, 32, 40, 48, 56, 36, 44, 52, 60) :
			   _mm512_setr_epi32(0, 8, 2, 10, 4, 12, 6, 14, 16, 24, 18, 26, 20, 28, 22, 30);
	const VECTOR all = bits > 2 ? _mm512_set1_epi64((long long)sqc_le64(bytes)) :
				      _mm512_set1_epi32((int)sqc_le32(bytes));

	/* Codes and constant, where the mask has the code's bits. */
	return _mm512_castsi512_ps(_mm512_ternarylogic_epi32(
		_mm512_multishift_epi64_epi8(from, all), _mm512_set1_epi32((1 << bits) - 1),
		_mm512_set1_epi32(0x4b000000), 0xea));
}

#include "multiply_lines_template.h"

#endif /* SQC_KERNELS_X86 */
