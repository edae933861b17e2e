#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Draws a roofline from the list that scripts/bench --json writes: how many
weights a second each case delivers or multiplies, over how many weights lie in a
byte that it reads, a panel a number of threads. Where memory is the limit, a point
lies on the slope whose height is the bandwidth: that of the streaming reads of that run.

Cases take part that tell bytes and weights (bytes and items of Google Benchmark).
Needs matplotlib (Debian: python3-matplotlib)."""

import argparse
import collections
import json
import pathlib
import statistics
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


def short_names(records):
    """{peer: name in the plot}: kernels of one library (ggml-q4_0) are one series."""
    peers = {record["peer_name"] for record in records}
    libraries = collections.Counter(peer.split("-")[0] for peer in peers)
    return {peer: peer.split("-")[0] if libraries[peer.split("-")[0]] > 1 else peer
            for peer in peers}


def series_of(records):
    """{threads: {topic and who: [point]}}; ours stands once, however many peers it has."""
    names = short_names(records)
    panels = collections.defaultdict(lambda: collections.defaultdict(set))
    for record in records:
        topic = record["name"].split("/")[0]
        for who, x, y in points(record):
            name = f"{topic} {threads_of(record)}: {names.get(who, who)}"
            panels[threads_of(record)][name].add((x, y))
    return {threads: {name: sorted(found) for name, found in sorted(series.items())}
            for threads, series in sorted(panels.items())}


def threads_of(record):
    parts = [part for part in record["name"].split(".") if part.endswith(("thread", "threads"))]
    return parts[0] if parts else ""


def roofs_of(records):
    """{threads: bytes a nanosecond}: the median of the streaming reads (small ones are
    partly served by a cache)."""
    rates = collections.defaultdict(list)
    for record in records:
        size = record["conditions"].get("bytes_peer")
        if record["peer_name"] == ROOF and size:
            rates[threads_of(record)].append(size / record["peer"])
    return {threads: statistics.median(found) for threads, found in rates.items()}


def styles_of(panels):
    """{topic and who: index}, the same in all panels."""
    names = {without_threads(name, threads) for threads, series in panels.items() for name in series}
    return {name: index for index, name in enumerate(sorted(names))}


def without_threads(name, threads):
    return name.replace(f" {threads}:", ":")


def draw_panel(axes, series, threads, styles, roof, ends):
    if roof:
        axes.plot(ends, [roof * x for x in ends], "k-", linewidth=1,
                  label=f"limit: streaming read, {threads}, {roof:.1f} GB/s")
    for name, found in series.items():
        index = styles[without_threads(name, threads)]
        axes.plot(*zip(*found), MARKERS[index % len(MARKERS)], color=f"C{index % 10}",
                  markersize=6, label=name, fillstyle="full" if name.endswith(": ours") else "none")
    axes.set(xscale="log", yscale="log", xlabel="weights in a byte read")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_major_formatter("{x:g}")
    axes.grid(True, which="both", linewidth=0.3)
    axes.legend(fontsize=7, loc="lower right")


def draw(panels, roofs, machine, path):
    plt.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "smartquant", "font.size": 9})
    figure, all_axes = plt.subplots(1, len(panels), figsize=(1 + 5 * len(panels), 5.5),
                                    sharex=True, sharey=True, squeeze=False)
    xs = [x for series in panels.values() for found in series.values() for x, _ in found]
    ends = [min(xs) * 0.8, max(xs) * 1.25]
    styles = styles_of(panels)
    for axes, (threads, series) in zip(all_axes[0], panels.items()):
        draw_panel(axes, series, threads, styles, roofs.get(threads), ends)
    all_axes[0][0].set_ylabel("weights a nanosecond")
    figure.suptitle(machine)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None, "Creator": "scripts/lib/bench-plot.py"})


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("list", type=pathlib.Path, help="what scripts/bench --json wrote")
    parser.add_argument("-o", "--output", type=pathlib.Path, required=True, help="an SVG file")
    arguments = parser.parse_args()
    records = json.loads(arguments.list.read_text(encoding="utf-8"))
    panels = series_of(records)
    if not panels:
        print("nothing to draw: no case tells both bytes and weights", file=sys.stderr)
        sys.exit(1)
    draw(panels, roofs_of(records), records[0]["conditions"]["cpu"], arguments.output)


if __name__ == "__main__":
    main()
