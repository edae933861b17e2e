/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Function 0 of the card, type "cxl-smartquant": a CXL type-3 memory device
 * whose host-managed range is the logical space of the controller, `bloat`
 * times as large as the plane memory behind it. What a load returns is
 * decided by the view that its address falls into.
 *
 * The parent class wants a memory backend as large as its HDM capacity. It
 * gets one that is never touched (the "logical" backend); the user's backend
 * holds the plane store.
 */
#ifndef HW_SMARTQUANT_MEMORY_FUNCTION_H
#define HW_SMARTQUANT_MEMORY_FUNCTION_H

#include "hw/cxl/cxl.h"
#include "hdm.h"
#include "store.h"
#include "view-window.h"

#define TYPE_SMARTQUANT_MEMORY "cxl-smartquant"
OBJECT_DECLARE_SIMPLE_TYPE(SmartQuantMemory, SMARTQUANT_MEMORY)

typedef struct SmartQuantController SmartQuantController;

struct SmartQuantMemory {
    CXLType3Dev parent_obj;

    /* properties */
    uint32_t bloat;
    char *views_name;               /* "ram" or "trap" */

    HostMemoryBackend *planes;      /* the user's; the store is in it */
    HostMemoryBackend *logical;     /* the parent's; never touched */
    uint64_t logical_bytes;
    SQStore store;
    SQWindows windows;
    void *load_scratch;             /* of sqc_view_load(), under the BQL */
    /* The parent's handler of component register writes. */
    void (*component_write)(void *opaque, hwaddr offset, uint64_t value,
                            unsigned size);
    SmartQuantController *controller; /* function 1, or NULL; not owned */
};

static inline bool sq_memory_traps(const SmartQuantMemory *m)
{
    return !strcmp(m->views_name, "trap");
}

/* Counts, traces and logs a store, which no address of the card takes. */
MemTxResult sq_memory_refuse_store(SmartQuantMemory *m, uint64_t dpa,
                                   unsigned bytes);

#endif /* HW_SMARTQUANT_MEMORY_FUNCTION_H */
