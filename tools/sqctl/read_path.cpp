// SPDX-License-Identifier: MIT
#include "read_path.hpp"

#include <memory>
#include <stdexcept>

namespace sqctl {
namespace {

using smartquant::ReadRequest;
using smartquant::Region;

/// Memory for what is fetched, kept for the next time: the reads of a model are
/// many, and fresh pages cost more than some of them.
std::span<std::byte> buffer(uint64_t bytes)
{
	static std::unique_ptr<std::byte[]> memory;
	static uint64_t memory_bytes = 0;
	if (memory_bytes < bytes) {
		memory.reset();
		memory_bytes = 0;
		memory = std::make_unique_for_overwrite<std::byte[]>(bytes);
		memory_bytes = bytes;
	}
	return {memory.get(), bytes};
}

void by_fetch(const Region &region, const ReadRequest &request, Cost &cost, const Use &use)
{
	const smartquant::Layout layout = region.layout(request);
	const std::span<std::byte> bytes = buffer(layout.bytes);
	cost.add(region.fetch(request, bytes));
	use(layout, bytes);
}

// A view has no result of its own: the region's counters tell.
template <typename Map> void by_view(const Region &region, Cost &cost, const Use &use, const Map &map)
{
	const smartquant::Statistics before = region.statistics();
	const smartquant::View view = map();
	use(view.layout(), view.bytes());
	cost.add(before, region.statistics());
}

void by_map(const Region &region, const ReadRequest &request, Cost &cost, const Use &use)
{
	by_view(region, cost, use, [&] { return region.map(request); });
}

void by_cached_map(const Region &region, const ReadRequest &request, Cost &cost, const Use &use)
{
	by_view(region, cost, use, [&] { return region.map_cached(request); });
}

constexpr std::pair<const char *, ReadPath> paths[] = {
	{"fetch", by_fetch},
	{"map", by_map},
	{"cached", by_cached_map},
};

} // namespace

std::vector<std::string> read_path_names()
{
	std::vector<std::string> names;
	for (const auto &[name, path] : paths)
		names.emplace_back(name);
	return names;
}

ReadPath read_path(const std::string &name)
{
	for (const auto &[known, path] : paths)
		if (name == known)
			return path;
	throw std::logic_error("no such read path: " + name);
}

} // namespace sqctl
