/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Precision views: windows of function 0's memory through which loads see a
 * region in one format, and their mappings into processes.
 *
 * A view is held by the file that mapped it, by each exported file and by
 * each mapping. The device forgets it with the last of them. Views are kept
 * in a set per file, struct sq_views.
 */
#ifndef SMARTQUANT_VIEW_H
#define SMARTQUANT_VIEW_H

#include <linux/types.h>
#include <linux/xarray.h>

#include <smartquant/device.h>

struct file;
struct sq_device;
struct sq_view;
struct vm_area_struct;

/* The views of a file, by id. */
struct sq_views {
	struct xarray by_id;
};

/* A workqueue for the views whose last holder must not wait. */
int sq_views_init(void);
void sq_views_exit(void);
/* Waits until the device knows of every view that was given up before. */
void sq_views_settle(void);

void sq_views_open(struct sq_views *views);
/* Gives up all views of the file. */
void sq_views_close(struct sq_views *views);

/*
 * Maps a view and puts it into the set. Inside of the gate. On success *info
 * is the device's answer, checked.
 */
int sq_view_map(struct sq_device *sq, struct sq_views *views, const struct sq_mbox_map_view *map,
		struct sq_view_info *info, u32 *status);
/* What the device says of a view of the set. -ENOENT: not of this set. */
int sq_view_get(struct sq_device *sq, struct sq_views *views, u32 id, struct sq_view_info *info,
		u32 *status);
int sq_view_unmap(struct sq_views *views, u32 id, u32 *status);
/* A new file that can be mapped from 0, or an ERR_PTR. */
struct file *sq_view_export(struct sq_views *views, u32 id);

/* mmap() of a file that has a set: the offset is the view's dpa. */
int sq_views_mmap(struct sq_views *views, struct vm_area_struct *vma);

/* The card was reset and has forgotten its views: their mappings raise SIGBUS. */
void sq_views_void(struct sq_device *sq);
/* The card goes, and nobody is inside of the gate: gives all views up. */
void sq_views_stop(struct sq_device *sq);

#endif /* SMARTQUANT_VIEW_H */
