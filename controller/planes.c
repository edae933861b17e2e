/* SPDX-License-Identifier: MIT */
/*
 * Levels are instances of planes_template.h; here are what they share, their
 * primitives (planes_x86.h has those that are not portable), and the table.
 */
#include "planes.h"

#include <stdbool.h>
#include <string.h>

#include "crc32c_fold.h"
#include "encoding.h"
#include "float_bits.h"
#include "formats/code_stream.h"
#include "geometry.h"
#include "kernel.h"
#include "stream.h"

/* The largest block of a level is a vector of one bit of each element. */
#define BLOCK_BYTES_MAX	64u

#define INLINE static inline __attribute__((always_inline, unused))

/* Words of a float dtype. */
struct layout {
	uint8_t dtype;
	uint8_t word_bytes;
	uint8_t exponent_bits;
	uint8_t fraction_bits;
	uint8_t planes;		/* K, of the magnitude */
	uint8_t steps;		/* shifts of up to 2^steps - 1 matter */
	uint8_t bias;		/* of exponent bytes over exponent fields */
};

static const struct layout layout_bf16 = { SQ_DTYPE_BF16, 2, 8, 7, 16, 4, 0 };
static const struct layout layout_fp16 = { SQ_DTYPE_FP16, 2, 5, 10, 20, 5, 127 - 15 };
static const struct layout layout_fp32 = { SQ_DTYPE_FP32, 4, 8, 23, 32, 5, 0 };

static const struct layout *layout_of(uint8_t dtype)
{
	switch (dtype) {
	case SQ_DTYPE_BF16:
		return &layout_bf16;
	case SQ_DTYPE_FP16:
		return &layout_fp16;
	default:
		return &layout_fp32;
	}
}

/* Planes of words, as they are or, with a layout, aligned. */
static unsigned int planes_of_words(unsigned int word_bytes, const struct layout *of)
{
	return of ? of->planes + 1u : 8 * word_bytes;
}

/* Of the n planes of a code, and a guard plane for what is rounded. */
INLINE unsigned int planes_of_codes(unsigned int n, uint8_t rounding)
{
	return n + (rounding != SQ_ROUNDING_TRUNCATE);
}

/*
 * The runs of a segment lie 8 KiB apart, so lines of all of them fall into one
 * set of the first cache level, which has less room than there are planes. So
 * planes are made in a stage, and leave it a few runs at a time, checked on
 * their way.
 */
#define STAGE_ELEMENTS	4096u
#define STAGE_BYTES	(STAGE_ELEMENTS / 8)

/*
 * What leaves a full stage while the next one is filled, with a level that folds CRCs
 * (crc32c_fold.h): then memory has time for it, and other units of the CPU have
 * something to do. It leaves in rows of a line of each of four runs, as many rows a
 * block as it has planes by four, and a line of the plane that is left over.
 */
#define ROW_RUNS	4u
#define STAGE_LINES	(STAGE_BYTES / SQC_LINE_BYTES)

struct leaving {
	const uint8_t *stage;
	uint8_t *const *run;
	size_t offset;			/* in runs, of what the stage has */
	uint8_t *sums;			/* a vector a plane: what is folded into it so far */
	bool streaming;
};

/* Where what is made of words goes. */
struct made {
	uint8_t *stage;
	/* Placement aligned: of each group. */
	uint8_t *exponents;
	uint32_t *sticky;
	/* So many bytes on from what is made, words come closer: they will be read
	 * later, if they are memory that may be read. 0: none do. */
	uintptr_t ahead;
	struct leaving leaving;		/* without a stage: nothing */
};

/* Words that become planes, as they are or, with a layout, aligned. */
struct words_job {
	const uint8_t *words;
	unsigned int word_bytes;
	unsigned int planes;
	const struct layout *of;
	const struct sqc_runs *to;
	uint8_t *exponents;
	uint32_t *sticky;
	uintptr_t ahead;		/* as in struct made */
};

