// SPDX-License-Identifier: MIT
//
// GGUF, versions 2 and 3, little-endian: magic, counts, key-value metadata,
// tensor descriptions, padding, data. Values of the metadata are checked and
// skipped; the header as a whole is kept by the loader.
#include "gguf.hpp"

#include <array>
#include <bit>
#include <unordered_set>

#include <fmt/format.h>

namespace smartquant::model {
namespace {

constexpr uint32_t version_min = 2;
constexpr uint32_t version_max = 3;
constexpr uint64_t alignment_default = 32;
constexpr uint64_t alignment_max = 1u << 20;
constexpr uint64_t entries_max = 65536;
constexpr uint64_t key_bytes_max = 1024;
constexpr uint64_t text_bytes_max = 16u << 20;
constexpr uint32_t gguf_dimensions_max = 4;

// Value types of the metadata.
enum ValueType : uint32_t {
	value_u32 = 4,
	value_bool = 7,
	value_string = 8,
	value_array = 9,
	value_count = 13,
};

// Bytes of a value of each type; 0: not of a fixed size.
constexpr std::array<uint8_t, value_count> value_bytes = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};

// GGUF's number and name of an element type. Floats have the dtype that
// keeps them; block types are decoded by the store, if it can; all others are
// kept as bytes.
struct ElementType {
	uint32_t number;
	const char *name;
	Encoding encoding;	// dtype(): kept as bytes
	Dtype dtype;
	uint8_t bytes;		// of one element; 0: block type
};

constexpr ElementType block_type(uint32_t number, const char *name)
{
	return {number, name, Encoding::ggml(number), Dtype::Fp32, 0};
}

constexpr ElementType element_types[] = {
	{0, "f32", Encoding::fp32(), Dtype::Fp32, 4},
	{1, "f16", Encoding::fp16(), Dtype::Fp16, 2},
	block_type(2, "q4_0"),
	block_type(3, "q4_1"),
	block_type(6, "q5_0"),
	block_type(7, "q5_1"),
	block_type(8, "q8_0"),
	block_type(9, "q8_1"),
	block_type(10, "q2_k"),
	block_type(11, "q3_k"),
	block_type(12, "q4_k"),
	block_type(13, "q5_k"),
	block_type(14, "q6_k"),
	block_type(15, "q8_k"),
	block_type(16, "iq2_xxs"),
	block_type(17, "iq2_xs"),
	block_type(18, "iq3_xxs"),
	block_type(19, "iq1_s"),
	block_type(20, "iq4_nl"),
	block_type(21, "iq3_s"),
	block_type(22, "iq2_s"),
	block_type(23, "iq4_xs"),
	{24, "i8", Encoding::dtype(), Dtype::U8, 1},
	{25, "i16", Encoding::dtype(), Dtype::U8, 2},
	{26, "i32", Encoding::dtype(), Dtype::U8, 4},
	{27, "i64", Encoding::dtype(), Dtype::U8, 8},
	{28, "f64", Encoding::dtype(), Dtype::U8, 8},
	block_type(29, "iq1_m"),
	{30, "bf16", Encoding::bf16(), Dtype::Bf16, 2},
	block_type(34, "tq1_0"),
	block_type(35, "tq2_0"),
	block_type(39, "mxfp4"),
};

const ElementType *find_element_type(uint32_t number)
{
	for (const ElementType &type : element_types)
		if (type.number == number)
			return &type;
	return nullptr;
}

void skip_values(Cursor &cursor, uint32_t type, uint64_t count, const std::string &key)
{
	if (type != value_string) {
		// The bytes that are left bound the count, so that the product fits.
		if (count > cursor.remaining())
			throw Malformed(fmt::format("is truncated: metadata {} claims {} values",
						    quote(key), count));
		cursor.skip(count * value_bytes[type], fmt::format("metadata {}", quote(key)));
		return;
	}
	for (uint64_t i = 0; i < count; i++) {
		const auto bytes = cursor.number<uint64_t>("string length");
		if (bytes > text_bytes_max)
			throw Malformed(fmt::format("has a string of {} bytes in metadata {}; {} are allowed",
						    bytes, quote(key), text_bytes_max));
		cursor.skip(bytes, "string");
	}
}

uint32_t value_type(Cursor &cursor, const std::string &key, bool in_array)
{
	const auto type = cursor.number<uint32_t>("metadata value type");
	if (type >= value_count)
		throw Malformed(fmt::format("has metadata {} of unknown type {}", quote(key), type));
	if (in_array && type == value_array)
		throw Malformed(fmt::format("has metadata {} with an array in an array", quote(key)));
	return type;
}

uint64_t checked_alignment(uint32_t type, Cursor &cursor)
{
	if (type != value_u32)
		throw Malformed(fmt::format("has general.alignment of type {}; 4 (uint32) is defined",
					    type));
	const auto alignment = cursor.number<uint32_t>("general.alignment");
	if (!std::has_single_bit(alignment) || alignment > alignment_max)
		throw Malformed(fmt::format("has general.alignment {}; a power of two up to {} is allowed",
					    alignment, alignment_max));
	return alignment;
}

/// Walks the metadata; notes the architecture, the alignment of the data and
/// where the file's type is.
GgufHeader read_metadata(Cursor &cursor, uint64_t count)
{
	GgufHeader metadata;
	metadata.alignment = alignment_default;
	metadata.metadata_entries = count;
	std::unordered_set<std::string> keys;
	for (uint64_t i = 0; i < count; i++) {
		const std::string key = cursor.text("metadata key", key_bytes_max);
		if (!keys.insert(key).second)
			throw Malformed(fmt::format("has metadata {} twice", quote(key)));
		const uint32_t type = value_type(cursor, key, false);
		if (key == "general.alignment") {
			metadata.alignment = checked_alignment(type, cursor);
		} else if (key == "general.architecture" && type == value_string) {
			metadata.header.architecture =
				cursor.text("general.architecture", key_bytes_max);
		} else if (key == "general.file_type" && type == value_u32) {
			metadata.file_type_offset = cursor.position();
			skip_values(cursor, type, 1, key);
		} else if (type == value_array) {
			const uint32_t element = value_type(cursor, key, true);
			skip_values(cursor, element, cursor.number<uint64_t>("array length"), key);
		} else {
			skip_values(cursor, type, 1, key);
		}
	}
	metadata.metadata_end = cursor.position();
	return metadata;
}

/// The block types that the store decodes, for a message.
std::string decoded_types()
{
	std::string names;
	for (const ElementType &type : element_types)
		if (type.bytes == 0 && type.encoding.block())
			names += fmt::format("{}{}", names.empty() ? "" : ", ", type.name);
	return names;
}

Encoding::Block unit_of(const Tensor &tensor, const ElementType &type)
{
	if (type.bytes != 0)
		return {1, type.bytes};
	const std::optional<Encoding::Block> block = type.encoding.block();
	if (!block)
		throw Malformed(fmt::format("has tensor {} of type {}, which is not decoded; "
					    "requantise it to one of {}",
					    quote(tensor.name), type.name, decoded_types()));
	return *block;
}

void set_extent(Tensor &tensor, const ElementType &type)
{
	const Encoding::Block unit = unit_of(tensor, type);
	if (tensor.cols % unit.elements != 0)
		throw Malformed(fmt::format("has tensor {} with rows of {} elements; {} comes in "
					    "blocks of {}",
					    quote(tensor.name), tensor.cols, type.name,
					    unit.elements));
	const uint64_t units = uint64_t{tensor.rows} * (tensor.cols / unit.elements);
	if (__builtin_mul_overflow(units, uint64_t{unit.bytes}, &tensor.bytes))
		throw Malformed(fmt::format("has tensor {} of more than 2^64 bytes",
					    quote(tensor.name)));
}

Tensor read_tensor(Cursor &cursor, uint64_t alignment)
{
	Tensor tensor;
	tensor.name = cursor.text("tensor name", name_bytes_max);
	const auto dimensions = cursor.number<uint32_t>("dimension count");
	if (dimensions > gguf_dimensions_max)
		throw Malformed(fmt::format("has tensor {} of {} dimensions; up to {} are defined",
					    quote(tensor.name), dimensions, gguf_dimensions_max));
	// The file lists the innermost dimension first.
	tensor.shape.resize(dimensions);
	for (uint32_t i = dimensions; i-- > 0;)
		tensor.shape[i] = cursor.number<uint64_t>("dimension");
	const auto number = cursor.number<uint32_t>("tensor type");
	const ElementType *type = find_element_type(number);
	if (!type)
		throw Malformed(fmt::format("has tensor {} of unknown type {}", quote(tensor.name), number));
	tensor.type = type->name;
	tensor.encoding = type->encoding;
	tensor.dtype = type->dtype;
	tensor.offset = cursor.number<uint64_t>("tensor offset");
	if (tensor.offset % alignment != 0)
		throw Malformed(fmt::format("has tensor {} at offset {}, no multiple of the alignment {}",
					    quote(tensor.name), tensor.offset, alignment));
	set_matrix_shape(tensor);
	set_extent(tensor, *type);
	if (tensor.dtype == Dtype::U8)
		widen_to_bytes(tensor, type->bytes);
	return tensor;
}

void check_count(uint64_t count, uint64_t count_max, std::string_view what)
{
	if (count > count_max)
		throw Malformed(fmt::format("claims {} {}; up to {} are allowed", count, what, count_max));
}

} // namespace

