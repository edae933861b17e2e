/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Function 0's HDM decoders (see hdm.h).
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "hdm.h"

#define HDM_STRIDE (A_CXL_HDM_DECODER1_BASE_LO - A_CXL_HDM_DECODER0_BASE_LO)
#define HDM_END (A_CXL_HDM_DECODER0_BASE_LO + SQ_HDM_DECODERS * HDM_STRIDE)
/* Base and size registers hold bits 31:28 and up: 256 MiB steps. */
#define HDM_LOW_MASK 0xf0000000u

static uint32_t hdm_read(const CXLComponentState *cstate, hwaddr reg,
                         unsigned i)
{
    const uint8_t *regs = (const uint8_t *)cstate->crb.cache_mem_registers;

    return ldl_le_p(regs + reg + i * HDM_STRIDE);
}

static uint64_t hdm_read_pair(const CXLComponentState *cstate, hwaddr low,
                              hwaddr high, unsigned i)
{
    return (uint64_t)hdm_read(cstate, high, i) << 32 |
           (hdm_read(cstate, low, i) & HDM_LOW_MASK);
}

/* Ways by their encoding (CXL r3.1, table 8-126); 0: no such encoding. */
static unsigned hdm_ways(uint32_t encoded)
{
    static const uint8_t ways[16] = {
        1, 2, 4, 8, 16, 0, 0, 0, 3, 6, 12,
    };

    return ways[encoded & 0xf];
}

static bool hdm_read_decoder(const CXLComponentState *cstate, unsigned i,
                             SQDecoder *d, uint64_t *skip)
{
    uint32_t ctrl = hdm_read(cstate, A_CXL_HDM_DECODER0_CTRL, i);
    unsigned ig = FIELD_EX32(ctrl, CXL_HDM_DECODER0_CTRL, IG);

    d->host_base = hdm_read_pair(cstate, A_CXL_HDM_DECODER0_BASE_LO,
                                 A_CXL_HDM_DECODER0_BASE_HI, i);
    d->size_bytes = hdm_read_pair(cstate, A_CXL_HDM_DECODER0_SIZE_LO,
                                  A_CXL_HDM_DECODER0_SIZE_HI, i);
    *skip = hdm_read_pair(cstate, A_CXL_HDM_DECODER0_DPA_SKIP_LO,
                          A_CXL_HDM_DECODER0_DPA_SKIP_HI, i);
    d->interleave_ways = hdm_ways(FIELD_EX32(ctrl, CXL_HDM_DECODER0_CTRL, IW));
    d->granularity_bytes = 1u << (8 + ig);
    return FIELD_EX32(ctrl, CXL_HDM_DECODER0_CTRL, COMMITTED) &&
           d->interleave_ways;
}

bool sq_hdm_decoder(const CXLComponentState *cstate, unsigned i, SQDecoder *d)
{
    uint64_t dpa = 0, skip;
    unsigned at;

    /* Decoders take device memory one after the other; a gap ends them. */
    for (at = 0; at <= i && at < SQ_HDM_DECODERS; at++) {
        if (!hdm_read_decoder(cstate, at, d, &skip)) {
            return false;
        }
        d->dpa_base = dpa + skip;
        dpa = d->dpa_base + d->size_bytes / d->interleave_ways;
    }
    return i < SQ_HDM_DECODERS;
}

bool sq_hdm_host_address(const CXLComponentState *cstate, uint64_t dpa,
                         uint64_t bytes, uint64_t *host_address,
                         unsigned *index)
{
    unsigned i;

    for (i = 0; i < SQ_HDM_DECODERS; i++) {
        SQDecoder d;
        uint64_t offset;

        if (!sq_hdm_decoder(cstate, i, &d)) {
            return false;
        }
        offset = dpa - d.dpa_base;
        if (dpa < d.dpa_base || offset >= d.size_bytes / d.interleave_ways) {
            continue;
        }
        if (d.interleave_ways != 1 || bytes > d.size_bytes - offset ||
            d.host_base > UINT64_MAX - d.size_bytes) {
            return false;
        }
        *host_address = d.host_base + offset;
        *index = i;
        return true;
    }
    return false;
}

bool sq_hdm_filter_write(hwaddr offset, uint64_t *value, bool *refused)
{
    *refused = false;
    if (offset < A_CXL_HDM_DECODER0_BASE_LO || offset >= HDM_END) {
        return false;
    }
    if ((offset - A_CXL_HDM_DECODER0_CTRL) % HDM_STRIDE == 0 &&
        FIELD_EX32(*value, CXL_HDM_DECODER0_CTRL, COMMIT) &&
        !hdm_ways(FIELD_EX32(*value, CXL_HDM_DECODER0_CTRL, IW))) {
        *value = FIELD_DP32(*value, CXL_HDM_DECODER0_CTRL, COMMIT, 0);
        *refused = true;
    }
    return true;
}

void sq_hdm_set_error(CXLComponentState *cstate, hwaddr offset)
{
    uint8_t *reg = (uint8_t *)cstate->crb.cache_mem_registers + offset;

    stl_le_p(reg, FIELD_DP32(ldl_le_p(reg), CXL_HDM_DECODER0_CTRL, ERR, 1));
}
