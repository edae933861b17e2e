// SPDX-License-Identifier: GPL-2.0-or-later
/* /dev/smartquantN: open, release, mmap. */

#include <linux/fs.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "smartquant_device.h"
#include "smartquant_file.h"
#include "smartquant_view.h"

static int sq_file_open(struct inode *inode, struct file *file)
{
	struct sq_device *sq = container_of(inode->i_cdev, struct sq_device, cdev);
	struct sq_file *opened;

	if (READ_ONCE(sq->gone))
		return -ENODEV;
	opened = kzalloc(sizeof(*opened), GFP_KERNEL);
	if (!opened)
		return -ENOMEM;
	sq_device_get(sq);
	opened->sq = sq;
	sq_views_open(&opened->views);
	file->private_data = opened;
	/* All mappings of a card in one address space, see sq_views_void(). */
	file->f_mapping = sq->mapping_inode->i_mapping;
	return nonseekable_open(inode, file);
}

static int sq_file_release(struct inode *inode, struct file *file)
{
	struct sq_file *opened = file->private_data;

	sq_views_close(&opened->views);
	sq_device_put(opened->sq);
	kfree(opened);
	return 0;
}

static int sq_file_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct sq_file *opened = file->private_data;

	return sq_views_mmap(&opened->views, vma);
}

const struct file_operations sq_file_operations = {
	.owner = THIS_MODULE,
	.open = sq_file_open,
	.release = sq_file_release,
	.unlocked_ioctl = sq_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = sq_file_mmap,
	.uring_cmd = sq_uring_command,
};
