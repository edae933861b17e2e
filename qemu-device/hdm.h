/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What function 0's HDM decoders say (CXL r3.1, 8.2.4.20): where in host
 * memory a device physical address is. All under the BQL.
 */
#ifndef HW_SMARTQUANT_HDM_H
#define HW_SMARTQUANT_HDM_H

#include "hw/cxl/cxl.h"

#define SQ_HDM_DECODERS 4

typedef struct SQDecoder {
    uint64_t host_base;
    uint64_t size_bytes;            /* of the host range, all ways together */
    uint64_t dpa_base;
    unsigned interleave_ways;
    unsigned granularity_bytes;
} SQDecoder;

/* Decoder i; false when it is not committed, or not usable. */
bool sq_hdm_decoder(const CXLComponentState *cstate, unsigned i, SQDecoder *d);

/*
 * Host address of [dpa, dpa + bytes): true when one decoder covers all of it
 * and does not interleave, so that it is contiguous in host memory. *index
 * names the decoder.
 */
bool sq_hdm_host_address(const CXLComponentState *cstate, uint64_t dpa,
                         uint64_t bytes, uint64_t *host_address,
                         unsigned *index);

/*
 * Looks at a write to a component register. True when it touches a decoder;
 * *value is changed when it would commit a decoder with an interleave that
 * does not exist (the stock decode code ends the process on one).
 */
bool sq_hdm_filter_write(hwaddr offset, uint64_t *value, bool *refused);
/*
 * Sets the "error, not committed" bit of the decoder whose control register
 * is at this offset.
 */
void sq_hdm_set_error(CXLComponentState *cstate, hwaddr offset);

#endif /* HW_SMARTQUANT_HDM_H */
