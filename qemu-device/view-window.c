/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Views as memory (see view-window.h).
 */
#include "qemu/osdep.h"
#include "qemu/lockable.h"
#include "qemu/main-loop.h"
#include "qemu/memalign.h"
#include "exec/address-spaces.h"
#include "exec/memory.h"
#include "hw/cxl/cxl_host.h"
#include "qapi/error.h"
#include "memory-function.h"
#include "trace.h"

struct SQWindow {
    Object parent_obj;

    SmartQuantMemory *memory;
    struct sqc_view_info view;
    MemoryRegion mr;                /* ROM device: only stores trap */
    uint8_t *bytes;
    void *scratch;                  /* of sqc_read() */
    bool broken;                    /* could not be made; atomic */
    MemoryRegion *container;        /* where it is shown, or NULL; BQL */
};

OBJECT_DEFINE_SIMPLE_TYPE(SQWindow, smartquant_window, SMARTQUANT_WINDOW,
                          OBJECT)

static void smartquant_window_class_init(ObjectClass *oc, void *data)
{
}

static void smartquant_window_init(Object *obj)
{
}

static void smartquant_window_finalize(Object *obj)
{
    SQWindow *w = SMARTQUANT_WINDOW(obj);

    qemu_vfree(w->scratch);
    object_unref(OBJECT(w->memory));
}

/* ---- contents ----------------------------------------------------------- */

/* With the store's lock held, for reading or writing. */
static sqc_status sq_window_fill(SQWindow *w)
{
    SmartQuantMemory *m = w->memory;
    struct sqc_result result;
    sqc_status status;

    status = sqc_read(m->store.store, &w->view.request, w->bytes,
                      w->view.layout.bytes, w->scratch, &result);
    qatomic_set(&w->broken, status != SQ_STATUS_SUCCESS);
    if (status) {
        trace_smartquant_err_window_fill(w->view.view, status);
    } else {
        trace_smartquant_window_fill(w->view.view, w->view.layout.bytes);
    }
    return status;
}

bool sq_windows_refresh(SmartQuantMemory *m, uint32_t handle)
{
    bool whole = true;
    unsigned i;

    for (i = 0; i < SQC_VIEWS_MAX; i++) {
        /* Entries leave the table with the write lock, which is ours. */
        SQWindow *w = qatomic_read(&m->windows.slot[i]);

        if (w && w->view.request.handle == handle && sq_window_fill(w)) {
            whole = false;
        }
    }
    return whole;
}

/* ---- where it is shown (BQL) -------------------------------------------- */

static void sq_window_hide(SQWindow *w)
{
    if (w->container) {
        memory_region_del_subregion(w->container, &w->mr);
        w->container = NULL;
        trace_smartquant_window_hide(w->view.view);
    }
}

static void sq_window_show(SQWindow *w)
{
    SmartQuantMemory *m = w->memory;
    MemoryRegionSection section;
    uint64_t host_address;
    unsigned decoder;

    if (w->container || qatomic_read(&w->broken) ||
        !sq_hdm_host_address(&m->parent_obj.cxl_cstate, w->view.dpa,
                             w->view.window_bytes, &host_address, &decoder) ||
        !m->windows.routed[decoder]) {
        return;
    }
    section = memory_region_find(get_system_memory(), host_address,
                                 w->view.window_bytes);
    if (!section.mr) {
        return;
    }
    if (section.mr->ops == &cfmws_ops &&
        int128_get64(section.size) == w->view.window_bytes) {
        w->container = section.mr;
        memory_region_add_subregion_overlap(section.mr,
                                            section.offset_within_region,
                                            &w->mr, 1);
        trace_smartquant_window_show(w->view.view, host_address,
                                     w->view.window_bytes);
    }
    memory_region_unref(section.mr);
}

static SQWindow *sq_windows_get(SQWindows *ws, unsigned i)
{
    QEMU_LOCK_GUARD(&ws->lock);
    return ws->slot[i];
}

static void sq_windows_each(SmartQuantMemory *m, void (*visit)(SQWindow *w))
{
    unsigned i;

    memory_region_transaction_begin();
    for (i = 0; i < SQC_VIEWS_MAX; i++) {
        SQWindow *w = sq_windows_get(&m->windows, i);

        if (w) {
            visit(w);
        }
    }
    memory_region_transaction_commit();
}

static void sq_windows_show_all(void *opaque)
{
    sq_windows_each(opaque, sq_window_show);
}

