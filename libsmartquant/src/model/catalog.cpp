// SPDX-License-Identifier: MIT
//
// The models that a store holds: found by their header regions.
#include "header.hpp"
#include "region_source.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

namespace smartquant::model {
namespace {

std::string header_region(std::string_view model)
{
	return fmt::format("{}/{}", model, header_name);
}

/// The part of a region's name before the first '/', empty if there is none.
std::string_view model_of(std::string_view region)
{
	const size_t slash = region.find('/');
	return slash == std::string_view::npos ? std::string_view() : region.substr(0, slash);
}

} // namespace

Region header_region_of(const Store &store, std::string_view model)
{
	std::optional<Region> region = store.find_region(header_region(model));
	if (!region)
		throw Error(Status::NotFound,
			    fmt::format("model {}: no such model in {}", quote(model), store.uri()));
	return std::move(*region);
}

Header read_header(const Store &store, std::string_view model)
{
	Region region = header_region_of(store, model);
	try {
		return parse(RegionSource(std::move(region)), Behind::nothing);
	} catch (const Malformed &malformed) {
		throw Error(Status::StoreDamaged, fmt::format("model {}: its header {}", quote(model),
							      malformed.what()));
	}
}

std::vector<ModelInfo> list(const Store &store)
{
	const std::vector<RegionInfo> regions = store.regions();
	std::map<std::string, ModelInfo, std::less<>> models;
	for (const RegionInfo &region : regions) {
		const std::string_view model = model_of(region.name);
		if (!model.empty() && region.name == header_region(model))
			models[std::string(model)] = {.name = std::string(model),
						      .complete = region.sealed,
						      .regions = 0,
						      .stored_bytes = region.stored_bytes};
	}
	for (const RegionInfo &region : regions) {
		const auto model = models.find(model_of(region.name));
		if (model == models.end() || region.name == header_region(model->first))
			continue;
		model->second.regions++;
		model->second.stored_bytes += region.stored_bytes;
	}
	std::vector<ModelInfo> result;
	for (auto &[name, model] : models)
		result.push_back(std::move(model));
	return result;
}

uint32_t remove(Store &store, std::string_view model)
{
	std::vector<RegionInfo> doomed;
	for (RegionInfo &region : store.regions())
		if (model_of(region.name) == model)
			doomed.push_back(std::move(region));
	if (doomed.empty())
		throw Error(Status::NotFound,
			    fmt::format("model {}: no such model in {}", quote(model), store.uri()));
	for (const RegionInfo &region : doomed)
		if (region.views > 0)
			throw Error(Status::InUse,
				    fmt::format("model {}: region {} has {} views mapped; close the "
						"programs that use them",
						quote(model), quote(region.name), region.views));
	// The header goes first: what a killed removal leaves is no model then.
	const std::string header = header_region(model);
	std::stable_partition(doomed.begin(), doomed.end(),
			      [&](const RegionInfo &region) { return region.name == header; });
	for (const RegionInfo &region : doomed)
		store.region(region.name).remove();
	return static_cast<uint32_t>(doomed.size());
}

} // namespace smartquant::model
