// SPDX-License-Identifier: MIT
//
// A small store in memory for the fuzz targets, with regions of every kind,
// and what is done with it.
#pragma once

#include "controller.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace fuzz {

inline constexpr std::uint64_t store_bytes = 2u << 20;

inline void* allocate(void*, std::size_t bytes) { return std::aligned_alloc(64, (bytes + 63) / 64 * 64); }
inline void release(void*, void* memory) { std::free(memory); }

inline sqc_environment environment()
{
    sqc_environment result = {};
    result.allocate = allocate;
    result.release = release;
    return result;
}

struct RegionKind {
    const char* name;
    std::uint8_t dtype;
    std::uint8_t placement;
    std::uint32_t rows, cols;
    bool packed = false;
};

inline constexpr RegionKind region_kinds[] = {
    {"bf16", SQ_DTYPE_BF16, SQ_PLACEMENT_ALIGNED, 65, 48},
    {"fp32", SQ_DTYPE_FP32, SQ_PLACEMENT_ALIGNED, 9, 100},
    {"fp16", SQ_DTYPE_FP16, SQ_PLACEMENT_ALIGNED, 17, 33},
    {"word", SQ_DTYPE_BF16, SQ_PLACEMENT_WORD, 5, 70},
    {"blob", SQ_DTYPE_U8, SQ_PLACEMENT_BYTES, 3, 1000},
    {"packed bf16", SQ_DTYPE_BF16, SQ_PLACEMENT_ALIGNED, 33, 2100, true},  // two segments
    {"packed fp32", SQ_DTYPE_FP32, SQ_PLACEMENT_ALIGNED, 9, 100, true},
    {"packed fp16", SQ_DTYPE_FP16, SQ_PLACEMENT_ALIGNED, 17, 33, true},
};

// 64-byte aligned memory that frees itself.
class Memory {
public:
    explicit Memory(std::size_t bytes) : bytes_(static_cast<std::uint8_t*>(allocate(nullptr, bytes))) { std::memset(bytes_, 0, bytes); }
    ~Memory() { std::free(bytes_); }
    Memory(const Memory&) = delete;
    Memory& operator=(const Memory&) = delete;
    std::uint8_t* get() const { return bytes_; }

private:
    std::uint8_t* bytes_;
};

// Writes the image once; every input starts from a copy of it.
inline const std::uint8_t* base_image()
{
    static const Memory image(store_bytes);
    static const bool made = [] {
        const auto env = environment();
        sqc_store* store = nullptr;
        if (sqc_format(image.get(), store_bytes, &env) != SQ_STATUS_SUCCESS ||
            sqc_open(&store, image.get(), store_bytes, &env, 0, 1u << 28, nullptr) != SQ_STATUS_SUCCESS)
            std::abort();
        for (const auto& kind : region_kinds) {
            const sqc_region_spec spec = {kind.name, static_cast<std::uint32_t>(std::strlen(kind.name)), kind.dtype, kind.placement, kind.rows, kind.cols};
            std::uint32_t handle = 0;
            std::uint64_t bytes = 0;
            sqc_write_request request = {0, SQ_ENCODING_DTYPE, 0, 0, kind.rows};
            if (sqc_region_create(store, &spec, &handle) != SQ_STATUS_SUCCESS)
                std::abort();
            request.handle = handle;
            if (sqc_write_bytes(store, &request, &bytes) != SQ_STATUS_SUCCESS)
                std::abort();
            // Small exponents, so that every pattern is finite.
            std::vector<std::uint8_t> data(bytes);
            for (std::size_t i = 0; i < bytes; ++i)
                data[i] = static_cast<std::uint8_t>(i * 37 % 251 & (i % 2 ? 0x3f : 0xff));
            sqc_result result;
            if (sqc_write(store, &request, data.data(), bytes, &result) != SQ_STATUS_SUCCESS)
                std::abort();
            if (kind.packed && sqc_region_pack(store, handle, nullptr) != SQ_STATUS_SUCCESS)
                std::abort();
        }
        if (sqc_flush(store, 0) != SQ_STATUS_SUCCESS)
            std::abort();
        sqc_close(store);
        return true;
    }();
    (void)made;
    return image.get();
}

// A stretch of the image.
struct Span {
    std::uint64_t begin, bytes;
};

