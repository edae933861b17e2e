#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Tests of scripts/lib/bench-report.py and timed_cases.py: what is paired with
# what, medians, units, and what is a fault; and scripts/bench's usage errors.

set -euo pipefail
here=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
# shellcheck source=tests/scripts/check.sh
. "$here/check.sh"
root=$(readlink -f -- "$here/../..")
unset "${!SMARTQUANT_@}"

report() {
    (cd "$scratch" && status_of python3 "$root/scripts/lib/bench-report.py" --json list.json "$@")
}

# value PATH-INTO-THE-LIST: as Python prints it
value() {
    python3 -c 'import json, sys
print(eval("document" + sys.argv[2], {"document": json.load(open(sys.argv[1]))}))' "$scratch/list.json" "$1"
}

iteration() {
    printf '{"run_type": "iteration", "name": "%s", "run_name": "%s", "real_time": %s, "time_unit": "%s", "label": "%s"%s}' \
        "$1" "$1" "$2" "$3" "$4" "${5:-}"
}

results() {
    local file=$scratch/$1 IFS=,
    shift
    printf '{"context": {}, "benchmarks": [%s]}' "$*" >"$file"
}

results t.0.json \
    "$(iteration 'a.b/ours/iterations:3/real_time' 2 us warm)" \
    "$(iteration 'a.b/ours/iterations:3/real_time' 4 us warm)" \
    "$(iteration 'a.b/ours/iterations:3/real_time' 300 us warm)" \
    "$(iteration 'a.b/peer:x-y/threads:2' 8000 ns cold)" \
    "$(iteration 'alone/ours' 1 ns '')" \
    '{"run_type": "aggregate", "name": "a.b/ours_mean", "run_name": "a.b/ours", "real_time": 1, "time_unit": "ns"}'
results t.1.json \
    "$(iteration 'a.b/peer:other' 1 ms '')" \
    "$(iteration 'size/ours' 0 ns '' ', "value_bits_per_weight": 3')" \
    "$(iteration 'size/peer:zip' 0 ns '' ', "value_bits_per_weight": 4')"

equal "results without faults succeed" 0 "$(report t.0.json t.1.json)"
equal "one entry a pair, cases without a peer too" 4 "$(value '.__len__()')"
equal "ours is the median, in nanoseconds" 4000.0 "$(value '[0]["ours"]')"
equal "settings in a name do not part a pair" x-y "$(value '[1]["peer_name"]')"
equal "the ratio is ours / peer" 0.5 "$(value '[1]["ratio"]')"
equal "a peer may come from another program, and stands by its name" other "$(value '[0]["peer_name"]')"
equal "a case without a peer has no ratio" None "$(value '[2]["ratio"]')"
equal "a figure that is no time has its unit" 'bits per weight 0.75' \
    "$(value '[3]["unit"]') $(value '[3]["ratio"]')"
equal "names hold topic and case" t/a.b "$(value '[0]["name"]')"
equal "conditions hold labels and the number of samples" 'warm cold 3' \
    "$(value '[1]["conditions"]["ours"]') $(value '[1]["conditions"]["peer"]') $(value '[1]["conditions"]["repetitions"]')"
equal "the keys are the promised ones" "conditions name ours peer peer_name ratio unit" \
    "$(value '[0].keys() and " ".join(sorted(document[0]))')"

results t.0.json "$(iteration 'a/peer:x' 1 ns '')"
equal "a peer without ours is a fault" 1 "$(report t.0.json)"
equal "that names it" 1 "$(grep -c 't: a: nothing of ours beside x' "$scratch/err")"
results t.0.json '{"run_type": "iteration", "name": "a/ours", "run_name": "a/ours", "error_occurred": true, "error_message": "broken"}'
equal "a failed case is a fault" 1 "$(report t.0.json)"
equal "that says why" 1 "$(grep -c 't: a: ours: broken' "$scratch/err")"
results t.0.json "$(iteration 'a/ours' 1 ns '')" "$(iteration 'a/peer:x' 0 ns '' ', "value_bytes": 1')"
equal "figures of two units are a fault" 1 "$(report t.0.json)"
printf '{"context": {}, "benchmarks": [' >"$scratch/t.1.json"
results t.0.json "$(iteration 'a/ours' 1 ns '')"
equal "a file that ends early is a fault" 1 "$(report t.0.json t.1.json)"
equal "that names it" 1 "$(grep -c 't.1.json: ends before its end' "$scratch/err")"
equal "and leaves the others" 1 "$(value '.__len__()')"
equal "nothing was set" '{}' "$(value '[0]["conditions"]["settings"]')"
SMARTQUANT_KERNELS=avx2 report t.0.json >/dev/null
equal "what the environment set is a condition" "{'SMARTQUANT_KERNELS': 'avx2'}" \
    "$(value '[0]["conditions"]["settings"]')"
