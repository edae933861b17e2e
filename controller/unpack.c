/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "checksum.h"
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
	unpack->index = UINT64_MAX;
	unpack->ready = false;
	unpack->decoded = 0;
}

static void segment_begin(struct sqc_unpack *unpack, const struct sqc_gather *gather)
{
	const unsigned int words = sqc_run_bytes(gather->geometry, gather->elements, 0) / 8;

	unpack->index = gather->index;
	unpack->opened = 0;
	sqc_packed_begin(&unpack->state, words, sqc_packed_significand(gather->geometry->dtype));
	memset(unpack->planes[0], 0, words * sizeof(unpack->planes[0][0]));
}

/* Has a run on its way while the one before it is decoded. */
static void run_prefetch(const struct sqc_gather *gather, uint32_t run)
{
	uint32_t bytes;
	const uint8_t *memory = sqc_gather_stored(gather, run, &bytes);

	for (uint32_t at = 0; at < bytes; at += SQC_LINE_BYTES)
		__builtin_prefetch(memory + at, 0, 2);
}

/* Copies a run and checks the copy; false also when no run is that long. */
static bool run_copy(struct sqc_gather *gather, uint32_t run, uint32_t *bytes)
{
	const uint8_t *memory = sqc_gather_stored(gather, run, bytes);
	struct sqc_unpack *unpack = gather->unpack;

	if (*bytes > SQC_PACKED_ESCAPES_BYTES)
		return false;
	unpack->decoded++;
	memcpy(unpack->run, memory, *bytes);
	memset(unpack->run + *bytes, 0, SQC_PACKED_SLACK);
	return sqc_crc_matches(sqc_crc32c(0, unpack->run, *bytes),
			       gather->segment->crc[sqc_gather_run_index(gather, run)]);
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

bool sqc_unpack_open(struct sqc_gather *gather, uint32_t run)
{
	const uint64_t bit = UINT64_C(1) << sqc_gather_run_index(gather, run);
	struct sqc_unpack *unpack = gather->unpack;

	if (!unpack->ready && !sqc_packed_decoder_begin(decoder_of(unpack)))
		return false;
	unpack->ready = true;
	if (unpack->index != gather->index)
		segment_begin(unpack, gather);
	if (unpack->opened & bit)
		return true;
	if (!run_open(gather, run)) {
		unpack->index = UINT64_MAX;
		return false;
	}
	unpack->opened |= bit;
	return true;
}
