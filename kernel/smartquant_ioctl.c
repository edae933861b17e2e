// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The ioctls of /dev/smartquantN
 *
 * A row of the table for each: how long its structure is, which flags it
 * takes, which fields are reserved, what rights it needs. The dispatcher
 * copies the structure in once, does the checks that they share, runs the
 * row's function inside of the gate, and copies the structure out.
 */

#include <linux/capability.h>
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "smartquant_device.h"
#include "smartquant_file.h"
#include "smartquant_memdev.h"
#include "smartquant_queue.h"
#include "smartquant_region.h"
#include "smartquant_statistics.h"
#include "smartquant_transfer.h"
#include "smartquant_view.h"

/* A structure longer than this is refused before its tail is looked at. */
#define SQ_IOCTL_BYTES_MAX		PAGE_SIZE

/* Bad runs that one verify reports, to bound the memory for them. */
#define SQ_BAD_RUNS_MAX			65536

/* What every structure begins with. */
struct sq_ioctl_header {
	__u32 size;
	__u32 flags;
	__u32 status;
};

union sq_ioctl_argument {
	struct sq_ioctl_header header;
	struct sq_ioc_info info;
	struct sq_ioc_region_create region_create;
	struct sq_ioc_handle handle;
	struct sq_ioc_region region;
	struct sq_ioc_region_list region_list;
	struct sq_ioc_region_precision region_precision;
	struct sq_ioc_view view;
	struct sq_ioc_view_unmap view_unmap;
	struct sq_ioc_view_export view_export;
	struct sq_ioc_statistics statistics;
	struct sq_ioc_verify verify;
	struct sq_ioc_background background;
	struct sq_ioc_sanitize sanitize;
	struct sq_ioc_feature feature;
	struct sq_ioc_hdm_info hdm_info;
	struct sq_ioc_submit submit;
};

/**
 * struct sq_ioctl_call - a request under way
 * @opened: the file
 * @argument: the structure, copied in; copied out afterwards
 * @exported: a file that the caller gets as descriptor @exported_fd once the
 *	      structure is copied out
 * @exported_fd: reserved for it
 */
struct sq_ioctl_call {
	struct sq_file *opened;
	union sq_ioctl_argument argument;
	struct file *exported;
	int exported_fd;
};

/* A reserved field; bytes 0: none. */
struct sq_ioctl_reserved {
	u16 offset;
	u16 bytes;
};

/**
 * struct sq_ioctl - a row of the table
 * @execute: 0, or an errno; sets the argument's status
 * @bytes: of the structure
 * @flags: that it takes
 * @write: needs a file that is open for writing
 * @admin: needs CAP_SYS_ADMIN
 * @reserved: fields that must be zero
 */
struct sq_ioctl {
	int (*execute)(struct sq_device *sq, struct sq_ioctl_call *call);
	u32 bytes;
	u32 flags;
	bool write;
	bool admin;
	struct sq_ioctl_reserved reserved[2];
};

static void sq_info_copy_lists(struct sq_ioc_info *info, const struct sq_mbox_identify *identify)
{
	unsigned int i;

	info->format_count = min_t(u32, le16_to_cpu(identify->format_count),
				   ARRAY_SIZE(info->formats));
	info->encoding_count = min_t(u32, le16_to_cpu(identify->encoding_count),
				     ARRAY_SIZE(info->encodings));
	BUILD_BUG_ON(ARRAY_SIZE(info->formats) != ARRAY_SIZE(identify->formats));
	BUILD_BUG_ON(ARRAY_SIZE(info->encodings) != ARRAY_SIZE(identify->encodings));
	memset(info->formats, 0, sizeof(info->formats));
	memset(info->encodings, 0, sizeof(info->encodings));
	for (i = 0; i < info->format_count; i++)
		info->formats[i] = le16_to_cpu(identify->formats[i]);
	for (i = 0; i < info->encoding_count; i++)
		info->encodings[i] = le16_to_cpu(identify->encodings[i]);
}

