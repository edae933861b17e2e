// SPDX-License-Identifier: MIT
//
// The store file: who may open it, what is refused, what a full disk does,
// and what is left of a store whose process was killed
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <random>
#include <thread>

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include <smartquant/smartquant.hpp>

#include "../suite/fixture.hpp"

namespace sqtest {

namespace fs = std::filesystem;

class StoreFileTest : public testing::Test {
protected:
	StoreFileTest()
	{
		std::string pattern = fs::temp_directory_path() / "smartquant-file-XXXXXX";

		folder = mkdtemp(pattern.data());
	}
	~StoreFileTest() override { fs::remove_all(folder); }

	fs::path path(const char *name) const { return folder / name; }
	static std::string uri(const fs::path &file) { return "embedded:" + file.string(); }

	fs::path folder;
};

static const smartquant::OpenOptions small{.size_bytes = 16u << 20};

static void write_file(const fs::path &path, const std::string &content)
{
	std::ofstream(path, std::ios::binary) << content;
}

static std::string read_file(const fs::path &path)
{
	std::ifstream in(path, std::ios::binary);

	return {std::istreambuf_iterator<char>(in), {}};
}

static std::string region_name(unsigned int index)
{
	std::string name = "w";

	return name.append(std::to_string(index));
}

// Runs in a child process; its exit status, or -1 when it was killed.
static int in_child(const std::function<int()> &body)
{
	const pid_t child = fork();

	if (child == 0)
		_exit(body());

	int status = 0;

	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// The status that opening throws in another process.
static Status status_elsewhere(const std::string &uri, const smartquant::OpenOptions &options)
{
	const int status = in_child([&] {
		const auto thrown = thrown_by([&] { Store::open(uri, options); });

		return static_cast<int>(thrown.status) & 0xff;
	});

	// Statuses differ in their low byte here: 0 and 8007h.
	return status == 0 ? Status::Success : static_cast<Status>(0x8000 | status);
}

TEST_F(StoreFileTest, IsCreatedOnFirstUseAndKeepsWhatWasFlushed)
{
	const auto words = sample_words(Dtype::Fp32, 1000);
	{
		Store store = Store::open(uri(path("s")), small);
		Region kept = store.create_region(
			{.name = "kept", .dtype = Dtype::Fp32, .rows = 10, .cols = 100});

		kept.store(words);
		kept.flush();
		store.create_region({.name = "not flushed", .rows = 10, .cols = 100});
	}
	Store store = Store::open(uri(path("s")));

	EXPECT_EQ(store.region("kept").fetch({.format = Format::native()}), words);
	EXPECT_FALSE(store.find_region("not flushed"));
	EXPECT_EQ(fs::file_size(path("s")), small.size_bytes);
	EXPECT_EQ(std::distance(fs::directory_iterator(folder), {}), 1); // nothing else is left
}

TEST_F(StoreFileTest, AFreshFileTakesFewBlocks)
{
	Store store = Store::open(uri(path("s")));
	struct stat status;

	ASSERT_EQ(stat(path("s").c_str(), &status), 0);
	EXPECT_EQ(status.st_size, std::int64_t{4} << 30);
	EXPECT_LT(status.st_blocks * 512, std::int64_t{128} << 20);
}

TEST_F(StoreFileTest, TheSizeOfANewStoreIsChecked)
{
	const auto with_size = [&](std::uint64_t bytes) {
		Store::open(uri(path("s")), {.size_bytes = bytes});
	};

	EXPECT_ERROR(with_size(4096), Status::InvalidInput, "size 4096");
	EXPECT_ERROR(with_size((16u << 20) + 1), Status::InvalidInput, "size 16777217");
	EXPECT_ERROR(with_size(UINT64_MAX / 4096 * 4096), Status::InvalidInput, "size 1844");
	EXPECT_ERROR(Store::open("embedded:", {.size_bytes = 1}), Status::InvalidInput, "size 1 ");
	EXPECT_TRUE(fs::is_empty(folder));
	with_size(16u << 20);
	EXPECT_ERROR(with_size(32u << 20), Status::InvalidInput, "keeps its size");
	EXPECT_NO_THROW(with_size(16u << 20));
}

TEST_F(StoreFileTest, WhatDoesNotExistIsNotAlwaysCreated)
{
	EXPECT_ERROR(Store::open(uri(path("s")), {.create = false}), Status::NotFound,
		     "does not exist");
	EXPECT_ERROR(Store::open(uri(path("s")), {.read_only = true}), Status::NotFound,
		     "does not exist");
	EXPECT_ERROR(Store::open(uri(path("none/s"))), Status::System, "No such file or directory");
	EXPECT_ERROR(Store::open(uri(folder)), Status::System, "Is a directory");
	EXPECT_ERROR(Store::open("embedded:", {.read_only = true}), Status::InvalidInput,
		     "begins empty");
	EXPECT_ERROR(Store::open("nonsense:"), Status::InvalidInput, "embedded:PATH");
	EXPECT_TRUE(fs::is_empty(folder));
}

TEST_F(StoreFileTest, ForeignFilesAreRefusedAndLeftAlone)
{
	const std::string text(2u << 20, 'x');
	std::string zeros_first(2u << 20, '\0');

	zeros_first[1u << 20] = 'x';
	for (const std::string &content : {std::string("short"), text, zeros_first}) {
		write_file(path("f"), content);
		EXPECT_ERROR(Store::open(uri(path("f"))), Status::NotAStore, "left as it is");
		EXPECT_EQ(read_file(path("f")), content);
	}
	ASSERT_EQ(mkfifo(path("fifo").c_str(), 0600), 0);
	EXPECT_ERROR(Store::open(uri(path("fifo"))), Status::NotAStore, "regular file");
}

TEST_F(StoreFileTest, EmptyFilesAndFilesOfZerosBecomeStores)
{
	write_file(path("empty"), "");
	Store::open(uri(path("empty")), small).create_region({.name = "w", .rows = 1, .cols = 1});
	EXPECT_EQ(fs::file_size(path("empty")), small.size_bytes);

	write_file(path("zeros"), "");
	fs::resize_file(path("zeros"), 4u << 20);
	Store::open(uri(path("zeros"))).create_region({.name = "w", .rows = 1, .cols = 1});
	EXPECT_EQ(fs::file_size(path("zeros")), 4u << 20);
}

TEST_F(StoreFileTest, DamagedStoresAreRefusedAndLeftAlone)
{
	{
		Store store = Store::open(uri(path("s")), small);
		Region region = store.create_region({.name = "w", .rows = 40, .cols = 100});

		region.store(sample_words(Dtype::Bf16, 4000));
		region.seal();
	}
	const std::string good = read_file(path("s"));

	// Cut short, and cut to no whole pages.
	for (const std::size_t bytes : {std::size_t{8} << 20, (std::size_t{8} << 20) - 100,
					std::size_t{4096}}) {
		write_file(path("cut"), good.substr(0, bytes));

		const auto thrown = thrown_by([&] { Store::open(uri(path("cut"))); });

		EXPECT_TRUE(thrown.status == Status::StoreDamaged ||
			    thrown.status == Status::NotAStore)
			<< thrown.message;
		EXPECT_EQ(read_file(path("cut")), good.substr(0, bytes));
	}

	// Both superblocks flipped.
	std::string bad = good;

	for (std::size_t at = 64; at < 8192; at += 128)
		bad[at] = static_cast<char>(~bad[at]);
	write_file(path("bad"), bad);
	EXPECT_NE(thrown_by([&] { Store::open(uri(path("bad"))); }).status, Status::Success);
	EXPECT_EQ(read_file(path("bad")), bad);
}

TEST_F(StoreFileTest, DamagedPlanesAreFoundByVerifyAndRefusedByReads)
{
	constexpr std::uint32_t rows = 130, cols = 1024, damaged_row = 70;
	const auto bytes = sample_words(Dtype::U8, rows * cols);
	{
		Store store = Store::open(uri(path("s")), small);
		Region region = store.create_region(
			{.name = "w", .dtype = Dtype::U8, .rows = rows, .cols = cols});

		region.store(bytes);
		region.seal();
	}
	// A blob lies byte after byte in the file.
	std::string content = read_file(path("s"));
	const std::size_t at = content.find(
		{reinterpret_cast<const char *>(&bytes[damaged_row * cols]), 32});

	ASSERT_NE(at, content.npos);
	content[at] = static_cast<char>(content[at] ^ 0x10);
	write_file(path("s"), content);

	Store store = Store::open(uri(path("s")));
	Region region = store.region("w");
	const auto result = store.verify();

	ASSERT_EQ(result.runs_bad, 1u);
	ASSERT_EQ(result.bad.size(), 1u);
	EXPECT_EQ(result.bad[0].region, "w");
	EXPECT_LE(result.bad[0].first_row, damaged_row);
	EXPECT_GT(result.bad[0].end_row, damaged_row);
	EXPECT_LE(result.bad[0].end_row, rows);
	try {
		region.fetch();
		FAIL() << "damage went unseen";
	} catch (const Error &error) {
		EXPECT_EQ(error.status(), Status::MediaFailure) << error.what();
		ASSERT_TRUE(error.position());
		EXPECT_EQ(error.position()->row, result.bad[0].first_row);
	}
	EXPECT_EQ(store.statistics().media_errors, 1u);
	EXPECT_ERROR(region.map(), Status::MediaFailure, "checksum");
	// Rows of another run are as good as before.
	EXPECT_EQ(region.fetch({.rows = {129, 130}}),
		  (std::vector<std::byte>(bytes.end() - cols, bytes.end())));
}

TEST_F(StoreFileTest, AWriterIsAloneAndReadersAreMany)
{
	const std::string store_uri = uri(path("s"));
	{
		Store writer = Store::open(store_uri, small);

		EXPECT_ERROR(Store::open(store_uri), Status::InUse, "open elsewhere");
		EXPECT_EQ(status_elsewhere(store_uri, {}), Status::InUse);
		EXPECT_EQ(status_elsewhere(store_uri, {.read_only = true}), Status::InUse);
	}
	Store reader = Store::open(store_uri, {.read_only = true});

	EXPECT_EQ(status_elsewhere(store_uri, {.read_only = true}), Status::Success);
	EXPECT_EQ(status_elsewhere(store_uri, {}), Status::InUse);
	reader.close();
	EXPECT_EQ(status_elsewhere(store_uri, {}), Status::Success);
}

// Where the counters lie, at most: behind the two superblocks, one record for
// the store, one for each region and 512 for formats.
static std::size_t counters_end(std::uint32_t regions_max)
{
	return 8192 + (1 + std::size_t{regions_max} + 512) * 128 + 4096;
}

TEST_F(StoreFileTest, AReaderCountsButChangesNothingElse)
{
	const auto words = sample_words(Dtype::Bf16, 1000);
	{
		Store store = Store::open(uri(path("s")), small);
		Region region = store.create_region({.name = "w", .rows = 10, .cols = 100});

		region.store(words);
		region.flush();
	}
	const std::string before = read_file(path("s"));
	std::size_t end_of_counters = 0;
	std::uint64_t counted = 0;
	{
		Store store = Store::open(uri(path("s")), {.read_only = true});
		Region region = store.region("w");
		const auto requests = store.statistics().requests;

		end_of_counters = counters_end(store.info().regions_max);

		EXPECT_TRUE(store.info().read_only);
		EXPECT_EQ(region.fetch({.format = Format::native()}), words);
		EXPECT_EQ(region.map().bytes().size(), 2000u);
		EXPECT_GT(store.statistics().requests, requests);
		EXPECT_ERROR(region.store(words), Status::ReadOnly, "for reading only");
		EXPECT_ERROR(region.seal(), Status::ReadOnly, "for reading only");
		EXPECT_ERROR(region.remove(), Status::ReadOnly, "for reading only");
		EXPECT_ERROR(store.create_region({.name = "x", .rows = 1, .cols = 1}),
			     Status::ReadOnly, "for reading only");
		EXPECT_EQ(store.verify().runs_bad, 0u);
		counted = store.statistics().requests;
	}
	// What was counted outlasts the reader; nothing else was written.
	const std::string after = read_file(path("s"));

	EXPECT_EQ(after.substr(0, 8192), before.substr(0, 8192));
	EXPECT_EQ(after.substr(end_of_counters), before.substr(end_of_counters));
	EXPECT_EQ(Store::open(uri(path("s")), {.read_only = true}).statistics().requests, counted);
}

TEST_F(StoreFileTest, AFullStoreSaysWhatIsMissingAndChangesNothing)
{
	Store store = Store::open(uri(path("s")), {.size_bytes = 2u << 20});
	Region big = store.create_region(
		{.name = "big", .dtype = Dtype::U8, .rows = 1024, .cols = 1024});

	const std::uint64_t used = store.info().used_bytes;
	const auto thrown = thrown_by([&] {
		for (std::uint32_t i = 0; i < 8; ++i) {
			Region region = store.create_region({.name = region_name(i),
							     .dtype = Dtype::U8,
							     .rows = 1024,
							     .cols = 1024});

			region.store(sample_words(Dtype::U8, 1u << 20));
		}
	});

	EXPECT_EQ(thrown.status, Status::StoreFull) << thrown.message;
	EXPECT_NE(thrown.message.find("1.0 MiB (1048576 bytes) are needed"), std::string::npos)
		<< thrown.message;
	EXPECT_NE(thrown.message.find("--size"), std::string::npos) << thrown.message;
	EXPECT_EQ(big.fetch(), std::vector<std::byte>(1u << 20));
	for (const auto &info : store.regions())
		store.region(info.name).remove();
	EXPECT_LE(store.info().used_bytes, used);
}

// A small file system of its own, if this process may mount one.
static bool mount_small(const fs::path &folder)
{
	return unshare(CLONE_NEWNS) == 0 &&
	       mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
	       mount("tmpfs", folder.c_str(), "tmpfs", 0, "size=2m") == 0;
}

TEST_F(StoreFileTest, AFullDiskIsAnErrorAndNoSignal)
{
	constexpr int no_mount = 77;
	const int status = in_child([&] {
		if (!mount_small(folder))
			return no_mount;

		Store store = Store::open(uri(path("s")), {.size_bytes = 64u << 20});
		Region kept = store.create_region(
			{.name = "kept", .dtype = Dtype::U8, .rows = 1, .cols = 1000});
		Region region = store.create_region(
			{.name = "w", .dtype = Dtype::U8, .rows = 8, .cols = 1u << 20});
		const auto words = sample_words(Dtype::U8, 1000);

		kept.store(words);
		kept.flush();

		const auto thrown =
			thrown_by([&] { region.store(sample_words(Dtype::U8, 8u << 20)); });

		if (thrown.status != Status::StoreFull ||
		    thrown.message.find("No space left on device") == std::string::npos)
			return 1;
		if (region.fetch() != std::vector<std::byte>(8u << 20) || kept.fetch() != words)
			return 2;
		return store.verify().runs_bad ? 3 : 0;
	});

	if (status == no_mount)
		GTEST_SKIP() << "this process may not mount a file system";
	EXPECT_EQ(status, 0);
}

// ------------------------------------------------------------ killed writers

constexpr std::uint32_t kill_rows = 64;
constexpr std::uint32_t kill_cols = 2048;

// What region `index` holds after its round-th store.
static std::vector<std::byte> content_of(unsigned int index, unsigned int round)
{
	return sample_words(Dtype::Bf16, kill_rows * kill_cols, index * 1000 + round);
}

// Stores and flushes for ever; after each flush says so through the pipe.
[[noreturn]] static void write_for_ever(const std::string &store_uri, int pipe_end)
{
	Store store = Store::open(store_uri, {.size_bytes = 32u << 20});

	for (unsigned int round = 1;; ++round)
		for (unsigned int index = 0; index < 4; ++index) {
			const std::string name = region_name(index);
			auto found = store.find_region(name);
			Region region = found ? std::move(*found) :
						store.create_region({.name = name,
								     .rows = kill_rows,
								     .cols = kill_cols});
			const unsigned int done[] = {index, round};

			region.store(content_of(index, round));
			region.flush();
			if (write(pipe_end, done, sizeof(done)) != sizeof(done))
				_exit(1);
		}
}

TEST_F(StoreFileTest, AKilledWriterLeavesEveryFlushedRegionWhole)
{
	std::mt19937 random(20240715);
	unsigned int survivors = 0;

	for (int attempt = 0; attempt < 12; ++attempt) {
		const fs::path file = path("s");
		int ends[2];

		fs::remove(file);
		ASSERT_EQ(pipe(ends), 0);

		const pid_t writer = fork();

		if (writer == 0) {
			close(ends[0]);
			write_for_ever(uri(file), ends[1]);
		}
		close(ends[1]);
		std::this_thread::sleep_for(std::chrono::microseconds(random() % 120000));
		kill(writer, SIGKILL);
		waitpid(writer, nullptr, 0);

		unsigned int flushed[4] = {}, done[2];

		while (read(ends[0], done, sizeof(done)) == sizeof(done))
			flushed[done[0]] = done[1];
		close(ends[0]);
		if (!fs::exists(file))
			continue; // killed before the store was there

		Store store = Store::open(uri(file));

		EXPECT_EQ(store.verify().runs_bad, 0u);
		for (unsigned int index = 0; index < 4; ++index) {
			auto region = store.find_region(region_name(index));

			EXPECT_TRUE(region || flushed[index] == 0) << "attempt " << attempt;
			if (!region)
				continue;
			// The last flush that was reported, or the one under way.
			const auto bytes = region->fetch({.format = Format::native()});

			EXPECT_TRUE(bytes == content_of(index, flushed[index] + 1) ||
				    (flushed[index] && bytes == content_of(index, flushed[index])))
				<< "attempt " << attempt << " region " << index;
			++survivors;
		}
	}
	EXPECT_GT(survivors, 0u);
}

TEST_F(StoreFileTest, AKilledCreatorLeavesAWholeStoreOrNothing)
{
	std::mt19937 random(7);

	for (int attempt = 0; attempt < 20; ++attempt) {
		fs::remove(path("s"));

		const pid_t creator = fork();

		if (creator == 0) {
			Store::open(uri(path("s")), small);
			pause();
		}
		std::this_thread::sleep_for(std::chrono::microseconds(random() % 8000));
		kill(creator, SIGKILL);
		waitpid(creator, nullptr, 0);
		if (fs::exists(path("s"))) {
			EXPECT_EQ(Store::open(uri(path("s"))).regions().size(), 0u);
		}
		EXPECT_LE(std::distance(fs::directory_iterator(folder), {}), 1);
	}
}

} // namespace sqtest
