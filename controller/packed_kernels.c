/* SPDX-License-Identifier: MIT */
#include "packed_kernels.h"

#include <string.h>

#include "bit_stream.h"
#include "kernel.h"

#define SYMBOLS_MASK	UINT64_C(0x3f3f3f3f3f3f3f3f)

#define INLINE	static inline __attribute__((always_inline))

/* The byte of a position that nobody has checked, or the one behind the last. */
INLINE const uint8_t *within(const uint8_t *stream, size_t bytes, size_t position)
{
	return stream + (position / 8 < bytes ? position / 8 : bytes);
}

/* -------------------------------------------------------------- portable */

/* Bits of eight symbols, moved together. */
INLINE uint64_t join_portable(uint64_t symbols)
{
	symbols = (symbols & 0x003f003f003f003fu) | (symbols & 0x3f003f003f003f00u) >> 2;
	symbols = (symbols & 0x00000fff00000fffu) | (symbols & 0x0fff00000fff0000u) >> 4;
	return (symbols & 0xffffffu) | (symbols & 0x00ffffff00000000u) >> 8;
}

/* The lowest bits, moved apart to where `mask` has ones. */
INLINE uint64_t scatter_portable(uint64_t bits, uint64_t mask)
{
	uint64_t scattered = 0;

	for (; mask != 0; bits >>= 1, mask &= mask - 1)
		scattered |= (mask & -mask) & -(bits & 1);
	return scattered;
}

#define TARGET
#define NAME(x)		x##_portable
#include "packed_template.h"

/* ------------------------------------------------------------------ AVX2 */

#ifdef SQC_KERNELS_X86
#include <immintrin.h>

/* BMI2, which the level has, moves bits together and apart. */
SQC_TARGET_AVX2 INLINE uint64_t join_avx2(uint64_t symbols)
{
	return _pext_u64(symbols, SYMBOLS_MASK);
}

SQC_TARGET_AVX2 INLINE uint64_t scatter_avx2(uint64_t bits, uint64_t mask)
{
	return _pdep_u64(bits, mask);
}

#define TARGET		SQC_TARGET_AVX2
#define NAME(x)		x##_avx2
#include "packed_template.h"
#endif

static const struct sqc_packed_kernels *const versions[SQC_LEVELS] = {
	[SQC_LEVEL_PORTABLE] = &kernel_portable,
#ifdef SQC_KERNELS_X86
	[SQC_LEVEL_AVX2] = &kernel_avx2,
#endif
};

const struct sqc_packed_kernels *sqc_packed_kernel(void)
{
	return versions[sqc_kernel(SQC_KERNEL_PACKED)];
}
