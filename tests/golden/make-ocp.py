#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes ocp-mx.json: OCP MX conversions by an independent implementation.

PyPI's ml_dtypes does the arithmetic of the elements (nearest even); the shared
scale is that of OCP MX v1.0, 6.3: floor(log2 max) - emax, clamped, elements
beyond the largest normal saturate. Needs python3 with venv; the packages go
into a temporary environment unless they can be imported already. Writes
nothing but the file beside this script.

    tests/golden/make-ocp.py

ocp-mx.json: `values`, blocks of 32 fp32 values, and for each format `codes`
(one byte a code, not packed) and `scales`; little-endian hexadecimal.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

PACKAGES = ["numpy", "ml_dtypes==0.6.0"]

# format: element type, emax, largest normal
FORMATS = {
    "mxfp8_e4m3": ("float8_e4m3fn", 8, 448.0),
    "mxfp8_e5m2": ("float8_e5m2", 15, 57344.0),
    "mxfp6_e3m2": ("float6_e3m2fn", 4, 28.0),
    "mxfp6_e2m3": ("float6_e2m3fn", 2, 7.5),
    "mxfp4_e2m1": ("float4_e2m1fn", 2, 6.0),
}


def inputs(np):
    rng = np.random.default_rng(20240618)
    kinds = []
    for _ in range(12):
        kinds.append(rng.standard_normal(32) * 2.0 ** rng.integers(-20, 20))
        kinds.append(rng.standard_normal(32) * 2.0 ** rng.integers(-30, 30, 32))
        kinds.append(rng.integers(-64, 64, 32) * 2.0 ** rng.integers(-10, 10, 32))     # ties
        kinds.append(rng.standard_normal(32) * 2.0 ** rng.integers(-149, -115))        # clamped scale
        spread = 2.0 ** -rng.integers(0, 36, 32) * rng.choice([1, 1.5, 1.25, 1.75, -1, -1.5], 32)
        kinds.append(spread * 2.0 ** rng.integers(-60, 100))    # down to the last subnormal, and its half
    kinds += [np.zeros(32), -np.zeros(32), np.full(32, 3.4028234e38), np.array([1.0] + [-0.0] * 31)]
    return np.array(kinds).astype(np.float32)


def main():
    try:
        import ml_dtypes
        import numpy as np
    except ImportError:
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([sys.executable, "-m", "venv", folder], check=True)
            python = pathlib.Path(folder) / "bin" / "python"
            subprocess.run([python, "-m", "pip", "install", "-q", *PACKAGES], check=True)
            subprocess.run([python, __file__], check=True)
        return

    values = inputs(np)
    exact = values.astype(np.float64)
    largest = np.abs(exact).max(axis=1)
    floor_log2 = np.where(largest > 0, np.frexp(np.where(largest > 0, largest, 1.0))[1] - 1, -127)
    document = {"made_by": "make-ocp.py", "source": PACKAGES[1], "values": values.tobytes().hex(), "formats": []}
    for name, (element, emax, normal) in FORMATS.items():
        scale = np.clip(floor_log2 - emax, -127, 127)
        scaled = np.clip(np.ldexp(exact, -scale[:, None]), -normal, normal).astype(np.float32)
        codes = scaled.astype(getattr(ml_dtypes, element)).view(np.uint8)
        document["formats"].append({"name": name, "codes": codes.tobytes().hex(),
                                    "scales": (scale + 127).astype(np.uint8).tobytes().hex()})
    path = pathlib.Path(__file__).parent / "ocp-mx.json"
    path.write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
