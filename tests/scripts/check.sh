# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2317
#
# A few words for testing shell code: each check names what it protects.
# Source it, then end the file with "checks_done".

checks_failed=0
scratch=$(mktemp -d)
trap 'rm -rf -- "$scratch"' EXIT
# shellcheck disable=SC2034 # for tests that need the real one
real_cache=${XDG_CACHE_HOME:-}
export XDG_CACHE_HOME=$scratch/cache

# equal WHAT WANT GOT
equal() {
    if [ "$2" = "$3" ]; then
        echo "ok: $1"
    else
        printf 'FAILED: %s\n  want: %q\n  got:  %q\n' "$1" "$2" "$3"
        checks_failed=$((checks_failed + 1))
    fi
}

# status_of COMMAND...: its exit status, in a shell of its own.
status_of() {
    local status
    trap - ERR
    set +e
    (set -e; "$@") >"$scratch/out" 2>"$scratch/err" </dev/null
    status=$?
    set -e
    echo "$status"
}

checks_done() {
    [ "$checks_failed" -eq 0 ] || echo "$checks_failed check(s) failed"
    exit $((checks_failed > 0))
}
