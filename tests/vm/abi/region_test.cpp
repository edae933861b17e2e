// SPDX-License-Identifier: MIT
//
// Regions through the driver: their life, and their folders in sysfs.
#include "card.hpp"

#include <algorithm>
#include <cerrno>
#include <set>
#include <thread>

#include <dirent.h>
#include <fcntl.h>

#include <gtest/gtest.h>

namespace driver_abi {
namespace {

std::string folder_of(std::uint32_t handle)
{
    return std::string(kClassFolder) + "/regions/" + std::to_string(handle);
}

std::set<std::string> folders()
{
    std::set<std::string> names;
    DIR *folder = opendir((std::string(kClassFolder) + "/regions").c_str());
    while (const dirent *entry = folder ? readdir(folder) : nullptr)
        if (entry->d_name[0] != '.')
            names.insert(entry->d_name);
    if (folder)
        closedir(folder);
    return names;
}

std::set<std::string> listed(const Card &card)
{
    std::set<std::string> names;
    std::uint32_t handles[3];
    auto list = make<sq_ioc_region_list>();
    list.max = std::size(handles);
    list.handles = reinterpret_cast<std::uintptr_t>(handles);
    do {
        if (card(SQ_IOC_REGION_LIST, list))
            return {};
        for (std::uint32_t i = 0; i < list.count; i++)
            names.insert(std::to_string(handles[i]));
        list.after = list.count ? handles[list.count - 1] : 0;
    } while (list.more);
    return names;
}

TEST(Region, IsFoundByHandleAndByName)
{
    Card card(O_RDWR);
    Region region(card, "layer.0/weight", SQ_DTYPE_FP32, 3, 70);

    auto get = make<sq_ioc_region>();
    get.handle = region.handle();
    ASSERT_EQ(card(SQ_IOC_REGION_GET, get), 0);
    EXPECT_STREQ(get.name, "layer.0/weight");
    EXPECT_EQ(get.name_bytes, 14);
    EXPECT_EQ(get.dtype, SQ_DTYPE_FP32);
    EXPECT_EQ(get.placement, SQ_PLACEMENT_ALIGNED);
    EXPECT_EQ(get.rows, 3u);
    EXPECT_EQ(get.cols, 70u);
    EXPECT_EQ(get.precision, SQ_FORMAT_NATIVE);

    auto find = make<sq_ioc_region>();
    find.name_bytes = 14;
    std::memcpy(find.name, "layer.0/weight", 14);
    ASSERT_EQ(card(SQ_IOC_REGION_FIND, find), 0);
    EXPECT_EQ(find.handle, region.handle());
}

TEST(Region, NamesOfFullLengthWork)
{
    Card card(O_RDWR);
    const std::string name(SQ_NAME_MAX, 'n');
    Region region(card, name, SQ_DTYPE_U8, 1, 8);
    auto get = make<sq_ioc_region>();
    get.handle = region.handle();
    ASSERT_EQ(card(SQ_IOC_REGION_GET, get), 0);
    EXPECT_EQ(get.name, name);
    EXPECT_EQ(read_file(folder_of(region.handle()) + "/name"), name);
}

TEST(Region, BadSpecificationsAreRefused)
{
    Card card(O_RDWR);
    auto good = make<sq_ioc_region_create>();
    good.dtype = SQ_DTYPE_BF16;
    good.placement = SQ_PLACEMENT_ALIGNED;
    good.rows = good.cols = 1;
    good.name_bytes = 1;
    good.name[0] = 'x';
    const auto before = listed(card);

    auto bad = good;
    bad.name_bytes = 0;
    EXPECT_EQ(card(SQ_IOC_REGION_CREATE, bad), EINVAL);
    bad = good;
    bad.name_bytes = SQ_NAME_MAX + 1;
    EXPECT_EQ(card(SQ_IOC_REGION_CREATE, bad), EINVAL);
    bad = good;
    bad.name[0] = '\xff';
    EXPECT_EQ(card(SQ_IOC_REGION_CREATE, bad), EINVAL);
    EXPECT_EQ(bad.status, static_cast<__u32>(SQ_STATUS_NAME));
    bad = good;
    bad.rows = 0;
    EXPECT_EQ(card(SQ_IOC_REGION_CREATE, bad), EINVAL);
    bad = good;
    bad.dtype = 99;
    EXPECT_EQ(card(SQ_IOC_REGION_CREATE, bad), EINVAL);

    EXPECT_EQ(listed(card), before);
}

TEST(Region, ASecondOneOfTheNameIsRefused)
{
    Card card(O_RDWR);
    Region region(card, "twin", SQ_DTYPE_U8, 1, 8);
    auto create = make<sq_ioc_region_create>();
    create.dtype = SQ_DTYPE_U8;
    create.placement = SQ_PLACEMENT_BYTES;
    create.rows = create.cols = 1;
    create.name_bytes = 4;
    std::memcpy(create.name, "twin", 4);
    EXPECT_EQ(card(SQ_IOC_REGION_CREATE, create), EEXIST);
    EXPECT_EQ(create.status, static_cast<__u32>(SQ_STATUS_NAME_EXISTS));
}

TEST(Region, FilesOfItsFolderSayWhatItIs)
{
    Card card(O_RDWR);
    Region region(card, "files", SQ_DTYPE_BF16, 5, 33);
    const std::string folder = folder_of(region.handle());
    EXPECT_EQ(read_file(folder + "/name"), "files");
    EXPECT_EQ(read_file(folder + "/dtype"), "bf16");
    EXPECT_EQ(read_file(folder + "/placement"), "aligned");
    EXPECT_EQ(read_file(folder + "/coding"), "raw");
    EXPECT_EQ(read_file(folder + "/rows"), "5");
    EXPECT_EQ(read_file(folder + "/cols"), "33");
    EXPECT_EQ(read_file(folder + "/sealed"), "0");
    EXPECT_EQ(read_file(folder + "/stored_bytes"), "0");
    EXPECT_EQ(read_file(folder + "/stats/stores"), "0");

    auto data = bf16_pattern(5 * 33, 3);
    ASSERT_EQ(store(card, region.handle(), {0, 5}, data), 0);
    EXPECT_EQ(read_file(folder + "/stats/stores"), "1");
    EXPECT_EQ(read_file(folder + "/dirty"), "1");
    EXPECT_NE(read_file(folder + "/stored_bytes"), "0");

    auto seal = make<sq_ioc_handle>();
    seal.handle = region.handle();
    ASSERT_EQ(card(SQ_IOC_REGION_SEAL, seal), 0);
    EXPECT_EQ(read_file(folder + "/sealed"), "1");
    EXPECT_EQ(read_file(folder + "/dirty"), "0");
    EXPECT_EQ(store(card, region.handle(), {0, 5}, data), EROFS);
}

TEST(Region, PrecisionCanBeWritten)
{
    Card card(O_RDWR);
    Region region(card, "tagged", SQ_DTYPE_BF16, 1, 32);
    const std::string file = folder_of(region.handle()) + "/precision";
    EXPECT_EQ(read_file(file), "native");
    for (const char *name : {"mxint4", "planes3", "bf16", "mxint8"}) {
        EXPECT_EQ(write_file(file, std::string(name) + "\n"), 0) << name;
        EXPECT_EQ(read_file(file), name);
    }
    auto get = make<sq_ioc_region>();
    get.handle = region.handle();
    ASSERT_EQ(card(SQ_IOC_REGION_GET, get), 0);
    EXPECT_EQ(get.precision, SQ_FORMAT_MXINT(8));

    for (const char *name : {"", "mxint", "mxint1", "mxint9", "mxint4x", "mxint-4", "native2",
                             "0x20000", "nonsense"})
        EXPECT_EQ(write_file(file, std::string(name) + "\n"), EINVAL) << name;
    EXPECT_EQ(read_file(file), "mxint8");
}

TEST(Region, FoldersFollowCreateAndDelete)
{
    Card card(O_RDWR);
    std::string folder;
    {
        Region region(card, "short-lived", SQ_DTYPE_U8, 1, 8);
        folder = folder_of(region.handle());
        EXPECT_TRUE(exists(folder + "/stats/requests"));
        EXPECT_EQ(folders(), listed(card));
    }
    EXPECT_FALSE(exists(folder));
    EXPECT_EQ(folders(), listed(card));
}

// Readers of the files against creation and removal.
TEST(Region, FoldersFollowManyThreads)
{
    Card card(O_RDWR);
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; t++)
        threads.emplace_back([&card, t] {
            for (int i = 0; i < 25; i++) {
                Region region(card, "t" + std::to_string(t), SQ_DTYPE_U8, 1, 8);
                for (const std::string &name : folders())
                    read_file(std::string(kClassFolder) + "/regions/" + name + "/stored_bytes");
            }
        });
    for (std::thread &thread : threads)
        thread.join();
    EXPECT_EQ(folders(), listed(card));
}

TEST(Region, StaleHandlesAreRefused)
{
    Card card(O_RDWR);
    std::uint32_t stale;
    {
        Region region(card, "gone", SQ_DTYPE_U8, 1, 8);
        stale = region.handle();
    }
    Region successor(card, "gone", SQ_DTYPE_U8, 1, 8);
    auto get = make<sq_ioc_region>();
    get.handle = stale;
    EXPECT_EQ(card(SQ_IOC_REGION_GET, get), ESTALE);
}

TEST(Region, VerifyCountsItsRuns)
{
    Card card(O_RDWR);
    Region region(card, "verified", SQ_DTYPE_BF16, 8, 512);
    ASSERT_EQ(store(card, region.handle(), {0, 8}, bf16_pattern(8 * 512, 7)), 0);
    sq_ioc_bad_run bad[4];
    auto verify = make<sq_ioc_verify>();
    verify.handle = region.handle();
    verify.bad = reinterpret_cast<std::uintptr_t>(bad);
    verify.bad_max = std::size(bad);
    ASSERT_EQ(card(SQ_IOC_VERIFY, verify), 0);
    EXPECT_GT(verify.runs_checked, 0u);
    EXPECT_EQ(verify.runs_bad, 0u);
    EXPECT_EQ(verify.bad_count, 0u);

    auto background = make<sq_ioc_background>();
    ASSERT_EQ(card(SQ_IOC_BACKGROUND, background), 0);
    EXPECT_EQ(background.running, 0u);
    EXPECT_EQ(background.opcode, static_cast<__u32>(SQ_MBOX_VERIFY));
    EXPECT_EQ(background.percent, 100u);
}

TEST(Region, StatisticsAgreeWithSysfs)
{
    Card card(O_RDWR);
    Region region(card, "counted", SQ_DTYPE_BF16, 4, 512);
    auto data = bf16_pattern(4 * 512, 9);
    ASSERT_EQ(store(card, region.handle(), {0, 4}, data), 0);
    ASSERT_EQ(fetch(card, region.handle(), {0, 4}, SQ_FORMAT_NATIVE, data), 0);

    auto get = make<sq_ioc_statistics>();
    get.scope = SQ_STATISTICS_REGION;
    get.key = region.handle();
    ASSERT_EQ(card(SQ_IOC_STATISTICS_GET, get), 0);
    EXPECT_EQ(get.requests, 1u);
    EXPECT_EQ(get.elements, 2048u);
    EXPECT_EQ(get.link_bytes, 4096u);
    const std::string stats = folder_of(region.handle()) + "/stats/";
    EXPECT_EQ(read_file(stats + "requests"), "1");
    EXPECT_EQ(read_file(stats + "link_bytes"), "4096");
    EXPECT_EQ(read_file(stats + "plane_lines"), std::to_string(get.plane_lines));

    auto reset = make<sq_ioc_statistics>();
    reset.scope = SQ_STATISTICS_REGION;
    reset.key = region.handle();
    ASSERT_EQ(card(SQ_IOC_STATISTICS_RESET, reset), 0);
    EXPECT_EQ(read_file(stats + "requests"), "0");
}

TEST(Device, FilesSayWhatItIs)
{
    Card card(O_RDONLY);
    auto info = make<sq_ioc_info>();
    ASSERT_EQ(card(SQ_IOC_INFO, info), 0);
    const std::string folder = std::string(kClassFolder) + "/";
    EXPECT_EQ(read_file(folder + "interface_version"), "1.0");
    EXPECT_EQ(read_file(folder + "capacity_bytes"), std::to_string(info.capacity_bytes));
    EXPECT_EQ(read_file(folder + "logical_bytes"), std::to_string(info.logical_bytes));
    EXPECT_EQ(read_file(folder + "queues"), std::to_string(info.queues));
    EXPECT_EQ(read_file(folder + "firmware"), info.firmware);
    EXPECT_TRUE(exists(folder + "stats/link_time_ns"));
    EXPECT_GE(info.cxl_memdev, 0);
    EXPECT_TRUE(exists(folder + "cxl_memdev/serial"));
}

} // namespace
} // namespace driver_abi
