/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Views as memory (views=ram): the bytes of each mapped view are made once
 * into a region of RAM of their own, the *window*, which is laid over the
 * CXL fixed memory window at the host address that the HDM decoder gives the
 * view. Loads then run at the speed of guest RAM; stores trap and are
 * refused.
 *
 * Life of a window
 *
 *   sq_windows_map()     main loop: make the RAM
 *                        store lock: read the view into it, enter it in the
 *                        table (from here on stores refresh it)
 *                        main loop: show it
 *   sq_windows_refresh() store lock, by the writer, after a store
 *   sq_windows_show()    BQL: lay it over the fixed window
 *   sq_windows_hide()    BQL: take it away; loads trap again
 *   sq_windows_unmap()   hide, leave the table, free
 *
 * A window is shown only after a load through its decoder has arrived at the
 * device: that load proves that host bridge and root port route the decoder's
 * range here. Until then, and for decoders that interleave, every load traps
 * and gets the same bytes.
 *
 * Locks: the pointers in slot[] change with the store's write lock or with
 * its read lock in the one thread that maps; `lock` makes them readable
 * elsewhere. What is laid where (container, routed) belongs to the BQL. A
 * window is freed under the BQL, after it left the table.
 */
#ifndef HW_SMARTQUANT_VIEW_WINDOW_H
#define HW_SMARTQUANT_VIEW_WINDOW_H

#include "exec/memory.h"
#include "qom/object.h"
#include "controller/controller.h"
#include "hdm.h"
#include "main-loop-call.h"

typedef struct SmartQuantMemory SmartQuantMemory;

#define TYPE_SMARTQUANT_WINDOW "smartquant-window"
OBJECT_DECLARE_SIMPLE_TYPE(SQWindow, SMARTQUANT_WINDOW)

typedef struct SQWindows {
    QemuMutex lock;
    SQWindow *slot[SQC_VIEWS_MAX];
    bool routed[SQ_HDM_DECODERS];   /* a load came through this decoder */
    QEMUBH *show;
} SQWindows;

void sq_windows_init(SmartQuantMemory *m);
/* Frees all windows. Under the BQL, with no worker running. */
void sq_windows_clear(SmartQuantMemory *m);
void sq_windows_destroy(SmartQuantMemory *m);

/* Called by the one thread that serves the mailbox, holding no lock. */
sqc_status sq_windows_map(SmartQuantMemory *m, SQMainLoop *loop,
                          const struct sqc_view_info *view);
sqc_status sq_windows_unmap(SmartQuantMemory *m, SQMainLoop *loop,
                            uint32_t view);

/*
 * Makes the windows of a region again; with the store's write lock held.
 * False: one could not be made, and sq_windows_drop_broken() must run, with
 * no lock held, before anybody is told that the store is done.
 */
bool sq_windows_refresh(SmartQuantMemory *m, uint32_t handle);
void sq_windows_drop_broken(SmartQuantMemory *m, SQMainLoop *loop);

/* Under the BQL: a decoder changed. */
void sq_windows_decode_changed(SmartQuantMemory *m);
/*
 * Under the BQL: a load that trapped. True when one window holds all of it;
 * *value is then its little-endian value, or *status says why not.
 */
bool sq_windows_load(SmartQuantMemory *m, uint64_t dpa, unsigned bytes,
                     uint64_t *value, sqc_status *status);

#endif /* HW_SMARTQUANT_VIEW_WINDOW_H */
