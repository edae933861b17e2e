// SPDX-License-Identifier: MIT
#include "text.hpp"

#include <cstdint>
#include <cstdio>
#include <system_error>

namespace smartquant {

static std::string escaped(unsigned char byte)
{
	char out[5];

	std::snprintf(out, sizeof(out), "\\x%02x", byte);
	return out;
}

std::string in_quotes(std::string_view name)
{
	std::string out = "\"";

	for (unsigned char byte : name) {
		if (byte == '"' || byte == '\\')
			out += '\\', out += static_cast<char>(byte);
		else if (byte < 0x20 || byte == 0x7f)
			out += escaped(byte);
		else
			out += static_cast<char>(byte);
	}
	return out + '"';
}

std::string size_text(std::uint64_t bytes)
{
	static constexpr const char *units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	double value = static_cast<double>(bytes);
	char out[64];
	unsigned int unit = 0;

	if (bytes < 1024)
		return concat(bytes, " bytes");
	for (value /= 1024; value >= 1024 && unit + 1 < std::size(units); ++unit)
		value /= 1024;
	std::snprintf(out, sizeof(out), "%.1f %s (%llu bytes)", value, units[unit],
		      static_cast<unsigned long long>(bytes));
	return out;
}

std::string hex16(std::uint16_t number)
{
	char out[8];

	std::snprintf(out, sizeof(out), "0x%04x", number);
	return out;
}

std::string system_text(int error_number)
{
	return std::generic_category().message(error_number);
}

} // namespace smartquant
