/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Function 1 of the card (see controller-function.h).
 */
#include "qemu/osdep.h"
#include "qemu/bitops.h"
#include "qemu/lockable.h"
#include "qemu/log.h"
#include "qemu/main-loop.h"
#include "qemu/module.h"
#include "hw/cxl/cxl.h"
#include "hw/pci/msix.h"
#include "hw/pci/pci.h"
#include "hw/pci/pci_bus.h"
#include "hw/pci/pcie.h"
#include "hw/qdev-properties.h"
#include "hw/resettable.h"
#include "migration/vmstate.h"
#include "qapi/error.h"
#include "controller-function.h"
#include "trace.h"

#define PCIE_CAP_OFFSET 0x80
/* Extended capabilities. */
#define DVSEC_LOCATOR_OFFSET 0x100
#define DVSEC_LOCATOR_LENGTH 0x14
#define DVSEC_LOCATOR_ID 8          /* CXL r3.1, 8.1.9 */
#define DVSEC_LOCATOR_BLOCK 0x0c
#define DVSEC_IDENTITY_OFFSET 0x120
#define DVSEC_HEADER1 0x04
#define DVSEC_HEADER2 0x08
#define LOCATOR_BLOCK_DEVICE_REGISTERS 3

/* ---- interrupts --------------------------------------------------------- */

static void sq_controller_raise_pending(void *opaque)
{
    SmartQuantController *c = opaque;
    uint32_t vectors = qatomic_xchg(&c->pending_vectors, 0);

    while (vectors) {
        unsigned vector = ctz32(vectors);

        vectors &= vectors - 1;
        if (msix_enabled(PCI_DEVICE(c))) {
            trace_smartquant_interrupt(vector);
            msix_notify(PCI_DEVICE(c), vector);
        }
    }
}

void sq_controller_raise(SmartQuantController *c, unsigned vector)
{
    qatomic_or(&c->pending_vectors, BIT(vector));
    qemu_bh_schedule(c->raise);
}

/* ---- BAR0 and BAR2 ------------------------------------------------------ */

static uint64_t sq_registers_read(void *opaque, hwaddr offset, unsigned size)
{
    SmartQuantController *c = opaque;

    return sq_mailbox_read(&c->mailbox, offset, size);
}

static void sq_registers_write(void *opaque, hwaddr offset, uint64_t value,
                               unsigned size)
{
    SmartQuantController *c = opaque;

    sq_mailbox_write(&c->mailbox, offset, value, size);
}

static const MemoryRegionOps sq_registers_ops = {
    .read = sq_registers_read,
    .write = sq_registers_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 1, .max_access_size = 8 },
    .impl = { .min_access_size = 1, .max_access_size = 8 },
};

static uint64_t sq_doorbells_read(void *opaque, hwaddr offset, unsigned size)
{
    return 0;
}

static void sq_doorbells_write(void *opaque, hwaddr offset, uint64_t value,
                               unsigned size)
{
    SmartQuantController *c = opaque;
    unsigned id = offset / SQ_DOORBELL_STRIDE;
    hwaddr reg = offset % SQ_DOORBELL_STRIDE;
    bool taken = false;

    QEMU_LOCK_GUARD(&c->queues_lock);
    if (id < SQ_QUEUES_MAX && c->queues[id]) {
        if (reg == SQ_DOORBELL_SUBMISSION) {
            taken = sq_queue_submit(c->queues[id], value);
        } else if (reg == SQ_DOORBELL_COMPLETION) {
            taken = sq_queue_consume(c->queues[id], value);
        }
    }
    if (!taken) {
        trace_smartquant_err_doorbell(id, reg, value);
        qemu_log_mask(LOG_GUEST_ERROR, "smartquant: doorbell %u at 0x%"
                      HWADDR_PRIx ": value %" PRIu64 " ignored\n", id, reg,
                      value);
    }
}

static const MemoryRegionOps sq_doorbells_ops = {
    .read = sq_doorbells_read,
    .write = sq_doorbells_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 4, .max_access_size = 4 },
    .impl = { .min_access_size = 4, .max_access_size = 4 },
};

/* ---- configuration space ------------------------------------------------ */

