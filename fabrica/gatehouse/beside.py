"""What few people hold, looked for in the files beside a twin: model, schema, reports, ledger.

A text of some length is nobody else's, so it is looked for wherever it may stand (``fabrica/artefacts.py``). Any text,
however short, is looked for among the entries of lists, as which JSON files and models keep levels; a short one stands
elsewhere by nature. A number is looked for where it has so many digits that none equals it by chance, among the numbers
of all files and arrays. What many people hold in another column, or a column's name, is no trace; and what was not
looked for is counted and told.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from fabrica.artefacts import NAME, opened, traces
from fabrica.errors import InputError
from fabrica.gatehouse.rare import LONG, Rare

__all__ = ["Beside", "beside"]

TOLD = 2_000  #: texts that are looked for wherever they may stand, at most
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
    >>> _ = file.write_text('{"why": "Oslo", "levels": ["Rome", "Bonn"]}')
    >>> beside([file], Rare(words=("Oslo", "Bonn")), ["town"]).found
    ('1 of them in schema.json',)
    """
    common = {*few.common, *names}
    whole = "\n".join(common)
    words = {word for word in few.words if word not in common}
    far = [number for number in few.numbers if _told(number)]
    numbers = np.unique(np.array(far, float))
    found: dict[str, set[str | float]] = {file.name: set() for file in files}
    for place, content in opened(files):
        if not place.startswith(NAME):
            found[place.split(":")[0]].update(_standing(place, content, words, numbers))
    long = [word for word in dict.fromkeys(few.words) if word in words and len(word) >= LONG]
    apart = [word for word in long if word not in whole and not any(word in name for name in found)]
    anywhere = apart[:TOLD]
    for trace in traces(files, dict(zip(anywhere, anywhere, strict=True))):
        found[trace.place.split(":")[0]].add(trace.name)
    part = "long words that are a part of others, but as entries of lists"
    left = {"words that stand for something else too": sum(word in common for word in few.words),
            part: len(long) - len(apart), f"long words after the first {TOLD:,}, but as entries of lists":
            len(apart) - len(anywhere),
            f"moments, and numbers of fewer than {DIGITS} digits": few.looked - len(few.words) - len(far)}
    return Beside(tuple(f"{len(some):,} of them in {name}" for name, some in found.items() if some),
                  few.looked - sum(left.values()), {why: count for why, count in left.items() if count})


def _told(number: float) -> bool:
    """Whether a number has so many digits that it tells whose it is."""
    return len(f"{abs(number):.15g}".replace(".", "").split("e")[0].strip("0")) >= DIGITS


def _standing(place: str, content: bytes | np.ndarray, words: set[str], numbers: np.ndarray) -> Iterator[str | float]:
    if isinstance(content, np.ndarray):
        if content.dtype.kind in "iuf" and len(numbers):
            near = numbers.astype(content.dtype) if content.dtype.kind == "f" else numbers
            yield from numbers[np.isin(near, content)]
    elif place.endswith(".json"):
        yield from words.intersection(_entries(_plain(content, place)))
        yield from _spelled(content, numbers)
    elif place.endswith(".html"):
        yield from _spelled(content, numbers)


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
