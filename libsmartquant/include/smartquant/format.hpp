// SPDX-License-Identifier: MIT
//
// The vocabulary of numbers: element types, placements, read formats,
// roundings, and the encodings that a store takes. Names are those of the
// format document ("mxint4", "bf16"), in both directions.
#ifndef SMARTQUANT_FORMAT_HPP
#define SMARTQUANT_FORMAT_HPP

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <smartquant/export.hpp>

namespace smartquant {

// Element type of a region. U8 regions are opaque blobs.
enum class Dtype : std::uint8_t { Bf16 = 1, Fp16 = 2, Fp32 = 3, Int8 = 4, U8 = 5 };

// How a region's bits lie in plane memory.
enum class Placement : std::uint8_t { Bytes = 1, Aligned = 2, Word = 3, Tuned = 4 };

// How the planes of a sealed region are coded.
enum class Coding : std::uint8_t { Raw = 0, Packed = 1 };

// Default is nearest for mxint and even for every other format.
enum class Rounding : std::uint8_t { Default = 0, Truncate = 1, Nearest = 2, Even = 3 };

// Direction in which the blocks of a format run. Col delivers the transposed
// matrix.
enum class Axis : std::uint8_t { Row = 0, Col = 1 };

SMARTQUANT_API std::string_view name(Dtype dtype) noexcept;
SMARTQUANT_API std::string_view name(Placement placement) noexcept;
SMARTQUANT_API std::string_view name(Coding coding) noexcept;
SMARTQUANT_API std::string_view name(Rounding rounding) noexcept;
SMARTQUANT_API std::string_view name(Axis axis) noexcept;

// These throw Status::InvalidInput with the names that would do.
SMARTQUANT_API Dtype parse_dtype(std::string_view text);
SMARTQUANT_API Placement parse_placement(std::string_view text);
SMARTQUANT_API Rounding parse_rounding(std::string_view text);
SMARTQUANT_API Axis parse_axis(std::string_view text);

// Bytes of one stored word.
SMARTQUANT_API std::uint32_t word_bytes(Dtype dtype) noexcept;
// Aligned for floats, word for int8, bytes for u8.
SMARTQUANT_API Placement default_placement(Dtype dtype) noexcept;

// What a read delivers. A small value; two formats are equal when their codes
// are. A Format may name one that the store at hand does not offer; the
// request then fails with Status::Format.
class SMARTQUANT_API Format {
public:
	// The format that the region's precision tag names.
	constexpr Format() noexcept = default;
	constexpr explicit Format(std::uint16_t code) noexcept : code_(code) {}

	static constexpr Format tag() noexcept { return Format(0x0000); }
	// The stored words, bit exact.
	static constexpr Format native() noexcept { return Format(0x0001); }
	static constexpr Format bf16() noexcept { return Format(0x0010); }
	static constexpr Format fp16() noexcept { return Format(0x0011); }
	static constexpr Format fp32() noexcept { return Format(0x0012); }
	// bits 2 to 8, sign included.
	static constexpr Format mxint(unsigned int bits) noexcept { return family(0x01, bits); }
	static constexpr Format mxfp8_e4m3() noexcept { return family(0x02, 1); }
	static constexpr Format mxfp8_e5m2() noexcept { return family(0x02, 2); }
	static constexpr Format mxfp6_e3m2() noexcept { return family(0x02, 3); }
	static constexpr Format mxfp6_e2m3() noexcept { return family(0x02, 4); }
	static constexpr Format mxfp4_e2m1() noexcept { return family(0x02, 5); }
	// bits 4, 6 or 9: the formats with shared microexponents.
	static constexpr Format mx(unsigned int bits) noexcept { return family(0x03, bits); }
	// ggml's block types by ggml's number.
	static constexpr Format ggml(unsigned int type) noexcept { return family(0x04, type); }
	// Raw lines of the first planes.
	static constexpr Format planes(unsigned int count) noexcept { return family(0x05, count); }
	// bits 2 to 8; regions of placement tuned. The values of its codes need the
	// region's levels, which Region::levels() reads with the format below.
	static constexpr Format tuned(unsigned int bits) noexcept { return family(0x06, bits); }
	static constexpr Format levels(unsigned int bits) noexcept { return family(0x07, bits); }
	// Bits of a code when this is tuned(bits), else 0.
	constexpr unsigned int tuned_bits() const noexcept
	{
		return code_ >> 8 == 0x06 ? code_ & 0xffu : 0u;
	}

	// By name, "mxint4". parse() throws Status::Format, find() does not.
	static Format parse(std::string_view name);
	static std::optional<Format> find(std::string_view name) noexcept;

	constexpr std::uint16_t code() const noexcept { return code_; }
	constexpr bool is_tag() const noexcept { return code_ == 0; }
	// "mxint4"; "tag" for tag(), "format 0x0123" for one without a name.
	std::string name() const;
	// Bits a weight on the link, scales included, for long rows of such a
	// region; 0 when this library does not know the format.
	double bits_per_weight(Dtype dtype) const noexcept;

	friend constexpr bool operator==(Format, Format) noexcept = default;

private:
	// A parameter that does not fit its byte gives a code that no store offers.
	static constexpr Format family(unsigned int number, unsigned int parameter) noexcept
	{
		return Format(static_cast<std::uint16_t>(
			number << 8 | (parameter <= 0xff ? parameter : 0xff)));
	}

	std::uint16_t code_ = 0;
};

// What the data of a store looks like.
class SMARTQUANT_API Encoding {
public:
	// The region's own dtype.
	constexpr Encoding() noexcept = default;
	constexpr explicit Encoding(std::uint16_t code) noexcept : code_(code) {}

	static constexpr Encoding dtype() noexcept { return Encoding(0x0000); }
	static constexpr Encoding bf16() noexcept { return Encoding(0x0010); }
	static constexpr Encoding fp16() noexcept { return Encoding(0x0011); }
	static constexpr Encoding fp32() noexcept { return Encoding(0x0012); }
	// ggml's block types by ggml's number; a number above 255 names none.
	static constexpr Encoding ggml(unsigned int type) noexcept
	{
		return Encoding(static_cast<std::uint16_t>(0x0400 | (type <= 0xff ? type : 0xff)));
	}

	struct Block {
		std::uint32_t elements;
		std::uint32_t bytes;
	};

	constexpr std::uint16_t code() const noexcept { return code_; }
	// "q4_1", "bf16"; "dtype"; "encoding 0x0123" for one without a name.
	std::string name() const;
	// Nothing for dtype() and for an encoding that this library does not know.
	std::optional<Block> block() const noexcept;

	friend constexpr bool operator==(Encoding, Encoding) noexcept = default;

private:
	std::uint16_t code_ = 0;
};

} // namespace smartquant

#endif // SMARTQUANT_FORMAT_HPP
