# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# The guest's kernel: the distribution's own 6.12 image, its modules and the
# headers to build ours against, unpacked into the cache and nowhere else.
#
#     sq_kernel          makes sure that it is there; sets
#       SQ_KERNEL_RELEASE    6.12.48+deb13-amd64
#       SQ_KERNEL_IMAGE      the bzImage
#       SQ_KERNEL_MODULES    the folder above lib/modules/RELEASE
#       SQ_KERNEL_HEADERS    what "make -C" wants
#       SQ_KERNEL_CC         the compiler package that the headers ask for
#
# Once fetched a kernel stays in use; SQ_KERNEL_UPDATE=1 asks for the newest,
# SQ_KERNEL_RELEASE=... for a certain one.

# The release of the newest plain 6.12 kernel in the package lists (neither
# cloud nor rt). Signed and -unsigned images are the same kernel for us.
sq_kernel_newest() {
    sq_apt_private apt-cache pkgnames linux-image-6.12. |
        sed -n 's/^linux-image-\(6\.12\.[0-9.]*+deb[0-9]*-amd64\)\(-unsigned\)\{0,1\}$/\1/p' |
        sort -uV | tail -n 1
}

sq_kernel_image_package() {
    local package
    for package in "linux-image-$1" "linux-image-$1-unsigned"; do
        if [ "$(sq_apt_version "$package")" ]; then
            echo "$package"
            return
        fi
    done
    sq_die "the package sources have no kernel image for $1" \
        "unset SQ_KERNEL_RELEASE, or add the distribution's security suite to /etc/apt"
}

# The headers name each other by absolute path; make them relocatable by
# pointing them at where they lie now.
sq_kernel_relocate() {
    local root=$1 final=$2 release=$3
    sed -i "s|/usr/src/|$final/usr/src/|" "$root/usr/src/linux-headers-$release/Makefile"
}

# lib/modules and usr/lib/modules as one folder: packages and kmod of different
# releases look in one or the other.
sq_kernel_one_module_folder() {
    local root=$1
    mkdir -p "$root/lib" "$root/usr/lib"
    if [ -d "$root/usr/lib/modules" ]; then
        [ ! -d "$root/lib/modules" ] || cp -a "$root/lib/modules/." "$root/usr/lib/modules/"
        rm -rf -- "$root/lib/modules"
        mv -- "$root/usr/lib/modules" "$root/lib/modules"
    fi
    ln -s ../../lib/modules "$root/usr/lib/modules"
}

sq_kernel_fetch() {
    local release=$1 base=${1%-amd64} final=$SQ_CACHE/kernel/$1
    local work image deb
    [ ! -e "$final/complete" ] || return 0
    sq_apt_lists
    image=$(sq_kernel_image_package "$release")
    work=$(sq_tempdir)
    sq_quiet "downloading kernel $release" sq_apt_download "$work" \
        "$image" "linux-headers-$release" "linux-headers-$base-common" "linux-kbuild-$base"
    mkdir "$work/root"
    for deb in "$work"/*.deb; do
        sq_quiet "unpacking ${deb##*/}" dpkg-deb -x "$deb" "$work/root"
    done
    sq_kernel_one_module_folder "$work/root"
    sq_quiet "indexing its modules" depmod -b "$work/root" "$release"
    sq_kernel_relocate "$work/root" "$final" "$release"
    touch "$work/root/complete"
    sq_publish "$work/root" "$final"
    rm -rf "$work"
}

# The release to use: asked for, else the newest of the cache, else the
# newest of the distribution.
sq_kernel_choose() {
    local cached
    if [ -n "${SQ_KERNEL_RELEASE:-}" ]; then
        return
    fi
    cached=$(cd "$SQ_CACHE/kernel" 2>/dev/null && find . -mindepth 2 -maxdepth 2 -name complete |
        cut -d/ -f2 | sort -V | tail -n 1) || true
    if [ -n "$cached" ] && [ "${SQ_KERNEL_UPDATE:-0}" != 1 ]; then
        SQ_KERNEL_RELEASE=$cached
        return
    fi
    sq_apt_lists
    SQ_KERNEL_RELEASE=$(sq_kernel_newest)
    [ -n "$SQ_KERNEL_RELEASE" ] ||
        sq_die "the package sources have no linux-image-6.12 kernel" \
            "on Debian 12 add the suite bookworm-security to /etc/apt/sources.list"
}

# shellcheck disable=SC2034 # results for the caller
sq_kernel() {
    local root
    sq_need_packages module
    sq_kernel_choose
    sq_with_lock "kernel" sq_kernel_fetch "$SQ_KERNEL_RELEASE"
    root=$SQ_CACHE/kernel/$SQ_KERNEL_RELEASE
    SQ_KERNEL_IMAGE=$root/boot/vmlinuz-$SQ_KERNEL_RELEASE
    SQ_KERNEL_MODULES=$root
    SQ_KERNEL_HEADERS=$root/usr/src/linux-headers-$SQ_KERNEL_RELEASE
    SQ_KERNEL_CC=$(sed -n 's/^CC = .*\(gcc-[0-9]*\)$/\1/p' "$SQ_KERNEL_HEADERS/.kernelvariables")
    [ -n "$SQ_KERNEL_CC" ] || SQ_KERNEL_CC=gcc
}
