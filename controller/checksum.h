/* SPDX-License-Identifier: MIT */
/* How CRCs of what is stored are compared, all in one way. */
#ifndef SMARTQUANT_CHECKSUM_H
#define SMARTQUANT_CHECKSUM_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Fuzz targets let every checksum through: a fuzzer does not guess one, and
 * whoever made a hostile file has made its checksums right.
 */
static inline bool sqc_crc_matches(uint32_t computed, uint32_t stored)
{
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
	(void)computed;
	(void)stored;
	return true;
#else
	return computed == stored;
#endif
}

#ifdef __cplusplus
}
#endif

#endif /* SMARTQUANT_CHECKSUM_H */
