"""Templates: texts of a fixed width whose slots are counted through in a stirred order, so that no two rows meet.

A row's number is written in the mixed radix of the slots and each group of slots is stirred by an affine permutation
(the linear congruential step of Lehmer, 1951) that a shift and the lower groups move, which is a permutation again.
When a template is used up, it grows by one digit and goes on.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

__all__ = ["DIGITS", "MOST", "ROOM", "SLOTS", "Template", "stirred", "strings", "templates"]

DIGITS, LOWER = "0123456789", "abcdefghijklmnopqrstuvwxyz"
SLOTS = {"#": DIGITS, "A": LOWER.upper(), "a": LOWER, "x": DIGITS + "abcdef", "?": DIGITS + LOWER.upper() + LOWER}
ROOM = 1 << 31  #: most values of one group of slots, so that products stay within 64 bits
MOST = {f"{sign}int{bits}": 2 ** min(bits - (not sign), 63) - 1 for sign in ("", "u") for bits in (8, 16, 32, 64)} | {
    "double": 2**53,
    "float": 2**24,
}  #: storage -> largest whole number


@dataclass(frozen=True)
class Template:
    """Fixed characters and slots: for each place the characters that may stand there.

    >>> t = Template.of("INV-###")
    >>> t.capacity, t.write(np.arange(2)).to_pylist()
    (1000, ['INV-755', 'INV-374'])
    """

    places: tuple[str, ...]

    @classmethod
    def of(cls, text: str, *, most: int | None = None) -> Template:
        r"""``#`` a digit, ``A`` and ``a`` letters, ``x`` hexadecimal, ``?`` a letter or a digit; a backslash before any
        character says that it stands for itself. A number is not above ``most`` and does not begin with a zero."""
        places = [m[1] or SLOTS.get(m[0], m[0]) for m in re.finditer(r"\\(.)|.", text, re.DOTALL)]
        if most is not None and set(places) == {DIGITS}:
            places = places[: len(str(most))]
            high = DIGITS[1 : int(str(most)[0])] if len(places) == len(str(most)) else DIGITS[1:]
            places = [high, *places[1:]] if high else [DIGITS[1:], *places[2:]]
        elif most is not None and len(places) > 1 and places[0] == DIGITS:  # such as 204446.0
            places[0] = DIGITS[1:]
        return cls(tuple(places))

    def fits(self, most: int | None) -> bool:
        """Whether all keys are numbers up to ``most``."""
        digits = len(self.places)
        return (
            most is None or digits < len(str(most)) or (digits == len(str(most)) and max(self.places[0]) < str(most)[0])
        )

    @property
    def capacity(self) -> int:
        """How many different keys there are."""
        return math.prod(len(p) for p in self.places)

    def wider(self) -> Template:
        """One more digit after the last slot (at the end if there is none)."""
        slots = [i for i, p in enumerate(self.places) if len(p) > 1]
        at = slots[-1] + 1 if slots else len(self.places)
        return Template((*self.places[:at], DIGITS, *self.places[at:]))

    def write(self, rows: np.ndarray, shift: int = 0) -> pa.Array:
        """(n,) strings for the row numbers (n,) int64, all below the capacity; ``shift`` chooses among orders."""
        return strings(self.points(rows, shift))

    def points(self, rows: np.ndarray, shift: int = 0) -> np.ndarray:
        """(n, width) the code points of what ``write`` writes."""
        points = np.tile(np.array([ord(place[0]) for place in self.places], np.uint32), (len(rows), 1))
        slots = [i for i, place in enumerate(self.places) if len(place) > 1]
        digits = stirred(rows, [len(self.places[i]) for i in slots], shift)
        for at, i in enumerate(slots):
            points[:, i] = _alphabet(self.places[i])[digits[:, at]]
        return points


def stirred(rows: np.ndarray, sizes: Sequence[int], shift: int = 0) -> np.ndarray:
    """(n, slots) digits of the numbers (n,) in a stirred order: no two numbers below the product of ``sizes`` share
    all of them.

    >>> sorted(map(tuple, stirred(np.arange(6), [2, 3]).tolist()))
    [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)]
    """
    digits = np.zeros((len(rows), len(sizes)), np.int64)
    left, low = rows.astype(np.uint64), np.zeros(len(rows), np.uint64)
    for group in _groups(sizes):
        size = math.prod(sizes[i] for i in group)
        left, here = np.divmod(left, np.uint64(size))
        begin = np.uint64((round(size * 0.7548776662) + shift) % size)
        number = (here * np.uint64(_stride(size)) + low + begin) % np.uint64(size)
        low = (low * np.uint64(31) + number * np.uint64(2_654_435_761)) % np.uint64(ROOM)
        for i in group:
            number, digit = np.divmod(number, np.uint64(sizes[i]))
            digits[:, i] = digit.astype(np.int64)
    return digits


def _groups(sizes: Sequence[int]) -> list[list[int]]:
    """Slots from right to left, joined while their product stays below ``ROOM``."""
    groups: list[list[int]] = []
    size = ROOM
    for i in reversed(range(len(sizes))):
        if size * sizes[i] > ROOM:
            groups.append([])
            size = 1
        groups[-1].append(i)
        size *= sizes[i]
    return groups


def _stride(size: int) -> int:
    """A multiplier without a common factor with ``size``, near its golden section."""
    stride = max(1, round(size * 0.6180339887))
    while math.gcd(stride, size) != 1:
        stride += 1
    return stride


def _alphabet(place: str) -> np.ndarray:
    return np.array([ord(c) for c in place], np.uint32)


def strings(points: np.ndarray) -> pa.Array:
    """(n, width) code points as n strings of that width; plain ASCII goes without a copy."""
    rows, width = points.shape
    if not width or not rows:
        return pa.array([""] * rows, pa.string())
    if points.max() < 128 and rows * width < 2**31 - 1:
        starts = np.arange(rows + 1, dtype=np.int32) * np.int32(width)
        data = np.ascontiguousarray(points, np.uint8)
        return pa.StringArray.from_buffers(rows, pa.py_buffer(starts), pa.py_buffer(data))
    return pa.array(np.ascontiguousarray(points, np.uint32).view(f"U{width}")[:, 0].tolist(), pa.string())


def templates(first: Template, rows: np.ndarray, shift: int, most: int | None = None) -> pa.Array:
    """Keys of a template, which grows where it is used up; ``OverflowError`` where it may not grow beyond ``most``."""
    pieces: list[pa.Array] = []
    template, start = first, 0
    while len(rows):
        if not template.fits(most):
            raise OverflowError
        stop = start + template.capacity
        here = int(np.searchsorted(rows, min(stop, 2**63 - 1)))
        if here:
            pieces.append(template.write(rows[:here] - start, shift))
        rows, template, start = rows[here:], template.wider(), stop
    return pa.concat_arrays(pieces) if pieces else pa.array([], pa.string())
