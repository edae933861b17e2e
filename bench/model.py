#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Whole commands: a model is read at a precision from a store file, beside reading
a GGUF file of about as many bits a weight. Both files are in the page cache,
both outputs are /dev/null.

The model is the demo's (scripts/model). Google Benchmark's options."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

from timed_cases import Cases, smoke

ROOT = pathlib.Path(__file__).resolve().parent.parent
SQCTL = pathlib.Path(os.environ.get("SQ_BENCH_BUILD", ROOT / "build")) / "bin" / "sqctl"
FORMATS = ("mxint4", "mxint8", "native")


def run(*command, **options):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, **options).stdout


def sqctl(store, *arguments, threads=None):
    environment = dict(os.environ)
    if threads:
        environment["SMARTQUANT_THREADS"] = str(threads)
    return run(SQCTL, "--json", "--device", f"embedded:{store}", *arguments, env=environment)


def load_demo_model(store):
    """Loads the demo's model; returns its file, which is the peer's."""
    gguf = run(ROOT / "scripts" / "model", text=True).strip()
    sqctl(store, "--size", "1G", "load", gguf, "--name", "model")
    return gguf


def make_small_model(store):
    """Three regions of noise, and a file as long as they are at 5 bits."""
    for index in range(3):
        sqctl(store, "--size", "16M", "create", f"model/{index}", "--dtype", "bf16",
              "--shape", "64x1024")
        data = bytes(byte & 0xBF for byte in os.urandom(64 * 1024 * 2))
        run(SQCTL, "--device", f"embedded:{store}", "store", f"model/{index}", "-", input=data)
    path = f"{store}.gguf"
    pathlib.Path(path).write_bytes(bytes(3 * 64 * 1024 * 5 // 8))
    return path


def label_of(store, form, threads):
    cost = json.loads(sqctl(store, "read", "model/*", "--format", form, "-o", "/dev/null",
                            threads=threads))
    return (f"{cost['elements'] / 1e6:.1f} M weights, {cost['plane_lines'] * 64 / 1e6:.1f} MB of "
            f"planes, {cost['bytes'] / 1e6:.1f} MB out, {threads} threads, page cache warm")


def main():
    cases = Cases()
    with tempfile.TemporaryDirectory() as folder:
        store = f"{folder}/model.sqs"
        gguf = make_small_model(store) if smoke() else load_demo_model(store)
        gguf_label = f"cat of {os.path.getsize(gguf) / 1e6:.1f} MB (Q4_1, 5 bits a weight and more)"
        for threads in sorted({1, os.cpu_count() or 1}):
            for form in FORMATS:
                case = f"read.{form}.{threads}thread" + "s" * (threads > 1)
                cases.time(f"{case}/ours",
                           lambda form=form, threads=threads: sqctl(
                               store, "read", "model/*", "--format", form, "-o", "/dev/null",
                               threads=threads),
                           label=label_of(store, form, threads))
                cases.time(f"{case}/peer:cat-gguf-q4_1",
                           lambda: run("sh", "-c", 'cat -- "$1" >/dev/null', "sh", gguf),
                           label=gguf_label)
        return cases.run()


if __name__ == "__main__":
    sys.exit(main())
