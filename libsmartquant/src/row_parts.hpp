// SPDX-License-Identifier: MIT
//
// Rows of a matrix as parts for several threads
//
// Each thread has a share, rows that follow each other, and takes it in parts:
// what comes next in memory is on its way then when a part ends. Who has done
// its share helps with those of others, as threads are not equally fast. Parts
// end where segments do, so that no two threads read one run of plane memory.
#ifndef SMARTQUANT_SRC_ROW_PARTS_HPP
#define SMARTQUANT_SRC_ROW_PARTS_HPP

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <optional>
#include <vector>

#include "controller_api.hpp"

namespace smartquant {

class RowParts {
public:
	struct Part {
		std::uint32_t first; // counted from the first row of all
		std::uint32_t count;
	};

	// Rows [first_row, first_row + rows) of so many elements.
	RowParts(std::uint32_t first_row, std::uint32_t rows, std::uint64_t row_elements,
		 unsigned int threads)
		: taken_(std::clamp<std::uint64_t>(rows * row_elements / share_elements_min, 1,
						   threads)),
		  begin_(first_row), end_(begin_ + rows),
		  step_(shares() > 1 ? step(row_elements) : std::max<std::uint64_t>(1, end_)),
		  first_part_(begin_ / step_), parts_((end_ + step_ - 1) / step_ - first_part_)
	{
	}

	std::size_t shares() const noexcept { return taken_.size(); }
	// The next part for who has this share, if one is left.
	std::optional<Part> take(std::size_t share) noexcept
	{
		for (std::size_t i = 0; i < shares(); ++i) {
			const std::size_t from = (share + i) % shares();
			const std::uint64_t part = share_begin(from) + taken_[from]++;

			if (part < share_begin(from + 1))
				return rows_of(first_part_ + part);
		}
		return std::nullopt;
	}

private:
	static constexpr std::uint64_t part_elements = 4 * SQC_SEGMENT_ELEMENTS;
	// Less is not worth a thread's attention.
	static constexpr std::uint64_t share_elements_min = 1u << 20;

	static std::uint64_t step(std::uint64_t row_elements)
	{
		const std::uint64_t unit =
			std::max<std::uint64_t>(1, SQC_SEGMENT_ELEMENTS / row_elements);

		return std::max<std::uint64_t>(1, part_elements / row_elements / unit) * unit;
	}
	std::uint64_t share_begin(std::size_t share) const noexcept
	{
		return parts_ * share / shares();
	}
	Part rows_of(std::uint64_t part) const noexcept
	{
		const std::uint64_t first = std::max(begin_, part * step_);
		const std::uint64_t end = std::min(end_, (part + 1) * step_);

		return {static_cast<std::uint32_t>(first - begin_),
			static_cast<std::uint32_t>(end - first)};
	}

	std::vector<std::atomic<std::uint64_t>> taken_; // parts of each share
	std::uint64_t begin_;
	std::uint64_t end_;
	std::uint64_t step_;
	std::uint64_t first_part_;
	std::uint64_t parts_;
};

} // namespace smartquant

#endif // SMARTQUANT_SRC_ROW_PARTS_HPP
