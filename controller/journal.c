/* SPDX-License-Identifier: MIT */
/*
 * The journal: durable changes of the region table
 *
 * Order of stores: a record's payload, an invalid header behind it, and last
 * its own header; the fences keep the compiler to it, so a process that is
 * killed leaves the record whole or unseen. Against a loss of power, each
 * record is synced before the next one is begun: at most one record can be
 * torn, and its checksum says so.
 */
#include <string.h>

#include "checksum.h"
#include "store.h"

static uint8_t *half_of(const struct sqc_store *store, uint32_t half)
{
	return store->memory + store->superblock.journal_offset +
	       half * store->superblock.half_bytes;
}

static uint64_t name_bytes_padded(uint64_t bytes)
{
	return sqc_round_up(bytes, 8);
}

static uint32_t record_crc(const struct sqc_record *record, const uint8_t *payload)
{
	const uint32_t crc = sqc_crc32c(0, record, offsetof(struct sqc_record, crc));

	return sqc_crc32c(crc, payload, record->payload_bytes);
}

/* ------------------------------------------------------------- writing */

/* A region's part in a record: none, an entry, or the mark that it is gone. */
enum part { PART_NONE, PART_ENTRY, PART_DELETED };

static enum part part_of(const struct sqc_region *region, uint32_t type)
{
	if (region->pending == SQC_PENDING_COMMIT)
		return PART_ENTRY;
	if (region->pending == SQC_PENDING_DELETE)
		return type == SQC_RECORD_UPDATE ? PART_DELETED : PART_NONE;
	return type == SQC_RECORD_CHECKPOINT && region->durable ? PART_ENTRY : PART_NONE;
}

static uint64_t part_bytes(const struct sqc_region *region, enum part part)
{
	if (part == PART_NONE)
		return 0;
	return sizeof(struct sqc_entry) +
	       (part == PART_ENTRY ? name_bytes_padded(region->name_bytes) : 0);
}

static uint64_t payload_bytes(const struct sqc_store *store, uint32_t type)
{
	uint64_t bytes = 0;

	for (uint32_t slot = 0; slot < store->superblock.regions_max; slot++) {
		const struct sqc_region *region = store->regions[slot];

		if (region)
			bytes += part_bytes(region, part_of(region, type));
	}
	return bytes;
}

static struct sqc_entry entry_of(const struct sqc_region *region)
{
	const struct sqc_commit *commit = region->pending == SQC_PENDING_COMMIT ?
						  &region->staged : &region->committed;

	return (struct sqc_entry){
		.slot = region->slot,
		.generation = region->generation,
		.flags = commit->sealed ? SQC_ENTRY_SEALED : 0,
		.dtype = region->geometry.dtype,
		.placement = region->geometry.placement,
		.coding = commit->coding,
		.precision = commit->precision,
		.name_bytes = region->name_bytes,
		.rows = region->geometry.rows,
		.cols = region->geometry.cols,
		.map_offset = commit->map.offset,
		.map_bytes = commit->map.bytes,
		.map_crc = commit->map_crc,
	};
}

static void part_write(uint8_t *at, const struct sqc_region *region, enum part part)
{
	struct sqc_entry entry = {
		.slot = region->slot,
		.generation = region->generation,
		.flags = SQC_ENTRY_DELETED,
	};

	if (part == PART_ENTRY)
		entry = entry_of(region);
	memcpy(at, &entry, sizeof(entry));
	if (part == PART_ENTRY) {
		memset(at + sizeof(entry), 0, name_bytes_padded(region->name_bytes));
		memcpy(at + sizeof(entry), region->name, region->name_bytes);
	}
}

static uint32_t payload_write(const struct sqc_store *store, uint32_t type, uint8_t *at)
{
	uint32_t entries = 0;

	for (uint32_t slot = 0; slot < store->superblock.regions_max; slot++) {
		const struct sqc_region *region = store->regions[slot];
		const enum part part = region ? part_of(region, type) : PART_NONE;

		if (part == PART_NONE)
			continue;
		part_write(at, region, part);
		at += part_bytes(region, part);
		entries++;
	}
	return entries;
}

