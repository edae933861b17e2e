// SPDX-License-Identifier: MIT
//
// A small store in memory for the fuzz targets, with regions of every kind
#pragma once

#include "controller.h"

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

}  // namespace fuzz
