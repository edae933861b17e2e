// SPDX-License-Identifier: MIT
//
// Regions of placement tuned in a store: exact words, good prefixes, counters,
// codebooks that live and die with their region
#include "encoding.h"
#include "golden.hpp"
#include "store.hpp"
#include "tuned.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace {

using namespace controller;

constexpr std::uint8_t dtypes[] = {SQ_DTYPE_BF16, SQ_DTYPE_FP16, SQ_DTYPE_FP32};

// Words of normally distributed weights.
Bytes gaussian(std::uint8_t dtype, std::uint64_t count, unsigned seed, float spread = 0.05f)
{
    std::mt19937 random(seed);
    std::normal_distribution<float> normal(0, spread);
    std::vector<float> values(count);
    for (auto& value : values)
        value = normal(random);
    Bytes words(count * sqc_dtype_bytes(dtype));
    sqc_values_to_words(dtype, values.data(), count, words.data());
    return words;
}

std::vector<float> values_of(std::uint8_t dtype, const Bytes& words)
{
    std::vector<float> values(words.size() / sqc_dtype_bytes(dtype));
    sqc_words_to_values(dtype, words.data(), values.size(), values.data());
    return values;
}

std::vector<float> decoded(const Store& store, std::uint32_t handle, unsigned bits)
{
    const auto read = store.read(handle, SQ_FORMAT_TUNED(bits));
    EXPECT_EQ(read.status, SQ_STATUS_SUCCESS);
    std::vector<float> levels(1u << bits), values(std::uint64_t{read.layout.rows} * read.layout.cols);
    EXPECT_EQ(sqc_region_levels(store.get(), handle, bits, levels.data()), SQ_STATUS_SUCCESS);
    EXPECT_EQ(sqc_decode_levels(&read.layout, levels.data(), read.bytes.data(), 0, read.layout.rows, values.data()), SQ_STATUS_SUCCESS);
    return values;
}

double relative_rms(const std::vector<float>& given, const std::vector<float>& got)
{
    double error = 0, power = 0;
    for (std::size_t i = 0; i < given.size(); ++i) {
        error += std::pow(double{given[i]} - got[i], 2);
        power += std::pow(double{given[i]}, 2);
    }
    return std::sqrt(error / power);
}

TEST(TunedStore, GivesEveryWordBack)
{
    Store store(32u << 20);
    for (const auto dtype : dtypes) {
        for (const auto& [rows, cols] : {std::pair(1u, 1u), {7u, 33u}, {3u, 32u}, {65u, 2048u}, {300u, 500u}}) {
            const auto name = std::to_string(dtype) + "." + std::to_string(rows);
            const auto handle = store.make(name, rows, cols, dtype, SQ_PLACEMENT_TUNED);
            const auto words = weights(dtype, std::uint64_t{rows} * cols, rows);
            ASSERT_EQ(store.write(handle, words), SQ_STATUS_SUCCESS);
            EXPECT_EQ(store.native(handle), words) << name;
            EXPECT_TRUE(store.verify(handle).empty());
        }
    }
}

TEST(TunedStore, EveryPrefixIsAGoodQuantiser)
{
    const double bounds[] = {0, 0, 0.36, 0.178, 0.089, 0.0445, 0.0225, 0.0115, 0.0058};
    Store store(16u << 20);
    for (const auto dtype : dtypes) {
        const auto handle = store.make("w" + std::to_string(dtype), 200, 576, dtype, SQ_PLACEMENT_TUNED);
        const auto words = gaussian(dtype, 200 * 576, dtype);
        ASSERT_EQ(store.write(handle, words), SQ_STATUS_SUCCESS);
        for (unsigned bits = 2; bits <= 8; ++bits)
            EXPECT_LT(relative_rms(values_of(dtype, words), decoded(store, handle, bits)), bounds[bits]) << bits;
    }
}

