// SPDX-License-Identifier: MIT
#include "workers.hpp"

#include <chrono>
#include <system_error>

namespace smartquant {

namespace {

// Some times what it takes to wake a thread, of which much is the processor's own
// waking up; a request's jobs take about as long.
constexpr std::chrono::microseconds awake_time{100};

void pause_briefly() noexcept
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#endif
}

// The lock, whose holders give it back at once: a thread that slept for it would
// be late for its job. Not awake for long, as a holder may have lost its CPU.
void lock_awake(std::unique_lock<std::mutex> &lock)
{
	const auto end = std::chrono::steady_clock::now() + awake_time;

	while (!lock.try_lock()) {
		if (std::chrono::steady_clock::now() > end) {
			lock.lock();
			return;
		}
		pause_briefly();
	}
}

// Waits awake, without the lock, until the count is another; not for long.
void await_change(std::unique_lock<std::mutex> &lock, const std::atomic<unsigned int> &count)
{
	const unsigned int seen = count;
	const auto end = std::chrono::steady_clock::now() + awake_time;

	lock.unlock();
	while (count == seen && std::chrono::steady_clock::now() < end)
		pause_briefly();
	lock_awake(lock);
}

} // namespace

Workers::~Workers()
{
	{
		const std::lock_guard lock(mutex_);

		stopping_ = true;
		++arrivals_;
	}
	work_arrived_.notify_all();
	for (std::thread &helper : helpers_)
		helper.join();
}

// Fewer than wanted will do.
void Workers::start_threads(std::size_t wanted)
{
	try {
		while (helpers_.size() < wanted && helpers_.size() + 1 < threads_max_)
			helpers_.emplace_back([this] { help(); });
	} catch (const std::system_error &) {
	}
}

Workers::Batch *Workers::waiting_batch()
{
	for (Batch &batch : batches_)
		if (batch.next < batch.end)
			return &batch;
	return nullptr;
}

void Workers::do_job(std::unique_lock<std::mutex> &lock, Batch &batch)
{
	const std::size_t index = batch.next++;

	++batch.running;
	lock.unlock();
	const bool go_on = batch.job(index);
	lock_awake(lock);
	if (!go_on)
		batch.end = batch.next;
	// The batch is its owner's, who may take it away from here on.
	if (--batch.running == 0 && batch.next == batch.end) {
		++endings_;
		job_ended_.notify_all();
	}
}

void Workers::help()
{
	std::unique_lock lock(mutex_);

	for (;;) {
		Batch *batch = waiting_batch();

		if (!batch && !stopping_)
			await_change(lock, arrivals_);
		work_arrived_.wait(lock, [&] {
			batch = waiting_batch();
			return stopping_ || batch;
		});
		if (!batch)
			return;
		do_job(lock, *batch);
	}
}

void Workers::run(std::size_t count, const Job &job)
{
	std::unique_lock lock(mutex_, std::defer_lock);

	lock_awake(lock);

	const auto batch = batches_.insert(batches_.end(), {job, 0, count, 0});

	if (count > 1) {
		start_threads(count - 1);
		++arrivals_;
		work_arrived_.notify_all();
	}
	while (batch->next < batch->end)
		do_job(lock, *batch);
	if (batch->running)
		await_change(lock, endings_);
	job_ended_.wait(lock, [&] { return batch->running == 0; });
	batches_.erase(batch);
}

} // namespace smartquant
