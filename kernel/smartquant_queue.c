// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Queue pairs
 *
 * Completions are handled in an interrupt thread: there the memory of a
 * transfer is unmapped and unpinned, which may sleep. A command that takes
 * too long makes its watchdog delete the queue and create it anew; once the
 * device has deleted it, it does not touch the memory of its commands any
 * more, and they fail. Where even that is not answered the card is reset.
 */

#include <linux/bitfield.h>
#include <linux/bitmap.h>
#include <linux/cpumask.h>
#include <linux/dma-mapping.h>
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include "smartquant_device.h"
#include "smartquant_queue.h"
#include "smartquant_trace.h"
#include "smartquant_transfer.h"

/* A slot takes a ring entry and a result record: 208 bytes in all. */
#define SQ_QUEUE_DEPTH			256

/* An id is a slot's number and its generation. */
#define SQ_ID_SLOT			GENMASK(9, 0)
#define SQ_ID_GENERATION		GENMASK(15, 10)

/* Also what a lost interrupt costs at most. */
#define SQ_WATCHDOG_MS			500

/* Flushing a large store to a slow disk is one transfer, too. */
static unsigned int transfer_timeout_ms = 60000;
module_param(transfer_timeout_ms, uint, 0644);
MODULE_PARM_DESC(transfer_timeout_ms, "milliseconds until a transfer counts as lost");

static void sq_queue_doorbell(struct sq_queue *queue, unsigned int offset, u16 value)
{
	writel(value, queue->doorbells + offset);
}

static unsigned int sq_queue_slots(const struct sq_queue *queue)
{
	return queue->depth - 1;
}

/* Submission */

static void sq_queue_push(struct sq_queue *queue, struct sq_transfer *transfer, u16 id)
{
	struct sq_submission *entry = &queue->submissions[queue->tail];
	unsigned int slot = FIELD_GET(SQ_ID_SLOT, id);
	dma_addr_t result = queue->results_address + slot * sizeof(struct sq_result);

	lockdep_assert_held(&queue->lock);
	memset(&queue->results[slot], 0, sizeof(struct sq_result));
	sq_transfer_encode(transfer, entry);
	entry->id = cpu_to_le16(id);
	entry->result_address = cpu_to_le64(result);
	queue->tail = (queue->tail + 1) % queue->depth;
	/* writel() orders the entry before the doorbell. */
	sq_queue_doorbell(queue, SQ_DOORBELL_SUBMISSION, queue->tail);
}

static u16 sq_slot_take(struct sq_queue *queue, unsigned int slot, struct sq_transfer *transfer)
{
	struct sq_slot *taken = &queue->slots[slot];

	lockdep_assert_held(&queue->lock);
	__set_bit(slot, queue->busy);
	taken->transfer = transfer;
	taken->generation++;
	taken->deadline = jiffies + msecs_to_jiffies(transfer_timeout_ms);
	return FIELD_PREP(SQ_ID_SLOT, slot) |
	       FIELD_PREP(SQ_ID_GENERATION, taken->generation % 64);
}

static int sq_queue_submit_locked(struct sq_queue *queue, struct sq_transfer *transfer, u16 *id)
{
	unsigned int slot;

	lockdep_assert_held(&queue->lock);
	if (queue->state == SQ_QUEUE_DEAD)
		return queue->error;
	slot = find_first_zero_bit(queue->busy, sq_queue_slots(queue));
	if (queue->state == SQ_QUEUE_PAUSED || slot >= sq_queue_slots(queue))
		return -EAGAIN;

	sq_transfer_get(transfer);
	transfer->submitted_ns = ktime_get_ns();
	*id = sq_slot_take(queue, slot, transfer);
	trace_smartquant_submit(queue, transfer, *id);
	sq_queue_push(queue, transfer, *id);
	queue_delayed_work(system_wq, &queue->watchdog, msecs_to_jiffies(SQ_WATCHDOG_MS));
	return 0;
}

