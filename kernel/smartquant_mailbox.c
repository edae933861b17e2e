// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The primary mailbox
 *
 * A command is written into the registers, started by the doorbell bit, and
 * done when the device clears that bit. There is no interrupt for this; the
 * bit is polled. A background command is done with its doorbell at once
 * (BACKGROUND_STARTED) and goes on; its end comes with an interrupt, or is
 * polled where the device has none.
 *
 * A command that does not end in time leaves the mailbox stuck: the device
 * may still write the payload, so nothing more is started before a reset.
 */

#include <linux/bitfield.h>
#include <linux/errno.h>
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/iopoll.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/pci.h>

#include "smartquant_device.h"
#include "smartquant_mailbox.h"
#include "smartquant_status.h"
#include "smartquant_trace.h"

/* CXL r3.1, 8.2.8.4.3: 256 bytes to 1 MiB. */
#define SQ_PAYLOAD_BYTES_LOG2_MIN	8
#define SQ_PAYLOAD_BYTES_LOG2_MAX	20

#define SQ_DOORBELL_POLL_US		50
/* Also what a lost interrupt costs. */
#define SQ_BACKGROUND_POLL_MS		250

/* Mapping a large view makes all of its bytes, hence the generous limit. */
static unsigned int mailbox_timeout_ms = 60000;
module_param(mailbox_timeout_ms, uint, 0644);
MODULE_PARM_DESC(mailbox_timeout_ms, "milliseconds until a mailbox command counts as lost");

static u32 sq_mailbox_read32(struct sq_mailbox *mailbox, unsigned int offset)
{
	return readl(mailbox->registers + offset);
}

static u64 sq_mailbox_read64(struct sq_mailbox *mailbox, unsigned int offset)
{
	return readq(mailbox->registers + offset);
}

static void sq_mailbox_write32(struct sq_mailbox *mailbox, unsigned int offset, u32 value)
{
	writel(value, mailbox->registers + offset);
}

static void sq_mailbox_write64(struct sq_mailbox *mailbox, unsigned int offset, u64 value)
{
	writeq(value, mailbox->registers + offset);
}

void sq_mailbox_create(struct sq_mailbox *mailbox)
{
	mutex_init(&mailbox->lock);
	mutex_init(&mailbox->background);
	init_waitqueue_head(&mailbox->background_wait);
	mailbox->vector = -1;
}

int sq_mailbox_init(struct sq_device *sq, void __iomem *registers, u32 bytes)
{
	struct sq_mailbox *mailbox = &sq->mailbox;
	struct device *dev = &sq->pdev->dev;
	u32 caps, log2;

	if (bytes < SQ_MBOX_PAYLOAD)
		return dev_err_probe(dev, -ENXIO, "mailbox has only %u bytes\n", bytes);

	mailbox->registers = registers;
	caps = sq_mailbox_read32(mailbox, SQ_MBOX_CAPS);
	log2 = FIELD_GET(SQ_MBOX_CAPS_PAYLOAD_LOG2, caps);
	if (log2 < SQ_PAYLOAD_BYTES_LOG2_MIN || log2 > SQ_PAYLOAD_BYTES_LOG2_MAX ||
	    bytes - SQ_MBOX_PAYLOAD < 1u << log2)
		return dev_err_probe(dev, -ENXIO, "mailbox of %u bytes, payload of 2^%u\n",
				     bytes, log2);
	mailbox->payload_bytes = 1u << log2;
	if (mailbox->payload_bytes < sizeof(struct sq_mbox_identify))
		return dev_err_probe(dev, -ENXIO, "mailbox payload of %u bytes is too small\n",
				     mailbox->payload_bytes);
	if (caps & SQ_MBOX_CAPS_BG_IRQ)
		mailbox->vector = FIELD_GET(SQ_MBOX_CAPS_IRQ_VECTOR, caps);
	return 0;
}

