/* SPDX-License-Identifier: MIT */
/*
 * What both forms of the DRAM model share: where a line lies in the channel,
 * and what an event costs.
 */
#ifndef SMARTQUANT_DRAM_MODEL_H
#define SMARTQUANT_DRAM_MODEL_H

#include "dram.h"

#define SQC_DRAM_LINE_SHIFT	6u	/* a request is 64 bytes */

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

void sqc_dram_layout_make(struct sqc_dram_layout *layout,
			  const struct sqc_dram_parameters *parameters,
			  enum sqc_dram_mapping mapping);
void sqc_dram_energy_make(struct sqc_dram_energy *energy,
			  const struct sqc_dram_parameters *parameters);

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
