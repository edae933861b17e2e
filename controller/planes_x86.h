/* SPDX-License-Identifier: MIT */
/*
 * The family `planes` on x86: primitives of AVX2 and AVX-512, and their
 * instances of the template. Part of planes.c.
 */
#include <immintrin.h>

/* -------------------------------------------------------------------- AVX2 */

#define LANES		8u
#define TARGET		SQC_TARGET_AVX2
#define NAME(x)		x##_avx2

typedef uint32_t vector_avx2 __attribute__((vector_size(32)));

SQC_TARGET_AVX2 INLINE bool is_zero_avx2(vector_avx2 plane)
{
	return _mm256_testz_si256((__m256i)plane, (__m256i)plane);
}

SQC_TARGET_AVX2 INLINE __m256i swap_bits(__m256i rows, int shift, uint64_t low)
{
	const __m256i swap = _mm256_and_si256(_mm256_xor_si256(rows, _mm256_srli_epi64(rows, shift)),
					      _mm256_set1_epi64x((long long)low));

	return _mm256_xor_si256(rows, _mm256_xor_si256(swap, _mm256_slli_epi64(swap, shift)));
}

/* Four 8 x 8 bit matrices, transposed as in transpose_bits(). */
SQC_TARGET_AVX2 INLINE __m256i transpose_bits_avx2(__m256i rows)
{
	rows = swap_bits(rows, 7, UINT64_C(0x00aa00aa00aa00aa));
	rows = swap_bits(rows, 14, UINT64_C(0x0000cccc0000cccc));
	return swap_bits(rows, 28, UINT64_C(0x00000000f0f0f0f0));
}

/*
 * Unpacking works in halves of 128 bits. So that its results are in order, the
 * first half gets the even and the second the odd pairs of bytes of a plane.
 */
SQC_TARGET_AVX2 INLINE __m256i pairs_split(__m256i plane)
{
	const __m256i even_odd = _mm256_broadcastsi128_si256(
		_mm_setr_epi8(0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15));

	return _mm256_permute4x64_epi64(_mm256_shuffle_epi8(plane, even_odd), 0xd8);
}

SQC_TARGET_AVX2 INLINE void bytes_of_avx2(const vector_avx2 *plane, vector_avx2 *byte, bool to_words)
{
	__m256i p[8], pair[8], four[8];

	(void)to_words;
	for (unsigned int i = 0; i < 8; i++)
		p[i] = pairs_split((__m256i)plane[7 - i]);
	for (unsigned int i = 0; i < 4; i++) {
		pair[i] = _mm256_unpacklo_epi8(p[2 * i], p[2 * i + 1]);
		pair[4 + i] = _mm256_unpackhi_epi8(p[2 * i], p[2 * i + 1]);
	}
	for (unsigned int i = 0; i < 8; i += 4) {
		four[i] = _mm256_unpacklo_epi16(pair[i], pair[i + 1]);
		four[i + 1] = _mm256_unpacklo_epi16(pair[i + 2], pair[i + 3]);
		four[i + 2] = _mm256_unpackhi_epi16(pair[i], pair[i + 1]);
		four[i + 3] = _mm256_unpackhi_epi16(pair[i + 2], pair[i + 3]);
	}
	for (unsigned int i = 0; i < 8; i += 2) {
		byte[i] = (vector_avx2)transpose_bits_avx2(_mm256_unpacklo_epi32(four[i], four[i + 1]));
		byte[i + 1] = (vector_avx2)transpose_bits_avx2(_mm256_unpackhi_epi32(four[i], four[i + 1]));
	}
}

SQC_TARGET_AVX2 INLINE void planes_of_avx2(const vector_avx2 *byte, vector_avx2 *plane)
{
	uint32_t words[8][8];

	for (unsigned int group = 0; group < 8; group++) {
		__m256i bits = (__m256i)byte[group];

		for (unsigned int p = 0; p < 8; p++) {
			words[p][group] = (uint32_t)_mm256_movemask_epi8(bits);
			bits = _mm256_add_epi8(bits, bits);
		}
	}
	memcpy(plane, words, sizeof(words));
}

SQC_TARGET_AVX2 INLINE __m256i load_avx2(const uint8_t *from)
{
	return _mm256_loadu_si256((const __m256i *)(const void *)from);
}

SQC_TARGET_AVX2 INLINE void store_avx2(uint8_t *to, __m256i vector)
{
	_mm256_storeu_si256((__m256i *)(void *)to, vector);
}