/* -EAGAIN: no slot is free, or the queue is paused. */
static int sq_queue_try_submit(struct sq_queue *queue, struct sq_transfer *transfer, u16 *id)
{
	int ret;

	spin_lock(&queue->lock);
	ret = sq_queue_submit_locked(queue, transfer, id);
	spin_unlock(&queue->lock);
	return ret;
}

int sq_queue_submit(struct sq_device *sq, struct sq_transfer *transfer, bool may_wait,
		    struct sq_queue_ticket *ticket)
{
	struct sq_queue *queue = &sq->queues[raw_smp_processor_id() % sq->queue_count];
	int ret, killed = 0;
	u16 id;

	ret = sq_queue_try_submit(queue, transfer, &id);
	if (ret == -EAGAIN && may_wait)
		killed = wait_event_killable(queue->wait,
					     (ret = sq_queue_try_submit(queue, transfer, &id)) !=
					     -EAGAIN);
	if (killed)
		return -EINTR;
	/* Dead since a reset failed: the card may answer to another by now. */
	if (ret == -EIO)
		sq_device_reset_later(sq);
	if (ret)
		return ret;
	if (ticket)
		*ticket = (struct sq_queue_ticket) { .queue = queue, .id = id };
	return 0;
}

void sq_queue_abort(struct sq_device *sq, const struct sq_queue_ticket *ticket)
{
	struct sq_transfer *abort = kzalloc(sizeof(*abort), GFP_KERNEL);
	u16 id;

	/* Without it the command ends later, that is all. */
	if (!abort)
		return;
	refcount_set(&abort->users, 1);
	init_completion(&abort->done);
	abort->dma_device = &sq->pdev->dev;
	abort->direction = DMA_NONE;
	abort->request.opcode = SQ_OP_ABORT;
	abort->request.abort_id = ticket->id;
	sq_queue_try_submit(ticket->queue, abort, &id);
	sq_transfer_put(abort);
}

/* Completion */

static struct sq_transfer *sq_slot_release(struct sq_queue *queue, unsigned int slot)
{
	struct sq_transfer *transfer = queue->slots[slot].transfer;

	lockdep_assert_held(&queue->lock);
	queue->slots[slot].transfer = NULL;
	__clear_bit(slot, queue->busy);
	return transfer;
}

/* The device's word, so it is checked; NULL: nobody waits for this id. */
static struct sq_transfer *sq_queue_match(struct sq_queue *queue, u16 id)
{
	unsigned int slot = FIELD_GET(SQ_ID_SLOT, id);

	if (slot >= sq_queue_slots(queue) || !queue->slots[slot].transfer ||
	    queue->slots[slot].generation % 64 != FIELD_GET(SQ_ID_GENERATION, id))
		return NULL;
	return sq_slot_release(queue, slot);
}

static void sq_queue_take(struct sq_queue *queue, const struct sq_completion *entry,
			  struct list_head *ended)
{
	u16 status = le16_to_cpu(entry->status);
	struct sq_transfer *transfer;
	u16 id = le16_to_cpu(entry->id);

	transfer = sq_queue_match(queue, id);
	if (!transfer) {
		trace_smartquant_err_completion(queue, id, status);
		return;
	}
	sq_transfer_take_result(transfer, &queue->results[FIELD_GET(SQ_ID_SLOT, id)], status);
	/* A device may give no record; the completion has the length. */
	if (!transfer->result.bytes)
		transfer->result.bytes = le32_to_cpu(entry->bytes);
	trace_smartquant_complete(queue, transfer, id, ktime_get_ns() - transfer->submitted_ns);
	list_add_tail(&transfer->node, ended);
}

/* Takes the completions that are there; at most a ring full. */
static void sq_queue_collect(struct sq_queue *queue, struct list_head *ended)
{
	struct sq_completion entry;
	unsigned int taken;

	lockdep_assert_held(&queue->lock);
	for (taken = 0; taken < queue->depth; taken++) {
		const struct sq_completion *next = &queue->completions[queue->head];

		if ((le16_to_cpu(READ_ONCE(next->phase)) & 1) != queue->phase)
			break;
		/* The entry, and the data it speaks of, after its phase bit. */
		dma_rmb();
		entry = *next;
		sq_queue_take(queue, &entry, ended);
		if (++queue->head == queue->depth) {
			queue->head = 0;
			queue->phase ^= 1;
		}
	}
	if (taken && queue->state == SQ_QUEUE_LIVE)
		sq_queue_doorbell(queue, SQ_DOORBELL_COMPLETION, queue->head);
}

