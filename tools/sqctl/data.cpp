// SPDX-License-Identifier: MIT
//
// Raw data into a region: store.
#include "command_line.hpp"

#include <algorithm>
#include <memory>
#include <optional>

#include <fmt/format.h>

#include "arguments.hpp"
#include "documents.hpp"
#include "input_file.hpp"
#include "text.hpp"

namespace sqctl {
namespace {

// Up to here one store takes the data, which the library makes all or
// nothing; beyond, memory is bounded by blocks of rows of this size.
constexpr uint64_t block_bytes = 64u << 20;

struct StoreOptions {
	std::string name;
	std::string file;
	std::string encoding;
	std::string rows;
	std::string importance;
};

smartquant::Encoding find_encoding(const smartquant::Store &store, const std::string &name)
{
	std::string names;
	for (const smartquant::Encoding encoding : store.info().encodings) {
		if (encoding.name() == name)
			return encoding;
		names += (names.empty() ? "" : ", ") + encoding.name();
	}
	throw Refused(fmt::format("encoding \"{}\": not one that the store takes; it takes {}", name, names));
}

smartquant::StoreRequest request_of(const smartquant::Store &store, const smartquant::Region &region,
				    const StoreOptions &options)
{
	smartquant::StoreRequest request;
	request.rows = options.rows.empty() ? smartquant::Rows{} : parse_rows(options.rows);
	request.rows.end = std::min(request.rows.end, region.info().rows);
	if (!options.encoding.empty()) {
		request.encoding = find_encoding(store, options.encoding);
		request.allow_rounding = true;
	}
	return request;
}

/// One fp32 a column, as it is in the file.
std::vector<float> read_importance(const smartquant::Region &region, const StoreOptions &options)
{
	if (options.importance.empty())
		return {};
	std::vector<float> importance(region.info().cols);
	const std::span<std::byte> bytes = std::as_writable_bytes(std::span(importance));
	const InputFile input(options.importance, bytes.size());
	if (input.size() != bytes.size())
		throw Refused(fmt::format("{}: has {} bytes, the importance of {} columns in fp32 has {}",
					  input.name(), input.size(), importance.size(), bytes.size()));
	input.read(0, bytes);
	return importance;
}

void check_length(const InputFile &input, uint64_t bytes, const StoreOptions &options)
{
	if (input.size() == bytes)
		return;
	const bool standard = options.file == "-" && input.size() > bytes;
	throw Refused(fmt::format("{}: has {}{} bytes, region \"{}\" takes {} for these rows; give a file "
				  "of that size, or fewer rows with --rows",
				  input.name(), standard ? "at least " : "", input.size(),
				  options.name, bytes));
}

/// Stores block after block. What the embedded store took is lost when the
/// process ends before the flush, so a failure there changes nothing.
smartquant::StoreResult store_blocks(smartquant::Region &region, const smartquant::StoreRequest &request,
				     const InputFile &input, uint64_t bytes)
{
	const smartquant::Rows all = request.rows;
	const uint64_t row_bytes = bytes / (all.end - all.first);
	const uint64_t rows_per_block = std::max<uint64_t>(block_bytes / row_bytes, 1);
	smartquant::StoreResult total;
	std::vector<std::byte> block;
	for (uint64_t row = all.first; row < all.end; row += rows_per_block) {
		const uint64_t end = std::min<uint64_t>(row + rows_per_block, all.end);
		block.resize((end - row) * row_bytes);
		input.read((row - all.first) * row_bytes, block);
		smartquant::StoreRequest part = request;
		part.rows = {static_cast<uint32_t>(row), static_cast<uint32_t>(end)};
		const smartquant::StoreResult result = region.store(part, block);
		total.bytes += result.bytes;
		total.elements += result.elements;
		total.rounded_elements += result.rounded_elements;
		total.max_rounding_error = std::max(total.max_rounding_error, result.max_rounding_error);
	}
	return total;
}

std::string store_text(const json &document)
{
	std::string text = fmt::format("{} stored: {} elements", plain(document.at("name")),
				       plain(document.at("elements")));
	if (document.at("rounded_elements").get<uint64_t>() > 0)
		text += fmt::format(", {} rounded by at most {:.3g} of their value",
				    plain(document.at("rounded_elements")),
				    document.at("max_rounding_error").get<double>());
	return text + "\n";
}

Output store(const Context &context, const StoreOptions &options)
{
	const smartquant::Store store = context.open_for_writing();
	smartquant::Region region = store.region(options.name);
	const std::vector<float> importance = read_importance(region, options);
	smartquant::StoreRequest request = request_of(store, region, options);
	request.importance = importance;
	const uint64_t bytes = region.store_bytes(request);
	const InputFile input(options.file, bytes);
	check_length(input, bytes, options);
	const smartquant::StoreResult result = store_blocks(region, request, input, bytes);
	region.flush();
	return {.document = {{"schema", "smartquant/store/1"},
			     {"name", options.name},
			     {"rows", {request.rows.first, request.rows.end}},
			     {"bytes", result.bytes},
			     {"elements", result.elements},
			     {"rounded_elements", result.rounded_elements},
			     {"max_rounding_error", result.max_rounding_error}},
		.text = store_text};
}

} // namespace

Run define_store(CommandLine &line, const Context &context)
{
	auto options = std::make_shared<StoreOptions>();
	line.add_option("NAME", options->name, "the region").required();
	line.add_option("FILE", options->file, "row-major little-endian data; - is standard input")
		.required();
	line.add_option("--encoding", options->encoding,
		       "what the data is, when not the region's dtype: fp32, q4_1, ...; it is rounded")
		.type_name("E");
	line.add_option("--rows", options->rows, "replace only rows FIRST to before END")
		.type_name("FIRST:END");
	line.add_option("--importance", options->importance,
			"placement tuned: what each column matters, an fp32 a column")
		.type_name("FILE");
	return [&context, options] { return store(context, *options); };
}

} // namespace sqctl
