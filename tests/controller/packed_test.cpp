// SPDX-License-Identifier: MIT
//
// Coding `packed`: planes come back as they went in, a prefix is readable
// alone, the kernels agree, and a run that lies is refused without a read or
// write outside of its buffers (run this under AddressSanitizer).
extern "C" {
#include "packed.h"
#include "packed_kernels.h"
}

#include "kernels.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <vector>

namespace {

struct Free {
    void operator()(void* memory) const { std::free(memory); }
};

std::unique_ptr<void, Free> aligned(std::size_t bytes)
{
    return std::unique_ptr<void, Free>(std::aligned_alloc(64, (bytes + 63) / 64 * 64));
}

// The planes of one segment, as a reader or a writer holds them.
struct Segment {
    Segment(unsigned plane_count, unsigned word_count) : planes(plane_count, std::vector<std::uint64_t>(word_count)), sign(word_count) {}

    std::vector<const std::uint64_t*> read_only() const
    {
        std::vector<const std::uint64_t*> pointers;
        for (const auto& plane : planes)
            pointers.push_back(plane.data());
        return pointers;
    }
    std::vector<std::uint64_t*> writable()
    {
        std::vector<std::uint64_t*> pointers;
        for (auto& plane : planes)
            pointers.push_back(plane.data());
        return pointers;
    }
    bool operator==(const Segment&) const = default;

