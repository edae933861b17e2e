// SPDX-License-Identifier: MIT
//
// Packed regions: the same bytes as raw from every read, in fewer lines; what
// is counted is what is stored; a run that lies fails the reads that need it
#include "dram.h"
#include "media.h"
#include "store.hpp"

#include <algorithm>

namespace {

using namespace controller;

constexpr std::uint8_t dtypes[] = {SQ_DTYPE_BF16, SQ_DTYPE_FP16, SQ_DTYPE_FP32};

// Weights as they are: a bell curve, scaled row by row.
Bytes bell(std::uint8_t dtype, std::uint32_t rows, std::uint32_t cols, std::uint64_t seed)
{
    std::mt19937_64 random(seed);
    std::normal_distribution<float> normal(0.0f, 0.04f);
    const std::size_t width = sqc_dtype_bytes(dtype);
    Bytes bytes(std::size_t{rows} * cols * width);
    for (std::size_t i = 0; i < std::size_t{rows} * cols; ++i) {
        const float value = normal(random) * static_cast<float>(1 + i / cols % 3);
        std::uint32_t word;
        std::memcpy(&word, &value, 4);
        if (dtype == SQ_DTYPE_BF16)
            word >>= 16;
        if (dtype == SQ_DTYPE_FP16)  // some half of about that size
            word = (word >> 16 & 0x8000) | ((word >> 13 & 0x3ffff) - (112u << 10)) % 0x7c00;
        std::memcpy(&bytes[i * width], &word, width);
    }
    return bytes;
}

// Magnitudes so far apart that most of a group is listed or unfinished, -0.0,
// subnormals, and whole groups and rows of zeros.
Bytes adversarial(std::uint8_t dtype, std::uint32_t rows, std::uint32_t cols, std::uint64_t seed)
{
    std::mt19937_64 random(seed);
    const std::size_t width = sqc_dtype_bytes(dtype);
    const std::uint32_t sign = dtype == SQ_DTYPE_FP32 ? 0x80000000u : 0x8000u;
    const std::uint32_t infinity = dtype == SQ_DTYPE_FP32 ? 0x7f800000u : dtype == SQ_DTYPE_BF16 ? 0x7f80u : 0x7c00u;
    Bytes bytes(std::size_t{rows} * cols * width);
    for (std::size_t i = 0; i < std::size_t{rows} * cols; ++i) {
        std::uint32_t word = static_cast<std::uint32_t>(random()) % infinity;  // any exponent
        if (i / cols % 5 == 4 || i / 64 % 7 == 3)
            word = 0;
        else if (random() % 4 == 0)
            word %= infinity >> 6;  // the smallest, subnormal ones too
        if (random() % 2)
            word |= sign;
        std::memcpy(&bytes[i * width], &word, width);
    }
    return bytes;
}

struct Shape {
    std::uint32_t rows, cols;
};
// A word, a line, rows that straddle lines and segments, whole segments.
constexpr Shape shapes[] = {{1, 1}, {1, 512}, {3, 700}, {20, 3333}, {64, 1024}};

// Two stores with the same region, one of them packed.
struct Twins {
    Twins(std::uint8_t dtype, const Shape& shape, const Bytes& data) : raw(16u << 20), packed(16u << 20)
    {
        for (Store* store : {&raw, &packed}) {
            handle = store->make("w", shape.rows, shape.cols, dtype);
            EXPECT_EQ(store->write(handle, data), SQ_STATUS_SUCCESS);
        }
        EXPECT_EQ(sqc_region_pack(packed.get(), handle, nullptr), SQ_STATUS_SUCCESS);
        packed.reopen();
        handle = packed.find("w");
        EXPECT_EQ(packed.info(handle).coding, SQ_CODING_PACKED);
        EXPECT_TRUE(packed.info(handle).sealed);
    }

