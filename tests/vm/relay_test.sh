#!/bin/bash
# SPDX-License-Identifier: MIT
#
# scripts/vm run relays a command faithfully: words, output, errors, status,
# kernel log, time limit.

set -euo pipefail
here=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
# shellcheck source=tests/scripts/check.sh
. "$here/../scripts/check.sh"
# shellcheck source=tests/vm/guest.sh
. "$here/guest.sh"

# shellcheck disable=SC2016 # for the guest's shell
status=$(guest -- sh -c 'echo "out: $1|$2"; echo "err: $3" >&2; printf "\r\0\n"; exit 42' sh 'a b' "it's" '$HOME')
equal "the exit status comes back" 42 "$status"
equal "standard output is exact" "$(printf "out: a b|it's\n\r\\\\0\n")" "$(sed 's/\x0/\\0/' "$scratch/out")"
# shellcheck disable=SC2016
equal "standard error is apart from it" 'err: $HOME' "$(grep '^err:' "$scratch/err")"

equal "a warning in the kernel's log is a failure" 120 \
    "$(guest -- sh -c 'echo "WARNING: test" >/dev/kmsg')"
equal "unless it is to be ignored" 0 \
    "$(guest --ignore-log -- sh -c 'echo "WARNING: test" >/dev/kmsg')"
equal "a command that does not end is stopped" 124 "$(guest --timeout 40 -- sleep 1000)"
equal "a guest that dies is told from one that fails" 125 \
    "$(guest -- sh -c 'echo c >/proc/sysrq-trigger')"

mkdir "$scratch/share"
head -c 3000000 /dev/urandom >"$scratch/share/in"
equal "files go in and out by the share" 0 \
    "$(guest --share "$scratch/share" -- sh -c 'cp in out && sync')"
equal "unchanged" same "$(cmp -s "$scratch/share/in" "$scratch/share/out" && echo same)"
equal "and nothing else is in it" "in out" "$(find "$scratch/share" -mindepth 1 -printf '%f\n' | sort | xargs)"

checks_done
