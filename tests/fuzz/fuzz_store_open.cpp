// SPDX-License-Identifier: MIT
//
// A damaged store: patches on a good image (u32 offset, u8 length, bytes), then
// open, and everything that one does with a store that opened.
#include "store_image.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    static const fuzz::Memory memory(fuzz::store_bytes);
    std::memcpy(memory.get(), fuzz::base_image(), fuzz::store_bytes);
    while (size > 5) {
        std::uint32_t offset;
        std::memcpy(&offset, data, 4);
        offset %= fuzz::store_bytes;
        const std::size_t length = std::min<std::size_t>({data[4], size - 5, fuzz::store_bytes - offset});
        std::memcpy(memory.get() + offset, data + 5, length);
        data += 5 + length;
        size -= 5 + length;
    }

    const auto environment = fuzz::environment();
    sqc_store* store = nullptr;
    if (sqc_open(&store, memory.get(), fuzz::store_bytes, &environment, 0, 1u << 28, nullptr) != SQ_STATUS_SUCCESS)
        return 0;
    std::uint32_t handle = 0;
    for (sqc_region_next(store, 0, &handle); handle != 0; sqc_region_next(store, handle, &handle)) {
        sqc_region_info info;
        if (sqc_region_describe(store, handle, &info) != SQ_STATUS_SUCCESS)
            std::abort();
        const std::uint32_t rows = std::min(info.rows, 70u);
        for (const std::uint16_t format : {std::uint16_t{SQ_FORMAT_NATIVE}, std::uint16_t{SQ_FORMAT_MXINT(4)}, std::uint16_t{SQ_FORMAT_PLANES(3)}})
            fuzz::read_region(store, {handle, format, SQ_ROUNDING_DEFAULT, SQ_AXIS_ROW, 0, rows});
        fuzz::read_region(store, {handle, SQ_FORMAT_MXINT(5), SQ_ROUNDING_EVEN, SQ_AXIS_COL, 0, rows});
        for (std::uint32_t segment = 0; segment < std::min(info.segments, 4u); ++segment) {
            std::uint64_t checked = 0;
            std::uint32_t bad_count = 0;
            sqc_bad_run bad[SQC_RUNS_MAX];
            sqc_verify_segment(store, handle, segment, &checked, bad, &bad_count);
        }
    }
    sqc_flush(store, 0);
    sqc_close(store);
    return 0;
}
