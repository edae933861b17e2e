// SPDX-License-Identifier: MIT
//
// The DRAM model alone: model.
#include "command_line.hpp"

#include <fstream>
#include <memory>

#include <fmt/format.h>
#include <smartquant/dram.hpp>

#include "arguments.hpp"
#include "text.hpp"

namespace sqctl {
namespace {

namespace dram = smartquant::dram;

struct ModelOptions {
	std::string trace;
	std::string mapping = "interleaved";
	std::string parameters;
};

/// Calls `use` with each line that is not empty and no comment.
template <typename Use> void for_each_line(const std::string &path, const Use &use)
{
	std::ifstream file(path);
	if (!file)
		throw Refused(fmt::format("file \"{}\": cannot be opened", path));
	std::string line;
	for (uint64_t number = 1; std::getline(file, line); number++) {
		line.erase(std::min(line.find('#'), line.size()));
		if (line.find_first_not_of(" \t\r") == std::string::npos)
			continue;
		try {
			use(line);
		} catch (const WrongUsage &error) {
			throw Refused(fmt::format("file \"{}\" line {}: {}", path, number, error.what()));
		}
	}
	if (file.bad())
		throw Refused(fmt::format("file \"{}\": cannot be read", path));
}

/// The words of a line; a sign between counts as one.
std::vector<std::string> words_of(const std::string &line)
{
	std::istringstream stream(line);
	std::vector<std::string> words;
	for (std::string word; stream >> word;)
		words.push_back(word);
	return words;
}

std::vector<dram::Run> read_trace(const std::string &path)
{
	std::vector<dram::Run> runs;
	for_each_line(path, [&](const std::string &line) {
		const std::vector<std::string> words = words_of(line);
		if (words.size() != 2)
			throw WrongUsage("not of the form ADDRESS LINES, as in 1f000 64");
		runs.push_back({parse_hexadecimal(words[0], "address"), parse_number(words[1], "lines")});
	});
	return runs;
}

void read_parameters(const std::string &path, dram::Options &options)
{
	for_each_line(path, [&](const std::string &line) {
		const std::vector<std::string> words = words_of(line);
		if (words.size() != 3 || words[1] != "=")
			throw WrongUsage("not of the form NAME = VALUE, as in trcd_cycles = 22");
		if (words[0] == "set")
			options.set = words[2];
		else
			options.settings.push_back({words[0], parse_number(words[2], words[0])});
	});
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
	dram::Options options{.mapping = dram::parse_mapping(arguments.mapping)};
	if (!arguments.parameters.empty())
		read_parameters(arguments.parameters, options);
	const dram::Report report = dram::simulate(read_trace(arguments.trace), options);
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
		       "one run of reads a line: hexadecimal byte address, count of 64-byte lines")
		.required();
	line.add_option("--mapping", options->mapping, "how lines spread over bank groups")
		.one_of({"interleaved", "stock"});
	line.add_option("--parameters", options->parameters,
		       "lines NAME = VALUE that change the modelled part, or set = NAME to start from")
		.type_name("FILE");
	return [options] { return model(*options); };
}

} // namespace sqctl
