// SPDX-License-Identifier: MIT
//
// A reader-writer lock in which nobody starves.
//
// std::shared_mutex of glibc lets readers in while a writer waits, so readers
// that overlap keep a store from ever being written. Here all come through one
// door: a writer that waits inside of it keeps those behind it out. So a
// thread must not take it twice, not even for reading.
#ifndef SMARTQUANT_SRC_EMBEDDED_FAIR_MUTEX_HPP
#define SMARTQUANT_SRC_EMBEDDED_FAIR_MUTEX_HPP

#include <mutex>
#include <shared_mutex>

namespace smartquant {

// For std::unique_lock and std::shared_lock.
class FairMutex {
public:
	void lock()
	{
		const std::lock_guard door(door_);

		inside_.lock();
	}
	void unlock() { inside_.unlock(); }

	void lock_shared()
	{
		const std::lock_guard door(door_);

		inside_.lock_shared();
	}
	void unlock_shared() { inside_.unlock_shared(); }

private:
	std::mutex door_;
	std::shared_mutex inside_;
};

} // namespace smartquant

#endif // SMARTQUANT_SRC_EMBEDDED_FAIR_MUTEX_HPP