static void sq_info_copy_driver(struct sq_ioc_info *info, struct sq_device *sq)
{
	info->driver_features = SQ_DRIVER_VIEW_EXPORT;
	if (IS_ENABLED(CONFIG_IO_URING))
		info->driver_features |= SQ_DRIVER_URING_CMD;
	info->cxl_memdev = sq_memdev_id(sq);
	info->queues = sq->queue_count;
	info->queue_depth = sq->queues[0].depth;
	info->buffers_max = SQ_BUFFERS_MAX;
	info->formats_max = SQ_FORMATS_MAX;
	info->transfer_bytes_max = sq->limits.transfer_bytes;
	info->logical_bytes = sq->limits.logical_bytes;
	strscpy_pad(info->firmware, sq->firmware, sizeof(info->firmware));
	strscpy_pad(info->serial, sq->serial, sizeof(info->serial));
}

static int sq_ioctl_info(struct sq_device *sq, struct sq_ioctl_call *call)
{
	struct sq_ioc_info *info = &call->argument.info;
	struct sq_mbox_identify identify;
	int ret;

	ret = sq_mailbox_run(sq, SQ_MBOX_IDENTIFY, NULL, 0, &identify, sizeof(identify),
			     &info->status);
	if (ret)
		return ret;
	info->interface_major = le16_to_cpu(identify.interface_major);
	info->interface_minor = le16_to_cpu(identify.interface_minor);
	info->device_features = le32_to_cpu(identify.features);
	info->capacity_bytes = le64_to_cpu(identify.capacity_bytes);
	info->used_bytes = le64_to_cpu(identify.used_bytes);
	info->regions = le32_to_cpu(identify.regions);
	info->regions_max = le32_to_cpu(identify.regions_max);
	info->views_max = le32_to_cpu(identify.views_max);
	info->dtypes = le32_to_cpu(identify.dtypes);
	info->placements = le32_to_cpu(identify.placements);
	sq_info_copy_lists(info, &identify);
	sq_info_copy_driver(info, sq);
	return 0;
}

static int sq_ioctl_region_create(struct sq_device *sq, struct sq_ioctl_call *call)
{
	struct sq_ioc_region_create *create = &call->argument.region_create;
	struct sq_region_spec spec = {
		.dtype = create->dtype,
		.placement = create->placement,
		.name_bytes = create->name_bytes,
		.rows = create->rows,
		.cols = create->cols,
		.name = create->name,
	};

	return sq_region_create(sq, &spec, &create->handle, &create->status);
}

static int sq_ioctl_region_delete(struct sq_device *sq, struct sq_ioctl_call *call)
{
	struct sq_ioc_handle *argument = &call->argument.handle;

	sq_views_settle();
	return sq_region_delete(sq, argument->handle, &argument->status);
}

static int sq_ioctl_region_seal(struct sq_device *sq, struct sq_ioctl_call *call)
{
	struct sq_ioc_handle *argument = &call->argument.handle;

	return sq_region_seal(sq, argument->handle, &argument->status);
}

static int sq_ioctl_region_pack(struct sq_device *sq, struct sq_ioctl_call *call)
{
	struct sq_ioc_handle *argument = &call->argument.handle;
	struct sq_mbox_handle in = { .handle = cpu_to_le32(argument->handle) };
	int ret;

	ret = sq_mailbox_background_lock(sq);
	if (ret)
		return ret;
	ret = sq_mailbox_background_run(sq, SQ_MBOX_PACK_REGION, &in, sizeof(in),
					&argument->status);
	sq_mailbox_background_unlock(sq);
	return ret;
}

static void sq_region_copy(struct sq_ioc_region *region, const struct sq_region_details *details)
{
	const struct sq_region_info *info = &details->info;

	region->handle = le32_to_cpu(info->handle);
	region->dtype = info->dtype;
	region->placement = info->placement;
	region->coding = info->coding;
	region->rows = le32_to_cpu(info->rows);
	region->cols = le32_to_cpu(info->cols);
	region->region_flags = le32_to_cpu(info->flags);
	region->precision = le16_to_cpu(info->precision);
	region->name_bytes = le16_to_cpu(info->name_bytes);
	region->segments = le32_to_cpu(info->segments);
	region->views = le32_to_cpu(info->views);
	region->stored_bytes = le64_to_cpu(info->stored_bytes);
	region->escapes = le64_to_cpu(info->escapes);
	strscpy_pad(region->name, details->name, sizeof(region->name));
}

