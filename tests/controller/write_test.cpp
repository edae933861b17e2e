// SPDX-License-Identifier: MIT
//
// Writing rows: what comes back is what was given, bit by bit, or nothing changed
#include "store.hpp"

#include <cmath>

namespace {

using namespace controller;

struct Kind {
    const char* name;
    std::uint8_t dtype, placement;
};
constexpr Kind kinds[] = {
    {"aligned bf16", SQ_DTYPE_BF16, SQ_PLACEMENT_ALIGNED}, {"aligned fp16", SQ_DTYPE_FP16, SQ_PLACEMENT_ALIGNED},
    {"aligned fp32", SQ_DTYPE_FP32, SQ_PLACEMENT_ALIGNED}, {"word bf16", SQ_DTYPE_BF16, SQ_PLACEMENT_WORD},
    {"word fp16", SQ_DTYPE_FP16, SQ_PLACEMENT_WORD},       {"word fp32", SQ_DTYPE_FP32, SQ_PLACEMENT_WORD},
    {"word int8", SQ_DTYPE_INT8, SQ_PLACEMENT_WORD},       {"bytes", SQ_DTYPE_U8, SQ_PLACEMENT_BYTES},
};

struct Shape {
    std::uint32_t rows, cols;
};
// One element; less, exactly and more than a group, a line, a piece (2048), a
// segment (65536); rows that straddle segments; rows longer than a segment.
constexpr Shape shapes[] = {{1, 1},    {1, 31},   {1, 32},   {1, 33},    {7, 1},     {3, 511},   {2, 512},   {5, 513},    {2, 2048},  {3, 2049},
                            {64, 576}, {100, 999}, {1, 65535}, {1, 65536}, {1, 65537}, {70, 1024}, {33, 4000}, {3, 70000}, {2049, 32}, {2100, 3}};

Bytes data_of(const Kind& kind, std::uint64_t count, std::uint64_t seed)
{
    auto data = weights(kind.dtype, count, seed);
    // With placement word, any bits are data.
    if (kind.placement == SQ_PLACEMENT_WORD) {
        std::mt19937_64 random(seed);
        for (auto& byte : data)
            byte = static_cast<std::uint8_t>(random());
    }
    return data;
}

TEST(Write, ComesBackBitByBitInEveryKindAndShape)
{
    for (const auto& kind : kinds) {
        Store store(16u << 20);
        std::uint64_t seed = 1;
        for (const auto shape : shapes) {
            const auto name = std::to_string(shape.rows) + "x" + std::to_string(shape.cols);
            const auto data = data_of(kind, std::uint64_t{shape.rows} * shape.cols, seed++);
            const auto handle = store.make(name, shape.rows, shape.cols, kind.dtype, kind.placement);
            ASSERT_EQ(store.write(handle, data), SQ_STATUS_SUCCESS) << kind.name << ' ' << name;
            EXPECT_EQ(store.result.bytes, data.size());
            EXPECT_EQ(store.result.rounded_elements, 0u);
            ASSERT_EQ(store.native(handle), data) << kind.name << ' ' << name;
            EXPECT_TRUE(store.verify(handle).empty());
        }
        ASSERT_EQ(sqc_flush(store.get(), 0), SQ_STATUS_SUCCESS);
        store.reopen();
        seed = 1;
        for (const auto shape : shapes) {
            const auto data = data_of(kind, std::uint64_t{shape.rows} * shape.cols, seed++);
            const auto handle = store.find(std::to_string(shape.rows) + "x" + std::to_string(shape.cols));
            ASSERT_EQ(store.native(handle), data) << kind.name << ' ' << shape.rows << 'x' << shape.cols << " after a reopen";
        }
    }
}

TEST(Write, OfSomeRowsKeepsTheOthers)
{
    for (const auto& kind : kinds) {
        Store store(16u << 20);
        const std::uint32_t rows = 300, cols = 777;  // four segments
        const std::size_t row_bytes = cols * sqc_dtype_bytes(kind.dtype);
        const auto handle = store.make("w", rows, cols, kind.dtype, kind.placement);
        Bytes model(rows * row_bytes, 0);
        std::mt19937_64 random(11);
        for (int round = 0; round < 15; ++round) {
            const auto first = static_cast<std::uint32_t>(random() % rows);
            const auto count = static_cast<std::uint32_t>(1 + random() % (round % 2 ? 3 : rows));
            const auto rows_written = std::min(count, rows - first);
            const auto data = data_of(kind, std::uint64_t{rows_written} * cols, random());
            ASSERT_EQ(store.write(handle, data, first, rows_written), SQ_STATUS_SUCCESS);
            std::copy(data.begin(), data.end(), model.begin() + static_cast<std::ptrdiff_t>(first * row_bytes));
            if (round % 7 == 3) {
                ASSERT_EQ(sqc_flush(store.get(), handle), SQ_STATUS_SUCCESS);
            }
            ASSERT_EQ(store.native(handle), model) << kind.name << " round " << round;
        }
        EXPECT_TRUE(store.verify(handle).empty());
    }
}

TEST(Write, RewritingDoesNotGrowTheStore)
{
    Store store;
    const auto handle = store.make("w", 100, 2000);
    ASSERT_EQ(store.write(handle, weights(SQ_DTYPE_BF16, 200000, 1)), SQ_STATUS_SUCCESS);
    ASSERT_EQ(sqc_flush(store.get(), 0), SQ_STATUS_SUCCESS);
    const auto used = store.info().used_bytes;
    EXPECT_EQ(used, store.info(handle).stored_bytes);
    for (int round = 0; round < 30; ++round) {
        ASSERT_EQ(store.write(handle, weights(SQ_DTYPE_BF16, 200000, 1)), SQ_STATUS_SUCCESS);
        if (round % 3 == 0) {
            ASSERT_EQ(sqc_flush(store.get(), 0), SQ_STATUS_SUCCESS);
        }
    }
    ASSERT_EQ(sqc_flush(store.get(), 0), SQ_STATUS_SUCCESS);
    EXPECT_EQ(store.info().used_bytes, used);
    store.reopen();
    EXPECT_EQ(store.info().used_bytes, used) << "what a reopened store derives";
    EXPECT_EQ(store.info(store.find("w")).stored_bytes, used);
}

TEST(Write, RefusesWhatIsNotWholeRowsOfTheRegion)
{
    Store store;
    const auto handle = store.make("w", 4, 40);
    EXPECT_EQ(store.write(handle, Bytes(320), 0, 0), SQ_STATUS_RANGE);
    EXPECT_EQ(store.write(handle, Bytes(320), 4, 1), SQ_STATUS_RANGE);
    EXPECT_EQ(store.write(handle, Bytes(320), 3, 2), SQ_STATUS_RANGE);
    EXPECT_EQ(store.write(handle, Bytes(320), 1, UINT32_MAX), SQ_STATUS_RANGE);
    EXPECT_EQ(store.write(handle, Bytes(319), 0, 4), SQ_STATUS_LENGTH);
    EXPECT_EQ(store.write(handle, Bytes(321), 0, 4), SQ_STATUS_LENGTH);
    EXPECT_EQ(store.write(handle, Bytes(0), 0, 4), SQ_STATUS_LENGTH);
    EXPECT_EQ(store.write(handle, Bytes(320), 0, 4, 0x7777), SQ_STATUS_UNSUPPORTED);
    EXPECT_EQ(store.write(handle, Bytes(320), 0, 4, SQ_ENCODING_DTYPE, 0x80), SQ_STATUS_INVALID_INPUT);
    EXPECT_EQ(store.write(handle, Bytes(320), 0, 4, SQ_ENCODING_GGML(SQ_GGML_Q4_0)), SQ_STATUS_INVALID_INPUT) << "40 is no multiple of 32";
    EXPECT_EQ(store.info(handle).stored_bytes, 0u);
    EXPECT_EQ(store.statistics().stores, 0u);
    EXPECT_EQ(store.statistics().errors, 10u);
    const auto blob = store.make("b", 1, 64, SQ_DTYPE_U8, SQ_PLACEMENT_BYTES);
    EXPECT_EQ(store.write(blob, Bytes(256), 0, 1, SQ_ENCODING_FP32, SQ_STORE_ROUND), SQ_STATUS_UNSUPPORTED);
}

TEST(Write, NamesTheFirstElementThatIsNotFinite)
{
    struct Word {
        std::uint8_t dtype;
        std::uint32_t word;
    };
    for (const auto& [dtype, word] : {Word{SQ_DTYPE_BF16, 0x7f80}, Word{SQ_DTYPE_BF16, 0xffc1}, Word{SQ_DTYPE_FP16, 0x7c00},
                                      Word{SQ_DTYPE_FP16, 0xfe01}, Word{SQ_DTYPE_FP32, 0xff800000u}, Word{SQ_DTYPE_FP32, 0x7f800001u}}) {
        Store store(8u << 20);
        const std::uint32_t rows = 90, cols = 1001;  // two segments
        const std::size_t width = sqc_dtype_bytes(dtype);
        const auto handle = store.make("w", rows, cols, dtype);
        const auto before = weights(dtype, rows * cols, 1);
        ASSERT_EQ(store.write(handle, before), SQ_STATUS_SUCCESS);
        const auto used = store.info().used_bytes;
        for (const auto& [row, col] : {std::pair{0u, 0u}, {20u, 1000u}, {89u, 17u}}) {
            auto data = weights(dtype, (rows - 10) * cols, 2);
            if (row >= 10)
                std::memcpy(&data[((row - 10) * cols + col) * width], &word, width);
            std::memcpy(&data[((rows - 11) * cols + 1000) * width], &word, width);
            ASSERT_EQ(store.write(handle, data, 10, rows - 10), SQ_STATUS_NON_FINITE);
            EXPECT_EQ(store.result.error_row, row >= 10 ? row : 89u);
            EXPECT_EQ(store.result.error_col, row >= 10 ? col : 1000u);
        }
        EXPECT_EQ(store.native(handle), before);
        EXPECT_EQ(store.info().used_bytes, used);
    }
}

// Segments that lie in the request as they are stored are not looked at before they
// are built.
TEST(Write, LeavesRegionsAsTheyWereWhereALaterSegmentIsNotFinite)
{
    Store store(5u << 18);
    const auto handle = store.make("w", 2, 65536), more = store.make("more", 6, 65536);
    const auto before = weights(SQ_DTYPE_BF16, 2 * 65536, 1);
    ASSERT_EQ(store.write(handle, before), SQ_STATUS_SUCCESS);
    const auto used = store.info().used_bytes;
    auto data = weights(SQ_DTYPE_BF16, 2 * 65536, 2);
    data[2 * (65536 + 65535)] = 0x80;
    data[2 * (65536 + 65535) + 1] = 0xff;
    ASSERT_EQ(store.write(handle, data), SQ_STATUS_NON_FINITE);
    EXPECT_EQ(store.result.error_row, 1u);
    EXPECT_EQ(store.result.error_col, 65535u);
    EXPECT_EQ(store.info().used_bytes, used);
    EXPECT_EQ(store.native(handle), before);
    // It is what is said, also where there is no room.
    for (std::uint32_t row = 0; store.write(more, weights(SQ_DTYPE_BF16, 65536, 3), row, 1) == SQ_STATUS_SUCCESS; ++row)
        ASSERT_LT(row, 5u);
    ASSERT_EQ(store.write(handle, before), SQ_STATUS_STORE_FULL);
    data[1] = 0x7f, data[0] = 0xff;
    EXPECT_EQ(store.write(handle, data), SQ_STATUS_NON_FINITE);
    EXPECT_EQ(store.result.error_row, 0u);
}

TEST(Write, RoundsOtherFloatsOnlyWhenAllowed)
{
    Store store;
    const auto handle = store.make("w", 2, 3);
    const float values[6] = {1.0f, 1.00390625f, -3.0f, 0.0f, 1.01f, -0.0f};
    Bytes data(sizeof values);
    std::memcpy(data.data(), values, sizeof values);
    EXPECT_EQ(store.write(handle, data, 0, 2, SQ_ENCODING_FP32), SQ_STATUS_ROUNDING_NEEDED);
    EXPECT_EQ(store.native(handle), Bytes(12, 0));
    ASSERT_EQ(store.write(handle, data, 0, 2, SQ_ENCODING_FP32, SQ_STORE_ROUND), SQ_STATUS_SUCCESS);
    EXPECT_EQ(store.result.rounded_elements, 2u);
    // 1.00390625 is a tie and goes to 1.0; 1.01 to 1.0078125, which is closer.
    EXPECT_FLOAT_EQ(store.result.max_rounding_error, 0.00390625f / 1.00390625f);
    EXPECT_EQ(store.native(handle), (Bytes{0x80, 0x3f, 0x80, 0x3f, 0x40, 0xc0, 0, 0, 0x81, 0x3f, 0, 0x80}));
    EXPECT_EQ(store.write(handle, Bytes{0x80, 0x3f, 0x80, 0x3f, 0x40, 0xc0, 0, 0, 0x81, 0x3f, 0, 0x80}, 0, 2, SQ_ENCODING_BF16), SQ_STATUS_SUCCESS)
        << "the region's own dtype by its name";
}

TEST(Write, RefusesFiniteValuesThatTheDtypeCannotHold)
{
    Store store;
    const auto handle = store.make("w", 1, 4, SQ_DTYPE_FP16);
    const float values[4] = {1, 2, 65520.0f, 4};
    Bytes data(sizeof values);
    std::memcpy(data.data(), values, sizeof values);
    EXPECT_EQ(store.write(handle, data, 0, 1, SQ_ENCODING_FP32, SQ_STORE_ROUND), SQ_STATUS_NON_FINITE);
    EXPECT_EQ(store.result.error_col, 2u);
    const auto word = store.make("v", 1, 4, SQ_DTYPE_FP16, SQ_PLACEMENT_WORD);
    EXPECT_EQ(store.write(word, data, 0, 1, SQ_ENCODING_FP32, SQ_STORE_ROUND), SQ_STATUS_SUCCESS) << "as infinity";
    EXPECT_TRUE(std::isinf(store.result.max_rounding_error));
}

TEST(Write, DecodesGgmlBlocksAcrossSegments)
{
    Store store(8u << 20);
    const std::uint32_t rows = 100, cols = 1056;  // segments end inside of rows
    const auto handle = store.make("w", rows, cols, SQ_DTYPE_FP32);
    const auto whole = store.make("one block a row", rows * cols / 32, 32, SQ_DTYPE_FP32);
    std::mt19937_64 random(3);
    Bytes data(std::size_t{rows} * cols / 32 * 34);
    for (std::size_t i = 0; i < data.size(); ++i)
        data[i] = static_cast<std::uint8_t>(i % 34 == 1 ? 0x2c : random());  // scales near 1/16
    std::uint64_t bytes = 0;
    const sqc_write_request request = {handle, SQ_ENCODING_GGML(SQ_GGML_Q8_0), 0, 0, rows};
    ASSERT_EQ(sqc_write_bytes(store.get(), &request, &bytes), SQ_STATUS_SUCCESS);
    EXPECT_EQ(bytes, data.size());
    ASSERT_EQ(store.write(handle, data, 0, rows, SQ_ENCODING_GGML(SQ_GGML_Q8_0)), SQ_STATUS_SUCCESS);
    ASSERT_EQ(store.write(whole, data, 0, rows * cols / 32, SQ_ENCODING_GGML(SQ_GGML_Q8_0)), SQ_STATUS_SUCCESS);
    EXPECT_EQ(store.native(handle), store.native(whole));
}

TEST(Write, EscapesWhatReachesBelowTheLastPlane)
{
    Store store;
    // bf16, g = 0: 16 planes end at 2^-15. 2^-15 fits, 1.5 * 2^-15 does not.
    const auto handle = store.make("w", 1, 64);
    Bytes data(128, 0);
    const std::uint16_t words[] = {0x3f80, 0x3800, 0x3840, 0x8001, 0x8000, 0x0001};
    std::memcpy(data.data(), words, sizeof words);
    ASSERT_EQ(store.write(handle, data), SQ_STATUS_SUCCESS);
    EXPECT_EQ(store.info(handle).escapes, 3u) << "1.5 * 2^-15 and the two subnormals";
    EXPECT_EQ(store.native(handle), data);
    // All but one of each group escaped.
    const auto dense = store.make("d", 3, 1000, SQ_DTYPE_FP32);
    Bytes all(12000);
    for (std::uint32_t i = 0; i < 3000; ++i) {
        const std::uint32_t word = i % 1000 % 32 == 5 ? 0x7f7fffffu : 0x3f800001u + i;
        std::memcpy(&all[4 * i], &word, 4);
    }
    ASSERT_EQ(store.write(dense, all), SQ_STATUS_SUCCESS);
    EXPECT_EQ(store.info(dense).escapes, 3000u - 3 * 32);
    EXPECT_EQ(store.native(dense), all);
    // To the last element, in a whole segment and in one of three groups after it.
    const auto cut = store.make("c", 1, 65536 + 96);
    Bytes more((65536 + 96) * 2);
    for (std::size_t i = 0; i < more.size() / 2; ++i) {
        const std::uint16_t word = i % 32 == 7 ? 0x7f00 : 0x3f81;
        std::memcpy(&more[2 * i], &word, 2);
    }
    ASSERT_EQ(store.write(cut, more), SQ_STATUS_SUCCESS);
    EXPECT_EQ(store.info(cut).escapes, (65536u + 96) / 32 * 31);
    EXPECT_EQ(store.native(cut), more);
}

TEST(Write, ThatDoesNotFitChangesNothing)
{
    Store store(1u << 20);
    const auto keep = store.make("keep", 1, 65536);
    const auto data = weights(SQ_DTYPE_BF16, 65536, 1);
    ASSERT_EQ(store.write(keep, data), SQ_STATUS_SUCCESS);
    ASSERT_EQ(sqc_flush(store.get(), 0), SQ_STATUS_SUCCESS);
    const auto used = store.info().used_bytes;
    const auto big = store.make("big", 5, 65536);
    EXPECT_EQ(store.write(big, weights(SQ_DTYPE_BF16, 5 * 65536, 2)), SQ_STATUS_STORE_FULL);
    EXPECT_EQ(store.info().used_bytes, used);
    EXPECT_EQ(store.native(big), Bytes(5 * 65536 * 2, 0));
    ASSERT_EQ(store.write(big, weights(SQ_DTYPE_BF16, 65536, 2), 2, 1), SQ_STATUS_SUCCESS) << "a part of it does";
    // A rewrite needs room for the new beside the old.
    EXPECT_EQ(store.write(keep, weights(SQ_DTYPE_BF16, 65536, 3)), SQ_STATUS_STORE_FULL);
    EXPECT_EQ(store.native(keep), data);
    EXPECT_EQ(sqc_flush(store.get(), 0), SQ_STATUS_SUCCESS) << "what was written can be flushed in a full store";
    ASSERT_EQ(sqc_region_delete(store.get(), big), SQ_STATUS_SUCCESS);
    EXPECT_EQ(store.info().used_bytes, used);
    EXPECT_EQ(store.write(keep, weights(SQ_DTYPE_BF16, 65536, 3)), SQ_STATUS_SUCCESS);
}

TEST(Write, FillsTheStoreButForLessThanTwoSegments)
{
    Store store(8u << 20);
    const auto rows = static_cast<std::uint32_t>(store.info().capacity_bytes / (17 * 8192 + 2048 + 256));
    const auto handle = store.make("w", rows, 65536);
    std::uint32_t written = 0;
    // A constant needs no escapes: 17 runs and 2 KiB of exponents a segment.
    Bytes data(65536 * 2);
    for (std::size_t i = 0; i < data.size(); i += 2)
        data[i] = 0x80, data[i + 1] = 0x3f;
    while (written < rows && store.write(handle, data, written, 1) == SQ_STATUS_SUCCESS)
        ++written;
    EXPECT_GE(written + 1, rows) << "tails share rows: little is lost to alignment";
    EXPECT_EQ(sqc_flush(store.get(), 0), SQ_STATUS_SUCCESS);
}

TEST(Write, AReserveThatFailsIsAFullStore)
{
    Store store;
    const auto handle = store.make("w", 3, 65536);
    const auto data = weights(SQ_DTYPE_BF16, 3 * 65536, 1);
    for (int failing = 0;; ++failing) {
        int calls = 0;
        store.environment.on_reserve = [&](std::uint64_t offset, std::uint64_t bytes) {
            EXPECT_LE(offset + bytes, store.memory().bytes());
            return calls++ == failing ? -1 : 0;
        };
        const auto status = store.write(handle, data);
        if (calls <= failing) {
            EXPECT_EQ(status, SQ_STATUS_SUCCESS);
            EXPECT_EQ(failing, 7) << "planes and tail of three segments, and the map";
            break;
        }
        EXPECT_EQ(status, SQ_STATUS_STORE_FULL);
        EXPECT_EQ(store.info().used_bytes, 0u);
    }
    EXPECT_EQ(store.native(handle), data);
}

TEST(Write, RefusesToKeepDamagedRows)
{
    Store store;
    const auto handle = store.make("w", 100, 1024);
    const auto data = weights(SQ_DTYPE_BF16, 100 * 1024, 1);
    ASSERT_EQ(store.write(handle, data), SQ_STATUS_SUCCESS);
    // One bit of the second segment, which begins with row 64.
    auto* memory = store.memory().get();
    std::vector<sqc_bad_run> bad;
    for (std::size_t at = store.memory().bytes(); bad.empty() || bad[0].segment != 1;) {
        at -= 4096;
        memory[at] ^= 1;
        bad = store.verify(handle);
        if (bad.empty() || bad[0].segment != 1)
            memory[at] ^= 1;
        ASSERT_NE(at, 0u);
    }
    EXPECT_EQ(store.write(handle, weights(SQ_DTYPE_BF16, 1024, 2), 70, 1), SQ_STATUS_MEDIA_FAILURE);
    EXPECT_EQ(store.result.error_row, 64u);
    EXPECT_EQ(store.write(handle, weights(SQ_DTYPE_BF16, 1024, 2), 3, 1), SQ_STATUS_SUCCESS) << "the first segment is whole";
    EXPECT_EQ(store.write(handle, weights(SQ_DTYPE_BF16, 36 * 1024, 2), 64, 36), SQ_STATUS_SUCCESS) << "all of it is replaced";
    EXPECT_TRUE(store.verify(handle).empty());
}

}  // namespace
