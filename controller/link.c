/* SPDX-License-Identifier: MIT */
/*
 * Model of the CXL link: the time that read data occupies it, device to host.
 *
 * A 64-byte line takes four 16-byte slots; the header of its response takes a
 * share of a slot more. Flits are always sent whole. Latency of ports and
 * retimers, credits and retries are not part of it: it is the bandwidth term.
 */
#include "dram_model.h"

#define LINE_BYTES		64u
#define SLOTS_PER_LINE		4u
#define FS_PER_NS		1000000u

/* Femtoseconds of one flit: bits on the wire over bits per nanosecond. */
SQC_DRAM_INLINE uint64_t flit_fs(const struct sqc_dram_parameters *p)
{
	uint64_t wire_bits_128th = (uint64_t)p->link_flit_bytes * 8 * p->link_code_bits;
	uint64_t bits_per_us = (uint64_t)p->link_lanes * p->link_rate_mtps;

	return wire_bits_128th * 1000000000u / 128u / bits_per_us;
}

SQC_DRAM_INLINE uint64_t divide_up(uint64_t value, uint64_t by)
{
	return value / by + (value % by != 0);
}

SQC_DRAM_INLINE uint64_t time_ns(const struct sqc_dram_parameters *p, uint64_t bytes)
{
	uint64_t lines = divide_up(bytes, LINE_BYTES);
	uint64_t slots = lines * SLOTS_PER_LINE + divide_up(lines, p->link_headers_per_slot);
	uint64_t flits = divide_up(slots, p->link_flit_slots);
	uint64_t fs = flit_fs(p);
	uint64_t whole = flits / FS_PER_NS;
	uint64_t rest = flits % FS_PER_NS;

	if (whole > (UINT64_MAX - fs) / fs)
		return UINT64_MAX;
	return whole * fs + divide_up(rest * fs, FS_PER_NS);
}

/* Each read asks for the default set: its divisions are by constants. */
uint64_t sqc_link_time_ns(const struct sqc_dram_parameters *parameters, uint64_t bytes)
{
	static const struct sqc_dram_parameters usual = SQC_DRAM_DDR4_3200;

	return parameters == NULL ? time_ns(&usual, bytes) : time_ns(parameters, bytes);
}
