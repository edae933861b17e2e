/* SPDX-License-Identifier: MIT */
#include "../../../controller/multiply_lines.c"

#include "kernel_tables.h"

uintptr_t table_multiply(unsigned int level)
{
	return (uintptr_t)versions[level];
}
