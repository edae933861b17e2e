/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pack Region in the background (see pack.h).
 */
#include "qemu/osdep.h"
#include "controller-function.h"
#include "pack.h"

/* Under the store's lock, held for writing. */
static void sq_pack_end(SQPack *p)
{
    sqc_pack_end(p->packing);
    p->packing = NULL;
}

void sq_pack_reset(SmartQuantController *c)
{
    SQStore *s;

    if (!c->pack.packing) {
        return;
    }
    s = &c->memory->store;
    sq_store_write_lock(s);
    sq_pack_end(&c->pack);
    sq_store_unlock(s);
}

uint16_t sq_pack_begin(SmartQuantController *c, uint32_t handle)
{
    SQStore *s = &c->memory->store;
    uint16_t status;

    sq_store_write_lock(s);
    status = sqc_pack_begin(s->store, handle, &c->pack.packing);
    sq_store_unlock(s);
    return status;
}

bool sq_pack_step(SmartQuantController *c, unsigned *percent,
                  uint16_t *status)
{
    SQStore *s = &c->memory->store;
    uint64_t done = 0, total = 1;

    sq_store_write_lock(s);
    *status = sqc_pack_step(c->pack.packing, &done, &total);
    if (*status || done == total) {
        sq_pack_end(&c->pack);
    }
    sq_store_unlock(s);
    *percent = done * 100 / total;
    return c->pack.packing != NULL;
}
