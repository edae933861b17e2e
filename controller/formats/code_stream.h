/* SPDX-License-Identifier: MIT */
/*
 * Streams of n-bit codes (formats.md, "Output order of an mx format")
 *
 * Element i occupies bits i*n .. i*n+n-1 of a row, least significant bit
 * first, the row padded to a byte. Eight codes fill n whole bytes, so they
 * are packed and unpacked eight at a time: byte lanes are squeezed together
 * pairwise, in three steps.
 */
#ifndef SMARTQUANT_CODE_STREAM_H
#define SMARTQUANT_CODE_STREAM_H

#include <stdint.h>
#include <string.h>

#include "little_endian.h"

/* Eight codes of n bits in the bytes of `lanes`, to 8n bits. */
static inline uint64_t sqc_squeeze(uint64_t lanes, unsigned int n)
{
	unsigned int gap = 8 - n;

	lanes = (lanes & UINT64_C(0x00ff00ff00ff00ff)) |
		((lanes & UINT64_C(0xff00ff00ff00ff00)) >> gap);
	lanes = (lanes & UINT64_C(0x0000ffff0000ffff)) |
		((lanes & UINT64_C(0xffff0000ffff0000)) >> (2 * gap));
	return (lanes & UINT64_C(0x00000000ffffffff)) |
	       ((lanes & UINT64_C(0xffffffff00000000)) >> (4 * gap));
}

static inline uint64_t sqc_low_bits(unsigned int bits)
{
	return (UINT64_C(1) << bits) - 1;
}

/* The way back. */
static inline uint64_t sqc_spread(uint64_t bits, unsigned int n)
{
	unsigned int gap = 8 - n;
	uint64_t low4 = sqc_low_bits(4 * n);
	uint64_t low2 = sqc_low_bits(2 * n) * UINT64_C(0x0000000100000001);
	uint64_t low1 = sqc_low_bits(n) * UINT64_C(0x0001000100010001);

	bits = (bits & low4) | ((bits & ~low4) << (4 * gap));
	bits = (bits & low2) | ((bits & (low2 << (2 * n))) << (2 * gap));
	return (bits & low1) | ((bits & (low1 << n)) << gap);
}

/* A code of n bits as a number. */
static inline int sqc_sign_extend(uint8_t code, unsigned int n)
{
	return (int8_t)(uint8_t)(code << (8 - n)) >> (8 - n);
}

/* Packs `count` codes (bytes with the upper 8 - n bits clear) to `out`, which
 * is at a code whose number is a multiple of 8. Up to 7 bytes behind the
 * codes are read. */
static inline void sqc_pack_codes(uint8_t *out, const uint8_t *codes,
				  unsigned int count, unsigned int n)
{
	uint8_t last[8];
	uint64_t lanes;

	if (n == 8) {
		memcpy(out, codes, count);
		return;
	}
	for (; count >= 8; count -= 8, codes += 8, out += n) {
		uint8_t packed[8];

		sqc_put_le64(packed, sqc_squeeze(sqc_le64(codes), n));
		memcpy(out, packed, n);
	}
	if (!count)
		return;
	lanes = sqc_le64(codes) & (UINT64_MAX >> (64 - 8 * count));
	sqc_put_le64(last, sqc_squeeze(lanes, n));
	memcpy(out, last, (count * n + 7) / 8);
}

/* Unpacks `count` codes. Up to 7 bytes behind the codes are written. */
static inline void sqc_unpack_codes(const uint8_t *in, uint8_t *codes,
				    unsigned int count, unsigned int n)
{
	if (n == 8) {
		memcpy(codes, in, count);
		return;
	}
	for (unsigned int i = 0; i < count; i += 8, in += n) {
		unsigned int left = count - i < 8 ? count - i : 8;
		uint8_t packed[8] = { 0 };

		memcpy(packed, in, (left * n + 7) / 8);
		sqc_put_le64(codes + i, sqc_spread(sqc_le64(packed), n));
	}
}

#endif /* SMARTQUANT_CODE_STREAM_H */
