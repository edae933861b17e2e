/* SPDX-License-Identifier: MIT */
/*
 * Packing a region
 *
 * The packed segments are made beside the raw ones, in a region of the same
 * geometry that is in no slot (`packed`); each is read back and compared
 * before the next one. One commit puts them in the place of the raw ones.
 */
#include <string.h>

#include "gather.h"
#include "packed.h"
#include "store.h"
#include "unpack.h"

/* All runs of a segment at their longest, and what the encoder writes behind. */
#define CODED_BYTES	((SQC_PACKED_PLANES + 1u) * SQC_PACKED_RUN_BYTES + \
			 SQC_SEGMENT_GROUPS + 32u + SQC_PACKED_ESCAPES_BYTES + SQC_PACKED_SLACK)

struct sqc_packing {
	struct sqc_store *store;
	struct sqc_region *region;
	struct sqc_region *packed;
	uint64_t next;			/* segment */
	uint64_t end;			/* of the last one placed; 0: none yet */
	bool finished;
	uint64_t written_lines;
	uint32_t error_row;
	/* One segment on its way. */
	struct sqc_packed state;
	uint16_t escape_indexes[SQC_SEGMENT_ELEMENTS];
	uint8_t list[SQC_SEGMENT_ELEMENTS * 6u];
	uint8_t coded[CODED_BYTES];
	uint8_t *encoder;
	struct sqc_unpack *unpack;
};

/* ------------------------------------------------------------- a segment */

/* What a packed segment is made of. */
struct source {
	const uint64_t *sign;
	const uint64_t *planes[SQC_PACKED_PLANES];
	const uint8_t *exponents;
	uint32_t exponent_bytes;
	struct sqc_escape_list escapes;
};

static const uint64_t *plane_at(const struct sqc_gather *gather, uint32_t run)
{
	return (const uint64_t *)gather->run[run];
}

static void source_take(struct sqc_packing *packing, const struct sqc_gather *gather,
			struct source *source)
{
	source->sign = plane_at(gather, 0);
	for (uint32_t run = 1; run < gather->runs; run++)
		source->planes[run - 1] = plane_at(gather, run);
	source->exponents = gather->exponents;
	source->exponent_bytes = gather->elements / SQC_GROUP_ELEMENTS;
	source->escapes = (struct sqc_escape_list){
		.indexes = packing->escape_indexes,
		.words = (uint8_t *)gather->escape_words,
		.count = gather->escapes,
	};
	for (uint32_t i = 0; i < gather->escapes; i++)
		packing->escape_indexes[i] = (uint16_t)sqc_gather_escape(gather, i);
}

/* Notes a run that was made at `at`; returns where the next one begins. */
static uint8_t *run_add(const struct sqc_gather *gather, struct sqc_segment *segment, uint32_t run,
			uint8_t *at, size_t bytes)
{
	const uint32_t index = sqc_gather_run_index(gather, run);

	segment->crc[index] = sqc_crc32c(0, at, bytes);
	sqc_segment_packed(gather->geometry, segment)[index] = (uint32_t)bytes;
	segment->current.packed_bytes += (uint32_t)bytes;
	return at + bytes;
}

/* Codes all runs of a segment into packing->coded, in the order of gather.c. */
static void segment_encode(struct sqc_packing *packing, const struct sqc_gather *gather,
			   const struct source *source, struct sqc_segment *segment)
{
	const struct sqc_packed_segment whole = {
		.state = &packing->state,
		.planes = source->planes,
		.sign = source->sign,
		.exponents = source->exponents,
		.dtype = gather->geometry->dtype,
	};
	uint8_t *at = packing->coded;

	at = run_add(gather, segment, SQC_RUN_EXPONENTS, at,
		     sqc_packed_encode_exponents(source->exponents, source->exponent_bytes,
						 packing->encoder, at));
	sqc_packed_begin(&packing->state, sqc_run_bytes(gather->geometry, gather->elements, 0) / 8,
			 sqc_packed_significand(gather->geometry->dtype));
	for (uint32_t run = 1; run < gather->runs; run++)
		at = run_add(gather, segment, run, at,
			     sqc_packed_encode(&packing->state, source->planes, source->sign,
					       packing->encoder, at));
	at = run_add(gather, segment, 0, at,
		     sqc_packed_encode_signs(&packing->state, source->sign, at));
	run_add(gather, segment, SQC_RUN_ESCAPES, at,
		sqc_packed_encode_escapes(&whole, &source->escapes, packing->encoder,
					  packing->list, at));
	segment->current.escapes = source->escapes.count;
}

