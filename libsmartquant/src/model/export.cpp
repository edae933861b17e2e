// SPDX-License-Identifier: MIT
//
// Giving a model back as a GGUF file: plan every tensor's type, extent and
// offset, write the header (metadata copied from the header region), then the
// tensors, a block of rows at a time.
#include "gguf.hpp"
#include "region_source.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "encoding.h"

namespace smartquant::model {
namespace {

constexpr uint64_t copy_bytes = 1u << 20;

// What an export writes: GGUF's name of the type, the format that a read
// delivers it in, and general.file_type of a file whose matrices have it.
struct FileType {
	const char *name;
	Format format;
	uint32_t file_type;
	uint32_t block;
};

constexpr FileType file_types[] = {
	{"f32", Format::fp32(), 0, 1},
	{"f16", Format::fp16(), 1, 1},
	{"bf16", Format::bf16(), 32, 1},
	{"q4_0", Format::ggml(2), 2, 32},
	{"q8_0", Format::ggml(8), 7, 32},
	{"mxfp4", Format::ggml(39), 38, 32},
};

const FileType *find_type(Format format)
{
	const auto type = std::ranges::find(file_types, format, &FileType::format);
	return type == std::end(file_types) ? nullptr : type;
}

Format plain_format(Dtype dtype)
{
	switch (dtype) {
	case Dtype::Bf16:
		return Format::bf16();
	case Dtype::Fp16:
		return Format::fp16();
	default:
		return Format::fp32();
	}
}

// A tensor's place in the file.
struct Output {
	const Tensor *tensor = nullptr;
	uint32_t type_number = 0;
	const FileType *type = nullptr;	// null: bytes as they are
	Format format;			// that is read; decoded where it is not the type's
	uint64_t offset = 0;		// within the data
	uint64_t bytes = 0;
};

class Exporter {
public:
	Exporter(const Store &store, std::string_view model, const ExportOptions &options,
		 const Sink &sink)
	    : store_(store), model_(model), options_(options), sink_(sink),
	      source_(header_source()), gguf_(gguf_header())
	{
		report_.name = model_;
		report_.architecture = gguf_.header.architecture;
	}

	ExportReport run()
	{
		check_options();
		for (const Tensor &tensor : gguf_.header.tensors)
			plan(tensor);
		write_header();
		bytes_total_ = written_ + data_bytes_;
		for (const Output &output : outputs_)
			write_tensor(output);
		report_.bytes = written_;
		return std::move(report_);
	}

private:
	template <typename... Args>
	[[noreturn]] void refuse(Status status, fmt::format_string<Args...> text, Args &&...args) const
	{
		throw Error(status, fmt::format("model {}: {}", quote(model_),
						fmt::format(text, std::forward<Args>(args)...)));
	}

	RegionSource header_source() const
	{
		Region region = header_region_of(store_, model_);
		if (!region.info().sealed)
			refuse(Status::Busy, "its load is under way or was killed; load it again");
		return RegionSource(std::move(region));
	}

	GgufHeader gguf_header() const
	{
		if (parse(source_, Behind::nothing).kind != FileKind::Gguf)
			refuse(Status::Unsupported,
			       "it was loaded from a safetensors file, which has not the metadata of a "
			       "GGUF; read its tensors with --decode instead");
		return parse_gguf_header(source_);
	}

	void check_options() const
	{
		if (plain_format(options_.decoded) == Format::fp32() && options_.decoded != Dtype::Fp32)
			refuse(Status::InvalidInput, "values are decoded into bf16, fp16 or fp32");
		if (options_.format.is_tag())
			refuse(Status::Format, "an export names its format; the tag is a region's own");
		const uint16_t family = SQ_FORMAT_FAMILY(options_.format.code());
		if (family == SQ_FORMAT_FAMILY_PLANES || family == SQ_FORMAT_FAMILY_LEVELS)
			refuse(Status::Format, "format {} has no values to export; name one of numbers",
			       options_.format.name());
	}

	// --------------------------------------------------------------- plan

	/// The type of a float tensor in the file, and the format that it is read in.
	std::pair<const FileType *, Format> choose(const Tensor &tensor, const Region &region)
	{
		const Format wanted = options_.format == Format::native()
					      ? plain_format(region.info().dtype)
					      : options_.format;
		const FileType *type = find_type(wanted);
		if (!type)
			type = find_type(plain_format(options_.decoded));
		if (tensor.shape.size() >= 2 && tensor.cols % type->block == 0) {
			// Refused before anything is written.
			region.layout(request_of(*type, wanted));
			return {type, wanted};
		}
		if (wanted != Format::fp32())
			report_.kept.push_back(tensor.name);
		return {find_type(Format::fp32()), Format::fp32()};
	}

	/// The rounding is for formats that are decoded: ggml's and plain ones have theirs.
	ReadRequest request_of(const FileType &type, Format format, Rows rows = {}) const
	{
		return {.format = format,
			.rounding = format == type.format ? Rounding::Default : options_.rounding,
			.rows = rows};
	}

