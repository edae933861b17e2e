// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Regions
 *
 * The set of regions changes by create, delete and sanitize only, and all of
 * them pass here; sq_device.regions.lock is held over the command and what it
 * does to sysfs, so that the folders are always those of the regions.
 *
 * A file that is read asks the device. Readers never take regions.lock: the
 * removal of a folder waits for them.
 */

#include <linux/kobject.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

#include "smartquant_device.h"
#include "smartquant_names.h"
#include "smartquant_region.h"
#include "smartquant_statistics.h"

/**
 * struct sq_region - the folder of a region
 * @kobject: regions/HANDLE
 * @sq: the card; stays while the folder is in sysfs
 * @handle: of the region
 * @seen: for sq_regions_synchronise()
 * @statistics: its stats/, may be NULL
 */
struct sq_region {
	struct kobject kobject;
	struct sq_device *sq;
	u32 handle;
	bool seen;
	struct sq_statistics_folder *statistics;
};

/* Commands */

/* The answer is a structure and the name behind it. */
static int sq_region_ask(struct sq_device *sq, u16 opcode, const void *in, u32 in_bytes,
			 struct sq_region_details *details, u32 *status)
{
	struct sq_mailbox_command command = {
		.opcode = opcode,
		.in = in,
		.in_bytes = in_bytes,
		.out = details,
		.out_bytes_min = sizeof(details->info),
		.out_bytes_max = sizeof(details->info) + SQ_NAME_MAX,
	};
	int ret;

	ret = sq_mailbox_execute(sq, &command);
	if (status)
		*status = command.status;
	if (ret)
		return ret;
	if (le16_to_cpu(details->info.name_bytes) != command.out_bytes - sizeof(details->info))
		return -EPROTO;
	details->name[le16_to_cpu(details->info.name_bytes)] = '\0';
	return 0;
}

int sq_region_get(struct sq_device *sq, u32 handle, struct sq_region_details *details,
		  u32 *status)
{
	struct sq_mbox_handle in = { .handle = cpu_to_le32(handle) };

	return sq_region_ask(sq, SQ_MBOX_GET_REGION, &in, sizeof(in), details, status);
}

int sq_region_find(struct sq_device *sq, const char *name, u32 name_bytes,
		   struct sq_region_details *details, u32 *status)
{
	return sq_region_ask(sq, SQ_MBOX_GET_REGION_BY_NAME, name, name_bytes, details, status);
}

int sq_region_seal(struct sq_device *sq, u32 handle, u32 *status)
{
	struct sq_mbox_handle in = { .handle = cpu_to_le32(handle) };

	return sq_mailbox_run(sq, SQ_MBOX_SEAL_REGION, &in, sizeof(in), NULL, 0, status);
}

int sq_region_set_precision(struct sq_device *sq, u32 handle, u16 format, u32 *status)
{
	struct sq_mbox_precision_tag in = {
		.handle = cpu_to_le32(handle),
		.format = cpu_to_le16(format),
	};

	return sq_mailbox_run(sq, SQ_MBOX_SET_PRECISION_TAG, &in, sizeof(in), NULL, 0, status);
}

u32 sq_region_list_max(const struct sq_device *sq)
{
	return (sq->mailbox.payload_bytes - sizeof(struct sq_mbox_list_out)) / sizeof(__le32);
}

/* The answer of @command, a head and handles, as numbers. */
static int sq_region_list_decode(const struct sq_mailbox_command *command, u32 *handles,
				 u32 max, u32 *count, bool *more)
{
	const struct sq_mbox_list_out *head = command->out;
	const __le32 *entries = (const __le32 *)(head + 1);
	u32 i;

	*count = le32_to_cpu(head->count);
	*more = le32_to_cpu(head->more);
	if (*count > max || command->out_bytes != sizeof(*head) + *count * sizeof(*entries))
		return -EPROTO;
	/* Paging must come to an end. */
	if (*more && !*count)
		return -EPROTO;
	for (i = 0; i < *count; i++)
		handles[i] = le32_to_cpu(entries[i]);
	return 0;
}

