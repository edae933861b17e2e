/* SPDX-License-Identifier: MIT */
/* Durable changes: flush, seal, tag, delete, sanitize. */
#include <string.h>

#include "store.h"

sqc_status sqc_writable(const struct sqc_store *store)
{
	if (store->read_only)
		return SQ_STATUS_READ_ONLY;
	return store->failed ? SQ_STATUS_SYNC_FAILED : SQ_STATUS_SUCCESS;
}

/* A region that may be changed, or the status that says why not. */
static sqc_status changeable(const struct sqc_store *store, uint32_t handle,
			     struct sqc_region **region)
{
	*region = sqc_region_of(store, handle);
	if (!*region)
		return SQ_STATUS_INVALID_HANDLE;
	return sqc_writable(store);
}

/* Adds an extent to a range that waits for its sync; syncs the range first
 * when the extent does not follow it (packed ones may share a granule). */
static sqc_status sync_extent(struct sqc_store *store, struct sqc_extent *range,
			      uint64_t offset, uint64_t bytes)
{
	const uint64_t end = sqc_round_up(offset + bytes, SQC_GRANULE_BYTES);
	sqc_status status;

	if (!bytes)
		return SQ_STATUS_SUCCESS;
	offset = offset / SQC_GRANULE_BYTES * SQC_GRANULE_BYTES;
	if (range->bytes && offset >= range->offset && offset <= range->offset + range->bytes) {
		if (end > range->offset + range->bytes)
			range->bytes = end - range->offset;
		return SQ_STATUS_SUCCESS;
	}
	status = sqc_sync(store, range->offset, range->bytes);
	*range = (struct sqc_extent){ offset, end - offset };
	return status;
}

/* Makes the planes and tails durable that no durable map names yet. */
static sqc_status sync_segments(struct sqc_store *store, const struct sqc_region *region)
{
	const struct sqc_geometry *geometry = &region->geometry;
	struct sqc_extent planes = { 0 }, tails = { 0 };
	sqc_status status = SQ_STATUS_SUCCESS;

	for (uint64_t i = 0; i < geometry->segments && !status; i++) {
		const struct sqc_segment *segment = sqc_segment_at(region, i);
		const uint32_t elements = sqc_segment_elements(geometry, i);

		if (!segment || sqc_extents_equal(&segment->current, &segment->committed))
			continue;
		status = sync_extent(store, &planes, segment->current.planes,
				     segment->current.packed_bytes ?
					     segment->current.packed_bytes :
					     sqc_planes_bytes(geometry, elements));
		if (!status && !segment->current.packed_bytes)
			status = sync_extent(store, &tails, segment->current.tail,
					     sqc_tail_bytes(geometry, elements,
							    segment->current.escapes));
	}
	if (!status)
		status = sqc_sync(store, planes.offset, planes.bytes);
	if (!status)
		status = sqc_sync(store, tails.offset, tails.bytes);
	return status;
}

/* Stages what a flush makes durable. */
static sqc_status stage(struct sqc_store *store, struct sqc_region *region, bool seal)
{
	sqc_status status;

	region->staged = region->committed;
	region->staged.precision = region->precision;
	region->staged.coding = region->coding;
	region->staged.sealed = region->sealed || seal;
	if (region->reserve.bytes) {
		region->staged.map = (struct sqc_extent){
			.offset = region->reserve.offset,
			.bytes = sqc_map_bytes(region, region->written),
		};
		region->staged.map_crc = sqc_map_write(store, region);
		status = sync_segments(store, region);
		if (!status)
			status = sqc_sync(store, region->staged.map.offset,
					  region->staged.map.bytes);
		if (status)
			return status;
	}
	region->pending = SQC_PENDING_COMMIT;
	return SQ_STATUS_SUCCESS;
}

