// SPDX-License-Identifier: MIT
//
// The DRAM model alone: model.
#include "command_line.hpp"

#include <algorithm>
#include <memory>
#include <span>

#include <fmt/format.h>
#include <smartquant/dram.hpp>

#include "arguments.hpp"
#include "input_file.hpp"
#include "text.hpp"

namespace sqctl {
namespace {

namespace dram = smartquant::dram;

constexpr uint64_t line_bytes = 64;

struct ModelOptions {
	std::string trace;
	std::string mapping = "interleaved";
	std::string parameters;
};

// Of a list. A read of all that the modelled channel holds takes half as much.
constexpr uint64_t text_bytes_max = 64u << 20;

std::string text_of(const InputFile &file)
{
	if (file.size() > text_bytes_max)
		throw Refused(fmt::format("{}: longer than the {} that a list may have", file.name(),
					  size_text(text_bytes_max)));
	std::string text(file.size(), '\0');
	file.read(0, std::as_writable_bytes(std::span(text)));
	return text;
}

/// The words of a line in front of a comment; a sign between counts as one.
std::vector<std::string_view> words_of(std::string_view line)
{
	static constexpr std::string_view space = " \t\r";
	std::vector<std::string_view> words;
	line = line.substr(0, line.find('#'));
	for (size_t at = 0; (at = line.find_first_not_of(space, at)) != line.npos;) {
		const size_t end = std::min(line.find_first_of(space, at), line.size());
		words.push_back(line.substr(at, end - at));
		at = end;
	}
	return words;
}

/// Calls `use` with the words of each line that has some.
template <typename Use> void for_each_line(const std::string &path, const Use &use)
{
	const InputFile file(path, text_bytes_max);
	const std::string text = text_of(file);
	size_t end = 0;
	for (uint64_t number = 1, at = 0; at < text.size(); number++, at = end + 1) {
		end = std::min(text.find('\n', at), text.size());
		try {
			const auto words = words_of(std::string_view(text).substr(at, end - at));
			if (!words.empty())
				use(words);
		} catch (const std::runtime_error &error) {
			throw Refused(fmt::format("{} line {}: {}", file.name(), number, error.what()));
		}
	}
}

/// Each lies in a channel of that size.
std::vector<dram::Run> read_trace(const std::string &path, uint64_t channel_bytes)
{
	const uint64_t end = channel_bytes / line_bytes;
	std::vector<dram::Run> runs;
	for_each_line(path, [&](const std::vector<std::string_view> &words) {
		if (words.size() != 2)
			throw WrongUsage("not of the form ADDRESS LINES, as in 1f000 64");
		const dram::Run run{parse_hexadecimal(words[0], "address"), parse_number(words[1], "lines")};
		const uint64_t line = run.address / line_bytes;
		if (line >= end || run.lines > end - line)
			throw WrongUsage(fmt::format(
				"{} lines from {:x} on end outside the modelled channel of {}; "
				"--parameters can give it more rows or ranks",
				run.lines, run.address, size_text(channel_bytes)));
		runs.push_back(run);
	});
	return runs;
}

dram::Options read_parameters(const std::string &path)
{
	dram::Options options;
	for_each_line(path, [&](const std::vector<std::string_view> &words) {
		if (words.size() != 3 || words[1] != "=")
			throw WrongUsage("not of the form NAME = VALUE, as in trcd_cycles = 22");
		const std::string name(words[0]);
		if (name != "set") {
			options.settings.push_back({name, parse_number(words[2], printable(name))});
			dram::check(options.settings.back());
		} else if (!options.set.empty() || !options.settings.empty()) {
			throw WrongUsage("set comes once, before what changes it");
		} else {
			options.set = words[2];
			dram::parameters(options);
		}
	});
	return options;
}

std::string model_text(const json &document)
{
	const auto energy = [&](const char *key) {
		return energy_text(static_cast<uint64_t>(document.at(key).get<double>()));
	};
	Facts facts;
	facts.add("reads", plain(document.at("reads")));
	facts.add("cycles", plain(document.at("cycles")));
	facts.add("time", time_text(static_cast<uint64_t>(document.at("time_ns").get<double>())));
	facts.add("activates", plain(document.at("activates")));
	facts.add("refreshes", plain(document.at("refreshes")));
	facts.add("energy", energy("energy_pj"));
	facts.add("  activate", energy("energy_activate_pj"));
	facts.add("  read", energy("energy_read_pj"));
	facts.add("  refresh", energy("energy_refresh_pj"));
	facts.add("  background", energy("energy_background_pj"));
	return facts.text();
}

Output model(const ModelOptions &arguments)
{
	dram::Options options;
	if (!arguments.parameters.empty())
		options = read_parameters(arguments.parameters);
	options.mapping = dram::parse_mapping(arguments.mapping);
	const auto runs = read_trace(arguments.trace, dram::channel_bytes(options));
	const dram::Report report = dram::simulate(runs, options);
	return {.document = {{"schema", "smartquant/model/1"},
			     {"mapping", arguments.mapping},
			     {"reads", report.reads},
			     {"cycles", report.cycles},
			     {"time_ns", report.time_ns},
			     {"activates", report.activates},
			     {"refreshes", report.refreshes},
			     {"energy_pj", report.energy_pj},
			     {"energy_activate_pj", report.energy_activate_pj},
			     {"energy_read_pj", report.energy_read_pj},
			     {"energy_refresh_pj", report.energy_refresh_pj},
			     {"energy_background_pj", report.energy_background_pj}},
		.text = model_text};
}

} // namespace

Run define_model(CommandLine &line, const Context &)
{
	auto options = std::make_shared<ModelOptions>();
	line.add_option("TRACE", options->trace,
		       "one run of reads a line: hexadecimal byte address, count of 64-byte lines; - is standard input")
		.required();
	line.add_option("--mapping", options->mapping, "how lines spread over bank groups")
		.one_of({"interleaved", "stock"});
	line.add_option("--parameters", options->parameters,
		       "lines NAME = VALUE that change the modelled part, or set = NAME to start from")
		.type_name("FILE");
	return [options] { return model(*options); };
}

} // namespace sqctl
