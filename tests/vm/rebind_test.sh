#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The driver is unbound, bound, removed and loaded again, idle and under load;
# the data stays and the kernel's log stays clean.

set -euo pipefail
here=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
# shellcheck source=tests/scripts/check.sh
. "$here/../scripts/check.sh"
# shellcheck source=tests/vm/guest.sh
. "$here/guest.sh"

mkdir "$scratch/share"
head -c 524288 /dev/zero | tr '\0' '\100' >"$scratch/share/weights"
cat >"$scratch/share/program" <<'PROGRAM'
set -e
driver=/sys/bus/pci/drivers/smartquant
for entry in $driver/0000:*; do card=${entry##*/}; done
sqctl create r --dtype bf16 --shape 256x1024
sqctl store r weights
digest() { sqctl read r --format mxint4 --digest | head -n 2; }
before=$(digest)

echo "idle: unbind and bind, three times"
for n in 1 2 3; do
    echo $card >$driver/unbind
    test ! -e /dev/smartquant0
    echo $card >$driver/bind
    test "$(digest)" = "$before"
done

echo "under load: requests fail with an error, none hangs"
(while sqctl read r --format mxint8 --digest >/dev/null 2>&1; do :; done) &
load=$!
sleep 2
echo $card >$driver/unbind
wait $load || true
echo $card >$driver/bind
test "$(digest)" = "$before"

echo "in use: rmmod is refused"
sleep 1000 </dev/smartquant0 &
holder=$!
sleep 1
if rmmod smartquant 2>/dev/null; then echo "rmmod of a driver in use"; exit 1; fi
kill $holder
wait $holder 2>/dev/null || true

echo "unused: rmmod and modprobe"
rmmod smartquant
test ! -e /dev/smartquant0
modprobe smartquant
test "$(digest)" = "$before"
echo done
PROGRAM
status=$(guest --share "$scratch/share" -- sh ./program)
[ "$status" = 0 ] || show_errors
equal "the driver comes and goes" 0 "$status"
equal "to the end" "done" "$(tail -n 1 "$scratch/out")"

checks_done
