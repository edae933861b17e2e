/* SPDX-License-Identifier: (GPL-2.0 WITH Linux-syscall-note) OR MIT */
/*
 * SmartQuant driver interface: ioctls, io_uring commands and mmap of
 * /dev/smartquantN. docs/driver-abi.md is the prose to it.
 *
 * How every ioctl works
 *   The argument points to a structure that begins with
 *     size    bytes of the structure as the caller knows it,
 *     flags   zero, or the flags named for that command,
 *     status  out: SQ_STATUS_*, the device's own verdict; SQ_STATUS_SUCCESS
 *             where the driver decided without asking the device.
 *   The driver looks at the type and the number of the request and takes the
 *   length from `size`, so a program keeps working when a structure grows:
 *     - shorter than the first published structure: EINVAL;
 *     - longer than the driver's structure: accepted when the tail is zero,
 *       else E2BIG, as is more than 4096 bytes; the driver does not write the
 *       tail.
 *   Out fields are ignored on input. Reserved fields must be zero.
 *   The structure is written back on success and whenever the device
 *   refused (then `status` says precisely why), not on the other errors.
 *   Numbers are CPU-endian; addresses and pointers are __u64; times are
 *   nanoseconds.
 *
 * errno, from the driver
 *   ENOTTY      no such request
 *   EINVAL      `size` too small, or a field has a value it can never have
 *   E2BIG       the tail beyond the driver's structure is not zero
 *   EOPNOTSUPP  an unknown flag, or a reserved field that is not zero: a
 *               later interface may know it
 *   EFAULT      a pointer leads nowhere (or to memory that is read-only)
 *   EACCES      the file was not opened for writing
 *   EPERM       the request needs CAP_SYS_ADMIN
 *   ENOMEM      no memory for the request
 *   EINTR       a fatal signal came; the request may still be carried out
 *   ETIMEDOUT   the device did not answer in time; it was reset
 *   EPROTO      the device's answer makes no sense
 *   ENODEV      the device is gone; only close() is left
 * errno, from the device (by status)
 *   EINVAL      INVALID_INPUT, INVALID_PAYLOAD_LENGTH, ROUNDING_NEEDED, NAME
 *   EOPNOTSUPP  UNSUPPORTED, FORMAT
 *   ENOENT      NOT_FOUND
 *   ESTALE      INVALID_HANDLE
 *   EEXIST      NAME_EXISTS
 *   EROFS       SEALED, READ_ONLY
 *   ERANGE      RANGE
 *   EMSGSIZE    LENGTH
 *   EDOM        NON_FINITE
 *   EBUSY       BUSY, IN_USE
 *   EAGAIN      RETRY_REQUIRED
 *   ENOSPC      STORE_FULL
 *   ENOBUFS     RESOURCES_EXHAUSTED
 *   EBADMSG     MEDIA_FAILURE
 *   ENXIO       NO_HDM, INVALID_ADDRESS
 *   ECANCELED   ABORTED
 *   EUCLEAN     NOT_A_STORE, STORE_VERSION, STORE_DAMAGED
 *   EREMOTEIO   DMA_FAULT
 *   EIO         INTERNAL_ERROR, SYNC_FAILED, and any other
 *
 * Rights
 *   A file that is open for reading may ask, fetch and map views. Whatever
 *   changes the store (create, store, seal, pack, precision, flush, reset of
 *   statistics) needs a file that is open for writing; deleting a region,
 *   sanitizing and setting a feature need CAP_SYS_ADMIN beside it.
 *
 * Lifetime
 *   Views belong to the file that mapped them and end with it. Regions
 *   outlive files.
 */
#ifndef SMARTQUANT_UAPI_H
#define SMARTQUANT_UAPI_H

#include <linux/ioctl.h>
#include <linux/types.h>

#include <smartquant/codes.h>
#include <smartquant/device.h>

#define SQ_IOC_TYPE			'q'

