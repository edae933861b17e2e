/* SPDX-License-Identifier: (GPL-2.0 WITH Linux-syscall-note) OR MIT */
/*
 * SmartQuant number codes
 *
 * The numbers that every layer uses under one name: the controller, the
 * device's registers and queue entries, the driver's ioctls and the client
 * library. Nothing is included here, so that free-standing code, QEMU, the
 * kernel and userspace (C and C++) can all include it.
 *
 * Numbers are only ever appended, never reused.
 */
#ifndef SMARTQUANT_CODES_H
#define SMARTQUANT_CODES_H

/*
 * Element type of a region.
 * SQ_DTYPE_U8 regions are opaque blobs: no planes, format `native` only.
 */
#define SQ_DTYPE_BF16			1
#define SQ_DTYPE_FP16			2
#define SQ_DTYPE_FP32			3
#define SQ_DTYPE_INT8			4
#define SQ_DTYPE_U8			5

/*
 * How the bits of a region are laid out in plane memory.
 *   BYTES    u8 blobs, byte after byte
 *   ALIGNED  sign and magnitude planes, aligned to a group exponent
 *   WORD     planes of the stored word itself, most significant bit first
 *   TUNED    planes of a nested quantiser code, and its residual
 */
#define SQ_PLACEMENT_BYTES		1
#define SQ_PLACEMENT_ALIGNED		2
#define SQ_PLACEMENT_WORD		3
#define SQ_PLACEMENT_TUNED		4

/* How the planes of a sealed region are coded. Regions are born raw. */
#define SQ_CODING_RAW			0
#define SQ_CODING_PACKED		1

/*
 * Read formats. The high byte is the family, the low byte its parameter.
 * SQ_FORMAT_TAG asks for the format named by the region's precision tag.
 */
#define SQ_FORMAT_FAMILY(format)	(((format) >> 8) & 0xff)
#define SQ_FORMAT_PARAMETER(format)	((format) & 0xff)

#define SQ_FORMAT_FAMILY_BASIC		0x00
#define SQ_FORMAT_FAMILY_MXINT		0x01
#define SQ_FORMAT_FAMILY_MXFP		0x02
#define SQ_FORMAT_FAMILY_MX		0x03
#define SQ_FORMAT_FAMILY_GGML		0x04
#define SQ_FORMAT_FAMILY_PLANES		0x05
#define SQ_FORMAT_FAMILY_TUNED		0x06
#define SQ_FORMAT_FAMILY_LEVELS		0x07

#define SQ_FORMAT_TAG			0x0000
#define SQ_FORMAT_NATIVE		0x0001
#define SQ_FORMAT_BF16			0x0010
#define SQ_FORMAT_FP16			0x0011
#define SQ_FORMAT_FP32			0x0012
#define SQ_FORMAT_MXINT(n)		(0x0100 | (n))	/* n = 2 .. 8 */
#define SQ_FORMAT_MXFP8_E4M3		0x0201
#define SQ_FORMAT_MXFP8_E5M2		0x0202
#define SQ_FORMAT_MXFP6_E3M2		0x0203
#define SQ_FORMAT_MXFP6_E2M3		0x0204
#define SQ_FORMAT_MXFP4_E2M1		0x0205
#define SQ_FORMAT_MX4			0x0304
#define SQ_FORMAT_MX6			0x0306
#define SQ_FORMAT_MX9			0x0309
#define SQ_FORMAT_GGML(type)		(0x0400 | (type)) /* ggml's type number */
#define SQ_FORMAT_PLANES(k)		(0x0500 | (k))	/* k = 1 .. planes */
#define SQ_FORMAT_TUNED(n)		(0x0600 | (n))	/* n = 2 .. 8 */
#define SQ_FORMAT_LEVELS(n)		(0x0700 | (n))	/* what codes of TUNED(n) stand for */

/*
 * Encodings of the data that a store brings. SQ_ENCODING_DTYPE is the
 * region's own dtype; a float encoding that is not the region's dtype needs
 * SQ_STORE_ROUND. Block encodings carry ggml's type number.
 */
#define SQ_ENCODING_DTYPE		0x0000
#define SQ_ENCODING_BF16		0x0010
#define SQ_ENCODING_FP16		0x0011
#define SQ_ENCODING_FP32		0x0012
#define SQ_ENCODING_GGML(type)		(0x0400 | (type))

