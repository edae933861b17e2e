/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pack Region: packs one segment a step, so that transfers and loads go on in
 * between. On the mailbox's thread.
 */
#ifndef HW_SMARTQUANT_PACK_H
#define HW_SMARTQUANT_PACK_H

#include "controller.h"

typedef struct SmartQuantController SmartQuantController;

typedef struct SQPack {
    struct sqc_packing *packing;    /* NULL: none under way */
} SQPack;

/* Gives up what is under way; its region stays as it was. */
void sq_pack_reset(SmartQuantController *c);
/* Errors: those of sqc_pack_begin(). */
uint16_t sq_pack_begin(SmartQuantController *c, uint32_t handle);
bool sq_pack_step(SmartQuantController *c, unsigned *percent,
                  uint16_t *status);

#endif /* HW_SMARTQUANT_PACK_H */