/* An absent device reads as all ones. */
static int sq_mailbox_wait_idle(struct sq_mailbox *mailbox)
{
	u32 control;
	int ret;

	ret = read_poll_timeout(readl, control,
				control == U32_MAX || !(control & SQ_MBOX_CTRL_DOORBELL),
				SQ_DOORBELL_POLL_US, mailbox_timeout_ms * 1000ULL, false,
				mailbox->registers + SQ_MBOX_CTRL);
	if (ret)
		return ret;
	return control == U32_MAX ? -ENODEV : 0;
}

static void sq_mailbox_start(struct sq_mailbox *mailbox, const struct sq_mailbox_command *command)
{
	u32 control = SQ_MBOX_CTRL_DOORBELL;

	if (mailbox->vector >= 0)
		control |= SQ_MBOX_CTRL_BG_IRQ;
	memcpy_toio(mailbox->registers + SQ_MBOX_PAYLOAD, command->in, command->in_bytes);
	sq_mailbox_write64(mailbox, SQ_MBOX_CMD,
			   FIELD_PREP(SQ_MBOX_CMD_OPCODE, command->opcode) |
			   FIELD_PREP(SQ_MBOX_CMD_LENGTH, command->in_bytes));
	sq_mailbox_write32(mailbox, SQ_MBOX_CTRL, control);
}

/*
 * The answer's status and payload; its length is the device's word. The
 * command register keeps the opcode: anything else is not our answer, and a
 * device whose registers read as zero must not look like success.
 */
static int sq_mailbox_finish(struct sq_mailbox *mailbox, struct sq_mailbox_command *command)
{
	u64 answered = sq_mailbox_read64(mailbox, SQ_MBOX_CMD);
	int error;

	if (FIELD_GET(SQ_MBOX_CMD_OPCODE, answered) != command->opcode)
		return -EPROTO;
	command->status = FIELD_GET(SQ_MBOX_STATUS_RETURN_CODE,
				    sq_mailbox_read64(mailbox, SQ_MBOX_STATUS));
	error = sq_status_errno(command->status);
	if (error)
		return error;

	command->out_bytes = FIELD_GET(SQ_MBOX_CMD_LENGTH, answered);
	if (command->out_bytes < command->out_bytes_min ||
	    command->out_bytes > min(command->out_bytes_max, mailbox->payload_bytes))
		return -EPROTO;
	memcpy_fromio(command->out, mailbox->registers + SQ_MBOX_PAYLOAD, command->out_bytes);
	return 0;
}

static int sq_mailbox_execute_locked(struct sq_mailbox *mailbox,
				     struct sq_mailbox_command *command)
{
	int ret;

	lockdep_assert_held(&mailbox->lock);
	if (mailbox->stuck)
		return -ETIMEDOUT;
	if (command->in_bytes > mailbox->payload_bytes)
		return -EMSGSIZE;

	ret = sq_mailbox_wait_idle(mailbox);
	if (!ret) {
		sq_mailbox_start(mailbox, command);
		ret = sq_mailbox_wait_idle(mailbox);
	}
	if (ret) {
		mailbox->stuck = ret == -ETIMEDOUT;
		return ret;
	}
	return sq_mailbox_finish(mailbox, command);
}

int sq_mailbox_execute(struct sq_device *sq, struct sq_mailbox_command *command)
{
	struct sq_mailbox *mailbox = &sq->mailbox;
	u64 start_ns = ktime_get_ns();
	bool stuck;
	int ret;

	command->status = SQ_STATUS_SUCCESS;
	command->out_bytes = 0;
	mutex_lock(&mailbox->lock);
	ret = sq_mailbox_execute_locked(mailbox, command);
	stuck = mailbox->stuck;
	mutex_unlock(&mailbox->lock);
	if ((ret == -EPROTO || ret == -ETIMEDOUT) && !pci_device_is_present(sq->pdev))
		ret = -ENODEV;

	trace_smartquant_mailbox(sq, command, ret, ktime_get_ns() - start_ns);
	if (stuck)
		sq_device_reset_later(sq);
	return ret;
}

