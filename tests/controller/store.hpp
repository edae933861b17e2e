// SPDX-License-Identifier: MIT
//
// A store in the test's own memory, with an environment that can be made to
// fail, and short forms of what tests do all the time
#pragma once

#include "controller.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace controller {

using Bytes = std::vector<std::uint8_t>;

// Short names.
using RegionInfo = sqc_region_info;
using StoreInfo = sqc_store_info;
using ViewInfo = sqc_view_info;
using Statistics = sqc_statistics;
using Layout = sqc_layout;
using Result = sqc_result;

struct Free {
    void operator()(void* memory) const { std::free(memory); }
};

// Zeroed memory, aligned to a line.
class Memory {
public:
    explicit Memory(std::size_t bytes) : bytes_(bytes), memory_(static_cast<std::uint8_t*>(std::aligned_alloc(64, (bytes + 63) / 64 * 64)))
    {
        std::memset(memory_.get(), 0, bytes);
    }
    explicit Memory(const Bytes& image) : Memory(image.size()) { std::memcpy(memory_.get(), image.data(), image.size()); }
    std::uint8_t* get() const { return memory_.get(); }
    std::size_t bytes() const { return bytes_; }
    Bytes copy() const { return Bytes(get(), get() + bytes_); }

private:
    std::size_t bytes_;
    std::unique_ptr<std::uint8_t, Free> memory_;
};

// Memory for reads; what it held before is no matter.
class Scratch : public Memory {
public:
    explicit Scratch(std::size_t bytes) : Memory(bytes)
    {
        std::memset(get(), 0xa5, bytes);
        sqc_read_scratch_begin(get());
    }
};

// Counts calls; the hooks may make one fail.
struct Environment {
    long live_allocations = 0;
    long allocations = 0;
    long failing_allocation = -1;  // number of the call that gets nothing
    long syncs = 0;
    std::function<int(std::uint64_t offset, std::uint64_t bytes)> on_sync;
    std::function<int(std::uint64_t offset, std::uint64_t bytes)> on_reserve;

    sqc_environment get()
    {
        return {this,
                [](void* context, std::size_t bytes) -> void* {
                    auto* self = static_cast<Environment*>(context);
                    if (self->allocations++ == self->failing_allocation)
                        return nullptr;
                    ++self->live_allocations;
                    return std::aligned_alloc(64, (bytes + 63) / 64 * 64);
                },
                [](void* context, void* memory) {
                    --static_cast<Environment*>(context)->live_allocations;
                    std::free(memory);
                },
                [](void* context, std::uint64_t offset, std::uint64_t bytes) {
                    auto* self = static_cast<Environment*>(context);
                    ++self->syncs;
                    return self->on_sync ? self->on_sync(offset, bytes) : 0;
                },
                [](void* context, std::uint64_t offset, std::uint64_t bytes) {
                    auto* self = static_cast<Environment*>(context);
                    return self->on_reserve ? self->on_reserve(offset, bytes) : 0;
                }};
    }
};

struct Read {
    sqc_status status = SQ_STATUS_SUCCESS;
    Layout layout = {};
    Result result = {};
    Bytes bytes;
};

class Store {
public:
    // An empty store.
    explicit Store(std::uint64_t bytes = 4u << 20, std::uint64_t logical_bytes = 1u << 28) : logical_bytes_(logical_bytes), memory_(bytes)
    {
        const auto env = environment.get();
        EXPECT_EQ(sqc_format(memory_.get(), bytes, &env), SQ_STATUS_SUCCESS);
        EXPECT_EQ(open(), SQ_STATUS_SUCCESS) << reason;
    }
    // What is in an image; status() says whether it opened.
    explicit Store(const Bytes& image, std::uint32_t flags = 0) : logical_bytes_(1u << 28), memory_(image) { open_status_ = open(flags); }
    ~Store() { close(); }
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;

    sqc_status open(std::uint32_t flags = 0)
    {
        const auto env = environment.get();
        return sqc_open(&store_, memory_.get(), memory_.bytes(), &env, flags, logical_bytes_, &reason);
    }
    void close()
    {
        sqc_close(store_);
        store_ = nullptr;
    }
    // What a process that starts anew sees.
    void reopen(std::uint32_t flags = 0)
    {
        close();
        ASSERT_EQ(open(flags), SQ_STATUS_SUCCESS) << reason;
    }
    sqc_status open_status() const { return open_status_; }
    sqc_store* get() const { return store_; }
    const Memory& memory() const { return memory_; }

