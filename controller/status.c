/* SPDX-License-Identifier: MIT */
#include "controller.h"

static const struct {
	sqc_status status;
	const char *text;
} texts[] = {
	{ SQ_STATUS_SUCCESS, "success" },
	{ SQ_STATUS_BACKGROUND_STARTED, "the command goes on in the background" },
	{ SQ_STATUS_INVALID_INPUT, "a field has a value that is not allowed" },
	{ SQ_STATUS_UNSUPPORTED, "not supported for this region" },
	{ SQ_STATUS_INTERNAL_ERROR, "internal error" },
	{ SQ_STATUS_RETRY_REQUIRED, "try again" },
	{ SQ_STATUS_BUSY, "a background command is running" },
	{ SQ_STATUS_INVALID_HANDLE, "no such region or view" },
	{ SQ_STATUS_INVALID_ADDRESS, "the address belongs to no mapped view" },
	{ SQ_STATUS_MEDIA_FAILURE, "stored data does not match its checksum" },
	{ SQ_STATUS_ABORTED, "the request was aborted" },
	{ SQ_STATUS_INVALID_PAYLOAD_LENGTH, "the payload has the wrong length" },
	{ SQ_STATUS_RESOURCES_EXHAUSTED, "out of handles, views or memory" },
	{ SQ_STATUS_NAME_EXISTS, "a region of that name exists" },
	{ SQ_STATUS_NOT_FOUND, "no region of that name" },
	{ SQ_STATUS_SEALED, "the region is sealed" },
	{ SQ_STATUS_NON_FINITE, "the data holds a NaN or an infinity" },
	{ SQ_STATUS_RANGE, "the rows are outside of the region" },
	{ SQ_STATUS_FORMAT, "the format is not offered for this region" },
	{ SQ_STATUS_IN_USE, "views or transfers use the region" },
	{ SQ_STATUS_STORE_FULL, "not enough free plane memory" },
	{ SQ_STATUS_ROUNDING_NEEDED, "the data is not of the region's dtype, and rounding was not allowed" },
	{ SQ_STATUS_LENGTH, "the length of the data does not match the rows" },
	{ SQ_STATUS_NOT_A_STORE, "not a SmartQuant store" },
	{ SQ_STATUS_STORE_VERSION, "the store was written by an incompatible version" },
	{ SQ_STATUS_STORE_DAMAGED, "the store is damaged" },
	{ SQ_STATUS_SYNC_FAILED, "the backing store refused a write" },
	{ SQ_STATUS_NO_HDM, "no memory decoder is committed" },
	{ SQ_STATUS_DMA_FAULT, "a host address could not be reached" },
	{ SQ_STATUS_READ_ONLY, "the store is open for reading only" },
	{ SQ_STATUS_NAME, "the name is empty, too long or not UTF-8" },
};

const char *sqc_status_text(sqc_status status)
{
	for (unsigned int i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (texts[i].status == status)
			return texts[i].text;
	}
	return "unknown status";
}
