// SPDX-License-Identifier: MIT
#include "region_source.hpp"

#include <algorithm>
#include <utility>

namespace smartquant::model {

RegionSource::RegionSource(Region region) : region_(std::move(region))
{
	const RegionInfo info = region_.info();
	if (info.dtype != Dtype::U8)
		throw Malformed("is kept in a region that is not u8");
	row_bytes_ = info.cols;
	size_ = uint64_t{info.rows} * info.cols;
}

void RegionSource::read(uint64_t offset, std::span<std::byte> out) const
{
	if (out.empty())
		return;
	if (offset > size_ || out.size() > size_ - offset)
		throw Malformed("ends too early");
	const auto first = static_cast<uint32_t>(offset / row_bytes_);
	const auto end = static_cast<uint32_t>((offset + out.size() - 1) / row_bytes_ + 1);
	std::vector<std::byte> rows((end - first) * row_bytes_);
	region_.fetch({.format = Format::native(), .rows = {first, end}}, rows);
	const auto skipped = static_cast<ptrdiff_t>(offset - first * row_bytes_);
	std::copy_n(rows.begin() + skipped, out.size(), out.begin());
}

} // namespace smartquant::model
