// SPDX-License-Identifier: MIT
//
// The threads that help with large requests
#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "workers.hpp"

namespace {

using smartquant::Workers;

TEST(Workers, DoEachJobOnce)
{
	Workers workers(4);

	for (const std::size_t count : {0u, 1u, 2u, 100u}) {
		std::vector<std::atomic<int>> done(count);

		workers.run(count, [&](std::size_t job) {
			++done[job];
			return true;
		});
		for (const auto &times : done)
			EXPECT_EQ(times, 1);
	}
}

TEST(Workers, HelpWhoeverHasJobs)
{
	Workers workers(3);
	std::atomic<int> together = 0, most = 0;

	// Each job waits for a second one, so it ends only with a helper.
	workers.run(2, [&](std::size_t) {
		for (most = std::max(most.load(), ++together); most < 2;)
			std::this_thread::yield();
		return true;
	});
	EXPECT_EQ(most, 2);
}

TEST(Workers, OfOneThreadAreItsCaller)
{
	Workers workers(1);

	workers.run(10, [caller = std::this_thread::get_id()](std::size_t) {
		EXPECT_EQ(std::this_thread::get_id(), caller);
		return true;
	});
}

TEST(Workers, BeginJobsInOrderAndNoneAfterAFailure)
{
	for (const unsigned int threads : {1u, 4u}) {
		Workers workers(threads);
		std::vector<std::atomic<bool>> begun(1000);

		workers.run(begun.size(), [&](std::size_t job) {
			begun[job] = true;
			return job != 10;
		});
		for (std::size_t job = 0; job <= 10; ++job)
			EXPECT_TRUE(begun[job]) << job;
		// One job of each other thread may have been on its way.
		EXPECT_FALSE(begun.back());
	}
}

TEST(Workers, ServeSeveralCallersAtOnce)
{
	Workers workers(3);
	std::atomic<int> done = 0;
	std::vector<std::thread> callers;

	for (int caller = 0; caller < 4; ++caller)
		callers.emplace_back([&] {
			for (int round = 0; round < 50; ++round)
				workers.run(7, [&](std::size_t) {
					++done;
					return true;
				});
		});
	for (std::thread &caller : callers)
		caller.join();
	EXPECT_EQ(done, 4 * 50 * 7);
}

} // namespace
