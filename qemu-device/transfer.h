/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One request of a queue: checked, executed, its data moved by DMA. On the
 * queue's thread, holding no lock.
 */
#ifndef HW_SMARTQUANT_TRANSFER_H
#define HW_SMARTQUANT_TRANSFER_H

#include <smartquant/device.h>

typedef struct SmartQuantController SmartQuantController;

/* Memory of a queue's thread that is kept from request to request. */
typedef struct SQBuffer {
    void *memory;
    size_t bytes;
} SQBuffer;

typedef struct SQTransfer {
    SmartQuantController *c;
    SQBuffer data;
    SQBuffer scratch;
    SQBuffer scatter;
    SQBuffer formats;
} SQTransfer;

/* In host byte order; what the completion and the result record say. */
typedef struct SQOutcome {
    uint16_t status;
    uint32_t bytes;
    uint64_t plane_lines;
} SQOutcome;

/* The fields of an opcode that may be other than zero are known. */
uint16_t sq_transfer_check(const struct sq_submission *s);
/* Runs a Store, Fetch, Flush or No-op that passed the check. */
void sq_transfer_run(SQTransfer *t, const struct sq_submission *s,
                     SQOutcome *outcome);
/* The result record of a request that was not run. */
void sq_transfer_refuse(SQTransfer *t, const struct sq_submission *s,
                        uint16_t status, SQOutcome *outcome);
void sq_transfer_free(SQTransfer *t);

/* DMA to and from RAM only; another target would need the BQL. */
bool sq_dma_read(SmartQuantController *c, uint64_t address, void *to,
                 uint64_t bytes);
bool sq_dma_write(SmartQuantController *c, uint64_t address, const void *from,
                  uint64_t bytes);

#endif /* HW_SMARTQUANT_TRANSFER_H */
