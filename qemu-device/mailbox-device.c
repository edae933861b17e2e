/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mailbox commands that are about the device as a whole: Identify, features,
 * statistics, Verify, Sanitize, HDM info.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/cutils.h"
#include "mailbox-handlers.h"

#define FIRMWARE_TEXT "smartquant-qemu 1.0"

/* ---- Identify ----------------------------------------------------------- */

static void sq_identify_formats(struct sq_mbox_identify *out)
{
    unsigned count = 0;
    uint16_t code;

    while (count < ARRAY_SIZE(out->formats) &&
           (code = sqc_format_at(count)) != SQ_FORMAT_TAG) {
        out->formats[count++] = cpu_to_le16(code);
    }
    out->format_count = cpu_to_le16(count);
    count = 0;
    while (count < ARRAY_SIZE(out->encodings) &&
           sqc_encoding_at(count, &code)) {
        out->encodings[count++] = cpu_to_le16(code);
    }
    out->encoding_count = cpu_to_le16(count);
}

/* The dtypes and placements that the controller lays out. */
static void sq_identify_kinds(struct sq_mbox_identify *out)
{
    const struct sqc_read_request request = {
        .format = SQ_FORMAT_NATIVE, .row_count = 1,
    };
    uint32_t dtypes = 0, placements = 0;
    uint8_t dtype, placement;

    for (dtype = SQ_DTYPE_BF16; dtype <= SQ_DTYPE_U8; dtype++) {
        for (placement = SQ_PLACEMENT_BYTES; placement <= SQ_PLACEMENT_TUNED;
             placement++) {
            struct sqc_layout layout;

            if (!sqc_layout_of(dtype, placement, 1, 1, &request, &layout)) {
                dtypes |= BIT(dtype);
                placements |= BIT(placement);
            }
        }
    }
    out->dtypes = cpu_to_le32(dtypes);
    out->placements = cpu_to_le32(placements);
}

static uint32_t sq_identify_features(SmartQuantController *c)
{
    return SQ_FEATURE_PRECISION_VECTOR | SQ_FEATURE_ABORT |
           SQ_FEATURE_AXIS_COL | SQ_FEATURE_PACKED |
           (sq_memory_traps(c->memory) ? SQ_FEATURE_VIEWS_TRAP : 0);
}

static void sq_identify_serial(SmartQuantController *c,
                               struct sq_mbox_identify *out)
{
    uint64_t sn = c->memory->parent_obj.sn;

    /* All ones is the parent's "none". */
    if (sn != UINT64_MAX) {
        char text[sizeof(out->serial) + 1];

        snprintf(text, sizeof(text), "%016" PRIx64, sn);
        memcpy(out->serial, text, sizeof(out->serial));
    }
}

uint16_t sq_mailbox_identify(SmartQuantController *c,
                             SQMailboxCommand *command)
{
    struct sq_mbox_identify *out = (void *)command->out;
    SQStore *s = &c->memory->store;
    struct sqc_store_info info;

    sq_store_read_lock(s);
    sqc_store_describe(s->store, &info);
    sq_store_unlock(s);
    *out = (struct sq_mbox_identify) {
        .interface_major = cpu_to_le16(SQ_INTERFACE_MAJOR),
        .interface_minor = cpu_to_le16(SQ_INTERFACE_MINOR),
        .features = cpu_to_le32(sq_identify_features(c)),
        .capacity_bytes = cpu_to_le64(info.capacity_bytes),
        .used_bytes = cpu_to_le64(info.used_bytes),
        .logical_bytes = cpu_to_le64(info.logical_bytes),
        .regions = cpu_to_le32(info.regions),
        .regions_max = cpu_to_le32(info.regions_max),
        .views_max = cpu_to_le32(info.views_max),
        .queues_max = cpu_to_le16(SQ_QUEUES_MAX),
        .queue_depth_max = cpu_to_le16(SQ_QUEUE_DEPTH_MAX),
        .transfer_bytes_max = cpu_to_le32(SQ_TRANSFER_BYTES_MAX),
        .scatter_entries_max = cpu_to_le32(SQ_SCATTER_ENTRIES_MAX),
        .firmware = FIRMWARE_TEXT,
    };
    sq_identify_kinds(out);
    sq_identify_formats(out);
    sq_identify_serial(c, out);
    command->out_bytes = sizeof(*out);
    return SQ_STATUS_SUCCESS;
}