static int sq_ioctl_region_get(struct sq_device *sq, struct sq_ioctl_call *call)
{
	struct sq_ioc_region *region = &call->argument.region;
	struct sq_region_details details;
	int ret;

	ret = sq_region_get(sq, region->handle, &details, &region->status);
	if (!ret)
		sq_region_copy(region, &details);
	return ret;
}

static int sq_ioctl_region_find(struct sq_device *sq, struct sq_ioctl_call *call)
{
	struct sq_ioc_region *region = &call->argument.region;
	struct sq_region_details details;
	int ret;

	if (!region->name_bytes || region->name_bytes > SQ_NAME_MAX)
		return -EINVAL;
	ret = sq_region_find(sq, region->name, region->name_bytes, &details, &region->status);
	if (!ret)
		sq_region_copy(region, &details);
	return ret;
}

static int sq_ioctl_region_list(struct sq_device *sq, struct sq_ioctl_call *call)
{
	struct sq_ioc_region_list *list = &call->argument.region_list;
	u32 max = min(list->max, sq_region_list_max(sq));
	u32 *handles;
	bool more;
	int ret;

	if (!max)
		return -EINVAL;
	handles = kmalloc_array(max, sizeof(*handles), GFP_KERNEL);
	if (!handles)
		return -ENOMEM;
	ret = sq_region_list(sq, list->after, handles, max, &list->count, &more, &list->status);
	if (!ret) {
		list->more = more;
		if (copy_to_user(u64_to_user_ptr(list->handles), handles,
				 list->count * sizeof(*handles)))
			ret = -EFAULT;
	}
	kfree(handles);
	return ret;
}

static int sq_ioctl_region_precision(struct sq_device *sq, struct sq_ioctl_call *call)
{
	struct sq_ioc_region_precision *argument = &call->argument.region_precision;

	return sq_region_set_precision(sq, argument->handle, argument->format,
				       &argument->status);
}

static void sq_view_copy(struct sq_ioc_view *view, const struct sq_view_info *info)
{
	view->view = le32_to_cpu(info->view);
	view->handle = le32_to_cpu(info->handle);
	view->format = le16_to_cpu(info->format);
	view->rounding = info->rounding;
	view->axis = info->axis;
	view->first_row = le32_to_cpu(info->first_row);
	view->row_count = le32_to_cpu(info->row_count);
	view->dpa = le64_to_cpu(info->dpa);
	view->length_bytes = le64_to_cpu(info->length_bytes);
	view->window_bytes = le64_to_cpu(info->window_bytes);
	view->mmap_offset = view->dpa;
}

static int sq_ioctl_view_map(struct sq_device *sq, struct sq_ioctl_call *call)
{
	struct sq_ioc_view *view = &call->argument.view;
	struct sq_mbox_map_view map = {
		.handle = cpu_to_le32(view->handle),
		.format = cpu_to_le16(view->format),
		.rounding = view->rounding,
		.axis = view->axis,
		.first_row = cpu_to_le32(view->first_row),
		.row_count = cpu_to_le32(view->row_count),
	};
	struct sq_view_info info;
	int ret;

	ret = sq_view_map(sq, &call->opened->views, &map, &info, &view->status);
	if (!ret)
		sq_view_copy(view, &info);
	return ret;
}

static int sq_ioctl_view_get(struct sq_device *sq, struct sq_ioctl_call *call)
{
	struct sq_ioc_view *view = &call->argument.view;
	struct sq_view_info info;
	int ret;

	ret = sq_view_get(sq, &call->opened->views, view->view, &info, &view->status);
	if (!ret)
		sq_view_copy(view, &info);
	return ret;
}

static int sq_ioctl_view_unmap(struct sq_device *sq, struct sq_ioctl_call *call)
{
	struct sq_ioc_view_unmap *unmap = &call->argument.view_unmap;

	return sq_view_unmap(&call->opened->views, unmap->view, &unmap->status);
}

static int sq_ioctl_view_export(struct sq_device *sq, struct sq_ioctl_call *call)
{
	struct sq_ioc_view_export *argument = &call->argument.view_export;
	struct file *file;
	int fd;

	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;
	file = sq_view_export(&call->opened->views, argument->view);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		return PTR_ERR(file);
	}
	argument->fd = fd;
	call->exported = file;
	call->exported_fd = fd;
	return 0;
}

