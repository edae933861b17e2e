// SPDX-License-Identifier: MIT
//
// Measured speed of reads: bench.
#include "command_line.hpp"

#include <algorithm>
#include <memory>

#include <fmt/format.h>

#include "documents.hpp"
#include "read_path.hpp"
#include "selection.hpp"
#include "stopwatch.hpp"
#include "text.hpp"

namespace sqctl {
namespace {

struct BenchOptions {
	std::string name;
	std::vector<std::string> formats = {"native", "mxint4"};
	std::vector<std::string> paths = read_path_names();
	double seconds = 1;
};

// Loads from a view are what is measured, so every cache line is touched once.
constexpr size_t touched_every = 64;

void touch(const smartquant::Layout &, std::span<const std::byte> bytes)
{
	for (size_t i = 0; i < bytes.size(); i += touched_every)
		static_cast<void>(*const_cast<const volatile std::byte *>(&bytes[i]));
}

json measure(const std::vector<smartquant::Region> &regions, const std::string &format,
	     const std::string &path, double seconds)
{
	const smartquant::ReadRequest request{.format = smartquant::Format::parse(format)};
	const ReadPath read = read_path(path);
	const auto limit_ns = static_cast<uint64_t>(seconds * 1e9);
	const Stopwatch stopwatch;
	Cost cost;
	uint64_t rounds = 0;
	do {
		for (const smartquant::Region &region : regions)
			read(region, request, cost, touch);
		rounds++;
	} while (stopwatch.elapsed_ns() < limit_ns);
	const double elapsed = static_cast<double>(std::max<uint64_t>(stopwatch.elapsed_ns(), 1)) / 1e9;
	return {{"format", format},
		{"path", path},
		{"rounds", rounds},
		{"seconds", elapsed},
		{"link_bytes", cost.link_bytes},
		{"elements", cost.elements},
		{"link_bytes_per_second", static_cast<double>(cost.link_bytes) / elapsed},
		{"elements_per_second", static_cast<double>(cost.elements) / elapsed}};
}

std::string bench_text(const json &document)
{
	Table table({"format", "path", "rounds", "link MB/s", "Mweights/s"});
	for (const json &run : document.at("runs"))
		table.add({plain(run.at("format")), plain(run.at("path")), plain(run.at("rounds")),
			   fmt::format("{:.1f}", run.at("link_bytes_per_second").get<double>() / 1e6),
			   fmt::format("{:.1f}", run.at("elements_per_second").get<double>() / 1e6)});
	return table.text();
}

Output bench(const Context &context, const BenchOptions &options)
{
	const smartquant::Store store = context.open_for_reading();
	std::vector<smartquant::Region> regions;
	for (const smartquant::RegionInfo &info : select(store, options.name))
		regions.push_back(store.region(info.name));
	json runs = json::array();
	for (const std::string &format : options.formats)
		for (const std::string &path : options.paths)
			runs.push_back(measure(regions, format, path, options.seconds));
	return {.document = {{"schema", "smartquant/bench/1"},
			     {"name", options.name},
			     {"regions", regions.size()},
			     {"runs", runs}},
		.text = bench_text};
}

} // namespace

Run define_bench(CommandLine &line, const Context &context)
{
	auto options = std::make_shared<BenchOptions>();
	line.add_option("NAME", options->name, "the region, or a pattern as 'smol/*'").required();
	line.add_option("--format", options->formats, "as in read; may be given several times")
		.type_name("F");
	line.add_option("--path", options->paths, "as in read; may be given several times")
		.one_of(read_path_names());
	line.add_option("--seconds", options->seconds, "how long each combination is measured")
		.between(0.0, 3600.0)
		.type_name("S");
	return [&context, options] { return bench(context, *options); };
}

} // namespace sqctl