/* Writes a record of `bytes` payload at `at`. There is room for one more header. */
static void record_write(const struct sqc_store *store, uint32_t type, uint64_t sequence,
			 uint8_t *at, uint64_t bytes)
{
	struct sqc_record record = {
		.magic = SQC_RECORD_MAGIC,
		.type = type,
		.sequence = sequence,
		.payload_bytes = bytes,
		.last_generation = store->last_generation,
	};

	record.entries = payload_write(store, type, at + sizeof(record));
	memset(at + sizeof(record) + bytes, 0, sizeof(record));
	record.crc = record_crc(&record, at + sizeof(record));
	atomic_thread_fence(memory_order_release);
	memcpy(at, &record, sizeof(record));
	atomic_thread_fence(memory_order_release);
}

static sqc_status sync_pointer(struct sqc_store *store, const uint8_t *at, uint64_t bytes)
{
	return sqc_sync(store, (uint64_t)(at - store->memory), bytes);
}

/* After a failed sync: takes back what was written at `at`. When that cannot
 * be made durable either, nobody knows what a reopened store will see. */
static sqc_status take_back(struct sqc_store *store, uint8_t *at, uint64_t bytes)
{
	memset(at, 0, bytes);
	if (sync_pointer(store, at, bytes))
		store->failed = true;
	return SQ_STATUS_SYNC_FAILED;
}

sqc_status sqc_journal_checkpoint(struct sqc_store *store)
{
	const uint32_t half = !store->superblock.active_half;
	const uint64_t bytes = payload_bytes(store, SQC_RECORD_CHECKPOINT);
	const uint64_t sequence = store->journal.sequence;
	struct sqc_superblock next = store->superblock;
	uint8_t *at = half_of(store, half);
	uint8_t *page;

	record_write(store, SQC_RECORD_CHECKPOINT, sequence, at, bytes);
	if (sync_pointer(store, at, bytes + 2 * sizeof(struct sqc_record)))
		return SQ_STATUS_SYNC_FAILED;
	next.generation++;
	next.active_half = half;
	next.first_sequence = sequence;
	page = store->memory + sqc_superblock_page(next.generation);
	sqc_superblock_write(store->memory, &next);
	if (sync_pointer(store, page, SQC_PAGE_BYTES))
		return take_back(store, page, SQC_PAGE_BYTES);
	store->superblock = next;
	store->journal = (struct sqc_journal){
		.tail = sizeof(struct sqc_record) + bytes,
		.sequence = sequence + 1,
	};
	return SQ_STATUS_SUCCESS;
}

sqc_status sqc_journal_commit(struct sqc_store *store)
{
	const uint64_t bytes = payload_bytes(store, SQC_RECORD_UPDATE);
	const uint64_t record_bytes = sizeof(struct sqc_record) + bytes;
	uint8_t *at = half_of(store, store->superblock.active_half) + store->journal.tail;

	if (store->superblock.half_bytes - store->journal.tail <
	    record_bytes + sizeof(struct sqc_record))
		return sqc_journal_checkpoint(store);
	record_write(store, SQC_RECORD_UPDATE, store->journal.sequence, at, bytes);
	if (sync_pointer(store, at, record_bytes + sizeof(struct sqc_record)))
		return take_back(store, at, sizeof(struct sqc_record));
	store->journal.tail += record_bytes;
	store->journal.sequence++;
	return SQ_STATUS_SUCCESS;
}

void sqc_journal_format(uint8_t *memory, const struct sqc_superblock *superblock)
{
	struct sqc_record record = {
		.magic = SQC_RECORD_MAGIC,
		.type = SQC_RECORD_CHECKPOINT,
		.sequence = superblock->first_sequence,
	};
	uint8_t *at = memory + superblock->journal_offset +
		      superblock->active_half * superblock->half_bytes;

	record.crc = record_crc(&record, at + sizeof(record));
	memset(at + sizeof(record), 0, sizeof(record));
	memcpy(at, &record, sizeof(record));
}

/* -------------------------------------------------------------- replay */

static bool entry_valid(const struct sqc_store *store, const struct sqc_entry *entry,
			const char *name, struct sqc_geometry *geometry)
{
	if (!entry->generation || !entry->rows || !entry->cols || entry->flags > SQC_ENTRY_SEALED)
		return false;
	if (entry->coding == SQ_CODING_PACKED ?
		    entry->placement != SQ_PLACEMENT_ALIGNED || entry->flags != SQC_ENTRY_SEALED :
		    entry->coding != SQ_CODING_RAW)
		return false;
	if (!sqc_name_valid(name, entry->name_bytes) ||
	    !sqc_region_fits(store, entry->rows, entry->cols, entry->placement, entry->dtype) ||
	    !sqc_geometry_begin(geometry, entry->dtype, entry->placement, entry->rows, entry->cols))
		return false;
	return sqc_format_offered(geometry, entry->precision);
}

