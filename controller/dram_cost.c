/* SPDX-License-Identifier: MIT */
/*
 * The live form of the DRAM model: a bandwidth term and a row term for each
 * run, one latency for the request, refresh and background as shares of time.
 */
#include "dram_model.h"

enum {
	STATE_CYCLES,			/* of the data bus */
	STATE_ACTIVATES,
};

void sqc_dram_cost_begin(struct sqc_dram_cost *cost,
			 const struct sqc_dram_parameters *parameters,
			 enum sqc_dram_mapping mapping)
{
	*cost = (struct sqc_dram_cost){ .mapping = mapping };
	cost->parameters = parameters != NULL ? parameters : sqc_dram_parameters_find(NULL);
}

void sqc_dram_cost_run(struct sqc_dram_cost *cost, uint64_t address, uint64_t lines)
{
	const struct sqc_dram_parameters *p = cost->parameters;
	uint64_t row_lines = p->row_bytes >> SQC_DRAM_LINE_SHIFT;
	uint64_t first = address >> SQC_DRAM_LINE_SHIFT;
	uint64_t last = first + lines - 1;
	uint64_t rows;

	if (lines == 0)
		return;
	if (cost->mapping == SQC_DRAM_STOCK) {
		rows = last / row_lines - first / row_lines + 1;
		cost->state[STATE_CYCLES] += lines * (p->tccd_s_cycles + p->tccd_l_cycles) / 2;
	} else {
		rows = (last / (row_lines * p->bank_groups) -
			first / (row_lines * p->bank_groups) + 1) *
		       (lines < p->bank_groups ? lines : p->bank_groups);
		cost->state[STATE_CYCLES] += lines * p->tccd_s_cycles;
	}
	cost->state[STATE_ACTIVATES] += rows;
	cost->lines += lines;
}

void sqc_dram_cost_end(const struct sqc_dram_cost *cost, uint64_t *time_ns,
		       uint64_t *energy_pj)
{
	const struct sqc_dram_parameters *p = cost->parameters;
	struct sqc_dram_energy energy;
	uint64_t cycles = 0, refreshes, fj;

	sqc_dram_energy_make(&energy, p);
	if (cost->lines != 0)
		cycles = cost->state[STATE_CYCLES] + p->trcd_cycles + p->cl_cycles + p->burst_cycles;
	refreshes = cycles * p->ranks / p->trefi_cycles;
	cycles += refreshes * p->trfc_cycles / 2;
	fj = cost->state[STATE_ACTIVATES] * energy.activate + cost->lines * energy.read +
	     refreshes * energy.refresh + cycles * p->ranks * energy.active_cycle;
	*time_ns = cycles * p->tck_ps / 1000u;
	*energy_pj = fj / 1000u;
}
