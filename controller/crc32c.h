/* SPDX-License-Identifier: MIT */
/* The portable CRC32C, and which one sqc_crc32c() runs: for tests. */
#ifndef SMARTQUANT_CRC32C_H
#define SMARTQUANT_CRC32C_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller.h"

#ifdef __cplusplus
extern "C" {
#endif

uint32_t sqc_crc32c_portable(uint32_t crc, const void *data, size_t bytes);
bool sqc_crc32c_vectorised(void);

#ifdef __cplusplus
}
#endif

#endif /* SMARTQUANT_CRC32C_H */