SQC_TARGET_AVX2 INLINE void stream_vector_avx2(uint8_t *to, vector_avx2 vector)
{
	_mm256_stream_si256((__m256i *)(void *)to, (__m256i)vector);
}

SQC_TARGET_AVX2 INLINE void load_bytes_avx2(const uint8_t *bytes, vector_avx2 *byte)
{
	memcpy(byte, bytes, 8 * sizeof(*byte));
}

SQC_TARGET_AVX2 INLINE void load_words_avx2(const uint8_t *words, vector_avx2 *high, vector_avx2 *low)
{
	const __m256i mask = _mm256_set1_epi16(0xff);

	for (unsigned int i = 0; i < 8; i++, words += 64) {
		const __m256i a = load_avx2(words), b = load_avx2(words + 32);
		const __m256i lower = _mm256_packus_epi16(_mm256_and_si256(a, mask),
							  _mm256_and_si256(b, mask));
		const __m256i upper = _mm256_packus_epi16(_mm256_srli_epi16(a, 8),
							  _mm256_srli_epi16(b, 8));

		low[i] = (vector_avx2)_mm256_permute4x64_epi64(lower, 0xd8);
		high[i] = (vector_avx2)_mm256_permute4x64_epi64(upper, 0xd8);
	}
}

/* The byte of 32 words of 32 bits that begins at bit `shift`. */
SQC_TARGET_AVX2 INLINE vector_avx2 byte_at_avx2(const __m256i words[4], int shift)
{
	const __m256i mask = _mm256_set1_epi32(0xff);
	__m256i part[4];

	for (unsigned int i = 0; i < 4; i++)
		part[i] = _mm256_and_si256(_mm256_srli_epi32(words[i], shift), mask);
	part[0] = _mm256_packus_epi16(_mm256_packus_epi32(part[0], part[1]),
				      _mm256_packus_epi32(part[2], part[3]));
	return (vector_avx2)_mm256_permutevar8x32_epi32(part[0],
							_mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
}

SQC_TARGET_AVX2 INLINE void load_doubles_avx2(const uint8_t *words, vector_avx2 *byte3, vector_avx2 *byte2,
					      vector_avx2 *byte1, vector_avx2 *byte0)
{
	for (unsigned int i = 0; i < 8; i++, words += 128) {
		const __m256i four[4] = { load_avx2(words), load_avx2(words + 32),
					  load_avx2(words + 64), load_avx2(words + 96) };

		byte3[i] = byte_at_avx2(four, 24);
		byte2[i] = byte_at_avx2(four, 16);
		byte1[i] = byte_at_avx2(four, 8);
		byte0[i] = byte_at_avx2(four, 0);
	}
}

SQC_TARGET_AVX2 INLINE void store_words_avx2(const vector_avx2 *high, const vector_avx2 *low, uint8_t *words)
{
	for (unsigned int i = 0; i < 8; i++, words += 64) {
		const __m256i a = _mm256_unpacklo_epi8((__m256i)low[i], (__m256i)high[i]);
		const __m256i b = _mm256_unpackhi_epi8((__m256i)low[i], (__m256i)high[i]);

		store_avx2(words, _mm256_permute2x128_si256(a, b, 0x20));
		store_avx2(words + 32, _mm256_permute2x128_si256(a, b, 0x31));
	}
}

SQC_TARGET_AVX2 INLINE void store_doubles_avx2(const vector_avx2 *byte3, const vector_avx2 *byte2,
					       const vector_avx2 *byte1, const vector_avx2 *byte0,
					       uint8_t *words)
{
	for (unsigned int i = 0; i < 8; i++, words += 128) {
		const __m256i a = _mm256_unpacklo_epi8((__m256i)byte0[i], (__m256i)byte1[i]);
		const __m256i b = _mm256_unpackhi_epi8((__m256i)byte0[i], (__m256i)byte1[i]);
		const __m256i c = _mm256_unpacklo_epi8((__m256i)byte2[i], (__m256i)byte3[i]);
		const __m256i d = _mm256_unpackhi_epi8((__m256i)byte2[i], (__m256i)byte3[i]);
		const __m256i ac = _mm256_unpacklo_epi16(a, c), ca = _mm256_unpackhi_epi16(a, c);
		const __m256i bd = _mm256_unpacklo_epi16(b, d), db = _mm256_unpackhi_epi16(b, d);

		store_avx2(words, _mm256_permute2x128_si256(ac, ca, 0x20));
		store_avx2(words + 32, _mm256_permute2x128_si256(bd, db, 0x20));
		store_avx2(words + 64, _mm256_permute2x128_si256(ac, ca, 0x31));
		store_avx2(words + 96, _mm256_permute2x128_si256(bd, db, 0x31));
	}
}

SQC_TARGET_AVX2 INLINE void store_codes_avx2(const vector_avx2 *plane, unsigned int n, uint8_t *codes)
{
	const uint64_t mask = (0xffu >> (8 - n)) * UINT64_C(0x0101010101010101);
	vector_avx2 padded[8] = { { 0 } }, byte[8];
	uint64_t eight[32];

	for (unsigned int p = 0; p < n; p++)
		padded[8 - n + p] = plane[p];
	bytes_of_avx2(padded, byte, false);
	memcpy(eight, byte, sizeof(eight));
	for (unsigned int i = 0; i < 32; i++, codes += n) {
		const uint64_t packed = _pext_u64(eight[i], mask);

		memcpy(codes, &packed, n);
	}
}

#include "planes_template.h"

/* ----------------------------------------------------------------- AVX-512 */

#define LANES		16u
#define ALIGNS_WORDS	1
#define FOLDS		1
#define TARGET		SQC_TARGET_AVX512
#define NAME(x)		x##_avx512

typedef uint32_t vector_avx512 __attribute__((vector_size(64)));

SQC_TARGET_AVX512 INLINE bool is_zero_avx512(vector_avx512 plane)
{
	return !_mm512_test_epi64_mask((__m512i)plane, (__m512i)plane);
}

/* A table of 64 bytes F(n, 0) ... F(n, 63). */
#define EIGHT(F, n, i)	F(n, i), F(n, (i) + 1), F(n, (i) + 2), F(n, (i) + 3), \
			F(n, (i) + 4), F(n, (i) + 5), F(n, (i) + 6), F(n, (i) + 7)
#define TABLE(F, n)	{ EIGHT(F, n, 0), EIGHT(F, n, 8), EIGHT(F, n, 16), EIGHT(F, n, 24), \
			  EIGHT(F, n, 32), EIGHT(F, n, 40), EIGHT(F, n, 48), EIGHT(F, n, 56) }