int sq_region_list(struct sq_device *sq, u32 after, u32 *handles, u32 max, u32 *count, bool *more,
		   u32 *status)
{
	struct sq_mbox_list_in in = { .after = cpu_to_le32(after) };
	struct sq_mailbox_command command = {
		.opcode = SQ_MBOX_LIST_REGIONS,
		.in = &in,
		.in_bytes = sizeof(in),
		.out_bytes_min = sizeof(struct sq_mbox_list_out),
		.out_bytes_max = sq->mailbox.payload_bytes,
	};
	int ret;

	max = min(max, sq_region_list_max(sq));
	in.max = cpu_to_le32(max);
	command.out = kmalloc(command.out_bytes_max, GFP_KERNEL);
	if (!command.out)
		return -ENOMEM;
	ret = sq_mailbox_execute(sq, &command);
	if (status)
		*status = command.status;
	if (!ret)
		ret = sq_region_list_decode(&command, handles, max, count, more);
	kfree(command.out);
	return ret;
}

/* Files of a folder */

struct sq_region_attribute {
	struct attribute attribute;
	ssize_t (*show)(const struct sq_region_details *details, char *text);
	ssize_t (*store)(struct sq_region *region, const char *text, size_t bytes);
};

#define SQ_REGION_FILE(_name)						\
	static struct sq_region_attribute sq_region_file_##_name = {	\
		.attribute = { .name = #_name, .mode = 0444 },		\
		.show = _name##_show,					\
	}

static ssize_t name_show(const struct sq_region_details *details, char *text)
{
	return sysfs_emit(text, "%s\n", details->name);
}
SQ_REGION_FILE(name);

static ssize_t dtype_show(const struct sq_region_details *details, char *text)
{
	return sysfs_emit(text, "%s\n", sq_dtype_name(details->info.dtype));
}
SQ_REGION_FILE(dtype);

static ssize_t placement_show(const struct sq_region_details *details, char *text)
{
	return sysfs_emit(text, "%s\n", sq_placement_name(details->info.placement));
}
SQ_REGION_FILE(placement);

static ssize_t coding_show(const struct sq_region_details *details, char *text)
{
	return sysfs_emit(text, "%s\n", sq_coding_name(details->info.coding));
}
SQ_REGION_FILE(coding);

static ssize_t rows_show(const struct sq_region_details *details, char *text)
{
	return sysfs_emit(text, "%u\n", le32_to_cpu(details->info.rows));
}
SQ_REGION_FILE(rows);

static ssize_t cols_show(const struct sq_region_details *details, char *text)
{
	return sysfs_emit(text, "%u\n", le32_to_cpu(details->info.cols));
}
SQ_REGION_FILE(cols);

static ssize_t sealed_show(const struct sq_region_details *details, char *text)
{
	return sysfs_emit(text, "%d\n",
			  !!(le32_to_cpu(details->info.flags) & SQ_REGION_SEALED));
}
SQ_REGION_FILE(sealed);

static ssize_t dirty_show(const struct sq_region_details *details, char *text)
{
	return sysfs_emit(text, "%d\n", !!(le32_to_cpu(details->info.flags) & SQ_REGION_DIRTY));
}
SQ_REGION_FILE(dirty);

static ssize_t stored_bytes_show(const struct sq_region_details *details, char *text)
{
	return sysfs_emit(text, "%llu\n", le64_to_cpu(details->info.stored_bytes));
}
SQ_REGION_FILE(stored_bytes);

static ssize_t escapes_show(const struct sq_region_details *details, char *text)
{
	return sysfs_emit(text, "%llu\n", le64_to_cpu(details->info.escapes));
}
SQ_REGION_FILE(escapes);

static ssize_t views_show(const struct sq_region_details *details, char *text)
{
	return sysfs_emit(text, "%u\n", le32_to_cpu(details->info.views));
}
SQ_REGION_FILE(views);

static ssize_t precision_show(const struct sq_region_details *details, char *text)
{
	char name[SQ_FORMAT_NAME_BYTES];

	sq_format_name(le16_to_cpu(details->info.precision), name);
	return sysfs_emit(text, "%s\n", name);
}

