/* SPDX-License-Identifier: MIT */
#include "kernel.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define HAS(level)	(1u << SQC_LEVEL_##level)

/* Which family has which version. */
static const struct {
	const char *name;
	unsigned int versions;
} families[SQC_KERNEL_FAMILIES] = {
	[SQC_KERNEL_CRC]      = { "crc",      HAS(PORTABLE) | HAS(SSE42) | HAS(AVX512) },
	[SQC_KERNEL_PLANES]   = { "planes",   HAS(PORTABLE) | HAS(AVX2) | HAS(AVX512) },
	[SQC_KERNEL_PACKED]   = { "packed",   HAS(PORTABLE) | HAS(AVX2) },
	[SQC_KERNEL_MULTIPLY] = { "multiply", HAS(PORTABLE) | HAS(AVX2) | HAS(AVX512) },
};

static const char *const level_names[SQC_LEVELS] = {
	[SQC_LEVEL_PORTABLE] = "portable",
	[SQC_LEVEL_SSE42]    = "sse42",
	[SQC_LEVEL_AVX2]     = "avx2",
	[SQC_LEVEL_AVX512]   = "avx512",
};

/* The level in force plus 1; 0 before the first use. */
static _Atomic uint8_t chosen[SQC_KERNEL_FAMILIES];
static _Atomic bool forced[SQC_KERNEL_FAMILIES];

/* The compiler's run-time checks these bits of CPUID, and that the operating
 * system keeps the registers. */
static bool cpu_can(enum sqc_kernel_level level)
{
#ifdef SQC_KERNELS_X86
	switch (level) {
	case SQC_LEVEL_PORTABLE:
		return true;
	case SQC_LEVEL_SSE42:
		return __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("pclmul") &&
		       __builtin_cpu_supports("popcnt");
	case SQC_LEVEL_AVX2:
		return cpu_can(SQC_LEVEL_SSE42) && __builtin_cpu_supports("avx2") &&
		       __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
		       __builtin_cpu_supports("fma");
	case SQC_LEVEL_AVX512:
		return cpu_can(SQC_LEVEL_AVX2) && __builtin_cpu_supports("avx512f") &&
		       __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
		       __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vbmi") &&
		       __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("gfni") &&
		       __builtin_cpu_supports("vpclmulqdq");
	default:
		return false;
	}
#else
	return level == SQC_LEVEL_PORTABLE;
#endif
}

bool sqc_kernel_available(enum sqc_kernel_family family, enum sqc_kernel_level level)
{
	return (unsigned int)family < SQC_KERNEL_FAMILIES && (unsigned int)level < SQC_LEVELS &&
	       (families[family].versions >> level & 1) && cpu_can(level);
}

/* Every family has a portable version, and every CPU can run it. */
static enum sqc_kernel_level best(enum sqc_kernel_family family, enum sqc_kernel_level highest)
{
	enum sqc_kernel_level level = highest;

	while (!sqc_kernel_available(family, level))
		level--;
	return level;
}

enum sqc_kernel_level sqc_kernel(enum sqc_kernel_family family)
{
	uint8_t level = atomic_load_explicit(&chosen[family], memory_order_relaxed);

	if (!level) {
		uint8_t unset = 0;

		/* Somebody may force one at the same moment: that one wins. */
		level = (uint8_t)(best(family, SQC_LEVELS - 1) + 1);
		if (!atomic_compare_exchange_strong(&chosen[family], &unset, level))
			level = unset ? unset : level;
	}
	return (enum sqc_kernel_level)(level - 1);
}

bool sqc_kernel_force(enum sqc_kernel_family family, enum sqc_kernel_level level)
{
	if (!sqc_kernel_available(family, level))
		return false;
	atomic_store(&chosen[family], (uint8_t)(level + 1));
	atomic_store(&forced[family], true);
	return true;
}

bool sqc_kernel_forced(enum sqc_kernel_family family)
{
	return (unsigned int)family < SQC_KERNEL_FAMILIES && atomic_load(&forced[family]);
}

void sqc_kernel_release(void)
{
	for (int family = 0; family < SQC_KERNEL_FAMILIES; family++) {
		atomic_store(&chosen[family], (uint8_t)0);
		atomic_store(&forced[family], false);
	}
}

const char *sqc_kernel_family_name(enum sqc_kernel_family family)
{
	return (unsigned int)family < SQC_KERNEL_FAMILIES ? families[family].name : NULL;
}

const char *sqc_kernel_level_name(enum sqc_kernel_level level)
{
	return (unsigned int)level < SQC_LEVELS ? level_names[level] : NULL;
}

/* ------------------------------------------------------------------ text */

static bool is(const char *text, size_t length, const char *name)
{
	return strlen(name) == length && memcmp(text, name, length) == 0;
}

static enum sqc_kernel_level find_level(const char *text, size_t length)
{
	int level = 0;

	while (level < SQC_LEVELS && !is(text, length, level_names[level]))
		level++;
	return (enum sqc_kernel_level)level;
}

static enum sqc_kernel_family find_family(const char *text, size_t length)
{
	int family = 0;

	while (family < SQC_KERNEL_FAMILIES && !is(text, length, families[family].name))
		family++;
	return (enum sqc_kernel_family)family;
}

/* Adds one item to the levels wanted; SQC_LEVELS of a family: none, yet. */
static bool item_read(const char *item, size_t length,
		      enum sqc_kernel_level wanted[SQC_KERNEL_FAMILIES])
{
	const char *colon = memchr(item, ':', length);
	const char *name = colon ? colon + 1 : item;
	const enum sqc_kernel_level level = find_level(name, (size_t)(item + length - name));
	enum sqc_kernel_family family;

	if (level == SQC_LEVELS || !cpu_can(level))
		return false;
	if (!colon) {
		for (int i = 0; i < SQC_KERNEL_FAMILIES; i++)
			wanted[i] = best((enum sqc_kernel_family)i, level);
		return true;
	}
	family = find_family(item, (size_t)(colon - item));
	if (!sqc_kernel_available(family, level))
		return false;
	wanted[family] = level;
	return true;
}

const char *sqc_kernel_force_list(const char *list)
{
	enum sqc_kernel_level wanted[SQC_KERNEL_FAMILIES];

	for (int i = 0; i < SQC_KERNEL_FAMILIES; i++)
		wanted[i] = SQC_LEVELS;
	for (const char *item = list; *item;) {
		const size_t length = strcspn(item, ",");

		if (!item_read(item, length, wanted))
			return item;
		item += length + (item[length] == ',');
	}
	for (int i = 0; i < SQC_KERNEL_FAMILIES; i++) {
		if (wanted[i] != SQC_LEVELS)
			sqc_kernel_force((enum sqc_kernel_family)i, wanted[i]);
	}
	return NULL;
}
