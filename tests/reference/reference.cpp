// SPDX-License-Identifier: MIT
#include "reference.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <stdexcept>

namespace reference {
namespace {

constexpr int group_elements = 32;
constexpr std::uint64_t line_elements = 512;
constexpr std::uint64_t segment_elements = 65536;

struct FloatLayout {
    int exponent_bits;
    int fraction_bits;
};

FloatLayout layout_of(Dtype dtype)
{
    switch (dtype) {
    case Dtype::bf16: return {8, 7};
    case Dtype::fp16: return {5, 10};
    case Dtype::fp32: return {8, 23};
    }
    throw std::invalid_argument("dtype");
}

int word_bits(Dtype dtype) { return dtype == Dtype::fp32 ? 32 : 16; }

int magnitude_planes(Dtype dtype)
{
    switch (dtype) {
    case Dtype::bf16: return 16;
    case Dtype::fp16: return 20;
    case Dtype::fp32: return 32;
    }
    throw std::invalid_argument("dtype");
}

// floor(log2 |v|) of a non-zero finite value.
int floor_log2(double v)
{
    int exponent = 0;
    std::frexp(std::fabs(v), &exponent);
    return exponent - 1;
}

double power_of_two(int exponent) { return std::ldexp(1.0, exponent); }

// A value between two integers, brought to one of them. `v` >= 0.
double round_magnitude(double v, Rounding rounding)
{
    const double low = std::floor(v);
    const double rest = v - low;
    switch (rounding) {
    case Rounding::truncate: return low;
    case Rounding::nearest: return rest >= 0.5 ? low + 1 : low;
    case Rounding::even:
        if (rest > 0.5)
            return low + 1;
        if (rest < 0.5)
            return low;
        return std::fmod(low, 2.0) == 0 ? low : low + 1;
    }
    throw std::invalid_argument("rounding");
}

// Little-endian bit stream of one row.
class BitRow {
public:
    void push(std::uint32_t value, int bits)
    {
        for (int i = 0; i < bits; ++i) {
            if (used_ % 8 == 0)
                bytes_.push_back(0);
            bytes_.back() |= static_cast<std::uint8_t>(((value >> i) & 1u) << (used_ % 8));
            ++used_;
        }
    }
    const std::vector<std::uint8_t>& bytes() const { return bytes_; }

private:
    std::vector<std::uint8_t> bytes_;
    std::size_t used_ = 0;
};

struct Sections {
    std::vector<std::uint8_t> codes, micro, scales;

