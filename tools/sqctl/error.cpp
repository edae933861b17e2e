// SPDX-License-Identifier: MIT
//
// What a precision costs in accuracy: error, the relative root mean square of
// the difference between a format's values and the stored ones.
#include "command_line.hpp"

#include <algorithm>
#include <cmath>
#include <memory>

#include <fmt/format.h>

#include "selection.hpp"
#include "text.hpp"

namespace sqctl {
namespace {

// Elements compared at a time: bounds memory.
constexpr uint64_t block_elements = 1u << 20;

struct ErrorOptions {
	std::string name;
	std::string format;
	std::string rounding = "default";
};

/// Sums of squares; long sums of small terms need more than float.
struct Squares {
	double difference = 0;
	double value = 0;
	double largest = 0;	// difference, absolute

	void add(const Squares &other)
	{
		difference += other.difference;
		value += other.value;
		largest = std::max(largest, other.largest);
	}
	double relative_rms() const { return value > 0 ? std::sqrt(difference / value) : 0; }
};

Squares compare(std::span<const float> given, std::span<const float> stored)
{
	Squares squares;
	for (size_t i = 0; i < stored.size(); i++) {
		const double value = stored[i];
		// Placement word can hold non-finite values; they have no error.
		if (!std::isfinite(value))
			continue;
		const double difference = given[i] - value;
		squares.difference += difference * difference;
		squares.value += value * value;
		squares.largest = std::max(squares.largest, std::fabs(difference));
	}
	return squares;
}

Squares compare_region(const smartquant::Region &region, const smartquant::RegionInfo &info,
		       smartquant::ReadRequest request)
{
	const uint64_t rows_at_once = std::max<uint64_t>(block_elements / info.cols, 1);
	Squares squares;
	for (uint64_t row = 0; row < info.rows; row += rows_at_once) {
		request.rows = {static_cast<uint32_t>(row),
				static_cast<uint32_t>(std::min<uint64_t>(row + rows_at_once, info.rows))};
		const std::vector<float> given = region.fetch_values(request);
		const std::vector<float> stored = region.fetch_values(
			{.format = smartquant::Format::native(), .rows = request.rows});
		squares.add(compare(given, stored));
	}
	return squares;
}

std::string error_text(const json &document)
{
	Table table({"relative RMS", "largest", "name"});
	const auto row = [&](const json &entry, const std::string &name) {
		table.add({fmt::format("{:.6f}", entry.at("relative_rms").get<double>()),
			   fmt::format("{:.6g}", entry.at("largest_error").get<double>()), name});
	};
	for (const json &tensor : document.at("tensors"))
		row(tensor, plain(tensor.at("name")));
	row(document, "all");
	return table.text();
}

Output error(const Context &context, const ErrorOptions &options)
{
	smartquant::ReadRequest request{.format = smartquant::Format::parse(options.format)};
	if (options.rounding != "default")
		request.rounding = smartquant::parse_rounding(options.rounding);
	const smartquant::Store store = context.open_for_reading();
	json tensors = json::array();
	Squares all;
	uint64_t elements = 0;
	for (const smartquant::RegionInfo &info : select(store, options.name)) {
		const Squares squares = compare_region(store.region(info.name), info, request);
		all.add(squares);
		elements += uint64_t{info.rows} * info.cols;
		tensors.push_back({{"name", info.name},
				   {"relative_rms", squares.relative_rms()},
				   {"largest_error", squares.largest}});
	}
	return {.document = {{"schema", "smartquant/error/1"},
			     {"format", request.format.name()},
			     {"rounding", options.rounding},
			     {"tensors", tensors},
			     {"elements", elements},
			     {"relative_rms", all.relative_rms()},
			     {"largest_error", all.largest}},
		.text = error_text};
}

} // namespace

Run define_error(CommandLine &line, const Context &context)
{
	auto options = std::make_shared<ErrorOptions>();
	line.add_option("NAME", options->name, "the region, or a pattern as 'smol/*'").required();
	line.add_option("--format", options->format, "as in read").required().type_name("F");
	line.add_option("--rounding", options->rounding, "as in read")
		.one_of({"default", "truncate", "nearest", "even"});
	return [&context, options] { return error(context, *options); };
}

} // namespace sqctl
