/* SPDX-License-Identifier: (GPL-2.0 WITH Linux-syscall-note) OR MIT */
/*
 * SmartQuant device interface, version 1
 *
 * Registers, mailbox commands and queue entries of function 1 of the card,
 * shared by the device model and the driver. docs/device-interface.md is the
 * prose to it.
 *
 * Conventions
 *   All fields are little-endian. The integer types below are byte-order
 *   annotated in the kernel and plain elsewhere; a reader on a big-endian
 *   host must convert.
 *   Reserved fields are written as zero and refused otherwise.
 *   dpa   device physical address, an offset into function 0's HDM range
 *   host address (hpa), a bus address as the device's DMA sees it
 *   _bytes, _lines (64 bytes), _ns, _pj are units.
 *
 * Every structure is naturally aligned without hidden padding; its size is
 * asserted below in C and C++.
 */
#ifndef SMARTQUANT_DEVICE_H
#define SMARTQUANT_DEVICE_H

#include <linux/types.h>

#include <smartquant/codes.h>

#define SQ_INTERFACE_MAJOR		1
#define SQ_INTERFACE_MINOR		0

/* PCI identity of function 1, in QEMU's range for experiments. */
#define SQ_PCI_VENDOR_ID		0x1af4
#define SQ_PCI_DEVICE_ID		0x10f1
#define SQ_PCI_CLASS			0x120000 /* processing accelerator */

/*
 * Designated vendor-specific extended capability (PCIe 7.9.6), vendor 1af4h,
 * ID 5351h ("SQ"). Behind the two DVSEC headers:
 */
#define SQ_DVSEC_ID			0x5351
#define SQ_DVSEC_REVISION		1
#define SQ_DVSEC_LENGTH			0x10
#define SQ_DVSEC_INTERFACE_MAJOR	0x0a	/* u16 */
#define SQ_DVSEC_INTERFACE_MINOR	0x0c	/* u16 */
#define SQ_DVSEC_FUNCTION0		0x0e	/* u16, devfn of the memory function */

/*
 * BAR0: CXL device registers (CXL r3.1, 8.2.8), found through the CXL
 * register locator DVSEC (block id 3). The capability array lies at 0 and
 * holds two capabilities: device status (id 1) and primary mailbox (id 2).
 */
#define SQ_BAR_REGISTERS		0
#define SQ_BAR_REGISTERS_BYTES		0x2000
#define SQ_REG_CAP_ARRAY		0x00
#define SQ_REG_DEVICE_STATUS		0x40
#define SQ_REG_MAILBOX			0x80

/* Primary mailbox (CXL r3.1, 8.2.8.4), offsets from SQ_REG_MAILBOX. */
#define SQ_MBOX_CAPS			0x00	/* u32 RO */
#define   SQ_MBOX_CAPS_PAYLOAD_LOG2	0x0000001f
#define   SQ_MBOX_CAPS_BG_IRQ		0x00000040
#define   SQ_MBOX_CAPS_IRQ_VECTOR	0x00000780
#define SQ_MBOX_CTRL			0x04	/* u32 RW */
#define   SQ_MBOX_CTRL_DOORBELL		0x00000001
#define   SQ_MBOX_CTRL_BG_IRQ		0x00000004
#define SQ_MBOX_CMD			0x08	/* u64 RW */
#define   SQ_MBOX_CMD_OPCODE		0x000000000000ffffULL
#define   SQ_MBOX_CMD_LENGTH		0x0000001fffff0000ULL
#define SQ_MBOX_STATUS			0x10	/* u64 RO */
#define   SQ_MBOX_STATUS_BG		0x0000000000000001ULL
#define   SQ_MBOX_STATUS_RETURN_CODE	0x0000ffff00000000ULL
#define SQ_MBOX_BG_STATUS		0x18	/* u64 RO */
#define   SQ_MBOX_BG_OPCODE		0x000000000000ffffULL
#define   SQ_MBOX_BG_PERCENT		0x00000000007f0000ULL
#define   SQ_MBOX_BG_RETURN_CODE	0x0000ffff00000000ULL
#define SQ_MBOX_PAYLOAD			0x20
#define SQ_MBOX_PAYLOAD_BYTES_LOG2	12
#define SQ_MBOX_PAYLOAD_BYTES		(1 << SQ_MBOX_PAYLOAD_BYTES_LOG2)

