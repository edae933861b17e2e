# SPDX-License-Identifier: MIT
"""Benchmark cases that are written in Python or are whole commands, with the
command line and the JSON of a Google Benchmark program, so that scripts/bench
treats both alike. A program (bench/TOPIC.py) names its cases and ends with run():

    cases = Cases()
    cases.time("read/ours", function, label="135 M weights, warm")
    cases.value("size/ours", function, unit="bits_per_weight")
    sys.exit(cases.run())

Repetitions of all cases are interleaved in a random order. SQ_BENCH_SMOKE in
the environment asks for as little work as will do (smoke())."""

import argparse
import json
import os
import random
import re
import sys
import time

SKIPPED = 77


def smoke():
    return "SQ_BENCH_SMOKE" in os.environ


def peer(name):
    """Where a peer was installed (bench/peers/NAME), or None."""
    return os.environ.get("SQ_PEER_" + name.upper().replace("-", "_"))


def skip(why):
    print(f"skipped: {why}")
    sys.exit(SKIPPED)


class Cases:
    def __init__(self):
        self._cases = []

    def time(self, name, function, label=""):
        """function() is timed, once and again until the minimal time is over."""
        self._cases.append((name, label, function, None))

    def value(self, name, function, unit, label=""):
        """function() returns a figure, of which less is better; it runs once a repetition."""
        self._cases.append((name, label, function, unit))

    def run(self, argv=None):
        options = _parser().parse_args(argv)
        cases = [case for case in self._cases if re.search(options.filter, case[0])]
        if options.list:
            print("\n".join(name for name, *_ in cases))
            return 0
        results = []
        for repetition in range(options.repetitions):
            for case in random.sample(cases, len(cases)):
                result = _measure(case, options.min_time)
                results.append(result | {"repetition_index": repetition})
        document = {"context": {"executable": sys.argv[0]}, "benchmarks": results}
        text = json.dumps(document, indent=1)
        print(text)
        if options.out:
            with open(options.out, "w", encoding="utf-8") as file:
                file.write(text)
        return int(any("error_occurred" in result for result in results))


def _parser():
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--benchmark_filter", dest="filter", default="")
    parser.add_argument("--benchmark_repetitions", dest="repetitions", type=int, default=1)
    parser.add_argument("--benchmark_min_time", dest="min_time", type=float, default=0.5)
    parser.add_argument("--benchmark_out", dest="out")
    parser.add_argument("--benchmark_list_tests", dest="list", action="store_true")
    # What Google Benchmark has beside that, and this does anyway.
    parser.add_argument("--benchmark_out_format", choices=["json"])
    parser.add_argument("--benchmark_enable_random_interleaving", choices=["true"])
    return parser


def _measure(case, min_time):
    name, label, function, unit = case
    result = {"name": name, "run_name": name, "run_type": "iteration", "label": label}
    try:
        if unit is not None:
            return result | {f"value_{unit}": function(), "real_time": 0, "time_unit": "ns"}
        iterations, elapsed = 0, 0.0
        while elapsed < min_time or not iterations:
            start = time.perf_counter()
            function()
            elapsed += time.perf_counter() - start
            iterations += 1
        return result | {"iterations": iterations, "real_time": elapsed / iterations * 1e9,
                         "time_unit": "ns"}
    except Exception as error:  # one failed case must not lose the others
        return result | {"error_occurred": True, "error_message": str(error)}
