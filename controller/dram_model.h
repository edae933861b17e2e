/* SPDX-License-Identifier: MIT */
/*
 * What both forms of the DRAM model share: the set that the store's requests are
 * modelled with, where a line lies in the channel, and what an event costs.
 *
 * All is inline: what follows from a set that is known when this is compiled is
 * constant, too.
 */
#ifndef SMARTQUANT_DRAM_MODEL_H
#define SMARTQUANT_DRAM_MODEL_H

#include "dram.h"

#define SQC_DRAM_INLINE		static inline __attribute__((always_inline, unused))

#define SQC_DRAM_LINE_SHIFT	6u	/* a request is 64 bytes */

/*
 * CXL 2.0 port, 16 lanes at 32 GT/s, 68-byte flits: 2 bytes of protocol
 * identifier, 4 slots of 16 bytes, 2 bytes of CRC; 128b/130b coding; a header
 * slot carries the headers of two read responses, a line takes four slots.
 * Source: CXL specification 2.0, 4.2 (link layer, flit and slot formats).
 */
#define SQC_DRAM_LINK_CXL2_X16 \
	.link_lanes = 16, .link_rate_mtps = 32000, .link_code_bits = 130, \
	.link_flit_bytes = 68, .link_flit_slots = 4, .link_headers_per_slot = 2

/* Bank queues of 8 behind a window of 32, and a row that has had 4 hits may be
 * closed: the defaults of the simulator that the model was compared with. */
#define SQC_DRAM_CONTROLLER_FR_FCFS \
	.bank_queue = 8, .transaction_queue = 32, .row_hits_max = 4

/* The default set. */
#define SQC_DRAM_DDR4_3200 \
	{ \
		.name = "ddr4-3200", \
		.source = "DRAMsim3 2981759, DDR4_8Gb_x8_3200.ini, 2 ranks " \
			  "(tCK 0.63 ns as in that file); link: CXL 2.0 x16", \
		.ranks = 2, .bank_groups = 4, .banks_per_group = 4, \
		.rows = 65536, .row_bytes = 8192, .devices_per_rank = 8, \
		.tck_ps = 630, .burst_cycles = 4, .cl_cycles = 22, \
		.trcd_cycles = 22, .trp_cycles = 22, .tras_cycles = 52, \
		.trrd_s_cycles = 4, .trrd_l_cycles = 8, .tfaw_cycles = 34, \
		.tccd_s_cycles = 4, .tccd_l_cycles = 8, \
		.trtp_cycles = 12, .trtrs_cycles = 1, \
		.trfc_cycles = 560, .trefi_cycles = 12480, \
		.vdd_mv = 1200, .idd0_ua = 57000, .idd2n_ua = 37000, \
		.idd3n_ua = 52000, .idd3n_one_bank_ua = 52000, \
		.idd4r_ua = 168000, .idd5_ua = 250000, \
		SQC_DRAM_CONTROLLER_FR_FCFS, SQC_DRAM_LINK_CXL2_X16, \
	}

/* Where the fields of a line number lie. */
struct sqc_dram_layout {
	uint8_t column_bits;		/* lines of a row */
	uint8_t group_bits;
	uint8_t bank_bits;		/* within a group */
	uint8_t rank_bits;
	uint8_t row_bits;
	uint8_t column_shift;
	uint8_t group_shift;		/* bank, rank and row follow above both */
};

struct sqc_dram_place {
	uint32_t rank;
	uint32_t group;			/* within the rank */
	uint32_t bank;			/* within the channel: rank, group, bank */
	uint32_t row;
};

/* Energy of one event, in femtojoule. */
struct sqc_dram_energy {
	uint64_t activate;		/* activate and precharge of one row */
	uint64_t read;			/* one 64-byte burst */
	uint64_t refresh;		/* of one rank */
	uint64_t active_cycle;		/* background of a rank with an open row */
	uint64_t idle_cycle;		/* background of a rank without */
};

