/* SPDX-License-Identifier: MIT */
/*
 * Groups: aligning values, and turning magnitudes into plane words and back
 *
 * The turn is a transposition of a 32 x 32 bit matrix. It is done by five
 * exchanges, one for each bit of the row number; they commute, so the ones
 * that only move whole zero blocks (planes that nobody asked for) shrink to
 * a copy. Rows below are counted so that row r holds bit r of every
 * magnitude: plane Aj is row 31 - j.
 */
#include <string.h>

#include "group.h"

#define FP32_EXPONENT_NON_FINITE	0xffu

/* Exchanges bit `step` of the row number with that of the bit number. */
static inline void exchange(uint32_t *row, unsigned int rows,
			    unsigned int step, uint32_t low)
{
	for (unsigned int base = 0; base < rows; base += 2 * step) {
		for (unsigned int k = base; k < base + step; k++) {
			uint32_t swap = ((row[k] >> step) ^ row[k + step]) & low;

			row[k + step] ^= swap;
			row[k] ^= swap << step;
		}
	}
}

/* The same, where rows [0, step) are known to be zero. */
static inline void exchange_from_zero(uint32_t *row, unsigned int step, uint32_t low)
{
	for (unsigned int k = 0; k < step; k++) {
		row[k] = (row[k + step] & low) << step;
		row[k + step] &= ~low;
	}
}

/* The same, where rows [0, step) are not wanted. */
static inline void exchange_to_upper(uint32_t *row, unsigned int step, uint32_t low)
{
	for (unsigned int k = 0; k < step; k++)
		row[k + step] = (row[k + step] & ~low) | ((row[k] >> step) & low);
}

static inline void exchange_within_4(uint32_t *row, unsigned int rows)
{
	exchange(row, rows, 1, 0x55555555);
	exchange(row, rows, 2, 0x33333333);
}

static void load_planes(const uint32_t *words, unsigned int planes,
			uint32_t *row, unsigned int first_row)
{
	for (unsigned int j = 0; j < planes; j++)
		row[31 - j] = words[j];
	for (unsigned int r = first_row; r < 32 - planes; r++)
		row[r] = 0;
}

static void from_4_planes(uint32_t *row)
{
	exchange_within_4(row + 28, 4);
	exchange_from_zero(row + 24, 4, 0x0f0f0f0f);
	exchange_from_zero(row + 16, 8, 0x00ff00ff);
	exchange_from_zero(row, 16, 0x0000ffff);
}

static void from_8_planes(uint32_t *row)
{
	exchange_within_4(row + 24, 8);
	exchange(row + 24, 8, 4, 0x0f0f0f0f);
	exchange_from_zero(row + 16, 8, 0x00ff00ff);
	exchange_from_zero(row, 16, 0x0000ffff);
}

static void from_16_planes(uint32_t *row)
{
	exchange_within_4(row + 16, 16);
	exchange(row + 16, 16, 4, 0x0f0f0f0f);
	exchange(row + 16, 16, 8, 0x00ff00ff);
	exchange_from_zero(row, 16, 0x0000ffff);
}

static void transpose(uint32_t *row)
{
	exchange_within_4(row, 32);
	exchange(row, 32, 4, 0x0f0f0f0f);
	exchange(row, 32, 8, 0x00ff00ff);
	exchange(row, 32, 16, 0x0000ffff);
}

void sqc_group_from_planes(const uint32_t *words, unsigned int planes,
			   uint32_t magnitude[32])
{
	if (planes <= 4) {
		load_planes(words, planes, magnitude, 28);
		from_4_planes(magnitude);
	} else if (planes <= 8) {
		load_planes(words, planes, magnitude, 24);
		from_8_planes(magnitude);
	} else if (planes <= 16) {
		load_planes(words, planes, magnitude, 16);
		from_16_planes(magnitude);
	} else {
		load_planes(words, planes, magnitude, 0);
		transpose(magnitude);
	}
}

static void to_16_planes(uint32_t *row)
{
	exchange_to_upper(row, 16, 0x0000ffff);
	exchange(row + 16, 16, 8, 0x00ff00ff);
	exchange(row + 16, 16, 4, 0x0f0f0f0f);
	exchange_within_4(row + 16, 16);
}

void sqc_group_to_planes(const uint32_t magnitude[32], unsigned int planes,
			 uint32_t *words)
{
	uint32_t row[32];

	memcpy(row, magnitude, sizeof(row));
	if (planes <= 16)
		to_16_planes(row);
	else
		transpose(row);
	for (unsigned int j = 0; j < planes; j++)
		words[j] = row[31 - j];
}

/* The largest |value| as bits; bits of positive floats order like the floats. */
static uint32_t largest_bits(const uint32_t bits[32])
{
	uint32_t largest = 0;

	for (unsigned int i = 0; i < 32; i++) {
		uint32_t absolute = bits[i] & 0x7fffffff;

		largest = absolute > largest ? absolute : largest;
	}
	return largest;
}

static uint32_t sign_bits(const uint32_t bits[32])
{
	uint32_t sign = 0;

	for (unsigned int i = 0; i < 32; i++)
		sign |= (bits[i] >> 31) << i;
	return sign;
}

/* Significand with the hidden bit at bit 31. A field of 0 means 2^-126
 * without the hidden bit; in a group of byte 0, where bit 31 is 2^-127, that
 * is one place further left. */
static inline uint32_t significand(uint32_t bits, uint32_t exponent)
{
	uint32_t hidden = bits & 0x7f800000 ? 0x80000000 : 0;

	return ((bits << 8) & 0x7fffff00) << (exponent == 0) | hidden;
}

/* How far an element is below the group; 0 in a group of byte 0. */
static inline uint32_t distance(uint32_t bits, uint32_t exponent)
{
	uint32_t field = (bits >> 23) & 0xff;

	field = field ? field : 1;
	return exponent > field ? exponent - field : 0;
}

void sqc_group_align(const float *values, unsigned int count,
		     unsigned int planes, struct sqc_group *group)
{
	uint32_t kept = planes < 32 ? ~(UINT32_MAX >> planes) : UINT32_MAX;
	uint32_t bits[32] = { 0 };
	uint32_t cut[32];
	uint32_t exponent;

	memcpy(bits, values, count * sizeof(bits[0]));
	exponent = largest_bits(bits) >> 23;
	memset(group, 0, sizeof(*group));
	group->exponent = (uint8_t)exponent;
	if (exponent == FP32_EXPONENT_NON_FINITE)
		return;

	for (unsigned int i = 0; i < 32; i++) {
		uint32_t whole = significand(bits[i], exponent);
		uint32_t shift = distance(bits[i], exponent);
		uint32_t aligned = shift < 32 ? whole >> (shift & 31) & kept : 0;

		/* Shifted back it is the whole again, or something was cut. */
		group->magnitude[i] = aligned;
		cut[i] = aligned << (shift & 31) != whole;
	}
	group->sign = sign_bits(bits);
	for (unsigned int i = 0; i < 32; i++)
		group->sticky |= cut[i] << i;
}