static void sq_transfers_end(struct list_head *ended)
{
	struct sq_transfer *transfer, *next;

	list_for_each_entry_safe(transfer, next, ended, node)
		sq_transfer_end(transfer);
}

static void sq_queue_reap(struct sq_queue *queue)
{
	LIST_HEAD(ended);

	scoped_guard(spinlock, &queue->lock)
		sq_queue_collect(queue, &ended);
	if (list_empty(&ended))
		return;
	sq_transfers_end(&ended);
	wake_up_all(&queue->wait);
}

static irqreturn_t sq_queue_interrupt(int irq, void *data)
{
	sq_queue_reap(data);
	return IRQ_HANDLED;
}

/*
 * Ends everything under way with @error. The caller has made sure that the
 * device does not touch the memory of these transfers any more.
 */
static void sq_queue_give_up(struct sq_queue *queue, int error)
{
	struct sq_transfer *transfer;
	unsigned int slot, failed = 0;
	LIST_HEAD(ended);

	scoped_guard(spinlock, &queue->lock) {
		for_each_set_bit(slot, queue->busy, sq_queue_slots(queue)) {
			transfer = sq_slot_release(queue, slot);
			transfer->error = error;
			list_add_tail(&transfer->node, &ended);
			failed++;
		}
	}
	if (failed)
		trace_smartquant_err_queue(queue, failed, error);
	sq_transfers_end(&ended);
}

/* A queue of a card that is gone stays dead; one that failed may come back. */
static void sq_queue_set_state(struct sq_queue *queue, enum sq_queue_state state, int error)
{
	scoped_guard(spinlock, &queue->lock) {
		if (queue->state != SQ_QUEUE_DEAD || queue->error != -ENODEV) {
			queue->state = state;
			queue->error = error;
		}
	}
	wake_up_all(&queue->wait);
}

/* The device's side */

static int sq_queue_tell_create(struct sq_queue *queue)
{
	struct sq_mbox_create_queue create = {
		.queue = cpu_to_le16(queue->index),
		.depth = cpu_to_le16(queue->depth),
		.vector = cpu_to_le16(queue->vector),
		.submission_address = cpu_to_le64(queue->submissions_address),
		.completion_address = cpu_to_le64(queue->completions_address),
	};

	return sq_mailbox_run(queue->sq, SQ_MBOX_CREATE_QUEUE_PAIR, &create, sizeof(create),
			      NULL, 0, NULL);
}

/* A device that was reset by somebody else does not know the queue: fine. */
static int sq_queue_tell_delete(struct sq_queue *queue)
{
	struct sq_mbox_queue delete = { .queue = cpu_to_le16(queue->index) };
	u32 status;
	int ret;

	ret = sq_mailbox_run(queue->sq, SQ_MBOX_DELETE_QUEUE_PAIR, &delete, sizeof(delete),
			     NULL, 0, &status);
	if (status == SQ_STATUS_INVALID_INPUT || status == SQ_STATUS_INVALID_HANDLE)
		return 0;
	return ret;
}

/* Empty rings, known to the device, open for submissions. */
static int sq_queue_open(struct sq_queue *queue)
{
	int ret;

	scoped_guard(spinlock, &queue->lock) {
		queue->tail = 0;
		queue->head = 0;
		queue->phase = 1;
		memset(queue->completions, 0, queue->depth * sizeof(*queue->completions));
	}
	ret = sq_queue_tell_create(queue);
	if (!ret)
		sq_queue_set_state(queue, SQ_QUEUE_LIVE, 0);
	return ret;
}

