// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Precision views
 *
 * A view is a range of device physical addresses (dpa). Where the CPU sees
 * them is up to the HDM decoders, which the cxl driver commits: the device
 * says so (Get HDM Info) at mmap() time.
 *
 * Pages are put into a mapping when they are touched, 2 MiB around the fault
 * at a time, so that surprise removal and resets can take them out again and
 * the next load finds the card gone (SIGBUS).
 */

#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "smartquant_device.h"
#include "smartquant_view.h"

/* dpa and window of a view are multiples of this. */
#define SQ_VIEW_PAGE_BYTES		4096

/* Pages around a fault that come with it: those of an aligned block. */
#define SQ_FAULT_AROUND_BYTES		PMD_SIZE

/**
 * struct sq_view - a view
 * @users: its holders
 * @sq: the card, held
 * @node: in sq_device.views
 * @id: the device's
 * @dpa: first byte, constant
 * @window_bytes: what can be mapped, constant
 * @void_lock: protects @is_void and @cached
 * @is_void: the device has forgotten it
 * @cached: keeps the window's memory type write-back while it is mapped;
 *	    NULL: never mapped
 * @last_put: gives it up for a holder that must not wait
 */
struct sq_view {
	refcount_t users;
	struct sq_device *sq;
	struct list_head node;
	u32 id;
	u64 dpa;
	u64 window_bytes;
	struct mutex void_lock;
	bool is_void;
	void *cached;
	struct work_struct last_put;
};

/**
 * struct sq_mapping - what a mapping knows; shared by the pieces of a VMA
 * @users: pieces
 * @view: held
 * @first_pfn: page frame of the view's first byte
 * @first_page: page of the file where the view begins
 */
struct sq_mapping {
	refcount_t users;
	struct sq_view *view;
	unsigned long first_pfn;
	unsigned long first_page;
};

static struct workqueue_struct *sq_view_workqueue;

int sq_views_init(void)
{
	sq_view_workqueue = alloc_workqueue("smartquant-views", WQ_UNBOUND, 0);
	return sq_view_workqueue ? 0 : -ENOMEM;
}

void sq_views_exit(void)
{
	destroy_workqueue(sq_view_workqueue);
}

void sq_views_settle(void)
{
	flush_workqueue(sq_view_workqueue);
}

/* Life of a view */

static int sq_view_tell_unmap(struct sq_view *view, u32 *status)
{
	struct sq_mbox_handle in = { .handle = cpu_to_le32(view->id) };
	int ticket, ret;

	*status = SQ_STATUS_SUCCESS;
	/* A card that is gone has forgotten its views. */
	if (!sq_device_enter(view->sq, &ticket))
		return 0;
	ret = sq_mailbox_run(view->sq, SQ_MBOX_UNMAP_VIEW, &in, sizeof(in), NULL, 0, status);
	sq_device_leave(view->sq, ticket);
	return ret;
}

static int sq_view_free(struct sq_view *view, u32 *status)
{
	int ret = 0;

	scoped_guard(mutex, &view->sq->views_lock)
		list_del(&view->node);
	if (!view->is_void)
		ret = sq_view_tell_unmap(view, status);
	if (view->cached)
		memunmap(view->cached);
	sq_device_put(view->sq);
	kfree(view);
	return ret;
}

static void sq_view_last_put(struct work_struct *work)
{
	u32 status;

	sq_view_free(container_of(work, struct sq_view, last_put), &status);
}

/* Talks to the device when it was the last: may sleep long. */
static int sq_view_put_wait(struct sq_view *view, u32 *status)
{
	*status = SQ_STATUS_SUCCESS;
	return refcount_dec_and_test(&view->users) ? sq_view_free(view, status) : 0;
}

/* For holders that must not wait. */
static void sq_view_put(struct sq_view *view)
{
	if (refcount_dec_and_test(&view->users))
		queue_work(sq_view_workqueue, &view->last_put);
}

/* The device's answer is not trusted with our page tables. */
static bool sq_view_info_plausible(const struct sq_device *sq, const struct sq_view_info *info)
{
	u64 dpa = le64_to_cpu(info->dpa);
	u64 window_bytes = le64_to_cpu(info->window_bytes);

	return IS_ALIGNED(dpa, SQ_VIEW_PAGE_BYTES) &&
	       IS_ALIGNED(window_bytes, SQ_VIEW_PAGE_BYTES) &&
	       window_bytes && le64_to_cpu(info->length_bytes) <= window_bytes &&
	       dpa <= sq->limits.logical_bytes &&
	       window_bytes <= sq->limits.logical_bytes - dpa;
}

