// SPDX-License-Identifier: MIT
//
// Every version of the plane kernels, bit by bit against the plainest way to
// say the same: single bits of words, groups one at a time.
#include "planes.h"

#include "encoding.h"
#include "format.h"
#include "kernels.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <random>
#include <vector>

namespace {

using Bytes = std::vector<std::uint8_t>;

// Memory that ends, or begins, right at a page that cannot be touched.
class Guarded {
public:
    explicit Guarded(std::size_t bytes, bool at_end = true)
        : pages_((bytes + 4095) / 4096 + 2), base_(static_cast<std::uint8_t*>(mmap(nullptr, pages_ * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)))
    {
        mprotect(base_ + 4096, (pages_ - 2) * 4096, PROT_READ | PROT_WRITE);
        data_ = at_end ? base_ + (pages_ - 1) * 4096 - bytes : base_ + 4096;
    }
    Guarded(const Guarded&) = delete;
    Guarded& operator=(const Guarded&) = delete;
    ~Guarded() { munmap(base_, pages_ * 4096); }
    std::uint8_t* data() const { return data_; }

private:
    std::size_t pages_;
    std::uint8_t* base_;
    std::uint8_t* data_;
};

// Runs of `elements` elements, each guarded.
struct Runs {
    Runs(unsigned planes, std::uint32_t elements)
    {
        for (unsigned p = 0; p < planes; ++p) {
            runs.push_back(std::make_unique<Guarded>(elements / 8, p % 2 == 0));
            pointers.push_back(runs.back()->data());
        }
    }
    bool bit(unsigned plane, std::uint32_t element) const { return pointers[plane][element / 8] >> element % 8 & 1; }
    std::uint32_t word(unsigned plane, std::uint32_t group) const
    {
        std::uint32_t word;
        std::memcpy(&word, pointers[plane] + 4 * group, 4);
        return word;
    }

