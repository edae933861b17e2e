/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Function 0 of the card (see memory-function.h).
 */
#include "qemu/osdep.h"
#include "qemu/memalign.h"
#include "qemu/module.h"
#include "qemu/units.h"
#include "exec/memory.h"
#include "hw/cxl/cxl.h"
#include "hw/pci/pci.h"
#include "hw/qdev-properties.h"
#include "hw/resettable.h"
#include "migration/vmstate.h"
#include "qapi/error.h"
#include "qom/object_interfaces.h"
#include "system/hostmem.h"
#include "controller-function.h"
#include "memory-function.h"
#include "poison-event.h"
#include "trace.h"

#define SQ_BLOAT_MAX 64
#define SQ_CAPACITY_MULTIPLE (256 * MiB)
#define SQ_LOGICAL_CHILD "logical-memory"

/*
 * Opcodes of the parent's mailbox that would work on the bytes of the logical
 * backend, which mean nothing: the card's own Sanitize erases the planes.
 */
#define CXL_OPCODE_SANITIZE 0x4400

/* What a load that is answered with poison returns. */
#define SQ_POISON_VALUE UINT64_MAX

struct SmartQuantMemoryStatics {
    void (*parent_realize)(PCIDevice *pci_dev, Error **errp);
    void (*parent_exit)(PCIDevice *pci_dev);
    ResettablePhases parent_phases;
};
static struct SmartQuantMemoryStatics parent;

/* ---- loads and stores (BQL) --------------------------------------------- */

static void sq_memory_report(SmartQuantMemory *m, uint64_t dpa, unsigned bytes,
                             bool is_store, sqc_status status)
{
    trace_smartquant_err_access(dpa, bytes, is_store, status);
    sq_poison_event(&m->parent_obj, dpa, is_store,
                    status == SQ_STATUS_MEDIA_FAILURE ?
                    SQ_MEDIA_EVENT_ECC_ERROR : SQ_MEDIA_EVENT_INVALID_ADDRESS);
}

static MemTxResult sq_memory_load(CXLType3Dev *ct3d, AddressSpace *as,
                                  hwaddr dpa, uint64_t *data, unsigned size,
                                  MemTxAttrs attrs)
{
    SmartQuantMemory *m = SMARTQUANT_MEMORY(ct3d);
    uint64_t value = 0;
    sqc_status status;

    if (!sq_windows_load(m, dpa, size, &value, &status)) {
        sq_store_read_lock(&m->store);
        status = sqc_view_load(m->store.store, dpa, size, &value,
                               m->load_scratch);
        sq_store_unlock(&m->store);
    }
    if (status) {
        *data = SQ_POISON_VALUE;
        sq_memory_report(m, dpa, size, false, status);
        return MEMTX_ERROR;
    }
    *data = value;
    trace_smartquant_load(dpa, size, value);
    return MEMTX_OK;
}

MemTxResult sq_memory_refuse_store(SmartQuantMemory *m, uint64_t dpa,
                                   unsigned bytes)
{
    if (m->store.store) {
        sqc_count_poison(m->store.store);
        sq_memory_report(m, dpa, bytes, true, SQ_STATUS_INVALID_ADDRESS);
    }
    return MEMTX_ERROR;
}

static MemTxResult sq_memory_store(CXLType3Dev *ct3d, AddressSpace *as,
                                   hwaddr dpa, uint64_t data, unsigned size,
                                   MemTxAttrs attrs)
{
    return sq_memory_refuse_store(SMARTQUANT_MEMORY(ct3d), dpa, size);
}

/* Clear Poison writes zeros: there is nothing that it could write to. */
static bool sq_memory_set_cacheline(CXLType3Dev *ct3d, uint64_t dpa,
                                    uint8_t *data)
{
    return false;
}

/* ---- decoders ----------------------------------------------------------- */