struct kernel {
	uint32_t block;		/* elements; planes are read and made in whole blocks */
	void (*words)(const struct sqc_planes *planes, unsigned int word_bytes,
		      uint32_t elements, uint8_t *words);
	void (*floats)(const struct sqc_planes *planes, uint8_t dtype, uint32_t elements,
		       uint8_t *words);
	void (*codes)(const struct sqc_planes *planes, unsigned int n, uint8_t rounding,
		      uint32_t elements, uint8_t *codes);
	void (*groups)(const struct sqc_planes *planes, unsigned int magnitudes,
		       uint32_t groups, struct sqc_group *to);
	void (*store)(const uint8_t *words, unsigned int word_bytes, uint32_t elements,
		      const struct made *to);
	void (*store_aligned)(const uint8_t *words, uint8_t dtype, uint32_t elements,
			      const struct made *to);
	/* The same of whole stages, checked on their way to runs of lines; NULL: see above. */
	void (*fold)(const struct kernel *version, const struct words_job *job, uint32_t elements);
	bool (*finite)(const uint8_t *words, size_t bytes, uint32_t exponents);
	void (*stream)(uint8_t *to, const uint8_t *from, size_t lines);
};

/* After what is at a multiple of STAGE_BYTES like runs, planes of a stage, and of one after it, lie
 * between the places of their runs modulo 4 KiB: a CPU may take a load for one of what
 * was just stored at such a distance. */
#define STAGE_APART	(3 * SQC_LINE_BYTES)

struct stage {
	uint8_t apart[STAGE_APART];
	uint8_t plane[SQC_PLANES_MAX][STAGE_BYTES];
};

/* What is made of words from `at` on. */
static struct made made_at(const struct words_job *job, struct stage *stage, uint32_t at)
{
	return (struct made){
		.stage = stage->plane[0],
		.exponents = job->of ? job->exponents + at / SQC_GROUP_ELEMENTS : NULL,
		.sticky = job->of ? job->sticky + at / SQC_GROUP_ELEMENTS : NULL,
		.ahead = job->ahead,
	};
}

/* Of whole blocks. */
static void blocks_made(const struct kernel *version, const struct words_job *job, const uint8_t *words,
			uint32_t elements, const struct made *made)
{
	if (job->of)
		version->store_aligned(words, job->of->dtype, elements, made);
	else
		version->store(words, job->word_bytes, elements, made);
}

/* ---------------------------------------------------- groups one at a time */

/*
 * What the plane logic of the template leaves out: groups of subnormals. A
 * block is `lanes` groups; its planes are vectors of a word a group.
 */

/* Exponent bytes from which 2^(g - 31), the weight of the last plane, is a
 * normal number: then no step below depends on how the CPU treats subnormals. */
#define EXPONENT_NORMAL (31u - 126u + 127u)

/* The fp32 bits of the elements of a group. At most 24 bits of a magnitude are
 * significant (an element with more is an escape), so each step is exact. */
static void group_bits_normal(const struct sqc_group *group, uint32_t bits[SQC_GROUP_ELEMENTS])
{
	const float scale = sqc_exp2((int)group->exponent - 127 - 31);

	for (uint32_t i = 0; i < SQC_GROUP_ELEMENTS; i++) {
		const float high = (float)(int32_t)(group->magnitude[i] >> 16) * 65536.0f;
		const float low = (float)(int32_t)(group->magnitude[i] & 0xffff);

		bits[i] = sqc_float_bits((high + low) * scale) | (group->sign >> i & 1u) << 31;
	}
}

static uint32_t element_bits(uint32_t magnitude, int exponent)
{
	const int lead = magnitude ? __builtin_clz(magnitude) : 0;
	const int shift = exponent + 149 - 31;

	if (!magnitude)
		return 0;
	if (exponent - lead >= -126)
		return ((uint32_t)(exponent - lead + 127) << 23) |
		       ((magnitude << lead >> 8) & 0x7fffff);
	return shift >= 0 ? magnitude << shift : magnitude >> -shift;
}

static void group_bits(const struct sqc_group *group, uint32_t bits[SQC_GROUP_ELEMENTS])
{
	if (group->exponent >= EXPONENT_NORMAL) {
		group_bits_normal(group, bits);
		return;
	}
	for (uint32_t i = 0; i < SQC_GROUP_ELEMENTS; i++)
		bits[i] = element_bits(group->magnitude[i], (int)group->exponent - 127) |
			  (group->sign >> i & 1u) << 31;
}

