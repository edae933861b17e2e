/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "build.h"
#include "encoding.h"
#include "gather.h"
#include "group.h"
#include "little_endian.h"
#include "planes.h"

/* Where the runs of the segment under construction go. */
struct target {
	const struct sqc_geometry *geometry;
	const struct sqc_tuned_coder *coder;
	uint32_t elements;
	uint8_t *run[SQC_PLANES_MAX];
	uint32_t *crc;			/* of each run; then exponents, escapes */
	bool streaming;
};

static struct sqc_runs runs_of(const struct target *target)
{
	return (struct sqc_runs){ target->run, 0, target->crc, target->streaming };
}

static void escapes_put(struct sqc_build_scratch *scratch, uint32_t first, uint64_t escaped)
{
	for (; escaped; escaped &= escaped - 1)
		scratch->escapes[scratch->escape_count++] =
			(uint16_t)(first + (unsigned)__builtin_ctzll(escaped));
}

static void group_tuned(struct sqc_build_scratch *scratch, const struct target *target,
			uint32_t first, const uint8_t *words)
{
	const uint32_t column = first / SQC_GROUP_ELEMENTS % SQC_LINE_GROUPS;
	const uint32_t planes = target->geometry->planes;
	uint32_t plane_words[SQC_PLANES_MAX];
	struct sqc_tuned_group group;

	sqc_tuned_encode(target->coder, target->geometry->dtype, words, &group);
	sqc_group_to_planes(group.code, planes, plane_words);
	for (uint32_t plane = 0; plane < planes; plane++)
		scratch->line[plane][column] = plane_words[plane];
	sqc_put_le16(scratch->exponents + first / SQC_GROUP_ELEMENTS * 2, group.scale);
	escapes_put(scratch, first, group.escaped);
}

/* One line of every plane from up to 512 elements; short ones end in zeros. */
static void line_build(const struct target *target, struct sqc_build_scratch *scratch,
		       uint32_t first, uint32_t count, const uint8_t *words)
{
	const struct sqc_geometry *geometry = target->geometry;

	if (count < SQC_LINE_ELEMENTS)
		memset(scratch->line, 0, sizeof(scratch->line));
	for (uint32_t i = 0; i < count; i += SQC_GROUP_ELEMENTS) {
		group_tuned(scratch, target, first + i,
			    words + (size_t)(first + i) * geometry->word_bytes);
	}
	for (uint32_t plane = 0; plane < geometry->planes; plane++)
		memcpy(target->run[plane] + first / 8, scratch->line[plane], SQC_LINE_BYTES);
}

static void tuned_build(const struct target *target, struct sqc_build_scratch *scratch,
			const uint8_t *words)
{
	for (uint32_t first = 0; first < target->elements; first += SQC_LINE_ELEMENTS)
		line_build(target, scratch, first,
			   sqc_least(target->elements - first, SQC_LINE_ELEMENTS), words);
}

static uint64_t sticky_pair(const struct sqc_build_scratch *scratch, uint32_t group)
{
	return scratch->sticky[group] | (uint64_t)scratch->sticky[group + 1] << 32;
}

/*
 * Escapes from a bit of each element. Few pairs of groups have some, and nothing
 * tells which: so they are listed without a branch, which a CPU would often guess
 * wrong, before their elements are.
 */
static void escapes_find(struct sqc_build_scratch *scratch, uint32_t groups)
{
	uint32_t count = 0;

	if (groups % 2)
		scratch->sticky[groups] = 0;
	for (uint32_t group = 0; group < groups; group += 2) {
		scratch->escaped[count] = (uint16_t)group;
		count += sticky_pair(scratch, group) != 0;
	}
	for (uint32_t i = 0; i < count; i++)
		escapes_put(scratch, scratch->escaped[i] * SQC_GROUP_ELEMENTS,
			    sticky_pair(scratch, scratch->escaped[i]));
}

static sqc_status aligned_build(const struct target *target, struct sqc_build_scratch *scratch,
				const uint8_t *words)
{
	const struct sqc_runs to = runs_of(target);

	if (!sqc_words_to_aligned(words, target->geometry->dtype, target->elements, &to,
				  scratch->exponents, scratch->sticky))
		return SQ_STATUS_NON_FINITE;
	escapes_find(scratch, target->elements / SQC_GROUP_ELEMENTS);
	return SQ_STATUS_SUCCESS;
}

/* Zeros from the last group to the end of the line. */
static void padding_build(const struct target *target)
{
	const uint32_t used = target->elements / 8;
	const uint32_t bytes = sqc_run_bytes(target->geometry, target->elements, 0);

	for (uint32_t plane = 0; used < bytes && plane < target->geometry->planes; plane++) {
		memset(target->run[plane] + used, 0, bytes - used);
		target->crc[plane] = sqc_crc32c(target->crc[plane], target->run[plane] + used,
						bytes - used);
	}
}

/* The CRCs of runs that were written without. */
static void runs_check(const struct target *target)
{
	for (uint32_t run = 0; run < sqc_segment_runs(target->geometry, target->elements); run++)
		target->crc[run] = sqc_crc32c(0, target->run[run],
					      sqc_run_bytes(target->geometry, target->elements, run));
}

