/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Trace events: every mailbox command and every transfer, and what goes wrong
 * with queues. /sys/kernel/tracing/events/smartquant/
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM smartquant

#if !defined(SMARTQUANT_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define SMARTQUANT_TRACE_H

#include <linux/tracepoint.h>

#include "smartquant_device.h"
#include "smartquant_mailbox.h"
#include "smartquant_queue.h"
#include "smartquant_transfer.h"

#define sq_show_opcode(opcode) __print_symbolic(opcode,		\
	{ SQ_MBOX_IDENTIFY, "identify" },			\
	{ SQ_MBOX_GET_FEATURE, "get_feature" },			\
	{ SQ_MBOX_SET_FEATURE, "set_feature" },			\
	{ SQ_MBOX_CREATE_REGION, "create_region" },		\
	{ SQ_MBOX_DELETE_REGION, "delete_region" },		\
	{ SQ_MBOX_SEAL_REGION, "seal_region" },			\
	{ SQ_MBOX_GET_REGION, "get_region" },			\
	{ SQ_MBOX_GET_REGION_BY_NAME, "get_region_by_name" },	\
	{ SQ_MBOX_LIST_REGIONS, "list_regions" },		\
	{ SQ_MBOX_SET_PRECISION_TAG, "set_precision_tag" },	\
	{ SQ_MBOX_PACK_REGION, "pack_region" },			\
	{ SQ_MBOX_MAP_VIEW, "map_view" },			\
	{ SQ_MBOX_UNMAP_VIEW, "unmap_view" },			\
	{ SQ_MBOX_GET_VIEW, "get_view" },			\
	{ SQ_MBOX_CREATE_QUEUE_PAIR, "create_queue_pair" },	\
	{ SQ_MBOX_DELETE_QUEUE_PAIR, "delete_queue_pair" },	\
	{ SQ_MBOX_GET_STATISTICS, "get_statistics" },		\
	{ SQ_MBOX_RESET_STATISTICS, "reset_statistics" },	\
	{ SQ_MBOX_VERIFY, "verify" },				\
	{ SQ_MBOX_SANITIZE, "sanitize" },			\
	{ SQ_MBOX_GET_VERIFY_RESULT, "get_verify_result" },	\
	{ SQ_MBOX_GET_HDM_INFO, "get_hdm_info" })

#define sq_show_operation(opcode) __print_symbolic(opcode,	\
	{ SQ_OP_NOOP, "noop" },					\
	{ SQ_OP_STORE, "store" },				\
	{ SQ_OP_FETCH, "fetch" },				\
	{ SQ_OP_FLUSH, "flush" },				\
	{ SQ_OP_ABORT, "abort" })

TRACE_EVENT(smartquant_mailbox,
	TP_PROTO(struct sq_device *sq, const struct sq_mailbox_command *command, int error,
		 u64 duration_ns),
	TP_ARGS(sq, command, error, duration_ns),
	TP_STRUCT__entry(
		__string(device, dev_name(&sq->dev))
		__field(u16, opcode)
		__field(u16, status)
		__field(u32, in_bytes)
		__field(u32, out_bytes)
		__field(int, error)
		__field(u64, duration_ns)
	),
	TP_fast_assign(
		__assign_str(device);
		__entry->opcode = command->opcode;
		__entry->status = command->status;
		__entry->in_bytes = command->in_bytes;
		__entry->out_bytes = command->out_bytes;
		__entry->error = error;
		__entry->duration_ns = duration_ns;
	),
	TP_printk("%s opcode=%s in_bytes=%u out_bytes=%u status=%#x error=%d duration_ns=%llu",
		  __get_str(device), sq_show_opcode(__entry->opcode), __entry->in_bytes,
		  __entry->out_bytes, __entry->status, __entry->error, __entry->duration_ns)
);

TRACE_EVENT(smartquant_background,
	TP_PROTO(struct sq_device *sq, u16 opcode, u16 status),
	TP_ARGS(sq, opcode, status),
	TP_STRUCT__entry(
		__string(device, dev_name(&sq->dev))
		__field(u16, opcode)
		__field(u16, status)
	),
	TP_fast_assign(
		__assign_str(device);
		__entry->opcode = opcode;
		__entry->status = status;
	),
	TP_printk("%s opcode=%s status=%#x", __get_str(device),
		  sq_show_opcode(__entry->opcode), __entry->status)
);

