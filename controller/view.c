/* SPDX-License-Identifier: MIT */
/* The view table: reads that have a window in the logical address space. */
#include "store.h"

static uint32_t view_id(const struct sqc_store *store, uint32_t slot)
{
	return (uint32_t)store->views[slot].generation << 16 | slot;
}

static const struct sqc_view *view_of(const struct sqc_store *store, uint32_t id)
{
	const uint32_t slot = id & 0xffff;

	if (slot >= SQC_VIEWS_MAX || !store->views[slot].mapped || view_id(store, slot) != id)
		return NULL;
	return &store->views[slot];
}

static bool overlaps(const struct sqc_view *view, uint64_t dpa, uint64_t bytes)
{
	return view->mapped && view->info.dpa < dpa + bytes &&
	       dpa < view->info.dpa + view->info.window_bytes;
}

/* The end of a window that overlaps [dpa, dpa + bytes); dpa if there is none. */
static uint64_t window_behind(const struct sqc_store *store, uint64_t dpa, uint64_t bytes)
{
	for (uint32_t slot = 0; slot < SQC_VIEWS_MAX; slot++) {
		const struct sqc_view *view = &store->views[slot];

		if (overlaps(view, dpa, bytes))
			return view->info.dpa + view->info.window_bytes;
	}
	return dpa;
}

/* First fit: from 0, past each window that is in the way. */
static bool window_find(const struct sqc_store *store, uint64_t bytes, uint64_t *dpa)
{
	uint64_t at = 0;

	while (at <= store->logical_bytes && bytes <= store->logical_bytes - at) {
		const uint64_t behind = window_behind(store, at, bytes);

		if (behind == at) {
			*dpa = at;
			return true;
		}
		at = behind;
	}
	return false;
}

static uint32_t free_slot(const struct sqc_store *store)
{
	uint32_t slot = 0;

	while (slot < SQC_VIEWS_MAX && store->views[slot].mapped)
		slot++;
	return slot;
}

sqc_status sqc_view_map(struct sqc_store *store, const struct sqc_read_request *request,
			struct sqc_view_info *info)
{
	const uint32_t slot = free_slot(store);
	struct sqc_layout layout;
	const sqc_status status = sqc_read_layout(store, request, &layout);
	uint64_t window, dpa;

	if (status)
		return status;
	window = sqc_round_up(layout.bytes, SQC_VIEW_ALIGN);
	if (slot == SQC_VIEWS_MAX || !window_find(store, window, &dpa))
		return SQ_STATUS_RESOURCES_EXHAUSTED;
	if (++store->views[slot].generation == 0)
		store->views[slot].generation = 1;
	*info = (struct sqc_view_info){
		.view = view_id(store, slot),
		.request = *request,
		.layout = layout,
		.dpa = dpa,
		.window_bytes = window,
	};
	info->request.format = layout.format;
	info->request.rounding = layout.rounding;
	store->views[slot].info = *info;
	store->views[slot].mapped = true;
	store->view_count++;
	sqc_region_of(store, request->handle)->views++;
	return SQ_STATUS_SUCCESS;
}

sqc_status sqc_view_unmap(struct sqc_store *store, uint32_t id)
{
	const struct sqc_view *view = view_of(store, id);

	if (!view)
		return SQ_STATUS_INVALID_HANDLE;
	store->views[id & 0xffff].mapped = false;
	store->view_count--;
	sqc_region_of(store, view->info.request.handle)->views--;
	return SQ_STATUS_SUCCESS;
}

sqc_status sqc_view_describe(const struct sqc_store *store, uint32_t id, struct sqc_view_info *info)
{
	const struct sqc_view *view = view_of(store, id);

	if (!view)
		return SQ_STATUS_INVALID_HANDLE;
	*info = view->info;
	return SQ_STATUS_SUCCESS;
}

void sqc_view_next(const struct sqc_store *store, uint32_t after, uint32_t *next)
{
	uint32_t slot = after ? (after & 0xffff) + 1 : 0;

	while (slot < SQC_VIEWS_MAX && !store->views[slot].mapped)
		slot++;
	*next = slot < SQC_VIEWS_MAX ? view_id(store, slot) : 0;
}

const struct sqc_view *sqc_view_at(const struct sqc_store *store, uint64_t dpa)
{
	for (uint32_t slot = 0; slot < SQC_VIEWS_MAX; slot++) {
		if (overlaps(&store->views[slot], dpa, 1))
			return &store->views[slot];
	}
	return NULL;
}
