// SPDX-License-Identifier: MIT
#include <smartquant/region.hpp>

#include "backend.hpp"
#include "cached_window.hpp"
#include "failure.hpp"
#include "planes.hpp"
#include "precision_vector.hpp"
#include "request.hpp"
#include "text.hpp"

namespace smartquant {

Region::Region(std::shared_ptr<Backend> backend, RegionInfo identity) noexcept
	: backend_(std::move(backend)), identity_(std::move(identity))
{
}

Region::Region(Region &&) noexcept = default;
Region &Region::operator=(Region &&) noexcept = default;
Region::~Region() = default;

Backend &Region::backend() const
{
	if (!backend_)
		fail_closed("region");
	return *backend_;
}

const std::string &Region::name() const
{
	backend();
	return identity_.name;
}

RegionInfo Region::info() const
{
	return backend().region_info(identity_);
}

std::uint64_t Region::store_bytes(const StoreRequest &request) const
{
	return backend().store_bytes(identity_, write_request(identity_, request));
}

StoreResult Region::store(const StoreRequest &request, std::span<const std::byte> data)
{
	const sqc_write_request write = write_request(identity_, request);

	check_store_data(identity_, write, data.size(), backend().store_bytes(identity_, write));
	check_importance(identity_, request.importance);
	return backend().store(identity_, write, request.importance, data);
}

StoreResult Region::store(std::span<const std::byte> data)
{
	return store({}, data);
}

Layout Region::layout(const ReadRequest &request) const
{
	return public_layout(backend().layout(identity_, read_request(identity_, request)));
}

FetchResult Region::fetch(const ReadRequest &request, std::span<std::byte> buffer) const
{
	sqc_read_request read = read_request(identity_, request);
	const sqc_layout layout = backend().layout(identity_, read);

	check_read_buffer(identity_, buffer.size(), layout.bytes);
	// A tag that changes now must not change the length any more.
	read.format = layout.format;
	return backend().fetch(identity_, read, layout, buffer.first(layout.bytes));
}

std::vector<std::byte> Region::fetch(const ReadRequest &request) const
{
	sqc_read_request read = read_request(identity_, request);
	const sqc_layout layout = backend().layout(identity_, read);
	std::vector<std::byte> bytes(layout.bytes);

	read.format = layout.format;
	backend().fetch(identity_, read, layout, bytes);
	return bytes;
}

VectorLayout Region::vector_layout(const VectorRequest &request) const
{
	return plan_vector(backend(), identity_, request).layout;
}

VectorResult Region::fetch_vector(const VectorRequest &request, std::span<std::byte> buffer) const
{
	VectorPlan plan = plan_vector(backend(), identity_, request);
	const std::uint64_t bytes = plan.layout.bytes();

	check_read_buffer(identity_, buffer.size(), bytes);

	const FetchResult total = backend().fetch_vector(identity_, plan, buffer.first(bytes));

	return {std::move(plan.layout), total};
}

// Only codes of placement tuned need levels to be numbers.
static std::vector<float> levels_of(const Region &region, const Layout &layout)
{
	const unsigned int bits = layout.format.tuned_bits();

	return bits ? region.levels(bits) : std::vector<float>();
}

std::vector<float> Region::fetch_values(const ReadRequest &request) const
{
	sqc_read_request read = read_request(identity_, request);
	const sqc_layout layout = backend().layout(identity_, read);
	std::vector<std::byte> bytes(layout.bytes);
	std::vector<float> values(std::size_t{layout.rows} * layout.cols);

	read.format = layout.format;
	backend().fetch(identity_, read, layout, bytes);
	decode(public_layout(layout), bytes, {}, levels_of(*this, public_layout(layout)), values);
	return values;
}

FetchTrace Region::trace(const ReadRequest &request) const
{
	return backend().trace(identity_, read_request(identity_, request));
}

std::vector<float> Region::levels(unsigned int bits) const
{
	return fetch_values({.format = Format::levels(bits)});
}

View Region::map(const ReadRequest &request) const
{
	View view(backend().map(identity_, read_request(identity_, request)));

	view.levels_ = levels_of(*this, view.layout());
	return view;
}

View Region::map_cached(const ReadRequest &request) const
{
	backend();
	View view(std::make_unique<CachedWindow>(backend_, identity_,
						 read_request(identity_, request)));

	view.levels_ = levels_of(*this, view.layout());
	return view;
}

Multiplier Region::multiplier(const MultiplierRequest &request) const
{
	const auto arithmetic = static_cast<std::uint8_t>(request.arithmetic);

	backend();
	if (request.arithmetic > Arithmetic::Fp32)
		fail(Status::InvalidInput, region_subject(identity_.name),
		     concat("unknown arithmetic ", arithmetic));
	return Multiplier(backend_->planes(identity_, read_request(identity_,
								   {.format = request.format,
								    .rounding = request.rounding,
								    .rows = request.rows})),
			  request.arithmetic);
}

void Region::flush()
{
	backend().flush(identity_);
}

void Region::seal()
{
	backend().seal(identity_);
}

void Region::pack()
{
	backend().pack(identity_);
}

void Region::set_precision(Format format)
{
	backend().set_precision(identity_, format);
}

void Region::remove()
{
	backend().remove(identity_);
	backend_.reset();
}

VerifyResult Region::verify(const VerifyOptions &options) const
{
	return backend().verify(identity_, options);
}

Statistics Region::statistics() const
{
	return backend().statistics(SQC_STATISTICS_REGION, identity_.handle,
				    region_subject(identity_.name));
}

void Region::reset_statistics()
{
	backend().reset_statistics(SQC_STATISTICS_REGION, identity_.handle,
				   region_subject(identity_.name));
}

} // namespace smartquant
