// SPDX-License-Identifier: MIT
//
// Read lists for the tests of the DRAM model. They are made by rule, so that
// another simulator can be given the very same reads.
#ifndef SMARTQUANT_TESTS_DRAM_TRACES_HPP
#define SMARTQUANT_TESTS_DRAM_TRACES_HPP

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <dram.h>

namespace dram_traces {

using Runs = std::vector<sqc_dram_run>;

// Marsaglia's xorshift with shifts 13, 7, 17.
class Random {
public:
    explicit Random(std::uint64_t seed) : state_(seed) {}
    std::uint64_t below(std::uint64_t limit)
    {
        state_ ^= state_ << 13;
        state_ ^= state_ >> 7;
        state_ ^= state_ << 17;
        return state_ % limit;
    }

private:
    std::uint64_t state_;
};

// 16 MiB as 256 superblocks of 64 KiB; plane p of one is 4 KiB at p x 4096.
// `planes_of` says how many planes of a superblock are read, `place` where the
// i-th of them lies.
inline Runs superblocks(const std::function<unsigned(unsigned)>& planes_of,
                        const std::function<unsigned(unsigned, unsigned)>& place)
{
    Runs runs;
    for (unsigned s = 0; s < 256; ++s)
        for (unsigned i = 0; i < planes_of(s); ++i)
            runs.push_back({s * 65536ull + place(s, i) * 4096ull, 64});
    return runs;
}

inline Runs planes(unsigned k)
{
    return superblocks([k](unsigned) { return k; }, [](unsigned, unsigned i) { return i; });
}

// Top k planes of 17 in 128 segments that follow each other: runs of 8 KiB,
// then 2 KiB of exponents.
inline Runs segments(unsigned k)
{
    Runs runs;
    for (unsigned s = 0; s < 128; ++s) {
        const std::uint64_t base = s * (17 * 8192ull + 2048);
        for (unsigned p = 0; p < k; ++p)
            runs.push_back({base + p * 8192, 128});
        runs.push_back({base + 17 * 8192, 32});
    }
    return runs;
}

// `lines` lines of each of k planes in one segment, and a line of exponents:
// what a read of a few rows touches.
inline Runs rows(unsigned lines, unsigned k)
{
    const std::uint64_t base = 696320;
    Runs runs;
    for (unsigned p = 0; p < k; ++p)
        runs.push_back({base + p * 8192 + 7 * 64, lines});
    runs.push_back({base + 17 * 8192 + 64, 1});
    return runs;
}

// Two lines of each of five planes, at 400 places of 1000 segments.
inline Runs gathered_rows()
{
    Random random(88172645463325252ull);
    Runs runs;
    for (unsigned i = 0; i < 400; ++i) {
        const std::uint64_t base = random.below(1000) * (17 * 8192 + 2048);
        const std::uint64_t line = random.below(126);
        for (unsigned p = 0; p < 5; ++p)
            runs.push_back({base + p * 8192 + line * 64, 2});
    }
    return runs;
}

inline Runs random_runs(unsigned count, std::uint64_t lines)
{
    Random random(88172645463325252ull);
    Runs runs;
    for (unsigned i = 0; i < count; ++i)
        runs.push_back({random.below((std::uint64_t{1} << 34) / 64 / lines) * 64 * lines, lines});
    return runs;
}

inline Runs strided(std::uint64_t bytes)
{
    Runs runs;
    for (unsigned i = 0; i < 16384; ++i)
        runs.push_back({i * bytes, 1});
    return runs;
}

// One line asked for again while it is still on its way.
inline Runs repeated()
{
    Runs runs(200, {0, 1});
    for (unsigned i = 0; i < 50; ++i) {
        runs.push_back({64, 1});
        runs.push_back({0, 1});
        runs.push_back({128, 1});
    }
    return runs;
}

// All of them, by name.
inline std::map<std::string, Runs> all()
{
    static constexpr unsigned mixed[8] = {2, 4, 8, 3, 16, 5, 1, 12};
    std::map<std::string, Runs> traces = {
        {"word-major", {{0, 262144}}},
        {"planes, k by superblock", superblocks([](unsigned s) { return mixed[s % 8]; },
                                                [](unsigned, unsigned i) { return i; })},
        {"planes, rotated by k, k=4",
         superblocks([](unsigned) { return 4; },
                     [](unsigned s, unsigned i) { return (i + 4 * s) % 16; })},
        {"planes, rotated by 1, k=2",
         superblocks([](unsigned) { return 2; },
                     [](unsigned s, unsigned i) { return (i + s) % 16; })},
        {"gathered rows", gathered_rows()},
        {"random lines", random_runs(32768, 1)},
        {"random runs of 16 lines", random_runs(4096, 16)},
        {"repeated lines", repeated()},
    };
    for (unsigned k = 1; k <= 16; ++k)
        traces["planes, k=" + std::to_string(k)] = planes(k);
    for (unsigned k : {1, 2, 4, 5, 9, 17})
        traces["segments, k=" + std::to_string(k)] = segments(k);
    for (unsigned lines : {1, 2, 5, 10})
        for (unsigned k : {2, 4, 5, 9})
            traces["rows, lines=" + std::to_string(lines) + ", k=" + std::to_string(k)] =
                rows(lines, k);
    for (std::uint64_t bytes : {128, 256, 4096, 8192, 65536, 262144, 790080})
        traces["stride " + std::to_string(bytes)] = strided(bytes);
    return traces;
}

} // namespace dram_traces

#endif // SMARTQUANT_TESTS_DRAM_TRACES_HPP