static int sq_ioctl_statistics_get(struct sq_device *sq, struct sq_ioctl_call *call)
{
	struct sq_ioc_statistics *out = &call->argument.statistics;
	struct sq_statistics statistics;
	int ret;

	ret = sq_statistics_get(sq, out->scope, out->key, &statistics, &out->status);
	if (ret)
		return ret;
	out->requests = le64_to_cpu(statistics.requests);
	out->elements = le64_to_cpu(statistics.elements);
	out->link_bytes = le64_to_cpu(statistics.link_bytes);
	out->plane_lines = le64_to_cpu(statistics.plane_lines);
	out->check_lines = le64_to_cpu(statistics.check_lines);
	out->baseline_lines = le64_to_cpu(statistics.baseline_lines);
	out->written_lines = le64_to_cpu(statistics.written_lines);
	out->stores = le64_to_cpu(statistics.stores);
	out->stored_elements = le64_to_cpu(statistics.stored_elements);
	out->errors = le64_to_cpu(statistics.errors);
	out->media_errors = le64_to_cpu(statistics.media_errors);
	out->poison_loads = le64_to_cpu(statistics.poison_loads);
	out->view_loads = le64_to_cpu(statistics.view_loads);
	out->dram_time_ns = le64_to_cpu(statistics.dram_time_ns);
	out->dram_energy_pj = le64_to_cpu(statistics.dram_energy_pj);
	out->link_time_ns = le64_to_cpu(statistics.link_time_ns);
	return 0;
}

static int sq_ioctl_statistics_reset(struct sq_device *sq, struct sq_ioctl_call *call)
{
	struct sq_ioc_statistics *argument = &call->argument.statistics;

	return sq_statistics_reset(sq, argument->scope, argument->key, &argument->status);
}

/* One answer's worth of bad runs, from number @first on. */
static int sq_verify_page(struct sq_device *sq, void *page, u32 first, struct sq_ioc_bad_run *runs,
			  u32 max, struct sq_ioc_verify *verify, u32 *count)
{
	struct sq_mbox_verify_in in = { .first = cpu_to_le32(first) };
	const struct sq_mbox_verify_out *head = page;
	const struct sq_bad_run *bad = (const struct sq_bad_run *)(head + 1);
	struct sq_mailbox_command command = {
		.opcode = SQ_MBOX_GET_VERIFY_RESULT,
		.in = &in,
		.in_bytes = sizeof(in),
		.out = page,
		.out_bytes_min = sizeof(*head),
		.out_bytes_max = sq->mailbox.payload_bytes,
	};
	int ret;
	u32 i;

	ret = sq_mailbox_execute(sq, &command);
	verify->status = command.status;
	if (ret)
		return ret;
	*count = le32_to_cpu(head->count);
	if (*count > (command.out_bytes - sizeof(*head)) / sizeof(*bad))
		return -EPROTO;
	verify->runs_checked = le64_to_cpu(head->runs_checked);
	verify->runs_bad = le64_to_cpu(head->runs_bad);
	*count = min(*count, max);
	for (i = 0; i < *count; i++)
		runs[i] = (struct sq_ioc_bad_run) {
			.handle = le32_to_cpu(bad[i].handle),
			.segment = le32_to_cpu(bad[i].segment),
			.run = le16_to_cpu(bad[i].run),
		};
	return 0;
}

/* The totals, and as many bad runs as @runs has room for. */
static int sq_verify_collect(struct sq_device *sq, struct sq_ioc_bad_run *runs, u32 max,
			     struct sq_ioc_verify *verify)
{
	void *page = kmalloc(sq->mailbox.payload_bytes, GFP_KERNEL);
	u32 count;
	int ret;

	if (!page)
		return -ENOMEM;
	verify->bad_count = 0;
	do {
		ret = sq_verify_page(sq, page, verify->bad_count, runs + verify->bad_count,
				     max - verify->bad_count, verify, &count);
		if (!ret)
			verify->bad_count += count;
	} while (!ret && count && verify->bad_count < max);
	kfree(page);
	return ret;
}

