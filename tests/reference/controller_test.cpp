// SPDX-License-Identifier: MIT
//
// The controller against the independent reference: every format, rounding
// and axis, over dtypes, placements, shapes and kinds of values.
#include "controller.h"
#include "golden_cases.hpp"
#include "reference.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace {

using reference::Axis;
using reference::Dtype;
using reference::Placement;
using reference::Rounding;

constexpr std::uint64_t store_bytes = 64u << 20;

void* allocate(void*, std::size_t bytes) { return std::aligned_alloc(64, (bytes + 63) / 64 * 64); }
void release(void*, void* memory) { std::free(memory); }
const sqc_environment environment = {.context = nullptr, .allocate = allocate, .release = release, .sync = nullptr, .reserve = nullptr};

struct Free {
    void operator()(void* memory) const { std::free(memory); }
};
using Memory = std::unique_ptr<void, Free>;

class Store {
public:
    Store() : memory_(allocate(nullptr, store_bytes))
    {
        std::memset(memory_.get(), 0, store_bytes);
        EXPECT_EQ(sqc_format(memory_.get(), store_bytes, &environment), SQ_STATUS_SUCCESS);
        EXPECT_EQ(sqc_open(&store_, memory_.get(), store_bytes, &environment, 0, 0, nullptr), SQ_STATUS_SUCCESS);
    }
    ~Store() { sqc_close(store_); }
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;
    sqc_store* get() const { return store_; }

private:
    Memory memory_;
    sqc_store* store_ = nullptr;
};

// Kinds of values that formats get wrong when they get something wrong.
using Generator = double (*)(std::mt19937_64&, std::uint32_t index);

double gaussian(std::mt19937_64& random, std::uint32_t) { return std::normal_distribution<double>(0, 0.05)(random); }

double wide(std::mt19937_64& random, std::uint32_t)
{
    const int exponent = std::uniform_int_distribution<int>(-140, 126)(random);
    return std::ldexp(std::uniform_real_distribution<double>(-2, 2)(random), exponent);
}

// Multiples of small powers of two: exact ties at many widths.
double ties(std::mt19937_64& random, std::uint32_t)
{
    const int units = std::uniform_int_distribution<int>(-511, 511)(random);
    return units * std::ldexp(1.0, -std::uniform_int_distribution<int>(1, 12)(random));
}

// One huge value a group, the rest far below it, zeros of both signs between.
double outlier(std::mt19937_64& random, std::uint32_t index)
{
    if (index % 32 == 7)
        return std::ldexp(1.9921875, 40);
    if (index % 5 == 0)
        return index % 2 ? 0.0 : -0.0;
    return std::normal_distribution<double>(0, 1)(random) * std::ldexp(1.0, 32 - static_cast<int>(index % 24));
}

double subnormal(std::mt19937_64& random, std::uint32_t)
{
    return std::ldexp(std::uniform_real_distribution<double>(-1, 1)(random), -126);
}

// Just under powers of two: what rounds up into the next binade and saturates.
double brink(std::mt19937_64& random, std::uint32_t index)
{
    const double v = std::ldexp(2.0 - std::ldexp(1.0, -7), -std::uniform_int_distribution<int>(0, 3)(random));
    return index % 3 == 0 ? -v : v;
}

double zeros(std::mt19937_64&, std::uint32_t index) { return index / 64 % 2 ? 0.25 : index % 2 ? -0.0 : 0.0; }

struct Case {
    const char* name;
    Generator generator;
};
constexpr Case cases[] = {{"gaussian", gaussian}, {"wide", wide},       {"ties", ties},  {"outlier", outlier},
                          {"subnormal", subnormal}, {"brink", brink}, {"zeros", zeros}};

struct Shape {
    std::uint32_t rows, cols;
};
constexpr Shape shapes[] = {{1, 1}, {3, 40}, {5, 31}, {33, 65}, {20, 1030}};
// More than one segment, rows that straddle them: for one kind of values, the
// reference is slow.
constexpr Shape large_shapes[] = {{130, 576}, {2, 70000}};

struct FormatCode {
    std::string name;
    std::uint16_t code;
};

