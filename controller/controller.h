/* SPDX-License-Identifier: MIT */
/*
 * SmartQuant controller: the public header, and its manual
 *
 * The quantization-aware memory controller as a library: it keeps weights as
 * bit-planes in memory that the caller owns, and reads them back at any
 * precision. The QEMU device and the embedded store link this same code, so
 * both give the same bytes.
 *
 * What the caller provides
 *   - the plane memory: one contiguous, writable range that holds the whole
 *     store (superblock, journal, region maps, planes). It may be a mapped
 *     file; then `sync` makes a range of it durable.
 *   - an allocator, used on the control path only (open, create, store,
 *     flush). Reading never allocates: the caller passes scratch memory.
 *
 * Threads
 *   Functions marked [shared] may run at the same time as each other;
 *   functions marked [exclusive] need that nothing else runs on the store.
 *   A reader-writer lock in the caller is enough. Counters are atomic.
 *
 * Errors
 *   Every function that can fail returns an sqc_status, one of SQ_STATUS_*;
 *   SQ_STATUS_SUCCESS is 0. A function that fails has changed nothing.
 *   sqc_status_text() gives a sentence for each.
 *
 * Durability
 *   What a write changed is visible to reads at once, and durable after
 *   sqc_flush() or sqc_region_seal(). A process that is killed at any
 *   instant leaves a store that opens; each region in it is as it was at its
 *   last flush, or absent if it never was flushed.
 */
#ifndef SMARTQUANT_CONTROLLER_H
#define SMARTQUANT_CONTROLLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <smartquant/codes.h>

#include "dram.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Geometry (formats.md): a group shares an exponent, a line is one plane of
 * 512 elements, a segment is up to 128 lines a plane. */
#define SQC_GROUP_ELEMENTS		32u
#define SQC_LINE_BYTES			64u
#define SQC_LINE_ELEMENTS		512u
#define SQC_SEGMENT_LINES		128u
#define SQC_SEGMENT_ELEMENTS		65536u

/* One of SQ_STATUS_*. */
typedef uint16_t sqc_status;

/* One short sentence for a status; never NULL. [shared] */
const char *sqc_status_text(sqc_status status);

struct sqc_environment {
	void *context;
	/* At least 64-byte aligned memory, or NULL. Contents undefined. */
	void *(*allocate)(void *context, size_t bytes);
	void (*release)(void *context, void *memory);
	/* Makes [offset, offset + bytes) of the plane memory durable; 0 on
	 * success. NULL for a volatile store. */
	int (*sync)(void *context, uint64_t offset, uint64_t bytes);
	/* Called with each free extent before it is written, so that a sparse
	 * file can get its blocks; 0 when the range can be written, else the
	 * request ends with STORE_FULL. NULL: all memory can be written.
	 * Superblock, counters and journal are the caller's to reserve. */
	int (*reserve)(void *context, uint64_t offset, uint64_t bytes);
};

struct sqc_store;

/* sqc_open flags */
#define SQC_OPEN_READ_ONLY		0x1u	/* writes are refused; nothing but counters changes */

/* The smallest plane memory that holds a store. */
#define SQC_STORE_BYTES_MIN		(1u << 20)

/*
 * True when the memory starts like a store that was never formatted: its
 * first 8 KiB are zero. The caller formats such memory; anything else that
 * does not open is refused, never overwritten.
 */
bool sqc_is_blank(const void *memory, uint64_t bytes);

/* Writes an empty store over the memory, which is aligned to 64 bytes or more.
 * Errors: INVALID_INPUT (too small, or not a multiple of 4096), STORE_FULL
 * (`reserve` failed), SYNC_FAILED. */
sqc_status sqc_format(void *memory, uint64_t bytes,
		      const struct sqc_environment *environment);

/*
 * Opens a store. `logical_bytes` is the size of the address space in which
 * views are mapped (the bloated range; 0: views cannot be mapped).
 * Checks everything it relies on: superblock, journal, region maps, that no
 * two extents overlap; does not read the planes.
 * Errors: NOT_A_STORE, STORE_VERSION, STORE_DAMAGED, RESOURCES_EXHAUSTED.
 * On an error `reason`, if not NULL, points to a constant sentence.
 */
sqc_status sqc_open(struct sqc_store **store, void *memory, uint64_t bytes,
		    const struct sqc_environment *environment,
		    uint32_t flags, uint64_t logical_bytes,
		    const char **reason);

/* Frees the store's volatile state; nothing is being packed any more. What was
 * not flushed is lost. */
