# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# QEMU from Debian's source package, with our devices. Two levels of cache:
#
#   qemu/version           the Debian version in use
#   qemu/source/VERSION/   the source package as downloaded
#   qemu/tree-KEY/         source, venv and build folder; KEY covers everything
#                          that makes a new configure or full build necessary:
#                          version, patches, options. Our sources are copied
#                          into it, changed files only, so ninja rebuilds
#                          little.
#   qemu/KEY/bin/          the finished binary; KEY covers our sources too
#
# Needs common.sh.

SQ_QEMU=$SQ_CACHE/qemu
SQ_QEMU_SERIES=10.0
SQ_QEMU_SUITE=trixie

# QEMU 10.0 needs meson 1.5; Debian 12 has 1.0. One fixed version for all.
SQ_QEMU_MESON='meson==1.7.0 --hash=sha256:ae3f12953045f3c7c60e27f2af1ad862f14dee125b4ed9bcb8a842a5080dbf85'

SQ_QEMU_OPTIONS=(
    --target-list=x86_64-softmmu
    --without-default-features
    --enable-system --enable-tcg --enable-kvm
    --enable-fdt=system --enable-pixman
    --enable-virtfs --enable-attr
    --disable-docs --disable-werror --disable-install-blobs --disable-download
    --firmwarepath=/usr/share/qemu:/usr/share/seabios:/usr/lib/ipxe/qemu
    --disable-debug-info
)

# Of a sanitized build only our own code is instrumented: that is what the
# tests are after, and it spares a second tree and a second full build.
SQ_QEMU_SANITIZE="'-fsanitize=address,undefined', '-fno-sanitize-recover=all', '-fno-omit-frame-pointer', '-g'"

# ---- what to build --------------------------------------------------------

# sq_qemu_sources ROOT: our files that end up in QEMU, as paths below ROOT.
sq_qemu_sources() (
    cd "$1" || exit
    find qemu-device controller include/smartquant -type f \
        \( -name '*.[ch]' -o -name meson.build -o -name trace-events -o -name '*.patch' \) |
        LC_ALL=C sort
)

# sq_qemu_identify SANITIZE [ROOT]: what the sources below ROOT make. Sets
# SQ_QEMU_VERSION, SQ_QEMU_TREE and SQ_QEMU_BINARY; false when the version
# has not been chosen yet.
sq_qemu_identify() {
    local root=${2:-$SQ_ROOT} key sources patches
    SQ_QEMU_VERSION=$(cat "$SQ_QEMU/version" 2>/dev/null) || return 1
    mapfile -t sources < <(sq_qemu_sources "$root")
    mapfile -t patches < <(printf '%s\n' "${sources[@]}" | grep '\.patch$')
    key=$(sq_key "=$SQ_QEMU_VERSION" "=${SQ_QEMU_OPTIONS[*]}" "=$SQ_QEMU_MESON" \
        "${patches[@]/#/$root/}")
    SQ_QEMU_TREE=$SQ_QEMU/tree-$key
    key=$(sq_key "=$key" "=sanitize $1" "=${sources[*]}" "${sources[@]/#/$root/}")
    SQ_QEMU_BINARY=$SQ_QEMU/$key/bin/qemu-system-x86_64
}

# ---- Debian's source package ----------------------------------------------

# The mirror that this machine takes Debian from.
sq_qemu_mirror() {
    local mirror
    if [ -n "${SQ_DEBIAN_MIRROR:-}" ]; then
        echo "$SQ_DEBIAN_MIRROR"
        return
    fi
    # shellcheck disable=SC2016 # $(...) is apt's own syntax
    mirror=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' 2>/dev/null |
        awk '$2 ~ /^(bookworm|trixie|oldstable|stable|12|13)$/ { print $1; exit }') || true
    echo "${mirror:-http://deb.debian.org/debian}"
}

sq_qemu_apt() {
    local program=$1
    shift
    "$program" \
        -o Dir::Etc::sourcelist="$SQ_QEMU/apt/sources.list" \
        -o Dir::Etc::sourceparts=/dev/null \
        -o Dir::State="$SQ_QEMU/apt/state" \
        -o Dir::State::status=/var/lib/dpkg/status \
        -o Dir::Cache="$SQ_QEMU/apt/cache" \
        -o APT::Sandbox::User="$(id -un)" \
        -o APT::Update::Error-Mode=any \
        "$@"
}

