/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Store, Fetch, Flush, No-op (see transfer.h).
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/memalign.h"
#include "hw/pci/pci_device.h"
#include "controller-function.h"
#include "transfer.h"
#include "trace.h"

/* Scratch memory and format lists beyond these are refused. */
#define SCRATCH_BYTES_MAX (512u << 20)
#define VECTOR_FORMATS_MAX 65536u

QEMU_BUILD_BUG_ON(sizeof(struct sq_submission) != 64);

/* ---- DMA ---------------------------------------------------------------- */

static bool sq_dma(SmartQuantController *c, uint64_t address, void *buffer,
                   uint64_t bytes, DMADirection direction)
{
    const MemTxAttrs ram_only = { .memory = 1 };

    if (address > UINT64_MAX - bytes) {
        return false;
    }
    return pci_dma_rw(PCI_DEVICE(c), address, buffer, bytes, direction,
                      ram_only) == MEMTX_OK;
}

bool sq_dma_read(SmartQuantController *c, uint64_t address, void *to,
                 uint64_t bytes)
{
    return sq_dma(c, address, to, bytes, DMA_DIRECTION_TO_DEVICE);
}

bool sq_dma_write(SmartQuantController *c, uint64_t address, const void *from,
                  uint64_t bytes)
{
    return sq_dma(c, address, (void *)from, bytes, DMA_DIRECTION_FROM_DEVICE);
}

/* ---- memory ------------------------------------------------------------- */

static void *sq_buffer(SQBuffer *b, size_t bytes)
{
    if (b->bytes < bytes) {
        qemu_vfree(b->memory);
        b->memory = qemu_try_memalign(SQC_LINE_BYTES, bytes);
        b->bytes = b->memory ? bytes : 0;
    }
    return b->memory;
}

/* Memory of reads alone, which keep a decoder in it. */
static void *sq_scratch(SQTransfer *t, size_t bytes)
{
    bool is_new = t->scratch.bytes < bytes;

    if (bytes > SCRATCH_BYTES_MAX || !sq_buffer(&t->scratch, bytes)) {
        return NULL;
    }
    if (is_new) {
        sqc_read_scratch_begin(t->scratch.memory);
    }
    return t->scratch.memory;
}

void sq_transfer_free(SQTransfer *t)
{
    qemu_vfree(t->data.memory);
    qemu_vfree(t->scratch.memory);
    qemu_vfree(t->scatter.memory);
    qemu_vfree(t->formats.memory);
}

/* ---- the entry ---------------------------------------------------------- */

/* Fields that an opcode uses; the others must be zero. */
#define USES_HANDLE 0x01
#define USES_FORMAT 0x02
#define USES_ROUNDING 0x04          /* rounding, axis, vector_address */
#define USES_ROWS 0x08
#define USES_DATA 0x10
#define USES_ABORT 0x20

static const struct {
    uint8_t uses;
    uint8_t flags;                  /* SQ_SUBMIT_* that it knows */
} opcodes[] = {
    [SQ_OP_NOOP] = { 0, 0 },
    [SQ_OP_STORE] = { USES_HANDLE | USES_FORMAT | USES_ROWS | USES_DATA,
                      SQ_SUBMIT_INDIRECT | SQ_SUBMIT_ROUND },
    [SQ_OP_FETCH] = { USES_HANDLE | USES_FORMAT | USES_ROUNDING | USES_ROWS |
                      USES_DATA, SQ_SUBMIT_INDIRECT },
    [SQ_OP_FLUSH] = { USES_HANDLE, 0 },
    [SQ_OP_ABORT] = { USES_ABORT, 0 },
};

uint16_t sq_transfer_check(const struct sq_submission *s)
{
    uint8_t used = 0;

    if (s->opcode >= ARRAY_SIZE(opcodes) || s->reserved ||
        (s->flags & ~opcodes[s->opcode].flags)) {
        return SQ_STATUS_INVALID_INPUT;
    }
    used |= s->handle ? USES_HANDLE : 0;
    used |= s->format ? USES_FORMAT : 0;
    used |= s->rounding || s->axis || s->vector_address ? USES_ROUNDING : 0;
    used |= s->first_row || s->row_count ? USES_ROWS : 0;
    used |= s->segment_address[0] || s->segment_address[1] ||
            s->segment_bytes[0] || s->segment_bytes[1] ? USES_DATA : 0;
    used |= s->abort_id ? USES_ABORT : 0;
    return used & ~opcodes[s->opcode].uses ? SQ_STATUS_INVALID_INPUT
                                           : SQ_STATUS_SUCCESS;
}

/* ---- scatter lists ------------------------------------------------------ */

