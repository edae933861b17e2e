// SPDX-License-Identifier: MIT
//
// Products with the weights where they are stored
//
//     auto w = store.region("blk.0.ffn_up.weight");
//     auto up = w.multiplier({.format = Format::mxint(4)});
//     up.multiply(x, y); // y = W x
//
// A Multiplier stands for rows of a region as the codes of Format::mxint(bits),
// 2 to 8, rounding truncate (reads `bits` planes) or nearest (one more). It
// multiplies straight from the bit-planes: the codes are never written down.
// Regions of placement aligned and coding raw have such planes; elsewhere a
// View multiplies what it delivered.
//
// Arithmetic::Int8 rounds the activations to 8 bits in groups of 32, as
// quantize_activations() does; each group of weights and activations meets in
// integers, exactly, and is added to the sum in fp32. Arithmetic::Fp32 keeps
// them, and gives the result that View::multiply() of the same format gives.
// Either way the order of additions is fixed: the same bytes on every machine
// and with any number of threads.
//
// An embedded store checks the checksums of the planes when the Multiplier is
// made and once more after a store to the region, which products that begin
// later see; remove() of the region fails as long as it is there
// (Status::InUse). On a device the planes are fetched when it is made and stay
// as they were, like those of a cached view.
//
// Calls on one Multiplier may run in several threads at the same time,
// release() and moving excepted.
#ifndef SMARTQUANT_MULTIPLIER_HPP
#define SMARTQUANT_MULTIPLIER_HPP

#include <cstdint>
#include <memory>
#include <span>

#include <smartquant/export.hpp>
#include <smartquant/layout.hpp>
#include <smartquant/statistics.hpp>

namespace smartquant {

enum class Arithmetic : std::uint8_t { Int8 = 0, Fp32 = 1 };

// What to multiply with.
struct MultiplierRequest {
	Format format = Format::tag();
	Rounding rounding = Rounding::Default;
	Arithmetic arithmetic = Arithmetic::Int8;
	Rows rows = {};
};

class SMARTQUANT_API Multiplier {
public:
	static constexpr std::uint32_t columns_max = 16;

	Multiplier(Multiplier &&) noexcept;
	Multiplier &operator=(Multiplier &&) noexcept;
	~Multiplier();

	// Of a read of the codes that it stands for: rows, cols, format.
	const Layout &layout() const;
	Arithmetic arithmetic() const;

	// Y = W X for 1 to columns_max columns: x holds columns * cols values, one
	// column after the other, y columns * rows. A large product is shared by
	// the store's threads (OpenOptions::threads). The result says which lines
	// of plane memory it read; `bytes` are theirs. On a device that is nothing.
	// Throws Status::Length (x or y too short), Status::NonFinite (a NaN or an
	// infinity in x), Status::MediaFailure; y is undefined then.
	FetchResult multiply(std::span<const float> x, std::span<float> y,
			     std::uint32_t columns = 1) const;

	// Lets go of the region now; calls after it throw Status::Closed.
	void release();

	class Planes; // how a backend holds them
	Multiplier(std::unique_ptr<Planes> planes, Arithmetic arithmetic) noexcept;

private:
	const Planes &planes() const;

	std::unique_ptr<Planes> planes_;
	Arithmetic arithmetic_;
};

// What Arithmetic::Int8 makes of activations, in groups of 32, the last one
// shorter: with a the largest |x| of a group, scale = a / 127 and code =
// x * (127 / a) to the nearest integer, half to even, each step rounded to
// fp32. A group with a below 2^-100 has scale 0 and codes 0. `codes` holds one
// value for each of x, `scales` one a group. Throws Status::Length,
// Status::NonFinite.
SMARTQUANT_API void quantize_activations(std::span<const float> x, std::span<std::int8_t> codes,
					 std::span<float> scales);

} // namespace smartquant

#endif // SMARTQUANT_MULTIPLIER_HPP