/* Room for a segment: right behind the one before it, in the rest of whose last
 * granule it begins, if the granules behind that are free. */
static sqc_status extent_find(struct sqc_packing *packing, uint64_t bytes, uint64_t *offset)
{
	const uint64_t granule = sqc_round_up(packing->end, SQC_GRANULE_BYTES);
	const uint64_t rest = granule - packing->end;
	uint64_t found = granule;

	if (rest && bytes > rest &&
	    sqc_extent_allocate(packing->store, bytes - rest, SQC_GRANULE_BYTES, &found))
		found = 0;
	if (rest && found == granule) {
		*offset = packing->end;
		return SQ_STATUS_SUCCESS;
	}
	if (rest && found)
		sqc_space_release(&packing->store->space, found, bytes - rest);
	return sqc_extent_allocate(packing->store, bytes, SQC_GRANULE_BYTES, offset);
}

/* Puts the coded runs into plane memory, padded to a line. */
static sqc_status segment_place(struct sqc_packing *packing, struct sqc_segment *segment)
{
	const uint32_t bytes = segment->current.packed_bytes;
	const uint64_t padded = sqc_round_up(bytes, SQC_LINE_BYTES);
	uint8_t *memory;
	sqc_status status = extent_find(packing, bytes, &segment->current.planes);

	if (status)
		return status;
	packing->end = segment->current.planes + padded;
	memory = packing->store->memory + segment->current.planes;
	memcpy(memory, packing->coded, bytes);
	memset(memory + bytes, 0, padded - bytes);
	packing->written_lines += padded / SQC_LINE_BYTES;
	sqc_segment_account(packing->packed, packing->next);
	return SQ_STATUS_SUCCESS;
}

/*
 * Reads a packed segment back: it must give what it was made of. That it does
 * not happens when the raw one was nothing that a store writes (bits below an
 * element's significand, say), or the entropy coder failed.
 */
static bool segment_equal(struct sqc_packing *packing, const struct sqc_gather *raw,
			  const struct source *source)
{
	const uint32_t run_bytes = sqc_run_bytes(raw->geometry, raw->elements, 0);
	const size_t word_bytes = raw->geometry->word_bytes;
	struct sqc_gather gather;

	sqc_gather_begin(&gather, packing->store, packing->packed, raw->index, packing->unpack);
	if (!sqc_gather_open(&gather, 0) || !sqc_gather_open(&gather, SQC_RUN_EXPONENTS) ||
	    !sqc_gather_open(&gather, SQC_RUN_ESCAPES))
		return false;
	for (uint32_t run = 0; run < raw->runs; run++) {
		if (memcmp(gather.run[run], raw->run[run], run_bytes) != 0)
			return false;
	}
	return memcmp(gather.exponents, raw->exponents, source->exponent_bytes) == 0 &&
	       memcmp(gather.escape_indexes, raw->escape_indexes, 2 * (size_t)raw->escapes) == 0 &&
	       memcmp(gather.escape_words, raw->escape_words, raw->escapes * word_bytes) == 0;
}

static sqc_status segment_pack(struct sqc_packing *packing)
{
	struct sqc_gather gather;
	struct sqc_segment *segment;
	struct source source;
	sqc_status status;

	sqc_gather_begin(&gather, packing->store, packing->region, packing->next, NULL);
	if (!gather.segment)
		return SQ_STATUS_SUCCESS;
	if (!sqc_gather_check_all(&gather))
		return SQ_STATUS_MEDIA_FAILURE;
	status = sqc_segments_make(packing->store, packing->packed, packing->next, packing->next);
	if (status)
		return status;
	segment = sqc_segment_at(packing->packed, packing->next);
	source_take(packing, &gather, &source);
	segment_encode(packing, &gather, &source, segment);
	status = segment_place(packing, segment);
	if (!status && !segment_equal(packing, &gather, &source))
		status = SQ_STATUS_MEDIA_FAILURE;
	return status;
}

