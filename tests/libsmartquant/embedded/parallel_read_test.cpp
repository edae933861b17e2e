// SPDX-License-Identifier: MIT
//
// Large reads by several threads: nobody can tell from what they give
#include <cstdlib>
#include <fstream>
#include <thread>

#include <gtest/gtest.h>

#include <smartquant/smartquant.hpp>

#include "../suite/fixture.hpp"

namespace sqtest {

// Bytes and everything that is counted.
static auto outcome(const Region &region, const ReadRequest &request)
{
	std::vector<std::byte> bytes(region.layout(request).bytes);
	const smartquant::FetchResult r = region.fetch(request, bytes);

	return std::tuple(std::move(bytes), r.elements, r.bytes, r.plane_lines, r.check_lines,
			  r.baseline_lines, r.dram_time, r.dram_energy_pj, r.link_time);
}

// The same region in stores of 1 and of 4 threads.
class ParallelReadTest : public testing::Test {
protected:
	ParallelReadTest() : one(fill(single)), four(fill(several)) {}

	static Region fill(Store &store)
	{
		Region region = store.create_region({.name = "w", .rows = 1500, .cols = 1000});

		region.store(sample_words(Dtype::Bf16, 1500 * 1000));
		return region;
	}

	Store single = Store::open("embedded:", {.size_bytes = 64u << 20, .threads = 1});
	Store several = Store::open("embedded:", {.size_bytes = 64u << 20, .threads = 4});
	Region one;
	Region four;
};

TEST_F(ParallelReadTest, GivesTheSameWithAnyNumberOfThreads)
{
	for (const ReadRequest &request :
	     {ReadRequest{.format = Format::native()}, ReadRequest{.format = Format::mxint(4)},
	      ReadRequest{.format = Format::mxint(5), .rounding = Rounding::Even},
	      ReadRequest{.format = Format::planes(3)}, ReadRequest{.format = Format::mx(6)},
	      ReadRequest{.format = Format::mxint(4), .axis = Axis::Col},
	      ReadRequest{.format = Format::mxint(3), .rows = {7, 1403}},
	      ReadRequest{.format = Format::mxint(3), .rows = {7, 8}}})
		EXPECT_EQ(outcome(four, request), outcome(one, request)) << request.format.name();
	EXPECT_EQ(several.statistics().dram_time, single.statistics().dram_time);
	EXPECT_EQ(several.statistics().requests, single.statistics().requests);
	EXPECT_EQ(four.statistics().plane_lines, one.statistics().plane_lines);
}

TEST_F(ParallelReadTest, ServesSeveralCallersWhileOthersStore)
{
	const auto expected = outcome(one, {.format = Format::mxint(4)});
	Region other = several.create_region({.name = "other", .rows = 64, .cols = 1024});
	const std::vector<std::byte> words = sample_words(Dtype::Bf16, 64 * 1024);
	std::vector<std::thread> callers;

	for (int caller = 0; caller < 3; ++caller)
		callers.emplace_back([&] {
			for (int round = 0; round < 5; ++round)
				EXPECT_EQ(outcome(four, {.format = Format::mxint(4)}), expected);
		});
	for (int round = 0; round < 5; ++round)
		other.store(words);
	for (std::thread &caller : callers)
		caller.join();
}

TEST_F(ParallelReadTest, FillsViewsToo)
{
	const auto view = four.map({.format = Format::mxint(6)});
	const auto bytes = one.fetch({.format = Format::mxint(6)});

	EXPECT_TRUE(std::ranges::equal(view.bytes(), bytes));
}

TEST(ParallelRead, NamesTheFirstDamagedRow)
{
	std::string folder = testing::TempDir() + "smartquant-parallel-XXXXXX";
	ASSERT_NE(mkdtemp(folder.data()), nullptr);
	const std::string path = folder + "/damaged.sqs", uri = "embedded:" + path;
	const std::vector<std::byte> words = sample_words(Dtype::Bf16, 2048 * 1024);
	{
		Store store = Store::open(uri, {.size_bytes = 32u << 20});
		Region region = store.create_region(
			{.name = "w", .rows = 2048, .cols = 1024, .placement = Placement::Word});
		region.store(words);
		region.flush();
	}
	// Most of the file is planes; a byte in the middle of it is in one of them.
	std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
	for (const std::streamoff at : {3 << 20, 2 << 20}) {
		file.seekg(at);
		const int byte = file.get();
		file.seekp(at);
		file.put(static_cast<char>(~byte));
	}
	file.close();
	std::string message;
	for (const unsigned int threads : {1u, 4u}) {
		const Store store = Store::open(uri, {.read_only = true, .threads = threads});
		const Region region = store.region("w");
		const Thrown thrown = thrown_by([&] { region.fetch({.format = Format::native()}); });

		EXPECT_EQ(thrown.status, Status::MediaFailure);
		if (threads > 1) {
			EXPECT_EQ(thrown.message, message);
		}
		message = thrown.message;
	}
	std::remove(path.c_str());
	std::remove(folder.c_str());
}

TEST(ParallelRead, TakesItsThreadsFromOptionsOrEnvironment)
{
	EXPECT_ERROR(Store::open("embedded:", {.threads = 257}), Status::InvalidInput,
		     "threads 257 is no number from 1 to 256");
	for (const char *wrong : {"", "0", "two", "4x", "-1", "257", "99999999999"}) {
		setenv("SMARTQUANT_THREADS", wrong, 1);
		EXPECT_ERROR(Store::open("embedded:"), Status::InvalidInput, "SMARTQUANT_THREADS=");
		EXPECT_NO_THROW(Store::open("embedded:", {.threads = 2})) << "the option wins";
	}
	setenv("SMARTQUANT_THREADS", "3", 1);
	EXPECT_NO_THROW(Store::open("embedded:"));
	unsetenv("SMARTQUANT_THREADS");
}

} // namespace sqtest
