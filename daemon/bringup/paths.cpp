// SPDX-License-Identifier: MIT
#include "bringup/paths.hpp"

#include <cstdlib>

namespace bringup {

Paths Paths::from_environment()
{
	Paths paths;
	if (const char *sysfs = std::getenv("SMARTQUANT_SYSFS"))
		paths.sysfs = sysfs;
	if (const char *dev = std::getenv("SMARTQUANT_DEV"))
		paths.dev = dev;
	return paths;
}

std::filesystem::path default_device()
{
	return Paths::from_environment().dev / "smartquant0";
}

} // namespace bringup
