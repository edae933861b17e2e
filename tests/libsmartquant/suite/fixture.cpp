// SPDX-License-Identifier: MIT
#include "fixture.hpp"

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <random>

#include <unistd.h>

namespace sqtest {

namespace {

constexpr std::uint64_t embedded_bytes = 64u << 20;

// A path of this process, its file removed at exit.
const std::string &temporary_path()
{
	struct File {
		std::string path = std::filesystem::temp_directory_path() /
				   ("smartquant-suite-" + std::to_string(getpid()) + ".sqs");
		~File() { std::filesystem::remove(path); }
	};
	static const File file;

	return file.path;
}

} // namespace

std::string store_uri()
{
	const char *device = std::getenv("SQ_TEST_DEVICE");

	if (!device || !*device)
		return "embedded:";
	if (device == std::string_view("file"))
		return "embedded:" + temporary_path();
	return device;
}

bool is_card()
{
	return store_uri().starts_with("/dev/");
}

Store open_store()
{
	return Store::open(store_uri(), {.size_bytes = is_card() ? 0 : embedded_bytes});
}

SuiteTest::SuiteTest() : store(open_store()) {}

std::string SuiteTest::unique(const std::string &name) const
{
	const auto *test = testing::UnitTest::GetInstance()->current_test_info();

	std::string unique_name = "suite/";

	return unique_name.append(test->name()).append("/").append(name);
}

SuiteTest::~SuiteTest()
{
	for (const auto &info : store.regions())
		if (info.name.starts_with(unique("")))
			store.region(info.name).remove();
}

Region SuiteTest::create(RegionSpec spec)
{
	spec.name = unique(spec.name);
	return store.create_region(spec);
}

std::vector<std::byte> words_of(std::span<const float> values)
{
	const auto bytes = std::as_bytes(values);

	return {bytes.begin(), bytes.end()};
}

// Exponents around 1; one in sixteen anywhere below, subnormals included.
static std::uint32_t random_word(Dtype dtype, std::mt19937 &random)
{
	const std::uint32_t exponent = random() % 16 ? 120 + random() % 12 : random() % 120;

	switch (dtype) {
	case Dtype::Bf16:
		return (random() & 0x807f) | exponent << 7;
	case Dtype::Fp16:
		return (random() & 0x8000) | random() % 0x7c00;
	case Dtype::Fp32:
		return (random() & 0x807fffff) | exponent << 23;
	default:
		return random();
	}
}

std::vector<std::byte> sample_words(Dtype dtype, std::size_t count, unsigned int seed)
{
	const std::size_t word = smartquant::word_bytes(dtype);
	std::mt19937 random(seed);
	std::vector<std::byte> bytes(count * word);

	for (std::size_t i = 0; i < count; ++i) {
		const std::uint32_t bits = random_word(dtype, random);

		std::memcpy(&bytes[i * word], &bits, word);
	}
	return bytes;
}

} // namespace sqtest