/**
 * struct sq_ioc_info - SQ_IOC_INFO: what the card is and offers
 * @size: sizeof(struct sq_ioc_info)
 * @flags: zero
 * @status: out
 * @driver_features: out, SQ_DRIVER_*: what this driver offers
 * @interface_major: out, of the device interface
 * @interface_minor: out, of the device interface
 * @device_features: out, SQ_FEATURE_*: what the device offers
 * @cxl_memdev: out, number N of function 0's memN; -1 when the cxl driver has
 *		not bound it
 * @capacity_bytes: out, plane memory that regions can use
 * @used_bytes: out, plane memory that regions hold
 * @logical_bytes: out, size of the (bloated) space that views are mapped in
 * @regions: out, regions that exist
 * @regions_max: out
 * @views_max: out
 * @queues: out, queue pairs that the driver runs
 * @queue_depth: out, entries of each
 * @buffers_max: out, &struct sq_buffer entries of a transfer at most
 * @transfer_bytes_max: out, data bytes of a transfer at most
 * @formats_max: out, entries of a transfer's precision vector at most
 * @dtypes: out, bit SQ_DTYPE_* is set for each that the device knows
 * @placements: out, bit SQ_PLACEMENT_* likewise
 * @format_count: out, entries of @formats in use
 * @encoding_count: out, entries of @encodings in use
 * @formats: out, SQ_FORMAT_* that are offered
 * @encodings: out, SQ_ENCODING_* that are accepted
 * @firmware: out, text, terminated
 * @serial: out, text, terminated
 */
struct sq_ioc_info {
	__u32 size;
	__u32 flags;
	__u32 status;
	__u32 driver_features;
	__u32 interface_major;
	__u32 interface_minor;
	__u32 device_features;
	__s32 cxl_memdev;
	__aligned_u64 capacity_bytes;
	__aligned_u64 used_bytes;
	__aligned_u64 logical_bytes;
	__u32 regions;
	__u32 regions_max;
	__u32 views_max;
	__u32 queues;
	__u32 queue_depth;
	__u32 buffers_max;
	__u32 transfer_bytes_max;
	__u32 formats_max;
	__u32 dtypes;
	__u32 placements;
	__u32 format_count;
	__u32 encoding_count;
	__u16 formats[96];
	__u16 encodings[32];
	char firmware[40];
	char serial[24];
};

/* sq_ioc_info.driver_features */
#define SQ_DRIVER_URING_CMD		0x00000001 /* IORING_OP_URING_CMD works */
#define SQ_DRIVER_VIEW_EXPORT		0x00000002 /* SQ_IOC_VIEW_EXPORT works */

/**
 * struct sq_ioc_region_create - SQ_IOC_REGION_CREATE: an empty region
 * @size: sizeof(struct sq_ioc_region_create)
 * @flags: zero
 * @status: out
 * @handle: out, of the new region
 * @dtype: in, SQ_DTYPE_*
 * @placement: in, SQ_PLACEMENT_*
 * @name_bytes: in, 1 to SQ_NAME_MAX
 * @rows: in, at least 1
 * @cols: in, at least 1
 * @reserved: zero
 * @name: in, UTF-8, @name_bytes of it are read
 *
 * Its elements read as zero. It exists durably after its first flush.
 * Needs a file that is open for writing.
 */
struct sq_ioc_region_create {
	__u32 size;
	__u32 flags;
	__u32 status;
	__u32 handle;
	__u8 dtype;
	__u8 placement;
	__u16 name_bytes;
	__u32 rows;
	__u32 cols;
	__u32 reserved;
	char name[SQ_NAME_MAX + 1];
};

/**
 * struct sq_ioc_handle - requests that name a region and nothing else
 * @size: sizeof(struct sq_ioc_handle)
 * @flags: zero
 * @status: out
 * @handle: in, of the region; 0 of SQ_IOC_FLUSH: all regions
 *
 * SQ_IOC_REGION_DELETE  Durable at once; refused (IN_USE) while views are
 *                       mapped on it or transfers run. Needs CAP_SYS_ADMIN.
 * SQ_IOC_REGION_SEAL    Flushes it and makes it read-only; idempotent.
 * SQ_IOC_REGION_PACK    Seals it and packs its planes; idempotent. Returns when
 *                       the device is done; see SQ_IOC_BACKGROUND.
 * SQ_IOC_FLUSH          Returns when everything that was stored before is in
 *                       the backing store.
 * All need a file that is open for writing.
 */
