// SPDX-License-Identifier: GPL-2.0-or-later
/* The device's status numbers as errnos: the table of uapi.h. */

#include <linux/kernel.h>
#include <linux/errno.h>

#include <smartquant/codes.h>

#include "smartquant_status.h"

static const struct {
	u16 status;
	s16 error;
} sq_status_errors[] = {
	{ SQ_STATUS_SUCCESS, 0 },
	{ SQ_STATUS_BACKGROUND_STARTED, 0 },
	{ SQ_STATUS_INVALID_INPUT, -EINVAL },
	{ SQ_STATUS_UNSUPPORTED, -EOPNOTSUPP },
	{ SQ_STATUS_INTERNAL_ERROR, -EIO },
	{ SQ_STATUS_RETRY_REQUIRED, -EAGAIN },
	{ SQ_STATUS_BUSY, -EBUSY },
	{ SQ_STATUS_INVALID_HANDLE, -ESTALE },
	{ SQ_STATUS_INVALID_ADDRESS, -ENXIO },
	{ SQ_STATUS_MEDIA_FAILURE, -EBADMSG },
	{ SQ_STATUS_ABORTED, -ECANCELED },
	{ SQ_STATUS_INVALID_PAYLOAD_LENGTH, -EINVAL },
	{ SQ_STATUS_RESOURCES_EXHAUSTED, -ENOBUFS },
	{ SQ_STATUS_NAME_EXISTS, -EEXIST },
	{ SQ_STATUS_NOT_FOUND, -ENOENT },
	{ SQ_STATUS_SEALED, -EROFS },
	{ SQ_STATUS_NON_FINITE, -EDOM },
	{ SQ_STATUS_RANGE, -ERANGE },
	{ SQ_STATUS_FORMAT, -EOPNOTSUPP },
	{ SQ_STATUS_IN_USE, -EBUSY },
	{ SQ_STATUS_STORE_FULL, -ENOSPC },
	{ SQ_STATUS_ROUNDING_NEEDED, -EINVAL },
	{ SQ_STATUS_LENGTH, -EMSGSIZE },
	{ SQ_STATUS_NOT_A_STORE, -EUCLEAN },
	{ SQ_STATUS_STORE_VERSION, -EUCLEAN },
	{ SQ_STATUS_STORE_DAMAGED, -EUCLEAN },
	{ SQ_STATUS_SYNC_FAILED, -EIO },
	{ SQ_STATUS_NO_HDM, -ENXIO },
	{ SQ_STATUS_DMA_FAULT, -EREMOTEIO },
	{ SQ_STATUS_READ_ONLY, -EROFS },
	{ SQ_STATUS_NAME, -EINVAL },
};

int sq_status_errno(u16 status)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sq_status_errors); i++)
		if (sq_status_errors[i].status == status)
			return sq_status_errors[i].error;
	return -EIO;
}
