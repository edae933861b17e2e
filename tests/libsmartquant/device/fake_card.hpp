// SPDX-License-Identifier: MIT
//
// A card without a kernel: the driver's ioctls of include/smartquant/uapi.h,
// served by a controller in this process. The linker sends open(), ioctl()
// and mmap() of the library's objects here (--wrap), so the device backend
// runs unchanged. Its limits are small, so that a test's transfers take many
// pieces and lists many pages.
#ifndef SMARTQUANT_TESTS_DEVICE_FAKE_CARD_HPP
#define SMARTQUANT_TESTS_DEVICE_FAKE_CARD_HPP

#include <functional>

namespace sqtest {

inline constexpr char fake_card_path[] = "/dev/smartquant99";

struct FakeCard {
	// Sees every answer before the library does and may spoil it. Empty:
	// nothing is spoiled.
	using Spoil = std::function<void(unsigned long number, void *argument)>;
	static void spoil(Spoil spoil);
	// Requests of this number fail with this errno, unserved; 0 ends that.
	static void refuse(unsigned long number, int error);
};

} // namespace sqtest

#endif // SMARTQUANT_TESTS_DEVICE_FAKE_CARD_HPP