static sqc_status planes_build(const struct target *target, struct sqc_build_scratch *scratch,
			       const uint8_t *words)
{
	const struct sqc_runs to = runs_of(target);
	sqc_status status = SQ_STATUS_SUCCESS;

	if (target->coder) {
		tuned_build(target, scratch, words);
		runs_check(target);
		return SQ_STATUS_SUCCESS;
	}
	if (target->geometry->exponents)
		status = aligned_build(target, scratch, words);
	else
		sqc_words_to_planes(words, target->geometry->word_bytes, target->elements, &to);
	padding_build(target);
	return status;
}

/* Bytes as they are, padded to a line. */
static void bytes_build(const struct target *target, const uint8_t *words)
{
	const uint32_t elements = target->elements;

	memcpy(target->run[0], words, elements);
	memset(target->run[0] + elements, 0,
	       (SQC_LINE_BYTES - elements % SQC_LINE_BYTES) % SQC_LINE_BYTES);
	runs_check(target);
}

static inline void words_pick(const uint8_t *words, const uint16_t *indexes, uint32_t count,
			      uint32_t word_bytes, uint8_t *to)
{
	for (uint32_t i = 0; i < count; i++, to += word_bytes)
		memcpy(to, words + (size_t)indexes[i] * word_bytes, word_bytes);
}

static void tail_build(const struct target *target, const struct sqc_build_scratch *scratch,
		       const uint8_t *words, uint8_t *tail)
{
	const uint32_t word_bytes = target->geometry->word_bytes;
	const uint32_t exponent_bytes = sqc_exponent_bytes(target->geometry, target->elements);
	const uint32_t escape_bytes = sqc_escape_bytes(target->geometry, scratch->escape_count);
	const uint32_t used = target->elements / SQC_GROUP_ELEMENTS *
			      target->geometry->group_bytes;
	uint8_t *indexes = tail + exponent_bytes;
	uint8_t *at = indexes + 2 * (size_t)scratch->escape_count;

	memcpy(tail, scratch->exponents, used);
	memset(tail + used, 0, exponent_bytes - used);
	memcpy(indexes, scratch->escapes, 2 * (size_t)scratch->escape_count);
	/* A size that the compiler knows is no call for each word. */
	if (word_bytes == 2)
		words_pick(words, scratch->escapes, scratch->escape_count, 2, at);
	else
		words_pick(words, scratch->escapes, scratch->escape_count, 4, at);
	at += (size_t)scratch->escape_count * word_bytes;
	memset(at, 0, (size_t)(indexes + escape_bytes - at));
}

static void tail_check(const struct target *target, const uint8_t *tail, uint32_t escapes)
{
	const struct sqc_geometry *geometry = target->geometry;
	const uint32_t exponent_bytes = sqc_exponent_bytes(geometry, target->elements);

	target->crc[geometry->runs] = sqc_crc32c(0, tail, exponent_bytes);
	target->crc[geometry->runs + 1] =
		sqc_crc32c(0, tail + exponent_bytes, sqc_escape_bytes(geometry, escapes));
}

static void target_begin(struct target *target, const struct sqc_store *store,
			 const struct sqc_region *region, uint64_t index, uint64_t planes_offset,
			 uint32_t *crc)
{
	target->geometry = &region->geometry;
	target->crc = crc;
	memset(crc, 0, region->geometry.crcs * sizeof(crc[0]));
	target->elements = sqc_segment_elements(target->geometry, index);
	for (uint32_t run = 0; run < sqc_segment_runs(target->geometry, target->elements); run++)
		target->run[run] = store->memory +
				   sqc_run_offset(target->geometry, index, target->elements,
						  planes_offset, run);
}

sqc_status sqc_build(struct sqc_store *store, const struct sqc_region *region, uint64_t index,
		     const uint8_t *words, bool streaming, struct sqc_segment *next,
		     uint64_t *lines, const struct sqc_tuned_coder *coder,
		     struct sqc_build_scratch *scratch)
{
	const struct sqc_geometry *geometry = &region->geometry;
	const uint32_t elements = sqc_segment_elements(geometry, index);
	const uint64_t planes_bytes = sqc_planes_bytes(geometry, elements);
	struct sqc_extents extents = { 0 };
	struct target target;
	uint64_t tail_bytes;
	sqc_status status = sqc_extent_allocate(store, planes_bytes,
						sqc_planes_align(geometry, elements),
						&extents.planes);

	if (status)
		return status;
	target_begin(&target, store, region, index, extents.planes, next->crc);
	target.coder = coder;
	target.streaming = streaming;
	scratch->escape_count = 0;
	if (geometry->planes)
		status = planes_build(&target, scratch, words);
	else
		bytes_build(&target, words);
	if (status)
		goto planes_release;
	extents.escapes = scratch->escape_count;
	tail_bytes = sqc_tail_bytes(geometry, elements, extents.escapes);
	if (tail_bytes) {
		status = sqc_extent_allocate(store, tail_bytes, SQC_GRANULE_BYTES, &extents.tail);
		if (status)
			goto planes_release;
		tail_build(&target, scratch, words, store->memory + extents.tail);
		tail_check(&target, store->memory + extents.tail, extents.escapes);
	}
	next->current = extents;
	*lines += (planes_bytes + tail_bytes) / SQC_LINE_BYTES;
	return SQ_STATUS_SUCCESS;

planes_release:
	sqc_space_release(&store->space, extents.planes, planes_bytes);
	return status;
}