void sqc_close(struct sqc_store *store);

struct sqc_store_info {
	uint64_t capacity_bytes;	/* plane memory that regions can use */
	uint64_t used_bytes;
	uint64_t logical_bytes;
	uint32_t regions;
	uint32_t regions_max;
	uint32_t views;
	uint32_t views_max;
};

void sqc_store_describe(const struct sqc_store *store, struct sqc_store_info *info); /* [shared] */

/* ------------------------------------------------------------- regions */

struct sqc_region_spec {
	const char *name;		/* UTF-8, not terminated */
	uint32_t name_bytes;		/* 1 .. SQ_NAME_MAX */
	uint8_t dtype;
	uint8_t placement;
	uint32_t rows;
	uint32_t cols;
};

struct sqc_region_info {
	uint32_t handle;		/* slot and generation; never 0 */
	uint8_t dtype;
	uint8_t placement;
	uint8_t coding;
	bool sealed;
	bool dirty;			/* written since the last flush */
	uint32_t rows;
	uint32_t cols;
	uint32_t row_stride;		/* cols rounded up to whole groups */
	uint16_t precision;		/* tag; native at birth */
	uint16_t name_bytes;
	uint64_t stored_bytes;		/* plane memory held */
	uint64_t escapes;
	uint32_t segments;
	uint32_t views;
	char name[SQ_NAME_MAX + 1];	/* terminated */
};

/*
 * An empty region: its elements read as zero and take no plane memory until
 * they are written. Exists durably after its first flush. [exclusive]
 * Errors: NAME, NAME_EXISTS, INVALID_INPUT, UNSUPPORTED (dtype and placement
 * do not go together), STORE_FULL (not even an empty store could hold it),
 * RESOURCES_EXHAUSTED, READ_ONLY.
 */
sqc_status sqc_region_create(struct sqc_store *store,
			     const struct sqc_region_spec *spec,
			     uint32_t *handle);
/* Durable at once. Errors: INVALID_HANDLE, IN_USE (views). [exclusive] */
sqc_status sqc_region_delete(struct sqc_store *store, uint32_t handle);
/* Flushes the region and makes it read-only; idempotent. [exclusive] */
sqc_status sqc_region_seal(struct sqc_store *store, uint32_t handle);
/*
 * Seals a region and codes its planes (coding packed, formats.md): the same
 * bytes from every read, in less plane memory. Durable at once, all or nothing:
 * a process that is killed leaves the region as it was, or packed. Idempotent.
 * Needs room for the packed segments beside the others. Views stay. [exclusive]
 * Errors: INVALID_HANDLE, UNSUPPORTED (only placement aligned can be packed),
 * READ_ONLY, STORE_FULL, RESOURCES_EXHAUSTED, MEDIA_FAILURE (*error_row, if not
 * NULL: first row of the damaged segment), SYNC_FAILED, IN_USE (being packed).
 */
sqc_status sqc_region_pack(struct sqc_store *store, uint32_t handle, uint32_t *error_row);
/*
 * The same in bounded steps, so that others can read meanwhile. Until the end
 * the region takes no writes and cannot be deleted (IN_USE).
 */
struct sqc_packing;
/* Errors: those of sqc_region_pack(). [exclusive] */
sqc_status sqc_pack_begin(struct sqc_store *store, uint32_t handle,
			  struct sqc_packing **packing);
/* Packs a segment, or, after the last one, makes the packed region the durable
 * one. *done and *total count steps. [exclusive] */
sqc_status sqc_pack_step(struct sqc_packing *packing, uint64_t *done, uint64_t *total);
/* Gives up what is not done, and frees the packing. [exclusive] */
void sqc_pack_end(struct sqc_packing *packing);
/* Sets the precision tag, durably. Errors: FORMAT. [exclusive] */
sqc_status sqc_region_set_precision(struct sqc_store *store, uint32_t handle,
				    uint16_t format);
sqc_status sqc_region_describe(const struct sqc_store *store, uint32_t handle,
			   struct sqc_region_info *info); /* [shared] */
/*
 * The values, in units of a group's scale, that the 2^bits codes of a region
 * of placement tuned stand for; all 0 before it was written. They change when
 * all rows are written. [shared]
 * Errors: INVALID_HANDLE, INVALID_INPUT (bits not 2 to 8), UNSUPPORTED.
 */
sqc_status sqc_region_levels(const struct sqc_store *store, uint32_t handle,
			     uint32_t bits, float *levels);