/* The lock keeps the results until they are fetched. */
static int sq_verify_run(struct sq_device *sq, struct sq_ioc_bad_run *runs, u32 max,
			 struct sq_ioc_verify *verify)
{
	struct sq_mbox_handle in = { .handle = cpu_to_le32(verify->handle) };
	int ret;

	ret = sq_mailbox_background_lock(sq);
	if (ret)
		return ret;
	ret = sq_mailbox_background_run(sq, SQ_MBOX_VERIFY, &in, sizeof(in), &verify->status);
	if (!ret)
		ret = sq_verify_collect(sq, runs, max, verify);
	sq_mailbox_background_unlock(sq);
	return ret;
}

static int sq_ioctl_verify(struct sq_device *sq, struct sq_ioctl_call *call)
{
	struct sq_ioc_verify *verify = &call->argument.verify;
	u32 max = min_t(u32, verify->bad_max, SQ_BAD_RUNS_MAX);
	struct sq_ioc_bad_run *runs;
	int ret;

	runs = kvcalloc(max, sizeof(*runs), GFP_KERNEL);
	if (!runs)
		return -ENOMEM;
	ret = sq_verify_run(sq, runs, max, verify);
	if (!ret && verify->bad_count &&
	    copy_to_user(u64_to_user_ptr(verify->bad), runs, verify->bad_count * sizeof(*runs)))
		ret = -EFAULT;
	kvfree(runs);
	return ret;
}

static int sq_ioctl_background(struct sq_device *sq, struct sq_ioctl_call *call)
{
	struct sq_ioc_background *background = &call->argument.background;
	struct sq_mailbox_progress progress;
	int ret;

	ret = sq_mailbox_progress(sq, &progress);
	if (ret)
		return ret;
	background->running = progress.running;
	background->opcode = progress.opcode;
	background->percent = progress.percent;
	background->result = progress.result;
	return 0;
}

static int sq_ioctl_sanitize(struct sq_device *sq, struct sq_ioctl_call *call)
{
	struct sq_ioc_sanitize *sanitize = &call->argument.sanitize;
	int ret, synchronised;

	if (sanitize->flags != SQ_SANITIZE_ALL)
		return -EINVAL;
	sq_views_settle();
	ret = sq_mailbox_background_lock(sq);
	if (ret)
		return ret;
	ret = sq_mailbox_background_run(sq, SQ_MBOX_SANITIZE, NULL, 0, &sanitize->status);
	sq_mailbox_background_unlock(sq);
	synchronised = sq_regions_synchronise(sq);
	return ret ?: synchronised;
}

static int sq_ioctl_feature_get(struct sq_device *sq, struct sq_ioctl_call *call)
{
	struct sq_ioc_feature *argument = &call->argument.feature;
	struct sq_mbox_feature in = {
		.id = cpu_to_le16(argument->id),
		.index = cpu_to_le16(argument->index),
	};
	struct sq_mbox_feature out;
	int ret;

	if (argument->id > U16_MAX || argument->index > U16_MAX)
		return -EINVAL;
	ret = sq_mailbox_run(sq, SQ_MBOX_GET_FEATURE, &in, sizeof(in), &out, sizeof(out),
			     &argument->status);
	if (!ret)
		argument->value = le64_to_cpu(out.value);
	return ret;
}

static int sq_ioctl_feature_set(struct sq_device *sq, struct sq_ioctl_call *call)
{
	struct sq_ioc_feature *argument = &call->argument.feature;
	struct sq_mbox_feature in = {
		.id = cpu_to_le16(argument->id),
		.index = cpu_to_le16(argument->index),
		.value = cpu_to_le64(argument->value),
	};

	if (argument->id > U16_MAX || argument->index > U16_MAX)
		return -EINVAL;
	return sq_mailbox_run(sq, SQ_MBOX_SET_FEATURE, &in, sizeof(in), NULL, 0,
			      &argument->status);
}

