# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# For tests that run the guest several times: machine NAME of its own, gone
# afterwards. Source it after tests/scripts/check.sh.

: "${scratch:?source check.sh first}"
repository=$(readlink -f -- "$(dirname -- "${BASH_SOURCE[0]}")/../..")
machine=test-$$-$RANDOM

# The machine lives in the real cache: QEMU and kernel are there too.
unset XDG_CACHE_HOME
[ -z "${real_cache:-}" ] || export XDG_CACHE_HOME=$real_cache
machine_folder=$("$repository/scripts/vm" path --name "$machine")
trap 'rm -rf -- "$scratch" "$machine_folder"' EXIT

# guest [OPTION...] -- COMMAND...: output in $scratch/out and $scratch/err,
# prints the exit status.
guest() {
    status_of "$repository/scripts/vm" run --name "$machine" "$@"
}

show_errors() {
    tail -n 30 "$scratch/err" >&2
}