typedef struct SQScatter {
    const struct sq_scatter *entries;
    uint32_t count;
    uint64_t bytes;
} SQScatter;

static uint16_t sq_scatter_load(SQTransfer *t, const struct sq_submission *s,
                                uint32_t *count)
{
    uint32_t bytes = le32_to_cpu(s->segment_bytes[0]);
    void *list;

    *count = bytes / sizeof(struct sq_scatter);
    if (!bytes || bytes % sizeof(struct sq_scatter) ||
        *count > SQ_SCATTER_ENTRIES_MAX || s->segment_address[1] ||
        s->segment_bytes[1]) {
        return SQ_STATUS_INVALID_INPUT;
    }
    list = sq_buffer(&t->scatter, bytes);
    if (!list) {
        return SQ_STATUS_RESOURCES_EXHAUSTED;
    }
    return sq_dma_read(t->c, le64_to_cpu(s->segment_address[0]), list, bytes)
           ? SQ_STATUS_SUCCESS : SQ_STATUS_DMA_FAULT;
}

static uint16_t sq_scatter_inline(SQTransfer *t, const struct sq_submission *s,
                                  uint32_t *count)
{
    struct sq_scatter *list = sq_buffer(&t->scatter, 2 * sizeof(*list));
    unsigned i;

    if (!list) {
        return SQ_STATUS_RESOURCES_EXHAUSTED;
    }
    for (i = 0, *count = 0; i < 2 && s->segment_bytes[i]; i++) {
        list[(*count)++] = (struct sq_scatter) {
            .address = s->segment_address[i],
            .length_bytes = s->segment_bytes[i],
        };
    }
    return SQ_STATUS_SUCCESS;
}

/* Copies the list of a request and checks each entry of it. */
static uint16_t sq_scatter_take(SQTransfer *t, const struct sq_submission *s,
                                SQScatter *scatter)
{
    const struct sq_scatter *entry;
    uint32_t i;
    uint16_t status = s->flags & SQ_SUBMIT_INDIRECT ?
                      sq_scatter_load(t, s, &scatter->count) :
                      sq_scatter_inline(t, s, &scatter->count);

    if (status) {
        return status;
    }
    scatter->entries = entry = t->scatter.memory;
    scatter->bytes = 0;
    for (i = 0; i < scatter->count; i++, entry++) {
        if (entry->reserved || !entry->length_bytes) {
            return SQ_STATUS_INVALID_INPUT;
        }
        scatter->bytes += le32_to_cpu(entry->length_bytes);
    }
    return SQ_STATUS_SUCCESS;
}

/* Moves `data`, which has exactly the list's length. */
static uint16_t sq_scatter_move(SQTransfer *t, const SQScatter *scatter,
                                uint8_t *data, DMADirection direction)
{
    uint32_t i;

    for (i = 0; i < scatter->count; i++) {
        uint64_t address = le64_to_cpu(scatter->entries[i].address);
        uint32_t bytes = le32_to_cpu(scatter->entries[i].length_bytes);

        if (!sq_dma(t->c, address, data, bytes, direction)) {
            trace_smartquant_err_data_dma(address, bytes);
            return SQ_STATUS_DMA_FAULT;
        }
        data += bytes;
    }
    return SQ_STATUS_SUCCESS;
}

/* ---- fetch -------------------------------------------------------------- */

/*
 * What a fetch asks for: one format for all rows, or with `vectored` one for
 * each block of rows.
 */
typedef struct SQFetch {
    struct sqc_read_request request;
    struct sqc_precision_vector vector;
    bool vectored;
} SQFetch;

/* Copies the formats of a precision vector. */
static uint16_t sq_fetch_take_formats(SQTransfer *t,
                                      const struct sq_submission *s,
                                      struct sqc_precision_vector *vector)
{
    uint64_t address = le64_to_cpu(s->vector_address);
    struct sq_precision_vector head;
    uint16_t *formats;
    uint32_t i;

    if (!sq_dma_read(t->c, address, &head, sizeof(head))) {
        return SQ_STATUS_DMA_FAULT;
    }
    vector->rows_per_format = le32_to_cpu(head.rows_per_format);
    vector->format_count = le32_to_cpu(head.format_count);
    if (!vector->format_count || vector->format_count > VECTOR_FORMATS_MAX) {
        return SQ_STATUS_INVALID_INPUT;
    }
    formats = sq_buffer(&t->formats, vector->format_count * sizeof(*formats));
    if (!formats) {
        return SQ_STATUS_RESOURCES_EXHAUSTED;
    }
    if (!sq_dma_read(t->c, address + sizeof(head), formats,
                     vector->format_count * sizeof(*formats))) {
        return SQ_STATUS_DMA_FAULT;
    }
    for (i = 0; i < vector->format_count; i++) {
        le16_to_cpus(&formats[i]);
    }
    vector->formats = formats;
    return SQ_STATUS_SUCCESS;
}

