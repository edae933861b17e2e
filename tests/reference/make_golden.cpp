// SPDX-License-Identifier: MIT
//
// Prints formats.json: what the reference of docs/formats.md makes of a few
// small regions. The file is kept, so that a change of both the reference and
// the controller shows.
//
//     build/bin/tests/reference-make-golden >tests/golden/formats.json
#include "golden_cases.hpp"

#include <cstdio>
#include <string>

namespace {

std::string hex(const std::vector<std::uint8_t>& bytes)
{
    static constexpr char digits[] = "0123456789abcdef";
    std::string text;
    for (const auto byte : bytes) {
        text += digits[byte >> 4];
        text += digits[byte & 15];
    }
    return text;
}

}  // namespace

int main()
{
    std::printf("{\n \"made_by\": \"tests/reference/make_golden.cpp\",\n \"cases\": [");
    const char* separator = "\n";
    for (const auto& region : golden_cases::regions()) {
        for (const auto& read : golden_cases::reads(region)) {
            std::printf("%s  {\"region\": \"%s\", \"format\": \"%s\", \"rounding\": \"%s\", \"axis\": \"%s\", \"first_row\": %u, "
                        "\"row_count\": %u,\n   \"bytes\": \"%s\"}",
                        separator, golden_cases::name(region).c_str(), std::string(read.format).c_str(),
                        golden_cases::name(read.rounding), golden_cases::name(read.axis), read.first_row, read.row_count,
                        hex(reference::read(region, read)).c_str());
            separator = ",\n";
        }
    }
    std::printf("\n ]\n}\n");
    return 0;
}
