/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mailbox commands C010h to C017h: regions.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "mailbox-handlers.h"

uint16_t sq_mailbox_create_region(SmartQuantController *c,
                                  SQMailboxCommand *command)
{
    const struct sq_mbox_create_region *in = (const void *)command->in;
    struct sq_mbox_handle *out = (void *)command->out;
    SQStore *s = &c->memory->store;
    struct sqc_region_spec spec = {
        .name = (const char *)command->in + sizeof(*in),
        .name_bytes = le16_to_cpu(in->name_bytes),
        .dtype = in->dtype,
        .placement = in->placement,
        .rows = le32_to_cpu(in->rows),
        .cols = le32_to_cpu(in->cols),
    };
    uint32_t handle = 0;
    uint16_t status;

    if (command->in_bytes != sizeof(*in) + spec.name_bytes) {
        return SQ_STATUS_INVALID_PAYLOAD_LENGTH;
    }
    sq_store_write_lock(s);
    status = sqc_region_create(s->store, &spec, &handle);
    sq_store_unlock(s);
    out->handle = cpu_to_le32(handle);
    command->out_bytes = sizeof(*out);
    return status;
}

typedef sqc_status SQRegionChange(struct sqc_store *store, uint32_t handle);

/* Commands whose input is a handle and whose work is one exclusive call. */
static uint16_t sq_mailbox_change_region(SmartQuantController *c,
                                         SQMailboxCommand *command,
                                         SQRegionChange *change)
{
    SQStore *s = &c->memory->store;
    uint16_t status;

    sq_store_write_lock(s);
    status = change(s->store, sq_mailbox_handle(command));
    sq_store_unlock(s);
    return status;
}

uint16_t sq_mailbox_delete_region(SmartQuantController *c,
                                  SQMailboxCommand *command)
{
    return sq_mailbox_change_region(c, command, sqc_region_delete);
}

uint16_t sq_mailbox_seal_region(SmartQuantController *c,
                                SQMailboxCommand *command)
{
    return sq_mailbox_change_region(c, command, sqc_region_seal);
}

uint16_t sq_mailbox_pack_region(SmartQuantController *c,
                                SQMailboxCommand *command)
{
    uint16_t status = sq_pack_begin(c, sq_mailbox_handle(command));

    if (status) {
        return status;
    }
    command->background->step = sq_pack_step;
    return SQ_STATUS_BACKGROUND_STARTED;
}

static void sq_mailbox_put_region(SQMailboxCommand *command,
                                  const struct sqc_region_info *info)
{
    struct sq_region_info *out = (void *)command->out;

    *out = (struct sq_region_info) {
        .handle = cpu_to_le32(info->handle),
        .dtype = info->dtype,
        .placement = info->placement,
        .coding = info->coding,
        .rows = cpu_to_le32(info->rows),
        .cols = cpu_to_le32(info->cols),
        .precision = cpu_to_le16(info->precision),
        .name_bytes = cpu_to_le16(info->name_bytes),
        .flags = cpu_to_le32((info->sealed ? SQ_REGION_SEALED : 0) |
                             (info->dirty ? SQ_REGION_DIRTY : 0)),
        .stored_bytes = cpu_to_le64(info->stored_bytes),
        .escapes = cpu_to_le64(info->escapes),
        .segments = cpu_to_le32(info->segments),
        .views = cpu_to_le32(info->views),
    };
    memcpy(command->out + sizeof(*out), info->name, info->name_bytes);
    command->out_bytes = sizeof(*out) + info->name_bytes;
}

uint16_t sq_mailbox_get_region(SmartQuantController *c,
                               SQMailboxCommand *command)
{
    SQStore *s = &c->memory->store;
    struct sqc_region_info info;
    uint16_t status;

    sq_store_read_lock(s);
    status = sqc_region_describe(s->store, sq_mailbox_handle(command), &info);
    sq_store_unlock(s);
    if (!status) {
        sq_mailbox_put_region(command, &info);
    }
    return status;
}

uint16_t sq_mailbox_get_region_by_name(SmartQuantController *c,
                                       SQMailboxCommand *command)
{
    SQStore *s = &c->memory->store;
    struct sqc_region_info info;
    uint32_t handle;
    uint16_t status;

    sq_store_read_lock(s);
    status = sqc_region_find(s->store, (const char *)command->in,
                             command->in_bytes, &handle);
    if (!status) {
        status = sqc_region_describe(s->store, handle, &info);
    }
    sq_store_unlock(s);
    if (!status) {
        sq_mailbox_put_region(command, &info);
    }
    return status;
}

uint16_t sq_mailbox_list_regions(SmartQuantController *c,
                                 SQMailboxCommand *command)
{
    const struct sq_mbox_list_in *in = (const void *)command->in;
    struct sq_mbox_list_out *out = (void *)command->out;
    uint32_t *handles = (uint32_t *)(out + 1);
    const uint32_t room = (SQ_MBOX_PAYLOAD_BYTES - sizeof(*out)) /
                          sizeof(*handles);
    uint32_t max = MIN(le32_to_cpu(in->max), room);
    SQStore *s = &c->memory->store;
    uint32_t count = 0, next;

    sq_store_read_lock(s);
    sqc_region_next(s->store, le32_to_cpu(in->after), &next);
    while (next && count < max) {
        handles[count++] = cpu_to_le32(next);
        sqc_region_next(s->store, next, &next);
    }
    sq_store_unlock(s);
    out->count = cpu_to_le32(count);
    out->more = cpu_to_le32(next != 0);
    command->out_bytes = sizeof(*out) + count * sizeof(*handles);
    return SQ_STATUS_SUCCESS;
}

uint16_t sq_mailbox_set_precision_tag(SmartQuantController *c,
                                      SQMailboxCommand *command)
{
    const struct sq_mbox_precision_tag *in = (const void *)command->in;
    SQStore *s = &c->memory->store;
    uint16_t status;

    sq_store_write_lock(s);
    status = sqc_region_set_precision(s->store, le32_to_cpu(in->handle),
                                      le16_to_cpu(in->format));
    sq_store_unlock(s);
    return status;
}