	void plan(const Tensor &tensor)
	{
		Output output{.tensor = &tensor, .type_number = 0, .format = Format::native()};
		report_.tensors++;
		if (tensor.rows == 0 || tensor.dtype == Dtype::U8) {
			output.type_number = gguf_type_number(tensor.type);
			output.bytes = tensor.bytes;
			report_.types[tensor.type]++;
		} else {
			const Region region = region_of(tensor);
			std::tie(output.type, output.format) = choose(tensor, region);
			output.type_number = gguf_type_number(output.type->name);
			output.bytes = region.layout({.format = output.type->format}).bytes;
			report_.types[output.type->name]++;
		}
		output.offset = data_bytes_;
		data_bytes_ += padded(output.bytes);
		outputs_.push_back(output);
	}

	Region region_of(const Tensor &tensor) const
	{
		Region region = store_.region(model_ + "/" + tensor.name);
		const RegionInfo info = region.info();
		if (info.rows != tensor.rows || info.cols != tensor.cols)
			refuse(Status::StoreDamaged, "region {} is {}x{}, its header says {}x{}",
			       quote(info.name), info.rows, info.cols, tensor.rows, tensor.cols);
		return region;
	}

	uint64_t padded(uint64_t bytes) const
	{
		return (bytes + gguf_.alignment - 1) / gguf_.alignment * gguf_.alignment;
	}

	// -------------------------------------------------------------- write

	void write(std::span<const std::byte> bytes)
	{
		sink_(bytes);
		written_ += bytes.size();
	}

	template <typename T> void write_number(T value)
	{
		std::array<std::byte, sizeof(T)> raw;
		for (std::byte &byte : raw) {
			byte = static_cast<std::byte>(value & 0xff);
			value = static_cast<T>(static_cast<uint64_t>(value) >> 8);
		}
		write(raw);
	}

	void write_padding()
	{
		write(std::vector<std::byte>(padded(written_) - written_));
	}

	void write_header()
	{
		write(std::as_bytes(std::span("GGUF", 4)));
		write_number(gguf_version);
		write_number<uint64_t>(outputs_.size());
		write_number<uint64_t>(gguf_.metadata_entries);
		copy_metadata(gguf_prefix_bytes, gguf_.file_type_offset.value_or(gguf_.metadata_end));
		if (gguf_.file_type_offset) {
			write_number(file_type());
			copy_metadata(*gguf_.file_type_offset + sizeof(uint32_t), gguf_.metadata_end);
		}
		for (const Output &output : outputs_)
			write_description(output);
		write_padding();
	}

	/// Of the type that matrices have; of native, that of the first of them.
	uint32_t file_type() const
	{
		for (const Output &output : outputs_)
			if (output.type && output.tensor->shape.size() >= 2)
				return output.type->file_type;
		return 0;
	}

	void copy_metadata(uint64_t from, uint64_t to)
	{
		std::vector<std::byte> piece;
		for (; from < to; from += piece.size()) {
			piece.resize(std::min(copy_bytes, to - from));
			source_.read(from, piece);
			write(piece);
		}
	}

	void write_description(const Output &output)
	{
		const Tensor &tensor = *output.tensor;
		write_number<uint64_t>(tensor.name.size());
		write(std::as_bytes(std::span(tensor.name)));
		write_number(static_cast<uint32_t>(tensor.shape.size()));
		// Innermost dimension first.
		for (auto size = tensor.shape.rbegin(); size != tensor.shape.rend(); ++size)
			write_number<uint64_t>(*size);
		write_number(output.type_number);
		write_number<uint64_t>(output.offset);
	}

	void write_tensor(const Output &output)
	{
		const Tensor &tensor = *output.tensor;
		if (tensor.rows > 0) {
			const Region region = region_of(tensor);
			const uint32_t block = rows_per_block(tensor);
			for (uint32_t row = 0; row < tensor.rows;) {
				const uint32_t end = row + std::min(tensor.rows - row, block);
				write_rows(region, output, {row, end});
				row = end;
				report_progress(output);
			}
		}
		write_padding();
	}

	void write_rows(const Region &region, const Output &output, Rows rows)
	{
		if (!output.type || output.format == output.type->format) {
			write(region.fetch({.format = output.format, .rows = rows}));
			return;
		}
		const std::vector<float> values =
			region.fetch_values(request_of(*output.type, output.format, rows));
		const Dtype dtype = options_.decoded;
		std::vector<std::byte> words(values.size() * word_bytes(dtype));
		sqc_values_to_words(static_cast<uint8_t>(dtype), values.data(), values.size(), words.data());
		write(words);
	}

	void report_progress(const Output &output)
	{
		if (options_.progress &&
		    !options_.progress({output.tensor->name, written_, bytes_total_}))
			refuse(Status::Aborted, "the export was stopped");
	}

	const Store &store_;
	std::string model_;
	const ExportOptions &options_;
	const Sink &sink_;
	RegionSource source_;
	GgufHeader gguf_;
	std::vector<Output> outputs_;
	ExportReport report_;
	uint64_t data_bytes_ = 0;
	uint64_t written_ = 0;
	uint64_t bytes_total_ = 0;
};

} // namespace

ExportReport export_gguf(const Store &store, std::string_view model, const ExportOptions &options,
			 const Sink &sink)
{
	try {
		return Exporter(store, model, options, sink).run();
	} catch (const Malformed &malformed) {
		throw Error(Status::StoreDamaged, fmt::format("model {}: its header {}", quote(model),
							      malformed.what()));
	}
}

} // namespace smartquant::model
