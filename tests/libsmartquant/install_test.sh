#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Installs the library into a folder of its own and builds two programs
# against it, through CMake's package and through pkg-config, C and C++.
#
# Usage: tests/libsmartquant/install_test.sh BUILD_FOLDER CC CXX [FLAG...]
#   FLAG   compiler and linker flags that the build used (sanitizers)
#
# Changes nothing outside of a temporary folder.

set -euo pipefail
build=$1 cc=$2 cxx=$3
shift 3
flags=("$@")
sources=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/install
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

prefix=$work/prefix
cmake --install "$build" --prefix "$prefix" --component smartquant >/dev/null

echo "== nothing private was installed"
if grep -rlE 'uapi\.h|controller\.h|liburing\.h|sys/ioctl\.h' "$prefix/include"; then
    echo "these headers name what users do not have" >&2
    exit 1
fi

configure() { # SOURCE BUILD
    cmake -G Ninja -S "$1" -B "$2" -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_C_COMPILER="$cc" \
        -DCMAKE_CXX_COMPILER="$cxx" -DCMAKE_C_FLAGS="${flags[*]-}" \
        -DCMAKE_CXX_FLAGS="${flags[*]-}"
}

echo "== CMake"
configure "$sources" "$work/cmake" >/dev/null
cmake --build "$work/cmake" >/dev/null
"$work/cmake/consumer-c"
"$work/cmake/consumer-cpp"

echo "== a wrong version is refused"
sed 's/smartquant 0.1/smartquant 0.2/' "$sources/CMakeLists.txt" >"$work/CMakeLists.txt"
cp "$sources"/consumer.* "$work/"
if configure "$work" "$work/wrong" >/dev/null 2>"$work/refusal"; then
    echo "version 0.2 was found in 0.1" >&2
    exit 1
fi
if ! grep -q 'requested version "0.2"' "$work/refusal"; then
    echo "version 0.2 was not what made CMake fail:" >&2
    cat "$work/refusal" >&2
    exit 1
fi

echo "== pkg-config"
pc=$(find "$prefix" -name smartquant.pc)
PKG_CONFIG_PATH=$(dirname -- "$pc")
export PKG_CONFIG_PATH
read -r -a cflags <<<"$(pkg-config --cflags smartquant)"
read -r -a libs <<<"$(pkg-config --libs smartquant)"
rpath=-Wl,-rpath,$(pkg-config --variable=libdir smartquant)
"$cc" "${flags[@]}" "${cflags[@]}" "$sources/consumer.c" -o "$work/c" "${libs[@]}" "$rpath"
"$cxx" -std=c++20 "${flags[@]}" "${cflags[@]}" "$sources/consumer.cpp" -o "$work/cpp" \
    "${libs[@]}" "$rpath"
"$work/c"
"$work/cpp"