void sq_windows_decode_changed(SmartQuantMemory *m)
{
    memset(m->windows.routed, 0, sizeof(m->windows.routed));
    sq_windows_each(m, sq_window_hide);
}

/* ---- loads that trap (BQL) ---------------------------------------------- */

static SQWindow *sq_windows_find(SmartQuantMemory *m, uint64_t dpa,
                                 unsigned bytes)
{
    unsigned i;

    for (i = 0; i < SQC_VIEWS_MAX; i++) {
        SQWindow *w = sq_windows_get(&m->windows, i);

        if (w && dpa >= w->view.dpa &&
            dpa - w->view.dpa <= w->view.window_bytes - bytes) {
            return w;
        }
    }
    return NULL;
}

static void sq_windows_note_route(SmartQuantMemory *m, uint64_t dpa)
{
    uint64_t host_address;
    unsigned decoder;

    if (sq_hdm_host_address(&m->parent_obj.cxl_cstate, dpa, 1, &host_address,
                            &decoder) && !m->windows.routed[decoder]) {
        m->windows.routed[decoder] = true;
        /* Not from inside the access that is being dispatched. */
        qemu_bh_schedule(m->windows.show);
    }
}

bool sq_windows_load(SmartQuantMemory *m, uint64_t dpa, unsigned bytes,
                     uint64_t *value, sqc_status *status)
{
    SQWindow *w = sq_windows_find(m, dpa, bytes);

    if (!w) {
        return false;
    }
    if (qatomic_read(&w->broken)) {
        *status = SQ_STATUS_MEDIA_FAILURE;
        return true;
    }
    *value = ldn_le_p(w->bytes + (dpa - w->view.dpa), bytes);
    *status = SQ_STATUS_SUCCESS;
    sq_windows_note_route(m, dpa);
    return true;
}

/* A store to a window that is shown. */
static MemTxResult sq_window_store(void *opaque, hwaddr offset, uint64_t value,
                                   unsigned size, MemTxAttrs attrs)
{
    SQWindow *w = opaque;

    return sq_memory_refuse_store(w->memory, w->view.dpa + offset, size);
}

/* Not reached: a ROM device in ROM mode is read as RAM. */
static MemTxResult sq_window_load(void *opaque, hwaddr offset, uint64_t *value,
                                  unsigned size, MemTxAttrs attrs)
{
    SQWindow *w = opaque;

    *value = ldn_le_p(w->bytes + offset, size);
    return MEMTX_OK;
}

static const MemoryRegionOps sq_window_ops = {
    .read_with_attrs = sq_window_load,
    .write_with_attrs = sq_window_store,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 1, .max_access_size = 8, .unaligned = true },
    .impl = { .min_access_size = 1, .max_access_size = 8, .unaligned = true },
};

/* ---- making and freeing ------------------------------------------------- */

typedef struct SQWindowCall {
    SmartQuantMemory *memory;
    const struct sqc_view_info *view;
    SQWindow *window;
} SQWindowCall;

static void sq_window_create(void *opaque)
{
    SQWindowCall *call = opaque;
    Object *obj = object_new(TYPE_SMARTQUANT_WINDOW);
    SQWindow *w = SMARTQUANT_WINDOW(obj);
    size_t scratch_bytes = sqc_read_scratch_bytes(&call->view->layout);
    g_autofree char *name = g_strdup_printf("smartquant-view-%08" PRIx32,
                                            call->view->view);

    w->memory = SMARTQUANT_MEMORY(object_ref(OBJECT(call->memory)));
    w->view = *call->view;
    w->scratch = qemu_try_memalign(SQC_LINE_BYTES, MAX(scratch_bytes, 1));
    if (!w->scratch ||
        !memory_region_init_rom_device_nomigrate(&w->mr, obj, &sq_window_ops,
                                                 w, name,
                                                 w->view.window_bytes, NULL)) {
        trace_smartquant_err_window_create(w->view.view, w->view.window_bytes);
        object_unref(obj);
        return;
    }
    sqc_read_scratch_begin(w->scratch);
    w->bytes = memory_region_get_ram_ptr(&w->mr);
    call->window = w;
}

/*
 * The window owns its memory region, so an address space that still refers to
 * the region keeps the window, and with it the memory, until it is done.
 */
static void sq_window_free(SQWindow *w)
{
    sq_window_hide(w);
    object_unref(OBJECT(w));
}