static int sq_ioctl_hdm_info(struct sq_device *sq, struct sq_ioctl_call *call)
{
	struct sq_ioc_hdm_info *out = &call->argument.hdm_info;
	struct sq_hdm_info hdm;
	int ret;

	ret = sq_mailbox_run(sq, SQ_MBOX_GET_HDM_INFO, NULL, 0, &hdm, sizeof(hdm), &out->status);
	if (ret)
		return ret;
	out->hdm_flags = le32_to_cpu(hdm.flags);
	/* Physical addresses are for administrators, as in /proc/iomem. */
	out->host_base = capable(CAP_SYS_ADMIN) ? le64_to_cpu(hdm.host_base) : 0;
	out->size_bytes = le64_to_cpu(hdm.size_bytes);
	out->dpa_base = le64_to_cpu(hdm.dpa_base);
	out->interleave_ways = le16_to_cpu(hdm.interleave_ways);
	out->interleave_granularity_bytes = le32_to_cpu(hdm.interleave_granularity_bytes);
	return 0;
}

static int sq_submit_run(struct sq_device *sq, const struct sq_transfer_input *input,
			 struct sq_transfer_result *result)
{
	struct sq_transfer *transfer = sq_transfer_prepare(sq, input);
	int ret;

	if (IS_ERR(transfer))
		return PTR_ERR(transfer);
	ret = sq_transfer_run(sq, transfer);
	/* Killed: the transfer goes on, its result is not ours to read. */
	if (ret != -EINTR)
		*result = transfer->result;
	sq_transfer_put(transfer);
	return ret;
}

static int sq_ioctl_submit(struct sq_device *sq, struct sq_ioctl_call *call)
{
	struct sq_ioc_submit *submit = &call->argument.submit;
	struct sq_transfer_input input = {
		.request = {
			.opcode = submit->opcode,
			.flags = submit->flags,
			.handle = submit->handle,
			.format = submit->format,
			.rounding = submit->rounding,
			.axis = submit->axis,
			.first_row = submit->first_row,
			.row_count = submit->row_count,
		},
		.buffers = submit->buffers,
		.buffer_count = submit->buffer_count,
		.formats = submit->formats,
		.format_count = submit->format_count,
		.rows_per_format = submit->rows_per_format,
	};
	int ret;

	memset(&submit->result, 0, sizeof(submit->result));
	ret = sq_submit_run(sq, &input, &submit->result);
	submit->status = submit->result.status;
	return ret;
}

static int sq_ioctl_flush(struct sq_device *sq, struct sq_ioctl_call *call)
{
	struct sq_ioc_handle *argument = &call->argument.handle;
	struct sq_transfer_input input = {
		.request = {
			.opcode = SQ_OP_FLUSH,
			.handle = argument->handle,
		},
	};
	struct sq_transfer_result result = {};
	int ret;

	ret = sq_submit_run(sq, &input, &result);
	argument->status = result.status;
	return ret;
}

#define SQ_RESERVED(_struct, _field)			\
	{ offsetof(struct _struct, _field), sizeof_field(struct _struct, _field) }

