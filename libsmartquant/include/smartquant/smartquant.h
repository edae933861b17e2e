/* SPDX-License-Identifier: MIT */
/*
 * libsmartquant for C and for other languages: the same reach as the C++
 * headers, in plain functions.
 *
 * Results
 *   A function that can fail returns a smartquant_status: 0, or one of
 *   SMARTQUANT_STATUS_*, the same number at every layer. What was wrong, with
 *   what and what would do is then in smartquant_last_error(), until the
 *   calling thread's next call. A function that failed has changed nothing,
 *   and has written nothing to its out parameters, unless it says otherwise.
 *
 * Objects
 *   Stores, regions, views, multipliers and queues are released by their
 *   _release() function, which takes NULL too. All but stores keep their
 *   store open, so the order does not matter. Different threads may use one
 *   object at the same time, releasing excepted.
 *
 * Structures are filled whole; zeros are the defaults of every request.
 * The C++ headers describe each value in detail.
 */
#ifndef SMARTQUANT_SMARTQUANT_H
#define SMARTQUANT_SMARTQUANT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define SMARTQUANT_C_API __attribute__((visibility("default")))
#else
#define SMARTQUANT_C_API
#endif

typedef uint16_t smartquant_status;

enum {
	SMARTQUANT_STATUS_SUCCESS = 0x0000,
	SMARTQUANT_STATUS_INVALID_INPUT = 0x0002,
	SMARTQUANT_STATUS_UNSUPPORTED = 0x0003,
	SMARTQUANT_STATUS_INTERNAL_ERROR = 0x0004,
	SMARTQUANT_STATUS_RETRY_REQUIRED = 0x0005,
	SMARTQUANT_STATUS_BUSY = 0x0006,
	SMARTQUANT_STATUS_INVALID_HANDLE = 0x000e,
	SMARTQUANT_STATUS_INVALID_ADDRESS = 0x000f,
	SMARTQUANT_STATUS_MEDIA_FAILURE = 0x0011,
	SMARTQUANT_STATUS_ABORTED = 0x0012,
	SMARTQUANT_STATUS_INVALID_PAYLOAD_LENGTH = 0x0016,
	SMARTQUANT_STATUS_RESOURCES_EXHAUSTED = 0x001d,
	SMARTQUANT_STATUS_NAME_EXISTS = 0x8001,
	SMARTQUANT_STATUS_NOT_FOUND = 0x8002,
	SMARTQUANT_STATUS_SEALED = 0x8003,
	SMARTQUANT_STATUS_NON_FINITE = 0x8004,
	SMARTQUANT_STATUS_RANGE = 0x8005,
	SMARTQUANT_STATUS_FORMAT = 0x8006,
	SMARTQUANT_STATUS_IN_USE = 0x8007,
	SMARTQUANT_STATUS_STORE_FULL = 0x8008,
	SMARTQUANT_STATUS_ROUNDING_NEEDED = 0x8009,
	SMARTQUANT_STATUS_LENGTH = 0x800a,
	SMARTQUANT_STATUS_NOT_A_STORE = 0x800b,
	SMARTQUANT_STATUS_STORE_VERSION = 0x800c,
	SMARTQUANT_STATUS_STORE_DAMAGED = 0x800d,
	SMARTQUANT_STATUS_SYNC_FAILED = 0x800e,
	SMARTQUANT_STATUS_NO_HDM = 0x800f,
	SMARTQUANT_STATUS_DMA_FAULT = 0x8010,
	SMARTQUANT_STATUS_READ_ONLY = 0x8011,
	SMARTQUANT_STATUS_NAME = 0x8012,
	SMARTQUANT_STATUS_SYSTEM = 0xf000,
	SMARTQUANT_STATUS_CLOSED = 0xf001,
	SMARTQUANT_STATUS_NO_DEVICE = 0xf002
};

/* One short sentence for a status; never NULL. */
SMARTQUANT_C_API const char *smartquant_status_text(smartquant_status status);
/* What the calling thread's last call failed with; "" after success. */
SMARTQUANT_C_API const char *smartquant_last_error(void);
/* "0.1.0" */
SMARTQUANT_C_API const char *smartquant_version(void);

/* ----------------------------------------------------------- vocabulary */

enum { /* dtype */
	SMARTQUANT_DTYPE_BF16 = 1,
	SMARTQUANT_DTYPE_FP16 = 2,
	SMARTQUANT_DTYPE_FP32 = 3,
	SMARTQUANT_DTYPE_INT8 = 4,
	SMARTQUANT_DTYPE_U8 = 5
};

