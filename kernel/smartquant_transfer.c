// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Transfers: from a request of userspace to a submission entry, and back
 *
 * The caller's memory is pinned, not copied. Its pages become pieces, merged
 * where they are neighbours for the device: up to two pieces go into the
 * entry itself, more into a list that the device reads.
 */

#include <linux/dma-mapping.h>
#include <linux/io_uring/cmd.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/uio.h>

#include "smartquant_device.h"
#include "smartquant_queue.h"
#include "smartquant_status.h"
#include "smartquant_transfer.h"

/* Large blocks need contiguous memory: try hard, fail quietly. */
#define SQ_GFP_BLOCK	(GFP_KERNEL | __GFP_NOWARN | __GFP_RETRY_MAYFAIL)

#define SQ_USES_HANDLE			0x01
#define SQ_USES_ROWS			0x02
#define SQ_USES_FORMAT			0x04
#define SQ_USES_ROUNDING		0x08	/* and axis */
#define SQ_USES_VECTOR			0x10
#define SQ_USES_DATA			0x20

/* What each operation of userspace takes. */
static const struct sq_operation {
	u8 uses;
	u8 flags;
	bool offered;
	bool writes;
	enum dma_data_direction direction;
} sq_operations[] = {
	[SQ_OP_NOOP] = {
		.offered = true,
		.direction = DMA_NONE,
	},
	[SQ_OP_STORE] = {
		.offered = true,
		.uses = SQ_USES_HANDLE | SQ_USES_ROWS | SQ_USES_FORMAT | SQ_USES_DATA,
		.flags = SQ_SUBMIT_ROUND,
		.writes = true,
		.direction = DMA_TO_DEVICE,
	},
	[SQ_OP_FETCH] = {
		.offered = true,
		.uses = SQ_USES_HANDLE | SQ_USES_ROWS | SQ_USES_FORMAT | SQ_USES_ROUNDING |
			SQ_USES_VECTOR | SQ_USES_DATA,
		.direction = DMA_FROM_DEVICE,
	},
	[SQ_OP_FLUSH] = {
		.offered = true,
		.uses = SQ_USES_HANDLE,
		.writes = true,
		.direction = DMA_NONE,
	},
};

static const struct sq_operation *sq_operation_find(u32 opcode)
{
	if (opcode >= ARRAY_SIZE(sq_operations) || !sq_operations[opcode].offered)
		return NULL;
	return &sq_operations[opcode];
}

bool sq_operation_writes(u32 opcode)
{
	const struct sq_operation *operation = sq_operation_find(opcode);

	return operation && operation->writes;
}

/* Fields that are set although the operation has no use for them. */
static u8 sq_input_uses(const struct sq_transfer_input *input)
{
	const struct sq_request *request = &input->request;
	u8 uses = 0;

	if (request->handle)
		uses |= SQ_USES_HANDLE;
	if (request->first_row || request->row_count)
		uses |= SQ_USES_ROWS;
	if (request->format)
		uses |= SQ_USES_FORMAT;
	if (request->rounding || request->axis)
		uses |= SQ_USES_ROUNDING;
	if (input->formats || input->format_count || input->rows_per_format)
		uses |= SQ_USES_VECTOR;
	if (input->buffers || input->buffer_count || input->data.address ||
	    input->data.length_bytes)
		uses |= SQ_USES_DATA;
	return uses;
}

/*
 * EOPNOTSUPP  operation or flag is not known
 * EINVAL      a field is set that the operation does not use; no rows or no
 *             data where some are needed; half a precision vector, or one
 *             beside a format
 */
