// SPDX-License-Identifier: MIT
//
// Headers of model files: one parser a kind, and the checks that all share.
// A header that parse() returns is consistent: every tensor lies inside the
// file, no two overlap, every name is a fit region name and appears once.
#pragma once

#include "smartquant/model.hpp"
#include "source.hpp"

namespace smartquant::model {

/// Name of the region, beside the tensors, that keeps the raw header.
inline constexpr std::string_view header_name = ".header";

/// Header bytes kept for a model; tokenizers of today take 2 to 20 MiB.
inline constexpr uint64_t header_bytes_max = 256ull << 20;
inline constexpr uint64_t tensors_max = 65536;

inline constexpr size_t name_bytes_max = 255;
inline constexpr uint32_t header_row_bytes = 4096;

/// What stands behind the header: the tensors' data, whose extents are then
/// checked against the source, or nothing (a header that a store keeps).
enum class Behind { data, nothing };

/// Recognises the kind and parses. Throws Malformed.
Header parse(const Source &source, Behind behind);

Header parse_gguf(const Source &source);
Header parse_safetensors(const Source &source);

/// The region that keeps a model's header. Throws Status::NotFound.
Region header_region_of(const Store &store, std::string_view model);

/// Throws Status::InvalidInput: what is wrong with a file, in its name.
[[noreturn]] void fail_file(const std::filesystem::path &file, const Malformed &malformed);

/// Runs f; what is wrong with the file becomes an Error that names it.
template <typename F> auto naming(const std::filesystem::path &file, F &&f)
{
	try {
		return f();
	} catch (const Malformed &malformed) {
		fail_file(file, malformed);
	}
}

/// Sets rows and cols from the shape: the innermost dimension is a row. Throws
/// Malformed when a region cannot have so many. Without elements both are 0.
void set_matrix_shape(Tensor &tensor);
/// Turns columns of elements into columns of bytes.
void widen_to_bytes(Tensor &tensor, uint32_t element_bytes);

/// Elements of a block of rows that is moved at once: enough that the store
/// reads and writes whole segments, few enough to bound memory.
inline constexpr uint64_t block_elements = 4u << 20;
/// Rows of a block: whole segments, so that none is touched twice, unless that
/// takes more rows than a block has. At least 1.
uint32_t rows_per_block(const Tensor &tensor);

/// Not empty, UTF-8, no control characters.
bool is_fit_name(std::string_view name);

} // namespace smartquant::model