static void bits_to_words(uint8_t dtype, const uint32_t bits[SQC_GROUP_ELEMENTS], uint8_t *words)
{
	uint16_t halves[SQC_GROUP_ELEMENTS];

	if (dtype == SQ_DTYPE_FP32) {
		memcpy(words, bits, SQC_GROUP_ELEMENTS * 4);
		return;
	}
	for (uint32_t i = 0; i < SQC_GROUP_ELEMENTS; i++)
		halves[i] = dtype == SQ_DTYPE_BF16 ?
				    (uint16_t)(bits[i] >> 16) :
				    sqc_fp16_from_float(sqc_float_from_bits(bits[i]));
	memcpy(words, halves, sizeof(halves));
}

static uint32_t plane_word(const void *planes, unsigned int lanes, unsigned int plane,
			   unsigned int lane)
{
	uint32_t word;

	memcpy(&word, (const uint8_t *)planes + 4 * (plane * lanes + lane), 4);
	return word;
}

static void group_unalign(const struct layout *of, unsigned int lanes, unsigned int lane,
			  const void *planes, uint8_t exponent, uint8_t *words)
{
	struct sqc_group group = { .sign = plane_word(planes, lanes, 0, lane),
				   .exponent = exponent };
	uint32_t plane[32], bits[SQC_GROUP_ELEMENTS];

	for (unsigned int p = 0; p < of->planes; p++)
		plane[p] = plane_word(planes, lanes, p + 1, lane);
	sqc_group_from_planes(plane, of->planes, group.magnitude);
	group_bits(&group, bits);
	bits_to_words(of->dtype, bits, words + (size_t)lane * SQC_GROUP_ELEMENTS * of->word_bytes);
}

static void block_align(const struct layout *of, unsigned int lanes, const uint8_t *words,
			void *planes, void *exponents, void *sticky)
{
	for (unsigned int lane = 0; lane < lanes; lane++) {
		float values[SQC_GROUP_ELEMENTS];
		uint32_t plane[33], exponent;
		struct sqc_group group;

		sqc_words_to_values(of->dtype, words + (size_t)lane * SQC_GROUP_ELEMENTS * of->word_bytes,
				    SQC_GROUP_ELEMENTS, values);
		sqc_group_align(values, SQC_GROUP_ELEMENTS, of->planes, &group);
		plane[0] = group.sign;
		sqc_group_to_planes(group.magnitude, of->planes, plane + 1);
		for (unsigned int p = 0; p <= of->planes; p++)
			memcpy((uint8_t *)planes + 4 * (p * lanes + lane), &plane[p], 4);
		exponent = group.exponent;
		memcpy((uint8_t *)exponents + 4 * (size_t)lane, &exponent, 4);
		memcpy((uint8_t *)sticky + 4 * (size_t)lane, &group.sticky, 4);
	}
}

/* The first so many bits, and zeros up to the end of the last byte. */
static void copy_bits(uint8_t *to, const uint8_t *from, uint32_t bits)
{
	memcpy(to, from, (bits + 7) / 8);
	if (bits % 8)
		to[bits / 8] &= (uint8_t)((1u << bits % 8) - 1);
}

/* ---------------------------------------------------------------- portable */

#define LANES		4u
#define TARGET
#define NAME(x)		x##_portable

typedef uint32_t vector_portable __attribute__((vector_size(16)));

static inline bool is_zero_portable(vector_portable plane)
{
	return !(plane[0] | plane[1] | plane[2] | plane[3]);
}

/* An 8 x 8 bit matrix, rows being bytes, transposed. */
static inline uint64_t transpose_bits(uint64_t rows)
{
	uint64_t swap = (rows ^ rows >> 7) & UINT64_C(0x00aa00aa00aa00aa);

	rows ^= swap ^ swap << 7;
	swap = (rows ^ rows >> 14) & UINT64_C(0x0000cccc0000cccc);
	rows ^= swap ^ swap << 14;
	swap = (rows ^ rows >> 28) & UINT64_C(0x00000000f0f0f0f0);
	return rows ^ swap ^ swap << 28;
}

