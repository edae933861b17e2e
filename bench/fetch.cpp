// SPDX-License-Identifier: MIT
//
// Whole regions through the public interface of the library: what an engine
// that loads weights at a precision gets from the embedded store.
#include <cstring>
#include <random>

#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <smartquant/smartquant.hpp>

#include "conditions.hpp"

namespace {

using smartquant::Format;

constexpr std::uint32_t cols = 4096;

std::uint32_t rows()
{
	return bench::smoke() ? 64 : 8192;
}

// Normally distributed bf16, like weights.
std::vector<std::byte> weights()
{
	std::vector<std::byte> bytes(std::size_t{rows()} * cols * 2);
	std::mt19937 random(1);
	std::normal_distribution<float> normal(0, 0.02f);

	for (std::size_t i = 0; i < bytes.size(); i += 2) {
		const float value = normal(random);

		std::memcpy(&bytes[i], reinterpret_cast<const char *>(&value) + 2, 2);
	}
	return bytes;
}

const smartquant::Region &region()
{
	static const smartquant::Region made = [] {
		smartquant::Store store = smartquant::Store::open("embedded:");
		smartquant::Region region =
			store.create_region({.name = "weights", .rows = rows(), .cols = cols});

		region.store(weights());
		return region;
	}();

	return made;
}

std::uint64_t plane_bytes(const smartquant::FetchResult &result)
{
	return (result.plane_lines + result.check_lines) * 64;
}

void fetch(benchmark::State &state, Format format)
{
	const smartquant::ReadRequest request{.format = format};
	std::vector<std::byte> out(region().layout(request).bytes);
	smartquant::FetchResult result;

	for (auto _ : state)
		result = region().fetch(request, out);
	state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * plane_bytes(result)));
	state.SetLabel(fmt::format("{}x{} bf16, {:.1f} MB of planes to {:.1f} MB", rows(), cols,
				   static_cast<double>(plane_bytes(result)) / 1e6,
				   static_cast<double>(out.size()) / 1e6));
}

// As many bytes as the fetch reads from planes, copied from one place to another.
void copy(benchmark::State &state, Format format)
{
	const smartquant::ReadRequest request{.format = format};
	std::vector<std::byte> buffer(region().layout(request).bytes);
	const std::size_t bytes = plane_bytes(region().fetch(request, buffer));
	const std::vector<std::byte> from(bytes, std::byte{1});
	std::vector<std::byte> to(bytes);

	for (auto _ : state) {
		std::memcpy(to.data(), from.data(), bytes);
		benchmark::ClobberMemory();
	}
	state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * bytes));
}

const bool registered = [] {
	for (const char *name : {"native", "mxint8", "mxint4", "planes4"}) {
		const Format format = Format::parse(name);

		benchmark::RegisterBenchmark(fmt::format("whole.{}/ours", name).c_str(), fetch, format)
			->UseRealTime();
		benchmark::RegisterBenchmark(fmt::format("whole.{}/peer:copy-of-planes", name).c_str(),
					     copy, format)
			->UseRealTime();
	}
	return true;
}();

} // namespace