enum { /* placement */
	SMARTQUANT_PLACEMENT_DEFAULT = 0, /* that of the dtype */
	SMARTQUANT_PLACEMENT_BYTES = 1,
	SMARTQUANT_PLACEMENT_ALIGNED = 2,
	SMARTQUANT_PLACEMENT_WORD = 3,
	SMARTQUANT_PLACEMENT_TUNED = 4
};

enum { /* coding */
	SMARTQUANT_CODING_RAW = 0,
	SMARTQUANT_CODING_PACKED = 1
};

enum { /* rounding */
	SMARTQUANT_ROUNDING_DEFAULT = 0,
	SMARTQUANT_ROUNDING_TRUNCATE = 1,
	SMARTQUANT_ROUNDING_NEAREST = 2,
	SMARTQUANT_ROUNDING_EVEN = 3
};

enum { /* axis */
	SMARTQUANT_AXIS_ROW = 0,
	SMARTQUANT_AXIS_COL = 1
};

/* Formats and encodings by code; the others by name. */
#define SMARTQUANT_FORMAT_TAG 0x0000 /* the region's precision tag */
#define SMARTQUANT_FORMAT_NATIVE 0x0001
#define SMARTQUANT_FORMAT_BF16 0x0010
#define SMARTQUANT_FORMAT_FP16 0x0011
#define SMARTQUANT_FORMAT_FP32 0x0012
#define SMARTQUANT_FORMAT_MXINT(bits) (0x0100 | (bits))

#define SMARTQUANT_ENCODING_DTYPE 0x0000 /* the region's own */
#define SMARTQUANT_ENCODING_BF16 0x0010
#define SMARTQUANT_ENCODING_FP16 0x0011
#define SMARTQUANT_ENCODING_FP32 0x0012
#define SMARTQUANT_ENCODING_GGML(type) (0x0400 | (type)) /* ggml's number */

/* "mxint4" to its code. Fails with FORMAT and the names there are. */
SMARTQUANT_C_API smartquant_status smartquant_format_parse(const char *name, uint16_t *format);
/* The name, terminated and cut to fit. Fails with LENGTH when bytes is 0. */
SMARTQUANT_C_API smartquant_status smartquant_format_name(uint16_t format, char *name,
							  size_t bytes);
/* Bits a weight on the link, scales included; 0 for an unknown format. */
SMARTQUANT_C_API double smartquant_format_bits(uint16_t format, uint8_t dtype);

/* --------------------------------------------------------------- stores */

typedef struct smartquant_store smartquant_store;
typedef struct smartquant_region smartquant_region;
typedef struct smartquant_view smartquant_view;
typedef struct smartquant_multiplier smartquant_multiplier;
typedef struct smartquant_queue smartquant_queue;

typedef struct smartquant_open_options {
	uint64_t size_bytes;	/* embedded: of a store that is created; 0: default */
	bool read_only;
	bool must_exist;	/* embedded:PATH: do not create it */
	uint32_t threads;	/* embedded: of a large read; 0: SMARTQUANT_THREADS, or the CPUs */
} smartquant_open_options;

typedef struct smartquant_store_info {
	bool embedded;
	bool read_only;
	uint32_t interface_major;
	uint32_t interface_minor;
	uint64_t capacity_bytes;
	uint64_t used_bytes;
	uint64_t logical_bytes;
	uint32_t regions;
	uint32_t regions_max;
	uint32_t views;
	uint32_t views_max;
	char firmware[64];
	char serial[64];
} smartquant_store_info;

/* URI: "/dev/smartquantN", "embedded:", "embedded:PATH". options may be NULL. */
SMARTQUANT_C_API smartquant_status smartquant_store_open(const char *uri,
							 const smartquant_open_options *options,
							 smartquant_store **store);
SMARTQUANT_C_API void smartquant_store_release(smartquant_store *store);
SMARTQUANT_C_API smartquant_status smartquant_store_get_info(smartquant_store *store,
							     smartquant_store_info *info);
/* The index-th format it offers or encoding it accepts; RANGE behind the last. */
SMARTQUANT_C_API smartquant_status smartquant_store_format_at(smartquant_store *store,
							      uint32_t index, uint16_t *format);
SMARTQUANT_C_API smartquant_status smartquant_store_encoding_at(smartquant_store *store,
								uint32_t index,
								uint16_t *encoding);
SMARTQUANT_C_API smartquant_status smartquant_store_flush(smartquant_store *store);
/* Erases every region. */
SMARTQUANT_C_API smartquant_status smartquant_store_sanitize(smartquant_store *store);

