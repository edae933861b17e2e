#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares what the demo read in the guest with what the embedded store gave on
the host, tensor by tensor, and prints the table. Exits with 1 when anything
differs or is missing."""

import argparse
import json
import pathlib
import sys


def read_document(path):
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        print(f"{path}: no result of the demo: {error}", file=sys.stderr)
        return None


def differences(host, guest):
    """Why two reads of a model are not the same, as sentences; none if they are."""
    if guest is None:
        yield "no result"
        return
    ours = {tensor["name"]: (tensor["bytes"], tensor["digest"]) for tensor in host["tensors"]}
    theirs = {tensor["name"]: (tensor["bytes"], tensor["digest"]) for tensor in guest["tensors"]}
    for name in sorted(ours.keys() | theirs.keys()):
        if ours.get(name) != theirs.get(name):
            yield f"{name}: host {ours.get(name)}, card {theirs.get(name)}"
    if host["digest"] != guest["digest"]:
        yield f"digest over all: host {host['digest']}, card {guest['digest']}"


COUNTERS = ("elements", "link_bytes", "plane_lines", "check_lines", "baseline_lines")


def counter_differences(host, guest):
    """The card counts what it reads; the embedded store must have counted the same."""
    if guest is None:
        return
    for key in COUNTERS:
        if host[key] != guest[key]:
            yield f"{key}: host {host[key]}, card {guest[key]}"


class Verdict:
    """Collects what is wrong, prints the first few of each comparison."""

    SHOWN = 3

    def __init__(self):
        self.failed = False

    def check(self, what, found):
        found = list(found)
        for line in found[:self.SHOWN]:
            print(f"{what}: {line}", file=sys.stderr)
        if len(found) > self.SHOWN:
            print(f"{what}: ... and {len(found) - self.SHOWN} more", file=sys.stderr)
        self.failed |= bool(found)
        return "yes" if not found else "NO"


def row_of(form, arguments, verdict):
    host = read_document(arguments.results / f"host-{form}.json")
    error = read_document(arguments.results / f"error-{form}.json")
    if host is None or error is None:
        sys.exit(1)
    equal = []
    for path in arguments.paths:
        guest = read_document(arguments.guest / f"guest-{form}-{path}.json")
        equal.append(verdict.check(f"{form} over {path}", differences(host, guest)))
        if path == "fetch":
            verdict.check(f"{form}: counters of the card", counter_differences(host, guest))
    saving = 1 - host["plane_lines"] / host["baseline_lines"]
    return [
        form,
        f"{host['link_bytes'] * 8 / host['elements']:.2f}",
        f"{host['link_bytes']:,}",
        f"{host['plane_lines']:,}",
        f"{saving * 100:+.1f} %",
        f"{error['relative_rms']:.5f}",
        f"{host['dram_time_ns'] / 1e6:.2f}",
        f"{host['dram_energy_pj'] / 1e9:.2f}",
        f"{host['link_time_ns'] / 1e6:.2f}",
        *equal,
    ]


HEADINGS = (
    ("", "bits a", "bytes", "64-byte lines", "saving", "weight", "modelled", "modelled", "modelled"),
    ("", "weight on", "over", "from plane", "against", "error", "DRAM time", "DRAM energy", "link time"),
    ("precision", "the link", "the link", "memory", "16 bits", "(rel. RMS)", "ms", "mJ", "ms"),
)


def print_table(rows, paths):
    top = [list(line) for line in HEADINGS]
    for line, word in zip(top, ("equal,", "by", None)):
        line.extend([word] * len(paths) if word else paths)
    table = top + rows
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]

    def line_of(row):
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        return "  ".join(cells)

    for row in top:
        print(line_of(row))
    print("  ".join("-" * width for width in widths))
    for row in rows:
        print(line_of(row))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=pathlib.Path, required=True, help="the host's results")
    parser.add_argument("--guest", type=pathlib.Path, required=True, help="the guest's results")
    parser.add_argument("--formats", nargs="+", required=True)
    parser.add_argument("--paths", nargs="+", required=True)
    arguments = parser.parse_args()

    verdict = Verdict()
    rows = [row_of(form, arguments, verdict) for form in arguments.formats]
    host = read_document(arguments.results / f"host-{arguments.formats[0]}.json")
    print(f"{len(host['tensors'])} tensors, {host['elements']:,} weights, stored once in the card; "
          "each row is one read of all of them.\n")
    print_table(rows, arguments.paths)
    print("\n'equal': every tensor's bytes are those of the embedded store on the host, whether the"
          "\nguest asked for them (fetch), loaded them from the CXL window (map) or from a cached map."
          "\nLines and bytes are counted where they are read; columns marked 'modelled' come from the"
          "\nmodel of DRAM and CXL link in controller/, not from a clock.")
    if verdict.failed:
        print("\nThe card and the embedded store do NOT agree, see above.", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
