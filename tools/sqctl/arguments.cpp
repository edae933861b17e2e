// SPDX-License-Identifier: MIT
#include "arguments.hpp"

#include <charconv>

#include <fmt/format.h>

#include "command.hpp"
#include "text.hpp"

namespace sqctl {
namespace {

template <typename T> bool read_number(std::string_view text, int base, T &value)
{
	const char *end = text.data() + text.size();
	const auto [stop, error] = std::from_chars(text.data(), end, value, base);
	return error == std::errc() && stop == end && !text.empty();
}

uint32_t parse_row(std::string_view text, std::string_view whole, uint32_t missing)
{
	uint32_t row = missing;
	if (!text.empty() && !read_number(text, 10, row))
		throw WrongUsage(fmt::format("rows \"{}\": not of the form FIRST:END, as in 0:64", whole));
	return row;
}

Part parse_part(std::string_view text)
{
	const size_t at = text.find('@');
	const auto rows = at == std::string_view::npos ? smartquant::Rows{}
						       : parse_rows(text.substr(at + 1));
	return {smartquant::Format::parse(text.substr(0, at)), rows};
}

} // namespace

uint64_t parse_size(std::string_view text)
{
	static constexpr std::string_view units = "KMGT";
	std::string_view digits = text;
	unsigned int shift = 0;
	if (!text.empty()) {
		const size_t unit = units.find(text.back());
		if (unit != std::string_view::npos) {
			shift = static_cast<unsigned int>(10 * (unit + 1));
			digits.remove_suffix(1);
		}
	}
	uint64_t value = 0;
	if (!read_number(digits, 10, value) || value > UINT64_MAX >> shift)
		throw WrongUsage(fmt::format("size \"{}\": not a count of bytes, as in 4096 or 512M", text));
	return value << shift;
}

Shape parse_shape(std::string_view text)
{
	const size_t cross = text.find('x');
	Shape shape{};
	const bool good = cross != std::string_view::npos &&
			  read_number(text.substr(0, cross), 10, shape.rows) &&
			  read_number(text.substr(cross + 1), 10, shape.cols);
	if (!good)
		throw WrongUsage(fmt::format("shape \"{}\": not of the form ROWSxCOLS, as in 64x576", text));
	return shape;
}

smartquant::Rows parse_rows(std::string_view text)
{
	const size_t colon = text.find(':');
	if (colon == std::string_view::npos)
		throw WrongUsage(fmt::format("rows \"{}\": not of the form FIRST:END, as in 0:64", text));
	return {parse_row(text.substr(0, colon), text, 0),
		parse_row(text.substr(colon + 1), text, smartquant::Rows::to_end)};
}

std::vector<Part> parse_parts(std::string_view text)
{
	std::vector<Part> parts;
	for (;;) {
		const size_t comma = text.find(',');
		parts.push_back(parse_part(text.substr(0, comma)));
		if (comma == std::string_view::npos)
			return parts;
		text.remove_prefix(comma + 1);
	}
}

uint64_t parse_number(std::string_view text, std::string_view what)
{
	if (text.starts_with("0x") || text.starts_with("0X"))
		return parse_hexadecimal(text, what);
	uint64_t value = 0;
	if (!read_number(text, 10, value))
		throw WrongUsage(fmt::format("{} \"{}\": not a whole number below 2^64", what,
					     printable(text)));
	return value;
}

uint64_t parse_hexadecimal(std::string_view text, std::string_view what)
{
	std::string_view digits = text;
	if (digits.starts_with("0x") || digits.starts_with("0X"))
		digits.remove_prefix(2);
	uint64_t value = 0;
	if (!read_number(digits, 16, value))
		throw WrongUsage(fmt::format("{} \"{}\": not a hexadecimal number below 2^64, as in 1f000",
					     what, printable(text)));
	return value;
}

} // namespace sqctl
