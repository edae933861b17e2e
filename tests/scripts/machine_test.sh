#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Tests of scripts/lib/machine.sh and of the command line of scripts/vm, as far
# as they need no guest.

set -euo pipefail
here=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
# shellcheck source=tests/scripts/check.sh
. "$here/check.sh"
# shellcheck source=scripts/lib/common.sh
. "$here/../../scripts/lib/common.sh"
# shellcheck source=scripts/lib/machine.sh
. "$here/../../scripts/lib/machine.sh"

# ---- quoting: a shell reads back the very words
# shellcheck disable=SC2016 # nothing of it may expand
words=("plain" "two words" "it's" '$HOME' '`id`' '"' '*' '' 'a\b' $'new\nline' $'tab\t')
sq_quote "${words[@]}" >"$scratch/line"
show_words() { printf '<%s>' "$@"; }
equal "quoted words come back as they were" "$(show_words "${words[@]}")" \
    "$(eval "show_words $(cat "$scratch/line")")"

# ---- the kernel's log
verdict() {
    printf '%s\n' "[    1.0] normal" "$1" "[    2.0] normal" >"$scratch/log"
    status_of sq_kernel_log_clean "$scratch/log"
}
while read -r line; do
    equal "trouble: $line" 1 "$(verdict "[    1.5] $line")"
done <<'LINES'
WARNING: CPU: 0 PID: 1 at kernel/x.c:12 f+0x1/0x2
BUG: kernel NULL pointer dereference, address: 0000000000000000
kernel BUG at mm/slub.c:1
Oops: 0002 [#1] PREEMPT SMP NOPTI
Kernel panic - not syncing: Attempted to kill init!
general protection fault, probably for non-canonical address
WARNING: possible circular locking dependency detected
INFO: task cat:12 blocked for more than 120 seconds.
watchdog: BUG: soft lockup - CPU#0 stuck for 26s!
kmemleak: 3 new suspected memory leaks
UBSAN: array-index-out-of-bounds in x.c:1:2
rcu: INFO: rcu_preempt detected stalls on CPUs/tasks
refcount_t: underflow; use-after-free.
BUG: unable to handle page fault for address: ffff
LINES
while read -r line; do
    equal "no trouble: $line" 0 "$(verdict "[    1.5] $line")"
done <<'LINES'
DEBUG: nothing
smartquant: loading out-of-tree module taints kernel.
pci 0000:0c:00.0: BAR 0: assigned
cxl_mem mem0: endpoint3 failed probe
LINES

# ---- usage errors of scripts/vm, before anything is built
refused() {
    equal "scripts/vm refuses: $*" 2 "$(status_of "$SQ_ROOT/scripts/vm" "$@")"
}
refused
refused dance
refused run
refused shell true
refused run --memory 3 -- true
refused run --memory 300M -- true
refused run --memory 0 -- true
refused run --views sometimes -- true
refused run --timeout soon -- true
refused run --accel fast -- true
refused run --graphics sdl -- true
refused run --name ../x -- true
refused run --nonsense 1 -- true
refused run --name
equal "scripts/vm refuses a share that is not there" 1 \
    "$(status_of "$SQ_ROOT/scripts/vm" run --share "$scratch/none" -- true)"
equal "scripts/vm has help" 0 "$(status_of "$SQ_ROOT/scripts/vm" --help)"

checks_done