sqc_status sqc_region_find(const struct sqc_store *store, const char *name,
			   uint32_t name_bytes, uint32_t *handle); /* [shared] */
/* The region that follows `after` in slot order, 0 for the first; a handle
 * of 0 in *next says that there is none. `after` may be stale. [shared] */
void sqc_region_next(const struct sqc_store *store, uint32_t after,
		     uint32_t *next);
/* Makes a region's (or, with handle 0, every region's) writes durable. [exclusive] */
sqc_status sqc_flush(struct sqc_store *store, uint32_t handle);
/* Erases every region. Errors: IN_USE. [exclusive] */
sqc_status sqc_sanitize(struct sqc_store *store);

/* ------------------------------------------------------------ transfers */

/* What a transfer did, counted where it happened, and where it failed. */
struct sqc_result {
	uint16_t format;		/* granted */
	uint8_t rounding;		/* granted */
	uint64_t bytes;			/* delivered or taken */
	uint64_t elements;
	uint64_t plane_lines;
	uint64_t check_lines;		/* read only to check a run's CRC */
	uint64_t baseline_lines;
	uint64_t dram_time_ns;		/* modelled */
	uint64_t dram_energy_pj;	/* modelled */
	uint64_t link_time_ns;		/* modelled */
	uint64_t rounded_elements;	/* of a write */
	float max_rounding_error;	/* of a write: |stored - given| / |given| */
	uint32_t error_row;		/* NON_FINITE, MEDIA_FAILURE */
	uint32_t error_col;
};

struct sqc_read_request {
	uint32_t handle;
	uint16_t format;		/* SQ_FORMAT_TAG: the region's tag */
	uint8_t rounding;
	uint8_t axis;
	uint32_t first_row;
	uint32_t row_count;		/* 1 .. */
};

/*
 * Where the bytes of a read are. The read delivers a matrix of `rows` x
 * `cols` (transposed for axis col) as sections in this order: codes,
 * microexponents, scales; a section that the format lacks has 0 bytes.
 * Within a section rows follow each other at *_row_bytes.
 *
 * planes<k> delivers no codes but bits: for each plane in turn (S, A0, ... or
 * the word's) a matrix of rows x row_stride / 8 bytes, bit i of a row being
 * column i; then, with placement aligned, as the scales, row_stride / 32
 * exponent bytes a row. Row r of plane p begins at
 * (p * rows + r) * code_row_bytes.
 */
struct sqc_layout {
	uint16_t format;		/* granted: TAG and DEFAULT resolved */
	uint8_t rounding;
	uint8_t axis;
	uint8_t dtype;			/* of the region */
	uint8_t placement;
	uint32_t rows;			/* of the delivered matrix */
	uint32_t cols;
	uint64_t bytes;			/* the whole read */
	uint64_t code_row_bytes;
	uint64_t micro_offset;
	uint64_t micro_row_bytes;
	uint64_t scale_offset;
	uint64_t scale_row_bytes;
};

/* Checks a request and lays out its result. [shared]
 * Errors: INVALID_HANDLE, RANGE, FORMAT, INVALID_INPUT (no such rounding or
 * axis), UNSUPPORTED (not with this format). */
sqc_status sqc_read_layout(const struct sqc_store *store,
			   const struct sqc_read_request *request,
			   struct sqc_layout *layout);
/*
 * The same without a store: of a region of that shape. `handle` is not looked
 * at, and the format must not be TAG. Errors: INVALID_INPUT, UNSUPPORTED (dtype
 * and placement do not go together), RANGE, FORMAT.
 */
sqc_status sqc_layout_of(uint8_t dtype, uint8_t placement, uint32_t rows, uint32_t cols,
		      const struct sqc_read_request *request,
		      struct sqc_layout *layout);
/* Scratch memory, 64-byte aligned, that sqc_read() of this layout needs: under
 * 2 MiB, most of it touched only when the region is packed; with axis col up to
 * 4.1 MiB more. [shared] */
size_t sqc_read_scratch_bytes(const struct sqc_layout *layout);
/* Before the first read with that memory, of whatever layout and store. What decodes
 * packed segments is kept in it from one read to the next (to begin it takes 15 us in
 * a virtual machine), so nothing else may write to it meanwhile. [shared] */
void sqc_read_scratch_begin(void *scratch);

/* Runs of packed segments that the last read with this scratch memory decoded:
 * what it took beside the lines that it read. [shared] */
