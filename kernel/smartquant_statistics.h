/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Counters of the device, and their folder in sysfs. */
#ifndef SMARTQUANT_STATISTICS_H
#define SMARTQUANT_STATISTICS_H

#include <linux/types.h>

#include <smartquant/device.h>

struct kobject;
struct sq_device;
struct sq_statistics_folder;

/* @status may be NULL. */
int sq_statistics_get(struct sq_device *sq, u32 scope, u32 key, struct sq_statistics *statistics,
		      u32 *status);
int sq_statistics_reset(struct sq_device *sq, u32 scope, u32 key, u32 *status);

/* A folder "stats" under @parent, one counter a file; NULL without memory. */
struct sq_statistics_folder *sq_statistics_folder_add(struct sq_device *sq, struct kobject *parent,
						      u32 scope, u32 key);
void sq_statistics_folder_remove(struct sq_statistics_folder *folder);

#endif /* SMARTQUANT_STATISTICS_H */
