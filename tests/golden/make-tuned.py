#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes tuned.json: regions of placement tuned, by docs/formats.md section 8.

Written from that page alone, with exact fractions where it speaks of values
and doubles where it speaks of sums; shares no code with controller/. Needs
python3 and nothing else; writes nothing but the file beside this script.

    tests/golden/make-tuned.py

tuned.json: for each case dtype, shape, `importance` (of each column, fp32;
empty for none), `words` (row-major), `levels` (fp32, by width), `formats` (the
bytes that a read of all rows delivers) and `escapes`; little-endian
hexadecimal.
"""
import json
import pathlib
import random
import struct
from fractions import Fraction

GRID = 4096
PLACES = 2 * GRID
CELLS = 256
GROUP = 32
COARSE = 256
ROUNDS_MAX = 64

# name: exponent bits, fraction bits, bits of the rank
DTYPES = {"bf16": (8, 7, 5), "fp16": (5, 10, 8), "fp32": (8, 23, 21)}


def to_fp32(value):
    return struct.unpack("<f", struct.pack("<f", value))[0]


def word_bytes(dtype):
    return 4 if dtype == "fp32" else 2


def value_of(dtype, word):
    """The exact value of a finite word."""
    exponent_bits, fraction_bits, _ = DTYPES[dtype]
    bias = (1 << exponent_bits - 1) - 1
    field = word >> fraction_bits & (1 << exponent_bits) - 1
    fraction = word & (1 << fraction_bits) - 1
    significand = fraction if field == 0 else fraction + (1 << fraction_bits)
    power = max(field, 1) - bias - fraction_bits
    value = Fraction(significand) * Fraction(2) ** power
    return -value if word >> exponent_bits + fraction_bits else value


def magnitude(dtype, word):
    return word & (1 << 8 * word_bytes(dtype) - 1) - 1


def word_at_least(dtype, value):
    """The smallest magnitude word of at least a value >= 0."""
    low, high = 0, (1 << 8 * word_bytes(dtype) - 1) - 1
    exponent_bits, fraction_bits, _ = DTYPES[dtype]
    high = ((1 << exponent_bits) - 1) << fraction_bits      # infinity
    while low < high:
        middle = (low + high) // 2
        if value_of(dtype, middle) >= value:
            high = middle
        else:
            low = middle + 1
    return low


def scale_of(dtype, words):
    """The group's scale as a 16-bit word, and the dtype of that."""
    largest = max(magnitude(dtype, word) for word in words)
    first = next(word for word in words if magnitude(dtype, word) == largest)
    if dtype != "fp32":
        return first
    up = min(largest + 0xffff >> 16, 0x7f7f)
    return up | first >> 31 << 15


def scale_dtype(dtype):
    return "fp16" if dtype == "fp16" else "bf16"


# ------------------------------------------------------------- the codebook

def histogram(dtype, groups, importance):
    weight, moment = [0.0] * (PLACES + 1), [0.0] * (PLACES + 1)
    for column, words in groups:
        values = [float(value_of(dtype, word)) for word in words]
        scale = 0.0
        for value in values:
            if value * value > scale * scale:
                scale = value
        if not scale * scale > 0.0:
            continue
        for i, value in enumerate(values):
            x = value / scale
            place = min(int((x + 1.0) * GRID), PLACES - 1)
            w = scale * scale
            if importance:
                w *= importance[column + i] if column + i < len(importance) else 0.0
            weight[place] += w
            moment[place] += w * x
    return weight, moment


class Sums:
    def __init__(self, weight, moment):
        self.weight, self.moment = self.before(weight), self.before(moment)

    @staticmethod
    def before(numbers):
        sums, total = [], 0.0
        for number in numbers:
            sums.append(total)
            total += number
        return sums

    def gain(self, start, end):
        weight = self.weight[end] - self.weight[start]
        moment = self.moment[end] - self.moment[start]
        return moment * moment / weight if weight > 0.0 else 0.0

    def mean(self, start, end):
        weight = self.weight[end] - self.weight[start]
        moment = self.moment[end] - self.moment[start]
        return moment / weight if weight > 0.0 else (start + end) / PLACES - 1.0


