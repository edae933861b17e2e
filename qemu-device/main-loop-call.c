/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Calls from a worker thread into the main loop (see main-loop-call.h).
 */
#include "qemu/osdep.h"
#include "qemu/lockable.h"
#include "qemu/main-loop.h"
#include "main-loop-call.h"

/* Lives on the stack of the waiting worker. */
struct SQMainLoopCall {
    void (*function)(void *opaque);
    void *opaque;
    bool ran;
    QemuEvent done;
    QSIMPLEQ_ENTRY(SQMainLoopCall) next;
};

static SQMainLoopCall *sq_main_loop_take(SQMainLoop *m)
{
    SQMainLoopCall *call;

    QEMU_LOCK_GUARD(&m->lock);
    call = QSIMPLEQ_FIRST(&m->calls);
    if (call) {
        QSIMPLEQ_REMOVE_HEAD(&m->calls, next);
    }
    return call;
}

static void sq_main_loop_run(void *opaque)
{
    SQMainLoop *m = opaque;
    SQMainLoopCall *call;

    while ((call = sq_main_loop_take(m))) {
        call->function(call->opaque);
        call->ran = true;
        /* The worker may return, and the call vanish, from here on. */
        qemu_event_set(&call->done);
    }
}

void sq_main_loop_init(SQMainLoop *m, MemReentrancyGuard *guard)
{
    qemu_mutex_init(&m->lock);
    QSIMPLEQ_INIT(&m->calls);
    m->open = false;
    m->bh = qemu_bh_new_guarded(sq_main_loop_run, m, guard);
}

void sq_main_loop_destroy(SQMainLoop *m)
{
    qemu_bh_delete(m->bh);
    m->bh = NULL;
    qemu_mutex_destroy(&m->lock);
}

void sq_main_loop_open(SQMainLoop *m)
{
    QEMU_LOCK_GUARD(&m->lock);
    m->open = true;
}

void sq_main_loop_close(SQMainLoop *m)
{
    SQMainLoopCall *call;

    qemu_mutex_lock(&m->lock);
    m->open = false;
    qemu_mutex_unlock(&m->lock);
    qemu_bh_cancel(m->bh);
    while ((call = sq_main_loop_take(m))) {
        qemu_event_set(&call->done);
    }
}

bool sq_main_loop_call(SQMainLoop *m, void (*function)(void *), void *opaque)
{
    SQMainLoopCall call = { .function = function, .opaque = opaque };

    qemu_event_init(&call.done, false);
    WITH_QEMU_LOCK_GUARD(&m->lock) {
        if (!m->open) {
            qemu_event_destroy(&call.done);
            return false;
        }
        QSIMPLEQ_INSERT_TAIL(&m->calls, &call, next);
        qemu_bh_schedule(m->bh);
    }
    qemu_event_wait(&call.done);
    qemu_event_destroy(&call.done);
    return call.ran;
}