/*
 * An 8 x 8 matrix of bytes, transposed, and the quadwords of a pair of vectors
 * that belong together, in turns. To planes: of the even ones; the odd ones are
 * one byte further. Back, to bytes in order, or in an order from which unpacking
 * makes words in order: of the pair's first 64 elements; the others are 8 bytes
 * further.
 */
#define PAIR_PLANES(n, i)	((i) / 8 % 2 * 64 + 8 * ((i) % 8) + (i) / 16 * 2)
#define PAIR_BYTES(n, i)	((i) % 2 * 64 + (i) % 8 / 2 * 16 + (i) / 8)
#define PAIR_WORDS(n, i)	((i) % 2 * 64 + (i) % 8 / 2 * 16 + (i) / 16 + (i) / 8 % 2 * 4)
/* Bytes, low or high bytes of words, the eight of 64 bits in reverse. */
#define REVERSED(n, i)		((i) ^ 7)
#define LOW_REVERSED(n, i)	(2 * ((i) ^ 7))
/* Byte 0 of words of 32 bits; the upper half is not used. */
#define FOURTH_REVERSED(n, i)	(4 * ((i) ^ 7) % 128)

static const uint8_t pair_planes[64] = TABLE(PAIR_PLANES, 0);
static const uint8_t pair_bytes[64] = TABLE(PAIR_BYTES, 0);
static const uint8_t pair_words[64] = TABLE(PAIR_WORDS, 0);
static const uint8_t reversed[64] = TABLE(REVERSED, 0);
static const uint8_t low_reversed[64] = TABLE(LOW_REVERSED, 0);
static const uint8_t fourth_reversed[64] = TABLE(FOURTH_REVERSED, 0);

/*
 * The affine instruction multiplies 8 x 8 bit matrices. With data as the
 * matrix, whose first byte is the row of bit 7 of results, a byte 1 << c gives
 * column c.
 */
#define COLUMNS_UP	0x8040201008040201
#define COLUMNS_DOWN	0x0102040810204080

SQC_TARGET_AVX512 INLINE __m512i columns(__m512i rows, uint64_t which)
{
	return _mm512_gf2p8affine_epi64_epi8(_mm512_set1_epi64((long long)which), rows, 0);
}