/* Of a power of two. */
SQC_DRAM_INLINE uint8_t sqc_dram_log2(uint32_t power)
{
	return (uint8_t)__builtin_ctz(power);
}

SQC_DRAM_INLINE struct sqc_dram_layout sqc_dram_layout_of(const struct sqc_dram_parameters *p,
							  enum sqc_dram_mapping mapping)
{
	const uint8_t column_bits = (uint8_t)(sqc_dram_log2(p->row_bytes) - SQC_DRAM_LINE_SHIFT);
	const uint8_t group_bits = sqc_dram_log2(p->bank_groups);

	return (struct sqc_dram_layout){
		.column_bits = column_bits,
		.group_bits = group_bits,
		.bank_bits = sqc_dram_log2(p->banks_per_group),
		.rank_bits = sqc_dram_log2(p->ranks),
		.row_bits = sqc_dram_log2(p->rows),
		.column_shift = mapping == SQC_DRAM_STOCK ? 0 : group_bits,
		.group_shift = mapping == SQC_DRAM_STOCK ? column_bits : 0,
	};
}

/* In units of 1e-21 joule per picosecond of cycle: mV * uA * cycles. */
SQC_DRAM_INLINE int64_t sqc_dram_activate_charge(const struct sqc_dram_parameters *p)
{
	int64_t on = (int64_t)p->idd0_ua * (p->tras_cycles + p->trp_cycles);
	int64_t standby = (int64_t)p->idd3n_one_bank_ua * p->tras_cycles +
			  (int64_t)p->idd2n_ua * p->trp_cycles;

	return on - standby;
}

/* mV * ps * devices: times uA and cycles this is 1e-21 J, a millionth of a
 * femtojoule. Below 5000 * 10000 * 32; currents times cycles stay below
 * 2e6 * 8192, so the products fit in 64 bits. */
SQC_DRAM_INLINE struct sqc_dram_energy sqc_dram_energy_of(const struct sqc_dram_parameters *p)
{
	const uint64_t scale = (uint64_t)p->vdd_mv * p->tck_ps * p->devices_per_rank;
	const int64_t activate = sqc_dram_activate_charge(p);
	const uint64_t read = p->idd4r_ua > p->idd3n_ua ? p->idd4r_ua - p->idd3n_ua : 0;
	const uint64_t refresh = p->idd5_ua > p->idd3n_ua ? p->idd5_ua - p->idd3n_ua : 0;

	return (struct sqc_dram_energy){
		.activate = scale * (activate > 0 ? (uint64_t)activate : 0) / 1000000u,
		.read = scale * read * p->burst_cycles / 1000000u,
		.refresh = scale * refresh / 1000000u * p->trfc_cycles,
		.active_cycle = scale * p->idd3n_ua / 1000000u,
		.idle_cycle = scale * p->idd2n_ua / 1000000u,
	};
}

static inline uint32_t sqc_dram_field(uint64_t line, uint32_t shift, uint32_t bits)
{
	return (uint32_t)(line >> shift) & ((1u << bits) - 1u);
}

static inline struct sqc_dram_place
sqc_dram_place_of(const struct sqc_dram_layout *layout, uint64_t line)
{
	uint32_t bank_shift = (uint32_t)layout->column_bits + layout->group_bits;
	uint32_t rank_shift = bank_shift + layout->bank_bits;
	uint32_t bank = sqc_dram_field(line, bank_shift, layout->bank_bits);
	struct sqc_dram_place place;

	place.rank = sqc_dram_field(line, rank_shift, layout->rank_bits);
	place.group = sqc_dram_field(line, layout->group_shift, layout->group_bits);
	place.row = sqc_dram_field(line, rank_shift + layout->rank_bits, layout->row_bits);
	place.bank = (((place.rank << layout->group_bits) | place.group)
		      << layout->bank_bits) | bank;
	return place;
}

#endif /* SMARTQUANT_DRAM_MODEL_H */
