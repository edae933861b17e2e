/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Function 1 of the card, type "smartquant-controller": mailbox, queues and
 * interrupts as include/smartquant/device.h defines them.
 *
 * Threads
 *   vCPUs and main loop  register accesses, interrupts; under the BQL
 *   the mailbox's one    commands, one after the other (mailbox.h)
 *   one a queue pair     transfers (queue.h)
 * Workers never take the BQL (main-loop-call.h): reset and unplug wait for
 * them while they hold it.
 */
#ifndef HW_SMARTQUANT_CONTROLLER_FUNCTION_H
#define HW_SMARTQUANT_CONTROLLER_FUNCTION_H

#include "hw/pci/pci_device.h"
#include <smartquant/device.h>
#include "mailbox.h"
#include "main-loop-call.h"
#include "memory-function.h"
#include "queue.h"
#include "pack.h"
#include "verify.h"

#define TYPE_SMARTQUANT_CONTROLLER "smartquant-controller"
OBJECT_DECLARE_SIMPLE_TYPE(SmartQuantController, SMARTQUANT_CONTROLLER)

struct SmartQuantController {
    PCIDevice parent_obj;

    /*
     * Function 0: named by the property, or found in the same slot. NULL
     * while it is not there (hot plug brings function 0 last).
     */
    SmartQuantMemory *memory;
    SmartQuantMemory *memory_property;

    SQMainLoop main_loop;
    MemoryRegion registers;         /* BAR0 */
    MemoryRegion doorbells;         /* BAR2 */
    SQMailbox mailbox;

    /* The mailbox thread changes the pointers, doorbell writes read them. */
    QemuMutex queues_lock;
    SQQueue *queues[SQ_QUEUES_MAX];

    /* Owned by the mailbox thread. */
    SQVerify verify;
    SQPack pack;
    /* Feature "default rounding"; atomic. */
    uint8_t default_rounding;

    /*
     * Property x-stall: nothing new is begun, as if the card had stopped
     * answering. For tests of drivers; atomic.
     */
    bool stalled;

    /* Vectors that workers want to raise; the bottom half raises them. */
    uint32_t pending_vectors;       /* atomic */
    QEMUBH *raise;
};

/* Raises an MSI-X vector; from any thread. */
void sq_controller_raise(SmartQuantController *c, unsigned vector);

bool sq_controller_stalled(SmartQuantController *c);

/* Function 0 appeared or goes away. */
void sq_controller_attach_memory(SmartQuantMemory *m);
void sq_controller_detach_memory(SmartQuantMemory *m);

/*
 * Puts the feature "default rounding" into a request for one format that asks
 * for the default; with the store's lock held.
 */
void sq_controller_default_rounding(SmartQuantController *c,
                                    struct sqc_read_request *request);

#endif /* HW_SMARTQUANT_CONTROLLER_FUNCTION_H */
