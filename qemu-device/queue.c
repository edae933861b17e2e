/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Queue pairs (see queue.h).
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/lockable.h"
#include "qemu/thread.h"
#include "controller-function.h"
#include "transfer.h"
#include "trace.h"

typedef struct SQWaiting {
    struct sq_submission entry;
    bool aborted;
} SQWaiting;

struct SQQueue {
    SmartQuantController *c;
    SQQueueConfig config;
    QemuThread thread;
    QemuMutex lock;
    QemuCond wake;
    bool stopping;                  /* lock */
    uint32_t submission_tail;       /* lock; the guest's doorbell */
    uint32_t completion_head;       /* lock; the guest's doorbell */

    /* The thread's own. */
    uint32_t submission_head;
    uint32_t completion_tail;
    bool phase;
    bool failed;                    /* the rings cannot be reached */
    uint32_t waiting_first, waiting_count;
    SQWaiting *waiting;             /* a ring of `depth` */
    SQTransfer transfer;
};

/* ---- waiting requests --------------------------------------------------- */

static SQWaiting *sq_queue_waiting(SQQueue *q, uint32_t i)
{
    return &q->waiting[(q->waiting_first + i) % q->config.depth];
}

static bool sq_queue_abort(SQQueue *q, uint16_t id)
{
    uint32_t i;

    for (i = 0; i < q->waiting_count; i++) {
        SQWaiting *w = sq_queue_waiting(q, i);

        if (le16_to_cpu(w->entry.id) == id && !w->aborted &&
            w->entry.opcode != SQ_OP_ABORT) {
            w->aborted = true;
            return true;
        }
    }
    return false;
}

/* ---- completions -------------------------------------------------------- */

/* Waits for room in the ring; false when the queue ends. */
static bool sq_queue_wait_room(SQQueue *q)
{
    uint32_t next = (q->completion_tail + 1) % q->config.depth;

    QEMU_LOCK_GUARD(&q->lock);
    while (!q->stopping && next == q->completion_head) {
        qemu_cond_wait(&q->wake, &q->lock);
    }
    return !q->stopping;
}

static void sq_queue_complete(SQQueue *q, const struct sq_submission *s,
                              const SQOutcome *outcome)
{
    struct sq_completion completion = {
        .bytes = cpu_to_le32(outcome->bytes),
        .plane_lines = cpu_to_le32(MIN(outcome->plane_lines, UINT32_MAX)),
        .id = s->id,
        .submission_head = cpu_to_le16(q->submission_head),
        .status = cpu_to_le16(outcome->status),
        .phase = cpu_to_le16(q->phase),
    };
    uint64_t address = q->config.completion_address +
                       q->completion_tail * sizeof(completion);
    const size_t body = offsetof(struct sq_completion, phase);

    if (!sq_queue_wait_room(q)) {
        return;
    }
    /* The phase last: a host that sees it must see all the rest. */
    if (!sq_dma_write(q->c, address, &completion, body) ||
        !sq_dma_write(q->c, address + body, &completion.phase,
                      sizeof(completion.phase))) {
        trace_smartquant_err_queue_dma(q->config.id, address);
        q->failed = true;
        return;
    }
    trace_smartquant_complete(q->config.id, le16_to_cpu(s->id),
                              outcome->status, outcome->bytes,
                              outcome->plane_lines);
    q->completion_tail = (q->completion_tail + 1) % q->config.depth;
    q->phase ^= !q->completion_tail;
    sq_controller_raise(q->c, q->config.vector);
}

static void sq_queue_refuse(SQQueue *q, const struct sq_submission *s,
                            uint16_t status)
{
    SQOutcome outcome;

    trace_smartquant_err_submission(q->config.id, le16_to_cpu(s->id),
                                    s->opcode, status);
    sq_transfer_refuse(&q->transfer, s, status, &outcome);
    sq_queue_complete(q, s, &outcome);
}

/* ---- submissions -------------------------------------------------------- */

/* Success: a request was stopped before it began. */
static void sq_queue_run_abort(SQQueue *q, const struct sq_submission *s)
{
    uint16_t status = sq_transfer_check(s);
    SQOutcome outcome;

    if (!status && !sq_queue_abort(q, le16_to_cpu(s->abort_id))) {
        status = SQ_STATUS_NOT_FOUND;
    }
    sq_transfer_refuse(&q->transfer, s, status, &outcome);
    sq_queue_complete(q, s, &outcome);
}