struct sq_ioc_handle {
	__u32 size;
	__u32 flags;
	__u32 status;
	__u32 handle;
};

/**
 * struct sq_ioc_region - SQ_IOC_REGION_GET, SQ_IOC_REGION_FIND: one region
 * @size: sizeof(struct sq_ioc_region)
 * @flags: zero
 * @status: out
 * @handle: in of GET, out of FIND
 * @dtype: out, SQ_DTYPE_*
 * @placement: out, SQ_PLACEMENT_*
 * @coding: out, SQ_CODING_*
 * @reserved: zero
 * @rows: out
 * @cols: out
 * @region_flags: out, SQ_REGION_*
 * @precision: out, SQ_FORMAT_* that a reader gets who asks for none
 * @name_bytes: in of FIND, out of GET
 * @segments: out
 * @views: out, views that are mapped on it
 * @reserved2: zero
 * @stored_bytes: out, plane memory that it holds
 * @escapes: out, elements in escape lists
 * @name: in of FIND, out of GET; terminated on output
 */
struct sq_ioc_region {
	__u32 size;
	__u32 flags;
	__u32 status;
	__u32 handle;
	__u8 dtype;
	__u8 placement;
	__u8 coding;
	__u8 reserved;
	__u32 rows;
	__u32 cols;
	__u32 region_flags;
	__u16 precision;
	__u16 name_bytes;
	__u32 segments;
	__u32 views;
	__u32 reserved2;
	__aligned_u64 stored_bytes;
	__aligned_u64 escapes;
	char name[SQ_NAME_MAX + 1];
};

/**
 * struct sq_ioc_region_list - SQ_IOC_REGION_LIST: handles of all regions
 * @size: sizeof(struct sq_ioc_region_list)
 * @flags: zero
 * @status: out
 * @after: in, last handle of the page before; 0 starts
 * @max: in, handles that the array has room for, at least 1
 * @count: out, handles that were written
 * @more: out, 1 when there are more: ask again with @after = the last handle
 * @reserved: zero
 * @handles: in, address of an array of __u32
 *
 * A page may be shorter than @max although more follow.
 */
struct sq_ioc_region_list {
	__u32 size;
	__u32 flags;
	__u32 status;
	__u32 after;
	__u32 max;
	__u32 count;
	__u32 more;
	__u32 reserved;
	__aligned_u64 handles;
};

/**
 * struct sq_ioc_region_precision - SQ_IOC_REGION_SET_PRECISION
 * @size: sizeof(struct sq_ioc_region_precision)
 * @flags: zero
 * @status: out
 * @handle: in
 * @format: in, SQ_FORMAT_*, not SQ_FORMAT_TAG
 * @reserved: zero
 * @reserved2: zero
 *
 * Sets the format that a reader of the region gets who asks for none.
 * Needs a file that is open for writing.
 */
struct sq_ioc_region_precision {
	__u32 size;
	__u32 flags;
	__u32 status;
	__u32 handle;
	__u16 format;
	__u16 reserved;
	__u32 reserved2;
};

