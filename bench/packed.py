#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Peers of coding packed that are Python packages: whole-tensor codecs for
weights, on the bf16 and fp32 weights of all-MiniLM-L6-v2, one thread. They have
no precision access: what is read is everything. Cases of ours are in packed.cpp.
Google Benchmark's options."""

import array
import importlib.util
import json
import os
import pathlib
import sys
import tempfile
import types

from timed_cases import Cases, peer, skip, smoke


class Anything:
    """Takes the place of what a package imports and then does not use for bytes."""

    def __getattr__(self, name):
        return self

    def __call__(self, *arguments, **_):
        return arguments[0] if arguments else self


class Absent(types.ModuleType):
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Anything()


def tensors_of(path):
    """Name to (shape, fp32 bytes) of a safetensors file."""
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8:8 + length])
    return {name: (entry["shape"], data[8 + length + entry["data_offsets"][0]:
                                        8 + length + entry["data_offsets"][1]])
            for name, entry in header.items() if entry.get("dtype") == "F32"}


def to_bf16(data):
    """Nearest even; no NaN among the weights."""
    words = array.array("I", data)
    return array.array("H", (x + 0x7fff + (x >> 16 & 1) >> 16 & 0xffff for x in words)).tobytes()


def write_safetensors(path, dtype, tensors):
    header, at = {}, 0
    for name, (shape, data) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [at, at + len(data)]}
        at += len(data)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        file.writelines(data for _, data in tensors.values())


def add_zipnn(cases, data, weights, label):
    absent = {name for name in ("numpy", "torch", "safetensors")
              if importlib.util.find_spec(name) is None}
    for name in ("numpy", "torch", "safetensors", "safetensors.torch"):
        if name.partition(".")[0] in absent:
            sys.modules[name] = Absent(name)
    sys.path.insert(0, peer("zipnn"))
    import zipnn
    for dtype, kind in (("bf16", "bfloat16"), ("fp32", "float32")):
        codec = zipnn.ZipNN(input_format="byte", bytearray_dtype=kind, threads=1)
        coded = codec.compress(bytearray(data[dtype]))
        if bytes(codec.decompress(coded)) != data[dtype]:
            raise RuntimeError(f"zipnn does not give {dtype} back")
        cases.value(f"packed.size.{dtype}/peer:zipnn", lambda coded=coded: len(coded) * 8 / weights,
                    unit="bits_per_weight", label=label)
        if dtype == "bf16":
            cases.time("packed.read.native/peer:zipnn",
                       lambda codec=codec, coded=coded: codec.decompress(coded), label=label)


def add_lmzip(cases, folder, files, weights, label):
    sys.path.insert(0, peer("lmzip"))
    import lmz
    for dtype, file in files.items():
        coded, back = folder / f"{dtype}.lmz", folder / f"{dtype}.back"
        lmz.compress(str(file), str(coded))
        lmz.decompress(str(coded), str(back), workers=1)
        if back.read_bytes() != file.read_bytes():
            raise RuntimeError(f"lmzip does not give {dtype} back")
        cases.value(f"packed.size.{dtype}/peer:lmzip",
                    lambda coded=coded: coded.stat().st_size * 8 / weights,
                    unit="bits_per_weight", label=label)
    cases.time("packed.read.native/peer:lmzip",
               lambda: lmz.decompress(str(folder / "bf16.lmz"), str(folder / "again"),
                                      workers=1, overwrite=True),
               label=label + ", from file to file in memory")


def main():
    if smoke() or not peer("minilm") or not (peer("zipnn") or peer("lmzip")):
        skip("needs the peers zipnn or lmzip and the model (scripts/bench brings them)")
    tensors = tensors_of(pathlib.Path(peer("minilm")) / "model.safetensors")
    halves = {name: (shape, to_bf16(data)) for name, (shape, data) in tensors.items()}
    data = {dtype: b"".join(value for _, value in some.values())
            for dtype, some in (("bf16", halves), ("fp32", tensors))}
    weights = len(data["bf16"]) // 2
    label = f"all-MiniLM-L6-v2, {weights / 1e6:.1f} M weights, 1 thread"
    memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
    with tempfile.TemporaryDirectory(dir=memory) as name:
        folder, cases = pathlib.Path(name), Cases()
        if peer("zipnn"):
            add_zipnn(cases, data, weights, label)
        if peer("lmzip"):
            files = {"bf16": folder / "bf16.safetensors", "fp32": folder / "fp32.safetensors"}
            write_safetensors(files["bf16"], "BF16", halves)
            write_safetensors(files["fp32"], "F32", tensors)
            add_lmzip(cases, folder, files, weights, label)
        return cases.run()


if __name__ == "__main__":
    sys.exit(main())