/* ---- features ----------------------------------------------------------- */

static uint16_t sq_feature_check(const struct sq_mbox_feature *in)
{
    switch (le16_to_cpu(in->id)) {
    case SQ_FEATURE_ID_DEFAULT_ROUNDING:
        return in->index ? SQ_STATUS_INVALID_INPUT : SQ_STATUS_SUCCESS;
    case SQ_FEATURE_ID_SCRUB_RATE:
    case SQ_FEATURE_ID_MODEL:
        return SQ_STATUS_UNSUPPORTED;
    default:
        return SQ_STATUS_INVALID_INPUT;
    }
}

uint16_t sq_mailbox_get_feature(SmartQuantController *c,
                                SQMailboxCommand *command)
{
    const struct sq_mbox_feature *in = (const void *)command->in;
    struct sq_mbox_feature *out = (void *)command->out;
    uint16_t status = sq_feature_check(in);

    if (status) {
        return status;
    }
    if (in->value) {
        return SQ_STATUS_INVALID_INPUT;
    }
    *out = *in;
    out->value = cpu_to_le64(qatomic_read(&c->default_rounding));
    command->out_bytes = sizeof(*out);
    return SQ_STATUS_SUCCESS;
}

uint16_t sq_mailbox_set_feature(SmartQuantController *c,
                                SQMailboxCommand *command)
{
    const struct sq_mbox_feature *in = (const void *)command->in;
    uint64_t value = le64_to_cpu(in->value);
    uint16_t status = sq_feature_check(in);

    if (status) {
        return status;
    }
    if (value > SQ_ROUNDING_EVEN) {
        return SQ_STATUS_INVALID_INPUT;
    }
    qatomic_set(&c->default_rounding, value);
    return SQ_STATUS_SUCCESS;
}

/* ---- statistics --------------------------------------------------------- */

uint16_t sq_mailbox_get_statistics(SmartQuantController *c,
                                   SQMailboxCommand *command)
{
    const struct sq_mbox_statistics_in *in = (const void *)command->in;
    struct sq_statistics *out = (void *)command->out;
    SQStore *s = &c->memory->store;
    struct sqc_statistics st;
    uint16_t status;

    sq_store_read_lock(s);
    status = sqc_statistics_get(s->store, le32_to_cpu(in->scope),
                                le32_to_cpu(in->key), &st);
    sq_store_unlock(s);
    if (status) {
        return status;
    }
    *out = (struct sq_statistics) {
        .requests = cpu_to_le64(st.requests),
        .elements = cpu_to_le64(st.elements),
        .link_bytes = cpu_to_le64(st.link_bytes),
        .plane_lines = cpu_to_le64(st.plane_lines),
        .check_lines = cpu_to_le64(st.check_lines),
        .baseline_lines = cpu_to_le64(st.baseline_lines),
        .written_lines = cpu_to_le64(st.written_lines),
        .stores = cpu_to_le64(st.stores),
        .stored_elements = cpu_to_le64(st.stored_elements),
        .errors = cpu_to_le64(st.errors),
        .media_errors = cpu_to_le64(st.media_errors),
        .poison_loads = cpu_to_le64(st.poison_loads),
        .view_loads = cpu_to_le64(st.view_loads),
        .dram_time_ns = cpu_to_le64(st.dram_time_ns),
        .dram_energy_pj = cpu_to_le64(st.dram_energy_pj),
        .link_time_ns = cpu_to_le64(st.link_time_ns),
    };
    command->out_bytes = sizeof(*out);
    return SQ_STATUS_SUCCESS;
}

uint16_t sq_mailbox_reset_statistics(SmartQuantController *c,
                                     SQMailboxCommand *command)
{
    const struct sq_mbox_statistics_in *in = (const void *)command->in;
    SQStore *s = &c->memory->store;
    uint16_t status;

    sq_store_read_lock(s);
    status = sqc_statistics_reset(s->store, le32_to_cpu(in->scope),
                                  le32_to_cpu(in->key));
    sq_store_unlock(s);
    return status;
}

