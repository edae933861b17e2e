/* SPDX-License-Identifier: MIT */
/* The region table: names, handles, birth and what a region tells of itself. */
#include <string.h>

#include "format.h"
#include "store.h"

/* ---------------------------------------------------------------- names */

/* Bytes of the UTF-8 character that begins with `lead`; 0 if none does. */
static uint32_t character_bytes(uint8_t lead)
{
	if (lead >= 0x01 && lead <= 0x7f)
		return 1;
	if (lead >= 0xc2 && lead <= 0xdf)
		return 2;
	if (lead >= 0xe0 && lead <= 0xef)
		return 3;
	return lead >= 0xf0 && lead <= 0xf4 ? 4 : 0;
}

/* No overlong forms, no surrogates, nothing above U+10FFFF. */
static bool second_valid(uint8_t lead, uint8_t second)
{
	switch (lead) {
	case 0xe0:
		return second >= 0xa0;
	case 0xed:
		return second <= 0x9f;
	case 0xf0:
		return second >= 0x90;
	case 0xf4:
		return second <= 0x8f;
	default:
		return true;
	}
}

bool sqc_name_valid(const char *name, uint32_t bytes)
{
	const uint8_t *at = (const uint8_t *)name;

	if (!name || !bytes || bytes > SQ_NAME_MAX)
		return false;
	for (uint32_t i = 0; i < bytes;) {
		const uint32_t count = character_bytes(at[i]);

		if (!count || count > bytes - i)
			return false;
		for (uint32_t j = 1; j < count; j++) {
			if ((at[i + j] & 0xc0) != 0x80)
				return false;
		}
		if (count > 1 && !second_valid(at[i], at[i + 1]))
			return false;
		i += count;
	}
	return true;
}

/* The slot of a name; regions_max when there is none. */
static uint32_t slot_of_name(const struct sqc_store *store, const char *name, uint32_t bytes)
{
	const uint32_t slots = store->superblock.regions_max;
	const uint32_t crc = sqc_crc32c(0, name, bytes);
	uint32_t slot;

	for (slot = 0; slot < slots; slot++) {
		const struct sqc_region *region = store->regions[slot];

		if (store->name_crcs[slot] == crc && region && region->name_bytes == bytes &&
		    memcmp(region->name, name, bytes) == 0)
			break;
	}
	return slot;
}

/* -------------------------------------------------------------- regions */

bool sqc_region_fits(const struct sqc_store *store, uint32_t rows, uint32_t cols,
		     uint8_t placement, uint8_t dtype)
{
	const uint64_t capacity = store->superblock.data_bytes;
	struct sqc_geometry geometry;

	if (cols > UINT32_MAX - (SQC_GROUP_ELEMENTS - 1) ||
	    !sqc_geometry_begin(&geometry, dtype, placement, rows, cols))
		return false;
	if (!geometry.planes)
		return geometry.elements <= capacity;
	return geometry.elements / 8 <= capacity / geometry.planes;
}

bool sqc_format_offered(const struct sqc_geometry *geometry, uint16_t code)
{
	const struct sqc_format *format = sqc_format_find(code);

	if (!format)
		return false;
	if (code == SQ_FORMAT_NATIVE)
		return true;
	if (format->source == SQC_SOURCE_TUNED || format->source == SQC_SOURCE_LEVELS)
		return geometry->placement == SQ_PLACEMENT_TUNED;
	if (format->source == SQC_SOURCE_PLANES)
		return SQ_FORMAT_PARAMETER(code) >= 1 &&
		       SQ_FORMAT_PARAMETER(code) <= geometry->planes;
	return sqc_dtype_planes(geometry->dtype) != 0;
}

struct sqc_region *sqc_region_make(struct sqc_store *store, const struct sqc_geometry *geometry,
				   const char *name, uint16_t name_bytes)
{
	struct sqc_region *region = sqc_allocate(store, sizeof(*region));

	if (!region)
		return NULL;
	region->geometry = *geometry;
	region->precision = SQ_FORMAT_NATIVE;
	sqc_region_code(region, SQ_CODING_RAW);
	region->name_bytes = name_bytes;
	memcpy(region->name, name, name_bytes);
	region->chunk_count = (geometry->segments + SQC_CHUNK_SEGMENTS - 1) / SQC_CHUNK_SEGMENTS;
	region->chunks = sqc_allocate(store, region->chunk_count * sizeof(region->chunks[0]));
	if (!region->chunks) {
		sqc_release(store, region);
		return NULL;
	}
	return region;
}

void sqc_region_code(struct sqc_region *region, uint8_t coding)
{
	const uint32_t numbers = (coding == SQ_CODING_PACKED ? 2u : 1u) * region->geometry.crcs;

	region->coding = coding;
	region->segment_bytes = sqc_round_up(sizeof(struct sqc_segment) + 4u * numbers, 8);
}

void sqc_region_free(struct sqc_store *store, struct sqc_region *region)
{
	for (uint64_t i = 0; i < region->chunk_count; i++)
		sqc_release(store, region->chunks[i]);
	sqc_release(store, region->chunks);
	sqc_release(store, region->tuned);
	sqc_release(store, region);
}

void sqc_region_attach(struct sqc_store *store, struct sqc_region *region, uint32_t slot)
{
	region->slot = slot;
	store->regions[slot] = region;
	store->name_crcs[slot] = sqc_crc32c(0, region->name, region->name_bytes);
	store->region_count++;
}

