/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The primary mailbox (CXL r3.1, 8.2.8.4): one command at a time, and at most
 * one of them going on in the background.
 */
#ifndef SMARTQUANT_MAILBOX_H
#define SMARTQUANT_MAILBOX_H

#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/wait.h>

struct sq_device;

/**
 * struct sq_mailbox - the mailbox of a card
 * @registers: the capability's registers
 * @payload_bytes: room for the payload
 * @vector: MSI-X vector of background completion, -1: none, it is polled
 * @lock: one command at a time; protects the registers and @stuck
 * @stuck: a command timed out; nothing more is tried before a reset
 * @background: held from the start of a background command until its results
 *		are fetched, or its waiter is killed
 * @background_wait: woken by the interrupt and when the card goes
 * @interrupts: count of them, written by the interrupt handler only
 */
struct sq_mailbox {
	void __iomem *registers;
	u32 payload_bytes;
	int vector;
	struct mutex lock;
	bool stuck;
	struct mutex background;
	wait_queue_head_t background_wait;
	unsigned int interrupts;
};

/**
 * struct sq_mailbox_command - one command
 * @opcode: SQ_MBOX_*
 * @status: out, SQ_STATUS_*
 * @in: payload in, @in_bytes of it
 * @out: room for the payload out
 * @in_bytes: may be 0
 * @out_bytes_min: a shorter answer is a protocol error
 * @out_bytes_max: a longer answer is a protocol error
 * @out_bytes: out, length of the answer
 */
struct sq_mailbox_command {
	u16 opcode;
	u16 status;
	const void *in;
	void *out;
	u32 in_bytes;
	u32 out_bytes_min;
	u32 out_bytes_max;
	u32 out_bytes;
};

/* What the background registers say. */
struct sq_mailbox_progress {
	bool running;
	u16 opcode;
	u8 percent;
	u16 result;
};

void sq_mailbox_create(struct sq_mailbox *mailbox);
int sq_mailbox_init(struct sq_device *sq, void __iomem *registers, u32 bytes);
void sq_mailbox_interrupt(struct sq_mailbox *mailbox);

/**
 * sq_mailbox_execute() - runs a command
 * @sq: the card; the caller is inside of the gate, or owns the card
 * @command: what, and its answer
 *
 * Return: 0 on SUCCESS and BACKGROUND_STARTED, else the errno of the status,
 * or -ETIMEDOUT, -ENODEV, -EPROTO.
 */
int sq_mailbox_execute(struct sq_device *sq, struct sq_mailbox_command *command);

/* The same for an answer of fixed length. @status may be NULL. */
int sq_mailbox_run(struct sq_device *sq, u16 opcode, const void *in, u32 in_bytes,
		   void *out, u32 out_bytes, u32 *status);

/*
 * A background command, and the wait for its end. The lock also covers the
 * commands that fetch its results. -EINTR: killed; the device goes on.
 */
int sq_mailbox_background_lock(struct sq_device *sq);
void sq_mailbox_background_unlock(struct sq_device *sq);
int sq_mailbox_background_run(struct sq_device *sq, u16 opcode, const void *in, u32 in_bytes,
			      u32 *status);
int sq_mailbox_progress(struct sq_device *sq, struct sq_mailbox_progress *progress);

/* For resets: nobody uses the mailbox between the two. */
void sq_mailbox_pause(struct sq_mailbox *mailbox);
void sq_mailbox_resume(struct sq_mailbox *mailbox);

#endif /* SMARTQUANT_MAILBOX_H */