static void sq_memory_component_write(void *opaque, hwaddr offset,
                                      uint64_t value, unsigned size)
{
    CXLComponentState *cstate = opaque;
    SmartQuantMemory *m = SMARTQUANT_MEMORY(cstate->pdev);
    bool refused;
    bool decoder = sq_hdm_filter_write(offset, &value, &refused);

    m->component_write(opaque, offset, value, size);
    if (refused) {
        trace_smartquant_err_decoder(offset, value);
        sq_hdm_set_error(cstate, offset);
    }
    if (decoder) {
        sq_windows_decode_changed(m);
    }
}

static void sq_memory_drop_command(CXLCCI *cci, uint16_t opcode)
{
    size_t i;

    cci->cxl_cmd_set[opcode >> 8][opcode & 0xff] = (struct cxl_cmd) { };
    for (i = 0; i < cci->cel_size; i++) {
        if (cci->cel_log[i].opcode == opcode) {
            cci->cel_size--;
            memmove(&cci->cel_log[i], &cci->cel_log[i + 1],
                    (cci->cel_size - i) * sizeof(cci->cel_log[0]));
            return;
        }
    }
}

static void sq_memory_reset_hold(Object *obj, ResetType type)
{
    SmartQuantMemory *m = SMARTQUANT_MEMORY(obj);

    parent.parent_phases.hold(obj, type);
    sq_memory_drop_command(&m->parent_obj.cci, CXL_OPCODE_SANITIZE);
    sq_windows_decode_changed(m);
}

/* ---- backends ----------------------------------------------------------- */

static bool sq_memory_check_properties(SmartQuantMemory *m, Error **errp)
{
    CXLType3Dev *ct3d = &m->parent_obj;

    if (!ct3d->hostpmem || ct3d->hostmem || ct3d->hostvmem ||
        ct3d->dc.num_regions) {
        error_setg(errp, "plane memory must be given as persistent-memdev, "
                   "and nothing as memdev, volatile-memdev or num-dc-regions");
        return false;
    }
    if (m->bloat < 1 || m->bloat > SQ_BLOAT_MAX) {
        error_setg(errp, "bloat=%" PRIu32 " is out of range (1 to %d)",
                   m->bloat, SQ_BLOAT_MAX);
        return false;
    }
    if (!m->views_name) {
        m->views_name = g_strdup("ram");
    }
    if (strcmp(m->views_name, "ram") && strcmp(m->views_name, "trap")) {
        error_setg(errp, "views='%s' is unknown (ram or trap)", m->views_name);
        return false;
    }
    return true;
}

static bool sq_memory_check_capacity(SmartQuantMemory *m, Error **errp)
{
    MemoryRegion *mr = host_memory_backend_get_memory(m->planes);
    const char *id = object_get_canonical_path_component(OBJECT(m->planes));

    if (!mr) {
        error_setg(errp, "memory backend '%s' has no memory", id);
        return false;
    }
    if (host_memory_backend_is_mapped(m->planes)) {
        error_setg(errp, "memory backend '%s' is in use already", id);
        return false;
    }
    if (umul64_overflow(memory_region_size(mr), m->bloat, &m->logical_bytes) ||
        m->logical_bytes % SQ_CAPACITY_MULTIPLE) {
        error_setg(errp, "memory backend '%s' of %" PRIu64 " MiB times "
                   "bloat=%" PRIu32 " is no multiple of 256 MiB; change one",
                   id, (uint64_t)(memory_region_size(mr) / MiB), m->bloat);
        return false;
    }
    return true;
}

/* Address space only: without a reservation it takes no memory. */
static bool sq_memory_make_logical(SmartQuantMemory *m, Error **errp)
{
    Object *obj = object_new(TYPE_MEMORY_BACKEND_RAM);
    bool ok;

    object_property_add_child(OBJECT(m), SQ_LOGICAL_CHILD, obj);
    ok = object_property_set_int(obj, "size", m->logical_bytes, errp) &&
         object_property_set_bool(obj, "prealloc", false, errp) &&
         object_property_set_bool(obj, "dump", false, errp) &&
         object_property_set_bool(obj, "reserve", false, errp) &&
         user_creatable_complete(USER_CREATABLE(obj), errp);
    object_unref(obj);
    if (!ok) {
        object_unparent(obj);
        return false;
    }
    m->logical = MEMORY_BACKEND(obj);
    return true;
}