static ssize_t precision_store(struct sq_region *region, const char *text, size_t bytes)
{
	char name[SQ_FORMAT_NAME_BYTES];
	u16 format;
	int ret;

	if (strscpy(name, text, sizeof(name)) < 0)
		return -EINVAL;
	ret = sq_format_by_name(strim(name), &format);
	if (!ret)
		ret = sq_region_set_precision(region->sq, region->handle, format, NULL);
	return ret ?: bytes;
}

static struct sq_region_attribute sq_region_file_precision = {
	.attribute = { .name = "precision", .mode = 0644 },
	.show = precision_show,
	.store = precision_store,
};

static struct attribute *sq_region_attrs[] = {
	&sq_region_file_name.attribute,
	&sq_region_file_dtype.attribute,
	&sq_region_file_placement.attribute,
	&sq_region_file_coding.attribute,
	&sq_region_file_rows.attribute,
	&sq_region_file_cols.attribute,
	&sq_region_file_sealed.attribute,
	&sq_region_file_dirty.attribute,
	&sq_region_file_stored_bytes.attribute,
	&sq_region_file_escapes.attribute,
	&sq_region_file_views.attribute,
	&sq_region_file_precision.attribute,
	NULL
};
ATTRIBUTE_GROUPS(sq_region);

static struct sq_region *sq_region_of(struct kobject *kobject)
{
	return container_of(kobject, struct sq_region, kobject);
}

static ssize_t sq_region_show(struct kobject *kobject, struct attribute *attribute, char *text)
{
	struct sq_region_attribute *file =
		container_of(attribute, struct sq_region_attribute, attribute);
	struct sq_region *region = sq_region_of(kobject);
	struct sq_region_details details;
	int ret;

	ret = sq_region_get(region->sq, region->handle, &details, NULL);
	return ret ?: file->show(&details, text);
}

static ssize_t sq_region_store(struct kobject *kobject, struct attribute *attribute,
			       const char *text, size_t bytes)
{
	struct sq_region_attribute *file =
		container_of(attribute, struct sq_region_attribute, attribute);

	return file->store ? file->store(sq_region_of(kobject), text, bytes) : -EIO;
}

static const struct sysfs_ops sq_region_ops = {
	.show = sq_region_show,
	.store = sq_region_store,
};

static void sq_region_release(struct kobject *kobject)
{
	kfree(sq_region_of(kobject));
}

static const struct kobj_type sq_region_type = {
	.sysfs_ops = &sq_region_ops,
	.default_groups = sq_region_groups,
	.release = sq_region_release,
};

/* Folders */

static int sq_region_folder_add(struct sq_device *sq, u32 handle)
{
	struct sq_region *region = kzalloc(sizeof(*region), GFP_KERNEL);
	int ret;

	lockdep_assert_held(&sq->regions.lock);
	if (!region)
		return -ENOMEM;
	region->sq = sq;
	region->handle = handle;
	region->seen = true;
	ret = kobject_init_and_add(&region->kobject, &sq_region_type, sq->regions.folder, "%u",
				   handle);
	if (!ret)
		ret = xa_err(xa_store(&sq->regions.by_handle, handle, region, GFP_KERNEL));
	if (ret) {
		kobject_put(&region->kobject);
		return ret;
	}
	region->statistics = sq_statistics_folder_add(sq, &region->kobject,
						      SQ_STATISTICS_REGION, handle);
	return 0;
}

static void sq_region_folder_remove(struct sq_device *sq, u32 handle)
{
	struct sq_region *region;

	lockdep_assert_held(&sq->regions.lock);
	region = xa_erase(&sq->regions.by_handle, handle);
	if (!region)
		return;
	sq_statistics_folder_remove(region->statistics);
	kobject_del(&region->kobject);
	kobject_put(&region->kobject);
}

/* A region without its folder is complete but for the folder: say so, go on. */
static void sq_region_folder_try_add(struct sq_device *sq, u32 handle)
{
	struct sq_region *region = xa_load(&sq->regions.by_handle, handle);
	int ret;

	/* Early requests: sq_regions_start() catches up. */
	if (!sq->regions.folder)
		return;
	if (region) {
		region->seen = true;
		return;
	}
	ret = sq_region_folder_add(sq, handle);
	if (ret)
		dev_warn_ratelimited(&sq->dev, "region %u has no folder in sysfs: %d\n", handle,
				     ret);
}

