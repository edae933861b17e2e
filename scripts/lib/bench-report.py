#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Pairs the cases of Google Benchmark's JSON results (CASE/ours with each
CASE/peer:PEER), prints a table a topic, and with --json writes a list of
{name, ours, peer, peer_name, unit, ratio, conditions}: medians over all
repetitions; ratio is ours / peer, below 1 means that ours is better. A case
without a peer has null there.

A result file is named TOPIC.ANYTHING.json. Exit status 1 when a case failed, a
peer has no case of ours beside it, or a file was not written to its end."""

import argparse
import collections
import json
import os
import pathlib
import re
import statistics
import sys

NANOSECONDS = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}
# What Google Benchmark appends to a name for settings of the case.
SETTINGS = re.compile(
    r"(/(min_time|min_warmup_time|iterations|repeats|threads|real_time|process_time"
    r"|manual_time)(:[^/]*)?)+$")
# Instruction sets that kernels of ours or of the peers choose by.
FLAGS = ("avx2", "avx512bw", "avx512vbmi", "avx512_vnni", "avx_vnni", "gfni", "vaes",
         "vpclmulqdq", "amx_int8")


class Figure:
    """What the repetitions of one case or peer said."""

    def __init__(self):
        self.samples = []
        self.unit = "ns"
        self.label = ""
        self.rates = []
        self.per_run = {}
        self.errors = []

    def add(self, result):
        self.label = result.get("label", "") or self.label
        if result.get("error_occurred"):
            self.errors.append(result.get("error_message", "failed"))
            return
        values = [key for key in result if key.startswith("value_")]
        if values:
            self.unit = values[0].removeprefix("value_").replace("_", " ")
            self.samples.append(result[values[0]])
        else:
            self.samples.append(result["real_time"] * NANOSECONDS[result["time_unit"]])
        if "bytes_per_second" in result:
            self.rates.append(result["bytes_per_second"])
        seconds = result["real_time"] * NANOSECONDS[result["time_unit"]] / 1e9
        for what in ("bytes", "items"):
            if f"{what}_per_second" in result:
                self.per_run[what] = round(result[f"{what}_per_second"] * seconds)

    @property
    def median(self):
        return statistics.median(self.samples)

    @property
    def spread(self):
        """Distance of the quartiles as a share of the median."""
        if len(self.samples) < 2 or not self.median:
            return 0.0
        low, _, high = statistics.quantiles(self.samples, n=4, method="inclusive")
        return (high - low) / self.median

    def text(self):
        return f"{figure_text(self.median, self.unit)} +-{self.spread * 50:.1f} %"

    def rate_text(self):
        return f"{statistics.median(self.rates) / 1e9:.2f}" if self.rates else ""


def figure_text(value, unit):
    if unit != "ns":
        return f"{value:.4g} {unit}"
    for name in ("s", "ms", "us"):
        if value >= NANOSECONDS[name]:
            return f"{value / NANOSECONDS[name]:.4g} {name}"
    return f"{value:.4g} ns"


class Case:
    def __init__(self):
        self.ours = None
        self.peers = {}

    def figure(self, role):
        if role == "ours":
            self.ours = self.ours or Figure()
            return self.ours
        return self.peers.setdefault(role.removeprefix("peer:"), Figure())


def benchmarks_of(path):
    """None when the program that wrote them did not come to its end."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))["benchmarks"]
    except json.JSONDecodeError:
        return None


def read_results(paths):
    """{topic: {case: Case}}, both in the order of their names."""
    topics = collections.defaultdict(lambda: collections.defaultdict(Case))
    for path in paths:
        topic = path.name.split(".")[0]
        for result in benchmarks_of(path) or []:
            if result.get("run_type") == "aggregate":
                continue
            name, _, role = SETTINGS.sub("", result.get("run_name", result["name"])).rpartition("/")
            if not name or not (role == "ours" or role.startswith("peer:")):
                raise ValueError(f"{path}: case {result['name']!r} is neither CASE/ours "
                                 "nor CASE/peer:PEER")
            topics[topic][name].figure(role).add(result)
    return {topic: dict(sorted(cases.items(), key=lambda item: natural(item[0])))
            for topic, cases in sorted(topics.items())}