SQC_TARGET_AVX512 INLINE __m512i load_avx512(const void *from)
{
	return _mm512_loadu_si512(from);
}

SQC_TARGET_AVX512 INLINE void stream_vector_avx512(uint8_t *to, vector_avx512 vector)
{
	_mm512_stream_si512((__m512i *)(void *)to, (__m512i)vector);
}

SQC_TARGET_AVX512 INLINE void line_leaves_avx512(const struct leaving *leaving, unsigned int plane,
						 uint32_t place)
{
	const __m512i line = load_avx512(leaving->stage + plane * STAGE_BYTES + place);
	uint8_t *to = leaving->run[plane] + leaving->offset + place;
	uint8_t *sum = leaving->sums + plane * sizeof(line);

	if (leaving->streaming)
		_mm512_stream_si512((__m512i *)(void *)to, line);
	else
		_mm512_storeu_si512(to, line);
	_mm512_storeu_si512(sum, sqc_fold(load_avx512(sum), line));
}

SQC_TARGET_AVX512 INLINE void sum_begin_avx512(uint32_t crc, uint8_t *sum)
{
	_mm512_storeu_si512(sum, sqc_fold_begin(crc));
}

SQC_TARGET_AVX512 INLINE uint32_t sum_end_avx512(const uint8_t *sum)
{
	return sqc_fold_end(load_avx512(sum));
}

/* A 4 x 4 matrix of lanes of 128 bits, every second vector of `from` and of `to`
 * or all of them, transposed. */
SQC_TARGET_AVX512 INLINE void transpose_lanes(const __m512i *from, unsigned int from_step, __m512i *to,
					      unsigned int to_step)
{
	const __m512i f0 = from[0], f1 = from[from_step], f2 = from[2 * from_step], f3 = from[3 * from_step];
	const __m512i a = _mm512_shuffle_i64x2(f0, f1, 0x44), b = _mm512_shuffle_i64x2(f2, f3, 0x44);
	const __m512i c = _mm512_shuffle_i64x2(f0, f1, 0xee), d = _mm512_shuffle_i64x2(f2, f3, 0xee);

	to[0] = _mm512_shuffle_i64x2(a, b, 0x88);
	to[to_step] = _mm512_shuffle_i64x2(a, b, 0xdd);
	to[2 * to_step] = _mm512_shuffle_i64x2(c, d, 0x88);
	to[3 * to_step] = _mm512_shuffle_i64x2(c, d, 0xdd);
}

/* Half of a transposition of 8 x 8 quadwords: those in columns 2l and 2l + 1 of
 * rows 2k and 2k + 1 go to lane k of even[l] and odd[l]. */
SQC_TARGET_AVX512 INLINE void transpose_pairs(const __m512i row[8], __m512i even[4], __m512i odd[4])
{
	transpose_lanes(row, 2, even, 1);
	transpose_lanes(row + 1, 2, odd, 1);
}

SQC_TARGET_AVX512 INLINE void bytes_of_avx512(const vector_avx512 *plane, vector_avx512 *byte,
					      bool to_words)
{
	const __m512i first = load_avx512(to_words ? pair_words : pair_bytes);
	const __m512i second = _mm512_add_epi8(first, _mm512_set1_epi8(8));
	__m512i even[4], odd[4];

	transpose_pairs((const __m512i *)plane, even, odd);
	for (unsigned int i = 0; i < 4; i++) {
		byte[2 * i] = (vector_avx512)columns(
			_mm512_permutex2var_epi8(even[i], first, odd[i]), COLUMNS_UP);
		byte[2 * i + 1] = (vector_avx512)columns(
			_mm512_permutex2var_epi8(even[i], second, odd[i]), COLUMNS_UP);
	}
}

SQC_TARGET_AVX512 INLINE void planes_of_avx512(const vector_avx512 *byte, vector_avx512 *plane)
{
	const __m512i first = load_avx512(pair_planes);
	const __m512i second = _mm512_add_epi8(first, _mm512_set1_epi8(1));
	__m512i even[4], odd[4];

	for (unsigned int i = 0; i < 4; i++) {
		const __m512i a = columns((__m512i)byte[2 * i], COLUMNS_DOWN);
		const __m512i b = columns((__m512i)byte[2 * i + 1], COLUMNS_DOWN);

		even[i] = _mm512_permutex2var_epi8(a, first, b);
		odd[i] = _mm512_permutex2var_epi8(a, second, b);
	}
	transpose_lanes(even, 1, (__m512i *)plane, 2);
	transpose_lanes(odd, 1, (__m512i *)plane + 1, 2);
}

