#!/bin/bash
# SPDX-License-Identifier: MIT
#
# shellcheck disable=SC2317,SC2016 # functions called by name, code for another shell
#
# Tests of scripts/lib/common.sh: cache, locks, messages, packages.

set -euo pipefail
here=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
# shellcheck source=tests/scripts/check.sh
. "$here/check.sh"
# shellcheck source=scripts/lib/common.sh
. "$here/../../scripts/lib/common.sh"

# ---- the cache
equal "the cache follows XDG_CACHE_HOME" "$scratch/cache/smartquant" "$SQ_CACHE"

echo one >"$scratch/a"
echo two >"$scratch/b"
key=$(sq_key "$scratch/a" =x)
equal "a key is 16 digits" 16 "${#key}"
equal "a key is repeatable" "$key" "$(sq_key "$scratch/a" =x)"
equal "a key depends on a string" differs "$([ "$key" = "$(sq_key "$scratch/a" =y)" ] || echo differs)"
equal "a key depends on contents" differs "$([ "$key" = "$(sq_key "$scratch/b" =x)" ] || echo differs)"

work=$(sq_tempdir)
echo new >"$work/file"
mkdir -p "$SQ_CACHE/entry"
echo old >"$SQ_CACHE/entry/stale"
sq_publish "$work" "$SQ_CACHE/entry"
equal "publishing replaces a whole entry" file "$(ls "$SQ_CACHE/entry")"
equal "publishing leaves no temporary folder" 0 "$(find "$SQ_CACHE/tmp" -mindepth 1 | wc -l)"

mkdir -p "$SQ_CACHE/tmp/stale"
touch -d '2 days ago' "$SQ_CACHE/tmp/stale"
sq_tempdir >/dev/null
equal "leftovers of killed runs go after a day" gone "$([ -e "$SQ_CACHE/tmp/stale" ] || echo gone)"

# ---- locks: two increments of a counter never interleave
echo 0 >"$scratch/counter"
increment() {
    local value
    value=$(cat "$scratch/counter")
    sleep 0.05
    echo $((value + 1)) >"$scratch/counter"
}
for _ in 1 2 3 4 5 6; do sq_with_lock counter increment 2>/dev/null & done
wait
equal "a lock admits one run at a time" 6 "$(cat "$scratch/counter")"
equal "a lock passes the status on" 3 "$(status_of sq_with_lock l exit 3)"
equal "a lock of a dead holder is free" 0 "$(status_of sq_with_lock l true)"

# ---- messages
equal "a script that dies has status 1" 1 \
    "$(status_of bash -c '. "$1/scripts/lib/common.sh"; sq_die no' x "$SQ_ROOT")"
equal "also when it died in a subshell, told once" 1 \
    "$(status_of bash -euo pipefail -c '. "$1/scripts/lib/common.sh"; sq_with_lock x sq_die no' x "$SQ_ROOT")"
equal "and told once" 1 "$(wc -l <"$scratch/err")"
equal "an unforeseen failure names its place" 1 \
    "$(status_of bash -euo pipefail -c '. "$1/scripts/lib/common.sh"; f() { false; }; f' x "$SQ_ROOT")"
equal "and its status" 1 "$(grep -c 'failed with status 1' "$scratch/err")"
equal "sq_die fails in a subshell with what tells the parent" 99 "$(status_of sq_die "no such thing" "make one")"
equal "sq_die says what and the remedy" 2 "$(grep -cE 'error: no such thing|remedy: make one' "$scratch/err")"
equal "bad usage has status 2" 2 "$(status_of sq_usage_error "what?")"

noisy_failure() {
    echo "the reason"
    false
    echo "not reached" >"$scratch/reached"
}
equal "a quiet command's failure is a failure" 99 "$(status_of sq_quiet "trying" noisy_failure)"
equal "a quiet command's failure shows its output" 1 "$(grep -c 'the reason' "$scratch/err")"
equal "a quiet function stops at its first error" no "$([ ! -e "$scratch/reached" ] && echo no)"
equal "a quiet command's success is a success" 0 "$(status_of sq_quiet "trying" echo hidden)"
equal "a quiet command's success is silent" '' "$(grep -h hidden "$scratch/err" "$scratch/out" || true)"

# ---- hashes
printf abc >"$scratch/abc"
sum=ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad
equal "a right hash is accepted" 0 "$(status_of sq_check_sha256 "$scratch/abc" $sum)"
equal "a wrong hash is refused" 1 "$(status_of sq_check_sha256 "$scratch/a" $sum)"

# ---- packages
equal "an unknown group is refused" 99 "$(status_of sq_need_packages no-such-group)"
equal "every group line has a package" 0 \
    "$(grep -v '^#' "$SQ_ROOT/scripts/lib/packages" | sed 's/#.*//' | awk 'NF && NF != 2' | wc -l)"

# Without root and without sudo the one line says what to install.
mkdir "$scratch/bin"
printf '#!/bin/sh\necho 1000\n' >"$scratch/bin/id"
printf '#!/bin/sh\nexit 1\n' >"$scratch/bin/dpkg-query"
printf '#!/bin/sh\nexit 1\n' >"$scratch/bin/apt-get"
chmod +x "$scratch/bin"/*
no_root() {
    # shellcheck disable=SC2123 # only what the function may use
    PATH=$scratch/bin:$scratch/tools
    hash -r
    sq_install some-package
}
mkdir "$scratch/tools"
for tool in mkdir tail grep flock; do ln -s "$(command -v $tool)" "$scratch/tools/$tool"; done
equal "missing packages without root are a failure" 99 "$(status_of no_root)"
equal "and the remedy names the command" 1 \
    "$(grep -c 'remedy: as root: apt-get install some-package' "$scratch/err")"

no_network() {
    sq_as_root() { return 100; }
    sq_apt_install some-package
}
equal "a failed installation is a failure" 99 "$(status_of no_network)"
equal "and the remedy speaks of the network" 1 "$(grep -c 'remedy: check the network' "$scratch/err")"

checks_done
