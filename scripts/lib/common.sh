# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# What every script here shares: where the tree and the cache are, messages,
# locks, atomic publishing into the cache, and Debian packages.
#
# Source it, after "set -euo pipefail":
#     . "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/lib/common.sh"
#
# All messages go to standard error, so that a script's standard output stays
# its result. The cache is ${XDG_CACHE_HOME:-~/.cache}/smartquant; it holds
# only what can be made again. Things enter it by a rename, under a lock: a
# killed run leaves a stray temporary folder (removed a day later), never a
# half-made entry.

SQ_ROOT=$(dirname -- "$(dirname -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")")")
SQ_CACHE=${XDG_CACHE_HOME:-${HOME:?is not set, and XDG_CACHE_HOME is not either}/.cache}/smartquant
SQ_START=$SECONDS

# shellcheck disable=SC2034 # used by the scripts that source this file
SQ_JOBS=${SQ_JOBS:-$(nproc)}

# ---- messages -------------------------------------------------------------

sq_log() {
    printf '[%4ds] %s\n' "$((SECONDS - SQ_START))" "$*" >&2
}

sq_warn() {
    printf '[%4ds] warning: %s\n' "$((SECONDS - SQ_START))" "$*" >&2
}

# sq_die WHAT-AND-WHY [REMEDY]: one line of failure, one of remedy. In a
# subshell the status is 99: the failure has been told, see sq_on_error.
sq_die() {
    printf '%s: error: %s\n' "${0##*/}" "$1" >&2
    if [ $# -gt 1 ]; then
        printf '%s: remedy: %s\n' "${0##*/}" "$2" >&2
    fi
    exit $((BASH_SUBSHELL > 0 ? 99 : 1))
}

# No script ends without a word: an unforeseen failure names its place. One
# that sq_die told, here or in another script of ours, is not told again.
sq_on_error() {
    local rc=$?
    if [ "$rc" -eq 99 ]; then
        [ "$BASH_SUBSHELL" -gt 0 ] || exit 1
        return
    fi
    # shellcheck disable=SC2016 # the text of the command, not its value
    case $BASH_COMMAND in *'"$here/'*) return ;; esac
    printf '%s: error: %s line %s: a command failed with status %s\n' \
        "${0##*/}" "${BASH_SOURCE[1]#"$SQ_ROOT/"}" "${BASH_LINENO[0]}" "$rc" >&2
}
set -E
trap sq_on_error ERR

# Bad usage has its own exit code, as in sqctl.
sq_usage_error() {
    printf '%s: %s (try --help)\n' "${0##*/}" "$1" >&2
    exit 2
}

# The help text of a script is its head comment.
sq_help() {
    sed -n '/^# SPDX/d; /^#!/d; /^#/!q; s/^# \{0,1\}//; p' "$(readlink -f -- "$0")"
}

# sq_quiet WHAT COMMAND...: runs a talkative command with its output in a log
# in the cache; shows the log's end when the command fails. SQ_VERBOSE=1 shows
# everything.
sq_quiet() {
    local what=$1 log start=$SECONDS rc=0
    shift
    sq_log "$what ..."
    if [ "${SQ_VERBOSE:-0}" = 1 ]; then
        "$@" >&2
        return
    fi
    mkdir -p "$SQ_CACHE/logs"
    log=$(mktemp "$SQ_CACHE/logs/XXXXXXXX.log")
    # A subshell with its own "set -e", not "|| rc=$?", which would switch off
    # the error checks inside a function.
    trap - ERR
    set +e
    (set -e; "$@") >"$log" 2>&1 </dev/null
    rc=$?
    set -e
    trap sq_on_error ERR
    if [ "$rc" -ne 0 ]; then
        tail -n 40 "$log" >&2
        sq_die "$what: failed with status $rc" "the whole log is $log"
    fi
    rm -f "$log"
    if [ $((SECONDS - start)) -ge 5 ]; then
        sq_log "$what: done in $((SECONDS - start)) s"
    fi
}

# ---- the cache ------------------------------------------------------------