SQC_TARGET_AVX512 INLINE void load_bytes_avx512(const uint8_t *bytes, vector_avx512 *byte)
{
	for (unsigned int i = 0; i < 8; i++)
		byte[i] = (vector_avx512)_mm512_permutexvar_epi8(load_avx512(reversed),
								 load_avx512(bytes + 64 * i));
}

SQC_TARGET_AVX512 INLINE void split_words(const __m512i words[16], vector_avx512 *high, vector_avx512 *low)
{
	const __m512i even = load_avx512(low_reversed);
	const __m512i odd = _mm512_add_epi8(even, _mm512_set1_epi8(1));

	for (unsigned int i = 0; i < 8; i++) {
		const __m512i a = words[2 * i], b = words[2 * i + 1];

		low[i] = (vector_avx512)_mm512_permutex2var_epi8(a, even, b);
		high[i] = (vector_avx512)_mm512_permutex2var_epi8(a, odd, b);
	}
}

SQC_TARGET_AVX512 INLINE void load_words_avx512(const uint8_t *words, vector_avx512 *high,
						vector_avx512 *low)
{
	__m512i given[16];

	for (unsigned int i = 0; i < 16; i++)
		given[i] = load_avx512(words + 64 * i);
	split_words(given, high, low);
}

SQC_TARGET_AVX512 INLINE vector_avx512 byte_at_avx512(const uint8_t *words, char place)
{
	const __m512i order = _mm512_add_epi8(load_avx512(fourth_reversed), _mm512_set1_epi8(place));
	const __m512i a = _mm512_permutex2var_epi8(load_avx512(words), order, load_avx512(words + 64));
	const __m512i b = _mm512_permutex2var_epi8(load_avx512(words + 128), order,
						   load_avx512(words + 192));

	return (vector_avx512)_mm512_inserti64x4(a, _mm512_castsi512_si256(b), 1);
}

SQC_TARGET_AVX512 INLINE void load_doubles_avx512(const uint8_t *words, vector_avx512 *byte3,
						  vector_avx512 *byte2, vector_avx512 *byte1,
						  vector_avx512 *byte0)
{
	for (unsigned int i = 0; i < 8; i++, words += 256) {
		byte3[i] = byte_at_avx512(words, 3);
		byte2[i] = byte_at_avx512(words, 2);
		byte1[i] = byte_at_avx512(words, 1);
		byte0[i] = byte_at_avx512(words, 0);
	}
}

SQC_TARGET_AVX512 INLINE void store_words_avx512(const vector_avx512 *high, const vector_avx512 *low,
						 uint8_t *words)
{
	for (unsigned int i = 0; i < 8; i++, words += 128) {
		_mm512_storeu_si512(words, _mm512_unpacklo_epi8((__m512i)low[i], (__m512i)high[i]));
		_mm512_storeu_si512(words + 64, _mm512_unpackhi_epi8((__m512i)low[i], (__m512i)high[i]));
	}
}

/* Words of 32 bits, in order, from their halves in order. */
SQC_TARGET_AVX512 INLINE void store_halves(__m512i high, __m512i low, uint8_t *words)
{
	const __m512i a = _mm512_unpacklo_epi16(low, high), b = _mm512_unpackhi_epi16(low, high);
	const __m512i first = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11);
	const __m512i second = _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15);

	_mm512_storeu_si512(words, _mm512_permutex2var_epi64(a, first, b));
	_mm512_storeu_si512(words + 64, _mm512_permutex2var_epi64(a, second, b));
}

SQC_TARGET_AVX512 INLINE void store_doubles_avx512(const vector_avx512 *byte3, const vector_avx512 *byte2,
						   const vector_avx512 *byte1, const vector_avx512 *byte0,
						   uint8_t *words)
{
	for (unsigned int i = 0; i < 8; i++, words += 256) {
		const __m512i b3 = (__m512i)byte3[i], b2 = (__m512i)byte2[i];
		const __m512i b1 = (__m512i)byte1[i], b0 = (__m512i)byte0[i];

		store_halves(_mm512_unpacklo_epi8(b2, b3), _mm512_unpacklo_epi8(b0, b1), words);
		store_halves(_mm512_unpackhi_epi8(b2, b3), _mm512_unpackhi_epi8(b0, b1), words + 128);
	}
}

/*
 * bf16 with a group in a vector of 32 words, which takes fewer steps than plane
 * after plane: one shift moves all bits of a significand.
 */

