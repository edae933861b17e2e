/* SPDX-License-Identifier: MIT */
#include "../../../controller/planes.c"

#include "kernel_tables.h"

uintptr_t table_planes(unsigned int level)
{
	return kernels[level] ? (uintptr_t)kernels[level]->words : 0;
}
