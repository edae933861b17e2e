// SPDX-License-Identifier: MIT
//
// Whole regions through the public interface of the library: what an engine
// that loads weights at a precision gets from the embedded store.
#include <algorithm>
#include <cstring>
#include <map>
#include <numeric>
#include <span>
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

std::size_t plane_bytes_of(Format format)
{
	const smartquant::ReadRequest request{.format = format};
	std::vector<std::byte> buffer(region(1).layout(request).bytes);

	return plane_bytes(region(1).fetch(request, buffer));
}

void fetch(benchmark::State &state, Format format, unsigned int threads)
{
	const smartquant::ReadRequest request{.format = format};
	std::vector<std::byte> out(region(threads).layout(request).bytes);
	smartquant::FetchResult result;

	for (auto _ : state)
		result = region(threads).fetch(request, out);
	state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * plane_bytes(result)));
	state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * result.elements));
	state.SetLabel(fmt::format("{}x{} bf16, {:.1f} MB of planes to {:.1f} MB, {} threads", rows(),
				   cols, static_cast<double>(plane_bytes(result)) / 1e6,
				   static_cast<double>(out.size()) / 1e6, threads));
}

// As many bytes as the fetch reads from planes, copied from one place to another.
void copy(benchmark::State &state, Format format, unsigned int)
{
	const std::size_t bytes = plane_bytes_of(format);
	const std::vector<std::byte> from(bytes, std::byte{1});
	std::vector<std::byte> to(bytes);

	for (auto _ : state) {
		std::memcpy(to.data(), from.data(), bytes);
		benchmark::ClobberMemory();
	}
	state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * bytes));
}

std::uint64_t sum(std::span<const std::uint64_t> words)
{
	return std::reduce(words.begin(), words.end(), std::uint64_t{0});
}

// As many bytes as the fetch reads from planes, summed up out of memory that is
// in no cache, a stretch a thread: the most that any reader gets.
void streaming_read(benchmark::State &state, Format format, unsigned int threads)
{
	static const std::vector<std::uint64_t> memory(bench::cold_bytes() / 8, 1);
	const std::size_t share = plane_bytes_of(format) / 8 / threads;
	const std::size_t stretches = memory.size() / share;
	std::vector<std::uint64_t> sums(threads);
	std::size_t next = 0;

	for (auto _ : state) {
		std::vector<std::jthread> others;

		for (unsigned int i = 0; i < threads; ++i) {
			const std::span words(&memory[next++ % stretches * share], share);

			if (i + 1 < threads)
				others.emplace_back([&, i, words] { sums[i] = sum(words); });
			else
				sums[i] = sum(words);
		}
		others.clear();
		benchmark::DoNotOptimize(sums.data());
	}
	state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * share * threads * 8));
	state.SetLabel("cold: rotating over 512 MiB");
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
		add(fmt::format("whole.{}.1thread/peer:streaming-read", name), streaming_read, format, 1);
		add(fmt::format("whole.{}.{}threads/ours", name, cpus), fetch, format, cpus);
		add(fmt::format("whole.{}.{}threads/peer:1thread", name, cpus), fetch, format, 1);
		add(fmt::format("whole.{}.{}threads/peer:streaming-read", name, cpus),
		    streaming_read, format, cpus);
	}
	return true;
}();

} // namespace