/* The exponent bytes of 16 groups, largest of each: those of groups 2p and
 * 2p + 1 are bytes 0 and 1, repeated, of quadword PAIR_QUAD(p). */
#define PAIR_QUAD(p)		(2 * ((p) % 4) + (p) / 4)
#define GROUP_EXPONENT(n, i)	(8 * PAIR_QUAD((i) / 4 / 2) + (i) / 4 % 2)

static const uint8_t group_exponent[64] = TABLE(GROUP_EXPONENT, 0);

SQC_TARGET_AVX512 INLINE __m512i halves_max(__m512i a, __m512i b, bool lanes)
{
	return lanes ? _mm512_max_epu8(_mm512_shuffle_i64x2(a, b, 0x88), _mm512_shuffle_i64x2(a, b, 0xdd)) :
		       _mm512_max_epu8(_mm512_shuffle_i64x2(a, b, 0x44), _mm512_shuffle_i64x2(a, b, 0xee));
}

SQC_TARGET_AVX512 INLINE __m512i exponents_max(const uint8_t *words)
{
	const __m512i odd = _mm512_set1_epi16((short)0xff00);
	__m512i pair[8], most;

	for (unsigned int p = 0; p < 8; p++) {
		const __m512i a = _mm512_srli_epi16(load_avx512(words + 128 * p), 7);
		const __m512i b = _mm512_slli_epi16(load_avx512(words + 128 * p + 64), 1);

		pair[p] = _mm512_ternarylogic_epi64(odd, b, a, 0xca);
	}
	for (unsigned int p = 0; p < 4; p++)
		pair[p] = halves_max(pair[2 * p], pair[2 * p + 1], false);
	for (unsigned int p = 0; p < 2; p++)
		pair[p] = halves_max(pair[2 * p], pair[2 * p + 1], true);
	most = _mm512_max_epu8(_mm512_unpacklo_epi64(pair[0], pair[1]),
			       _mm512_unpackhi_epi64(pair[0], pair[1]));
	most = _mm512_max_epu8(most, _mm512_rol_epi64(most, 32));
	return _mm512_max_epu8(most, _mm512_rol_epi32(most, 16));
}

SQC_TARGET_AVX512 INLINE void tops_in_avx512(const uint8_t *words, uint8_t *exponents, uint32_t *tops)
{
	const __m512i exponent = _mm512_maskz_permutexvar_epi8(UINT64_C(0x1111111111111111),
							       load_avx512(group_exponent),
							       exponents_max(words));
	const __m512i word = _mm512_or_si512(_mm512_slli_epi32(exponent, 7), _mm512_set1_epi32(0x7f));
	const __m512i top = _mm512_maskz_or_epi32(
		_mm512_cmpge_epu32_mask(exponent, _mm512_set1_epi32(TOP_LEAST)), word,
		_mm512_slli_epi32(word, 16));

	_mm_storeu_si128((__m128i *)(void *)exponents, _mm512_cvtepi32_epi8(exponent));
	_mm512_storeu_si512(tops, _mm512_mask_mov_epi32(top, _mm512_testn_epi32_mask(exponent, exponent),
							_mm512_set1_epi32((int)TOP_OF_ZEROS)));
}

SQC_TARGET_AVX512 INLINE void distances_in_avx512(const uint8_t *words, const uint32_t *tops,
						  vector_avx512 *high, vector_avx512 *low)
{
	__m512i below[16];

	for (unsigned int group = 0; group < 16; group++)
		below[group] = _mm512_sub_epi16(_mm512_set1_epi32((int)tops[group]),
						load_avx512(words + 64 * group));
	split_words(below, high, low);
}

SQC_TARGET_AVX512 static __attribute__((noinline)) vector_avx512 zeros_in_avx512(const uint8_t *words)
{
	uint32_t zeros[16];

	for (unsigned int group = 0; group < 16; group++)
		zeros[group] = _mm512_testn_epi16_mask(load_avx512(words + 64 * group),
						       _mm512_set1_epi16(0x7fff));
	return (vector_avx512)load_avx512(zeros);
}

/* As a float, what the last bit of a magnitude is worth, by a group's exponent byte;
 * only of those with which it is normal. */