    Store raw, packed;
    std::uint32_t handle = 0;
};

Bytes make(bool bad, std::uint8_t dtype, const Shape& shape)
{
    return bad ? adversarial(dtype, shape.rows, shape.cols, 3) : bell(dtype, shape.rows, shape.cols, 4);
}

// Every format of a region, planes<k> with some k only: they are many.
std::vector<std::uint16_t> formats_of(std::uint8_t dtype)
{
    std::vector<std::uint16_t> formats;
    for (unsigned i = 0; const auto format = sqc_format_at(i); ++i) {
        if (SQ_FORMAT_FAMILY(format) != SQ_FORMAT_FAMILY_PLANES && SQ_FORMAT_FAMILY(format) != SQ_FORMAT_FAMILY_TUNED)
            formats.push_back(format);
    }
    for (const auto k : {1u, 2u, 5u, sqc_dtype_planes(dtype) + 1})
        formats.push_back(static_cast<std::uint16_t>(SQ_FORMAT_PLANES(k)));
    return formats;
}

class PackedStore : public ::testing::TestWithParam<std::uint8_t> {};

TEST_P(PackedStore, GivesTheBytesOfRawInEveryFormatRoundingAndAxis)
{
    for (const auto& shape : shapes) {
        for (const bool bad : {false, true}) {
            const Twins twins(GetParam(), shape, make(bad, GetParam(), shape));
            EXPECT_EQ(twins.packed.info(twins.handle).escapes, twins.raw.info(twins.handle).escapes);
            for (const auto format : formats_of(GetParam())) {
                for (const std::uint8_t rounding : {SQ_ROUNDING_DEFAULT, SQ_ROUNDING_TRUNCATE, SQ_ROUNDING_NEAREST, SQ_ROUNDING_EVEN}) {
                    for (const std::uint8_t axis : {SQ_AXIS_ROW, SQ_AXIS_COL}) {
                        for (const auto& [first, count] : {std::pair{0u, shape.rows}, {shape.rows / 3, (shape.rows + 1) / 2}}) {
                            const sqc_read_request request = {twins.handle, format, rounding, axis, first, count};
                            const auto raw = twins.raw.read(request), packed = twins.packed.read(request);
                            ASSERT_EQ(packed.status, raw.status);
                            ASSERT_TRUE(packed.bytes == raw.bytes) << "format " << format << " rounding " << +rounding << " axis " << +axis << ' ' << shape.rows
                                                                   << 'x' << shape.cols << (bad ? " adversarial" : "") << " from " << first;
                            ASSERT_EQ(packed.result.baseline_lines, raw.result.baseline_lines);
                            ASSERT_EQ(packed.result.check_lines, 0u);
                        }
                    }
                }
            }
        }
    }
}

// Runs that a read decodes.
std::uint64_t decoded(const Store& store, const sqc_read_request& request, Bytes& bytes)
{
    sqc_layout layout;
    EXPECT_EQ(sqc_read_layout(store.get(), &request, &layout), SQ_STATUS_SUCCESS);
    const Scratch scratch(sqc_read_scratch_bytes(&layout));
    bytes.resize(layout.bytes);
    Result result;
    EXPECT_EQ(sqc_read(store.get(), &request, bytes.data(), bytes.size(), scratch.get(), &result), SQ_STATUS_SUCCESS);
    return sqc_read_decoded_runs(scratch.get());
}

// Rows of 9000 make 5.5 segments, none of which ends with a row. A band ends
// in the midst of the rows of 70000.
TEST_P(PackedStore, ReadsAlongColumnsDecodeASegmentOnceOrForEachBand)
{
    for (const auto& [shape, bands] : {std::pair{Shape{40, 9000}, 1u}, {Shape{150, 700}, 1u}, {Shape{3, 70000}, GetParam() == SQ_DTYPE_FP32 ? 3u : 2u}}) {
        const Twins twins(GetParam(), shape, adversarial(GetParam(), shape.rows, shape.cols, 8));
        for (const std::uint32_t first : {0u, 2u}) {
            const std::uint32_t rows = shape.rows - first;
            Bytes bytes;
            const auto once = decoded(twins.packed, {twins.handle, SQ_FORMAT_NATIVE, 0, SQ_AXIS_ROW, first, rows}, bytes);
            EXPECT_GE(once, sqc_dtype_planes(GetParam()) * std::uint64_t{rows} * shape.cols / SQC_SEGMENT_ELEMENTS);
            for (const auto format : {SQ_FORMAT_NATIVE, SQ_FORMAT_MXINT(4)}) {
                const sqc_read_request request = {twins.handle, static_cast<std::uint16_t>(format), 0, SQ_AXIS_COL, first, rows};
                EXPECT_LE(decoded(twins.packed, request, bytes), bands * once) << shape.cols;
                EXPECT_TRUE(bytes == twins.raw.read(request).bytes) << shape.cols << " columns, format " << format;
            }
        }
    }
}

// What a read leaves in its memory is the decoder, whatever became of the read.
TEST_P(PackedStore, ReadsOfAllKindsTakeTurnsInOneMemory)
{
    const Shape shape = {70, 1000};
    const Twins twins(GetParam(), shape, adversarial(GetParam(), shape.rows, shape.cols, 3));
    const sqc_read_request widest = {twins.handle, SQ_FORMAT_FP32, SQ_ROUNDING_DEFAULT, SQ_AXIS_COL, 0, shape.rows};
    sqc_layout layout;
    ASSERT_EQ(sqc_read_layout(twins.raw.get(), &widest, &layout), SQ_STATUS_SUCCESS);
    const Scratch scratch(sqc_read_scratch_bytes(&layout));
    const auto read = [&](const Store& store, const sqc_read_request& request, Bytes& bytes) {
        Result result;
        bytes.assign(bytes.size(), 0xa5);
        return sqc_read(store.get(), &request, bytes.data(), bytes.size(), scratch.get(), &result);
    };
    auto* memory = twins.packed.memory().get();
    std::size_t damage = 0;
    for (const auto format : formats_of(GetParam())) {
        for (const std::uint8_t axis : {SQ_AXIS_ROW, SQ_AXIS_COL}) {
            const sqc_read_request request = {twins.handle, format, SQ_ROUNDING_DEFAULT, axis, 0, shape.rows};
            const auto whole = twins.raw.read(request);
            if (whole.status != SQ_STATUS_SUCCESS)
                continue;
            Bytes bytes(whole.bytes.size());
            ASSERT_EQ(read(twins.packed, request, bytes), SQ_STATUS_SUCCESS);
            EXPECT_TRUE(bytes == whole.bytes) << "format " << format << " axis " << +axis;
            EXPECT_GT(sqc_read_decoded_runs(scratch.get()), 0u) << "nothing is kept of the read before";
            ASSERT_EQ(read(twins.raw, request, bytes), SQ_STATUS_SUCCESS);
            EXPECT_TRUE(bytes == whole.bytes) << "format " << format << " axis " << +axis;
            EXPECT_EQ(sqc_read_decoded_runs(scratch.get()), 0u);
            memory[damage] ^= 1;
            while (read(twins.packed, request, bytes) == SQ_STATUS_SUCCESS) {
                memory[damage] ^= 1;
                ASSERT_LT(damage += 512, twins.packed.memory().bytes());
                memory[damage] ^= 1;
            }
            memory[damage] ^= 1;
        }
    }
}

TEST_P(PackedStore, PrecisionVectorsGiveTheBytesOfRaw)
{
    const Shape shape = {75, 1900};  // blocks that straddle segments
    const Twins twins(GetParam(), shape, adversarial(GetParam(), shape.rows, shape.cols, 8));
    const std::vector<std::uint16_t> formats = {SQ_FORMAT_MXINT(8), SQ_FORMAT_NATIVE, SQ_FORMAT_MXINT(2), SQ_FORMAT_MXFP4_E2M1, SQ_FORMAT_MX6, SQ_FORMAT_FP32,
                                                SQ_FORMAT_MXINT(3), SQ_FORMAT_NATIVE, SQ_FORMAT_MXINT(5), SQ_FORMAT_MXINT(4), SQ_FORMAT_MXINT(6)};
    const sqc_precision_vector vector = {formats.data(), static_cast<std::uint32_t>(formats.size()), 7};
    for (const std::uint8_t axis : {SQ_AXIS_ROW, SQ_AXIS_COL}) {
        const sqc_read_request request = {twins.handle, SQ_FORMAT_TAG, SQ_ROUNDING_DEFAULT, axis, 0, 75};
        Bytes bytes[2];
        for (int i = 0; i < 2; ++i) {
            const Store& store = i ? twins.packed : twins.raw;
            sqc_vector_layout layout;
            ASSERT_EQ(sqc_vector_describe(store.get(), &request, &vector, &layout, nullptr), SQ_STATUS_SUCCESS);
            const Scratch scratch(layout.scratch_bytes);
            bytes[i].resize(layout.bytes);
            Result result;
            ASSERT_EQ(sqc_read_vector(store.get(), &request, &vector, bytes[i].data(), layout.bytes, scratch.get(), &result), SQ_STATUS_SUCCESS);
        }
        EXPECT_TRUE(bytes[0] == bytes[1]) << +axis;
    }
}

TEST_P(PackedStore, ReadsInPartsAreThoseOfTheWhole)
{
    const Shape shape = {300, 1024};
    const Twins twins(GetParam(), shape, bell(GetParam(), shape.rows, shape.cols, 1));
    const sqc_read_request request = {twins.handle, SQ_FORMAT_MXINT(4), SQ_ROUNDING_DEFAULT, SQ_AXIS_ROW, 0, 300};
    const auto whole = twins.packed.read(request);
    Bytes bytes(whole.bytes.size());
    const Scratch scratch(sqc_read_scratch_bytes(&whole.layout));
    std::vector<sqc_dram_run> runs(3 * SQC_RUNS_MAX);
    sqc_part parts[2] = {{}, {}};
    parts[0].segments = 2;
    parts[1].first_segment = 2;
    parts[1].segments = 3;
    std::vector<sqc_dram_run> runs_of[2] = {runs, runs};
    Result result = {};
    for (int i = 0; i < 2; ++i) {
        parts[i].runs = runs_of[i].data();
        parts[i].runs_max = runs.size();
        ASSERT_EQ(sqc_read_part(twins.packed.get(), &request, bytes.data(), bytes.size(), scratch.get(), &parts[i]), SQ_STATUS_SUCCESS);
    }
    ASSERT_EQ(sqc_read_join(twins.packed.get(), &request, parts, 2, &result), SQ_STATUS_SUCCESS);
    EXPECT_TRUE(bytes == whole.bytes);
    EXPECT_EQ(result.plane_lines, whole.result.plane_lines);
    EXPECT_EQ(result.dram_time_ns, whole.result.dram_time_ns);
}

TEST_P(PackedStore, LoadsFromViewsGiveTheBytesOfRaw)
{
    const Shape shape = {70, 1000};
    const Twins twins(GetParam(), shape, adversarial(GetParam(), shape.rows, shape.cols, 9));
    const Scratch scratch(SQC_VIEW_LOAD_SCRATCH_BYTES);
    std::mt19937 random(5);
    for (const auto format : formats_of(GetParam())) {
        for (const std::uint8_t axis : {SQ_AXIS_ROW, SQ_AXIS_COL}) {
            const sqc_read_request request = {twins.handle, format, SQ_ROUNDING_DEFAULT, axis, 3, 66};
            const auto whole = twins.raw.read(request);
            ViewInfo view;
            if (sqc_view_map(twins.packed.get(), &request, &view) != SQ_STATUS_SUCCESS)
                continue;
            for (int load = 0; load < 3; ++load) {
                const auto offset = random() % (whole.bytes.size() - 7);
                std::uint64_t value = 0, expected;
                ASSERT_EQ(sqc_view_load(twins.packed.get(), view.dpa + offset, 8, &value, scratch.get()), SQ_STATUS_SUCCESS);
                std::memcpy(&expected, &whole.bytes[offset], 8);
                ASSERT_EQ(value, expected) << "format " << format << " axis " << +axis << " at " << offset;
            }
            ASSERT_EQ(sqc_view_unmap(twins.packed.get(), view.view), SQ_STATUS_SUCCESS);
        }
    }
}

// What a map says of the runs of its segments.
struct Runs {
    std::uint64_t entry;  // where it says so
    std::uint64_t planes_offset;
    std::uint64_t bytes;
    std::vector<std::uint64_t> run;  // signs, planes, exponents, escapes