/* @epoch: of before the device was asked; a reset in between voids the view. */
static struct sq_view *sq_view_create(struct sq_device *sq, const struct sq_view_info *info,
				      unsigned int epoch)
{
	struct sq_view *view = kzalloc(sizeof(*view), GFP_KERNEL);

	if (!view)
		return NULL;
	refcount_set(&view->users, 1);
	mutex_init(&view->void_lock);
	INIT_WORK(&view->last_put, sq_view_last_put);
	view->id = le32_to_cpu(info->view);
	view->dpa = le64_to_cpu(info->dpa);
	view->window_bytes = le64_to_cpu(info->window_bytes);
	sq_device_get(sq);
	view->sq = sq;
	scoped_guard(mutex, &sq->views_lock) {
		view->is_void = epoch != sq->views_epoch;
		list_add(&view->node, &sq->views);
	}
	return view;
}

/* Sets of views */

void sq_views_open(struct sq_views *views)
{
	xa_init(&views->by_id);
}

void sq_views_close(struct sq_views *views)
{
	struct sq_view *view;
	unsigned long id;
	u32 status;

	xa_for_each(&views->by_id, id, view)
		sq_view_put_wait(view, &status);
	xa_destroy(&views->by_id);
}

/* The view, held; NULL: not in this set. */
static struct sq_view *sq_views_find(struct sq_views *views, u32 id)
{
	struct sq_view *view;

	xa_lock(&views->by_id);
	view = xa_load(&views->by_id, id);
	if (view)
		refcount_inc(&view->users);
	xa_unlock(&views->by_id);
	return view;
}

static bool sq_view_is_void(struct sq_view *view)
{
	guard(mutex)(&view->void_lock);
	return view->is_void;
}

/* A card that was reset may give the id of a view that ended with the reset. */
static void sq_views_evict_void(struct sq_views *views, u32 id)
{
	struct sq_view *view = sq_views_find(views, id);

	if (!view)
		return;
	if (sq_view_is_void(view) &&
	    xa_cmpxchg(&views->by_id, id, view, NULL, GFP_KERNEL) == view)
		sq_view_put(view);
	sq_view_put(view);
}

static int sq_views_add(struct sq_device *sq, struct sq_views *views,
			const struct sq_view_info *info, unsigned int epoch)
{
	struct sq_view *view;
	u32 status;
	int ret;

	view = sq_view_create(sq, info, epoch);
	if (!view)
		return -ENOMEM;
	sq_views_evict_void(views, view->id);
	ret = xa_insert(&views->by_id, view->id, view, GFP_KERNEL);
	if (ret)
		sq_view_put_wait(view, &status);
	/* The device gave an id twice. */
	return ret == -EBUSY ? -EPROTO : ret;
}

int sq_view_map(struct sq_device *sq, struct sq_views *views, const struct sq_mbox_map_view *map,
		struct sq_view_info *info, u32 *status)
{
	unsigned int epoch = READ_ONCE(sq->views_epoch);
	struct sq_mbox_handle unmap;
	int ret;

	ret = sq_mailbox_run(sq, SQ_MBOX_MAP_VIEW, map, sizeof(*map), info, sizeof(*info),
			     status);
	if (ret)
		return ret;
	if (!sq_view_info_plausible(sq, info)) {
		unmap.handle = info->view;
		sq_mailbox_run(sq, SQ_MBOX_UNMAP_VIEW, &unmap, sizeof(unmap), NULL, 0, NULL);
		return -EPROTO;
	}
	return sq_views_add(sq, views, info, epoch);
}

int sq_view_get(struct sq_device *sq, struct sq_views *views, u32 id, struct sq_view_info *info,
		u32 *status)
{
	struct sq_mbox_handle in = { .handle = cpu_to_le32(id) };
	struct sq_view *view = sq_views_find(views, id);
	int ret;

	if (!view)
		return -ENOENT;
	if (sq_view_is_void(view))
		ret = -ESTALE;
	else
		ret = sq_mailbox_run(sq, SQ_MBOX_GET_VIEW, &in, sizeof(in), info, sizeof(*info),
				     status);
	sq_view_put(view);
	return ret;
}

int sq_view_unmap(struct sq_views *views, u32 id, u32 *status)
{
	struct sq_view *view = xa_erase(&views->by_id, id);

	*status = SQ_STATUS_SUCCESS;
	return view ? sq_view_put_wait(view, status) : -ENOENT;
}

/* Mappings */

static void sq_mapping_put(struct sq_mapping *mapping)
{
	if (!refcount_dec_and_test(&mapping->users))
		return;
	sq_view_put(mapping->view);
	kfree(mapping);
}

