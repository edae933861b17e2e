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

#include <string.h>

#define NEVER		UINT64_MAX
#define NOBODY		UINT32_MAX
#define ACTIVATE_WINDOW	4u		/* activates that tFAW counts */

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

/* Lines of one row set. */
struct piece {
	uint64_t row;
	uint32_t rank;
	uint32_t set;
	uint32_t bank;			/* number of the set's bank in bank group 0 */
	uint32_t group;			/* of the first line, within the rank */
	uint32_t count;			/* of banks; lines take them in turn */
	uint32_t rate;			/* cycles a line, left alone */
	uint32_t lines;
};

static uint64_t later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint32_t later32(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

/* a - b, not below 0. */
static uint64_t beyond(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

static uint64_t sum(uint64_t a, uint64_t b)
{
	return b > UINT64_MAX - a ? UINT64_MAX : a + b;
}

/* count * unit / by, saturated; unit * by stays far below 2^64. Inline, so that a
 * multiplication does for the division by a constant. */
static inline uint64_t share(uint64_t count, uint64_t unit, uint64_t by)
{
	uint64_t whole;

	if (!__builtin_mul_overflow(count, unit, &whole))
		return whole / by;
	if (__builtin_mul_overflow(count / by, unit, &whole))
		return UINT64_MAX;
	return sum(whole, count % by * unit / by);
}

/* Bank group, within the rank, of the i-th line of a piece. */
static uint32_t piece_group(const struct sqc_dram_cost *cost, const struct piece *piece,
			    uint32_t i)
{
	return (piece->group + i) & cost->group_mask;
}

static struct piece make_piece(const struct sqc_dram_cost *cost, uint64_t line,
			       uint32_t lines)
{
	uint32_t above_group = (uint32_t)(line >> cost->set_shift) & cost->set_mask;
	struct piece piece = {
		.row = line >> cost->row_shift,
		.rank = above_group >> cost->bank_bits,
		.bank = above_group << cost->group_bits,
		.group = (uint32_t)(line >> cost->group_shift) & cost->group_mask,
		.count = cost->slices,
		.rate = cost->full_rate,
		.lines = lines,
	};

	piece.set = (piece.bank | piece.group) >> cost->slice_bits;
	if (lines < cost->slices) {
		piece.count = lines;
		piece.rate = later32(cost->burst,
				     (cost->parameters->tccd_l_cycles + lines - 1) / lines);
	}
	return piece;
}

/* ---------------------------------------------------------------- refresh */

/* When the `open` banks of a rank are all precharged, for a refresh due at `due`. */
static uint64_t close_banks(const struct sqc_dram_cost *cost,
			    const struct sqc_dram_cost_rank *rank, uint32_t open, uint64_t due)
{
	const struct sqc_dram_parameters *p = cost->parameters;
	uint64_t from = later(earlier(rank->last_used, due) + p->trtp_cycles,
			      rank->last_opened + p->tras_cycles);

	return later(due + open - 1, from);
}

/* `count` bits from bit `first` on. */
static uint64_t bits(uint32_t first, uint32_t count)
{
	return ~UINT64_C(0) >> (64u - count) << first;
}

/* Plays the next refresh. */
static void refresh(struct sqc_dram_cost *cost)
{
	const struct sqc_dram_parameters *p = cost->parameters;
	uint32_t banks = p->bank_groups * p->banks_per_group;
	uint32_t sets = banks >> cost->slice_bits;
	uint64_t open = cost->banks_open & bits(cost->refresh_rank * banks, banks);
	struct sqc_dram_cost_rank *rank = &cost->ranks[cost->refresh_rank];
	uint64_t from = cost->refresh_next;

	if (open != 0) {
		rank->closed_since = close_banks(cost, rank,
						 (uint32_t)__builtin_popcountll(open), from);
		from = rank->closed_since + p->trp_cycles;
		cost->banks_open &= ~open;
		cost->sets_open &= ~bits(cost->refresh_rank * sets, sets);
	}
	rank->activate_from = later(rank->activate_from, from + p->trfc_cycles);
	cost->refreshes++;
	cost->refresh_next += p->trefi_cycles / p->ranks;
	cost->refresh_rank = (cost->refresh_rank + 1) % p->ranks;
}

/* ------------------------------------------------------------------- rows */

/* Last read of an open bank. */
static uint64_t bank_used(const struct sqc_dram_cost *cost, uint32_t number)
{
	uint32_t set = number >> cost->slice_bits;

	if ((cost->sets_used >> set & 1) == 0)
		return cost->banks[number].used;
	return later(cost->banks[number].used, cost->sets[set].used);
}

/* First cycle at which rank and bank group allow an activate. */
static uint64_t activate_slot(const struct sqc_dram_cost *cost,
			      const struct sqc_dram_cost_rank *rank, uint32_t group)
{
	const struct sqc_dram_parameters *p = cost->parameters;
	uint64_t from = rank->activate_from;
	uint64_t window = rank->window[rank->window_next];

	if (rank->last_group == group)
		from += p->trrd_l_cycles - p->trrd_s_cycles;
	/* At the end of the window the reads of its rows take the command bus. */
	return window > from ? window + 1 : from;
}

/* Opens the piece's row in its bank of the bank group. */
static void activate(struct sqc_dram_cost *cost, const struct piece *piece, uint32_t group,
		     uint64_t arrival)
{
	const struct sqc_dram_parameters *p = cost->parameters;
	struct sqc_dram_cost_rank *rank = &cost->ranks[piece->rank];
	uint32_t number = piece->bank | group;
	struct sqc_dram_cost_bank *bank = &cost->banks[number];
	uint64_t slot = activate_slot(cost, rank, group);
	uint64_t time = arrival;

	if ((cost->banks_open >> number & 1) != 0)
		time = later(arrival, later(bank_used(cost, number) + p->trtp_cycles,
					    bank->opened + p->tras_cycles)) + p->trp_cycles;
	time = later(time, slot);
	/* An activate that waits for its own bank lets others go first. */
	if (time <= slot + p->trrd_l_cycles) {
		rank->activate_from = time + p->trrd_s_cycles;
		rank->last_group = group;
		rank->window[rank->window_next] = time + p->tfaw_cycles;
		rank->window_next = (rank->window_next + 1) % ACTIVATE_WINDOW;
	}
	if (rank->closed_since != NEVER) {
		cost->idle_cycles += beyond(time, rank->closed_since);
		rank->closed_since = NEVER;
	}
	rank->last_opened = later(rank->last_opened, time);
	cost->banks_open |= UINT64_C(1) << number;
	cost->sets_open &= ~(UINT64_C(1) << piece->set);
	*bank = (struct sqc_dram_cost_bank){ .row = piece->row, .opened = time, .used = time };
	cost->activates++;
}

/* Opens the rows of a piece; the first cycle at which its lines can flow. */
static uint64_t open_rows(struct sqc_dram_cost *cost, const struct piece *piece,
			  uint64_t arrival)
{
	struct sqc_dram_cost_set *set = &cost->sets[piece->set];
	uint64_t ready = arrival;

	if ((cost->sets_open >> piece->set & 1) != 0 && set->row == piece->row)
		return later(arrival, set->ready);
	for (uint32_t i = 0; i < piece->count; i++) {
		uint32_t group = piece_group(cost, piece, i);
		const struct sqc_dram_cost_bank *bank = &cost->banks[piece->bank | group];

		if ((cost->banks_open >> (piece->bank | group) & 1) == 0 ||
		    bank->row != piece->row)
			activate(cost, piece, group, arrival);
		ready = later(ready, beyond(bank->opened + cost->parameters->trcd_cycles,
					    (uint64_t)i * piece->rate));
	}
	if (piece->count == cost->slices) {
		cost->sets_open |= UINT64_C(1) << piece->set;
		cost->sets_used |= UINT64_C(1) << piece->set;
		*set = (struct sqc_dram_cost_set){ .row = piece->row, .ready = ready };
	}
	return ready;
}

/* The last read of the piece's rows. */
static void note_used(struct sqc_dram_cost *cost, const struct piece *piece, uint64_t last)
{
	struct sqc_dram_cost_set *set = &cost->sets[piece->set];
	struct sqc_dram_cost_rank *rank = &cost->ranks[piece->rank];

	rank->last_used = later(rank->last_used, last);
	if ((cost->sets_open >> piece->set & 1) != 0) {
		set->used = later(set->used, last);
		return;
	}
	for (uint32_t i = 0; i < piece->count; i++) {
		uint32_t number = piece->bank | piece_group(cost, piece, i);

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
static uint64_t next_arrival(const struct sqc_dram_cost *cost)
{
	uint64_t alone = cost->played + 2;	/* one request a cycle, two queues */
	uint32_t waiting = cost->parameters->transaction_queue;

	if (cost->queued < waiting)
		return alone;
	return later(alone, moved_at(cost, cost->queued - waiting) + 2);
}

/* A piece in other banks than the one before finds their queues empty. */
static void choose_queues(struct sqc_dram_cost *cost, const struct piece *piece)
{
	if (cost->queue_set == piece->set)
		return;
	cost->queue_set = piece->set;
	cost->queue_room = cost->set_queue;
}

/* The piece's lines pass the queues while it is read from `start` on: beyond
 * what the bank queues take at once, a line moves when one is read. */
static void pass_queues(struct sqc_dram_cost *cost, const struct piece *piece, uint64_t start)
{
	uint32_t room = cost->queue_room;
	uint64_t room_cycles = (uint64_t)piece->rate * room;

	if (piece->lines <= room) {
		cost->queue_room = room - piece->lines;
		return;
	}
	cost->moved[cost->moved_next].first = cost->queued;
	cost->moved[cost->moved_next].rate = piece->rate;
	cost->moved[cost->moved_next].time =
		beyond(start + room_cycles, (uint64_t)piece->rate * cost->set_queue);
	cost->moved_next = (cost->moved_next + 1) % SQC_DRAM_HISTORY;
	cost->queued += piece->lines - room;
	cost->queue_room = 0;
}

/* ---------------------------------------------------------- bus and groups */

/* The bus stands still until `ready`, but for later pieces that fill the gap. */
static void leave_gap(struct sqc_dram_cost *cost, uint64_t ready, uint64_t waiting)
{
	uint64_t left = beyond(cost->gap_end, cost->gap_begin);

	if (cost->bus_free - cost->gap_end > (uint64_t)GAP_REACH_LINES * cost->burst)
		left = 0;
	cost->gap_begin = beyond(cost->bus_free, left);
	cost->gap_end = ready;
	cost->gap_lines = beyond(cost->parameters->transaction_queue, waiting);
	cost->bus_free = ready;
	cost->crowd++;
}

/* Cycles of `work` that fit into the gap. */
static uint64_t fill_gap(struct sqc_dram_cost *cost, uint64_t ready, uint64_t work,
			 uint64_t waiting)
{
	uint64_t begin = later(cost->gap_begin, ready);
	uint64_t lines = cost->queue_room + cost->gap_lines;
	uint64_t fill = earlier(beyond(cost->gap_end, begin),
				earlier(work, lines * cost->burst));

	if (fill == 0)
		return 0;
	cost->gap_begin = begin + fill;
	cost->gap_lines = beyond(cost->gap_lines, waiting);
	return fill;
}

/* When the bus has carried the piece. */
static uint64_t take_bus(struct sqc_dram_cost *cost, const struct piece *piece, uint64_t ready)
{
	const struct sqc_dram_parameters *p = cost->parameters;
	uint64_t waiting = beyond(piece->lines, cost->queue_room);
	uint64_t work = (uint64_t)piece->lines * cost->burst;

	if (cost->played != 0 && cost->last_rank != piece->rank)
		work += beyond(p->burst_cycles + p->trtrs_cycles, cost->burst);
	cost->last_rank = piece->rank;
	if (ready > cost->bus_free)
		leave_gap(cost, ready, waiting);
	else
		work -= fill_gap(cost, ready, work, waiting);
	cost->bus_free += work;
	return work != 0 ? cost->bus_free : cost->gap_begin;
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
	const struct sqc_dram_parameters *p = cost->parameters;
	uint64_t pair = 2 * ((uint64_t)p->burst_cycles + p->trtrs_cycles);

	for (uint32_t i = 0; i < p->ranks; i++) {
		struct sqc_dram_cost_rank *other = &cost->ranks[i];
		uint64_t shared, delay;

		if (i == number)
			continue;
		shared = beyond(earlier(to, other->busy_until), later(from, other->crowded_until));
		delay = shared / p->tccd_l_cycles * beyond(pair, p->tccd_l_cycles);
		if (delay == 0)
			continue;
		to += delay;
		other->busy_until += delay;
		cost->last_read = later(cost->last_read, other->busy_until - p->tccd_l_cycles);
	}
	return to;
}

/* `from`, or when no other rank has several bank groups with reads any more. */
static uint64_t uncrowded_from(const struct sqc_dram_cost *cost, uint32_t number, uint64_t from)
{
	for (uint32_t i = 0; i < cost->parameters->ranks; i++)
		if (i != number)
			from = later(from, cost->ranks[i].crowded_until);
	return from;
}

/* A bank group of the rank has reads until then. */
static void note_busy(struct sqc_dram_cost_rank *rank, uint32_t group, uint64_t until)
{
	if (group != rank->busy_group && until <= rank->busy_until) {
		rank->crowded_until = later(rank->crowded_until, until);
		return;
	}
	if (group != rank->busy_group)
		rank->crowded_until = rank->busy_until;
	rank->busy_group = group;
	rank->busy_until = until;
}

/* The bank group, its lines counted for the current stretch of the bus. */
static struct sqc_dram_cost_group *group_at(struct sqc_dram_cost *cost, uint32_t number)
{
	struct sqc_dram_cost_group *group = &cost->groups[number];

	if ((cost->groups_used >> number & 1) == 0)
		*group = (struct sqc_dram_cost_group){ .crowd = cost->crowd };
	cost->groups_used |= UINT64_C(1) << number;
	if (group->crowd != cost->crowd)
		group->lines = 0;
	group->crowd = cost->crowd;
	return group;
}

/* When a bank group has read its lines of a piece that it holds up. */
static uint64_t take_group(struct sqc_dram_cost *cost, const struct piece *piece,
			   uint32_t number, uint64_t ready, uint32_t lines)
{
	const struct sqc_dram_parameters *p = cost->parameters;
	struct sqc_dram_cost_group *group = group_at(cost, number);
	uint64_t from = uncrowded_from(cost, piece->rank, later(ready, group->free));
	uint64_t to = from + (uint64_t)lines * p->tccd_l_cycles;

	to = share_with_ranks(cost, piece->rank, from, to);
	note_busy(&cost->ranks[piece->rank], number, to);
	group->free = to;
	group->lines += lines;
	return to - p->tccd_l_cycles + cost->burst;
}

/*
 * When the bank groups have read the piece. Groups that keep up with the bus
 * only matter for what they have in excess of others at the end.
 */
static uint64_t take_groups(struct sqc_dram_cost *cost, const struct piece *piece,
			    uint64_t ready)
{
	uint32_t first = piece->rank << cost->group_bits;
	uint32_t rest = piece->lines & (cost->slices - 1);
	uint64_t last = 0;

	if (piece->rate == cost->burst) {
		for (uint32_t i = 0; i < rest; i++)
			group_at(cost, first + piece_group(cost, piece, i))->lines++;
		return 0;
	}
	for (uint32_t i = 0; i < piece->count; i++) {
		uint32_t lines = piece->lines / piece->count + (i < piece->lines % piece->count);
		uint32_t number = first + piece_group(cost, piece, i);

		last = later(last, take_group(cost, piece, number, ready, lines));
	}
	return last;
}

/* Reads a piece whose rows are open from `ready` on, without a refresh. */
static void read_piece(struct sqc_dram_cost *cost, const struct piece *piece, uint64_t ready)
{
	uint64_t last, span = (uint64_t)piece->rate * (piece->lines - 1);

	choose_queues(cost, piece);
	last = take_bus(cost, piece, ready);
	last = later(last, take_groups(cost, piece, ready));
	last -= cost->burst;		/* the last read command */
	note_used(cost, piece, last);
	cost->last_read = later(cost->last_read, last);
	pass_queues(cost, piece, later(ready, beyond(last, span)));
	cost->played += piece->lines;
}

/* Lines of the piece that are read before the next refresh gets in the way:
 * all of them, or at least one. Refreshes of other ranks are played. */
static uint64_t lines_before_refresh(struct sqc_dram_cost *cost, const struct piece *piece,
				     uint64_t start)
{
	uint64_t end = start + (uint64_t)piece->lines * piece->rate;

	for (uint32_t i = 0; i < REFRESHES_MAX && cost->refresh_next < end; i++) {
		if (cost->refresh_rank == piece->rank)
			return earlier(piece->lines,
				       later(1, beyond(cost->refresh_next, start) / piece->rate));
		refresh(cost);
	}
	return NEVER;
}

/* Reads lines that lie in one row, or in the rows that a run shares. */
static void read_row(struct sqc_dram_cost *cost, uint64_t line, uint64_t lines)
{
	while (lines != 0) {
		struct piece piece = make_piece(cost, line, (uint32_t)lines);
		uint64_t arrival = next_arrival(cost);
		uint64_t start = later(arrival, cost->bus_free);
		uint64_t ready, before;

		for (uint32_t i = 0; i < REFRESHES_MAX && cost->refresh_next <= start; i++)
			refresh(cost);
		ready = open_rows(cost, &piece, arrival);
		before = lines_before_refresh(cost, &piece, later(start, ready));
		piece.lines = (uint32_t)earlier(piece.lines, before);
		read_piece(cost, &piece, ready);
		if (before != NEVER) {
			refresh(cost);
			cost->queue_room = cost->set_queue;
		}
		line += piece.lines;
		lines -= piece.lines;
	}
}

/* ------------------------------------------------------------------ public */

void sqc_dram_cost_begin(struct sqc_dram_cost *cost,
			 const struct sqc_dram_parameters *parameters,
			 enum sqc_dram_mapping mapping)
{
	const struct sqc_dram_parameters *p =
		parameters != NULL ? parameters : sqc_dram_parameters_find(NULL);
	struct sqc_dram_layout layout;

	memset(cost, 0, offsetof(struct sqc_dram_cost, ranks));
	cost->parameters = p;
	cost->mapping = mapping;
	sqc_dram_layout_make(&layout, p, mapping);
	cost->group_mask = p->bank_groups - 1;
	cost->set_mask = p->ranks * p->banks_per_group - 1;
	cost->group_shift = layout.group_shift;
	cost->set_shift = (uint8_t)(layout.column_bits + layout.group_bits);
	cost->row_shift = (uint8_t)(cost->set_shift + layout.bank_bits + layout.rank_bits);
	cost->group_bits = layout.group_bits;
	cost->bank_bits = layout.bank_bits;
	cost->slice_bits = mapping == SQC_DRAM_STOCK ? 0 : layout.group_bits;
	cost->slices = 1u << cost->slice_bits;
	cost->set_lines = 1u << (layout.column_bits + cost->slice_bits);
	cost->set_queue = p->bank_queue << cost->slice_bits;
	cost->burst = later32(p->burst_cycles, p->tccd_s_cycles);
	cost->full_rate = later32(cost->burst,
				  (p->tccd_l_cycles + cost->slices - 1) / cost->slices);
	cost->pending_max = PENDING_PIECES * cost->set_lines;
	cost->queue_set = NOBODY;
	cost->refresh_next = p->trefi_cycles / p->ranks;
	for (uint32_t i = 0; i < p->ranks; i++)
		cost->ranks[i] = (struct sqc_dram_cost_rank){
			.last_group = NOBODY, .busy_group = NOBODY };
}

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
		.lines = cost->played,
		.cycles = cost->last_read,
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

/* Plays a run. */
static void read_run(struct sqc_dram_cost *cost, uint64_t line, uint64_t lines)
{
	struct totals sample;

	for (uint32_t pieces = 0; lines != 0; pieces++) {
		uint64_t part = earlier(lines, cost->set_lines - (line & (cost->set_lines - 1)));

		if (pieces == PIECES_MAX / 2)
			sample = totals_of(cost);
		if (pieces == PIECES_MAX) {
			skip_lines(cost, &sample, lines);
			return;
		}
		read_row(cost, line, part);
		line += part;
		lines -= part;
	}
}

static void read_pending(struct sqc_dram_cost *cost)
{
	read_run(cost, cost->pending_line, cost->pending_lines);
	cost->pending_lines = 0;
}

void sqc_dram_cost_run(struct sqc_dram_cost *cost, uint64_t address, uint64_t lines)
{
	uint64_t line = address >> SQC_DRAM_LINE_SHIFT;

	cost->lines = sum(cost->lines, lines);
	/* Planes that follow each other are one run. */
	if (line == cost->pending_line + cost->pending_lines &&
	    lines <= cost->pending_max - cost->pending_lines) {
		cost->pending_lines += lines;
		return;
	}
	read_pending(cost);
	cost->pending_line = line;
	if (lines <= cost->pending_max)
		cost->pending_lines = lines;
	else
		read_run(cost, line, lines);
}

/* The last line leaves the busiest bank group later than the bus says when it
 * has more lines queued than the next one: for the excess it is alone. */
static uint64_t last_of_crowd(const struct sqc_dram_cost *cost)
{
	const struct sqc_dram_parameters *p = cost->parameters;
	uint64_t first = 0, second = 0, excess;

	for (uint64_t rest = cost->groups_used; rest != 0; rest &= rest - 1) {
		uint32_t group = (uint32_t)__builtin_ctzll(rest);
		uint64_t lines = cost->groups[group].crowd == cost->crowd ?
				 cost->groups[group].lines : 0;

		second = later(second, earlier(first, lines));
		first = later(first, lines);
	}
	excess = earlier(beyond(first - second, 1), GAP_REACH_LINES);
	return cost->bus_free - cost->burst + excess * beyond(p->tccd_l_cycles, cost->burst);
}

void sqc_dram_cost_end(struct sqc_dram_cost *cost, uint64_t *time_ns,
		       uint64_t *energy_pj)
{
	const struct sqc_dram_parameters *p = cost->parameters;
	uint64_t cycles, idle, active, refreshes;
	struct sqc_dram_energy energy;

	*time_ns = 0;
	*energy_pj = 0;
	if (cost->lines == 0)
		return;
	read_pending(cost);
	idle = cost->idle_cycles;
	refreshes = cost->refreshes;
	cycles = later(cost->last_read, last_of_crowd(cost)) + p->cl_cycles + p->burst_cycles + 1;
	if (cycles > cost->refresh_next)
		refreshes += 1 + (cycles - cost->refresh_next) / (p->trefi_cycles / p->ranks);
	for (uint32_t i = 0; i < p->ranks; i++)
		if (cost->ranks[i].closed_since != NEVER)
			idle += beyond(cycles, cost->ranks[i].closed_since);
	cycles = sum(cycles, cost->skipped_cycles);
	sqc_dram_energy_make(&energy, p);
	*time_ns = share(cycles, p->tck_ps, 1000);
	active = beyond(share(cycles, p->ranks, 1), idle);
	*energy_pj = sum(share(cost->activates, energy.activate, 1000),
			 share(cost->lines, energy.read, 1000));
	*energy_pj = sum(*energy_pj, share(refreshes, energy.refresh, 1000));
	*energy_pj = sum(*energy_pj, share(active, energy.active_cycle, 1000));
	*energy_pj = sum(*energy_pj, share(idle, energy.idle_cycle, 1000));
}
