// SPDX-License-Identifier: MIT
//
// A view that fetches a block of rows when one of them is first asked for
//
//    codes   |block 0 |block 1 |block 2 |..   each block is one fetch; its
//    scales  |b0|b1|b2|..                     sections are put to their places
//
// Blocks are whole multiples of 32 rows, so that for axis col (where a row
// of the region is a column of the view) they end on whole bytes and whole
// blocks of every format. There the delivered rows cross all blocks, so the
// first access fills everything.
#ifndef SMARTQUANT_SRC_CACHED_WINDOW_HPP
#define SMARTQUANT_SRC_CACHED_WINDOW_HPP

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "backend.hpp"
#include "memory.hpp"
#include "window.hpp"

namespace smartquant {

class CachedWindow final : public View::Window {
public:
	CachedWindow(std::shared_ptr<Backend> backend, const RegionInfo &region,
		     const sqc_read_request &request);

	std::span<const std::byte> bytes() const override;
	void need(std::uint32_t first_row, std::uint32_t end_row) const override;
	bool is_cached() const noexcept override { return true; }

private:
	CachedWindow(std::shared_ptr<Backend> backend, const RegionInfo &region,
		     const sqc_read_request &request, const sqc_layout &whole);
	void fill(std::uint32_t block) const;

	std::shared_ptr<Backend> backend_;
	RegionInfo region_;
	sqc_read_request request_;
	sqc_layout whole_;
	std::uint32_t block_rows_;	// of the request
	Mapping memory_;
	mutable std::mutex filling_;	// one fill at a time; guards what is below
	mutable std::vector<std::byte> piece_;
	// Set behind the fill, so read without the lock.
	mutable std::vector<std::atomic<bool>> filled_;
};

} // namespace smartquant

#endif // SMARTQUANT_SRC_CACHED_WINDOW_HPP