sq_qemu_apt_lists() {
    local mirror key keyring=''
    for key in /usr/share/keyrings/debian-archive-keyring.{pgp,gpg}; do
        [ ! -e "$key" ] || keyring=$key
    done
    [ -n "$keyring" ] || sq_die "Debian's archive key is not in /usr/share/keyrings" \
        "apt-get install debian-archive-keyring"
    mirror=$(sq_qemu_mirror)
    mkdir -p "$SQ_QEMU/apt/state/lists/partial" "$SQ_QEMU/apt/cache/archives/partial"
    printf 'deb-src [signed-by=%s] %s %s main\n' "$keyring" "$mirror" "$SQ_QEMU_SUITE" \
        >"$SQ_QEMU/apt/sources.list"
    sq_log "source packages of $SQ_QEMU_SUITE come from $mirror"
    sq_quiet "reading the list of source packages (a failure here: check the network, or name another mirror in SQ_DEBIAN_MIRROR; for a missing key upgrade debian-archive-keyring)" \
        sq_qemu_apt apt-get update
}

# Any 10.0.x will do: the patches and the device use nothing that a stable
# update changes, and the build says so loudly if one ever does.
sq_qemu_choose_version() {
    local versions version
    [ ! -s "$SQ_QEMU/version" ] || return 0
    sq_qemu_apt_lists
    versions=$(sq_qemu_apt apt-cache showsrc --only-source qemu 2>/dev/null | sed -n 's/^Version: //p')
    version=$(grep "^\([0-9]*:\)\{0,1\}${SQ_QEMU_SERIES//./\\.}\." <<<"$versions" | sort -V | tail -n 1) || true
    [ -n "$version" ] || sq_die \
        "Debian $SQ_QEMU_SUITE offers qemu '${versions//$'\n'/, }', the device is made for $SQ_QEMU_SERIES" \
        "name a mirror that has QEMU $SQ_QEMU_SERIES in SQ_DEBIAN_MIRROR"
    printf '%s\n' "$version" >"$SQ_QEMU/version.new"
    mv "$SQ_QEMU/version.new" "$SQ_QEMU/version"
    sq_log "QEMU $version"
}

sq_qemu_download() {
    local final=$SQ_QEMU/source/$SQ_QEMU_VERSION work
    [ ! -d "$final" ] || return 0
    [ -s "$SQ_QEMU/apt/sources.list" ] || sq_qemu_apt_lists
    work=$(sq_tempdir)
    sq_quiet "downloading the source of QEMU $SQ_QEMU_VERSION (40 MB)" sq_qemu_apt_source "$work"
    sq_publish "$work" "$final"
}

sq_qemu_apt_source() {
    cd "$1" || return
    sq_qemu_apt apt-get source --download-only --only-source "qemu=$SQ_QEMU_VERSION"
}

# ---- the tree -------------------------------------------------------------

# A tree cannot be moved once it is configured, so it is made in place and
# counts only when it carries the file "complete".
sq_qemu_tree() {
    local root=$1 sanitize=$2 patch
    [ ! -e "$SQ_QEMU_TREE/complete" ] || return 0
    sq_qemu_download
    rm -rf "$SQ_QEMU_TREE"
    mkdir -p "$SQ_QEMU_TREE"
    sq_quiet "unpacking" dpkg-source -x "$SQ_QEMU/source/$SQ_QEMU_VERSION"/*.dsc "$SQ_QEMU_TREE/source"
    for patch in "$root"/qemu-device/patches/*.patch; do
        sq_quiet "applying ${patch##*/}" patch -d "$SQ_QEMU_TREE/source" -p1 --fuzz=0 --input="$patch"
    done
    sq_quiet "preparing meson" sq_qemu_venv
    sq_qemu_copy "$root" "$sanitize"
    sq_quiet "configuring" sq_qemu_configure
    touch "$SQ_QEMU_TREE/complete"
}

sq_qemu_venv() {
    python3 -m venv "$SQ_QEMU_TREE/venv"
    printf '%s\n' "$SQ_QEMU_MESON" >"$SQ_QEMU_TREE/requirements.txt"
    "$SQ_QEMU_TREE/venv/bin/pip" install --disable-pip-version-check --no-deps \
        --only-binary :all: --require-hashes -r "$SQ_QEMU_TREE/requirements.txt"
}

sq_qemu_configure() {
    mkdir -p "$SQ_QEMU_TREE/build"
    cd "$SQ_QEMU_TREE/build" || return
    PATH=$SQ_QEMU_TREE/venv/bin:$PATH ../source/configure \
        --python="$SQ_QEMU_TREE/venv/bin/python3" "${SQ_QEMU_OPTIONS[@]}"
}

