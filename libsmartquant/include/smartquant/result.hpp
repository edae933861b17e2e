// SPDX-License-Identifier: MIT
//
// Values instead of exceptions
//
//     auto fetched = smartquant::attempt([&] { return w.fetch(request, buffer); });
//     if (!fetched)
//             std::cerr << fetched.error().what() << '\n';
#ifndef SMARTQUANT_RESULT_HPP
#define SMARTQUANT_RESULT_HPP

#include <type_traits>
#include <utility>
#include <variant>

#include <smartquant/error.hpp>

namespace smartquant {

// A value of T, or the Error that stood in its way.
template <typename T>
class Result {
public:
	Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
	Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

	explicit operator bool() const noexcept { return state_.index() == 0; }
	Status status() const noexcept
	{
		return *this ? Status::Success : std::get<1>(state_).status();
	}
	// Throws the Error when there is no value.
	T &value() &
	{
		if (!*this)
			throw std::get<1>(state_);
		return std::get<0>(state_);
	}
	T value() && { return std::move(static_cast<Result &>(*this).value()); }
	// Only when there is no value.
	const Error &error() const { return std::get<1>(state_); }

private:
	std::variant<T, Error> state_;
};

// What a call that returns nothing gives.
struct Done {};

// Calls f; an Error becomes part of the Result, other exceptions pass.
template <typename F>
auto attempt(F &&f) -> Result<std::conditional_t<std::is_void_v<std::invoke_result_t<F>>, Done,
						 std::invoke_result_t<F>>>
{
	try {
		if constexpr (std::is_void_v<std::invoke_result_t<F>>) {
			std::forward<F>(f)();
			return Done{};
		} else {
			return std::forward<F>(f)();
		}
	} catch (const Error &error) {
		return error;
	}
}

} // namespace smartquant

#endif // SMARTQUANT_RESULT_HPP