/* -------------------------------------------------------------- regions */

typedef struct smartquant_region_info {
	char name[256];		/* terminated */
	uint32_t handle;
	uint8_t dtype;
	uint8_t placement;
	uint8_t coding;
	bool sealed;
	bool dirty;
	uint32_t rows;
	uint32_t cols;
	uint16_t precision;
	uint64_t stored_bytes;
	uint64_t escapes;
	uint32_t segments;
	uint32_t views;
} smartquant_region_info;

/*
 * All regions. *count becomes their number; the first `max` of them are
 * written. infos may be NULL when max is 0.
 */
SMARTQUANT_C_API smartquant_status smartquant_store_list_regions(smartquant_store *store,
								 smartquant_region_info *infos,
								 size_t max, size_t *count);
SMARTQUANT_C_API smartquant_status smartquant_region_create(smartquant_store *store,
							    const char *name, uint8_t dtype,
							    uint8_t placement, uint32_t rows,
							    uint32_t cols,
							    smartquant_region **region);
SMARTQUANT_C_API smartquant_status smartquant_region_find(smartquant_store *store,
							  const char *name,
							  smartquant_region **region);
/* Drops the handle; the region stays. */
SMARTQUANT_C_API void smartquant_region_release(smartquant_region *region);
/* Removes the region from the store; the handle is still to be released. */
SMARTQUANT_C_API smartquant_status smartquant_region_remove(smartquant_region *region);
SMARTQUANT_C_API smartquant_status smartquant_region_get_info(smartquant_region *region,
							      smartquant_region_info *info);
SMARTQUANT_C_API smartquant_status smartquant_region_flush(smartquant_region *region);
SMARTQUANT_C_API smartquant_status smartquant_region_seal(smartquant_region *region);
/* Seals it and codes its planes: the same bytes in less plane memory. */
SMARTQUANT_C_API smartquant_status smartquant_region_pack(smartquant_region *region);
SMARTQUANT_C_API smartquant_status smartquant_region_set_precision(smartquant_region *region,
								   uint16_t format);

/* ------------------------------------------------------------ transfers */

/* Rows [first_row, end_row); end_row 0 is the region's end. */
typedef struct smartquant_store_request {
	uint16_t encoding;
	bool allow_rounding;
	uint32_t first_row;
	uint32_t end_row;
	const float *importance;	/* of each column, for placement tuned; NULL: all alike */
	size_t importance_count;	/* columns */
} smartquant_store_request;

typedef struct smartquant_store_result {
	uint64_t bytes;
	uint64_t elements;
	uint64_t rounded_elements;
	float max_rounding_error;
} smartquant_store_result;

typedef struct smartquant_read_request {
	uint16_t format;
	uint8_t rounding;
	uint8_t axis;
	uint32_t first_row;
	uint32_t end_row;
} smartquant_read_request;

/*
 * A precision vector: a format for each block of rows_per_format rows (the
 * last may be shorter); format_count is the number of blocks. The result is
 * that of one read a block, part after part without gaps.
 */
typedef struct smartquant_vector_request {
	const uint16_t *formats;
	uint32_t format_count;
	uint32_t rows_per_format;
	uint8_t rounding;
	uint8_t axis;
	uint32_t first_row;
	uint32_t end_row;
} smartquant_vector_request;

typedef struct smartquant_fetch_result {
	uint16_t format;
	uint8_t rounding;
	uint64_t bytes;
	uint64_t elements;
	uint64_t plane_lines;
	uint64_t check_lines;
	uint64_t baseline_lines;
	uint64_t dram_time_ns;
	uint64_t dram_energy_pj;
	uint64_t link_time_ns;
} smartquant_fetch_result;

/* Where the bytes of a read are: codes, microexponents, scales. */
typedef struct smartquant_layout {
	uint16_t format;
	uint8_t rounding;
	uint8_t axis;
	uint8_t dtype;
	uint8_t placement;
	uint32_t rows;
	uint32_t cols;
	uint64_t bytes;
	uint64_t code_row_bytes;
	uint64_t micro_offset;
	uint64_t micro_row_bytes;
	uint64_t scale_offset;
	uint64_t scale_row_bytes;
} smartquant_layout;

/* request may be NULL (all rows, the region's dtype or precision), and so may
 * result. */
SMARTQUANT_C_API smartquant_status
smartquant_region_store_bytes(smartquant_region *region, const smartquant_store_request *request,
			      uint64_t *bytes);
