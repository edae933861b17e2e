/* SPDX-License-Identifier: MIT */
/*
 * Streaming: writing so much that it would not stay in the caches
 *
 * A usual store reads its line first, and pushes out others that are used
 * again. Streamed stores do neither, where the CPU has them. They become
 * visible to others in no order: sqc_stream_end() comes before anybody is told.
 */
#ifndef SMARTQUANT_STREAM_H
#define SMARTQUANT_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include "controller.h"
#include "kernel.h"

#ifdef SQC_KERNELS_X86
#include <emmintrin.h>
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* The smallest that a page may be. */
#define SQC_STREAM_PAGE			4096u

/* A request that reads and writes so much leaves nothing of it in a cache. */
#define SQC_STREAM_BYTES		(UINT64_C(16) << 20)

/* Has lines on their way into the second cache level, as the first has no room for
 * those of all planes. `from` need not be memory that may be read. */
static inline void sqc_expect(uintptr_t from, uint32_t bytes)
{
	for (uint32_t at = 0; at < bytes; at += SQC_LINE_BYTES)
		__builtin_prefetch((const void *)(from + at), 0, 2);
}

/* Has the pages translated that are streamed to next. A streamed store waits for that,
 * and all behind it wait too; so ask for them a few hundred of stores before. */
static inline void sqc_stream_expect(uintptr_t to, size_t bytes)
{
	/* CPUs drop other hints where the page is not known yet. */
	for (size_t at = 0; at < bytes; at += SQC_STREAM_PAGE)
		__builtin_prefetch((const void *)(to + at), 0, 0);
}

/* Work that takes turns with streaming: so many bytes more were streamed, and are on
 * their way for a while, in which a CPU has time for something else. */
struct sqc_turns {
	void (*take)(void *context, size_t bytes);
	void *context;
};

/* As memcpy(). Whole lines of `to` are streamed, in turns with other work, unless that
 * is NULL. Of the family `planes`. */
void sqc_stream(void *to, const void *from, size_t bytes, const struct sqc_turns *turns);

static inline void sqc_stream_end(void)
{
#ifdef SQC_KERNELS_X86
	_mm_sfence();
#endif
}

#ifdef __cplusplus
}
#endif

#endif /* SMARTQUANT_STREAM_H */
