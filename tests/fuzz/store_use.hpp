// SPDX-License-Identifier: MIT
//
// What the fuzz targets do with a store that may hold anything: whatever the
// status, nothing may go out of bounds.
#pragma once

#include "store_image.hpp"

#include <fuzzer/FuzzedDataProvider.h>

namespace fuzz {

// Mostly a handle that exists, one of the first `most` + 1; else anything.
inline std::uint32_t any_handle(FuzzedDataProvider& input, const sqc_store* store, int most)
{
    if (input.ConsumeIntegralInRange(0, 7) == 0)
        return input.ConsumeIntegral<std::uint32_t>();
    std::uint32_t handle = 0;
    for (int skip = input.ConsumeIntegralInRange(0, most); skip >= 0; --skip)
        sqc_region_next(store, handle, &handle);
    return handle;
}

inline void read_region(sqc_store* store, const sqc_read_request& request)
{
    sqc_layout layout;
    if (sqc_read_layout(store, &request, &layout) != SQ_STATUS_SUCCESS || layout.bytes > (16u << 20))
        return;
    std::vector<std::uint8_t> out(layout.bytes);
    const Scratch scratch(sqc_read_scratch_bytes(&layout));
    sqc_result result;
    if (sqc_read(store, &request, out.data(), layout.bytes, scratch.get(), &result) != SQ_STATUS_SUCCESS)
        return;
    if (std::uint64_t{layout.rows} * layout.cols <= (1u << 20)) {
        std::vector<float> values(std::uint64_t{layout.rows} * layout.cols);
        sqc_decode(&layout, out.data(), 0, layout.rows, values.data());
    }
}

// What is asked of a store that opened, one byte of the input: little, but for
// inputs that come to ask for more.
struct Use {
    explicit Use(std::uint8_t byte)
        : formats(byte & 3), whole((byte & 0x1c) == 0x1c), columns((byte & 0x1c) == 0x0c), change(byte & 0x20), pack((byte & 0x60) == 0x60),
          sanitize((byte & 0xa0) == 0xa0)
    {
    }

    unsigned formats;     // which ones
    bool whole;           // all rows and segments, not the last few elements
    bool columns;         // also along the columns
    bool change;          // writes, seals and deletes
    bool pack, sanitize;  // and these
};

inline constexpr std::uint64_t few_elements = 1024, row_elements = 4096, many_elements = 160 << 10;

inline void read_rows(sqc_store* store, const sqc_region_info& info, const Use& use)
{
    static constexpr std::uint16_t formats[][2] = {
        {SQ_FORMAT_NATIVE, SQ_FORMAT_MXINT(4)},
        {SQ_FORMAT_PLANES(3), SQ_FORMAT_TUNED(4)},
        {SQ_FORMAT_GGML(SQ_GGML_Q4_0), SQ_FORMAT_LEVELS(3)},
        {SQ_FORMAT_TAG, SQ_FORMAT_MX9},
    };
    if (info.row_stride > row_elements)
        return;
    const std::uint64_t rows = std::max<std::uint64_t>((use.whole ? many_elements : few_elements) / info.row_stride, 1);
    const auto count = static_cast<std::uint32_t>(std::min<std::uint64_t>(rows, info.rows));
    for (const auto format : formats[use.formats])
        read_region(store, {info.handle, format, SQ_ROUNDING_DEFAULT, SQ_AXIS_ROW, info.rows - count, count});
    if (use.columns)
        read_region(store, {info.handle, SQ_FORMAT_MXINT(5), SQ_ROUNDING_EVEN, SQ_AXIS_COL, 0, std::min(count, 33u)});
}

inline void verify(sqc_store* store, const sqc_region_info& info, const Use& use)
{
    for (std::uint32_t segment = info.segments - (use.whole ? std::min(info.segments, 4u) : 1u); segment < info.segments; ++segment) {
        std::uint64_t checked = 0;
        std::uint32_t bad_count = 0;
        sqc_bad_run bad[SQC_RUNS_MAX];
        sqc_verify_segment(store, info.handle, segment, &checked, bad, &bad_count);
    }
}

inline void load_view(sqc_store* store, const sqc_region_info& info)
{
    const Scratch scratch(SQC_VIEW_LOAD_SCRATCH_BYTES);
    const sqc_read_request request = {info.handle, SQ_FORMAT_NATIVE, SQ_ROUNDING_DEFAULT, SQ_AXIS_ROW, info.rows - 1, 1};
    sqc_view_info view;
    if (sqc_view_map(store, &request, &view) != SQ_STATUS_SUCCESS)
        return;
    std::uint64_t value = 0;
    sqc_view_load(store, view.dpa + view.layout.bytes - 1, 8, &value, scratch.get());
    sqc_view_unmap(store, view.view);
}

// Overwrites the first row of regions that can be written; packs, seals, tags
// and deletes some of them.
inline void change_region(sqc_store* store, const sqc_region_info& info, const Use& use)
{
    const sqc_write_request request = {info.handle, SQ_ENCODING_DTYPE, 0, 0, 1};
    std::uint64_t bytes = 0;
    sqc_result result;
    if (info.row_stride <= row_elements && sqc_write_bytes(store, &request, &bytes) == SQ_STATUS_SUCCESS) {
        const std::vector<std::uint8_t> data(bytes, 0x11);
        sqc_write(store, &request, data.data(), bytes, &result);
    }
    switch (info.handle % 5) {
    case 0:
        if (use.pack && std::uint64_t{info.row_stride} * info.rows <= row_elements)
            sqc_region_pack(store, info.handle, nullptr);
        break;
    case 1:
        sqc_region_seal(store, info.handle);
        break;
    case 2:
        sqc_region_delete(store, info.handle);
        break;
    case 3:
        sqc_region_set_precision(store, info.handle, SQ_FORMAT_MXINT(3));
        break;
    }
}

template <typename Function>
void for_each_region(sqc_store* store, Function function)
{
    std::uint32_t handle = 0, next = 0;
    for (sqc_region_next(store, 0, &handle); handle != 0; handle = next) {
        sqc_region_info info;
        sqc_region_next(store, handle, &next);
        require(sqc_region_describe(store, handle, &info) == SQ_STATUS_SUCCESS);
        function(info);
    }
}

// Opens the image, and does what one does with a store that opened. One that
// did must open again, whatever was changed in it.
inline void open_and_use(std::uint8_t* image, const Use& use)
{
    sqc_store* store = open(image);
    if (!store)
        return;
    for_each_region(store, [&](const sqc_region_info& info) {
        read_rows(store, info, use);
        verify(store, info, use);
        load_view(store, info);
    });
    if (use.change)
        for_each_region(store, [&](const sqc_region_info& info) { change_region(store, info, use); });
    sqc_flush(store, 0);
    if (use.sanitize)
        sqc_sanitize(store);
    sqc_close(store);
    store = open(image);
    require(store != nullptr);
    sqc_close(store);
}

}  // namespace fuzz