    // Of a run, counted from the store's begin.
    std::uint64_t offset(unsigned number) const
    {
        const auto planes = static_cast<unsigned>(run.size()) - 3;
        std::uint64_t at = planes_offset;
        const auto place = [&](unsigned i) { return i == planes + 1 ? 0 : i == planes + 2 ? planes + 2 : i == 0 ? planes + 1 : i; };
        for (unsigned other = 0; other < run.size(); ++other)
            at += place(other) < place(number) ? run[other] : 0;
        return at;
    }
};

// A store with one packed region, opened up: each change can be given the
// checksums that make it look true.
struct Image {
    Image(const Bytes& image, unsigned plane_count) : bytes(image), planes(plane_count)
    {
        const auto page = at<sqc_superblock>(0).generation > at<sqc_superblock>(SQC_PAGE_BYTES).generation ? 0u : SQC_PAGE_BYTES;
        const auto superblock = at<sqc_superblock>(page);
        std::uint64_t next = superblock.journal_offset + superblock.active_half * superblock.half_bytes;
        for (; at<sqc_record>(next).magic == SQC_RECORD_MAGIC; next += sizeof(sqc_record) + at<sqc_record>(next).payload_bytes) {
            if (at<sqc_record>(next).entries)
                record = next;
        }
        EXPECT_EQ(entry().coding, SQ_CODING_PACKED);
        read_map();
    }
    template <typename T>
    T at(std::uint64_t offset) const
    {
        T value;
        std::memcpy(&value, &bytes.at(offset), sizeof value);
        return value;
    }
    template <typename T>
    void put(std::uint64_t offset, const T& value)
    {
        std::memcpy(&bytes.at(offset), &value, sizeof value);
    }
    sqc_entry entry() const { return at<sqc_entry>(record + sizeof(sqc_record)); }
    void put_entry(const sqc_entry& value) { put(record + sizeof(sqc_record), value); }
    std::uint64_t crc_at(const Runs& segment, unsigned run) const { return segment.entry + sizeof(sqc_map_entry) + 4 * run; }
    std::uint64_t length_at(const Runs& segment, unsigned run) const { return segment.entry + sizeof(sqc_map_entry) + 4 * (planes + 3) + 2 * run; }
    void read_map()
    {
        const auto map = at<sqc_map>(entry().map_offset);
        for (std::uint32_t i = 0; i < map.count; ++i) {
            const auto entry_at = entry().map_offset + sizeof map + std::uint64_t{i} * map.entry_bytes;
            const auto segment = at<sqc_map_entry>(entry_at);
            Runs runs = {entry_at, segment.planes_offset, segment.tail_offset, {}};
            std::uint64_t rest = runs.bytes;
            for (unsigned run = 0; run < planes + 2; ++run) {
                runs.run.push_back(at<std::uint16_t>(length_at(runs, run)));
                rest -= runs.run.back();
            }
            runs.run.push_back(rest);
            segments.push_back(runs);
        }
    }
    // Checksums of runs as the map now cuts them, of the map and of the record.
    void seal()
    {
        segments.clear();
        read_map();
        for (const auto& segment : segments) {
            for (unsigned run = 0; run < planes + 3; ++run) {
                const auto begin = segment.offset(run);
                if (begin <= bytes.size() && segment.run[run] <= bytes.size() - begin)
                    put(crc_at(segment, run), sqc_crc32c(0, bytes.data() + begin, segment.run[run]));
            }
        }
        auto region = entry();
        region.map_crc = sqc_crc32c(0, &bytes[region.map_offset], region.map_bytes);
        put_entry(region);
        seal_record();
    }
    void seal_record()
    {
        auto value = at<sqc_record>(record);
        value.crc = sqc_crc32c(sqc_crc32c(0, &value, offsetof(sqc_record, crc)), &bytes[record + sizeof value], value.payload_bytes);
        put(record, value);
    }

