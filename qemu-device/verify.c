/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Verify in the background (see verify.h).
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "controller-function.h"
#include "trace.h"
#include "verify.h"

void sq_verify_reset(SQVerify *v)
{
    g_free(v->bad);
    *v = (SQVerify) { };
}

/* Segments of one region, or of all; under the store's lock. */
static uint64_t sq_verify_count(struct sqc_store *store, uint32_t handle)
{
    struct sqc_region_info info;
    uint64_t segments = 0;
    uint32_t at = handle;

    if (!handle) {
        sqc_region_next(store, 0, &at);
    }
    while (at) {
        if (!sqc_region_describe(store, at, &info)) {
            segments += info.segments;
        }
        if (handle) {
            break;
        }
        sqc_region_next(store, at, &at);
    }
    return segments;
}

uint16_t sq_verify_begin(SmartQuantController *c, uint32_t handle)
{
    SQStore *s = &c->memory->store;
    SQVerify *v = &c->verify;
    struct sqc_region_info info;
    uint16_t status = SQ_STATUS_SUCCESS;

    sq_store_read_lock(s);
    if (handle) {
        status = sqc_region_describe(s->store, handle, &info);
    }
    if (!status) {
        sq_verify_reset(v);
        v->all = !handle;
        v->handle = handle;
        if (v->all) {
            sqc_region_next(s->store, 0, &v->handle);
        }
        v->segments_total = sq_verify_count(s->store, handle);
        v->bad = g_new(struct sq_bad_run, SQ_VERIFY_RUNS_MAX);
    }
    sq_store_unlock(s);
    return status;
}

static void sq_verify_keep(SQVerify *v, const struct sqc_bad_run *bad,
                           uint32_t count)
{
    uint32_t i;

    v->runs_bad += count;
    for (i = 0; i < count && v->kept < SQ_VERIFY_RUNS_MAX; i++) {
        trace_smartquant_err_bad_run(bad[i].handle, bad[i].segment,
                                     bad[i].run);
        v->bad[v->kept++] = (struct sq_bad_run) {
            .handle = cpu_to_le32(bad[i].handle),
            .segment = cpu_to_le32(bad[i].segment),
            .run = cpu_to_le16(bad[i].run),
        };
    }
}

/*
 * Checks the next segment. RANGE: the region has no more of them.
 * INVALID_HANDLE: it was deleted meanwhile.
 */
static sqc_status sq_verify_segment(struct sqc_store *store, SQVerify *v)
{
    struct sqc_bad_run bad[SQC_RUNS_MAX];
    uint64_t runs = 0;
    uint32_t count = 0;
    sqc_status status;

    status = sqc_verify_segment(store, v->handle, v->segment, &runs, bad,
                                &count);
    if (!status) {
        sq_verify_keep(v, bad, count);
        v->runs_checked += runs;
        v->segment++;
        v->segments_done++;
    }
    return status;
}

bool sq_verify_step(SmartQuantController *c, unsigned *percent,
                    uint16_t *status)
{
    SQStore *s = &c->memory->store;
    SQVerify *v = &c->verify;
    sqc_status segment = SQ_STATUS_RANGE;

    sq_store_read_lock(s);
    if (v->handle) {
        segment = sq_verify_segment(s->store, v);
    }
    if (segment && v->all && v->handle) {
        sqc_region_next(s->store, v->handle, &v->handle);
        v->segment = 0;
        segment = v->handle ? SQ_STATUS_SUCCESS : SQ_STATUS_RANGE;
    }
    sq_store_unlock(s);

    *percent = v->segments_total ?
               MIN(v->segments_done * 100 / v->segments_total, 100) : 100;
    if (!segment) {
        return true;
    }
    /* Damage is a result (Get Verify Result), no failure of the command. */
    v->complete = segment == SQ_STATUS_RANGE;
    *status = v->complete ? SQ_STATUS_SUCCESS : segment;
    return false;
}