results t.0.json "$(iteration 'a' 1 ns '')"
equal "a case that is neither ours nor a peer is refused" 1 "$(report t.0.json)"

# ---- the roofline: 2 MB of 4 M weights in 1 ms, and its limit of 4 GB/s
results r.0.json \
    "$(iteration 'a.1thread/ours' 1 ms '' ', "bytes_per_second": 2e9, "items_per_second": 4e9')" \
    "$(iteration 'a.1thread/peer:streaming-read' 500 us '' ', "bytes_per_second": 4e9')"
equal "rates become sizes of one run" 0 "$(report r.0.json)"
equal "of ours" '2000000 4000000' \
    "$(value '[0]["conditions"]["bytes_ours"]') $(value '[0]["conditions"]["items_ours"]')"
equal "of the peer" '2000000 None' \
    "$(value '[0]["conditions"]["bytes_peer"]') $(value '[0]["conditions"]["items_peer"]')"
plot() { status_of /usr/bin/python3 "$root/scripts/lib/bench-plot.py" "$scratch/list.json" -o "$scratch/plot.svg"; }
if /usr/bin/python3 -c 'import matplotlib' 2>/dev/null; then
    equal "a roofline is drawn" 0 "$(plot)"
    equal "with the limit of the run" 1 "$(grep -c 'limit: streaming read, 1thread, 4.0 GB/s' "$scratch/plot.svg")"
    equal "and ours" 1 "$(grep -c 'r 1thread: ours' "$scratch/plot.svg")"
    results r.0.json "$(iteration 'a/ours' 1 ms '')"
    report r.0.json >/dev/null
    equal "nothing to draw is a failure" 1 "$(plot)"
else
    echo "matplotlib is not there (python3-matplotlib): the roofline is not drawn"
fi

# ---- programs in Python
cat >"$scratch/topic.py" <<'PYTHON'
import sys
from timed_cases import Cases
cases = Cases()
cases.time("a/ours", lambda: None, label="label")
cases.value("b/ours", lambda: 7, unit="bytes")
cases.time("c/ours", lambda: 1 / 0)
sys.exit(cases.run())
PYTHON
topic() {
    PYTHONPATH=$root/scripts/lib status_of python3 "$scratch/topic.py" --benchmark_min_time=0.001 \
        --benchmark_out="$scratch/p.0.json" "$@"
}
equal "a failed case in Python fails the program" 1 "$(topic)"
equal "and is reported" 1 "$(report p.0.json)"
equal "with its reason" 1 "$(grep -c 'p: c: ours: division by zero' "$scratch/err")"
equal "a filter takes cases by name" 0 "$(topic --benchmark_filter='^[ab]/' --benchmark_repetitions=5)"
equal "what it writes can be read" 0 "$(report p.0.json)"
equal "every repetition is there" '5 5' \
    "$(value '[0]["conditions"]["repetitions"]') $(value '[1]["conditions"]["repetitions"]')"

# ---- usage
refused() {
    equal "scripts/bench refuses: $*" 2 "$(status_of "$root/scripts/bench" "$@")"
}
refused no-such-topic
refused --json
refused --slow
refused --plot ''
equal "scripts/bench looks first whether it can write" 1 \
    "$(status_of "$root/scripts/bench" --json "$scratch/none/list.json")"
equal "scripts/bench has help" 0 "$(status_of "$root/scripts/bench" --help)"
equal "scripts/bench names its topics" 1 "$("$root/scripts/bench" --list | grep -cx fetch)"

checks_done
