/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /sys/class/smartquant/smartquantN: docs/abi/sysfs-class-smartquant */
#ifndef SMARTQUANT_SYSFS_H
#define SMARTQUANT_SYSFS_H

#include <linux/sysfs.h>

struct sq_device;

/* The files of a card. */
extern const struct attribute_group *sq_device_groups[];

/* Its folders and links, which come after the files and go before them. */
int sq_sysfs_start(struct sq_device *sq);
void sq_sysfs_stop(struct sq_device *sq);

#endif /* SMARTQUANT_SYSFS_H */