static void slot_clear(struct sqc_store *store, uint32_t slot)
{
	struct sqc_region *region = store->regions[slot];

	if (region) {
		sqc_region_detach(store, region);
		sqc_region_free(store, region);
	}
}

/* Takes one entry, and puts its size into `bytes`. */
static sqc_status entry_replay(struct sqc_store *store, const uint8_t *at, uint64_t room,
			       uint64_t *bytes)
{
	const char *name = (const char *)at + sizeof(struct sqc_entry);
	struct sqc_geometry geometry;
	struct sqc_region *region;
	struct sqc_entry entry;

	if (room < sizeof(entry))
		return SQ_STATUS_STORE_DAMAGED;
	memcpy(&entry, at, sizeof(entry));
	*bytes = sizeof(entry) + name_bytes_padded(entry.name_bytes);
	if (*bytes > room || entry.slot >= store->superblock.regions_max)
		return SQ_STATUS_STORE_DAMAGED;
	if (entry.flags == SQC_ENTRY_DELETED) {
		slot_clear(store, entry.slot);
		return SQ_STATUS_SUCCESS;
	}
	if (!entry_valid(store, &entry, name, &geometry))
		return SQ_STATUS_STORE_DAMAGED;
	slot_clear(store, entry.slot);
	region = sqc_region_make(store, &geometry, name, entry.name_bytes);
	if (!region)
		return SQ_STATUS_RESOURCES_EXHAUSTED;
	sqc_region_code(region, entry.coding);
	region->generation = entry.generation;
	region->precision = entry.precision;
	region->sealed = entry.flags & SQC_ENTRY_SEALED;
	region->durable = true;
	region->committed = (struct sqc_commit){
		.map = { entry.map_offset, entry.map_bytes },
		.map_crc = entry.map_crc,
		.precision = entry.precision,
		.coding = entry.coding,
		.sealed = region->sealed,
	};
	sqc_region_attach(store, region, entry.slot);
	return SQ_STATUS_SUCCESS;
}

/* True when a valid record of that sequence number lies at the tail. */
static bool record_at_tail(const struct sqc_store *store, struct sqc_record *record)
{
	const uint8_t *at = half_of(store, store->superblock.active_half) + store->journal.tail;
	const uint64_t room = store->superblock.half_bytes - store->journal.tail;
	const bool first = store->journal.tail == 0;

	if (room < sizeof(*record))
		return false;
	memcpy(record, at, sizeof(*record));
	return record->magic == SQC_RECORD_MAGIC &&
	       record->type == (first ? SQC_RECORD_CHECKPOINT : SQC_RECORD_UPDATE) &&
	       record->sequence == store->journal.sequence &&
	       record->payload_bytes <= room - sizeof(*record) &&
	       sqc_crc_matches(record_crc(record, at + sizeof(*record)), record->crc);
}

static sqc_status record_replay(struct sqc_store *store, const struct sqc_record *record,
				const char **reason)
{
	const uint8_t *at = half_of(store, store->superblock.active_half) +
			    store->journal.tail + sizeof(*record);
	uint64_t room = record->payload_bytes;

	for (uint32_t i = 0; i < record->entries; i++) {
		uint64_t bytes = 0;
		const sqc_status status = entry_replay(store, at, room, &bytes);

		if (status) {
			*reason = status == SQ_STATUS_STORE_DAMAGED ?
					  "the journal holds an impossible region" : "out of memory";
			return status;
		}
		at += bytes;
		room -= bytes;
	}
	store->last_generation = (uint16_t)record->last_generation;
	store->journal.tail += sizeof(*record) + record->payload_bytes;
	store->journal.sequence++;
	return SQ_STATUS_SUCCESS;
}

sqc_status sqc_journal_replay(struct sqc_store *store, const char **reason)
{
	struct sqc_record record;

	store->journal = (struct sqc_journal){ .sequence = store->superblock.first_sequence };
	while (record_at_tail(store, &record)) {
		const sqc_status status = record_replay(store, &record, reason);

		if (status)
			return status;
	}
	if (!store->journal.tail) {
		*reason = "the journal's first record is damaged";
		return SQ_STATUS_STORE_DAMAGED;
	}
	return SQ_STATUS_SUCCESS;
}
