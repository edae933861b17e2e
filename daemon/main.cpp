// SPDX-License-Identifier: MIT
//
// smartquantd: brings up the cards of a host. Log lines go to standard error,
// which systemd keeps.
//
// Exit codes: 0 every card is up; 1 refused, with one line that says what,
// why and the remedy; 2 bad usage.
#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <smartquant/store.hpp>

#include "bringup/bringup.hpp"

namespace {

constexpr int exit_refused = 1;
constexpr int exit_usage = 2;

void log_line(const std::string &line)
{
	fmt::print(stderr, "smartquantd: {}\n", line);
}

int bring_up_once()
{
	try {
		const auto control = bringup::open_libcxl();
		bringup::bring_up(bringup::Paths::from_environment(), *control, log_line);
		return 0;
	} catch (const std::exception &error) {
		log_line(error.what());
		return exit_refused;
	}
}

} // namespace

int main(int argc, char **argv)
{
	CLI::App app("Brings up the SmartQuant cards of this host.", "smartquantd");
	bool once = false;
	app.add_flag("--once", once, "bring up every card, then exit")->required();
	app.set_version_flag("--version", std::string(smartquant::version()));
	app.footer("Example:\n  smartquantd --once");
	try {
		app.parse(argc, argv);
	} catch (const CLI::Success &success) {
		return app.exit(success);
	} catch (const CLI::ParseError &error) {
		log_line(fmt::format("{} (see smartquantd --help)", error.what()));
		return exit_usage;
	}
	return bring_up_once();
}
