// SPDX-License-Identifier: MIT
//
// sqctl: the command line of SmartQuant. Parses, calls the library, prints.
//
// Exit codes: 0 done; 1 refused, with one line on standard error that says
// what, why and the remedy; 2 bad usage.
#include <csignal>
#include <cstdio>

#include <fmt/format.h>

#include "command_line.hpp"
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
	Context context;
	Run run;
	if (parse_command_line(argc, argv, context, run) == Parsed::Answered)
		return 0;
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
