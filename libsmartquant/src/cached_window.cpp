// SPDX-License-Identifier: MIT
#include "cached_window.hpp"

#include <algorithm>

#include "failure.hpp"
#include "pieces.hpp"
#include "request.hpp"

namespace smartquant {

namespace {

// What one fill brings at least: small enough to be quick, large enough that
// a request's fixed cost does not matter.
constexpr std::uint64_t block_bytes = 1u << 20;

std::uint32_t rows_of_block(const sqc_read_request &request, const sqc_layout &layout)
{
	const std::uint64_t row_bytes = std::max<std::uint64_t>(1, layout.bytes / request.row_count);
	const std::uint64_t rows = (block_bytes / row_bytes + piece_row_unit - 1) /
				   piece_row_unit * piece_row_unit;

	return static_cast<std::uint32_t>(std::max<std::uint64_t>(rows, piece_row_unit));
}

std::uint32_t blocks_of(std::uint32_t rows, std::uint32_t block_rows)
{
	return rows / block_rows + (rows % block_rows ? 1 : 0);
}

} // namespace

CachedWindow::CachedWindow(std::shared_ptr<Backend> backend, const RegionInfo &region,
			   const sqc_read_request &request)
	: CachedWindow(backend, region, request, backend->layout(region, request))
{
}

CachedWindow::CachedWindow(std::shared_ptr<Backend> backend, const RegionInfo &region,
			   const sqc_read_request &request, const sqc_layout &whole)
	: Window(public_layout(whole)), backend_(std::move(backend)), region_(region),
	  request_(request), whole_(whole), block_rows_(rows_of_block(request, whole)),
	  memory_(Mapping::anonymous(whole.bytes, region_subject(region.name))),
	  filled_(blocks_of(request.row_count, block_rows_))
{
	request_.format = whole.format;
}

std::span<const std::byte> CachedWindow::bytes() const
{
	return memory_.bytes();
}

void CachedWindow::need(std::uint32_t first_row, std::uint32_t end_row) const
{
	const bool all = request_.axis == SQ_AXIS_COL;
	const std::uint32_t first = all ? 0 : first_row / block_rows_;
	const std::uint32_t end = all ? static_cast<std::uint32_t>(filled_.size()) :
					blocks_of(end_row, block_rows_);

	for (std::uint32_t block = first; block < end; ++block)
		if (!filled_[block].load(std::memory_order_acquire))
			fill(block);
}

// Under a lock, so that a block is fetched once and never written again
// after somebody may read it.
void CachedWindow::fill(std::uint32_t block) const
{
	const std::lock_guard lock(filling_);
	const std::uint32_t first_row = block * block_rows_;

	if (filled_[block].load(std::memory_order_relaxed))
		return;

	const sqc_read_request request = piece_request(
		request_, first_row, std::min(block_rows_, request_.row_count - first_row));
	const sqc_layout piece = backend_->layout(region_, request);

	piece_.resize(piece.bytes);
	backend_->fetch(region_, request, piece, piece_);
	copy_piece(piece_places(whole_, piece, first_row), memory_.bytes(), piece_);
	filled_[block].store(true, std::memory_order_release);
}

} // namespace smartquant
