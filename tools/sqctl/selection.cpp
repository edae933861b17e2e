// SPDX-License-Identifier: MIT
#include "selection.hpp"

#include <fnmatch.h>

#include <algorithm>

#include <fmt/format.h>

#include "command.hpp"

namespace sqctl {
namespace {

bool is_float(smartquant::Dtype dtype)
{
	return dtype == smartquant::Dtype::Bf16 || dtype == smartquant::Dtype::Fp16 ||
	       dtype == smartquant::Dtype::Fp32;
}

} // namespace

bool is_pattern(const std::string &name)
{
	return name.find_first_of("*?[") != std::string::npos;
}

std::vector<smartquant::RegionInfo> select(const smartquant::Store &store, const std::string &name)
{
	if (!is_pattern(name))
		return {store.region(name).info()};
	std::vector<smartquant::RegionInfo> chosen;
	for (smartquant::RegionInfo &info : store.regions())
		if (is_float(info.dtype) && ::fnmatch(name.c_str(), info.name.c_str(), 0) == 0)
			chosen.push_back(std::move(info));
	if (chosen.empty())
		throw Refused(fmt::format("pattern \"{}\": matches no float region of {}; sqctl regions "
					  "lists them",
					  name, store.uri()));
	std::sort(chosen.begin(), chosen.end(),
		  [](const auto &a, const auto &b) { return a.name < b.name; });
	return chosen;
}

} // namespace sqctl