static int sq_input_check(const struct sq_transfer_input *input)
{
	const struct sq_request *request = &input->request;
	const struct sq_operation *operation = sq_operation_find(request->opcode);
	u8 uses = sq_input_uses(input);

	if (!operation || request->flags & ~operation->flags)
		return -EOPNOTSUPP;
	if (uses & ~operation->uses)
		return -EINVAL;
	if (operation->uses & SQ_USES_ROWS && !request->row_count)
		return -EINVAL;
	if (operation->uses & SQ_USES_DATA && !(uses & SQ_USES_DATA))
		return -EINVAL;
	if (!input->format_count != !input->rows_per_format)
		return -EINVAL;
	if (input->format_count && request->format != SQ_FORMAT_TAG)
		return -EINVAL;
	if (input->buffer_count && (input->data.length_bytes || input->fixed))
		return -EINVAL;
	return 0;
}

static int sq_block_map(struct device *dev, struct sq_dma_block *block)
{
	block->address = dma_map_single(dev, block->memory, block->bytes, DMA_TO_DEVICE);
	if (!dma_mapping_error(dev, block->address))
		return 0;
	kfree(block->memory);
	block->memory = NULL;
	return -ENOMEM;
}

static void sq_block_free(struct device *dev, struct sq_dma_block *block)
{
	if (!block->memory)
		return;
	dma_unmap_single(dev, block->address, block->bytes, DMA_TO_DEVICE);
	kfree(block->memory);
	block->memory = NULL;
}

/* Pages that a buffer touches. */
static unsigned int sq_buffer_pages(const struct sq_buffer *buffer)
{
	return DIV_ROUND_UP(offset_in_page(buffer->address) + buffer->length_bytes, PAGE_SIZE);
}

/*
 * EINVAL    a buffer of no bytes
 * EFAULT    a buffer outside of the address space
 * EMSGSIZE  more data than one transfer takes
 */
static int sq_buffers_check(const struct sq_device *sq, const struct sq_buffer *buffers,
			    unsigned int count, u64 *data_bytes, unsigned int *page_count)
{
	unsigned int i;

	*data_bytes = 0;
	*page_count = 0;
	for (i = 0; i < count; i++) {
		if (!buffers[i].length_bytes)
			return -EINVAL;
		if (buffers[i].length_bytes > sq->limits.transfer_bytes - *data_bytes)
			return -EMSGSIZE;
		if (!access_ok(u64_to_user_ptr(buffers[i].address), buffers[i].length_bytes))
			return -EFAULT;
		*data_bytes += buffers[i].length_bytes;
		*page_count += sq_buffer_pages(&buffers[i]);
	}
	return 0;
}

static int sq_table_alloc(struct sq_transfer *transfer, unsigned int pieces)
{
	transfer->table.sgl = kvmalloc_array(pieces, sizeof(struct scatterlist), GFP_KERNEL);
	if (!transfer->table.sgl)
		return -ENOMEM;
	sg_init_table(transfer->table.sgl, pieces);
	return 0;
}

/* Adds the pieces of one pinned buffer to the table. */
static void sq_table_add(struct sg_table *table, struct page **pages,
			 const struct sq_buffer *buffer)
{
	unsigned int offset = offset_in_page(buffer->address);
	u64 left = buffer->length_bytes;

	while (left) {
		unsigned int bytes = min_t(u64, left, PAGE_SIZE - offset);

		sg_set_page(&table->sgl[table->orig_nents++], *pages++, bytes, offset);
		left -= bytes;
		offset = 0;
	}
}

static int sq_transfer_pin_buffer(struct sq_transfer *transfer, const struct sq_buffer *buffer)
{
	unsigned int flags = transfer->direction == DMA_FROM_DEVICE ? FOLL_WRITE : 0;
	struct page **pages = transfer->pages + transfer->page_count;
	unsigned int wanted = sq_buffer_pages(buffer);
	int got;

	got = pin_user_pages_fast(buffer->address & PAGE_MASK, wanted, flags, pages);
	if (got > 0)
		transfer->page_count += got;
	if (got < 0)
		return got == -EAGAIN ? -EFAULT : got;
	if (got < wanted)
		return fatal_signal_pending(current) ? -EINTR : -EFAULT;
	sq_table_add(&transfer->table, pages, buffer);
	return 0;
}

