/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Queue pairs: a submission and a completion ring in host memory, with an
 * interrupt vector of their own.
 *
 * Each command under way has a slot. Its id, which comes back in the
 * completion, is the slot's number and a generation, so that a completion
 * for a command that was given up hits nobody else. There is one slot less
 * than the rings have entries; so neither ring can overflow.
 */
#ifndef SMARTQUANT_QUEUE_H
#define SMARTQUANT_QUEUE_H

#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include <smartquant/device.h>

struct sq_device;
struct sq_transfer;

enum sq_queue_state {
	SQ_QUEUE_PAUSED,	/* not known to the device; submitters wait */
	SQ_QUEUE_LIVE,
	SQ_QUEUE_DEAD,		/* until a reset works; submitters get sq_queue.error */
};

/* The command in a slot; @transfer is NULL in a free one. */
struct sq_slot {
	struct sq_transfer *transfer;
	unsigned long deadline;	/* jiffies */
	u8 generation;
};

/**
 * struct sq_queue - a queue pair
 * @sq: the card
 * @index: number of the queue, for the device and the doorbells
 * @depth: entries of each ring
 * @vector: MSI-X vector
 * @irq: its Linux number; 0: not requested
 * @doorbells: the page of this queue
 * @submissions: ring, coherent memory like the next two
 * @completions: ring
 * @results: a record for each slot
 * @submissions_address: for the device, like the next two
 * @completions_address: ring
 * @results_address: records
 * @lock: protects all that follows up to @wait, and the ring pointers
 * @state: see above
 * @error: why the queue is dead
 * @tail: next submission entry
 * @head: next completion entry
 * @phase: of the next completion
 * @slots: @depth - 1 of them
 * @busy: bitmap of the slots in use
 * @wait: for a free slot, or another state
 * @recover: one recovery at a time
 * @watchdog: looks for commands that take too long; runs while any is under
 *	      way
 */
struct sq_queue {
	struct sq_device *sq;
	u16 index;
	u16 depth;
	u16 vector;
	int irq;
	void __iomem *doorbells;

	struct sq_submission *submissions;
	struct sq_completion *completions;
	struct sq_result *results;
	dma_addr_t submissions_address;
	dma_addr_t completions_address;
	dma_addr_t results_address;

	spinlock_t lock;
	enum sq_queue_state state;
	int error;
	u16 tail;
	u16 head;
	u16 phase;
	struct sq_slot *slots;
	unsigned long *busy;
	wait_queue_head_t wait;

	struct mutex recover;
	struct delayed_work watchdog;
};

/* Names a submitted command. */
struct sq_queue_ticket {
	struct sq_queue *queue;
	u16 id;
};

/* Creates, starts; stops and frees all queues of a card. */
int sq_queues_start(struct sq_device *sq);
void sq_queues_stop(struct sq_device *sq);

/*
 * Around a reset: nothing is submitted in between; what was under way fails
 * with -ETIMEDOUT at resume, when the device cannot write any more.
 */
void sq_queues_pause(struct sq_device *sq);
void sq_queues_resume(struct sq_device *sq);
/* Without a reset: the caller has made sure that the device writes no more. */
void sq_queues_fail(struct sq_device *sq, int error);

/**
 * sq_queue_submit() - hands a transfer to a queue near the calling CPU
 * @sq: the card
 * @transfer: prepared; the queue takes a reference of its own
 * @may_wait: for a free slot, killably
 * @ticket: out, for sq_queue_abort(); may be NULL
 *
 * Return: 0, and sq_transfer_end() will be called once; -EAGAIN: no free slot
 * (and @may_wait is false); -EINTR; or why the queue is dead.
 */
int sq_queue_submit(struct sq_device *sq, struct sq_transfer *transfer, bool may_wait,
		    struct sq_queue_ticket *ticket);

/* Asks the device to give a command up. Its end comes as ever. */
void sq_queue_abort(struct sq_device *sq, const struct sq_queue_ticket *ticket);

#endif /* SMARTQUANT_QUEUE_H */
