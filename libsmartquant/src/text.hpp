// SPDX-License-Identifier: MIT
//
// Text for error messages
#ifndef SMARTQUANT_SRC_TEXT_HPP
#define SMARTQUANT_SRC_TEXT_HPP

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace smartquant {

namespace text {

inline void append(std::string &out, std::string_view part)
{
	out += part;
}

template <std::integral T>
void append(std::string &out, T number)
{
	out += std::to_string(number);
}

} // namespace text

// Strings and integers, one behind the other.
template <typename... Parts>
std::string concat(const Parts &...parts)
{
	std::string out;
	(text::append(out, parts), ...);
	return out;
}

// In double quotes; what could disturb a terminal or a log is escaped. (Not
// called quoted: a std::string argument would bring std::quoted in.)
std::string in_quotes(std::string_view name);
// "12 bytes", "4.0 GiB (4294967296 bytes)"
std::string size_text(std::uint64_t bytes);
// "0x0123"
std::string hex16(std::uint16_t number);
// "Permission denied" for EACCES
std::string system_text(int error_number);

} // namespace smartquant

#endif // SMARTQUANT_SRC_TEXT_HPP
