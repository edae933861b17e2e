// SPDX-License-Identifier: MIT
//
// Loading a file: check all of it, then one region a tensor, a block of rows
// at a time. The header region is created (and made durable) before the first
// tensor and sealed after the last, so that a model is complete exactly when
// its header is sealed.
#include "importance.hpp"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

namespace smartquant::model {
namespace {

Dtype stored_dtype(const Tensor &tensor, LoadDtype wanted)
{
	if (tensor.dtype == Dtype::U8)
		return Dtype::U8;
	const bool block_type = tensor.encoding.code() == 0 ? false
				: tensor.encoding != Encoding::bf16() &&
					  tensor.encoding != Encoding::fp16() &&
					  tensor.encoding != Encoding::fp32();
	switch (wanted) {
	case LoadDtype::Bf16:
		return Dtype::Bf16;
	case LoadDtype::Fp16:
		return Dtype::Fp16;
	case LoadDtype::Fp32:
		return Dtype::Fp32;
	case LoadDtype::Default:
		return block_type ? Dtype::Bf16 : tensor.dtype;
	case LoadDtype::Source:
		return tensor.dtype;
	}
	return tensor.dtype;
}

std::string model_name(const std::filesystem::path &file, const LoadOptions &options)
{
	const std::string name = options.name.empty() ? file.stem().string() : options.name;
	if (!is_fit_name(name) || name.find_first_of("/*?[") != std::string::npos)
		throw Error(Status::Name, fmt::format("model name {}: control characters, '/', '*', "
						      "'?' and '[' are not allowed; give another name",
						      quote(name)));
	return name;
}

class Loader {
public:
	Loader(Store &store, const Source &source, const Header &header, const LoadOptions &options,
	       std::string name)
	    : store_(store), source_(source), header_(header), options_(options),
	      prefix_(std::move(name) + "/")
	{
		report_.name = prefix_.substr(0, prefix_.size() - 1);
		report_.kind = header.kind;
		report_.architecture = header.architecture;
		report_.file_bytes = source.size();
		if (!options.importance.empty()) {
			if (options.placement != Placement::Tuned)
				throw Error(Status::InvalidInput,
					    fmt::format("importance {}: of use to placement tuned only",
							quote(options.importance.string())));
			importance_.emplace(options.importance);
		}
		for (const Tensor &tensor : header.tensors)
			bytes_total_ += tensor.bytes;
	}

	LoadReport run()
	{
		check_names();
		try {
			store_header();
			for (const Tensor &tensor : header_.tensors)
				load_tensor(tensor);
			created_.front().seal();
		} catch (...) {
			undo();
			throw;
		}
		for (const Region &region : created_)
			report_.stored_bytes += region.info().stored_bytes;
		return std::move(report_);
	}

private:
	void check_names() const
	{
		for (const Tensor &tensor : header_.tensors)
			if (prefix_.size() + tensor.name.size() > name_bytes_max)
				throw Error(Status::Name,
					    fmt::format("tensor {}: with the model's name it has more "
							"than {} bytes; load it under a shorter name",
							quote(tensor.name), name_bytes_max));
		for (const RegionInfo &info : store_.regions())
			if (info.name.starts_with(prefix_))
				refuse_existing();
	}

	[[noreturn]] void refuse_existing() const
	{
		for (const ModelInfo &model : list(store_))
			if (model.name == report_.name && !model.complete)
				throw Error(Status::NameExists,
					    fmt::format("model {}: an incomplete load of it is in the "
							"store; remove the model, then load it again",
							quote(report_.name)));
		throw Error(Status::NameExists,
			    fmt::format("model {}: the store has regions of that name; remove the "
					"model, or load under another name",
					quote(report_.name)));
	}

	Region &create(std::string_view name, Dtype dtype, uint32_t rows, uint32_t cols,
		       Placement placement)
	{
		created_.push_back(store_.create_region({.name = prefix_ + std::string(name),
							 .dtype = dtype,
							 .rows = rows,
							 .cols = cols,
							 .placement = placement}));
		return created_.back();
	}

	void store_header()
	{
		const uint64_t bytes = header_.header_bytes;
		const auto rows =
			static_cast<uint32_t>((bytes + header_row_bytes - 1) / header_row_bytes);
		Region &region = create(header_name, Dtype::U8, rows, header_row_bytes, {});
		const auto block_rows = static_cast<uint32_t>(block_elements / header_row_bytes);
		for (uint32_t row = 0; row < rows; row += block_rows) {
			const uint32_t end = std::min(rows - row, block_rows) + row;
			block_.assign(uint64_t{end - row} * header_row_bytes, std::byte{0});
			const uint64_t offset = uint64_t{row} * header_row_bytes;
			source_.read(offset, std::span(block_).first(
						     std::min<uint64_t>(block_.size(), bytes - offset)));
			region.store({.rows = {row, end}}, block_);
		}
		region.flush();
	}

