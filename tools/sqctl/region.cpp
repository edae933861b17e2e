// SPDX-License-Identifier: MIT
//
// Regions: create, regions, show, rm, seal, tag.
#include "command_line.hpp"

#include <cstdint>
#include <memory>
#include <string>

#include <fmt/format.h>
#include <smartquant/model.hpp>

#include "arguments.hpp"
#include "documents.hpp"
#include "text.hpp"

namespace sqctl {
namespace {

// What the commands that change one region print.
std::string changed_text(const json &document)
{
	return fmt::format("{} {}\n", plain(document.at("name")), plain(document.at("done")));
}

Output changed(std::string_view schema, const std::string &name, std::string done)
{
	return {.document = {{"schema", schema}, {"name", name}, {"done", std::move(done)}},
		.text = changed_text};
}

// ---------------------------------------------------------------- create

struct CreateOptions {
	std::string name;
	std::string dtype;
	std::string shape;
	std::string placement;
};

Output create(const Context &context, const CreateOptions &options)
{
	const Shape shape = parse_shape(options.shape);
	smartquant::RegionSpec spec{.name = options.name,
				    .dtype = smartquant::parse_dtype(options.dtype),
				    .rows = shape.rows,
				    .cols = shape.cols};
	if (!options.placement.empty())
		spec.placement = smartquant::parse_placement(options.placement);
	smartquant::Store store = context.open_or_create();
	smartquant::Region region = store.create_region(spec);
	region.flush();
	json document = {{"schema", "smartquant/region/1"}};
	document.update(region_json(region.info()));
	return {.document = document, .text = [](const json &created) {
			return fmt::format("{} created: {} x {} {}, placement {}\n",
					   plain(created.at("name")), plain(created.at("rows")),
					   plain(created.at("cols")), plain(created.at("dtype")),
					   plain(created.at("placement")));
		}};
}

// --------------------------------------------------------------- regions

json models_json(const smartquant::Store &store)
{
	json models = json::array();
	for (const smartquant::model::ModelInfo &model : smartquant::model::list(store)) {
		json entry = {{"name", model.name},
			      {"complete", model.complete},
			      {"regions", model.regions},
			      {"stored_bytes", model.stored_bytes}};
		if (!model.complete)
			entry["remedy"] = fmt::format("sqctl rm --model {}", model.name);
		models.push_back(entry);
	}
	return models;
}

std::string regions_text(const json &document)
{
	Table table({"name", "dtype", "rows", "cols", "placement", "coding", "precision", "sealed",
		     "stored"});
	for (const json &region : document.at("regions"))
		table.add({plain(region.at("name")), plain(region.at("dtype")),
			   plain(region.at("rows")), plain(region.at("cols")),
			   plain(region.at("placement")), plain(region.at("coding")),
			   plain(region.at("precision")), plain(region.at("sealed")),
			   size_text(region.at("stored_bytes").get<uint64_t>())});
	std::string out = table.text();
	for (const json &model : document.at("models"))
		if (!model.at("complete").get<bool>())
			out += fmt::format("model {} is incomplete: a load of it is under way or was "
					   "killed; remedy: {}\n",
					   plain(model.at("name")), plain(model.at("remedy")));
	return out;
}

Output regions(const Context &context)
{
	const smartquant::Store store = context.open_for_reading();
	json list = json::array();
	for (const smartquant::RegionInfo &info : store.regions())
		list.push_back(region_json(info));
	return {.document = {{"schema", "smartquant/regions/1"},
			     {"regions", list},
			     {"models", models_json(store)}},
		.text = regions_text};
}

// ------------------------------------------------------------------ show

/// Of placement tuned: what the codes of each width stand for.
json levels_json(const smartquant::Region &region)
{
	json levels = json::object();
	for (unsigned int bits = 2; bits <= 8; bits++)
		levels[std::to_string(bits)] = region.levels(bits);
	return levels;
}

/// The outermost two and their number: whole lists are for --json.
std::string levels_text(const json &levels)
{
	return fmt::format("{} from {:.4f} to {:.4f}", levels.size(), levels.front().get<double>(),
			   levels.back().get<double>());
}

std::string show_text(const json &document)
{
	Facts facts;
	for (const auto &[key, value] : document.items())
		if (key == "stored_bytes")
			facts.add("stored", size_text(value.get<uint64_t>()));
		else if (key == "levels")
			for (const auto &[bits, levels] : value.items())
				facts.add("levels at " + bits + " bits", levels_text(levels));
		else if (key != "schema" && key != "statistics")
			facts.add(key, plain(value));
	return facts.text() + "\n" + cost_text(document.at("statistics"));
}

Output show(const Context &context, const std::string &name)
{
	const smartquant::Store store = context.open_for_reading();
	const smartquant::Region region = store.region(name);
	const smartquant::RegionInfo info = region.info();
	json document = {{"schema", "smartquant/region/1"}};
	document.update(region_json(info));
	if (info.placement == smartquant::Placement::Tuned) {
		// What lossless costs, scales, escapes and codebook included.
		document["stored_bits_per_weight"] =
			8.0 * static_cast<double>(info.stored_bytes) / info.rows / info.cols;
		document["levels"] = levels_json(region);
	}
	document["statistics"] = statistics_json(region.statistics());
	return {.document = document, .text = show_text};
}

// -------------------------------------------------------------------- rm

struct RmOptions {
	std::string name;
	std::string model;
};

Output remove(const Context &context, const RmOptions &options)
{
	if (options.name.empty() == options.model.empty())
		throw WrongUsage("rm takes the NAME of a region, or --model MODEL");
	smartquant::Store store = context.open_for_writing();
	if (!options.model.empty()) {
		const uint32_t regions = smartquant::model::remove(store, options.model);
		return changed("smartquant/removed/1", options.model,
			       fmt::format("removed: {} regions", regions));
	}
	store.region(options.name).remove();
	return changed("smartquant/removed/1", options.name, "removed");
}

// -------------------------------------------------------------- seal, tag

Output seal(const Context &context, const std::string &name)
{
	const smartquant::Store store = context.open_for_writing();
	store.region(name).seal();
	return changed("smartquant/sealed/1", name, "sealed");
}

Output tag(const Context &context, const std::string &name, const std::string &format)
{
	const smartquant::Store store = context.open_for_writing();
	smartquant::Region region = store.region(name);
	region.set_precision(smartquant::Format::parse(format));
	Output output = changed("smartquant/tagged/1", name, "tagged " + format);
	output.document["precision"] = region.info().precision.name();
	return output;
}

std::shared_ptr<std::string> define_name(CommandLine &line)
{
	auto name = std::make_shared<std::string>();
	line.add_option("NAME", *name, "the region").required();
	return name;
}

} // namespace

Run define_create(CommandLine &line, const Context &context)
{
	auto options = std::make_shared<CreateOptions>();
	line.add_option("NAME", options->name, "of the region, up to 255 bytes of UTF-8").required();
	line.add_option("--dtype", options->dtype, "element type")
		.required()
		.one_of({"bf16", "fp16", "fp32", "int8", "u8"});
	line.add_option("--shape", options->shape, "ROWSxCOLS").required().type_name("SHAPE");
	line.add_option("--placement", options->placement, "how the bits lie in plane memory")
		.one_of({"aligned", "word", "tuned"});
	return [&context, options] { return create(context, *options); };
}

Run define_regions(CommandLine &, const Context &context)
{
	return [&context] { return regions(context); };
}

Run define_show(CommandLine &line, const Context &context)
{
	auto name = define_name(line);
	return [&context, name] { return show(context, *name); };
}

Run define_rm(CommandLine &line, const Context &context)
{
	auto options = std::make_shared<RmOptions>();
	line.add_option("NAME", options->name, "the region to remove, for good");
	line.add_option("--model", options->model, "remove every region of this model, for good")
		.type_name("MODEL");
	return [&context, options] { return remove(context, *options); };
}

Run define_seal(CommandLine &line, const Context &context)
{
	auto name = define_name(line);
	return [&context, name] { return seal(context, *name); };
}

Run define_tag(CommandLine &line, const Context &context)
{
	auto name = define_name(line);
	auto format = std::make_shared<std::string>();
	line.add_option("FORMAT", *format, "as in read").required();
	return [&context, name, format] { return tag(context, *name, *format); };
}

} // namespace sqctl
