#!/bin/bash
# SPDX-License-Identifier: MIT
#
# sqctl on a card in the guest: the bytes equal those of an embedded store on
# every path, refusals change nothing, a killed load leaves whole tensors only.
#
# Usage: card_test.sh MAKE_MODEL

set -euo pipefail
here=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
make_model=$(readlink -f -- "$1")
# shellcheck source=tests/scripts/check.sh
. "$here/../scripts/check.sh"
# shellcheck source=tests/vm/guest.sh
. "$here/../vm/guest.sh"

mkdir "$scratch/share"
"$make_model" gguf "$scratch/share/small.gguf"
"$make_model" large "$scratch/share/large.gguf"
"$make_model" truncated "$scratch/share/truncated.gguf"
cat >"$scratch/share/program" <<'PROGRAM'
embedded() { sqctl --device embedded:/tmp/s.sqs --size 64M "$@"; }
digest() { sed -n 's/  all$//p'; }
refused() { if "$@" >/dev/null 2>refusal; then echo "not refused: $*"; else echo "exit $?: $(wc -l <refusal) line"; fi; }

embedded load small.gguf --name m >/tmp/embedded.txt
sqctl load small.gguf --name m >/tmp/card.txt
cmp /tmp/embedded.txt /tmp/card.txt && echo "the loads say the same"
for format in native mxint4 mxint8 planes5; do
    want=$(embedded read 'm/*' --format $format --digest | digest)
    for path in fetch map cached; do
        got=$(sqctl read 'm/*' --format $format --path $path --digest | digest)
        [ "$got" = "$want" ] && echo "$format $path: equal" || echo "$format $path: $got, want $want"
    done
done
sqctl read m/blk.0.experts.weight --format mxint6 --rows 3:9 --axis col -o /tmp/card.bin >/dev/null
embedded read m/blk.0.experts.weight --format mxint6 --rows 3:9 --axis col -o /tmp/embedded.bin >/dev/null
cmp /tmp/card.bin /tmp/embedded.bin && echo "columns: equal"
sqctl --json read m/token_embd.weight --format mxint4 -o /tmp/x | grep plane_lines
embedded --json read m/token_embd.weight --format mxint4 -o /tmp/x | grep plane_lines
sqctl regions | sed -n '2,$p' >/tmp/before

refused sqctl load truncated.gguf --name t
refused sqctl load small.gguf --name m
refused sqctl create m/token_embd.weight --dtype bf16 --shape 1x1
refused sqctl store m/token_embd.weight small.gguf
refused sqctl read m/token_embd.weight --format mxint9 -o /tmp/none
refused sqctl read m/token_embd.weight --format native --rows 0:49 -o /tmp/none
refused sqctl show nothing
refused sqctl --device /dev/smartquant9 info
[ ! -e /tmp/none ] && sqctl regions | sed -n '2,$p' | cmp - /tmp/before && echo "nothing changed"

sqctl create w --dtype bf16 --shape 4x64
head -c 512 /dev/zero | tr '\0' '?' >/tmp/w
sqctl store w /tmp/w
(head -c 510 /tmp/w; printf '\200\177') >/tmp/nan
refused sqctl store w /tmp/nan
sqctl read w --format native -o - 2>/dev/null | cmp - /tmp/w && echo "the region is as it was"
sqctl tag w mxint5
sqctl rm w

sqctl load large.gguf --name l >/dev/null 2>&1 &
load=$!
sleep 1
kill -9 $load 2>/dev/null
wait $load 2>/dev/null
sqctl --json regions >/tmp/regions.json
if grep -q '"complete": false' /tmp/regions.json; then
    refused sqctl load large.gguf --name l >/tmp/again
    grep -q 'incomplete' refusal || cat refusal
fi
! grep -q '"name": "l/' /tmp/regions.json || sqctl rm --model l >/dev/null
sqctl load large.gguf --name l | head -n 1
sqctl verify | sed 's/^[0-9]* //'
sqctl rm --model m
sqctl rm --model l
sqctl --json regions | grep -c '"name"'
sqctl --json info | grep '"used_bytes"'
sqctl stats --reset >/dev/null
sqctl --json stats | grep '"requests"'
PROGRAM
status=$(guest --share "$scratch/share" -- sh ./program)
equal "the program runs to its end" 0 "$status"
want='the loads say the same'
for format in native mxint4 mxint8 planes5; do
    for path in fetch map cached; do
        want+=$'\n'"$format $path: equal"
    done
done
want+='
columns: equal
  "plane_lines": 32,
  "plane_lines": 32,
exit 1: 1 line
exit 1: 1 line
exit 1: 1 line
exit 1: 1 line
exit 1: 1 line
exit 1: 1 line
exit 1: 1 line
exit 1: 1 line
nothing changed
w created: 4 x 64 bf16, placement aligned
w stored: 256 elements
exit 1: 1 line
the region is as it was
w tagged mxint5
w removed
l loaded: 7 tensors, 1054767 elements, 4.2 MiB of plane memory
runs checked, all good
m removed: 6 regions
l removed: 7 regions
0
  "used_bytes": 0,
  "requests": 0,'
equal "the card does what the embedded store does" "$want" "$(cat "$scratch/out")"
[ "$checks_failed" = 0 ] || show_errors
checks_done
