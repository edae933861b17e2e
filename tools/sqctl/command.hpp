// SPDX-License-Identifier: MIT
//
// What a command of sqctl is: a row of the table in commands.cpp. A command
// declares its options on a CommandLine and gives back what to run; running it
// gives an Output, from which both the human text and the JSON document come.
#pragma once

#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>

#include <nlohmann/json.hpp>
#include <smartquant/smartquant.hpp>

namespace sqctl {

using json = nlohmann::ordered_json;

/// An operation that was refused: one line, exit code 1.
class Refused : public std::runtime_error {
public:
	using std::runtime_error::runtime_error;
};

/// Wrong usage that CLI11 cannot see: one line, exit code 2.
class WrongUsage : public std::runtime_error {
public:
	using std::runtime_error::runtime_error;
};

/// The options in front of the command.
struct Context {
	std::string device;	// URI; empty: the default device
	std::string size;	// of an embedded store that is created
	bool as_json = false;

	/// A store that is read: a store file that does not exist is refused.
	smartquant::Store open_for_reading() const;
	/// A store that changes; it must exist.
	smartquant::Store open_for_writing() const;
	/// A store that gets new regions: a store file that does not exist is created.
	smartquant::Store open_or_create() const;
	std::string uri() const;
};

struct Output {
	json document;				// what --json prints
	std::string (*text)(const json &);	// the same for people
	bool bytes_on_stdout = false;		// then the text goes to standard error
	std::string failure = {};		// printed last, on standard error; exit code 1
};

using Run = std::function<Output()>;

class CommandLine;

struct Command {
	const char *name;
	const char *summary;
	const char *example;
	Run (*define)(CommandLine &line, const Context &context);
};

// One noun a file.
Run define_list(CommandLine &, const Context &);	// device.cpp
Run define_info(CommandLine &, const Context &);
Run define_create(CommandLine &, const Context &);	// region.cpp
Run define_regions(CommandLine &, const Context &);
Run define_show(CommandLine &, const Context &);
Run define_rm(CommandLine &, const Context &);
Run define_seal(CommandLine &, const Context &);
Run define_tag(CommandLine &, const Context &);
Run define_pack(CommandLine &, const Context &);	// pack.cpp
Run define_store(CommandLine &, const Context &);	// data.cpp
Run define_read(CommandLine &, const Context &);	// read.cpp
Run define_error(CommandLine &, const Context &);	// error.cpp
Run define_bench(CommandLine &, const Context &);	// bench.cpp
Run define_load(CommandLine &, const Context &);	// model.cpp
Run define_export(CommandLine &, const Context &);	// export.cpp
Run define_verify(CommandLine &, const Context &);	// verify.cpp
Run define_stats(CommandLine &, const Context &);	// statistics.cpp
Run define_doctor(CommandLine &, const Context &);	// bringup.cpp
Run define_up(CommandLine &, const Context &);
Run define_model(CommandLine &, const Context &);	// dram.cpp
Run define_trace(CommandLine &, const Context &);	// trace.cpp

} // namespace sqctl
