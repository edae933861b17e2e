// SPDX-License-Identifier: MIT
//
// From a URI to a backend, and the cards that are present
#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <filesystem>

#include "backend.hpp"
#include "device/device_backend.hpp"
#include "embedded/embedded_backend.hpp"
#include "failure.hpp"
#include "kernel.h"
#include "text.hpp"

namespace smartquant {

namespace {

constexpr std::string_view embedded_scheme = "embedded:";
constexpr std::string_view device_folder = "/dev/";
constexpr std::string_view device_prefix = "smartquant";
constexpr const char *kernels_variable = "SMARTQUANT_KERNELS";

// N of "smartquantN".
std::optional<unsigned int> device_number(std::string_view file_name)
{
	unsigned int number = 0;

	if (!file_name.starts_with(device_prefix))
		return std::nullopt;
	file_name.remove_prefix(device_prefix.size());

	const char *end = file_name.data() + file_name.size();
	const auto [rest, error] = std::from_chars(file_name.data(), end, number);

	if (error != std::errc() || rest != end)
		return std::nullopt;
	return number;
}

// Tests and benchmarks choose versions of kernels (docs/kernels.md).
void force_kernels()
{
	const char *list = std::getenv(kernels_variable);
	const char *wrong = list ? sqc_kernel_force_list(list) : nullptr;

	if (!wrong)
		return;

	const std::string_view rest = wrong;
	const std::string_view item = rest.substr(0, rest.find(','));

	if (item.empty())
		fail(Status::InvalidInput, concat(kernels_variable, " ", in_quotes(list)),
		     "nothing stands before a comma; give LEVEL or FAMILY:LEVEL there, or unset the "
		     "variable to let the CPU choose");
	fail(Status::InvalidInput, concat(kernels_variable, " ", in_quotes(item)),
	     "no such kernel here; use LEVEL or FAMILY:LEVEL, separated by commas, of the "
	     "table in docs/kernels.md and of what this CPU can run");
}

} // namespace

std::shared_ptr<Backend> open_backend(std::string_view uri, const OpenOptions &options)
{
	force_kernels();
	if (uri == embedded_scheme)
		return open_embedded_memory(options);
	if (uri.starts_with(embedded_scheme))
		return open_embedded_file(uri.substr(embedded_scheme.size()), options);
	if (uri.starts_with(device_folder))
		return open_device(uri, options);
	fail(Status::InvalidInput, store_subject(uri),
	     "not a store; use /dev/smartquantN for a card, embedded: for a store in memory, "
	     "embedded:PATH for a store in a file");
}

std::vector<std::string> devices()
{
	std::vector<unsigned int> numbers;
	std::vector<std::string> paths;
	std::error_code error;

	for (const auto &entry : std::filesystem::directory_iterator(device_folder, error))
		if (const auto number = device_number(entry.path().filename().native()))
			numbers.push_back(*number);
	std::ranges::sort(numbers);
	for (const unsigned int number : numbers)
		paths.push_back(concat(device_folder, device_prefix, number));
	return paths;
}

std::vector<Kernel> kernels()
{
	std::vector<Kernel> list;

	force_kernels();
	for (int i = 0; i < SQC_KERNEL_FAMILIES; i++) {
		const auto family = static_cast<sqc_kernel_family>(i);

		list.push_back({.family = sqc_kernel_family_name(family),
				.level = sqc_kernel_level_name(sqc_kernel(family)),
				.forced = sqc_kernel_forced(family)});
	}
	std::ranges::sort(list, {}, &Kernel::family);
	return list;
}

std::string_view version() noexcept
{
	return SMARTQUANT_VERSION;
}

} // namespace smartquant
