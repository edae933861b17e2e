// SPDX-License-Identifier: MIT
//
// A precision vector: one read with a format for each block of rows
//
//     const Format formats[] = {Format::mxint(8), Format::mxint(3)};
//     const VectorRequest request{.formats = formats, .rows_per_format = 64};
//
//     std::vector<std::byte> buffer(w.vector_layout(request).bytes());
//     auto read = w.fetch_vector(request, buffer);
//     auto part = read.layout.part(buffer, 1);	// rows 64 .. 127, mxint3
//
// The result is that of one read a block, part after part without gaps: a
// part has codes, microexponents and scales of its own. It is one request all
// the same: checked as a whole, read in one walk over the planes, in which a
// line that several parts need is read once.
#ifndef SMARTQUANT_PRECISION_VECTOR_HPP
#define SMARTQUANT_PRECISION_VECTOR_HPP

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <smartquant/export.hpp>
#include <smartquant/layout.hpp>
#include <smartquant/statistics.hpp>

namespace smartquant {

// What to read.
struct VectorRequest {
	// Of each block of rows in turn; Format::tag() is the region's precision.
	// Looked at during the call only.
	std::span<const Format> formats = {};
	std::uint32_t rows_per_format = 1;	// the last block may have fewer
	Rounding rounding = Rounding::Default;	// of every part
	Axis axis = Axis::Row;
	Rows rows = {};
};

// Where the parts are.
struct SMARTQUANT_API VectorLayout {
	std::vector<Layout> parts = {};		// one a block of rows
	std::vector<std::uint64_t> offsets = {};	// of each part, then the end

	// Of the whole read.
	std::uint64_t bytes() const noexcept { return offsets.empty() ? 0 : offsets.back(); }
	// The bytes of one part, to which its Layout applies. Throws
	// Status::Range for a part that is not there, Status::Length when `read`
	// is shorter than bytes().
	std::span<const std::byte> part(std::span<const std::byte> read, std::size_t index) const;
};

struct VectorResult {
	VectorLayout layout = {};
	FetchResult total = {};	// of the request; its format is Format::tag()
};

} // namespace smartquant

#endif // SMARTQUANT_PRECISION_VECTOR_HPP
