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
    uint16_t in_min, in_max;        /* bytes of input payload */
    uint8_t flags;                  /* COMMAND_* */
    uint8_t zero_at, zero_bytes;    /* reserved input field */
} SQCommandRow;

#define IN(type) sizeof(struct type), sizeof(struct type)
#define IN_NAMED(type) sizeof(struct type), sizeof(struct type) + SQ_NAME_MAX
#define ZERO(type, field) offsetof(struct type, field), \
                          sizeof(((struct type *)0)->field)

static const SQCommandRow commands[] = {
    { SQ_MBOX_IDENTIFY, "identify", sq_mailbox_identify, 0, 0 },
    { SQ_MBOX_GET_FEATURE, "get-feature", sq_mailbox_get_feature,
      IN(sq_mbox_feature), 0, ZERO(sq_mbox_feature, reserved) },
    { SQ_MBOX_SET_FEATURE, "set-feature", sq_mailbox_set_feature,
      IN(sq_mbox_feature), 0, ZERO(sq_mbox_feature, reserved) },
    { SQ_MBOX_CREATE_REGION, "create-region", sq_mailbox_create_region,
      IN_NAMED(sq_mbox_create_region), 0, ZERO(sq_mbox_create_region, flags) },
    { SQ_MBOX_DELETE_REGION, "delete-region", sq_mailbox_delete_region,
      IN(sq_mbox_handle) },
    { SQ_MBOX_SEAL_REGION, "seal-region", sq_mailbox_seal_region,
      IN(sq_mbox_handle) },
    { SQ_MBOX_GET_REGION, "get-region", sq_mailbox_get_region,
      IN(sq_mbox_handle) },
    { SQ_MBOX_GET_REGION_BY_NAME, "get-region-by-name",
      sq_mailbox_get_region_by_name, 1, SQ_NAME_MAX },
    { SQ_MBOX_LIST_REGIONS, "list-regions", sq_mailbox_list_regions,
      IN(sq_mbox_list_in) },
    { SQ_MBOX_SET_PRECISION_TAG, "set-precision-tag",
      sq_mailbox_set_precision_tag, IN(sq_mbox_precision_tag), 0,
      ZERO(sq_mbox_precision_tag, reserved) },
    { SQ_MBOX_MAP_VIEW, "map-view", sq_mailbox_map_view,
      IN(sq_mbox_map_view) },
    { SQ_MBOX_UNMAP_VIEW, "unmap-view", sq_mailbox_unmap_view,
      IN(sq_mbox_handle) },
    { SQ_MBOX_GET_VIEW, "get-view", sq_mailbox_get_view, IN(sq_mbox_handle) },
    { SQ_MBOX_CREATE_QUEUE_PAIR, "create-queue-pair",
      sq_mailbox_create_queue_pair, IN(sq_mbox_create_queue), 0,
      ZERO(sq_mbox_create_queue, flags) },
    { SQ_MBOX_DELETE_QUEUE_PAIR, "delete-queue-pair",
      sq_mailbox_delete_queue_pair, IN(sq_mbox_queue), 0,
      ZERO(sq_mbox_queue, reserved) },
    { SQ_MBOX_GET_STATISTICS, "get-statistics", sq_mailbox_get_statistics,
      IN(sq_mbox_statistics_in) },
    { SQ_MBOX_RESET_STATISTICS, "reset-statistics",
      sq_mailbox_reset_statistics, IN(sq_mbox_statistics_in) },
    { SQ_MBOX_VERIFY, "verify", sq_mailbox_verify, IN(sq_mbox_handle),
      COMMAND_BACKGROUND },
    { SQ_MBOX_GET_VERIFY_RESULT, "get-verify-result",
      sq_mailbox_get_verify_result, IN(sq_mbox_verify_in), 0,
      ZERO(sq_mbox_verify_in, reserved) },
    { SQ_MBOX_SANITIZE, "sanitize", sq_mailbox_sanitize, 0, 0,
      COMMAND_BACKGROUND },
    { SQ_MBOX_GET_HDM_INFO, "get-hdm-info", sq_mailbox_get_hdm_info, 0, 0 },
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
    if (command->in_bytes < row->in_min || command->in_bytes > row->in_max) {
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
