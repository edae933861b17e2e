/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /dev/smartquantN: what an open file holds, and its operations. */
#ifndef SMARTQUANT_FILE_H
#define SMARTQUANT_FILE_H

#include <linux/fs.h>

#include "smartquant_view.h"

struct io_uring_cmd;
struct sq_device;

/**
 * struct sq_file - an open file
 * @sq: the card, held
 * @views: the views that were mapped by it
 */
struct sq_file {
	struct sq_device *sq;
	struct sq_views views;
};

extern const struct file_operations sq_file_operations;

static inline bool sq_file_may_write(const struct file *file)
{
	return file->f_mode & FMODE_WRITE;
}

long sq_ioctl(struct file *file, unsigned int request, unsigned long argument);
int sq_uring_command(struct io_uring_cmd *command, unsigned int issue_flags);

#endif /* SMARTQUANT_FILE_H */
