// SPDX-License-Identifier: MIT
//
// Reading sysfs: one value a file, relations as symbolic links. What cannot be
// read counts as absent; the callers say what that means.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bringup::sysfs {

/// The value without its newline.
std::optional<std::string> text(const std::filesystem::path &file);
/// Decimal, or hexadecimal after 0x.
std::optional<uint64_t> number(const std::filesystem::path &file);
/// The last part of a link's target: the name of the driver, say.
std::optional<std::string> link_name(const std::filesystem::path &link);
/// Names in a folder that are `prefix` and a number, in order of number.
std::vector<std::string> numbered(const std::filesystem::path &folder, std::string_view prefix);
/// Names in a folder, sorted.
std::vector<std::string> names(const std::filesystem::path &folder);
bool exists(const std::filesystem::path &path);

} // namespace bringup::sysfs
