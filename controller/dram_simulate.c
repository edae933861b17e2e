/* SPDX-License-Identifier: MIT */
/*
 * The DRAM model cycle by cycle: a memory controller with an open page policy
 * in front of one channel, on a list of reads.
 *
 * A cycle, in this order:
 *   1. a refresh that falls due joins the queue of due refreshes;
 *   2. at most one command is issued: the next precharge or the refresh of
 *      the rank whose refresh is due, else the first ready command of the
 *      bank queues, visited round robin from the one that issued last; the
 *      queues of a rank whose refresh is due are passed over;
 *   3. the oldest waiting request whose bank queue has room moves there;
 *   4. one more request of the list joins the waiting ones if there is room.
 *
 * All commands of a bank queue go to one bank, so what a queue wants follows
 * from its contents alone: an activate when the bank is closed; a precharge
 * when the oldest command misses the open row and nobody hits it, or enough
 * did; a read for the oldest command that hits. The clock only decides when
 * that may go: each bank, bank group and rank keeps the first cycle at which
 * each command is allowed. So the simulation jumps from one cycle in which
 * something can happen to the next.
 *
 * Two reads of one line that wait at the same time become one command.
 */
#include "dram_model.h"

#include <string.h>

#define NEVER		UINT64_MAX
#define NO_READ		UINT64_MAX	/* ends a chain of merged reads */
#define NO_HIT		UINT32_MAX
#define ACTIVATE_WINDOW	4u		/* activates that tFAW counts */

/* A request that has not been issued yet. */
struct request {
	uint64_t line;
	uint64_t index;			/* its completion; of the newest merged read */
	uint32_t row;
	uint32_t bank;
};

struct bank {
	uint64_t activate_from;		/* first cycle at which it is allowed */
	uint64_t read_from;
	uint64_t precharge_from;
	uint32_t rank;
	uint32_t group;			/* within the channel */
	uint32_t row;			/* the open one */
	uint32_t hits;			/* reads of the open row */
	uint32_t first_hit;		/* in the queue, or NO_HIT */
	uint32_t length;		/* of the queue, oldest first */
	uint8_t open;
	uint8_t may_precharge;		/* the oldest command may close the row */
	struct request queue[SQC_DRAM_BANK_QUEUE_MAX];
};

struct group {
	uint64_t activate_from;
	uint64_t read_from;
};

struct rank {
	uint64_t activate_from;
	uint64_t read_from;
	uint64_t refresh_from;
	uint64_t window[ACTIVATE_WINDOW]; /* when the last four activates leave tFAW, */
	uint32_t window_next;		  /* the oldest of them here */
	uint32_t open_banks;
	uint64_t banks;			/* mask */
	uint64_t since;			/* cycle of the last change between */
	uint64_t active_cycles;		/* some bank open, */
	uint64_t idle_cycles;		/* and all closed */
};

/* Gaps between commands, for all pairs that depend on more than one parameter. */
struct gaps {
	uint64_t read_same_group;
	uint64_t read_other_group;
	uint64_t read_other_rank;
	uint64_t activate_same_group;
	uint64_t activate_same_bank;
	uint64_t read_to_data_end;
};

struct simulation {
	const struct sqc_dram_parameters *p;
	struct sqc_dram_layout layout;
	struct gaps gaps;
	uint64_t clock;

	/* the list of reads */
	const struct sqc_dram_run *runs;
	size_t run_count;
	size_t run;			/* the current one, and */
	uint64_t run_line;		/* the next line in it */
	uint64_t reads;			/* that joined */
	uint64_t commands;		/* read commands issued */
	uint64_t last_completion;
	uint64_t *completions;

	struct request waiting[SQC_DRAM_TRANSACTION_QUEUE_MAX];	/* oldest first */
	uint32_t waiting_count;

	uint64_t busy;			/* mask of banks with commands queued */
	uint64_t full;			/* mask of banks without room */
	uint32_t last_bank;		/* whose queue issued last */
	struct bank banks[SQC_DRAM_BANKS_MAX];
	struct group groups[SQC_DRAM_BANKS_MAX];
	struct rank ranks[SQC_DRAM_BANKS_MAX];

	/* refreshes take the ranks in turn */
	uint64_t refresh_interval;	/* from one rank to the next */
	uint64_t refresh_next;		/* cycle at which one more falls due */
	uint64_t refreshes_due;
	uint32_t refresh_rank;		/* of the first one due */

	uint64_t activates;
	uint64_t refreshes;
};

static uint64_t later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static void postpone(uint64_t *from, uint64_t cycle)
{
	*from = later(*from, cycle);
}

/* Index of the lowest bit of a mask that is not 0. */
static uint32_t lowest(uint64_t mask)
{
	return (uint32_t)__builtin_ctzll(mask);
}

