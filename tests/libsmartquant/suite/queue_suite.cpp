// SPDX-License-Identifier: MIT
//
// Queues: many requests in flight
#include "fixture.hpp"

#include <set>

namespace sqtest {

using namespace std::chrono_literals;
using smartquant::Completion;
using smartquant::Queue;
using QueueSuite = SuiteTest;

TEST_F(QueueSuite, EveryRequestCompletesOnceWithItsOwnResult)
{
	Region region = create({.name = "w", .rows = 640, .cols = 256});

	region.store(sample_words(Dtype::Bf16, 640 * 256));

	Queue queue = store.queue({.depth = 64});
	std::vector<std::vector<std::byte>> buffers(64);
	const auto request_of = [](std::uint32_t index) {
		return ReadRequest{.format = Format::mxint(2 + index % 7),
				   .rows = {index * 10, index * 10 + 10}};
	};

	for (std::uint32_t index = 0; index < 64; ++index) {
		buffers[index].resize(region.layout(request_of(index)).bytes);
		queue.fetch(region, request_of(index), buffers[index], 1000 + index);
	}
	EXPECT_EQ(queue.in_flight(), 64u);

	std::set<std::uint64_t> tags;

	for (const Completion &completion : queue.wait_all()) {
		EXPECT_EQ(completion.status, Status::Success) << completion.message;
		EXPECT_TRUE(tags.insert(completion.tag).second);
		EXPECT_EQ(completion.fetch.bytes, buffers[completion.tag - 1000].size());
	}
	EXPECT_EQ(tags.size(), 64u);
	EXPECT_EQ(queue.in_flight(), 0u);
	for (std::uint32_t index = 0; index < 64; ++index)
		EXPECT_EQ(buffers[index], region.fetch(request_of(index)));
}

TEST_F(QueueSuite, StoresRunInAQueueToo)
{
	Region region = create({.name = "w", .dtype = Dtype::Fp32, .rows = 32, .cols = 100});
	const auto words = sample_words(Dtype::Fp32, 3200);
	Queue queue = store.queue();

	for (std::uint32_t row = 0; row < 32; ++row)
		queue.store(region, {.rows = {row, row + 1}},
			    std::span(words).subspan(row * 400, 400), row);
	for (const Completion &completion : queue.wait_all()) {
		EXPECT_EQ(completion.status, Status::Success) << completion.message;
		EXPECT_EQ(completion.store.elements, 100u);
	}
	EXPECT_EQ(region.fetch({.format = Format::native()}), words);
}

TEST_F(QueueSuite, AFailureIsACompletionWithAStatus)
{
	Region region = create({.name = "w", .dtype = Dtype::Fp32, .rows = 1, .cols = 32});
	std::vector<float> values(32, 1.0f);
	Queue queue = store.queue();

	values[9] = std::numeric_limits<float>::infinity();
	queue.store(region, {}, std::as_bytes(std::span(values)), 5);

	const Completion completion = queue.wait();

	EXPECT_EQ(completion.tag, 5u);
	EXPECT_EQ(completion.status, Status::NonFinite);
	EXPECT_NE(completion.message.find("row 0, column 9"), std::string::npos)
		<< completion.message;
}

TEST_F(QueueSuite, AFullQueueRefusesWithoutLosingAnything)
{
	Region region = create({.name = "w", .rows = 4, .cols = 32});
	std::vector<std::byte> buffer(4 * 256);
	Queue queue = store.queue({.depth = 3});

	EXPECT_EQ(queue.depth(), 3u);
	for (std::size_t i = 0; i < 3; ++i)
		queue.fetch(region, {}, std::span(buffer).subspan(i * 256, 256), i);
	EXPECT_ERROR(queue.fetch(region, {}, std::span(buffer).subspan(768, 256), 3), Status::Busy,
		     "3 requests are in flight");
	queue.wait();
	queue.fetch(region, {}, std::span(buffer).subspan(768, 256), 3);
	EXPECT_EQ(queue.wait_all().size(), 3u);
}

TEST_F(QueueSuite, WhatIsWrongInItselfIsRefusedAtOnce)
{
	Region region = create({.name = "w", .rows = 4, .cols = 32});
	std::vector<std::byte> buffer(256);
	Queue queue = store.queue();

	EXPECT_ERROR(store.queue({.depth = 0}), Status::InvalidInput, "depth 0");
	EXPECT_ERROR(store.queue({.depth = 1025}), Status::InvalidInput, "depth 1025");
	EXPECT_ERROR(queue.wait(), Status::InvalidInput, "nothing is in flight");
	EXPECT_ERROR(queue.fetch(region, {.rows = {3, 5}}, buffer), Status::Range, "rows 3:5");
	EXPECT_ERROR(queue.fetch(region, {}, std::span(buffer).first(9)), Status::Length, "9 bytes");
	EXPECT_ERROR(queue.fetch(region, {.format = Format(0x7777)}, buffer), Status::Format, "7777");
	EXPECT_ERROR(queue.store(region, {}, std::span(buffer).first(9)), Status::Length, "9 bytes");

	Store other = Store::open("embedded:", {.size_bytes = 1u << 20});
	Region stranger = other.create_region({.name = "w", .rows = 4, .cols = 32});

	EXPECT_ERROR(queue.fetch(stranger, {}, buffer), Status::InvalidInput, "another store");
	EXPECT_EQ(queue.in_flight(), 0u);
	EXPECT_FALSE(queue.wait_for(1ms));
}

TEST_F(QueueSuite, LeavingWithRequestsInFlightIsSafe)
{
	Region region = create({.name = "w", .rows = 400, .cols = 1024});
	const auto bytes = region.layout({.format = Format::mxint(8)}).bytes;
	std::vector<std::vector<std::byte>> buffers(16, std::vector<std::byte>(bytes));
	{
		Queue queue = store.queue();

		for (auto &buffer : buffers)
			queue.fetch(region, {.format = Format::mxint(8)}, buffer);
	}
	EXPECT_EQ(buffers[15], region.fetch({.format = Format::mxint(8)}));
}

} // namespace sqtest
