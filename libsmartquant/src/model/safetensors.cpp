// SPDX-License-Identifier: MIT
//
// safetensors: the length of a JSON header, the header, the data. The header
// is an object of {dtype, shape, data_offsets} by tensor name, and optional
// strings under "__metadata__". It is read event by event into the tensors, so
// that neither depth nor repetition of hostile JSON costs memory.
#include "header.hpp"

#include <nlohmann/json.hpp>

#include <unordered_set>

#include <fmt/format.h>

namespace smartquant::model {
namespace {

// What the format's own library accepts.
constexpr uint64_t json_bytes_max = 100'000'000;
constexpr size_t shape_max = 16;
constexpr std::string_view metadata_key = "__metadata__";

struct ElementType {
	const char *name;
	Encoding encoding;
	Dtype dtype;
	uint8_t bytes;
};

constexpr ElementType element_types[] = {
	{"F32", Encoding::fp32(), Dtype::Fp32, 4},
	{"F16", Encoding::fp16(), Dtype::Fp16, 2},
	{"BF16", Encoding::bf16(), Dtype::Bf16, 2},
	{"F64", Encoding::dtype(), Dtype::U8, 8},
	{"I64", Encoding::dtype(), Dtype::U8, 8},
	{"I32", Encoding::dtype(), Dtype::U8, 4},
	{"I16", Encoding::dtype(), Dtype::U8, 2},
	{"I8", Encoding::dtype(), Dtype::U8, 1},
	{"U64", Encoding::dtype(), Dtype::U8, 8},
	{"U32", Encoding::dtype(), Dtype::U8, 4},
	{"U16", Encoding::dtype(), Dtype::U8, 2},
	{"U8", Encoding::dtype(), Dtype::U8, 1},
	{"BOOL", Encoding::dtype(), Dtype::U8, 1},
	{"F8_E4M3", Encoding::dtype(), Dtype::U8, 1},
	{"F8_E5M2", Encoding::dtype(), Dtype::U8, 1},
};

const ElementType *find_element_type(std::string_view name)
{
	for (const ElementType &type : element_types)
		if (type.name == name)
			return &type;
	return nullptr;
}

// Checks a tensor when its object closes.
void finish(Tensor &tensor, const std::vector<uint64_t> &extent)
{
	const ElementType *type = find_element_type(tensor.type);
	if (!type)
		throw Malformed(fmt::format("has tensor {} of unknown type {}", quote(tensor.name),
					    quote(tensor.type)));
	tensor.encoding = type->encoding;
	tensor.dtype = type->dtype;
	set_matrix_shape(tensor);
	const uint64_t elements = uint64_t{tensor.rows} * tensor.cols;
	if (__builtin_mul_overflow(elements, uint64_t{type->bytes}, &tensor.bytes))
		throw Malformed(fmt::format("has tensor {} of more than 2^64 bytes",
					    quote(tensor.name)));
	if (extent[0] > extent[1] || extent[1] - extent[0] != tensor.bytes)
		throw Malformed(fmt::format("has tensor {} at data offsets {} to {}; its type and shape "
					    "take {} bytes",
					    quote(tensor.name), extent[0], extent[1], tensor.bytes));
	tensor.offset = extent[0];
	if (type->dtype == Dtype::U8)
		widen_to_bytes(tensor, type->bytes);
}

class Handler : public nlohmann::json_sax<nlohmann::json> {
public:
	explicit Handler(Header &header) : header_(header) {}

	bool start_object(std::size_t) override
	{
		if (place_ == Place::start)
			place_ = Place::top;
		else if (place_ == Place::top)
			open_entry();
		else
			unexpected("an object");
		return true;
	}

	bool key(string_t &text) override
	{
		auto &seen = place_ == Place::top ? names_ : fields_;
		if (!seen.insert(text).second)
			throw Malformed(fmt::format("has {} twice", quote(text)));
		key_ = text;
		return true;
	}

	bool end_object() override
	{
		if (place_ == Place::tensor)
			close_tensor();
		place_ = place_ == Place::top ? Place::end : Place::top;
		return true;
	}