static inline void bytes_of_portable(const vector_portable *plane, vector_portable *byte,
				     bool to_words)
{
	uint8_t planes[8][16], bytes[16][8];

	(void)to_words;
	memcpy(planes, plane, sizeof(planes));
	for (unsigned int j = 0; j < 16; j++) {
		uint64_t rows = 0;

		for (unsigned int p = 0; p < 8; p++)
			rows = rows << 8 | planes[p][j];
		sqc_put_le64(bytes[j], transpose_bits(rows));
	}
	memcpy(byte, bytes, sizeof(bytes));
}

static inline void planes_of_portable(const vector_portable *byte, vector_portable *plane)
{
	uint8_t planes[8][16], bytes[16][8];

	memcpy(bytes, byte, sizeof(bytes));
	for (unsigned int j = 0; j < 16; j++) {
		uint64_t rows = transpose_bits(sqc_le64(bytes[j]));

		for (unsigned int p = 8; p-- > 0; rows >>= 8)
			planes[p][j] = (uint8_t)rows;
	}
	memcpy(plane, planes, sizeof(planes));
}

/* Byte `place` of each word of so many bytes, least significant first. */
static inline void split(const uint8_t *words, unsigned int word_bytes, unsigned int place,
			 vector_portable *byte)
{
	uint8_t bytes[128];

	for (unsigned int i = 0; i < sizeof(bytes); i++)
		bytes[i] = words[i * word_bytes + place];
	memcpy(byte, bytes, sizeof(bytes));
}

static inline void join(const vector_portable *byte, unsigned int word_bytes,
			unsigned int place, uint8_t *words)
{
	uint8_t bytes[128];

	memcpy(bytes, byte, sizeof(bytes));
	for (unsigned int i = 0; i < sizeof(bytes); i++)
		words[i * word_bytes + place] = bytes[i];
}

static inline void load_bytes_portable(const uint8_t *bytes, vector_portable *byte)
{
	memcpy(byte, bytes, 128);
}

static inline void load_words_portable(const uint8_t *words, vector_portable *high,
				       vector_portable *low)
{
	split(words, 2, 1, high);
	split(words, 2, 0, low);
}

static inline void load_doubles_portable(const uint8_t *words, vector_portable *byte3,
					 vector_portable *byte2, vector_portable *byte1,
					 vector_portable *byte0)
{
	split(words, 4, 3, byte3);
	split(words, 4, 2, byte2);
	split(words, 4, 1, byte1);
	split(words, 4, 0, byte0);
}

static inline void store_words_portable(const vector_portable *high, const vector_portable *low,
					uint8_t *words)
{
	join(high, 2, 1, words);
	join(low, 2, 0, words);
}

static inline void store_doubles_portable(const vector_portable *byte3, const vector_portable *byte2,
					  const vector_portable *byte1, const vector_portable *byte0,
					  uint8_t *words)
{
	join(byte3, 4, 3, words);
	join(byte2, 4, 2, words);
	join(byte1, 4, 1, words);
	join(byte0, 4, 0, words);
}

static inline void store_codes_portable(const vector_portable *plane, unsigned int n,
					uint8_t *codes)
{
	vector_portable padded[8] = { { 0 } }, byte[8];
	uint8_t bytes[128];

	for (unsigned int p = 0; p < n; p++)
		padded[8 - n + p] = plane[p];
	bytes_of_portable(padded, byte, false);
	memcpy(bytes, byte, sizeof(bytes));
	sqc_pack_codes(codes, bytes, sizeof(bytes), n);
}

static inline void stream_vector_portable(uint8_t *to, vector_portable vector)
{
#ifdef SQC_KERNELS_X86
	_mm_stream_si128((__m128i *)(void *)to, (__m128i)vector);
#else
	memcpy(to, &vector, sizeof(vector));
#endif
}

#include "planes_template.h"

#ifdef SQC_KERNELS_X86
#include "planes_x86.h"
#endif

static const struct kernel *const kernels[SQC_LEVELS] = {
	[SQC_LEVEL_PORTABLE] = &kernel_portable,
#ifdef SQC_KERNELS_X86
	[SQC_LEVEL_AVX2] = &kernel_avx2,
	[SQC_LEVEL_AVX512] = &kernel_avx512,
#endif
};

