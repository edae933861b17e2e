// SPDX-License-Identifier: MIT
//
// What the live DRAM model costs a fetch: the model alone on the runs that the
// fetch reads, beside the whole fetch, the model included. The ratio is the
// model's share.
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <smartquant/smartquant.hpp>

#include <dram.h>

#include "conditions.hpp"
#include "weights.hpp"

namespace {

using smartquant::ReadRequest;
using smartquant::Region;

struct Shape {
	const char *name;
	ReadRequest request;
};

const Region &region()
{
	static const Region made = bench::region_of_weights(bench::smoke() ? 64 : 8192, 4096, 1);

	return made;
}

void model(benchmark::State &state, const ReadRequest &request)
{
	const smartquant::FetchTrace trace = region().trace(request);
	std::vector<sqc_dram_run> runs;
	std::uint64_t time_ns = 0, energy_pj = 0;

	for (const smartquant::dram::Run &run : trace.runs)
		runs.push_back({run.address, run.lines});
	for (auto _ : state) {
		sqc_dram_cost cost;

		sqc_dram_cost_begin(&cost, nullptr, SQC_DRAM_INTERLEAVED);
		sqc_dram_cost_runs(&cost, runs.data(), runs.size());
		sqc_dram_cost_end(&cost, &time_ns, &energy_pj);
		benchmark::DoNotOptimize(energy_pj);
	}
	if (time_ns != static_cast<std::uint64_t>(trace.result.dram_time.count()))
		state.SkipWithError("the model alone says something else than the fetch");
	state.SetLabel(fmt::format("{} runs, {} lines, 1 thread, warm", trace.runs.size(),
				   trace.result.plane_lines));
}

void fetch(benchmark::State &state, const ReadRequest &request)
{
	std::vector<std::byte> out(region().layout(request).bytes);

	for (auto _ : state)
		region().fetch(request, out);
}

const bool registered = [] {
	using smartquant::Format;
	for (const auto &[name, request] :
	     {Shape{"planes4", {.format = Format::planes(4)}},
	      Shape{"planes16", {.format = Format::planes(16)}},
	      Shape{"mxint4", {.format = Format::mxint(4)}},
	      Shape{"native", {.format = Format::native()}},
	      Shape{"planes4.1row", {.format = Format::planes(4), .rows = {8, 9}}},
	      Shape{"mxint4.1row", {.format = Format::mxint(4), .rows = {8, 9}}}}) {
		benchmark::RegisterBenchmark(fmt::format("live.{}/ours", name).c_str(), model, request)
			->UseRealTime();
		benchmark::RegisterBenchmark(fmt::format("live.{}/peer:whole-fetch", name).c_str(),
					     fetch, request)
			->UseRealTime();
	}
	return true;
}();

} // namespace
