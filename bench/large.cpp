// SPDX-License-Identifier: MIT
//
// Regions larger than any cache, in and out through the public interface, one
// thread. The peers copy as many bytes as a case reads and writes, out of
// memory and into it: half of the sum, as a copy does both with each.
#include <algorithm>
#include <chrono>
#include <cstring>
#include <map>
#include <optional>

#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <smartquant/smartquant.hpp>

#include "conditions.hpp"
#include "kernel.h"
#include "weights.hpp"

namespace {

using smartquant::Format;
using smartquant::Placement;

constexpr std::uint32_t cols = 4096;

// A region of each placement, and memory as large as its words.
class Large {
public:
	static Large &instance()
	{
		static Large large;

		return large;
	}

	smartquant::Region &region(Placement placement)
	{
		const auto found = regions_.find(placement);

		if (found != regions_.end())
			return found->second;
		auto region = store_.create_region({.name = fmt::format("w{}", regions_.size()),
						    .rows = rows,
						    .cols = cols,
						    .placement = placement});
		region.store(data);
		return regions_.emplace(placement, std::move(region)).first->second;
	}

	const std::uint32_t rows = bench::smoke() ? 256 : 32768;
	const std::vector<std::byte> data = bench::weights(std::size_t{rows} * cols);
	std::vector<std::byte> out = std::vector<std::byte>(data.size() + data.size() / 8);

private:
	smartquant::Store store_ = smartquant::Store::open(
		"embedded:", {.size_bytes = std::uint64_t{2} << 30, .threads = 1});
	std::map<Placement, smartquant::Region> regions_;
};

struct Traffic {
	std::uint64_t read;
	std::uint64_t written;
};

Traffic store_once(Placement placement)
{
	Large &large = Large::instance();
	smartquant::Region &region = large.region(placement);
	const auto before = region.statistics().written_lines;

	region.store(large.data);
	return {large.data.size(), (region.statistics().written_lines - before) * 64};
}

Traffic fetch_once(Placement placement, Format format)
{
	Large &large = Large::instance();
	const smartquant::Region &region = large.region(placement);
	const smartquant::ReadRequest request{.format = format};
	const std::span out(large.out.data(), region.layout(request).bytes);
	const auto result = region.fetch(request, out);

	return {(result.plane_lines + result.check_lines) * 64, out.size()};
}

struct Case {
	Placement placement;
	std::optional<Format> format; // nothing: a store
};

Traffic once(const Case &what)
{
	return what.format ? fetch_once(what.placement, *what.format) : store_once(what.placement);
}

void ours(benchmark::State &state, const Case &what)
{
	Traffic traffic = once(what);

	traffic = once(what); // what a store replaces has its memory now, too
	for (auto _ : state)
		traffic = once(what);
	state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * (traffic.read + traffic.written)));
	state.SetLabel(fmt::format("{}x{} bf16, {:.0f} MB read + {:.0f} MB written, 1 thread, planes:{}, crc:{}",
				   Large::instance().rows, cols, static_cast<double>(traffic.read) / 1e6,
				   static_cast<double>(traffic.written) / 1e6,
				   sqc_kernel_level_name(sqc_kernel(SQC_KERNEL_PLANES)),
				   sqc_kernel_level_name(sqc_kernel(SQC_KERNEL_CRC))));
}

// In calls of so many bytes: the library goes around the caches for large ones,
// the CPU has its own way with small ones.
void copy(benchmark::State &state, const Case &what, std::size_t piece)
{
	Large &large = Large::instance();
	const Traffic traffic = once(what);
	const std::size_t bytes = std::min((traffic.read + traffic.written) / 2, large.data.size());
	const double share = static_cast<double>(traffic.read + traffic.written) / 2 / static_cast<double>(bytes);

	for (auto _ : state) {
		const auto begin = std::chrono::steady_clock::now();

		for (std::size_t at = 0; at < bytes; at += piece)
			std::memcpy(&large.out[at], &large.data[at], std::min(piece, bytes - at));
		benchmark::ClobberMemory();
		state.SetIterationTime(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count() *
				       share);
	}
	state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * (traffic.read + traffic.written)));
	state.SetLabel(fmt::format("calls of {} KiB, of as many bytes read + written", piece >> 10));
}

void add(const std::string &name, const Case &what)
{
	benchmark::RegisterBenchmark(fmt::format("large.{}/ours", name).c_str(), ours, what)->UseRealTime();
	for (const std::size_t piece : {std::size_t{128} << 10, std::size_t{1} << 30})
		benchmark::RegisterBenchmark(
			fmt::format("large.{}/peer:copy-{}", name, piece >> 20 ? "at-once" : "128k").c_str(), copy,
			what, piece)->UseManualTime();
}

const bool registered = [] {
	for (const Placement placement : {Placement::Word, Placement::Aligned}) {
		const char *suffix = placement == Placement::Word ? "word" : "aligned";

		add(fmt::format("store.{}", suffix), {placement, {}});
		add(fmt::format("fetch.native.{}", suffix), {placement, Format::parse("native")});
	}
	for (const char *name : {"mxint8", "mxint6", "mxint4", "mxint2"})
		add(fmt::format("fetch.{}", name), {Placement::Aligned, Format::parse(name)});
	for (const unsigned int planes : {1, 2, 4, 6, 8, 10, 12, 14, 16})
		add(fmt::format("fetch.planes{}", planes),
		    {Placement::Aligned, Format::parse(fmt::format("planes{}", planes))});
	return true;
}();

} // namespace
