#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes ggml-quantize.json and ggml-dequantize.json with ggml itself.

Fetches the source archive of llama-cpp-python (pip download, hash checked),
takes out ggml's quants file, compiles it alone with the C compiler at hand
(plain -O2: no fused multiply-add), calls its reference quantisers and
dequantisers, and writes what they give. Needs python3, pip and cc; works in a
temporary folder and writes nothing but the two files beside this script.

    tests/golden/make-ggml.py [--archive llama_cpp_python-0.3.36.tar.gz]

ggml-quantize.json    blocks of 32 fp32 values and the block structs of q8_0,
                      q4_0 and mxfp4
ggml-dequantize.json  for each block type: block structs (random bytes, finite
                      scales) and the fp32 values they stand for
All bytes are little-endian, in hexadecimal.
"""
import argparse
import ctypes
import hashlib
import json
import math
import pathlib
import random
import struct
import subprocess
import sys
import tarfile
import tempfile

PACKAGE = "llama-cpp-python==0.3.36"
SHA256 = "832db0699007f1be95a7e41ef12e88926b02ba836461e36a36372db2760c1a2e"
GGML = "/vendor/llama.cpp/ggml/"

# What ggml's quants file calls elsewhere; none of it is reached from here.
STUBS = """
#include <stdlib.h>
void ggml_abort(void) { abort(); }
void ggml_row_size(void) { abort(); }
void ggml_type_name(void) { abort(); }
void ggml_type_size(void) { abort(); }
"""

# name, elements of a block, bytes of a block, offsets of half-precision scales
TYPES = [
    ("q4_0", 32, 18, [0]), ("q4_1", 32, 20, [0, 2]), ("q5_0", 32, 22, [0]),
    ("q5_1", 32, 24, [0, 2]), ("q8_0", 32, 34, [0]), ("mxfp4", 32, 17, []),
    ("q2_K", 256, 84, [80, 82]), ("q3_K", 256, 110, [108]), ("q4_K", 256, 144, [0, 2]),
    ("q5_K", 256, 176, [0, 2]), ("q6_K", 256, 210, [208]),
]
QUANTISERS = {"q8_0": 34, "q4_0": 18, "mxfp4": 17}


def to_fp32(values):
    return struct.pack(f"<{len(values)}f", *values)


def bits_to_fp32(bits):
    return struct.unpack("<f", struct.pack("<I", bits))[0]


def finite_bits(rng):
    bits = rng.getrandbits(32)
    return bits if bits >> 23 & 255 != 255 else bits ^ 1 << 30


def quantizer_inputs(rng):
    """Blocks of 32: each kind stresses another step of the arithmetic."""
    two = lambda low, high: 2.0 ** rng.randint(low, high)
    blocks = [[0.0] * 32, [-0.0] * 32, [1.0] + [0.0] * 31, [-1e30] + [1e-30] * 31]
    for _ in range(24):
        s = two(-20, 10)
        blocks.append([rng.gauss(0, 1) * s for _ in range(32)])
        s = two(-130, 100)
        blocks.append([rng.gauss(0, 1) * s for _ in range(32)])
        s = two(-12, 12)    # values on and beside the ties of all three types
        blocks.append([rng.randint(-254, 254) * 0.5 * s for _ in range(32)])
        blocks.append([rng.randint(-127, 127) * two(-20, 20) for _ in range(32)])
        blocks.append([bits_to_fp32(finite_bits(rng)) for _ in range(32)])
        blocks.append([bits_to_fp32(rng.getrandbits(32) & 0x80ffffff) for _ in range(32)])
        # a maximum right below a power of two, where log2f() rounds up
        below = struct.unpack("<I", struct.pack("<f", two(-40, 60)))[0] - rng.randint(1, 50)
        top = bits_to_fp32(below)
        blocks.append([top] + [rng.uniform(-top, top) for _ in range(31)])
    for block in blocks[4::3]:
        rng.shuffle(block)
    return b"".join(to_fp32(block) for block in blocks)


def random_blocks(rng, name, size, halves, count):
    blocks = []
    for _ in range(count):
        block = bytearray(rng.getrandbits(8) for _ in range(size))
        for offset in halves:
            while block[offset + 1] & 0x7c == 0x7c:     # infinity and NaN
                block[offset + 1] = rng.getrandbits(8)
        blocks.append(bytes(block))
    if name == "mxfp4":     # both ends of the scale
        blocks[0] = bytes([0]) + blocks[0][1:]
        blocks[1] = bytes([1]) + blocks[1][1:]
        blocks[2] = bytes([250]) + blocks[2][1:]
    return b"".join(blocks)


def fetch(folder):
    subprocess.run([sys.executable, "-m", "pip", "download", "--no-deps", "--no-binary", ":all:",
                    "-q", "-d", folder, PACKAGE], check=True)
    return next(pathlib.Path(folder).glob("*.tar.gz"))


def build(archive, folder):
    if hashlib.sha256(archive.read_bytes()).hexdigest() != SHA256:
        raise SystemExit(f"{archive}: not the archive of {PACKAGE} (sha256 {SHA256})")
    with tarfile.open(archive) as tar:
        for member in tar:
            name = member.name.partition(GGML)[2]
            if member.isfile() and (name.endswith(".h") or name == "src/ggml-quants.c"):
                target = folder / name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(tar.extractfile(member).read())
    (folder / "stubs.c").write_text(STUBS)
    library = folder / "libquants.so"
    subprocess.run(["cc", "-O2", "-fPIC", "-shared", "-w", f"-I{folder}/include", f"-I{folder}/src",
                    folder / "src/ggml-quants.c", folder / "stubs.c", "-o", library, "-lm"], check=True)
    return ctypes.CDLL(str(library))


def call(function, source, result_bytes, elements):
    result = ctypes.create_string_buffer(result_bytes)
    function(ctypes.c_char_p(source), result, ctypes.c_int64(elements))
    return result.raw


def main():
    parser = argparse.ArgumentParser(description="Makes ggml-quantize.json and ggml-dequantize.json.")
    parser.add_argument("--archive", type=pathlib.Path, help="the source archive, when it is here already")
    options = parser.parse_args()
    here = pathlib.Path(__file__).parent
    rng = random.Random(20240617)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        quants = build(options.archive or fetch(folder), folder)

        values = quantizer_inputs(rng)
        blocks = len(values) // 128
        document = {"made_by": "make-ggml.py", "source": PACKAGE, "values": values.hex()}
        for name, size in QUANTISERS.items():
            function = getattr(quants, f"quantize_row_{name}_ref")
            document[name] = call(function, values, blocks * size, blocks * 32).hex()
        (here / "ggml-quantize.json").write_text(json.dumps(document, indent=1) + "\n")

        document = {"made_by": "make-ggml.py", "source": PACKAGE, "types": []}
        for name, elements, size, halves in TYPES:
            count = 6 if elements == 256 else 12
            data = random_blocks(rng, name, size, halves, count)
            function = getattr(quants, f"dequantize_row_{name}")
            result = call(function, data, count * elements * 4, count * elements)
            assert not any(math.isnan(v) for v, in struct.iter_unpack("<f", result))
            document["types"].append({"name": name.lower(), "blocks": data.hex(), "values": result.hex()})
        (here / "ggml-dequantize.json").write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