#define LAST_BIT(n, i)		((n) + (i) > 15 ? ((n) + (uint32_t)(i) - 15) << 23 : 0)
#define LAST_BITS(n)		EIGHT(LAST_BIT, n, 0), EIGHT(LAST_BIT, n, 8), \
				EIGHT(LAST_BIT, n, 16), EIGHT(LAST_BIT, n, 24), \
				EIGHT(LAST_BIT, n, 32), EIGHT(LAST_BIT, n, 40), \
				EIGHT(LAST_BIT, n, 48), EIGHT(LAST_BIT, n, 56)

static const uint32_t last_bit[256] = { LAST_BITS(0), LAST_BITS(64), LAST_BITS(128), LAST_BITS(192) };

/*
 * A group's magnitudes to words without their signs. As a float a magnitude has
 * its leading bit found; times a power of two it has its exponent, exactly. bf16
 * is the upper half of a float.
 */
SQC_TARGET_AVX512 INLINE __m512i normalised(__m512i magnitudes, uint32_t scale)
{
	const __m512i upper = _mm512_set1_epi32((int)0xffff0000);
	const __m512 by = _mm512_castsi512_ps(_mm512_set1_epi32((int)scale));
	const __m512 even = _mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_andnot_si512(upper, magnitudes)), by);
	const __m512 odd = _mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_srli_epi32(magnitudes, 16)), by);

	return _mm512_ternarylogic_epi64(_mm512_castps_si512(odd), upper,
					 _mm512_srli_epi32(_mm512_castps_si512(even), 16), 0xe2);
}

/* The same with signs. */
SQC_TARGET_AVX512 INLINE void store_signed(__m512i words, const uint8_t *sign, uint8_t *to)
{
	uint32_t minus;

	memcpy(&minus, sign, sizeof(minus));
	_mm512_storeu_si512(to, _mm512_mask_sub_epi16(words, minus, words, _mm512_set1_epi16((short)0x8000)));
}

SQC_TARGET_AVX512 INLINE void unalign_words_avx512(const uint8_t *exponents, const uint8_t *signs,
						   const vector_avx512 *magnitude, uint8_t *words)
{
	vector_avx512 high[8], low[8];

	bytes_of_avx512(magnitude, high, true);
	bytes_of_avx512(magnitude + 8, low, true);
	for (unsigned int i = 0; i < 8; i++) {
		const __m512i a = _mm512_unpacklo_epi8((__m512i)low[i], (__m512i)high[i]);
		const __m512i b = _mm512_unpackhi_epi8((__m512i)low[i], (__m512i)high[i]);

		store_signed(normalised(a, last_bit[exponents[2 * i]]), signs + 8 * i, words + 128 * i);
		store_signed(normalised(b, last_bit[exponents[2 * i + 1]]), signs + 8 * i + 4,
			     words + 128 * i + 64);
	}
}

/*
 * Codes of n < 8 bits: bit t of the codes of 8 elements is bit t % n of element
 * t / n, so each of their n bytes takes its bits from fixed elements and
 * planes. First every plane alone is transposed: byte c of 64 elements then
 * holds elements c, 8 + c ... 56 + c. Then the eight bytes that give byte s of
 * the codes of elements 8m ... 8m + 7, for all m, come together (ROW_*), are
 * transposed. A vector takes as many times 64 elements as their codes fit in
 * (VECTOR_CODES, in bytes). Last, each line of the codes gets its bytes from where
 * they came to be (CODE_PLACE), in the first of its vectors or the second or third
 * (LINE_PLACE, of line nl % 8 of codes of nl / 8 bits).
 */
#define ROW_BIT(n, i)		(8 * ((i) / 8 % (n)) + 7 - (i) % 8)
#define ROW_PLANE(n, i)		(ROW_BIT(n, i) % (n))
#define ROW_BYTE(n, i)		((8 * ((i) / 8 / (n)) + ROW_BIT(n, i) / (n)) % 64)
#define ROW_PAIR(n, i)		(ROW_PLANE(n, i) % 2 * 64 + ROW_PLANE(n, i) / 2 * 16 + ROW_BYTE(n, i))
#define CODE_PLACE(n, i)	((8 * ((n) * ((i) / (8 * (n))) + (i) % (n)) + (i) % (8 * (n)) / (n)) % 64)

#define VECTOR_CODES(n)		(8 / (n) * 8 * (n))
#define LINE_BYTE(nl, i)	((nl) % 8 * 64 + (i))
#define LINE_PLACE(nl, i)	((LINE_BYTE(nl, i) / VECTOR_CODES((nl) / 8) - \
				  LINE_BYTE(nl, 0) / VECTOR_CODES((nl) / 8)) % 2 * 64 + \
				 CODE_PLACE((nl) / 8, LINE_BYTE(nl, i) % VECTOR_CODES((nl) / 8)))