/*
 * BAR2: one page a queue pair, index = queue id. Write-only, 4-byte access.
 *   00h submission tail doorbell: the new tail, 0 .. depth - 1
 *   04h completion head doorbell: the new head, 0 .. depth - 1
 * A value out of range, or a write to a queue that does not exist, is traced
 * and ignored.
 */
#define SQ_BAR_DOORBELLS		2
#define SQ_DOORBELL_STRIDE		0x1000
#define SQ_DOORBELL_SUBMISSION		0x00
#define SQ_DOORBELL_COMPLETION		0x04

/* BAR4: MSI-X. Vector 0 is the mailbox's; a queue names its own. */
#define SQ_BAR_MSIX			4
#define SQ_MSIX_VECTORS			9
#define SQ_MSIX_VECTOR_MAILBOX		0

#define SQ_QUEUES_MAX			8
#define SQ_QUEUE_DEPTH_MIN		2
#define SQ_QUEUE_DEPTH_MAX		1024

/* Data of one transfer, and entries of its indirect scatter list, at most. */
#define SQ_TRANSFER_BYTES_MAX		(64u << 20)
#define SQ_SCATTER_ENTRIES_MAX		16385

/*
 * Mailbox commands. A command's input and output payload are the structures
 * named beside it. A payload of another length gets Invalid Payload Length;
 * a reserved field or flag that is not zero gets Invalid Input.
 */
#define SQ_MBOX_IDENTIFY		0xc000	/* - / sq_mbox_identify */
#define SQ_MBOX_GET_FEATURE		0xc001	/* sq_mbox_feature / sq_mbox_feature */
#define SQ_MBOX_SET_FEATURE		0xc002	/* sq_mbox_feature / - */
#define SQ_MBOX_CREATE_REGION		0xc010	/* sq_mbox_create_region + name / sq_mbox_handle */
#define SQ_MBOX_DELETE_REGION		0xc011	/* sq_mbox_handle / - */
#define SQ_MBOX_SEAL_REGION		0xc012	/* sq_mbox_handle / - */
#define SQ_MBOX_GET_REGION		0xc013	/* sq_mbox_handle / sq_region_info + name */
#define SQ_MBOX_GET_REGION_BY_NAME	0xc014	/* name / sq_region_info + name */
#define SQ_MBOX_LIST_REGIONS		0xc015	/* sq_mbox_list_in / sq_mbox_list_out + handles */
#define SQ_MBOX_SET_PRECISION_TAG	0xc016	/* sq_mbox_precision_tag / - */
#define SQ_MBOX_PACK_REGION		0xc017	/* sq_mbox_handle / - (background) */
#define SQ_MBOX_MAP_VIEW		0xc020	/* sq_mbox_map_view / sq_view_info */
#define SQ_MBOX_UNMAP_VIEW		0xc021	/* sq_mbox_handle (view id) / - */
#define SQ_MBOX_GET_VIEW		0xc022	/* sq_mbox_handle (view id) / sq_view_info */
#define SQ_MBOX_CREATE_QUEUE_PAIR	0xc030	/* sq_mbox_create_queue / - */
#define SQ_MBOX_DELETE_QUEUE_PAIR	0xc031	/* sq_mbox_queue / - */
#define SQ_MBOX_GET_STATISTICS		0xc040	/* sq_mbox_statistics_in / sq_statistics */
#define SQ_MBOX_RESET_STATISTICS	0xc041	/* sq_mbox_statistics_in / - */
#define SQ_MBOX_VERIFY			0xc050	/* sq_mbox_handle / - (background) */
#define SQ_MBOX_SANITIZE		0xc051	/* - / - (background) */
#define SQ_MBOX_GET_VERIFY_RESULT	0xc052	/* sq_mbox_verify_in / sq_mbox_verify_out + sq_bad_run[] */
#define SQ_MBOX_GET_HDM_INFO		0xc060	/* - / sq_hdm_info */

