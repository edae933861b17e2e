// SPDX-License-Identifier: MIT
//
// Model files, the other way: export.
#include "command_line.hpp"

#include <memory>

#include <fmt/format.h>
#include <smartquant/model.hpp>

#include "output_file.hpp"
#include "progress.hpp"
#include "stopwatch.hpp"
#include "text.hpp"

namespace sqctl {
namespace {

namespace model = smartquant::model;

struct ExportArguments {
	std::string name;
	std::string format;
	std::string decoded = "fp32";
	std::string rounding = "default";
	std::string output;
};

std::string export_text(const json &document)
{
	std::string types;
	for (const auto &[type, count] : document.at("types").items())
		types += fmt::format("{}{} {}", types.empty() ? "" : ", ", plain(count), type);
	std::string out = fmt::format("{} exported as {}: {} tensors ({}), {}\n", plain(document.at("name")),
				      plain(document.at("format")), plain(document.at("tensors")), types,
				      size_text(document.at("bytes").get<uint64_t>()));
	return out + listed("in fp32 (one dimension, or no whole blocks)", document.at("kept"));
}

Output export_model(const Context &context, const ExportArguments &arguments)
{
	const smartquant::Store store = context.open_for_reading();
	const Stopwatch stopwatch;
	Progress progress("export");
	model::ExportOptions options{.format = smartquant::Format::parse(arguments.format),
				     .decoded = smartquant::parse_dtype(arguments.decoded)};
	if (arguments.rounding != "default")
		options.rounding = smartquant::parse_rounding(arguments.rounding);
	options.progress = [&](const model::LoadProgress &state) {
		progress.show(static_cast<double>(state.bytes) / static_cast<double>(state.bytes_total),
			      state.tensor);
		return true;
	};
	OutputFile output(arguments.output);
	const model::ExportReport report =
		model::export_gguf(store, arguments.name, options,
				   [&](std::span<const std::byte> piece) { output.write(piece); });
	output.commit();
	progress.clear();
	return {.document = {{"schema", "smartquant/export/1"},
			     {"name", report.name},
			     {"architecture", report.architecture},
			     {"format", arguments.format},
			     {"tensors", report.tensors},
			     {"bytes", report.bytes},
			     {"types", report.types},
			     {"kept", report.kept},
			     {"elapsed_ns", stopwatch.elapsed_ns()}},
		.text = export_text,
		.bytes_on_stdout = arguments.output == "-"};
}

} // namespace

Run define_export(CommandLine &line, const Context &context)
{
	auto arguments = std::make_shared<ExportArguments>();
	line.add_option("MODEL", arguments->name, "the model, loaded from a GGUF file").required();
	line.add_option("--format", arguments->format,
		       "of the matrices: native, fp32, fp16, bf16, ggml_q8_0, ggml_q4_0, ggml_mxfp4, "
		       "or any other, decoded")
		.required()
		.type_name("F");
	line.add_option("--decoded", arguments->decoded,
		       "what a format that GGUF does not know is decoded into")
		.one_of({"fp32", "fp16", "bf16"});
	line.add_option("--rounding", arguments->rounding, "of a format that is decoded, as in read")
		.one_of({"default", "truncate", "nearest", "even"});
	line.add_option("-o,--output", arguments->output, "the GGUF file; - is standard output")
		.required()
		.type_name("FILE");
	return [&context, arguments] { return export_model(context, *arguments); };
}

} // namespace sqctl
