/* SPDX-License-Identifier: MIT */
/* Opening, formatting and closing a store; its memory and its environment. */
#include "store.h"

#include <string.h>

#define MEMORY_ALIGN 64u

/* ---------------------------------------------------------- environment */

void *sqc_allocate(struct sqc_store *store, uint64_t bytes)
{
	void *memory;

	if (bytes > SIZE_MAX)
		return NULL;
	memory = store->environment.allocate(store->environment.context, (size_t)bytes);
	if (memory)
		memset(memory, 0, (size_t)bytes);
	return memory;
}

void sqc_release(struct sqc_store *store, void *memory)
{
	if (memory)
		store->environment.release(store->environment.context, memory);
}

static int environment_sync(const struct sqc_environment *environment, uint64_t offset,
			    uint64_t bytes)
{
	return environment->sync && bytes ?
		       environment->sync(environment->context, offset, bytes) : 0;
}

sqc_status sqc_sync(struct sqc_store *store, uint64_t offset, uint64_t bytes)
{
	return environment_sync(&store->environment, offset, bytes) ? SQ_STATUS_SYNC_FAILED :
								      SQ_STATUS_SUCCESS;
}

static bool environment_reserve(const struct sqc_environment *environment, uint64_t offset,
				uint64_t bytes)
{
	return !environment->reserve ||
	       environment->reserve(environment->context, offset, bytes) == 0;
}

sqc_status sqc_extent_allocate(struct sqc_store *store, uint64_t bytes, uint64_t align_bytes,
			       uint64_t *offset)
{
	if (!sqc_space_allocate(&store->space, bytes, align_bytes, offset))
		return SQ_STATUS_STORE_FULL;
	if (!environment_reserve(&store->environment, *offset, bytes)) {
		sqc_space_release(&store->space, *offset, bytes);
		return SQ_STATUS_STORE_FULL;
	}
	return SQ_STATUS_SUCCESS;
}

static bool arguments_valid(const void *memory, const struct sqc_environment *environment)
{
	return memory && (uintptr_t)memory % MEMORY_ALIGN == 0 && environment &&
	       environment->allocate && environment->release;
}

/* --------------------------------------------------------------- format */

sqc_status sqc_format(void *memory, uint64_t bytes, const struct sqc_environment *environment)
{
	const uint64_t pages_bytes = SQC_SUPERBLOCKS * SQC_PAGE_BYTES;
	struct sqc_superblock superblock;
	uint8_t *at = memory;

	if (!arguments_valid(memory, environment) || !sqc_media_layout(bytes, &superblock))
		return SQ_STATUS_INVALID_INPUT;
	if (!environment_reserve(environment, 0, superblock.data_offset))
		return SQ_STATUS_STORE_FULL;
	/* Blank until all else is there: an interrupted format is begun again. */
	memset(at, 0, pages_bytes);
	if (environment_sync(environment, 0, pages_bytes))
		return SQ_STATUS_SYNC_FAILED;
	memset(at + superblock.statistics_offset, 0,
	       superblock.data_offset - superblock.statistics_offset);
	superblock.generation = 1;
	superblock.first_sequence = 1;
	sqc_journal_format(at, &superblock);
	if (environment_sync(environment, superblock.statistics_offset,
			     superblock.data_offset - superblock.statistics_offset))
		return SQ_STATUS_SYNC_FAILED;
	sqc_superblock_write(at, &superblock);
	return environment_sync(environment, 0, pages_bytes) ? SQ_STATUS_SYNC_FAILED :
							       SQ_STATUS_SUCCESS;
}

/* ----------------------------------------------------------------- open */

static sqc_status tables_make(struct sqc_store *store)
{
	const uint32_t slots = store->superblock.regions_max;
	uint64_t *bits;

	store->regions = sqc_allocate(store, slots * sizeof(store->regions[0]));
	store->name_crcs = sqc_allocate(store, slots * sizeof(store->name_crcs[0]));
	bits = sqc_allocate(store, sqc_space_bitmap_bytes(store->superblock.data_bytes));
	if (!store->regions || !store->name_crcs || !bits) {
		sqc_release(store, bits);
		return SQ_STATUS_RESOURCES_EXHAUSTED;
	}
	sqc_space_begin(&store->space, bits, store->superblock.data_offset,
			store->superblock.data_bytes);
	return SQ_STATUS_SUCCESS;
}

/* No two regions have one name; the maps name plane memory that is theirs. */
static sqc_status regions_load(struct sqc_store *store, const char **reason)
{
	for (uint32_t slot = 0; slot < store->superblock.regions_max; slot++) {
		struct sqc_region *region = store->regions[slot];
		uint32_t handle;
		sqc_status status;

		if (!region)
			continue;
		if (sqc_region_find(store, region->name, region->name_bytes, &handle) ||
		    handle != sqc_region_handle(region)) {
			*reason = "two regions have the same name";
			return SQ_STATUS_STORE_DAMAGED;
		}
		status = sqc_map_load(store, region, reason);
		if (status)
			return status;
	}
	return SQ_STATUS_SUCCESS;
}

static sqc_status load(struct sqc_store *store, uint64_t bytes, const char **reason)
{
	sqc_status status = sqc_superblock_read(store->memory, bytes, &store->superblock, reason);

	if (status)
		return status;
	status = tables_make(store);
	if (status) {
		*reason = "out of memory";
		return status;
	}
	status = sqc_journal_replay(store, reason);
	if (status)
		return status;
	return regions_load(store, reason);
}

sqc_status sqc_open(struct sqc_store **opened, void *memory, uint64_t bytes,
		    const struct sqc_environment *environment,
		    uint32_t flags, uint64_t logical_bytes, const char **reason)
{
	const char *unwanted;
	struct sqc_store *store;
	sqc_status status;

	if (!reason)
		reason = &unwanted;
	*reason = "an argument of the open is not allowed";
	if (!arguments_valid(memory, environment) || flags & ~SQC_OPEN_READ_ONLY)
		return SQ_STATUS_INVALID_INPUT;
	*reason = "out of memory";
	store = environment->allocate(environment->context, sizeof(*store));
	if (!store)
		return SQ_STATUS_RESOURCES_EXHAUSTED;
	memset(store, 0, sizeof(*store));
	store->memory = memory;
	store->environment = *environment;
	store->read_only = flags & SQC_OPEN_READ_ONLY;
	store->logical_bytes = logical_bytes;
	status = load(store, bytes, reason);
	if (status) {
		sqc_close(store);
		return status;
	}
	*reason = "";
	*opened = store;
	return SQ_STATUS_SUCCESS;
}

void sqc_close(struct sqc_store *store)
{
	if (!store)
		return;
	for (uint32_t slot = 0; store->regions && slot < store->superblock.regions_max; slot++) {
		if (store->regions[slot])
			sqc_region_free(store, store->regions[slot]);
	}
	sqc_release(store, store->regions);
	sqc_release(store, store->name_crcs);
	sqc_release(store, store->space.bits);
	sqc_release(store, store);
}

void sqc_store_describe(const struct sqc_store *store, struct sqc_store_info *info)
{
	*info = (struct sqc_store_info){
		.capacity_bytes = store->superblock.data_bytes,
		.used_bytes = store->space.used * SQC_GRANULE_BYTES,
		.logical_bytes = store->logical_bytes,
		.regions = store->region_count,
		.regions_max = store->superblock.regions_max,
		.views = store->view_count,
		.views_max = SQC_VIEWS_MAX,
	};
}
