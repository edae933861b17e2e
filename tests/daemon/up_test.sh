#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Bring-up in a guest that starts without a region: sqctl up and smartquantd
# make one, again is no change, and doctor names each link that is broken.

set -euo pipefail
here=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
# shellcheck source=tests/scripts/check.sh
. "$here/../scripts/check.sh"
# shellcheck source=tests/vm/guest.sh
. "$here/../vm/guest.sh"

mkdir "$scratch/share"
cat >"$scratch/share/program" <<'PROGRAM'
# What doctor says of a broken link: exit code and line.
doctor() {
    sqctl doctor >doctor.out 2>doctor.err
    echo "exit $?$(sed 's/^sqctl:/:/' doctor.err)"
}
doctor
sqctl --json up >up.json || echo "up: exit $?"
grep -E '"(created|enabled|bytes)"' up.json
sqctl up
smartquantd --once 2>&1
doctor
sqctl create w --dtype bf16 --shape 64x64
doctor
grep -c ok doctor.out
grep 'view' doctor.out

region=/sys/bus/cxl/drivers/cxl_region
echo region0 >$region/unbind
doctor
smartquantd --once 2>&1
doctor

driver=/sys/bus/pci/drivers/smartquant
for entry in $driver/0000:*; do card=${entry##*/}; done
echo "$card" >$driver/unbind
doctor
sqctl up
echo "$card" >$driver/bind
doctor
PROGRAM
status=$(guest --no-up --share "$scratch/share" -- sh ./program)
[ "$status" = 0 ] || show_errors
equal "the program runs to its end" 0 "$status"
# PCI addresses and the card's size are the machine's.
got=$(sed -E -e 's/[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.1/CARD/g' -e 's/over [0-9]+ MiB/over SIZE/' \
    -e 's/("bytes": )[0-9]+/\1SIZE/' -e 's/ +/ /g' "$scratch/out")
want='exit 1: region: endpoint2 has no region; remedy: sqctl up
 "bytes": SIZE,
 "created": true,
 "enabled": true
card CARD: already up, region0 over SIZE
smartquantd: card CARD: already up, region0 over SIZE
exit 0
w created: 64 x 64 bf16, placement aligned
exit 0
13
ok view CARD a view of "w" is mapped and readable
exit 1: region driver: region0 is not enabled; remedy: modprobe cxl_pmem, then sqctl up
smartquantd: card CARD: region0 enabled
exit 0
exit 1: driver: function CARD has driver none; remedy: modprobe smartquant
card CARD: already up, region0 over SIZE
exit 0'
equal "each step says what it did" "$want" "$got"
checks_done
