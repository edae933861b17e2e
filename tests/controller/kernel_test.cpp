// SPDX-License-Identifier: MIT
//
// Which version of a kernel runs: the best one by itself, the forced one
// otherwise, and a wrong wish changes nothing.
#include "kernels.hpp"

#include <thread>
#include <vector>

namespace {

constexpr int families = SQC_KERNEL_FAMILIES;

sqc_kernel_family family(int i) { return static_cast<sqc_kernel_family>(i); }
sqc_kernel_level level(int i) { return static_cast<sqc_kernel_level>(i); }

class Kernel : public ::testing::Test {
protected:
    void SetUp() override { sqc_kernel_release(); }
    void TearDown() override { sqc_kernel_release(); }

    static std::vector<sqc_kernel_level> in_force()
    {
        std::vector<sqc_kernel_level> levels;
        for (int i = 0; i < families; ++i)
            levels.push_back(sqc_kernel(family(i)));
        return levels;
    }
};

TEST_F(Kernel, RunsTheHighestVersionThatTheCpuHas)
{
    for (int i = 0; i < families; ++i) {
        EXPECT_TRUE(sqc_kernel_available(family(i), sqc_kernel(family(i))));
        for (int above = sqc_kernel(family(i)) + 1; above < SQC_LEVELS; ++above)
            EXPECT_FALSE(sqc_kernel_available(family(i), level(above)));
    }
}

TEST_F(Kernel, HasAPortableVersionOfEverything)
{
    for (int i = 0; i < families; ++i)
        EXPECT_TRUE(sqc_kernel_available(family(i), SQC_LEVEL_PORTABLE));
}

TEST_F(Kernel, RunsWhatIsForcedUntilItIsReleased)
{
    const auto best = in_force();
    for (int i = 0; i < families; ++i) {
        ASSERT_TRUE(sqc_kernel_force(family(i), SQC_LEVEL_PORTABLE));
        EXPECT_EQ(sqc_kernel(family(i)), SQC_LEVEL_PORTABLE);
    }
    sqc_kernel_release();
    EXPECT_EQ(in_force(), best);
}

TEST_F(Kernel, TellsWhatIsForced)
{
    const auto forced = [] {
        std::vector<bool> all;
        for (int i = 0; i < families; ++i)
            all.push_back(sqc_kernel_forced(family(i)));
        return all;
    };
    const std::vector<bool> none(families, false), every(families, true);
    EXPECT_EQ(forced(), none);
    EXPECT_EQ(sqc_kernel_force_list("packed:portable,nonsense"), std::string("nonsense"));
    EXPECT_EQ(forced(), none);
    // The version that runs anyway, too.
    const std::string best = sqc_kernel_level_name(sqc_kernel(SQC_KERNEL_CRC));
    EXPECT_EQ(sqc_kernel_force_list(("crc:" + best).c_str()), nullptr);
    for (int i = 0; i < families; ++i)
        EXPECT_EQ(sqc_kernel_forced(family(i)), i == SQC_KERNEL_CRC);
    EXPECT_EQ(sqc_kernel_force_list("portable"), nullptr);
    EXPECT_EQ(forced(), every);
    sqc_kernel_release();
    EXPECT_EQ(forced(), none);
    EXPECT_FALSE(sqc_kernel_forced(SQC_KERNEL_FAMILIES));
}

TEST_F(Kernel, RefusesAVersionThatIsNotThere)
{
    const auto best = in_force();
    EXPECT_FALSE(sqc_kernel_force(SQC_KERNEL_PACKED, SQC_LEVEL_AVX512));
    EXPECT_FALSE(sqc_kernel_force(SQC_KERNEL_PACKED, SQC_LEVELS));
    EXPECT_FALSE(sqc_kernel_force(SQC_KERNEL_FAMILIES, SQC_LEVEL_PORTABLE));
    EXPECT_EQ(in_force(), best);
}

TEST_F(Kernel, ReadsAListOfWishes)
{
    EXPECT_EQ(sqc_kernel_force_list("packed:portable,crc:portable"), nullptr);
    EXPECT_EQ(sqc_kernel(SQC_KERNEL_PACKED), SQC_LEVEL_PORTABLE);
    EXPECT_EQ(sqc_kernel(SQC_KERNEL_CRC), SQC_LEVEL_PORTABLE);
    EXPECT_EQ(sqc_kernel_force_list(""), nullptr);
    EXPECT_EQ(sqc_kernel(SQC_KERNEL_PACKED), SQC_LEVEL_PORTABLE);
}

TEST_F(Kernel, ReadsALevelAloneAsALimitForEveryFamily)
{
    EXPECT_EQ(sqc_kernel_force_list("portable"), nullptr);
    EXPECT_EQ(in_force(), std::vector<sqc_kernel_level>(families, SQC_LEVEL_PORTABLE));
    if (!sqc_kernel_available(SQC_KERNEL_PACKED, SQC_LEVEL_AVX2))
        GTEST_SKIP() << "no avx2 on this CPU";
    EXPECT_EQ(sqc_kernel_force_list("avx2,crc:portable"), nullptr);
    EXPECT_EQ(sqc_kernel(SQC_KERNEL_PACKED), SQC_LEVEL_AVX2);
    EXPECT_EQ(sqc_kernel(SQC_KERNEL_CRC), SQC_LEVEL_PORTABLE);
    for (int i = 0; i < families; ++i)
        EXPECT_LE(sqc_kernel(family(i)), SQC_LEVEL_AVX2);
}

TEST_F(Kernel, PointsToTheWishThatCannotBe)
{
    const auto best = in_force();
    for (const char* wish : {"avx1024", "packed:avx1024", "packed:avx512", "store:portable", "packed:", ":portable",
                             "portable:packed", "packed:portable:crc", " portable", "PORTABLE", "x,y"}) {
        EXPECT_EQ(sqc_kernel_force_list(wish), wish) << wish;
        EXPECT_EQ(in_force(), best) << wish;
    }
    const char* second = "packed:portable,nonsense";
    EXPECT_STREQ(sqc_kernel_force_list(second), "nonsense");
    EXPECT_EQ(in_force(), best);
}

TEST_F(Kernel, NamesAreTheOnesOfTheList)
{
    for (int i = 0; i < families; ++i) {
        const std::string wish = sqc_kernel_family_name(family(i)) + std::string(":portable");
        EXPECT_EQ(sqc_kernel_force_list(wish.c_str()), nullptr) << wish;
    }
    EXPECT_EQ(sqc_kernel_family_name(SQC_KERNEL_FAMILIES), nullptr);
    EXPECT_EQ(sqc_kernel_level_name(SQC_LEVELS), nullptr);
}

TEST_F(Kernel, AWishOutlivesAFirstUseAtTheSameTime)
{
    for (int round = 0; round < 200; ++round) {
        sqc_kernel_release();
        std::thread user([] { sqc_kernel(SQC_KERNEL_PACKED); });
        sqc_kernel_force(SQC_KERNEL_PACKED, SQC_LEVEL_PORTABLE);
        user.join();
        ASSERT_EQ(sqc_kernel(SQC_KERNEL_PACKED), SQC_LEVEL_PORTABLE);
    }
}

}  // namespace
