#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Without a card, without the driver or without a region sqctl says what is
# missing and what would do, and fails.

set -euo pipefail
here=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
# shellcheck source=tests/scripts/check.sh
. "$here/../scripts/check.sh"
# shellcheck source=tests/vm/guest.sh
. "$here/guest.sh"

one_line_failure() {
    equal "$1: fails" 1 "$2"
    equal "$1: one line says why" 1 "$(grep -c '^sqctl: ' "$scratch/err")"
}

one_line_failure "info without a card" "$(guest --no-card -- sqctl --device /dev/smartquant0 info)"
equal "doctor without a card fails" 1 "$(guest --no-card -- sqctl doctor)"
equal "and names the broken link" found "$(grep -qiE 'card|function|PCI|ACPI|CEDT' "$scratch/out" "$scratch/err" && echo found)"
equal "list without a card is no failure" 0 "$(guest --no-card -- sqctl list)"
one_line_failure "info without the driver" "$(guest --no-driver -- sqctl --device /dev/smartquant0 info)"
# The region comes first in the doctor's walk, and needs no driver of ours.
equal "doctor without the driver fails" 1 "$(guest --no-driver -- sh -c 'sqctl up; sqctl doctor')"
equal "and names the driver" found "$(grep -qi 'smartquant' "$scratch/out" "$scratch/err" && echo found)"
equal "doctor without a region fails" 1 "$(guest --no-up -- sqctl doctor)"
equal "and names the region and the remedy" found \
    "$(grep -qi 'region' "$scratch/out" "$scratch/err" && grep -qE 'sqctl up|smartquantd' "$scratch/out" "$scratch/err" && echo found)"
equal "after the remedy it is well, twice" 0 "$(guest --no-up -- sh -c 'sqctl up && sqctl up && sqctl doctor')"

checks_done
