/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "checksum.h"
#include "stream.h"
#include "unpack.h"

size_t sqc_unpack_bytes(void)
{
	return sizeof(struct sqc_unpack) + sqc_packed_decoder_bytes();
}

static void *decoder_of(struct sqc_unpack *unpack)
{
	return unpack + 1;
}

void sqc_unpack_begin(struct sqc_unpack *unpack)
{
	unpack->ready = false;
	sqc_unpack_forget(unpack);
}

void sqc_unpack_forget(struct sqc_unpack *unpack)
{
	unpack->index = UINT64_MAX;
	unpack->decoded = 0;
}

static void segment_begin(struct sqc_unpack *unpack, const struct sqc_gather *gather)
{
	const struct sqc_geometry *geometry = gather->geometry;
	const unsigned int words = sqc_run_bytes(geometry, gather->elements, 0) / 8;

	unpack->index = gather->index;
	unpack->opened = 0;
	unpack->elements = gather->elements;
	unpack->escapes = gather->escapes;
	unpack->dtype = geometry->dtype;
	memcpy(unpack->crc, gather->segment->crc, geometry->crcs * sizeof(unpack->crc[0]));
	memcpy(unpack->bytes, sqc_segment_packed(geometry, gather->segment),
	       geometry->crcs * sizeof(unpack->bytes[0]));
	sqc_packed_begin(&unpack->state, words, sqc_packed_significand(geometry->dtype));
	memset(unpack->planes[0], 0, words * sizeof(unpack->planes[0][0]));
}

/* True when it is this segment that was decoded, or one of the same runs. */
static bool segment_known(const struct sqc_unpack *unpack, const struct sqc_gather *gather)
{
	const struct sqc_geometry *geometry = gather->geometry;

	return unpack->index == gather->index && unpack->elements == gather->elements &&
	       unpack->escapes == gather->escapes && unpack->dtype == geometry->dtype &&
	       memcmp(unpack->crc, gather->segment->crc,
		      geometry->crcs * sizeof(unpack->crc[0])) == 0 &&
	       memcmp(unpack->bytes, sqc_segment_packed(geometry, gather->segment),
		      geometry->crcs * sizeof(unpack->bytes[0])) == 0;
}

/* Has a run on its way while the one before it is decoded. */
static void run_prefetch(const struct sqc_gather *gather, uint32_t run)
{
	uint32_t bytes;
	const uint8_t *memory = sqc_gather_stored(gather, run, &bytes);

	sqc_expect((uintptr_t)memory, bytes);
}

/* Copies a run and checks the copy; false also when no run is that long. */
static bool run_copy(struct sqc_gather *gather, uint32_t run, uint32_t *bytes)
{
	const uint8_t *memory = sqc_gather_stored(gather, run, bytes);
	const uint32_t index = sqc_gather_run_index(gather, run);
	struct sqc_unpack *unpack = gather->unpack;

	if (*bytes > SQC_PACKED_ESCAPES_BYTES)
		return false;
	unpack->decoded++;
	memcpy(unpack->run, memory, *bytes);
	memset(unpack->run + *bytes, 0, SQC_PACKED_SLACK);
	if (!sqc_crc_matches(sqc_crc32c(0, unpack->run, *bytes), gather->segment->crc[index]))
		return false;
	gather->checked |= UINT64_C(1) << index;
	return true;
}

static void planes_of(struct sqc_unpack *unpack, uint32_t count,
		      uint64_t *planes[SQC_PACKED_PLANES])
{
	for (uint32_t plane = 0; plane < count; plane++)
		planes[plane] = unpack->planes[plane + 1];
}

static bool planes_open(struct sqc_gather *gather, uint32_t end)
{
	struct sqc_unpack *unpack = gather->unpack;
	uint64_t *planes[SQC_PACKED_PLANES];
	uint32_t bytes;

	planes_of(unpack, end, planes);
	while (unpack->state.plane < end) {
		const uint32_t run = unpack->state.plane + 1;

		if (!run_copy(gather, run, &bytes))
			return false;
		if (run < end)
			run_prefetch(gather, run + 1);
		if (sqc_packed_decode(&unpack->state, unpack->run, bytes, planes,
				      unpack->planes[0], decoder_of(unpack)))
			return false;
	}
	return true;
}