def first_cuts(sums):
    """The best 8 cells on 256 places; of equally good ones the least cuts."""
    step = PLACES // COARSE
    best = [sums.gain(0, to * step) for to in range(COARSE + 1)]
    origin = [[0] * (COARSE + 1)]
    for _ in range(1, 8):
        row, next_best = list(range(COARSE + 1)), best[:]
        for to in range(1, COARSE + 1):
            for at in range(to):
                gain = best[at] + sums.gain(at * step, to * step)
                if gain > next_best[to]:
                    next_best[to], row[to] = gain, at
        best = next_best
        row[0] = 0
        origin.append(row)
    cuts, end = [0] * 9, COARSE
    for cell in range(8, 0, -1):
        cuts[cell] = end * step
        end = origin[cell - 1][end]
    return cuts


def lloyd(sums, cuts):
    for _ in range(ROUNDS_MAX):
        new = cuts[:]
        for c in range(1, 8):
            middle = (sums.mean(cuts[c - 1], cuts[c]) + sums.mean(cuts[c], cuts[c + 1])) / 2
            new[c] = int((middle + 1.0) * GRID + 0.5)
        changed, cuts = new != cuts, new
        if not changed:
            break
    return cuts


def best_cut(sums, start, end):
    best = start + (end - start) // 2
    most = sums.gain(start, best) + sums.gain(best, end)
    for cut in range(start + 1, end):
        gain = sums.gain(start, cut) + sums.gain(cut, end)
        if gain > most:
            most, best = gain, cut
    return best