/* ------------------------------------------------------------------ public */

static const struct kernel *kernel(void)
{
	return kernels[sqc_kernel(SQC_KERNEL_PLANES)];
}

/* Elements that are no whole block. A block is a power of two, by which the compiler
 * does not know to divide; pieces that are streamed are many. */
static uint32_t behind_blocks(const struct kernel *version, uint32_t elements)
{
	return elements & (version->block - 1);
}

/* Bytes that are streamed in a turn. */
#define TURN_BYTES	(8u * SQC_LINE_BYTES)

void sqc_stream(void *to, const void *from, size_t bytes, const struct sqc_turns *turns)
{
	const struct kernel *version = kernel();
	const size_t head = -(uintptr_t)to % SQC_LINE_BYTES;
	const size_t whole = bytes > head ? (bytes - head) / SQC_LINE_BYTES * SQC_LINE_BYTES : 0;
	const size_t end = head + whole, turn = turns ? TURN_BYTES : whole;
	const uint8_t *in = from;
	uint8_t *out = to;

	if (!whole) {
		memcpy(out, in, bytes);
		return;
	}
	memcpy(out, in, head);
	for (size_t at = head; at < end; at += turn) {
		const size_t some = end - at < turn ? end - at : turn;

		version->stream(out + at, in + at, some / SQC_LINE_BYTES);
		if (turns)
			turns->take(turns->context, some);
	}
	memcpy(out + end, in + end, bytes - end);
	if (turns && whole < bytes)
		turns->take(turns->context, bytes - whole);
}

/* What lies behind the last whole block of planes, and zeros: a block by itself. */
struct tail {
	struct sqc_planes planes;
	const uint8_t *run[SQC_PLANES_MAX];
	uint8_t plane[SQC_PLANES_MAX][BLOCK_BYTES_MAX];
	uint8_t exponents[BLOCK_BYTES_MAX / 4];
	uint32_t sticky[BLOCK_BYTES_MAX / 4];
};

static void tail_begin(struct tail *tail, const struct sqc_planes *planes, unsigned int count,
		       uint32_t at, uint32_t elements)
{
	const uint32_t groups = (elements + SQC_GROUP_ELEMENTS - 1) / SQC_GROUP_ELEMENTS;

	tail->planes = (struct sqc_planes){ .run = tail->run };
	for (unsigned int p = 0; p < count; p++) {
		memset(tail->plane[p], 0, BLOCK_BYTES_MAX);
		memcpy(tail->plane[p], planes->run[p] + (planes->first + at) / 8, 4 * groups);
		tail->run[p] = tail->plane[p];
	}
	if (planes->exponents) {
		memset(tail->exponents, 0, sizeof(tail->exponents));
		memcpy(tail->exponents, planes->exponents + at / SQC_GROUP_ELEMENTS, groups);
		tail->planes.exponents = tail->exponents;
	}
	if (planes->sticky) {
		memset(tail->sticky, 0, sizeof(tail->sticky));
		memcpy(tail->sticky, planes->sticky + at / SQC_GROUP_ELEMENTS, 4 * groups);
		tail->planes.sticky = tail->sticky;
	}
}

/* Of whole blocks. */
static void block_words(const struct kernel *version, const struct sqc_planes *planes,
			unsigned int word_bytes, const struct layout *of, uint32_t elements,
			uint8_t *words)
{
	if (of)
		version->floats(planes, of->dtype, elements, words);
	else
		version->words(planes, word_bytes, elements, words);
}

/* Planes to words, as they are or, with a layout, from aligned ones. */
static void words_come(const struct sqc_planes *planes, unsigned int word_bytes,
		       const struct layout *of, uint32_t elements, uint8_t *words)
{
	const struct kernel *version = kernel();
	const uint32_t rest = behind_blocks(version, elements), whole = elements - rest;
	uint8_t last[BLOCK_BYTES_MAX * 32];
	struct tail tail;

	block_words(version, planes, word_bytes, of, whole, words);
	if (!rest)
		return;
	tail_begin(&tail, planes, planes_of_words(word_bytes, of), whole, rest);
	block_words(version, &tail.planes, word_bytes, of, version->block, last);
	memcpy(words + (size_t)whole * word_bytes, last, (size_t)rest * word_bytes);
}