TEST(TunedStore, OtherFormatsAreMadeFromTheExactWords)
{
    Store store(16u << 20);
    const auto words = weights(SQ_DTYPE_BF16, 70 * 100, 5);
    const auto tuned = store.make("tuned", 70, 100, SQ_DTYPE_BF16, SQ_PLACEMENT_TUNED);
    const auto aligned = store.make("aligned", 70, 100);
    ASSERT_EQ(store.write(tuned, words), SQ_STATUS_SUCCESS);
    ASSERT_EQ(store.write(aligned, words), SQ_STATUS_SUCCESS);
    unsigned compared = 0;
    for (unsigned i = 0; const auto format = sqc_format_at(i); ++i) {
        if (SQ_FORMAT_FAMILY(format) >= SQ_FORMAT_FAMILY_PLANES)
            continue;
        for (const std::uint8_t rounding : {SQ_ROUNDING_TRUNCATE, SQ_ROUNDING_NEAREST, SQ_ROUNDING_EVEN}) {
            for (const std::uint8_t axis : {SQ_AXIS_ROW, SQ_AXIS_COL}) {
                const auto a = store.read(aligned, format, rounding, axis), t = store.read(tuned, format, rounding, axis);
                ASSERT_EQ(t.status, a.status) << std::hex << format;
                ASSERT_EQ(t.bytes, a.bytes) << std::hex << format << " rounding " << +rounding << " axis " << +axis;
                compared += a.status == SQ_STATUS_SUCCESS;
            }
        }
    }
    EXPECT_GT(compared, 90u);
}

TEST(TunedStore, ReadsOnlyThePlanesOfThePrefixAndTheScales)
{
    Store store;
    const auto handle = store.make("w", 128, 512, SQ_DTYPE_BF16, SQ_PLACEMENT_TUNED);   // one segment, 128 lines a plane
    ASSERT_EQ(store.write(handle, gaussian(SQ_DTYPE_BF16, 65536, 6)), SQ_STATUS_SUCCESS);
    for (unsigned bits = 2; bits <= 8; ++bits) {
        const auto read = store.read(handle, SQ_FORMAT_TUNED(bits));
        EXPECT_EQ(read.result.plane_lines, bits * 128 + 2048 * 2 / 64) << bits;
        EXPECT_EQ(read.result.check_lines, 0u);
        EXPECT_EQ(read.result.baseline_lines, 65536u * 2 / 64);
        EXPECT_EQ(read.result.bytes, 65536u * bits / 8 + 2048 * 2);
    }
    const auto native = store.read(handle);
    const auto info = store.info(handle);
    EXPECT_GT(info.escapes, 0u);
    EXPECT_EQ(native.result.plane_lines, 13u * 128 + 64 + (info.escapes * 4 + 63) / 64);
    EXPECT_LT(static_cast<double>(info.stored_bytes) * 8 / 65536, 15.5) << "lossless costs less than the words";
}

TEST(TunedStore, RawPlanesAreTheCodesBitsAndTheScales)
{
    Store store;
    const auto handle = store.make("w", 3, 70, SQ_DTYPE_BF16, SQ_PLACEMENT_TUNED);
    ASSERT_EQ(store.write(handle, gaussian(SQ_DTYPE_BF16, 210, 7)), SQ_STATUS_SUCCESS);
    const auto codes = store.read(handle, SQ_FORMAT_TUNED(8)), planes = store.read(handle, SQ_FORMAT_PLANES(13));
    ASSERT_EQ(planes.status, SQ_STATUS_SUCCESS);
    ASSERT_EQ(planes.bytes.size(), 13u * 3 * 96 / 8 + 3 * 3 * 2);
    for (unsigned row = 0; row < 3; ++row) {
        for (unsigned col = 0; col < 70; ++col) {
            unsigned code = 0;
            for (unsigned plane = 0; plane < 8; ++plane)
                code = code << 1 | (planes.bytes[plane * 36 + row * 12 + col / 8] >> col % 8 & 1);
            ASSERT_EQ(code, codes.bytes[row * 70 + col]);
        }
    }
    EXPECT_EQ(Bytes(planes.bytes.begin() + 13 * 36, planes.bytes.end()), Bytes(codes.bytes.begin() + 210, codes.bytes.end()));
    EXPECT_EQ(store.read(handle, SQ_FORMAT_PLANES(14)).status, SQ_STATUS_FORMAT);
}

