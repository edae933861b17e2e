/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "float_bits.h"
#include "gather.h"
#include "little_endian.h"
#include "unpack.h"

/* In the extent the exponents come first, then the planes, the signs and the
 * escapes: what a read of some planes needs lies together. */
static void packed_begin(struct sqc_gather *gather, const struct sqc_store *store)
{
	const struct sqc_geometry *geometry = gather->geometry;
	const uint32_t *bytes = sqc_segment_packed(geometry, gather->segment);
	struct sqc_unpack *unpack = gather->unpack;
	uint32_t at = bytes[geometry->runs];

	gather->coded = store->memory + gather->segment->current.planes;
	gather->coded_begin[geometry->runs] = 0;
	for (uint32_t run = 1; run < geometry->runs; at += bytes[run++])
		gather->coded_begin[run] = at;
	gather->coded_begin[0] = at;
	gather->coded_begin[geometry->runs + 1] = at + bytes[0];
	gather->escapes = gather->segment->current.escapes;
	if (!unpack)
		return;
	for (uint32_t run = 0; run < geometry->runs; run++)
		gather->run[run] = (const uint8_t *)unpack->planes[run];
	gather->exponents = unpack->exponents;
	gather->escape_indexes = (const uint8_t *)unpack->escape_indexes;
	gather->escape_words = unpack->escape_words;
}

void sqc_gather_begin(struct sqc_gather *gather, const struct sqc_store *store,
		      const struct sqc_region *region, uint64_t index, struct sqc_unpack *unpack)
{
	const struct sqc_geometry *geometry = &region->geometry;
	const struct sqc_segment *segment = sqc_segment_at(region, index);

	gather->store = store;
	gather->geometry = geometry;
	gather->segment = segment && segment->current.planes ? segment : NULL;
	gather->index = index;
	gather->elements = sqc_segment_elements(geometry, index);
	gather->runs = sqc_segment_runs(geometry, gather->elements);
	gather->escapes = 0;
	gather->checked = 0;
	gather->coder = region->tuned ? &region->tuned->coder : NULL;
	gather->coded = NULL;
	gather->unpack = region->coding == SQ_CODING_PACKED ? unpack : NULL;
	if (!gather->segment)
		return;
	if (region->coding == SQ_CODING_PACKED) {
		packed_begin(gather, store);
		return;
	}
	for (uint32_t run = 0; run < gather->runs; run++)
		gather->run[run] = store->memory +
				   sqc_run_offset(geometry, index, gather->elements,
						  segment->current.planes, run);
	if (!geometry->exponents)
		return;
	gather->escapes = segment->current.escapes;
	gather->exponents = store->memory + segment->current.tail;
	gather->escape_indexes = gather->exponents + sqc_exponent_bytes(geometry, gather->elements);
	gather->escape_words = gather->escape_indexes + 2 * (size_t)gather->escapes;
}

const uint8_t *sqc_gather_run(const struct sqc_gather *gather, uint32_t run, uint32_t *bytes)
{
	switch (run) {
	case SQC_RUN_EXPONENTS:
		*bytes = sqc_exponent_bytes(gather->geometry, gather->elements);
		return gather->exponents;
	case SQC_RUN_ESCAPES:
		*bytes = sqc_escape_bytes(gather->geometry, gather->escapes);
		return gather->escape_indexes;
	default:
		*bytes = sqc_run_bytes(gather->geometry, gather->elements, run);
		return gather->run[run];
	}
}

const uint8_t *sqc_gather_stored(const struct sqc_gather *gather, uint32_t run, uint32_t *bytes)
{
	uint32_t index;

	if (!gather->coded)
		return sqc_gather_run(gather, run, bytes);
	index = sqc_gather_run_index(gather, run);
	*bytes = sqc_segment_packed(gather->geometry, gather->segment)[index];
	return gather->coded + gather->coded_begin[index];
}

uint32_t sqc_gather_run_index(const struct sqc_gather *gather, uint32_t run)
{
	if (run == SQC_RUN_EXPONENTS)
		return gather->geometry->runs;
	return run == SQC_RUN_ESCAPES ? gather->geometry->runs + 1u : run;
}

