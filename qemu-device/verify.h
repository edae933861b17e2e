/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Verify: checks every CRC of a region, or of all of them, one segment a
 * step, and keeps the list of bad runs. On the mailbox's thread.
 */
#ifndef HW_SMARTQUANT_VERIFY_H
#define HW_SMARTQUANT_VERIFY_H

#include <smartquant/device.h>

typedef struct SmartQuantController SmartQuantController;

/* Bad runs that are kept; all are counted. */
#define SQ_VERIFY_RUNS_MAX 4096

typedef struct SQVerify {
    uint32_t handle;                /* region being checked */
    bool all;
    uint32_t segment;               /* next one of it */
    uint64_t segments_done;
    uint64_t segments_total;        /* at the start; for the percentage */
    uint64_t runs_checked;
    uint64_t runs_bad;
    bool complete;
    uint32_t kept;
    struct sq_bad_run *bad;         /* room for SQ_VERIFY_RUNS_MAX */
} SQVerify;

/* Forgets the last result. */
void sq_verify_reset(SQVerify *v);
/* handle 0: all regions. Errors: INVALID_HANDLE. */
uint16_t sq_verify_begin(SmartQuantController *c, uint32_t handle);
bool sq_verify_step(SmartQuantController *c, unsigned *percent,
                    uint16_t *status);

#endif /* HW_SMARTQUANT_VERIFY_H */
