// SPDX-License-Identifier: MIT
//
// Making Errors: every message names the object, what was wrong and what
// would do. A status that comes from below without more to say gets the
// remedy of a table.
#ifndef SMARTQUANT_SRC_FAILURE_HPP
#define SMARTQUANT_SRC_FAILURE_HPP

#include <optional>
#include <string>
#include <string_view>

#include <smartquant/error.hpp>

namespace smartquant {

// "region "blk.0"", "store "embedded:model.sqs""
std::string region_subject(std::string_view region_name);
std::string store_subject(std::string_view uri);

// Throws Error(status, "SUBJECT: DETAIL").
[[noreturn]] void fail(Status status, std::string_view subject, std::string_view detail);
[[noreturn]] void fail(Status status, std::string_view subject, std::string_view detail,
		       Position position);
// The same with the sentence and remedy of the status.
[[noreturn]] void fail(Status status, std::string_view subject);
// Status::System, "SUBJECT: WHAT: Permission denied".
[[noreturn]] void fail_system(int error_number, std::string_view subject, std::string_view what);
// Status::Closed.
[[noreturn]] void fail_closed(std::string_view kind);

} // namespace smartquant

#endif // SMARTQUANT_SRC_FAILURE_HPP
