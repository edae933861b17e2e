/* SPDX-License-Identifier: MIT */
#include <stdbool.h>
#include <string.h>

#include "checksum.h"
#include "media.h"

static const uint8_t magic[8] = { 'S', 'Q', 'S', 'T', 'O', 'R', 'E', '\n' };

static uint64_t round_up(uint64_t value, uint64_t unit)
{
	return (value + unit - 1) / unit * unit;
}

static uint32_t regions_of(uint64_t bytes)
{
	const uint64_t regions = bytes / SQC_BYTES_PER_REGION;

	if (regions < SQC_REGIONS_MIN)
		return SQC_REGIONS_MIN;
	return regions > SQC_REGIONS_MAX ? SQC_REGIONS_MAX : (uint32_t)regions;
}

bool sqc_media_layout(uint64_t bytes, struct sqc_superblock *superblock)
{
	const uint32_t regions = regions_of(bytes);
	const uint64_t counters = 1 + SQC_FORMAT_SLOTS + (uint64_t)regions;
	uint64_t offset = SQC_SUPERBLOCKS * SQC_PAGE_BYTES;

	/* The upper bound keeps every sum of offsets and sizes in 64 bits. */
	if (bytes < SQC_STORE_BYTES_MIN || bytes % SQC_PAGE_BYTES || bytes > UINT64_C(1) << 48)
		return false;
	*superblock = (struct sqc_superblock){
		.version = SQC_MEDIA_VERSION,
		.struct_bytes = sizeof(*superblock),
		.store_bytes = bytes,
		.regions_max = regions,
	};
	memcpy(superblock->magic, magic, sizeof(magic));
	superblock->statistics_offset = offset;
	offset = round_up(offset + counters * sizeof(struct sqc_statistics), SQC_PAGE_BYTES);
	/* Room for a checkpoint of every region, and for some commits behind. */
	superblock->journal_offset = offset;
	superblock->half_bytes = round_up(2 * sizeof(struct sqc_record) +
					  regions * SQC_ENTRY_BYTES_MAX + 4 * SQC_PAGE_BYTES,
					  SQC_PAGE_BYTES);
	offset = round_up(offset + 2 * superblock->half_bytes, SQC_ROW_BYTES);
	superblock->data_offset = offset;
	superblock->data_bytes = (bytes - offset) / SQC_GRANULE_BYTES * SQC_GRANULE_BYTES;
	return true;
}

static uint32_t superblock_crc(const struct sqc_superblock *superblock)
{
	return sqc_crc32c(0, superblock, offsetof(struct sqc_superblock, crc));
}

void sqc_superblock_write(uint8_t *memory, struct sqc_superblock *superblock)
{
	superblock->crc = superblock_crc(superblock);
	memcpy(memory + sqc_superblock_page(superblock->generation), superblock,
	       sizeof(*superblock));
}

bool sqc_is_blank(const void *memory, uint64_t bytes)
{
	const uint8_t *byte = memory;

	if (bytes < SQC_SUPERBLOCKS * SQC_PAGE_BYTES)
		return false;
	for (uint32_t i = 0; i < SQC_SUPERBLOCKS * SQC_PAGE_BYTES; i++) {
		if (byte[i])
			return false;
	}
	return true;
}

/* One page; what is wrong with it is left in `status` and `reason`, the most
 * telling of both pages. */
static bool page_valid(const uint8_t *page, struct sqc_superblock *superblock,
		       sqc_status *status, const char **reason)
{
	memcpy(superblock, page, sizeof(*superblock));
	if (memcmp(superblock->magic, magic, sizeof(magic)) != 0)
		return false;
	if (*status == SQ_STATUS_NOT_A_STORE) {
		*status = SQ_STATUS_STORE_DAMAGED;
		*reason = "the superblock's checksum does not match";
	}
	if (!sqc_crc_matches(superblock_crc(superblock), superblock->crc))
		return false;
	if (superblock->version != SQC_MEDIA_VERSION) {
		*status = SQ_STATUS_STORE_VERSION;
		*reason = "the store was written by an incompatible version";
		return false;
	}
	return true;
}

/* The parts that follow from the size are as they must be. */
static bool layout_valid(const struct sqc_superblock *superblock, uint64_t bytes)
{
	struct sqc_superblock expected;

	if (superblock->store_bytes > bytes ||
	    !sqc_media_layout(superblock->store_bytes, &expected))
		return false;
	expected.generation = superblock->generation;
	expected.first_sequence = superblock->first_sequence;
	expected.active_half = superblock->active_half;
	expected.crc = superblock->crc;
	return superblock->active_half < 2 &&
	       memcmp(&expected, superblock, sizeof(expected)) == 0;
}

sqc_status sqc_superblock_read(const uint8_t *memory, uint64_t bytes,
			       struct sqc_superblock *superblock,
			       const char **reason)
{
	struct sqc_superblock pages[SQC_SUPERBLOCKS];
	bool valid[SQC_SUPERBLOCKS];
	sqc_status status = SQ_STATUS_NOT_A_STORE;
	unsigned int ruling;

	*reason = "there is no SmartQuant superblock";
	if (bytes < SQC_SUPERBLOCKS * SQC_PAGE_BYTES)
		return status;
	for (unsigned int i = 0; i < SQC_SUPERBLOCKS; i++)
		valid[i] = page_valid(memory + i * SQC_PAGE_BYTES, &pages[i], &status, reason) &&
			   pages[i].generation % SQC_SUPERBLOCKS == i;
	if (!valid[0] && !valid[1])
		return status;
	ruling = !valid[0] || (valid[1] && pages[1].generation > pages[0].generation);
	*superblock = pages[ruling];
	if (!layout_valid(superblock, bytes)) {
		*reason = superblock->store_bytes > bytes ?
				  "the store is longer than its memory: it was cut short" :
				  "the superblock does not fit the store's size";
		return SQ_STATUS_STORE_DAMAGED;
	}
	return SQ_STATUS_SUCCESS;
}