// Superblocks and journal, where the region table is (docs/store-layout.md).
inline std::vector<Span> table_spans()
{
    constexpr std::uint64_t page = 4096, superblocks = 2 * page;
    const std::uint8_t* image = base_image();
    const auto field = [&](std::uint64_t at) {
        std::uint64_t value;
        std::memcpy(&value, image + at, 8);
        return value;
    };
    const std::uint64_t superblock = field(16) > field(page + 16) ? 0 : page;  // the higher generation
    const std::uint64_t journal = field(superblock + 40), half = field(superblock + 48), data = field(superblock + 56);
    if (journal < superblocks || journal + 2 * half > data || data > store_bytes)
        std::abort();
    std::vector<Span> spans = {{0, superblocks}};
    for (const std::uint64_t begin : {journal, journal + half}) {
        std::uint64_t used = half;
        while (used > 0 && image[begin + used - 1] == 0)
            --used;
        spans.push_back({begin, std::min<std::uint64_t>(used + 256, half)});
    }
    return spans;
}

// Applies patches (u32 offset, u8 length, bytes) to the spans as if they were one piece.
inline void patch(std::uint8_t* image, const std::vector<Span>& spans, const std::uint8_t* data, std::size_t size)
{
    std::uint64_t total = 0;
    for (const auto& span : spans)
        total += span.bytes;
    while (size > 5) {
        std::uint32_t word;
        std::memcpy(&word, data, 4);
        std::uint64_t offset = word % total;
        auto span = spans.begin();
        for (; offset >= span->bytes; ++span)
            offset -= span->bytes;
        const std::size_t length = std::min<std::size_t>({data[4], size - 5, span->bytes - offset});
        std::memcpy(image + span->begin + offset, data + 5, length);
        data += 5 + length;
        size -= 5 + length;
    }
}

// Reads a region in a format; whatever the status, nothing may go out of bounds.
inline void read_region(sqc_store* store, const sqc_read_request& request)
{
    sqc_layout layout;
    if (sqc_read_layout(store, &request, &layout) != SQ_STATUS_SUCCESS || layout.bytes > (16u << 20))
        return;
    std::vector<std::uint8_t> out(layout.bytes);
    const Memory scratch(sqc_read_scratch_bytes(&layout));
    sqc_result result;
    if (sqc_read(store, &request, out.data(), layout.bytes, scratch.get(), &result) != SQ_STATUS_SUCCESS)
        return;
    if (std::uint64_t{layout.rows} * layout.cols <= (1u << 20)) {
        std::vector<float> values(std::uint64_t{layout.rows} * layout.cols);
        sqc_decode(&layout, out.data(), 0, layout.rows, values.data());
    }
}

// Opens the image, and does everything that one does with a store that opened.
inline void open_and_use(std::uint8_t* image)
{
    const auto environment = fuzz::environment();
    sqc_store* store = nullptr;
    if (sqc_open(&store, image, store_bytes, &environment, 0, 1u << 28, nullptr) != SQ_STATUS_SUCCESS)
        return;
    std::uint32_t handle = 0;
    for (sqc_region_next(store, 0, &handle); handle != 0; sqc_region_next(store, handle, &handle)) {
        sqc_region_info info;
        if (sqc_region_describe(store, handle, &info) != SQ_STATUS_SUCCESS)
            std::abort();
        const std::uint32_t rows = std::min(info.rows, 70u);
        for (const std::uint16_t format : {std::uint16_t{SQ_FORMAT_NATIVE}, std::uint16_t{SQ_FORMAT_MXINT(4)}, std::uint16_t{SQ_FORMAT_PLANES(3)}})
            read_region(store, {handle, format, SQ_ROUNDING_DEFAULT, SQ_AXIS_ROW, 0, rows});
        read_region(store, {handle, SQ_FORMAT_MXINT(5), SQ_ROUNDING_EVEN, SQ_AXIS_COL, 0, rows});
        for (std::uint32_t segment = 0; segment < std::min(info.segments, 4u); ++segment) {
            std::uint64_t checked = 0;
            std::uint32_t bad_count = 0;
            sqc_bad_run bad[SQC_RUNS_MAX];
            sqc_verify_segment(store, handle, segment, &checked, bad, &bad_count);
        }
    }
    sqc_flush(store, 0);
    sqc_close(store);
}

}  // namespace fuzz
