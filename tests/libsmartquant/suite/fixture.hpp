// SPDX-License-Identifier: MIT
//
// The suite runs against one store, named by SQ_TEST_DEVICE:
//     embedded:         in memory (the default)
//     file              embedded:PATH with a PATH of its own
//     /dev/smartquantN  a card; what the suite creates there it removes
// The same program so compares every backend with the same expectations.
#ifndef SMARTQUANT_TESTS_SUITE_FIXTURE_HPP
#define SMARTQUANT_TESTS_SUITE_FIXTURE_HPP

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <smartquant/smartquant.hpp>

namespace sqtest {

using smartquant::Axis;
using smartquant::Dtype;
using smartquant::Encoding;
using smartquant::Error;
using smartquant::Format;
using smartquant::Placement;
using smartquant::ReadRequest;
using smartquant::Region;
using smartquant::RegionSpec;
using smartquant::Rounding;
using smartquant::Status;
using smartquant::Store;

// What the suite calls the store; each call opens it anew.
std::string store_uri();
Store open_store();
bool is_card();

// A store with one test's regions. Their names get a prefix, and they are
// removed in the end, so that a card is as it was.
class SuiteTest : public testing::Test {
protected:
	SuiteTest();
	~SuiteTest() override;

	std::string unique(const std::string &name) const;
	// Creates it under unique(spec.name).
	Region create(RegionSpec spec);

	Store store;
};

// Numbers whose bits are well mixed over signs and magnitudes, -0 and
// subnormals included: as words of the dtype.
std::vector<std::byte> sample_words(Dtype dtype, std::size_t count, unsigned int seed = 1);
std::vector<std::byte> words_of(std::span<const float> values);

// The status and message of an Error that the call throws; Success if none.
struct Thrown {
	Status status = Status::Success;
	std::string message = {};
};

template <typename F>
Thrown thrown_by(F &&f)
{
	try {
		f();
	} catch (const Error &error) {
		return {error.status(), error.what()};
	}
	return {};
}

} // namespace sqtest

// The call throws an Error with this status, whose message holds this text.
#define EXPECT_ERROR(call, expected_status, text)                                          \
	do {                                                                                \
		const auto thrown_ = sqtest::thrown_by([&] { (void)(call); });              \
		EXPECT_EQ(thrown_.status, expected_status) << thrown_.message;              \
		EXPECT_NE(thrown_.message.find(text), std::string::npos) << thrown_.message; \
	} while (0)

#endif // SMARTQUANT_TESTS_SUITE_FIXTURE_HPP
