/* SPDX-License-Identifier: MIT */
/*
 * Floats as bits: the conversions that everything else is made of
 *
 * Small inline functions without branches in the common path, so that loops
 * over them vectorise. None depends on the rounding mode of the CPU other
 * than the default (nearest even), or on subnormal handling of multiply.
 */
#ifndef SMARTQUANT_FLOAT_BITS_H
#define SMARTQUANT_FLOAT_BITS_H

#include <stdint.h>
#include <string.h>

#define SQC_FLOAT_NAN_BITS	0x7fc00000u

static inline uint32_t sqc_float_bits(float value)
{
	uint32_t bits;

	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

static inline float sqc_float_from_bits(uint32_t bits)
{
	float value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

/* 2^exponent, -149 to 127. */
static inline float sqc_exp2(int exponent)
{
	return sqc_float_from_bits(exponent >= -126 ? (uint32_t)(exponent + 127) << 23
						    : 1u << (exponent + 149));
}

/* What the lowest bit of a fixed-point code with so many places is worth
 * under a scale byte of OCP MX: 2^(byte - 127 - places). FFh is NaN (MX v1.0,
 * 5.4.1). `places` is at most 22. */
static inline float sqc_e8m0_to_unit(uint8_t byte, int places)
{
	return byte == 0xff ? sqc_float_from_bits(SQC_FLOAT_NAN_BITS)
			    : sqc_exp2(byte - 127 - places);
}

static inline float sqc_bf16_to_float(uint16_t word)
{
	return sqc_float_from_bits((uint32_t)word << 16);
}

/* Nearest even: the carry out of the cut half makes infinity by itself. */
static inline uint16_t sqc_bf16_from_float(float value)
{
	uint32_t bits = sqc_float_bits(value);
	uint32_t rounded = bits + 0x7fff + ((bits >> 16) & 1);
	uint32_t quiet = bits | 0x00400000;

	return (uint16_t)(((bits & 0x7fffffff) > 0x7f800000 ? quiet : rounded) >> 16);
}

/*
 * A subnormal half is m * 2^-24: put m under a leading one (2^-14 for its
 * lowest bit of 2^-24) and take the one away again.
 */
static inline float sqc_fp16_to_float(uint16_t word)
{
	const uint32_t two_to_minus_14 = 113u << 23;
	uint32_t sign = (uint32_t)(word & 0x8000) << 16;
	uint32_t rest = (uint32_t)(word & 0x7fff) << 13;
	float small = sqc_float_from_bits(two_to_minus_14 | rest) -
		      sqc_float_from_bits(two_to_minus_14);
	uint32_t normal = rest + (112u << 23);
	uint32_t special = rest | 0x7f800000;
	uint32_t absolute = rest < (1u << 23) ? sqc_float_bits(small)
			  : rest < (31u << 23) ? normal : special;

	return sqc_float_from_bits(sign | absolute);
}

/*
 * Nearest even. Below 2^-14 an addition of 2^-1, whose lowest bit is 2^-24,
 * lets the CPU round; above, the cut 13 bits are rounded with integers. From
 * 65520 on the result is infinity.
 */
static inline uint16_t sqc_fp16_from_float(float value)
{
	uint32_t bits = sqc_float_bits(value);
	uint32_t absolute = bits & 0x7fffffff;
	uint32_t sign = (bits >> 16) & 0x8000;
	uint32_t small = sqc_float_bits(sqc_float_from_bits(absolute) + 0.5f) - (126u << 23);
	uint32_t normal = (absolute - (112u << 23) + 0xfff + ((absolute >> 13) & 1)) >> 13;
	uint32_t finite = absolute < (113u << 23) ? small : normal;
	uint32_t nan = 0x7e00 | ((absolute >> 13) & 0x3ff);
	uint32_t special = absolute > 0x7f800000 ? nan : 0x7c00;

	return (uint16_t)(sign | (absolute >= 0x477ff000 ? special : finite));
}

#endif /* SMARTQUANT_FLOAT_BITS_H */
