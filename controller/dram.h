/* SPDX-License-Identifier: MIT */
/*
 * Models of the parts behind the controller: DRAM and the CXL link
 *
 * All results are modelled, never measured. Two forms of one model:
 *   - sqc_dram_cost: live, a constant amount of work for each run of lines;
 *     it feeds the counters;
 *   - sqc_dram_simulate: cycle by cycle, on a list of runs (`sqctl model`).
 */
#ifndef SMARTQUANT_DRAM_H
#define SMARTQUANT_DRAM_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum sqc_dram_mapping {
	SQC_DRAM_INTERLEAVED,		/* consecutive lines rotate over bank groups */
	SQC_DRAM_STOCK,			/* consecutive lines stay in one bank's row */
};

/* Parameters of a part, with their sources in dram.c's table. */
struct sqc_dram_parameters;

/* Named sets: "ddr4-3200" (default, NULL), others in table order. NULL if unknown. */
const struct sqc_dram_parameters *sqc_dram_parameters_find(const char *name);

/* `lines` consecutive 64-byte lines from byte address `address`. */
struct sqc_dram_run {
	uint64_t address;
	uint64_t lines;
};

/* Accumulates one request's runs. Plain data; start with sqc_dram_cost_begin(). */
struct sqc_dram_cost {
	const struct sqc_dram_parameters *parameters;
	enum sqc_dram_mapping mapping;
	uint64_t lines;
	uint64_t state[12];		/* the model's own */
};

void sqc_dram_cost_begin(struct sqc_dram_cost *cost,
			 const struct sqc_dram_parameters *parameters,
			 enum sqc_dram_mapping mapping);
/* Constant time. */
void sqc_dram_cost_run(struct sqc_dram_cost *cost, uint64_t address, uint64_t lines);
void sqc_dram_cost_end(const struct sqc_dram_cost *cost, uint64_t *time_ns,
		       uint64_t *energy_pj);

/* Time on the link of one response of `bytes` data bytes: 64-byte data slots
 * in 68-byte or 256-byte flits, lanes and rate from the parameters' table. */
uint64_t sqc_link_time_ns(uint64_t bytes);

struct sqc_dram_report {
	uint64_t reads;
	uint64_t cycles;
	double time_ns;
	uint64_t activates;
	uint64_t refreshes;
	double energy_pj;
	double energy_activate_pj;
	double energy_read_pj;
	double energy_refresh_pj;
	double energy_background_pj;
};

/*
 * Simulates reading the runs in order, all of them available at cycle 0.
 * `completions`, if not NULL, receives the completion cycle of each read (room
 * for the sum of lines). `memory` is scratch of sqc_dram_simulate_bytes().
 * Returns 0, or -1 when an address lies outside the modelled channel.
 */
size_t sqc_dram_simulate_bytes(const struct sqc_dram_parameters *parameters);
int sqc_dram_simulate(const struct sqc_dram_parameters *parameters,
		      enum sqc_dram_mapping mapping,
		      const struct sqc_dram_run *runs, size_t run_count,
		      uint64_t *completions, void *memory,
		      struct sqc_dram_report *report);

#ifdef __cplusplus
}
#endif

#endif /* SMARTQUANT_DRAM_H */
