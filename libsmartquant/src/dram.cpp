// SPDX-License-Identifier: MIT
#include <smartquant/dram.hpp>

#include <cstddef>

#include <dram.h>

#include "failure.hpp"
#include "text.hpp"

namespace smartquant::dram {
namespace {

constexpr std::uint64_t line_bytes = 64;

std::string names_of_sets()
{
	std::string names;
	for (const std::string &set : parameter_sets())
		names += (names.empty() ? "" : ", ") + set;
	return names;
}

std::string names_of_parameters()
{
	std::string names;
	for (std::size_t i = 0; const sqc_dram_parameter *parameter = sqc_dram_parameter_at(i); i++)
		names += concat(i ? ", " : "", parameter->name);
	return names;
}

void apply(sqc_dram_parameters &parameters, const Setting &setting)
{
	const auto error = sqc_dram_parameter_set(&parameters, setting.name.c_str(), setting.value);
	const std::string subject = concat("DRAM parameter ", smartquant::in_quotes(setting.name));
	if (error == SQC_DRAM_PARAMETER_OK)
		return;
	if (error == SQC_DRAM_PARAMETER_UNKNOWN)
		fail(Status::InvalidInput, subject,
		     concat("there is none of that name; there are ", names_of_parameters()));
	const sqc_dram_parameter *parameter = sqc_dram_parameter_find(setting.name.c_str());
	fail(Status::InvalidInput, subject,
	     concat("value ", setting.value, " is not allowed; ",
		    error == SQC_DRAM_PARAMETER_NOT_POWER ? "a power of two" : "a number", " from ",
		    parameter->min, " to ", parameter->max, " is"));
}

// What the parameters that a sentence names are.
std::string values_in(std::string_view sentence, const sqc_dram_parameters &parameters)
{
	std::string values;
	for (std::size_t i = 0; const sqc_dram_parameter *parameter = sqc_dram_parameter_at(i); i++)
		if (sentence.find(parameter->name) != sentence.npos)
			values += concat(values.empty() ? "" : ", ", parameter->name, " = ",
					 sqc_dram_parameter_get(&parameters, parameter));
	return values;
}

sqc_dram_parameters compiled(const Options &options)
{
	const sqc_dram_parameters *set =
		sqc_dram_parameters_find(options.set.empty() ? nullptr : options.set.c_str());
	if (!set)
		fail(Status::InvalidInput, concat("DRAM parameter set ", smartquant::in_quotes(options.set)),
		     concat("there is none of that name; there are ", names_of_sets()));
	sqc_dram_parameters parameters;
	sqc_dram_parameters_copy(&parameters, set);
	for (const Setting &setting : options.settings)
		apply(parameters, setting);
	if (const char *wrong = sqc_dram_parameters_check(&parameters))
		fail(Status::InvalidInput, "DRAM parameters",
		     concat(wrong, "; they are ", values_in(wrong, parameters)));
	return parameters;
}

void check_inside(std::span<const Run> runs, std::uint64_t channel)
{
	for (std::size_t i = 0; i < runs.size(); i++) {
		const Run &run = runs[i];
		const std::uint64_t line = run.address / line_bytes, end = channel / line_bytes;
		if (line >= end || run.lines > end - line)
			fail(Status::Range, concat("run ", i + 1),
			     concat(run.lines, " lines from byte ", run.address,
				    " on end outside the modelled channel of ", size_text(channel)));
	}
}

} // namespace

Mapping parse_mapping(std::string_view text)
{
	if (text == "interleaved")
		return Mapping::Interleaved;
	if (text == "stock")
		return Mapping::Stock;
	fail(Status::InvalidInput, concat("DRAM mapping ", smartquant::in_quotes(text)),
	     "there are interleaved and stock");
}

std::vector<std::string> parameter_sets()
{
	std::vector<std::string> names;
	while (const sqc_dram_parameters *set = sqc_dram_parameters_at(names.size()))
		names.emplace_back(set->name);
	return names;
}

std::vector<Parameter> parameters(const Options &options)
{
	const sqc_dram_parameters values = compiled(options);
	std::vector<Parameter> list;
	while (const sqc_dram_parameter *parameter = sqc_dram_parameter_at(list.size()))
		list.push_back({.name = parameter->name,
				.text = parameter->text,
				.value = sqc_dram_parameter_get(&values, parameter),
				.min = parameter->min,
				.max = parameter->max});
	return list;
}

void check(const Setting &setting)
{
	sqc_dram_parameters parameters;
	sqc_dram_parameters_copy(&parameters, nullptr);
	apply(parameters, setting);
}

std::uint64_t channel_bytes(const Options &options)
{
	const sqc_dram_parameters parameters = compiled(options);
	return sqc_dram_bytes(&parameters);
}

Report simulate(std::span<const Run> runs, const Options &options)
{
	const sqc_dram_parameters parameters = compiled(options);
	check_inside(runs, sqc_dram_bytes(&parameters));

	std::vector<sqc_dram_run> list;
	list.reserve(runs.size());
	for (const Run &run : runs)
		list.push_back({run.address, run.lines});
	std::vector<std::max_align_t> memory(sqc_dram_simulate_bytes(&parameters) /
						     sizeof(std::max_align_t) + 1);
	sqc_dram_report report{};
	const auto mapping = options.mapping == Mapping::Stock ? SQC_DRAM_STOCK : SQC_DRAM_INTERLEAVED;
	if (sqc_dram_simulate(&parameters, mapping, list.data(), list.size(), nullptr, memory.data(),
			      &report) != 0)
		fail(Status::InternalError, "DRAM model", "the run list or the parameters were refused");
	return {.reads = report.reads,
		.cycles = report.cycles,
		.time_ns = report.time_ns,
		.activates = report.activates,
		.refreshes = report.refreshes,
		.energy_pj = report.energy_pj,
		.energy_activate_pj = report.energy_activate_pj,
		.energy_read_pj = report.energy_read_pj,
		.energy_refresh_pj = report.energy_refresh_pj,
		.energy_background_pj = report.energy_background_pj};
}

} // namespace smartquant::dram