struct sq_mbox_identify {
	__le16 interface_major;
	__le16 interface_minor;
	__le32 features;		/* SQ_FEATURE_* */
	__le64 capacity_bytes;		/* plane memory that regions can use */
	__le64 used_bytes;
	__le64 logical_bytes;		/* HDM capacity of function 0 (bloated) */
	__le32 regions;			/* regions that exist */
	__le32 regions_max;
	__le32 views_max;
	__le16 queues_max;
	__le16 queue_depth_max;
	__le32 transfer_bytes_max;
	__le32 scatter_entries_max;
	__le32 dtypes;			/* bit SQ_DTYPE_* */
	__le32 placements;		/* bit SQ_PLACEMENT_* */
	__le16 format_count;		/* entries of formats[] in use */
	__le16 encoding_count;
	__le32 reserved;
	__le16 formats[96];		/* SQ_FORMAT_* that are offered */
	__le16 encodings[32];		/* SQ_ENCODING_* that are accepted */
	__u8 firmware[32];		/* text, zero-padded */
	__u8 serial[16];		/* text, zero-padded */
};

/* sq_mbox_identify.features */
#define SQ_FEATURE_PRECISION_VECTOR	0x00000001
#define SQ_FEATURE_AXIS_COL		0x00000002
#define SQ_FEATURE_PACKED		0x00000004
#define SQ_FEATURE_VIEWS_TRAP		0x00000008 /* loads are decoded one by one */
#define SQ_FEATURE_ABORT		0x00000010

/*
 * Features (C001h/C002h): one 64-bit value each. Scrub is not offered yet:
 * it gets Unsupported.
 */
#define SQ_FEATURE_ID_SCRUB_RATE	0x0500	/* runs a second, 0 = off */
#define SQ_FEATURE_ID_DEFAULT_ROUNDING	0x0501	/* SQ_ROUNDING_* of DEFAULT; 0 = per format */
#define SQ_FEATURE_ID_MODEL		0x0502	/* SQ_MODEL_PARAMETER_*, by index */

struct sq_mbox_feature {
	__le16 id;			/* SQ_FEATURE_ID_* */
	__le16 index;			/* parameter number, 0 for the others */
	__le32 reserved;
	__le64 value;			/* zero on input of Get */
};

struct sq_mbox_handle {
	__le32 handle;			/* region handle or view id; 0 of Verify: all */
};

struct sq_mbox_create_region {
	__u8 dtype;			/* SQ_DTYPE_* */
	__u8 placement;			/* SQ_PLACEMENT_* */
	__le16 name_bytes;		/* 1 .. SQ_NAME_MAX, name follows */
	__le32 flags;			/* zero */
	__le32 rows;			/* 1 .. 2^32 - 1 */
	__le32 cols;
};

/* sq_region_info.flags */
#define SQ_REGION_SEALED		0x00000001
#define SQ_REGION_DIRTY			0x00000002 /* stored to since the last flush */

struct sq_region_info {
	__le32 handle;
	__u8 dtype;
	__u8 placement;
	__u8 coding;
	__u8 reserved;
	__le32 rows;
	__le32 cols;
	__le16 precision;		/* SQ_FORMAT_*, the precision tag */
	__le16 name_bytes;		/* name follows the structure */
	__le32 flags;
	__le64 stored_bytes;		/* plane memory held, all of it */
	__le64 escapes;			/* elements in escape lists */
	__le32 segments;
	__le32 views;			/* views mapped on it */
};

struct sq_mbox_list_in {
	__le32 after;			/* handle of the last page's last region; 0 starts */
	__le32 max;			/* handles wanted, at most a payload full */
};

struct sq_mbox_list_out {
	__le32 count;
	__le32 more;			/* 1: ask again with the last handle */
};

struct sq_mbox_precision_tag {
	__le32 handle;
	__le16 format;			/* SQ_FORMAT_*, not TAG */
	__le16 reserved;
};

struct sq_mbox_map_view {
	__le32 handle;
	__le16 format;
	__u8 rounding;
	__u8 axis;
	__le32 first_row;
	__le32 row_count;
};

struct sq_view_info {
	__le32 view;			/* view id, with a generation */
	__le32 handle;
	__le16 format;			/* as granted: TAG and DEFAULT are resolved */
	__u8 rounding;
	__u8 axis;
	__le32 first_row;
	__le32 row_count;
	__le32 reserved;
	__le64 dpa;			/* of the first byte, a multiple of 4096 */
	__le64 length_bytes;		/* bytes of the view */
	__le64 window_bytes;		/* length rounded up to a page; zeros behind it */
};