/* The parent's link keeps a reference to what the user put there. */
static void sq_memory_restore_backend(SmartQuantMemory *m)
{
    m->parent_obj.hostpmem = m->planes;
    host_memory_backend_set_mapped(m->planes, false);
    if (m->logical) {
        host_memory_backend_set_mapped(m->logical, false);
        object_unparent(OBJECT(m->logical));
        m->logical = NULL;
    }
}

/* ---- life --------------------------------------------------------------- */

static void sq_memory_close(SmartQuantMemory *m)
{
    sq_store_close(&m->store);
    qemu_vfree(m->load_scratch);
    m->load_scratch = NULL;
    sq_memory_restore_backend(m);
}

static bool sq_memory_open(SmartQuantMemory *m, Error **errp)
{
    m->planes = m->parent_obj.hostpmem;
    if (!sq_memory_check_capacity(m, errp)) {
        return false;
    }
    host_memory_backend_set_mapped(m->planes, true);
    m->load_scratch = qemu_memalign(SQC_LINE_BYTES,
                                    SQC_VIEW_LOAD_SCRATCH_BYTES);
    sqc_read_scratch_begin(m->load_scratch);
    if (!sq_memory_make_logical(m, errp) ||
        !sq_store_open(&m->store, m->planes, m->logical_bytes, errp)) {
        sq_memory_close(m);
        return false;
    }
    m->parent_obj.hostpmem = m->logical;
    return true;
}

static void sq_memory_realize(PCIDevice *pci_dev, Error **errp)
{
    ERRP_GUARD();
    SmartQuantMemory *m = SMARTQUANT_MEMORY(pci_dev);
    ComponentRegisters *regs = &m->parent_obj.cxl_cstate.crb;

    if (!sq_memory_check_properties(m, errp) || !sq_memory_open(m, errp)) {
        return;
    }
    parent.parent_realize(pci_dev, errp);
    if (*errp) {
        sq_memory_close(m);
        return;
    }
    m->component_write = regs->special_ops->write;
    regs->special_ops->write = sq_memory_component_write;
    sq_windows_init(m);
    sq_controller_attach_memory(m);
}

static void sq_memory_exit(PCIDevice *pci_dev)
{
    SmartQuantMemory *m = SMARTQUANT_MEMORY(pci_dev);

    sq_controller_detach_memory(m);
    sq_windows_destroy(m);
    parent.parent_exit(pci_dev);
    sq_memory_close(m);
}

static const Property sq_memory_properties[] = {
    DEFINE_PROP_UINT32("bloat", SmartQuantMemory, bloat, 4),
    DEFINE_PROP_STRING("views", SmartQuantMemory, views_name),
};

/* The store is a file of the host, and workers are in the middle of it. */
static const VMStateDescription sq_memory_vmstate = {
    .name = TYPE_SMARTQUANT_MEMORY,
    .unmigratable = 1,
};

static void sq_memory_class_init(ObjectClass *oc, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(oc);
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(oc);
    CXLType3Class *cvc = CXL_TYPE3_CLASS(oc);

    parent.parent_realize = pc->realize;
    parent.parent_exit = pc->exit;
    pc->realize = sq_memory_realize;
    pc->exit = sq_memory_exit;
    dc->desc = "SmartQuant card, memory function (CXL type 3)";
    dc->vmsd = &sq_memory_vmstate;
    device_class_set_props(dc, sq_memory_properties);
    resettable_class_set_parent_phases(RESETTABLE_CLASS(oc), NULL,
                                       sq_memory_reset_hold, NULL,
                                       &parent.parent_phases);
    cvc->read_media = sq_memory_load;
    cvc->write_media = sq_memory_store;
    cvc->set_cacheline = sq_memory_set_cacheline;
}

static const TypeInfo sq_memory_info = {
    .name = TYPE_SMARTQUANT_MEMORY,
    .parent = TYPE_CXL_TYPE3,
    .instance_size = sizeof(SmartQuantMemory),
    .class_init = sq_memory_class_init,
};

static void sq_memory_register_types(void)
{
    type_register_static(&sq_memory_info);
}

type_init(sq_memory_register_types)
