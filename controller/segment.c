/* SPDX-License-Identifier: MIT */
/* Segments of a region and the extents that they own. */
#include <string.h>

#include "store.h"

struct sqc_segment *sqc_segment_at(const struct sqc_region *region, uint64_t segment)
{
	uint8_t *chunk = region->chunks[segment / SQC_CHUNK_SEGMENTS];

	if (!chunk)
		return NULL;
	return (struct sqc_segment *)(chunk + segment % SQC_CHUNK_SEGMENTS * region->segment_bytes);
}

sqc_status sqc_segments_make(struct sqc_store *store, struct sqc_region *region,
			     uint64_t first, uint64_t last)
{
	for (uint64_t i = first / SQC_CHUNK_SEGMENTS; i <= last / SQC_CHUNK_SEGMENTS; i++) {
		if (region->chunks[i])
			continue;
		region->chunks[i] = sqc_allocate(store, SQC_CHUNK_SEGMENTS * region->segment_bytes);
		if (!region->chunks[i])
			return SQ_STATUS_RESOURCES_EXHAUSTED;
	}
	return SQ_STATUS_SUCCESS;
}

void sqc_extents_release(struct sqc_store *store, const struct sqc_geometry *geometry,
			 uint32_t elements, const struct sqc_extents *extents)
{
	const uint64_t tail = sqc_tail_bytes(geometry, elements, extents->escapes);

	if (!extents->planes)
		return;
	if (extents->packed_bytes) {
		const struct sqc_extent packed = sqc_packed_extent(extents);

		if (packed.bytes)
			sqc_space_release(&store->space, packed.offset, packed.bytes);
		return;
	}
	sqc_space_release(&store->space, extents->planes, sqc_planes_bytes(geometry, elements));
	if (tail)
		sqc_space_release(&store->space, extents->tail, tail);
}

bool sqc_extents_equal(const struct sqc_extents *a, const struct sqc_extents *b)
{
	return a->planes == b->planes && a->tail == b->tail && a->escapes == b->escapes &&
	       a->packed_bytes == b->packed_bytes;
}

static uint64_t extents_bytes(const struct sqc_geometry *geometry, uint32_t elements,
			      const struct sqc_extents *extents)
{
	if (!extents->planes)
		return 0;
	if (extents->packed_bytes)
		return sqc_packed_extent(extents).bytes;
	return sqc_space_round(sqc_planes_bytes(geometry, elements)) +
	       sqc_space_round(sqc_tail_bytes(geometry, elements, extents->escapes));
}

void sqc_segment_account(struct sqc_region *region, uint64_t index)
{
	const struct sqc_extents *extents = &sqc_segment_at(region, index)->current;

	region->written++;
	region->escapes += extents->escapes;
	region->extent_bytes += extents_bytes(&region->geometry,
					      sqc_segment_elements(&region->geometry, index),
					      extents);
}

void sqc_segment_replace(struct sqc_store *store, struct sqc_region *region,
			 uint64_t index, const struct sqc_segment *next)
{
	const struct sqc_geometry *geometry = &region->geometry;
	const uint32_t elements = sqc_segment_elements(geometry, index);
	struct sqc_segment *segment = sqc_segment_at(region, index);
	const struct sqc_extents old = segment->current;

	region->changes++;
	region->written += !old.planes;
	region->escapes += (uint64_t)next->current.escapes - old.escapes;
	region->extent_bytes += extents_bytes(geometry, elements, &next->current) -
				extents_bytes(geometry, elements, &old);
	segment->current = next->current;
	memcpy(segment->crc, next->crc, geometry->crcs * sizeof(segment->crc[0]));
	if (!sqc_extents_equal(&old, &segment->committed))
		sqc_extents_release(store, geometry, elements, &old);
}

/* The first segment of the next chunk that exists, from `index` on. */
static uint64_t skip_missing(const struct sqc_region *region, uint64_t index)
{
	while (index < region->geometry.segments && !region->chunks[index / SQC_CHUNK_SEGMENTS])
		index = (index / SQC_CHUNK_SEGMENTS + 1) * SQC_CHUNK_SEGMENTS;
	return index;
}

void sqc_segments_committed(struct sqc_store *store, struct sqc_region *region)
{
	const struct sqc_geometry *geometry = &region->geometry;

	for (uint64_t i = skip_missing(region, 0); i < geometry->segments;
	     i = skip_missing(region, i + 1)) {
		struct sqc_segment *segment = sqc_segment_at(region, i);

		if (sqc_extents_equal(&segment->current, &segment->committed))
			continue;
		sqc_extents_release(store, geometry, sqc_segment_elements(geometry, i),
				    &segment->committed);
		segment->committed = segment->current;
	}
}

void sqc_segments_release(struct sqc_store *store, struct sqc_region *region)
{
	const struct sqc_geometry *geometry = &region->geometry;

	for (uint64_t i = skip_missing(region, 0); i < geometry->segments;
	     i = skip_missing(region, i + 1)) {
		const struct sqc_segment *segment = sqc_segment_at(region, i);
		const uint32_t elements = sqc_segment_elements(geometry, i);

		sqc_extents_release(store, geometry, elements, &segment->current);
		if (!sqc_extents_equal(&segment->current, &segment->committed))
			sqc_extents_release(store, geometry, elements, &segment->committed);
	}
}