struct sq_mbox_create_queue {
	__le16 queue;			/* 0 .. queues_max - 1 */
	__le16 depth;			/* SQ_QUEUE_DEPTH_MIN .. MAX, both rings */
	__le16 vector;			/* 1 .. SQ_MSIX_VECTORS - 1 */
	__le16 flags;			/* zero */
	__le64 submission_address;	/* host address, 4096-aligned */
	__le64 completion_address;	/* host address, 4096-aligned */
};

struct sq_mbox_queue {
	__le16 queue;
	__le16 reserved;
};

/* Scope of statistics. */
#define SQ_STATISTICS_GLOBAL		0
#define SQ_STATISTICS_REGION		1	/* key: handle */
#define SQ_STATISTICS_FORMAT		2	/* key: SQ_FORMAT_* */

struct sq_mbox_statistics_in {
	__le32 scope;
	__le32 key;
};

/*
 * Counters since the last reset. Each is incremented where the thing that it
 * counts happens; dram_* and link_time are results of the model.
 */
struct sq_statistics {
	__le64 requests;		/* reads that completed */
	__le64 elements;		/* weights delivered */
	__le64 link_bytes;		/* bytes delivered to the host by reads */
	__le64 plane_lines;		/* 64-byte lines read from plane memory for data */
	__le64 check_lines;		/* further lines read only to check a run's CRC */
	__le64 baseline_lines;		/* lines that a store of whole words would have read */
	__le64 written_lines;		/* lines written to plane memory */
	__le64 stores;			/* stores that completed */
	__le64 stored_elements;
	__le64 errors;			/* requests refused or failed */
	__le64 media_errors;		/* of these: CRC mismatch */
	__le64 poison_loads;		/* loads and stores outside of any view */
	__le64 view_loads;		/* loads decoded one by one (views=trap) */
	__le64 dram_time_ns;		/* modelled */
	__le64 dram_energy_pj;		/* modelled */
	__le64 link_time_ns;		/* modelled */
};

struct sq_mbox_verify_in {
	__le32 first;			/* index of the first bad run wanted */
	__le32 reserved;
};

struct sq_mbox_verify_out {
	__le64 runs_checked;
	__le64 runs_bad;
	__le32 count;			/* sq_bad_run entries that follow */
	__le32 complete;		/* 1: the last Verify ran to its end */
};

/* sq_bad_run.run */
#define SQ_RUN_EXPONENTS		0xfffe
#define SQ_RUN_ESCAPES			0xffff

struct sq_bad_run {
	__le32 handle;
	__le32 segment;
	__le16 run;			/* plane number, or SQ_RUN_* */
	__le16 reserved[3];
};

/* sq_hdm_info.flags */
#define SQ_HDM_COMMITTED		0x00000001
#define SQ_HDM_INTERLEAVED		0x00000002 /* window not contiguous in host memory */

struct sq_hdm_info {
	__le64 host_base;		/* host physical address of dpa_base */
	__le64 size_bytes;		/* of the committed decoder */
	__le64 dpa_base;
	__le32 flags;
	__le16 interleave_ways;
	__le16 reserved;
	__le32 interleave_granularity_bytes;
	__le32 reserved2;
};

/*
 * Queues: rings in host memory, 64-byte submission and 16-byte completion
 * entries, both of the same depth; a ring of depth d holds d - 1 entries.
 * The phase bit of a completion is 1 on the first pass and toggles.
 */
#define SQ_OP_NOOP			0x00
#define SQ_OP_STORE			0x01
#define SQ_OP_FETCH			0x02
#define SQ_OP_FLUSH			0x03	/* handle 0: all regions */
#define SQ_OP_ABORT			0x04	/* abort_id: command id to stop */

/* sq_submission.flags */
#define SQ_SUBMIT_INDIRECT		0x01	/* segment[0] holds a list of sq_scatter */
#define SQ_SUBMIT_ROUND			0x02	/* store: rounding to the dtype is allowed */

