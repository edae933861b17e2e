// SPDX-License-Identifier: MIT
//
// Bring-up and doctor against a fixture tree of sysfs: what a machine with a
// card looks like, with one link after the other taken away.
#include "bringup/bringup.hpp"
#include "bringup/doctor.hpp"
#include "bringup/topology.hpp"

#include <gtest/gtest.h>

#include <fstream>

namespace {

namespace fs = std::filesystem;

class Machine : public ::testing::Test {
protected:
	void SetUp() override
	{
		root_ = fs::path(::testing::TempDir()) /
			::testing::UnitTest::GetInstance()->current_test_info()->name();
		fs::remove_all(root_);
		paths_ = {.sysfs = root_ / "sys", .dev = root_ / "dev"};
		file("sys/firmware/acpi/tables/CEDT", "CEDT");
		file("sys/bus/cxl/devices/root0/devtype", "cxl_port");
		file("sys/bus/cxl/devices/decoder0.0/size", "0x100000000");
		file("sys/bus/cxl/devices/decoder0.0/cap_pmem", "1");
		file("sys/bus/cxl/devices/decoder0.0/cap_ram", "1");
		file("sys/bus/cxl/devices/port1/devtype", "cxl_port");
		add_card("0000:0d:00", 0);
	}

	void TearDown() override { fs::remove_all(root_); }

	void file(const fs::path &name, const std::string &text)
	{
		fs::create_directories((root_ / name).parent_path());
		std::ofstream(root_ / name) << text << "\n";
	}

	void link(const fs::path &name, const std::string &target)
	{
		fs::create_directories((root_ / name).parent_path());
		fs::create_symlink(target, root_ / name);
	}

	void add_card(const std::string &slot, int index)
	{
		const std::string number = std::to_string(index);
		const fs::path memory = "sys/bus/pci/devices/" + slot + ".0";
		const fs::path controller = "sys/bus/pci/devices/" + slot + ".1";
		const std::string endpoint = "endpoint" + std::to_string(index + 2);
		const fs::path cxl = "sys/bus/cxl/devices";
		file(memory / "vendor", "0x8086");
		file(memory / "device", "0x0d93");
		link(memory / "driver", "../../../bus/pci/drivers/cxl_pci");
		file(memory / ("mem" + number) / "serial", "0x1");
		file(controller / "vendor", "0x1af4");
		file(controller / "device", "0x10f1");
		link(controller / "driver", "../../../bus/pci/drivers/smartquant");
		file(controller / "smartquant" / ("smartquant" + number) / "model", "SmartQuant");
		link(cxl / endpoint / "uport", "../../../../../pci0000:0c/mem" + number);
		file(cxl / endpoint / "decoder2.0" / "region", "region" + number);
		file(cxl / ("region" + number) / "commit", "1");
		link(cxl / ("region" + number) / "driver", "../../../bus/cxl/drivers/cxl_region");
		file("dev/smartquant" + number, "");
	}

	void take_away(const fs::path &name) { ASSERT_GT(fs::remove_all(root_ / name), 0u) << name; }

	std::vector<bringup::Link> examine()
	{
		return bringup::examine(paths_, {.open = [](const fs::path &) { return "opens"; },
						 .map = [](const fs::path &) { return "maps"; }});
	}

	/// The chain must end at this link, broken, with this in its remedy.
	void expect_broken(const std::string &name, const std::string &remedy)
	{
		const auto links = examine();
		for (size_t i = 0; i + 1 < links.size(); i++)
			EXPECT_TRUE(links[i].ok) << links[i].name;
		EXPECT_EQ(links.back().name, name);
		EXPECT_FALSE(links.back().ok);
		EXPECT_NE(links.back().remedy.find(remedy), std::string::npos) << links.back().remedy;
	}

