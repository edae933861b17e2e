// SPDX-License-Identifier: MIT
//
// The main program of the controller's tests: SMARTQUANT_KERNELS runs all of
// them with versions of kernels that the CPU would not choose.
#include "kernel.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>

int main(int argc, char** argv)
{
    ::testing::InitGoogleTest(&argc, argv);
    if (const char* list = std::getenv("SMARTQUANT_KERNELS")) {
        if (const char* item = sqc_kernel_force_list(list)) {
            std::fprintf(stderr, "SMARTQUANT_KERNELS: no such kernel here: %s\n", item);
            return 2;
        }
    }
    return RUN_ALL_TESTS();
}
