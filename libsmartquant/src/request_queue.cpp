// SPDX-License-Identifier: MIT
#include "request_queue.hpp"

#include <algorithm>
#include <new>

#include "failure.hpp"
#include "text.hpp"

namespace smartquant {

namespace {

constexpr std::uint32_t depth_max = 1024;

std::uint32_t checked_depth(std::uint32_t depth)
{
	if (depth == 0 || depth > depth_max)
		fail(Status::InvalidInput, "queue",
		     concat("depth ", depth, " is not in 1 to ", depth_max));
	return depth;
}

Completion run(Backend &backend, std::uint64_t tag, const Queue::Engine::Work &work)
{
	Completion completion{.tag = tag};

	try {
		work(backend, completion);
	} catch (const Error &error) {
		completion.status = error.status();
		completion.message = error.what();
	} catch (const std::bad_alloc &) {
		completion.status = Status::ResourcesExhausted;
		completion.message = "queue: out of memory";
	}
	return completion;
}

} // namespace

Queue::Engine::Engine(std::shared_ptr<Backend> backend, const QueueOptions &options)
	: backend_(std::move(backend)), depth_(checked_depth(options.depth)),
	  threads_max_(backend_->queue_threads(depth_))
{
}

Queue::Engine::~Engine()
{
	{
		const std::lock_guard lock(mutex_);

		stopping_ = true;
	}
	work_arrived_.notify_all();
	for (std::thread &thread : threads_)
		thread.join();
}

void Queue::Engine::add(std::uint64_t tag, Work work)
{
	const std::lock_guard lock(mutex_);

	if (in_flight_ == depth_)
		fail(Status::Busy, "queue",
		     concat(in_flight_, " requests are in flight, which is its depth; "
					"wait() for one first, or open it with a larger depth"));
	waiting_.push_back({tag, std::move(work)});
	++in_flight_;
	if (idle_ < waiting_.size() && threads_.size() < threads_max_)
		start_thread();
	work_arrived_.notify_one();
}

// Threads start as they are needed. One is enough to go on with, so only the
// first may fail a request.
void Queue::Engine::start_thread()
{
	try {
		threads_.emplace_back([this] { serve(); });
	} catch (const std::system_error &error) {
		if (!threads_.empty())
			return;
		waiting_.pop_back();
		--in_flight_;
		fail_system(error.code().value(), "queue", "cannot start a thread");
	}
}

void Queue::Engine::serve()
{
	std::unique_lock lock(mutex_);

	for (;;) {
		++idle_;
		work_arrived_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
		--idle_;
		if (waiting_.empty())
			return;

		const Request request = std::move(waiting_.front());

		waiting_.pop_front();
		lock.unlock();
		Completion completion = run(*backend_, request.tag, request.work);
		lock.lock();
		completed_.push_back(std::move(completion));
		work_completed_.notify_one();
	}
}

std::optional<Completion> Queue::Engine::next(std::optional<std::chrono::nanoseconds> limit)
{
	std::unique_lock lock(mutex_);
	const auto arrived = [this] { return !completed_.empty(); };

	if (in_flight_ == 0)
		fail(Status::InvalidInput, "queue", "nothing is in flight to wait for");
	if (!limit)
		work_completed_.wait(lock, arrived);
	else if (!work_completed_.wait_for(lock, *limit, arrived))
		return std::nullopt;

	Completion completion = std::move(completed_.front());

	completed_.pop_front();
	--in_flight_;
	return completion;
}

std::uint32_t Queue::Engine::in_flight() const
{
	const std::lock_guard lock(mutex_);

	return in_flight_;
}

} // namespace smartquant
