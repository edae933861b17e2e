/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * BAR0: the CXL device registers of function 1 with their primary mailbox
 * (CXL r3.1, 8.2.8), and the thread that serves it.
 *
 *   0000h  capability array, device status, mailbox
 *   0040h  device status registers
 *   0080h  mailbox registers
 *   00a0h  payload, SQ_MBOX_PAYLOAD_BYTES
 *
 * A doorbell write copies command and payload; the thread works on the copy
 * and writes the answer back before it clears the doorbell. So the guest may
 * change the registers at any time and only harms itself.
 *
 * At most one command runs in the background. The thread gives it one step
 * at a time and serves the doorbell between the steps.
 */
#ifndef HW_SMARTQUANT_MAILBOX_H
#define HW_SMARTQUANT_MAILBOX_H

#include "exec/hwaddr.h"
#include "qemu/thread.h"
#include <smartquant/device.h>

typedef struct SmartQuantController SmartQuantController;

/* One command in the background. Only its thread touches it. */
typedef struct SQBackground {
    /* One step; false when it was the last. *percent 0 to 100. */
    bool (*step)(SmartQuantController *c, unsigned *percent,
                 uint16_t *status);
    uint16_t opcode;
} SQBackground;

typedef struct SQMailbox {
    QemuMutex lock;                 /* protects all but `background` */
    QemuCond wake;
    QemuThread thread;
    bool running;
    bool stopping;
    bool pending;                   /* doorbell rung, command not taken yet */
    uint32_t control;
    uint64_t command;
    uint64_t status;
    uint64_t background_status;
    uint8_t payload[SQ_MBOX_PAYLOAD_BYTES];
    SQBackground background;
} SQMailbox;

void sq_mailbox_init(SQMailbox *m);
void sq_mailbox_destroy(SQMailbox *m);
/* Starts with registers as after a reset. */
void sq_mailbox_start(SQMailbox *m, SmartQuantController *c);
/* Waits for the command, or the background step, that is under way. */
void sq_mailbox_stop(SQMailbox *m);

/* Looks again whether there is work (a stall has ended). */
void sq_mailbox_kick(SQMailbox *m);

uint64_t sq_mailbox_read(SQMailbox *m, hwaddr offset, unsigned size);
void sq_mailbox_write(SQMailbox *m, hwaddr offset, uint64_t value,
                      unsigned size);

#endif /* HW_SMARTQUANT_MAILBOX_H */
