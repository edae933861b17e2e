// SPDX-License-Identifier: MIT
#include <smartquant/store.hpp>

#include "backend.hpp"
#include "failure.hpp"
#include "request.hpp"
#include "request_queue.hpp"
#include "text.hpp"

namespace smartquant {

namespace {

std::map<std::string, std::string> kernels_in_force()
{
	std::map<std::string, std::string> levels;

	for (Kernel &kernel : kernels())
		levels[std::move(kernel.family)] = std::move(kernel.level);
	return levels;
}

} // namespace

Store::Store(std::shared_ptr<Backend> backend) noexcept : backend_(std::move(backend)) {}
Store::Store(Store &&) noexcept = default;
Store &Store::operator=(Store &&) noexcept = default;
Store::~Store() = default;

Store Store::open(std::string_view uri, const OpenOptions &options)
{
	return Store(open_backend(uri, options));
}

Backend &Store::backend() const
{
	if (!backend_)
		fail_closed("store");
	return *backend_;
}

const std::string &Store::uri() const
{
	return backend().uri();
}

StoreInfo Store::info() const
{
	StoreInfo info = backend().info();

	info.kernels = kernels_in_force();
	return info;
}

Region Store::create_region(const RegionSpec &spec)
{
	RegionSpec complete = spec;

	if (complete.placement == Placement{})
		complete.placement = default_placement(complete.dtype);
	check_spec(complete);
	return Region(backend_, backend().create_region(complete));
}

std::optional<Region> Store::find_region(std::string_view name) const
{
	if (name.empty() || name.size() > SQ_NAME_MAX)
		return std::nullopt;
	if (auto info = backend().find_region(name))
		return Region(backend_, std::move(*info));
	return std::nullopt;
}

Region Store::region(std::string_view name) const
{
	if (auto found = find_region(name))
		return std::move(*found);
	fail(Status::NotFound, region_subject(name),
	     concat("not in store ", in_quotes(backend().uri()),
		    "; its regions are listed by `sqctl regions` or Store::regions()"));
}

std::vector<RegionInfo> Store::regions() const
{
	return backend().regions();
}

void Store::flush()
{
	backend().flush_all();
}

VerifyResult Store::verify(const VerifyOptions &options) const
{
	return backend().verify_all(options);
}

void Store::sanitize()
{
	backend().sanitize();
}

Statistics Store::statistics() const
{
	return backend().statistics(SQC_STATISTICS_GLOBAL, 0, store_subject(uri()));
}

Statistics Store::statistics(Format format) const
{
	return backend().statistics(SQC_STATISTICS_FORMAT, format.code(),
				    concat("format ", in_quotes(format.name())));
}

void Store::reset_statistics()
{
	backend().reset_statistics(SQC_STATISTICS_GLOBAL, 0, store_subject(uri()));
}

void Store::reset_statistics(Format format)
{
	backend().reset_statistics(SQC_STATISTICS_FORMAT, format.code(),
				   concat("format ", in_quotes(format.name())));
}

Queue Store::queue(const QueueOptions &options) const
{
	backend();
	return Queue(std::make_unique<Queue::Engine>(backend_, options));
}

void Store::close() noexcept
{
	backend_.reset();
}

} // namespace smartquant
