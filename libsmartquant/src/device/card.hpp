// SPDX-License-Identifier: MIT
//
// An open card: /dev/smartquantN and its ioctls
//
// call() is the one place where an ioctl is made. It turns what came back
// into one verdict: the device's status where the device spoke, else the
// driver's errno.
#ifndef SMARTQUANT_SRC_DEVICE_CARD_HPP
#define SMARTQUANT_SRC_DEVICE_CARD_HPP

#include <string>
#include <string_view>

#include <smartquant/error.hpp>
#include <smartquant/uapi.h>

#include "memory.hpp"

namespace smartquant {

struct Verdict {
	Status status = Status::Success;
	int error = 0; // errno when the driver refused, else 0

	explicit operator bool() const noexcept { return status == Status::Success; }
};

// What an errno of the driver means where the device did not speak.
Verdict driver_verdict(int error_number) noexcept;

// Throws for a verdict that is no success.
void check(const Verdict &verdict, std::string_view subject);

class Card {
public:
	Card(std::string path, bool read_only);

	const std::string &path() const noexcept { return path_; }
	bool read_only() const noexcept { return read_only_; }
	int descriptor() const noexcept { return file_.number(); }
	std::string subject() const;

	// `argument` is one of the structures of uapi.h, its in fields set.
	template <typename Argument>
	Verdict call(unsigned long number, Argument &argument) const
	{
		argument.size = sizeof(argument);
		argument.status = SQ_STATUS_SUCCESS;

		const int error = ioctl(number, &argument);

		if (error == 0 || argument.status == SQ_STATUS_SUCCESS)
			return driver_verdict(error);
		return {static_cast<Status>(argument.status), 0};
	}

private:
	// 0, or the errno.
	int ioctl(unsigned long number, void *argument) const noexcept;

	std::string path_;
	bool read_only_;
	Descriptor file_;
};

} // namespace smartquant

#endif // SMARTQUANT_SRC_DEVICE_CARD_HPP
