/* SPDX-License-Identifier: MIT */
/* A region's map: the durable form of its segments. */
#include <string.h>

#include "store.h"

static uint32_t entry_bytes(const struct sqc_geometry *geometry)
{
	return (uint32_t)sqc_round_up(sizeof(struct sqc_map_entry) + 4u * geometry->crcs, 8);
}

/* Of the codebook between the map's head and its entries. */
static uint32_t codebook_bytes(const struct sqc_geometry *geometry)
{
	return geometry->placement == SQ_PLACEMENT_TUNED ?
		       (uint32_t)sqc_round_up(sizeof(struct sqc_codebook), 8) : 0;
}

uint64_t sqc_map_bytes(const struct sqc_geometry *geometry, uint64_t segments_written)
{
	if (!segments_written)
		return 0;
	return sizeof(struct sqc_map) + codebook_bytes(geometry) +
	       segments_written * entry_bytes(geometry);
}

static void extent_release(struct sqc_store *store, struct sqc_extent *extent)
{
	if (extent->bytes)
		sqc_space_release(&store->space, extent->offset, extent->bytes);
	*extent = (struct sqc_extent){ 0 };
}

sqc_status sqc_map_reserve(struct sqc_store *store, struct sqc_region *region,
			   uint64_t segments_written)
{
	struct sqc_extent extent = { .bytes = sqc_map_bytes(&region->geometry, segments_written) };
	sqc_status status;

	if (extent.bytes <= region->reserve.bytes)
		return SQ_STATUS_SUCCESS;
	status = sqc_extent_allocate(store, extent.bytes, SQC_GRANULE_BYTES, &extent.offset);
	if (status)
		return status;
	extent_release(store, &region->reserve);
	region->reserve = extent;
	return SQ_STATUS_SUCCESS;
}

static void entry_write(uint8_t *at, const struct sqc_region *region, uint64_t index,
			const struct sqc_segment *segment)
{
	const struct sqc_map_entry entry = {
		.segment = (uint32_t)index,
		.escapes = segment->current.escapes,
		.planes_offset = segment->current.planes,
		.tail_offset = segment->current.tail,
	};
	const uint32_t crc_bytes = region->geometry.crcs * 4u;

	memcpy(at, &entry, sizeof(entry));
	memcpy(at + sizeof(entry), segment->crc, crc_bytes);
	memset(at + sizeof(entry) + crc_bytes, 0,
	       entry_bytes(&region->geometry) - sizeof(entry) - crc_bytes);
}

uint32_t sqc_map_write(struct sqc_store *store, const struct sqc_region *region)
{
	const struct sqc_map map = {
		.count = (uint32_t)region->written,
		.entry_bytes = entry_bytes(&region->geometry),
	};
	uint8_t *begin = store->memory + region->reserve.offset;
	uint8_t *at = begin + sizeof(map);

	memcpy(begin, &map, sizeof(map));
	if (codebook_bytes(&region->geometry)) {
		memset(at, 0, codebook_bytes(&region->geometry));
		memcpy(at, &region->tuned->codebook, sizeof(region->tuned->codebook));
		at += codebook_bytes(&region->geometry);
	}
	for (uint64_t i = 0; i < region->geometry.segments; i++) {
		const struct sqc_segment *segment = sqc_segment_at(region, i);

		if (!segment || !segment->current.planes)
			continue;
		entry_write(at, region, i, segment);
		at += map.entry_bytes;
	}
	return sqc_crc32c(0, begin, (size_t)(at - begin));
}

/* Takes the extents that a map entry names; false when they cannot be right. */
static bool extents_claim(struct sqc_store *store, const struct sqc_geometry *geometry,
			  uint64_t index, const struct sqc_extents *extents)
{
	const uint32_t elements = sqc_segment_elements(geometry, index);
	uint64_t tail;

	if (extents->escapes > (geometry->exponents ? elements : 0))
		return false;
	tail = sqc_tail_bytes(geometry, elements, extents->escapes);
	if (!sqc_space_claim(&store->space, extents->planes, sqc_planes_bytes(geometry, elements),
			     sqc_planes_align(geometry, elements)))
		return false;
	if (!tail)
		return extents->tail == 0;
	return sqc_space_claim(&store->space, extents->tail, tail, SQC_GRANULE_BYTES);
}

