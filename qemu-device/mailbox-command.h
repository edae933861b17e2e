/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One mailbox command: checked against the command table, then run. On the
 * mailbox's thread, holding no lock.
 */
#ifndef HW_SMARTQUANT_MAILBOX_COMMAND_H
#define HW_SMARTQUANT_MAILBOX_COMMAND_H

#include "mailbox.h"

typedef struct SQMailboxCommand {
    uint16_t opcode;
    uint32_t in_bytes;              /* as the guest says; checked first */
    uint32_t out_bytes;
    SQBackground *background;       /* where a background command goes */
    uint8_t in[SQ_MBOX_PAYLOAD_BYTES] QEMU_ALIGNED(8);
    uint8_t out[SQ_MBOX_PAYLOAD_BYTES] QEMU_ALIGNED(8);
} SQMailboxCommand;

/* Returns SQ_STATUS_*; with an error nothing has changed. */
uint16_t sq_mailbox_command_run(SmartQuantController *c,
                                SQMailboxCommand *command);

#endif /* HW_SMARTQUANT_MAILBOX_COMMAND_H */
