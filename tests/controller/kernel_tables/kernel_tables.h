/* SPDX-License-Identifier: MIT */
/*
 * The function that a family of kernels has in its table for a level; 0: none.
 * Each is read out of the family's own source file, in which the table is static.
 */
#ifndef SMARTQUANT_KERNEL_TABLES_H
#define SMARTQUANT_KERNEL_TABLES_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

uintptr_t table_crc(unsigned int level);
uintptr_t table_planes(unsigned int level);
uintptr_t table_multiply(unsigned int level);

#ifdef __cplusplus
}
#endif

#endif /* SMARTQUANT_KERNEL_TABLES_H */
