// SPDX-License-Identifier: MIT
//
// Reading at a precision: read, into a file or into a digest.
#include "command_line.hpp"

#include <algorithm>
#include <memory>
#include <optional>

#include <fmt/format.h>

#include "arguments.hpp"
#include "digest.hpp"
#include "documents.hpp"
#include "output_file.hpp"
#include "read_path.hpp"
#include "selection.hpp"
#include "stopwatch.hpp"
#include "text.hpp"

namespace sqctl {
namespace {

// Values of --decode are made and written this many at a time.
constexpr uint64_t decode_values = 1u << 20;

using Sink = std::function<void(std::span<const std::byte>)>;

struct ReadOptions {
	std::string name;
	std::string format;
	std::string rounding = "default";
	std::string axis = "row";
	std::string rows;
	std::string path = "fetch";
	std::string output;
	bool decode = false;
	bool digest = false;
};

using Requests = std::vector<smartquant::ReadRequest>;

Requests requests_of(const ReadOptions &options)
{
	std::vector<Part> parts = options.format.empty() ? std::vector<Part>{Part{}}
							 : parse_parts(options.format);
	if (!options.rows.empty() && options.format.find('@') != std::string::npos)
		throw WrongUsage("--rows and rows in --format exclude each other");
	if (!options.rows.empty())
		for (Part &part : parts)
			part.rows = parse_rows(options.rows);
	Requests requests;
	for (const Part &part : parts)
		requests.push_back({.format = part.format,
				    .rounding = options.rounding == "default"
							? smartquant::Rounding::Default
							: smartquant::parse_rounding(options.rounding),
				    .axis = smartquant::parse_axis(options.axis),
				    .rows = part.rows});
	return requests;
}

// -------------------------------------------------- parts in one request

/// The parts as one read with a precision vector, whose bytes are the same:
/// blocks of equally many rows, one behind the other; the last may be shorter.
struct Vector {
	std::vector<smartquant::Format> formats;
	uint32_t rows_per_format;
	smartquant::Rows rows;
};

std::optional<Vector> as_vector(const Requests &requests, uint32_t region_rows)
{
	const auto end_of = [&](const smartquant::ReadRequest &request) {
		return request.rows.end == smartquant::Rows::to_end ? region_rows : request.rows.end;
	};
	const smartquant::ReadRequest &first = requests.front();
	Vector vector{{}, end_of(first) - first.rows.first, {first.rows.first, first.rows.first}};
	bool ended = false;
	for (const smartquant::ReadRequest &request : requests) {
		const uint32_t rows = end_of(request) - request.rows.first;
		if (ended || request.rows.first != vector.rows.end ||
		    request.rows.first >= end_of(request) || rows > vector.rows_per_format)
			return std::nullopt;
		ended = rows < vector.rows_per_format;
		vector.formats.push_back(request.format);
		vector.rows.end = end_of(request);
	}
	return vector;
}

// ------------------------------------------------------------ one region

void decode_into(const Sink &sink, const smartquant::Region &region, const smartquant::Layout &layout,
		 std::span<const std::byte> bytes)
{
	const unsigned int tuned_bits = layout.format.tuned_bits();
	const std::vector<float> levels = tuned_bits ? region.levels(tuned_bits) : std::vector<float>();
	const uint64_t rows_at_once = std::max<uint64_t>(decode_values / layout.cols, 1);
	std::vector<float> values;
	for (uint64_t row = 0; row < layout.rows; row += rows_at_once) {
		const uint64_t end = std::min<uint64_t>(row + rows_at_once, layout.rows);
		values.resize((end - row) * layout.cols);
		smartquant::decode(layout, bytes,
				   {static_cast<uint32_t>(row), static_cast<uint32_t>(end)}, levels, values);
		sink(std::as_bytes(std::span(values)));
	}
}

json part_json(const smartquant::Region &region, const smartquant::ReadRequest &request,
	       const smartquant::Layout &granted)
{
	const uint32_t end = std::min(request.rows.end, region.info().rows);
	json part = {{"rows", {request.rows.first, end}},
		     {"requested", request.format.name()},
		     {"granted", granted.format.name()},
		     {"rounding", smartquant::name(granted.rounding)},
		     {"axis", smartquant::name(granted.axis)}};
	part["layout"] = layout_json(granted);
	return part;
}

using UsePart = std::function<void(const smartquant::ReadRequest &, const smartquant::Layout &,
				   std::span<const std::byte>)>;

void read_vector(const smartquant::Region &region, const Vector &vector, const Requests &requests,
		 Cost &cost, const UsePart &use)
{
	const smartquant::VectorRequest request{.formats = vector.formats,
						.rows_per_format = vector.rows_per_format,
						.rounding = requests.front().rounding,
						.axis = requests.front().axis,
						.rows = vector.rows};
	std::vector<std::byte> bytes(region.vector_layout(request).bytes());
	const smartquant::VectorResult read = region.fetch_vector(request, bytes);
	cost.add(read.total);
	for (size_t i = 0; i < requests.size(); i++)
		use(requests[i], read.layout.parts[i], read.layout.part(bytes, i));
}

/// Reads all parts into the sink; returns their descriptions.
json read_parts(const smartquant::Region &region, const ReadOptions &options, const Requests &requests,
		Cost &cost, const Sink &sink)
{
	json parts = json::array();
	const auto use = [&](const smartquant::ReadRequest &request, const smartquant::Layout &layout,
			     std::span<const std::byte> bytes) {
		parts.push_back(part_json(region, request, layout));
		if (options.decode)
			decode_into(sink, region, layout, bytes);
		else
			sink(bytes);
	};
	std::optional<Vector> vector;
	if (requests.size() > 1 && options.path == "fetch")
		vector = as_vector(requests, region.info().rows);
	if (vector) {
		read_vector(region, *vector, requests, cost, use);
		return parts;
	}
	for (const smartquant::ReadRequest &request : requests)
		read_path(options.path)(region, request, cost,
					[&](const smartquant::Layout &layout, std::span<const std::byte> bytes) {
						use(request, layout, bytes);
					});
	return parts;
}

std::string read_text(const json &document)
{
	std::string out;
	for (const json &part : document.at("parts"))
		out += fmt::format("{} rows {}:{} as {}, rounding {}\n", plain(document.at("name")),
				   plain(part.at("rows").at(0)), plain(part.at("rows").at(1)),
				   plain(part.at("granted")), plain(part.at("rounding")));
	return out + cost_text(document);
}

Output read_into_file(const smartquant::Store &store, const ReadOptions &options, const Requests &requests)
{
	const smartquant::Region region = store.region(options.name);
	const Stopwatch stopwatch;
	OutputFile output(options.output);
	Cost cost;
	uint64_t bytes = 0;
	const json parts = read_parts(region, options, requests, cost, [&](std::span<const std::byte> piece) {
		output.write(piece);
		bytes += piece.size();
	});
	output.commit();
	json document = {{"schema", "smartquant/read/1"},
			 {"name", options.name},
			 {"path", options.path},
			 {"decoded", options.decode},
			 {"bytes", bytes},
			 {"elapsed_ns", stopwatch.elapsed_ns()},
			 {"parts", parts}};
	cost.write_to(document);
	return {.document = document, .text = read_text, .bytes_on_stdout = options.output == "-"};
}

// ---------------------------------------------------------- many regions

std::string read_many_text(const json &document)
{
	return fmt::format("{} regions, {} bytes\n", document.at("tensors").size(),
			   plain(document.at("bytes"))) +
	       cost_text(document);
}

/// One behind the other in order of name; one is in memory at a time.
Output read_many_into_file(const smartquant::Store &store, const ReadOptions &options,
			   const Requests &requests)
{
	const std::vector<smartquant::RegionInfo> chosen = select(store, options.name);
	const Stopwatch stopwatch;
	OutputFile output(options.output);
	json tensors = json::array();
	Cost cost;
	uint64_t bytes = 0;
	for (const smartquant::RegionInfo &info : chosen) {
		const uint64_t offset = bytes;
		const json parts = read_parts(store.region(info.name), options, requests, cost,
					      [&](std::span<const std::byte> piece) {
						      output.write(piece);
						      bytes += piece.size();
					      });
		tensors.push_back({{"name", info.name},
				   {"offset", offset},
				   {"bytes", bytes - offset},
				   {"parts", parts}});
	}
	output.commit();
	json document = {{"schema", "smartquant/read-many/1"},
			 {"path", options.path},
			 {"decoded", options.decode},
			 {"bytes", bytes},
			 {"elapsed_ns", stopwatch.elapsed_ns()},
			 {"tensors", tensors}};
	cost.write_to(document);
	return {.document = document,
		.text = read_many_text,
		.bytes_on_stdout = options.output == "-"};
}

std::string digest_text(const json &document)
{
	Table table({"digest", "bytes", "name"});
	for (const json &tensor : document.at("tensors"))
		table.add({plain(tensor.at("digest")), plain(tensor.at("bytes")), plain(tensor.at("name"))});
	return table.text() + fmt::format("{}  all\n", plain(document.at("digest"))) + cost_text(document);
}

/// Digests without keeping: one tensor is in memory at a time. The digest over
/// all is the one of the tensors' digests, as text, one after the other.
Output read_into_digest(const smartquant::Store &store, const ReadOptions &options, const Requests &requests)
{
	const Stopwatch stopwatch;
	json tensors = json::array();
	Digest all;
	Cost cost;
	for (const smartquant::RegionInfo &info : select(store, options.name)) {
		Digest digest;
		uint64_t bytes = 0;
		const Sink sink = [&](std::span<const std::byte> piece) {
			digest.update(piece);
			bytes += piece.size();
		};
		read_parts(store.region(info.name), options, requests, cost, sink);
		const std::string text = digest.text();
		all.update(std::as_bytes(std::span(text)));
		tensors.push_back({{"name", info.name}, {"bytes", bytes}, {"digest", text}});
	}
	json document = {{"schema", "smartquant/digest/1"},
			 {"path", options.path},
			 {"tensors", tensors},
			 {"digest", all.text()},
			 {"elapsed_ns", stopwatch.elapsed_ns()}};
	cost.write_to(document);
	return {.document = document, .text = digest_text};
}

Output read(const Context &context, const ReadOptions &options)
{
	if (options.digest == !options.output.empty())
		throw WrongUsage("read needs a place for the bytes: -o FILE, -o - or --digest");
	const Requests requests = requests_of(options);
	const smartquant::Store store = context.open_for_reading();
	if (options.digest)
		return read_into_digest(store, options, requests);
	if (is_pattern(options.name))
		return read_many_into_file(store, options, requests);
	return read_into_file(store, options, requests);
}

} // namespace

Run define_read(CommandLine &line, const Context &context)
{
	auto options = std::make_shared<ReadOptions>();
	line.add_option("NAME", options->name, "the region, or many by a pattern as 'smol/*'")
		.required();
	line.add_option("--format", options->format,
		       "native, mxint4, ... (sqctl info lists them), or row by row: "
		       "mxint8@0:64,mxint3@64:; default: the region's precision tag")
		.type_name("F");
	line.add_option("--rounding", options->rounding, "default: nearest for mxint, else even")
		.one_of({"default", "truncate", "nearest", "even"});
	line.add_option("--axis", options->axis, "direction of the blocks; col delivers the transpose")
		.one_of({"row", "col"});
	line.add_option("--rows", options->rows, "only rows FIRST to before END").type_name("FIRST:END");
	line.add_option("--path", options->path, "how the bytes come here; all give the same")
		.one_of(read_path_names());
	line.add_flag("--decode", options->decode, "write the values as little-endian fp32");
	line.add_flag("--digest", options->digest, "print an XXH64 digest of the bytes, write nothing");
	line.add_option("-o,--output", options->output,
		       "where the bytes go; with - to standard output, and the summary to standard error")
		.type_name("FILE");
	return [&context, options] { return read(context, *options); };
}

} // namespace sqctl