uint64_t sqc_read_decoded_runs(const void *scratch);
/*
 * Reads. `bytes` must be layout.bytes. On an error nothing in `out` may be
 * used. Checks the CRC of every run it touches. [shared]
 * Errors: those of sqc_read_layout(), LENGTH, MEDIA_FAILURE (error_row: first
 * row of the damaged segment).
 */
sqc_status sqc_read(struct sqc_store *store,
		    const struct sqc_read_request *request,
		    void *out, uint64_t bytes, void *scratch,
		    struct sqc_result *result);
/*
 * The same, and the lines that it read for data, in the order in which it read
 * them, as offsets in the store: noted where they are counted, and what the
 * DRAM model was told. `runs` has room for sqc_trace_runs_max(). [shared]
 * Errors: those of sqc_read(), INVALID_INPUT (runs_max too small).
 */
sqc_status sqc_trace_runs_max(const struct sqc_store *store,
			      const struct sqc_read_request *request, uint64_t *runs_max);
sqc_status sqc_read_traced(struct sqc_store *store, const struct sqc_read_request *request,
			   void *out, uint64_t bytes, void *scratch, struct sqc_dram_run *runs,
			   uint64_t runs_max, uint64_t *run_count, struct sqc_result *result);

/*
 * A read in parts, for a caller with several threads:
 *   1. sqc_read_segments() says how many segments the request touches;
 *   2. the caller deals them out to parts, in ascending order, and calls
 *      sqc_read_part() for each, in whatever threads and order it likes, each
 *      thread with scratch memory of its own;
 *   3. sqc_read_join() makes one read of them.
 * Bytes, result, counters and modelled figures are those of sqc_read(). Nothing
 * exclusive may run on the store between the three.
 */
struct sqc_part {
	uint64_t first_segment;		/* counted from the request's first */
	uint64_t segments;		/* 1 .. */
	/* Where the part notes the lines that it reads, in their order; at
	 * least SQC_RUNS_MAX entries for each segment. */
	struct sqc_dram_run *runs;
	uint64_t runs_max;
	/* Set by sqc_read_part(): */
	uint64_t run_count;
	sqc_status status;
	struct sqc_result result;	/* lines, and error_row */
};

/* 0 when the request cannot be read in parts: axis col, levels. [shared]
 * Errors: those of sqc_read_layout(). */
sqc_status sqc_read_segments(const struct sqc_store *store,
			     const struct sqc_read_request *request, uint64_t *segments);
/*
 * Reads a part; `out`, `bytes` and `scratch` as for sqc_read(). Counts nothing
 * in the store. Returns part->status. [shared]
 * Errors: those of sqc_read(), INVALID_INPUT (no such part, runs_max too small,
 * the request cannot be read in parts).
 */
sqc_status sqc_read_part(const struct sqc_store *store,
			 const struct sqc_read_request *request, void *out, uint64_t bytes,
			 void *scratch, struct sqc_part *part);
/*
 * Ends a read in parts: counts it, or its failure. `parts` cover all segments
 * in ascending order and have all been read; those behind one that failed need
 * not be. [shared]
 * Errors: the first part's that failed, INVALID_INPUT (they do not cover it).
 */
sqc_status sqc_read_join(struct sqc_store *store, const struct sqc_read_request *request,
			 const struct sqc_part *parts, uint32_t part_count,
			 struct sqc_result *result);
/*
 * A precision vector: a format for each block of rows of one read. Its result
 * is that of one read a block, part after part without gaps.
 */
struct sqc_precision_vector {
	const uint16_t *formats;
	uint32_t format_count;		/* ceil(row_count / rows_per_format) */
	uint32_t rows_per_format;
};

struct sqc_vector_layout {
	uint64_t bytes;			/* of all parts */
	size_t scratch_bytes;		/* that sqc_read_vector() needs */
};

/* The request that a part of the vector stands for; its layout is
 * sqc_read_layout()'s. Errors: RANGE (no such part). [shared] */
sqc_status sqc_vector_part(const struct sqc_read_request *request,
			   const struct sqc_precision_vector *vector,
			   uint32_t part, struct sqc_read_request *part_request);
/*
 * Checks every part of a request and lays them out. `offsets`, if not NULL,
 * receives format_count + 1 offsets: where each part begins, and the end.
 * request->format must be TAG; a TAG in the vector is the region's tag. [shared]
 * Errors: those of sqc_read_layout(), INVALID_INPUT (the vector does not
 * match the rows).
 */
sqc_status sqc_vector_describe(const struct sqc_store *store,
			       const struct sqc_read_request *request,
			       const struct sqc_precision_vector *vector,
			       struct sqc_vector_layout *layout,
			       uint64_t *offsets);