    Bytes bytes;
    unsigned planes;
    std::uint64_t record = 0;  // the one that packed the region
    std::vector<Runs> segments;
};

TEST_P(PackedStore, CountsTheLinesOfTheCodedRunsThatAReadNeeds)
{
    const Shape shape = {300, 1024};  // 4 segments and 11 / 16 of one
    Twins twins(GetParam(), shape, bell(GetParam(), shape.rows, shape.cols, 1));
    const unsigned planes = sqc_dtype_planes(GetParam());
    const auto segments = Image(twins.packed.memory().copy(), planes).segments;
    ASSERT_EQ(segments.size(), 5u);
    // Exponents, then so many planes, and maybe the rest.
    const auto lines = [&](unsigned count, bool all, std::size_t first, std::size_t end) {
        std::uint64_t sum = 0;
        for (std::size_t i = first; i < end; ++i) {
            std::uint64_t bytes = segments[i].run[planes + 1];
            for (unsigned plane = 0; plane < count; ++plane)
                bytes += segments[i].run[1 + plane];
            sum += ((all ? segments[i].bytes : bytes) + 63) / 64;
        }
        return sum;
    };
    std::uint64_t before = 0;
    for (std::uint16_t n = 2; n <= 8; ++n) {
        const auto truncated = twins.packed.read(twins.handle, SQ_FORMAT_MXINT(n), SQ_ROUNDING_TRUNCATE).result;
        EXPECT_EQ(truncated.plane_lines, lines(n - 1u, false, 0, 5)) << n;
        EXPECT_EQ(twins.packed.read(twins.handle, SQ_FORMAT_MXINT(n), SQ_ROUNDING_NEAREST).result.plane_lines, lines(n, false, 0, 5)) << n;
        EXPECT_LT(truncated.plane_lines, twins.raw.read(twins.handle, SQ_FORMAT_MXINT(n), SQ_ROUNDING_TRUNCATE).result.plane_lines) << n;
        EXPECT_GT(truncated.dram_time_ns, before) << n;
        before = truncated.dram_time_ns;
    }
    const auto native = twins.packed.read(twins.handle).result;
    EXPECT_EQ(native.plane_lines, lines(planes, true, 0, 5));
    EXPECT_LT(native.dram_energy_pj, twins.raw.read(twins.handle).result.dram_energy_pj);
    EXPECT_EQ(twins.packed.read({twins.handle, SQ_FORMAT_MXINT(4), SQ_ROUNDING_NEAREST, SQ_AXIS_ROW, 64, 1}).result.plane_lines, lines(4, false, 1, 2))
        << "a row takes the runs of its segment";
    EXPECT_EQ(twins.packed.read({twins.handle, SQ_FORMAT_NATIVE, 0, SQ_AXIS_COL, 0, 65}).result.plane_lines, lines(planes, true, 0, 2));
    const auto all = twins.packed.statistics();
    EXPECT_EQ(all.check_lines, 0u);
    EXPECT_EQ(all.plane_lines, twins.packed.statistics(SQC_STATISTICS_REGION, twins.handle).plane_lines);
}

TEST_P(PackedStore, TakesTheSpaceOfItsRuns)
{
    const Shape shape = {300, 1024};
    Twins twins(GetParam(), shape, bell(GetParam(), shape.rows, shape.cols, 1));
    const unsigned planes = sqc_dtype_planes(GetParam());
    std::uint64_t bytes = 0;
    for (const auto& segment : Image(twins.packed.memory().copy(), planes).segments)
        bytes += (segment.bytes + 63) / 64 * 64;  // neighbours share a granule
    const auto map = 8 + 5 * ((24 + 4 * (planes + 3) + 2 * (planes + 2) + 7) / 8 * 8);
    const auto info = twins.packed.info(twins.handle);
    EXPECT_EQ(info.stored_bytes, (bytes + 255) / 256 * 256 + (map + 255) / 256 * 256);
    EXPECT_EQ(twins.packed.info().used_bytes, info.stored_bytes);
    EXPECT_LT(info.stored_bytes, twins.raw.info(twins.handle).stored_bytes * 85 / 100);
    ASSERT_EQ(sqc_region_delete(twins.packed.get(), twins.handle), SQ_STATUS_SUCCESS);
    EXPECT_EQ(twins.packed.info().used_bytes, 0u);
}

TEST_P(PackedStore, FailsExactlyWhereARunIsDamaged)
{
    const Shape shape = {80, 1024};  // segments begin at rows 0 and 64
    Twins twins(GetParam(), shape, adversarial(GetParam(), shape.rows, shape.cols, 7));
    const unsigned planes = sqc_dtype_planes(GetParam());
    const auto segments = Image(twins.packed.memory().copy(), planes).segments;
    const auto native = twins.raw.native(twins.handle);
    const auto mxint = twins.raw.read(twins.handle, SQ_FORMAT_MXINT(4), SQ_ROUNDING_TRUNCATE).bytes;
    auto* memory = twins.packed.memory().get();
    for (std::size_t s = 0; s < segments.size(); ++s) {
        for (unsigned run = 0; run < planes + 3; ++run) {
            const auto bytes = segments[s].run[run];
            const auto at = segments[s].offset(run) + bytes / 2;
            if (bytes == 0)
                continue;
            memory[at] ^= 0x10;
            const auto bad = twins.packed.verify(twins.handle);
            ASSERT_EQ(bad.size(), 1u) << run;
            EXPECT_EQ(bad[0].segment, s);
            EXPECT_EQ(bad[0].run, run == planes + 1 ? SQC_RUN_EXPONENTS : run == planes + 2 ? SQC_RUN_ESCAPES : run);
            const auto all = twins.packed.read(twins.handle);
            EXPECT_EQ(all.status, SQ_STATUS_MEDIA_FAILURE);
            EXPECT_EQ(all.result.error_row, s * 64);
            EXPECT_EQ(twins.packed.read(twins.handle, SQ_FORMAT_NATIVE, 0, SQ_AXIS_COL).status, SQ_STATUS_MEDIA_FAILURE);
            const auto some = twins.packed.read(twins.handle, SQ_FORMAT_MXINT(4), SQ_ROUNDING_TRUNCATE);
            if ((run >= 1 && run <= 3) || run == planes + 1)
                EXPECT_EQ(some.status, SQ_STATUS_MEDIA_FAILURE) << run;
            else
                EXPECT_EQ(some.bytes, mxint) << run;
            EXPECT_EQ(twins.packed.read({twins.handle, SQ_FORMAT_NATIVE, 0, 0, s ? 0u : 64u, 16}).status, SQ_STATUS_SUCCESS) << "the other segment is whole";
            memory[at] ^= 0x10;
        }
    }
    EXPECT_EQ(twins.packed.native(twins.handle), native);
    EXPECT_EQ(twins.packed.statistics().media_errors, twins.packed.statistics().errors);
}

INSTANTIATE_TEST_SUITE_P(Dtypes, PackedStore, ::testing::ValuesIn(dtypes),
                         [](const auto& dtype) { return dtype.param == SQ_DTYPE_BF16 ? "bf16" : dtype.param == SQ_DTYPE_FP16 ? "fp16" : "fp32"; });

TEST(Pack, OfRegionsThatWereNeverOrPartlyWritten)
{
    Store store(16u << 20);
    const auto empty = store.make("empty", 100, 1000), partly = store.make("partly", 300, 1000);
    const auto some = bell(SQ_DTYPE_BF16, 10, 1000, 1);
    ASSERT_EQ(store.write(partly, some, 200, 10), SQ_STATUS_SUCCESS);
    const auto expected = store.native(partly);
    for (const auto handle : {empty, partly})
        ASSERT_EQ(sqc_region_pack(store.get(), handle, nullptr), SQ_STATUS_SUCCESS);
    store.reopen();
    EXPECT_EQ(store.info(store.find("empty")).stored_bytes, 0u);
    EXPECT_EQ(store.native(store.find("empty")), Bytes(200000, 0));
    EXPECT_EQ(store.read(store.find("empty")).result.plane_lines, 0u);
    EXPECT_EQ(store.native(store.find("partly")), expected);
    EXPECT_EQ(store.write(store.find("partly"), some, 0, 10), SQ_STATUS_SEALED);
}

// A view of a packed region of 80 rows of 1024 (a segment is 64 of them), and
// loads that keep what they decoded from one to the next.
struct Loads {
    Loads() { fill(store, 0); }

