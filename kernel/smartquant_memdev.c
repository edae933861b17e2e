// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Function 0's memN
 *
 * It is found as the child of function 0 that is on the bus "cxl" and called
 * memN; that needs nothing of the cxl driver but its names, which are sysfs
 * ABI. When function 0 is bound or unbound the PCI bus tells us.
 */

#include <linux/device.h>
#include <linux/notifier.h>
#include <linux/pci.h>
#include <linux/sysfs.h>

#include "smartquant_device.h"
#include "smartquant_memdev.h"

static const char sq_memdev_link[] = "cxl_memdev";

static bool sq_memdev_parse(struct device *dev, int *id)
{
	char rest;

	return dev->bus && !strcmp(dev->bus->name, "cxl") &&
	       sscanf(dev_name(dev), "mem%d%c", id, &rest) == 1;
}

static int sq_memdev_match(struct device *dev, void *unused)
{
	int id;

	return sq_memdev_parse(dev, &id);
}

static bool sq_memdev_is_function0(const struct sq_device *sq, const struct device *dev)
{
	const struct pci_dev *pdev = to_pci_dev(dev);

	return pdev->bus == sq->pdev->bus &&
	       pdev->devfn == PCI_DEVFN(PCI_SLOT(sq->pdev->devfn), 0);
}

static void sq_memdev_unlink(struct sq_device *sq)
{
	lockdep_assert_held(&sq->memdev.lock);
	if (!sq->memdev.linked)
		return;
	sysfs_remove_link(&sq->dev.kobj, sq_memdev_link);
	put_device(sq->memdev.linked);
	sq->memdev.linked = NULL;
	sq->memdev.id = -1;
}

static void sq_memdev_link_child(struct sq_device *sq, struct device *function0)
{
	struct device *memdev;

	guard(mutex)(&sq->memdev.lock);
	if (sq->memdev.linked)
		return;
	memdev = device_find_child(function0, NULL, sq_memdev_match);
	if (!memdev)
		return;
	if (sysfs_create_link(&sq->dev.kobj, &memdev->kobj, sq_memdev_link)) {
		put_device(memdev);
		return;
	}
	sq->memdev.linked = memdev;
	sq_memdev_parse(memdev, &sq->memdev.id);
}

static int sq_memdev_notify(struct notifier_block *notifier, unsigned long event, void *data)
{
	struct sq_device *sq = container_of(notifier, struct sq_device, memdev.notifier);

	if (!sq_memdev_is_function0(sq, data))
		return NOTIFY_DONE;
	if (event == BUS_NOTIFY_BOUND_DRIVER)
		sq_memdev_link_child(sq, data);
	if (event == BUS_NOTIFY_UNBIND_DRIVER) {
		guard(mutex)(&sq->memdev.lock);
		sq_memdev_unlink(sq);
	}
	return NOTIFY_DONE;
}

int sq_memdev_start(struct sq_device *sq)
{
	struct pci_dev *function0;
	int ret;

	sq->memdev.notifier.notifier_call = sq_memdev_notify;
	ret = bus_register_notifier(&pci_bus_type, &sq->memdev.notifier);
	if (ret)
		return ret;
	function0 = pci_get_slot(sq->pdev->bus, PCI_DEVFN(PCI_SLOT(sq->pdev->devfn), 0));
	if (function0)
		sq_memdev_link_child(sq, &function0->dev);
	pci_dev_put(function0);
	return 0;
}

void sq_memdev_stop(struct sq_device *sq)
{
	bus_unregister_notifier(&pci_bus_type, &sq->memdev.notifier);
	guard(mutex)(&sq->memdev.lock);
	sq_memdev_unlink(sq);
}

int sq_memdev_id(struct sq_device *sq)
{
	guard(mutex)(&sq->memdev.lock);
	return sq->memdev.id;
}
