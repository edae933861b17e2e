/* SPDX-License-Identifier: MIT */
/*
 * The card without QEMU (see card.h). mailbox.c and queue.c are part of this
 * file, so that the steps of their threads can be made one by one.
 */
#include "card.h"

#include "mailbox.c"
#include "queue.c"

struct Card {
    SmartQuantController controller;
    SmartQuantMemory memory;
    uint8_t *guest;
};

/* ---- what QEMU does ----------------------------------------------------- */

MemTxResult pci_dma_rw(PCIDevice *device, uint64_t address, void *buffer,
                       uint64_t bytes, DMADirection direction,
                       MemTxAttrs attributes)
{
    Card *card = (Card *)device;    /* its first field's first field */

    if (!attributes.memory || address > CARD_GUEST_BYTES ||
        bytes > CARD_GUEST_BYTES - address) {
        return MEMTX_ERROR;
    }
    if (direction == DMA_DIRECTION_TO_DEVICE) {
        memcpy(buffer, card->guest + address, bytes);
    } else {
        memcpy(card->guest + address, buffer, bytes);
    }
    return MEMTX_OK;
}

/*
 * The queue waits for room in its completion ring: the guest takes all that
 * there is.
 */
void qemu_cond_wait(QemuCond *cond, QemuMutex *lock)
{
    SQQueue *q = (SQQueue *)((char *)cond - offsetof(SQQueue, wake));

    (void)lock;
    q->completion_head = q->completion_tail;
}

/* ---- what the rest of the device does ----------------------------------- */

void sq_store_read_lock(SQStore *s) { (void)s; }
void sq_store_write_lock(SQStore *s) { (void)s; }
void sq_store_unlock(SQStore *s) { (void)s; }

void sq_controller_raise(SmartQuantController *c, unsigned vector)
{
    if (vector >= SQ_MSIX_VECTORS) {
        abort();
    }
    (void)c;
}

bool sq_controller_stalled(SmartQuantController *c)
{
    (void)c;
    return false;
}

bool sq_main_loop_call(SQMainLoop *m, void (*function)(void *), void *opaque)
{
    (void)m;
    function(opaque);
    return true;
}

bool sq_hdm_decoder(const CXLComponentState *cstate, unsigned i, SQDecoder *d)
{
    (void)cstate, (void)i, (void)d;
    return false;
}

sqc_status sq_windows_map(SmartQuantMemory *m, SQMainLoop *loop,
                          const struct sqc_view_info *view)
{
    (void)m, (void)loop, (void)view;
    return SQ_STATUS_SUCCESS;
}

sqc_status sq_windows_unmap(SmartQuantMemory *m, SQMainLoop *loop,
                            uint32_t view)
{
    (void)loop;
    return sqc_view_unmap(m->store.store, view);
}

bool sq_windows_refresh(SmartQuantMemory *m, uint32_t handle)
{
    (void)m, (void)handle;
    return true;
}

void sq_windows_drop_broken(SmartQuantMemory *m, SQMainLoop *loop)
{
    (void)m, (void)loop;
}

/* ---- the card ----------------------------------------------------------- */

Card *card_create(struct sqc_store *store, uint8_t *guest)
{
    Card *card = g_new0(Card, 1);

    card->guest = guest;
    card->memory.store.store = store;
    card->memory.views_name = (char *)"trap";
    card->memory.parent_obj.sn = 1;
    card->controller.memory = &card->memory;
    sq_mailbox_start(&card->controller.mailbox, &card->controller);
    return card;
}

void card_destroy(Card *card)
{
    for (unsigned i = 0; i < SQ_QUEUES_MAX; i++) {
        sq_queue_destroy(card->controller.queues[i]);
    }
    sq_pack_reset(&card->controller);
    sq_verify_reset(&card->controller.verify);
    g_free(card);
}

uint64_t card_register_read(Card *card, uint32_t offset, unsigned bytes)
{
    return sq_mailbox_read(&card->controller.mailbox, offset, bytes);
}

void card_register_write(Card *card, uint32_t offset, uint64_t value,
                         unsigned bytes)
{
    sq_mailbox_write(&card->controller.mailbox, offset, value, bytes);
}

uint16_t card_command(Card *card, uint16_t opcode, uint32_t in_bytes,
                      const void *payload, size_t payload_bytes,
                      uint32_t *out_bytes)
{
    SQMailbox *m = &card->controller.mailbox;

    if (payload_bytes) {
        memcpy(m->payload, payload, MIN(payload_bytes, sizeof(m->payload)));
    }
    card_register_write(card, SQ_REG_MAILBOX + SQ_MBOX_CMD,
                        field_put(opcode, SQ_MBOX_CMD_OPCODE) |
                        field_put(in_bytes, SQ_MBOX_CMD_LENGTH), 8);
    card_register_write(card, SQ_REG_MAILBOX + SQ_MBOX_CTRL,
                        SQ_MBOX_CTRL_DOORBELL, 4);
    card_mailbox(card);
    *out_bytes = field_get(m->command, SQ_MBOX_CMD_LENGTH);
    return field_get(m->status, SQ_MBOX_STATUS_RETURN_CODE);
}

void card_mailbox(Card *card)
{
    SQMailbox *m = &card->controller.mailbox;

    if (m->pending) {
        sq_mailbox_serve(m, &card->controller);
    } else if (m->background.step) {
        sq_mailbox_step(m, &card->controller);
    }
}

void card_submit(Card *card, unsigned queue, uint32_t tail)
{
    if (card->controller.queues[queue]) {
        sq_queue_submit(card->controller.queues[queue], tail);
    }
}

void card_consume(Card *card, unsigned queue, uint32_t head)
{
    if (card->controller.queues[queue]) {
        sq_queue_consume(card->controller.queues[queue], head);
    }
}

static void queue_run(SQQueue *q)
{
    while (!sq_queue_idle(q)) {
        if (sq_queue_can_take(q)) {
            sq_queue_take(q);
        } else {
            sq_queue_run_first(q);
        }
    }
}

void card_run(Card *card)
{
    for (unsigned i = 0; i < SQ_QUEUES_MAX; i++) {
        if (card->controller.queues[i]) {
            queue_run(card->controller.queues[i]);
        }
    }
}
