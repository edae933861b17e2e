# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# The kernel's checkpatch.pl, out of the distribution's kernel source package
# (headers packages do not have it). Only the script and its word lists are
# kept. Needs common.sh and apt.sh.
#
#     sq_checkpatch    sets SQ_CHECKPATCH to the script

SQ_CHECKPATCH_PACKAGE=linux-source-6.12

sq_checkpatch_fetch() {
    local final=$1 work
    [ ! -x "$final/scripts/checkpatch.pl" ] || return 0
    sq_apt_lists
    work=$(sq_tempdir)
    sq_quiet "downloading $SQ_CHECKPATCH_PACKAGE for its checkpatch.pl (about 150 MB)" \
        sq_apt_download "$work" "$SQ_CHECKPATCH_PACKAGE"
    sq_quiet "taking checkpatch.pl out of it" sq_checkpatch_extract "$work"
    sq_publish "$work/keep" "$final"
    rm -rf -- "$work"
}

sq_checkpatch_extract() {
    local work=$1
    dpkg-deb --fsys-tarfile "$work"/*.deb |
        tar -x -C "$work" --wildcards './usr/src/*.tar.*'
    mkdir "$work/keep"
    tar -x -C "$work/keep" --strip-components=1 --wildcards -f "$work"/usr/src/*.tar.* \
        '*/scripts/checkpatch.pl' '*/scripts/spelling.txt' '*/scripts/const_structs.checkpatch'
}

# shellcheck disable=SC2034 # result for the caller
sq_checkpatch() {
    local final=$SQ_CACHE/checkpatch
    sq_install perl xz-utils
    sq_with_lock checkpatch sq_checkpatch_fetch "$final"
    SQ_CHECKPATCH=$final/scripts/checkpatch.pl
}
