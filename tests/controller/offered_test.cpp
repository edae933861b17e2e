// SPDX-License-Identifier: MIT
//
// Every format with every dtype, placement, rounding and axis: served, and
// decodable where docs/formats.md says so, or refused with the reason.
#include "encoding.h"
#include "format.h"
#include "store.hpp"

#include <cmath>

namespace {

using namespace controller;

struct Kind {
    std::uint8_t dtype;
    std::uint8_t placement;
    unsigned planes;  // that planes<k> can ask for
};

constexpr Kind kinds[] = {
    {SQ_DTYPE_BF16, SQ_PLACEMENT_ALIGNED, 17}, {SQ_DTYPE_FP16, SQ_PLACEMENT_ALIGNED, 21}, {SQ_DTYPE_FP32, SQ_PLACEMENT_ALIGNED, 33},
    {SQ_DTYPE_BF16, SQ_PLACEMENT_WORD, 16},    {SQ_DTYPE_FP16, SQ_PLACEMENT_WORD, 16},    {SQ_DTYPE_FP32, SQ_PLACEMENT_WORD, 32},
    {SQ_DTYPE_BF16, SQ_PLACEMENT_TUNED, 13},   {SQ_DTYPE_FP16, SQ_PLACEMENT_TUNED, 16},   {SQ_DTYPE_FP32, SQ_PLACEMENT_TUNED, 29},
    {SQ_DTYPE_INT8, SQ_PLACEMENT_WORD, 8},     {SQ_DTYPE_U8, SQ_PLACEMENT_BYTES, 0},
};

bool is_float(const Kind& kind) { return kind.dtype != SQ_DTYPE_INT8 && kind.dtype != SQ_DTYPE_U8; }

bool offered(const Kind& kind, std::uint16_t format)
{
    switch (SQ_FORMAT_FAMILY(format)) {
    case SQ_FORMAT_FAMILY_PLANES: return SQ_FORMAT_PARAMETER(format) <= kind.planes;
    case SQ_FORMAT_FAMILY_TUNED:
    case SQ_FORMAT_FAMILY_LEVELS: return kind.placement == SQ_PLACEMENT_TUNED;
    default: return format == SQ_FORMAT_NATIVE || is_float(kind);
    }
}

bool takes_rounding(std::uint16_t format)
{
    const auto family = SQ_FORMAT_FAMILY(format);
    return family == SQ_FORMAT_FAMILY_MXINT || family == SQ_FORMAT_FAMILY_MXFP || family == SQ_FORMAT_FAMILY_MX;
}

bool runs_along_columns(const Kind& kind, std::uint16_t format)
{
    const auto family = SQ_FORMAT_FAMILY(format);
    return kind.dtype != SQ_DTYPE_U8 && family != SQ_FORMAT_FAMILY_PLANES && family != SQ_FORMAT_FAMILY_TUNED &&
           family != SQ_FORMAT_FAMILY_LEVELS;
}

sqc_status expected(const Kind& kind, std::uint16_t format, std::uint8_t rounding, std::uint8_t axis)
{
    if (!offered(kind, format))
        return SQ_STATUS_FORMAT;
    if (rounding > SQ_ROUNDING_EVEN || axis > SQ_AXIS_COL)
        return SQ_STATUS_INVALID_INPUT;
    if (rounding != SQ_ROUNDING_DEFAULT && rounding != SQ_ROUNDING_EVEN && !takes_rounding(format))
        return SQ_STATUS_UNSUPPORTED;
    if (axis == SQ_AXIS_COL && !runs_along_columns(kind, format))
        return SQ_STATUS_UNSUPPORTED;
    return SQ_STATUS_SUCCESS;
}

// How far a value that is not far below its group's largest may be off.
double tolerance(std::uint16_t format)
{
    const unsigned parameter = SQ_FORMAT_PARAMETER(format);
    switch (SQ_FORMAT_FAMILY(format)) {
    case SQ_FORMAT_FAMILY_BASIC: return 1.0 / 256;
    case SQ_FORMAT_FAMILY_MXINT: return std::ldexp(1.0, 2 - static_cast<int>(parameter));
    case SQ_FORMAT_FAMILY_TUNED: return std::ldexp(1.0, 1 - static_cast<int>(parameter));
    default: return 0.5;
    }
}

constexpr std::uint32_t rows = 40, cols = 70;

// Between 1 and 2 with both signs; int8 and u8 get any bytes.
std::vector<float> sample(const Kind& kind)
{
    std::mt19937 random(kind.dtype * 7u + kind.placement);
    std::vector<float> values(rows * cols);
    for (auto& value : values) {
        const float size = 1.0f + static_cast<float>(random() % 1000) / 1000.0f;
        value = is_float(kind) ? (random() % 2 ? size : -size) : static_cast<float>(random() % 100);
    }
    return values;
}

class Offered : public ::testing::Test {
protected:
    Offered() : store_(32u << 20) {}

    std::uint32_t make(const Kind& kind)
    {
        const auto name = std::to_string(kind.dtype) + "." + std::to_string(kind.placement);
        const auto handle = store_.make(name, rows, cols, kind.dtype, kind.placement);
        const auto values = sample(kind);
        Bytes words(values.size() * sqc_dtype_bytes(kind.dtype));
        if (kind.dtype == SQ_DTYPE_U8)
            std::copy(values.begin(), values.end(), words.begin());
        else
            sqc_values_to_words(kind.dtype, values.data(), values.size(), words.data());
        EXPECT_EQ(store_.write(handle, words), SQ_STATUS_SUCCESS);
        return handle;
    }

