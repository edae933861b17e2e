/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mailbox commands C020h to C022h: views.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "mailbox-handlers.h"
#include "trace.h"

static void sq_mailbox_put_view(SQMailboxCommand *command,
                                const struct sqc_view_info *view)
{
    const struct sqc_read_request *request = &view->request;
    struct sq_view_info *out = (void *)command->out;

    *out = (struct sq_view_info) {
        .view = cpu_to_le32(view->view),
        .handle = cpu_to_le32(request->handle),
        .format = cpu_to_le16(view->layout.format),
        .rounding = view->layout.rounding,
        .axis = view->layout.axis,
        .first_row = cpu_to_le32(request->first_row),
        .row_count = cpu_to_le32(request->row_count),
        .dpa = cpu_to_le64(view->dpa),
        .length_bytes = cpu_to_le64(view->layout.bytes),
        .window_bytes = cpu_to_le64(view->window_bytes),
    };
    command->out_bytes = sizeof(*out);
}

uint16_t sq_mailbox_map_view(SmartQuantController *c,
                             SQMailboxCommand *command)
{
    const struct sq_mbox_map_view *in = (const void *)command->in;
    SQStore *s = &c->memory->store;
    struct sqc_read_request request = {
        .handle = le32_to_cpu(in->handle),
        .format = le16_to_cpu(in->format),
        .rounding = in->rounding,
        .axis = in->axis,
        .first_row = le32_to_cpu(in->first_row),
        .row_count = le32_to_cpu(in->row_count),
    };
    struct sqc_view_info view;
    uint16_t status;

    sq_store_write_lock(s);
    sq_controller_default_rounding(c, &request);
    status = sqc_view_map(s->store, &request, &view);
    sq_store_unlock(s);
    if (status) {
        return status;
    }
    if (!sq_memory_traps(c->memory)) {
        status = sq_windows_map(c->memory, &c->main_loop, &view);
        if (status) {
            sq_store_write_lock(s);
            sqc_view_unmap(s->store, view.view);
            sq_store_unlock(s);
            return status;
        }
    }
    trace_smartquant_view_map(view.view, request.handle, view.layout.format,
                              view.dpa, view.layout.bytes);
    sq_mailbox_put_view(command, &view);
    return SQ_STATUS_SUCCESS;
}

uint16_t sq_mailbox_unmap_view(SmartQuantController *c,
                               SQMailboxCommand *command)
{
    uint32_t view = sq_mailbox_handle(command);
    uint16_t status = sq_windows_unmap(c->memory, &c->main_loop, view);

    if (!status) {
        trace_smartquant_view_unmap(view);
    }
    return status;
}

uint16_t sq_mailbox_get_view(SmartQuantController *c,
                             SQMailboxCommand *command)
{
    SQStore *s = &c->memory->store;
    struct sqc_view_info view;
    uint16_t status;

    sq_store_read_lock(s);
    status = sqc_view_describe(s->store, sq_mailbox_handle(command), &view);
    sq_store_unlock(s);
    if (!status) {
        sq_mailbox_put_view(command, &view);
    }
    return status;
}
