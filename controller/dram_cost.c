/* SPDX-License-Identifier: MIT */
/*
 * The live form of the DRAM model
 *
 * It follows the same rules as the simulator, but works with pieces instead
 * of commands. A piece is the part of a run that lies in one row set: one row
 * of one bank (stock mapping), or the rows that a run opens in all bank groups
 * of a rank together (interleaved mapping). 128 lines that begin at a multiple
 * of 8 KiB are one piece. Runs that continue each other are held back and
 * become one. For each piece a few questions have an answer in closed form:
 *
 *   arrival  When does its first line reach a bank queue? A line may enter
 *            when the one that is a window ahead has left, so the model keeps
 *            when the lines that had to wait moved on (`moved`).
 *   ready    When are its rows open? From the bank's last activate and last
 *            read, tRRD, tFAW, and a refresh if there is one.
 *   bus      When would it be done if only the data bus counted? The bus takes
 *            pieces in order. Where it stood still because a row was not
 *            ready, it leaves a gap that later pieces may fill, as the
 *            reordering of the controller does.
 *   groups   When would it be done if only its bank groups counted, which
 *            take a line every tCCD_L?
 *
 * The piece is done at the later of the last two. A refresh inside a piece
 * cuts it in two. What the pieces leave behind is a handful of times per bank,
 * bank group and rank; nothing grows with the number of runs.
 */
#include "dram_model.h"

#include <stdbool.h>
#include <string.h>

#define NEVER		UINT64_MAX
#define NOBODY		UINT32_MAX

/* Pieces of a run that are played; half of them are the sample for the rest. */
#define PIECES_MAX	128u

/* Pieces that runs which continue each other may add up to before they are
 * played: less than PIECES_MAX, so that none of them is skipped. */
#define PENDING_PIECES	64u

/* A gap is of use to lines that are near enough to come forward: the bank
 * queues and the waiting requests hold about so many lines. */
#define GAP_REACH_LINES	64u

/* Refreshes that one piece can meet when the parameters make sense. */
#define REFRESHES_MAX	64u

/*
 * What every request passes through is inlined and has the plan as an argument:
 * for the plan of the store's requests, the usual one, all its numbers are
 * constants then. What is rare is called, and finds the plan in the cost.
 */
#define INLINE SQC_DRAM_INLINE
#define CALLED static __attribute__((noinline))

/* Lines of one row set. */
struct piece {
	uint64_t row;
	uint32_t rank;
	uint32_t set;
	uint32_t bank;			/* number of the set's bank in bank group 0 */
	uint32_t group;			/* of the first line, within the rank */
	uint32_t count;			/* of banks; lines take them in turn */
	uint32_t rate;			/* cycles a line, left alone */
	uint64_t lines;
};

INLINE uint64_t later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

INLINE uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