static sqc_status entry_load(struct sqc_store *store, struct sqc_region *region,
			     const uint8_t *at, uint64_t next_segment, const char **reason)
{
	struct sqc_map_entry entry;
	struct sqc_segment *segment;

	memcpy(&entry, at, sizeof(entry));
	if (entry.segment < next_segment || entry.segment >= region->geometry.segments) {
		*reason = "a region map names a segment twice, or one that does not exist";
		return SQ_STATUS_STORE_DAMAGED;
	}
	if (sqc_segments_make(store, region, entry.segment, entry.segment)) {
		*reason = "out of memory";
		return SQ_STATUS_RESOURCES_EXHAUSTED;
	}
	segment = sqc_segment_at(region, entry.segment);
	segment->current = (struct sqc_extents){
		.planes = entry.planes_offset,
		.tail = entry.tail_offset,
		.escapes = entry.escapes,
	};
	if (!extents_claim(store, &region->geometry, entry.segment, &segment->current)) {
		*reason = "a region map names plane memory that is not there, or in use twice";
		return SQ_STATUS_STORE_DAMAGED;
	}
	segment->committed = segment->current;
	memcpy(segment->crc, at + sizeof(entry), region->geometry.crcs * 4u);
	return SQ_STATUS_SUCCESS;
}

/* The map's extent is there, its checksum matches and its size is right. */
static bool map_valid(struct sqc_store *store, const struct sqc_region *region,
		      struct sqc_map *map)
{
	const struct sqc_extent *extent = &region->committed.map;

	if (extent->bytes < sizeof(*map) ||
	    !sqc_space_claim(&store->space, extent->offset, extent->bytes, SQC_GRANULE_BYTES))
		return false;
	if (sqc_crc32c(0, store->memory + extent->offset, extent->bytes) !=
	    region->committed.map_crc)
		return false;
	memcpy(map, store->memory + extent->offset, sizeof(*map));
	return map->count && map->entry_bytes == entry_bytes(&region->geometry) &&
	       extent->bytes == sqc_map_bytes(&region->geometry, map->count);
}

static sqc_status codebook_load(struct sqc_store *store, struct sqc_region *region,
				const uint8_t *at, const char **reason)
{
	region->tuned = sqc_allocate(store, sizeof(*region->tuned));
	if (!region->tuned) {
		*reason = "out of memory";
		return SQ_STATUS_RESOURCES_EXHAUSTED;
	}
	memcpy(&region->tuned->codebook, at, sizeof(region->tuned->codebook));
	if (!sqc_codebook_valid(&region->tuned->codebook)) {
		*reason = "the codebook of a tuned region has cells out of order";
		return SQ_STATUS_STORE_DAMAGED;
	}
	sqc_tuned_begin(&region->tuned->coder, &region->tuned->codebook);
	return SQ_STATUS_SUCCESS;
}

sqc_status sqc_map_load(struct sqc_store *store, struct sqc_region *region, const char **reason)
{
	const uint8_t *at;
	uint64_t next_segment = 0;
	struct sqc_map map;

	if (!region->committed.map.bytes)
		return SQ_STATUS_SUCCESS;
	if (!map_valid(store, region, &map)) {
		*reason = "a region map does not match its checksum, or lies where none can be";
		return SQ_STATUS_STORE_DAMAGED;
	}
	at = store->memory + region->committed.map.offset + sizeof(map);
	if (codebook_bytes(&region->geometry)) {
		const sqc_status status = codebook_load(store, region, at, reason);

		if (status)
			return status;
		at += codebook_bytes(&region->geometry);
	}
	for (uint32_t i = 0; i < map.count; i++, at += map.entry_bytes) {
		const sqc_status status = entry_load(store, region, at, next_segment, reason);
		struct sqc_map_entry entry;

		if (status)
			return status;
		memcpy(&entry, at, sizeof(entry));
		next_segment = (uint64_t)entry.segment + 1;
		sqc_segment_account(region, entry.segment);
	}
	return SQ_STATUS_SUCCESS;
}
