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

#include <stdint.h>
#include <string.h>

#include "controller.h"
#include "kernel.h"

#ifdef SQC_KERNELS_X86
#include <emmintrin.h>
#endif

/* A request that reads and writes so much leaves nothing of it in a cache. */
#define SQC_STREAM_BYTES		(UINT64_C(16) << 20)

/* Has lines on their way into the second cache level, as the first has no room for
 * those of all planes. `from` need not be memory that may be read. */
static inline void sqc_expect(uintptr_t from, uint32_t bytes)
{
	for (uint32_t at = 0; at < bytes; at += SQC_LINE_BYTES)
		__builtin_prefetch((const void *)(from + at), 0, 2);
}

/* As memcpy(). Whole lines of `to` are streamed. */
static inline void sqc_stream(void *to, const void *from, size_t bytes)
{
	uint8_t *out = to;
	const uint8_t *in = from;
	size_t at = 0;

#ifdef SQC_KERNELS_X86
	const size_t head = -(uintptr_t)to % SQC_LINE_BYTES;

	if (bytes >= head + SQC_LINE_BYTES) {
		memcpy(out, in, head);
		for (at = head; bytes - at >= SQC_LINE_BYTES; at += SQC_LINE_BYTES) {
			for (unsigned int i = 0; i < SQC_LINE_BYTES; i += 16)
				_mm_stream_si128((__m128i *)(void *)(out + at + i),
						 _mm_loadu_si128((const __m128i *)(const void *)(in + at + i)));
		}
	}
#endif
	memcpy(out + at, in + at, bytes - at);
}

static inline void sqc_stream_end(void)
{
#ifdef SQC_KERNELS_X86
	_mm_sfence();
#endif
}

#endif /* SMARTQUANT_STREAM_H */