TEST(TunedStore, AWriteOfSomeRowsKeepsTheCodebook)
{
    Store store;
    const auto handle = store.make("w", 64, 256, SQ_DTYPE_BF16, SQ_PLACEMENT_TUNED);
    auto words = gaussian(SQ_DTYPE_BF16, 64 * 256, 8);
    ASSERT_EQ(store.write(handle, words), SQ_STATUS_SUCCESS);
    float before[256], after[256];
    ASSERT_EQ(sqc_region_levels(store.get(), handle, 8, before), SQ_STATUS_SUCCESS);
    const auto rows = weights(SQ_DTYPE_BF16, 10 * 256, 9);
    ASSERT_EQ(store.write(handle, rows, 20, 10), SQ_STATUS_SUCCESS);
    std::copy(rows.begin(), rows.end(), words.begin() + 20 * 512);
    ASSERT_EQ(sqc_region_levels(store.get(), handle, 8, after), SQ_STATUS_SUCCESS);
    EXPECT_EQ(std::memcmp(before, after, sizeof(before)), 0);
    EXPECT_EQ(store.native(handle), words);

    const auto other = gaussian(SQ_DTYPE_BF16, 64 * 256, 10, 3.0f);
    ASSERT_EQ(store.write(handle, other), SQ_STATUS_SUCCESS);
    ASSERT_EQ(sqc_region_levels(store.get(), handle, 8, after), SQ_STATUS_SUCCESS);
    EXPECT_NE(std::memcmp(before, after, sizeof(before)), 0) << "all rows: a new codebook";
    EXPECT_EQ(store.native(handle), other);
}

TEST(TunedStore, WrittenRowByRowIsExactToo)
{
    Store store;
    const auto handle = store.make("w", 40, 100, SQ_DTYPE_FP16, SQ_PLACEMENT_TUNED);
    const auto words = weights(SQ_DTYPE_FP16, 40 * 100, 11);
    for (std::uint32_t row = 40; row-- > 0;) {
        const Bytes one(words.begin() + row * 200, words.begin() + (row + 1) * 200);
        ASSERT_EQ(store.write(handle, one, row, 1), SQ_STATUS_SUCCESS);
    }
    EXPECT_EQ(store.native(handle), words);
}

TEST(TunedStore, SurvivesAReopenWithItsCodebook)
{
    Store store;
    const auto handle = store.make("w", 64, 300, SQ_DTYPE_BF16, SQ_PLACEMENT_TUNED);
    const auto words = gaussian(SQ_DTYPE_BF16, 64 * 300, 12);
    ASSERT_EQ(store.write(handle, words), SQ_STATUS_SUCCESS);
    const auto codes = store.read(handle, SQ_FORMAT_TUNED(4)).bytes;
    const auto values = decoded(store, handle, 4);
    ASSERT_EQ(sqc_region_seal(store.get(), handle), SQ_STATUS_SUCCESS);
    store.reopen(SQC_OPEN_READ_ONLY);
    const auto again = store.find("w");
    EXPECT_EQ(store.native(again), words);
    EXPECT_EQ(store.read(again, SQ_FORMAT_TUNED(4)).bytes, codes);
    EXPECT_EQ(decoded(store, again, 4), values);
}

TEST(TunedStore, AFullRewriteIsUndoneByAKillBeforeTheFlush)
{
    Store store;
    const auto handle = store.make("w", 64, 256, SQ_DTYPE_BF16, SQ_PLACEMENT_TUNED);
    const auto old = gaussian(SQ_DTYPE_BF16, 64 * 256, 13);
    ASSERT_EQ(store.write(handle, old), SQ_STATUS_SUCCESS);
    ASSERT_EQ(sqc_flush(store.get(), handle), SQ_STATUS_SUCCESS);
    const auto codes = decoded(store, handle, 3);
    ASSERT_EQ(store.write(handle, gaussian(SQ_DTYPE_BF16, 64 * 256, 14, 9.0f)), SQ_STATUS_SUCCESS);
    Store killed(store.memory().copy());
    ASSERT_EQ(killed.open_status(), SQ_STATUS_SUCCESS) << killed.reason;
    EXPECT_EQ(killed.native(killed.find("w")), old);
    EXPECT_EQ(decoded(killed, killed.find("w"), 3), codes);
}

