// SPDX-License-Identifier: MIT
//
// A queue: many reads and stores in flight
//
//     auto queue = store.queue({.depth = 32});
//     for (auto &part : parts)
//             queue.fetch(w, part.request, part.buffer, part.index);
//     while (queue.in_flight() > 0)
//             use(queue.wait().tag);
//
// Requests run in any order and complete in any order. A request that is
// wrong in itself (unknown format, rows out of range, short buffer) is
// refused by the call that queues it; what fails later arrives as a
// Completion with a status. The buffer (and a store's importance) belongs to
// the request until its completion was waited for, or the queue is gone.
//
// Calls on one Queue may run in several threads at the same time, moving
// excepted.
#ifndef SMARTQUANT_QUEUE_HPP
#define SMARTQUANT_QUEUE_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <smartquant/error.hpp>
#include <smartquant/export.hpp>
#include <smartquant/region.hpp>

namespace smartquant {

struct QueueOptions {
	std::uint32_t depth = 64;	// requests queued and not yet waited for, 1 to 1024
};

struct Completion {
	std::uint64_t tag = 0;		// as given with the request
	Status status = Status::Success;
	std::string message = {};		// empty on success
	FetchResult fetch = {};		// of a fetch, or of all parts of a fetch_vector
	VectorLayout parts = {};	// of a fetch_vector
	StoreResult store = {};		// of a store
};

class SMARTQUANT_API Queue {
public:
	Queue(Queue &&) noexcept;
	Queue &operator=(Queue &&) noexcept;
	// Waits for what is in flight; completions not waited for are dropped.
	~Queue();

	// These throw Status::Busy when `depth` requests are in flight.
	void fetch(const Region &region, const ReadRequest &request, std::span<std::byte> buffer,
		   std::uint64_t tag = 0);
	void fetch_vector(const Region &region, const VectorRequest &request,
			  std::span<std::byte> buffer, std::uint64_t tag = 0);
	void store(Region &region, const StoreRequest &request, std::span<const std::byte> data,
		   std::uint64_t tag = 0);

	// The next completion; throws Status::InvalidInput when nothing is in flight.
	Completion wait();
	// The next completion, if there is one within the time.
	std::optional<Completion> wait_for(std::chrono::nanoseconds timeout);
	// Everything that is in flight.
	std::vector<Completion> wait_all();
	// Requests queued and not yet waited for.
	std::uint32_t in_flight() const;
	std::uint32_t depth() const;

	class Engine; // how a backend runs requests
	explicit Queue(std::unique_ptr<Engine> engine) noexcept;

private:
	Engine &engine() const;

	std::unique_ptr<Engine> engine_;
};

} // namespace smartquant

#endif // SMARTQUANT_QUEUE_HPP
