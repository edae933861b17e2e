// SPDX-License-Identifier: MIT
//
// Writes the model files that the CLI cases use: make-model KIND FILE.
#include <cmath>
#include <iostream>
#include <limits>

#include "model_file.hpp"

using namespace testing_models;

namespace {

Bytes good_gguf()
{
	return small_gguf().file();
}

Bytes good_safetensors()
{
	return small_safetensors().file();
}

Bytes non_finite()
{
	Gguf gguf = small_gguf();
	std::vector<float> values = weights(64);
	values[7] = std::numeric_limits<float>::infinity();
	gguf.tensors[1].data = as_bytes(values);
	return gguf.file();
}

Bytes truncated()
{
	Bytes file = small_gguf().file();
	file.resize(file.size() - 100);
	return file;
}

Bytes twice()
{
	Gguf gguf = small_gguf();
	gguf.tensors[2].name = gguf.tensors[0].name;
	return gguf.file();
}

// Loads some tensors, then does not fit into a store of 1 MiB.
Bytes large()
{
	Gguf gguf = small_gguf();
	gguf.tensors.push_back({"blk.1.weight", {1024, 1024}, 0, as_bytes(weights(1024 * 1024, 9))});
	return gguf.file();
}

constexpr std::pair<const char *, Bytes (*)()> kinds[] = {
	{"gguf", good_gguf},     {"safetensors", good_safetensors}, {"non-finite", non_finite},
	{"truncated", truncated}, {"twice", twice},                  {"large", large},
};

} // namespace

int main(int argc, char **argv)
{
	for (const auto &[name, make] : kinds)
		if (argc == 3 && argv[1] == std::string(name)) {
			write_file(argv[2], make());
			return 0;
		}
	std::cerr << "usage: make-model gguf|safetensors|non-finite|truncated|twice|large FILE\n";
	return 2;
}