/*
 * Reads all parts, or none: all of them are checked before anything is read.
 * A run that several parts need is checked once, a line that they share is
 * read once; beyond that the counters are those of one read a part. The
 * result's format is TAG. Errors: those of sqc_vector_describe(), LENGTH,
 * MEDIA_FAILURE. [shared]
 */
sqc_status sqc_read_vector(struct sqc_store *store,
			   const struct sqc_read_request *request,
			   const struct sqc_precision_vector *vector,
			   void *out, uint64_t bytes, void *scratch,
			   struct sqc_result *result);
/*
 * Turns the bytes of a read into fp32 values, rows x cols of the layout,
 * row-major: rows [first_row, first_row + row_count) of the delivered matrix.
 * Needs no store. Errors: RANGE, FORMAT (format has no numeric values).
 */
sqc_status sqc_decode(const struct sqc_layout *layout, const void *bytes,
		      uint32_t first_row, uint32_t row_count, float *values);
/*
 * The same for formats tuned2 .. tuned8, whose codes are numbers of levels:
 * `levels` are 2^n values of sqc_region_levels(). Ignored for other formats.
 */
sqc_status sqc_decode_levels(const struct sqc_layout *layout, const float *levels,
			     const void *bytes, uint32_t first_row,
			     uint32_t row_count, float *values);

struct sqc_write_request {
	uint32_t handle;
	uint16_t encoding;		/* SQ_ENCODING_* of the data */
	uint8_t flags;			/* SQ_STORE_* */
	uint32_t first_row;
	uint32_t row_count;
};

/* Bytes of data that a write request takes. [shared]
 * Errors: INVALID_HANDLE, RANGE, UNSUPPORTED (encoding), INVALID_INPUT (cols
 * are no multiple of the encoding's block). */
sqc_status sqc_write_bytes(const struct sqc_store *store,
			   const struct sqc_write_request *request,
			   uint64_t *bytes);
/*
 * Replaces whole rows. All or nothing: the new rows become visible when all
 * of them are in plane memory. [exclusive]
 * Errors: those of sqc_write_bytes(), LENGTH, SEALED, NON_FINITE (error_row
 * and error_col: the first such element), ROUNDING_NEEDED, STORE_FULL,
 * RESOURCES_EXHAUSTED, READ_ONLY, MEDIA_FAILURE (rows to keep are damaged).
 */
sqc_status sqc_write(struct sqc_store *store,
		     const struct sqc_write_request *request,
		     const void *data, uint64_t bytes,
		     struct sqc_result *result);

/*
 * The same with what each column matters (as the mean square of its
 * activations): errors of placement tuned are weighted with it when the write
 * makes a codebook, and it is without effect otherwise. `importance` has one
 * number a column; they are finite, at least 0, and only their ratios matter.
 * NULL: all columns alike. Errors: also INVALID_INPUT (such a number), UNSUPPORTED
 * (the placement is not tuned). [exclusive]
 */
sqc_status sqc_write_weighted(struct sqc_store *store,
			      const struct sqc_write_request *request,
			      const float *importance,
			      const void *data, uint64_t bytes,
			      struct sqc_result *result);

/* -------------------------------------------------------------- formats */

/* The formats and encodings that this controller offers, in table order.
 * Index from 0; 0 (SQ_FORMAT_TAG) or false marks the end. [shared] */
uint16_t sqc_format_at(unsigned int index);
bool sqc_encoding_at(unsigned int index, uint16_t *encoding);
/* The name of formats.md ("mxint4", "planes7"), NULL if there is none; and
 * back, SQ_FORMAT_TAG if there is none. [shared] */
const char *sqc_format_name(uint16_t format, char *buffer, size_t buffer_bytes);
uint16_t sqc_format_by_name(const char *name);
/* Bits a weight on the link, scales included, for long rows; 0 if unknown. */
double sqc_format_bits(uint16_t format, uint8_t dtype);
/* Block of an encoding in elements and bytes; false if unknown. DTYPE is unknown. */
bool sqc_encoding_block(uint16_t encoding, uint32_t *elements, uint32_t *bytes);
/* Bytes of one stored word of a dtype; 0 if unknown. */
uint32_t sqc_dtype_bytes(uint8_t dtype);
/* Magnitude planes K of placement aligned (16 bf16, 20 fp16, 32 fp32); 0 if none. */
uint32_t sqc_dtype_planes(uint8_t dtype);

/* ---------------------------------------------------------------- views */

