/* SPDX-License-Identifier: MIT */
/* How CRCs of what is stored are made with a copy, and compared, all in one way. */
#ifndef SMARTQUANT_CHECKSUM_H
#define SMARTQUANT_CHECKSUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Pieces of several runs that go there from where they were made, `step` bytes
 * apart. crc[i] has the CRC of run i up to there, and gets that of its piece too.
 */
struct sqc_run_pieces {
	const uint8_t *from;
	size_t step;
	size_t bytes;			/* of each piece */
	unsigned int count;
	uint8_t *const *run;
	size_t offset;			/* of the piece in its run */
	uint32_t *crc;
	bool streaming;			/* around the caches (stream.h) */
};

/* The copy and the CRCs of pieces, in one pass. [shared] */
void sqc_crc32c_runs(const struct sqc_run_pieces *pieces);

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
