// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Counters of the device, and their folder in sysfs
 *
 * The device and each region have a folder "stats" with the same files; a
 * file that is read asks the device.
 */

#include <linux/kobject.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

#include "smartquant_device.h"
#include "smartquant_statistics.h"

/**
 * struct sq_statistics_folder - a folder of counters
 * @kobject: the folder
 * @sq: the card; stays while the folder is in sysfs
 * @scope: SQ_STATISTICS_*
 * @key: handle or format
 */
struct sq_statistics_folder {
	struct kobject kobject;
	struct sq_device *sq;
	u32 scope;
	u32 key;
};

/* A counter's file: where it is in the answer. */
struct sq_counter {
	struct attribute attribute;
	size_t offset;
};

#define SQ_COUNTER(_name)						\
	static struct sq_counter sq_counter_##_name = {			\
		.attribute = { .name = #_name, .mode = 0444 },		\
		.offset = offsetof(struct sq_statistics, _name),	\
	}

SQ_COUNTER(requests);
SQ_COUNTER(elements);
SQ_COUNTER(link_bytes);
SQ_COUNTER(plane_lines);
SQ_COUNTER(check_lines);
SQ_COUNTER(baseline_lines);
SQ_COUNTER(written_lines);
SQ_COUNTER(stores);
SQ_COUNTER(stored_elements);
SQ_COUNTER(errors);
SQ_COUNTER(media_errors);
SQ_COUNTER(poison_loads);
SQ_COUNTER(view_loads);
SQ_COUNTER(dram_time_ns);
SQ_COUNTER(dram_energy_pj);
SQ_COUNTER(link_time_ns);

static struct attribute *sq_counter_attrs[] = {
	&sq_counter_requests.attribute,
	&sq_counter_elements.attribute,
	&sq_counter_link_bytes.attribute,
	&sq_counter_plane_lines.attribute,
	&sq_counter_check_lines.attribute,
	&sq_counter_baseline_lines.attribute,
	&sq_counter_written_lines.attribute,
	&sq_counter_stores.attribute,
	&sq_counter_stored_elements.attribute,
	&sq_counter_errors.attribute,
	&sq_counter_media_errors.attribute,
	&sq_counter_poison_loads.attribute,
	&sq_counter_view_loads.attribute,
	&sq_counter_dram_time_ns.attribute,
	&sq_counter_dram_energy_pj.attribute,
	&sq_counter_link_time_ns.attribute,
	NULL
};
ATTRIBUTE_GROUPS(sq_counter);

int sq_statistics_get(struct sq_device *sq, u32 scope, u32 key, struct sq_statistics *statistics,
		      u32 *status)
{
	struct sq_mbox_statistics_in in = {
		.scope = cpu_to_le32(scope),
		.key = cpu_to_le32(key),
	};

	return sq_mailbox_run(sq, SQ_MBOX_GET_STATISTICS, &in, sizeof(in),
			      statistics, sizeof(*statistics), status);
}

int sq_statistics_reset(struct sq_device *sq, u32 scope, u32 key, u32 *status)
{
	struct sq_mbox_statistics_in in = {
		.scope = cpu_to_le32(scope),
		.key = cpu_to_le32(key),
	};

	return sq_mailbox_run(sq, SQ_MBOX_RESET_STATISTICS, &in, sizeof(in), NULL, 0, status);
}

static ssize_t sq_counter_show(struct kobject *kobject, struct attribute *attribute, char *text)
{
	struct sq_statistics_folder *folder =
		container_of(kobject, struct sq_statistics_folder, kobject);
	struct sq_counter *counter = container_of(attribute, struct sq_counter, attribute);
	struct sq_statistics statistics;
	__le64 value;
	int ret;

	ret = sq_statistics_get(folder->sq, folder->scope, folder->key, &statistics, NULL);
	if (ret)
		return ret;
	memcpy(&value, (u8 *)&statistics + counter->offset, sizeof(value));
	return sysfs_emit(text, "%llu\n", le64_to_cpu(value));
}

static const struct sysfs_ops sq_statistics_ops = {
	.show = sq_counter_show,
};

static void sq_statistics_folder_release(struct kobject *kobject)
{
	kfree(container_of(kobject, struct sq_statistics_folder, kobject));
}

static const struct kobj_type sq_statistics_type = {
	.sysfs_ops = &sq_statistics_ops,
	.default_groups = sq_counter_groups,
	.release = sq_statistics_folder_release,
};

struct sq_statistics_folder *sq_statistics_folder_add(struct sq_device *sq, struct kobject *parent,
						      u32 scope, u32 key)
{
	struct sq_statistics_folder *folder = kzalloc(sizeof(*folder), GFP_KERNEL);

	if (!folder)
		return NULL;
	folder->sq = sq;
	folder->scope = scope;
	folder->key = key;
	if (kobject_init_and_add(&folder->kobject, &sq_statistics_type, parent, "stats")) {
		kobject_put(&folder->kobject);
		return NULL;
	}
	return folder;
}

void sq_statistics_folder_remove(struct sq_statistics_folder *folder)
{
	if (!folder)
		return;
	kobject_del(&folder->kobject);
	kobject_put(&folder->kobject);
}