int sq_mailbox_run(struct sq_device *sq, u16 opcode, const void *in, u32 in_bytes,
		   void *out, u32 out_bytes, u32 *status)
{
	struct sq_mailbox_command command = {
		.opcode = opcode,
		.in = in,
		.in_bytes = in_bytes,
		.out = out,
		.out_bytes_min = out_bytes,
		.out_bytes_max = out_bytes,
	};
	int ret = sq_mailbox_execute(sq, &command);

	if (status)
		*status = command.status;
	return ret;
}

void sq_mailbox_interrupt(struct sq_mailbox *mailbox)
{
	WRITE_ONCE(mailbox->interrupts, mailbox->interrupts + 1);
	wake_up(&mailbox->background_wait);
}

int sq_mailbox_background_lock(struct sq_device *sq)
{
	return mutex_lock_killable(&sq->mailbox.background) ? -EINTR : 0;
}

void sq_mailbox_background_unlock(struct sq_device *sq)
{
	mutex_unlock(&sq->mailbox.background);
}

int sq_mailbox_progress(struct sq_device *sq, struct sq_mailbox_progress *progress)
{
	struct sq_mailbox *mailbox = &sq->mailbox;
	u64 status, background;

	mutex_lock(&mailbox->lock);
	status = sq_mailbox_read64(mailbox, SQ_MBOX_STATUS);
	background = sq_mailbox_read64(mailbox, SQ_MBOX_BG_STATUS);
	mutex_unlock(&mailbox->lock);
	if (status == U64_MAX)
		return -ENODEV;

	progress->running = status & SQ_MBOX_STATUS_BG;
	progress->opcode = FIELD_GET(SQ_MBOX_BG_OPCODE, background);
	progress->percent = min_t(u8, FIELD_GET(SQ_MBOX_BG_PERCENT, background), 100);
	progress->result = FIELD_GET(SQ_MBOX_BG_RETURN_CODE, background);
	return 0;
}

/* Looks again now and then, for devices and moments without interrupts. */
static int sq_background_wait(struct sq_device *sq, struct sq_mailbox_progress *progress)
{
	struct sq_mailbox *mailbox = &sq->mailbox;
	unsigned int seen;
	int ret;

	for (;;) {
		seen = READ_ONCE(mailbox->interrupts);
		if (READ_ONCE(sq->gone))
			return -ENODEV;
		ret = sq_mailbox_progress(sq, progress);
		if (ret || !progress->running)
			return ret;
		ret = wait_event_killable_timeout(mailbox->background_wait,
						  READ_ONCE(mailbox->interrupts) != seen ||
						  READ_ONCE(sq->gone),
						  msecs_to_jiffies(SQ_BACKGROUND_POLL_MS));
		if (ret < 0)
			return -EINTR;
	}
}

int sq_mailbox_background_run(struct sq_device *sq, u16 opcode, const void *in, u32 in_bytes,
			      u32 *status)
{
	struct sq_mailbox_progress progress;
	int ret;

	lockdep_assert_held(&sq->mailbox.background);
	ret = sq_mailbox_run(sq, opcode, in, in_bytes, NULL, 0, status);
	if (ret || *status != SQ_STATUS_BACKGROUND_STARTED)
		return ret;

	*status = SQ_STATUS_SUCCESS;
	ret = sq_background_wait(sq, &progress);
	if (ret)
		return ret;
	/* A reset in between forgets the command. */
	if (progress.opcode != opcode)
		return -ECANCELED;
	*status = progress.result;
	trace_smartquant_background(sq, opcode, progress.result);
	return sq_status_errno(progress.result);
}

void sq_mailbox_pause(struct sq_mailbox *mailbox)
{
	mutex_lock(&mailbox->lock);
}

void sq_mailbox_resume(struct sq_mailbox *mailbox)
{
	mailbox->stuck = false;
	mutex_unlock(&mailbox->lock);
}