    std::vector<std::unique_ptr<Guarded>> runs;
    std::vector<std::uint8_t*> pointers;
};

struct Dtype {
    std::uint8_t code;
    unsigned word_bytes, planes, fraction, exponent;
};

constexpr Dtype dtypes[] = {{SQ_DTYPE_BF16, 2, 16, 7, 8}, {SQ_DTYPE_FP16, 2, 20, 10, 5}, {SQ_DTYPE_FP32, 4, 32, 23, 8}};

// Lengths around the blocks of all levels (128, 256 and 512 elements).
constexpr std::uint32_t lengths[] = {32, 64, 96, 128, 160, 256, 288, 480, 512, 544, 1024, 1536, 2016};

std::uint32_t finite(const Dtype& dtype, std::uint32_t exponent, std::uint32_t fraction, std::uint32_t sign)
{
    const std::uint32_t top = (1u << dtype.exponent) - 2;
    return sign << (8 * dtype.word_bytes - 1) | std::min(exponent, top) << dtype.fraction | (fraction & ((1u << dtype.fraction) - 1));
}

// What a group is made of; each is a way to go wrong.
std::uint32_t adversarial(const Dtype& dtype, unsigned kind, unsigned element, std::mt19937& random)
{
    const std::uint32_t bits = random();
    const std::uint32_t middle = 1u << (dtype.exponent - 1);
    switch (kind % 13) {
    case 0: return finite(dtype, middle + bits % 8, bits >> 8, bits >> 31);                 // like weights
    case 1: return 0;                                                                       // zeros
    case 2: return finite(dtype, 0, 0, bits & 1);                                           // +0 and -0
    case 3: return finite(dtype, 0, bits >> 8, bits >> 31);                                 // all subnormal
    case 4: return finite(dtype, bits % 3, bits >> 8, bits >> 31);                          // partly subnormal
    case 5: return element == bits % 32 ? finite(dtype, 255, bits >> 8, 1) : finite(dtype, bits % 16, bits >> 8, bits >> 31);  // one huge
    case 6: return finite(dtype, bits % 256, bits >> 8, bits >> 31);                        // any exponent
    case 7: return finite(dtype, middle, 0xffffffff, bits >> 31);                           // carries when rounded
    case 8: return finite(dtype, middle - element % 8, 0, bits >> 31);                      // powers of two: ties
    case 9: return element ? 0 : finite(dtype, bits % 256, bits >> 8, bits >> 31);          // one number
    case 10: return finite(dtype, 1 + bits % 40, bits >> 8, bits >> 31);                    // near the smallest
    case 11: return bits % 4 ? finite(dtype, bits % 4 == 1 ? 0 : middle + bits % 8, bits % 8 == 1 ? 0 : bits >> 8, bits >> 31) : 0;  // zeros and subnormals among others
    default: return finite(dtype, middle + element % 2 * 4, bits >> 8 & 7u << (dtype.fraction - 3), bits >> 31);
    }
}

Bytes make_words(const Dtype& dtype, std::uint32_t elements, unsigned seed)
{
    std::mt19937 random(seed);
    Bytes words(elements * dtype.word_bytes);
    // Some versions take blocks another way where a group has no exponent, or a small
    // one, and some of these where all its elements are zeros.
    static const std::vector<unsigned> kinds[] = {{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, {0, 5, 6, 7, 8, 12}, {0, 1, 2, 5, 7, 11}, {0, 8, 11, 12}, {0, 0, 0, 3, 0, 0, 0, 0, 1, 0, 0}};
    const auto& some = kinds[seed % std::size(kinds)];
    for (std::uint32_t i = 0; i < elements; ++i) {
        const std::uint32_t word = adversarial(dtype, some[(seed + i / 32) % some.size()], i % 32, random);
        std::memcpy(&words[i * dtype.word_bytes], &word, dtype.word_bytes);
    }
    return words;
}

// Where planes go to, from element `first` on, with CRCs of their own.
struct Target {
    explicit Target(const Runs& runs, std::uint32_t first = 0, bool streaming = false) : to{runs.pointers.data(), first, crc, streaming} {}
    operator const sqc_runs*() const { return &to; }

    std::uint32_t crc[33] = {};
    sqc_runs to;
};

struct Aligned {
    Aligned(const Dtype& dtype, std::uint32_t elements) : runs(dtype.planes + 1, elements), exponents(elements / 32), sticky(elements / 32) {}

    sqc_planes planes(std::uint32_t first = 0) const
    {
        return {runs.pointers.data(), first, exponents.data() + first / 32, sticky.data() + first / 32, nullptr};
    }

    Runs runs;
    std::vector<std::uint8_t> exponents;
    std::vector<std::uint32_t> sticky;
};

// The group of the words of an aligned region, one element at a time.
sqc_group group_of(const Dtype& dtype, const std::uint8_t* words)
{
    float values[32];
    sqc_group group;
    sqc_words_to_values(dtype.code, words, 32, values);
    sqc_group_align(values, 32, dtype.planes, &group);
    return group;
}

using Planes = EveryKernel<SQC_KERNEL_PLANES>;

TEST_P(Planes, HoldTheBitsOfWords)
{
    std::mt19937 random(1);
    for (const unsigned word_bytes : {1u, 2u, 4u}) {
        for (const std::uint32_t length : lengths) {
            const std::uint32_t first = length % 96 / 32 * 32;
            Runs runs(8 * word_bytes, first + length);
            Guarded words(length * word_bytes), back(length * word_bytes);
            for (std::uint32_t i = 0; i < length * word_bytes; ++i)
                words.data()[i] = static_cast<std::uint8_t>(random());
            sqc_words_to_planes(words.data(), word_bytes, length, Target(runs, first));
            for (std::uint32_t i = 0; i < length; ++i) {
                std::uint32_t word = 0;
                std::memcpy(&word, words.data() + i * word_bytes, word_bytes);
                for (unsigned p = 0; p < 8 * word_bytes; ++p)
                    ASSERT_EQ(runs.bit(p, first + i), word >> (8 * word_bytes - 1 - p) & 1) << word_bytes << ' ' << length << ' ' << i << ' ' << p;
            }
            const sqc_planes planes{runs.pointers.data(), first, nullptr, nullptr, nullptr};
            sqc_planes_to_words(&planes, word_bytes, length, back.data());
            ASSERT_EQ(std::memcmp(back.data(), words.data(), length * word_bytes), 0) << word_bytes << ' ' << length;
        }
    }
}

// What a call makes of words: planes, and what comes with them when they are aligned.
struct Made {
    Made(unsigned planes, std::uint32_t elements) : runs(planes, elements), exponents(elements / 32), sticky(elements / 32) {}

    Runs runs;
    std::vector<std::uint32_t> crc = std::vector<std::uint32_t>(33);
    std::vector<std::uint8_t> exponents;
    std::vector<std::uint32_t> sticky;
};

// Of elements from `first` to `end`.
void make(Made& made, bool aligned, const Dtype& dtype, const Bytes& words, std::uint32_t first, std::uint32_t end, bool streaming)
{
    const sqc_runs to{made.runs.pointers.data(), first, made.crc.data(), streaming};
    const std::uint8_t* from = words.data() + std::size_t{first} * dtype.word_bytes;
    if (aligned)
        sqc_words_to_aligned(from, dtype.code, end - first, &to, made.exponents.data() + first / 32, made.sticky.data() + first / 32);
    else
        sqc_words_to_planes(from, dtype.word_bytes, end - first, &to);
}

// Longer than what is staged at once, and in two parts, the second of which begins at a line or elsewhere; around
// the caches, too; with every version of the CRC, as some are made while planes are.
TEST_P(Planes, AreTheSameAndCheckedHoweverTheyGoToTheirRuns)
{
    constexpr Dtype bytes{0, 1, 8, 0, 0};
    const sqc_kernel_level crc_before = sqc_kernel(SQC_KERNEL_CRC);
    const auto each = [](const Dtype& dtype, bool aligned, std::uint32_t length, std::uint32_t cut, sqc_kernel_level crc) {
        const unsigned planes = aligned ? dtype.planes + 1 : 8 * dtype.word_bytes;
        const Bytes words = make_words(dtype.code ? dtype : dtypes[2], length, length + cut + aligned);
        Made plain(planes, length);
        ASSERT_TRUE(sqc_kernel_force(SQC_KERNEL_PLANES, SQC_LEVEL_PORTABLE));
        ASSERT_TRUE(sqc_kernel_force(SQC_KERNEL_CRC, SQC_LEVEL_PORTABLE));
        make(plain, aligned, dtype, words, 0, length, false);
        ASSERT_TRUE(sqc_kernel_force(SQC_KERNEL_PLANES, GetParam()));
        ASSERT_TRUE(sqc_kernel_force(SQC_KERNEL_CRC, crc));
        for (const bool streaming : {false, true}) {
            Made made(planes, length);
            make(made, aligned, dtype, words, 0, cut, streaming);
            make(made, aligned, dtype, words, cut, length, streaming);
            for (unsigned p = 0; p < planes; ++p) {
                ASSERT_EQ(std::memcmp(made.runs.pointers[p], plain.runs.pointers[p], length / 8), 0) << length << " cut at " << cut << ", plane " << p;
                ASSERT_EQ(made.crc[p], plain.crc[p]) << length << " cut at " << cut << ", plane " << p;
                ASSERT_EQ(made.crc[p], sqc_crc32c(0, made.runs.pointers[p], length / 8)) << length << " plane " << p;
            }
            ASSERT_EQ(made.exponents, plain.exponents) << length << " cut at " << cut;
            ASSERT_EQ(made.sticky, plain.sticky) << length << " cut at " << cut;
        }
    };
    for (const sqc_kernel_level crc : {SQC_LEVEL_PORTABLE, SQC_LEVEL_SSE42, SQC_LEVEL_AVX512}) {
        if (!sqc_kernel_available(SQC_KERNEL_CRC, crc))
            continue;
        for (const std::uint32_t length : {32u, 4064u, 4096u, 4128u, 8192u, 8704u, 12800u, 65536u}) {
            for (const std::uint32_t cut : {0u, length / 3 / 32 * 32, length / 3 / 512 * 512}) {
                for (const Dtype& dtype : dtypes) {
                    each(dtype, false, length, cut, crc);
                    each(dtype, true, length, cut, crc);
                }
                each(bytes, false, length, cut, crc);
            }
        }
    }
    sqc_kernel_force(SQC_KERNEL_CRC, crc_before);
}

TEST_P(Planes, TellWhetherAllWordsAreFinite)
{
    std::mt19937 random(7);
    for (const Dtype& dtype : dtypes) {
        for (const std::uint32_t length : {1u, 31u, 32u, 33u, 127u, 512u, 1001u}) {
            Guarded words(length * dtype.word_bytes);
            for (std::uint32_t i = 0; i < length; ++i) {
                const std::uint32_t word = finite(dtype, random() % 256, random(), random() & 1);
                std::memcpy(words.data() + i * dtype.word_bytes, &word, dtype.word_bytes);
            }
            ASSERT_TRUE(sqc_words_finite(words.data(), dtype.code, length));
            for (unsigned round = 0; round < 20; ++round) {
                std::uint8_t* at = words.data() + random() % length * dtype.word_bytes;
                const std::uint32_t endless = ((1u << dtype.exponent) - 1) << dtype.fraction | (random() & 1) << dtype.fraction / 2;
                std::uint32_t before = 0;
                std::memcpy(&before, at, dtype.word_bytes);
                std::memcpy(at, &endless, dtype.word_bytes);
                ASSERT_FALSE(sqc_words_finite(words.data(), dtype.code, length)) << int{dtype.code} << ' ' << length;
                std::memcpy(at, &before, dtype.word_bytes);
            }
        }
    }
}

TEST_P(Planes, AreAlignedAsGroupsAre)
{
    for (const Dtype& dtype : dtypes) {
        for (unsigned seed = 0; seed < 130; ++seed) {
            const std::uint32_t length = lengths[seed % std::size(lengths)];
            const Bytes words = make_words(dtype, length, seed);
            Guarded given(words.size());
            Aligned aligned(dtype, length);
            std::memcpy(given.data(), words.data(), words.size());
            sqc_words_to_aligned(given.data(), dtype.code, length, Target(aligned.runs), aligned.exponents.data(), aligned.sticky.data());
            for (std::uint32_t g = 0; g < length / 32; ++g) {
                const sqc_group group = group_of(dtype, &words[g * 32 * dtype.word_bytes]);
                ASSERT_EQ(aligned.exponents[g], group.exponent) << int{dtype.code} << " seed " << seed << " group " << g;
                ASSERT_EQ(aligned.sticky[g], group.sticky) << int{dtype.code} << " seed " << seed << " group " << g;
                ASSERT_EQ(aligned.runs.word(0, g), group.sign);
                for (unsigned p = 0; p < dtype.planes; ++p) {
                    for (unsigned i = 0; i < 32; ++i)
                        ASSERT_EQ(aligned.runs.bit(1 + p, 32 * g + i), group.magnitude[i] >> (31 - p) & 1)
                            << int{dtype.code} << " seed " << seed << " group " << g << " plane " << p;
                }
            }
        }
    }
}

TEST_P(Planes, BringBackFloatsButForEscapes)
{
    for (const Dtype& dtype : dtypes) {
        for (unsigned seed = 0; seed < 130; ++seed) {
            const std::uint32_t length = lengths[seed % std::size(lengths)];
            const std::uint32_t first = seed % 3 * 32 < length ? seed % 3 * 32 : 0;
            const Bytes words = make_words(dtype, length, seed);
            Aligned aligned(dtype, length);
            Guarded back((length - first) * dtype.word_bytes);
            sqc_words_to_aligned(words.data(), dtype.code, length, Target(aligned.runs), aligned.exponents.data(), aligned.sticky.data());
            const sqc_planes planes = aligned.planes(first);
            sqc_planes_to_floats(&planes, dtype.code, length - first, back.data());
            for (std::uint32_t i = first; i < length; ++i) {
                if (aligned.sticky[i / 32] >> i % 32 & 1)
                    continue;
                ASSERT_EQ(std::memcmp(back.data() + (i - first) * dtype.word_bytes, &words[i * dtype.word_bytes], dtype.word_bytes), 0)
                    << int{dtype.code} << " seed " << seed << " element " << i;
            }
        }
    }
}

TEST_P(Planes, GiveTheSameFloatsAsThePortableOnesWhateverTheyHold)
{
    std::mt19937 random(5);
    for (const Dtype& dtype : dtypes) {
        for (unsigned round = 0; round < 200; ++round) {
            Aligned aligned(dtype, 512);
            Bytes here(512 * dtype.word_bytes), there(512 * dtype.word_bytes);
            for (auto* run : aligned.runs.pointers) {
                for (unsigned i = 0; i < 64; ++i)
                    run[i] = round % 2 ? static_cast<std::uint8_t>(random()) : 0;
            }
            for (auto& exponent : aligned.exponents)
                exponent = static_cast<std::uint8_t>(round % 3 ? 112 + random() % 32 : random());
            for (unsigned i = 0; i < 8; ++i)
                aligned.runs.pointers[1 + random() % dtype.planes][random() % 64] ^= 1;
            const sqc_planes planes = aligned.planes();
            sqc_planes_to_floats(&planes, dtype.code, 512, here.data());
            ASSERT_TRUE(sqc_kernel_force(SQC_KERNEL_PLANES, SQC_LEVEL_PORTABLE));
            sqc_planes_to_floats(&planes, dtype.code, 512, there.data());
            ASSERT_TRUE(sqc_kernel_force(SQC_KERNEL_PLANES, GetParam()));
            ASSERT_EQ(here, there) << int{dtype.code} << " round " << round;
        }
    }
}

// What mxint's encoder makes of groups that were made of single planes.
Bytes codes_of_groups(const Aligned& aligned, const struct sqc_format* format, std::uint8_t rounding, std::uint32_t first, std::uint32_t count)
{
    const unsigned n = format->code_bits;
    const unsigned magnitudes = rounding == SQ_ROUNDING_TRUNCATE ? n - 1 : n;
    std::vector<sqc_group> groups((count + 31) / 32);
    for (std::uint32_t g = 0; g < groups.size(); ++g) {
        std::uint32_t planes[8];
        for (unsigned p = 0; p < magnitudes; ++p)
            planes[p] = aligned.runs.word(1 + p, first / 32 + g);
        sqc_group_from_planes(planes, magnitudes, groups[g].magnitude);
        groups[g].sign = aligned.runs.word(0, first / 32 + g);
        groups[g].sticky = rounding == SQ_ROUNDING_EVEN ? aligned.sticky[first / 32 + g] : 0;
        groups[g].exponent = 0;
    }
    Bytes codes((count * n + 7) / 8), scales(groups.size());
    const sqc_row_out out{codes.data(), nullptr, scales.data()};
    format->encode(format, rounding, SQ_DTYPE_BF16, groups.data(), count, &out);
    return codes;
}

TEST_P(Planes, GiveTheCodesThatGroupsGive)
{
    std::mt19937 random(3);
    for (unsigned n = 2; n <= 8; ++n) {
        const struct sqc_format* format = sqc_format_find(SQ_FORMAT_MXINT(n));
        for (const std::uint8_t rounding : {SQ_ROUNDING_TRUNCATE, SQ_ROUNDING_NEAREST, SQ_ROUNDING_EVEN}) {
            for (std::uint32_t length = 1; length < 1200; length += 1 + random() % 90) {
                const std::uint32_t whole = (length + 31) / 32 * 32;
                Aligned aligned(dtypes[0], 64 + whole);
                for (auto* run : aligned.runs.pointers) {
                    for (std::uint32_t i = 0; i < (64 + whole) / 8; ++i)
                        run[i] = static_cast<std::uint8_t>(random() | (random() % 4 ? 0 : 0xff));
                }
                for (auto& sticky : aligned.sticky)
                    sticky = random();
                Guarded codes((length * n + 7) / 8);
                const sqc_planes planes = aligned.planes(64);
                sqc_planes_to_codes(&planes, n, rounding, length, codes.data());
                alignas(64) std::uint8_t streamed[1200];
                const sqc_turns turns{[](void*, std::size_t) {}, nullptr};
                const sqc_planes around{planes.run, planes.first, planes.exponents, planes.sticky, &turns};
                sqc_planes_to_codes(&around, n, rounding, length, streamed);
                ASSERT_EQ(std::memcmp(streamed, codes.data(), (length * n + 7) / 8), 0) << n << " bits, length " << length;
                ASSERT_EQ(Bytes(codes.data(), codes.data() + (length * n + 7) / 8), codes_of_groups(aligned, format, rounding, 64, length))
                    << n << " bits, rounding " << int{rounding} << ", length " << length;
            }
        }
    }
}

TEST_P(Planes, GiveTheGroupsOfTheirBits)
{
    std::mt19937 random(4);
    for (unsigned magnitudes = 0; magnitudes <= 32; ++magnitudes) {
        const std::uint32_t groups = 1 + magnitudes % 19;
        Aligned aligned(dtypes[2], groups * 32);
        for (auto* run : aligned.runs.pointers) {
            for (std::uint32_t i = 0; i < groups * 4; ++i)
                run[i] = static_cast<std::uint8_t>(random());
        }
        for (auto& exponent : aligned.exponents)
            exponent = static_cast<std::uint8_t>(random());
        std::vector<sqc_group> made(groups);
        const sqc_planes planes = aligned.planes();
        sqc_planes_to_groups(&planes, magnitudes, groups, made.data());
        for (std::uint32_t g = 0; g < groups; ++g) {
            ASSERT_EQ(made[g].sign, aligned.runs.word(0, g));
            ASSERT_EQ(made[g].exponent, aligned.exponents[g]);
            ASSERT_EQ(made[g].sticky, 0u);
            for (unsigned i = 0; i < 32; ++i) {
                std::uint32_t magnitude = 0;
                for (unsigned p = 0; p < magnitudes; ++p)
                    magnitude |= std::uint32_t{aligned.runs.bit(1 + p, 32 * g + i)} << (31 - p);
                ASSERT_EQ(made[g].magnitude[i], magnitude) << magnitudes << " planes, group " << g << ", element " << i;
            }
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Levels, Planes, ::testing::Values(SQC_LEVEL_PORTABLE, SQC_LEVEL_AVX2, SQC_LEVEL_AVX512), kernel_name);

}  // namespace
