// SPDX-License-Identifier: MIT
//
// Writes small model files for tests, good and bad: each field that a parser
// has to check can be set to what the writer would not have written.
#pragma once

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace testing_models {

using Bytes = std::string;

template <typename T> void put(Bytes &out, T value)
{
	char raw[sizeof(T)];
	std::memcpy(raw, &value, sizeof(T));
	out.append(raw, sizeof(T));
}

inline void put_text(Bytes &out, const std::string &text)
{
	put<uint64_t>(out, text.size());
	out += text;
}

/// Deterministic numbers in (-1, 1).
inline std::vector<float> weights(size_t count, uint32_t seed = 1)
{
	std::vector<float> values(count);
	uint32_t state = seed * 2654435761u + 1;
	for (float &value : values) {
		state = state * 1664525u + 1013904223u;
		value = static_cast<float>(static_cast<int32_t>(state)) / 2147483648.0f;
	}
	return values;
}

inline Bytes as_bytes(const std::vector<float> &values)
{
	Bytes out(values.size() * sizeof(float), '\0');
	std::memcpy(out.data(), values.data(), out.size());
	return out;
}

/// The upper halves of floats: bf16 by truncation.
inline Bytes as_bf16(const std::vector<float> &values)
{
	Bytes out;
	for (const float value : values) {
		uint32_t bits;
		std::memcpy(&bits, &value, sizeof(bits));
		put<uint16_t>(out, static_cast<uint16_t>(bits >> 16));
	}
	return out;
}

/// q8_0 blocks with scale 1/64 and codes that count up.
inline Bytes as_q8_0(size_t blocks)
{
	Bytes out;
	for (size_t i = 0; i < blocks; i++) {
		put<uint16_t>(out, 0x2400);	// 2^-6 as fp16
		for (int j = 0; j < 32; j++)
			put<int8_t>(out, static_cast<int8_t>(i * 7 + static_cast<size_t>(j) - 16));
	}
	return out;
}

struct GgufTensor {
	std::string name;
	std::vector<uint64_t> dimensions;	// innermost first
	uint32_t type = 0;
	Bytes data;
	std::optional<uint64_t> offset = {};	// instead of the right one
};

struct Gguf {
	Bytes magic = "GGUF";
	uint32_t version = 3;
	std::optional<uint64_t> tensor_count = {};
	std::optional<uint64_t> entry_count = {};
	uint64_t alignment = 32;
	Bytes entries;			// encoded metadata
	uint64_t entries_written = 0;
	std::vector<GgufTensor> tensors;

	void add_text(const std::string &key, const std::string &value)
	{
		put_text(entries, key);
		put<uint32_t>(entries, 8);
		put_text(entries, value);
		entries_written++;
	}
	void add_u32(const std::string &key, uint32_t value)
	{
		put_text(entries, key);
		put<uint32_t>(entries, 4);
		put<uint32_t>(entries, value);
		entries_written++;
	}
	void add_texts(const std::string &key, const std::vector<std::string> &values)
	{
		put_text(entries, key);
		put<uint32_t>(entries, 9);
		put<uint32_t>(entries, 8);
		put<uint64_t>(entries, values.size());
		for (const std::string &value : values)
			put_text(entries, value);
		entries_written++;
	}
	/// Metadata as it is given.
	void add_raw(const Bytes &encoded)
	{
		entries += encoded;
		entries_written++;
	}

	uint64_t aligned(uint64_t position) const
	{
		return (position + alignment - 1) / alignment * alignment;
	}

	Bytes header() const
	{
		Bytes out = magic;
		put<uint32_t>(out, version);
		put<uint64_t>(out, tensor_count.value_or(tensors.size()));
		put<uint64_t>(out, entry_count.value_or(entries_written));
		out += entries;
		uint64_t offset = 0;
		for (const GgufTensor &tensor : tensors) {
			put_text(out, tensor.name);
			put<uint32_t>(out, static_cast<uint32_t>(tensor.dimensions.size()));
			for (const uint64_t dimension : tensor.dimensions)
				put<uint64_t>(out, dimension);
			put<uint32_t>(out, tensor.type);
			put<uint64_t>(out, tensor.offset.value_or(offset));
			offset = aligned(offset + tensor.data.size());
		}
		return out;
	}

	Bytes file() const
	{
		Bytes out = header();
		out.resize(aligned(out.size()), '\0');
		const size_t start = out.size();
		for (const GgufTensor &tensor : tensors) {
			out.resize(start + aligned(out.size() - start), '\0');
			out += tensor.data;
		}
		return out;
	}
};

/// Every kind of tensor that a load handles: fp32, bf16 and blocks, a vector,
/// three dimensions, integers, no elements.
inline Gguf small_gguf()
{
	Gguf gguf;
	gguf.add_text("general.architecture", "llama");
	gguf.add_u32("llama.block_count", 1);
	gguf.add_texts("tokenizer.ggml.tokens", {"<s>", "a", "b", ""});
	gguf.tensors = {
		{"token_embd.weight", {64, 48}, 8, as_q8_0(48 * 2)},
		{"blk.0.attn_norm.weight", {64}, 0, as_bytes(weights(64))},
		{"blk.0.ffn_up.weight", {64, 40}, 30, as_bf16(weights(64 * 40, 2))},
		{"blk.0.experts.weight", {33, 5, 3}, 0, as_bytes(weights(33 * 5 * 3, 3))},
		{"blk.0.ids", {4}, 26, Bytes("\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0", 16)},
		{"blk.0.empty", {0, 7}, 0, {}},
	};
	return gguf;
}

struct Safetensors {
	Bytes json;
	Bytes data;
	std::optional<uint64_t> json_bytes = {};

	Bytes file() const
	{
		Bytes out;
		put<uint64_t>(out, json_bytes.value_or(json.size()));
		return out + json + data;
	}
};

inline Safetensors small_safetensors()
{
	Safetensors file;
	file.data = as_bytes(weights(6 * 32)) + as_bf16(weights(10 * 33, 5)) + Bytes(16, '\7');
	file.json = R"({"__metadata__":{"format":"pt"},)"
		    R"("dense.weight":{"dtype":"F32","shape":[6,32],"data_offsets":[0,768]},)"
		    R"("emb":{"dtype":"BF16","shape":[2,5,33],"data_offsets":[768,1428]},)"
		    R"("position_ids":{"dtype":"I64","shape":[1,2],"data_offsets":[1428,1444]},)"
		    R"("none":{"dtype":"F32","shape":[0,4],"data_offsets":[1444,1444]}}  )";
	return file;
}

inline void write_file(const std::filesystem::path &path, const Bytes &bytes)
{
	std::ofstream file(path, std::ios::binary);
	file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
	if (!file.flush())
		throw std::runtime_error("cannot write " + path.string());
}

} // namespace testing_models