    // Some rows of the first segment change places: it has as many escapes then.
    void fill(Store& to, unsigned turn)
    {
        const auto handle = to.make("w", 80, 1024);
        auto bytes = bell(SQ_DTYPE_BF16, 80, 1024, 1);
        std::rotate(bytes.begin(), bytes.begin() + turn * 2048, bytes.begin() + 64 * 2048);
        ASSERT_EQ(to.write(handle, bytes), SQ_STATUS_SUCCESS);
        map(to, handle);
        ASSERT_EQ(sqc_region_pack(to.get(), handle, nullptr), SQ_STATUS_SUCCESS);
    }
    void map(Store& of, std::uint32_t handle)
    {
        const sqc_read_request request = {handle, SQ_FORMAT_MXINT(4), SQ_ROUNDING_TRUNCATE, SQ_AXIS_ROW, 0, 80};
        expected = of.read(request).bytes;
        ASSERT_EQ(sqc_view_map(of.get(), &request, &view), SQ_STATUS_SUCCESS);
    }
    // Loads from a row; returns the runs that were decoded.
    std::uint64_t from(const Store& of, std::uint32_t row, sqc_status status = SQ_STATUS_SUCCESS) const
    {
        const std::uint64_t offset = std::uint64_t{row} * 512 + 48;
        std::uint64_t value = 0, right;
        std::memcpy(&right, &expected[offset], 8);
        EXPECT_EQ(sqc_view_load(of.get(), view.dpa + offset, 8, &value, scratch.get()), status) << row;
        EXPECT_TRUE(status || value == right) << row;
        return sqc_read_decoded_runs(scratch.get());
    }

