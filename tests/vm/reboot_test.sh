#!/bin/bash
# SPDX-License-Identifier: MIT
#
# What is stored in the card survives a reboot of the guest, and a QEMU that is
# killed while the guest is writing.

set -euo pipefail
here=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
# shellcheck source=tests/scripts/check.sh
. "$here/../scripts/check.sh"
# shellcheck source=tests/vm/guest.sh
. "$here/guest.sh"

mkdir "$scratch/share"
python3 -c '
import random, struct, sys
random.seed(7)
for _ in range(256 * 1024):
    sys.stdout.buffer.write(struct.pack("<f", random.gauss(0, 0.05))[2:])
' >"$scratch/share/weights"

store='sqctl create kept --dtype bf16 --shape 256x1024 && sqctl store kept weights && sqctl seal kept && sqctl regions'
status=$(guest --share "$scratch/share" -- sh -c "$store")
[ "$status" = 0 ] || show_errors
equal "a region is stored" 0 "$status"

status=$(guest --share "$scratch/share" -- sqctl read kept --format native -o back)
[ "$status" = 0 ] || show_errors
equal "it is there after a reboot" 0 "$status"
equal "and reads back bit by bit" same \
    "$(cmp -s "$scratch/share/weights" "$scratch/share/back" && echo same)"

# Kill QEMU in the middle of an endless series of stores.
# shellcheck disable=SC2016 # for the guest's shell
writing='n=0; while true; do n=$((n + 1)); sqctl create part$n --dtype bf16 --shape 256x1024 && sqctl store part$n weights || sqctl rm part$((n - 8)); sync; touch writing; done'
"$repository/scripts/vm" run --name "$machine" --share "$scratch/share" -- sh -c "$writing" >/dev/null 2>&1 &
vm=$!
for _ in $(seq 600); do
    [ ! -e "$scratch/share/writing" ] || break
    sleep 0.2
done
equal "the guest was writing" yes "$([ -e "$scratch/share/writing" ] && echo yes)"
sleep 3
kill -9 "$(cat "$machine_folder/qemu.pid")"
wait "$vm" || true

rm -f -- "$scratch/share/back"
status=$(guest --share "$scratch/share" -- sh -c 'sqctl verify && sqctl read kept --format native -o back')
[ "$status" = 0 ] || show_errors
equal "the killed card opens and verifies" 0 "$status"
equal "and what was sealed reads back bit by bit" same \
    "$(cmp -s "$scratch/share/weights" "$scratch/share/back" && echo same)"

checks_done
