// SPDX-License-Identifier: MIT
//
// Packing: what a region takes before and after.
#include "command_line.hpp"

#include <cstdint>
#include <memory>
#include <string>

#include <fmt/format.h>

#include "documents.hpp"
#include "text.hpp"

namespace sqctl {
namespace {

double bits_per_weight(const smartquant::RegionInfo &info)
{
	return 8.0 * static_cast<double>(info.stored_bytes) / info.rows / info.cols;
}

std::string pack_text(const json &document)
{
	const auto bytes = [&](const char *key) { return document.at(key).get<std::uint64_t>(); };
	const auto bits = [&](const char *key) { return document.at(key).get<double>(); };

	return fmt::format("{} packed: {} before, {} after; {:.2f} bits a weight before, {:.2f} after\n",
			   plain(document.at("name")), size_text(bytes("before_bytes")),
			   size_text(bytes("after_bytes")), bits("before_bits_per_weight"),
			   bits("after_bits_per_weight"));
}

Output pack(const Context &context, const std::string &name)
{
	const smartquant::Store store = context.open_for_writing();
	smartquant::Region region = store.region(name);
	const smartquant::RegionInfo before = region.info();

	region.pack();

	const smartquant::RegionInfo after = region.info();

	return {.document = {{"schema", "smartquant/packed/1"},
			     {"name", name},
			     {"coding", region_json(after).at("coding")},
			     {"before_bytes", before.stored_bytes},
			     {"after_bytes", after.stored_bytes},
			     {"before_bits_per_weight", bits_per_weight(before)},
			     {"after_bits_per_weight", bits_per_weight(after)}},
		.text = pack_text};
}

} // namespace

Run define_pack(CommandLine &line, const Context &context)
{
	auto name = std::make_shared<std::string>();
	line.add_option("NAME", *name, "the region; sealed by it").required();
	return [&context, name] { return pack(context, *name); };
}

} // namespace sqctl
