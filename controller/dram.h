/* SPDX-License-Identifier: MIT */
/*
 * Models of the parts behind the controller: DRAM and the CXL link
 *
 * All results are modelled, never measured. Two forms of one model:
 *   - sqc_dram_cost: live, a constant amount of work for each run of lines;
 *     it feeds the counters;
 *   - sqc_dram_simulate: cycle by cycle, on a list of runs (`sqctl model`).
 * docs/dram-model.md describes the rules, the figures and the limits.
 *
 * No function here allocates, blocks or keeps state between calls; all are
 * safe to call from several threads on different objects.
 */
#ifndef SMARTQUANT_DRAM_H
#define SMARTQUANT_DRAM_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ----------------------------------------------------------- parameters */

enum sqc_dram_mapping {
	SQC_DRAM_INTERLEAVED,		/* consecutive lines rotate over bank groups */
	SQC_DRAM_STOCK,			/* consecutive lines stay in one bank's row */
};

/*
 * One channel of DRAM, its controller, and the link in front of it. A request
 * is 64 bytes. Times are in clock cycles of tck_ps, as JEDEC names them.
 * Every member but the first two is a parameter that a user can set by its
 * name; dram_parameters.c holds ranges, the named sets and their sources.
 */
struct sqc_dram_parameters {
	const char *name;
	const char *source;

	/* structure: powers of two, at most SQC_DRAM_BANKS_MAX banks in all */
	uint32_t ranks;
	uint32_t bank_groups;
	uint32_t banks_per_group;
	uint32_t rows;			/* of a bank */
	uint32_t row_bytes;		/* of all devices of a rank together */
	uint32_t devices_per_rank;

	/* timing */
	uint32_t tck_ps;
	uint32_t burst_cycles;		/* the data bus is busy for a request */
	uint32_t cl_cycles;
	uint32_t trcd_cycles;
	uint32_t trp_cycles;
	uint32_t tras_cycles;
	uint32_t trrd_s_cycles;
	uint32_t trrd_l_cycles;
	uint32_t tfaw_cycles;
	uint32_t tccd_s_cycles;
	uint32_t tccd_l_cycles;
	uint32_t trtp_cycles;
	uint32_t trtrs_cycles;
	uint32_t trfc_cycles;
	uint32_t trefi_cycles;

	/* power: supply, and currents of one device */
	uint32_t vdd_mv;
	uint32_t idd0_ua;
	uint32_t idd2n_ua;
	uint32_t idd3n_ua;
	uint32_t idd3n_one_bank_ua;	/* what IDD0 holds beside the activate */
	uint32_t idd4r_ua;
	uint32_t idd5_ua;		/* all-bank refresh */

	/* memory controller */
	uint32_t bank_queue;		/* commands a bank queue holds */
	uint32_t transaction_queue;	/* requests that wait before the bank queues */
	uint32_t row_hits_max;		/* hits after which a waiting miss may close the row */

	/* link, device to host: slots of 16 bytes in flits */
	uint32_t link_lanes;
	uint32_t link_rate_mtps;	/* of one lane */
	uint32_t link_code_bits;	/* 128 bits travel as this many */
	uint32_t link_flit_bytes;
	uint32_t link_flit_slots;
	uint32_t link_headers_per_slot;	/* responses whose headers share a slot */
};

#define SQC_DRAM_BANKS_MAX		64u
#define SQC_DRAM_BANK_QUEUE_MAX		16u
#define SQC_DRAM_TRANSACTION_QUEUE_MAX	64u

/* Named sets: "ddr4-3200" (default, NULL), others in table order. NULL if unknown. */
const struct sqc_dram_parameters *sqc_dram_parameters_find(const char *name);
/* The set at an index from 0; NULL past the last one. */
const struct sqc_dram_parameters *sqc_dram_parameters_at(size_t index);

/* A set of one's own starts as a copy of a named one (NULL: the default). */
void sqc_dram_parameters_copy(struct sqc_dram_parameters *parameters,
			      const struct sqc_dram_parameters *from);
/*
 * NULL when the parameters make sense together (each range was checked when
 * it was set), else a constant sentence that says what is wrong.
 */
const char *sqc_dram_parameters_check(const struct sqc_dram_parameters *parameters);

/* What can be set. */
struct sqc_dram_parameter {
	const char *name;		/* the member's, with its unit */
	const char *text;		/* one phrase of description */
	uint32_t min;
	uint32_t max;
	uint8_t power_of_two;		/* nonzero: only those are allowed */
	uint16_t offset;		/* in struct sqc_dram_parameters */
};

