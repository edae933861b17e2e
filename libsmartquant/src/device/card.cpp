// SPDX-License-Identifier: MIT
#include "card.hpp"

#include <algorithm>
#include <array>
#include <cerrno>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "failure.hpp"
#include "text.hpp"

namespace smartquant {

namespace {

struct Meaning {
	int error;
	Status status;
	std::string_view text;
};

constexpr std::array meanings{
	Meaning{ENODEV, Status::NoDevice, "the card was removed"},
	Meaning{ENOTTY, Status::NotAStore,
		"is not a SmartQuant card, or its driver is older than this library"},
	Meaning{EACCES, Status::ReadOnly,
		"the card was opened for reading only; open it for writing"},
	Meaning{EPERM, Status::System,
		"this needs the right CAP_SYS_ADMIN; run it as root"},
	Meaning{ENOENT, Status::InvalidHandle, "the view does not exist any more"},
	Meaning{ENXIO, Status::NoHdm,
		"the card's memory window is not set up; bring it up with `smartquantd --once`, "
		"`sqctl doctor` shows what is missing"},
	Meaning{ENOMEM, Status::ResourcesExhausted, "the kernel has no memory for the request"},
	Meaning{ETIMEDOUT, Status::System,
		"the card did not answer in time and was reset; try again, see the kernel log"},
	Meaning{E2BIG, Status::Unsupported, "the driver is older than this library"},
	Meaning{EOPNOTSUPP, Status::Unsupported, "the driver does not know this request"},
};

const Meaning *meaning_of(int error) noexcept
{
	const auto found = std::ranges::find(meanings, error, &Meaning::error);

	return found == meanings.end() ? nullptr : &*found;
}

} // namespace

Verdict driver_verdict(int error_number) noexcept
{
	const Meaning *meaning = meaning_of(error_number);

	if (error_number == 0)
		return {};
	return {meaning ? meaning->status : Status::System, error_number};
}

void check(const Verdict &verdict, std::string_view subject)
{
	if (verdict)
		return;
	if (verdict.error == 0)
		fail(verdict.status, subject);
	if (const Meaning *meaning = meaning_of(verdict.error))
		fail(verdict.status, subject, meaning->text);
	fail_system(verdict.error, subject, "the driver refused the request");
}

Card::Card(std::string path, bool read_only)
	: path_(std::move(path)), read_only_(read_only),
	  file_(::open(path_.c_str(), (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NONBLOCK))
{
	struct stat status;

	if (!file_ && (errno == ENOENT || errno == ENXIO || errno == ENODEV))
		fail(Status::NoDevice, subject(),
		     "there is no such card; `sqctl doctor` shows what is missing");
	if (!file_ && errno == EACCES)
		fail(Status::System, subject(),
		     concat("no permission to open it for ", read_only ? "reading" : "writing",
			    read_only ? "; run as root" :
					"; open it for reading only, or run as root"));
	if (!file_)
		fail_system(errno, subject(), "cannot be opened");
	if (::fstat(file_.number(), &status) || !S_ISCHR(status.st_mode))
		fail(Status::NotAStore, subject(),
		     "is not a card; a store in a file is named embedded:PATH");
}

std::string Card::subject() const
{
	return concat("card ", path_);
}

int Card::ioctl(unsigned long number, void *argument) const noexcept
{
	return ::ioctl(file_.number(), number, argument) < 0 ? errno : 0;
}

} // namespace smartquant
