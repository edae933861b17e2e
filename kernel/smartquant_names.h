/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Codes as the words that sysfs shows, and back. */
#ifndef SMARTQUANT_NAMES_H
#define SMARTQUANT_NAMES_H

#include <linux/types.h>

/* The longest name of a format, with its terminator. */
#define SQ_FORMAT_NAME_BYTES		24

/* "unknown" for a code that this driver does not know. */
const char *sq_dtype_name(u8 dtype);
const char *sq_placement_name(u8 placement);
const char *sq_coding_name(u8 coding);

/* A code that has no name is written in hexadecimal. */
void sq_format_name(u16 format, char name[SQ_FORMAT_NAME_BYTES]);
/* A name, or a number; 0 or -EINVAL. */
int sq_format_by_name(const char *name, u16 *format);

#endif /* SMARTQUANT_NAMES_H */