TEST(TunedStore, AFailedWriteChangesNothing)
{
    Store store(1u << 20);
    const auto handle = store.make("w", 100, 1024, SQ_DTYPE_BF16, SQ_PLACEMENT_TUNED);
    const auto words = gaussian(SQ_DTYPE_BF16, 100 * 1024, 15);
    ASSERT_EQ(store.write(handle, words), SQ_STATUS_SUCCESS);
    ASSERT_EQ(sqc_flush(store.get(), handle), SQ_STATUS_SUCCESS);
    float before[256], after[256];
    ASSERT_EQ(sqc_region_levels(store.get(), handle, 8, before), SQ_STATUS_SUCCESS);

    auto bad = gaussian(SQ_DTYPE_BF16, 100 * 1024, 16, 2.0f);
    bad[2 * (57 * 1024 + 9)] = 0xc0;        // a NaN
    bad[2 * (57 * 1024 + 9) + 1] = 0x7f;
    EXPECT_EQ(store.write(handle, bad), SQ_STATUS_NON_FINITE);
    EXPECT_EQ(store.result.error_row, 57u);
    EXPECT_EQ(store.result.error_col, 9u);

    const auto allocations = store.environment.allocations;
    const auto good = gaussian(SQ_DTYPE_BF16, 100 * 1024, 17, 2.0f);
    for (long n = 0; n < 8; ++n) {
        store.environment.failing_allocation = store.environment.allocations + n;
        const auto live = store.environment.live_allocations;
        const auto status = store.write(handle, bad);
        EXPECT_TRUE(status == SQ_STATUS_RESOURCES_EXHAUSTED || status == SQ_STATUS_NON_FINITE);
        EXPECT_EQ(store.environment.live_allocations, live);
    }
    EXPECT_GT(store.environment.allocations, allocations);
    store.environment.failing_allocation = -1;
    ASSERT_EQ(sqc_region_levels(store.get(), handle, 8, after), SQ_STATUS_SUCCESS);
    EXPECT_EQ(std::memcmp(before, after, sizeof(before)), 0);
    EXPECT_EQ(store.native(handle), words);
    ASSERT_EQ(store.write(handle, good), SQ_STATUS_SUCCESS);
    EXPECT_EQ(store.native(handle), good);
}

TEST(TunedStore, BeforeItIsWrittenReadsAsZeros)
{
    Store store;
    const auto handle = store.make("w", 3, 40, SQ_DTYPE_BF16, SQ_PLACEMENT_TUNED);
    EXPECT_EQ(store.native(handle), Bytes(240, 0));
    for (const float v : decoded(store, handle, 5))
        EXPECT_EQ(v, 0.0f);
}

