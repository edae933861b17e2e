// SPDX-License-Identifier: MIT
//
// Rows of a matrix as parts for several threads. Parts end where segments do,
// so that no two threads read one run of plane memory, and are large enough to
// be worth a thread's attention.
#ifndef SMARTQUANT_SRC_ROW_PARTS_HPP
#define SMARTQUANT_SRC_ROW_PARTS_HPP

#include <algorithm>
#include <cstdint>

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
		: begin_(first_row), end_(begin_ + rows),
		  step_(step(rows, row_elements, threads)), origin_(begin_ / step_ * step_)
	{
	}

	std::size_t count() const noexcept { return (end_ - origin_ + step_ - 1) / step_; }
	Part operator[](std::size_t index) const noexcept
	{
		const std::uint64_t first = std::max(begin_, origin_ + index * step_);
		const std::uint64_t end = std::min(end_, origin_ + (index + 1) * step_);

		return {static_cast<std::uint32_t>(first - begin_),
			static_cast<std::uint32_t>(end - first)};
	}

private:
	// More parts than threads, because threads are not equally fast.
	static constexpr std::uint64_t parts_of_thread = 4;
	static constexpr std::uint64_t elements_min = 1u << 20;

	static std::uint64_t step(std::uint64_t rows, std::uint64_t row_elements,
				  unsigned int threads)
	{
		const std::uint64_t unit =
			std::max<std::uint64_t>(1, SQC_SEGMENT_ELEMENTS / row_elements);
		const std::uint64_t wanted =
			threads > 1 ? std::max(rows / (threads * parts_of_thread),
					       elements_min / row_elements) :
				      rows + unit;

		return (wanted / unit + 1) * unit;
	}

	std::uint64_t begin_;
	std::uint64_t end_;
	std::uint64_t step_;
	std::uint64_t origin_;
};

} // namespace smartquant

#endif // SMARTQUANT_SRC_ROW_PARTS_HPP
