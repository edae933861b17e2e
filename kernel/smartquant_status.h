/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The device's status numbers as errnos. */
#ifndef SMARTQUANT_STATUS_H
#define SMARTQUANT_STATUS_H

#include <linux/types.h>

/* 0 or a negative errno, as the table of uapi.h has it. */
int sq_status_errno(u16 status);

#endif /* SMARTQUANT_STATUS_H */