#define SQC_VIEWS_MAX			256u
#define SQC_VIEW_ALIGN			4096u

struct sqc_view_info {
	uint32_t view;			/* slot and generation; never 0 */
	struct sqc_read_request request; /* as granted */
	struct sqc_layout layout;
	uint64_t dpa;			/* of the first byte, in [0, logical_bytes) */
	uint64_t window_bytes;		/* layout.bytes rounded up to SQC_VIEW_ALIGN */
};

/* Gives a read a window in the logical address space. [exclusive]
 * Errors: those of sqc_read_layout(), RESOURCES_EXHAUSTED. */
sqc_status sqc_view_map(struct sqc_store *store,
			const struct sqc_read_request *request,
			struct sqc_view_info *info);
sqc_status sqc_view_unmap(struct sqc_store *store, uint32_t view); /* [exclusive] */
sqc_status sqc_view_describe(const struct sqc_store *store, uint32_t view,
			 struct sqc_view_info *info); /* [shared] */
/* The view after `after` in slot order, like sqc_region_next(). [shared] */
void sqc_view_next(const struct sqc_store *store, uint32_t after, uint32_t *next);
/*
 * A load of 1 to 8 bytes at a logical address, decoded and counted alone:
 * only the lines that these bytes need are read. Little-endian value. Bytes
 * of a window behind the view's end are 0. `scratch` as for sqc_read() of
 * the view, or of SQC_VIEW_LOAD_SCRATCH_BYTES; for one load at a time. It keeps
 * what was decoded last of a packed segment: the next load reads and checks the
 * lines that it needs, but decodes no run again, whatever views, regions and
 * stores it is used for. [shared]
 * Errors: INVALID_ADDRESS (counted as a poison load), MEDIA_FAILURE.
 */
#define SQC_VIEW_LOAD_SCRATCH_BYTES	(3u << 20)
sqc_status sqc_view_load(struct sqc_store *store, uint64_t dpa,
			 unsigned int bytes, uint64_t *value, void *scratch);
/* Counts an access outside of any view, or a store to one. [shared] */
void sqc_count_poison(struct sqc_store *store);

/* --------------------------------------------------------------- verify */

struct sqc_bad_run {
	uint32_t handle;
	uint32_t segment;
	uint16_t run;			/* plane number, SQC_RUN_EXPONENTS or _ESCAPES */
};
#define SQC_RUN_EXPONENTS		0xfffeu
#define SQC_RUN_ESCAPES			0xffffu

/*
 * Checks the runs of one segment. `bad` has room for SQC_RUNS_MAX entries;
 * *bad_count says how many were filled. [shared]
 * Errors: INVALID_HANDLE, RANGE (no such segment). Damage is no error here.
 */
#define SQC_RUNS_MAX			40u
sqc_status sqc_verify_segment(struct sqc_store *store, uint32_t handle,
			      uint32_t segment, uint64_t *runs_checked,
			      struct sqc_bad_run *bad, uint32_t *bad_count);

/* ----------------------------------------------------------- statistics */

struct sqc_statistics {
	uint64_t requests;
	uint64_t elements;
	uint64_t link_bytes;
	uint64_t plane_lines;
	uint64_t check_lines;
	uint64_t baseline_lines;
	uint64_t written_lines;
	uint64_t stores;
	uint64_t stored_elements;
	uint64_t errors;
	uint64_t media_errors;
	uint64_t poison_loads;
	uint64_t view_loads;
	uint64_t dram_time_ns;
	uint64_t dram_energy_pj;
	uint64_t link_time_ns;
};

#define SQC_STATISTICS_GLOBAL		0u
#define SQC_STATISTICS_REGION		1u	/* key: handle */
#define SQC_STATISTICS_FORMAT		2u	/* key: SQ_FORMAT_* */

/* Errors: INVALID_INPUT (scope), INVALID_HANDLE, FORMAT. [shared] */
sqc_status sqc_statistics_get(const struct sqc_store *store, uint32_t scope,
			      uint32_t key, struct sqc_statistics *statistics);
/* Resets one scope; GLOBAL resets every counter. [shared] */
sqc_status sqc_statistics_reset(struct sqc_store *store, uint32_t scope,
				uint32_t key);

/* Portable CRC32C (Castagnoli), vectorised where the CPU can. [shared] */
uint32_t sqc_crc32c(uint32_t crc, const void *data, size_t bytes);

#ifdef __cplusplus
}
#endif

#endif /* SMARTQUANT_CONTROLLER_H */