TEST(TunedStore, LevelsCanBeReadLikeAnyFormat)
{
    Store store;
    const auto handle = store.make("w", 50, 256, SQ_DTYPE_FP16, SQ_PLACEMENT_TUNED);
    ASSERT_EQ(store.write(handle, gaussian(SQ_DTYPE_FP16, 50 * 256, 20)), SQ_STATUS_SUCCESS);
    const Scratch scratch(SQC_VIEW_LOAD_SCRATCH_BYTES);
    for (unsigned bits = 2; bits <= 8; ++bits) {
        std::vector<float> levels(1u << bits), got(1u << bits);
        ASSERT_EQ(sqc_region_levels(store.get(), handle, bits, levels.data()), SQ_STATUS_SUCCESS);
        const sqc_read_request request = {handle, static_cast<std::uint16_t>(SQ_FORMAT_LEVELS(bits)), SQ_ROUNDING_DEFAULT, SQ_AXIS_ROW, 7, 3};
        const auto read = store.read(request);
        ASSERT_EQ(read.status, SQ_STATUS_SUCCESS);
        EXPECT_EQ(read.layout.rows, 1u);
        EXPECT_EQ(read.layout.cols, 1u << bits);
        EXPECT_EQ(read.result.plane_lines, 0u);
        ASSERT_EQ(sqc_decode(&read.layout, read.bytes.data(), 0, 1, got.data()), SQ_STATUS_SUCCESS);
        EXPECT_EQ(got, levels);
        ViewInfo view;
        ASSERT_EQ(sqc_view_map(store.get(), &request, &view), SQ_STATUS_SUCCESS);
        std::uint64_t value = 0;
        ASSERT_EQ(sqc_view_load(store.get(), view.dpa + 4, 4, &value, scratch.get()), SQ_STATUS_SUCCESS);
        EXPECT_EQ(std::memcmp(&value, &levels[1], 4), 0);
    }
    const auto aligned = store.make("aligned", 3, 40);
    EXPECT_EQ(store.read(aligned, SQ_FORMAT_LEVELS(4)).status, SQ_STATUS_FORMAT);
    EXPECT_EQ(store.read(handle, SQ_FORMAT_LEVELS(4), SQ_ROUNDING_DEFAULT, SQ_AXIS_COL).status, SQ_STATUS_UNSUPPORTED);
    EXPECT_EQ(store.read(handle, SQ_FORMAT_LEVELS(9)).status, SQ_STATUS_FORMAT);
}

TEST(TunedStore, RefusesWhatHasNoMeaning)
{
    Store store;
    const auto tuned = store.make("tuned", 3, 40, SQ_DTYPE_BF16, SQ_PLACEMENT_TUNED);
    const auto aligned = store.make("aligned", 3, 40);
    float levels[256];
    EXPECT_EQ(store.read(aligned, SQ_FORMAT_TUNED(4)).status, SQ_STATUS_FORMAT);
    EXPECT_EQ(store.read(tuned, SQ_FORMAT_TUNED(4), SQ_ROUNDING_DEFAULT, SQ_AXIS_COL).status, SQ_STATUS_UNSUPPORTED);
    EXPECT_EQ(store.read(tuned, SQ_FORMAT_TUNED(4), SQ_ROUNDING_TRUNCATE).status, SQ_STATUS_UNSUPPORTED);
    EXPECT_EQ(store.read(tuned, SQ_FORMAT_TUNED(9)).status, SQ_STATUS_FORMAT);
    EXPECT_EQ(sqc_region_levels(store.get(), aligned, 4, levels), SQ_STATUS_UNSUPPORTED);
    EXPECT_EQ(sqc_region_levels(store.get(), tuned, 1, levels), SQ_STATUS_INVALID_INPUT);
    EXPECT_EQ(sqc_region_levels(store.get(), tuned, 9, levels), SQ_STATUS_INVALID_INPUT);
    EXPECT_EQ(sqc_region_levels(store.get(), 0, 4, levels), SQ_STATUS_INVALID_HANDLE);
    std::uint32_t handle;
    EXPECT_EQ(store.create("int8", SQ_DTYPE_INT8, SQ_PLACEMENT_TUNED, 1, 1, &handle), SQ_STATUS_UNSUPPORTED);
    EXPECT_EQ(store.create("u8", SQ_DTYPE_U8, SQ_PLACEMENT_TUNED, 1, 1, &handle), SQ_STATUS_UNSUPPORTED);
}