/* The reserve became the map; what it had beyond that is free again. */
static void map_committed(struct sqc_store *store, struct sqc_region *region)
{
	const uint64_t taken = sqc_space_round(region->staged.map.bytes);
	const uint64_t had = sqc_space_round(region->reserve.bytes);

	if (!had)
		return;
	if (region->committed.map.bytes)
		sqc_space_release(&store->space, region->committed.map.offset,
				  region->committed.map.bytes);
	if (had > taken)
		sqc_space_release(&store->space, region->reserve.offset + taken, had - taken);
	region->reserve = (struct sqc_extent){ 0 };
	sqc_segments_committed(store, region);
}

static void committed(struct sqc_store *store, struct sqc_region *region)
{
	map_committed(store, region);
	region->committed = region->staged;
	region->precision = region->staged.precision;
	region->sealed = region->staged.sealed;
	region->durable = true;
	region->dirty = false;
}

/* Ends a commit of every pending region, well or not. */
static void settle(struct sqc_store *store, sqc_status status)
{
	for (uint32_t slot = 0; slot < store->superblock.regions_max; slot++) {
		struct sqc_region *region = store->regions[slot];

		if (!region || region->pending != SQC_PENDING_COMMIT)
			continue;
		region->pending = SQC_PENDING_NOTHING;
		if (!status)
			committed(store, region);
	}
}

/* Commits one region's change alone; what it means for the region is the caller's. */
static sqc_status commit_pending(struct sqc_store *store, struct sqc_region *region,
				 enum sqc_pending pending)
{
	sqc_status status;

	region->pending = pending;
	status = sqc_journal_commit(store);
	region->pending = SQC_PENDING_NOTHING;
	return status;
}

sqc_status sqc_region_commit(struct sqc_store *store, struct sqc_region *region, bool seal)
{
	sqc_status status = stage(store, region, seal);

	if (!status)
		status = sqc_journal_commit(store);
	settle(store, status);
	return status;
}

void sqc_region_abandon(struct sqc_store *store, struct sqc_region *region)
{
	sqc_segments_release(store, region);
	if (region->committed.map.bytes)
		sqc_space_release(&store->space, region->committed.map.offset,
				  region->committed.map.bytes);
	if (region->reserve.bytes)
		sqc_space_release(&store->space, region->reserve.offset, region->reserve.bytes);
}

/* Exchanges what two regions of one geometry have for segments. */
static void segments_swap(struct sqc_region *a, struct sqc_region *b)
{
	const struct sqc_region was = *a;

	sqc_region_code(a, b->coding);
	a->chunks = b->chunks;
	a->written = b->written;
	a->escapes = b->escapes;
	a->extent_bytes = b->extent_bytes;
	a->reserve = b->reserve;
	a->changes++;
	sqc_region_code(b, was.coding);
	b->chunks = was.chunks;
	b->written = was.written;
	b->escapes = was.escapes;
	b->extent_bytes = was.extent_bytes;
	b->reserve = was.reserve;
	b->committed = was.committed;
}

sqc_status sqc_region_commit_as(struct sqc_store *store, struct sqc_region *region,
				struct sqc_region *next)
{
	sqc_status status;

	next->precision = region->precision;
	status = stage(store, next, true);
	next->pending = SQC_PENDING_NOTHING;
	if (status)
		return status;
	region->staged = next->staged;
	status = commit_pending(store, region, SQC_PENDING_COMMIT);
	if (status)
		return status;
	segments_swap(region, next);
	sqc_region_abandon(store, next);
	next->committed = (struct sqc_commit){ 0 };
	next->reserve = (struct sqc_extent){ 0 };
	region->committed = (struct sqc_commit){ 0 };
	committed(store, region);
	return SQ_STATUS_SUCCESS;
}

static sqc_status flush_all(struct sqc_store *store)
{
	sqc_status status = SQ_STATUS_SUCCESS;
	bool any = false;

	for (uint32_t slot = 0; slot < store->superblock.regions_max && !status; slot++) {
		struct sqc_region *region = store->regions[slot];

		if (!region || !region->dirty)
			continue;
		status = stage(store, region, false);
		any = true;
	}
	if (any && !status)
		status = sqc_journal_commit(store);
	settle(store, status);
	return status;
}

