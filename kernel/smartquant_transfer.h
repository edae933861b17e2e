/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One transfer between the caller's memory and the card.
 *
 * Life: prepare (check, pin, map for DMA) - submit to a queue - end (unmap,
 * unpin, tell the waiter) - put. From submit to end the device may read or
 * write the memory, so the queue holds a reference of its own: a waiter who
 * is killed puts his and leaves, the memory stays until the queue ends the
 * transfer.
 */
#ifndef SMARTQUANT_TRANSFER_H
#define SMARTQUANT_TRANSFER_H

#include <linux/completion.h>
#include <linux/dma-direction.h>
#include <linux/list.h>
#include <linux/refcount.h>
#include <linux/scatterlist.h>

#include <smartquant/uapi.h>

struct io_uring_cmd;
struct sq_device;
struct sq_queue;

/* &struct sq_buffer entries of a transfer, entries of its precision vector. */
#define SQ_BUFFERS_MAX			64
#define SQ_FORMATS_MAX			65536

/* What to do, as the submission entry has it. */
struct sq_request {
	u32 opcode;
	u32 flags;
	u32 handle;
	u16 format;
	u8 rounding;
	u8 axis;
	u32 first_row;
	u32 row_count;
	u16 abort_id;
};

/**
 * struct sq_transfer_input - a transfer as userspace asks for it, unchecked
 * @request: what to do
 * @buffers: user address of an array of &struct sq_buffer
 * @buffer_count: entries of it; 0: the data is at @data
 * @data: the only buffer when @buffer_count is 0; length 0: no data
 * @fixed: @data lies in a registered buffer of this command, or NULL
 * @formats: user address of the precision vector
 * @format_count: entries of it
 * @rows_per_format: rows of a block
 */
struct sq_transfer_input {
	struct sq_request request;
	u64 buffers;
	u32 buffer_count;
	struct sq_buffer data;
	struct io_uring_cmd *fixed;
	u64 formats;
	u32 format_count;
	u32 rows_per_format;
};

/* A physically contiguous piece of kernel memory that the device reads. */
struct sq_dma_block {
	void *memory;
	dma_addr_t address;
	u32 bytes;
};

/**
 * struct sq_transfer - a prepared transfer
 * @users: references
 * @node: for whoever collects ended transfers
 * @request: what to do
 * @dma_device: who reads and writes; valid until the end
 * @direction: of the data
 * @data_bytes: sum of the buffers
 * @pages: the pinned pages of the buffers
 * @page_count: of @pages
 * @table: the pieces of the buffers
 * @mapped: @table is mapped for DMA
 * @segments: the pieces, when they are at most two
 * @scatter: the list of the pieces, when there are more
 * @vector: precision vector for the device
 * @submitted_ns: when
 * @error: 0 or a negative errno, once ended
 * @result: the device's, once ended
 * @finished: called at the end, may sleep; NULL: @done is completed
 * @context: for @finished
 * @done: the end
 */
struct sq_transfer {
	refcount_t users;
	struct list_head node;
	struct sq_request request;

	struct device *dma_device;
	enum dma_data_direction direction;
	u64 data_bytes;
	struct page **pages;
	unsigned int page_count;
	struct sg_table table;
	bool mapped;
	struct sq_scatter segments[2];
	struct sq_dma_block scatter;
	struct sq_dma_block vector;

	u64 submitted_ns;
	int error;
	struct sq_transfer_result result;

	void (*finished)(struct sq_transfer *transfer);
	void *context;
	struct completion done;
};

/* Does the operation change the store? */
bool sq_operation_writes(u32 opcode);

/* One reference, or an ERR_PTR. See uapi.h for what is checked. */
struct sq_transfer *sq_transfer_prepare(struct sq_device *sq,
					const struct sq_transfer_input *input);
void sq_transfer_get(struct sq_transfer *transfer);
void sq_transfer_put(struct sq_transfer *transfer);

/* All of the entry but the id and the result's address. */
void sq_transfer_encode(const struct sq_transfer *transfer, struct sq_submission *entry);
void sq_transfer_take_result(struct sq_transfer *transfer, const struct sq_result *result,
			     u16 status);
/* The device is done with the memory. Sleeps. Puts the queue's reference. */
void sq_transfer_end(struct sq_transfer *transfer);

/* Submits and waits; the result is in the transfer. */
int sq_transfer_run(struct sq_device *sq, struct sq_transfer *transfer);

#endif /* SMARTQUANT_TRANSFER_H */
