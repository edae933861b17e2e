// SPDX-License-Identifier: MIT
//
// What the columns of a model's tensors matter: activation statistics out of a
// file of their own, GGUF or safetensors. Its fp32 tensor TENSOR.in_sum2 (as
// llama.cpp's importance matrices have it) or TENSOR belongs to the model's
// tensor TENSOR and has its number of columns; several rows (one an expert)
// are added up.
#pragma once

#include "header.hpp"

namespace smartquant::model {

class Importance {
public:
	/// Throws Status::InvalidInput when the file is malformed.
	explicit Importance(const std::filesystem::path &file);

	/// One number a column; empty when the file has none for the tensor.
	/// Throws Status::InvalidInput when they do not fit.
	std::vector<float> of(const Tensor &tensor) const;

private:
	const Tensor *find(std::string_view name) const;

	std::filesystem::path file_;
	FileSource source_;
	Header header_;
};

} // namespace smartquant::model