/* -ETIMEDOUT: the device does not answer, its commands are still its. */
static int sq_queue_recover(struct sq_queue *queue)
{
	struct device *dev = &queue->sq->dev;
	int ret;

	lockdep_assert_held(&queue->recover);
	dev_warn_ratelimited(dev, "queue %u does not answer, creating it anew\n", queue->index);
	sq_queue_set_state(queue, SQ_QUEUE_PAUSED, 0);
	ret = sq_queue_tell_delete(queue);
	if (ret)
		return ret;
	sq_queue_reap(queue);
	sq_queue_give_up(queue, -ETIMEDOUT);
	return sq_queue_open(queue);
}

/* Does any command take too long? A queue that is not live is somebody else's. */
static bool sq_queue_overdue(struct sq_queue *queue, bool *busy)
{
	bool overdue = false;
	unsigned int slot;

	*busy = false;
	spin_lock(&queue->lock);
	if (queue->state == SQ_QUEUE_LIVE) {
		for_each_set_bit(slot, queue->busy, sq_queue_slots(queue)) {
			*busy = true;
			overdue |= time_after(jiffies, queue->slots[slot].deadline);
		}
	}
	spin_unlock(&queue->lock);
	return overdue;
}

static void sq_queue_watch(struct work_struct *work)
{
	struct sq_queue *queue = container_of(to_delayed_work(work), struct sq_queue, watchdog);
	bool busy;

	sq_queue_reap(queue);
	mutex_lock(&queue->recover);
	if (sq_queue_overdue(queue, &busy) && sq_queue_recover(queue))
		sq_device_reset_later(queue->sq);
	mutex_unlock(&queue->recover);
	if (busy)
		queue_delayed_work(system_wq, &queue->watchdog, msecs_to_jiffies(SQ_WATCHDOG_MS));
}

/* Resets */

void sq_queues_pause(struct sq_device *sq)
{
	unsigned int i;

	for (i = 0; i < sq->queue_count; i++) {
		mutex_lock(&sq->queues[i].recover);
		sq_queue_set_state(&sq->queues[i], SQ_QUEUE_PAUSED, 0);
		mutex_unlock(&sq->queues[i].recover);
	}
}

void sq_queues_resume(struct sq_device *sq)
{
	unsigned int i;

	for (i = 0; i < sq->queue_count; i++) {
		struct sq_queue *queue = &sq->queues[i];

		sq_queue_give_up(queue, -ETIMEDOUT);
		if (sq_queue_open(queue))
			sq_queue_set_state(queue, SQ_QUEUE_DEAD, -EIO);
	}
}

void sq_queues_fail(struct sq_device *sq, int error)
{
	unsigned int i;

	for (i = 0; i < sq->queue_count; i++) {
		sq_queue_set_state(&sq->queues[i], SQ_QUEUE_DEAD, error);
		sq_queue_give_up(&sq->queues[i], error);
	}
}

/* Life */

static void *sq_ring_alloc(struct sq_queue *queue, size_t entry_bytes, dma_addr_t *address)
{
	return dma_alloc_coherent(&queue->sq->pdev->dev, queue->depth * entry_bytes, address,
				  GFP_KERNEL);
}

static void sq_ring_free(struct sq_queue *queue, size_t entry_bytes, void *ring,
			 dma_addr_t address)
{
	if (ring)
		dma_free_coherent(&queue->sq->pdev->dev, queue->depth * entry_bytes, ring,
				  address);
}

static void sq_queue_free(struct sq_queue *queue)
{
	sq_ring_free(queue, sizeof(*queue->submissions), queue->submissions,
		     queue->submissions_address);
	sq_ring_free(queue, sizeof(*queue->completions), queue->completions,
		     queue->completions_address);
	sq_ring_free(queue, sizeof(*queue->results), queue->results, queue->results_address);
	kfree(queue->slots);
	bitmap_free(queue->busy);
}

