// SPDX-License-Identifier: MIT
//
// Text for people: aligned tables and lists of facts, rendered from the JSON
// document of an Output.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace sqctl {

using json = nlohmann::ordered_json;

/// Columns as wide as their widest cell. Numbers stand at the right.
class Table {
public:
	explicit Table(std::vector<std::string> titles);
	void add(std::vector<std::string> row);
	std::string text() const;

private:
	std::vector<std::vector<std::string>> rows_;
};

/// "name  value" lines, the values aligned.
class Facts {
public:
	void add(std::string name, std::string value);
	std::string text() const;

private:
	std::vector<std::pair<std::string, std::string>> facts_;
};

/// A JSON value as one would write it: strings bare, numbers plain, true yes.
std::string plain(const json &value);
/// "93.8 MiB"; exact below 1 KiB.
std::string size_text(uint64_t bytes);
/// "1.24 ms".
std::string time_text(uint64_t ns);
/// "1.24 mJ".
std::string energy_text(uint64_t pj);
/// "TITLE: 2, a, b", naming the first few; nothing for none.
std::string listed(std::string_view title, const json &names);
/// Control characters escaped: a name must not steer the terminal.
std::string printable(std::string_view text);

} // namespace sqctl
