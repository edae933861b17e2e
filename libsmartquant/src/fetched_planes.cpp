// SPDX-License-Identifier: MIT
#include "fetched_planes.hpp"

#include "failure.hpp"
#include "multiplier.h"
#include "request.hpp"
#include "row_parts.hpp"

namespace smartquant {

FetchedPlanes::FetchedPlanes(std::shared_ptr<Backend> backend, Workers &workers,
			     const RegionInfo &viewed, const sqc_read_request &request,
			     const sqc_layout &codes)
	: Planes(viewed, public_layout(codes)), backend_(std::move(backend)), workers_(workers)
{
	sqc_read_request read = request;
	std::uint32_t planes;

	read.format = codes.format;
	read.rounding = codes.rounding;
	if (!sqc_multiplier_planes(&codes, &planes))
		fail_multiplier(viewed, read);
	read.format = Format::planes(planes).code();
	read.rounding = SQ_ROUNDING_DEFAULT;

	const sqc_layout fetched = backend_->layout(viewed, read);

	memory_ = Mapping::anonymous(fetched.bytes + SQC_LINE_BYTES, region_subject(viewed.name));
	backend_->fetch(viewed, read, fetched, memory_.bytes().first(fetched.bytes));
	sqc_plane_bytes_source(&fetched, fetched.code_row_bytes * 8, memory_.data(), &planes_,
			       &source_);
}

FetchResult FetchedPlanes::multiply(const sqc_activations &x, std::span<float> y) const
{
	RowParts parts(0, layout.rows, source_.stride, workers_.threads());

	workers_.run(parts.shares(), [&](std::size_t share) {
		while (const auto part = parts.take(share))
			sqc_multiply_rows(&source_, &x, part->first, part->count,
					  y.data() + part->first, layout.rows);
		return true;
	});
	return {.format = layout.format,
		.rounding = layout.rounding,
		.elements = std::uint64_t{layout.rows} * layout.cols};
}

} // namespace smartquant
