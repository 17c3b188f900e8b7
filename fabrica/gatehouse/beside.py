"""What few people hold, looked for in the files beside a twin: model, schema, reports, ledger.

A text of some length is nobody else's, so it is looked for wherever it may stand, all of them in one pass
(``gatehouse/needles.py``). Any text, however short, is looked for where it stands for itself: among the keys, values
and entries of JSON files and models; a short one stands within others by nature. A number is looked for where it has
so many digits that none equals it by chance, among the numbers of all files and arrays. What many people hold in
another column, a column's name and the words that fabrica writes itself are no trace, nor is what stands within one of
those, whole or cut as a page cuts it; and what was not looked for is counted and told.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np

from fabrica.artefacts import NAME, opened
from fabrica.errors import InputError
from fabrica.gatehouse.needles import Needles, Stand
from fabrica.gatehouse.own import written
from fabrica.gatehouse.rare import LONG, Rare

__all__ = ["Beside", "beside"]

SHOWN = 80  #: letters of a label on a page, at most
DIGITS = 6  #: of a number that no other one equals by chance
_NUMBER = re.compile(rb"-?\d+(?:,\d{3})*(?:\.\d+)?(?:[eE][-+]?\d+)?")


@dataclass(frozen=True)
class Beside:
    """Parameters
    ----------
    found : files in which something of few people stands, and how much. looked : how many values were looked for.
    left : why others were not -> how many.
    """

    found: tuple[str, ...] = ()
    looked: int = 0
    left: Mapping[str, int] = field(default_factory=dict)


def beside(files: Sequence[Path], few: Rare, names: Iterable[str]) -> Beside:
    """Look for what few people hold in some files.

    Parameters
    ----------
    few : with the words and numbers of few people, and what many hold. names : of the table and its columns.

    Raises
    ------
    InputError : a file cannot be read; what was not looked at is not said to be clean.

    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "schema.json"
    >>> _ = file.write_text('{"why": "to Oslo", "levels": ["Rome", "Bonn"]}')
    >>> beside([file], Rare(words=("Oslo", "Bonn")), ["town"]).found
    ('1 of them in schema.json',)
    """
    sought = _Sought.of(few, names)
    found: dict[str, set[str | float]] = {file.name: set() for file in files}
    for place, content in opened(files):
        if not place.startswith(NAME):
            found[place.split(":")[0]].update(sought.standing(place, content))
    left = {"words that stand for something else too": sum(word in sought.common for word in few.words),
            "words that fabrica writes too, but as entries of lists": sum(word in sought.own for word in few.words),
            f"moments, and numbers of fewer than {DIGITS} digits": few.looked - len(few.words) - sought.many}
    return Beside(tuple(_said(name, some, few.column) for name, some in found.items() if some),
                  few.looked - sum(left.values()), {why: count for why, count in left.items() if count})


def _said(file: str, some: set[str | float], column: Mapping[str | float, str]) -> str:
    """How many values stand in a file, and of which columns."""
    names = ", ".join(map(repr, sorted({column[one] for one in some if one in column})))
    return f"{len(some):,} of them in {file}{f' (of {names})' if names else ''}"


@dataclass(frozen=True)
class _Sought:
    """What is looked for: ``words`` that are no ``common`` ones, those of them that fabrica writes too (``own``), the
    long ones among what else may hold them (``needles``), and (n,) different ``numbers`` of ``many``."""

    words: frozenset[str]
    common: frozenset[str]
    own: frozenset[str]
    long: frozenset[str]
    needles: Needles
    numbers: np.ndarray
    many: int

    @classmethod
    def of(cls, few: Rare, names: Iterable[str]) -> _Sought:
        common = frozenset({*few.common, *names})
        words = frozenset(few.words) - common
        own = words & written()
        long = frozenset(word for word in words - own if len(word) >= LONG)
        holders = _holding(Needles.of(long), sorted({*common, *map(_line, common), *written()}))
        needles = Needles.of([*long, *holders, *(one for text in holders for one in _cut(text))])
        far = [number for number in few.numbers if _told(number)]
        return cls(words, common, own, long, needles, np.unique(np.array(far, float)), len(far))

    def standing(self, place: str, content: bytes | np.ndarray) -> Iterator[str | float]:
        if isinstance(content, np.ndarray):
            if content.dtype.kind in "iuf" and len(self.numbers):
                near = self.numbers.astype(content.dtype) if content.dtype.kind == "f" else self.numbers
                yield from self.numbers[np.isin(near, content)]
            return
        yield from self._within(content)
        if place.endswith(".json"):
            plain = _plain(content, place)
            yield from self.words.intersection(_entries(plain))
            yield from (self.words - self.own).intersection(_named(plain))
        if place.endswith((".json", ".html")):
            yield from _spelled(content, self.numbers)

    def _within(self, content: bytes) -> Iterator[str]:
        """The long words that stand anywhere, but within what may hold them."""
        stands = sorted(self.needles.standing(content))
        reach = 0  # the end of the texts that may hold words and began so far
        for _, several in groupby(stands, attrgetter("start")):
            here = list[Stand](several)
            reach = max([reach, *(one.end for one in here if one.text not in self.long)])
            yield from (one.text for one in here if one.text in self.long and one.end > reach)


def _line(text: str) -> str:
    """A text as a page shows it, its blanks single."""
    return " ".join(text.split())


def _cut(text: str) -> Iterator[str]:
    """The beginnings of a text as a page may show it where there is no room for all (``page/numbers.short``)."""
    return (f"{text[:i].rstrip()}…" for i in range(LONG, min(len(text), SHOWN)))


def _holding(needles: Needles, texts: Sequence[str]) -> set[str]:
    """The texts within which one of the needles stands."""
    joined = [text.encode() for text in texts]
    ends = np.cumsum([len(text) + 1 for text in joined])
    stands = [stand.start for stand in needles.standing(b"\n".join(joined))]
    return {texts[i] for i in np.unique(np.searchsorted(ends, stands, "right"))}


def _told(number: float) -> bool:
    """Whether a number has so many digits that it tells whose it is."""
    return len(f"{abs(number):.15g}".replace(".", "").split("e")[0].strip("0")) >= DIGITS


def _spelled(content: bytes, numbers: np.ndarray) -> Iterator[float]:
    if len(numbers):
        there = np.unique([float(one.replace(b",", b"")) for one in _NUMBER.findall(content)])
        yield from numbers[np.isin(numbers, there)]


def _plain(content: bytes, place: str) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        raise InputError("cannot be searched: it is no JSON", where=place, hint="make the twin again") from None


def _entries(plain: Any) -> Iterator[str]:
    """The texts that are entries of lists."""
    if isinstance(plain, Mapping):
        for value in plain.values():
            yield from _entries(value)
    elif isinstance(plain, list):
        for value in plain:
            yield from [value] if isinstance(value, str) else _entries(value)


def _named(plain: Any) -> Iterator[str]:
    """The texts that are keys or values, but for short figures: those count something."""
    if isinstance(plain, Mapping):
        texts = (one for pair in plain.items() for one in pair if isinstance(one, str))
        yield from (one for one in texts if len(one) >= DIGITS or not one.isdigit())
    if isinstance(plain, Mapping | list):
        for value in plain.values() if isinstance(plain, Mapping) else plain:
            yield from _named(value)