SMARTQUANT_C_API smartquant_status
smartquant_region_store(smartquant_region *region, const smartquant_store_request *request,
			const void *data, size_t bytes, smartquant_store_result *result);
SMARTQUANT_C_API smartquant_status
smartquant_region_layout(smartquant_region *region, const smartquant_read_request *request,
			 smartquant_layout *layout);
/* On an error the contents of buffer are undefined. */
SMARTQUANT_C_API smartquant_status
smartquant_region_fetch(smartquant_region *region, const smartquant_read_request *request,
			void *buffer, size_t bytes, smartquant_fetch_result *result);

/*
 * Where the parts of a read with a precision vector are: format_count layouts,
 * and format_count + 1 offsets (of each part, then the end: the bytes of the
 * whole read). layouts or offsets may be NULL.
 */
SMARTQUANT_C_API smartquant_status
smartquant_region_vector_layout(smartquant_region *region,
				const smartquant_vector_request *request,
				smartquant_layout *layouts, uint64_t *offsets);
/* One request, a format for each block of rows. offsets (format_count + 1 of
 * them) and result may be NULL. */
SMARTQUANT_C_API smartquant_status
smartquant_region_fetch_vector(smartquant_region *region,
			       const smartquant_vector_request *request, void *buffer,
			       size_t bytes, uint64_t *offsets,
			       smartquant_fetch_result *result);

/* Rows [first_row, first_row + row_count) of the delivered matrix, as fp32;
 * values holds row_count * cols. */
SMARTQUANT_C_API smartquant_status smartquant_decode(const smartquant_layout *layout,
						     const void *read, size_t bytes,
						     uint32_t first_row, uint32_t row_count,
						     float *values);
/* What the codes of format "tuned<bits>" stand for in a region of placement
 * tuned, in units of a group's scale: 2^bits values, bits 2 to 8. */
SMARTQUANT_C_API smartquant_status smartquant_region_levels(smartquant_region *region,
							    unsigned int bits, float *levels);
/* smartquant_decode() of such a format; `levels` are those of as many bits. */
SMARTQUANT_C_API smartquant_status
smartquant_decode_levels(const smartquant_layout *layout, const float *levels, const void *read,
			 size_t bytes, uint32_t first_row, uint32_t row_count, float *values);
/* y = W x over these rows; x holds cols values, y row_count. */
SMARTQUANT_C_API smartquant_status smartquant_multiply(const smartquant_layout *layout,
						       const void *read, size_t bytes,
						       uint32_t first_row, uint32_t row_count,
						       const float *x, float *y);

/* ---------------------------------------------------------------- views */

/* cached: filled by fetch on first use instead of mapped. */
SMARTQUANT_C_API smartquant_status smartquant_view_map(smartquant_region *region,
						       const smartquant_read_request *request,
						       bool cached, smartquant_view **view);
SMARTQUANT_C_API void smartquant_view_release(smartquant_view *view);
SMARTQUANT_C_API smartquant_status smartquant_view_layout(smartquant_view *view,
							  smartquant_layout *layout);
/* The bytes live as long as the view. */
SMARTQUANT_C_API smartquant_status smartquant_view_bytes(smartquant_view *view,
							 const void **data, size_t *bytes);
SMARTQUANT_C_API smartquant_status smartquant_view_codes(smartquant_view *view, uint32_t row,
							 const void **data, size_t *bytes);
SMARTQUANT_C_API smartquant_status smartquant_view_micro(smartquant_view *view, uint32_t row,
							 const void **data, size_t *bytes);
SMARTQUANT_C_API smartquant_status smartquant_view_scales(smartquant_view *view, uint32_t row,
							  const void **data, size_t *bytes);
SMARTQUANT_C_API smartquant_status smartquant_view_decode(smartquant_view *view,
							  uint32_t first_row, uint32_t row_count,
							  float *values);
SMARTQUANT_C_API smartquant_status smartquant_view_multiply(smartquant_view *view,
							    uint32_t first_row,
							    uint32_t row_count, const float *x,
							    float *y);

/* ---------------------------------------------------------- multipliers */

#define SMARTQUANT_ARITHMETIC_INT8	0
#define SMARTQUANT_ARITHMETIC_FP32	1

typedef struct smartquant_multiplier_request {
	uint16_t format;
	uint8_t rounding;
	uint8_t arithmetic;
	uint32_t first_row;
	uint32_t end_row;	/* exclusive; 0: to the last row */
} smartquant_multiplier_request;

/* Products straight from planes: multiplier.hpp says of which regions. */
SMARTQUANT_C_API smartquant_status
smartquant_multiplier_create(smartquant_region *region,
			     const smartquant_multiplier_request *request,
			     smartquant_multiplier **multiplier);