    Store store;
    Scratch scratch{SQC_VIEW_LOAD_SCRATCH_BYTES};
    ViewInfo view;
    Bytes expected;
};

TEST(PackedLoads, DecodeASegmentOnceAndCountTheirLinesEachTime)
{
    const Loads loads;
    const auto lines = [&] { return std::pair{loads.store.statistics().plane_lines, loads.store.statistics().check_lines}; };
    const auto before = lines();
    EXPECT_EQ(loads.from(loads.store, 5), 4u) << "three planes, and exponents";
    const auto first = lines();
    EXPECT_EQ(loads.from(loads.store, 60), 0u);
    EXPECT_EQ(loads.from(loads.store, 5), 0u);
    const auto third = lines();
    EXPECT_GT(first.first, before.first);
    EXPECT_EQ((third.first - first.first) % (first.first - before.first), 0u);
    EXPECT_GE(third.first - first.first, 2 * (first.first - before.first)) << "they read what they check";
    EXPECT_EQ(loads.from(loads.store, 70), 4u) << "another segment";
    EXPECT_EQ(loads.from(loads.store, 5), 4u) << "one is kept";
}

TEST(PackedLoads, SeeDamageBehindWhatTheyKeep)
{
    const Loads loads;
    ASSERT_EQ(loads.from(loads.store, 5), 4u);
    auto* memory = loads.store.memory().get();
    const auto damaged = [&] {
        std::uint64_t value;
        return sqc_view_load(loads.store.get(), loads.view.dpa, 8, &value, loads.scratch.get()) == SQ_STATUS_MEDIA_FAILURE;
    };
    std::size_t at = 0;
    for (; at < loads.store.memory().bytes(); at += 512) {
        memory[at] ^= 1;
        if (damaged())
            break;
        memory[at] ^= 1;
    }
    ASSERT_LT(at, loads.store.memory().bytes());
    loads.from(loads.store, 5, SQ_STATUS_MEDIA_FAILURE);
    loads.from(loads.store, 70);  // of the other segment
    loads.from(loads.store, 5, SQ_STATUS_MEDIA_FAILURE);
    memory[at] ^= 1;
    loads.from(loads.store, 5);
}

TEST(PackedLoads, KeepNothingOfARegionThatIsGoneOrOfAnotherStore)
{
    Loads loads;
    ASSERT_EQ(loads.from(loads.store, 5), 4u);
    const auto handle = loads.store.find("w");
    ASSERT_EQ(sqc_view_unmap(loads.store.get(), loads.view.view), SQ_STATUS_SUCCESS);
    ASSERT_EQ(sqc_region_delete(loads.store.get(), handle), SQ_STATUS_SUCCESS);
    loads.fill(loads.store, 1);  // of the same name and shape, where the other was
    EXPECT_EQ(loads.from(loads.store, 5), 4u);
    EXPECT_EQ(loads.from(loads.store, 5), 0u);
    Store other;
    loads.fill(other, 2);
    EXPECT_EQ(loads.from(other, 5), 4u);
    // What is the same may be kept, and what was flushed is.
    other.reopen();
    loads.map(other, other.find("w"));
    EXPECT_EQ(loads.from(other, 5), 0u);
}

TEST(Pack, IsDoneOnceAndKeepsTagAndViews)
{
    Store store;
    const auto handle = store.make("w", 20, 1000);
    ASSERT_EQ(store.write(handle, bell(SQ_DTYPE_BF16, 20, 1000, 1)), SQ_STATUS_SUCCESS);
    ASSERT_EQ(sqc_region_set_precision(store.get(), handle, SQ_FORMAT_MXINT(5)), SQ_STATUS_SUCCESS);
    const auto expected = store.read(handle, SQ_FORMAT_TAG).bytes;
    const sqc_read_request request = {handle, SQ_FORMAT_TAG, 0, 0, 0, 20};
    ViewInfo view;
    ASSERT_EQ(sqc_view_map(store.get(), &request, &view), SQ_STATUS_SUCCESS);
    const auto before = store.statistics().written_lines;
    ASSERT_EQ(sqc_region_pack(store.get(), handle, nullptr), SQ_STATUS_SUCCESS);
    const auto stored = store.info(handle).stored_bytes;
    const auto written = store.statistics().written_lines - before;
    EXPECT_GT(written, 0u);
    ASSERT_EQ(sqc_region_pack(store.get(), handle, nullptr), SQ_STATUS_SUCCESS) << "again";
    ASSERT_EQ(sqc_region_seal(store.get(), handle), SQ_STATUS_SUCCESS);
    EXPECT_EQ(store.info(handle).stored_bytes, stored);
    EXPECT_EQ(store.statistics().written_lines - before, written);
    EXPECT_EQ(store.info(handle).views, 1u);
    const Scratch scratch(SQC_VIEW_LOAD_SCRATCH_BYTES);
    std::uint64_t value, begin;
    ASSERT_EQ(sqc_view_load(store.get(), view.dpa, 8, &value, scratch.get()), SQ_STATUS_SUCCESS);
    std::memcpy(&begin, expected.data(), 8);
    EXPECT_EQ(value, begin);
    // The tag of a packed region can still be changed, durably.
    ASSERT_EQ(sqc_region_set_precision(store.get(), handle, SQ_FORMAT_MXINT(3)), SQ_STATUS_SUCCESS);
    store.reopen();
    EXPECT_EQ(store.info(store.find("w")).precision, SQ_FORMAT_MXINT(3));
    EXPECT_EQ(store.info(store.find("w")).coding, SQ_CODING_PACKED);
}

TEST(Pack, RefusesWhatCannotBePacked)
{
    Store store;
    const auto word = store.make("word", 2, 32, SQ_DTYPE_BF16, SQ_PLACEMENT_WORD);
    const auto blob = store.make("blob", 2, 32, SQ_DTYPE_U8, SQ_PLACEMENT_BYTES);
    const auto tuned = store.make("tuned", 2, 32, SQ_DTYPE_BF16, SQ_PLACEMENT_TUNED);
    for (const auto handle : {word, blob, tuned}) {
        EXPECT_EQ(sqc_region_pack(store.get(), handle, nullptr), SQ_STATUS_UNSUPPORTED);
        EXPECT_FALSE(store.info(handle).sealed);
    }
    EXPECT_EQ(sqc_region_pack(store.get(), 0x12345, nullptr), SQ_STATUS_INVALID_HANDLE);
    const auto handle = store.make("w", 2, 32);
    ASSERT_EQ(store.write(handle, bell(SQ_DTYPE_BF16, 2, 32, 1)), SQ_STATUS_SUCCESS);
    ASSERT_EQ(sqc_flush(store.get(), 0), SQ_STATUS_SUCCESS);
    store.reopen(SQC_OPEN_READ_ONLY);
    EXPECT_EQ(sqc_region_pack(store.get(), store.find("w"), nullptr), SQ_STATUS_READ_ONLY);
}

TEST(Pack, InStepsLetsOthersReadAndKeepsTheRegionAsItIs)
{
    Store store(16u << 20);
    const auto handle = store.make("w", 300, 1000), other = store.make("other", 2, 32);
    ASSERT_EQ(store.write(handle, bell(SQ_DTYPE_BF16, 300, 1000, 1)), SQ_STATUS_SUCCESS);
    const auto expected = store.native(handle);
    const auto used = store.info().used_bytes;
    sqc_packing* packing = nullptr;
    std::uint64_t done = 0, total = 0;
    // Given up half way: as if nothing had been.
    ASSERT_EQ(sqc_pack_begin(store.get(), handle, &packing), SQ_STATUS_SUCCESS);
    for (int step = 0; step < 3; ++step)
        ASSERT_EQ(sqc_pack_step(packing, &done, &total), SQ_STATUS_SUCCESS);
    EXPECT_EQ(done, 3u);
    EXPECT_EQ(total, 6u);
    sqc_packing* second = nullptr;
    EXPECT_EQ(sqc_pack_begin(store.get(), handle, &second), SQ_STATUS_IN_USE);
    EXPECT_EQ(store.write(handle, bell(SQ_DTYPE_BF16, 1, 1000, 2), 0, 1), SQ_STATUS_IN_USE);
    EXPECT_EQ(sqc_region_delete(store.get(), handle), SQ_STATUS_IN_USE);
    EXPECT_EQ(sqc_sanitize(store.get()), SQ_STATUS_IN_USE);
    EXPECT_EQ(store.native(handle), expected);
    ASSERT_EQ(store.write(other, bell(SQ_DTYPE_BF16, 2, 32, 3)), SQ_STATUS_SUCCESS);
    ASSERT_EQ(sqc_flush(store.get(), 0), SQ_STATUS_SUCCESS);
    sqc_pack_end(packing);
    EXPECT_EQ(store.info(handle).coding, SQ_CODING_RAW);
    EXPECT_FALSE(store.info(handle).sealed);
    EXPECT_EQ(store.info().used_bytes, used + store.info(other).stored_bytes);
    ASSERT_EQ(sqc_pack_begin(store.get(), handle, &packing), SQ_STATUS_SUCCESS);
    do {
        ASSERT_EQ(store.native(handle), expected);
        ASSERT_EQ(sqc_pack_step(packing, &done, &total), SQ_STATUS_SUCCESS);
    } while (done < total);
    sqc_pack_end(packing);
    EXPECT_EQ(store.info(handle).coding, SQ_CODING_PACKED);
    EXPECT_EQ(store.native(handle), expected);
}

TEST(Pack, ChangesNothingWhenItRunsOutOfSpaceOrMemory)
{
    Store store(1u << 20);
    const auto handle = store.make("w", 250, 1000);
    ASSERT_EQ(store.write(handle, bell(SQ_DTYPE_BF16, 250, 1000, 1)), SQ_STATUS_SUCCESS);
    const auto expected = store.native(handle);
    auto used = store.info().used_bytes;
    EXPECT_EQ(sqc_region_pack(store.get(), handle, nullptr), SQ_STATUS_STORE_FULL);
    EXPECT_EQ(store.info().used_bytes, used);
    EXPECT_EQ(store.info(handle).coding, SQ_CODING_RAW);
    EXPECT_EQ(store.native(handle), expected);
    const auto small = store.make("small", 30, 1000);
    ASSERT_EQ(store.write(small, bell(SQ_DTYPE_BF16, 30, 1000, 2)), SQ_STATUS_SUCCESS);
    used = store.info().used_bytes;
    for (long failing = 0;; ++failing) {
        const auto live = store.environment.live_allocations;
        store.environment.failing_allocation = store.environment.allocations + failing;
        const auto status = sqc_region_pack(store.get(), small, nullptr);
        store.environment.failing_allocation = -1;
        if (status == SQ_STATUS_SUCCESS) {
            EXPECT_GT(failing, 4);
            break;
        }
        ASSERT_EQ(status, SQ_STATUS_RESOURCES_EXHAUSTED);
        EXPECT_EQ(store.environment.live_allocations, live);
        EXPECT_EQ(store.info().used_bytes, used);
        EXPECT_FALSE(store.info(small).sealed);
    }
}

TEST(Pack, RefusesDamagedSegments)
{
    Store store;
    const auto handle = store.make("w", 80, 1024);
    ASSERT_EQ(store.write(handle, bell(SQ_DTYPE_BF16, 80, 1024, 1)), SQ_STATUS_SUCCESS);
    auto* memory = store.memory().get();
    std::size_t at = 0;
    const auto hit = [&] {
        const auto bad = store.verify(handle);
        return bad.size() == 1 && bad[0].segment == 1;
    };
    for (; at < store.memory().bytes(); at += 512) {
        memory[at] ^= 1;
        if (hit())
            break;
        memory[at] ^= 1;
    }
    std::uint32_t row = 0;
    EXPECT_EQ(sqc_region_pack(store.get(), handle, &row), SQ_STATUS_MEDIA_FAILURE);
    EXPECT_EQ(row, 64u);
    EXPECT_EQ(store.info(handle).coding, SQ_CODING_RAW);
}

// ------------------------------------------------------------ hostile stores

Image packed_image(std::uint8_t dtype)
{
    Store store(2u << 20);
    const auto handle = store.make("w", 20, 4000, dtype);  // two segments
    EXPECT_EQ(store.write(handle, adversarial(dtype, 20, 4000, 1)), SQ_STATUS_SUCCESS);
    EXPECT_EQ(sqc_region_pack(store.get(), handle, nullptr), SQ_STATUS_SUCCESS);
    return Image(store.memory().copy(), sqc_dtype_planes(dtype));
}

sqc_status open_status(const Bytes& image)
{
    return Store(image).open_status();
}

TEST(HostilePacked, RegionsAndMapsThatLieAreRefused)
{
    const auto good = packed_image(SQ_DTYPE_BF16);
    {
        auto same = good;
        same.seal();
        ASSERT_EQ(same.bytes, good.bytes) << "the test knows the layout";
    }
    const auto entry_refused = [&](const char* what, auto change) {
        auto image = good;
        auto entry = image.entry();
        change(entry);
        image.put_entry(entry);
        image.seal_record();
        EXPECT_EQ(open_status(image.bytes), SQ_STATUS_STORE_DAMAGED) << what;
    };
    entry_refused("unknown coding", [](sqc_entry& entry) { entry.coding = 2; });
    entry_refused("raw, with the map of a packed one", [](sqc_entry& entry) { entry.coding = SQ_CODING_RAW; });
    entry_refused("packed and not sealed", [](sqc_entry& entry) { entry.flags = 0; });
    entry_refused("packed and of placement word", [](sqc_entry& entry) { entry.placement = SQ_PLACEMENT_WORD; });
    entry_refused("packed and of placement tuned", [](sqc_entry& entry) { entry.placement = SQ_PLACEMENT_TUNED; });
    const auto map_refused = [&](const char* what, auto change) {
        auto image = good;
        change(image, image.segments[1]);
        image.seal();
        EXPECT_EQ(open_status(image.bytes), SQ_STATUS_STORE_DAMAGED) << what;
    };
    const auto bytes_are = [](std::uint64_t bytes) {
        return [bytes](Image& image, const Runs& segment) { image.put(segment.entry + offsetof(sqc_map_entry, tail_offset), bytes); };
    };
    map_refused("an empty extent", bytes_are(0));
    map_refused("runs longer than their extent", bytes_are(100));
    map_refused("an extent longer than the store", bytes_are(8u << 20));
    map_refused("an extent longer than 32 bits", bytes_are(std::uint64_t{1} << 32 | 1u << 17));
    map_refused("an extent that does not end", bytes_are(UINT64_MAX));
    map_refused("a run that is too long", [](Image& image, const Runs& segment) { image.put(image.length_at(segment, 3), std::uint16_t{0xffff}); });
    map_refused("more escapes than elements",
                [](Image& image, const Runs& segment) { image.put(segment.entry + offsetof(sqc_map_entry, escapes), std::uint32_t{65537}); });
    map_refused("the extent of the other segment",
                [](Image& image, const Runs& segment) { image.put(segment.entry + offsetof(sqc_map_entry, planes_offset), image.segments[0].planes_offset); });
    for (const std::uint64_t beside : {64u, 128u, 192u}) {
        if (const auto at = good.segments[1].planes_offset / 256 * 256 + beside; at != good.segments[1].planes_offset)
            map_refused("an extent beside a granule, and not behind the segment before",
                        [&](Image& image, const Runs& segment) { image.put(segment.entry + offsetof(sqc_map_entry, planes_offset), at); });
    }
}

// Every read of a hostile region ends, inside its buffers, with the bytes of
// something or a media error; the other segment is not touched by it.
void read_everything(const Bytes& image)
{
    Store store(image);
    if (store.open_status() != SQ_STATUS_SUCCESS)
        return;
    const auto handle = store.find("w");
    for (const auto format : {SQ_FORMAT_NATIVE, SQ_FORMAT_MXINT(2), SQ_FORMAT_MXINT(8), SQ_FORMAT_PLANES(1)}) {
        for (const std::uint8_t axis : {SQ_AXIS_ROW, SQ_AXIS_COL}) {
            const auto read = store.read(handle, static_cast<std::uint16_t>(format), SQ_ROUNDING_DEFAULT, axis);
            EXPECT_TRUE(read.status == SQ_STATUS_SUCCESS || read.status == SQ_STATUS_MEDIA_FAILURE || read.status == SQ_STATUS_UNSUPPORTED) << read.status;
        }
    }
    EXPECT_TRUE(store.verify(handle).empty()) << "the checksums were made to match";
}

TEST(HostilePacked, LengthsThatLieEndInAMediaError)
{
    const auto good = packed_image(SQ_DTYPE_BF16);
    for (unsigned run = 0; run < good.planes + 2; ++run) {
        for (const int by : {-1000, -1, 1, 1000}) {
            auto image = good;
            const auto& segment = image.segments[0];
            const auto bytes = static_cast<int>(segment.run[run]) + by;
            if (bytes < 0)
                continue;
            image.put(image.length_at(segment, run), static_cast<std::uint16_t>(bytes));
            image.seal();
            Store store(image.bytes);
            ASSERT_EQ(store.open_status(), SQ_STATUS_SUCCESS) << "the extent still holds them";
            EXPECT_EQ(store.read(store.find("w")).status, SQ_STATUS_MEDIA_FAILURE) << run << ' ' << by;
            EXPECT_EQ(store.read({store.find("w"), SQ_FORMAT_NATIVE, 0, 0, 17, 3}).status, SQ_STATUS_SUCCESS) << "the other segment";
            read_everything(image.bytes);
        }
    }
}

TEST(HostilePacked, EscapesThatAreNotThereEndInAMediaError)
{
    const auto good = packed_image(SQ_DTYPE_BF16);
    const auto at = good.segments[0].entry + offsetof(sqc_map_entry, escapes);
    for (const std::uint32_t escapes : {1u, good.at<std::uint32_t>(at) - 1, good.at<std::uint32_t>(at) + 1, 65536u}) {
        auto image = good;
        image.put(at, escapes);
        image.seal();
        Store store(image.bytes);
        ASSERT_EQ(store.open_status(), SQ_STATUS_SUCCESS);
        EXPECT_EQ(store.read(store.find("w")).status, SQ_STATUS_MEDIA_FAILURE) << escapes;
        EXPECT_EQ(store.read(store.find("w"), SQ_FORMAT_MXINT(4)).status, SQ_STATUS_SUCCESS) << "needs none";
    }
    auto image = good;
    image.put(at, 0u);
    image.seal();
    EXPECT_EQ(open_status(image.bytes), SQ_STATUS_STORE_DAMAGED) << "a run of no escapes";
}

TEST(HostilePacked, RunsThatLieStayInsideTheirBuffers)
{
    for (const auto dtype : dtypes) {
        const auto good = packed_image(dtype);
        std::mt19937_64 random(1);
        for (int round = 0; round < 60; ++round) {
            auto image = good;
            const auto& segment = image.segments[random() % 2];
            const auto run = static_cast<unsigned>(random() % (image.planes + 3));
            if (segment.run[run] == 0)
                continue;
            const auto begin = segment.offset(run);
            // Mostly where the lengths and tables are.
            const auto reach = round % 2 ? segment.run[run] : std::min<std::uint64_t>(segment.run[run], 12);
            for (auto flips = 1 + random() % 4; flips > 0; --flips)
                image.bytes[begin + random() % reach] ^= static_cast<std::uint8_t>(1u << random() % 8);
            image.seal();
            read_everything(image.bytes);
        }
    }
}

// Goals of the coding, bits a weight; bench/ has the figures on real weights.
TEST(Pack, IsWorthItOnWeightLikeData)
{
    Store store(64u << 20);
    const std::uint32_t rows = 1024, cols = 1024;
    const double weights = double{rows} * cols;
    const auto bf16 = store.make("bf16", rows, cols), fp32 = store.make("fp32", rows, cols, SQ_DTYPE_FP32);
    ASSERT_EQ(store.write(bf16, bell(SQ_DTYPE_BF16, rows, cols, 1)), SQ_STATUS_SUCCESS);
    ASSERT_EQ(store.write(fp32, bell(SQ_DTYPE_FP32, rows, cols, 1)), SQ_STATUS_SUCCESS);
    for (const auto handle : {bf16, fp32})
        ASSERT_EQ(sqc_region_pack(store.get(), handle, nullptr), SQ_STATUS_SUCCESS);
    const auto bits = [&](std::uint64_t bytes) { return static_cast<double>(bytes) * 8 / weights; };
    EXPECT_LE(bits(store.info(bf16).stored_bytes), 10.72);
    EXPECT_LE(bits(store.info(fp32).stored_bytes), 27.2);
    EXPECT_LE(bits(64 * store.read(bf16, SQ_FORMAT_MXINT(4), SQ_ROUNDING_TRUNCATE).result.plane_lines), 3.25 + 0.06) << "three planes, and exponents";
    EXPECT_LE(bits(64 * store.read(bf16, SQ_FORMAT_MXINT(3), SQ_ROUNDING_TRUNCATE).result.plane_lines), 2.0 + 0.06) << "two";
}

}  // namespace
