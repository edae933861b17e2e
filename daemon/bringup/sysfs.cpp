// SPDX-License-Identifier: MIT
#include "bringup/sysfs.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>

namespace bringup::sysfs {

namespace fs = std::filesystem;

std::optional<std::string> text(const fs::path &file)
{
	std::ifstream stream(file);
	std::string line;
	if (!stream || !std::getline(stream, line))
		return std::nullopt;
	return line;
}

std::optional<uint64_t> number(const fs::path &file)
{
	std::optional<std::string> value = text(file);
	if (!value)
		return std::nullopt;
	const bool hexadecimal = value->starts_with("0x");
	const char *first = value->data() + (hexadecimal ? 2 : 0);
	const char *last = value->data() + value->size();
	uint64_t result = 0;
	const auto [stop, error] = std::from_chars(first, last, result, hexadecimal ? 16 : 10);
	if (error != std::errc() || stop != last)
		return std::nullopt;
	return result;
}

std::optional<std::string> link_name(const fs::path &link)
{
	std::error_code error;
	const fs::path target = fs::read_symlink(link, error);
	if (error)
		return std::nullopt;
	return target.filename().string();
}

std::vector<std::string> names(const fs::path &folder)
{
	std::vector<std::string> found;
	std::error_code error;
	for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
	     entry.increment(error))
		found.push_back(entry->path().filename().string());
	std::sort(found.begin(), found.end());
	return found;
}

std::vector<std::string> numbered(const fs::path &folder, std::string_view prefix)
{
	std::vector<std::pair<uint64_t, std::string>> found;
	for (const std::string &name : names(folder)) {
		if (!name.starts_with(prefix))
			continue;
		const char *last = name.data() + name.size();
		uint64_t index = 0;
		const auto [stop, error] = std::from_chars(name.data() + prefix.size(), last, index);
		if (error == std::errc() && stop == last)
			found.emplace_back(index, name);
	}
	std::sort(found.begin(), found.end());
	std::vector<std::string> sorted;
	for (auto &[index, name] : found)
		sorted.push_back(std::move(name));
	return sorted;
}

bool exists(const fs::path &path)
{
	std::error_code error;
	return fs::exists(path, error);
}

} // namespace bringup::sysfs