/* ------------------------------------------------------ effect of commands */

/* A change of the rank's open banks ends a stretch of active or idle cycles. */
static void account(struct rank *rank, uint64_t until)
{
	uint64_t *cycles = rank->open_banks != 0 ? &rank->active_cycles : &rank->idle_cycles;

	*cycles += until - rank->since;
	rank->since = until;
}

/* What the queue wants next; after each change of the bank or of its queue. */
static void review(const struct simulation *s, struct bank *bank)
{
	bank->first_hit = NO_HIT;
	bank->may_precharge = 0;
	if (!bank->open)
		return;
	for (uint32_t i = 0; i < bank->length; i++) {
		if (bank->queue[i].row == bank->row) {
			bank->first_hit = i;
			break;
		}
	}
	bank->may_precharge = bank->length != 0 && bank->first_hit != 0 &&
			      (bank->first_hit == NO_HIT || bank->hits >= s->p->row_hits_max);
}

static void activate(struct simulation *s, struct bank *bank)
{
	const struct sqc_dram_parameters *p = s->p;
	struct rank *rank = &s->ranks[bank->rank];

	account(rank, s->clock);
	rank->open_banks++;
	bank->open = 1;
	bank->row = bank->queue[0].row;
	bank->hits = 0;
	postpone(&bank->read_from, s->clock + p->trcd_cycles);
	postpone(&bank->precharge_from, s->clock + p->tras_cycles);
	postpone(&bank->activate_from, s->clock + s->gaps.activate_same_bank);
	postpone(&s->groups[bank->group].activate_from, s->clock + s->gaps.activate_same_group);
	postpone(&rank->activate_from, s->clock + p->trrd_s_cycles);
	rank->window[rank->window_next] = s->clock + p->tfaw_cycles;
	rank->window_next = (rank->window_next + 1) % ACTIVATE_WINDOW;
	s->activates++;
	review(s, bank);
}

static void precharge(struct simulation *s, struct bank *bank)
{
	struct rank *rank = &s->ranks[bank->rank];

	account(rank, s->clock);
	rank->open_banks--;
	bank->open = 0;
	postpone(&bank->activate_from, s->clock + s->p->trp_cycles);
	postpone(&rank->refresh_from, s->clock + s->p->trp_cycles);
	review(s, bank);
}

static void refresh(struct simulation *s, struct rank *rank)
{
	postpone(&rank->activate_from, s->clock + s->p->trfc_cycles);
	postpone(&rank->refresh_from, s->clock + s->p->trfc_cycles);
	s->refreshes++;
	s->refreshes_due--;
	s->refresh_rank = (s->refresh_rank + 1) % s->p->ranks;
}

/* Completes a read and those that merged with it. */
static void complete(struct simulation *s, uint64_t index)
{
	uint64_t cycle = s->clock + s->gaps.read_to_data_end;

	postpone(&s->last_completion, cycle);
	if (s->completions == NULL)
		return;
	while (index != NO_READ) {
		uint64_t next = s->completions[index];

		s->completions[index] = cycle;
		index = next;
	}
}

static void read_hit(struct simulation *s, struct bank *bank)
{
	uint32_t slot = bank->first_hit;
	uint32_t number = bank->queue[slot].bank;

	complete(s, bank->queue[slot].index);
	bank->length--;
	memmove(&bank->queue[slot], &bank->queue[slot + 1],
		(bank->length - slot) * sizeof bank->queue[0]);
	s->full &= ~(UINT64_C(1) << number);
	if (bank->length == 0)
		s->busy &= ~(UINT64_C(1) << number);

	bank->hits++;
	postpone(&bank->precharge_from, s->clock + s->p->trtp_cycles);
	postpone(&s->groups[bank->group].read_from, s->clock + s->gaps.read_same_group);
	for (uint32_t i = 0; i < s->p->ranks; i++)
		postpone(&s->ranks[i].read_from,
			 s->clock + (i == bank->rank ? s->gaps.read_other_group :
						       s->gaps.read_other_rank));
	s->commands++;
	review(s, bank);
}

/* ------------------------------------------------------------- scheduling */

static uint64_t activate_time(const struct simulation *s, const struct bank *bank)
{
	const struct rank *rank = &s->ranks[bank->rank];

	return later(later(bank->activate_from, rank->window[rank->window_next]),
		     later(rank->activate_from, s->groups[bank->group].activate_from));
}

static uint64_t read_time(const struct simulation *s, const struct bank *bank)
{
	if (bank->first_hit == NO_HIT)
		return NEVER;
	return later(bank->read_from, later(s->ranks[bank->rank].read_from,
					    s->groups[bank->group].read_from));
}

