// SPDX-License-Identifier: MIT
//
// Model files: load.
#include "command_line.hpp"

#include <csignal>
#include <memory>

#include <fmt/format.h>
#include <smartquant/model.hpp>

#include "progress.hpp"
#include "text.hpp"

namespace sqctl {
namespace {

namespace model = smartquant::model;

struct LoadArguments {
	std::string file;
	std::string name;
	std::string dtype = "default";
	std::string placement = "aligned";
	std::string importance;
};

volatile std::sig_atomic_t interrupted = 0;

/// Lets an interrupt end the load by way of its clean-up.
void stop_on_signals()
{
	struct sigaction action {};
	action.sa_handler = [](int) { interrupted = 1; };
	for (const int signal : {SIGINT, SIGTERM, SIGHUP})
		::sigaction(signal, &action, nullptr);
}

model::LoadDtype parse_load_dtype(const std::string &text)
{
	static constexpr std::pair<const char *, model::LoadDtype> names[] = {
		{"bf16", model::LoadDtype::Bf16},
		{"fp16", model::LoadDtype::Fp16},
		{"fp32", model::LoadDtype::Fp32},
		{"source", model::LoadDtype::Source},
	};
	for (const auto &[name, dtype] : names)
		if (text == name)
			return dtype;
	return model::LoadDtype::Default;
}

std::string load_text(const json &document)
{
	std::string out = fmt::format("{} loaded: {} tensors, {} elements, {} of plane memory\n",
				      plain(document.at("name")), plain(document.at("tensors")),
				      plain(document.at("elements")),
				      size_text(document.at("stored_bytes").get<uint64_t>()));
	const auto rounded = document.at("rounded_tensors").get<uint64_t>();
	out += rounded == 0 ? "rounded: none\n"
			    : fmt::format("rounded: {}, by at most {:.3g} of a value\n", rounded,
					  document.at("max_rounding_error").get<double>());
	if (document.at("weighted_tensors").get<uint64_t>() > 0)
		out += fmt::format("codebooks with activation statistics: {}\n",
				   plain(document.at("weighted_tensors")));
	out += listed("placement word (NaN or infinity)", document.at("non_finite"));
	out += listed("kept as bytes (no floats)", document.at("kept_as_bytes"));
	return out + listed("without a region (empty)", document.at("empty"));
}

json report_json(const model::LoadReport &report)
{
	return {{"schema", "smartquant/load/1"},
		{"name", report.name},
		{"kind", model::name(report.kind)},
		{"architecture", report.architecture},
		{"tensors", report.tensors},
		{"elements", report.elements},
		{"file_bytes", report.file_bytes},
		{"stored_bytes", report.stored_bytes},
		{"rounded_tensors", report.rounded_tensors},
		{"rounded_elements", report.rounded_elements},
		{"max_rounding_error", report.max_rounding_error},
		{"weighted_tensors", report.weighted_tensors},
		{"non_finite", report.non_finite},
		{"kept_as_bytes", report.kept_as_bytes},
		{"empty", report.empty}};
}

Output load(const Context &context, const LoadArguments &arguments)
{
	// A file that is refused must not leave a new, empty store behind.
	model::read_header(arguments.file);
	smartquant::Store store = context.open_or_create();
	Progress progress("load");
	model::LoadOptions options{.name = arguments.name,
				   .dtype = parse_load_dtype(arguments.dtype),
				   .placement = smartquant::parse_placement(arguments.placement),
				   .importance = arguments.importance};
	options.progress = [&](const model::LoadProgress &state) {
		progress.show(static_cast<double>(state.bytes) / static_cast<double>(state.bytes_total),
			      state.tensor);
		return interrupted == 0;
	};
	stop_on_signals();
	try {
		const model::LoadReport report = model::load(store, arguments.file, options);
		progress.clear();
		return {.document = report_json(report), .text = load_text};
	} catch (const smartquant::Error &error) {
		progress.clear();
		if (error.status() != smartquant::Status::NameExists)
			throw;
		throw Refused(fmt::format("{} (sqctl rm --model, load --name)", error.what()));
	}
}

} // namespace

Run define_load(CommandLine &line, const Context &context)
{
	auto arguments = std::make_shared<LoadArguments>();
	line.add_option("FILE", arguments->file, "GGUF (version 2 or 3) or safetensors").required();
	line.add_option("--name", arguments->name, "of the model; default: the file's, without extension")
		.type_name("MODEL");
	line.add_option("--dtype", arguments->dtype,
		       "of the regions; default: floats keep theirs, block types become bf16; "
		       "source: block types become fp32, nothing is rounded")
		.one_of({"default", "bf16", "fp16", "fp32", "source"});
	line.add_option("--placement", arguments->placement, "of float tensors")
		.one_of({"aligned", "word", "tuned"});
	line.add_option("--importance", arguments->importance,
			"activation statistics for placement tuned: GGUF or safetensors, tensors of the "
			"same name, or with .in_sum2 behind it")
		.type_name("FILE");
	return [&context, arguments] { return load(context, *arguments); };
}

} // namespace sqctl
