#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
#
# Compares what libsmartquant.so exports with what its headers declare, in
# both directions, and checks that each symbol carries a version.
#
# Usage: exports_test.py LIBRARY INCLUDE_FOLDER
#
# C: every function of smartquant.h, by name. C++: every function and class
# that a header marks with SMARTQUANT_API, by qualified name; of a class, each
# member function that is declared and not defined there.
import pathlib
import re
import subprocess
import sys

VERSION = re.compile(r"@@SMARTQUANT_\d+\.\d+$")
# What a compiler adds to a class of its own accord.
IMPLICIT = re.compile(r"^(vtable|typeinfo|typeinfo name|VTT) for smartquant::")


def exported(library):
    """Mangled to demangled names of the defined dynamic symbols."""
    lines = subprocess.run(["nm", "-D", "--defined-only", "--with-symbol-versions", library],
                           check=True, capture_output=True, text=True).stdout.splitlines()
    symbols = [line.split()[-1] for line in lines if line.split()[-2] != "A"]
    unversioned = [symbol for symbol in symbols if not VERSION.search(symbol)]
    names = [VERSION.sub("", symbol) for symbol in symbols]
    demangled = subprocess.run(["c++filt"], input="\n".join(names), check=True,
                               capture_output=True, text=True).stdout.splitlines()
    return dict(zip(names, demangled)), unversioned


def without_comments(text):
    text = re.sub(r"/\*.*?\*/", " ", text, flags=re.S)
    return re.sub(r"//[^\n]*", " ", text)


def c_functions(header):
    text = without_comments(header.read_text())
    return set(re.findall(r"SMARTQUANT_C_API[^;]*?\b(smartquant_\w+)\s*\(", text))


def matching(text, start, opening, closing):
    """Index behind the bracket that closes the one at start."""
    depth = 0
    for at in range(start, len(text)):
        depth += (text[at] == opening) - (text[at] == closing)
        if depth == 0:
            return at + 1
    raise SystemExit(f"unbalanced {opening} in a header")


def body_without_inline(body):
    """A class body's declarations, without what is defined in it."""
    body = re.sub(r"\b(public|private|protected)\s*:", ";", body)
    out, at = "", 0
    while at < len(body):
        if body[at] == "{":
            at = matching(body, at, "{", "}")
            if not out.rstrip().endswith("="):  # not a default value
                out = out[:out.rfind(";") + 1]
            continue
        out += body[at]
        at += 1
    return out


def members(scope, name, body):
    found = set()
    for declaration in body_without_inline(body).split(";"):
        if re.search(r"=\s*(delete|0)\s*$|\bfriend\b|^\s*(using|class|struct|enum)\b|constexpr",
                     declaration):
            continue
        match = re.search(r"(~?\w+|operator\s*[=!<>+-]+)\s*\(", declaration)
        if match:
            found.add(f"{scope}::{name}::{re.sub(' ', '', match.group(1))}")
    return found


def cpp_names(headers):
    names = set()
    for header in headers:
        text = without_comments(header.read_text())
        scope = re.search(r"^namespace (smartquant[\w:]*)", text, flags=re.M)
        if not scope:
            continue
        scope = scope.group(1)
        for match in re.finditer(r"\b(class|struct)\s+SMARTQUANT_API\s+(\w+)[^;{]*\{", text):
            end = matching(text, match.end() - 1, "{", "}")
            names |= members(scope, match.group(2), text[match.end():end - 1])
        for match in re.finditer(r"^SMARTQUANT_API\b[^;{]*?\b(\w+)\s*\(", text, flags=re.M):
            names.add(f"{scope}::{match.group(1)}")
    return names


def qualified(demangled):
    """smartquant::Store::open(std::...)  ->  smartquant::Store::open"""
    depth, at = 0, len(demangled)
    for index, character in enumerate(demangled):
        if character == "(" and depth == 0:
            at = index
            break
        depth += (character == "<") - (character == ">")
    name = re.sub(r"\[abi:\w+\]", "", demangled[:at])
    return name.replace("operator ", "operator")


def complain(title, names):
    if names:
        print(f"{title}:")
        for name in sorted(names):
            print(f"  {name}")
    return bool(names)


def main(library, include):
    folder = pathlib.Path(include) / "smartquant"
    symbols, unversioned = exported(library)
    declared = c_functions(folder / "smartquant.h") | cpp_names(sorted(folder.glob("*.hpp")))
    provided = {qualified(name) for name in symbols.values() if not IMPLICIT.match(name)}
    if len(declared) < 100:
        raise SystemExit(f"only {len(declared)} declarations found: this test is broken")
    bad = complain("symbols without a version", unversioned)
    bad |= complain("declared, not exported", declared - provided)
    bad |= complain("exported, not declared", provided - declared)
    print(f"{len(declared)} declared, {len(symbols)} symbols exported")
    return bad


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