/**
 * struct sq_ioc_view - SQ_IOC_VIEW_MAP, SQ_IOC_VIEW_GET: a precision view
 * @size: sizeof(struct sq_ioc_view)
 * @flags: zero
 * @status: out
 * @view: in of GET, out of MAP; id of the view
 * @handle: in of MAP, out of GET
 * @format: in of MAP (SQ_FORMAT_TAG takes the region's precision), out: the
 *	    format that was granted
 * @rounding: in of MAP, SQ_ROUNDING_*; out: the one that was granted
 * @axis: in of MAP, SQ_AXIS_*; out of GET
 * @first_row: in of MAP, out of GET
 * @row_count: in of MAP, out of GET
 * @dpa: out, device physical address of the first byte
 * @length_bytes: out, bytes of the view
 * @window_bytes: out, length that can be mapped: @length_bytes rounded up to
 *		  a device page, zeros behind the view
 * @mmap_offset: out, for mmap() of this file; opaque. Any page range in
 *		 [@mmap_offset, @mmap_offset + @window_bytes) can be mapped,
 *		 PROT_READ only.
 *
 * GET finds the views of the same file only (ENOENT). When the card is reset
 * all views end: GET fails with ESTALE, loads from a mapping raise SIGBUS.
 * mmap() fails with ENXIO when the window is not visible to the CPU (no
 * decoder is committed, or it is interleaved), with EBUSY when the kernel
 * uses that memory as its own RAM, with EACCES for PROT_WRITE, with EINVAL
 * outside of the file's views. When the card goes, loads from a mapping raise
 * SIGBUS.
 */
struct sq_ioc_view {
	__u32 size;
	__u32 flags;
	__u32 status;
	__u32 view;
	__u32 handle;
	__u16 format;
	__u8 rounding;
	__u8 axis;
	__u32 first_row;
	__u32 row_count;
	__aligned_u64 dpa;
	__aligned_u64 length_bytes;
	__aligned_u64 window_bytes;
	__aligned_u64 mmap_offset;
};

/**
 * struct sq_ioc_view_unmap - SQ_IOC_VIEW_UNMAP: gives a view up
 * @size: sizeof(struct sq_ioc_view_unmap)
 * @flags: zero
 * @status: out
 * @view: in, a view of this file, else ENOENT
 *
 * Existing mappings stay valid; the device forgets the view when the last of
 * them and the last exported file is gone.
 */
struct sq_ioc_view_unmap {
	__u32 size;
	__u32 flags;
	__u32 status;
	__u32 view;
};

/**
 * struct sq_ioc_view_export - SQ_IOC_VIEW_EXPORT: a file of one view
 * @size: sizeof(struct sq_ioc_view_export)
 * @flags: zero
 * @status: out
 * @view: in, a view of this file, else ENOENT
 * @fd: out, a new file descriptor, close-on-exec
 * @reserved: zero
 *
 * The file can be mapped read-only from offset 0 and nothing else: what one
 * hands to a process that shall see this view only. It holds the view.
 */
struct sq_ioc_view_export {
	__u32 size;
	__u32 flags;
	__u32 status;
	__u32 view;
	__s32 fd;
	__u32 reserved;
};

/**
 * struct sq_ioc_statistics - SQ_IOC_STATISTICS_GET, SQ_IOC_STATISTICS_RESET
 * @size: sizeof(struct sq_ioc_statistics)
 * @flags: zero
 * @status: out
 * @scope: in, SQ_STATISTICS_*; RESET of GLOBAL resets every counter
 * @key: in, handle or SQ_FORMAT_*; zero for GLOBAL
 * @reserved: zero
 * @requests: out of GET, as all below: reads that completed
 * @elements: weights delivered
 * @link_bytes: bytes delivered to the host by reads
 * @plane_lines: 64-byte lines read from plane memory for data
 * @check_lines: further lines read only to check a run's CRC
 * @baseline_lines: lines that a store of whole words would have read
 * @written_lines: lines written to plane memory
 * @stores: stores that completed
 * @stored_elements: elements that they brought
 * @errors: requests refused or failed
 * @media_errors: of these: CRC mismatch
 * @poison_loads: loads and stores outside of any view
 * @view_loads: loads decoded one by one
 * @dram_time_ns: modelled
 * @dram_energy_pj: modelled
 * @link_time_ns: modelled
 *
 * RESET needs a file that is open for writing.
 */