    void add_row(const BitRow& code_row, const BitRow& micro_row)
    {
        codes.insert(codes.end(), code_row.bytes().begin(), code_row.bytes().end());
        micro.insert(micro.end(), micro_row.bytes().begin(), micro_row.bytes().end());
    }
    std::vector<std::uint8_t> joined() const
    {
        auto all = codes;
        all.insert(all.end(), micro.begin(), micro.end());
        all.insert(all.end(), scales.begin(), scales.end());
        return all;
    }
};

// The exponent of a set of values, clamped to E8M0's range; none for zeros.
std::optional<int> shared_exponent(const std::vector<double>& values, std::size_t first, std::size_t count)
{
    std::optional<int> g;
    for (std::size_t i = first; i < std::min(first + count, values.size()); ++i) {
        if (values[i] != 0 && (!g || floor_log2(values[i]) > *g))
            g = floor_log2(values[i]);
    }
    if (g)
        g = std::clamp(*g, -127, 127);
    return g;
}

// What `planes` magnitude planes show of a row's values, group by group.
std::vector<double> cut_to_planes(const std::vector<double>& values, int planes)
{
    std::vector<double> seen(values.size());
    for (std::size_t first = 0; first < values.size(); first += group_elements) {
        const auto g = shared_exponent(values, first, group_elements);
        for (std::size_t i = first; i < std::min(first + group_elements, values.size()); ++i) {
            if (!g) {
                seen[i] = values[i];
                continue;
            }
            const double unit = power_of_two(*g - (planes - 1));
            seen[i] = std::copysign(std::floor(std::fabs(values[i]) / unit) * unit, values[i]);
        }
    }
    return seen;
}

// What the plane reads of a rounding show of a row (formats.md, 6.1).
std::vector<double> seen_values(const std::vector<double>& values, int bits, Rounding rounding)
{
    switch (rounding) {
    case Rounding::truncate: return cut_to_planes(values, bits - 1);
    case Rounding::nearest: return cut_to_planes(values, bits);
    case Rounding::even: return values;
    }
    throw std::invalid_argument("rounding");
}

std::uint32_t twos_complement(double magnitude, bool negative, int bits)
{
    const auto m = static_cast<std::int32_t>(negative ? -magnitude : magnitude);
    return static_cast<std::uint32_t>(m) & ((1u << bits) - 1u);
}

void mxint_row(const std::vector<double>& exact, int n, Rounding rounding, Sections& out)
{
    BitRow codes;
    for (std::size_t first = 0; first < exact.size(); first += group_elements) {
        const auto g = shared_exponent(exact, first, group_elements);
        out.scales.push_back(g ? static_cast<std::uint8_t>(*g + 127) : 0);
        for (std::size_t i = first; i < std::min(first + group_elements, exact.size()); ++i) {
            double m = 0;
            if (g)
                m = round_magnitude(std::fabs(exact[i]) / power_of_two(*g - (n - 2)), rounding);
            m = std::min(m, power_of_two(n - 1) - 1);
            codes.push(twos_complement(m, std::signbit(exact[i]), n), n);
        }
    }
    out.add_row(codes, BitRow());
}

struct MicroFormat {
    int planes;  // n of the plane count: with u = 1 an element reaches one plane further
    int bits;    // of an element
};

void micro_row(const std::vector<double>& exact, MicroFormat format, Rounding rounding, Sections& out)
{
    const int b = format.bits;
    const auto values = seen_values(exact, format.planes, rounding);
    BitRow codes, micro;
    for (std::size_t first = 0; first < values.size(); first += 16) {
        const auto g = shared_exponent(values, first, 16);
        out.scales.push_back(g ? static_cast<std::uint8_t>(*g + 127) : 0);
        const std::size_t end = std::min(first + 16, values.size());
        for (std::size_t pair = first; pair < first + 16; pair += 2) {
            double largest = 0;
            for (std::size_t i = pair; i < std::min(pair + 2, end); ++i)
                largest = std::max(largest, std::fabs(values[i]));
            const int u = g && largest < power_of_two(*g) ? 1 : 0;
            if (pair < end)
                micro.push(static_cast<std::uint32_t>(u), 1);
            for (std::size_t i = pair; i < std::min(pair + 2, end); ++i) {
                double m = 0;
                if (g)
                    m = round_magnitude(std::fabs(values[i]) / power_of_two(*g - u - (b - 2)), rounding);
                m = std::min(m, power_of_two(b - 1) - 1);
                codes.push(twos_complement(m, std::signbit(values[i]), b), b);
            }
        }
    }
    out.add_row(codes, micro);
}

// OCP MX v1.0 element formats. `largest` is the largest normal.
struct ElementFormat {
    std::string_view name;
    int bits;
    int exponent_bits;
    int fraction_bits;
    int emax;
    double largest;
};

constexpr std::array<ElementFormat, 5> element_formats = {{
    {"mxfp8_e4m3", 8, 4, 3, 8, 448.0},
    {"mxfp8_e5m2", 8, 5, 2, 15, 57344.0},
    {"mxfp6_e3m2", 6, 3, 2, 4, 28.0},
    {"mxfp6_e2m3", 6, 2, 3, 2, 7.5},
    {"mxfp4_e2m1", 4, 2, 1, 2, 6.0},
}};

std::uint32_t element_code(double v, const ElementFormat& f, Rounding rounding)
{
    const int bias = (1 << (f.exponent_bits - 1)) - 1;
    const std::uint32_t sign = std::signbit(v) ? 1u << (f.bits - 1) : 0u;
    const double magnitude = std::fabs(v);
    if (magnitude == 0)
        return sign;
    const int exponent = std::max(floor_log2(magnitude), 1 - bias);
    const double unit = power_of_two(exponent - f.fraction_bits);
    const double rounded = std::min(round_magnitude(magnitude / unit, rounding) * unit, f.largest);
    if (rounded == 0)
        return sign;
    // Rounding may have carried into the next binade: encode from the value.
    const int e = std::max(floor_log2(rounded), 1 - bias);
    const auto significand = static_cast<std::uint32_t>(rounded / power_of_two(e - f.fraction_bits));
    const std::uint32_t hidden = 1u << f.fraction_bits;
    if (significand < hidden)
        return sign | significand;
    return sign | (static_cast<std::uint32_t>(e + bias) << f.fraction_bits) | (significand - hidden);
}

void mxfp_row(const std::vector<double>& exact, const ElementFormat& f, Rounding rounding, Sections& out)
{
    const auto values = seen_values(exact, f.bits, rounding);
    BitRow codes;
    for (std::size_t first = 0; first < values.size(); first += group_elements) {
        const std::size_t end = std::min<std::size_t>(first + group_elements, values.size());
        double largest = 0;
        for (std::size_t i = first; i < end; ++i)
            largest = std::max(largest, std::fabs(values[i]));
        int scale = -127;
        if (largest != 0)
            scale = std::clamp(floor_log2(largest) - f.emax, -127, 127);
        out.scales.push_back(static_cast<std::uint8_t>(scale + 127));
        for (std::size_t i = first; i < end; ++i)
            codes.push(element_code(values[i] / power_of_two(scale), f, rounding), f.bits);
    }
    out.add_row(codes, BitRow());
}

void words_row(const std::vector<std::uint32_t>& words, int bits, Sections& out)
{
    BitRow codes;
    for (const auto word : words)
        codes.push(word, bits);
    out.add_row(codes, BitRow());
}

std::uint64_t row_stride(const Region& region)
{
    return (std::uint64_t{region.cols} + group_elements - 1) / group_elements * group_elements;
}

std::vector<std::uint32_t> row_words(const Region& region, std::uint32_t row)
{
    const auto first = region.words.begin() + static_cast<std::ptrdiff_t>(std::uint64_t{row} * region.cols);
    return {first, first + region.cols};
}

std::vector<double> row_values(const Region& region, std::uint32_t row)
{
    std::vector<double> values;
    for (const auto word : row_words(region, row))
        values.push_back(value_of(region.dtype, word));
    return values;
}

std::vector<double> col_values(const Region& region, std::uint32_t col, const Read& request)
{
    std::vector<double> values;
    for (std::uint32_t row = request.first_row; row < request.first_row + request.row_count; ++row)
        values.push_back(value_of(region.dtype, region.words[std::uint64_t{row} * region.cols + col]));
    return values;
}

// planes<k>: every plane of the requested rows, padding included.
std::vector<std::uint8_t> read_planes(const Region& region, const Read& request, int k)
{
    const auto stride = row_stride(region);
    std::vector<BitRow> planes(static_cast<std::size_t>(k));
    std::vector<std::uint8_t> exponents;
    for (std::uint32_t row = request.first_row; row < request.first_row + request.row_count; ++row) {
        auto words = row_words(region, row);
        auto values = row_values(region, row);
        words.resize(stride, 0);
        values.resize(stride, 0.0);
        for (std::size_t i = 0; i < stride; ++i) {
            for (int p = 0; p < k; ++p) {
                std::uint32_t bit = 0;
                if (region.placement == Placement::word) {
                    bit = (words[i] >> (word_bits(region.dtype) - 1 - p)) & 1u;
                } else if (p == 0) {
                    bit = std::signbit(values[i]) ? 1 : 0;
                } else if (const auto g = shared_exponent(values, i / 32 * 32, 32)) {
                    const double units = std::floor(std::fabs(values[i]) / power_of_two(*g - (p - 1)));
                    bit = std::fmod(units, 2.0) != 0 ? 1 : 0;
                }
                planes[static_cast<std::size_t>(p)].push(bit, 1);
            }
        }
        for (std::size_t first = 0; region.placement == Placement::aligned && first < stride; first += 32) {
            const auto g = shared_exponent(values, first, 32);
            exponents.push_back(g ? static_cast<std::uint8_t>(*g + 127) : 0);
        }
    }
    std::vector<std::uint8_t> all;
    for (const auto& plane : planes)
        all.insert(all.end(), plane.bytes().begin(), plane.bytes().end());
    all.insert(all.end(), exponents.begin(), exponents.end());
    return all;
}

// The number behind a prefix of a format's name ("mxint", "planes").
std::optional<int> parameter(std::string_view name, std::string_view prefix)
{
    if (!name.starts_with(prefix) || name.size() == prefix.size())
        return std::nullopt;
    return std::atoi(std::string(name.substr(prefix.size())).c_str());
}

std::optional<MicroFormat> micro_format(std::string_view name)
{
    if (name == "mx9")
        return MicroFormat{9, 8};
    if (name == "mx6")
        return MicroFormat{6, 5};
    if (name == "mx4")
        return MicroFormat{4, 3};
    return std::nullopt;
}

const ElementFormat* element_format(std::string_view name)
{
    const auto* found = std::find_if(element_formats.begin(), element_formats.end(),
                                     [&](const auto& f) { return f.name == name; });
    return found == element_formats.end() ? nullptr : found;
}

std::optional<Dtype> dtype_named(std::string_view name)
{
    if (name == "bf16")
        return Dtype::bf16;
    if (name == "fp16")
        return Dtype::fp16;
    if (name == "fp32")
        return Dtype::fp32;
    return std::nullopt;
}

void encode_line(const std::vector<double>& values, const Read& request, Sections& out)
{
    for (const double v : values) {
        if (!std::isfinite(v))
            throw std::invalid_argument("the reference aligns finite values only");
    }
    if (const auto n = parameter(request.format, "mxint"))
        mxint_row(values, *n, request.rounding, out);
    else if (const auto micro = micro_format(request.format))
        micro_row(values, *micro, request.rounding, out);
    else if (const auto* element = element_format(request.format))
        mxfp_row(values, *element, request.rounding, out);
    else
        throw std::invalid_argument("the reference does not know this format");
}

}  // namespace

double value_of(Dtype dtype, std::uint32_t word)
{
    const auto [exponent_bits, fraction_bits] = layout_of(dtype);
    const int bias = (1 << (exponent_bits - 1)) - 1;
    const auto fraction = static_cast<double>(word & ((1u << fraction_bits) - 1u));
    const int exponent = static_cast<int>((word >> fraction_bits) & ((1u << exponent_bits) - 1u));
    const bool negative = (word >> (exponent_bits + fraction_bits)) & 1u;
    double magnitude = 0;
    if (exponent == (1 << exponent_bits) - 1)
        magnitude = fraction != 0 ? std::numeric_limits<double>::quiet_NaN() : std::numeric_limits<double>::infinity();
    else if (exponent == 0)
        magnitude = fraction * power_of_two(1 - bias - fraction_bits);
    else
        magnitude = (fraction + power_of_two(fraction_bits)) * power_of_two(exponent - bias - fraction_bits);
    return negative ? -magnitude : magnitude;
}

std::uint32_t word_of(Dtype dtype, double value)
{
    const auto [exponent_bits, fraction_bits] = layout_of(dtype);
    const int bias = (1 << (exponent_bits - 1)) - 1;
    const std::uint32_t sign = std::signbit(value) ? 1u << (exponent_bits + fraction_bits) : 0u;
    const std::uint32_t infinity = ((1u << exponent_bits) - 1u) << fraction_bits;
    if (std::isnan(value))
        return sign | infinity | (1u << (fraction_bits - 1));
    if (value == 0)
        return sign;
    if (std::isinf(value))
        return sign | infinity;
    const int exponent = std::max(floor_log2(value), 1 - bias);
    const double units = round_magnitude(std::fabs(value) / power_of_two(exponent - fraction_bits), Rounding::even);
    // The fields are adjacent, so a carry out of the fraction is the next binade.
    const auto hidden = static_cast<std::uint64_t>(1) << fraction_bits;
    const auto significand = static_cast<std::uint64_t>(units);
    const std::uint64_t word = significand < hidden
                                   ? significand
                                   : (static_cast<std::uint64_t>(exponent + bias) << fraction_bits) + (significand - hidden);
    return sign | static_cast<std::uint32_t>(std::min<std::uint64_t>(word, infinity));
}

Rounding default_rounding(std::string_view format)
{
    return format.starts_with("mxint") ? Rounding::nearest : Rounding::even;
}

std::vector<std::uint8_t> read(const Region& region, const Read& request)
{
    if (const auto k = parameter(request.format, "planes"))
        return read_planes(region, request, *k);

    Sections out;
    const bool native = request.format == "native";
    const auto target = dtype_named(request.format);
    const std::uint32_t lines = request.axis == Axis::row ? request.row_count : region.cols;
    for (std::uint32_t line = 0; line < lines; ++line) {
        const auto values = request.axis == Axis::row ? row_values(region, request.first_row + line)
                                                      : col_values(region, line, request);
        if (!native && !target) {
            encode_line(values, request, out);
            continue;
        }
        std::vector<std::uint32_t> words;
        for (std::uint32_t i = 0; i < values.size(); ++i) {
            const std::uint64_t row = request.axis == Axis::row ? request.first_row + line : request.first_row + i;
            const std::uint64_t col = request.axis == Axis::row ? i : line;
            const auto stored = region.words[row * region.cols + col];
            words.push_back(native || *target == region.dtype ? stored : word_of(*target, values[i]));
        }
        words_row(words, word_bits(native ? region.dtype : *target), out);
    }
    return out.joined();
}

std::optional<std::uint64_t> plane_lines(const Region& region, const Read& request)
{
    const auto n = parameter(request.format, "mxint");
    const auto k = parameter(request.format, "planes");
    if (region.placement != Placement::aligned || request.axis != Axis::row || (!n && !k))
        return std::nullopt;
    if (n && request.rounding == Rounding::even)
        return std::nullopt;
    const auto planes = static_cast<std::uint64_t>(n ? *n + (request.rounding == Rounding::nearest ? 1 : 0) : *k);
    const auto stride = row_stride(region);
    const auto first = request.first_row * stride;
    const auto end = first + request.row_count * stride;
    std::uint64_t lines = 0;
    for (auto segment = first / segment_elements * segment_elements; segment < end; segment += segment_elements) {
        const auto from = std::max(first, segment) - segment;
        const auto to = std::min(end, segment + segment_elements) - segment;
        lines += planes * ((to + line_elements - 1) / line_elements - from / line_elements);
        lines += (to / 32 + 63) / 64 - from / 32 / 64;
    }
    return lines;
}

std::uint64_t escapes(const Region& region)
{
    if (region.placement != Placement::aligned)
        return 0;
    std::uint64_t count = 0;
    for (std::uint32_t row = 0; row < region.rows; ++row) {
        const auto values = row_values(region, row);
        const auto seen = cut_to_planes(values, magnitude_planes(region.dtype));
        for (std::size_t i = 0; i < values.size(); ++i)
            count += values[i] != seen[i];
    }
    return count;
}

}  // namespace reference