/* Issues what the bank's queue wants if it may go now, else returns when. */
static uint64_t issue_from_bank(struct simulation *s, struct bank *bank)
{
	uint64_t precharge_time = bank->may_precharge ? bank->precharge_from : NEVER;
	uint64_t time;

	if (!bank->open) {
		time = activate_time(s, bank);
		if (time <= s->clock)
			activate(s, bank);
		return time;
	}
	if (precharge_time <= s->clock) {
		precharge(s, bank);
		return precharge_time;
	}
	time = read_time(s, bank);
	if (time <= s->clock)
		read_hit(s, bank);
	return earlier(time, precharge_time);
}

/* Visits the queues in a mask in order; the first that can issue does. */
static uint64_t issue_from_queues(struct simulation *s, uint64_t mask)
{
	uint64_t next = NEVER;

	for (; mask != 0; mask &= mask - 1) {
		uint32_t number = lowest(mask);
		uint64_t time = issue_from_bank(s, &s->banks[number]);

		if (time <= s->clock) {
			s->last_bank = number;
			return time;
		}
		next = earlier(next, time);
	}
	return next;
}

/* Precharges the next open bank of the rank, or refreshes it, or returns when. */
static uint64_t issue_refresh(struct simulation *s)
{
	struct rank *rank = &s->ranks[s->refresh_rank];
	uint64_t next = NEVER;

	if (rank->open_banks == 0) {
		next = rank->refresh_from;
		if (next <= s->clock)
			refresh(s, rank);
		return next;
	}
	for (uint64_t mask = rank->banks; mask != 0; mask &= mask - 1) {
		struct bank *bank = &s->banks[lowest(mask)];

		if (!bank->open)
			continue;
		if (bank->precharge_from <= s->clock) {
			next = bank->precharge_from;
			precharge(s, bank);
			return next;
		}
		next = earlier(next, bank->precharge_from);
	}
	return next;
}

/* Issues at most one command; returns its time, or when the next one can go. */
static uint64_t issue(struct simulation *s)
{
	uint64_t candidates = s->busy;
	uint64_t after_last = ~UINT64_C(0) << s->last_bank << 1;
	uint64_t next = NEVER;

	if (s->refreshes_due != 0) {
		next = issue_refresh(s);
		if (next <= s->clock)
			return next;
		candidates &= ~s->ranks[s->refresh_rank].banks;
	}
	next = earlier(next, issue_from_queues(s, candidates & after_last));
	if (next <= s->clock)
		return next;
	return earlier(next, issue_from_queues(s, candidates & ~after_last));
}

/* ---------------------------------------------------------------- queues */

/* The oldest waiting request whose bank queue has room moves there. */
static int move_request(struct simulation *s)
{
	for (uint32_t i = 0; i < s->waiting_count; i++) {
		uint32_t number = s->waiting[i].bank;
		struct bank *bank = &s->banks[number];

		if ((s->full >> number & 1) != 0)
			continue;
		bank->queue[bank->length++] = s->waiting[i];
		s->busy |= UINT64_C(1) << number;
		if (bank->length == s->p->bank_queue)
			s->full |= UINT64_C(1) << number;
		s->waiting_count--;
		memmove(&s->waiting[i], &s->waiting[i + 1],
			(s->waiting_count - i) * sizeof s->waiting[0]);
		review(s, bank);
		return 1;
	}
	return 0;
}

static struct request *find_line(struct request *queue, uint32_t length, uint64_t line)
{
	for (uint32_t i = 0; i < length; i++)
		if (queue[i].line == line)
			return &queue[i];
	return NULL;
}

/* The next read of the list joins, if there is one and there is room for it. */
static int join_request(struct simulation *s)
{
	struct request request;
	struct request *same;
	struct sqc_dram_place place;

	while (s->run < s->run_count && s->run_line == s->runs[s->run].lines) {
		s->run++;
		s->run_line = 0;
	}
	if (s->run == s->run_count || s->waiting_count == s->p->transaction_queue)
		return 0;

	request.line = (s->runs[s->run].address >> SQC_DRAM_LINE_SHIFT) + s->run_line++;
	request.index = s->reads++;
	place = sqc_dram_place_of(&s->layout, request.line);
	request.row = place.row;
	request.bank = place.bank;

	same = find_line(s->waiting, s->waiting_count, request.line);
	if (same == NULL)
		same = find_line(s->banks[place.bank].queue, s->banks[place.bank].length,
				 request.line);
	if (s->completions != NULL)
		s->completions[request.index] = same != NULL ? same->index : NO_READ;
	if (same != NULL)
		same->index = request.index;
	else
		s->waiting[s->waiting_count++] = request;
	return 1;
}

/* --------------------------------------------------------------- the run */

static void start(struct simulation *s, const struct sqc_dram_parameters *p,
		  enum sqc_dram_mapping mapping)
{
	int grouped = p->bank_groups > 1;

