// SPDX-License-Identifier: MIT
//
// A fixture for tests of a kernel family: each case runs once for every
// version, forced; versions that this CPU cannot run are skipped.
#pragma once

#include "kernel.h"

#include <gtest/gtest.h>

#include <string>

template <sqc_kernel_family Family>
class EveryKernel : public ::testing::TestWithParam<sqc_kernel_level> {
protected:
    void SetUp() override
    {
        forced_before = sqc_kernel(Family);
        if (!sqc_kernel_force(Family, GetParam()))
            GTEST_SKIP() << "no " << sqc_kernel_level_name(GetParam()) << " version of "
                         << sqc_kernel_family_name(Family) << " on this CPU";
        ASSERT_EQ(sqc_kernel(Family), GetParam());
    }
    void TearDown() override { sqc_kernel_force(Family, forced_before); }

private:
    sqc_kernel_level forced_before{};
};

inline std::string kernel_name(const ::testing::TestParamInfo<sqc_kernel_level>& level)
{
    return sqc_kernel_level_name(level.param);
}
