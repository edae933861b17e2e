/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The handlers that the command table names. Each one is called with a
 * payload whose length is in the row's range and whose reserved fields are
 * zero; it checks what is left, does the work and fills out/out_bytes.
 */
#ifndef HW_SMARTQUANT_MAILBOX_HANDLERS_H
#define HW_SMARTQUANT_MAILBOX_HANDLERS_H

#include "controller-function.h"
#include "mailbox-command.h"

typedef uint16_t SQMailboxHandler(SmartQuantController *c,
                                  SQMailboxCommand *command);

/* mailbox-device.c */
SQMailboxHandler sq_mailbox_identify;
SQMailboxHandler sq_mailbox_get_feature;
SQMailboxHandler sq_mailbox_set_feature;
SQMailboxHandler sq_mailbox_get_statistics;
SQMailboxHandler sq_mailbox_reset_statistics;
SQMailboxHandler sq_mailbox_verify;
SQMailboxHandler sq_mailbox_get_verify_result;
SQMailboxHandler sq_mailbox_sanitize;
SQMailboxHandler sq_mailbox_get_hdm_info;

/* mailbox-region.c */
SQMailboxHandler sq_mailbox_create_region;
SQMailboxHandler sq_mailbox_delete_region;
SQMailboxHandler sq_mailbox_seal_region;
SQMailboxHandler sq_mailbox_pack_region;
SQMailboxHandler sq_mailbox_get_region;
SQMailboxHandler sq_mailbox_get_region_by_name;
SQMailboxHandler sq_mailbox_list_regions;
SQMailboxHandler sq_mailbox_set_precision_tag;

/* mailbox-view.c */
SQMailboxHandler sq_mailbox_map_view;
SQMailboxHandler sq_mailbox_unmap_view;
SQMailboxHandler sq_mailbox_get_view;

/* mailbox-queue.c */
SQMailboxHandler sq_mailbox_create_queue_pair;
SQMailboxHandler sq_mailbox_delete_queue_pair;

/* The handle or view id that is a command's whole input. */
uint32_t sq_mailbox_handle(const SQMailboxCommand *command);

#endif /* HW_SMARTQUANT_MAILBOX_HANDLERS_H */