static void sq_add_dvsec(PCIDevice *pci_dev, uint16_t offset, uint16_t vendor,
                         uint8_t revision, uint16_t length, uint16_t id)
{
    uint8_t *dvsec = pci_dev->config + offset;

    pcie_add_capability(pci_dev, PCI_EXT_CAP_ID_DVSEC, 1, offset, length);
    pci_set_long(dvsec + DVSEC_HEADER1,
                 vendor | revision << 16 | (uint32_t)length << 20);
    pci_set_word(dvsec + DVSEC_HEADER2, id);
}

static void sq_add_dvsecs(PCIDevice *pci_dev)
{
    uint8_t *dvsec = pci_dev->config + DVSEC_LOCATOR_OFFSET;

    sq_add_dvsec(pci_dev, DVSEC_LOCATOR_OFFSET, CXL_VENDOR_ID, 0,
                 DVSEC_LOCATOR_LENGTH, DVSEC_LOCATOR_ID);
    pci_set_long(dvsec + DVSEC_LOCATOR_BLOCK,
                 SQ_BAR_REGISTERS | LOCATOR_BLOCK_DEVICE_REGISTERS << 8);

    dvsec = pci_dev->config + DVSEC_IDENTITY_OFFSET;
    sq_add_dvsec(pci_dev, DVSEC_IDENTITY_OFFSET, SQ_PCI_VENDOR_ID,
                 SQ_DVSEC_REVISION, SQ_DVSEC_LENGTH, SQ_DVSEC_ID);
    pci_set_word(dvsec + SQ_DVSEC_INTERFACE_MAJOR, SQ_INTERFACE_MAJOR);
    pci_set_word(dvsec + SQ_DVSEC_INTERFACE_MINOR, SQ_INTERFACE_MINOR);
    pci_set_word(dvsec + SQ_DVSEC_FUNCTION0,
                 PCI_DEVFN(PCI_SLOT(pci_dev->devfn), 0));
}

static void sq_controller_config_write(PCIDevice *pci_dev, uint32_t address,
                                       uint32_t value, int size)
{
    pci_default_write_config(pci_dev, address, value, size);
    pcie_cap_flr_write_config(pci_dev, address, value, size);
}

/* ---- workers ------------------------------------------------------------ */

static void sq_controller_start(SmartQuantController *c)
{
    sq_main_loop_open(&c->main_loop);
    sq_mailbox_start(&c->mailbox, c);
}

/* Ends all workers; nothing of a driver's setup survives. Under the BQL. */
static void sq_controller_stop(SmartQuantController *c)
{
    unsigned i;

    sq_main_loop_close(&c->main_loop);
    sq_mailbox_stop(&c->mailbox);
    for (i = 0; i < SQ_QUEUES_MAX; i++) {
        SQQueue *queue;

        WITH_QEMU_LOCK_GUARD(&c->queues_lock) {
            queue = c->queues[i];
            c->queues[i] = NULL;
        }
        sq_queue_destroy(queue);
    }
    sq_verify_reset(&c->verify);
    sq_pack_reset(c);
    qatomic_set(&c->default_rounding, SQ_ROUNDING_DEFAULT);
    qatomic_set(&c->pending_vectors, 0);
}

static void sq_controller_unmap_views(SmartQuantController *c)
{
    SQStore *s = &c->memory->store;
    uint32_t view = 0;

    sq_windows_clear(c->memory);
    sq_store_write_lock(s);
    for (;;) {
        sqc_view_next(s->store, 0, &view);
        if (!view || sqc_view_unmap(s->store, view)) {
            break;
        }
    }
    sq_store_unlock(s);
}

static void sq_controller_reset_hold(Object *obj, ResetType type)
{
    SmartQuantController *c = SMARTQUANT_CONTROLLER(obj);

    trace_smartquant_reset();
    sq_controller_stop(c);
    if (c->memory) {
        sq_controller_unmap_views(c);
    }
    sq_controller_start(c);
}

/* ---- function 0 --------------------------------------------------------- */

static bool sq_same_card(PCIDevice *a, PCIDevice *b)
{
    return pci_get_bus(a) == pci_get_bus(b) &&
           PCI_SLOT(a->devfn) == PCI_SLOT(b->devfn);
}

