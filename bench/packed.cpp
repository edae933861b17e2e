// SPDX-License-Identifier: MIT
//
// Coding packed on real weights: all-MiniLM-L6-v2 as the library loads it, read
// by one thread. Without the model (scripts/bench fetches it) some drawn weights
// stand for it. packed.py has the peers that are Python packages.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <numeric>

#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <smartquant/model.hpp>
#include <smartquant/smartquant.hpp>

#include "conditions.hpp"
#include "weights.hpp"

namespace {

using smartquant::Axis;
using smartquant::Format;
using smartquant::Rounding;

constexpr std::uint64_t store_bytes = std::uint64_t{512} << 20;

// Every float region of a model, in a store of one thread.
struct Model {
	std::vector<smartquant::Region> regions = {};
	std::uint64_t weights = 0;
	std::size_t longest = 0;	// bytes of a region, natively
	const char *name = "";
};

Model make(smartquant::model::LoadDtype dtype, bool packed)
{
	const char *folder = std::getenv("SQ_PEER_MINILM");
	Model model;

	if (folder && !bench::smoke()) {
		smartquant::Store store = smartquant::Store::open(
			"embedded:", {.size_bytes = store_bytes, .threads = 1});

		smartquant::model::load(store, std::filesystem::path(folder) / "model.safetensors",
					{.name = "minilm", .dtype = dtype});
		for (const smartquant::RegionInfo &info : store.regions())
			if (info.placement == smartquant::Placement::Aligned)
				model.regions.push_back(store.region(info.name));
		model.name = "all-MiniLM-L6-v2";
	} else {
		model.regions.push_back(bench::region_of_weights(bench::smoke() ? 64 : 4096, 4096, 1));
		model.name = "drawn weights";
	}
	for (smartquant::Region &region : model.regions) {
		const smartquant::RegionInfo info = region.info();

		if (packed)
			region.pack();
		model.weights += std::uint64_t{info.rows} * info.cols;
		model.longest = std::max<std::size_t>(
			model.longest, region.layout({.format = Format::native()}).bytes);
	}
	return model;
}

template <smartquant::model::LoadDtype dtype, bool packed>
const Model &model()
{
	static const Model made = make(dtype, packed);

	return made;
}

constexpr auto bf16 = smartquant::model::LoadDtype::Bf16;
constexpr auto fp32 = smartquant::model::LoadDtype::Fp32;

void label(benchmark::State &state, const Model &model)
{
	state.SetLabel(fmt::format("{}, {:.1f} M weights, 1 thread", model.name,
				   static_cast<double>(model.weights) / 1e6));
}

void read(benchmark::State &state, const Model &model, Format format, Axis axis)
{
	std::vector<std::byte> out(model.longest);

	for (auto _ : state)
		for (const smartquant::Region &region : model.regions)
			region.fetch({.format = format, .axis = axis}, out);
	// Of bf16, whatever the format makes of it.
	state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * model.weights * 2));
	label(state, model);
}

void size(benchmark::State &state, const Model &model)
{
	std::uint64_t bytes = 0;

	for (auto _ : state)
		bytes = std::accumulate(model.regions.begin(), model.regions.end(), std::uint64_t{0},
					[](std::uint64_t sum, const smartquant::Region &region) {
						return sum + region.info().stored_bytes;
					});
	state.counters["value_bits_per_weight"] =
		8.0 * static_cast<double>(bytes) / static_cast<double>(model.weights);
	label(state, model);
}

// What a read of the first magnitude planes takes, exponents included.
void planes(benchmark::State &state, const Model &model, unsigned int count)
{
	const smartquant::ReadRequest request{.format = Format::mxint(count + 1),
					      .rounding = Rounding::Truncate};
	std::vector<std::byte> out(model.longest);
	std::uint64_t lines = 0;

	for (auto _ : state) {
		lines = 0;
		for (const smartquant::Region &region : model.regions)
			lines += region.fetch(request, out).plane_lines;
	}
	state.counters["value_bits_per_weight"] =
		512.0 * static_cast<double>(lines) / static_cast<double>(model.weights);
	label(state, model);
}

template <typename Case>
void add(const std::string &name, Case measure)
{
	benchmark::RegisterBenchmark(name.c_str(), measure)->UseRealTime();
}

const bool registered = [] {
	for (const char *format : {"native", "mxint8", "mxint4"}) {
		const Format parsed = Format::parse(format);

		add(fmt::format("packed.read.{}/ours", format),
		    [=](auto &state) { read(state, model<bf16, true>(), parsed, Axis::Row); });
		add(fmt::format("packed.read.{}/peer:raw-planes", format),
		    [=](auto &state) { read(state, model<bf16, false>(), parsed, Axis::Row); });
	}
	for (const char *format : {"native", "mxint4"}) {
		const Format parsed = Format::parse(format);

		add(fmt::format("packed.columns.{}/ours", format),
		    [=](auto &state) { read(state, model<bf16, true>(), parsed, Axis::Col); });
		add(fmt::format("packed.columns.{}/peer:raw-planes", format),
		    [=](auto &state) { read(state, model<bf16, false>(), parsed, Axis::Col); });
	}
	add("packed.size.bf16/ours", [](auto &state) { size(state, model<bf16, true>()); });
	add("packed.size.bf16/peer:raw-planes", [](auto &state) { size(state, model<bf16, false>()); });
	add("packed.size.fp32/ours", [](auto &state) { size(state, model<fp32, true>()); });
	add("packed.size.fp32/peer:raw-planes", [](auto &state) { size(state, model<fp32, false>()); });
	for (const unsigned int count : {2u, 3u, 4u, 7u}) {
		add(fmt::format("packed.top{}.bf16/ours", count),
		    [=](auto &state) { planes(state, model<bf16, true>(), count); });
		add(fmt::format("packed.top{}.bf16/peer:raw-planes", count),
		    [=](auto &state) { planes(state, model<bf16, false>(), count); });
	}
	return true;
}();

} // namespace