/* The parameter at an index from 0, in the struct's order; NULL past the last. */
const struct sqc_dram_parameter *sqc_dram_parameter_at(size_t index);
/* NULL if no parameter has this name. */
const struct sqc_dram_parameter *sqc_dram_parameter_find(const char *name);
uint32_t sqc_dram_parameter_get(const struct sqc_dram_parameters *parameters,
				const struct sqc_dram_parameter *parameter);

enum sqc_dram_parameter_error {
	SQC_DRAM_PARAMETER_OK = 0,
	SQC_DRAM_PARAMETER_UNKNOWN,	/* no parameter has this name */
	SQC_DRAM_PARAMETER_RANGE,	/* below min or above max */
	SQC_DRAM_PARAMETER_NOT_POWER,	/* must be a power of two */
};

/* On an error nothing changes. */
enum sqc_dram_parameter_error
sqc_dram_parameter_set(struct sqc_dram_parameters *parameters, const char *name,
		       uint64_t value);

/* Bytes that the modelled channel holds. */
uint64_t sqc_dram_bytes(const struct sqc_dram_parameters *parameters);

/* ------------------------------------------------------------ live form */

/* `lines` consecutive 64-byte lines from byte address `address`, whose low
 * six bits do not matter. */
struct sqc_dram_run {
	uint64_t address;
	uint64_t lines;
};

#define SQC_DRAM_RANKS_MAX		8u
#define SQC_DRAM_HISTORY		8u
#define SQC_DRAM_ACTIVATE_WINDOW	4u	/* activates that tFAW counts */

/*
 * What the live form makes of a set of parameters before the first run. A row
 * set is what one run of lines opens: the same row in the same bank of all bank
 * groups (interleaved mapping), or one row of one bank (stock).
 */
struct sqc_dram_plan {
	const struct sqc_dram_parameters *parameters;
	uint64_t slice_mask;		/* so many banks in a row set, as bits, */
	uint32_t slices;		/* and as a number; */
	uint32_t set_lines;		/* its lines; */
	uint32_t set_queue;		/* commands that its bank queues take */
	uint32_t burst;			/* cycles of a line on the bus, */
	uint32_t full_rate;		/* when all banks of a set take part, */
	uint32_t turn;			/* and those lost when the rank changes */
	uint32_t refresh_interval;	/* from one rank to the next */
	uint32_t opening;		/* first activate of a set to its lines flowing */
	uint32_t group_mask;
	uint32_t set_mask;
	uint8_t group_shift;		/* in a line number */
	uint8_t set_shift;
	uint8_t row_shift;
	uint8_t group_bits;
	uint8_t bank_bits;		/* within a group */
	uint8_t slice_bits;
};

/*
 * Accumulates one request's runs. Plain data, about 9 KiB, of which a short
 * request touches some hundred bytes; start with sqc_dram_cost_begin(). All but
 * `lines` and `activates` is the model's own. Times are cycles since the request
 * began. Banks are numbered by rank, bank, bank group. What every run touches
 * lies in whole cache lines.
 */
#define SQC_DRAM_ALIGNED __attribute__((aligned(64)))

struct sqc_dram_cost {
	struct {
		uint64_t line;		/* not played yet */
		uint64_t lines;
	} pending;
	uint64_t lines;
	uint64_t activates;		/* complete after sqc_dram_cost_end() */
	uint64_t refreshes;
	uint64_t idle_cycles;		/* of ranks with all banks closed */
	uint64_t late_read;		/* the latest that other ranks held up */
	uint64_t skipped_cycles;	/* of long runs, counted and not played */

	struct {
		uint64_t free;		/* it has room from here on, */
		uint64_t gap_begin;	/* and in the gap before, where it stood still; */
		uint64_t gap_end;
		uint64_t gap_lines;	/* so many lines can come forward for it */
		uint32_t rank;		/* of the last piece */
		uint32_t crowd;		/* number of the stretch without a gap */
	} bus;
	struct {
		uint64_t played;	/* lines up to now, without the skipped ones */
		uint64_t waited;	/* of these, lines that waited for a bank queue */
		uint32_t set;		/* whose queues are in use, */
		uint32_t room;		/* and the lines that they still take */
	} queues;

	struct {
		uint64_t line;		/* of the last piece, */
		uint64_t lines;		/* and so many can follow in its row set */
	} follow;
	/* masks of what the arrays hold */
	struct {
		uint64_t groups_used;
		uint64_t banks_open;
		uint64_t sets_open;	/* all banks of it, in the set's row */
		uint64_t sets_used;
		uint64_t sets_even;	/* open, and its banks are not in `banks` */
	} mask;
	uint64_t refresh_next;
	uint32_t refresh_rank;
	uint32_t moved_next;		/* in `moved` */
	uint64_t usual;			/* the plan is that of a store's requests */

