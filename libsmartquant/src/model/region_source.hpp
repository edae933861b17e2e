// SPDX-License-Identifier: MIT
//
// The header region of a loaded model, as a source for the parsers.
#pragma once

#include <smartquant/region.hpp>

#include "source.hpp"

namespace smartquant::model {

class RegionSource final : public Source {
public:
	/// Throws Malformed when the region is no header region.
	explicit RegionSource(Region region);

	uint64_t size() const override { return size_; }
	void read(uint64_t offset, std::span<std::byte> out) const override;

private:
	Region region_;
	uint64_t row_bytes_ = 0;
	uint64_t size_ = 0;
};

} // namespace smartquant::model
