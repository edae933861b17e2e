// SPDX-License-Identifier: MIT
//
// Cards and stores: list, info.
#include "command.hpp"

#include <fmt/format.h>

#include "text.hpp"

namespace sqctl {
namespace {

json card_json(const std::string &uri)
{
	try {
		const smartquant::StoreInfo info =
			smartquant::Store::open(uri, {.read_only = true}).info();
		return {{"uri", uri},
			{"serial", info.serial},
			{"firmware", info.firmware},
			{"capacity_bytes", info.capacity_bytes},
			{"used_bytes", info.used_bytes},
			{"regions", info.regions}};
	} catch (const smartquant::Error &error) {
		// One card that does not answer must not hide the others.
		return {{"uri", uri}, {"error", error.what()}};
	}
}

std::string list_text(const json &document)
{
	if (document.at("devices").empty())
		return "no cards on this machine (sqctl doctor says why)\n";
	Table table({"device", "capacity", "used", "regions", "serial"});
	for (const json &card : document.at("devices")) {
		if (card.contains("error"))
			table.add({plain(card.at("uri")), "-", "-", "-", plain(card.at("error"))});
		else
			table.add({plain(card.at("uri")),
				   size_text(card.at("capacity_bytes").get<uint64_t>()),
				   size_text(card.at("used_bytes").get<uint64_t>()),
				   plain(card.at("regions")), plain(card.at("serial"))});
	}
	return table.text();
}

Output list()
{
	json cards = json::array();
	for (const std::string &uri : smartquant::devices())
		cards.push_back(card_json(uri));
	return {.document = {{"schema", "smartquant/list/1"}, {"devices", cards}}, .text = list_text};
}

json info_json(const smartquant::StoreInfo &info)
{
	json formats = json::array();
	for (const smartquant::Format format : info.formats)
		formats.push_back(format.name());
	json encodings = json::array();
	for (const smartquant::Encoding encoding : info.encodings)
		encodings.push_back(encoding.name());
	return {{"schema", "smartquant/info/1"},
		{"uri", info.uri},
		{"embedded", info.embedded},
		{"read_only", info.read_only},
		{"library_version", smartquant::version()},
		{"interface_version", info.interface_version},
		{"firmware", info.firmware},
		{"serial", info.serial},
		{"capacity_bytes", info.capacity_bytes},
		{"used_bytes", info.used_bytes},
		{"logical_bytes", info.logical_bytes},
		{"regions", info.regions},
		{"regions_max", info.regions_max},
		{"views", info.views},
		{"views_max", info.views_max},
		{"formats", formats},
		{"encodings", encodings},
		{"kernels", info.kernels}};
}

std::string joined(const json &list)
{
	std::string text;
	for (const json &item : list)
		text += (text.empty() ? "" : " ") + plain(item);
	return text;
}

// As SMARTQUANT_KERNELS takes it.
std::string kernels_text(const json &kernels)
{
	std::string text;
	for (const auto &[family, level] : kernels.items())
		text += (text.empty() ? "" : ",") + family + ":" + plain(level);
	return text;
}

std::string info_text(const json &document)
{
	const auto bytes = [&](const char *key) { return size_text(document.at(key).get<uint64_t>()); };
	Facts facts;
	facts.add("store", plain(document.at("uri")));
	facts.add("capacity", bytes("capacity_bytes"));
	facts.add("used", bytes("used_bytes"));
	facts.add("address space for views", bytes("logical_bytes"));
	facts.add("regions", fmt::format("{} of {}", plain(document.at("regions")),
					 plain(document.at("regions_max"))));
	facts.add("views", fmt::format("{} of {}", plain(document.at("views")),
				       plain(document.at("views_max"))));
	facts.add("library version", plain(document.at("library_version")));
	facts.add("interface version", plain(document.at("interface_version")));
	facts.add("firmware", plain(document.at("firmware")));
	if (!document.at("serial").get_ref<const std::string &>().empty())
		facts.add("serial", plain(document.at("serial")));
	facts.add("formats", joined(document.at("formats")));
	facts.add("encodings", joined(document.at("encodings")));
	facts.add("kernels", kernels_text(document.at("kernels")));
	return facts.text();
}

} // namespace

Run define_list(CommandLine &, const Context &)
{
	return list;
}

Run define_info(CommandLine &, const Context &context)
{
	return [&context] {
		return Output{.document = info_json(context.open_for_reading().info()),
			      .text = info_text};
	};
}

} // namespace sqctl