	struct sqc_dram_cost_rank {
		uint64_t activate_from;
		uint64_t closed_since;	/* all banks, or UINT64_MAX */
		uint64_t last_opened;	/* latest activate */
		uint64_t last_used;	/* latest read */
		/* when the last activates leave tFAW, oldest first */
		uint64_t window[SQC_DRAM_ACTIVATE_WINDOW];
	} SQC_DRAM_ALIGNED ranks[SQC_DRAM_RANKS_MAX];
	struct sqc_dram_cost_set {
		uint64_t row;
		uint64_t ready;		/* lines can flow from here on */
		uint64_t used;		/* last read */
		uint64_t opened;	/* its banks, beginning in the first group, */
		uint32_t spacing;	/* one every so many cycles */
		uint32_t first_group;
	} SQC_DRAM_ALIGNED sets[SQC_DRAM_BANKS_MAX];
	struct sqc_dram_cost_busy {	/* of a rank */
		uint64_t until;		/* its bank groups have reads till then, */
		uint64_t crowded_until;	/* more than one group till then */
		uint32_t group;
		uint32_t last_opened;	/* group of the latest activate */
	} busy[SQC_DRAM_RANKS_MAX];
	struct sqc_dram_cost_group {
		uint64_t free;		/* next read */
		uint32_t crowd;		/* in that stretch */
		uint32_t lines;		/* so many more than the other groups */
	} groups[SQC_DRAM_BANKS_MAX];
	struct sqc_dram_cost_bank {
		uint64_t row;
		uint64_t opened;
		uint64_t used;		/* last read that is not its set's */
	} banks[SQC_DRAM_BANKS_MAX];
	struct sqc_dram_cost_moved {
		uint64_t first;		/* number of the first of them in a piece, */
		uint64_t time;		/* when it moved on, */
		uint64_t rate;		/* and cycles to the next one */
	} moved[SQC_DRAM_HISTORY];	/* a ring; written before it is read */
	struct sqc_dram_plan plan;
} SQC_DRAM_ALIGNED;

/*
 * `parameters` NULL: the default set, for which runs cost least; they must
 * outlive the cost, and have passed sqc_dram_parameters_check(). A request is
 * modelled as if it had the channel to itself, all rows closed, the first
 * refresh a whole interval away.
 */
void sqc_dram_cost_begin(struct sqc_dram_cost *cost,
			 const struct sqc_dram_parameters *parameters,
			 enum sqc_dram_mapping mapping);
/*
 * Runs in the order in which they are read; handed over in one call or in
 * several, they come to the same. Constant time for each, some nanoseconds to
 * some tens: least for a run that begins where the one before ended, or that
 * lies in the same rows, as the planes of a segment do.
 * Addresses outside the channel wrap around. Of a run that is longer than
 * 128 rows the rest is extrapolated.
 */
void sqc_dram_cost_runs(struct sqc_dram_cost *cost, const struct sqc_dram_run *runs,
			size_t count);
/* Saturates at UINT64_MAX. May be called again, and after more runs. */
void sqc_dram_cost_end(struct sqc_dram_cost *cost, uint64_t *time_ns,
		       uint64_t *energy_pj);

/* ----------------------------------------------------------------- link */

/*
 * Time on the link of one response of `bytes` data bytes: 64-byte lines in
 * slots of 68-byte or 256-byte flits, with their headers; lanes, rate and
 * flit from the parameters (NULL: the default set). Saturates at UINT64_MAX.
 */
uint64_t sqc_link_time_ns(const struct sqc_dram_parameters *parameters,
			  uint64_t bytes);

/* ------------------------------------------------------------ simulator */

struct sqc_dram_report {
	uint64_t reads;
	uint64_t cycles;		/* until the last read returned */
	double time_ns;
	uint64_t activates;
	uint64_t refreshes;
	uint64_t active_cycles;		/* sum over ranks: some bank open */
	uint64_t idle_cycles;		/* sum over ranks: all banks closed */
	double energy_pj;
	double energy_activate_pj;
	double energy_read_pj;
	double energy_refresh_pj;
	double energy_background_pj;
};

/*
 * Simulates reading the runs in order, all of them available at cycle 0.
 * `completions`, if not NULL, receives the completion cycle of each read (room
 * for the sum of lines). `memory` is scratch of sqc_dram_simulate_bytes(),
 * aligned for uint64_t. Takes time in proportion to the lines.
 * Returns 0, or -1 when an address lies outside the modelled channel or the
 * parameters do not pass sqc_dram_parameters_check().
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