// Every block and plain format that the controller offers and the reference knows.
std::vector<FormatCode> formats()
{
    std::vector<FormatCode> all;
    for (unsigned i = 0; const std::uint16_t code = sqc_format_at(i); ++i) {
        char buffer[32];
        const std::string name = sqc_format_name(code, buffer, sizeof buffer);
        const unsigned k = SQ_FORMAT_FAMILY(code) == SQ_FORMAT_FAMILY_PLANES ? SQ_FORMAT_PARAMETER(code) : 0;
        if (!name.starts_with("ggml_") && !name.starts_with("tuned") && !name.starts_with("levels") && (k < 4 || k % 8 == 1))
            all.push_back({name, code});
    }
    return all;
}

std::uint8_t sq_dtype(Dtype dtype)
{
    return dtype == Dtype::bf16 ? SQ_DTYPE_BF16 : dtype == Dtype::fp16 ? SQ_DTYPE_FP16 : SQ_DTYPE_FP32;
}

std::uint8_t sq_rounding(Rounding rounding)
{
    return rounding == Rounding::truncate  ? SQ_ROUNDING_TRUNCATE
           : rounding == Rounding::nearest ? SQ_ROUNDING_NEAREST
                                           : SQ_ROUNDING_EVEN;
}

reference::Region make_region(Dtype dtype, Placement placement, Shape shape, Generator generator, std::uint64_t seed)
{
    std::mt19937_64 random(seed);
    reference::Region region{dtype, placement, shape.rows, shape.cols, {}};
    const double largest = dtype == Dtype::fp16 ? 65504.0 : std::ldexp(1.99, 127);
    for (std::uint32_t i = 0; i < shape.rows * shape.cols; ++i) {
        double v = generator(random, i % shape.cols);
        if (dtype == Dtype::fp16 && std::fabs(v) > largest)
            v = std::copysign(largest / (1 + i % 9), v);
        region.words.push_back(reference::word_of(dtype, v));
    }
    return region;
}

std::vector<std::uint8_t> packed_words(const reference::Region& region)
{
    const std::size_t width = region.dtype == Dtype::fp32 ? 4 : 2;
    std::vector<std::uint8_t> bytes;
    for (const auto word : region.words) {
        for (std::size_t i = 0; i < width; ++i)
            bytes.push_back(static_cast<std::uint8_t>(word >> (8 * i)));
    }
    return bytes;
}

std::uint32_t store_region(const Store& store, const reference::Region& region)
{
    static int serial = 0;
    const std::string name = "region" + std::to_string(serial++);
    const sqc_region_spec spec = {name.data(), static_cast<std::uint32_t>(name.size()), sq_dtype(region.dtype),
                                  static_cast<std::uint8_t>(region.placement == Placement::aligned ? SQ_PLACEMENT_ALIGNED
                                                                                                   : SQ_PLACEMENT_WORD),
                                  region.rows, region.cols};
    std::uint32_t handle = 0;
    EXPECT_EQ(sqc_region_create(store.get(), &spec, &handle), SQ_STATUS_SUCCESS);
    const auto data = packed_words(region);
    const sqc_write_request request = {handle, SQ_ENCODING_DTYPE, 0, 0, region.rows};
    sqc_result result;
    EXPECT_EQ(sqc_write(store.get(), &request, data.data(), data.size(), &result), SQ_STATUS_SUCCESS);
    EXPECT_EQ(result.rounded_elements, 0u);
    return handle;
}

struct Delivered {
    sqc_status status;
    std::vector<std::uint8_t> bytes;
    sqc_result result;
};

Delivered read_controller(const Store& store, const sqc_read_request& request)
{
    Delivered delivered{};
    sqc_layout layout;
    delivered.status = sqc_read_layout(store.get(), &request, &layout);
    if (delivered.status != SQ_STATUS_SUCCESS)
        return delivered;
    // A guard byte at the end tells of writes beyond the read.
    delivered.bytes.assign(layout.bytes + 1, 0xa5);
    const Memory scratch(allocate(nullptr, sqc_read_scratch_bytes(&layout)));
    sqc_read_scratch_begin(scratch.get());
    delivered.status = sqc_read(store.get(), &request, delivered.bytes.data(), layout.bytes, scratch.get(), &delivered.result);
    EXPECT_EQ(delivered.bytes.back(), 0xa5) << "wrote behind the end";
    delivered.bytes.pop_back();
    return delivered;
}