def natural(name):
    """Sorts planes9 before planes10."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]


def faults(topics):
    for topic, cases in topics.items():
        for name, case in cases.items():
            for role, figure in [("ours", case.ours), *case.peers.items()]:
                if figure is None:
                    yield f"{topic}: {name}: nothing of ours beside {', '.join(case.peers)}"
                elif figure.errors:
                    yield f"{topic}: {name}: {role}: {figure.errors[0]}"
                elif case.ours and case.ours.samples and figure.unit != case.ours.unit:
                    yield f"{topic}: {name}: {role} is in {figure.unit}, ours in {case.ours.unit}"


def comparisons(case):
    """(peer name, peer) for each peer that can be compared, in the order of their
    names (they ran in a random one); (None, None) if none."""
    if case.ours is None or not case.ours.samples:
        return []
    found = [(name, peer) for name, peer in sorted(case.peers.items())
             if peer.samples and peer.unit == case.ours.unit]
    return found or [(None, None)]


def ratio_of(ours, peer):
    return ours.median / peer.median if peer and peer.median else None


def records(topics, machine):
    for topic, cases in topics.items():
        for name, case in cases.items():
            for peer_name, peer in comparisons(case):
                yield {
                    "name": f"{topic}/{name}",
                    "ours": case.ours.median,
                    "peer": peer.median if peer else None,
                    "peer_name": peer_name,
                    "unit": case.ours.unit,
                    "ratio": ratio_of(case.ours, peer),
                    "conditions": machine | {
                        "ours": case.ours.label,
                        "peer": peer.label if peer else None,
                        "repetitions": len(case.ours.samples),
                        "spread_ours": case.ours.spread,
                        "spread_peer": peer.spread if peer else None,
                        "bytes_ours": case.ours.per_run.get("bytes"),
                        "items_ours": case.ours.per_run.get("items"),
                        "bytes_peer": peer.per_run.get("bytes") if peer else None,
                        "items_peer": peer.per_run.get("items") if peer else None,
                    },
                }


def processor():
    """Model and instruction sets as Linux tells them; tolerates their absence."""
    try:
        text = pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        text = ""
    fields = {key.strip(): value.strip() for key, _, value in
              (line.partition(":") for line in text.splitlines())}
    numbers = "/".join(fields.get(key, "?") for key in ("cpu family", "model", "stepping"))
    flags = fields.get("flags", "").split()
    return {"cpu": f"{fields.get('model name', 'unknown')} (family/model/stepping {numbers})",
            "cpus": text.count("\nprocessor") + text.startswith("processor"),
            "flags": [flag for flag in FLAGS if flag in flags]}


def settings():
    """What the environment chose for ours, such as SMARTQUANT_KERNELS."""
    return {name: value for name, value in sorted(os.environ.items())
            if name.startswith("SMARTQUANT_")}


def columns_text(rows, left):
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = [cell.ljust(width) if column in left else cell.rjust(width)
                 for column, (cell, width) in enumerate(zip(row, widths))]
        yield "  ".join(cells).rstrip()


HEADINGS = ["case", "ours", "GB/s", "peer", "its figure", "GB/s", "ratio", "conditions"]
LEFT = (0, 3, 7)


def rows_of(cases):
    for name, case in cases.items():
        shown = name
        for peer_name, peer in comparisons(case):
            ratio = ratio_of(case.ours, peer)
            first = shown == name
            yield [shown, case.ours.text() if first else "",
                   case.ours.rate_text() if first else "", peer_name or "",
                   peer.text() if peer else "", peer.rate_text() if peer else "",
                   "" if ratio is None else f"{ratio:.3f}", case.ours.label if first else ""]
            shown = ""


def print_tables(topics, machine):
    print(f"{machine['cpu']}, {machine['cpus']} CPUs, {' '.join(machine['flags'])}")
    if machine["settings"]:
        print("With " + ", ".join("=".join(item) for item in machine["settings"].items()))
    print("Medians over the repetitions of one run, in which ours and peers alternate; +- is half"
          "\nthe distance of the quartiles. ratio = ours / peer: below 1 means that ours is better.")
    for topic, cases in topics.items():
        rows = list(rows_of(cases))
        if rows:
            print(f"\n== {topic}")
            print("\n".join(columns_text([HEADINGS, *rows], LEFT)))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=pathlib.Path, help="also writes the list there")
    parser.add_argument("results", type=pathlib.Path, nargs="+")
    arguments = parser.parse_args()

    topics = read_results(arguments.results)
    machine = processor() | {"settings": settings()}
    print_tables(topics, machine)
    if arguments.json:
        text = json.dumps(list(records(topics, machine)), indent=1)
        arguments.json.write_text(text + "\n", encoding="utf-8")
    found = list(faults(topics))
    found += [f"{path.name}: ends before its end: what wrote it failed"
              for path in arguments.results if benchmarks_of(path) is None]
    for fault in found:
        print(fault, file=sys.stderr)
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