static int sq_transfer_pin(struct sq_device *sq, struct sq_transfer *transfer,
			   const struct sq_buffer *buffers, unsigned int count)
{
	unsigned int page_count, i;
	int ret;

	ret = sq_buffers_check(sq, buffers, count, &transfer->data_bytes, &page_count);
	if (ret)
		return ret;
	transfer->pages = kvmalloc_array(page_count, sizeof(*transfer->pages), GFP_KERNEL);
	if (!transfer->pages)
		return -ENOMEM;
	ret = sq_table_alloc(transfer, page_count);
	for (i = 0; i < count && !ret; i++)
		ret = sq_transfer_pin_buffer(transfer, &buffers[i]);
	return ret;
}

static int sq_transfer_pin_array(struct sq_device *sq, struct sq_transfer *transfer,
				 const struct sq_transfer_input *input)
{
	struct sq_buffer *buffers;
	int ret;

	if (input->buffer_count > SQ_BUFFERS_MAX)
		return -EINVAL;
	buffers = memdup_array_user(u64_to_user_ptr(input->buffers), input->buffer_count,
				    sizeof(*buffers));
	if (IS_ERR(buffers))
		return PTR_ERR(buffers);
	ret = sq_transfer_pin(sq, transfer, buffers, input->buffer_count);
	kfree(buffers);
	return ret;
}

static int sq_fixed_import(const struct sq_buffer *data, enum dma_data_direction direction,
			   struct io_uring_cmd *command, struct iov_iter *iter)
{
	int rw = direction == DMA_FROM_DEVICE ? ITER_DEST : ITER_SOURCE;

#ifdef SQ_IMPORT_FIXED_TAKES_FLAGS
	return io_uring_cmd_import_fixed(data->address, data->length_bytes, rw, iter, command, 0);
#else
	return io_uring_cmd_import_fixed(data->address, data->length_bytes, rw, iter, command);
#endif
}

/* A registered buffer is pinned by its ring until the command is done. */
static int sq_transfer_import(struct sq_device *sq, struct sq_transfer *transfer,
			      const struct sq_transfer_input *input)
{
	unsigned int pieces;
	struct iov_iter iter;
	u64 data_bytes;
	ssize_t got;
	int ret;

	ret = sq_buffers_check(sq, &input->data, 1, &data_bytes, &pieces);
	if (ret)
		return ret;
	ret = sq_fixed_import(&input->data, transfer->direction, input->fixed, &iter);
	if (ret)
		return ret;
	ret = sq_table_alloc(transfer, pieces);
	if (ret)
		return ret;
	got = extract_iter_to_sg(&iter, data_bytes, &transfer->table, pieces, 0);
	if (got != data_bytes)
		return got < 0 ? got : -EFAULT;
	transfer->table.orig_nents = transfer->table.nents;
	transfer->data_bytes = data_bytes;
	return 0;
}

static int sq_transfer_take_data(struct sq_device *sq, struct sq_transfer *transfer,
				 const struct sq_transfer_input *input)
{
	if (transfer->direction == DMA_NONE)
		return 0;
	if (input->buffer_count)
		return sq_transfer_pin_array(sq, transfer, input);
	if (input->fixed)
		return sq_transfer_import(sq, transfer, input);
	return sq_transfer_pin(sq, transfer, &input->data, 1);
}

/*
 * Counts the pieces that the device sees, and writes them to @list when there
 * is one.
 */
static unsigned int sq_table_merge(struct sg_table *table, struct sq_scatter *list)
{
	dma_addr_t start = 0, end = 0;
	struct scatterlist *sg;
	unsigned int count = 0;
	int i;

	for_each_sgtable_dma_sg(table, sg, i) {
		if (!count || sg_dma_address(sg) != end) {
			start = sg_dma_address(sg);
			count++;
		}
		end = sg_dma_address(sg) + sg_dma_len(sg);
		if (list)
			list[count - 1] = (struct sq_scatter) {
				.address = cpu_to_le64(start),
				.length_bytes = cpu_to_le32(end - start),
			};
	}
	return count;
}

