// SPDX-License-Identifier: MIT
//
// The lock of the embedded store
#include <atomic>
#include <chrono>
#include <mutex>
#include <shared_mutex>
#include <thread>

#include <gtest/gtest.h>

#include "embedded/fair_mutex.hpp"

namespace {

using smartquant::FairMutex;
using namespace std::chrono_literals;

// True when a writer that waits for a reader comes before a later reader. It
// is given time to begin to wait; where that was not enough, false.
bool writer_comes_first()
{
	FairMutex mutex;
	std::atomic<bool> written = false;
	bool seen = false;
	std::thread writer, reader;

	{
		const std::shared_lock reading(mutex);

		writer = std::thread([&] {
			const std::unique_lock writing(mutex);

			written = true;
		});
		std::this_thread::sleep_for(10ms);
		reader = std::thread([&] {
			const std::shared_lock later(mutex);

			seen = written;
		});
		std::this_thread::sleep_for(10ms);
	}
	writer.join();
	reader.join();
	return seen;
}

TEST(FairMutex, ReadersDoNotPassAWaitingWriter)
{
	for (int attempt = 0; attempt < 50; ++attempt)
		if (writer_comes_first())
			return;
	FAIL() << "a later reader was let in each time";
}

TEST(FairMutex, ReadersShareAndWritersDoNot)
{
	FairMutex mutex;
	int value = 0;
	std::atomic<int> torn = 0;
	std::thread threads[4];

	{
		// Both hold it at once, or this would never end.
		const std::shared_lock one(mutex);

		std::thread([&] { const std::shared_lock other(mutex); }).join();
	}
	for (std::thread &thread : threads)
		thread = std::thread([&] {
			for (int i = 0; i < 1000; ++i) {
				{
					const std::unique_lock lock(mutex);

					++value;
					++value;
				}
				const std::shared_lock lock(mutex);

				torn += value % 2;
			}
		});
	for (std::thread &thread : threads)
		thread.join();
	EXPECT_EQ(value, 8000);
	EXPECT_EQ(torn, 0);
}

} // namespace
