// SPDX-License-Identifier: MIT
#include "header.hpp"

#include <algorithm>
#include <array>
#include <numeric>
#include <unordered_set>

#include <fmt/format.h>

namespace smartquant::model {
namespace {

// Leaves room for the padding of a row to whole groups.
constexpr uint64_t matrix_side_max = 0xffffffe0;
constexpr uint64_t segment_elements = 65536;
constexpr uint64_t group_elements = 32;

void check_names(const Header &header)
{
	std::unordered_set<std::string_view> seen;
	for (const Tensor &tensor : header.tensors) {
		if (!is_fit_name(tensor.name))
			throw Malformed(fmt::format("has a tensor named {}; names are 1 to {} bytes "
						    "without control characters",
						    quote(tensor.name), name_bytes_max));
		if (tensor.name == header_name)
			throw Malformed(fmt::format("has a tensor named {}, a name that is reserved",
						    quote(tensor.name)));
		if (!seen.insert(tensor.name).second)
			throw Malformed(fmt::format("has tensor {} twice", quote(tensor.name)));
	}
}

void check_inside(const Header &header, uint64_t file_bytes)
{
	const uint64_t room = file_bytes > header.data_offset ? file_bytes - header.data_offset : 0;
	for (const Tensor &tensor : header.tensors)
		if (tensor.bytes > room || tensor.offset > room - tensor.bytes)
			throw Malformed(fmt::format("is truncated: tensor {} needs {} bytes at offset {} "
						    "of the data, the file has {} there",
						    quote(tensor.name), tensor.bytes, tensor.offset, room));
}

void check_apart(const Header &header)
{
	std::vector<const Tensor *> order;
	for (const Tensor &tensor : header.tensors)
		if (tensor.bytes > 0)
			order.push_back(&tensor);
	std::sort(order.begin(), order.end(),
		  [](const Tensor *a, const Tensor *b) { return a->offset < b->offset; });
	for (size_t i = 1; i < order.size(); i++)
		if (order[i]->offset - order[i - 1]->offset < order[i - 1]->bytes)
			throw Malformed(fmt::format("has tensors {} and {} that overlap",
						    quote(order[i - 1]->name), quote(order[i]->name)));
}

void check_covered(const Header &header, uint64_t file_bytes)
{
	uint64_t covered = header.data_offset;
	for (const Tensor &tensor : header.tensors)
		covered += tensor.bytes;
	if (covered != file_bytes)
		throw Malformed(fmt::format("has {} bytes that belong to no tensor",
					    file_bytes - covered));
}

} // namespace

uint32_t rows_per_block(const Tensor &tensor)
{
	const uint64_t stride = (uint64_t{tensor.cols} + group_elements - 1) / group_elements *
				group_elements;
	const uint64_t whole = segment_elements / std::gcd(segment_elements, stride);
	uint64_t rows = std::max<uint64_t>(block_elements / stride, 1);
	if (rows >= whole)
		rows -= rows % whole;
	return static_cast<uint32_t>(std::min<uint64_t>(rows, tensor.rows));
}

bool is_fit_name(std::string_view name)
{
	const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
	return !name.empty() && is_utf8(name) && std::none_of(name.begin(), name.end(), control);
}

void fail_file(const std::filesystem::path &file, const Malformed &malformed)
{
	throw Error(Status::InvalidInput,
		    fmt::format("file {} {}", quote(file.string()), malformed.what()));
}

void set_matrix_shape(Tensor &tensor)
{
	const auto &shape = tensor.shape;
	if (std::find(shape.begin(), shape.end(), 0u) != shape.end())
		return;
	const uint64_t cols = shape.empty() ? 1 : shape.back();
	uint64_t rows = 1;
	for (size_t i = 0; i + 1 < shape.size(); i++)
		if (__builtin_mul_overflow(rows, shape[i], &rows))
			rows = UINT64_MAX;
	if (rows > matrix_side_max || cols > matrix_side_max)
		throw Malformed(fmt::format("has tensor {} of {} x {} elements; a region has up to "
					    "{} rows and columns",
					    quote(tensor.name), rows, cols, matrix_side_max));
	tensor.rows = static_cast<uint32_t>(rows);
	tensor.cols = static_cast<uint32_t>(cols);
}

void widen_to_bytes(Tensor &tensor, uint32_t element_bytes)
{
	const uint64_t cols = uint64_t{tensor.cols} * element_bytes;
	if (cols > matrix_side_max)
		throw Malformed(fmt::format("has tensor {} with rows of {} bytes; up to {} are kept",
					    quote(tensor.name), cols, matrix_side_max));
	tensor.cols = static_cast<uint32_t>(cols);
}

Header parse(const Source &source, Behind behind)
{
	std::array<char, 4> magic{};
	if (source.size() < 8)
		throw Malformed(fmt::format("has {} bytes, too few for a GGUF or safetensors file",
					    source.size()));
	source.read(0, std::as_writable_bytes(std::span(magic)));
	const bool gguf = std::string_view(magic.data(), magic.size()) == "GGUF";
	Header header = gguf ? parse_gguf(source) : parse_safetensors(source);
	check_names(header);
	check_inside(header, behind == Behind::data ? source.size() : UINT64_MAX);
	check_apart(header);
	// safetensors allows no holes; GGUF pads.
	if (!gguf && behind == Behind::data)
		check_covered(header, source.size());
	return header;
}

std::string_view name(FileKind kind) noexcept
{
	return kind == FileKind::Gguf ? "gguf" : "safetensors";
}

} // namespace smartquant::model