static void sq_window_free_call(void *opaque)
{
    SQWindowCall *call = opaque;

    sq_window_free(call->window);
}

static void sq_window_hide_call(void *opaque)
{
    SQWindowCall *call = opaque;

    sq_window_hide(call->window);
}

static void sq_window_show_call(void *opaque)
{
    SQWindowCall *call = opaque;

    sq_window_show(call->window);
}

static void sq_windows_set(SQWindows *ws, SQWindow *old, SQWindow *new)
{
    unsigned i;

    QEMU_LOCK_GUARD(&ws->lock);
    for (i = 0; i < SQC_VIEWS_MAX; i++) {
        if (ws->slot[i] == old) {
            qatomic_set(&ws->slot[i], new);
            return;
        }
    }
    /* There are as many slots as the controller has views. */
    g_assert_not_reached();
}

sqc_status sq_windows_map(SmartQuantMemory *m, SQMainLoop *loop,
                          const struct sqc_view_info *view)
{
    SQWindowCall call = { .memory = m, .view = view };
    sqc_status status;

    if (!sq_main_loop_call(loop, sq_window_create, &call)) {
        return SQ_STATUS_ABORTED;
    }
    if (!call.window) {
        return SQ_STATUS_RESOURCES_EXHAUSTED;
    }
    /* One hold of the lock for both: no store comes between. */
    sq_store_read_lock(&m->store);
    status = sq_window_fill(call.window);
    if (!status) {
        sq_windows_set(&m->windows, NULL, call.window);
    }
    sq_store_unlock(&m->store);
    if (status) {
        sq_main_loop_call(loop, sq_window_free_call, &call);
        return status;
    }
    return sq_main_loop_call(loop, sq_window_show_call, &call) ?
           SQ_STATUS_SUCCESS : SQ_STATUS_ABORTED;
}

static SQWindow *sq_windows_of_view(SmartQuantMemory *m, uint32_t view)
{
    unsigned i;

    for (i = 0; i < SQC_VIEWS_MAX; i++) {
        SQWindow *w = sq_windows_get(&m->windows, i);

        if (w && w->view.view == view) {
            return w;
        }
    }
    return NULL;
}

sqc_status sq_windows_unmap(SmartQuantMemory *m, SQMainLoop *loop,
                            uint32_t view)
{
    SQWindowCall call = { .memory = m, .window = sq_windows_of_view(m, view) };
    sqc_status status;

    if (!call.window) {
        sq_store_write_lock(&m->store);
        status = sqc_view_unmap(m->store.store, view);
        sq_store_unlock(&m->store);
        return status;
    }
    if (!sq_main_loop_call(loop, sq_window_hide_call, &call)) {
        return SQ_STATUS_ABORTED;
    }
    sq_store_write_lock(&m->store);
    status = sqc_view_unmap(m->store.store, view);
    if (!status) {
        sq_windows_set(&m->windows, call.window, NULL);
    }
    sq_store_unlock(&m->store);
    sq_main_loop_call(loop, status ? sq_window_show_call : sq_window_free_call,
                      &call);
    return status;
}

static void sq_window_hide_broken(SQWindow *w)
{
    if (qatomic_read(&w->broken)) {
        sq_window_hide(w);
    }
}

static void sq_windows_drop_broken_call(void *opaque)
{
    sq_windows_each(opaque, sq_window_hide_broken);
}

void sq_windows_drop_broken(SmartQuantMemory *m, SQMainLoop *loop)
{
    sq_main_loop_call(loop, sq_windows_drop_broken_call, m);
}

/* ---- the table ---------------------------------------------------------- */

void sq_windows_init(SmartQuantMemory *m)
{
    SQWindows *ws = &m->windows;

    qemu_mutex_init(&ws->lock);
    ws->show = qemu_bh_new_guarded(sq_windows_show_all, m,
                                   &DEVICE(m)->mem_reentrancy_guard);
}

static void sq_window_clear(SQWindow *w)
{
    sq_windows_set(&w->memory->windows, w, NULL);
    sq_window_free(w);
}

void sq_windows_clear(SmartQuantMemory *m)
{
    sq_windows_each(m, sq_window_clear);
}

void sq_windows_destroy(SmartQuantMemory *m)
{
    sq_windows_clear(m);
    qemu_bh_delete(m->windows.show);
    m->windows.show = NULL;
    qemu_mutex_destroy(&m->windows.lock);
}
