// SPDX-License-Identifier: MIT
#include <smartquant/format.hpp>

#include <array>
#include <cstddef>
#include <cstring>
#include <span>

#include "controller_api.hpp"
#include "encoding.h"
#include "failure.hpp"
#include "text.hpp"

namespace smartquant {

namespace {

template <typename Code>
struct Named {
	Code code;
	std::string_view name;
};

constexpr std::array dtypes{
	Named<Dtype>{Dtype::Bf16, "bf16"}, Named<Dtype>{Dtype::Fp16, "fp16"},
	Named<Dtype>{Dtype::Fp32, "fp32"}, Named<Dtype>{Dtype::Int8, "int8"},
	Named<Dtype>{Dtype::U8, "u8"},
};

constexpr std::array placements{
	Named<Placement>{Placement::Bytes, "bytes"},
	Named<Placement>{Placement::Aligned, "aligned"},
	Named<Placement>{Placement::Word, "word"},
	Named<Placement>{Placement::Tuned, "tuned"},
};

constexpr std::array codings{
	Named<Coding>{Coding::Raw, "raw"},
	Named<Coding>{Coding::Packed, "packed"},
};

constexpr std::array roundings{
	Named<Rounding>{Rounding::Default, "default"},
	Named<Rounding>{Rounding::Truncate, "truncate"},
	Named<Rounding>{Rounding::Nearest, "nearest"},
	Named<Rounding>{Rounding::Even, "even"},
};

constexpr std::array axes{
	Named<Axis>{Axis::Row, "row"},
	Named<Axis>{Axis::Col, "col"},
};

template <typename Code>
std::string_view name_of(std::span<const Named<Code>> table, Code code) noexcept
{
	for (const auto &row : table)
		if (row.code == code)
			return row.name;
	return "unknown";
}

template <typename Code>
Code parse(std::span<const Named<Code>> table, std::string_view kind, std::string_view text)
{
	std::string names;

	for (const auto &row : table) {
		if (row.name == text)
			return row.code;
		names += names.empty() ? "" : ", ";
		names += row.name;
	}
	fail(Status::InvalidInput, concat(kind, " ", in_quotes(text)),
	     concat("unknown; one of ", names));
}

// Long enough for every name of a format.
constexpr std::size_t name_bytes_max = 64;

std::string offered_formats()
{
	std::string names;
	char buffer[name_bytes_max];

	for (unsigned int index = 0; const std::uint16_t code = sqc_format_at(index); ++index) {
		// planes1, planes2, ... are one family to a reader
		if (SQ_FORMAT_FAMILY(code) == SQ_FORMAT_FAMILY_PLANES)
			continue;
		if (const char *name = sqc_format_name(code, buffer, sizeof(buffer)))
			names += concat(names.empty() ? "" : ", ", name);
	}
	return names + ", planesN";
}

} // namespace

std::string_view name(Dtype dtype) noexcept
{
	return name_of<Dtype>(dtypes, dtype);
}

std::string_view name(Placement placement) noexcept
{
	return name_of<Placement>(placements, placement);
}

std::string_view name(Coding coding) noexcept
{
	return name_of<Coding>(codings, coding);
}

std::string_view name(Rounding rounding) noexcept
{
	return name_of<Rounding>(roundings, rounding);
}

std::string_view name(Axis axis) noexcept
{
	return name_of<Axis>(axes, axis);
}

Dtype parse_dtype(std::string_view text)
{
	return parse<Dtype>(dtypes, "dtype", text);
}

Placement parse_placement(std::string_view text)
{
	return parse<Placement>(placements, "placement", text);
}

Rounding parse_rounding(std::string_view text)
{
	return parse<Rounding>(roundings, "rounding", text);
}

Axis parse_axis(std::string_view text)
{
	return parse<Axis>(axes, "axis", text);
}

std::uint32_t word_bytes(Dtype dtype) noexcept
{
	return sqc_dtype_bytes(static_cast<std::uint8_t>(dtype));
}

Placement default_placement(Dtype dtype) noexcept
{
	switch (dtype) {
	case Dtype::U8:
		return Placement::Bytes;
	case Dtype::Int8:
		return Placement::Word;
	default:
		return Placement::Aligned;
	}
}

std::optional<Format> Format::find(std::string_view name) noexcept
{
	char terminated[name_bytes_max];

	if (name.size() >= sizeof(terminated) || name.find('\0') != name.npos)
		return std::nullopt;
	std::memcpy(terminated, name.data(), name.size());
	terminated[name.size()] = '\0';
	if (const std::uint16_t code = sqc_format_by_name(terminated))
		return Format(code);
	return std::nullopt;
}

Format Format::parse(std::string_view name)
{
	if (const auto format = find(name))
		return *format;
	fail(Status::Format, concat("format ", in_quotes(name)),
	     concat("unknown; one of ", offered_formats()));
}

std::string Format::name() const
{
	char buffer[name_bytes_max];

	if (is_tag())
		return "tag";
	if (const char *name = sqc_format_name(code_, buffer, sizeof(buffer)))
		return name;
	return concat("format ", hex16(code_));
}

double Format::bits_per_weight(Dtype dtype) const noexcept
{
	return sqc_format_bits(code_, static_cast<std::uint8_t>(dtype));
}

std::string Encoding::name() const
{
	if (code_ == SQ_ENCODING_DTYPE)
		return "dtype";
	if (const sqc_encoding *encoding = sqc_encoding_find(code_))
		return encoding->name;
	return concat("encoding ", hex16(code_));
}

std::optional<Encoding::Block> Encoding::block() const noexcept
{
	Block block{};

	if (!sqc_encoding_block(code_, &block.elements, &block.bytes))
		return std::nullopt;
	return block;
}

} // namespace smartquant
