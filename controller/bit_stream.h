/* SPDX-License-Identifier: MIT */
/* Streams of bits, least significant first, as the runs of coding packed hold
 * them. The memory is readable (writable) for 16 bytes from any byte of one. */
#ifndef SMARTQUANT_BIT_STREAM_H
#define SMARTQUANT_BIT_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline size_t sqc_stream_bytes(size_t bits)
{
	return (bits + 7) / 8;
}

/* The 64 bits at `position`. */
static inline uint64_t sqc_peek_bits(const uint8_t *bytes, size_t position)
{
	const unsigned int shift = position & 7;
	uint64_t low;

	memcpy(&low, bytes + (position >> 3), 8);
	low >>= shift;
	/* Shifting twice keeps the count below 64 when shift is 0. */
	return low | (uint64_t)bytes[(position >> 3) + 8] << 1 << (63 - shift);
}

/* Adds bits at `position`, behind which the stream is zero. */
static inline void sqc_poke_bits(uint8_t *bytes, size_t position, uint64_t value)
{
	const unsigned int shift = position & 7;
	uint64_t low;

	memcpy(&low, bytes + (position >> 3), 8);
	low |= value << shift;
	memcpy(bytes + (position >> 3), &low, 8);
	bytes[(position >> 3) + 8] = (uint8_t)(value >> 1 >> (63 - shift));
}

/* Bits behind the last one of a stream are zero, or somebody made them up. */
static inline bool sqc_padding_is_zero(const uint8_t *stream, size_t bits)
{
	return bits % 8 == 0 || stream[bits / 8] >> (bits % 8) == 0;
}

#endif /* SMARTQUANT_BIT_STREAM_H */
