// SPDX-License-Identifier: GPL-2.0-or-later
/* One card: creation, the gate, the character device, resets. */

#include <linux/anon_inodes.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/idr.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include "smartquant_device.h"
#include "smartquant_file.h"
#include "smartquant_queue.h"
#include "smartquant_sysfs.h"
#include "smartquant_view.h"

#define SQ_DEVICES_MAX			64

static dev_t sq_first_devt;
static DEFINE_IDA(sq_minors);

/* Time between attempts to reset a card that somebody else holds. */
#define SQ_RESET_RETRY_MS		100

static void sq_device_release(struct device *dev)
{
	struct sq_device *sq = sq_device_of(dev);

	iput(sq->mapping_inode);
	cleanup_srcu_struct(&sq->gate);
	xa_destroy(&sq->regions.by_handle);
	kfree(sq->queues);
	pci_dev_put(sq->pdev);
	kfree(sq);
}

static const struct class sq_class = {
	.name = "smartquant",
	.dev_groups = sq_device_groups,
	.dev_release = sq_device_release,
};

int sq_device_class_register(void)
{
	int ret = alloc_chrdev_region(&sq_first_devt, 0, SQ_DEVICES_MAX, KBUILD_MODNAME);

	if (ret)
		return ret;
	ret = class_register(&sq_class);
	if (ret)
		unregister_chrdev_region(sq_first_devt, SQ_DEVICES_MAX);
	return ret;
}

void sq_device_class_unregister(void)
{
	class_unregister(&sq_class);
	unregister_chrdev_region(sq_first_devt, SQ_DEVICES_MAX);
	ida_destroy(&sq_minors);
}

/*
 * Resets the card by the PCI core, which calls back for what has to happen
 * before and after. It takes the device's lock, and whoever removes the
 * device waits for this work with that lock held: so only try.
 */
static void sq_device_reset(struct work_struct *work)
{
	struct sq_device *sq = container_of(work, struct sq_device, reset_work);
	int ret;

	do {
		if (READ_ONCE(sq->gone))
			return;
		ret = pci_try_reset_function(sq->pdev);
		if (ret == -EAGAIN)
			msleep(SQ_RESET_RETRY_MS);
	} while (ret == -EAGAIN);
	if (!ret)
		return;

	dev_err(&sq->dev, "cannot be reset (%d); unbind it from the driver\n", ret);
	pci_clear_master(sq->pdev);
	sq_queues_fail(sq, -EIO);
}

void sq_device_reset_later(struct sq_device *sq)
{
	if (READ_ONCE(sq->gone) || READ_ONCE(sq->resetting))
		return;
	dev_err_ratelimited(&sq->dev, "does not answer, resetting it\n");
	queue_work(system_long_wq, &sq->reset_work);
}

void sq_device_shut(struct sq_device *sq)
{
	WRITE_ONCE(sq->gone, true);
	wake_up_all(&sq->mailbox.background_wait);
}

static const struct file_operations sq_mapping_fops = {};

/*
 * An inode of our own, for its address space. The file that it comes with goes
 * at once: the last fput() of a file is put off to the end of the system call,
 * and at the end of delete_module() its operations would be gone.
 */
static struct inode *sq_mapping_inode_create(void)
{
	struct file *file = anon_inode_create_getfile("[smartquant]", &sq_mapping_fops, NULL,
						      O_RDONLY, NULL);
	struct inode *inode;

	if (IS_ERR(file))
		return ERR_CAST(file);
	inode = file_inode(file);
	ihold(inode);
	fput(file);
	return inode;
}

static int sq_device_init_memory(struct sq_device *sq)
{
	struct inode *inode;
	int ret = init_srcu_struct(&sq->gate);

	if (ret)
		return ret;
	inode = sq_mapping_inode_create();
	if (IS_ERR(inode)) {
		cleanup_srcu_struct(&sq->gate);
		return PTR_ERR(inode);
	}
	sq->mapping_inode = inode;
	return 0;
}

static void sq_device_init_locks(struct sq_device *sq)
{
	mutex_init(&sq->views_lock);
	INIT_LIST_HEAD(&sq->views);
	mutex_init(&sq->regions.lock);
	xa_init(&sq->regions.by_handle);
	mutex_init(&sq->memdev.lock);
	sq->memdev.id = -1;
	INIT_WORK(&sq->reset_work, sq_device_reset);
	sq_mailbox_create(&sq->mailbox);
}

/* Return: the card with one reference, not yet visible; or an ERR_PTR. */
struct sq_device *sq_device_create(struct pci_dev *pdev)
{
	struct sq_device *sq = kzalloc(sizeof(*sq), GFP_KERNEL);
	int ret, minor;

	if (!sq)
		return ERR_PTR(-ENOMEM);
	sq_device_init_locks(sq);
	ret = sq_device_init_memory(sq);
	if (ret) {
		kfree(sq);
		return ERR_PTR(ret);
	}

	sq->pdev = pci_dev_get(pdev);
	device_initialize(&sq->dev);
	sq->dev.class = &sq_class;
	sq->dev.parent = &pdev->dev;
	minor = ida_alloc_max(&sq_minors, SQ_DEVICES_MAX - 1, GFP_KERNEL);
	if (minor < 0) {
		sq_device_put(sq);
		return ERR_PTR(minor);
	}
	sq->dev.devt = sq_first_devt + minor;
	ret = dev_set_name(&sq->dev, "smartquant%d", minor);
	if (ret) {
		sq_device_destroy(sq);
		return ERR_PTR(ret);
	}
	return sq;
}

/*
 * The number is free again at once, so that a card that is bound again keeps
 * its name although files of its former life are still open.
 */
void sq_device_destroy(struct sq_device *sq)
{
	ida_free(&sq_minors, sq->dev.devt - sq_first_devt);
	sq_device_put(sq);
}

int sq_device_publish(struct sq_device *sq)
{
	cdev_init(&sq->cdev, &sq_file_operations);
	sq->cdev.owner = THIS_MODULE;
	return cdev_device_add(&sq->cdev, &sq->dev);
}

void sq_device_unpublish(struct sq_device *sq)
{
	cdev_device_del(&sq->cdev, &sq->dev);
}