static uint16_t sq_fetch_take(SQTransfer *t, const struct sq_submission *s,
                              SQFetch *f)
{
    *f = (SQFetch) {
        .request = {
            .handle = le32_to_cpu(s->handle),
            .format = le16_to_cpu(s->format),
            .rounding = s->rounding,
            .axis = s->axis,
            .first_row = le32_to_cpu(s->first_row),
            .row_count = le32_to_cpu(s->row_count),
        },
        .vectored = s->vector_address,
    };
    if (!f->vectored) {
        return SQ_STATUS_SUCCESS;
    }
    if (f->request.format != SQ_FORMAT_TAG) {
        return SQ_STATUS_INVALID_INPUT;
    }
    return sq_fetch_take_formats(t, s, &f->vector);
}

/* Bytes and scratch memory of the whole request. */
static uint16_t sq_fetch_measure(struct sqc_store *store, const SQFetch *f,
                                 uint64_t *bytes, size_t *scratch)
{
    struct sqc_vector_layout vector;
    struct sqc_layout layout;
    sqc_status status;

    if (f->vectored) {
        status = sqc_vector_describe(store, &f->request, &f->vector, &vector,
                                     NULL);
        *bytes = status ? 0 : vector.bytes;
        *scratch = status ? 0 : vector.scratch_bytes;
    } else {
        status = sqc_read_layout(store, &f->request, &layout);
        *bytes = status ? 0 : layout.bytes;
        *scratch = status ? 0 : sqc_read_scratch_bytes(&layout);
    }
    return status;
}

/* With the store's lock held: measured and read in one state of it. */
static uint16_t sq_fetch_locked(SQTransfer *t, SQFetch *f, uint64_t room,
                                struct sqc_result *result)
{
    struct sqc_store *store = t->c->memory->store.store;
    size_t scratch;
    uint64_t bytes;
    uint16_t status;

    if (!f->vectored) {
        sq_controller_default_rounding(t->c, &f->request);
    }
    status = sq_fetch_measure(store, f, &bytes, &scratch);
    if (status) {
        return status;
    }
    if (bytes > SQ_TRANSFER_BYTES_MAX || bytes != room) {
        return SQ_STATUS_LENGTH;
    }
    if (!sq_buffer(&t->data, MAX(bytes, 1)) || !sq_scratch(t, scratch)) {
        return SQ_STATUS_RESOURCES_EXHAUSTED;
    }
    return f->vectored ?
           sqc_read_vector(store, &f->request, &f->vector, t->data.memory,
                           bytes, t->scratch.memory, result) :
           sqc_read(store, &f->request, t->data.memory, bytes,
                    t->scratch.memory, result);
}

static uint16_t sq_fetch(SQTransfer *t, const struct sq_submission *s,
                         struct sqc_result *result)
{
    SQStore *store = &t->c->memory->store;
    SQScatter scatter;
    SQFetch fetch;
    uint16_t status;

    status = sq_scatter_take(t, s, &scatter);
    if (!status) {
        status = sq_fetch_take(t, s, &fetch);
    }
    if (!status) {
        sq_store_read_lock(store);
        status = sq_fetch_locked(t, &fetch, scatter.bytes, result);
        sq_store_unlock(store);
    }
    if (!status) {
        status = sq_scatter_move(t, &scatter, t->data.memory,
                                 DMA_DIRECTION_FROM_DEVICE);
    }
    return status;
}

/* ---- store and flush ---------------------------------------------------- */

/* Checks the request and brings its data. */
static uint16_t sq_store_gather(SQTransfer *t, const struct sq_submission *s,
                                const struct sqc_write_request *request,
                                uint64_t *bytes)
{
    SQStore *store = &t->c->memory->store;
    SQScatter scatter;
    uint16_t status = sq_scatter_take(t, s, &scatter);

    if (status) {
        return status;
    }
    sq_store_read_lock(store);
    status = sqc_write_bytes(store->store, request, bytes);
    sq_store_unlock(store);
    if (status) {
        return status;
    }
    if (*bytes > SQ_TRANSFER_BYTES_MAX || *bytes != scatter.bytes) {
        return SQ_STATUS_LENGTH;
    }
    if (!sq_buffer(&t->data, MAX(*bytes, 1))) {
        return SQ_STATUS_RESOURCES_EXHAUSTED;
    }
    return sq_scatter_move(t, &scatter, t->data.memory,
                           DMA_DIRECTION_TO_DEVICE);
}

