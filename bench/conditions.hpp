// SPDX-License-Identifier: MIT
//
// What every benchmark program shares: how much memory "cold" takes
//
// A case is named CASE/ours, its peers CASE/peer:PEER. Its label holds the
// conditions: sizes, threads, cold or warm, the kernel in force. A figure that
// is not a time is the counter value_UNIT, of which less is better.
#ifndef SMARTQUANT_BENCH_CONDITIONS_HPP
#define SMARTQUANT_BENCH_CONDITIONS_HPP

#include <cstddef>
#include <cstdlib>

namespace bench {

// A test of the program itself: as little memory and work as will do.
inline bool smoke()
{
	return std::getenv("SQ_BENCH_SMOKE") != nullptr;
}

// Rotating over so many bytes finds none of them in a cache.
inline std::size_t cold_bytes()
{
	return smoke() ? std::size_t{8} << 20 : std::size_t{512} << 20;
}

} // namespace bench

#endif // SMARTQUANT_BENCH_CONDITIONS_HPP