// One comparison; a difference reports its first byte.
void compare(const Store& store, std::uint32_t handle, const reference::Region& region, const FormatCode& format,
             Rounding rounding, Axis axis, std::uint32_t first_row, std::uint32_t row_count, const std::string& what)
{
    const reference::Read wanted = {format.name, rounding, axis, first_row, row_count};
    const sqc_read_request request = {handle,
                                      format.code,
                                      sq_rounding(rounding),
                                      static_cast<std::uint8_t>(axis == Axis::row ? SQ_AXIS_ROW : SQ_AXIS_COL),
                                      first_row,
                                      row_count};
    const auto delivered = read_controller(store, request);
    ASSERT_EQ(delivered.status, SQ_STATUS_SUCCESS) << what << ": " << sqc_status_text(delivered.status);
    const auto expected = reference::read(region, wanted);
    ASSERT_EQ(delivered.bytes.size(), expected.size()) << what;
    for (std::size_t i = 0; i < expected.size(); ++i)
        ASSERT_EQ(delivered.bytes[i], expected[i]) << what << ": byte " << i << " of " << expected.size();
    EXPECT_EQ(delivered.result.bytes, expected.size()) << what;
    if (const auto lines = reference::plane_lines(region, wanted)) {
        EXPECT_EQ(delivered.result.plane_lines, *lines) << what;
    }
}

bool takes_rounding(const std::string& format)
{
    return format.starts_with("mx");
}

bool offered(const FormatCode& format, const reference::Region& region, Axis axis)
{
    if (!format.name.starts_with("planes"))
        return true;
    const unsigned planes = region.placement == Placement::word ? (region.dtype == Dtype::fp32 ? 32u : 16u)
                                                                : sqc_dtype_planes(sq_dtype(region.dtype)) + 1;
    return axis == Axis::row && SQ_FORMAT_PARAMETER(format.code) <= planes;
}

// Every format and rounding, on all rows and on some.
void compare_region(const Store& store, const reference::Region& region, Axis axis, const std::string& values)
{
    static const auto all = formats();
    ASSERT_FALSE(all.empty());
    const auto handle = store_region(store, region);
    for (const auto& format : all) {
        if (!offered(format, region, axis))
            continue;
        for (const auto rounding : {Rounding::truncate, Rounding::nearest, Rounding::even}) {
            if (!takes_rounding(format.name) && rounding != Rounding::even)
                continue;
            const auto what = format.name + " rounding " + std::to_string(static_cast<int>(rounding)) + " " + values + " " +
                              std::to_string(region.rows) + "x" + std::to_string(region.cols);
            compare(store, handle, region, format, rounding, axis, 0, region.rows, what);
            const std::uint32_t first = region.rows / 3;
            const std::uint32_t count = (region.rows - first + 1) / 2;
            compare(store, handle, region, format, rounding, axis, first, count, what + " some rows");
            if (::testing::Test::HasFatalFailure())
                return;
        }
    }
}

void compare_all(Dtype dtype, Placement placement, Axis axis)
{
    std::uint64_t seed = 1;
    for (const auto& [name, generator] : cases) {
        const Store store;
        for (const auto shape : shapes) {
            compare_region(store, make_region(dtype, placement, shape, generator, seed++), axis, name);
            if (::testing::Test::HasFatalFailure())
                return;
        }
    }
}

void compare_large(Dtype dtype)
{
    const Store store;
    for (const auto shape : large_shapes) {
        compare_region(store, make_region(dtype, Placement::aligned, shape, gaussian, 77), Axis::row, "gaussian");
        if (::testing::Test::HasFatalFailure())
            return;
    }
}

