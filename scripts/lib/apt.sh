# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Packages of the distribution as files: looked up, downloaded and unpacked
# without installing anything and without being root. apt checks the
# distribution's signatures; package lists of our own in the cache keep the
# machine's untouched. The sources are those of the machine.

sq_apt_private() {
    local program=$1
    shift
    mkdir -p "$SQ_CACHE/apt/state/lists/partial" "$SQ_CACHE/apt/cache/archives/partial"
    "$program" \
        -o Dir::State="$SQ_CACHE/apt/state" \
        -o Dir::State::status=/var/lib/dpkg/status \
        -o Dir::Cache="$SQ_CACHE/apt/cache" \
        -o APT::Sandbox::User=root \
        "$@"
}

# Fresh lists; at most one download a day.
sq_apt_lists() {
    local stamp=$SQ_CACHE/apt/updated
    if [ -n "$(find "$stamp" -mmin -1440 2>/dev/null)" ]; then
        return 0
    fi
    sq_quiet "reading the distribution's package lists" sq_apt_private apt-get update
    if [ -z "$(sq_apt_private apt-cache pkgnames linux-image 2>/dev/null | head -n 1)" ]; then
        sq_die "the distribution's package lists could not be read" \
            "check the network and the package sources in /etc/apt"
    fi
    touch "$stamp"
}

# sq_apt_download FOLDER PACKAGE[=VERSION]...
sq_apt_download() (
    cd "$1" || exit 1
    shift
    sq_apt_private apt-get download "$@"
)

# sq_apt_version PACKAGE: the version that a download would get.
sq_apt_version() {
    sq_apt_private apt-cache policy "$1" | awk '$1 == "Candidate:" { print $2 }'
}
