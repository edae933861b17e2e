/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mailbox registers and their thread (see mailbox.h).
 */
#include "qemu/osdep.h"
#include "qemu/bitops.h"
#include "qemu/bswap.h"
#include "qemu/lockable.h"
#include "qemu/log.h"
#include "controller-function.h"
#include "mailbox-command.h"
#include "trace.h"

/* Capability array (CXL r3.1, 8.2.8.1 and 8.2.8.2), as 32-bit words. */
#define CAP_DEVICE_STATUS_ID 1
#define CAP_DEVICE_STATUS_VERSION 2
#define CAP_DEVICE_STATUS_BYTES 8
#define CAP_MAILBOX_ID 2
#define CAP_MAILBOX_VERSION 1
#define CAP_COUNT 2
#define CAP_ARRAY_VERSION 1

static const uint32_t capability_array[] = {
    CAP_ARRAY_VERSION << 16, CAP_COUNT, 0, 0,
    CAP_DEVICE_STATUS_ID | CAP_DEVICE_STATUS_VERSION << 16,
    SQ_REG_DEVICE_STATUS, CAP_DEVICE_STATUS_BYTES, 0,
    CAP_MAILBOX_ID | CAP_MAILBOX_VERSION << 16,
    SQ_REG_MAILBOX, SQ_MBOX_PAYLOAD + SQ_MBOX_PAYLOAD_BYTES, 0,
};

#define PAYLOAD_START (SQ_REG_MAILBOX + SQ_MBOX_PAYLOAD)
#define PAYLOAD_END (PAYLOAD_START + SQ_MBOX_PAYLOAD_BYTES)

/* MBOX_CAPS: payload size, background interrupt on the mailbox's vector. */
#define CAPS_VALUE (SQ_MBOX_PAYLOAD_BYTES_LOG2 | SQ_MBOX_CAPS_BG_IRQ | \
                    SQ_MSIX_VECTOR_MAILBOX << 7)

#define CONTROL_WRITABLE (SQ_MBOX_CTRL_DOORBELL | SQ_MBOX_CTRL_BG_IRQ)

/* Field helpers for the masks of device.h. */
static uint64_t field_get(uint64_t value, uint64_t mask)
{
    return (value & mask) >> ctz64(mask);
}

static uint64_t field_put(uint64_t value, uint64_t mask)
{
    return (value << ctz64(mask)) & mask;
}

/* ---- reads -------------------------------------------------------------- */

/* The aligned 64 bits at a register offset. */
static uint64_t sq_mailbox_read_word(SQMailbox *m, hwaddr offset)
{
    if (offset < sizeof(capability_array)) {
        return (uint64_t)capability_array[offset / 4 + 1] << 32 |
               capability_array[offset / 4];
    }
    switch (offset) {
    case SQ_REG_MAILBOX + SQ_MBOX_CAPS:
        return (uint64_t)m->control << 32 | CAPS_VALUE;
    case SQ_REG_MAILBOX + SQ_MBOX_CMD:
        return m->command;
    case SQ_REG_MAILBOX + SQ_MBOX_STATUS:
        return m->status;
    case SQ_REG_MAILBOX + SQ_MBOX_BG_STATUS:
        return m->background_status;
    default:
        return 0;
    }
}

uint64_t sq_mailbox_read(SQMailbox *m, hwaddr offset, unsigned size)
{
    uint64_t word;

    QEMU_LOCK_GUARD(&m->lock);
    if (offset >= PAYLOAD_START && offset + size <= PAYLOAD_END) {
        return ldn_le_p(m->payload + (offset - PAYLOAD_START), size);
    }
    /* Accesses are aligned, so one never crosses the 64 bits. */
    word = sq_mailbox_read_word(m, offset & ~7ull) >> (offset & 7) * 8;
    return size < 8 ? extract64(word, 0, size * 8) : word;
}

/* ---- writes ------------------------------------------------------------- */

static void sq_mailbox_write_control(SQMailbox *m, uint32_t value)
{
    bool rung = (value & ~m->control) & SQ_MBOX_CTRL_DOORBELL;

    /* The doorbell is cleared by the device alone. */
    m->control = (value & CONTROL_WRITABLE) |
                 (m->control & SQ_MBOX_CTRL_DOORBELL);
    if (rung) {
        m->pending = true;
        qemu_cond_signal(&m->wake);
    }
}