int sq_region_create(struct sq_device *sq, const struct sq_region_spec *spec, u32 *handle,
		     u32 *status)
{
	struct {
		struct sq_mbox_create_region head;
		char name[SQ_NAME_MAX];
	} in = {
		.head = {
			.dtype = spec->dtype,
			.placement = spec->placement,
			.name_bytes = cpu_to_le16(spec->name_bytes),
			.rows = cpu_to_le32(spec->rows),
			.cols = cpu_to_le32(spec->cols),
		},
	};
	struct sq_mbox_handle out;
	int ret;

	if (!spec->name_bytes || spec->name_bytes > sizeof(in.name))
		return -EINVAL;
	memcpy(in.name, spec->name, spec->name_bytes);

	guard(mutex)(&sq->regions.lock);
	ret = sq_mailbox_run(sq, SQ_MBOX_CREATE_REGION, &in, sizeof(in.head) + spec->name_bytes,
			     &out, sizeof(out), status);
	if (ret)
		return ret;
	*handle = le32_to_cpu(out.handle);
	sq_region_folder_try_add(sq, *handle);
	return 0;
}

int sq_region_delete(struct sq_device *sq, u32 handle, u32 *status)
{
	struct sq_mbox_handle in = { .handle = cpu_to_le32(handle) };
	int ret;

	guard(mutex)(&sq->regions.lock);
	ret = sq_mailbox_run(sq, SQ_MBOX_DELETE_REGION, &in, sizeof(in), NULL, 0, status);
	if (!ret)
		sq_region_folder_remove(sq, handle);
	return ret;
}

static int sq_regions_add_all(struct sq_device *sq)
{
	u32 after = 0, max = sq_region_list_max(sq), count, i;
	u32 *handles = kmalloc_array(max, sizeof(*handles), GFP_KERNEL);
	bool more = true;
	int ret = 0;

	if (!handles)
		return -ENOMEM;
	while (more && !ret) {
		ret = sq_region_list(sq, after, handles, max, &count, &more, NULL);
		if (ret)
			break;
		for (i = 0; i < count; i++)
			sq_region_folder_try_add(sq, handles[i]);
		if (count) {
			/* A device that repeats itself would keep us here. */
			if (handles[count - 1] == after)
				ret = -EPROTO;
			after = handles[count - 1];
		}
	}
	kfree(handles);
	return ret;
}

static void sq_regions_remove_unseen(struct sq_device *sq)
{
	struct sq_region *region;
	unsigned long handle;

	xa_for_each(&sq->regions.by_handle, handle, region)
		if (!region->seen)
			sq_region_folder_remove(sq, handle);
}

static void sq_regions_forget(struct sq_device *sq)
{
	struct sq_region *region;
	unsigned long handle;

	xa_for_each(&sq->regions.by_handle, handle, region)
		region->seen = false;
}

int sq_regions_synchronise(struct sq_device *sq)
{
	int ret;

	guard(mutex)(&sq->regions.lock);
	sq_regions_forget(sq);
	ret = sq_regions_add_all(sq);
	if (!ret)
		sq_regions_remove_unseen(sq);
	return ret;
}

int sq_regions_start(struct sq_device *sq)
{
	struct kobject *folder = kobject_create_and_add("regions", &sq->dev.kobj);
	int ret;

	if (!folder)
		return -ENOMEM;
	scoped_guard(mutex, &sq->regions.lock)
		sq->regions.folder = folder;
	ret = sq_regions_synchronise(sq);
	if (ret)
		sq_regions_stop(sq);
	return ret;
}

void sq_regions_stop(struct sq_device *sq)
{
	guard(mutex)(&sq->regions.lock);
	sq_regions_forget(sq);
	sq_regions_remove_unseen(sq);
	kobject_put(sq->regions.folder);
	sq->regions.folder = NULL;
}