/* EMSGSIZE: the data is in more pieces than the device takes. */
static int sq_transfer_map_data(struct sq_device *sq, struct sq_transfer *transfer)
{
	struct sq_scatter *list = transfer->segments;
	unsigned int count;
	int ret;

	if (transfer->direction == DMA_NONE)
		return 0;
	sg_mark_end(&transfer->table.sgl[transfer->table.orig_nents - 1]);
	ret = dma_map_sgtable(transfer->dma_device, &transfer->table, transfer->direction, 0);
	if (ret)
		return ret;
	transfer->mapped = true;

	count = sq_table_merge(&transfer->table, NULL);
	if (count > sq->limits.scatter_entries)
		return -EMSGSIZE;
	if (count > ARRAY_SIZE(transfer->segments)) {
		transfer->scatter.bytes = array_size(count, sizeof(*list));
		list = kmalloc(transfer->scatter.bytes, SQ_GFP_BLOCK);
		if (!list)
			return -ENOMEM;
		transfer->scatter.memory = list;
	}
	sq_table_merge(&transfer->table, list);
	return transfer->scatter.memory ?
		sq_block_map(transfer->dma_device, &transfer->scatter) : 0;
}

/* EINVAL: more formats than one transfer takes. */
static int sq_transfer_take_formats(struct sq_transfer *transfer,
				    const struct sq_transfer_input *input)
{
	struct sq_precision_vector *vector;
	__le16 *formats;
	u32 bytes, i;

	if (!input->format_count)
		return 0;
	if (input->format_count > SQ_FORMATS_MAX)
		return -EINVAL;
	bytes = sizeof(*vector) + input->format_count * sizeof(*formats);
	vector = kmalloc(bytes, SQ_GFP_BLOCK);
	if (!vector)
		return -ENOMEM;
	formats = (__le16 *)(vector + 1);
	if (copy_from_user(formats, u64_to_user_ptr(input->formats),
			   input->format_count * sizeof(*formats))) {
		kfree(vector);
		return -EFAULT;
	}
	for (i = 0; i < input->format_count; i++)
		formats[i] = cpu_to_le16((__force u16)formats[i]);
	vector->rows_per_format = cpu_to_le32(input->rows_per_format);
	vector->format_count = cpu_to_le32(input->format_count);
	transfer->vector.memory = vector;
	transfer->vector.bytes = bytes;
	return sq_block_map(transfer->dma_device, &transfer->vector);
}

/* Nothing of the transfer is the device's any more, nor pinned. */
static void sq_transfer_let_go(struct sq_transfer *transfer)
{
	if (transfer->mapped)
		dma_unmap_sgtable(transfer->dma_device, &transfer->table, transfer->direction, 0);
	transfer->mapped = false;
	sq_block_free(transfer->dma_device, &transfer->scatter);
	sq_block_free(transfer->dma_device, &transfer->vector);
	unpin_user_pages_dirty_lock(transfer->pages, transfer->page_count,
				    transfer->direction == DMA_FROM_DEVICE);
	transfer->page_count = 0;
}

void sq_transfer_get(struct sq_transfer *transfer)
{
	refcount_inc(&transfer->users);
}

void sq_transfer_put(struct sq_transfer *transfer)
{
	if (!refcount_dec_and_test(&transfer->users))
		return;
	sq_transfer_let_go(transfer);
	kvfree(transfer->table.sgl);
	kvfree(transfer->pages);
	kfree(transfer);
}