void sqc_planes_to_words(const struct sqc_planes *planes, unsigned int word_bytes,
			 uint32_t elements, void *words)
{
	words_come(planes, word_bytes, NULL, elements, words);
}

void sqc_planes_to_floats(const struct sqc_planes *planes, uint8_t dtype, uint32_t elements,
			  void *words)
{
	const struct layout *of = layout_of(dtype);

	words_come(planes, of->word_bytes, of, elements, words);
}

static void codes_make(const struct sqc_planes *planes, unsigned int n, uint8_t rounding,
		       uint32_t elements, uint8_t *codes)
{
	const struct kernel *version = kernel();
	const uint32_t rest = behind_blocks(version, elements), whole = elements - rest;
	uint8_t last[BLOCK_BYTES_MAX * 8];
	struct tail tail;

	version->codes(planes, n, rounding, whole, codes);
	if (!rest)
		return;
	tail_begin(&tail, planes, planes_of_codes(n, rounding), whole, rest);
	version->codes(&tail.planes, n, rounding, version->block, last);
	copy_bits(codes + (size_t)whole / 8 * n, last, rest * n);
}

/* Elements whose codes are made in a buffer to be streamed from there. */
#define STREAM_ELEMENTS	2048u

static void codes_stream(const struct sqc_planes *planes, unsigned int n, uint8_t rounding,
			 uint32_t elements, uint8_t *codes)
{
	struct sqc_planes from = *planes;
	uint8_t some[STREAM_ELEMENTS];

	for (uint32_t rest = elements; rest;) {
		const uint32_t count = sqc_least(rest, STREAM_ELEMENTS);
		const uint32_t bytes = (count * n + 7) / 8;

		sqc_stream_expect((uintptr_t)codes + bytes, bytes);
		codes_make(&from, n, rounding, count, some);
		sqc_stream(codes, some, bytes, planes->turns);
		from.first += count;
		if (from.sticky)
			from.sticky += count / SQC_GROUP_ELEMENTS;
		codes += bytes;
		rest -= count;
	}
}

void sqc_planes_to_codes(const struct sqc_planes *planes, unsigned int n, uint8_t rounding,
			 uint32_t elements, uint8_t *codes)
{
	if (planes->turns)
		codes_stream(planes, n, rounding, elements, codes);
	else
		codes_make(planes, n, rounding, elements, codes);
}

void sqc_planes_to_groups(const struct sqc_planes *planes, unsigned int magnitudes,
			  uint32_t groups, struct sqc_group *to)
{
	const struct kernel *version = kernel();
	const uint32_t rest = groups % (version->block / SQC_GROUP_ELEMENTS), whole = groups - rest;
	struct tail tail;

	version->groups(planes, magnitudes, whole, to);
	if (!rest)
		return;
	tail_begin(&tail, planes, magnitudes + 1, whole * SQC_GROUP_ELEMENTS, rest * SQC_GROUP_ELEMENTS);
	version->groups(&tail.planes, magnitudes, rest, to + whole);
}

/* A stage leaves at once. */
static void stage_leaves(const struct stage *stage, const struct words_job *job, uint32_t at,
			 uint32_t elements)
{
	const struct sqc_runs *runs = job->to;

	for (unsigned int p = 0; p < job->planes; p++) {
		uint8_t *to = runs->run[p] + (runs->first + at) / 8;

		runs->crc[p] = sqc_crc32c(runs->crc[p], stage->plane[p], elements / 8);
		if (runs->streaming)
			sqc_stream(to, stage->plane[p], elements / 8, NULL);
		else
			memcpy(to, stage->plane[p], elements / 8);
	}
}

/* What lies behind the last whole block, and zeros: a block by itself. */
static void rest_made(const struct kernel *version, const struct words_job *job, const uint8_t *words,
		      uint32_t elements, const struct made *made)
{
	const uint32_t groups = elements / SQC_GROUP_ELEMENTS;
	uint8_t block[BLOCK_BYTES_MAX * 8 * 4], exponents[BLOCK_BYTES_MAX / 4];
	uint32_t sticky[BLOCK_BYTES_MAX / 4];
	const struct made last = { .stage = made->stage, .exponents = exponents, .sticky = sticky };

	memset(block, 0, sizeof(block));
	memcpy(block, words, (size_t)elements * job->word_bytes);
	blocks_made(version, job, block, version->block, &last);
	if (job->of) {
		memcpy(made->exponents, exponents, groups);
		memcpy(made->sticky, sticky, 4 * (size_t)groups);
	}
}