	void load_tensor(const Tensor &tensor)
	{
		report_.tensors++;
		if (tensor.rows == 0) {
			report_.empty.push_back(tensor.name);
			return;
		}
		const Dtype dtype = stored_dtype(tensor, options_.dtype);
		if (dtype == Dtype::U8) {
			report_.kept_as_bytes.push_back(tensor.name);
			store_tensor(tensor, create(tensor.name, dtype, tensor.rows, tensor.cols, {}));
			return;
		}
		report_.elements += uint64_t{tensor.rows} * tensor.cols;
		try {
			store_tensor(tensor, create(tensor.name, dtype, tensor.rows, tensor.cols,
						    options_.placement));
		} catch (const Error &error) {
			if (error.status() != Status::NonFinite || options_.placement == Placement::Word)
				throw;
			created_.back().remove();
			created_.pop_back();
			report_.non_finite.push_back(tensor.name);
			store_tensor(tensor, create(tensor.name, dtype, tensor.rows, tensor.cols,
						    Placement::Word));
		}
	}

	/// Empty for tensors that get no codebook.
	std::vector<float> importance_of(const Tensor &tensor, const Region &region)
	{
		if (!importance_ || region.info().placement != Placement::Tuned)
			return {};
		std::vector<float> importance = importance_->of(tensor);
		report_.weighted_tensors += importance.empty() ? 0 : 1;
		return importance;
	}

	void store_tensor(const Tensor &tensor, Region &region)
	{
		const uint32_t block_rows = rows_per_block(tensor);
		const uint64_t row_bytes = tensor.bytes / tensor.rows;
		const uint64_t start = header_.data_offset + tensor.offset;
		const std::vector<float> importance = importance_of(tensor, region);
		uint64_t rounded = 0;
		float error = 0;
		for (uint32_t row = 0; row < tensor.rows;) {
			const uint32_t end = row + std::min(tensor.rows - row, block_rows);
			block_.resize((end - row) * row_bytes);
			source_.read(start + row * row_bytes, block_);
			const StoreResult result = region.store({.encoding = tensor.encoding,
								 .allow_rounding = true,
								 .rows = {row, end},
								 .importance = importance},
								block_);
			rounded += result.rounded_elements;
			error = std::max(error, result.max_rounding_error);
			row = end;
			report_progress(tensor, row * row_bytes);
		}
		region.seal();
		bytes_done_ += tensor.bytes;
		report_.rounded_tensors += rounded > 0 ? 1 : 0;
		report_.rounded_elements += rounded;
		report_.max_rounding_error = std::max(report_.max_rounding_error, error);
	}

	void report_progress(const Tensor &tensor, uint64_t bytes_of_tensor)
	{
		if (!options_.progress)
			return;
		if (!options_.progress({tensor.name, bytes_done_ + bytes_of_tensor, bytes_total_}))
			throw Error(Status::Aborted,
				    fmt::format("model {}: the load was stopped", quote(report_.name)));
	}

	/// Removes what this load made, the header last: until then it marks the
	/// rest as incomplete. What cannot be removed must not hide the cause.
	void undo() noexcept
	{
		while (!created_.empty()) {
			try {
				created_.back().remove();
			} catch (const std::exception &) {
			}
			created_.pop_back();
		}
	}

	Store &store_;
	const Source &source_;
	const Header &header_;
	const LoadOptions &options_;
	std::string prefix_;
	LoadReport report_;
	std::optional<Importance> importance_;
	std::vector<Region> created_;	// the header region first
	std::vector<std::byte> block_;
	uint64_t bytes_done_ = 0;
	uint64_t bytes_total_ = 0;
};

} // namespace

Header read_header(const std::filesystem::path &file)
{
	return naming(file, [&] { return parse(FileSource(file), Behind::data); });
}

LoadReport load(Store &store, const std::filesystem::path &file, const LoadOptions &options)
{
	return naming(file, [&] {
		const FileSource source(file);
		const Header header = parse(source, Behind::data);
		return Loader(store, source, header, options, model_name(file, options)).run();
	});
}

} // namespace smartquant::model
