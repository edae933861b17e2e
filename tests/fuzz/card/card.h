/* SPDX-License-Identifier: MIT */
/*
 * The card's mailbox and queues on a store in memory: what they are in QEMU,
 * without its threads, interrupts and view windows.
 */
#ifndef SQ_FUZZ_CARD_H
#define SQ_FUZZ_CARD_H

#include <stddef.h>
#include <stdint.h>

#include "controller.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Guest memory that the card's DMA reaches, from address 0. */
#define CARD_GUEST_BYTES (256u << 10)

typedef struct Card Card;

/* `store` is open, and stays the caller's. */
Card *card_create(struct sqc_store *store, uint8_t *guest);
void card_destroy(Card *card);

/* Registers of the mailbox; an access is aligned to its 1, 2, 4 or 8 bytes. */
uint64_t card_register_read(Card *card, uint32_t offset, unsigned bytes);
void card_register_write(Card *card, uint32_t offset, uint64_t value,
                         unsigned bytes);
/*
 * A command through these, and its return code, with no doorbell rung before.
 * The payload may be of any length; `in_bytes` is what the register says.
 */
uint16_t card_command(Card *card, uint16_t opcode, uint32_t in_bytes,
                      const void *payload, size_t payload_bytes,
                      uint32_t *out_bytes);
/* Serves the doorbell, or makes a step of the command in the background. */
void card_mailbox(Card *card);
/* Doorbells of a queue; nothing happens when there is none. */
void card_submit(Card *card, unsigned queue, uint32_t tail);
void card_consume(Card *card, unsigned queue, uint32_t head);
/* Lets the queues work until they wait for the guest. */
void card_run(Card *card);

#ifdef __cplusplus
}
#endif

#endif /* SQ_FUZZ_CARD_H */
