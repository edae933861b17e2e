/* SPDX-License-Identifier: MIT */
/*
 * Kernels: which version of a vector kernel runs
 *
 * A kernel family is a job that has several versions, all bit-equal. A level
 * is a set of CPU features that a version may use; kernel.c has the table of
 * both. A family keeps a table of functions by level and runs
 * functions[sqc_kernel(FAMILY)]: the highest level that the family has and the
 * CPU can run, unless another one is forced. Versions are functions with the
 * level's target attribute below, never files with compiler flags of their own.
 */
#ifndef SMARTQUANT_KERNEL_H
#define SMARTQUANT_KERNEL_H

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

enum sqc_kernel_family {
	SQC_KERNEL_CRC,			/* checksums: crc32c.c */
	SQC_KERNEL_PLANES,		/* words to planes and back */
	SQC_KERNEL_PACKED,		/* coding packed: packed.c */
	SQC_KERNEL_MULTIPLY,		/* products straight from planes */
	SQC_KERNEL_FAMILIES
};

enum sqc_kernel_level {
	SQC_LEVEL_PORTABLE,
	SQC_LEVEL_SSE42,
	SQC_LEVEL_AVX2,
	SQC_LEVEL_AVX512,
	SQC_LEVELS
};

/* What a version of a level may use; kernel.c checks the same features. Code
 * that is not portable stands between #ifdef SQC_KERNELS_X86 and #endif. */
#if defined(__x86_64__)
#define SQC_KERNELS_X86		1
#define SQC_TARGET_SSE42	__attribute__((target("sse4.2,pclmul,popcnt")))
#define SQC_TARGET_AVX2		__attribute__((target("sse4.2,pclmul,popcnt,avx2,bmi,bmi2,fma")))
#define SQC_TARGET_AVX512	__attribute__((target("sse4.2,pclmul,popcnt,avx2,bmi,bmi2,fma," \
						      "avx512f,avx512bw,avx512dq,avx512vl,"	\
						      "avx512vbmi,avx512vnni,gfni,vpclmulqdq")))
#endif

/* The version that a family runs now. One load after the first call. [shared] */
enum sqc_kernel_level sqc_kernel(enum sqc_kernel_family family);

/* True when a family has a version of this level and the CPU can run it. [shared] */
bool sqc_kernel_available(enum sqc_kernel_family family, enum sqc_kernel_level level);

/*
 * Runs a family at this level from now on, in the whole process; calls in
 * progress may end as they began. False, with nothing changed, when that
 * version is not available. [shared]
 */
bool sqc_kernel_force(enum sqc_kernel_family family, enum sqc_kernel_level level);

/* True when the version that a family runs was forced, be it the best one. [shared] */
bool sqc_kernel_forced(enum sqc_kernel_family family);

/*
 * Forces versions by a text, for an environment variable: a list of FAMILY:LEVEL or
 * LEVEL, separated by commas. A LEVEL alone gives every family its highest
 * version up to that level. Returns NULL, or the position in `list` of the
 * first item that names no version available here; then nothing changed.
 */
const char *sqc_kernel_force_list(const char *list);

/* Back to the choice by the CPU, for all families. */
void sqc_kernel_release(void);

/* Names as in the list above; NULL for numbers out of range. [shared] */
const char *sqc_kernel_family_name(enum sqc_kernel_family family);
const char *sqc_kernel_level_name(enum sqc_kernel_level level);

#ifdef __cplusplus
}
#endif

#endif /* SMARTQUANT_KERNEL_H */