INLINE uint32_t later32(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

/* a - b, not below 0. */
INLINE uint64_t beyond(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

INLINE uint64_t sum(uint64_t a, uint64_t b)
{
	return b > UINT64_MAX - a ? UINT64_MAX : a + b;
}

INLINE uint64_t bit(uint32_t number)
{
	return UINT64_C(1) << number;
}

/* `count` bits from bit `first` on. */
INLINE uint64_t bits(uint32_t first, uint32_t count)
{
	return ~UINT64_C(0) >> (64u - count) << first;
}

/* count * unit / by, saturated; unit * by stays far below 2^64. */
CALLED uint64_t large_share(uint64_t count, uint64_t unit, uint64_t by)
{
	uint64_t whole;

	if (__builtin_mul_overflow(count / by, unit, &whole))
		return UINT64_MAX;
	return sum(whole, count % by * unit / by);
}

/* Inline, so that a multiplication does for the division by a constant. */
INLINE uint64_t share(uint64_t count, uint64_t unit, uint64_t by)
{
	uint64_t whole;

	if (__builtin_expect(__builtin_mul_overflow(count, unit, &whole), 0))
		return large_share(count, unit, by);
	return whole / by;
}

/* Bank group, within the rank, of the i-th line of a piece. */
INLINE uint32_t piece_group(const struct sqc_dram_plan *plan, const struct piece *piece, uint32_t i)
{
	return (piece->group + i) & plan->group_mask;
}

INLINE struct piece make_piece(const struct sqc_dram_plan *plan, uint64_t line, uint64_t lines)
{
	uint32_t above_group = (uint32_t)(line >> plan->set_shift) & plan->set_mask;
	struct piece piece = {
		.row = line >> plan->row_shift,
		.rank = above_group >> plan->bank_bits,
		.bank = above_group << plan->group_bits,
		.group = (uint32_t)(line >> plan->group_shift) & plan->group_mask,
		.count = plan->slices,
		.rate = plan->full_rate,
		.lines = lines,
	};

	piece.set = (piece.bank | piece.group) >> plan->slice_bits;
	if (lines < plan->slices) {
		piece.count = (uint32_t)lines;
		piece.rate = later32(plan->burst, (plan->parameters->tccd_l_cycles +
						   piece.count - 1) / piece.count);
	}
	return piece;
}

/* ------------------------------------------------------------------- plan */

/* What lines lose that take all banks of a set in turn, as their activates do,
 * when these are slower. */
INLINE uint32_t slow_activates(const struct sqc_dram_parameters *p, uint32_t slices, uint32_t rate)
{
	return p->trrd_s_cycles > rate ? (slices - 1) * (p->trrd_s_cycles - rate) : 0;
}

INLINE struct sqc_dram_plan plan_of(const struct sqc_dram_parameters *p,
				    enum sqc_dram_mapping mapping)
{
	const struct sqc_dram_layout layout = sqc_dram_layout_of(p, mapping);
	const uint8_t slice_bits = mapping == SQC_DRAM_STOCK ? 0 : layout.group_bits;
	const uint8_t set_shift = (uint8_t)(layout.column_bits + layout.group_bits);
	const uint32_t slices = 1u << slice_bits;
	const uint32_t burst = later32(p->burst_cycles, p->tccd_s_cycles);
	const uint32_t full_rate = later32(burst, (p->tccd_l_cycles + slices - 1) / slices);

	return (struct sqc_dram_plan){
		.parameters = p,
		.slice_mask = bits(0, slices),
		.slices = slices,
		.set_lines = 1u << (layout.column_bits + slice_bits),
		.set_queue = p->bank_queue << slice_bits,
		.burst = burst,
		.full_rate = full_rate,
		.turn = (uint32_t)beyond(p->burst_cycles + p->trtrs_cycles, burst),
		.refresh_interval = p->trefi_cycles / p->ranks,
		.opening = p->trcd_cycles + slow_activates(p, slices, full_rate),
		.group_mask = p->bank_groups - 1,
		.set_mask = p->ranks * p->banks_per_group - 1,
		.group_shift = layout.group_shift,
		.set_shift = set_shift,
		.row_shift = (uint8_t)(set_shift + layout.bank_bits + layout.rank_bits),
		.group_bits = layout.group_bits,
		.bank_bits = layout.bank_bits,
		.slice_bits = slice_bits,
	};
}

/* Of the store's requests. */
static const struct sqc_dram_parameters usual_parameters = SQC_DRAM_DDR4_3200;

INLINE struct sqc_dram_plan usual_plan(void)
{
	return plan_of(&usual_parameters, SQC_DRAM_INTERLEAVED);
}

/* ---------------------------------------------------------------- refresh */

/* When the `open` banks of a rank are all precharged, for a refresh due at `due`. */
static uint64_t close_banks(const struct sqc_dram_cost *cost,
			    const struct sqc_dram_cost_rank *rank, uint32_t open, uint64_t due)
{
	const struct sqc_dram_parameters *p = cost->plan.parameters;
	uint64_t from = later(earlier(rank->last_used, due) + p->trtp_cycles,
			      rank->last_opened + p->tras_cycles);

	return later(due + open - 1, from);
}

/* Plays the next refresh. */
static void refresh(struct sqc_dram_cost *cost)
{
	const struct sqc_dram_parameters *p = cost->plan.parameters;
	uint32_t banks = p->bank_groups * p->banks_per_group;
	uint32_t sets = banks >> cost->plan.slice_bits;
	uint64_t open = cost->mask.banks_open & bits(cost->refresh_rank * banks, banks);
	struct sqc_dram_cost_rank *rank = &cost->ranks[cost->refresh_rank];
	uint64_t from = cost->refresh_next;

	if (open != 0) {
		rank->closed_since = close_banks(cost, rank,
						 (uint32_t)__builtin_popcountll(open), from);
		from = rank->closed_since + p->trp_cycles;
		cost->mask.banks_open &= ~open;
		cost->mask.sets_open &= ~bits(cost->refresh_rank * sets, sets);
		cost->mask.sets_even &= cost->mask.sets_open;
	}
	rank->activate_from = later(rank->activate_from, from + p->trfc_cycles);
	cost->refreshes++;
	cost->refresh_next += cost->plan.refresh_interval;
	cost->refresh_rank = (cost->refresh_rank + 1) % p->ranks;
}

/* ------------------------------------------------------------------- rows */

/* First cycle at which rank and bank group allow an activate. */
INLINE uint64_t activate_slot(const struct sqc_dram_cost *cost,
			      const struct sqc_dram_parameters *p, uint32_t rank, uint32_t group)
{
	uint64_t from = cost->ranks[rank].activate_from;
	uint64_t window = cost->ranks[rank].window[0];

	if (cost->busy[rank].last_opened == group)
		from += p->trrd_l_cycles - p->trrd_s_cycles;
	/* At the end of the window the reads of its rows take the command bus. */
	return window > from ? window + 1 : from;
}

/* Banks of a piece are opened, the first at `first`, the latest at `latest`. */
INLINE void note_opened(struct sqc_dram_cost *cost, const struct piece *piece, uint64_t banks,
			uint64_t first, uint64_t latest)
{
	struct sqc_dram_cost_rank *rank = &cost->ranks[piece->rank];

	/* That ends the rank's idle cycles. */
	if (rank->closed_since != NEVER) {
		cost->idle_cycles += beyond(first, rank->closed_since);
		rank->closed_since = NEVER;
	}
	rank->last_opened = later(rank->last_opened, latest);
	cost->mask.banks_open |= banks;
}

/* Whether tFAW holds up none but the first of a set's activates, that at `time`. */
INLINE bool window_passes(const struct sqc_dram_cost_rank *rank, uint64_t time, uint32_t spacing)
{
	return rank->window[1] <= time + spacing && rank->window[2] <= time + 2 * spacing &&
	       rank->window[3] <= time + 3 * spacing;
}

/*
 * Opens the banks of a set, all closed, when their activates follow each other
 * evenly: tRRD apart, or, long after the rank's last ones, as the first lines
 * arrive. The first cycle at which lines can flow, or 0 when they do not.
 */
INLINE uint64_t open_evenly(struct sqc_dram_cost *cost, const struct sqc_dram_plan *plan,
			    const struct piece *piece, uint64_t arrival)
{
	const struct sqc_dram_parameters *p = plan->parameters;
	struct sqc_dram_cost_rank *rank = &cost->ranks[piece->rank];
	struct sqc_dram_cost_set *set = &cost->sets[piece->set];
	const uint64_t slot = activate_slot(cost, p, piece->rank, piece->group);
	uint64_t time = later(arrival, slot);
	uint64_t ready = time + p->trcd_cycles;
	uint32_t spacing = 0;

	if (time <= slot + p->trrd_l_cycles) {
		spacing = p->trrd_s_cycles;
		if (!window_passes(rank, time, spacing))
			return 0;
		for (uint32_t i = 0; i < SQC_DRAM_ACTIVATE_WINDOW; i++)
			rank->window[i] = time + i * spacing + p->tfaw_cycles;
		rank->activate_from = time + SQC_DRAM_ACTIVATE_WINDOW * spacing;
		cost->busy[piece->rank].last_opened = piece_group(plan, piece, SQC_DRAM_ACTIVATE_WINDOW - 1);
		ready = time + plan->opening;
	} else if (time <= later(rank->window[0] + 1, rank->activate_from + p->trrd_l_cycles) +
				   p->trrd_l_cycles) {
		return 0;
	}
	note_opened(cost, piece, plan->slice_mask << piece->bank, time,
		    time + (SQC_DRAM_ACTIVATE_WINDOW - 1) * spacing);
	cost->mask.sets_even |= bit(piece->set);
	cost->activates += SQC_DRAM_ACTIVATE_WINDOW;
	set->opened = time;
	set->spacing = spacing;
	set->first_group = piece->group;
	return ready;
}

/* From here on the banks of a set that was opened evenly go their own ways. */
CALLED void part_banks(struct sqc_dram_cost *cost, uint32_t number, uint32_t first_bank)
{
	const struct sqc_dram_cost_set *set = &cost->sets[number];

	cost->mask.sets_even &= ~bit(number);
	for (uint32_t i = 0; i < cost->plan.slices; i++) {
		uint32_t group = (set->first_group + i) & cost->plan.group_mask;
		uint64_t opened = set->opened + i * set->spacing;

		cost->banks[first_bank | group] = (struct sqc_dram_cost_bank){
			.row = set->row, .opened = opened, .used = opened };
	}
}

/* Last read of an open bank. */
INLINE uint64_t bank_used(const struct sqc_dram_cost *cost, const struct sqc_dram_plan *plan,
			  uint32_t number)
{
	uint32_t set = number >> plan->slice_bits;

	if ((cost->mask.sets_used >> set & 1) == 0)
		return cost->banks[number].used;
	return later(cost->banks[number].used, cost->sets[set].used);
}

/* An activate that tFAW counts. */
INLINE void note_activate(struct sqc_dram_cost_rank *rank, uint64_t until)
{
	for (uint32_t i = 1; i < SQC_DRAM_ACTIVATE_WINDOW; i++)
		rank->window[i - 1] = rank->window[i];
	rank->window[SQC_DRAM_ACTIVATE_WINDOW - 1] = until;
}

/* Opens the piece's row in its bank of the bank group; when. */
INLINE uint64_t activate(struct sqc_dram_cost *cost, const struct sqc_dram_plan *plan,
			 const struct piece *piece, uint32_t group, uint64_t arrival)
{
	const struct sqc_dram_parameters *p = plan->parameters;
	struct sqc_dram_cost_rank *rank = &cost->ranks[piece->rank];
	uint32_t number = piece->bank | group;
	struct sqc_dram_cost_bank *bank = &cost->banks[number];
	uint64_t slot = activate_slot(cost, p, piece->rank, group);
	uint64_t time = arrival;

	if ((cost->mask.banks_open >> number & 1) != 0)
		time = later(arrival, later(bank_used(cost, plan, number) + p->trtp_cycles,
					    bank->opened + p->tras_cycles)) + p->trp_cycles;
	time = later(time, slot);
	/* An activate that waits for its own bank lets others go first. */
	if (time <= slot + p->trrd_l_cycles) {
		rank->activate_from = time + p->trrd_s_cycles;
		cost->busy[piece->rank].last_opened = group;
		note_activate(rank, time + p->tfaw_cycles);
	}
	*bank = (struct sqc_dram_cost_bank){ .row = piece->row, .opened = time, .used = time };
	return time;
}

/* Opens the rows of a piece bank by bank; the first cycle at which lines can flow. */
INLINE uint64_t open_banks(struct sqc_dram_cost *cost, const struct sqc_dram_plan *plan,
			   const struct piece *piece, uint64_t arrival)
{
	const uint64_t open = cost->mask.banks_open;
	uint64_t ready = arrival, opened = 0, first = 0, latest = 0;

	if ((cost->mask.sets_even >> piece->set & 1) != 0)
		part_banks(cost, piece->set, piece->bank);
	for (uint32_t i = 0; i < piece->count; i++) {
		uint32_t group = piece_group(plan, piece, i);
		uint32_t number = piece->bank | group;
		uint64_t time = cost->banks[number].opened;

		if ((open >> number & 1) == 0 || cost->banks[number].row != piece->row) {
			time = activate(cost, plan, piece, group, arrival);
			first = opened == 0 ? time : first;
			latest = later(latest, time);
			opened |= bit(number);
			cost->activates++;
		}
		ready = later(ready, beyond(time + plan->parameters->trcd_cycles,
					    (uint64_t)i * piece->rate));
	}
	if (opened != 0) {
		note_opened(cost, piece, opened, first, latest);
		cost->mask.sets_open &= ~bit(piece->set);
	}
	return ready;
}

CALLED uint64_t open_whole_set(struct sqc_dram_cost *cost, uint64_t line, uint64_t arrival)
{
	const struct piece piece = make_piece(&cost->plan, line, cost->plan.slices);

	return open_banks(cost, &cost->plan, &piece, arrival);
}

/* Opens the rows of a piece; the first cycle at which its lines can flow. */
INLINE uint64_t open_rows(struct sqc_dram_cost *cost, const struct sqc_dram_plan *plan,
			  const struct piece *piece, uint64_t line, uint64_t arrival)
{
	struct sqc_dram_cost_set *set = &cost->sets[piece->set];
	uint64_t ready = 0;

	if ((cost->mask.sets_open >> piece->set & 1) != 0 && set->row == piece->row)
		return later(arrival, set->ready);
	if (plan->slices == SQC_DRAM_ACTIVATE_WINDOW && piece->count == plan->slices &&
	    (cost->mask.banks_open & plan->slice_mask << piece->bank) == 0)
		ready = open_evenly(cost, plan, piece, arrival);
	if (ready == 0)
		ready = piece->count == plan->slices ? open_whole_set(cost, line, arrival) :
						       open_banks(cost, plan, piece, arrival);
	if (piece->count == plan->slices) {
		cost->mask.sets_open |= bit(piece->set);
		cost->mask.sets_used |= bit(piece->set);
		set->row = piece->row;
		set->ready = ready;
		set->used = 0;
	}
	return ready;
}

/* The last read of the piece's rows. */
INLINE void note_used(struct sqc_dram_cost *cost, const struct sqc_dram_plan *plan,
		      const struct piece *piece, uint64_t last)
{
	struct sqc_dram_cost_set *set = &cost->sets[piece->set];
	struct sqc_dram_cost_rank *rank = &cost->ranks[piece->rank];

	rank->last_used = later(rank->last_used, last);
	if (piece->count == plan->slices || (cost->mask.sets_open >> piece->set & 1) != 0) {
		set->used = later(set->used, last);
		return;
	}
	for (uint32_t i = 0; i < piece->count; i++) {
		uint32_t number = piece->bank | piece_group(plan, piece, i);

		cost->banks[number].used = later(cost->banks[number].used, last);
	}
}

/* ----------------------------------------------------------------- queues */

/* When the line of this number, among those that waited, moved on. */
static uint64_t moved_at(const struct sqc_dram_cost *cost, uint64_t number)
{
	uint32_t i = cost->moved_next;

	for (uint32_t n = 0; n < SQC_DRAM_HISTORY; n++) {
		i = (i + SQC_DRAM_HISTORY - 1) % SQC_DRAM_HISTORY;
		if (cost->moved[i].first <= number)
			break;
	}
	return cost->moved[i].time + cost->moved[i].rate * beyond(number, cost->moved[i].first);
}

/* First cycle at which a command can be issued for the next line. */
INLINE uint64_t next_arrival(const struct sqc_dram_cost *cost, const struct sqc_dram_plan *plan)
{
	uint64_t alone = cost->queues.played + 2;	/* one request a cycle, two queues */
	uint32_t waiting = plan->parameters->transaction_queue;

	if (cost->queues.waited < waiting)
		return alone;
	return later(alone, moved_at(cost, cost->queues.waited - waiting) + 2);
}

/* A piece in other banks than the one before finds their queues empty. */
INLINE void choose_queues(struct sqc_dram_cost *cost, const struct sqc_dram_plan *plan,
			  const struct piece *piece)
{
	if (cost->queues.set == piece->set)
		return;
	cost->queues.set = piece->set;
	cost->queues.room = plan->set_queue;
}

/* The piece's lines pass the queues while it is read, which ends with `last`:
 * beyond what the bank queues take at once, a line moves when one is read. */
INLINE void pass_queues(struct sqc_dram_cost *cost, const struct sqc_dram_plan *plan,
			const struct piece *piece, uint64_t ready, uint64_t last)
{
	uint32_t room = cost->queues.room;
	uint64_t start;

	if (piece->lines <= room) {
		cost->queues.room = room - (uint32_t)piece->lines;
		return;
	}
	start = later(ready, beyond(last, piece->rate * (piece->lines - 1)));
	cost->moved[cost->moved_next].first = cost->queues.waited;
	cost->moved[cost->moved_next].rate = piece->rate;
	cost->moved[cost->moved_next].time = beyond(start + (uint64_t)piece->rate * room,
						    (uint64_t)piece->rate * plan->set_queue);
	cost->moved_next = (cost->moved_next + 1) % SQC_DRAM_HISTORY;
	cost->queues.waited += piece->lines - room;
	cost->queues.room = 0;
}

/* ---------------------------------------------------------- bus and groups */

/* The bus stands still until `ready`, but for later pieces that fill the gap. */
INLINE void leave_gap(struct sqc_dram_cost *cost, const struct sqc_dram_plan *plan,
		      uint64_t ready, uint64_t waiting)
{
	uint64_t left = beyond(cost->bus.gap_end, cost->bus.gap_begin);

	if (cost->bus.free - cost->bus.gap_end > (uint64_t)GAP_REACH_LINES * plan->burst)
		left = 0;
	cost->bus.gap_begin = beyond(cost->bus.free, left);
	cost->bus.gap_end = ready;
	cost->bus.gap_lines = beyond(plan->parameters->transaction_queue, waiting);
	cost->bus.free = ready;
	cost->bus.crowd++;
}

/* Cycles of `work` that fit into the gap. */
INLINE uint64_t fill_gap(struct sqc_dram_cost *cost, const struct sqc_dram_plan *plan,
			 uint64_t ready, uint64_t work, uint64_t waiting)
{
	uint64_t begin = later(cost->bus.gap_begin, ready);
	uint64_t lines = cost->queues.room + cost->bus.gap_lines;
	uint64_t fill = earlier(beyond(cost->bus.gap_end, begin), earlier(work, lines * plan->burst));

	if (fill == 0)
		return 0;
	cost->bus.gap_begin = begin + fill;
	cost->bus.gap_lines = beyond(cost->bus.gap_lines, waiting);
	return fill;
}

/* When the bus has carried the piece. */
INLINE uint64_t take_bus(struct sqc_dram_cost *cost, const struct sqc_dram_plan *plan,
			 const struct piece *piece, uint64_t ready)
{
	uint64_t waiting = beyond(piece->lines, cost->queues.room);
	uint64_t work = piece->lines * plan->burst;

	if (cost->bus.rank != piece->rank) {
		if (cost->bus.rank != NOBODY)
			work += plan->turn;
		cost->bus.rank = piece->rank;
	}
	if (ready > cost->bus.free)
		leave_gap(cost, plan, ready, waiting);
	else
		work -= fill_gap(cost, plan, ready, work, waiting);
	cost->bus.free += work;
	return work != 0 ? cost->bus.free : cost->bus.gap_begin;
}

/*
 * While a rank has several bank groups with reads, its next read is always
 * ready before one of another rank, which starves; while it has one, the two
 * alternate, and each pair turns the bus round twice. Returns the end of the
 * reads from `from` to `to` of one group of the rank.
 */
static uint64_t share_with_ranks(struct sqc_dram_cost *cost, uint32_t number, uint64_t from,
				 uint64_t to)
{
	const struct sqc_dram_parameters *p = cost->plan.parameters;
	uint64_t pair = 2 * ((uint64_t)p->burst_cycles + p->trtrs_cycles);

	for (uint32_t i = 0; i < p->ranks; i++) {
		struct sqc_dram_cost_busy *other = &cost->busy[i];
		uint64_t shared, delay;

		if (i == number)
			continue;
		shared = beyond(earlier(to, other->until), later(from, other->crowded_until));
		delay = shared / p->tccd_l_cycles * beyond(pair, p->tccd_l_cycles);
		if (delay == 0)
			continue;
		to += delay;
		other->until += delay;
		cost->late_read = later(cost->late_read, other->until - p->tccd_l_cycles);
	}
	return to;
}

/* `from`, or when no other rank has several bank groups with reads any more. */
static uint64_t uncrowded_from(const struct sqc_dram_cost *cost, uint32_t number, uint64_t from)
{
	for (uint32_t i = 0; i < cost->plan.parameters->ranks; i++)
		if (i != number)
			from = later(from, cost->busy[i].crowded_until);
	return from;
}

/* A bank group of the rank has reads until then. */
static void note_busy(struct sqc_dram_cost_busy *busy, uint32_t group, uint64_t until)
{
	if (group != busy->group && until <= busy->until) {
		busy->crowded_until = later(busy->crowded_until, until);
		return;
	}
	if (group != busy->group)
		busy->crowded_until = busy->until;
	busy->group = group;
	busy->until = until;
}

/* The bank group, its lines counted for the current stretch of the bus. */
INLINE struct sqc_dram_cost_group *group_at(struct sqc_dram_cost *cost, uint32_t number)
{
	struct sqc_dram_cost_group *group = &cost->groups[number];
	const bool used = cost->mask.groups_used >> number & 1;

	cost->mask.groups_used |= bit(number);
	if (!used)
		group->free = 0;
	if (!used || group->crowd != cost->bus.crowd)
		group->lines = 0;
	group->crowd = cost->bus.crowd;
	return group;
}

/* When a bank group has read its lines of a piece that it holds up. */
static uint64_t take_group(struct sqc_dram_cost *cost, uint32_t rank, uint32_t number,
			   uint64_t ready, uint32_t lines)
{
	const struct sqc_dram_parameters *p = cost->plan.parameters;
	struct sqc_dram_cost_group *group = group_at(cost, number);
	uint64_t from = uncrowded_from(cost, rank, later(ready, group->free));
	uint64_t to = from + (uint64_t)lines * p->tccd_l_cycles;

	to = share_with_ranks(cost, rank, from, to);
	note_busy(&cost->busy[rank], number, to);
	group->free = to;
	group->lines += lines;
	return to - p->tccd_l_cycles + cost->plan.burst;
}

/* When the bank groups, `count` from the first one, have read lines that they hold up. */
CALLED uint64_t take_slow_groups(struct sqc_dram_cost *cost, uint32_t rank, uint32_t group,
				 uint32_t count, uint32_t lines, uint64_t ready)
{
	uint64_t last = 0;

	for (uint32_t i = 0; i < count; i++) {
		uint32_t number = rank << cost->plan.group_bits |
				  ((group + i) & cost->plan.group_mask);

		last = later(last, take_group(cost, rank, number, ready,
					      lines / count + (i < lines % count)));
	}
	return last;
}

/*
 * When the bank groups have read the piece. Groups that keep up with the bus
 * only matter for what they have in excess of others at the end.
 */
INLINE uint64_t take_groups(struct sqc_dram_cost *cost, const struct sqc_dram_plan *plan,
			    const struct piece *piece, uint64_t ready)
{
	uint32_t first = piece->rank << plan->group_bits;
	uint32_t rest = (uint32_t)piece->lines & (plan->slices - 1);

	if (piece->rate != plan->burst)
		return take_slow_groups(cost, piece->rank, piece->group, piece->count,
					(uint32_t)piece->lines, ready);
	for (uint32_t i = 0; i < rest; i++)
		group_at(cost, first + piece_group(plan, piece, i))->lines++;
	return 0;
}

/* Reads a piece whose rows are open from `ready` on, without a refresh. */
INLINE void read_piece(struct sqc_dram_cost *cost, const struct sqc_dram_plan *plan,
		       const struct piece *piece, uint64_t ready)
{
	uint64_t last;

	choose_queues(cost, plan, piece);
	last = take_bus(cost, plan, piece, ready);
	last = later(last, take_groups(cost, plan, piece, ready));
	last -= plan->burst;		/* the last read command */
	note_used(cost, plan, piece, last);
	pass_queues(cost, plan, piece, ready, last);
	cost->queues.played += piece->lines;
}

/*
 * Lines that can follow a piece in its row set, a whole turn of its banks at a
 * time, and take nothing but the bus: the rows are open, they find room in the
 * queues, no gap to fill and no refresh, and arrive before the bus is free. That
 * stays so while they follow: the bus takes as long for a line as its arrival or longer.
 */
INLINE uint64_t lines_to_follow(const struct sqc_dram_cost *cost, const struct sqc_dram_plan *plan,
				const struct piece *piece)
{
	const uint64_t arrival = cost->queues.played + 2;
	const uint64_t ready = later(arrival, cost->sets[piece->set].ready);

	if (plan->full_rate != plan->burst || ready > cost->bus.free ||
	    cost->queues.waited >= plan->parameters->transaction_queue ||
	    cost->bus.gap_end > later(cost->bus.gap_begin, ready))
		return 0;
	return earlier(cost->queues.room,
		       beyond(cost->refresh_next, cost->bus.free) / plan->burst);
}

/* Reads lines, if they are such. */
INLINE bool follow(struct sqc_dram_cost *cost, const struct sqc_dram_plan *plan, uint64_t line,
		   uint64_t lines)
{
	struct sqc_dram_cost_set *set;
	struct sqc_dram_cost_rank *rank;
	uint64_t last;

	if ((line ^ cost->follow.line) >= plan->set_lines || lines > cost->follow.lines ||
	    (lines & (plan->slices - 1)) != 0)
		return false;
	set = &cost->sets[cost->queues.set];
	rank = &cost->ranks[cost->bus.rank];
	cost->follow.lines -= lines;
	cost->queues.room -= (uint32_t)lines;
	cost->queues.played += lines;
	cost->bus.free += lines * plan->burst;
	last = cost->bus.free - plan->burst;
	set->used = later(set->used, last);
	rank->last_used = later(rank->last_used, last);
	return true;
}

/* Plays the refreshes that are due before lines are read from `start` on. */
CALLED void refresh_until(struct sqc_dram_cost *cost, uint64_t start)
{
	for (uint32_t i = 0; i < REFRESHES_MAX && cost->refresh_next <= start; i++)
		refresh(cost);
}

/* Lines of a piece, to be read from `start` on, that the next refresh of its rank
 * lets pass: all, or at least one. Refreshes of other ranks are played. */
static uint64_t lines_before_refresh(struct sqc_dram_cost *cost, const struct piece *piece,
				     uint64_t start)
{
	uint64_t end = start + piece->lines * piece->rate;

	for (uint32_t i = 0; i < REFRESHES_MAX && cost->refresh_next < end; i++) {
		if (cost->refresh_rank == piece->rank)
			return earlier(piece->lines,
				       later(1, beyond(cost->refresh_next, start) / piece->rate));
		refresh(cost);
	}
	return 0;
}

/* Reads lines whose rows are open from `ready` on, up to the refresh that falls due
 * meanwhile; their number. */
CALLED uint64_t read_until_refresh(struct sqc_dram_cost *cost, uint64_t line, uint64_t lines,
				   uint64_t start, uint64_t ready)
{
	struct piece piece = make_piece(&cost->plan, line, lines);
	uint64_t before = lines_before_refresh(cost, &piece, start);

	cost->follow.lines = 0;
	if (before != 0)
		piece.lines = before;
	read_piece(cost, &cost->plan, &piece, ready);
	if (before != 0) {
		refresh(cost);
		cost->queues.room = cost->plan.set_queue;
	}
	return piece.lines;
}

/* Reads lines of one row set, up to a refresh that falls due meanwhile; their number. */
INLINE uint64_t read_lines(struct sqc_dram_cost *cost, const struct sqc_dram_plan *plan,
			   uint64_t line, uint64_t lines)
{
	const struct piece piece = make_piece(plan, line, lines);
	uint64_t arrival = next_arrival(cost, plan);
	uint64_t start = later(arrival, cost->bus.free);
	uint64_t ready;

	if (cost->refresh_next <= start)
		refresh_until(cost, start);
	ready = open_rows(cost, plan, &piece, line, arrival);
	start = later(start, ready);
	if (cost->refresh_next < start + lines * piece.rate)
		return read_until_refresh(cost, line, lines, start, ready);
	read_piece(cost, plan, &piece, ready);
	cost->follow.line = line;
	cost->follow.lines = piece.count == plan->slices ?
			     lines_to_follow(cost, plan, &piece) : 0;
	return lines;
}

/* Reads lines of one row set: by the plan of the cost, */
CALLED void read_other_part(struct sqc_dram_cost *cost, uint64_t line, uint64_t lines)
{
	for (uint64_t read; lines != 0; lines -= read) {
		if (follow(cost, &cost->plan, line, lines))
			return;
		read = read_lines(cost, &cost->plan, line, lines);
		line += read;
	}
}

/* by the usual one, */
INLINE void read_usual_part(struct sqc_dram_cost *cost, uint64_t line, uint64_t lines)
{
	const struct sqc_dram_plan plan = usual_plan();
	uint64_t read;

	if (follow(cost, &plan, line, lines))
		return;
	read = read_lines(cost, &plan, line, lines);
	if (read != lines)
		read_other_part(cost, line + read, lines - read);
}

/* of which all banks of the set have some, */
INLINE void read_wide_part(struct sqc_dram_cost *cost, uint64_t line, uint64_t lines)
{
	if (lines < usual_plan().slices)
		__builtin_unreachable();
	read_usual_part(cost, line, lines);
}

/* or only a part of the banks, */
INLINE void read_narrow_part(struct sqc_dram_cost *cost, uint64_t line, uint64_t lines)
{
	if (lines == 0 || lines >= usual_plan().slices)
		__builtin_unreachable();
	read_usual_part(cost, line, lines);
}

/* as it fits. */
CALLED void read_part(struct sqc_dram_cost *cost, uint64_t line, uint64_t lines)
{
	if (!cost->usual)
		read_other_part(cost, line, lines);
	else if (lines >= usual_plan().slices)
		read_wide_part(cost, line, lines);
	else if (lines != 0)
		read_narrow_part(cost, line, lines);
}

/* The latest read command. */
INLINE uint64_t last_read(const struct sqc_dram_cost *cost, const struct sqc_dram_plan *plan)
{
	uint64_t last = cost->late_read;

	for (uint32_t i = 0; i < plan->parameters->ranks; i++)
		last = later(last, cost->ranks[i].last_used);
	return last;
}

/* ------------------------------------------------------------------- runs */

/* Totals at one point of a long run. */
struct totals {
	uint64_t lines;
	uint64_t cycles;
	uint64_t activates;
	uint64_t refreshes;
	uint64_t idle_cycles;
};

static struct totals totals_of(const struct sqc_dram_cost *cost)
{
	return (struct totals){
		.lines = cost->queues.played,
		.cycles = last_read(cost, &cost->plan),
		.activates = cost->activates,
		.refreshes = cost->refreshes,
		.idle_cycles = cost->idle_cycles,
	};
}

/* `lines` of a run that goes on like those since `from` are counted, not played. */
static void skip_lines(struct sqc_dram_cost *cost, const struct totals *from, uint64_t lines)
{
	struct totals to = totals_of(cost);
	uint64_t sample = to.lines - from->lines;

	cost->skipped_cycles = sum(cost->skipped_cycles,
				   share(lines, to.cycles - from->cycles, sample));
	cost->activates = sum(cost->activates,
			      share(lines, to.activates - from->activates, sample));
	cost->refreshes = sum(cost->refreshes,
			      share(lines, to.refreshes - from->refreshes, sample));
	cost->idle_cycles = sum(cost->idle_cycles,
				share(lines, to.idle_cycles - from->idle_cycles, sample));
}

/* Lines of a run up to the end of the row set that it begins in. */
INLINE uint64_t first_part(const struct sqc_dram_plan *plan, uint64_t line, uint64_t lines)
{
	return earlier(lines, plan->set_lines - (line & (plan->set_lines - 1)));
}

/* Plays a run. */
CALLED void read_run(struct sqc_dram_cost *cost, uint64_t line, uint64_t lines)
{
	struct totals sample;

	for (uint32_t pieces = 0; lines != 0; pieces++) {
		const uint64_t part = first_part(&cost->plan, line, lines);

		if (pieces == PIECES_MAX / 2)
			sample = totals_of(cost);
		if (pieces == PIECES_MAX) {
			skip_lines(cost, &sample, lines);
			return;
		}
		read_part(cost, line, part);
		line += part;
		lines -= part;
	}
}

/* ------------------------------------------------------------------ public */

/* Cache line by cache line: the compiler would call for a larger block of zeros. */
INLINE void begin(struct sqc_dram_cost *cost, const struct sqc_dram_plan *plan)
{
	memset(&cost->pending, 0, offsetof(struct sqc_dram_cost, bus) -
				  offsetof(struct sqc_dram_cost, pending));
	memset(&cost->bus, 0, offsetof(struct sqc_dram_cost, mask) -
			      offsetof(struct sqc_dram_cost, bus));
	memset(&cost->mask, 0, offsetof(struct sqc_dram_cost, usual) -
			       offsetof(struct sqc_dram_cost, mask));
	cost->bus.rank = NOBODY;
	cost->queues.set = NOBODY;
	cost->refresh_next = plan->refresh_interval;
	for (uint32_t i = 0; i < plan->parameters->ranks; i++) {
		memset(&cost->ranks[i], 0, sizeof(cost->ranks[i]));
		cost->busy[i] = (struct sqc_dram_cost_busy){
			.group = NOBODY, .last_opened = NOBODY };
	}
	cost->plan = *plan;
}

CALLED void begin_other(struct sqc_dram_cost *cost, const struct sqc_dram_parameters *parameters,
			enum sqc_dram_mapping mapping)
{
	const struct sqc_dram_plan plan = plan_of(parameters, mapping);

	begin(cost, &plan);
}

void sqc_dram_cost_begin(struct sqc_dram_cost *cost,
			 const struct sqc_dram_parameters *parameters,
			 enum sqc_dram_mapping mapping)
{
	cost->usual = parameters == NULL && mapping == SQC_DRAM_INTERLEAVED;
	if (cost->usual) {
		const struct sqc_dram_plan plan = usual_plan();

		begin(cost, &plan);
	} else {
		begin_other(cost, parameters != NULL ? parameters : &usual_parameters, mapping);
	}
}

INLINE void add_runs(struct sqc_dram_cost *cost, const struct sqc_dram_plan *plan, bool usual,
		     const struct sqc_dram_run *runs, size_t count)
{
	const uint64_t pending_max = (uint64_t)PENDING_PIECES * plan->set_lines;
	uint64_t line = cost->pending.line, lines = cost->pending.lines;

	for (size_t i = 0; i < count; i++) {	/* `runs` may be NULL for none */
		const struct sqc_dram_run *run = &runs[i];
		const uint64_t next = run->address >> SQC_DRAM_LINE_SHIFT;

		cost->lines = sum(cost->lines, run->lines);
		/* Planes that follow each other are one run. */
		if (next == line + lines && run->lines <= pending_max - lines) {
			lines += run->lines;
			continue;
		}
		if (usual && lines >= plan->slices && first_part(plan, line, lines) == lines)
			read_wide_part(cost, line, lines);
		else
			read_run(cost, line, lines);
		line = next;
		lines = run->lines;
		if (lines > pending_max) {
			read_run(cost, line, lines);
			lines = 0;
		}
	}
	cost->pending.line = line;
	cost->pending.lines = lines;
}

CALLED void add_other_runs(struct sqc_dram_cost *cost, const struct sqc_dram_run *runs,
			   size_t count)
{
	add_runs(cost, &cost->plan, false, runs, count);
}

void sqc_dram_cost_runs(struct sqc_dram_cost *cost, const struct sqc_dram_run *runs, size_t count)
{
	if (cost->usual) {
		const struct sqc_dram_plan plan = usual_plan();

		add_runs(cost, &plan, true, runs, count);
	} else {
		add_other_runs(cost, runs, count);
	}
}

INLINE void read_pending(struct sqc_dram_cost *cost)
{
	const uint64_t line = cost->pending.line, lines = cost->pending.lines;

	cost->pending.lines = 0;
	if (first_part(&cost->plan, line, lines) == lines)
		read_part(cost, line, lines);
	else
		read_run(cost, line, lines);
}

/* The last line leaves the busiest bank group later than the bus says when it
 * has more lines queued than the next one: for the excess it is alone. */
INLINE uint64_t last_of_crowd(const struct sqc_dram_cost *cost, const struct sqc_dram_plan *plan)
{
	uint64_t first = 0, second = 0, excess;

	for (uint64_t rest = cost->mask.groups_used; rest != 0; rest &= rest - 1) {
		uint32_t group = (uint32_t)__builtin_ctzll(rest);
		uint64_t lines = cost->groups[group].crowd == cost->bus.crowd ?
				 cost->groups[group].lines : 0;

		second = later(second, earlier(first, lines));
		first = later(first, lines);
	}
	excess = earlier(beyond(first - second, 1), GAP_REACH_LINES);
	return cost->bus.free - plan->burst +
	       excess * beyond(plan->parameters->tccd_l_cycles, plan->burst);
}

/* Time and energy of all that was played and skipped. */
INLINE void settle(const struct sqc_dram_cost *cost, const struct sqc_dram_plan *plan,
		   uint64_t *time_ns, uint64_t *energy_pj)
{
	const struct sqc_dram_parameters *p = plan->parameters;
	const struct sqc_dram_energy energy = sqc_dram_energy_of(p);
	uint64_t idle = cost->idle_cycles, active, refreshes = cost->refreshes;
	uint64_t cycles = later(last_read(cost, plan), last_of_crowd(cost, plan)) +
			  p->cl_cycles + p->burst_cycles + 1;

	if (cycles > cost->refresh_next)
		refreshes += 1 + (cycles - cost->refresh_next) / plan->refresh_interval;
	for (uint32_t i = 0; i < p->ranks; i++)
		if (cost->ranks[i].closed_since != NEVER)
			idle += beyond(cycles, cost->ranks[i].closed_since);
	cycles = sum(cycles, cost->skipped_cycles);
	*time_ns = share(cycles, p->tck_ps, 1000);
	active = beyond(share(cycles, p->ranks, 1), idle);
	*energy_pj = sum(share(cost->activates, energy.activate, 1000),
			 share(cost->lines, energy.read, 1000));
	*energy_pj = sum(*energy_pj, share(refreshes, energy.refresh, 1000));
	*energy_pj = sum(*energy_pj, share(active, energy.active_cycle, 1000));
	*energy_pj = sum(*energy_pj, share(idle, energy.idle_cycle, 1000));
}

CALLED void settle_other(const struct sqc_dram_cost *cost, uint64_t *time_ns, uint64_t *energy_pj)
{
	settle(cost, &cost->plan, time_ns, energy_pj);
}

void sqc_dram_cost_end(struct sqc_dram_cost *cost, uint64_t *time_ns, uint64_t *energy_pj)
{
	*time_ns = 0;
	*energy_pj = 0;
	if (cost->lines == 0)
		return;
	read_pending(cost);
	if (cost->usual) {
		const struct sqc_dram_plan plan = usual_plan();

		settle(cost, &plan, time_ns, energy_pj);
	} else {
		settle_other(cost, time_ns, energy_pj);
	}
}