def codebook(dtype, groups, importance):
    """The 257 cuts from -4096 to 4096, and the levels of each width."""
    weight, moment = histogram(dtype, groups, importance)
    if not sum(weight) > 0.0:
        weight = [1.0] * PLACES + [0.0]
        moment = [(i + 0.5) / GRID - 1.0 for i in range(PLACES)] + [0.0]
    sums = Sums(weight, moment)
    first = lloyd(sums, first_cuts(sums))
    cuts = [0] * (CELLS + 1)
    for c, cut in enumerate(first):
        cuts[32 * c] = cut
    step = 32
    while step > 1:
        for c in range(0, CELLS, step):
            start, end = cuts[c], cuts[c + step]
            if step == 2 and start < GRID < end:
                cuts[c + 1] = GRID
            else:
                cuts[c + step // 2] = best_cut(sums, start, end)
        step //= 2
    levels = {}
    for bits in range(2, 9):
        width = CELLS >> bits
        levels[bits] = [to_fp32(sums.mean(cuts[c], cuts[c + width])) for c in range(0, CELLS, width)]
    return [cut - GRID for cut in cuts], levels


# ------------------------------------------------------------------- coding

def cell_of(cuts, x):
    """A cell's end that is nearer to 0 belongs to it, and so do -1 and 1."""
    for c in range(CELLS):
        low, high = Fraction(cuts[c], GRID), Fraction(cuts[c + 1], GRID)
        if low == high:
            continue
        if cuts[c] < 0:
            if low < x <= high or (x == -1 and low == -1):
                return c
        elif low <= x < high or (x == 1 and high == 1):
            return c
    raise ValueError(x)


def encode(dtype, cuts, words):
    """Cells, ranks (None: an escape) and the scale of a group."""
    rank_bits = DTYPES[dtype][2]
    sign_bit = 8 * word_bytes(dtype) - 1
    scale = scale_of(dtype, words)
    whole = value_of(scale_dtype(dtype), scale)
    small = abs(whole) < Fraction(1, 2 ** 100)
    cells, ranks = [], []
    for word in words:
        size = abs(value_of(dtype, word))
        below = word >> sign_bit != scale >> 15
        x = size / abs(whole) if whole else Fraction(0)
        # 0 has a sign, too: which of the two cells beside 0 it is in.
        if x == 0:
            zero = next(c for c in range(CELLS + 1) if cuts[c] == 0)
            if below:
                cell = max(c for c in range(zero) if cuts[c] < cuts[c + 1])
            else:
                cell = min(c for c in range(zero, CELLS) if cuts[c] < cuts[c + 1])
        else:
            cell = cell_of(cuts, -x if below else x)
        low, high = cuts[cell], cuts[cell + 1]
        outer = Fraction(-low if low < 0 else high, GRID)
        beside_zero = 0 in (low, high)
        cells.append(cell)
        if beside_zero and size == 0:
            ranks.append((1 << rank_bits) - 1)
            continue
        behind = word_at_least(dtype, outer * abs(whole)) + (outer == 1)
        rank = behind - 1 - magnitude(dtype, word)
        fits = 0 <= rank < (1 << rank_bits) - beside_zero and not small
        ranks.append(rank if fits else None)
    return cells, ranks, scale


def bit_rows(rows, bits):
    """Little-endian bit streams, each row padded to a byte."""
    out = b""
    for row in rows:
        number = sum((code & (1 << bits) - 1) << bits * i for i, code in enumerate(row))
        out += number.to_bytes((len(row) * bits + 7) // 8, "little")
    return out


def make_case(dtype, rows, cols, words, importance=()):
    padded = [words[r * cols:(r + 1) * cols] + [0] * (-cols % GROUP) for r in range(rows)]
    groups = [(c, row[c:c + GROUP]) for row in padded for c in range(0, len(row), GROUP)]
    cuts, levels = codebook(dtype, groups, importance)
    cells, ranks, scales = [], [], []
    row_groups = len(padded[0]) // GROUP
    for i, (_, group) in enumerate(groups):
        if i % row_groups == 0:
            cells.append([])
            ranks.append([])
        c, r, scale = encode(dtype, cuts, group)
        cells[-1] += c
        ranks[-1] += r
        scales.append(scale)
    scale_bytes = b"".join(struct.pack("<H", scale) for scale in scales)
    formats = {}
    for bits in range(2, 9):
        codes = bit_rows([[cell >> 8 - bits for cell in row[:cols]] for row in cells], bits)
        formats[f"tuned{bits}"] = codes + scale_bytes
    rank_bits = DTYPES[dtype][2]
    planes = b""
    for plane in range(8 + rank_bits):
        if plane < 8:
            bits = [[cell >> 7 - plane for cell in row] for row in cells]
        else:
            bits = [[(rank or 0) >> rank_bits - 1 - (plane - 8) for rank in row] for row in ranks]
        planes += bit_rows(bits, 1)
    formats[f"planes{8 + rank_bits}"] = planes + scale_bytes
    return {
        "dtype": dtype, "rows": rows, "cols": cols,
        "importance": struct.pack(f"<{len(importance)}f", *importance).hex(),
        "words": b"".join(word.to_bytes(word_bytes(dtype), "little") for word in words).hex(),
        "levels": {str(bits): struct.pack(f"<{1 << bits}f", *levels[bits]).hex() for bits in levels},
        "formats": {name: data.hex() for name, data in formats.items()},
        "escapes": sum(rank is None for row in ranks for rank in row),
    }


# --------------------------------------------------------------------- data

def word_of(dtype, value):
    if dtype == "fp16":
        return struct.unpack("<H", struct.pack("<e", value))[0]
    word = struct.unpack("<I", struct.pack("<f", value))[0]
    return word if dtype == "fp32" else word >> 16


def gaussian(rng, dtype, count, spread=0.05):
    return [word_of(dtype, rng.gauss(0, spread)) for _ in range(count)]


def mixed(rng, dtype, count):
    """Zeros of both signs, outliers, powers of two, tiny groups."""
    words = []
    for i in range(count):
        tiny = 2.0 ** (-20 if dtype == "fp16" else -120) if i // GROUP % 4 == 3 else 1.0
        kind = rng.randrange(6)
        value = [0.0, -0.0, rng.gauss(0, 1), 2.0 ** -rng.randrange(12),
                 -2.0 ** -rng.randrange(12), 60.0 * rng.random()][kind]
        words.append(word_of(dtype, value * tiny))
    return words


def main():
    rng = random.Random(20240619)
    cases = []
    for dtype in DTYPES:
        cases.append(make_case(dtype, 6, 100, gaussian(rng, dtype, 600)))
        cases.append(make_case(dtype, 5, 64, mixed(rng, dtype, 320)))
        cases.append(make_case(dtype, 2, 33, [0] * 66))
        importance = [to_fp32(rng.random() ** 4) for _ in range(70)]
        cases.append(make_case(dtype, 8, 70, gaussian(rng, dtype, 560), importance))
    document = {"made_by": "make-tuned.py", "cases": cases}
    path = pathlib.Path(__file__).parent / "tuned.json"
    path.write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
