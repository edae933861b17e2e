/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of mailbox commands and the checks that they share.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/cutils.h"
#include "mailbox-handlers.h"
#include "trace.h"

/* Runs on after its answer; refused while another one does. */
#define COMMAND_BACKGROUND 0x1

typedef struct SQCommandRow {
    uint16_t opcode;
    const char *name;
    SQMailboxHandler *handler;
    uint16_t in_bytes;              /* of the input payload */
    uint16_t name_max;              /* bytes that may follow it */
    uint8_t flags;                  /* COMMAND_* */
    uint8_t zero_at, zero_bytes;    /* reserved input field */
} SQCommandRow;

static const SQCommandRow commands[] = {
    {
        .opcode = SQ_MBOX_IDENTIFY,
        .name = "identify",
        .handler = sq_mailbox_identify,
    },
    {
        .opcode = SQ_MBOX_GET_FEATURE,
        .name = "get-feature",
        .handler = sq_mailbox_get_feature,
        .in_bytes = sizeof(struct sq_mbox_feature),
        .zero_at = offsetof(struct sq_mbox_feature, reserved),
        .zero_bytes = sizeof_field(struct sq_mbox_feature, reserved),
    },
    {
        .opcode = SQ_MBOX_SET_FEATURE,
        .name = "set-feature",
        .handler = sq_mailbox_set_feature,
        .in_bytes = sizeof(struct sq_mbox_feature),
        .zero_at = offsetof(struct sq_mbox_feature, reserved),
        .zero_bytes = sizeof_field(struct sq_mbox_feature, reserved),
    },
    {
        .opcode = SQ_MBOX_CREATE_REGION,
        .name = "create-region",
        .handler = sq_mailbox_create_region,
        .in_bytes = sizeof(struct sq_mbox_create_region),
        .name_max = SQ_NAME_MAX,
        .zero_at = offsetof(struct sq_mbox_create_region, flags),
        .zero_bytes = sizeof_field(struct sq_mbox_create_region, flags),
    },
    {
        .opcode = SQ_MBOX_DELETE_REGION,
        .name = "delete-region",
        .handler = sq_mailbox_delete_region,
        .in_bytes = sizeof(struct sq_mbox_handle),
    },
    {
        .opcode = SQ_MBOX_SEAL_REGION,
        .name = "seal-region",
        .handler = sq_mailbox_seal_region,
        .in_bytes = sizeof(struct sq_mbox_handle),
    },
    {
        .opcode = SQ_MBOX_GET_REGION,
        .name = "get-region",
        .handler = sq_mailbox_get_region,
        .in_bytes = sizeof(struct sq_mbox_handle),
    },
    {
        .opcode = SQ_MBOX_GET_REGION_BY_NAME,
        .name = "get-region-by-name",
        .handler = sq_mailbox_get_region_by_name,
        .name_max = SQ_NAME_MAX,
    },
    {
        .opcode = SQ_MBOX_LIST_REGIONS,
        .name = "list-regions",
        .handler = sq_mailbox_list_regions,
        .in_bytes = sizeof(struct sq_mbox_list_in),
    },
    {
        .opcode = SQ_MBOX_SET_PRECISION_TAG,
        .name = "set-precision-tag",
        .handler = sq_mailbox_set_precision_tag,
        .in_bytes = sizeof(struct sq_mbox_precision_tag),
        .zero_at = offsetof(struct sq_mbox_precision_tag, reserved),
        .zero_bytes = sizeof_field(struct sq_mbox_precision_tag, reserved),
    },
    {
        .opcode = SQ_MBOX_PACK_REGION,
        .name = "pack-region",
        .handler = sq_mailbox_pack_region,
        .in_bytes = sizeof(struct sq_mbox_handle),
        .flags = COMMAND_BACKGROUND,
    },
    {
        .opcode = SQ_MBOX_MAP_VIEW,
        .name = "map-view",
        .handler = sq_mailbox_map_view,
        .in_bytes = sizeof(struct sq_mbox_map_view),
    },
    {
        .opcode = SQ_MBOX_UNMAP_VIEW,
        .name = "unmap-view",
        .handler = sq_mailbox_unmap_view,
        .in_bytes = sizeof(struct sq_mbox_handle),
    },
    {
        .opcode = SQ_MBOX_GET_VIEW,
        .name = "get-view",
        .handler = sq_mailbox_get_view,
        .in_bytes = sizeof(struct sq_mbox_handle),
    },
    {
        .opcode = SQ_MBOX_CREATE_QUEUE_PAIR,
        .name = "create-queue-pair",
        .handler = sq_mailbox_create_queue_pair,
        .in_bytes = sizeof(struct sq_mbox_create_queue),
        .zero_at = offsetof(struct sq_mbox_create_queue, flags),
        .zero_bytes = sizeof_field(struct sq_mbox_create_queue, flags),
    },
    {
        .opcode = SQ_MBOX_DELETE_QUEUE_PAIR,
        .name = "delete-queue-pair",
        .handler = sq_mailbox_delete_queue_pair,
        .in_bytes = sizeof(struct sq_mbox_queue),
        .zero_at = offsetof(struct sq_mbox_queue, reserved),
        .zero_bytes = sizeof_field(struct sq_mbox_queue, reserved),
    },
    {
        .opcode = SQ_MBOX_GET_STATISTICS,
        .name = "get-statistics",
        .handler = sq_mailbox_get_statistics,
        .in_bytes = sizeof(struct sq_mbox_statistics_in),
    },
    {
        .opcode = SQ_MBOX_RESET_STATISTICS,
        .name = "reset-statistics",
        .handler = sq_mailbox_reset_statistics,
        .in_bytes = sizeof(struct sq_mbox_statistics_in),
    },
    {
        .opcode = SQ_MBOX_VERIFY,
        .name = "verify",
        .handler = sq_mailbox_verify,
        .in_bytes = sizeof(struct sq_mbox_handle),
        .flags = COMMAND_BACKGROUND,
    },
    {
        .opcode = SQ_MBOX_GET_VERIFY_RESULT,
        .name = "get-verify-result",
        .handler = sq_mailbox_get_verify_result,
        .in_bytes = sizeof(struct sq_mbox_verify_in),
        .zero_at = offsetof(struct sq_mbox_verify_in, reserved),
        .zero_bytes = sizeof_field(struct sq_mbox_verify_in, reserved),
    },
    {
        .opcode = SQ_MBOX_SANITIZE,
        .name = "sanitize",
        .handler = sq_mailbox_sanitize,
        .flags = COMMAND_BACKGROUND,
    },
    {
        .opcode = SQ_MBOX_GET_HDM_INFO,
        .name = "get-hdm-info",
        .handler = sq_mailbox_get_hdm_info,
    },
};

