#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Turns ctest's description of a build's tests (ctest --show-only=json-v1, on
standard input) into lines of a CTestTestfile.cmake, so that the tests of
several builds run as one list with one summary.

With --group GROUP only tests with the label "unit" are taken; they are named
GROUP.NAME and have the label GROUP instead of their own.
"""

import argparse
import json
import sys


def bracket(text):
    """Text as a CMake bracket argument: nothing in it is special."""
    level = 1
    while "]" + "=" * level + "]" in text:
        level += 1
    fence = "=" * level
    # CMake drops a newline right after the opening bracket.
    newline = "\n" if text.startswith("\n") else ""
    return f"[{fence}[{newline}{text}]{fence}]"


def property_value(value):
    """A property as CMake text; lists are joined by semicolons."""
    if isinstance(value, list):
        return ";".join(property_value(item) for item in value)
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, dict):
        raise ValueError(f"unexpected property value {value!r}")
    return str(value)


# What the regular expressions of these properties look like in ctest's JSON
# is the list of expressions itself; the others are plain values.
PASSED_ON = {
    "DISABLED", "ENVIRONMENT", "FAIL_REGULAR_EXPRESSION", "LABELS",
    "PASS_REGULAR_EXPRESSION", "PROCESSORS", "REQUIRED_FILES",
    "RESOURCE_LOCK", "RUN_SERIAL", "SKIP_REGULAR_EXPRESSION",
    "SKIP_RETURN_CODE", "TIMEOUT", "WILL_FAIL", "WORKING_DIRECTORY",
}


def lines_of(test, group):
    properties = {item["name"]: item["value"] for item in test.get("properties", [])}
    labels = properties.get("LABELS", [])
    name = test["name"]
    if group:
        if "unit" not in labels or "lint" in labels:
            return
        name = f"{group}.{name}"
        properties["LABELS"] = [group]
    if "command" not in test:
        # ctest could not find the program: keep the test, it has to fail.
        yield f'add_test({bracket(name)} NOT_AVAILABLE)'
        return
    command = " ".join(bracket(word) for word in test["command"])
    yield f"add_test({bracket(name)} {command})"
    settings = " ".join(
        f"{key} {bracket(property_value(properties[key]))}"
        for key in sorted(properties) if key in PASSED_ON)
    if settings:
        yield f"set_tests_properties({bracket(name)} PROPERTIES {settings})"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--group", default="")
    group = parser.parse_args().group
    for test in json.load(sys.stdin)["tests"]:
        for line in lines_of(test, group):
            print(line)


if __name__ == "__main__":
    main()
