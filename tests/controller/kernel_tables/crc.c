/* SPDX-License-Identifier: MIT */
#include "../../../controller/crc32c.c"

#include "kernel_tables.h"

uintptr_t table_crc(unsigned int level)
{
	return (uintptr_t)versions[level];
}
