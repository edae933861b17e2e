// SPDX-License-Identifier: MIT
//
// A machine with a card for each case, and the embedded store as its twin:
// the same controller code in this process, fed with the same data.
#pragma once

#include "card.hpp"

#include <cstring>
#include <optional>
#include <random>
#include <stdexcept>

#include <controller.h>
#include <gtest/gtest.h>

namespace qtest {

// bf16 words: normal numbers of mixed size, with the odd zero.
inline Bytes random_bf16(std::size_t elements, unsigned seed)
{
    std::mt19937 random(seed);
    Bytes data(2 * elements);
    for (std::size_t i = 0; i < elements; ++i) {
        const std::uint32_t bits = random();
        std::uint16_t word = static_cast<std::uint16_t>((bits & 0x807f) | (110 + (bits >> 16) % 20) << 7);
        if ((bits >> 24) % 16 == 0)
            word = 0;
        std::memcpy(&data[2 * i], &word, 2);
    }
    return data;
}

class CardTest : public testing::Test {
protected:
    void start(const std::string &memory_arguments = ",bloat=4")
    {
        card_.reset();
        machine_.reset();
        Options options;
        options.store = folder_ / "planes";
        options.store_bytes = 64ull << 20;
        options.memory_arguments = memory_arguments;
        machine_.emplace(options);
        if (!machine_->running())
            throw std::runtime_error("QEMU did not start: " + machine_->errors());
        card_.emplace(*machine_);
    }

    Card &card() { return *card_; }
    Machine &machine() { return *machine_; }

    // Host memory that holds these bytes.
    std::uint64_t place(const Bytes &data)
    {
        const std::uint64_t address = card().allocate(data.size());
        machine().write_block(address, data);
        return address;
    }

    // Stores whole rows through a queue.
    void store(Queue &queue, std::uint32_t handle, std::uint32_t first_row, std::uint32_t rows, const Bytes &data)
    {
        const auto completion =
            queue.run(store_entry(handle, first_row, rows, place(data), static_cast<std::uint32_t>(data.size())));
        ASSERT_EQ(completion.status, SQ_STATUS_SUCCESS);
        EXPECT_EQ(completion.bytes, data.size());
    }

    Bytes fetch(Queue &queue, std::uint32_t handle, std::uint16_t format, std::uint32_t first_row, std::uint32_t rows,
                std::size_t bytes, std::uint8_t rounding = SQ_ROUNDING_DEFAULT, std::uint8_t axis = SQ_AXIS_ROW)
    {
        const std::uint64_t address = card().allocate(bytes);
        sq_submission entry = fetch_entry(handle, format, first_row, rows, address, static_cast<std::uint32_t>(bytes));
        entry.rounding = rounding;
        entry.axis = axis;
        const auto completion = queue.run(entry);
        EXPECT_EQ(completion.status, SQ_STATUS_SUCCESS) << "format " << format;
        EXPECT_EQ(completion.bytes, bytes);
        return machine().read_block(address, bytes);
    }

    sq_statistics statistics()
    {
        const Answer answer = card().command(SQ_MBOX_GET_STATISTICS, sq_mbox_statistics_in{SQ_STATISTICS_GLOBAL, 0});
        EXPECT_EQ(answer.status, SQ_STATUS_SUCCESS);
        return structure<sq_statistics>(answer.payload);
    }

    Folder folder_;
    std::optional<Machine> machine_;
    std::optional<Card> card_;
};

// The embedded store.
class Twin {
public:
    Twin()
    {
        memory_ = static_cast<std::uint8_t *>(std::aligned_alloc(4096, bytes_));
        std::memset(memory_, 0, bytes_);
        environment_.allocate = [](void *, std::size_t bytes) { return std::aligned_alloc(64, (bytes + 63) / 64 * 64); };
        environment_.release = [](void *, void *memory) { std::free(memory); };
        EXPECT_EQ(sqc_format(memory_, bytes_, &environment_), SQ_STATUS_SUCCESS);
        EXPECT_EQ(sqc_open(&store_, memory_, bytes_, &environment_, 0, 0, nullptr), SQ_STATUS_SUCCESS);
    }
    ~Twin()
    {
        sqc_close(store_);
        std::free(memory_);
    }
    Twin(const Twin &) = delete;
    Twin &operator=(const Twin &) = delete;

    std::uint32_t create(std::uint8_t dtype, std::uint8_t placement, std::uint32_t rows, std::uint32_t cols)
    {
        sqc_region_spec spec{};
        spec.name = "twin";
        spec.name_bytes = 4;
        spec.dtype = dtype;
        spec.placement = placement;
        spec.rows = rows;
        spec.cols = cols;
        std::uint32_t handle = 0;
        EXPECT_EQ(sqc_region_create(store_, &spec, &handle), SQ_STATUS_SUCCESS);
        return handle;
    }

    void write(std::uint32_t handle, std::uint32_t first_row, std::uint32_t rows, const Bytes &data)
    {
        sqc_write_request request{};
        request.handle = handle;
        request.first_row = first_row;
        request.row_count = rows;
        sqc_result result{};
        EXPECT_EQ(sqc_write(store_, &request, data.data(), data.size(), &result), SQ_STATUS_SUCCESS);
    }

    // Empty when the request is refused; the reason in *status.
    Bytes read(const sqc_read_request &request, sqc_result *result = nullptr, sqc_status *status = nullptr)
    {
        sqc_layout layout{};
        sqc_result own{};
        sqc_status code = sqc_read_layout(store_, &request, &layout);
        Bytes data;
        if (code == SQ_STATUS_SUCCESS) {
            data.resize(layout.bytes);
            const std::size_t scratch_bytes = sqc_read_scratch_bytes(&layout);
            void *scratch = std::aligned_alloc(64, (scratch_bytes + 64) / 64 * 64);
            sqc_read_scratch_begin(scratch);
            code = sqc_read(store_, &request, data.data(), data.size(), scratch, result ? result : &own);
            std::free(scratch);
        }
        if (status)
            *status = code;
        return data;
    }

    // What a read with a precision vector costs.
    sqc_result vector_cost(const sqc_read_request &request, const sqc_precision_vector &vector, std::size_t bytes)
    {
        sqc_vector_layout layout{};
        sqc_result result{};
        EXPECT_EQ(sqc_vector_describe(store_, &request, &vector, &layout, nullptr), SQ_STATUS_SUCCESS);
        EXPECT_EQ(layout.bytes, bytes);
        Bytes data(layout.bytes);
        void *scratch = std::aligned_alloc(64, (layout.scratch_bytes + 64) / 64 * 64);
        sqc_read_scratch_begin(scratch);
        EXPECT_EQ(sqc_read_vector(store_, &request, &vector, data.data(), data.size(), scratch, &result), SQ_STATUS_SUCCESS);
        std::free(scratch);
        return result;
    }

private:
    static constexpr std::size_t bytes_ = 64ull << 20;
    std::uint8_t *memory_ = nullptr;
    sqc_environment environment_{};
    sqc_store *store_ = nullptr;
};

} // namespace qtest
