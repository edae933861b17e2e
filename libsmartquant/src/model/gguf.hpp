// SPDX-License-Identifier: MIT
//
// A GGUF header with the places that an export copies from or changes.
#pragma once

#include <optional>

#include "header.hpp"

namespace smartquant::model {

inline constexpr uint32_t gguf_version = 3;	// that is written
/// Magic, version, count of tensors, count of metadata entries.
inline constexpr uint64_t gguf_prefix_bytes = 24;

struct GgufHeader {
	Header header;
	uint64_t metadata_entries = 0;
	uint64_t metadata_end = 0;	// begins at gguf_prefix_bytes
	uint64_t alignment = 0;		// of tensors
	std::optional<uint64_t> file_type_offset; // of general.file_type, a uint32
};

/// Throws Malformed.
GgufHeader parse_gguf_header(const Source &source);

/// GGUF's number of an element type by the name of Tensor::type.
uint32_t gguf_type_number(std::string_view name);

} // namespace smartquant::model
