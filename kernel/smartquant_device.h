/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One card: what all parts of the driver share, and its life.
 *
 * A struct sq_device lives from probe until the last reference is put, which
 * may be long after the card is gone: open files, views and their mappings
 * hold one. The gate keeps the two apart. Whoever comes from userspace
 * enters it before touching hardware; sq_device_remove() shuts it, waits
 * until everybody is out, and only then gives the hardware back.
 *
 * Lock order, outermost first
 *   mmap_lock
 *   regions.lock          sysfs folders of the regions follow the commands
 *   views_lock, view.void_lock
 *   mailbox.background    one waiter for a background command
 *   mailbox.lock          one command at a time
 *   queue.lock            spinlock, rings and slots
 * Nobody touches user memory with one of these held but the first.
 */
#ifndef SMARTQUANT_DEVICE_KERNEL_H
#define SMARTQUANT_DEVICE_KERNEL_H

#include <linux/cdev.h>
#include <linux/device.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/pci.h>
#include <linux/srcu.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include <smartquant/uapi.h>

#include "smartquant_mailbox.h"

struct sq_queue;
struct sq_statistics_folder;

/**
 * struct sq_limits - what Identify said once, checked and CPU-endian
 * @queues: queue pairs to run: no more than doorbells, CPUs and vectors
 * @queue_depth: entries of a ring at most
 * @transfer_bytes: data of a transfer at most
 * @scatter_entries: pieces of a transfer at most
 * @logical_bytes: of the space that views are mapped in
 */
struct sq_limits {
	u32 queues;
	u32 queue_depth;
	u32 transfer_bytes;
	u32 scatter_entries;
	u64 logical_bytes;
};

/**
 * struct sq_device - a card
 * @dev: the class device smartquantN; its release frees this structure
 * @cdev: /dev/smartquantN
 * @pdev: function 1; valid for everybody inside of the gate
 * @mailbox: control path
 * @limits: constant after probe
 * @firmware: constant after probe, terminated
 * @serial: constant after probe, terminated
 * @doorbells: BAR2, a page for each queue
 * @queues: data path
 * @queue_count: of @queues
 * @gate: readers are inside, see sq_device_enter()
 * @gone: the card is gone or going; written once
 * @reset_work: resets a card that does not answer
 * @resetting: a reset is under way; its own failure asks for no other one, the
 *	       next request of a user does
 * @mapping_inode: its address space has all mappings of all views, so
 *		   that they can be zapped whatever file they were made by
 * @views_lock: protects @views and @views_epoch
 * @views: every view of the card
 * @views_epoch: counts the resets, with each of which all views end
 * @regions: sysfs folders; @lock is held over a command that changes the set
 *	     of regions and its effect here
 * @statistics: sysfs folder of the global counters
 * @power_notifier: refuses suspend
 * @memdev: function 0's memN and its link in sysfs
 */
struct sq_device {
	struct device dev;
	struct cdev cdev;
	struct pci_dev *pdev;
	struct sq_mailbox mailbox;
	struct sq_limits limits;
	char firmware[40];
	char serial[24];

	void __iomem *doorbells;
	struct sq_queue *queues;
	unsigned int queue_count;

	struct srcu_struct gate;
	bool gone;
	struct work_struct reset_work;
	bool resetting;

	struct inode *mapping_inode;
	struct mutex views_lock;
	struct list_head views;
	unsigned int views_epoch;

	struct {
		struct mutex lock;
		struct kobject *folder;
		struct xarray by_handle;
	} regions;
	struct sq_statistics_folder *statistics;
	struct notifier_block power_notifier;

	struct {
		struct notifier_block notifier;
		struct mutex lock;
		struct device *linked;	/* NULL: no link */
		int id;			/* N of memN, -1: none */
	} memdev;
};

struct sq_device *sq_device_create(struct pci_dev *pdev);
void sq_device_destroy(struct sq_device *sq);
/* /dev and /sys; the card must be ready for requests. */
int sq_device_publish(struct sq_device *sq);
void sq_device_unpublish(struct sq_device *sq);

int sq_device_class_register(void);
void sq_device_class_unregister(void);

static inline struct sq_device *sq_device_of(struct device *dev)
{
	return container_of(dev, struct sq_device, dev);
}

static inline void sq_device_get(struct sq_device *sq)
{
	get_device(&sq->dev);
}

static inline void sq_device_put(struct sq_device *sq)
{
	put_device(&sq->dev);
}

/**
 * sq_device_enter() - goes through the gate
 * @sq: the card
 * @ticket: for sq_device_leave()
 *
 * Return: true, and the hardware stays until sq_device_leave(); or false: the
 * card is gone, and there is nothing to leave.
 */
static inline bool sq_device_enter(struct sq_device *sq, int *ticket)
{
	*ticket = srcu_read_lock(&sq->gate);
	if (!READ_ONCE(sq->gone))
		return true;
	srcu_read_unlock(&sq->gate, *ticket);
	return false;
}

static inline void sq_device_leave(struct sq_device *sq, int ticket)
{
	srcu_read_unlock(&sq->gate, ticket);
}

/* Shuts the gate: nobody new comes in, waiters are told. */
void sq_device_shut(struct sq_device *sq);
/* Waits until everybody is out. */
static inline void sq_device_drain(struct sq_device *sq)
{
	synchronize_srcu(&sq->gate);
}

/* The card does not answer: resets it, from a worker. */
void sq_device_reset_later(struct sq_device *sq);

#endif /* SMARTQUANT_DEVICE_KERNEL_H */