static int sq_queue_alloc(struct sq_queue *queue)
{
	queue->submissions = sq_ring_alloc(queue, sizeof(*queue->submissions),
					   &queue->submissions_address);
	queue->completions = sq_ring_alloc(queue, sizeof(*queue->completions),
					   &queue->completions_address);
	queue->results = sq_ring_alloc(queue, sizeof(*queue->results), &queue->results_address);
	queue->slots = kcalloc(sq_queue_slots(queue), sizeof(*queue->slots), GFP_KERNEL);
	queue->busy = bitmap_zalloc(sq_queue_slots(queue), GFP_KERNEL);
	if (queue->submissions && queue->completions && queue->results && queue->slots &&
	    queue->busy)
		return 0;
	sq_queue_free(queue);
	return -ENOMEM;
}

static int sq_queue_request_irq(struct sq_queue *queue)
{
	struct pci_dev *pdev = queue->sq->pdev;
	int irq = pci_irq_vector(pdev, queue->vector);
	int ret;

	ret = request_threaded_irq(irq, NULL, sq_queue_interrupt, IRQF_ONESHOT,
				   dev_name(&queue->sq->dev), queue);
	if (ret)
		return ret;
	queue->irq = irq;
	irq_set_affinity_and_hint(irq, cpumask_of(cpumask_local_spread(queue->index,
								       dev_to_node(&pdev->dev))));
	return 0;
}

static void sq_queue_free_irq(struct sq_queue *queue)
{
	irq_set_affinity_and_hint(queue->irq, NULL);
	free_irq(queue->irq, queue);
	queue->irq = 0;
}

static void sq_queue_init(struct sq_device *sq, struct sq_queue *queue, unsigned int index)
{
	queue->sq = sq;
	queue->index = index;
	queue->depth = min_t(u32, sq->limits.queue_depth, SQ_QUEUE_DEPTH);
	queue->vector = SQ_MSIX_VECTOR_MAILBOX + 1 + index;
	queue->doorbells = sq->doorbells + index * SQ_DOORBELL_STRIDE;
	queue->state = SQ_QUEUE_PAUSED;
	spin_lock_init(&queue->lock);
	init_waitqueue_head(&queue->wait);
	mutex_init(&queue->recover);
	INIT_DELAYED_WORK(&queue->watchdog, sq_queue_watch);
}

static int sq_queue_start(struct sq_device *sq, struct sq_queue *queue, unsigned int index)
{
	int ret;

	sq_queue_init(sq, queue, index);
	ret = sq_queue_alloc(queue);
	if (ret)
		return ret;
	ret = sq_queue_request_irq(queue);
	if (ret)
		goto free;
	ret = sq_queue_open(queue);
	if (ret)
		goto free_irq;
	return 0;

free_irq:
	sq_queue_free_irq(queue);
free:
	sq_queue_free(queue);
	return ret;
}

/*
 * The order matters: nothing new, then the device lets go, then what it had
 * under way fails, and only then the rings are freed.
 */
static void sq_queue_stop(struct sq_queue *queue)
{
	sq_queue_set_state(queue, SQ_QUEUE_DEAD, -ENODEV);
	cancel_delayed_work_sync(&queue->watchdog);
	if (sq_queue_tell_delete(queue))
		pci_clear_master(queue->sq->pdev);
	sq_queue_free_irq(queue);
	sq_queue_give_up(queue, -ENODEV);
	sq_queue_free(queue);
}

int sq_queues_start(struct sq_device *sq)
{
	unsigned int i;
	int ret;

	sq->queues = kcalloc(sq->limits.queues, sizeof(*sq->queues), GFP_KERNEL);
	if (!sq->queues)
		return -ENOMEM;
	for (i = 0; i < sq->limits.queues; i++) {
		ret = sq_queue_start(sq, &sq->queues[i], i);
		if (ret) {
			sq_queues_stop(sq);
			return dev_err_probe(&sq->pdev->dev, ret, "cannot start queue %u\n", i);
		}
		sq->queue_count++;
	}
	return 0;
}

/* The array itself stays until the device is released: latecomers look at it. */
void sq_queues_stop(struct sq_device *sq)
{
	unsigned int i;

	for (i = 0; i < sq->queue_count; i++)
		sq_queue_stop(&sq->queues[i]);
}
