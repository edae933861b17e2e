// SPDX-License-Identifier: MIT
#include "failure.hpp"

#include <algorithm>
#include <array>

#include "text.hpp"

namespace smartquant {

namespace {

struct Sentence {
	Status status;
	std::string_view text;
	std::string_view remedy; // empty: the sentence says it all
};

constexpr std::array sentences{
	Sentence{Status::Success, "success", ""},
	Sentence{Status::InvalidInput, "a value is not one of those allowed", ""},
	Sentence{Status::Unsupported, "not supported for this object", ""},
	Sentence{Status::InternalError, "internal error of the controller",
		 "this is a bug; please report it"},
	Sentence{Status::RetryRequired, "the device asks to try again", "try again"},
	Sentence{Status::Busy, "busy with a long-running command", "try again when it has ended"},
	Sentence{Status::InvalidHandle, "does not exist any more",
		 "it was removed since this handle was made; look it up again"},
	Sentence{Status::InvalidAddress, "address outside of any mapped view", ""},
	Sentence{Status::MediaFailure, "stored bytes do not match their checksum",
		 "store these rows again; verify shows what is damaged"},
	Sentence{Status::Aborted, "the request was aborted", "try again"},
	Sentence{Status::InvalidPayloadLength, "the device refused the length of a command",
		 "driver, library and device do not fit together"},
	Sentence{Status::ResourcesExhausted, "out of handles, views or memory",
		 "unmap views or remove regions"},
	Sentence{Status::NameExists, "a region of that name exists",
		 "choose another name or remove that region"},
	Sentence{Status::NotFound, "no region of that name", ""},
	Sentence{Status::Sealed, "is sealed, so it cannot be changed",
		 "remove it and create it anew"},
	Sentence{Status::NonFinite, "holds a NaN or an infinity, which cannot be aligned",
		 "use placement word"},
	Sentence{Status::Range, "rows out of range", ""},
	Sentence{Status::Format, "format not offered for this region", ""},
	Sentence{Status::InUse, "is in use", "unmap the views of it first"},
	Sentence{Status::StoreFull, "the store is full", "remove regions or use a larger store"},
	Sentence{Status::RoundingNeeded, "the data's encoding is not the region's dtype",
		 "allow rounding, or create the region with the dtype of the data"},
	Sentence{Status::Length, "the length of the data does not match the rows", ""},
	Sentence{Status::NotAStore, "is not a SmartQuant store", ""},
	Sentence{Status::StoreVersion, "was written by an incompatible version", ""},
	Sentence{Status::StoreDamaged, "the store is damaged", ""},
	Sentence{Status::SyncFailed, "could not be made durable",
		 "check the free space and the health of the disk"},
	Sentence{Status::NoHdm, "the card's memory window is not set up",
		 "bring it up with `smartquantd --once`; `sqctl doctor` shows what is missing"},
	Sentence{Status::DmaFault, "the device could not reach the buffer", ""},
	Sentence{Status::ReadOnly, "the store is open for reading only",
		 "open it for writing"},
	Sentence{Status::Name, "a region name is 1 to 255 bytes of UTF-8", ""},
	Sentence{Status::System, "the operating system refused", ""},
	Sentence{Status::Closed, "the handle is closed", ""},
	Sentence{Status::NoDevice, "the device is not there (any more)", ""},
};

const Sentence *sentence_of(Status status) noexcept
{
	const auto found = std::ranges::find(sentences, status, &Sentence::status);

	return found == sentences.end() ? nullptr : &*found;
}

} // namespace

std::string_view describe(Status status) noexcept
{
	const Sentence *sentence = sentence_of(status);

	return sentence ? sentence->text : "unknown status";
}

Error::Error(Status status, const std::string &message)
	: std::runtime_error(message), status_(status)
{
}

Error::Error(Status status, const std::string &message, Position position)
	: std::runtime_error(message), status_(status), position_(position)
{
}

Error::Error(const Error &) noexcept = default;
Error &Error::operator=(const Error &) noexcept = default;
Error::~Error() = default;

Status Error::status() const noexcept
{
	return status_;
}

std::optional<Position> Error::position() const noexcept
{
	return position_;
}

std::string region_subject(std::string_view region_name)
{
	return concat("region ", in_quotes(region_name));
}

std::string store_subject(std::string_view uri)
{
	return concat("store ", in_quotes(uri));
}

void fail(Status status, std::string_view subject, std::string_view detail)
{
	throw Error(status, concat(subject, ": ", detail));
}

void fail(Status status, std::string_view subject, std::string_view detail, Position position)
{
	throw Error(status, concat(subject, ": ", detail), position);
}

void fail(Status status, std::string_view subject)
{
	const Sentence *sentence = sentence_of(status);

	if (!sentence)
		fail(status, subject,
		     concat("unknown status ", hex16(static_cast<std::uint16_t>(status)),
			    " of the device"));
	if (sentence->remedy.empty())
		fail(status, subject, sentence->text);
	fail(status, subject, concat(sentence->text, "; ", sentence->remedy));
}

void fail_system(int error_number, std::string_view subject, std::string_view what)
{
	fail(Status::System, subject, concat(what, ": ", system_text(error_number)));
}

void fail_closed(std::string_view kind)
{
	fail(Status::Closed, kind,
	     "this handle was closed, removed or moved from; open it again");
}

} // namespace smartquant
