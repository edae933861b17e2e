// SPDX-License-Identifier: MIT
#include <smartquant/queue.hpp>

#include "failure.hpp"
#include "precision_vector.hpp"
#include "request.hpp"
#include "request_queue.hpp"

namespace smartquant {

Queue::Queue(std::unique_ptr<Engine> engine) noexcept : engine_(std::move(engine)) {}
Queue::Queue(Queue &&) noexcept = default;
Queue &Queue::operator=(Queue &&) noexcept = default;
Queue::~Queue() = default;

Queue::Engine &Queue::engine() const
{
	if (!engine_)
		fail_closed("queue");
	return *engine_;
}

static void check_same_store(const Backend &queue, const Backend &region, const std::string &name)
{
	if (&queue != &region)
		fail(Status::InvalidInput, region_subject(name),
		     "belongs to another store than this queue");
}

void Queue::fetch(const Region &region, const ReadRequest &request, std::span<std::byte> buffer,
		  std::uint64_t tag)
{
	check_same_store(engine().backend(), region.backend(), region.identity_.name);

	sqc_read_request read = read_request(region.identity_, request);
	const sqc_layout layout = region.backend().layout(region.identity_, read);

	check_read_buffer(region.identity_, buffer.size(), layout.bytes);
	read.format = layout.format;
	engine().add(tag, [identity = region.identity_, read, layout, buffer](
				  Backend &backend, Completion &completion) {
		completion.fetch = backend.fetch(identity, read, layout,
						 buffer.first(layout.bytes));
	});
}

void Queue::fetch_vector(const Region &region, const VectorRequest &request,
			 std::span<std::byte> buffer, std::uint64_t tag)
{
	check_same_store(engine().backend(), region.backend(), region.identity_.name);

	VectorPlan plan = plan_vector(region.backend(), region.identity_, request);
	const std::uint64_t bytes = plan.layout.bytes();

	check_read_buffer(region.identity_, buffer.size(), bytes);
	engine().add(tag, [identity = region.identity_, plan = std::move(plan),
			   buffer = buffer.first(bytes)](Backend &backend,
							 Completion &completion) {
		completion.fetch = backend.fetch_vector(identity, plan, buffer);
		completion.parts = plan.layout;
	});
}

void Queue::store(Region &region, const StoreRequest &request, std::span<const std::byte> data,
		  std::uint64_t tag)
{
	check_same_store(engine().backend(), region.backend(), region.identity_.name);

	const sqc_write_request write = write_request(region.identity_, request);

	check_store_data(region.identity_, write, data.size(),
			 region.backend().store_bytes(region.identity_, write));
	check_importance(region.identity_, request.importance);
	engine().add(tag, [identity = region.identity_, write, importance = request.importance,
			   data](Backend &backend, Completion &completion) {
		completion.store = backend.store(identity, write, importance, data);
	});
}

Completion Queue::wait()
{
	return *engine().next(std::nullopt);
}

std::optional<Completion> Queue::wait_for(std::chrono::nanoseconds timeout)
{
	if (in_flight() == 0)
		return std::nullopt;
	return engine().next(timeout);
}

std::vector<Completion> Queue::wait_all()
{
	std::vector<Completion> completions;

	while (in_flight() > 0)
		completions.push_back(wait());
	return completions;
}

std::uint32_t Queue::in_flight() const
{
	return engine().in_flight();
}

std::uint32_t Queue::depth() const
{
	return engine().depth();
}

} // namespace smartquant