    sqc_status create(std::string_view name, std::uint8_t dtype, std::uint8_t placement, std::uint32_t rows, std::uint32_t cols, std::uint32_t* handle)
    {
        const sqc_region_spec spec = {name.data(), static_cast<std::uint32_t>(name.size()), dtype, placement, rows, cols};
        return sqc_region_create(store_, &spec, handle);
    }
    std::uint32_t make(std::string_view name, std::uint32_t rows, std::uint32_t cols, std::uint8_t dtype = SQ_DTYPE_BF16,
                       std::uint8_t placement = SQ_PLACEMENT_ALIGNED)
    {
        std::uint32_t handle = 0;
        EXPECT_EQ(create(name, dtype, placement, rows, cols, &handle), SQ_STATUS_SUCCESS) << name;
        return handle;
    }
    std::uint32_t find(std::string_view name) const
    {
        std::uint32_t handle = 0;
        sqc_region_find(store_, name.data(), static_cast<std::uint32_t>(name.size()), &handle);
        return handle;
    }
    RegionInfo info(std::uint32_t handle) const
    {
        RegionInfo info = {};
        EXPECT_EQ(sqc_region_describe(store_, handle, &info), SQ_STATUS_SUCCESS);
        return info;
    }
    StoreInfo info() const
    {
        StoreInfo info = {};
        sqc_store_describe(store_, &info);
        return info;
    }
    Statistics statistics(std::uint32_t scope = SQC_STATISTICS_GLOBAL, std::uint32_t key = 0) const
    {
        Statistics statistics = {};
        EXPECT_EQ(sqc_statistics_get(store_, scope, key, &statistics), SQ_STATUS_SUCCESS);
        return statistics;
    }

    sqc_status write(std::uint32_t handle, const Bytes& data, std::uint32_t first_row, std::uint32_t row_count,
                     std::uint16_t encoding = SQ_ENCODING_DTYPE, std::uint8_t flags = 0)
    {
        const sqc_write_request request = {handle, encoding, flags, first_row, row_count};
        return sqc_write(store_, &request, data.data(), data.size(), &result);
    }
    sqc_status write_weighted(std::uint32_t handle, const float* importance, const Bytes& data)
    {
        const sqc_write_request request = {handle, SQ_ENCODING_DTYPE, 0, 0, info(handle).rows};
        return sqc_write_weighted(store_, &request, importance, data.data(), data.size(), &result);
    }
    sqc_status write(std::uint32_t handle, const Bytes& data) { return write(handle, data, 0, info(handle).rows); }

    Read read(const sqc_read_request& request) const
    {
        Read read;
        read.status = sqc_read_layout(store_, &request, &read.layout);
        if (read.status != SQ_STATUS_SUCCESS)
            return read;
        read.bytes.assign(read.layout.bytes + 1, 0xa5);
        const Scratch scratch(sqc_read_scratch_bytes(&read.layout));
        read.status = sqc_read(store_, &request, read.bytes.data(), read.layout.bytes, scratch.get(), &read.result);
        EXPECT_EQ(read.bytes.back(), 0xa5) << "wrote behind the end";
        read.bytes.pop_back();
        return read;
    }
    Read read(std::uint32_t handle, std::uint16_t format = SQ_FORMAT_NATIVE, std::uint8_t rounding = SQ_ROUNDING_DEFAULT,
              std::uint8_t axis = SQ_AXIS_ROW) const
    {
        return read({handle, format, rounding, axis, 0, info(handle).rows});
    }
    Bytes native(std::uint32_t handle) const
    {
        const auto all = read(handle);
        EXPECT_EQ(all.status, SQ_STATUS_SUCCESS) << sqc_status_text(all.status);
        return all.bytes;
    }
    // Damaged runs of a region.
    std::vector<sqc_bad_run> verify(std::uint32_t handle) const
    {
        std::vector<sqc_bad_run> all;
        for (std::uint32_t segment = 0; segment < info(handle).segments; ++segment) {
            sqc_bad_run bad[SQC_RUNS_MAX];
            std::uint32_t count = 0;
            std::uint64_t checked = 0;
            EXPECT_EQ(sqc_verify_segment(store_, handle, segment, &checked, bad, &count), SQ_STATUS_SUCCESS);
            all.insert(all.end(), bad, bad + count);
        }
        return all;
    }

    Environment environment;
    const char* reason = "";
    Result result = {};  // of the last write

private:
    std::uint64_t logical_bytes_;
    Memory memory_;
    sqc_store* store_ = nullptr;
    sqc_status open_status_ = SQ_STATUS_SUCCESS;
};

// Finite words of a dtype with zeros, subnormals, and magnitudes far apart.
inline Bytes weights(std::uint8_t dtype, std::uint64_t count, std::uint64_t seed)
{
    std::mt19937_64 random(seed);
    const std::size_t width = sqc_dtype_bytes(dtype);
    Bytes bytes(count * width);
    for (std::uint64_t i = 0; i < count; ++i) {
        auto word = static_cast<std::uint32_t>(random());
        if (dtype == SQ_DTYPE_BF16)
            word = (word & 0x80ffu) | (random() % 40 + 100) << 7;
        else if (dtype == SQ_DTYPE_FP16)
            word = word % 31 == 0 ? word & 0x83ffu : (word & 0xffffu) % 0x7c00u | (word & 0x8000u);
        else if (dtype == SQ_DTYPE_FP32)
            word = (word & 0x807fffffu) | (static_cast<std::uint32_t>(random() % 40) + 100) << 23;
        if (random() % 50 == 0)
            word = 0;
        else if (random() % 50 == 0)
            word = 1;
        std::memcpy(&bytes[i * width], &word, width);
    }
    return bytes;
}

}  // namespace controller