static const struct sq_ioctl sq_ioctls[] = {
	[_IOC_NR(SQ_IOC_INFO)] = {
		.execute = sq_ioctl_info,
		.bytes = sizeof(struct sq_ioc_info),
	},
	[_IOC_NR(SQ_IOC_REGION_CREATE)] = {
		.execute = sq_ioctl_region_create,
		.bytes = sizeof(struct sq_ioc_region_create),
		.write = true,
		.reserved = { SQ_RESERVED(sq_ioc_region_create, reserved) },
	},
	[_IOC_NR(SQ_IOC_REGION_DELETE)] = {
		.execute = sq_ioctl_region_delete,
		.bytes = sizeof(struct sq_ioc_handle),
		.write = true,
		.admin = true,
	},
	[_IOC_NR(SQ_IOC_REGION_SEAL)] = {
		.execute = sq_ioctl_region_seal,
		.bytes = sizeof(struct sq_ioc_handle),
		.write = true,
	},
	[_IOC_NR(SQ_IOC_REGION_PACK)] = {
		.execute = sq_ioctl_region_pack,
		.bytes = sizeof(struct sq_ioc_handle),
		.write = true,
	},
	[_IOC_NR(SQ_IOC_REGION_GET)] = {
		.execute = sq_ioctl_region_get,
		.bytes = sizeof(struct sq_ioc_region),
		.reserved = {
			SQ_RESERVED(sq_ioc_region, reserved),
			SQ_RESERVED(sq_ioc_region, reserved2),
		},
	},
	[_IOC_NR(SQ_IOC_REGION_FIND)] = {
		.execute = sq_ioctl_region_find,
		.bytes = sizeof(struct sq_ioc_region),
		.reserved = {
			SQ_RESERVED(sq_ioc_region, reserved),
			SQ_RESERVED(sq_ioc_region, reserved2),
		},
	},
	[_IOC_NR(SQ_IOC_REGION_LIST)] = {
		.execute = sq_ioctl_region_list,
		.bytes = sizeof(struct sq_ioc_region_list),
		.reserved = { SQ_RESERVED(sq_ioc_region_list, reserved) },
	},
	[_IOC_NR(SQ_IOC_REGION_SET_PRECISION)] = {
		.execute = sq_ioctl_region_precision,
		.bytes = sizeof(struct sq_ioc_region_precision),
		.write = true,
		.reserved = {
			SQ_RESERVED(sq_ioc_region_precision, reserved),
			SQ_RESERVED(sq_ioc_region_precision, reserved2),
		},
	},
	[_IOC_NR(SQ_IOC_VIEW_MAP)] = {
		.execute = sq_ioctl_view_map,
		.bytes = sizeof(struct sq_ioc_view),
	},
	[_IOC_NR(SQ_IOC_VIEW_GET)] = {
		.execute = sq_ioctl_view_get,
		.bytes = sizeof(struct sq_ioc_view),
	},
	[_IOC_NR(SQ_IOC_VIEW_UNMAP)] = {
		.execute = sq_ioctl_view_unmap,
		.bytes = sizeof(struct sq_ioc_view_unmap),
	},
	[_IOC_NR(SQ_IOC_VIEW_EXPORT)] = {
		.execute = sq_ioctl_view_export,
		.bytes = sizeof(struct sq_ioc_view_export),
		.reserved = { SQ_RESERVED(sq_ioc_view_export, reserved) },
	},
	[_IOC_NR(SQ_IOC_STATISTICS_GET)] = {
		.execute = sq_ioctl_statistics_get,
		.bytes = sizeof(struct sq_ioc_statistics),
		.reserved = { SQ_RESERVED(sq_ioc_statistics, reserved) },
	},
	[_IOC_NR(SQ_IOC_STATISTICS_RESET)] = {
		.execute = sq_ioctl_statistics_reset,
		.bytes = sizeof(struct sq_ioc_statistics),
		.write = true,
		.reserved = { SQ_RESERVED(sq_ioc_statistics, reserved) },
	},
	[_IOC_NR(SQ_IOC_VERIFY)] = {
		.execute = sq_ioctl_verify,
		.bytes = sizeof(struct sq_ioc_verify),
	},
	[_IOC_NR(SQ_IOC_BACKGROUND)] = {
		.execute = sq_ioctl_background,
		.bytes = sizeof(struct sq_ioc_background),
		.reserved = { SQ_RESERVED(sq_ioc_background, reserved) },
	},
	[_IOC_NR(SQ_IOC_SANITIZE)] = {
		.execute = sq_ioctl_sanitize,
		.bytes = sizeof(struct sq_ioc_sanitize),
		.flags = SQ_SANITIZE_ALL,
		.write = true,
		.admin = true,
		.reserved = { SQ_RESERVED(sq_ioc_sanitize, reserved) },
	},
	[_IOC_NR(SQ_IOC_FLUSH)] = {
		.execute = sq_ioctl_flush,
		.bytes = sizeof(struct sq_ioc_handle),
		.write = true,
	},
	[_IOC_NR(SQ_IOC_FEATURE_GET)] = {
		.execute = sq_ioctl_feature_get,
		.bytes = sizeof(struct sq_ioc_feature),
		.reserved = { SQ_RESERVED(sq_ioc_feature, reserved) },
	},
	[_IOC_NR(SQ_IOC_FEATURE_SET)] = {
		.execute = sq_ioctl_feature_set,
		.bytes = sizeof(struct sq_ioc_feature),
		.write = true,
		.admin = true,
		.reserved = { SQ_RESERVED(sq_ioc_feature, reserved) },
	},
	[_IOC_NR(SQ_IOC_HDM_INFO)] = {
		.execute = sq_ioctl_hdm_info,
		.bytes = sizeof(struct sq_ioc_hdm_info),
	},
	/* Whether a submit writes is the operation's matter. */
	[_IOC_NR(SQ_IOC_SUBMIT)] = {
		.execute = sq_ioctl_submit,
		.bytes = sizeof(struct sq_ioc_submit),
		.flags = SQ_SUBMIT_ROUND,
		.reserved = { SQ_RESERVED(sq_ioc_submit, reserved) },
	},
};