void sqc_region_detach(struct sqc_store *store, struct sqc_region *region)
{
	store->regions[region->slot] = NULL;
	store->region_count--;
}

struct sqc_region *sqc_region_of(const struct sqc_store *store, uint32_t handle)
{
	const uint32_t slot = handle & 0xffff;
	struct sqc_region *region;

	if (slot >= store->superblock.regions_max)
		return NULL;
	region = store->regions[slot];
	return region && sqc_region_handle(region) == handle ? region : NULL;
}

static uint32_t free_slot(const struct sqc_store *store)
{
	uint32_t slot = 0;

	while (slot < store->superblock.regions_max && store->regions[slot])
		slot++;
	return slot;
}

sqc_status sqc_region_create(struct sqc_store *store, const struct sqc_region_spec *spec,
			     uint32_t *handle)
{
	const uint32_t slots = store->superblock.regions_max;
	sqc_status status = sqc_writable(store);
	struct sqc_geometry geometry;
	struct sqc_region *region;
	uint32_t slot;

	if (status)
		return status;
	if (!sqc_name_valid(spec->name, spec->name_bytes))
		return SQ_STATUS_NAME;
	if (!sqc_dtype_bytes(spec->dtype) || spec->placement < SQ_PLACEMENT_BYTES ||
	    spec->placement > SQ_PLACEMENT_TUNED || !spec->rows || !spec->cols)
		return SQ_STATUS_INVALID_INPUT;
	if (!sqc_geometry_begin(&geometry, spec->dtype, spec->placement, spec->rows, spec->cols))
		return SQ_STATUS_UNSUPPORTED;
	if (slot_of_name(store, spec->name, spec->name_bytes) < slots)
		return SQ_STATUS_NAME_EXISTS;
	if (!sqc_region_fits(store, spec->rows, spec->cols, spec->placement, spec->dtype))
		return SQ_STATUS_STORE_FULL;
	slot = free_slot(store);
	region = slot < slots ? sqc_region_make(store, &geometry, spec->name,
						(uint16_t)spec->name_bytes) : NULL;
	if (!region)
		return SQ_STATUS_RESOURCES_EXHAUSTED;
	if (++store->last_generation == 0)
		store->last_generation = 1;
	region->generation = store->last_generation;
	region->dirty = true;
	sqc_region_attach(store, region, slot);
	sqc_counters_clear(sqc_counters_region(store, slot));
	*handle = sqc_region_handle(region);
	return SQ_STATUS_SUCCESS;
}

sqc_status sqc_region_describe(const struct sqc_store *store, uint32_t handle,
			   struct sqc_region_info *info)
{
	const struct sqc_region *region = sqc_region_of(store, handle);
	const struct sqc_geometry *geometry;

	if (!region)
		return SQ_STATUS_INVALID_HANDLE;
	geometry = &region->geometry;
	*info = (struct sqc_region_info){
		.handle = handle,
		.dtype = geometry->dtype,
		.placement = geometry->placement,
		.coding = region->coding,
		.sealed = region->sealed,
		.dirty = region->dirty,
		.rows = geometry->rows,
		.cols = geometry->cols,
		.row_stride = (uint32_t)geometry->stride,
		.precision = region->precision,
		.name_bytes = region->name_bytes,
		.stored_bytes = region->extent_bytes +
				sqc_space_round(sqc_map_bytes(region, region->written)),
		.escapes = region->escapes,
		.segments = (uint32_t)geometry->segments,
		.views = region->views,
	};
	memcpy(info->name, region->name, sizeof(info->name));
	return SQ_STATUS_SUCCESS;
}

sqc_status sqc_region_levels(const struct sqc_store *store, uint32_t handle,
			     uint32_t bits, float *levels)
{
	const struct sqc_region *region = sqc_region_of(store, handle);

	if (!region)
		return SQ_STATUS_INVALID_HANDLE;
	if (bits < 2 || bits > SQC_TUNED_BITS)
		return SQ_STATUS_INVALID_INPUT;
	if (region->geometry.placement != SQ_PLACEMENT_TUNED)
		return SQ_STATUS_UNSUPPORTED;
	if (region->tuned)
		memcpy(levels, sqc_codebook_levels(&region->tuned->codebook, bits),
		       sizeof(*levels) << bits);
	else
		memset(levels, 0, sizeof(*levels) << bits);
	return SQ_STATUS_SUCCESS;
}

sqc_status sqc_region_find(const struct sqc_store *store, const char *name,
			   uint32_t name_bytes, uint32_t *handle)
{
	uint32_t slot;

	if (!sqc_name_valid(name, name_bytes))
		return SQ_STATUS_NAME;
	slot = slot_of_name(store, name, name_bytes);
	if (slot == store->superblock.regions_max)
		return SQ_STATUS_NOT_FOUND;
	*handle = sqc_region_handle(store->regions[slot]);
	return SQ_STATUS_SUCCESS;
}

void sqc_region_next(const struct sqc_store *store, uint32_t after, uint32_t *next)
{
	uint32_t slot = after ? (after & 0xffff) + 1 : 0;

	while (slot < store->superblock.regions_max && !store->regions[slot])
		slot++;
	*next = slot < store->superblock.regions_max ?
			sqc_region_handle(store->regions[slot]) : 0;
}