/* Takes the entry at the head of the ring. */
static void sq_queue_take(SQQueue *q)
{
    struct sq_submission s;
    uint64_t address = q->config.submission_address +
                       q->submission_head * sizeof(s);

    if (!sq_dma_read(q->c, address, &s, sizeof(s))) {
        trace_smartquant_err_queue_dma(q->config.id, address);
        q->failed = true;
        return;
    }
    q->submission_head = (q->submission_head + 1) % q->config.depth;
    trace_smartquant_submit(q->config.id, le16_to_cpu(s.id), s.opcode,
                            le32_to_cpu(s.handle), le16_to_cpu(s.format),
                            le32_to_cpu(s.first_row),
                            le32_to_cpu(s.row_count));
    if (s.opcode == SQ_OP_ABORT) {
        sq_queue_run_abort(q, &s);
    } else {
        *sq_queue_waiting(q, q->waiting_count++) = (SQWaiting) { .entry = s };
    }
}

static void sq_queue_run_first(SQQueue *q)
{
    SQWaiting w = *sq_queue_waiting(q, 0);
    uint16_t status = sq_transfer_check(&w.entry);
    SQOutcome outcome;

    q->waiting_first = (q->waiting_first + 1) % q->config.depth;
    q->waiting_count--;
    if (w.aborted) {
        sq_queue_refuse(q, &w.entry, SQ_STATUS_ABORTED);
    } else if (status) {
        sq_queue_refuse(q, &w.entry, status);
    } else {
        sq_transfer_run(&q->transfer, &w.entry, &outcome);
        sq_queue_complete(q, &w.entry, &outcome);
    }
}

/* ---- the thread --------------------------------------------------------- */

/* Whether an entry is there and can be taken; with the lock held. */
static bool sq_queue_can_take(SQQueue *q)
{
    return q->submission_head != q->submission_tail &&
           q->waiting_count < q->config.depth;
}

static bool sq_queue_idle(SQQueue *q)
{
    return q->failed || sq_controller_stalled(q->c) ||
           (!q->waiting_count && !sq_queue_can_take(q));
}

static void *sq_queue_thread(void *opaque)
{
    SQQueue *q = opaque;

    for (;;) {
        bool take;

        WITH_QEMU_LOCK_GUARD(&q->lock) {
            while (!q->stopping && sq_queue_idle(q)) {
                qemu_cond_wait(&q->wake, &q->lock);
            }
            if (q->stopping) {
                return NULL;
            }
            take = sq_queue_can_take(q);
        }
        if (take) {
            sq_queue_take(q);
        } else {
            sq_queue_run_first(q);
        }
    }
}

SQQueue *sq_queue_create(SmartQuantController *c, const SQQueueConfig *config)
{
    SQQueue *q = g_new0(SQQueue, 1);
    g_autofree char *name = g_strdup_printf("sq-queue-%u", config->id);

    q->c = c;
    q->config = *config;
    q->phase = true;
    q->waiting = g_new0(SQWaiting, config->depth);
    q->transfer.c = c;
    qemu_mutex_init(&q->lock);
    qemu_cond_init(&q->wake);
    trace_smartquant_queue_create(config->id, config->depth, config->vector);
    qemu_thread_create(&q->thread, name, sq_queue_thread, q,
                       QEMU_THREAD_JOINABLE);
    return q;
}

void sq_queue_destroy(SQQueue *q)
{
    if (!q) {
        return;
    }
    WITH_QEMU_LOCK_GUARD(&q->lock) {
        q->stopping = true;
        qemu_cond_broadcast(&q->wake);
    }
    qemu_thread_join(&q->thread);
    trace_smartquant_queue_delete(q->config.id, q->waiting_count);
    sq_transfer_free(&q->transfer);
    qemu_cond_destroy(&q->wake);
    qemu_mutex_destroy(&q->lock);
    g_free(q->waiting);
    g_free(q);
}

/* ---- doorbells ---------------------------------------------------------- */

static bool sq_queue_ring(SQQueue *q, uint32_t *position, uint32_t value)
{
    if (value >= q->config.depth) {
        return false;
    }
    WITH_QEMU_LOCK_GUARD(&q->lock) {
        *position = value;
        qemu_cond_broadcast(&q->wake);
    }
    return true;
}

bool sq_queue_submit(SQQueue *q, uint32_t tail)
{
    return sq_queue_ring(q, &q->submission_tail, tail);
}

bool sq_queue_consume(SQQueue *q, uint32_t head)
{
    return sq_queue_ring(q, &q->completion_head, head);
}

void sq_queue_kick(SQQueue *q)
{
    QEMU_LOCK_GUARD(&q->lock);
    qemu_cond_broadcast(&q->wake);
}