TEST(ControllerAgainstReference, AlignedBf16AlongRows) { compare_all(Dtype::bf16, Placement::aligned, Axis::row); }
TEST(ControllerAgainstReference, AlignedFp32AlongRows) { compare_all(Dtype::fp32, Placement::aligned, Axis::row); }
TEST(ControllerAgainstReference, AlignedFp16AlongRows) { compare_all(Dtype::fp16, Placement::aligned, Axis::row); }
TEST(ControllerAgainstReference, WordBf16AlongRows) { compare_all(Dtype::bf16, Placement::word, Axis::row); }
TEST(ControllerAgainstReference, WordFp32AlongRows) { compare_all(Dtype::fp32, Placement::word, Axis::row); }
TEST(ControllerAgainstReference, AlignedBf16AlongColumns) { compare_all(Dtype::bf16, Placement::aligned, Axis::col); }
TEST(ControllerAgainstReference, WordFp16AlongRows) { compare_all(Dtype::fp16, Placement::word, Axis::row); }
TEST(ControllerAgainstReference, AlignedFp16AlongColumns) { compare_all(Dtype::fp16, Placement::aligned, Axis::col); }
TEST(ControllerAgainstReference, WordBf16AlongColumns) { compare_all(Dtype::bf16, Placement::word, Axis::col); }
TEST(ControllerAgainstReference, AlignedFp32AlongColumns) { compare_all(Dtype::fp32, Placement::aligned, Axis::col); }

TEST(ControllerAgainstReference, LargeBf16) { compare_large(Dtype::bf16); }
TEST(ControllerAgainstReference, LargeFp32) { compare_large(Dtype::fp32); }

TEST(ControllerAgainstReference, ListsAsManyEscapesAsThePageSays)
{
    for (const auto& [name, generator] : cases) {
        const Store store;
        for (const auto dtype : {Dtype::bf16, Dtype::fp16, Dtype::fp32}) {
            const auto region = make_region(dtype, Placement::aligned, {37, 333}, generator, 99);
            const auto handle = store_region(store, region);
            sqc_region_info info;
            ASSERT_EQ(sqc_region_describe(store.get(), handle, &info), SQ_STATUS_SUCCESS);
            EXPECT_EQ(info.escapes, reference::escapes(region)) << name;
        }
    }
}

std::string hex(const std::vector<std::uint8_t>& bytes)
{
    std::string text;
    for (const auto byte : bytes) {
        char digits[3];
        std::snprintf(digits, sizeof digits, "%02x", byte);
        text += digits;
    }
    return text;
}

// The file was made once, so this finds a change of both sides at once.
TEST(ControllerAgainstReference, BothGiveTheGoldenBytes)
{
    std::ifstream file(SQ_GOLDEN_DIR "/formats.json");
    const auto document = nlohmann::json::parse(file);
    auto golden = document["cases"].begin();
    const Store store;
    for (const auto& region : golden_cases::regions()) {
        const auto handle = store_region(store, region);
        for (const auto& read : golden_cases::reads(region)) {
            const auto what = golden_cases::name(region) + " " + std::string(read.format) + " " + golden_cases::name(read.rounding) +
                              " " + golden_cases::name(read.axis);
            ASSERT_NE(golden, document["cases"].end());
            ASSERT_EQ((*golden)["region"], golden_cases::name(region)) << what;
            ASSERT_EQ((*golden)["format"], std::string(read.format)) << what;
            const auto delivered = read_controller(store, {handle, sqc_format_by_name(std::string(read.format).c_str()),
                                                           sq_rounding(read.rounding),
                                                           static_cast<std::uint8_t>(read.axis == Axis::row ? SQ_AXIS_ROW : SQ_AXIS_COL),
                                                           read.first_row, read.row_count});
            ASSERT_EQ(delivered.status, SQ_STATUS_SUCCESS) << what;
            const auto expected = (*golden)["bytes"].get<std::string>();
            EXPECT_EQ(hex(delivered.bytes), expected) << what << ": controller";
            EXPECT_EQ(hex(reference::read(region, read)), expected) << what << ": reference";
            ++golden;
        }
    }
    EXPECT_EQ(golden, document["cases"].end());
}

}  // namespace