bool sqc_gather_check(struct sqc_gather *gather, uint32_t run)
{
	const uint32_t index = sqc_gather_run_index(gather, run);
	const uint64_t bit = UINT64_C(1) << index;
	const uint8_t *memory;
	uint32_t bytes;

	if (gather->checked & bit)
		return true;
	memory = sqc_gather_stored(gather, run, &bytes);
	if (sqc_crc32c(0, memory, bytes) != gather->segment->crc[index])
		return false;
	gather->checked |= bit;
	return true;
}

bool sqc_gather_open(struct sqc_gather *gather, uint32_t run)
{
	return gather->coded ? sqc_unpack_open(gather, run) : sqc_gather_check(gather, run);
}

bool sqc_gather_check_all(struct sqc_gather *gather)
{
	if (!gather->segment)
		return true;
	for (uint32_t run = 0; run < gather->runs; run++) {
		if (!sqc_gather_check(gather, run))
			return false;
	}
	return !gather->geometry->exponents ||
	       (sqc_gather_check(gather, SQC_RUN_EXPONENTS) &&
		sqc_gather_check(gather, SQC_RUN_ESCAPES));
}

/* One plane of a piece each row of scratch->words. Reading a plane's words
 * together keeps planes, 8 KiB apart, from evicting each other's lines. */
static void planes_copy(const struct sqc_gather *gather, uint32_t first, uint32_t groups,
			uint32_t planes, struct sqc_gather_scratch *scratch)
{
	for (uint32_t plane = 0; plane < planes; plane++)
		memcpy(scratch->words[plane], gather->run[plane] + first / 8, groups * 4);
}

/* Planes [from, planes) of one group into its magnitudes. */
static void group_fill(const struct sqc_gather_scratch *scratch, uint32_t group, uint32_t from,
		       uint32_t planes, uint32_t magnitude[SQC_GROUP_ELEMENTS])
{
	uint32_t words[SQC_PLANES_MAX];

	for (uint32_t plane = from; plane < planes; plane++)
		words[plane - from] = scratch->words[plane][group];
	if (planes > from)
		sqc_group_from_planes(words, planes - from, magnitude);
	else
		memset(magnitude, 0, SQC_GROUP_ELEMENTS * sizeof(magnitude[0]));
}

void sqc_gather_groups(const struct sqc_gather *gather, uint32_t first, uint32_t groups,
		       uint32_t planes, struct sqc_gather_scratch *scratch)
{
	if (!gather->segment) {
		memset(scratch->groups, 0, groups * sizeof(scratch->groups[0]));
		return;
	}
	planes_copy(gather, first, groups, planes, scratch);
	for (uint32_t i = 0; i < groups; i++) {
		struct sqc_group *group = &scratch->groups[i];

		group_fill(scratch, i, 1, planes, group->magnitude);
		group->sign = scratch->words[0][i];
		group->sticky = 0;
		group->exponent = gather->exponents[first / SQC_GROUP_ELEMENTS + i];
	}
}

void sqc_gather_tuned(const struct sqc_gather *gather, uint32_t first, uint32_t groups,
		      uint32_t planes, struct sqc_gather_scratch *scratch)
{
	const uint8_t *scales = gather->exponents + first / SQC_GROUP_ELEMENTS * 2;

	if (!gather->segment) {
		memset(scratch->tuned, 0, groups * sizeof(scratch->tuned[0]));
		return;
	}
	planes_copy(gather, first, groups, planes, scratch);
	for (uint32_t i = 0; i < groups; i++) {
		group_fill(scratch, i, 0, planes, scratch->tuned[i].code);
		scratch->tuned[i].scale = sqc_le16(scales + 2 * (size_t)i);
	}
}

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

