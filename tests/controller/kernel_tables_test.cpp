// SPDX-License-Identifier: MIT
//
// What a family says that it has is what its table holds: a version of its own
// for each level. Which of them runs is kernel_test's matter; that all are
// bit-equal, the families' own tests'.
#include "kernels.hpp"
#include "kernel_tables/kernel_tables.h"

extern "C" {
#include "packed_kernels.h"
}

#include <ostream>
#include <set>

namespace {

std::uintptr_t table_packed(unsigned int level)
{
    sqc_kernel_force(SQC_KERNEL_PACKED, static_cast<sqc_kernel_level>(level));
    const auto function = reinterpret_cast<std::uintptr_t>(sqc_packed_kernel()->place);
    sqc_kernel_release();
    return function;
}

struct Family {
    sqc_kernel_family family;
    std::uintptr_t (*function)(unsigned int level);
};

// Names the case; an address would be another one in each run.
void PrintTo(const Family& family, std::ostream* out) { *out << sqc_kernel_family_name(family.family); }

class KernelTable : public ::testing::TestWithParam<Family> {};

TEST_P(KernelTable, HasAVersionOfItsOwnForEachLevel)
{
    std::set<std::uintptr_t> functions;
    unsigned int levels = 0;
    for (unsigned int level = 0; level < SQC_LEVELS; ++level) {
        if (!sqc_kernel_available(GetParam().family, static_cast<sqc_kernel_level>(level)))
            continue;
        const std::uintptr_t function = GetParam().function(level);
        EXPECT_NE(function, 0u) << "level " << level << " is said to be there";
        functions.insert(function);
        ++levels;
    }
    EXPECT_GE(levels, 1u);
    EXPECT_EQ(functions.size(), levels) << "two levels have the same function";
}

INSTANTIATE_TEST_SUITE_P(Families, KernelTable,
                         ::testing::Values(Family{SQC_KERNEL_CRC, table_crc}, Family{SQC_KERNEL_PLANES, table_planes},
                                           Family{SQC_KERNEL_PACKED, table_packed}, Family{SQC_KERNEL_MULTIPLY, table_multiply}));

}  // namespace