TEST(TunedStore, TakesGgmlBlocksAsAlignedDoes)
{
    Store store(16u << 20);
    const auto tuned = store.make("tuned", 64, 512, SQ_DTYPE_BF16, SQ_PLACEMENT_TUNED);
    const auto aligned = store.make("aligned", 64, 512);
    std::mt19937 random(18);
    for (const auto& [type, block, bytes] : {std::tuple(SQ_GGML_Q4_1, 32u, 20u), {SQ_GGML_Q6_K, 256u, 210u}, {SQ_GGML_Q8_0, 32u, 34u}}) {
        Bytes data(64u * 512 / block * bytes);
        for (auto& byte : data)
            byte = static_cast<std::uint8_t>(random());
        for (std::size_t at = 0; at < data.size(); at += bytes) {    // small finite scales
            const std::size_t scale = type == SQ_GGML_Q6_K ? 208 : 0;
            data[at + scale + 1] = 0x2c;
            if (type == SQ_GGML_Q4_1)
                data[at + 3] = 0xac;
        }
        const auto encoding = static_cast<std::uint16_t>(SQ_ENCODING_GGML(type));
        ASSERT_EQ(store.write(tuned, data, 0, 64, encoding), SQ_STATUS_SUCCESS);
        const auto rounded = store.result.rounded_elements;
        ASSERT_EQ(store.write(aligned, data, 0, 64, encoding), SQ_STATUS_SUCCESS);
        EXPECT_EQ(store.native(tuned), store.native(aligned)) << type;
        EXPECT_EQ(rounded, store.result.rounded_elements) << "the codebook's sample is not counted";
        EXPECT_LT(relative_rms(values_of(SQ_DTYPE_BF16, store.native(aligned)), decoded(store, tuned, 5)), 0.1);
    }
}

TEST(TunedStore, DamageToScalesOrEscapesIsAMediaError)
{
    Store store;
    const auto handle = store.make("w", 128, 512, SQ_DTYPE_BF16, SQ_PLACEMENT_TUNED);
    ASSERT_EQ(store.write(handle, gaussian(SQ_DTYPE_BF16, 65536, 19)), SQ_STATUS_SUCCESS);
    const auto scales = Bytes(store.read(handle, SQ_FORMAT_TUNED(2)).bytes);
    // The scales' run holds exactly the bytes that the read ends in.
    const std::uint8_t* begin = store.memory().get();
    const auto found = std::search(begin, begin + store.memory().bytes(), scales.end() - 4096, scales.end());
    ASSERT_NE(found, begin + store.memory().bytes());
    const_cast<std::uint8_t*>(found)[100] ^= 1;
    EXPECT_EQ(store.read(handle, SQ_FORMAT_TUNED(2)).status, SQ_STATUS_MEDIA_FAILURE);
    const auto bad = store.verify(handle);
    ASSERT_EQ(bad.size(), 1u);
    EXPECT_EQ(bad[0].run, SQC_RUN_EXPONENTS);
    const_cast<std::uint8_t*>(found)[100] ^= 1;
    const_cast<std::uint8_t*>(found)[4096] ^= 1;    // the first escape
    EXPECT_EQ(store.read(handle, SQ_FORMAT_TUNED(8)).status, SQ_STATUS_SUCCESS) << "codes need no escapes";
    EXPECT_EQ(store.read(handle).status, SQ_STATUS_MEDIA_FAILURE);
}

// tests/golden/make-tuned.py is written from docs/formats.md alone, codebook included.
TEST(TunedStore, GivesTheBytesOfASecondImplementation)
{
    const auto document = golden::load("tuned.json");
    Store store(16u << 20);
    for (const auto& golden_case : document["cases"]) {
        const std::string dtype_name = golden_case["dtype"];
        const std::uint8_t dtype = dtype_name == "bf16" ? SQ_DTYPE_BF16 : dtype_name == "fp16" ? SQ_DTYPE_FP16 : SQ_DTYPE_FP32;
        const std::uint32_t rows = golden_case["rows"], cols = golden_case["cols"];
        const auto name = dtype_name + "." + std::to_string(rows) + "x" + std::to_string(cols);
        SCOPED_TRACE(name);
        const auto importance = golden::floats(golden_case["importance"]);
        const auto words = golden::bytes(golden_case["words"]);
        const auto handle = store.make(name, rows, cols, dtype, SQ_PLACEMENT_TUNED);
        ASSERT_EQ(store.write_weighted(handle, importance.empty() ? nullptr : importance.data(), words), SQ_STATUS_SUCCESS);
        for (unsigned bits = 2; bits <= 8; ++bits) {
            std::vector<float> levels(1u << bits);
            ASSERT_EQ(sqc_region_levels(store.get(), handle, bits, levels.data()), SQ_STATUS_SUCCESS);
            EXPECT_EQ(levels, golden::floats(golden_case["levels"][std::to_string(bits)])) << bits << " bits";
        }
        for (const auto& [format, bytes] : golden_case["formats"].items()) {
            const auto read = store.read(handle, sqc_format_by_name(format.c_str()));
            ASSERT_EQ(read.status, SQ_STATUS_SUCCESS) << format;
            EXPECT_EQ(read.bytes, golden::bytes(bytes)) << format;
        }
        EXPECT_EQ(store.native(handle), words);
        EXPECT_EQ(golden_case["escapes"], store.info(handle).escapes);
    }
    EXPECT_EQ(document["cases"].size(), 12u);
}

