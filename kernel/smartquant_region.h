/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Regions: the commands about them, and their folders in sysfs, which follow
 * the commands.
 */
#ifndef SMARTQUANT_REGION_H
#define SMARTQUANT_REGION_H

#include <linux/types.h>

#include <smartquant/device.h>

struct sq_device;

/* What the device says of a region; the name is terminated. */
struct sq_region_details {
	struct sq_region_info info;
	char name[SQ_NAME_MAX + 1];
};

struct sq_region_spec {
	u8 dtype;
	u8 placement;
	u16 name_bytes;
	u32 rows;
	u32 cols;
	const char *name;
};

/* sysfs: regions/, and a folder for each region that exists. */
int sq_regions_start(struct sq_device *sq);
void sq_regions_stop(struct sq_device *sq);
/* After commands that may change the set of regions as a whole. */
int sq_regions_synchronise(struct sq_device *sq);

int sq_region_create(struct sq_device *sq, const struct sq_region_spec *spec, u32 *handle,
		     u32 *status);
int sq_region_delete(struct sq_device *sq, u32 handle, u32 *status);
int sq_region_seal(struct sq_device *sq, u32 handle, u32 *status);
int sq_region_set_precision(struct sq_device *sq, u32 handle, u16 format, u32 *status);
int sq_region_get(struct sq_device *sq, u32 handle, struct sq_region_details *details,
		  u32 *status);
int sq_region_find(struct sq_device *sq, const char *name, u32 name_bytes,
		   struct sq_region_details *details, u32 *status);
/* At most @max handles behind @after; says how many, and whether more follow. */
int sq_region_list(struct sq_device *sq, u32 after, u32 *handles, u32 max, u32 *count, bool *more,
		   u32 *status);
/* Handles that one answer has room for. */
u32 sq_region_list_max(const struct sq_device *sq);

#endif /* SMARTQUANT_REGION_H */