uint32_t gguf_type_number(std::string_view name)
{
	for (const ElementType &type : element_types)
		if (name == type.name)
			return type.number;
	throw Malformed(fmt::format("has a tensor of type {}, which GGUF does not know", quote(name)));
}

GgufHeader parse_gguf_header(const Source &source)
{
	Cursor cursor(source, header_bytes_max);
	cursor.skip(4, "magic");
	const auto version = cursor.number<uint32_t>("version");
	if ((version & 0xffff) == 0 && version != 0)
		throw Malformed("is a big-endian GGUF file; convert it to little-endian");
	if (version < version_min || version > version_max)
		throw Malformed(fmt::format("is GGUF version {}; versions {} and {} are read", version,
					    version_min, version_max));
	const auto tensors = cursor.number<uint64_t>("tensor count");
	const auto entries = cursor.number<uint64_t>("metadata count");
	check_count(tensors, tensors_max, "tensors");
	check_count(entries, entries_max, "metadata entries");

	GgufHeader gguf = read_metadata(cursor, entries);
	Header &header = gguf.header;
	header.kind = FileKind::Gguf;
	for (uint64_t i = 0; i < tensors; i++)
		header.tensors.push_back(read_tensor(cursor, gguf.alignment));
	header.header_bytes = cursor.position();
	header.data_offset = (header.header_bytes + gguf.alignment - 1) & ~(gguf.alignment - 1);
	return gguf;
}

Header parse_gguf(const Source &source)
{
	return parse_gguf_header(source).header;
}

} // namespace smartquant::model