TRACE_EVENT(smartquant_submit,
	TP_PROTO(struct sq_queue *queue, const struct sq_transfer *transfer, u16 id),
	TP_ARGS(queue, transfer, id),
	TP_STRUCT__entry(
		__string(device, dev_name(&queue->sq->dev))
		__field(u16, queue)
		__field(u16, id)
		__field(u8, opcode)
		__field(u16, format)
		__field(u32, handle)
		__field(u32, first_row)
		__field(u32, row_count)
		__field(u64, bytes)
	),
	TP_fast_assign(
		__assign_str(device);
		__entry->queue = queue->index;
		__entry->id = id;
		__entry->opcode = transfer->request.opcode;
		__entry->format = transfer->request.format;
		__entry->handle = transfer->request.handle;
		__entry->first_row = transfer->request.first_row;
		__entry->row_count = transfer->request.row_count;
		__entry->bytes = transfer->data_bytes;
	),
	TP_printk("%s queue=%u id=%#x op=%s handle=%#x format=%#x first_row=%u row_count=%u bytes=%llu",
		  __get_str(device), __entry->queue, __entry->id,
		  sq_show_operation(__entry->opcode), __entry->handle, __entry->format,
		  __entry->first_row, __entry->row_count, __entry->bytes)
);

TRACE_EVENT(smartquant_complete,
	TP_PROTO(struct sq_queue *queue, const struct sq_transfer *transfer, u16 id,
		 u64 duration_ns),
	TP_ARGS(queue, transfer, id, duration_ns),
	TP_STRUCT__entry(
		__string(device, dev_name(&queue->sq->dev))
		__field(u16, queue)
		__field(u16, id)
		__field(u8, opcode)
		__field(u16, status)
		__field(int, error)
		__field(u64, bytes)
		__field(u64, plane_lines)
		__field(u64, duration_ns)
	),
	TP_fast_assign(
		__assign_str(device);
		__entry->queue = queue->index;
		__entry->id = id;
		__entry->opcode = transfer->request.opcode;
		__entry->status = transfer->result.status;
		__entry->error = transfer->error;
		__entry->bytes = transfer->result.bytes;
		__entry->plane_lines = transfer->result.plane_lines;
		__entry->duration_ns = duration_ns;
	),
	TP_printk("%s queue=%u id=%#x op=%s status=%#x error=%d bytes=%llu plane_lines=%llu duration_ns=%llu",
		  __get_str(device), __entry->queue, __entry->id,
		  sq_show_operation(__entry->opcode), __entry->status, __entry->error,
		  __entry->bytes, __entry->plane_lines, __entry->duration_ns)
);

TRACE_EVENT(smartquant_err_completion,
	TP_PROTO(struct sq_queue *queue, u16 id, u16 status),
	TP_ARGS(queue, id, status),
	TP_STRUCT__entry(
		__string(device, dev_name(&queue->sq->dev))
		__field(u16, queue)
		__field(u16, id)
		__field(u16, status)
	),
	TP_fast_assign(
		__assign_str(device);
		__entry->queue = queue->index;
		__entry->id = id;
		__entry->status = status;
	),
	TP_printk("%s queue=%u id=%#x status=%#x: no such command", __get_str(device),
		  __entry->queue, __entry->id, __entry->status)
);

TRACE_EVENT(smartquant_err_queue,
	TP_PROTO(struct sq_queue *queue, unsigned int failed, int error),
	TP_ARGS(queue, failed, error),
	TP_STRUCT__entry(
		__string(device, dev_name(&queue->sq->dev))
		__field(u16, queue)
		__field(unsigned int, failed)
		__field(int, error)
	),
	TP_fast_assign(
		__assign_str(device);
		__entry->queue = queue->index;
		__entry->failed = failed;
		__entry->error = error;
	),
	TP_printk("%s queue=%u failed=%u error=%d", __get_str(device), __entry->queue,
		  __entry->failed, __entry->error)
);

#endif /* SMARTQUANT_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE smartquant_trace
#include <trace/define_trace.h>
