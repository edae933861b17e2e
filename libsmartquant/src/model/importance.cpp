// SPDX-License-Identifier: MIT
#include "importance.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace smartquant::model {
namespace {

constexpr std::string_view sums_suffix = ".in_sum2";

} // namespace

Importance::Importance(const std::filesystem::path &file)
    : file_(file), source_(naming(file, [&] { return FileSource(file); })),
      header_(naming(file, [&] { return parse(source_, Behind::data); }))
{
}

const Tensor *Importance::find(std::string_view name) const
{
	const auto tensor = std::ranges::find(header_.tensors, name, &Tensor::name);
	return tensor == header_.tensors.end() ? nullptr : &*tensor;
}

std::vector<float> Importance::of(const Tensor &tensor) const
{
	const Tensor *sums = find(tensor.name + std::string(sums_suffix));
	if (!sums)
		sums = find(tensor.name);
	if (!sums)
		return {};
	return naming(file_, [&] {
		if (sums->encoding != Encoding::fp32() || sums->cols != tensor.cols)
			throw Malformed(fmt::format("has tensor {} of {} columns of {}; the model's tensor "
						    "needs {} of fp32",
						    quote(sums->name), sums->cols, sums->type,
						    tensor.cols));
		std::vector<float> total(sums->cols), row(sums->cols);
		for (uint32_t i = 0; i < sums->rows; i++) {
			source_.read(header_.data_offset + sums->offset + uint64_t{i} * sums->cols * sizeof(float),
				     std::as_writable_bytes(std::span(row)));
			std::ranges::transform(total, row, total.begin(), std::plus<float>());
		}
		return total;
	});
}

} // namespace smartquant::model