struct sq_ioc_statistics {
	__u32 size;
	__u32 flags;
	__u32 status;
	__u32 scope;
	__u32 key;
	__u32 reserved;
	__aligned_u64 requests;
	__aligned_u64 elements;
	__aligned_u64 link_bytes;
	__aligned_u64 plane_lines;
	__aligned_u64 check_lines;
	__aligned_u64 baseline_lines;
	__aligned_u64 written_lines;
	__aligned_u64 stores;
	__aligned_u64 stored_elements;
	__aligned_u64 errors;
	__aligned_u64 media_errors;
	__aligned_u64 poison_loads;
	__aligned_u64 view_loads;
	__aligned_u64 dram_time_ns;
	__aligned_u64 dram_energy_pj;
	__aligned_u64 link_time_ns;
};

/**
 * struct sq_ioc_bad_run - a run whose CRC does not match
 * @handle: of the region
 * @segment: number of the segment in it
 * @run: plane number, SQ_RUN_EXPONENTS or SQ_RUN_ESCAPES
 * @reserved: zero
 */
struct sq_ioc_bad_run {
	__u32 handle;
	__u32 segment;
	__u32 run;
	__u32 reserved;
};

/**
 * struct sq_ioc_verify - SQ_IOC_VERIFY: checks every CRC
 * @size: sizeof(struct sq_ioc_verify)
 * @flags: zero
 * @status: out
 * @handle: in, of the region; 0: all regions
 * @runs_checked: out
 * @runs_bad: out, all of them, however long the array is
 * @bad: in, address of an array of &struct sq_ioc_bad_run; not read when
 *	 @bad_max is 0
 * @bad_max: in, entries of the array
 * @bad_count: out, entries that were written
 *
 * Returns when the device is done; damage is a result, not an error. A fatal
 * signal ends the wait, not the work: EBUSY until that is done. Progress:
 * SQ_IOC_BACKGROUND.
 */
struct sq_ioc_verify {
	__u32 size;
	__u32 flags;
	__u32 status;
	__u32 handle;
	__aligned_u64 runs_checked;
	__aligned_u64 runs_bad;
	__aligned_u64 bad;
	__u32 bad_max;
	__u32 bad_count;
};

/**
 * struct sq_ioc_background - SQ_IOC_BACKGROUND: the long-running command
 * @size: sizeof(struct sq_ioc_background)
 * @flags: zero
 * @status: out
 * @running: out, 1 while the device works on it
 * @opcode: out, SQ_MBOX_* of the running or of the last one; 0: none yet
 * @percent: out, 0 to 100
 * @result: out, SQ_STATUS_* of the last one; meaningless while it runs
 * @reserved: zero
 */
struct sq_ioc_background {
	__u32 size;
	__u32 flags;
	__u32 status;
	__u32 running;
	__u32 opcode;
	__u32 percent;
	__u32 result;
	__u32 reserved;
};

/**
 * struct sq_ioc_sanitize - SQ_IOC_SANITIZE: erases everything
 * @size: sizeof(struct sq_ioc_sanitize)
 * @flags: SQ_SANITIZE_ALL, as a safeguard against a wrong number
 * @status: out
 * @reserved: zero
 *
 * Refused (IN_USE) while views are mapped. Returns when the device is done.
 * Needs CAP_SYS_ADMIN and a file that is open for writing.
 */
struct sq_ioc_sanitize {
	__u32 size;
	__u32 flags;
	__u32 status;
	__u32 reserved;
};

#define SQ_SANITIZE_ALL			0x00000001

/**
 * struct sq_ioc_feature - SQ_IOC_FEATURE_GET, SQ_IOC_FEATURE_SET
 * @size: sizeof(struct sq_ioc_feature)
 * @flags: zero
 * @status: out
 * @id: in, SQ_FEATURE_ID_*
 * @index: in, number of the parameter; 0 for features that have one value
 * @reserved: zero
 * @value: out of GET, in of SET
 *
 * SET needs CAP_SYS_ADMIN and a file that is open for writing.
 */
struct sq_ioc_feature {
	__u32 size;
	__u32 flags;
	__u32 status;
	__u32 id;
	__u32 index;
	__u32 reserved;
	__aligned_u64 value;
};

