// SPDX-License-Identifier: MIT
//
// What a fetch reads, line by line, and what the model makes of it where the
// store itself placed the planes
#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include <smartquant/dram.hpp>
#include <smartquant/smartquant.hpp>

#include "../suite/fixture.hpp"

namespace sqtest {

using smartquant::FetchTrace;
namespace dram = smartquant::dram;

// docs/dram-model.md: whole segments, live form against the simulator.
constexpr double live_tolerance = 0.05;
// Four planes of sixteen are a quarter of the reads; the rest is what rows and
// refreshes cost more.
constexpr double quarter_limit = 0.26;

// A plane of a whole segment; the tail's runs are shorter.
constexpr std::uint64_t plane_lines = 128;

static std::uint64_t lines_of(const std::vector<dram::Run> &runs)
{
	std::uint64_t lines = 0;

	for (const dram::Run &run : runs)
		lines += run.lines;
	return lines;
}

// 16 MiB of bf16 in a store of its own: 128 segments.
class TraceTest : public testing::Test {
protected:
	TraceTest()
	{
		region.store(sample_words(Dtype::Bf16, 8192 * 1024));
	}

	Store store = Store::open("embedded:", {.size_bytes = 64u << 20});
	Region region = store.create_region({.name = "w", .rows = 8192, .cols = 1024});
};

TEST_F(TraceTest, HoldsEveryLineThatWasCounted)
{
	for (const ReadRequest &request :
	     {ReadRequest{.format = Format::native()}, ReadRequest{.format = Format::mxint(4)},
	      ReadRequest{.format = Format::mxint(3), .rounding = Rounding::Even},
	      ReadRequest{.format = Format::mx(6), .axis = Axis::Col, .rows = {100, 300}},
	      ReadRequest{.format = Format::planes(5), .rows = {3, 4}}}) {
		const FetchTrace trace = region.trace(request);
		std::vector<std::byte> bytes(region.layout(request).bytes);
		const smartquant::FetchResult fetched = region.fetch(request, bytes);

		EXPECT_EQ(lines_of(trace.runs), fetched.plane_lines);
		EXPECT_EQ(trace.result.plane_lines, fetched.plane_lines);
		EXPECT_EQ(trace.result.check_lines, fetched.check_lines);
		EXPECT_EQ(trace.result.bytes, fetched.bytes);
		EXPECT_EQ(trace.result.dram_time, fetched.dram_time);
		EXPECT_EQ(trace.result.dram_energy_pj, fetched.dram_energy_pj);
		for (const dram::Run &run : trace.runs)
			EXPECT_TRUE(run.address % 64 == 0 && run.lines > 0);
	}
}

TEST_F(TraceTest, CostsInTheSimulatorWhatTheFetchWasModelledAt)
{
	std::vector<Format> formats{Format::native()};

	for (unsigned int planes = 1; planes <= 17; ++planes)
		formats.push_back(Format::planes(planes));
	for (unsigned int bits = 2; bits <= 8; ++bits)
		formats.push_back(Format::mxint(bits));
	for (const Format format : formats) {
		const FetchTrace trace = region.trace({.format = format});
		const dram::Report report = dram::simulate(trace.runs);
		const auto time_ns = static_cast<double>(trace.result.dram_time.count());
		const auto energy_pj = static_cast<double>(trace.result.dram_energy_pj);

		EXPECT_EQ(report.reads, trace.result.plane_lines);
		EXPECT_NEAR(time_ns / report.time_ns, 1, live_tolerance) << format.name();
		EXPECT_NEAR(energy_pj / report.energy_pj, 1, live_tolerance) << format.name();
	}
}

// The planes of a fetch alone, without exponents, of which every precision
// reads all.
static std::vector<dram::Run> planes_of(const Region &region, unsigned int planes)
{
	std::vector<dram::Run> runs = region.trace({.format = Format::planes(planes)}).runs;

	std::erase_if(runs, [](const dram::Run &run) { return run.lines != plane_lines; });
	EXPECT_EQ(runs.size(), 128 * planes);
	return runs;
}

TEST_F(TraceTest, ReadsFourOfSixteenPlanesForAboutAQuarter)
{
	const dram::Report four = dram::simulate(planes_of(region, 4)), all = dram::simulate(planes_of(region, 16));

	EXPECT_LE(four.energy_pj, quarter_limit * all.energy_pj);
	EXPECT_LE(four.time_ns, quarter_limit * all.time_ns);
	// With exponents, against the lines that these are more.
	const FetchTrace with_four = region.trace({.format = Format::planes(4)});
	const FetchTrace with_all = region.trace({.format = Format::planes(16)});
	const double lines = static_cast<double>(with_four.result.plane_lines) /
			     static_cast<double>(with_all.result.plane_lines);

	EXPECT_LE(static_cast<double>(with_four.result.dram_energy_pj),
		  lines * quarter_limit * 4 * static_cast<double>(with_all.result.dram_energy_pj));
}

} // namespace sqtest