static const SQCommandRow *sq_command_find(uint16_t opcode)
{
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(commands); i++) {
        if (commands[i].opcode == opcode) {
            return &commands[i];
        }
    }
    return NULL;
}

static uint16_t sq_command_check(SmartQuantController *c,
                                 const SQCommandRow *row,
                                 const SQMailboxCommand *command)
{
    if (!row) {
        return SQ_STATUS_UNSUPPORTED;
    }
    /* Where a name can follow, there is one. */
    if (command->in_bytes < row->in_bytes + (row->name_max ? 1u : 0u) ||
        command->in_bytes > row->in_bytes + row->name_max) {
        return SQ_STATUS_INVALID_PAYLOAD_LENGTH;
    }
    if (row->zero_bytes &&
        !buffer_is_zero(command->in + row->zero_at, row->zero_bytes)) {
        return SQ_STATUS_INVALID_INPUT;
    }
    if (!c->memory) {
        return SQ_STATUS_RETRY_REQUIRED;
    }
    if ((row->flags & COMMAND_BACKGROUND) && command->background->step) {
        return SQ_STATUS_BUSY;
    }
    return SQ_STATUS_SUCCESS;
}

uint16_t sq_mailbox_command_run(SmartQuantController *c,
                                SQMailboxCommand *command)
{
    const SQCommandRow *row = sq_command_find(command->opcode);
    const char *name = row ? row->name : "unknown";
    uint16_t status = sq_command_check(c, row, command);

    command->out_bytes = 0;
    if (!status) {
        status = row->handler(c, command);
    }
    if (status == SQ_STATUS_BACKGROUND_STARTED) {
        command->background->opcode = command->opcode;
    } else if (status) {
        command->out_bytes = 0;
        trace_smartquant_err_command(command->opcode, name, command->in_bytes,
                                     status);
        return status;
    }
    trace_smartquant_command(command->opcode, name, command->in_bytes,
                             command->out_bytes);
    return status;
}

uint32_t sq_mailbox_handle(const SQMailboxCommand *command)
{
    const struct sq_mbox_handle *in = (const void *)command->in;

    return le32_to_cpu(in->handle);
}
