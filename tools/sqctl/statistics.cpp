// SPDX-License-Identifier: MIT
//
// Counters: stats.
#include "command_line.hpp"

#include <memory>

#include <fmt/format.h>

#include "documents.hpp"
#include "text.hpp"

namespace sqctl {
namespace {

struct StatsOptions {
	std::string name;
	std::string format;
	bool reset = false;
};

std::string stats_text(const json &document)
{
	Facts facts;
	for (const char *key : {"stores", "stored_elements", "written_lines", "errors", "media_errors",
				"poison_loads", "view_loads"}) {
		std::string title = key;
		std::replace(title.begin(), title.end(), '_', ' ');
		facts.add(title, plain(document.at(key)));
	}
	return cost_text(document) + "\n" + facts.text();
}

smartquant::Statistics collect(smartquant::Store &store, const StatsOptions &options)
{
	if (!options.name.empty()) {
		smartquant::Region region = store.region(options.name);
		const smartquant::Statistics statistics = region.statistics();
		if (options.reset)
			region.reset_statistics();
		return statistics;
	}
	if (!options.format.empty()) {
		const auto format = smartquant::Format::parse(options.format);
		const smartquant::Statistics statistics = store.statistics(format);
		if (options.reset)
			store.reset_statistics(format);
		return statistics;
	}
	const smartquant::Statistics statistics = store.statistics();
	if (options.reset)
		store.reset_statistics();
	return statistics;
}

Output stats(const Context &context, const StatsOptions &options)
{
	smartquant::Store store = options.reset ? context.open_for_writing() : context.open_for_reading();
	json document = {{"schema", "smartquant/stats/1"}};
	if (!options.name.empty())
		document["name"] = options.name;
	if (!options.format.empty())
		document["format"] = options.format;
	document.update(statistics_json(collect(store, options)));
	document["reset"] = options.reset;
	return {.document = document, .text = stats_text};
}

} // namespace

Run define_stats(CommandLine &line, const Context &context)
{
	auto options = std::make_shared<StatsOptions>();
	line.add_option("NAME", options->name, "one region; default: the whole store");
	line.add_option("--format", options->format, "reads of one format").type_name("F").excludes("NAME");
	line.add_flag("--reset", options->reset, "set these counters to zero after showing them");
	return [&context, options] { return stats(context, *options); };
}

} // namespace sqctl