struct sq_transfer *sq_transfer_prepare(struct sq_device *sq,
					const struct sq_transfer_input *input)
{
	struct sq_transfer *transfer;
	int ret;

	ret = sq_input_check(input);
	if (ret)
		return ERR_PTR(ret);

	transfer = kzalloc(sizeof(*transfer), GFP_KERNEL);
	if (!transfer)
		return ERR_PTR(-ENOMEM);
	refcount_set(&transfer->users, 1);
	init_completion(&transfer->done);
	transfer->request = input->request;
	transfer->dma_device = &sq->pdev->dev;
	transfer->direction = sq_operation_find(input->request.opcode)->direction;

	ret = sq_transfer_take_data(sq, transfer, input);
	if (!ret)
		ret = sq_transfer_map_data(sq, transfer);
	if (!ret)
		ret = sq_transfer_take_formats(transfer, input);
	if (ret) {
		sq_transfer_put(transfer);
		return ERR_PTR(ret);
	}
	return transfer;
}

static void sq_transfer_encode_data(const struct sq_transfer *transfer,
				    struct sq_submission *entry)
{
	unsigned int i;

	if (transfer->scatter.memory) {
		entry->flags |= SQ_SUBMIT_INDIRECT;
		entry->segment_address[0] = cpu_to_le64(transfer->scatter.address);
		entry->segment_bytes[0] = cpu_to_le32(transfer->scatter.bytes);
		return;
	}
	for (i = 0; i < ARRAY_SIZE(transfer->segments); i++) {
		entry->segment_address[i] = transfer->segments[i].address;
		entry->segment_bytes[i] = transfer->segments[i].length_bytes;
	}
}

void sq_transfer_encode(const struct sq_transfer *transfer, struct sq_submission *entry)
{
	const struct sq_request *request = &transfer->request;

	*entry = (struct sq_submission) {
		.opcode = request->opcode,
		.flags = request->flags,
		.handle = cpu_to_le32(request->handle),
		.format = cpu_to_le16(request->format),
		.rounding = request->rounding,
		.axis = request->axis,
		.first_row = cpu_to_le32(request->first_row),
		.row_count = cpu_to_le32(request->row_count),
		.abort_id = cpu_to_le16(request->abort_id),
	};
	sq_transfer_encode_data(transfer, entry);
	if (transfer->vector.memory)
		entry->vector_address = cpu_to_le64(transfer->vector.address);
}

void sq_transfer_take_result(struct sq_transfer *transfer, const struct sq_result *result,
			     u16 status)
{
	transfer->error = sq_status_errno(status);
	transfer->result = (struct sq_transfer_result) {
		.status = status,
		.format = le16_to_cpu(result->format),
		.rounding = result->rounding,
		.bytes = le64_to_cpu(result->bytes),
		.elements = le64_to_cpu(result->elements),
		.plane_lines = le64_to_cpu(result->plane_lines),
		.check_lines = le64_to_cpu(result->check_lines),
		.baseline_lines = le64_to_cpu(result->baseline_lines),
		.dram_time_ns = le64_to_cpu(result->dram_time_ns),
		.dram_energy_pj = le64_to_cpu(result->dram_energy_pj),
		.link_time_ns = le64_to_cpu(result->link_time_ns),
		.rounded_elements = le64_to_cpu(result->rounded_elements),
		.max_rounding_error = le32_to_cpu(result->max_rounding_error),
		.error_row = le32_to_cpu(result->error_row),
		.error_col = le32_to_cpu(result->error_col),
	};
}

void sq_transfer_end(struct sq_transfer *transfer)
{
	sq_transfer_let_go(transfer);
	if (transfer->finished)
		transfer->finished(transfer);
	else
		complete(&transfer->done);
	sq_transfer_put(transfer);
}

int sq_transfer_run(struct sq_device *sq, struct sq_transfer *transfer)
{
	struct sq_queue_ticket ticket;
	int ret;

	ret = sq_queue_submit(sq, transfer, true, &ticket);
	if (ret)
		return ret;
	/* No timeout here: the queue's watchdog ends what takes too long. */
	if (!wait_for_completion_killable(&transfer->done))
		return transfer->error;
	sq_queue_abort(sq, &ticket);
	return -EINTR;
}
