/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Calls from a worker thread into the main loop.
 *
 * Worker threads never take the BQL: reset and unplug hold it while they wait
 * for the workers to end. What needs the BQL (memory topology, decoder
 * registers) is handed to the main loop with sq_main_loop_call(), which waits
 * for it. Once sq_main_loop_close() was called, calls are refused at once, so
 * that a worker that is being stopped cannot hang.
 */
#ifndef HW_SMARTQUANT_MAIN_LOOP_CALL_H
#define HW_SMARTQUANT_MAIN_LOOP_CALL_H

#include "block/aio.h"
#include "qemu/queue.h"
#include "qemu/thread.h"

typedef struct SQMainLoopCall SQMainLoopCall;

typedef struct SQMainLoop {
    QemuMutex lock;                 /* protects calls and open */
    QSIMPLEQ_HEAD(, SQMainLoopCall) calls;
    bool open;
    QEMUBH *bh;
} SQMainLoop;

void sq_main_loop_init(SQMainLoop *m, MemReentrancyGuard *guard);
void sq_main_loop_destroy(SQMainLoop *m);
void sq_main_loop_open(SQMainLoop *m);
void sq_main_loop_close(SQMainLoop *m);

/* Runs function(opaque) under the BQL; false if it was refused. */
bool sq_main_loop_call(SQMainLoop *m, void (*function)(void *), void *opaque);

#endif /* HW_SMARTQUANT_MAIN_LOOP_CALL_H */