/**
 * struct sq_ioc_hdm_info - SQ_IOC_HDM_INFO: where function 0's memory appears
 * @size: sizeof(struct sq_ioc_hdm_info)
 * @flags: zero
 * @status: out
 * @hdm_flags: out, SQ_HDM_*; SQ_HDM_COMMITTED is missing when no decoder is
 *	       committed, and the numbers below are zero then
 * @host_base: out, host physical address of @dpa_base; zero for callers
 *	       without CAP_SYS_ADMIN
 * @size_bytes: out, of the committed decoder
 * @dpa_base: out
 * @interleave_ways: out
 * @interleave_granularity_bytes: out
 */
struct sq_ioc_hdm_info {
	__u32 size;
	__u32 flags;
	__u32 status;
	__u32 hdm_flags;
	__aligned_u64 host_base;
	__aligned_u64 size_bytes;
	__aligned_u64 dpa_base;
	__u32 interleave_ways;
	__u32 interleave_granularity_bytes;
};

/**
 * struct sq_buffer - a piece of the caller's memory
 * @address: any alignment
 * @length_bytes: more than 0
 */
struct sq_buffer {
	__aligned_u64 address;
	__aligned_u64 length_bytes;
};

/**
 * struct sq_transfer_result - what a transfer cost, or where it failed
 * @status: SQ_STATUS_*
 * @format: format that was granted
 * @rounding: rounding that was granted
 * @reserved: zero
 * @bytes: data bytes written (fetch) or taken (store)
 * @elements: weights delivered or stored
 * @plane_lines: 64-byte lines read from plane memory for data
 * @check_lines: further lines read only to check a run's CRC
 * @baseline_lines: lines that a store of whole words would have read
 * @dram_time_ns: modelled
 * @dram_energy_pj: modelled
 * @link_time_ns: modelled
 * @rounded_elements: store: elements that rounding changed
 * @max_rounding_error: store: bits of an fp32, largest |stored - given| / |given|
 * @error_row: NON_FINITE: where; MEDIA_FAILURE: first row of the segment
 * @error_col: likewise
 * @reserved2: zero
 */
struct sq_transfer_result {
	__u32 status;
	__u16 format;
	__u8 rounding;
	__u8 reserved;
	__aligned_u64 bytes;
	__aligned_u64 elements;
	__aligned_u64 plane_lines;
	__aligned_u64 check_lines;
	__aligned_u64 baseline_lines;
	__aligned_u64 dram_time_ns;
	__aligned_u64 dram_energy_pj;
	__aligned_u64 link_time_ns;
	__aligned_u64 rounded_elements;
	__u32 max_rounding_error;
	__u32 error_row;
	__u32 error_col;
	__u32 reserved2[9];
};

/**
 * struct sq_ioc_submit - SQ_IOC_SUBMIT: one transfer, waited for
 * @size: sizeof(struct sq_ioc_submit)
 * @flags: SQ_SUBMIT_ROUND (store only)
 * @status: out
 * @opcode: in, SQ_OP_NOOP, SQ_OP_STORE, SQ_OP_FETCH or SQ_OP_FLUSH. What an
 *	    operation does not use must be zero.
 * @handle: in, of the region; 0 of FLUSH: all regions
 * @format: in, SQ_FORMAT_* of a fetch, SQ_ENCODING_* of a store
 * @rounding: in, SQ_ROUNDING_* of a fetch
 * @axis: in, SQ_AXIS_* of a fetch
 * @first_row: in
 * @row_count: in, at least 1
 * @buffers: in, address of an array of &struct sq_buffer: where the data is,
 *	     or goes, one after the other. Their sum must be the exact length
 *	     of the data (LENGTH).
 * @buffer_count: in, entries of it; at most sq_ioc_info.buffers_max
 * @format_count: in, entries of @formats; 0: no precision vector, every row
 *		  in @format
 * @formats: in, address of an array of __u16, SQ_FORMAT_*: the precision
 *	     vector, a format for each block of rows. @format must then be
 *	     SQ_FORMAT_TAG.
 * @rows_per_format: in, rows of a block; 0 without a precision vector
 * @reserved: zero
 * @result: out
 *
 * After success the data is in the region (visible to every reader; durable
 * after a flush) or in the buffers. After an error of a fetch the buffers'
 * contents are undefined; after an error of a store the region is as it was.
 * A fatal signal ends the wait with EINTR; the buffers stay pinned until the
 * device is done with them. STORE and FLUSH need a file that is open for
 * writing.
 */