	fs::path root_;
	bringup::Paths paths_;
};

using Doctor = Machine;

TEST_F(Doctor, HealthyMachineHasNoBrokenLink)
{
	const auto links = examine();
	ASSERT_EQ(links.size(), 13u);
	for (const auto &link : links) {
		EXPECT_TRUE(link.ok) << link.name << ": " << link.found;
		EXPECT_EQ(link.remedy, "");
	}
	EXPECT_EQ(links.back().found, "maps");
}

TEST_F(Doctor, EachMissingLinkIsNamedWithItsRemedy)
{
	struct Case {
		fs::path gone;
		const char *link;
		const char *remedy;
	};
	const Case cases[] = {
		{"sys/firmware/acpi/tables/CEDT", "ACPI table", "cxl=on"},
		{"sys/bus/cxl/devices/root0", "CXL root", "modprobe cxl_acpi"},
		{"sys/bus/cxl/devices/decoder0.0", "root decoder", "cxl-fmw"},
		{"sys/bus/cxl/devices/port1", "host bridge", "pxb-cxl"},
		{"sys/bus/pci/devices/0000:0d:00.1/device", "card", "cxl-smartquant"},
		{"sys/bus/pci/devices/0000:0d:00.0/mem0", "memory device", "modprobe cxl_pci"},
		{"sys/bus/cxl/devices/endpoint2/uport", "endpoint", "modprobe cxl_mem"},
		{"sys/bus/cxl/devices/endpoint2/decoder2.0", "region", "sqctl up"},
		{"sys/bus/cxl/devices/region0/driver", "region driver", "cxl_pmem"},
		{"sys/bus/pci/devices/0000:0d:00.1/driver", "driver", "modprobe smartquant"},
		{"sys/bus/pci/devices/0000:0d:00.1/smartquant", "device node", "devtmpfs"},
	};
	for (const Case &test : cases) {
		SCOPED_TRACE(test.link);
		TearDown();
		SetUp();
		take_away(test.gone);
		expect_broken(test.link, test.remedy);
	}
}

TEST_F(Doctor, WrongValuesBreakTheirLink)
{
	file("sys/bus/cxl/devices/decoder0.0/size", "0");
	expect_broken("root decoder", "cxl-fmw");
	file("sys/bus/cxl/devices/decoder0.0/size", "junk");
	expect_broken("root decoder", "cxl-fmw");
	file("sys/bus/cxl/devices/decoder0.0/size", "0x100000000");
	file("sys/bus/cxl/devices/region0/commit", "0");
	expect_broken("region", "sqctl up");
	file("sys/bus/cxl/devices/region0/commit", "1");
	fs::remove(root_ / "sys/bus/pci/devices/0000:0d:00.1/driver");
	link("sys/bus/pci/devices/0000:0d:00.1/driver", "../../drivers/vfio-pci");
	expect_broken("driver", "modprobe smartquant");
	EXPECT_NE(examine().back().found.find("vfio-pci"), std::string::npos);
}

TEST_F(Doctor, NodeThatDoesNotOpenOrMapIsTheBrokenLink)
{
	take_away("dev/smartquant0");
	expect_broken("device node", "devtmpfs");
	file("dev/smartquant0", "");
	const auto broken = [](const fs::path &) -> std::string { throw std::runtime_error("why"); };
	auto links = bringup::examine(paths_, {.open = broken, .map = broken});
	EXPECT_EQ(links.back().name, "store");
	EXPECT_EQ(links.back().found, "why");
	links = bringup::examine(paths_, {.open = [](const fs::path &) { return ""; }, .map = broken});
	EXPECT_EQ(links.back().name, "view");
}

TEST_F(Doctor, SecondCardIsExaminedToo)
{
	add_card("0000:0e:00", 1);
	EXPECT_EQ(examine().size(), 5u + 2 * 8);
	take_away("sys/bus/cxl/devices/region1/driver");
	expect_broken("region driver", "sqctl up");
	EXPECT_EQ(examine().back().card, "0000:0e:00.1");
}

TEST_F(Machine, TopologyFindsWhatBelongsToACard)
{
	// A memory device of somebody else, and a look-alike function 1.
	file("sys/bus/pci/devices/0000:0a:00.0/mem7/serial", "0x7");
	file("sys/bus/pci/devices/0000:0a:00.1/vendor", "0x1af4");
	file("sys/bus/pci/devices/0000:0a:00.1/device", "0x1050");
	const auto cards = bringup::find_cards(paths_);
	ASSERT_EQ(cards.size(), 1u);
	EXPECT_EQ(cards[0].controller, "0000:0d:00.1");
	EXPECT_EQ(cards[0].memory, "0000:0d:00.0");
	EXPECT_EQ(cards[0].memdev, "mem0");
	EXPECT_EQ(cards[0].endpoint, "endpoint2");
	EXPECT_EQ(cards[0].region, "region0");
	EXPECT_TRUE(cards[0].region_committed);
	EXPECT_EQ(cards[0].node, "smartquant0");
}

// ---------------------------------------------------------------- bring-up

constexpr uint64_t capacity = 4ull << 30;

/// A kernel that does what it is asked, or fails at one call.
class FakeControl final : public bringup::CxlControl {
public:
	std::optional<bringup::RegionState> region;
	std::string fails_at;
	std::vector<std::string> calls;

