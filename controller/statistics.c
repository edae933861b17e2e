/* SPDX-License-Identifier: MIT */
/*
 * Counters. They live in the store's memory, so that they outlast a process;
 * relaxed atomics, since nobody orders anything by them.
 */
#include <string.h>

#include "format.h"
#include "store.h"

static struct sqc_counters *counters_at(const struct sqc_store *store, uint32_t index)
{
	return (struct sqc_counters *)(store->memory + store->superblock.statistics_offset) + index;
}

struct sqc_counters *sqc_counters_global(const struct sqc_store *store)
{
	return counters_at(store, 0);
}

struct sqc_counters *sqc_counters_format(const struct sqc_store *store, uint16_t format)
{
	const uint32_t family = SQ_FORMAT_FAMILY(format);
	const uint32_t parameter = SQ_FORMAT_PARAMETER(format);

	if (family >= SQC_FORMAT_FAMILIES || parameter >= SQC_FORMAT_PARAMETERS)
		return NULL;
	return counters_at(store, 1 + family * SQC_FORMAT_PARAMETERS + parameter);
}

struct sqc_counters *sqc_counters_region(const struct sqc_store *store, uint32_t slot)
{
	return counters_at(store, 1 + SQC_FORMAT_SLOTS + slot);
}

void sqc_counters_clear(struct sqc_counters *counters)
{
	for (unsigned int i = 0; i < SQC_COUNTERS; i++)
		atomic_store_explicit(&counters->value[i], 0, memory_order_relaxed);
}

static void add(struct sqc_counters *counters, const uint64_t values[SQC_COUNTERS])
{
	for (unsigned int i = 0; counters && i < SQC_COUNTERS; i++) {
		if (values[i])
			atomic_fetch_add_explicit(&counters->value[i], values[i],
						  memory_order_relaxed);
	}
}

void sqc_count(const struct sqc_store *store, const struct sqc_region *region,
	       uint16_t format, const uint64_t values[SQC_COUNTERS])
{
	add(sqc_counters_global(store), values);
	if (region)
		add(sqc_counters_region(store, region->slot), values);
	if (format != SQ_FORMAT_TAG)
		sqc_count_format(store, format, values);
}

void sqc_count_format(const struct sqc_store *store, uint16_t format,
		      const uint64_t values[SQC_COUNTERS])
{
	add(sqc_counters_format(store, format), values);
}

void sqc_count_failure(const struct sqc_store *store, const struct sqc_region *region,
		       uint16_t format, sqc_status status)
{
	const uint64_t values[SQC_COUNTERS] = {
		[SQC_COUNT_ERRORS] = 1,
		[SQC_COUNT_MEDIA_ERRORS] = status == SQ_STATUS_MEDIA_FAILURE,
	};

	sqc_count(store, region, format, values);
}

void sqc_count_poison(struct sqc_store *store)
{
	const uint64_t values[SQC_COUNTERS] = { [SQC_COUNT_POISON_LOADS] = 1 };

	sqc_count(store, NULL, SQ_FORMAT_TAG, values);
}

/* The counters of a scope, or the status that says why there are none. */
static sqc_status find(const struct sqc_store *store, uint32_t scope, uint32_t key,
		       struct sqc_counters **counters)
{
	const struct sqc_region *region;

	switch (scope) {
	case SQC_STATISTICS_GLOBAL:
		*counters = sqc_counters_global(store);
		return SQ_STATUS_SUCCESS;
	case SQC_STATISTICS_REGION:
		region = sqc_region_of(store, key);
		if (!region)
			return SQ_STATUS_INVALID_HANDLE;
		*counters = sqc_counters_region(store, region->slot);
		return SQ_STATUS_SUCCESS;
	case SQC_STATISTICS_FORMAT:
		if (key > UINT16_MAX || !sqc_format_find((uint16_t)key))
			return SQ_STATUS_FORMAT;
		*counters = sqc_counters_format(store, (uint16_t)key);
		return *counters ? SQ_STATUS_SUCCESS : SQ_STATUS_FORMAT;
	default:
		return SQ_STATUS_INVALID_INPUT;
	}
}

sqc_status sqc_statistics_get(const struct sqc_store *store, uint32_t scope,
			      uint32_t key, struct sqc_statistics *statistics)
{
	struct sqc_counters *counters;
	const sqc_status status = find(store, scope, key, &counters);
	uint64_t values[SQC_COUNTERS];

	if (status)
		return status;
	for (unsigned int i = 0; i < SQC_COUNTERS; i++)
		values[i] = atomic_load_explicit(&counters->value[i], memory_order_relaxed);
	memcpy(statistics, values, sizeof(*statistics));
	return SQ_STATUS_SUCCESS;
}

sqc_status sqc_statistics_reset(struct sqc_store *store, uint32_t scope, uint32_t key)
{
	struct sqc_counters *counters;
	const sqc_status status = find(store, scope, key, &counters);

	if (status)
		return status;
	if (scope != SQC_STATISTICS_GLOBAL) {
		sqc_counters_clear(counters);
		return SQ_STATUS_SUCCESS;
	}
	for (uint32_t i = 0; i < 1 + SQC_FORMAT_SLOTS + store->superblock.regions_max; i++)
		sqc_counters_clear(counters_at(store, i));
	return SQ_STATUS_SUCCESS;
}
