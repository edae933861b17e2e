// SPDX-License-Identifier: MIT
//
// Whole regions through the public interface of the library: what an engine
// that loads weights at a precision gets from the embedded store.
#include <algorithm>
#include <cstring>
#include <map>
#include <thread>

#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <smartquant/smartquant.hpp>

#include "conditions.hpp"
#include "weights.hpp"

namespace {

using smartquant::Format;

constexpr std::uint32_t cols = 4096;

std::uint32_t rows()
{
	return bench::smoke() ? 256 : 8192;
}

// The same region in stores of so many threads.
const smartquant::Region &region(unsigned int threads)
{
	static std::map<unsigned int, smartquant::Region> regions;
	const auto found = regions.find(threads);

	if (found != regions.end())
		return found->second;
	return regions.emplace(threads, bench::region_of_weights(rows(), cols, threads)).first->second;
}

std::uint64_t plane_bytes(const smartquant::FetchResult &result)
{
	return (result.plane_lines + result.check_lines) * 64;
}

void fetch(benchmark::State &state, Format format, unsigned int threads)
{
	const smartquant::ReadRequest request{.format = format};
	std::vector<std::byte> out(region(threads).layout(request).bytes);
	smartquant::FetchResult result;

	for (auto _ : state)
		result = region(threads).fetch(request, out);
	state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * plane_bytes(result)));
	state.SetLabel(fmt::format("{}x{} bf16, {:.1f} MB of planes to {:.1f} MB, {} threads", rows(),
				   cols, static_cast<double>(plane_bytes(result)) / 1e6,
				   static_cast<double>(out.size()) / 1e6, threads));
}

// As many bytes as the fetch reads from planes, copied from one place to another.
void copy(benchmark::State &state, Format format, unsigned int)
{
	const smartquant::ReadRequest request{.format = format};
	std::vector<std::byte> buffer(region(1).layout(request).bytes);
	const std::size_t bytes = plane_bytes(region(1).fetch(request, buffer));
	const std::vector<std::byte> from(bytes, std::byte{1});
	std::vector<std::byte> to(bytes);

	for (auto _ : state) {
		std::memcpy(to.data(), from.data(), bytes);
		benchmark::ClobberMemory();
	}
	state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * bytes));
}

void add(const std::string &name, void (*function)(benchmark::State &, Format, unsigned int),
	 Format format, unsigned int threads)
{
	benchmark::RegisterBenchmark(name.c_str(), function, format, threads)->UseRealTime();
}

const bool registered = [] {
	const unsigned int cpus = std::max(std::thread::hardware_concurrency(), 2u);

	for (const char *name : {"native", "mxint8", "mxint4", "planes4"}) {
		const Format format = Format::parse(name);

		add(fmt::format("whole.{}.1thread/ours", name), fetch, format, 1);
		add(fmt::format("whole.{}.1thread/peer:copy-of-planes", name), copy, format, 1);
		add(fmt::format("whole.{}.{}threads/ours", name, cpus), fetch, format, cpus);
		add(fmt::format("whole.{}.{}threads/peer:1thread", name, cpus), fetch, format, 1);
	}
	return true;
}();

} // namespace