	uint64_t capacity_bytes(const std::string &) override { return capacity; }
	std::optional<bringup::RegionState> region_of(const std::string &) override { return region; }
	bringup::RegionState create_region(const std::string &memdev, uint64_t bytes) override
	{
		called("create " + memdev);
		region = {.name = "region0", .bytes = bytes, .committed = true, .enabled = false};
		return *region;
	}
	void commit(const std::string &name) override
	{
		called("commit " + name);
		region->committed = true;
	}
	void enable(const std::string &name) override
	{
		called("enable " + name);
		region->enabled = true;
	}

private:
	void called(const std::string &call)
	{
		calls.push_back(call);
		if (!fails_at.empty() && call.starts_with(fails_at))
			throw bringup::Failure("refused: " + call);
	}
};

class BringUp : public Machine {
protected:
	std::vector<bringup::CardState> run()
	{
		steps_.clear();
		control_.calls.clear();
		return bringup::bring_up(paths_, control_,
					 [&](const std::string &step) { steps_.push_back(step); });
	}

	FakeControl control_;
	std::vector<std::string> steps_;
};

TEST_F(BringUp, CreatesAndEnablesARegionOverTheWholeCapacity)
{
	const auto states = run();
	ASSERT_EQ(states.size(), 1u);
	EXPECT_EQ(control_.calls, (std::vector<std::string>{"create mem0", "enable region0"}));
	EXPECT_EQ(states[0].bytes, capacity);
	EXPECT_TRUE(states[0].created);
	EXPECT_EQ(steps_.size(), 2u);
}

TEST_F(BringUp, SecondRunChangesNothing)
{
	run();
	const auto states = run();
	EXPECT_TRUE(control_.calls.empty());
	EXPECT_FALSE(states[0].created);
	ASSERT_EQ(steps_.size(), 1u);
	EXPECT_NE(steps_[0].find("already up"), std::string::npos);
}

TEST_F(BringUp, ContinuesWhereAFailedRunStopped)
{
	control_.fails_at = "enable";
	EXPECT_THROW(run(), bringup::Failure);
	control_.fails_at.clear();
	run();
	EXPECT_EQ(control_.calls, std::vector<std::string>{"enable region0"});
	control_.region->committed = false;
	control_.region->enabled = false;
	run();
	EXPECT_EQ(control_.calls, (std::vector<std::string>{"commit region0", "enable region0"}));
}

TEST_F(BringUp, RegionOfAnotherSizeIsRefused)
{
	control_.region = {.name = "region0", .bytes = capacity / 2, .committed = true, .enabled = true};
	EXPECT_THROW(run(), bringup::Failure);
	EXPECT_TRUE(control_.calls.empty());
}

TEST_F(BringUp, MissingCardOrLinkIsNamed)
{
	const auto message = [&]() -> std::string {
		try {
			run();
		} catch (const bringup::Failure &failure) {
			return failure.what();
		}
		return "";
	};
	take_away("sys/bus/cxl/devices/endpoint2");
	EXPECT_NE(message().find("cxl_mem"), std::string::npos);
	take_away("sys/bus/pci/devices/0000:0d:00.0/mem0");
	EXPECT_NE(message().find("modprobe cxl_pci"), std::string::npos);
	take_away("sys/bus/pci/devices/0000:0d:00.1");
	EXPECT_NE(message().find("no SmartQuant card"), std::string::npos);
}

} // namespace