    std::vector<std::vector<std::uint64_t>> planes;
    std::vector<std::uint64_t> sign;
};

struct Dtype {
    unsigned planes, significand;
};
constexpr Dtype bf16 = {16, 8}, fp16 = {20, 11}, fp32 = {32, 24};

// Magnitudes whose leading bit lies at a plane drawn with `spread`, with as
// many bits below it as the significand has; some zeros of both signs.
Segment make_segment(Dtype dtype, unsigned words, double spread, std::uint64_t seed)
{
    std::mt19937_64 random(seed);
    std::exponential_distribution<double> lead(1.0 / spread);
    Segment segment(dtype.planes, words);
    for (unsigned i = 0; i < words * 64; ++i) {
        const auto first = static_cast<unsigned>(std::min(lead(random), 60.0));
        const bool negative = random() & 1;
        segment.sign[i / 64] |= std::uint64_t{negative} << (i % 64);
        if (random() % 50 == 0)
            continue;
        for (unsigned p = first; p < std::min(first + dtype.significand, dtype.planes); ++p)
            segment.planes[p][i / 64] |= std::uint64_t{p == first || random() % 2} << (i % 64);
    }
    return segment;
}

struct Packed {
    std::vector<std::vector<std::uint8_t>> runs;
    std::vector<std::uint8_t> signs;
};

// A buffer of exactly the run and its slack, so that a sanitizer sees more.
std::vector<std::uint8_t> with_slack(const std::uint8_t* run, std::size_t bytes)
{
    std::vector<std::uint8_t> copy(bytes + SQC_PACKED_SLACK, 0xee);  // made at once: none to spare
    std::copy_n(run, bytes, copy.begin());
    return copy;
}

Packed pack(const Segment& segment, Dtype dtype)
{
    const auto encoder = aligned(sqc_packed_encoder_bytes());
    EXPECT_TRUE(sqc_packed_encoder_begin(encoder.get()));
    const auto state = std::make_unique<sqc_packed>();
    std::vector<std::uint8_t> run(SQC_PACKED_RUN_BYTES + SQC_PACKED_SLACK);
    Packed packed;
    sqc_packed_begin(state.get(), static_cast<unsigned>(segment.sign.size()), dtype.significand);
    for (unsigned p = 0; p < dtype.planes; ++p) {
        const auto bytes = sqc_packed_encode(state.get(), segment.read_only().data(), segment.sign.data(), encoder.get(), run.data());
        EXPECT_GT(bytes, 0u);
        packed.runs.push_back(with_slack(run.data(), bytes));
    }
    const auto bytes = sqc_packed_encode_signs(state.get(), segment.sign.data(), run.data());
    packed.signs = with_slack(run.data(), bytes);
    return packed;
}

// Decodes the first `count` planes; false when a run is refused.
bool unpack(const Packed& packed, Dtype dtype, unsigned count, Segment& segment)
{
    const auto decoder = aligned(sqc_packed_decoder_bytes());
    EXPECT_TRUE(sqc_packed_decoder_begin(decoder.get()));
    const auto state = std::make_unique<sqc_packed>();
    const auto planes = segment.writable();
    sqc_packed_begin(state.get(), static_cast<unsigned>(segment.sign.size()), dtype.significand);
    for (unsigned p = 0; p < count; ++p) {
        const auto& run = packed.runs[p];
        if (sqc_packed_decode(state.get(), run.data(), run.size() - SQC_PACKED_SLACK, planes.data(), segment.sign.data(), decoder.get()) != 0)
            return false;
    }
    return count < dtype.planes ||
           sqc_packed_decode_signs(state.get(), packed.signs.data(), packed.signs.size() - SQC_PACKED_SLACK, segment.sign.data()) == 0;
}

using PackedKernel = EveryKernel<SQC_KERNEL_PACKED>;

TEST_P(PackedKernel, BringsBackWhatWasPacked)
{
    std::uint64_t seed = 1;
    for (const auto dtype : {bf16, fp16, fp32}) {
        for (const unsigned words : {8u, 16u, 200u, SQC_PACKED_WORDS}) {
            for (const double spread : {0.01, 0.7, 2.0, 9.0, 1000.0}) {
                const auto segment = make_segment(dtype, words, spread, seed++);
                Segment back(dtype.planes, words);
                ASSERT_TRUE(unpack(pack(segment, dtype), dtype, dtype.planes, back));
                ASSERT_TRUE(back == segment) << dtype.planes << " planes, " << words << " words, spread " << spread;
            }
        }
    }
}

TEST_P(PackedKernel, ReadsAPrefixAlone)
{
    const auto segment = make_segment(bf16, 64, 1.5, 42);
    const auto packed = pack(segment, bf16);
    for (unsigned count = 0; count <= bf16.planes; ++count) {
        Packed prefix;
        prefix.runs.assign(packed.runs.begin(), packed.runs.begin() + count);
        prefix.signs = packed.signs;
        Segment back(bf16.planes, 64);
        ASSERT_TRUE(unpack(prefix, bf16, count, back));
        for (unsigned p = 0; p < count; ++p)
            ASSERT_EQ(back.planes[p], segment.planes[p]);
        for (unsigned w = 0; w < 64; ++w) {
            std::uint64_t significant = 0;
            for (unsigned p = 0; p < count; ++p)
                significant |= segment.planes[p][w];
            if (count < bf16.planes) {
                ASSERT_EQ(back.sign[w], segment.sign[w] & significant);
            }
        }
    }
}

TEST_P(PackedKernel, RefusesOrBoundsDamagedRuns)
{
    const auto segment = make_segment(bf16, 16, 1.0, 7);
    const auto packed = pack(segment, bf16);
    std::mt19937_64 random(11);
    for (int round = 0; round < 4000; ++round) {
        auto damaged = packed;
        auto& run = round % 17 == 16 ? damaged.signs : damaged.runs[random() % 16];
        const auto bytes = run.size() - SQC_PACKED_SLACK;
        if (bytes == 0)
            continue;
        if (round % 3 == 0)
            run.erase(run.begin() + static_cast<std::ptrdiff_t>(random() % bytes));
        else
            run[random() % (round % 2 ? bytes : std::min<std::size_t>(bytes, 8))] ^= static_cast<std::uint8_t>(1u << random() % 8);
        Segment back(bf16.planes, 16);
        unpack(damaged, bf16, bf16.planes, back);  // either answer, but inside its buffers
    }
}

TEST_P(PackedKernel, RefusesLengthsThatLie)
{
    const auto segment = make_segment(bf16, 16, 1.0, 7);
    for (const std::uint32_t header : {0xffffffffu, 0x7fffffffu, 0x80000000u, 0u, 127u, 129u, 0x80000000u | 4096u}) {
        auto packed = pack(segment, bf16);
        std::memcpy(packed.runs[0].data(), &header, 4);
        Segment back(bf16.planes, 16);
        EXPECT_FALSE(unpack(packed, bf16, 1, back)) << header;
    }
    auto packed = pack(segment, bf16);
    packed.runs[3].insert(packed.runs[3].begin() + 5, 0);
    Segment back(bf16.planes, 16);
    EXPECT_FALSE(unpack(packed, bf16, 4, back)) << "a byte too many";
}

// A plane of ones has a sign for each element; a run that brings fewer of them
// must not be read further than its slack, at whatever bit the signs begin.
TEST_P(PackedKernel, RefusesPlainPlanesWithoutTheirSigns)
{
    constexpr unsigned words = 200;
    for (const unsigned plane : {0u, 3u, bf16.significand, bf16.planes - 1}) {
        Segment ones(bf16.planes, words), back(bf16.planes, words);
        const auto state = std::make_unique<sqc_packed>();
        const auto planes = back.writable();
        const auto decoder = aligned(sqc_packed_decoder_bytes());
        ASSERT_TRUE(sqc_packed_decoder_begin(decoder.get()));
        for (const std::size_t sign_bytes : {std::size_t{0}, std::size_t{1}, std::size_t{2}, words * 8 - std::size_t{1}, words * 8 + std::size_t{1}}) {
            sqc_packed_begin(state.get(), words, bf16.significand);
            for (unsigned p = 0; p < plane; ++p) {  // nothing leads above
                const std::vector<std::uint8_t> zeros(2 + words * 8);
                const auto run = with_slack(zeros.data(), zeros.size());
                ASSERT_EQ(sqc_packed_decode(state.get(), run.data(), zeros.size(), planes.data(), back.sign.data(), decoder.get()), 0);
            }
            std::vector<std::uint8_t> bytes(2 + words * 8 + sign_bytes, 0xff);
            bytes[0] = bytes[1] = 0;  // plain
            const auto run = with_slack(bytes.data(), bytes.size());
            EXPECT_EQ(sqc_packed_decode(state.get(), run.data(), bytes.size(), planes.data(), back.sign.data(), decoder.get()), -1) << plane << ' ' << sign_bytes;
        }
    }
}

TEST_P(PackedKernel, JoinsSymbolsAndRefusesWhatIsNone)
{
    std::mt19937_64 random(5);
    for (std::size_t count = 0; count < 70; ++count) {
        std::vector<std::uint8_t> symbols(count + SQC_PACKED_SLACK, 0xff), stream(count + SQC_PACKED_SLACK);
        for (std::size_t i = 0; i < count; ++i)
            symbols[i] = static_cast<std::uint8_t>(random() % 64);
        ASSERT_TRUE(sqc_packed_kernel()->symbols(symbols.data(), count, stream.data()));
        for (std::size_t bit = 0; bit < 6 * count; ++bit)
            ASSERT_EQ(stream[bit / 8] >> bit % 8 & 1, symbols[bit / 6] >> bit % 6 & 1) << count << ' ' << bit;
        for (std::size_t i = 0; i < count; ++i) {
            for (const std::uint8_t wrong : {0x40, 0x80}) {
                symbols[i] = static_cast<std::uint8_t>(symbols[i] ^ wrong);
                ASSERT_FALSE(sqc_packed_kernel()->symbols(symbols.data(), count, stream.data())) << count << ' ' << i;
                symbols[i] = static_cast<std::uint8_t>(symbols[i] ^ wrong);
            }
        }
    }
}

TEST(PackedKernels, AreOneALevel)
{
    const auto before = sqc_kernel(SQC_KERNEL_PACKED);
    ASSERT_TRUE(sqc_kernel_force(SQC_KERNEL_PACKED, SQC_LEVEL_PORTABLE));
    const auto* portable = sqc_packed_kernel();
    if (sqc_kernel_force(SQC_KERNEL_PACKED, SQC_LEVEL_AVX2)) {
        EXPECT_NE(sqc_packed_kernel()->plain, portable->plain);
        EXPECT_NE(sqc_packed_kernel()->place, portable->place);
        EXPECT_NE(sqc_packed_kernel()->symbols, portable->symbols);
    }
    sqc_kernel_force(SQC_KERNEL_PACKED, before);
}

INSTANTIATE_TEST_SUITE_P(Levels, PackedKernel, ::testing::Values(SQC_LEVEL_PORTABLE, SQC_LEVEL_AVX2), kernel_name);

TEST(PackedBytes, ComeBackAndAreRefusedWhenDamaged)
{
    const auto encoder = aligned(sqc_packed_encoder_bytes()), decoder = aligned(sqc_packed_decoder_bytes());
    ASSERT_TRUE(sqc_packed_encoder_begin(encoder.get()) && sqc_packed_decoder_begin(decoder.get()));
    std::mt19937_64 random(3);
    for (const std::size_t bytes : {0u, 1u, 2u, 64u, 2048u, 40000u}) {
        std::vector<std::uint8_t> data(bytes), run(bytes + 32), back(bytes + 1);
        for (auto& byte : data)
            byte = static_cast<std::uint8_t>(120 + random() % 5);
        const auto used = sqc_packed_encode_bytes(data.data(), bytes, encoder.get(), run.data());
        ASSERT_GT(used, 0u);
        ASSERT_LE(used, bytes + 4);
        ASSERT_EQ(sqc_packed_decode_bytes(run.data(), used, back.data(), bytes, decoder.get()), 0);
        ASSERT_TRUE(std::equal(data.begin(), data.end(), back.begin()));
        EXPECT_EQ(sqc_packed_decode_bytes(run.data(), used, back.data(), bytes + 1, decoder.get()), -1);
        EXPECT_EQ(sqc_packed_decode_bytes(run.data(), used - 1, back.data(), bytes, decoder.get()), -1);
    }
}

// What real weights give is measured in bench/; here only that the coding is
// worth its name on data of their shape.
TEST(Packed, NeedsFewerBytesThanPlanesOnWeightLikeData)
{
    const auto segment = make_segment(bf16, SQC_PACKED_WORDS, 1.2, 5);
    std::size_t bytes = 0;
    const auto packed = pack(segment, bf16);
    for (const auto& run : packed.runs)
        bytes += run.size() - SQC_PACKED_SLACK;
    const std::size_t raw = 17 * SQC_SEGMENT_ELEMENTS / 8;
    EXPECT_LT(bytes, raw * 3 / 4);
}

}  // namespace
