// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * SmartQuant: driver of the card's controller (PCI function 1)
 *
 * Function 0, the memory, belongs to the kernel's cxl driver. This one talks
 * to the controller: regions and views over its mailbox, transfers over its
 * queues. Userspace comes in by /dev/smartquantN (include/smartquant/uapi.h)
 * and /sys/class/smartquant.
 *
 *   pci         this file: probe, remove, resets
 *   device      one card, and the gate that keeps its hardware and its users
 *               apart when it goes
 *   registers   where the registers are
 *   mailbox     commands              status     their results as errnos
 *   queue       rings, interrupts     transfer   memory of one transfer
 *   region      regions               view       views and their mappings
 *   file, ioctl, uring                           the device node
 *   sysfs, statistics, memdev, names             the class device's files
 *   trace       trace events
 */

#include <linux/dma-mapping.h>
#include <linux/interrupt.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/suspend.h>

#include "smartquant_device.h"
#include "smartquant_queue.h"
#include "smartquant_region.h"
#include "smartquant_registers.h"
#include "smartquant_sysfs.h"
#include "smartquant_view.h"

static int sq_pci_enable(struct pci_dev *pdev)
{
	int ret;

	ret = pcim_enable_device(pdev);
	if (ret)
		return dev_err_probe(&pdev->dev, ret, "cannot enable the device\n");
	ret = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));
	if (ret)
		return dev_err_probe(&pdev->dev, ret, "no 64-bit DMA\n");
	/* No queue, view or DMA of whoever had the card before. */
	pci_save_state(pdev);
	ret = __pci_reset_function_locked(pdev);
	pci_restore_state(pdev);
	if (ret)
		dev_dbg(&pdev->dev, "taken over without a reset: %d\n", ret);
	pci_set_master(pdev);
	return 0;
}

static bool sq_limits_plausible(const struct sq_limits *limits)
{
	return limits->queues && limits->queue_depth >= SQ_QUEUE_DEPTH_MIN &&
	       limits->queue_depth <= SQ_QUEUE_DEPTH_MAX && limits->transfer_bytes &&
	       limits->scatter_entries && limits->logical_bytes <= S64_MAX;
}

/* What the device says of itself, cut to what this driver can use. */
static int sq_pci_identify(struct sq_device *sq)
{
	struct sq_limits *limits = &sq->limits;
	struct sq_mbox_identify identify;
	int ret;

	ret = sq_mailbox_run(sq, SQ_MBOX_IDENTIFY, NULL, 0, &identify, sizeof(identify), NULL);
	if (ret)
		return dev_err_probe(&sq->pdev->dev, ret, "the device does not identify itself\n");

	limits->queues = min3(limits->queues, (u32)le16_to_cpu(identify.queues_max),
			      (u32)num_online_cpus());
	limits->queue_depth = le16_to_cpu(identify.queue_depth_max);
	limits->transfer_bytes = min_t(u32, le32_to_cpu(identify.transfer_bytes_max),
				       SQ_TRANSFER_BYTES_MAX);
	limits->scatter_entries = min_t(u32, le32_to_cpu(identify.scatter_entries_max),
					SQ_SCATTER_ENTRIES_MAX);
	limits->logical_bytes = le64_to_cpu(identify.logical_bytes);
	if (!sq_limits_plausible(limits))
		return dev_err_probe(&sq->pdev->dev, -ENXIO,
				     "%u queues of %u, transfers of %u bytes: unusable\n",
				     limits->queues, limits->queue_depth, limits->transfer_bytes);

	/* Both are zero-padded, not terminated. */
	memcpy(sq->firmware, identify.firmware, sizeof(identify.firmware));
	memcpy(sq->serial, identify.serial, sizeof(identify.serial));
	return 0;
}

static irqreturn_t sq_pci_mailbox_interrupt(int irq, void *data)
{
	struct sq_device *sq = data;

	sq_mailbox_interrupt(&sq->mailbox);
	return IRQ_HANDLED;
}

/* A vector for the mailbox and one for each queue; fewer vectors, fewer queues. */
static int sq_pci_request_vectors(struct sq_device *sq)
{
	struct pci_dev *pdev = sq->pdev;
	int vectors, ret;

	vectors = pci_alloc_irq_vectors(pdev, 2, 1 + sq->limits.queues, PCI_IRQ_MSIX);
	if (vectors < 0)
		return dev_err_probe(&pdev->dev, vectors, "no MSI-X vectors\n");
	sq->limits.queues = vectors - 1;

	if (sq->mailbox.vector != SQ_MSIX_VECTOR_MAILBOX)
		sq->mailbox.vector = -1;
	ret = request_irq(pci_irq_vector(pdev, SQ_MSIX_VECTOR_MAILBOX), sq_pci_mailbox_interrupt,
			  0, dev_name(&sq->dev), sq);
	if (ret)
		pci_free_irq_vectors(pdev);
	return ret;
}

static void sq_pci_free_vectors(struct sq_device *sq)
{
	free_irq(pci_irq_vector(sq->pdev, SQ_MSIX_VECTOR_MAILBOX), sq);
	pci_free_irq_vectors(sq->pdev);
}

/*
 * Nobody new, nobody inside, then nothing left: the order in which a card is
 * taken away, whether it still answers or not.
 */