sqc_status sqc_flush(struct sqc_store *store, uint32_t handle)
{
	struct sqc_region *region = handle ? sqc_region_of(store, handle) : NULL;
	const sqc_status status = sqc_writable(store);

	if (handle && !region)
		return SQ_STATUS_INVALID_HANDLE;
	if (status)
		return status == SQ_STATUS_READ_ONLY ? SQ_STATUS_SUCCESS : status;
	if (!handle)
		return flush_all(store);
	return region->dirty ? sqc_region_commit(store, region, false) : SQ_STATUS_SUCCESS;
}

sqc_status sqc_region_seal(struct sqc_store *store, uint32_t handle)
{
	struct sqc_region *region;
	const sqc_status status = changeable(store, handle, &region);

	if (status)
		return status;
	if (region->sealed && !region->dirty)
		return SQ_STATUS_SUCCESS;
	return sqc_region_commit(store, region, true);
}

sqc_status sqc_region_set_precision(struct sqc_store *store, uint32_t handle, uint16_t format)
{
	struct sqc_region *region;
	sqc_status status = changeable(store, handle, &region);

	if (status)
		return status;
	if (!sqc_format_offered(&region->geometry, format))
		return SQ_STATUS_FORMAT;
	if (region->durable && region->precision != format) {
		/* The tag alone: what was written since the last flush stays as it is. */
		region->staged = region->committed;
		region->staged.precision = format;
		status = commit_pending(store, region, SQC_PENDING_COMMIT);
		if (status)
			return status;
		region->committed = region->staged;
	}
	region->precision = format;
	return SQ_STATUS_SUCCESS;
}

static void region_forget(struct sqc_store *store, struct sqc_region *region)
{
	sqc_region_abandon(store, region);
	sqc_region_detach(store, region);
	sqc_region_free(store, region);
}

sqc_status sqc_region_delete(struct sqc_store *store, uint32_t handle)
{
	struct sqc_region *region;
	sqc_status status = changeable(store, handle, &region);

	if (status)
		return status;
	if (region->views || region->packing)
		return SQ_STATUS_IN_USE;
	if (region->durable) {
		status = commit_pending(store, region, SQC_PENDING_DELETE);
		if (status)
			return status;
	}
	region_forget(store, region);
	return SQ_STATUS_SUCCESS;
}

/* Zeroes what is not zero yet, so that a sparse file stays sparse. */
static void erase(uint8_t *at, uint64_t bytes)
{
	static const uint8_t zeros[SQC_PAGE_BYTES];

	while (bytes) {
		const uint64_t some = bytes < sizeof(zeros) ? bytes : sizeof(zeros);

		if (memcmp(at, zeros, some) != 0)
			memset(at, 0, some);
		at += some;
		bytes -= some;
	}
}

sqc_status sqc_sanitize(struct sqc_store *store)
{
	const uint32_t slots = store->superblock.regions_max;
	const struct sqc_superblock *superblock = &store->superblock;
	sqc_status status = sqc_writable(store);
	uint64_t old_half;

	if (status)
		return status;
	if (store->view_count || store->packing_count)
		return SQ_STATUS_IN_USE;
	for (uint32_t slot = 0; slot < slots; slot++) {
		if (store->regions[slot])
			store->regions[slot]->pending = SQC_PENDING_DELETE;
	}
	old_half = superblock->journal_offset + superblock->active_half * superblock->half_bytes;
	status = sqc_journal_checkpoint(store);
	for (uint32_t slot = 0; slot < slots; slot++) {
		if (!store->regions[slot])
			continue;
		store->regions[slot]->pending = SQC_PENDING_NOTHING;
		if (!status)
			region_forget(store, store->regions[slot]);
	}
	if (status)
		return status;
	erase(store->memory + old_half, superblock->half_bytes);
	erase(store->memory + superblock->data_offset, superblock->data_bytes);
	status = sqc_sync(store, old_half, superblock->half_bytes);
	if (!status)
		status = sqc_sync(store, superblock->data_offset, superblock->data_bytes);
	return status;
}
