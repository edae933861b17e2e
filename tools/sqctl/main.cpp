// SPDX-License-Identifier: MIT
//
// sqctl: the command line of SmartQuant. Parses, calls the library, prints.
//
// Exit codes: 0 done; 1 refused, with one line on standard error that says
// what, why and the remedy; 2 bad usage.
#include <csignal>
#include <cstdio>

#include <fmt/format.h>

#include "commands.hpp"
#include "text.hpp"

namespace sqctl {
namespace {

constexpr int exit_refused = 1;
constexpr int exit_usage = 2;

void print_line(std::string_view text)
{
	std::string line(text);
	for (char &c : line)
		if (c == '\n')
			c = ' ';
	line.erase(line.find_last_not_of(' ') + 1);
	fmt::print(stderr, "sqctl: {}\n", printable(line));
}

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
		sub->final_callback([&run, chosen = command.define(*sub, context)] { run = chosen; });
	}
}

void print(const Context &context, const Output &output)
{
	const std::string text =
		context.as_json ? output.document.dump(2, ' ', false, json::error_handler_t::replace) + "\n"
				: output.text(output.document);
	std::FILE *stream = output.bytes_on_stdout ? stderr : stdout;
	std::fwrite(text.data(), 1, text.size(), stream);
	if (std::fflush(stream) != 0)
		throw Refused("standard output: the result could not be written");
}

int execute(const Context &context, const Run &run)
{
	const Output output = run();
	print(context, output);
	if (output.failure.empty())
		return 0;
	print_line(output.failure);
	return exit_refused;
}

int parse_and_execute(int argc, char **argv)
{
	CLI::App app("Stores AI model weights once and reads them at any precision.", "sqctl");
	Context context;
	Run run;
	define_globals(app, context);
	define_commands(app, context, run);
	try {
		app.parse(argc, argv);
	} catch (const CLI::Success &success) {
		return app.exit(success);
	} catch (const CLI::ParseError &error) {
		print_line(fmt::format("{} (see sqctl --help)", error.what()));
		return exit_usage;
	}
	if (!run)
		throw WrongUsage("a command is required (see sqctl --help)");
	return execute(context, run);
}

} // namespace
} // namespace sqctl

int main(int argc, char **argv)
{
	// A closed pipe is an error of the write, reported like any other.
	std::signal(SIGPIPE, SIG_IGN);
	try {
		return sqctl::parse_and_execute(argc, argv);
	} catch (const sqctl::WrongUsage &error) {
		sqctl::print_line(error.what());
		return sqctl::exit_usage;
	} catch (const std::bad_alloc &) {
		sqctl::print_line("out of memory; work on fewer rows at a time");
	} catch (const std::exception &error) {
		sqctl::print_line(error.what());
	}
	return sqctl::exit_refused;
}
