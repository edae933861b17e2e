/* SPDX-License-Identifier: MIT */
#include "space.h"

#include "media.h"

#define WORD_BITS 64u

static uint64_t granules_of(uint64_t bytes)
{
	return bytes / SQC_GRANULE_BYTES + (bytes % SQC_GRANULE_BYTES != 0);
}

uint64_t sqc_space_round(uint64_t bytes)
{
	return granules_of(bytes) * SQC_GRANULE_BYTES;
}

uint64_t sqc_space_bitmap_bytes(uint64_t data_bytes)
{
	return (data_bytes / SQC_GRANULE_BYTES + WORD_BITS - 1) / WORD_BITS * sizeof(uint64_t);
}

void sqc_space_begin(struct sqc_space *space, uint64_t *bits, uint64_t data_offset,
		     uint64_t data_bytes)
{
	*space = (struct sqc_space){
		.bits = bits,
		.base = data_offset,
		.granules = data_bytes / SQC_GRANULE_BYTES,
	};
}

/* The first granule in [at, end) whose bit is `used`; end if there is none. */
static uint64_t next(const struct sqc_space *space, uint64_t at, uint64_t end, bool used)
{
	while (at < end) {
		uint64_t word = space->bits[at / WORD_BITS];

		if (!used)
			word = ~word;
		word &= ~UINT64_C(0) << (at % WORD_BITS);
		if (word) {
			at = at / WORD_BITS * WORD_BITS + (unsigned)__builtin_ctzll(word);
			return at < end ? at : end;
		}
		at = (at / WORD_BITS + 1) * WORD_BITS;
	}
	return end;
}

static void mark(struct sqc_space *space, uint64_t at, uint64_t count, bool used)
{
	while (count) {
		const uint64_t bit = at % WORD_BITS;
		const uint64_t some = count < WORD_BITS - bit ? count : WORD_BITS - bit;
		const uint64_t mask = (~UINT64_C(0) >> (WORD_BITS - some)) << bit;

		if (used)
			space->bits[at / WORD_BITS] |= mask;
		else
			space->bits[at / WORD_BITS] &= ~mask;
		at += some;
		count -= some;
	}
}

static uint64_t align_up(uint64_t at, uint64_t align)
{
	return (at + align - 1) / align * align;
}

/* A free, aligned range that begins in [from, end); false if there is none. */
static bool search(const struct sqc_space *space, uint64_t from, uint64_t end,
		   uint64_t count, uint64_t align, uint64_t *found)
{
	uint64_t at = align_up(from, align);

	while (at < end && count <= space->granules - at) {
		const uint64_t busy = next(space, at, at + count, true);

		if (busy == at + count) {
			*found = at;
			return true;
		}
		at = align_up(next(space, busy, space->granules, false), align);
	}
	return false;
}

bool sqc_space_allocate(struct sqc_space *space, uint64_t bytes,
			uint64_t align_bytes, uint64_t *offset)
{
	const uint64_t count = granules_of(bytes);
	const uint64_t align = align_bytes / SQC_GRANULE_BYTES;
	uint64_t *hint = &space->hint[align > 1];
	uint64_t at;

	if (count > space->granules - space->used)
		return false;
	if (!search(space, *hint, space->granules, count, align, &at) &&
	    !search(space, 0, *hint, count, align, &at))
		return false;
	mark(space, at, count, true);
	space->used += count;
	*hint = at + count;
	*offset = space->base + at * SQC_GRANULE_BYTES;
	return true;
}

void sqc_space_release(struct sqc_space *space, uint64_t offset, uint64_t bytes)
{
	const uint64_t at = (offset - space->base) / SQC_GRANULE_BYTES;
	const uint64_t count = granules_of(bytes);

	mark(space, at, count, false);
	space->used -= count;
	for (unsigned int i = 0; i < 2; i++) {
		if (at < space->hint[i])
			space->hint[i] = at;
	}
}

bool sqc_space_claim(struct sqc_space *space, uint64_t offset, uint64_t bytes,
		     uint64_t align_bytes)
{
	const uint64_t count = granules_of(bytes);
	uint64_t at;

	if (offset < space->base || offset % align_bytes)
		return false;
	at = (offset - space->base) / SQC_GRANULE_BYTES;
	if (at > space->granules || count > space->granules - at)
		return false;
	if (next(space, at, at + count, true) != at + count)
		return false;
	mark(space, at, count, true);
	space->used += count;
	return true;
}