/* ---- Verify and Sanitize ------------------------------------------------ */

uint16_t sq_mailbox_verify(SmartQuantController *c, SQMailboxCommand *command)
{
    uint16_t status = sq_verify_begin(c, sq_mailbox_handle(command));

    if (status) {
        return status;
    }
    command->background->step = sq_verify_step;
    return SQ_STATUS_BACKGROUND_STARTED;
}

uint16_t sq_mailbox_get_verify_result(SmartQuantController *c,
                                      SQMailboxCommand *command)
{
    const struct sq_mbox_verify_in *in = (const void *)command->in;
    struct sq_mbox_verify_out *out = (void *)command->out;
    const uint32_t room = (SQ_MBOX_PAYLOAD_BYTES - sizeof(*out)) /
                          sizeof(struct sq_bad_run);
    SQVerify *v = &c->verify;
    uint32_t first = MIN(le32_to_cpu(in->first), v->kept);
    uint32_t count = MIN(v->kept - first, room);

    *out = (struct sq_mbox_verify_out) {
        .runs_checked = cpu_to_le64(v->runs_checked),
        .runs_bad = cpu_to_le64(v->runs_bad),
        .count = cpu_to_le32(count),
        .complete = cpu_to_le32(v->complete),
    };
    if (count) {
        memcpy(out + 1, v->bad + first, count * sizeof(*v->bad));
    }
    command->out_bytes = sizeof(*out) + count * sizeof(*v->bad);
    return SQ_STATUS_SUCCESS;
}

static bool sq_sanitize_step(SmartQuantController *c, unsigned *percent,
                             uint16_t *status)
{
    SQStore *s = &c->memory->store;

    sq_store_write_lock(s);
    *status = sqc_sanitize(s->store);
    sq_store_unlock(s);
    return false;
}

uint16_t sq_mailbox_sanitize(SmartQuantController *c,
                             SQMailboxCommand *command)
{
    SQStore *s = &c->memory->store;
    struct sqc_store_info info;

    sq_store_read_lock(s);
    sqc_store_describe(s->store, &info);
    sq_store_unlock(s);
    if (info.views) {
        return SQ_STATUS_IN_USE;
    }
    if (s->read_only) {
        return SQ_STATUS_READ_ONLY;
    }
    command->background->step = sq_sanitize_step;
    return SQ_STATUS_BACKGROUND_STARTED;
}

/* ---- HDM info ----------------------------------------------------------- */

typedef struct SQHdmCall {
    SmartQuantController *c;
    struct sq_hdm_info *out;
} SQHdmCall;

/* Under the BQL, as the decoder registers are. */
static void sq_hdm_info_call(void *opaque)
{
    SQHdmCall *call = opaque;
    SQDecoder d;

    *call->out = (struct sq_hdm_info) { };
    if (!sq_hdm_decoder(&call->c->memory->parent_obj.cxl_cstate, 0, &d)) {
        return;
    }
    *call->out = (struct sq_hdm_info) {
        .host_base = cpu_to_le64(d.host_base),
        .size_bytes = cpu_to_le64(d.size_bytes),
        .dpa_base = cpu_to_le64(d.dpa_base),
        .flags = cpu_to_le32(SQ_HDM_COMMITTED | (d.interleave_ways > 1 ?
                                                 SQ_HDM_INTERLEAVED : 0)),
        .interleave_ways = cpu_to_le16(d.interleave_ways),
        .interleave_granularity_bytes = cpu_to_le32(d.granularity_bytes),
    };
}

uint16_t sq_mailbox_get_hdm_info(SmartQuantController *c,
                                 SQMailboxCommand *command)
{
    SQHdmCall call = { .c = c, .out = (void *)command->out };

    if (!sq_main_loop_call(&c->main_loop, sq_hdm_info_call, &call)) {
        return SQ_STATUS_ABORTED;
    }
    command->out_bytes = sizeof(*call.out);
    return SQ_STATUS_SUCCESS;
}