/* The number decides; the structure's length may have grown since. */
static const struct sq_ioctl *sq_ioctl_find(unsigned int request)
{
	if (_IOC_TYPE(request) != SQ_IOC_TYPE || _IOC_DIR(request) != (_IOC_READ | _IOC_WRITE) ||
	    _IOC_NR(request) >= ARRAY_SIZE(sq_ioctls))
		return NULL;
	return &sq_ioctls[array_index_nospec(_IOC_NR(request), ARRAY_SIZE(sq_ioctls))];
}

/*
 * EINVAL  shorter than the first published structure
 * E2BIG   a tail that is not zero, or longer than a page
 */
static int sq_ioctl_copy_in(const struct sq_ioctl *ioctl, union sq_ioctl_argument *argument,
			    void __user *user, u32 *size)
{
	int ret;

	if (get_user(*size, (u32 __user *)user))
		return -EFAULT;
	if (*size < ioctl->bytes)
		return -EINVAL;
	if (*size > SQ_IOCTL_BYTES_MAX)
		return -E2BIG;
	ret = copy_struct_from_user(argument, ioctl->bytes, user, *size);
	/* Not read twice: what was checked is what is used. */
	argument->header.size = *size;
	argument->header.status = SQ_STATUS_SUCCESS;
	return ret;
}

/*
 * EACCES      the file is not open for writing
 * EPERM       no CAP_SYS_ADMIN
 * EOPNOTSUPP  unknown flag, or a reserved field is not zero
 */
static int sq_ioctl_check(const struct sq_ioctl *ioctl, const struct file *file,
			  const union sq_ioctl_argument *argument)
{
	const struct sq_ioctl_reserved *reserved = ioctl->reserved;
	bool write = ioctl->write;
	unsigned int i;

	if (argument->header.flags & ~ioctl->flags)
		return -EOPNOTSUPP;
	for (i = 0; i < ARRAY_SIZE(ioctl->reserved); i++)
		if (memchr_inv((const u8 *)argument + reserved[i].offset, 0, reserved[i].bytes))
			return -EOPNOTSUPP;
	if (ioctl->execute == sq_ioctl_submit)
		write = sq_operation_writes(argument->submit.opcode);
	if (write && !sq_file_may_write(file))
		return -EACCES;
	if (ioctl->admin && !capable(CAP_SYS_ADMIN))
		return -EPERM;
	return 0;
}

/* The descriptor appears only when the caller can know its number. */
static void sq_ioctl_finish_export(const struct sq_ioctl_call *call, int error)
{
	if (!call->exported)
		return;
	if (!error) {
		fd_install(call->exported_fd, call->exported);
		return;
	}
	put_unused_fd(call->exported_fd);
	fput(call->exported);
}

static int sq_ioctl_run(const struct sq_ioctl *ioctl, struct sq_ioctl_call *call,
			void __user *user)
{
	struct sq_device *sq = call->opened->sq;
	int ticket, ret;

	if (!sq_device_enter(sq, &ticket))
		return -ENODEV;
	ret = ioctl->execute(sq, call);
	sq_device_leave(sq, ticket);

	if ((!ret || call->argument.header.status) &&
	    copy_to_user(user, &call->argument, ioctl->bytes))
		ret = -EFAULT;
	sq_ioctl_finish_export(call, ret);
	return ret;
}

long sq_ioctl(struct file *file, unsigned int request, unsigned long argument)
{
	const struct sq_ioctl *ioctl = sq_ioctl_find(request);
	void __user *user = (void __user *)argument;
	struct sq_ioctl_call call = { .opened = file->private_data };
	u32 size;
	int ret;

	if (!ioctl)
		return -ENOTTY;
	ret = sq_ioctl_copy_in(ioctl, &call.argument, user, &size);
	if (!ret)
		ret = sq_ioctl_check(ioctl, file, &call.argument);
	if (!ret)
		ret = sq_ioctl_run(ioctl, &call, user);
	return ret;
}
