// SPDX-License-Identifier: GPL-2.0-or-later
/* /sys/class/smartquant/smartquantN: docs/abi/sysfs-class-smartquant */

#include <linux/device.h>
#include <linux/sysfs.h>

#include "smartquant_device.h"
#include "smartquant_memdev.h"
#include "smartquant_region.h"
#include "smartquant_statistics.h"
#include "smartquant_sysfs.h"

static ssize_t model_show(struct device *dev, struct device_attribute *attribute, char *text)
{
	return sysfs_emit(text, "SmartQuant CXL model store\n");
}
static DEVICE_ATTR_RO(model);

static ssize_t firmware_show(struct device *dev, struct device_attribute *attribute, char *text)
{
	return sysfs_emit(text, "%s\n", sq_device_of(dev)->firmware);
}
static DEVICE_ATTR_RO(firmware);

static ssize_t serial_show(struct device *dev, struct device_attribute *attribute, char *text)
{
	return sysfs_emit(text, "%s\n", sq_device_of(dev)->serial);
}
static DEVICE_ATTR_RO(serial);

static ssize_t queues_show(struct device *dev, struct device_attribute *attribute, char *text)
{
	return sysfs_emit(text, "%u\n", sq_device_of(dev)->queue_count);
}
static DEVICE_ATTR_RO(queues);

static ssize_t logical_bytes_show(struct device *dev, struct device_attribute *attribute,
				  char *text)
{
	return sysfs_emit(text, "%llu\n", sq_device_of(dev)->limits.logical_bytes);
}
static DEVICE_ATTR_RO(logical_bytes);

/* The rest changes, so the device is asked. */
static int sq_sysfs_identify(struct device *dev, struct sq_mbox_identify *identify)
{
	return sq_mailbox_run(sq_device_of(dev), SQ_MBOX_IDENTIFY, NULL, 0, identify,
			      sizeof(*identify), NULL);
}

static ssize_t interface_version_show(struct device *dev, struct device_attribute *attribute,
				      char *text)
{
	struct sq_mbox_identify identify;
	int ret = sq_sysfs_identify(dev, &identify);

	return ret ?: sysfs_emit(text, "%u.%u\n", le16_to_cpu(identify.interface_major),
				 le16_to_cpu(identify.interface_minor));
}
static DEVICE_ATTR_RO(interface_version);

static ssize_t capacity_bytes_show(struct device *dev, struct device_attribute *attribute,
				   char *text)
{
	struct sq_mbox_identify identify;
	int ret = sq_sysfs_identify(dev, &identify);

	return ret ?: sysfs_emit(text, "%llu\n", le64_to_cpu(identify.capacity_bytes));
}
static DEVICE_ATTR_RO(capacity_bytes);

static ssize_t used_bytes_show(struct device *dev, struct device_attribute *attribute, char *text)
{
	struct sq_mbox_identify identify;
	int ret = sq_sysfs_identify(dev, &identify);

	return ret ?: sysfs_emit(text, "%llu\n", le64_to_cpu(identify.used_bytes));
}
static DEVICE_ATTR_RO(used_bytes);

static struct attribute *sq_device_attrs[] = {
	&dev_attr_model.attr,
	&dev_attr_firmware.attr,
	&dev_attr_serial.attr,
	&dev_attr_interface_version.attr,
	&dev_attr_capacity_bytes.attr,
	&dev_attr_used_bytes.attr,
	&dev_attr_logical_bytes.attr,
	&dev_attr_queues.attr,
	NULL
};

static const struct attribute_group sq_device_group = {
	.attrs = sq_device_attrs,
};

const struct attribute_group *sq_device_groups[] = {
	&sq_device_group,
	NULL
};

int sq_sysfs_start(struct sq_device *sq)
{
	int ret = -ENOMEM;

	sq->statistics = sq_statistics_folder_add(sq, &sq->dev.kobj, SQ_STATISTICS_GLOBAL, 0);
	if (!sq->statistics)
		return ret;
	ret = sq_memdev_start(sq);
	if (ret)
		goto remove_statistics;
	ret = sq_regions_start(sq);
	if (ret)
		goto stop_memdev;
	return 0;

stop_memdev:
	sq_memdev_stop(sq);
remove_statistics:
	sq_statistics_folder_remove(sq->statistics);
	return ret;
}

void sq_sysfs_stop(struct sq_device *sq)
{
	sq_regions_stop(sq);
	sq_memdev_stop(sq);
	sq_statistics_folder_remove(sq->statistics);
}