static void sq_vma_open(struct vm_area_struct *vma)
{
	struct sq_mapping *mapping = vma->vm_private_data;

	refcount_inc(&mapping->users);
}

static void sq_vma_close(struct vm_area_struct *vma)
{
	sq_mapping_put(vma->vm_private_data);
}

/* The pages of the aligned block around @address, those of the mapping. */
static vm_fault_t sq_mapping_insert(struct vm_area_struct *vma, unsigned long address)
{
	struct sq_mapping *mapping = vma->vm_private_data;
	unsigned long block = ALIGN_DOWN(address, SQ_FAULT_AROUND_BYTES);
	unsigned long start = max(block, vma->vm_start);
	unsigned long end = min(block + SQ_FAULT_AROUND_BYTES, vma->vm_end);
	unsigned long pfn;
	vm_fault_t ret;

	pfn = mapping->first_pfn + vma->vm_pgoff - mapping->first_page +
	      PHYS_PFN(start - vma->vm_start);
	for (; start < end; start += PAGE_SIZE, pfn++) {
		ret = vmf_insert_pfn(vma, start, pfn);
		if (ret != VM_FAULT_NOPAGE)
			return ret;
	}
	return VM_FAULT_NOPAGE;
}

static vm_fault_t sq_vma_fault(struct vm_fault *vmf)
{
	struct sq_mapping *mapping = vmf->vma->vm_private_data;
	vm_fault_t ret = VM_FAULT_SIGBUS;
	int ticket;

	if (!sq_device_enter(mapping->view->sq, &ticket))
		return VM_FAULT_SIGBUS;
	scoped_guard(mutex, &mapping->view->void_lock) {
		if (!mapping->view->is_void)
			ret = sq_mapping_insert(vmf->vma, vmf->address);
	}
	sq_device_leave(mapping->view->sq, ticket);
	return ret;
}

static const struct vm_operations_struct sq_vma_operations = {
	.open = sq_vma_open,
	.close = sq_vma_close,
	.fault = sq_vma_fault,
};

/*
 * The device's word on where it is: believed inside of the CXL windows that
 * the firmware's tables name, and only while the kernel has no RAM there.
 */
static int sq_host_range_check(phys_addr_t host, u64 bytes)
{
	if (!IS_ALIGNED(host, PAGE_SIZE) ||
	    region_intersects(host, bytes, IORESOURCE_MEM, IORES_DESC_CXL) != REGION_INTERSECTS)
		return -ENXIO;
	if (region_intersects(host, bytes, IORESOURCE_SYSTEM_RAM, IORES_DESC_NONE) !=
	    REGION_DISJOINT)
		return -EBUSY;
	return 0;
}

/*
 * ENXIO  no decoder is committed, the window is interleaved, or lies outside
 *        of the decoder
 * EBUSY  the kernel uses that memory as its own RAM
 */
static int sq_view_locate(struct sq_view *view, phys_addr_t *host)
{
	struct sq_hdm_info hdm;
	u64 dpa_base, offset;
	u32 flags;
	int ret;

	ret = sq_mailbox_run(view->sq, SQ_MBOX_GET_HDM_INFO, NULL, 0, &hdm, sizeof(hdm), NULL);
	if (ret)
		return ret;
	flags = le32_to_cpu(hdm.flags);
	dpa_base = le64_to_cpu(hdm.dpa_base);
	if (!(flags & SQ_HDM_COMMITTED) || flags & SQ_HDM_INTERLEAVED || view->dpa < dpa_base)
		return -ENXIO;
	offset = view->dpa - dpa_base;
	if (offset > le64_to_cpu(hdm.size_bytes) ||
	    view->window_bytes > le64_to_cpu(hdm.size_bytes) - offset)
		return -ENXIO;
	if (check_add_overflow(le64_to_cpu(hdm.host_base), offset, host))
		return -ENXIO;
	return sq_host_range_check(*host, view->window_bytes);
}

/*
 * Function 0 is memory: the CPU shall cache it. On x86 user mappings of memory
 * that nobody has claimed as write-back would be uncached.
 */
static int sq_view_keep_cached(struct sq_view *view, phys_addr_t host)
{
	guard(mutex)(&view->void_lock);
	if (view->is_void)
		return -ENXIO;
	if (!view->cached)
		view->cached = memremap(host, view->window_bytes, MEMREMAP_WB);
	return view->cached ? 0 : -ENOMEM;
}