    // What the bytes of a read stand for; empty without values.
    std::vector<float> decode(std::uint32_t handle, const Read& read) const
    {
        std::vector<float> values(std::size_t{read.layout.rows} * read.layout.cols), levels;
        if (SQ_FORMAT_FAMILY(read.layout.format) == SQ_FORMAT_FAMILY_TUNED) {
            const unsigned bits = SQ_FORMAT_PARAMETER(read.layout.format);
            levels.resize(1u << bits);
            EXPECT_EQ(sqc_region_levels(store_.get(), handle, bits, levels.data()), SQ_STATUS_SUCCESS);
        }
        const auto status = sqc_decode_levels(&read.layout, levels.empty() ? nullptr : levels.data(), read.bytes.data(), 0,
                                              read.layout.rows, values.data());
        return status == SQ_STATUS_SUCCESS ? values : std::vector<float>();
    }

    // Values that are there, and near to the stored ones.
    void expect_values(const Kind& kind, std::uint32_t handle, const Read& read) const
    {
        const auto family = SQ_FORMAT_FAMILY(read.layout.format);
        const auto values = decode(handle, read);
        if (family == SQ_FORMAT_FAMILY_PLANES || kind.dtype == SQ_DTYPE_U8) {
            EXPECT_TRUE(values.empty());
            return;
        }
        if (family == SQ_FORMAT_FAMILY_LEVELS) {
            EXPECT_EQ(values.size(), 1u << SQ_FORMAT_PARAMETER(read.layout.format));
            return;
        }
        const auto given = sample(kind);
        ASSERT_EQ(values.size(), given.size());
        for (std::uint32_t row = 0; row < rows; ++row) {
            for (std::uint32_t col = 0; col < cols; ++col) {
                const float value = read.layout.axis == SQ_AXIS_COL ? values[col * rows + row] : values[row * cols + col];
                const float stored = given[row * cols + col];
                ASSERT_LE(std::fabs(value - stored), tolerance(read.layout.format) * std::max(2.0, std::fabs(double{stored})))
                    << "row " << row << ", column " << col;
            }
        }
    }

    Store store_;
};

TEST_F(Offered, IsServedOrRefusedWithTheReason)
{
    std::uint64_t served = 0, refused = 0;
    for (const auto& kind : kinds) {
        const auto handle = make(kind);
        for (unsigned i = 0; const std::uint16_t format = sqc_format_at(i); ++i) {
            for (std::uint8_t rounding = SQ_ROUNDING_DEFAULT; rounding <= SQ_ROUNDING_EVEN + 1; ++rounding) {
                for (std::uint8_t axis = SQ_AXIS_ROW; axis <= SQ_AXIS_COL + 1; ++axis) {
                    char name[32];
                    SCOPED_TRACE(std::string(sqc_format_name(format, name, sizeof name)) + " of dtype " + std::to_string(kind.dtype) +
                                 ", placement " + std::to_string(kind.placement) + ", rounding " + std::to_string(rounding) + ", axis " +
                                 std::to_string(axis));
                    const auto read = store_.read({handle, format, rounding, axis, 0, rows});
                    ASSERT_EQ(read.status, expected(kind, format, rounding, axis));
                    if (read.status != SQ_STATUS_SUCCESS) {
                        ++refused;
                        continue;
                    }
                    ++served;
                    EXPECT_EQ(read.result.bytes, read.layout.bytes);
                    if (rounding == SQ_ROUNDING_DEFAULT)
                        expect_values(kind, handle, read);
                    if (::testing::Test::HasFatalFailure())
                        return;
                }
            }
        }
    }
    EXPECT_GT(served, 1000u);
    EXPECT_GT(refused, 1000u);
}

TEST_F(Offered, EveryDtypeHasItsPlacementsAndNoOthers)
{
    for (std::uint8_t dtype = 0; dtype <= SQ_DTYPE_U8 + 1; ++dtype) {
        for (std::uint8_t placement = 0; placement <= SQ_PLACEMENT_TUNED + 1; ++placement) {
            const bool known = std::any_of(std::begin(kinds), std::end(kinds), [&](const Kind& kind) {
                return kind.dtype == dtype && kind.placement == placement;
            });
            std::uint32_t handle = 0;
            const auto name = std::to_string(dtype) + "." + std::to_string(placement);
            EXPECT_EQ(store_.create(name, dtype, placement, 4, 40, &handle) == SQ_STATUS_SUCCESS, known) << name;
        }
    }
}

// Bytes of any format and any encoding of a region decode alike along both axes.
TEST_F(Offered, EncodingsAreTakenByFloatRegionsAlone)
{
    for (const auto& kind : kinds) {
        const auto handle = store_.make("e" + std::to_string(kind.dtype) + std::to_string(kind.placement), 2, 256, kind.dtype, kind.placement);
        std::uint16_t encoding = 0;
        for (unsigned i = 0; sqc_encoding_at(i, &encoding); ++i) {
            const sqc_write_request request = {handle, encoding, SQ_STORE_ROUND, 0, 2};
            std::uint64_t bytes = 0;
            const auto status = sqc_write_bytes(store_.get(), &request, &bytes);
            if (!is_float(kind) && encoding != SQ_ENCODING_DTYPE) {
                EXPECT_EQ(status, SQ_STATUS_UNSUPPORTED) << encoding;
                continue;
            }
            ASSERT_EQ(status, SQ_STATUS_SUCCESS) << encoding;
            EXPECT_EQ(store_.write(handle, Bytes(bytes, 0), 0, 2, encoding, SQ_STORE_ROUND), SQ_STATUS_SUCCESS) << encoding;
        }
    }
}

}  // namespace