static void sq_pci_quiesce(struct sq_device *sq)
{
	sq_device_shut(sq);
	cancel_work_sync(&sq->reset_work);
	sq_queues_stop(sq);
	sq_device_drain(sq);
	/* Whoever passed the gate before it shut may have asked for another. */
	cancel_work_sync(&sq->reset_work);
	sq_views_stop(sq);
}

/*
 * Views and the HDM decoders would not survive a suspend, and what lies in the
 * window of a running process cannot be brought back: so there is none. It is
 * refused here, before any device is suspended.
 */
static int sq_pci_power(struct notifier_block *notifier, unsigned long event, void *unused)
{
	switch (event) {
	case PM_SUSPEND_PREPARE:
	case PM_HIBERNATION_PREPARE:
	case PM_RESTORE_PREPARE:
		return notifier_from_errno(-EBUSY);
	default:
		return NOTIFY_DONE;
	}
}

static int sq_pci_start(struct sq_device *sq)
{
	int ret;

	ret = sq_pci_request_vectors(sq);
	if (ret)
		return ret;
	ret = sq_queues_start(sq);
	if (ret)
		goto free_vectors;
	ret = sq_device_publish(sq);
	if (ret)
		goto quiesce;
	ret = sq_sysfs_start(sq);
	if (ret)
		goto unpublish;
	sq->power_notifier.notifier_call = sq_pci_power;
	ret = register_pm_notifier(&sq->power_notifier);
	if (ret)
		goto stop_sysfs;
	return 0;

stop_sysfs:
	sq_sysfs_stop(sq);
unpublish:
	sq_device_shut(sq);
	sq_device_unpublish(sq);
quiesce:
	sq_pci_quiesce(sq);
free_vectors:
	sq_pci_free_vectors(sq);
	return ret;
}

static int sq_pci_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct sq_device *sq;
	int ret;

	sq = sq_device_create(pdev);
	if (IS_ERR(sq))
		return PTR_ERR(sq);
	ret = sq_pci_enable(pdev);
	if (!ret)
		ret = sq_registers_check_version(sq);
	if (!ret)
		ret = sq_registers_map(sq);
	if (!ret)
		ret = sq_pci_identify(sq);
	if (!ret)
		ret = sq_pci_start(sq);
	if (ret) {
		sq_device_destroy(sq);
		return ret;
	}
	pci_set_drvdata(pdev, sq);
	return 0;
}

static void sq_pci_remove(struct pci_dev *pdev)
{
	struct sq_device *sq = pci_get_drvdata(pdev);

	unregister_pm_notifier(&sq->power_notifier);
	sq_pci_quiesce(sq);
	sq_sysfs_stop(sq);
	sq_device_unpublish(sq);
	sq_pci_free_vectors(sq);
	sq_device_destroy(sq);
}

/* Before a kexec or a power-off: no DMA and no interrupts any more. */
static void sq_pci_shutdown(struct pci_dev *pdev)
{
	sq_pci_quiesce(pci_get_drvdata(pdev));
	pci_clear_master(pdev);
}

/* The PCI core is about to reset the function, for whatever reason. */
static void sq_pci_reset_prepare(struct pci_dev *pdev)
{
	struct sq_device *sq = pci_get_drvdata(pdev);

	WRITE_ONCE(sq->resetting, true);
	sq_queues_pause(sq);
	sq_mailbox_pause(&sq->mailbox);
}

static void sq_pci_reset_done(struct pci_dev *pdev)
{
	struct sq_device *sq = pci_get_drvdata(pdev);

	sq_mailbox_resume(&sq->mailbox);
	sq_views_void(sq);
	sq_queues_resume(sq);
	WRITE_ONCE(sq->resetting, false);
}

static const struct pci_error_handlers sq_pci_error_handlers = {
	.reset_prepare = sq_pci_reset_prepare,
	.reset_done = sq_pci_reset_done,
};

static const struct pci_device_id sq_pci_ids[] = {
	{ PCI_DEVICE(SQ_PCI_VENDOR_ID, SQ_PCI_DEVICE_ID) },
	{ }
};
MODULE_DEVICE_TABLE(pci, sq_pci_ids);

static struct pci_driver sq_pci_driver = {
	.name = KBUILD_MODNAME,
	.id_table = sq_pci_ids,
	.probe = sq_pci_probe,
	.remove = sq_pci_remove,
	.shutdown = sq_pci_shutdown,
	.err_handler = &sq_pci_error_handlers,
};

static int __init sq_init(void)
{
	int ret;

	ret = sq_views_init();
	if (ret)
		return ret;
	ret = sq_device_class_register();
	if (ret)
		goto exit_views;
	ret = pci_register_driver(&sq_pci_driver);
	if (ret)
		goto unregister_class;
	return 0;

unregister_class:
	sq_device_class_unregister();
exit_views:
	sq_views_exit();
	return ret;
}

static void __exit sq_exit(void)
{
	pci_unregister_driver(&sq_pci_driver);
	/* The last users of cards put their references from here. */
	sq_views_exit();
	sq_device_class_unregister();
}

module_init(sq_init);
module_exit(sq_exit);

MODULE_DESCRIPTION("SmartQuant CXL model store");
MODULE_AUTHOR("The SmartQuant developers");
MODULE_LICENSE("GPL");
