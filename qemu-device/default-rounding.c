/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The feature "default rounding", where requests meet it.
 */
#include "qemu/osdep.h"
#include "controller-function.h"

void sq_controller_default_rounding(SmartQuantController *c,
                                    struct sqc_read_request *request)
{
    struct sqc_region_info info;
    uint16_t format = request->format;

    if (request->rounding != SQ_ROUNDING_DEFAULT) {
        return;
    }
    if (format == SQ_FORMAT_TAG &&
        !sqc_region_describe(c->memory->store.store, request->handle, &info)) {
        format = info.precision;
    }
    /* Only the block formats round in more than one way. */
    if (SQ_FORMAT_FAMILY(format) >= SQ_FORMAT_FAMILY_MXINT &&
        SQ_FORMAT_FAMILY(format) <= SQ_FORMAT_FAMILY_MX) {
        request->rounding = qatomic_read(&c->default_rounding);
    }
}
