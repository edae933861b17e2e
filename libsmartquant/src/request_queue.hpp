// SPDX-License-Identifier: MIT
//
// The engine of a queue: requests served by a few threads
//
//     fetch()/store() --> waiting --> a thread --> completed --> wait()
//
// in_flight counts a request from the first arrow to the last; `depth`
// bounds it, and so everything that is allocated here.
#ifndef SMARTQUANT_SRC_REQUEST_QUEUE_HPP
#define SMARTQUANT_SRC_REQUEST_QUEUE_HPP

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include <smartquant/queue.hpp>

#include "backend.hpp"

namespace smartquant {

// Hidden: a class within an exported one would be exported with it.
class __attribute__((visibility("hidden"))) Queue::Engine {
public:
	// Does the work of a request; throws Error.
	using Work = std::function<void(Backend &, Completion &)>;

	Engine(std::shared_ptr<Backend> backend, const QueueOptions &options);
	Engine(const Engine &) = delete;
	Engine &operator=(const Engine &) = delete;
	~Engine();

	Backend &backend() noexcept { return *backend_; }
	void add(std::uint64_t tag, Work work);
	// Nothing when the time is over; without a limit, waits for one.
	std::optional<Completion> next(std::optional<std::chrono::nanoseconds> limit);
	std::uint32_t in_flight() const;
	std::uint32_t depth() const noexcept { return depth_; }

private:
	struct Request {
		std::uint64_t tag;
		Work work;
	};

	void serve();
	void start_thread();

	std::shared_ptr<Backend> backend_;
	std::uint32_t depth_;
	unsigned int threads_max_;

	mutable std::mutex mutex_; // guards everything below
	std::condition_variable work_arrived_;
	std::condition_variable work_completed_;
	std::deque<Request> waiting_;
	std::deque<Completion> completed_;
	std::uint32_t in_flight_ = 0;
	std::uint32_t idle_ = 0;
	bool stopping_ = false;
	std::vector<std::thread> threads_;
};

} // namespace smartquant

#endif // SMARTQUANT_SRC_REQUEST_QUEUE_HPP