struct sq_ioc_submit {
	__u32 size;
	__u32 flags;
	__u32 status;
	__u32 opcode;
	__u32 handle;
	__u16 format;
	__u8 rounding;
	__u8 axis;
	__u32 first_row;
	__u32 row_count;
	__aligned_u64 buffers;
	__u32 buffer_count;
	__u32 format_count;
	__aligned_u64 formats;
	__u32 rows_per_format;
	__u32 reserved;
	struct sq_transfer_result result;
};

#define SQ_IOC_INFO			_IOWR(SQ_IOC_TYPE, 0x00, struct sq_ioc_info)
#define SQ_IOC_REGION_CREATE		_IOWR(SQ_IOC_TYPE, 0x01, struct sq_ioc_region_create)
#define SQ_IOC_REGION_DELETE		_IOWR(SQ_IOC_TYPE, 0x02, struct sq_ioc_handle)
#define SQ_IOC_REGION_SEAL		_IOWR(SQ_IOC_TYPE, 0x03, struct sq_ioc_handle)
#define SQ_IOC_REGION_PACK		_IOWR(SQ_IOC_TYPE, 0x04, struct sq_ioc_handle)
#define SQ_IOC_REGION_GET		_IOWR(SQ_IOC_TYPE, 0x05, struct sq_ioc_region)
#define SQ_IOC_REGION_FIND		_IOWR(SQ_IOC_TYPE, 0x06, struct sq_ioc_region)
#define SQ_IOC_REGION_LIST		_IOWR(SQ_IOC_TYPE, 0x07, struct sq_ioc_region_list)
#define SQ_IOC_REGION_SET_PRECISION	_IOWR(SQ_IOC_TYPE, 0x08, struct sq_ioc_region_precision)
#define SQ_IOC_VIEW_MAP			_IOWR(SQ_IOC_TYPE, 0x09, struct sq_ioc_view)
#define SQ_IOC_VIEW_GET			_IOWR(SQ_IOC_TYPE, 0x0a, struct sq_ioc_view)
#define SQ_IOC_VIEW_UNMAP		_IOWR(SQ_IOC_TYPE, 0x0b, struct sq_ioc_view_unmap)
#define SQ_IOC_VIEW_EXPORT		_IOWR(SQ_IOC_TYPE, 0x0c, struct sq_ioc_view_export)
#define SQ_IOC_STATISTICS_GET		_IOWR(SQ_IOC_TYPE, 0x0d, struct sq_ioc_statistics)
#define SQ_IOC_STATISTICS_RESET		_IOWR(SQ_IOC_TYPE, 0x0e, struct sq_ioc_statistics)
#define SQ_IOC_VERIFY			_IOWR(SQ_IOC_TYPE, 0x0f, struct sq_ioc_verify)
#define SQ_IOC_BACKGROUND		_IOWR(SQ_IOC_TYPE, 0x10, struct sq_ioc_background)
#define SQ_IOC_SANITIZE			_IOWR(SQ_IOC_TYPE, 0x11, struct sq_ioc_sanitize)
#define SQ_IOC_FLUSH			_IOWR(SQ_IOC_TYPE, 0x12, struct sq_ioc_handle)
#define SQ_IOC_FEATURE_GET		_IOWR(SQ_IOC_TYPE, 0x13, struct sq_ioc_feature)
#define SQ_IOC_FEATURE_SET		_IOWR(SQ_IOC_TYPE, 0x14, struct sq_ioc_feature)
#define SQ_IOC_HDM_INFO			_IOWR(SQ_IOC_TYPE, 0x15, struct sq_ioc_hdm_info)
#define SQ_IOC_SUBMIT			_IOWR(SQ_IOC_TYPE, 0x16, struct sq_ioc_submit)

