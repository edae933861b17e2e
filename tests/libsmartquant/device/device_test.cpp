// SPDX-License-Identifier: MIT
//
// What the device backend does about a card or a driver that refuses, goes
// away, or answers with what cannot be. The suite runs in this program too.
#include "fake_card.hpp"

#include "../suite/fixture.hpp"

#include <cerrno>
#include <cstring>

#include <smartquant/uapi.h>

namespace sqtest {

class DeviceTest : public SuiteTest {
protected:
	void SetUp() override { ASSERT_TRUE(is_card()); }
	void TearDown() override
	{
		FakeCard::spoil({});
		FakeCard::refuse(0, 0);
	}

	// From now on answers of this request are spoiled.
	template <typename Argument>
	void spoil(unsigned long number, void (*change)(Argument &))
	{
		FakeCard::spoil([=](unsigned long seen, void *argument) {
			if (seen == number)
				change(*static_cast<Argument *>(argument));
		});
	}
};

TEST_F(DeviceTest, AnErrnoOfTheDriverHasAMeaning)
{
	Region region = create({.name = "w", .rows = 4, .cols = 32});

	FakeCard::refuse(SQ_IOC_SUBMIT, ENODEV);
	EXPECT_ERROR(region.fetch(), Status::NoDevice, "removed");
	FakeCard::refuse(SQ_IOC_SUBMIT, ETIMEDOUT);
	EXPECT_ERROR(region.fetch(), Status::System, "did not answer in time");
	FakeCard::refuse(SQ_IOC_SUBMIT, ENOMEM);
	EXPECT_ERROR(region.fetch(), Status::ResourcesExhausted, "no memory");
	FakeCard::refuse(SQ_IOC_SUBMIT, ENFILE);
	EXPECT_ERROR(region.fetch(), Status::System, std::strerror(ENFILE));
	FakeCard::refuse(SQ_IOC_REGION_DELETE, EPERM);
	EXPECT_ERROR(region.remove(), Status::System, "CAP_SYS_ADMIN");
	EXPECT_EQ(region.info().rows, 4u);
	FakeCard::refuse(SQ_IOC_VIEW_MAP, ENXIO);
	EXPECT_ERROR(region.map(), Status::NoHdm, "sqctl doctor");
	FakeCard::refuse(SQ_IOC_INFO, ENOTTY);
	EXPECT_ERROR(open_store(), Status::NotAStore, "not a SmartQuant card");
}

TEST_F(DeviceTest, AReadOnlyFileMayAskAndFetchOnly)
{
	create({.name = "w", .rows = 4, .cols = 32});

	Store reader = Store::open(fake_card_path, {.read_only = true});
	Region region = reader.region(unique("w"));
	const std::vector<std::byte> words(256);

	EXPECT_TRUE(reader.info().read_only);
	EXPECT_EQ(region.fetch(), words);
	EXPECT_EQ(region.map().bytes().size(), 256u);
	EXPECT_ERROR(region.store(words), Status::ReadOnly, "for writing");
	EXPECT_ERROR(region.seal(), Status::ReadOnly, "for writing");
	EXPECT_ERROR(reader.create_region({.name = "x", .rows = 1, .cols = 1}), Status::ReadOnly,
		     "for writing");
}

TEST_F(DeviceTest, AnInfoThatCannotBeIsNotBelieved)
{
	spoil<sq_ioc_info>(SQ_IOC_INFO, [](sq_ioc_info &info) { info.interface_major = 2; });
	EXPECT_ERROR(open_store(), Status::Unsupported, "interface version 2");
	spoil<sq_ioc_info>(SQ_IOC_INFO, [](sq_ioc_info &info) { info.format_count = 97; });
	EXPECT_ERROR(open_store(), Status::InternalError, "format_count 97");
	spoil<sq_ioc_info>(SQ_IOC_INFO, [](sq_ioc_info &info) { info.encoding_count = 33; });
	EXPECT_ERROR(open_store(), Status::InternalError, "encoding_count 33");
	spoil<sq_ioc_info>(SQ_IOC_INFO, [](sq_ioc_info &info) { info.transfer_bytes_max = 0; });
	EXPECT_ERROR(open_store(), Status::InternalError, "transfer_bytes_max 0");
	spoil<sq_ioc_info>(SQ_IOC_INFO, [](sq_ioc_info &info) {
		std::memset(info.firmware, 'x', sizeof(info.firmware));
	});
	EXPECT_EQ(open_store().info().firmware, std::string(sizeof(sq_ioc_info::firmware), 'x'));
}

TEST_F(DeviceTest, ARegionThatCannotBeIsNotBelieved)
{
	Region region = create({.name = "w", .rows = 4, .cols = 32});
	const auto get = SQ_IOC_REGION_GET;

	spoil<sq_ioc_region>(get, [](sq_ioc_region &answer) { answer.name_bytes = 256; });
	EXPECT_ERROR(region.info(), Status::InternalError, "name_bytes 256");
	spoil<sq_ioc_region>(get, [](sq_ioc_region &answer) { answer.name_bytes = 0; });
	EXPECT_ERROR(region.info(), Status::InternalError, "name_bytes 0");
	spoil<sq_ioc_region>(get, [](sq_ioc_region &answer) { answer.dtype = 0; });
	EXPECT_ERROR(region.info(), Status::InternalError, "dtype 0");
	spoil<sq_ioc_region>(get, [](sq_ioc_region &answer) { answer.placement = 9; });
	EXPECT_ERROR(region.info(), Status::InternalError, "placement 9");
	spoil<sq_ioc_region>(get, [](sq_ioc_region &answer) { answer.rows = 0; });
	EXPECT_ERROR(region.info(), Status::InternalError, "rows 0");
	spoil<sq_ioc_region>(get, [](sq_ioc_region &answer) { answer.cols = 0; });
	EXPECT_ERROR(region.info(), Status::InternalError, "cols 0");
}

TEST_F(DeviceTest, AListThatDoesNotEndIsCutOff)
{
	create({.name = "w", .rows = 4, .cols = 32});
	spoil<sq_ioc_region_list>(SQ_IOC_REGION_LIST,
				  [](sq_ioc_region_list &list) { list.more = 1; });
	EXPECT_ERROR(store.regions(), Status::InternalError, "impossible list");
	spoil<sq_ioc_region_list>(SQ_IOC_REGION_LIST,
				  [](sq_ioc_region_list &list) { list.count = 100000; });
	EXPECT_ERROR(store.regions(), Status::InternalError, "impossible list of 100000");
}

TEST_F(DeviceTest, AShortDeliveryIsAnError)
{
	Region region = create({.name = "w", .rows = 4, .cols = 32});

	spoil<sq_ioc_submit>(SQ_IOC_SUBMIT,
			     [](sq_ioc_submit &submit) { --submit.result.bytes; });
	EXPECT_ERROR(region.fetch(), Status::InternalError, "delivered 255 bytes of 256");
}

TEST_F(DeviceTest, AViewOfAnotherLengthIsGivenBack)
{
	Region region = create({.name = "w", .rows = 4, .cols = 32});

	spoil<sq_ioc_view>(SQ_IOC_VIEW_MAP, [](sq_ioc_view &view) { view.length_bytes = 4096; });
	EXPECT_ERROR(region.map(), Status::InternalError, "length_bytes 4096");
	spoil<sq_ioc_view>(SQ_IOC_VIEW_MAP, [](sq_ioc_view &view) { view.window_bytes = 0; });
	EXPECT_ERROR(region.map(), Status::InternalError, "window_bytes 0");
	EXPECT_EQ(region.info().views, 0u);
}

TEST_F(DeviceTest, ARowThatIsLongerThanATransferIsRefused)
{
	Region region = create({.name = "w", .rows = 1, .cols = 200000});

	EXPECT_ERROR(region.store(std::vector<std::byte>(400000)), Status::Unsupported,
		     "a row of 200000 columns");
	EXPECT_ERROR(region.fetch({.format = Format::native()}), Status::Unsupported,
		     "a row of 200000 columns");
	EXPECT_EQ(region.fetch({.format = Format::mxint(4)}).size(), 100000u + 6250);
}

TEST_F(DeviceTest, WhatIsNoCardIsRefused)
{
	EXPECT_ERROR(Store::open("/dev/smartquant98"), Status::NoDevice, "no such card");
	EXPECT_ERROR(Store::open("/dev/zero"), Status::NotAStore, "not a SmartQuant card");
	EXPECT_ERROR(Store::open("/dev/shm"), Status::System, "/dev/shm");
	EXPECT_ERROR(Store::open(fake_card_path, {.size_bytes = 1u << 20}), Status::InvalidInput,
		     "leave the size out");
}

} // namespace sqtest

int main(int argc, char **argv)
{
	setenv("SQ_TEST_DEVICE", sqtest::fake_card_path, 1);
	testing::InitGoogleTest(&argc, argv);
	return RUN_ALL_TESTS();
}
