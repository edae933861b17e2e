/* SPDX-License-Identifier: MIT */
/* A region's map: the durable form of its segments. */
#include <string.h>

#include "checksum.h"
#include "little_endian.h"
#include "store.h"

/* Bytes of the runs that a packed segment's entry tells; those of the last, the
 * escapes, are what is left of the extent. */
static uint32_t packed_numbers(const struct sqc_region *region)
{
	return region->coding == SQ_CODING_PACKED ? region->geometry.crcs - 1u : 0;
}

static uint32_t entry_bytes(const struct sqc_region *region)
{
	return (uint32_t)sqc_round_up(sizeof(struct sqc_map_entry) + 4u * region->geometry.crcs +
				      2u * packed_numbers(region), 8);
}

/* Of the codebook between the map's head and its entries. */
static uint32_t codebook_bytes(const struct sqc_geometry *geometry)
{
	return geometry->placement == SQ_PLACEMENT_TUNED ?
		       (uint32_t)sqc_round_up(sizeof(struct sqc_codebook), 8) : 0;
}

uint64_t sqc_map_bytes(const struct sqc_region *region, uint64_t segments_written)
{
	if (!segments_written)
		return 0;
	return sizeof(struct sqc_map) + codebook_bytes(&region->geometry) +
	       segments_written * entry_bytes(region);
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
	struct sqc_extent extent = { .bytes = sqc_map_bytes(region, segments_written) };
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
		.tail_offset = segment->current.packed_bytes ? segment->current.packed_bytes :
							       segment->current.tail,
	};
	uint8_t *numbers = at + sizeof(entry) + region->geometry.crcs * 4u;

	memset(at, 0, entry_bytes(region));
	memcpy(at, &entry, sizeof(entry));
	memcpy(at + sizeof(entry), segment->crc, region->geometry.crcs * 4u);
	for (uint32_t run = 0; run < packed_numbers(region); run++)
		sqc_put_le16(numbers + 2 * (size_t)run,
			     (uint16_t)sqc_segment_packed(&region->geometry, segment)[run]);
}

uint32_t sqc_map_write(struct sqc_store *store, const struct sqc_region *region)
{
	const struct sqc_map map = {
		.count = (uint32_t)region->written,
		.entry_bytes = entry_bytes(region),
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

/* The same of a packed segment. `end` is where the one before it ended, rounded
 * up to a line; there, and only there, it may begin beside a granule. */
static bool packed_claim(struct sqc_store *store, const struct sqc_extents *extents, uint64_t *end)
{
	const uint64_t limit = store->superblock.data_offset + store->superblock.data_bytes;
	struct sqc_extent packed;

	if (extents->planes > limit || extents->packed_bytes > limit - extents->planes ||
	    (extents->planes % SQC_GRANULE_BYTES && extents->planes != *end))
		return false;
	packed = sqc_packed_extent(extents);
	*end = sqc_round_up(extents->planes + extents->packed_bytes, SQC_LINE_BYTES);
	return !packed.bytes || sqc_space_claim(&store->space, packed.offset, packed.bytes,
						SQC_GRANULE_BYTES);
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

/* Takes the sizes of a packed segment's runs, `bytes` in all. */
static bool packed_load(const struct sqc_region *region, const uint8_t *at, uint64_t bytes,
			struct sqc_segment *segment)
{
	const uint8_t *numbers = at + sizeof(struct sqc_map_entry) + region->geometry.crcs * 4u;
	uint32_t *runs = sqc_segment_packed(&region->geometry, segment);
	const uint32_t last = packed_numbers(region);
	uint64_t sum = 0;

	for (uint32_t run = 0; run < last; run++) {
		runs[run] = sqc_le16(numbers + 2 * (size_t)run);
		sum += runs[run];
	}
	if (!bytes || bytes > UINT32_MAX || sum > bytes)
		return false;
	runs[last] = (uint32_t)(bytes - sum);
	segment->current.packed_bytes = (uint32_t)bytes;
	return !runs[last] == !segment->current.escapes;
}

/* `packed_end`: see packed_claim(). */
static sqc_status entry_load(struct sqc_store *store, struct sqc_region *region,
			     const uint8_t *at, uint64_t next_segment, uint64_t *packed_end,
			     const char **reason)
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
		.escapes = entry.escapes,
	};
	if (region->coding != SQ_CODING_PACKED) {
		segment->current.tail = entry.tail_offset;
	} else if (!packed_load(region, at, entry.tail_offset, segment)) {
		*reason = "a packed region's map has runs that do not fill their extent";
		return SQ_STATUS_STORE_DAMAGED;
	}
	if (segment->current.packed_bytes ?
		    segment->current.escapes > sqc_segment_elements(&region->geometry, entry.segment) ||
			    !packed_claim(store, &segment->current, packed_end) :
		    !extents_claim(store, &region->geometry, entry.segment, &segment->current)) {
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
	if (!sqc_crc_matches(sqc_crc32c(0, store->memory + extent->offset, extent->bytes),
			     region->committed.map_crc))
		return false;
	memcpy(map, store->memory + extent->offset, sizeof(*map));
	return map->count && map->entry_bytes == entry_bytes(region) &&
	       extent->bytes == sqc_map_bytes(region, map->count);
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
	uint64_t next_segment = 0, packed_end = 0;
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
		const sqc_status status = entry_load(store, region, at, next_segment, &packed_end,
						     reason);
		struct sqc_map_entry entry;

		if (status)
			return status;
		memcpy(&entry, at, sizeof(entry));
		next_segment = (uint64_t)entry.segment + 1;
		sqc_segment_account(region, entry.segment);
	}
	return SQ_STATUS_SUCCESS;
}