static bool signs_open(struct sqc_gather *gather)
{
	struct sqc_unpack *unpack = gather->unpack;
	uint32_t bytes;

	return planes_open(gather, gather->geometry->planes - 1u) &&
	       run_copy(gather, 0, &bytes) &&
	       sqc_packed_decode_signs(&unpack->state, unpack->run, bytes, unpack->planes[0]) == 0;
}

static bool exponents_open(struct sqc_gather *gather)
{
	struct sqc_unpack *unpack = gather->unpack;
	uint32_t bytes;

	return run_copy(gather, SQC_RUN_EXPONENTS, &bytes) &&
	       sqc_packed_decode_exponents(unpack->run, bytes, unpack->exponents,
					   gather->elements / SQC_GROUP_ELEMENTS,
					   decoder_of(unpack)) == 0;
}

static bool escapes_open(struct sqc_gather *gather)
{
	struct sqc_unpack *unpack = gather->unpack;
	uint64_t *planes[SQC_PACKED_PLANES];
	const struct sqc_packed_segment segment = {
		.state = &unpack->state,
		.planes = (const uint64_t *const *)planes,
		.sign = unpack->planes[0],
		.exponents = unpack->exponents,
		.dtype = gather->geometry->dtype,
	};
	const struct sqc_escape_list escapes = {
		.indexes = unpack->escape_indexes,
		.words = unpack->escape_words,
		.count = gather->escapes,
	};
	uint32_t bytes;

	planes_of(unpack, gather->geometry->planes - 1u, planes);
	return sqc_unpack_open(gather, 0) && sqc_unpack_open(gather, SQC_RUN_EXPONENTS) &&
	       run_copy(gather, SQC_RUN_ESCAPES, &bytes) &&
	       sqc_packed_decode_escapes(&segment, unpack->run, bytes, &escapes, decoder_of(unpack),
					 unpack->list) == 0;
}

static bool run_open(struct sqc_gather *gather, uint32_t run)
{
	switch (run) {
	case 0:
		return signs_open(gather);
	case SQC_RUN_EXPONENTS:
		return exponents_open(gather);
	case SQC_RUN_ESCAPES:
		return escapes_open(gather);
	default:
		return planes_open(gather, run);
	}
}

static bool planes_check(struct sqc_gather *gather, uint32_t end)
{
	for (uint32_t run = 1; run <= end; run++) {
		if (!sqc_gather_check(gather, run))
			return false;
	}
	return true;
}

/* Checks the stored form of a run that is decoded, and of what it builds on,
 * as far as this gather has not yet. */
static bool run_check(struct sqc_gather *gather, uint32_t run)
{
	const uint32_t all = gather->geometry->planes - 1u;

	switch (run) {
	case 0:
		return planes_check(gather, all) && sqc_gather_check(gather, 0);
	case SQC_RUN_EXPONENTS:
		return sqc_gather_check(gather, run);
	case SQC_RUN_ESCAPES:
		return planes_check(gather, all) && sqc_gather_check(gather, 0) &&
		       sqc_gather_check(gather, SQC_RUN_EXPONENTS) && sqc_gather_check(gather, run);
	default:
		return planes_check(gather, run);
	}
}

bool sqc_unpack_open(struct sqc_gather *gather, uint32_t run)
{
	const uint64_t bit = UINT64_C(1) << sqc_gather_run_index(gather, run);
	struct sqc_unpack *unpack = gather->unpack;

	if (!unpack->ready && !sqc_packed_decoder_begin(decoder_of(unpack)))
		return false;
	unpack->ready = true;
	if (!segment_known(unpack, gather))
		segment_begin(unpack, gather);
	if (unpack->opened & bit)
		return run_check(gather, run);
	if (!run_open(gather, run)) {
		unpack->index = UINT64_MAX;
		return false;
	}
	unpack->opened |= bit;
	return true;
}
