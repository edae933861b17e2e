// SPDX-License-Identifier: MIT
//
// Threads that help with large requests
//
// Whoever has jobs works on them too, so a request never waits for a helper
// and goes on without any where none can be started. Helpers start when they
// are first needed. Between requests they stay awake for a moment, for one that
// follows at once need not wait for them then; after that they sleep.
#ifndef SMARTQUANT_SRC_WORKERS_HPP
#define SMARTQUANT_SRC_WORKERS_HPP

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <list>
#include <mutex>
#include <thread>
#include <vector>

namespace smartquant {

class Workers {
public:
	// Does one job; false: no job that has not begun yet shall begin. Must not throw.
	using Job = std::function<bool(std::size_t)>;

	// At most so many threads at a request, its own included.
	explicit Workers(unsigned int threads) noexcept : threads_max_(threads) {}
	Workers(const Workers &) = delete;
	Workers &operator=(const Workers &) = delete;
	// Nobody may be in run().
	~Workers();

	unsigned int threads() const noexcept { return threads_max_; }
	// Calls job(0), job(1), ... job(count - 1), which begin in this order, in
	// several threads; returns when all that began have ended. May be called
	// by several threads at the same time, which then share the helpers.
	void run(std::size_t count, const Job &job);

private:
	struct Batch {
		const Job &job;
		std::size_t next;
		std::size_t end;
		std::size_t running;
	};

	// These expect the mutex to be held.
	void start_threads(std::size_t wanted);
	Batch *waiting_batch();
	void do_job(std::unique_lock<std::mutex> &lock, Batch &batch);

	void help();

	const unsigned int threads_max_;
	// How often jobs for helpers came, and how often a batch's last one ended.
	std::atomic<unsigned int> arrivals_ = 0;
	std::atomic<unsigned int> endings_ = 0;
	std::mutex mutex_; // guards everything below
	std::condition_variable work_arrived_;
	std::condition_variable job_ended_;
	std::list<Batch> batches_;
	bool stopping_ = false;
	std::vector<std::thread> helpers_;
};

} // namespace smartquant

#endif // SMARTQUANT_SRC_WORKERS_HPP
