#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Test of scripts/lib/collect-tests.py: names, words and properties survive the
# way through a CTestTestfile.cmake into ctest.

set -euo pipefail
here=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
# shellcheck source=tests/scripts/check.sh
. "$here/check.sh"
root=$(readlink -f -- "$here/../..")

cat >"$scratch/tests.json" <<'JSON'
{"tests": [
  {"name": "good; name \"quoted\" ${x}",
   "command": ["/bin/sh", "-c", "test \"$1\" = 'a;b ]=] $HOME' && test \"$V\" = 'x y'", "sh", "a;b ]=] $HOME"],
   "properties": [{"name": "LABELS", "value": ["unit"]},
                  {"name": "ENVIRONMENT", "value": ["V=x y"]},
                  {"name": "TIMEOUT", "value": 7.0}]},
  {"name": "bad", "command": ["/bin/false"], "properties": [{"name": "LABELS", "value": ["unit"]}]},
  {"name": "other", "command": ["/bin/true"], "properties": [{"name": "LABELS", "value": ["vm"]}]},
  {"name": "missing"}
]}
JSON

run() {
    mkdir -p "$scratch/tree"
    python3 "$root/scripts/lib/collect-tests.py" "$@" <"$scratch/tests.json" >"$scratch/tree/CTestTestfile.cmake"
    ctest --test-dir "$scratch/tree" 2>/dev/null >"$scratch/summary" || true
}

outcome() {
    grep -E "^ *[0-9]+/[0-9]+ Test .*: $1 \.* *" "$scratch/summary" | grep -oE 'Passed|\*\*\*[A-Za-z ]+' | sed 's/ *$//'
}

run
equal "every test is listed" 4 "$(grep -cE '^ *[0-9]+/4 Test' "$scratch/summary")"
equal "words and environment survive" 1 "$(grep -c '"quoted".*Passed' "$scratch/summary")"
equal "a failing test fails" '***Failed' "$(outcome bad)"
equal "a test without a program fails" '***Not Run' "$(outcome missing)"

run --group asan
equal "a group takes unit tests only" 2 "$(grep -cE '^ *[0-9]+/2 Test' "$scratch/summary")"
equal "and names them after itself" '***Failed' "$(outcome asan.bad)"

checks_done