SMARTQUANT_C_API void smartquant_multiplier_release(smartquant_multiplier *multiplier);
SMARTQUANT_C_API smartquant_status smartquant_multiplier_layout(smartquant_multiplier *multiplier,
								smartquant_layout *layout);
/* Y = W X for 1 to 16 columns: x holds columns * cols values, column after
 * column, y columns * rows. On an error y is undefined. result may be NULL. */
SMARTQUANT_C_API smartquant_status
smartquant_multiplier_multiply(smartquant_multiplier *multiplier, const float *x, float *y,
			       uint32_t columns, smartquant_fetch_result *result);
/* What SMARTQUANT_ARITHMETIC_INT8 makes of x: count codes, and a scale for
 * each group of 32. */
SMARTQUANT_C_API smartquant_status smartquant_quantize_activations(const float *x, size_t count,
								   int8_t *codes, float *scales);

/* --------------------------------------------------------------- queues */

typedef struct smartquant_completion {
	uint64_t tag;
	smartquant_status status;
	smartquant_fetch_result fetch;
	smartquant_store_result store;
	char message[256];	/* terminated, cut to fit; "" on success */
} smartquant_completion;

/* depth 0: the default. */
SMARTQUANT_C_API smartquant_status smartquant_queue_open(smartquant_store *store, uint32_t depth,
							 smartquant_queue **queue);
/* Waits for what is in flight. */
SMARTQUANT_C_API void smartquant_queue_release(smartquant_queue *queue);
/* The memory belongs to the request until its completion was waited for. */
SMARTQUANT_C_API smartquant_status smartquant_queue_fetch(smartquant_queue *queue,
							  smartquant_region *region,
							  const smartquant_read_request *request,
							  void *buffer, size_t bytes,
							  uint64_t tag);
/* The formats are copied; smartquant_region_vector_layout() tells the offsets. */
SMARTQUANT_C_API smartquant_status
smartquant_queue_fetch_vector(smartquant_queue *queue, smartquant_region *region,
			      const smartquant_vector_request *request, void *buffer,
			      size_t bytes, uint64_t tag);
SMARTQUANT_C_API smartquant_status smartquant_queue_store(smartquant_queue *queue,
							  smartquant_region *region,
							  const smartquant_store_request *request,
							  const void *data, size_t bytes,
							  uint64_t tag);
/* The next completion, whatever its own status. */
SMARTQUANT_C_API smartquant_status smartquant_queue_wait(smartquant_queue *queue,
							 smartquant_completion *completion);
SMARTQUANT_C_API smartquant_status smartquant_queue_in_flight(smartquant_queue *queue,
							      uint32_t *count);

/* -------------------------------------------- verification and counters */

typedef struct smartquant_verify_result {
	uint64_t runs_checked;
	uint64_t runs_bad;
	bool complete;		/* false: progress stopped it */
} smartquant_verify_result;

/* Called from time to time with the share that is done; false stops. */
typedef bool (*smartquant_progress)(void *context, double done);

/* Damage is a result, not an error. progress may be NULL. */
SMARTQUANT_C_API smartquant_status smartquant_store_verify(smartquant_store *store,
							   smartquant_progress progress,
							   void *context,
							   smartquant_verify_result *result);
SMARTQUANT_C_API smartquant_status smartquant_region_verify(smartquant_region *region,
							    smartquant_progress progress,
							    void *context,
							    smartquant_verify_result *result);

typedef struct smartquant_statistics {
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
} smartquant_statistics;

SMARTQUANT_C_API smartquant_status
smartquant_store_get_statistics(smartquant_store *store, smartquant_statistics *statistics);
SMARTQUANT_C_API smartquant_status
smartquant_store_get_format_statistics(smartquant_store *store, uint16_t format,
				       smartquant_statistics *statistics);
SMARTQUANT_C_API smartquant_status
smartquant_region_get_statistics(smartquant_region *region, smartquant_statistics *statistics);
/* Every counter, those of regions and formats included. */
SMARTQUANT_C_API smartquant_status smartquant_store_reset_statistics(smartquant_store *store);
SMARTQUANT_C_API smartquant_status
smartquant_store_reset_format_statistics(smartquant_store *store, uint16_t format);
SMARTQUANT_C_API smartquant_status smartquant_region_reset_statistics(smartquant_region *region);

#ifdef __cplusplus
}
#endif

#endif /* SMARTQUANT_SMARTQUANT_H */
