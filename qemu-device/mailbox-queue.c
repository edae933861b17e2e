/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mailbox commands C030h and C031h: queue pairs.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/lockable.h"
#include "mailbox-handlers.h"

#define RING_ALIGN 4096u

uint16_t sq_mailbox_create_queue_pair(SmartQuantController *c,
                                      SQMailboxCommand *command)
{
    const struct sq_mbox_create_queue *in = (const void *)command->in;
    SQQueueConfig config = {
        .id = le16_to_cpu(in->queue),
        .depth = le16_to_cpu(in->depth),
        .vector = le16_to_cpu(in->vector),
        .submission_address = le64_to_cpu(in->submission_address),
        .completion_address = le64_to_cpu(in->completion_address),
    };

    if (config.id >= SQ_QUEUES_MAX ||
        config.depth < SQ_QUEUE_DEPTH_MIN ||
        config.depth > SQ_QUEUE_DEPTH_MAX ||
        config.vector == SQ_MSIX_VECTOR_MAILBOX ||
        config.vector >= SQ_MSIX_VECTORS ||
        config.submission_address % RING_ALIGN ||
        config.completion_address % RING_ALIGN) {
        return SQ_STATUS_INVALID_INPUT;
    }
    if (c->queues[config.id]) {
        return SQ_STATUS_IN_USE;
    }
    WITH_QEMU_LOCK_GUARD(&c->queues_lock) {
        c->queues[config.id] = sq_queue_create(c, &config);
    }
    return SQ_STATUS_SUCCESS;
}

uint16_t sq_mailbox_delete_queue_pair(SmartQuantController *c,
                                      SQMailboxCommand *command)
{
    const struct sq_mbox_queue *in = (const void *)command->in;
    uint16_t id = le16_to_cpu(in->queue);
    SQQueue *queue;

    if (id >= SQ_QUEUES_MAX || !c->queues[id]) {
        return SQ_STATUS_INVALID_INPUT;
    }
    WITH_QEMU_LOCK_GUARD(&c->queues_lock) {
        queue = c->queues[id];
        c->queues[id] = NULL;
    }
    sq_queue_destroy(queue);
    return SQ_STATUS_SUCCESS;
}
