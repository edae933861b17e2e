// SPDX-License-Identifier: MIT
//
// What a command declares on its command line: the part of CLI11 that sqctl
// uses. CLI11 itself, which takes seconds to compile, stays in command_line.cpp.
#pragma once

#include <string>
#include <vector>

#include "command.hpp"

namespace CLI {
class App;
class Option;
} // namespace CLI

namespace sqctl {

/// A declared option or argument. Belongs to its CommandLine; calls may be chained.
class Option {
public:
	explicit Option(CLI::Option *option) : option_(option) {}

	Option &required();
	/// The placeholder that --help shows for the value.
	Option &type_name(const std::string &name);
	/// Refuses any value but these.
	Option &one_of(const std::vector<std::string> &values);
	/// Refuses numbers outside of [low, high].
	Option &between(double low, double high);
	/// Refuses to be given together with the option of this name.
	Option &excludes(const std::string &name);

private:
	CLI::Option *option_;
};

/// The command line of one command. The variables that options are bound to
/// hold the defaults, and must live until the command has run.
class CommandLine {
public:
	explicit CommandLine(CLI::App &app) : app_(app) {}

	/// An option ("--name", "-n,--name") or, without a dash, an argument.
	Option add_option(const std::string &name, std::string &value, const std::string &help);
	Option add_option(const std::string &name, double &value, const std::string &help);
	/// May be given several times.
	Option add_option(const std::string &name, std::vector<std::string> &values, const std::string &help);
	Option add_flag(const std::string &name, bool &value, const std::string &help);

private:
	CLI::App &app_;
};

enum class Parsed {
	Command,	// `run` has what was asked for
	Answered,	// --help and --version: printed
};

/// Reads the command line into `context` and `run`. Throws WrongUsage.
Parsed parse_command_line(int argc, char **argv, Context &context, Run &run);

} // namespace sqctl
