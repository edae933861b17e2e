// SPDX-License-Identifier: MIT
//
// A region full of weights in an embedded store of its own
#ifndef SMARTQUANT_BENCH_WEIGHTS_HPP
#define SMARTQUANT_BENCH_WEIGHTS_HPP

#include <cstring>
#include <random>
#include <vector>

#include <smartquant/smartquant.hpp>

namespace bench {

// Normally distributed bf16.
inline std::vector<std::byte> weights(std::size_t count)
{
	std::vector<std::byte> bytes(count * 2);
	std::mt19937 random(1);
	std::normal_distribution<float> normal(0, 0.02f);

	for (std::size_t i = 0; i < bytes.size(); i += 2) {
		const float value = normal(random);

		std::memcpy(&bytes[i], reinterpret_cast<const char *>(&value) + 2, 2);
	}
	return bytes;
}

inline smartquant::Region region_of_weights(std::uint32_t rows, std::uint32_t cols,
					    unsigned int threads)
{
	smartquant::Store store = smartquant::Store::open("embedded:", {.threads = threads});
	smartquant::Region region = store.create_region({.name = "w", .rows = rows, .cols = cols});

	region.store(weights(std::size_t{rows} * cols));
	return region;
}

} // namespace bench

#endif // SMARTQUANT_BENCH_WEIGHTS_HPP