static uint16_t sq_store(SQTransfer *t, const struct sq_submission *s,
                         struct sqc_result *result)
{
    SmartQuantMemory *m = t->c->memory;
    struct sqc_write_request request = {
        .handle = le32_to_cpu(s->handle),
        .encoding = le16_to_cpu(s->format),
        .flags = s->flags & SQ_SUBMIT_ROUND ? SQ_STORE_ROUND : 0,
        .first_row = le32_to_cpu(s->first_row),
        .row_count = le32_to_cpu(s->row_count),
    };
    bool views_whole = true;
    uint64_t bytes;
    uint16_t status = sq_store_gather(t, s, &request, &bytes);

    if (status) {
        return status;
    }
    sq_store_write_lock(&m->store);
    status = sqc_write(m->store.store, &request, t->data.memory, bytes,
                       result);
    if (!status) {
        views_whole = sq_windows_refresh(m, request.handle);
    }
    sq_store_unlock(&m->store);
    if (!views_whole) {
        sq_windows_drop_broken(m, &t->c->main_loop);
    }
    return status;
}

static uint16_t sq_flush(SQTransfer *t, const struct sq_submission *s)
{
    SQStore *store = &t->c->memory->store;
    uint16_t status;

    sq_store_write_lock(store);
    status = sqc_flush(store->store, le32_to_cpu(s->handle));
    sq_store_unlock(store);
    return status;
}

/* ---- running ------------------------------------------------------------ */

static uint32_t float_bits(float value)
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof(bits));
    return bits;
}

/* The result record, if the host wants one. */
static uint16_t sq_transfer_report(SQTransfer *t,
                                   const struct sq_submission *s,
                                   uint16_t status,
                                   const struct sqc_result *r)
{
    uint64_t address = le64_to_cpu(s->result_address);
    struct sq_result out = {
        .status = cpu_to_le16(status),
        .format = cpu_to_le16(r->format),
        .rounding = r->rounding,
        .bytes = cpu_to_le64(r->bytes),
        .elements = cpu_to_le64(r->elements),
        .plane_lines = cpu_to_le64(r->plane_lines),
        .check_lines = cpu_to_le64(r->check_lines),
        .baseline_lines = cpu_to_le64(r->baseline_lines),
        .dram_time_ns = cpu_to_le64(r->dram_time_ns),
        .dram_energy_pj = cpu_to_le64(r->dram_energy_pj),
        .link_time_ns = cpu_to_le64(r->link_time_ns),
        .rounded_elements = cpu_to_le64(r->rounded_elements),
        .max_rounding_error = cpu_to_le32(float_bits(r->max_rounding_error)),
        .error_row = cpu_to_le32(r->error_row),
        .error_col = cpu_to_le32(r->error_col),
    };

    if (address && !sq_dma_write(t->c, address, &out, sizeof(out))) {
        trace_smartquant_err_data_dma(address, sizeof(out));
        return SQ_STATUS_DMA_FAULT;
    }
    return status;
}

static void sq_transfer_conclude(SQTransfer *t, const struct sq_submission *s,
                                 uint16_t status, struct sqc_result *result,
                                 SQOutcome *outcome)
{
    if (status) {
        result->bytes = 0;          /* none that the host may use */
    }
    status = sq_transfer_report(t, s, status, result);
    *outcome = (SQOutcome) {
        .status = status,
        .bytes = result->bytes,
        .plane_lines = result->plane_lines,
    };
}

void sq_transfer_refuse(SQTransfer *t, const struct sq_submission *s,
                        uint16_t status, SQOutcome *outcome)
{
    struct sqc_result result = { };

    sq_transfer_conclude(t, s, status, &result, outcome);
}

static uint16_t sq_transfer_dispatch(SQTransfer *t,
                                     const struct sq_submission *s,
                                     struct sqc_result *result)
{
    if (!t->c->memory) {
        return SQ_STATUS_RETRY_REQUIRED;
    }
    switch (s->opcode) {
    case SQ_OP_STORE:
        return sq_store(t, s, result);
    case SQ_OP_FETCH:
        return sq_fetch(t, s, result);
    case SQ_OP_FLUSH:
        return sq_flush(t, s);
    default:
        return SQ_STATUS_SUCCESS;   /* No-op; Abort never comes here */
    }
}

void sq_transfer_run(SQTransfer *t, const struct sq_submission *s,
                     SQOutcome *outcome)
{
    struct sqc_result result = { };
    uint16_t status = sq_transfer_dispatch(t, s, &result);

    if (status) {
        trace_smartquant_err_transfer(s->opcode, le32_to_cpu(s->handle),
                                      status, result.error_row,
                                      result.error_col);
    }
    sq_transfer_conclude(t, s, status, &result, outcome);
}