static void stage_made(const struct kernel *version, const struct words_job *job, struct stage *stage,
		       uint32_t at, uint32_t elements)
{
	const uint32_t rest = behind_blocks(version, elements), whole = elements - rest;
	const uint8_t *words = job->words + (size_t)at * job->word_bytes;
	struct made made = made_at(job, stage, at);

	blocks_made(version, job, words, whole, &made);
	if (!rest)
		return;
	made = made_at(job, stage, at + whole);
	made.stage += whole / 8;
	rest_made(version, job, words + (size_t)whole * job->word_bytes, rest, &made);
}

/* All runs go on at a line. */
static bool at_lines(const struct sqc_runs *runs, unsigned int planes)
{
	uintptr_t places = runs->first / 8;

	for (unsigned int p = 0; p < planes; p++)
		places |= (uintptr_t)runs->run[p];
	return places % SQC_LINE_BYTES == 0;
}

/* CRCs are folded while planes are made if both families run a version that does. */
static uint32_t elements_folded(const struct kernel *version, const struct words_job *job, uint32_t elements)
{
	if (!version->fold || sqc_kernel(SQC_KERNEL_CRC) != SQC_LEVEL_AVX512 || !at_lines(job->to, job->planes))
		return 0;
	return elements - elements % STAGE_ELEMENTS;
}

static void words_go(const struct words_job *job, uint32_t elements)
{
	const struct kernel *version = kernel();
	const uint32_t folded = elements_folded(version, job, elements);
	struct stage stage;

	if (folded)
		version->fold(version, job, folded);
	for (uint32_t at = folded; at < elements; at += STAGE_ELEMENTS) {
		const uint32_t some = sqc_least(elements - at, STAGE_ELEMENTS);

		stage_made(version, job, &stage, at, some);
		stage_leaves(&stage, job, at, some);
	}
}

/* Where words go around the caches, those of the next segment probably come after them. */
static uintptr_t words_ahead(const struct sqc_runs *to, unsigned int word_bytes, uint32_t elements)
{
	return to->streaming ? (uintptr_t)elements * word_bytes : 0;
}

void sqc_words_to_planes(const void *words, unsigned int word_bytes, uint32_t elements,
			 const struct sqc_runs *to)
{
	const struct words_job job = {
		.words = words,
		.word_bytes = word_bytes,
		.planes = planes_of_words(word_bytes, NULL),
		.to = to,
		.ahead = words_ahead(to, word_bytes, elements),
	};

	words_go(&job, elements);
}

bool sqc_words_to_aligned(const void *words, uint8_t dtype, uint32_t elements,
			  const struct sqc_runs *to, uint8_t *exponents, uint32_t *sticky)
{
	const struct layout *of = layout_of(dtype);
	const unsigned int largest = (1u << of->exponent_bits) - 2 + of->bias;
	const struct words_job job = {
		.words = words,
		.word_bytes = of->word_bytes,
		.planes = planes_of_words(of->word_bytes, of),
		.of = of,
		.to = to,
		.exponents = exponents,
		.sticky = sticky,
		.ahead = words_ahead(to, of->word_bytes, elements),
	};
	uint8_t most = 0;

	words_go(&job, elements);
	for (uint32_t group = 0; group < elements / SQC_GROUP_ELEMENTS; group++)
		most = exponents[group] > most ? exponents[group] : most;
	return most <= largest;
}

bool sqc_words_finite(const void *words, uint8_t dtype, uint32_t elements)
{
	const struct layout *of = layout_of(dtype);

	/* Twice the same for words of 16 bits. */
	return kernel()->finite(words, (size_t)elements * of->word_bytes,
				of->fraction_bits == 23 ? 0x7f800000 :
				of->fraction_bits == 10 ? 0x7c007c00 : 0x7f807f80);
}
