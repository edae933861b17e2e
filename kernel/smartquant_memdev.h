/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Function 0's memN: the cxl driver's device for the card's memory. It comes
 * and goes with that driver; the link "cxl_memdev" in sysfs follows.
 */
#ifndef SMARTQUANT_MEMDEV_H
#define SMARTQUANT_MEMDEV_H

struct sq_device;

int sq_memdev_start(struct sq_device *sq);
void sq_memdev_stop(struct sq_device *sq);
/* N of memN, or -1. */
int sq_memdev_id(struct sq_device *sq);

#endif /* SMARTQUANT_MEMDEV_H */