/* -------------------------------------------------------------- a region */

/* Memory for all that packing takes; sqc_pack_end() frees it. */
static sqc_status packing_make(struct sqc_store *store, struct sqc_region *region,
			       struct sqc_packing **packing)
{
	struct sqc_packing *made = sqc_allocate(store, sizeof(*made));

	if (!made)
		return SQ_STATUS_RESOURCES_EXHAUSTED;
	made->store = store;
	made->region = region;
	made->packed = sqc_region_make(store, &region->geometry, region->name, region->name_bytes);
	made->encoder = sqc_allocate(store, sqc_packed_encoder_bytes());
	made->unpack = sqc_allocate(store, sqc_unpack_bytes());
	region->packing = true;
	store->packing_count++;
	if (!made->packed || !made->encoder || !made->unpack ||
	    !sqc_packed_encoder_begin(made->encoder)) {
		sqc_pack_end(made);
		return SQ_STATUS_RESOURCES_EXHAUSTED;
	}
	sqc_region_code(made->packed, SQ_CODING_PACKED);
	sqc_unpack_begin(made->unpack);
	made->finished = region->coding == SQ_CODING_PACKED;
	*packing = made;
	return SQ_STATUS_SUCCESS;
}

sqc_status sqc_pack_begin(struct sqc_store *store, uint32_t handle, struct sqc_packing **packing)
{
	struct sqc_region *region = sqc_region_of(store, handle);
	sqc_status status;

	if (!region)
		return SQ_STATUS_INVALID_HANDLE;
	status = sqc_writable(store);
	if (status)
		return status;
	if (region->geometry.placement != SQ_PLACEMENT_ALIGNED)
		return SQ_STATUS_UNSUPPORTED;
	if (region->packing)
		return SQ_STATUS_IN_USE;
	return packing_make(store, region, packing);
}

static void packed_count(const struct sqc_packing *packing)
{
	const uint64_t values[SQC_COUNTERS] = {
		[SQC_COUNT_WRITTEN_LINES] = packing->written_lines,
	};

	sqc_count(packing->store, packing->region, SQ_FORMAT_TAG, values);
}

static sqc_status finish(struct sqc_packing *packing)
{
	sqc_status status = sqc_map_reserve(packing->store, packing->packed,
					    packing->packed->written);

	if (!status)
		status = sqc_region_commit_as(packing->store, packing->region, packing->packed);
	if (status)
		return status;
	packing->finished = true;
	packed_count(packing);
	return SQ_STATUS_SUCCESS;
}

sqc_status sqc_pack_step(struct sqc_packing *packing, uint64_t *done, uint64_t *total)
{
	const uint64_t segments = packing->region->geometry.segments;
	sqc_status status = SQ_STATUS_SUCCESS;

	*total = segments + 1;
	if (!packing->finished && packing->next == segments)
		status = finish(packing);
	else if (!packing->finished)
		status = segment_pack(packing);
	if (status == SQ_STATUS_MEDIA_FAILURE)
		packing->error_row = (uint32_t)(packing->next * SQC_SEGMENT_ELEMENTS /
						packing->region->geometry.stride);
	if (!status && packing->next < segments)
		packing->next++;
	*done = packing->finished ? *total : packing->next;
	return status;
}

void sqc_pack_end(struct sqc_packing *packing)
{
	struct sqc_store *store = packing->store;

	packing->region->packing = false;
	store->packing_count--;
	if (packing->packed) {
		if (!packing->finished)
			sqc_region_abandon(store, packing->packed);
		sqc_region_free(store, packing->packed);
	}
	sqc_release(store, packing->encoder);
	sqc_release(store, packing->unpack);
	sqc_release(store, packing);
}

sqc_status sqc_region_pack(struct sqc_store *store, uint32_t handle, uint32_t *error_row)
{
	struct sqc_packing *packing;
	uint64_t done = 0, total = 1;
	sqc_status status = sqc_pack_begin(store, handle, &packing);

	if (status)
		return status;
	while (!status && done < total)
		status = sqc_pack_step(packing, &done, &total);
	if (error_row)
		*error_row = packing->error_row;
	sqc_pack_end(packing);
	return status;
}
