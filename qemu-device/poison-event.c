/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CXL events of the memory function (see poison-event.h).
 */
#include "qemu/osdep.h"
#include "hw/cxl/cxl.h"
#include "hw/cxl/cxl_events.h"
#include "poison-event.h"

/* CXL r3.1, table 8-45: General Media event record. */
static const QemuUUID general_media_uuid = {
    .data = UUID(0xfbcd0a77, 0xc260, 0x417f,
                 0x85, 0xa9, 0x08, 0x8b, 0x16, 0x21, 0xeb, 0xa6),
};

#define EVENT_SEVERITY_WARNING 1
#define EVENT_DESCRIPTOR_UNCORRECTABLE BIT(0)
#define EVENT_TRANSACTION_HOST_READ 1
#define EVENT_TRANSACTION_HOST_WRITE 2
/* The address field's low bits are flags; an event names a cache line. */
#define EVENT_ADDRESS_MASK (~(uint64_t)(CXL_CACHE_LINE_SIZE - 1))

void sq_poison_event(CXLType3Dev *ct3d, uint64_t dpa, bool is_store,
                     uint8_t type)
{
    CXLEventGenMedia event = {
        .hdr = {
            .id = general_media_uuid,
            .length = sizeof(event),
            .flags = { EVENT_SEVERITY_WARNING },
        },
        .phys_addr = cpu_to_le64(dpa & EVENT_ADDRESS_MASK),
        .descriptor = EVENT_DESCRIPTOR_UNCORRECTABLE,
        .type = type,
        .transaction_type = is_store ? EVENT_TRANSACTION_HOST_WRITE
                                     : EVENT_TRANSACTION_HOST_READ,
    };

    QEMU_BUILD_BUG_ON(sizeof(event) != CXL_EVENT_RECORD_SIZE);
    /* Keeps a few records and counts the rest, so a storm stays harmless. */
    if (cxl_event_insert(&ct3d->cxl_dstate, CXL_EVENT_TYPE_WARN,
                         (CXLEventRecordRaw *)&event)) {
        cxl_event_irq_assert(ct3d);
    }
}
