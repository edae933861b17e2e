/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The CXL event that tells the host of an access to the memory function that
 * was answered with poison.
 */
#ifndef HW_SMARTQUANT_POISON_EVENT_H
#define HW_SMARTQUANT_POISON_EVENT_H

#include "hw/cxl/cxl.h"

/* Type of the memory event (CXL r3.1, table 8-45). */
enum {
    SQ_MEDIA_EVENT_ECC_ERROR = 0x00,
    SQ_MEDIA_EVENT_INVALID_ADDRESS = 0x01,
};

/* Logs a General Media event record; under the BQL. */
void sq_poison_event(CXLType3Dev *ct3d, uint64_t dpa, bool is_store,
                     uint8_t type);

#endif /* HW_SMARTQUANT_POISON_EVENT_H */