void sq_controller_attach_memory(SmartQuantMemory *m)
{
    PCIDevice *function0 = PCI_DEVICE(m);
    unsigned function;

    for (function = 1; function < PCI_FUNC_MAX; function++) {
        PCIDevice *d = pci_get_bus(function0)->devices[
            PCI_DEVFN(PCI_SLOT(function0->devfn), function)];
        SmartQuantController *c = (SmartQuantController *)
            object_dynamic_cast(OBJECT(d), TYPE_SMARTQUANT_CONTROLLER);

        if (c && !c->memory && DEVICE(c)->realized) {
            sq_controller_stop(c);
            c->memory = m;
            m->controller = c;
            sq_controller_start(c);
            return;
        }
    }
}

void sq_controller_detach_memory(SmartQuantMemory *m)
{
    SmartQuantController *c = m->controller;

    if (!c) {
        return;
    }
    sq_controller_stop(c);
    sq_controller_unmap_views(c);
    m->controller = NULL;
    c->memory = NULL;
    if (DEVICE(c)->realized) {
        sq_controller_start(c);
    }
}

static bool sq_controller_find_memory(SmartQuantController *c, Error **errp)
{
    PCIDevice *pci_dev = PCI_DEVICE(c);
    Object *found = OBJECT(c->memory_property);
    SmartQuantMemory *m;

    if (!found) {
        PCIDevice *d = pci_get_bus(pci_dev)->devices[
            PCI_DEVFN(PCI_SLOT(pci_dev->devfn), 0)];

        found = object_dynamic_cast(OBJECT(d), TYPE_SMARTQUANT_MEMORY);
    }
    if (!found) {
        if (DEVICE(c)->hotplugged) {
            return true;            /* function 0 comes last, and attaches */
        }
        error_setg(errp, "no function 0 of type " TYPE_SMARTQUANT_MEMORY
                   " in this slot; put -device " TYPE_SMARTQUANT_MEMORY
                   ",addr=N.0,multifunction=on before it");
        return false;
    }
    m = SMARTQUANT_MEMORY(found);
    if (!sq_same_card(pci_dev, PCI_DEVICE(m))) {
        error_setg(errp, "memory='%s' is not in the same slot",
                   DEVICE(m)->id ? DEVICE(m)->id : "?");
        return false;
    }
    if (m->controller) {
        error_setg(errp, "the card in this slot has a controller already");
        return false;
    }
    c->memory = m;
    m->controller = c;
    return true;
}

/* ---- life --------------------------------------------------------------- */

static void sq_controller_init_bars(SmartQuantController *c)
{
    PCIDevice *pci_dev = PCI_DEVICE(c);
    const uint8_t type = PCI_BASE_ADDRESS_SPACE_MEMORY |
                         PCI_BASE_ADDRESS_MEM_TYPE_64;

    memory_region_init_io(&c->registers, OBJECT(c), &sq_registers_ops, c,
                          "smartquant-registers", SQ_BAR_REGISTERS_BYTES);
    pci_register_bar(pci_dev, SQ_BAR_REGISTERS, type, &c->registers);
    memory_region_init_io(&c->doorbells, OBJECT(c), &sq_doorbells_ops, c,
                          "smartquant-doorbells",
                          SQ_QUEUES_MAX * SQ_DOORBELL_STRIDE);
    pci_register_bar(pci_dev, SQ_BAR_DOORBELLS, type, &c->doorbells);
}