/* ggml's numbers for the block types that this interface names. */
#define SQ_GGML_Q4_0			2
#define SQ_GGML_Q4_1			3
#define SQ_GGML_Q5_0			6
#define SQ_GGML_Q5_1			7
#define SQ_GGML_Q8_0			8
#define SQ_GGML_Q2_K			10
#define SQ_GGML_Q3_K			11
#define SQ_GGML_Q4_K			12
#define SQ_GGML_Q5_K			13
#define SQ_GGML_Q6_K			14
#define SQ_GGML_MXFP4			39

/* Flags of a store. */
#define SQ_STORE_ROUND			0x01	/* rounding to the dtype is allowed */

/* Rounding of a read. DEFAULT is nearest for mxint, even for the others. */
#define SQ_ROUNDING_DEFAULT		0
#define SQ_ROUNDING_TRUNCATE		1
#define SQ_ROUNDING_NEAREST		2
#define SQ_ROUNDING_EVEN		3

/* Direction that the blocks of a format run in. */
#define SQ_AXIS_ROW			0
#define SQ_AXIS_COL			1

/* Bytes of a region name, UTF-8, not counting a terminator. */
#define SQ_NAME_MAX			255

/*
 * Status of a command or a transfer: the return codes of the CXL mailbox
 * (CXL r3.1, table 8-34) where one fits, vendor codes from 8000h where none
 * does. Every layer passes them on unchanged.
 */
#define SQ_STATUS_SUCCESS		0x0000
#define SQ_STATUS_BACKGROUND_STARTED	0x0001
#define SQ_STATUS_INVALID_INPUT		0x0002	/* a field has no such value */
#define SQ_STATUS_UNSUPPORTED		0x0003	/* known, but not for this object */
#define SQ_STATUS_INTERNAL_ERROR	0x0004
#define SQ_STATUS_RETRY_REQUIRED	0x0005
#define SQ_STATUS_BUSY			0x0006	/* a background command runs */
#define SQ_STATUS_INVALID_HANDLE	0x000e	/* no such region or view, or stale */
#define SQ_STATUS_INVALID_ADDRESS	0x000f	/* address of no mapped view */
#define SQ_STATUS_MEDIA_FAILURE		0x0011	/* a run does not match its CRC */
#define SQ_STATUS_ABORTED		0x0012
#define SQ_STATUS_INVALID_PAYLOAD_LENGTH 0x0016
#define SQ_STATUS_RESOURCES_EXHAUSTED	0x001d	/* out of handles, views or memory */

#define SQ_STATUS_NAME_EXISTS		0x8001	/* a region of that name exists */
#define SQ_STATUS_NOT_FOUND		0x8002	/* no region of that name */
#define SQ_STATUS_SEALED		0x8003	/* the region is read-only */
#define SQ_STATUS_NON_FINITE		0x8004	/* NaN or infinity; row and column say where */
#define SQ_STATUS_RANGE			0x8005	/* rows outside the region */
#define SQ_STATUS_FORMAT		0x8006	/* format not offered for this region */
#define SQ_STATUS_IN_USE		0x8007	/* views or transfers hold the region */
#define SQ_STATUS_STORE_FULL		0x8008	/* not enough free plane memory */
#define SQ_STATUS_ROUNDING_NEEDED	0x8009	/* encoding differs, SQ_STORE_ROUND not set */
#define SQ_STATUS_LENGTH		0x800a	/* data length does not match the rows */
#define SQ_STATUS_NOT_A_STORE		0x800b	/* no magic: a foreign file */
#define SQ_STATUS_STORE_VERSION		0x800c	/* written by an incompatible version */
#define SQ_STATUS_STORE_DAMAGED		0x800d	/* checksum or structure of the store */
#define SQ_STATUS_SYNC_FAILED		0x800e	/* the backing store refused a write */
#define SQ_STATUS_NO_HDM		0x800f	/* no decoder committed: window not visible */
#define SQ_STATUS_DMA_FAULT		0x8010	/* a host address could not be reached */
#define SQ_STATUS_READ_ONLY		0x8011	/* the store is open for reading only */
#define SQ_STATUS_NAME			0x8012	/* empty, too long or not UTF-8 */

#endif /* SMARTQUANT_CODES_H */
