/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "checksum.h"
#include "gather.h"
#include "little_endian.h"
#include "stream.h"
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
	gather->streaming = false;
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

bool sqc_gather_checked(struct sqc_gather *gather, uint32_t run, uint32_t crc)
{
	const uint32_t index = sqc_gather_run_index(gather, run);

	if (!sqc_crc_matches(crc, gather->segment->crc[index]))
		return false;
	gather->checked |= UINT64_C(1) << index;
	return true;
}

bool sqc_gather_check(struct sqc_gather *gather, uint32_t run)
{
	const uint8_t *memory;
	uint32_t bytes;

	if (gather->checked & UINT64_C(1) << sqc_gather_run_index(gather, run))
		return true;
	memory = sqc_gather_stored(gather, run, &bytes);
	return sqc_gather_checked(gather, run, sqc_crc32c(0, memory, bytes));
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

/* The planes of one group into its codes. */
static void group_fill(const struct sqc_gather_scratch *scratch, uint32_t group,
		       uint32_t planes, uint32_t magnitude[SQC_GROUP_ELEMENTS])
{
	uint32_t words[SQC_PLANES_MAX];

	for (uint32_t plane = 0; plane < planes; plane++)
		words[plane] = scratch->words[plane][group];
	sqc_group_from_planes(words, planes, magnitude);
}

struct sqc_planes sqc_gather_planes(const struct sqc_gather *gather, uint32_t first)
{
	return (struct sqc_planes){
		.run = gather->run,
		.first = first,
		.exponents = gather->segment && gather->geometry->exponents ?
				     gather->exponents + first / SQC_GROUP_ELEMENTS : NULL,
		.turns = gather->streaming ? &gather->turns : NULL,
	};
}

void sqc_gather_groups(const struct sqc_gather *gather, uint32_t first, uint32_t groups,
		       uint32_t planes, struct sqc_gather_scratch *scratch)
{
	const struct sqc_planes from = sqc_gather_planes(gather, first);

	if (gather->segment)
		sqc_planes_to_groups(&from, planes - 1, groups, scratch->groups);
	else
		memset(scratch->groups, 0, groups * sizeof(scratch->groups[0]));
}

void sqc_gather_tuned(const struct sqc_gather *gather, uint32_t first, uint32_t groups,
		      uint32_t planes, struct sqc_gather_scratch *scratch)
{
	const uint8_t *scales;

	if (!gather->segment) {
		memset(scratch->tuned, 0, groups * sizeof(scratch->tuned[0]));
		return;
	}
	scales = gather->exponents + first / SQC_GROUP_ELEMENTS * 2;
	planes_copy(gather, first, groups, planes, scratch);
	for (uint32_t i = 0; i < groups; i++) {
		group_fill(scratch, i, planes, scratch->tuned[i].code);
		scratch->tuned[i].scale = sqc_le16(scales + 2 * (size_t)i);
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

uint32_t sqc_gather_escape(const struct sqc_gather *gather, uint32_t escape)
{
	return sqc_le16(gather->escape_indexes + 2 * (size_t)escape);
}

/* Escapes [0, escape) lie before an element, all others do not. */
static bool escapes_part_at(const struct sqc_gather *gather, uint32_t escape, uint32_t first)
{
	return escape <= gather->escapes &&
	       (!escape || sqc_gather_escape(gather, escape - 1) < first) &&
	       (escape == gather->escapes || sqc_gather_escape(gather, escape) >= first);
}

/* The first escape that lies at or behind an element. `guess` may be any number. */
static uint32_t escape_from(const struct sqc_gather *gather, uint32_t first, uint32_t guess)
{
	uint32_t low = 0, high = gather->escapes;

	if (escapes_part_at(gather, guess, first))
		return guess;
	while (low < high) {
		const uint32_t middle = low + (high - low) / 2;

		if (sqc_gather_escape(gather, middle) < first)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The escapes among elements [first, first + count) over what planes gave. */
static void escapes_put(const struct sqc_gather *gather, uint32_t first, uint32_t count,
			uint8_t *words, struct sqc_gather_scratch *scratch)
{
	const uint32_t word_bytes = gather->geometry->word_bytes;
	uint32_t i = escape_from(gather, first, scratch->escape);

	for (; i < gather->escapes; i++) {
		const uint32_t at = sqc_gather_escape(gather, i) - first;

		if (at >= count)
			break;
		if (word_bytes == 2)
			memcpy(words + 2 * (size_t)at, gather->escape_words + 2 * (size_t)i, 2);
		else
			memcpy(words + 4 * (size_t)at, gather->escape_words + 4 * (size_t)i, 4);
	}
	scratch->escape = i;
}

static void words_gather(const struct sqc_gather *gather, uint32_t first, uint32_t count,
			 void *words, struct sqc_gather_scratch *scratch)
{
	const struct sqc_geometry *geometry = gather->geometry;
	const struct sqc_planes planes = sqc_gather_planes(gather, first);

	if (!gather->segment)
		memset(words, 0, (size_t)count * geometry->word_bytes);
	else if (!geometry->planes)
		memcpy(words, gather->run[0] + first, count);
	else if (gather->coder)
		tuned_words(gather, first, count, words, scratch);
	else if (geometry->exponents)
		sqc_planes_to_floats(&planes, geometry->dtype, count, words);
	else
		sqc_planes_to_words(&planes, geometry->word_bytes, count, words);
	if (gather->segment && geometry->exponents)
		escapes_put(gather, first, count, words, scratch);
}

static void words_stream(const struct sqc_gather *gather, uint32_t first, uint32_t count,
			 uint8_t *words, struct sqc_gather_scratch *scratch)
{
	for (uint32_t at = 0; at < count; at += SQC_PIECE_ELEMENTS) {
		const uint32_t some = sqc_least(count - at, SQC_PIECE_ELEMENTS);
		const uint32_t bytes = some * gather->geometry->word_bytes;

		sqc_stream_expect((uintptr_t)words + bytes, bytes);
		words_gather(gather, first + at, some, scratch->piece, scratch);
		sqc_stream(words, scratch->piece, bytes, &gather->turns);
		words += bytes;
	}
}

void sqc_gather_words(const struct sqc_gather *gather, uint32_t first, uint32_t count,
		      void *words, struct sqc_gather_scratch *scratch)
{
	if (gather->streaming)
		words_stream(gather, first, count, words, scratch);
	else
		words_gather(gather, first, count, words, scratch);
}