void sq_mailbox_write(SQMailbox *m, hwaddr offset, uint64_t value,
                      unsigned size)
{
    QEMU_LOCK_GUARD(&m->lock);
    if (offset == SQ_REG_MAILBOX + SQ_MBOX_CTRL && size == 4) {
        sq_mailbox_write_control(m, value);
    } else if (m->control & SQ_MBOX_CTRL_DOORBELL) {
        trace_smartquant_err_mailbox_write(offset, size, value);
    } else if (offset >= PAYLOAD_START && offset + size <= PAYLOAD_END) {
        stn_le_p(m->payload + (offset - PAYLOAD_START), size, value);
    } else if (offset == SQ_REG_MAILBOX + SQ_MBOX_CMD && size >= 4) {
        m->command = size == 8 ? value
                               : deposit64(m->command, 0, 32, value);
    } else if (offset == SQ_REG_MAILBOX + SQ_MBOX_CMD + 4 && size == 4) {
        m->command = deposit64(m->command, 32, 32, value);
    } else {
        trace_smartquant_err_mailbox_write(offset, size, value);
        qemu_log_mask(LOG_GUEST_ERROR, "smartquant: write of %u bytes to "
                      "register 0x%" HWADDR_PRIx " ignored\n", size, offset);
    }
}

/* ---- the thread --------------------------------------------------------- */

/* Called and left with the lock held; not held while the command runs. */
static void sq_mailbox_serve(SQMailbox *m, SmartQuantController *c)
{
    SQMailboxCommand command = {
        .opcode = field_get(m->command, SQ_MBOX_CMD_OPCODE),
        .in_bytes = field_get(m->command, SQ_MBOX_CMD_LENGTH),
        .background = &m->background,
    };
    uint16_t status;

    m->pending = false;
    memcpy(command.in, m->payload, sizeof(command.in));
    qemu_mutex_unlock(&m->lock);

    status = sq_mailbox_command_run(c, &command);

    qemu_mutex_lock(&m->lock);
    memcpy(m->payload, command.out, command.out_bytes);
    m->command = field_put(command.opcode, SQ_MBOX_CMD_OPCODE) |
                 field_put(command.out_bytes, SQ_MBOX_CMD_LENGTH);
    m->status = field_put(status, SQ_MBOX_STATUS_RETURN_CODE) |
                (m->background.step ? SQ_MBOX_STATUS_BG : 0);
    if (status == SQ_STATUS_BACKGROUND_STARTED) {
        m->background_status = field_put(command.opcode, SQ_MBOX_BG_OPCODE);
    }
    m->control &= ~SQ_MBOX_CTRL_DOORBELL;
}

static void sq_mailbox_step(SQMailbox *m, SmartQuantController *c)
{
    uint16_t status = SQ_STATUS_SUCCESS;
    unsigned percent = 0;
    bool more;

    qemu_mutex_unlock(&m->lock);
    more = m->background.step(c, &percent, &status);
    qemu_mutex_lock(&m->lock);

    m->background_status =
        field_put(m->background.opcode, SQ_MBOX_BG_OPCODE) |
        field_put(more ? MIN(percent, 99) : 100, SQ_MBOX_BG_PERCENT) |
        field_put(more ? 0 : status, SQ_MBOX_BG_RETURN_CODE);
    if (!more) {
        trace_smartquant_background_done(m->background.opcode, status);
        m->background.step = NULL;
        m->status &= ~SQ_MBOX_STATUS_BG;
        if (m->control & SQ_MBOX_CTRL_BG_IRQ) {
            sq_controller_raise(c, SQ_MSIX_VECTOR_MAILBOX);
        }
    }
}

static void *sq_mailbox_thread(void *opaque)
{
    SmartQuantController *c = opaque;
    SQMailbox *m = &c->mailbox;

    qemu_mutex_lock(&m->lock);
    while (!m->stopping) {
        if (sq_controller_stalled(c)) {
            qemu_cond_wait(&m->wake, &m->lock);
        } else if (m->pending) {
            sq_mailbox_serve(m, c);
        } else if (m->background.step) {
            sq_mailbox_step(m, c);
        } else {
            qemu_cond_wait(&m->wake, &m->lock);
        }
    }
    qemu_mutex_unlock(&m->lock);
    return NULL;
}

/* ---- life --------------------------------------------------------------- */

void sq_mailbox_init(SQMailbox *m)
{
    qemu_mutex_init(&m->lock);
    qemu_cond_init(&m->wake);
}

void sq_mailbox_destroy(SQMailbox *m)
{
    qemu_cond_destroy(&m->wake);
    qemu_mutex_destroy(&m->lock);
}

void sq_mailbox_start(SQMailbox *m, SmartQuantController *c)
{
    m->stopping = false;
    m->pending = false;
    m->control = 0;
    m->command = 0;
    m->status = 0;
    m->background_status = 0;
    m->background = (SQBackground) { };
    memset(m->payload, 0, sizeof(m->payload));
    m->running = true;
    qemu_thread_create(&m->thread, "sq-mailbox", sq_mailbox_thread, c,
                       QEMU_THREAD_JOINABLE);
}

void sq_mailbox_kick(SQMailbox *m)
{
    QEMU_LOCK_GUARD(&m->lock);
    qemu_cond_signal(&m->wake);
}

void sq_mailbox_stop(SQMailbox *m)
{
    if (!m->running) {
        return;
    }
    WITH_QEMU_LOCK_GUARD(&m->lock) {
        m->stopping = true;
        qemu_cond_signal(&m->wake);
    }
    qemu_thread_join(&m->thread);
    m->running = false;
}
