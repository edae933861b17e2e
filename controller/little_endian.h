/* SPDX-License-Identifier: MIT */
/*
 * Little-endian numbers at any alignment. Compilers turn each into one load
 * or store where the CPU is little-endian.
 */
#ifndef SMARTQUANT_LITTLE_ENDIAN_H
#define SMARTQUANT_LITTLE_ENDIAN_H

#include <stdint.h>

static inline uint16_t sqc_le16(const uint8_t *from)
{
	return (uint16_t)(from[0] | from[1] << 8);
}

static inline uint32_t sqc_le32(const uint8_t *from)
{
	return (uint32_t)from[0] | (uint32_t)from[1] << 8 |
	       (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24;
}

static inline uint64_t sqc_le64(const uint8_t *from)
{
	return sqc_le32(from) | (uint64_t)sqc_le32(from + 4) << 32;
}

static inline void sqc_put_le16(uint8_t *to, uint16_t value)
{
	to[0] = (uint8_t)value;
	to[1] = (uint8_t)(value >> 8);
}

static inline void sqc_put_le32(uint8_t *to, uint32_t value)
{
	sqc_put_le16(to, (uint16_t)value);
	sqc_put_le16(to + 2, (uint16_t)(value >> 16));
}

static inline void sqc_put_le64(uint8_t *to, uint64_t value)
{
	sqc_put_le32(to, (uint32_t)value);
	sqc_put_le32(to + 4, (uint32_t)(value >> 32));
}

#endif /* SMARTQUANT_LITTLE_ENDIAN_H */
