// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Transfers as IORING_OP_URING_CMD
 *
 * The command is submitted from the ring's submission path and completes
 * from the queue's interrupt thread, which hands it to the submitting task:
 * only there can the result be written to its memory.
 */

#include <linux/io_uring/cmd.h>
#include <linux/uaccess.h>

#include "smartquant_device.h"
#include "smartquant_file.h"
#include "smartquant_queue.h"
#include "smartquant_transfer.h"

/* What a command remembers until its end. */
struct sq_uring_state {
	struct sq_transfer *transfer;
	u64 result;
};

static struct sq_uring_state *sq_uring_state_of(struct io_uring_cmd *command)
{
	return io_uring_cmd_to_pdu(command, struct sq_uring_state);
}

/*
 * The entry may be memory that userspace can write: each field is read once.
 *
 * EOPNOTSUPP  no such command, or a reserved field is not zero
 */
static int sq_uring_read(struct io_uring_cmd *command, struct sq_transfer_input *input,
			 u64 *result)
{
	const struct sq_uring_cmd *entry = io_uring_sqe_cmd(command->sqe);
	u64 length_bytes = READ_ONCE(entry->length_bytes);
	u64 buffers = READ_ONCE(entry->buffers);
	static const struct {
		u32 command;
		u32 opcode;
	} operations[] = {
		{ SQ_URING_NOOP, SQ_OP_NOOP },
		{ SQ_URING_STORE, SQ_OP_STORE },
		{ SQ_URING_FETCH, SQ_OP_FETCH },
		{ SQ_URING_FLUSH, SQ_OP_FLUSH },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(operations); i++)
		if (operations[i].command == command->cmd_op)
			break;
	if (i == ARRAY_SIZE(operations))
		return -EOPNOTSUPP;
	if (READ_ONCE(entry->reserved[0]) || READ_ONCE(entry->reserved[1]) ||
	    READ_ONCE(entry->reserved[2]) || READ_ONCE(entry->reserved[3]))
		return -EOPNOTSUPP;

	*result = READ_ONCE(entry->result);
	*input = (struct sq_transfer_input) {
		.request = {
			.opcode = operations[i].opcode,
			.flags = READ_ONCE(entry->flags),
			.handle = READ_ONCE(entry->handle),
			.format = READ_ONCE(entry->format),
			.rounding = READ_ONCE(entry->rounding),
			.axis = READ_ONCE(entry->axis),
			.first_row = READ_ONCE(entry->first_row),
			.row_count = READ_ONCE(entry->row_count),
		},
		.buffer_count = READ_ONCE(entry->buffer_count),
		.data.length_bytes = length_bytes,
		.formats = READ_ONCE(entry->formats),
		.format_count = READ_ONCE(entry->format_count),
		.rows_per_format = READ_ONCE(entry->rows_per_format),
		.fixed = command->flags & IORING_URING_CMD_FIXED ? command : NULL,
	};
	if (input->buffer_count)
		input->buffers = buffers;
	else
		input->data.address = buffers;
	return 0;
}

/* A task that died leaves its completions to a kernel thread: no memory there. */
static int sq_uring_write_result(const struct sq_uring_state *state)
{
	if (!state->result)
		return 0;
	if (!current->mm ||
	    copy_to_user(u64_to_user_ptr(state->result), &state->transfer->result,
			 sizeof(state->transfer->result)))
		return -EFAULT;
	return 0;
}

/* In the submitting task. */
static void sq_uring_complete(struct io_uring_cmd *command, unsigned int issue_flags)
{
	struct sq_uring_state *state = sq_uring_state_of(command);
	struct sq_transfer *transfer = state->transfer;
	u32 status = transfer->result.status;
	int copied = sq_uring_write_result(state);
	int error = transfer->error ?: copied;

	sq_transfer_put(transfer);
	io_uring_cmd_done(command, error, status, issue_flags);
}

static void sq_uring_finished(struct sq_transfer *transfer)
{
	io_uring_cmd_complete_in_task(transfer->context, sq_uring_complete);
}

static int sq_uring_start(struct sq_device *sq, struct io_uring_cmd *command,
			  const struct sq_transfer_input *input, u64 result, bool may_wait)
{
	struct sq_uring_state *state = sq_uring_state_of(command);
	struct sq_transfer *transfer;
	int ret;

	transfer = sq_transfer_prepare(sq, input);
	if (IS_ERR(transfer))
		return PTR_ERR(transfer);
	transfer->finished = sq_uring_finished;
	transfer->context = command;
	state->transfer = transfer;
	state->result = result;
	ret = sq_queue_submit(sq, transfer, may_wait, NULL);
	if (!ret)
		return -EIOCBQUEUED;
	sq_transfer_put(transfer);
	return ret;
}

/*
 * EINVAL  the ring has no room for the command: IORING_SETUP_SQE128
 * EAGAIN  no free slot: io_uring calls again from where waiting is allowed
 */
int sq_uring_command(struct io_uring_cmd *command, unsigned int issue_flags)
{
	struct sq_file *opened = command->file->private_data;
	struct sq_transfer_input input;
	int ticket, ret;
	u64 result;

	if (!(issue_flags & IO_URING_F_SQE128))
		return -EINVAL;
	ret = sq_uring_read(command, &input, &result);
	if (ret)
		return ret;
	if (sq_operation_writes(input.request.opcode) && !sq_file_may_write(command->file))
		return -EACCES;
	if (!sq_device_enter(opened->sq, &ticket))
		return -ENODEV;
	ret = sq_uring_start(opened->sq, command, &input, result,
			     !(issue_flags & IO_URING_F_NONBLOCK));
	sq_device_leave(opened->sq, ticket);
	return ret;
}