/**
 * struct sq_uring_cmd - the command area of an IORING_OP_URING_CMD entry
 * @flags: SQ_SUBMIT_ROUND (store only)
 * @handle: as in &struct sq_ioc_submit, like all that have the same name
 * @format: likewise
 * @rounding: likewise
 * @axis: likewise
 * @first_row: likewise
 * @row_count: likewise
 * @buffer_count: entries of the array at @buffers. 0: @buffers is the address
 *		  of the data itself and @length_bytes its length; so it must
 *		  be with IORING_URING_CMD_FIXED, where that memory lies in
 *		  the registered buffer sqe->buf_index.
 * @buffers: address
 * @length_bytes: zero when @buffer_count is not
 * @formats: address of the precision vector
 * @format_count: entries of it
 * @rows_per_format: rows of a block
 * @result: address of a &struct sq_transfer_result, written before the
 *	    completion is posted; 0: not wanted
 * @reserved: zero
 *
 * The ring needs IORING_SETUP_SQE128. sqe->cmd_op is one of SQ_URING_*.
 * cqe->res is 0 or a negative errno as of SQ_IOC_SUBMIT; with
 * IORING_SETUP_CQE32, cqe->big_cqe[0] is the SQ_STATUS_*. Many may be in
 * flight; they complete in any order.
 */
struct sq_uring_cmd {
	__u32 flags;
	__u32 handle;
	__u16 format;
	__u8 rounding;
	__u8 axis;
	__u32 first_row;
	__u32 row_count;
	__u32 buffer_count;
	__aligned_u64 buffers;
	__aligned_u64 length_bytes;
	__aligned_u64 formats;
	__u32 format_count;
	__u32 rows_per_format;
	__aligned_u64 result;
	__u32 reserved[4];
};

#define SQ_URING_NOOP			_IOWR(SQ_IOC_TYPE, 0x80, struct sq_uring_cmd)
#define SQ_URING_STORE			_IOWR(SQ_IOC_TYPE, 0x81, struct sq_uring_cmd)
#define SQ_URING_FETCH			_IOWR(SQ_IOC_TYPE, 0x82, struct sq_uring_cmd)
#define SQ_URING_FLUSH			_IOWR(SQ_IOC_TYPE, 0x83, struct sq_uring_cmd)

/* Sizes of the first published structures; what is shorter is refused. */
SQ_ASSERT_SIZE(sq_ioc_info, 424);
SQ_ASSERT_SIZE(sq_ioc_region_create, 288);
SQ_ASSERT_SIZE(sq_ioc_handle, 16);
SQ_ASSERT_SIZE(sq_ioc_region, 320);
SQ_ASSERT_SIZE(sq_ioc_region_list, 40);
SQ_ASSERT_SIZE(sq_ioc_region_precision, 24);
SQ_ASSERT_SIZE(sq_ioc_view, 64);
SQ_ASSERT_SIZE(sq_ioc_view_unmap, 16);
SQ_ASSERT_SIZE(sq_ioc_view_export, 24);
SQ_ASSERT_SIZE(sq_ioc_statistics, 152);
SQ_ASSERT_SIZE(sq_ioc_bad_run, 16);
SQ_ASSERT_SIZE(sq_ioc_verify, 48);
SQ_ASSERT_SIZE(sq_ioc_background, 32);
SQ_ASSERT_SIZE(sq_ioc_sanitize, 16);
SQ_ASSERT_SIZE(sq_ioc_feature, 32);
SQ_ASSERT_SIZE(sq_ioc_hdm_info, 48);
SQ_ASSERT_SIZE(sq_buffer, 16);
SQ_ASSERT_SIZE(sq_transfer_result, 128);
SQ_ASSERT_SIZE(sq_ioc_submit, 192);
SQ_ASSERT_SIZE(sq_uring_cmd, 80);

#endif /* SMARTQUANT_UAPI_H */
