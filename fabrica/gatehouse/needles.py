"""Where any of many texts stands in a file, in one pass over it.

The first eight bytes of a text are one number, and so are every eight bytes of a file: whether a text may begin at a
place is looked up in a sieve, and only where it may are the bytes compared. So it takes no longer to look for fifty
thousand texts than for one. A text is looked for as it stands and in the ways in which JSON and HTML write it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from fabrica.artefacts import spellings

__all__ = ["Needles", "Stand"]

WIDE = 8  #: bytes that are one number; no text is shorter
SIEVE = 24  #: bits of the places of a sieve
ODD = np.uint64(0x9E3779B97F4A7C15)  #: spreads numbers over the sieve (Knuth, vol. 3, 6.4)


class Stand(NamedTuple):
    """Where a text stands: from ``start`` to before ``end``, in bytes."""

    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Needles:
    """Texts that are looked for together: each spelling with its text, the lengths of the spellings that begin with a
    number, and the ``sieve`` of those numbers, (2**24,) bool."""

    texts: dict[bytes, str]
    lengths: dict[int, tuple[int, ...]]
    sieve: np.ndarray

    @classmethod
    def of(cls, texts: Iterable[str]) -> Needles:
        """Needles of some texts; those of fewer than eight bytes are left out.

        >>> needles = Needles.of(["Ouagadougou", "Köln am Rhein"])
        >>> [stand.text for stand in needles.standing(b'{"from": "K\\\\u00f6ln am Rhein"}')]
        ['Köln am Rhein']
        """
        spelled = {spelling: text for text in texts if len(text.encode()) >= WIDE for spelling in spellings(text)}
        lengths = defaultdict[int, set[int]](set)
        for spelling in spelled:
            lengths[int.from_bytes(spelling[:WIDE], "little")].add(len(spelling))
        sieve = np.zeros(1 << SIEVE, bool)
        sieve[_slots(np.array(list(lengths), np.uint64))] = True
        return cls(spelled, {first: tuple(some) for first, some in lengths.items()}, sieve)

    def standing(self, content: bytes) -> Iterator[Stand]:
        """Every place at which one of the texts stands, in no order."""
        for shift in range(min(WIDE, len(content) - WIDE + 1)) if self.texts else ():
            here = np.frombuffer(content, "<u8", (len(content) - shift) // WIDE, shift)
            for place in np.flatnonzero(self.sieve[_slots(here)]):
                start = shift + WIDE * int(place)
                for length in self.lengths.get(int(here[place]), ()):
                    if (text := self.texts.get(content[start:start + length])) is not None:
                        yield Stand(start, start + length, text)


def _slots(numbers: np.ndarray) -> np.ndarray:
    return (numbers * ODD) >> np.uint64(64 - SIEVE)
