// SPDX-License-Identifier: MIT
//
// The memory accesses of a read: trace.
#include "command_line.hpp"

#include <algorithm>
#include <iterator>
#include <memory>

#include <fmt/format.h>

#include "arguments.hpp"
#include "documents.hpp"
#include "output_file.hpp"
#include "text.hpp"

namespace sqctl {
namespace {

namespace dram = smartquant::dram;

constexpr uint64_t line_bytes = 64;
// Text is written when so much has come together.
constexpr size_t write_bytes = 1u << 20;

struct TraceOptions {
	std::string name;
	std::string format;
	std::string rounding = "default";
	std::string axis = "row";
	std::string rows;
	std::string as = "list";
	std::string output;
};

// ---------------------------------------------------- forms of a trace

/// Adds the text of a run to `out`.
using Form = void (*)(const dram::Run &run, std::string &out);

/// What `sqctl model` reads.
void as_list(const dram::Run &run, std::string &out)
{
	fmt::format_to(std::back_inserter(out), "{:x} {}\n", run.address, run.lines);
}

/// One read after the other, `text` with its address.
template <typename Text> void each_read(const dram::Run &run, const Text &text)
{
	for (uint64_t i = 0; i < run.lines; i++)
		text(run.address / line_bytes * line_bytes + i * line_bytes);
}

/// For dramsim3main -t: address, operation and the cycle from which it waits.
void as_dramsim3(const dram::Run &run, std::string &out)
{
	each_read(run, [&](uint64_t address) {
		fmt::format_to(std::back_inserter(out), "{:#x} READ 0\n", address);
	});
}

/// For the frontend LoadStoreTrace.
void as_ramulator2(const dram::Run &run, std::string &out)
{
	each_read(run, [&](uint64_t address) {
		fmt::format_to(std::back_inserter(out), "LD {:#x}\n", address);
	});
}

constexpr std::pair<const char *, Form> forms[] = {
	{"list", as_list},
	{"dramsim3", as_dramsim3},
	{"ramulator2", as_ramulator2},
};

std::vector<std::string> form_names()
{
	std::vector<std::string> names;
	for (const auto &[name, form] : forms)
		names.emplace_back(name);
	return names;
}

void write_trace(const std::vector<dram::Run> &runs, const std::string &as, OutputFile &output)
{
	const auto form = std::ranges::find(forms, as, [](const auto &row) { return row.first; });
	std::string text;
	const auto write = [&] {
		output.write(std::as_bytes(std::span(text)));
		text.clear();
	};
	for (const dram::Run &run : runs) {
		form->second(run, text);
		if (text.size() >= write_bytes)
			write();
	}
	write();
}

// ---------------------------------------------------------- the command

smartquant::ReadRequest request_of(const TraceOptions &options)
{
	smartquant::ReadRequest request{.rounding = smartquant::parse_rounding(options.rounding),
					.axis = smartquant::parse_axis(options.axis)};
	if (!options.format.empty())
		request.format = smartquant::Format::parse(options.format);
	if (!options.rows.empty())
		request.rows = parse_rows(options.rows);
	return request;
}

std::string trace_text(const json &document)
{
	return fmt::format("{} as {}: {} runs of lines\n", plain(document.at("name")),
			   plain(document.at("granted")), plain(document.at("runs"))) +
	       cost_text(document);
}

Output trace(const Context &context, const TraceOptions &options)
{
	const smartquant::ReadRequest request = request_of(options);
	const smartquant::Store store = context.open_for_reading();
	const smartquant::FetchTrace trace = store.region(options.name).trace(request);
	OutputFile output(options.output);
	write_trace(trace.runs, options.as, output);
	output.commit();
	json document = {{"schema", "smartquant/trace/1"},
			 {"name", options.name},
			 {"as", options.as},
			 {"granted", trace.result.format.name()},
			 {"runs", trace.runs.size()}};
	Cost cost;
	cost.add(trace.result);
	cost.write_to(document);
	return {.document = document, .text = trace_text, .bytes_on_stdout = options.output == "-"};
}

} // namespace

Run define_trace(CommandLine &line, const Context &context)
{
	auto options = std::make_shared<TraceOptions>();
	line.add_option("NAME", options->name, "the region, in a store file").required();
	line.add_option("--format", options->format, "as in read, one; default: the region's precision tag")
		.type_name("F");
	line.add_option("--rounding", options->rounding, "as in read")
		.one_of({"default", "truncate", "nearest", "even"});
	line.add_option("--axis", options->axis, "as in read").one_of({"row", "col"});
	line.add_option("--rows", options->rows, "only rows FIRST to before END").type_name("FIRST:END");
	line.add_option("--as", options->as, "what `sqctl model`, DRAMsim3 or Ramulator 2 reads")
		.one_of(form_names());
	line.add_option("-o,--output", options->output,
		       "where the trace goes; with - to standard output, and the summary to standard error")
		.type_name("FILE")
		.required();
	return [&context, options] { return trace(context, *options); };
}

} // namespace sqctl
