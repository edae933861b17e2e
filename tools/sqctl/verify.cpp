// SPDX-License-Identifier: MIT
//
// Checksums: verify.
#include "command_line.hpp"

#include <memory>

#include <fmt/format.h>

#include "progress.hpp"
#include "text.hpp"

namespace sqctl {
namespace {

std::string verify_text(const json &document)
{
	if (document.at("runs_bad").get<uint64_t>() == 0)
		return fmt::format("{} runs checked, all good\n", plain(document.at("runs_checked")));
	Table table({"region", "segment", "run", "rows"});
	for (const json &bad : document.at("bad"))
		table.add({plain(bad.at("region")), plain(bad.at("segment")), plain(bad.at("run")),
			   fmt::format("{}:{}", plain(bad.at("rows").at(0)), plain(bad.at("rows").at(1)))});
	return table.text();
}

Output verify(const Context &context, const std::string &name)
{
	const smartquant::Store store = context.open_for_reading();
	Progress progress("verify");
	const smartquant::VerifyOptions options{.progress = [&](double done) {
		progress.show(done, "");
		return true;
	}};
	const smartquant::VerifyResult result = name.empty() ? store.verify(options)
							     : store.region(name).verify(options);
	progress.clear();
	json bad = json::array();
	for (const smartquant::BadRun &run : result.bad)
		bad.push_back({{"region", run.region},
			       {"segment", run.segment},
			       {"run", run.run},
			       {"rows", {run.first_row, run.end_row}}});
	Output output{.document = {{"schema", "smartquant/verify/1"},
				   {"runs_checked", result.runs_checked},
				   {"runs_bad", result.runs_bad},
				   {"bad", bad}},
		      .text = verify_text};
	if (result.runs_bad > 0)
		output.failure = fmt::format("store {}: {} of {} runs do not match their checksums; store "
					     "the rows named above again, or remove their regions",
					     store.uri(), result.runs_bad, result.runs_checked);
	return output;
}

} // namespace

Run define_verify(CommandLine &line, const Context &context)
{
	auto name = std::make_shared<std::string>();
	line.add_option("NAME", *name, "one region; default: all of the store");
	return [&context, name] { return verify(context, *name); };
}

} // namespace sqctl