# sq_qemu_copy ROOT SANITIZE: brings our sources into the tree; leaves unchanged files
# and their times alone. The controller's list of files becomes a meson.build
# of its own.
sq_qemu_copy() {
    local root=$1 new
    new=$(sq_tempdir)
    mkdir -p "$new/include"
    cp "$root"/qemu-device/{*.[ch],meson.build,trace-events} "$new/"
    cp -r "$root/controller" "$new/"
    cp -r "$root/include/smartquant" "$new/include/"
    (
        cd "$new/controller" || exit
        echo 'smartquant_controller_sources = files('
        find . -name '*.c' -printf "  '%P',\n" | LC_ALL=C sort
        echo ')'
        [ "$2" = 1 ] || SQ_QEMU_SANITIZE=
        echo "smartquant_sanitize = [$SQ_QEMU_SANITIZE]"
    ) >"$new/controller/meson.build"
    mkdir -p "$SQ_QEMU_TREE/source/hw/smartquant"
    sq_qemu_copy_changed "$new" "$SQ_QEMU_TREE/source/hw/smartquant"
    rm -rf "$new"
}

sq_qemu_copy_changed() {
    local from=$1 to=$2 file
    while read -r file; do
        if ! cmp -s "$from/$file" "$to/$file"; then
            mkdir -p "$(dirname -- "$to/$file")"
            cp "$from/$file" "$to/$file"
        fi
    done < <(cd "$from" && find . -type f)
    while read -r file; do
        [ -e "$from/$file" ] || rm -f "$to/$file"
    done < <(cd "$to" && find . -type f)
}

# ---- the binary -----------------------------------------------------------

# Shows every tenth part of ninja's progress, and everything that is no
# progress line.
sq_qemu_progress() {
    local text finished total part=0 now
    while IFS= read -r text; do
        printf '%s\n' "$text" >>"$1"
        if [[ $text =~ ^\[([0-9]+)/([0-9]+)\] ]]; then
            finished=${BASH_REMATCH[1]} total=${BASH_REMATCH[2]}
            now=$((finished * 10 / total))
            if [ "$total" -ge 100 ] && [ "$now" -gt "$part" ]; then
                part=$now
                sq_log "  $finished of $total steps"
            fi
        fi
    done
}

sq_qemu_compile() {
    local log=$SQ_CACHE/logs/qemu-build.log
    mkdir -p "$SQ_CACHE/logs"
    : >"$log"
    sq_log "building QEMU $SQ_QEMU_VERSION with the card (the first time about 4 minutes on 2 cores)"
    if ! PATH=$SQ_QEMU_TREE/venv/bin:$PATH nice -n 5 \
        ninja -C "$SQ_QEMU_TREE/build" -j "$SQ_JOBS" qemu-system-x86_64 2>&1 | sq_qemu_progress "$log"; then
        grep -E -A 6 '(error|Error|ERROR|undefined reference)' "$log" | tail -n 60 >&2 || tail -n 40 "$log" >&2
        sq_die "QEMU did not build" "the whole log is $log"
    fi
}

# A copy of our sources, so that the binary and its key are of one state even
# while somebody edits them.
sq_qemu_snapshot() {
    local to=$1 file
    while read -r file; do
        mkdir -p "$to/$(dirname -- "$file")"
        cp "$SQ_ROOT/$file" "$to/$file"
    done < <(sq_qemu_sources "$SQ_ROOT")
}

# sq_qemu_build SANITIZE: builds what is missing, prints the binary's path.
sq_qemu_build() {
    local work root
    mkdir -p "$SQ_QEMU"
    sq_qemu_choose_version
    root=$(sq_tempdir)
    sq_qemu_snapshot "$root"
    sq_qemu_identify "$1" "$root"
    # Another run may have built it while this one waited for the lock.
    if [ ! -x "$SQ_QEMU_BINARY" ]; then
        sq_qemu_tree "$root" "$1"
        sq_qemu_copy "$root" "$1"
        sq_qemu_compile
        work=$(sq_tempdir)
        mkdir "$work/bin"
        cp "$SQ_QEMU_TREE/build/qemu-system-x86_64" "$work/bin/"
        sq_publish "$work" "$(dirname -- "$(dirname -- "$SQ_QEMU_BINARY")")"
        touch "$SQ_QEMU_TREE/complete"
        sq_qemu_clean
    fi
    rm -rf "$root"
    sq_log "QEMU is $SQ_QEMU_BINARY"
    echo "$SQ_QEMU_BINARY"
}

# Trees are large: those that no run used for two weeks go. Of the binaries
# the ten newest stay.
sq_qemu_clean() {
    local stamp entry
    while read -r stamp; do
        rm -rf "$(dirname -- "$stamp")"
    done < <(find "$SQ_QEMU" -mindepth 2 -maxdepth 2 -path '*/tree-*/complete' -mtime +14)
    while read -r entry; do
        rm -rf "${SQ_QEMU:?}/$entry"
    done < <(find "$SQ_QEMU" -mindepth 1 -maxdepth 1 -type d -printf '%T@ %f\n' | sort -rn |
        awk '$2 ~ /^[0-9a-f]{16}$/ { print $2 }' | tail -n +11)
}