# A short name for the contents of files and of strings given as "=STRING".
sq_key() {
    local item
    for item in "$@"; do
        case $item in
        =*) printf '%s\n' "$item" ;;
        *) sha256sum <"$item" ;;
        esac
    done | sha256sum | cut -c1-16
}

# A private folder on the cache's file system, for a later sq_publish.
sq_tempdir() {
    mkdir -p "$SQ_CACHE/tmp"
    find "$SQ_CACHE/tmp" -mindepth 1 -maxdepth 1 -mmin +1440 -exec rm -rf {} + 2>/dev/null || true
    mktemp -d "$SQ_CACHE/tmp/XXXXXXXX"
}

# sq_publish TEMPORARY FINAL: the one way into the cache.
sq_publish() {
    mkdir -p "$(dirname -- "$2")"
    rm -rf -- "$2"
    mv -T -- "$1" "$2"
}

# sq_with_lock NAME COMMAND...: one run at a time. The lock dies with the
# process that holds it, so nothing is ever left locked.
sq_with_lock() {
    local name=$1
    shift
    mkdir -p "$SQ_CACHE/locks"
    (
        if ! flock -n 9; then
            sq_log "waiting for another run that works on '$name'"
            flock 9
        fi
        "$@" 9>&-
    ) 9>>"$SQ_CACHE/locks/$name"
}

# sq_check_sha256 FILE SUM: true when the file has that hash.
sq_check_sha256() {
    [ "$(sha256sum <"$1" | cut -d' ' -f1)" = "$2" ]
}

# ---- Debian packages ------------------------------------------------------

sq_require_debian() {
    local id='' version=''
    if [ -r /etc/os-release ]; then
        # shellcheck disable=SC1091 # a system file
        id=$(. /etc/os-release && echo "${ID:-}")
        # shellcheck disable=SC1091
        version=$(. /etc/os-release && echo "${VERSION_ID:-}")
    fi
    case $id:$version in
    debian:12 | debian:13) ;;
    *) sq_warn "this is '${id:-unknown} ${version}'; the scripts are made for Debian 12 and 13" ;;
    esac
    command -v apt-get >/dev/null ||
        sq_die "apt-get not found, so missing packages cannot be installed" \
            "use Debian 12 or 13"
}

sq_package_installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# The packages of a group of scripts/lib/packages, one a line.
sq_packages_of() {
    awk -v group="$1" '!/^#/ && $1 == group { print $2 }' "$SQ_ROOT/scripts/lib/packages"
}

sq_as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        return 126
    fi
}

# sq_install PACKAGE...: installs those that are missing.
sq_install() {
    local package missing=()
    for package in "$@"; do
        sq_package_installed "$package" || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    sq_require_debian
    if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; then
        sq_die "these packages are missing and only root can install them: ${missing[*]}" \
            "as root: apt-get install ${missing[*]}"
    fi
    sq_log "installing ${#missing[@]} missing package(s): ${missing[*]}"
    sq_with_lock apt sq_apt_install "${missing[@]}"
}

sq_apt_install() {
    local log
    mkdir -p "$SQ_CACHE/logs"
    log=$SQ_CACHE/logs/apt-install.log
    # The lists of a fresh machine are empty or old: try, refresh, try again.
    if ! sq_apt_get_install "$@" >"$log" 2>&1; then
        sq_as_root apt-get update >>"$log" 2>&1 || true
        if ! sq_apt_get_install "$@" >>"$log" 2>&1; then
            tail -n 15 "$log" >&2
            sq_die "could not install: $*" \
                "check the network and the package sources (apt-get update), then run again"
        fi
    fi
}

sq_apt_get_install() {
    sq_as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y --no-install-recommends -o DPkg::Lock::Timeout=300 "$@"
}

# sq_need_packages GROUP...: everything that scripts/lib/packages lists there.
sq_need_packages() {
    local group packages=()
    for group in "$@"; do
        mapfile -t -O ${#packages[@]} packages < <(sq_packages_of "$group")
    done
    [ ${#packages[@]} -gt 0 ] || sq_die "no package group named: $*" "see scripts/lib/packages"
    sq_install "${packages[@]}"
}
