#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A second witness for ggml-quantize.json and ggml-dequantize.json.

Compares what ggml's C code gave (make-ggml.py) with the numpy quantisers and
dequantisers of PyPI's gguf package, which were written apart from it. Needs
python3 with venv; the packages go into a temporary environment unless they can
be imported already. Writes nothing; exit status 1 when something differs.

    tests/golden/check-gguf.py
"""
import json
import pathlib
import subprocess
import sys
import tempfile

PACKAGES = ["numpy==2.2.6", "gguf==0.19.0"]


def blocks_that_differ(np, ours, theirs, block):
    return int((ours.reshape(-1, block) != theirs.reshape(-1, block)).any(axis=1).sum())


def check_quantize(np, gguf, document):
    values = np.frombuffer(bytes.fromhex(document["values"]), np.float32).reshape(-1, 32)
    # Of a block of zeros the sign of q4_0's scale, a zero too, is arbitrary.
    usual = (values != 0).any(axis=1)
    differ = 0
    for name in ("q8_0", "q4_0", "mxfp4"):
        kind = gguf.GGMLQuantizationType[name.upper()]
        golden = np.frombuffer(bytes.fromhex(document[name]), np.uint8).reshape(len(values), -1)
        witness = gguf.quants.quantize(values[usual], kind)
        count = blocks_that_differ(np, golden[usual], witness, golden.shape[1])
        print(f"quantize {name}: {count} of {int(usual.sum())} blocks differ")
        differ += count
    return differ


def check_dequantize(np, gguf, document):
    differ = 0
    for entry in document["types"]:
        kind = gguf.GGMLQuantizationType[entry["name"].upper()]
        elements, size = gguf.GGML_QUANT_SIZES[kind]
        blocks = np.frombuffer(bytes.fromhex(entry["blocks"]), np.uint8).reshape(-1, size)
        golden = np.frombuffer(bytes.fromhex(entry["values"]), np.float32)
        witness = gguf.quants.dequantize(blocks, kind).reshape(-1)
        count = blocks_that_differ(np, golden, witness, elements)
        print(f"dequantize {entry['name']}: {count} of {len(blocks)} blocks differ")
        differ += count
    return differ


def main():
    try:
        import gguf
        import numpy as np
    except ImportError:
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([sys.executable, "-m", "venv", folder], check=True)
            python = pathlib.Path(folder) / "bin" / "python"
            subprocess.run([python, "-m", "pip", "install", "-q", *PACKAGES], check=True)
            sys.exit(subprocess.run([python, __file__]).returncode)

    here = pathlib.Path(__file__).parent
    load = lambda name: json.loads((here / name).read_text())
    with np.errstate(all="ignore"):
        differ = check_quantize(np, gguf, load("ggml-quantize.json"))
        differ += check_dequantize(np, gguf, load("ggml-dequantize.json"))
    sys.exit(1 if differ else 0)


if __name__ == "__main__":
    main()
