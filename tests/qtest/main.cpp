// SPDX-License-Identifier: MIT
//
// qtest-device [QEMU] [--gtest_...]: tests of the card in QEMU, without a
// guest. Exit code 77 when there is no QEMU to test.
#include "machine.hpp"

#include <cstdio>
#include <cstdlib>

#include <gtest/gtest.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    testing::InitGoogleTest(&argc, argv);
    const char *from_environment = std::getenv("SQ_QEMU");
    const char *qemu = argc > 1 ? argv[1] : from_environment;
    if (!qemu || access(qemu, X_OK) != 0) {
        std::fprintf(stderr, "qtest-device: skipped: no QEMU with the card at '%s'; run scripts/build-qemu\n",
                     qemu ? qemu : "");
        return 77;
    }
    qtest::set_qemu(qemu);
    return RUN_ALL_TESTS();
}
