// SPDX-License-Identifier: MIT
#include "embedded/parallel_read.hpp"

#include <algorithm>
#include <memory>
#include <new>
#include <vector>

#include "embedded/read_scratch.hpp"

namespace smartquant {

namespace {

// A part takes some tens of us at least, against some 10 us to wake a thread.
constexpr std::uint64_t part_segments_min = 2;
// More parts than threads: a thread that others slow down does fewer of them.
constexpr std::uint64_t parts_per_thread = 4;

std::vector<sqc_part> deal(std::uint64_t segments, std::uint64_t parts,
				std::span<sqc_dram_run> runs)
{
	std::vector<sqc_part> dealt(parts);

	for (std::uint64_t i = 0; i < parts; ++i) {
		const std::uint64_t first = segments * i / parts;
		const std::uint64_t end = segments * (i + 1) / parts;

		dealt[i] = {.first_segment = first,
			    .segments = end - first,
			    .runs = &runs[first * SQC_RUNS_MAX],
			    .runs_max = (end - first) * SQC_RUNS_MAX,
			    .run_count = 0,
			    .status = SQ_STATUS_SUCCESS,
			    .result = {}};
	}
	return dealt;
}

// Scratch memory of this thread; nullptr when there is none.
void *scratch_of(const sqc_layout &layout) noexcept
{
	try {
		return read_scratch(sqc_read_scratch_bytes(&layout));
	} catch (const std::bad_alloc &) {
		return nullptr;
	}
}

sqc_status read_in_parts(sqc_store *store, const sqc_read_request &request,
			 const sqc_layout &layout, std::span<std::byte> buffer,
			 std::uint64_t segments, Workers &workers, sqc_result &result)
{
	const auto runs = std::make_unique_for_overwrite<sqc_dram_run[]>(segments * SQC_RUNS_MAX);
	std::vector<sqc_part> parts =
		deal(segments,
		     std::min(segments / part_segments_min, workers.threads() * parts_per_thread),
		     {runs.get(), segments * SQC_RUNS_MAX});

	workers.run(parts.size(), [&](std::size_t index) {
		sqc_part &part = parts[index];
		void *const scratch = scratch_of(layout);

		if (scratch)
			sqc_read_part(store, &request, buffer.data(), buffer.size(), scratch,
				      &part);
		else
			part.status = SQ_STATUS_RESOURCES_EXHAUSTED;
		return part.status == SQ_STATUS_SUCCESS;
	});
	return sqc_read_join(store, &request, parts.data(),
			     static_cast<std::uint32_t>(parts.size()), &result);
}

} // namespace

sqc_status parallel_read(sqc_store *store, const sqc_read_request &request,
			 const sqc_layout &layout, std::span<std::byte> buffer, Workers &workers,
			 sqc_result &result)
{
	std::uint64_t segments;

	if (workers.threads() > 1 &&
	    sqc_read_segments(store, &request, &segments) == SQ_STATUS_SUCCESS &&
	    segments >= 2 * part_segments_min)
		return read_in_parts(store, request, layout, buffer, segments, workers, result);
	return sqc_read(store, &request, buffer.data(), buffer.size(),
			read_scratch(sqc_read_scratch_bytes(&layout)), &result);
}

} // namespace smartquant
