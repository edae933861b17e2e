// SPDX-License-Identifier: MIT
#include "text.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace sqctl {
namespace {

struct Unit {
	double factor;
	const char *name;
};

std::string scaled(double value, const std::vector<Unit> &units)
{
	const auto fits = [&](const Unit &unit) { return value >= unit.factor; };
	const auto unit = std::find_if(units.rbegin(), units.rend(), fits);
	const Unit &chosen = unit == units.rend() ? units.front() : *unit;
	return fmt::format("{:.3g} {}", value / chosen.factor, chosen.name);
}

bool is_number(const std::string &cell)
{
	return !cell.empty() && cell.find_first_not_of("0123456789.%") == std::string::npos;
}

/// Bytes of UTF-8 that start a character, as a measure of width.
size_t width_of(const std::string &cell)
{
	return static_cast<size_t>(std::count_if(cell.begin(), cell.end(), [](char c) {
		return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
	}));
}

} // namespace

Table::Table(std::vector<std::string> titles) : rows_{std::move(titles)} {}

void Table::add(std::vector<std::string> row)
{
	rows_.push_back(std::move(row));
}

std::string Table::text() const
{
	std::vector<size_t> widths(rows_.front().size());
	std::vector<bool> numeric(widths.size(), rows_.size() > 1);
	for (const auto &row : rows_)
		for (size_t i = 0; i < row.size(); i++) {
			widths[i] = std::max(widths[i], width_of(row[i]));
			if (&row != &rows_.front() && !is_number(row[i]))
				numeric[i] = false;
		}
	std::string out;
	for (const auto &row : rows_) {
		std::string line;
		for (size_t i = 0; i < row.size(); i++) {
			const std::string fill(widths[i] - width_of(row[i]), ' ');
			line += i == 0 ? "" : "  ";
			line += numeric[i] ? fill + row[i] : row[i] + fill;
		}
		line.erase(line.find_last_not_of(' ') + 1);
		out += line + "\n";
	}
	return out;
}

void Facts::add(std::string name, std::string value)
{
	facts_.emplace_back(std::move(name), std::move(value));
}

std::string Facts::text() const
{
	size_t width = 0;
	for (const auto &[name, value] : facts_)
		width = std::max(width, name.size());
	std::string out;
	for (const auto &[name, value] : facts_)
		out += fmt::format("{:<{}}  {}\n", name, width, value);
	return out;
}

std::string plain(const json &value)
{
	if (value.is_string())
		return printable(value.get_ref<const std::string &>());
	if (value.is_boolean())
		return value.get<bool>() ? "yes" : "no";
	if (value.is_number_float())
		return fmt::format("{:.6g}", value.get<double>());
	return value.dump();
}

std::string size_text(uint64_t bytes)
{
	static constexpr const char *units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	if (bytes < 1024)
		return fmt::format("{} bytes", bytes);
	double value = static_cast<double>(bytes) / 1024;
	size_t unit = 0;
	for (; value >= 1024; value /= 1024)
		unit++;
	return fmt::format("{:.1f} {}", value, units[unit]);
}

std::string time_text(uint64_t ns)
{
	return scaled(static_cast<double>(ns), {{1, "ns"}, {1e3, "us"}, {1e6, "ms"}, {1e9, "s"}});
}

std::string energy_text(uint64_t pj)
{
	return scaled(static_cast<double>(pj),
		      {{1, "pJ"}, {1e3, "nJ"}, {1e6, "uJ"}, {1e9, "mJ"}, {1e12, "J"}});
}

std::string listed(std::string_view title, const json &names)
{
	constexpr size_t shown_max = 3;
	if (names.empty())
		return {};
	std::string text = fmt::format("{}: {}", title, names.size());
	for (size_t i = 0; i < std::min(names.size(), shown_max); i++)
		text += ", " + plain(names.at(i));
	return text + (names.size() > shown_max ? ", ...\n" : "\n");
}

std::string printable(std::string_view text)
{
	std::string out;
	for (const char c : text) {
		const auto byte = static_cast<unsigned char>(c);
		if (byte < 0x20 || byte == 0x7f)
			out += fmt::format("\\x{:02x}", byte);
		else
			out += c;
	}
	return out;
}

} // namespace sqctl
