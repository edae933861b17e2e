// SPDX-License-Identifier: MIT
//
// Where the kernel shows its devices. Tests point these at a fixture tree.
#pragma once

#include <filesystem>
#include <string>

namespace bringup {

struct Paths {
	std::filesystem::path sysfs = "/sys";
	std::filesystem::path dev = "/dev";

	/// SMARTQUANT_SYSFS and SMARTQUANT_DEV, where set, replace the defaults.
	static Paths from_environment();

	std::filesystem::path cxl_devices() const { return sysfs / "bus/cxl/devices"; }
	std::filesystem::path pci_devices() const { return sysfs / "bus/pci/devices"; }
	std::filesystem::path acpi_tables() const { return sysfs / "firmware/acpi/tables"; }
	std::filesystem::path cards() const { return sysfs / "class/smartquant"; }
};

/// The card that is used when none is named.
std::filesystem::path default_device();

} // namespace bringup
