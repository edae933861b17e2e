#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Draws a roofline from the list that scripts/bench --json writes: how many
weights a second each case delivers or multiplies, over how many weights lie in a
byte that it reads. Where memory is the limit, a point lies on the slope whose
height is the bandwidth; the slopes are the streaming reads measured in that run.

Cases take part that tell bytes and weights (bytes and items of Google Benchmark).
Needs matplotlib (Debian: python3-matplotlib)."""

import argparse
import collections
import json
import pathlib
import sys

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402 (after the choice above)

ROOF = "streaming-read"
# The same thing of ours, which stands in the plot anyway.
OURS_WITH_FEWER_THREADS = "1thread"
MARKERS = "os^vDPX*<>"


def points(record):
    """(who, weights in a byte, weights a nanosecond) of a record, ours and peer."""
    conditions = record["conditions"]
    for role, who in (("ours", "ours"), ("peer", record["peer_name"])):
        # A peer does the same work, so a case of ours that tells it tells it for both.
        weights = conditions.get(f"items_{role}") or conditions.get("items_ours")
        size = conditions.get(f"bytes_{role}")
        if size and weights and record[role] and record["unit"] == "ns" and (
                who not in (ROOF, OURS_WITH_FEWER_THREADS)):
            yield who, weights / size, weights / record[role]


def series_of(records):
    """{(topic, threads, who): {point}}; ours stands once, however many peers it has."""
    series = collections.defaultdict(set)
    for record in records:
        for who, x, y in points(record):
            series[f"{record['name'].split('/')[0]} {threads_of(record)}: {who}"].add((x, y))
    return {name: sorted(found) for name, found in sorted(series.items())}


def threads_of(record):
    parts = [part for part in record["name"].split(".") if part.endswith(("thread", "threads"))]
    return parts[0] if parts else ""


def roofs_of(records):
    """{threads: bytes a nanosecond}: the best of the streaming reads."""
    roofs = collections.defaultdict(float)
    for record in records:
        size = record["conditions"].get("bytes_peer")
        if record["peer_name"] == ROOF and size:
            threads = threads_of(record)
            roofs[threads] = max(roofs[threads], size / record["peer"])
    return dict(sorted(roofs.items()))


def draw(series, roofs, machine, path):
    plt.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "smartquant", "font.size": 9})
    figure, axes = plt.subplots(figsize=(9, 6))
    xs = [x for found in series.values() for x, _ in found]
    ends = [min(xs) * 0.8, max(xs) * 1.25]
    for threads, rate in roofs.items():
        axes.plot(ends, [rate * x for x in ends], "k-" if threads.startswith("1") else "k--",
                  linewidth=1, label=f"limit: streaming read, {threads}, {rate:.1f} GB/s")
    for index, (name, found) in enumerate(series.items()):
        axes.plot(*zip(*found), MARKERS[index % len(MARKERS)], markersize=6, label=name,
                  fillstyle="full" if name.endswith(": ours") else "none")
    axes.set(xscale="log", yscale="log", xlabel="weights in a byte read",
             ylabel="weights a nanosecond", title=machine)
    axes.grid(True, which="both", linewidth=0.3)
    axes.legend(fontsize=7)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None, "Creator": "scripts/lib/bench-plot.py"})


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("list", type=pathlib.Path, help="what scripts/bench --json wrote")
    parser.add_argument("-o", "--output", type=pathlib.Path, required=True, help="an SVG file")
    arguments = parser.parse_args()
    records = json.loads(arguments.list.read_text(encoding="utf-8"))
    series = series_of(records)
    if not series:
        print(f"{arguments.list}: no case tells both bytes and weights", file=sys.stderr)
        sys.exit(1)
    draw(series, roofs_of(records), records[0]["conditions"]["cpu"], arguments.output)


if __name__ == "__main__":
    main()
