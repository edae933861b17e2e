// SPDX-License-Identifier: MIT
#include <smartquant/multiplier.hpp>

#include <algorithm>
#include <cmath>

#include "failure.hpp"
#include "memory.hpp"
#include "planes.hpp"
#include "text.hpp"

namespace smartquant {

namespace {

void check_values(std::string_view subject, std::string_view what, std::uint64_t given,
		  std::uint64_t needed)
{
	if (given < needed)
		fail(Status::Length, subject,
		     concat(what, " holds ", given, " values, ", needed, " are needed"));
}

[[noreturn]] void fail_activation(std::string_view subject, std::uint64_t index)
{
	fail(Status::NonFinite, subject,
	     concat("x[", index, "] is a NaN or an infinity; activations must be finite"));
}

} // namespace

Multiplier::Multiplier(std::unique_ptr<Planes> planes, Arithmetic arithmetic) noexcept
	: planes_(std::move(planes)), arithmetic_(arithmetic)
{
}

Multiplier::Multiplier(Multiplier &&) noexcept = default;
Multiplier &Multiplier::operator=(Multiplier &&) noexcept = default;
Multiplier::~Multiplier() = default;

const Multiplier::Planes &Multiplier::planes() const
{
	if (!planes_)
		fail_closed("multiplier");
	return *planes_;
}

const Layout &Multiplier::layout() const
{
	return planes().layout;
}

Arithmetic Multiplier::arithmetic() const
{
	planes();
	return arithmetic_;
}

FetchResult Multiplier::multiply(std::span<const float> x, std::span<float> y,
				 std::uint32_t columns) const
{
	const Layout &layout = planes().layout;
	const std::string subject = region_subject(planes().region.name);
	const auto arithmetic = static_cast<sqc_arithmetic>(arithmetic_);

	if (columns < 1 || columns > columns_max)
		fail(Status::InvalidInput, subject,
		     concat(columns, " columns at once; a product takes 1 to ", columns_max));
	check_values(subject, "x", x.size(), std::uint64_t{columns} * layout.cols);
	check_values(subject, "y", y.size(), std::uint64_t{columns} * layout.rows);

	static thread_local Scratch scratch;
	const auto memory = scratch.take(sqc_activations_bytes(arithmetic, layout.cols, columns));
	sqc_activations activations;
	std::uint64_t error_at = 0;

	if (sqc_activations_make(&activations, arithmetic,
				 SQ_FORMAT_PARAMETER(layout.format.code()), layout.cols, columns,
				 x.data(), memory.data(), &error_at))
		fail_activation(subject, error_at);
	return planes_->multiply(activations, y.first(std::size_t{columns} * layout.rows));
}

void Multiplier::release()
{
	planes();
	planes_.reset();
}

void quantize_activations(std::span<const float> x, std::span<std::int8_t> codes,
			  std::span<float> scales)
{
	constexpr std::string_view subject = "activations";
	constexpr std::size_t group = SQC_GROUP_ELEMENTS;

	check_values(subject, "codes", codes.size(), x.size());
	check_values(subject, "scales", scales.size(), (x.size() + group - 1) / group);
	for (std::size_t first = 0; first < x.size(); first += group) {
		const auto part = x.subspan(first, std::min(group, x.size() - first));
		std::int8_t padded[group];

		if (!sqc_activation_group(part.data(), static_cast<std::uint32_t>(part.size()),
					  padded, &scales[first / group])) {
			const auto bad = std::find_if_not(part.begin(), part.end(),
							  [](float value) { return std::isfinite(value); });

			fail_activation(subject, static_cast<std::uint64_t>(bad - x.begin()));
		}
		std::copy_n(padded, part.size(), codes.begin() + first);
	}
}

} // namespace smartquant