static void sq_controller_realize(PCIDevice *pci_dev, Error **errp)
{
    SmartQuantController *c = SMARTQUANT_CONTROLLER(pci_dev);
    unsigned i;

    if (!sq_controller_find_memory(c, errp)) {
        return;
    }
    if (msix_init_exclusive_bar(pci_dev, SQ_MSIX_VECTORS, SQ_BAR_MSIX, errp)) {
        if (c->memory) {
            c->memory->controller = NULL;
            c->memory = NULL;
        }
        return;
    }
    for (i = 0; i < SQ_MSIX_VECTORS; i++) {
        msix_vector_use(pci_dev, i);
    }
    pcie_endpoint_cap_init(pci_dev, PCIE_CAP_OFFSET);
    pcie_cap_flr_init(pci_dev);
    sq_add_dvsecs(pci_dev);
    sq_controller_init_bars(c);

    qemu_mutex_init(&c->queues_lock);
    sq_main_loop_init(&c->main_loop, &DEVICE(c)->mem_reentrancy_guard);
    sq_mailbox_init(&c->mailbox);
    c->raise = qemu_bh_new_guarded(sq_controller_raise_pending, c,
                                   &DEVICE(c)->mem_reentrancy_guard);
    sq_controller_start(c);
}

static void sq_controller_exit(PCIDevice *pci_dev)
{
    SmartQuantController *c = SMARTQUANT_CONTROLLER(pci_dev);

    sq_controller_stop(c);
    if (c->memory) {
        sq_controller_unmap_views(c);
        c->memory->controller = NULL;
        c->memory = NULL;
    }
    qemu_bh_delete(c->raise);
    sq_mailbox_destroy(&c->mailbox);
    sq_main_loop_destroy(&c->main_loop);
    qemu_mutex_destroy(&c->queues_lock);
    pcie_cap_exit(pci_dev);
    msix_uninit_exclusive_bar(pci_dev);
}

/* ---- properties --------------------------------------------------------- */

bool sq_controller_stalled(SmartQuantController *c)
{
    return qatomic_read(&c->stalled);
}

static bool sq_controller_get_stall(Object *obj, Error **errp)
{
    return sq_controller_stalled(SMARTQUANT_CONTROLLER(obj));
}

static void sq_controller_set_stall(Object *obj, bool value, Error **errp)
{
    SmartQuantController *c = SMARTQUANT_CONTROLLER(obj);
    unsigned i;

    qatomic_set(&c->stalled, value);
    if (!DEVICE(c)->realized) {
        return;
    }
    sq_mailbox_kick(&c->mailbox);
    QEMU_LOCK_GUARD(&c->queues_lock);
    for (i = 0; i < SQ_QUEUES_MAX; i++) {
        if (c->queues[i]) {
            sq_queue_kick(c->queues[i]);
        }
    }
}

static const Property sq_controller_properties[] = {
    DEFINE_PROP_LINK("memory", SmartQuantController, memory_property,
                     TYPE_SMARTQUANT_MEMORY, SmartQuantMemory *),
};

static const VMStateDescription sq_controller_vmstate = {
    .name = TYPE_SMARTQUANT_CONTROLLER,
    .unmigratable = 1,
};

static void sq_controller_class_init(ObjectClass *oc, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(oc);
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(oc);
    ResettableClass *rc = RESETTABLE_CLASS(oc);

    pc->realize = sq_controller_realize;
    pc->exit = sq_controller_exit;
    pc->config_write = sq_controller_config_write;
    pc->vendor_id = SQ_PCI_VENDOR_ID;
    pc->device_id = SQ_PCI_DEVICE_ID;
    pc->class_id = SQ_PCI_CLASS >> 8;
    pc->revision = SQ_INTERFACE_MAJOR;
    dc->desc = "SmartQuant card, controller function";
    dc->vmsd = &sq_controller_vmstate;
    set_bit(DEVICE_CATEGORY_MISC, dc->categories);
    device_class_set_props(dc, sq_controller_properties);
    rc->phases.hold = sq_controller_reset_hold;
    object_class_property_add_bool(oc, "x-stall", sq_controller_get_stall,
                                   sq_controller_set_stall);
    object_class_property_set_description(oc, "x-stall",
                                          "stop answering (for tests)");
}

static const TypeInfo sq_controller_info = {
    .name = TYPE_SMARTQUANT_CONTROLLER,
    .parent = TYPE_PCI_DEVICE,
    .instance_size = sizeof(SmartQuantController),
    .class_init = sq_controller_class_init,
    .interfaces = (InterfaceInfo[]) {
        { INTERFACE_PCIE_DEVICE },
        { }
    },
};

static void sq_controller_register_types(void)
{
    type_register_static(&sq_controller_info);
}

type_init(sq_controller_register_types)
