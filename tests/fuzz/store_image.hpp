// SPDX-License-Identifier: MIT
//
// A small store in memory for the fuzz targets, with regions of every kind and
// a journal of several records; made once, every input starts from a copy.
//
// Its values are tame, as weights are: an image of wild ones is all escapes, and
// a target decodes these instead of trying inputs. fuzz_packed sees wild runs.
#pragma once

#include "controller.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <map>
#include <sanitizer/asan_interface.h>
#include <vector>

namespace fuzz {

inline constexpr std::uint64_t store_bytes = SQC_STORE_BYTES_MIN;
inline constexpr std::uint64_t logical_bytes = 1u << 28;

inline void* aligned(std::size_t bytes) { return std::aligned_alloc(64, (bytes + 63) / 64 * 64); }

// Large blocks, used again and again: mapping and clearing new ones would be
// most of what a target does. What a block has beyond its use, and a free one,
// is out of bounds as with others.
class Blocks {
public:
    static constexpr std::size_t large = 64 << 10;

    void* allocate(std::size_t bytes)
    {
        const auto at = free_.lower_bound(bytes);
        Block block = {nullptr, bytes};
        if (at != free_.end()) {
            block = {at->second, at->first};
            free_.erase(at);
        } else {
            block.memory = aligned(bytes);
        }
        ASAN_UNPOISON_MEMORY_REGION(block.memory, bytes);
        ASAN_POISON_MEMORY_REGION(static_cast<std::uint8_t*>(block.memory) + bytes, block.bytes - bytes);
        used_[block.memory] = block.bytes;
        return block.memory;
    }
    // False when it is none of these.
    bool release(void* memory)
    {
        const auto at = used_.find(memory);
        if (at == used_.end())
            return false;
        ASAN_POISON_MEMORY_REGION(memory, at->second);
        free_.emplace(at->second, memory);
        used_.erase(at);
        return true;
    }

private:
    struct Block {
        void* memory;
        std::size_t bytes;
    };
    std::multimap<std::size_t, void*> free_;
    std::map<void*, std::size_t> used_;
};

inline Blocks& blocks()
{
    static Blocks& blocks = *new Blocks;
    return blocks;
}

inline void* allocate(void*, std::size_t bytes) { return bytes < Blocks::large ? aligned(bytes) : blocks().allocate(bytes); }
inline void release(void*, void* memory)
{
    if (!blocks().release(memory))
        std::free(memory);
}

inline sqc_environment environment()
{
    sqc_environment result = {};
    result.allocate = allocate;
    result.release = release;
    return result;
}

// NULL when the store is refused.
inline sqc_store* open(void* memory)
{
    const auto environment = fuzz::environment();
    sqc_store* store = nullptr;
    return sqc_open(&store, memory, store_bytes, &environment, 0, logical_bytes, nullptr) == SQ_STATUS_SUCCESS ? store : nullptr;
}

// 64-byte aligned memory that frees itself.
class Memory {
public:
    explicit Memory(std::size_t bytes) : bytes_(static_cast<std::uint8_t*>(allocate(nullptr, bytes))) {}
    ~Memory() { release(nullptr, bytes_); }
    Memory(const Memory&) = delete;
    Memory& operator=(const Memory&) = delete;
    std::uint8_t* get() const { return bytes_; }

private:
    std::uint8_t* bytes_;
};

// Memory for reads.
class Scratch : public Memory {
public:
    explicit Scratch(std::size_t bytes) : Memory(bytes) { sqc_read_scratch_begin(get()); }
};

enum class State { unwritten, written, sealed, packed, deleted };

struct RegionKind {
    const char* name;
    std::uint8_t dtype;
    std::uint8_t placement;
    std::uint32_t rows, cols;
    State state = State::written;
};

inline constexpr RegionKind region_kinds[] = {
    {"bf16", SQ_DTYPE_BF16, SQ_PLACEMENT_ALIGNED, 65, 48},
    {"fp32", SQ_DTYPE_FP32, SQ_PLACEMENT_ALIGNED, 9, 100},
    {"fp16", SQ_DTYPE_FP16, SQ_PLACEMENT_ALIGNED, 17, 33, State::sealed},
    {"word", SQ_DTYPE_BF16, SQ_PLACEMENT_WORD, 5, 70},
    {"int8", SQ_DTYPE_INT8, SQ_PLACEMENT_WORD, 2, 40},
    {"tuned", SQ_DTYPE_BF16, SQ_PLACEMENT_TUNED, 33, 70},
    {"blob", SQ_DTYPE_U8, SQ_PLACEMENT_BYTES, 3, 1000},
    {"gone", SQ_DTYPE_BF16, SQ_PLACEMENT_ALIGNED, 40, 40, State::deleted},
    {"empty", SQ_DTYPE_BF16, SQ_PLACEMENT_ALIGNED, 7, 7, State::unwritten},
    {"packed bf16", SQ_DTYPE_BF16, SQ_PLACEMENT_ALIGNED, 33, 70, State::packed},
    {"packed fp32", SQ_DTYPE_FP32, SQ_PLACEMENT_ALIGNED, 3, 100, State::packed},
    {"packed fp16", SQ_DTYPE_FP16, SQ_PLACEMENT_ALIGNED, 5, 33, State::packed},
    {"packed twice", SQ_DTYPE_BF16, SQ_PLACEMENT_ALIGNED, 65, 1024, State::packed},  // two segments
};

// Like weights, with few values so far below the others that they are escapes.
inline float tame_value(std::size_t i)
{
    const float value = static_cast<float>(static_cast<int>(i * 2654435761u % 65521) - 32760) / 65536;
    return i % 61 == 0 ? value / (1 << 14) : value;
}

inline void require(bool good)
{
    if (!good)
        std::abort();
}

inline void write_region(sqc_store* store, std::uint32_t handle, const RegionKind& kind)
{
    const bool is_float = sqc_dtype_planes(kind.dtype) != 0;
    const sqc_write_request request = {handle, static_cast<std::uint16_t>(is_float ? SQ_ENCODING_FP32 : SQ_ENCODING_DTYPE), SQ_STORE_ROUND, 0, kind.rows};
    std::uint64_t bytes = 0;
    require(sqc_write_bytes(store, &request, &bytes) == SQ_STATUS_SUCCESS);
    std::vector<std::uint8_t> data(bytes);
    for (std::size_t i = 0; i < bytes; ++i)
        data[i] = static_cast<std::uint8_t>(i * 37 % 251);
    for (std::size_t i = 0; is_float && i < bytes / sizeof(float); ++i) {
        const float value = tame_value(i);
        std::memcpy(&data[i * sizeof(float)], &value, sizeof(float));
    }
    sqc_result result;
    require(sqc_write(store, &request, data.data(), bytes, &result) == SQ_STATUS_SUCCESS);
}

// A record of the journal or more for each region.
inline void add_region(sqc_store* store, const RegionKind& kind)
{
    const sqc_region_spec spec = {kind.name, static_cast<std::uint32_t>(std::strlen(kind.name)), kind.dtype, kind.placement, kind.rows, kind.cols};
    std::uint32_t handle = 0;
    require(sqc_region_create(store, &spec, &handle) == SQ_STATUS_SUCCESS);
    if (kind.state != State::unwritten)
        write_region(store, handle, kind);
    require(sqc_flush(store, handle) == SQ_STATUS_SUCCESS);
    if (kind.state == State::sealed)
        require(sqc_region_seal(store, handle) == SQ_STATUS_SUCCESS);
    if (kind.state == State::packed)
        require(sqc_region_pack(store, handle, nullptr) == SQ_STATUS_SUCCESS);
    if (kind.state == State::deleted)
        require(sqc_region_delete(store, handle) == SQ_STATUS_SUCCESS);
}

inline const std::uint8_t* base_image()
{
    static const Memory image(store_bytes);
    static const bool made = [] {
        const auto environment = fuzz::environment();
        std::memset(image.get(), 0, store_bytes);
        require(sqc_format(image.get(), store_bytes, &environment) == SQ_STATUS_SUCCESS);
        sqc_store* store = open(image.get());
        require(store != nullptr);
        for (const auto& kind : region_kinds)
            add_region(store, kind);
        sqc_close(store);
        return true;
    }();
    (void)made;
    return image.get();
}

}  // namespace fuzz