	bool start_array(std::size_t) override
	{
		if (place_ != Place::tensor || (key_ != "shape" && key_ != "data_offsets"))
			unexpected("an array");
		place_ = key_ == "shape" ? Place::shape : Place::extent;
		return true;
	}

	bool end_array() override
	{
		place_ = Place::tensor;
		return true;
	}

	bool string(string_t &text) override
	{
		if (place_ == Place::tensor && key_ == "dtype")
			header_.tensors.back().type = text;
		else if (place_ != Place::metadata)
			unexpected("a string");
		return true;
	}

	bool number_unsigned(number_unsigned_t value) override
	{
		auto &numbers = place_ == Place::shape ? header_.tensors.back().shape : extent_;
		const size_t numbers_max = place_ == Place::shape ? shape_max : 2;
		if (place_ != Place::shape && place_ != Place::extent)
			unexpected("a number");
		if (numbers.size() == numbers_max)
			throw Malformed(fmt::format("has tensor {} with more than {} numbers in {}",
						    quote(header_.tensors.back().name), numbers_max,
						    key_));
		numbers.push_back(value);
		return true;
	}

	bool null() override { unexpected("null"); }
	bool boolean(bool) override { unexpected("a boolean"); }
	bool number_integer(number_integer_t) override { unexpected("a negative number"); }
	bool number_float(number_float_t, const string_t &) override { unexpected("a fraction"); }
	bool binary(binary_t &) override { unexpected("binary data"); }

	bool parse_error(std::size_t position, const std::string &,
			 const nlohmann::detail::exception &) override
	{
		throw Malformed(fmt::format("is no GGUF file, and as a safetensors file has a header "
					    "that is no JSON at byte {}",
					    position));
	}

private:
	enum class Place { start, top, tensor, metadata, shape, extent, end };

	[[noreturn]] void unexpected(std::string_view what) const
	{
		throw Malformed(fmt::format("has {} in its header after key {}, where none belongs",
					    what, quote(key_)));
	}

	void open_entry()
	{
		fields_.clear();
		if (key_ == metadata_key) {
			place_ = Place::metadata;
			return;
		}
		if (header_.tensors.size() == tensors_max)
			throw Malformed(fmt::format("has more than {} tensors", tensors_max));
		if (key_.size() > name_bytes_max)
			throw Malformed(fmt::format("has a tensor name of {} bytes; {} are allowed",
						    key_.size(), name_bytes_max));
		header_.tensors.emplace_back().name = key_;
		extent_.clear();
		place_ = Place::tensor;
	}

	void close_tensor()
	{
		Tensor &tensor = header_.tensors.back();
		const bool whole = fields_.size() == 3 && fields_.count("dtype") &&
				   fields_.count("shape") && fields_.count("data_offsets");
		if (!whole || extent_.size() != 2)
			throw Malformed(fmt::format("has tensor {} without exactly dtype, shape and two "
						    "data_offsets",
						    quote(tensor.name)));
		finish(tensor, extent_);
	}

	Header &header_;
	Place place_ = Place::start;
	std::string key_;
	std::vector<uint64_t> extent_;
	std::unordered_set<std::string> names_;
	std::unordered_set<std::string> fields_;
};

} // namespace

Header parse_safetensors(const Source &source)
{
	Cursor cursor(source, header_bytes_max);
	const auto json_bytes = cursor.number<uint64_t>("header length");
	if (json_bytes > json_bytes_max || json_bytes > cursor.remaining())
		throw Malformed(fmt::format("is no GGUF file, and as a safetensors file claims a header "
					    "of {} bytes; {} are left and up to {} allowed",
					    json_bytes, cursor.remaining(), json_bytes_max));
	std::string json(json_bytes, '\0');
	source.read(cursor.position(), std::as_writable_bytes(std::span(json)));

	Header header;
	header.kind = FileKind::Safetensors;
	header.header_bytes = header.data_offset = cursor.position() + json_bytes;
	Handler handler(header);
	nlohmann::json::sax_parse(json, &handler);
	return header;
}

} // namespace smartquant::model