struct sq_submission {
	__u8 opcode;			/* SQ_OP_* */
	__u8 flags;			/* SQ_SUBMIT_* */
	__le16 id;			/* command id, returned in the completion */
	__le32 handle;
	__le16 format;			/* fetch: SQ_FORMAT_*; store: SQ_ENCODING_* */
	__u8 rounding;			/* fetch: SQ_ROUNDING_* */
	__u8 axis;			/* fetch: SQ_AXIS_* */
	__le32 first_row;
	__le32 row_count;
	__le16 abort_id;		/* abort only */
	__le16 reserved;
	__le64 segment_address[2];	/* data, or the scatter list */
	__le32 segment_bytes[2];
	__le64 result_address;		/* sq_result is written here; 0: not wanted */
	__le64 vector_address;		/* fetch: sq_precision_vector; 0: none */
};

struct sq_scatter {
	__le64 address;
	__le32 length_bytes;
	__le32 reserved;
};

/* A format for each block of rows; format_count = ceil(row_count / rows_per_format). */
struct sq_precision_vector {
	__le32 rows_per_format;
	__le32 format_count;
	/* __le16 formats[format_count] follow */
};

struct sq_completion {
	__le32 bytes;			/* data bytes written (fetch) or taken (store) */
	__le32 plane_lines;		/* saturates at 2^32 - 1 */
	__le16 id;
	__le16 submission_head;		/* entries before it are free again */
	__le16 status;			/* SQ_STATUS_* */
	__le16 phase;			/* bit 0 */
};

/* What a request cost, or where it failed. Written before its completion. */
struct sq_result {
	__le16 status;
	__le16 format;			/* granted format */
	__u8 rounding;			/* granted rounding */
	__u8 reserved[3];
	__le64 bytes;
	__le64 elements;
	__le64 plane_lines;
	__le64 check_lines;
	__le64 baseline_lines;
	__le64 dram_time_ns;		/* modelled */
	__le64 dram_energy_pj;		/* modelled */
	__le64 link_time_ns;		/* modelled */
	__le64 rounded_elements;	/* store: elements changed by rounding */
	__le32 max_rounding_error;	/* store: fp32 bits, largest |stored - given| / |given| */
	__le32 error_row;		/* NON_FINITE: where; MEDIA_FAILURE: first row of the segment */
	__le32 error_col;
	__le32 reserved2[9];
};

#if defined(__cplusplus)
#define SQ_ASSERT_SIZE(type, bytes) \
	static_assert(sizeof(struct type) == (bytes), #type " changed size")
#else
#define SQ_ASSERT_SIZE(type, bytes) \
	_Static_assert(sizeof(struct type) == (bytes), #type " changed size")
#endif

SQ_ASSERT_SIZE(sq_mbox_identify, 376);
SQ_ASSERT_SIZE(sq_mbox_feature, 16);
SQ_ASSERT_SIZE(sq_mbox_handle, 4);
SQ_ASSERT_SIZE(sq_mbox_create_region, 16);
SQ_ASSERT_SIZE(sq_region_info, 48);
SQ_ASSERT_SIZE(sq_mbox_list_in, 8);
SQ_ASSERT_SIZE(sq_mbox_list_out, 8);
SQ_ASSERT_SIZE(sq_mbox_precision_tag, 8);
SQ_ASSERT_SIZE(sq_mbox_map_view, 16);
SQ_ASSERT_SIZE(sq_view_info, 48);
SQ_ASSERT_SIZE(sq_mbox_create_queue, 24);
SQ_ASSERT_SIZE(sq_mbox_queue, 4);
SQ_ASSERT_SIZE(sq_mbox_statistics_in, 8);
SQ_ASSERT_SIZE(sq_statistics, 128);
SQ_ASSERT_SIZE(sq_mbox_verify_in, 8);
SQ_ASSERT_SIZE(sq_mbox_verify_out, 24);
SQ_ASSERT_SIZE(sq_bad_run, 16);
SQ_ASSERT_SIZE(sq_hdm_info, 40);
SQ_ASSERT_SIZE(sq_submission, 64);
SQ_ASSERT_SIZE(sq_scatter, 16);
SQ_ASSERT_SIZE(sq_precision_vector, 8);
SQ_ASSERT_SIZE(sq_completion, 16);
SQ_ASSERT_SIZE(sq_result, 128);

#endif /* SMARTQUANT_DEVICE_H */
