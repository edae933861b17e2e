// SPDX-License-Identifier: MIT
#include "command_line.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "commands.hpp"

namespace sqctl {
namespace {

void define_globals(CLI::App &app, Context &context)
{
	app.add_option("--device", context.device,
		       "the store: /dev/smartquantN, embedded: (in memory) or embedded:PATH (a file)")
		->type_name("URI");
	app.add_option("--size", context.size, "bytes of a store file that is created, as in 4G")
		->type_name("BYTES");
	app.add_flag("--json", context.as_json, "print one JSON document");
	app.set_version_flag("--version", std::string(smartquant::version()));
	app.require_subcommand(0, 1);
	app.fallthrough();
	app.footer("Example:\n  sqctl --device embedded:model.sqs load smol.gguf --name smol\n"
		   "Each command has its own --help. sqctl(1) describes everything.");
}

/// Declares the commands; the chosen one is left in `run`.
void define_commands(CLI::App &app, const Context &context, Run &run)
{
	for (const Command &command : commands()) {
		CLI::App *sub = app.add_subcommand(command.name, command.summary);
		sub->footer(fmt::format("Example:\n  {}", command.example));
		CommandLine line(*sub);
		sub->final_callback([&run, chosen = command.define(line, context)] { run = chosen; });
	}
}

} // namespace

Option &Option::required()
{
	option_->required();
	return *this;
}

Option &Option::type_name(const std::string &name)
{
	option_->type_name(name);
	return *this;
}

Option &Option::one_of(const std::vector<std::string> &values)
{
	option_->check(CLI::IsMember(values));
	return *this;
}

Option &Option::between(double low, double high)
{
	option_->check(CLI::Range(low, high));
	return *this;
}

Option &Option::excludes(const std::string &name)
{
	option_->excludes(name);
	return *this;
}

Option CommandLine::add_option(const std::string &name, std::string &value, const std::string &help)
{
	return Option(app_.add_option(name, value, help));
}

Option CommandLine::add_option(const std::string &name, double &value, const std::string &help)
{
	return Option(app_.add_option(name, value, help));
}

Option CommandLine::add_option(const std::string &name, std::vector<std::string> &values,
			       const std::string &help)
{
	return Option(app_.add_option(name, values, help));
}

Option CommandLine::add_flag(const std::string &name, bool &value, const std::string &help)
{
	return Option(app_.add_flag(name, value, help));
}

Parsed parse_command_line(int argc, char **argv, Context &context, Run &run)
{
	CLI::App app("Stores AI model weights once and reads them at any precision.", "sqctl");
	define_globals(app, context);
	define_commands(app, context, run);
	try {
		app.parse(argc, argv);
	} catch (const CLI::Success &success) {
		app.exit(success);
		return Parsed::Answered;
	} catch (const CLI::ParseError &error) {
		throw WrongUsage(fmt::format("{} (see sqctl --help)", error.what()));
	}
	if (!run)
		throw WrongUsage("a command is required (see sqctl --help)");
	return Parsed::Command;
}

} // namespace sqctl
