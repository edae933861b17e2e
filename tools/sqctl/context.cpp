// SPDX-License-Identifier: MIT
//
// Which store a command works on.
#include "command.hpp"

#include <filesystem>

#include "bringup/paths.hpp"
#include "arguments.hpp"

namespace sqctl {
namespace {

smartquant::Store open(const Context &context, smartquant::OpenOptions options)
{
	options.size_bytes = context.size.empty() ? 0 : parse_size(context.size);
	return smartquant::Store::open(context.uri(), options);
}

} // namespace

std::string Context::uri() const
{
	if (!device.empty())
		return device;
	const std::filesystem::path node = bringup::default_device();
	std::error_code ignored;
	if (!std::filesystem::exists(node, ignored))
		throw Refused(node.string() + ": there is no such device; use a store file with "
					      "--device embedded:PATH, or see what is missing with "
					      "sqctl doctor");
	return node.string();
}

smartquant::Store Context::open_for_reading() const
{
	// A store in memory is new in each process: there is nothing to protect.
	const bool in_memory = device == "embedded:";
	return open(*this, {.read_only = !in_memory, .create = false});
}

smartquant::Store Context::open_for_writing() const
{
	return open(*this, {.create = false});
}

smartquant::Store Context::open_or_create() const
{
	return open(*this, {});
}

} // namespace sqctl