// Two kinds of columns want different levels; those that matter get them.
TEST(TunedStore, ImportanceMovesTheErrorToColumnsThatDoNotMatter)
{
    constexpr std::uint32_t rows = 64, cols = 256;
    const auto matters = [](std::size_t column) { return column % 2 == 0; };
    std::vector<float> values, importance(cols);
    std::mt19937 random(5);
    std::normal_distribution<float> normal(0, 0.05f);
    for (std::uint32_t i = 0; i < rows * cols; ++i)
        values.push_back(matters(i % cols) ? normal(random) * 0.1f : normal(random));
    for (std::size_t c = 0; c < cols; ++c)
        importance[c] = matters(c) ? 1.0f : 0.001f;
    Bytes words(values.size() * 4);
    sqc_values_to_words(SQ_DTYPE_FP32, values.data(), values.size(), words.data());

    Store store(16u << 20);
    const auto error = [&](std::uint32_t handle) {
        const auto got = decoded(store, handle, 4);
        double sum = 0;
        for (std::size_t i = 0; i < values.size(); ++i)
            sum += double{importance[i % cols]} * std::pow(double{values[i]} - got[i], 2);
        return sum;
    };
    const auto plain = store.make("plain", rows, cols, SQ_DTYPE_FP32, SQ_PLACEMENT_TUNED);
    const auto weighted = store.make("weighted", rows, cols, SQ_DTYPE_FP32, SQ_PLACEMENT_TUNED);
    ASSERT_EQ(store.write(plain, words), SQ_STATUS_SUCCESS);
    ASSERT_EQ(store.write_weighted(weighted, importance.data(), words), SQ_STATUS_SUCCESS);
    EXPECT_LT(error(weighted), 0.5 * error(plain));
    EXPECT_EQ(store.native(weighted), words);

    // All alike is what none is; only ratios count, as long as sums are exact.
    const auto same = store.make("same", rows, cols, SQ_DTYPE_FP32, SQ_PLACEMENT_TUNED);
    ASSERT_EQ(store.write_weighted(same, std::vector<float>(cols, 4.0f).data(), words), SQ_STATUS_SUCCESS);
    EXPECT_EQ(decoded(store, same, 4), decoded(store, plain, 4));
    // None of any weight: the codebook is uniform, the words exact.
    ASSERT_EQ(store.write_weighted(same, std::vector<float>(cols, 0.0f).data(), words), SQ_STATUS_SUCCESS);
    EXPECT_EQ(store.native(same), words);
}

TEST(TunedStore, ImportanceThatMeansNothingIsRefused)
{
    Store store(16u << 20);
    const auto handle = store.make("w", 4, 40, SQ_DTYPE_BF16, SQ_PLACEMENT_TUNED);
    const auto words = gaussian(SQ_DTYPE_BF16, 160, 1);
    ASSERT_EQ(store.write(handle, words), SQ_STATUS_SUCCESS);
    for (const float bad : {-1.0f, std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
        std::vector<float> importance(40, 1.0f);
        importance[39] = bad;
        EXPECT_EQ(store.write_weighted(handle, importance.data(), gaussian(SQ_DTYPE_BF16, 160, 2)), SQ_STATUS_INVALID_INPUT);
        EXPECT_EQ(store.native(handle), words);
    }
    const auto aligned = store.make("aligned", 4, 40);
    EXPECT_EQ(store.write_weighted(aligned, std::vector<float>(40, 1.0f).data(), words), SQ_STATUS_UNSUPPORTED);
}

}  // namespace