static void aligned_words(const struct sqc_gather *gather, uint32_t first, uint32_t count,
			  uint8_t *words, struct sqc_gather_scratch *scratch)
{
	const uint32_t word_bytes = gather->geometry->word_bytes;

	sqc_gather_groups(gather, first, count / SQC_GROUP_ELEMENTS, gather->runs, scratch);
	for (uint32_t i = 0; i < count / SQC_GROUP_ELEMENTS; i++) {
		uint32_t bits[SQC_GROUP_ELEMENTS];

		group_bits(&scratch->groups[i], bits);
		bits_to_words(gather->geometry->dtype, bits,
			      words + i * SQC_GROUP_ELEMENTS * word_bytes);
	}
}

static void tuned_words(const struct sqc_gather *gather, uint32_t first, uint32_t count,
			uint8_t *words, struct sqc_gather_scratch *scratch)
{
	const uint32_t group_bytes = SQC_GROUP_ELEMENTS * gather->geometry->word_bytes;

	sqc_gather_tuned(gather, first, count / SQC_GROUP_ELEMENTS, gather->runs, scratch);
	for (uint32_t i = 0; i < count / SQC_GROUP_ELEMENTS; i++)
		sqc_tuned_decode(gather->coder, gather->geometry->dtype, &scratch->tuned[i],
				 words + i * group_bytes);
}

/* The escapes among elements [first, first + count) over what planes gave. */
static void escapes_put(const struct sqc_gather *gather, uint32_t first, uint32_t count,
			uint8_t *words)
{
	const uint32_t word_bytes = gather->geometry->word_bytes;

	for (uint32_t i = sqc_gather_escape_from(gather, first); i < gather->escapes; i++) {
		const uint32_t at = sqc_gather_escape(gather, i) - first;

		if (at >= count)
			break;
		memcpy(words + at * word_bytes, gather->escape_words + i * word_bytes, word_bytes);
	}
}

static void magnitudes_to_words(const uint32_t magnitude[SQC_GROUP_ELEMENTS],
				uint32_t word_bytes, uint8_t *words)
{
	const uint32_t shift = 32 - 8 * word_bytes;

	for (uint32_t i = 0; i < SQC_GROUP_ELEMENTS; i++) {
		const uint32_t word = magnitude[i] >> shift;

		memcpy(words + i * word_bytes, &word, word_bytes);
	}
}

static void plane_words(const struct sqc_gather *gather, uint32_t first, uint32_t count,
			uint8_t *words, struct sqc_gather_scratch *scratch)
{
	const uint32_t word_bytes = gather->geometry->word_bytes;

	planes_copy(gather, first, count / SQC_GROUP_ELEMENTS, gather->runs, scratch);
	for (uint32_t i = 0; i < count / SQC_GROUP_ELEMENTS; i++) {
		uint32_t magnitude[SQC_GROUP_ELEMENTS];

		group_fill(scratch, i, 0, gather->runs, magnitude);
		magnitudes_to_words(magnitude, word_bytes,
				    words + i * SQC_GROUP_ELEMENTS * word_bytes);
	}
}

void sqc_gather_words(const struct sqc_gather *gather, uint32_t first, uint32_t count,
		      void *words, struct sqc_gather_scratch *scratch)
{
	if (!gather->segment)
		memset(words, 0, (size_t)count * gather->geometry->word_bytes);
	else if (!gather->geometry->planes)
		memcpy(words, gather->run[0] + first, count);
	else if (gather->coder)
		tuned_words(gather, first, count, words, scratch);
	else if (gather->geometry->exponents)
		aligned_words(gather, first, count, words, scratch);
	else
		plane_words(gather, first, count, words, scratch);
	if (gather->segment && gather->geometry->exponents)
		escapes_put(gather, first, count, words);
}

uint32_t sqc_gather_escape(const struct sqc_gather *gather, uint32_t escape)
{
	return sqc_le16(gather->escape_indexes + 2 * (size_t)escape);
}

uint32_t sqc_gather_escape_from(const struct sqc_gather *gather, uint32_t first)
{
	uint32_t low = 0, high = gather->escapes;

	while (low < high) {
		const uint32_t middle = low + (high - low) / 2;

		if (sqc_gather_escape(gather, middle) < first)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}