static int sq_view_mmap_inside(struct sq_view *view, struct vm_area_struct *vma,
			       unsigned long first_page)
{
	struct sq_mapping *mapping;
	phys_addr_t host;
	int ret;

	ret = sq_view_locate(view, &host);
	if (!ret)
		ret = sq_view_keep_cached(view, host);
	if (ret)
		return ret;
	mapping = kzalloc(sizeof(*mapping), GFP_KERNEL);
	if (!mapping)
		return -ENOMEM;
	refcount_set(&mapping->users, 1);
	refcount_inc(&view->users);
	mapping->view = view;
	mapping->first_pfn = PHYS_PFN(host);
	mapping->first_page = first_page;
	vma->vm_private_data = mapping;
	vma->vm_ops = &sq_vma_operations;
	vm_flags_set(vma, VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP);
	return 0;
}

/*
 * @first_page: where the view begins in the file
 *
 * EACCES  for more than reading
 * EINVAL  not inside of the view
 */
static int sq_view_mmap(struct sq_view *view, struct vm_area_struct *vma,
			unsigned long first_page)
{
	int ticket, ret;

	if (vma->vm_flags & (VM_WRITE | VM_EXEC))
		return -EACCES;
	vm_flags_clear(vma, VM_MAYWRITE | VM_MAYEXEC);
	if (vma->vm_pgoff < first_page ||
	    vma->vm_pgoff - first_page + vma_pages(vma) > PHYS_PFN(view->window_bytes))
		return -EINVAL;
	if (!sq_device_enter(view->sq, &ticket))
		return -ENODEV;
	ret = sq_view_mmap_inside(view, vma, first_page);
	sq_device_leave(view->sq, ticket);
	return ret;
}

/* The view that holds the page, held; NULL: none of this set. */
static struct sq_view *sq_views_find_page(struct sq_views *views, unsigned long page)
{
	struct sq_view *view, *found = NULL;
	unsigned long id;

	xa_lock(&views->by_id);
	xa_for_each(&views->by_id, id, view) {
		/* Void ones may lie where new ones are now; a stale look is harmless. */
		if (READ_ONCE(view->is_void) || page < PHYS_PFN(view->dpa) ||
		    page - PHYS_PFN(view->dpa) >= PHYS_PFN(view->window_bytes))
			continue;
		refcount_inc(&view->users);
		found = view;
		break;
	}
	xa_unlock(&views->by_id);
	return found;
}

int sq_views_mmap(struct sq_views *views, struct vm_area_struct *vma)
{
	struct sq_view *view = sq_views_find_page(views, vma->vm_pgoff);
	int ret;

	if (!view)
		return -EINVAL;
	ret = sq_view_mmap(view, vma, PHYS_PFN(view->dpa));
	sq_view_put(view);
	return ret;
}

/* Exported views */

static int sq_export_mmap(struct file *file, struct vm_area_struct *vma)
{
	return sq_view_mmap(file->private_data, vma, 0);
}

static int sq_export_release(struct inode *inode, struct file *file)
{
	u32 status;

	sq_view_put_wait(file->private_data, &status);
	return 0;
}

static const struct file_operations sq_export_operations = {
	.owner = THIS_MODULE,
	.mmap = sq_export_mmap,
	.release = sq_export_release,
	.llseek = noop_llseek,
};

struct file *sq_view_export(struct sq_views *views, u32 id)
{
	struct sq_view *view = sq_views_find(views, id);
	struct file *file;

	if (!view)
		return ERR_PTR(-ENOENT);
	file = anon_inode_getfile("[smartquant-view]", &sq_export_operations, view, O_RDONLY);
	if (IS_ERR(file)) {
		sq_view_put(view);
		return file;
	}
	file->f_mapping = view->sq->mapping_inode->i_mapping;
	return file;
}

void sq_views_void(struct sq_device *sq)
{
	struct sq_view *view;

	scoped_guard(mutex, &sq->views_lock) {
		WRITE_ONCE(sq->views_epoch, sq->views_epoch + 1);
		list_for_each_entry(view, &sq->views, node) {
			guard(mutex)(&view->void_lock);
			WRITE_ONCE(view->is_void, true);
		}
	}
	/* Faults after this see the views void, or the card gone. */
	unmap_mapping_range(sq->mapping_inode->i_mapping, 0, 0, 1);
}

void sq_views_stop(struct sq_device *sq)
{
	struct sq_mbox_handle in;
	struct sq_view *view;

	unmap_mapping_range(sq->mapping_inode->i_mapping, 0, 0, 1);
	guard(mutex)(&sq->views_lock);
	list_for_each_entry(view, &sq->views, node) {
		guard(mutex)(&view->void_lock);
		if (view->is_void)
			continue;
		in.handle = cpu_to_le32(view->id);
		sq_mailbox_run(sq, SQ_MBOX_UNMAP_VIEW, &in, sizeof(in), NULL, 0, NULL);
		WRITE_ONCE(view->is_void, true);
	}
}
