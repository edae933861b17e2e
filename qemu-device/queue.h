/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A queue pair: two rings in host memory and the thread that works on them.
 *
 *     submission ring            device            completion ring
 *   head ... tail (doorbell)  -> waiting[] ->    tail ... head (doorbell)
 *
 * The thread copies new entries into waiting[] before it starts one, so that
 * an Abort can overtake what it aborts; requests are otherwise done in order.
 * Several queues work at the same time, under the store's lock.
 *
 * Doorbells are written by vCPUs, positions are moved by the thread; both
 * under `lock`. The thread never takes the BQL.
 */
#ifndef HW_SMARTQUANT_QUEUE_H
#define HW_SMARTQUANT_QUEUE_H

#include <smartquant/device.h>

typedef struct SmartQuantController SmartQuantController;
typedef struct SQQueue SQQueue;

typedef struct SQQueueConfig {
    uint16_t id;
    uint16_t depth;
    uint16_t vector;
    uint64_t submission_address;
    uint64_t completion_address;
} SQQueueConfig;

/* The configuration is checked by the caller. */
SQQueue *sq_queue_create(SmartQuantController *c, const SQQueueConfig *config);
/*
 * Ends the thread: the request under way is finished, those that wait are
 * dropped without a completion, and no DMA happens after the return. NULL is
 * allowed.
 */
void sq_queue_destroy(SQQueue *q);

/* Doorbells; false when the value is out of range. */
bool sq_queue_submit(SQQueue *q, uint32_t tail);
bool sq_queue_consume(SQQueue *q, uint32_t head);
/* Looks again whether there is work (a stall has ended). */
void sq_queue_kick(SQQueue *q);

#endif /* HW_SMARTQUANT_QUEUE_H */