	memset(s, 0, sizeof *s);
	s->p = p;
	s->layout = sqc_dram_layout_of(p, mapping);
	s->gaps.read_other_group = later(p->burst_cycles, p->tccd_s_cycles);
	s->gaps.read_same_group = grouped ? later(p->burst_cycles, p->tccd_l_cycles) :
					    s->gaps.read_other_group;
	s->gaps.read_other_rank = (uint64_t)p->burst_cycles + p->trtrs_cycles;
	s->gaps.activate_same_group = grouped ? p->trrd_l_cycles : p->trrd_s_cycles;
	s->gaps.activate_same_bank = (uint64_t)p->tras_cycles + p->trp_cycles;
	s->gaps.read_to_data_end = (uint64_t)p->cl_cycles + p->burst_cycles;
	s->refresh_interval = p->trefi_cycles / p->ranks;
	s->refresh_next = s->refresh_interval;

	for (uint32_t i = 0; i < p->ranks * p->bank_groups * p->banks_per_group; i++) {
		s->banks[i].group = i / p->banks_per_group;
		s->banks[i].rank = s->banks[i].group / p->bank_groups;
		s->banks[i].first_hit = NO_HIT;
		s->ranks[s->banks[i].rank].banks |= UINT64_C(1) << i;
	}
}

static int all_issued(const struct simulation *s)
{
	return s->run == s->run_count && s->waiting_count == 0 && s->busy == 0;
}

/* One cycle; the clock then stands at the next one in which something happens. */
static void step(struct simulation *s)
{
	uint64_t next;
	int busy;

	if (s->clock == s->refresh_next) {
		s->refreshes_due++;
		s->refresh_next += s->refresh_interval;
	}
	next = issue(s);
	busy = next <= s->clock;
	busy |= move_request(s);
	busy |= join_request(s);
	s->clock = busy ? s->clock + 1 : earlier(next, s->refresh_next);
}

static void report_energy(const struct simulation *s, struct sqc_dram_report *report)
{
	const struct sqc_dram_energy energy = sqc_dram_energy_of(s->p);
	const double pj = 1e-3;		/* events cost whole femtojoules */

	report->energy_activate_pj = pj * (double)s->activates * (double)energy.activate;
	report->energy_read_pj = pj * (double)s->commands * (double)energy.read;
	report->energy_refresh_pj = pj * (double)s->refreshes * (double)energy.refresh;
	report->energy_background_pj =
		pj * ((double)report->active_cycles * (double)energy.active_cycle +
		      (double)report->idle_cycles * (double)energy.idle_cycle);
	report->energy_pj = report->energy_activate_pj + report->energy_read_pj +
			    report->energy_refresh_pj + report->energy_background_pj;
}

static int runs_fit(const struct sqc_dram_parameters *p, const struct sqc_dram_run *runs,
		    size_t run_count)
{
	uint64_t channel_lines = sqc_dram_bytes(p) >> SQC_DRAM_LINE_SHIFT;

	for (size_t i = 0; i < run_count; i++) {
		uint64_t line = runs[i].address >> SQC_DRAM_LINE_SHIFT;

		if (line >= channel_lines || runs[i].lines > channel_lines - line)
			return 0;
	}
	return 1;
}

size_t sqc_dram_simulate_bytes(const struct sqc_dram_parameters *parameters)
{
	(void)parameters;		/* queues have room for the largest set */
	return sizeof(struct simulation);
}

int sqc_dram_simulate(const struct sqc_dram_parameters *parameters,
		      enum sqc_dram_mapping mapping,
		      const struct sqc_dram_run *runs, size_t run_count,
		      uint64_t *completions, void *memory,
		      struct sqc_dram_report *report)
{
	const struct sqc_dram_parameters *p =
		parameters != NULL ? parameters : sqc_dram_parameters_find(NULL);
	struct simulation *s = memory;

	memset(report, 0, sizeof *report);
	if (sqc_dram_parameters_check(p) != NULL || !runs_fit(p, runs, run_count))
		return -1;

	start(s, p, mapping);
	s->runs = runs;
	s->run_count = run_count;
	s->completions = completions;
	do
		step(s);
	while (!all_issued(s));
	if (s->commands == 0)
		return 0;
	/* Refreshes go on until the last read has returned. */
	while (s->clock <= s->last_completion)
		step(s);

	report->reads = s->reads;
	report->cycles = s->last_completion + 1;
	report->time_ns = (double)report->cycles * p->tck_ps * 1e-3;
	report->activates = s->activates;
	report->refreshes = s->refreshes;
	for (uint32_t i = 0; i < p->ranks; i++) {
		account(&s->ranks[i], report->cycles);
		report->active_cycles += s->ranks[i].active_cycles;
		report->idle_cycles += s->ranks[i].idle_cycles;
	}
	report_energy(s, report);
	return 0;
}