#define SIZES(F)	{ { 0 }, { 0 }, TABLE(F, 2), TABLE(F, 3), TABLE(F, 4), TABLE(F, 5), \
			  TABLE(F, 6), TABLE(F, 7) }

static const uint8_t row_plane[8][64] = SIZES(ROW_PLANE);
static const uint8_t row_byte[8][64] = SIZES(ROW_BYTE);
static const uint8_t row_pair[8][64] = SIZES(ROW_PAIR);

#define LINES(n)	{ TABLE(LINE_PLACE, 8 * (n)), TABLE(LINE_PLACE, 8 * (n) + 1), \
			  TABLE(LINE_PLACE, 8 * (n) + 2), TABLE(LINE_PLACE, 8 * (n) + 3), \
			  TABLE(LINE_PLACE, 8 * (n) + 4), TABLE(LINE_PLACE, 8 * (n) + 5), \
			  TABLE(LINE_PLACE, 8 * (n) + 6) }

static const uint8_t line_place[8][7][64] = { { { 0 } }, { { 0 } }, LINES(2), LINES(3), LINES(4), LINES(5),
					      LINES(6), LINES(7) };

/* The rows of vector v, from the transposed planes of code bits 0 ... n - 1. */
SQC_TARGET_AVX512 INLINE __m512i rows_collect(const __m512i *bit, unsigned int n, unsigned int v)
{
	const __m512i plane = load_avx512(row_plane[n]);
	const __m512i place = _mm512_add_epi8(load_avx512(row_byte[n]),
					      _mm512_set1_epi8((char)(v * (8 / n) * 8)));
	__m512i rows = _mm512_setzero_si512();

	for (unsigned int b = 0; b < n; b++)
		rows = _mm512_mask_permutexvar_epi8(
			rows, _mm512_cmpeq_epi8_mask(plane, _mm512_set1_epi8((char)b)), place, bit[b]);
	return rows;
}

/* Line l of the codes, from up to three vectors: whole lines are what memory takes best. */
SQC_TARGET_AVX512 INLINE void line_codes(const __m512i *vector, unsigned int n, unsigned int l, uint8_t *codes)
{
	const unsigned int first = 64 * l / VECTOR_CODES(n), last = (64 * l + 63) / VECTOR_CODES(n);
	const __m512i place = load_avx512(line_place[n][l]);
	__m512i line = first == last ? _mm512_permutexvar_epi8(place, vector[first]) :
				       _mm512_permutex2var_epi8(vector[first], place, vector[first + 1]);

	if (last > first + 1)
		line = _mm512_mask_permutexvar_epi8(
			line, UINT64_MAX << ((first + 2) * VECTOR_CODES(n) - 64 * l), place, vector[last]);
	_mm512_storeu_si512(codes + 64 * l, line);
}

SQC_TARGET_AVX512 INLINE void store_codes_avx512(const vector_avx512 *plane, unsigned int n, uint8_t *codes)
{
	__m512i bit[8] = { 0 }, vector[8];

	if (n == 8) {
		vector_avx512 byte[8];

		bytes_of_avx512(plane, byte, false);
		for (unsigned int i = 0; i < 8; i++)
			_mm512_storeu_si512(codes + 64 * i, (__m512i)byte[i]);
		return;
	}
	for (unsigned int b = 0; b < n; b++)
		bit[b] = columns((__m512i)plane[n - 1 - b], COLUMNS_UP);
	if (n <= 4) {
#pragma GCC unroll 4
		for (unsigned int v = 0; v < 8 / (8 / n); v++)
			vector[v] = columns(rows_collect(bit, n, v), COLUMNS_DOWN);
	} else {
		const __m512i first = load_avx512(row_pair[n]);
		const __m512i second = _mm512_add_epi8(first, _mm512_set1_epi8(8));
		__m512i even[4], odd[4];

		transpose_pairs(bit, even, odd);
#pragma GCC unroll 8
		for (unsigned int v = 0; v < 8; v++)
			vector[v] = columns(_mm512_permutex2var_epi8(even[v / 2], v % 2 ? second : first,
								     odd[v / 2]), COLUMNS_DOWN);
	}
#pragma GCC unroll 8
	for (unsigned int l = 0; l < n; l++)
		line_codes(vector, n, l, codes);
}

#include "planes_template.h"
