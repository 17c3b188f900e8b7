"""Canaries: does anything that one person alone has come out, in any file of a result?

People are planted among the rows, each with one thing that nobody else has: a word, a number far beyond all others or
with odd digits among them, a day long ago. The whole job is done again, and the files that it writes (rows, model,
report, schema, what was told) are searched, unpacked as far as they go. As many things that were made up in the same
way and planted nowhere are looked for as well, for a number may stand somewhere by chance; and a file that holds the
planted people as they are must give them all away, or the search says nothing. (Carlini, Liu, Erlingsson, Kos & Song,
"The secret sharer", USENIX Security 2019, arXiv:1802.08232; bounds: Clopper & Pearson 1934.)
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np

from fabrica.artefacts import traces
from fabrica.attack import NO_MAKER
from fabrica.bounds import share
from fabrica.contract import Evidence, Metric
from fabrica.errors import NotComputable
from fabrica.report import Finding
from fabrica.run import Run
from fabrica.schema import Column

__all__ = ["Canaries"]

PLANTED = 300  #: people, at most: where none of so many is found, less than one in a hundred would be
SHARE, FEWEST = 0.03, 20  #: of the rows, at most; people at least
SURE = 0.95  #: of the planted people must be found where they stand as they are
Value = str | int | float


class Canaries(Metric):
    """See the file's first lines."""

    title: ClassVar[str] = "whether what one person alone has comes out in any file of a result"
    source: ClassVar[str] = "canaries; Carlini et al., USENIX Security 2019, arXiv:1802.08232"
    story: ClassVar[str] = ("Somebody who gets all files of a result searches them for what they know that only one "
                            "person has.")
    numbers: ClassVar[Mapping[str, tuple[str, ...]]] = {"canaries": ("train",)}
    heavy: ClassVar[bool] = True
    learns: ClassVar[bool] = True

    def judge(self, evidence: Evidence, run: Run) -> Sequence[Finding]:
        if evidence.maker is None:
            raise NotComputable(NO_MAKER)
        many = min(PLANTED, int(SHARE * evidence.real.rows))
        columns = [column for column in evidence.table.columns if _ways(column, evidence)]
        if many < FEWEST or not columns:
            raise NotComputable(f"{FEWEST} people cannot be planted: there is no column for it, or there are too few "
                                "rows")
        planted, others = (_people(columns, many, evidence, run.child(side)) for side in ("planted", "others"))
        with tempfile.TemporaryDirectory() as place:
            whole, careless = Path(place) / "result", Path(place) / "careless"
            whole.mkdir()
            careless.mkdir()
            evidence.maker.artefacts(planted, whole, run.child("again"))
            (careless / "people.json").write_text(json.dumps(planted), encoding="utf-8")
            found, luck, seen = (_found(folder, some) for folder, some in (
                (whole, planted), (whole, others), (careless, planted)))
        return [_told(found, luck, seen, many, len(columns))]


def _told(found: Sequence[str], luck: Sequence[str], seen: Sequence[str], many: int, columns: int) -> Finding:
    people, by_chance = (len({name.split(" in ")[0] for name in some}) for some in (found, luck))
    low, high = share(people, many)
    sure = len({name.split(" in ")[0] for name in seen}) >= SURE * many
    places = sorted({name.split(" in ", 1)[1] for name in found})
    return Finding("canaries", people / many, low=low, high=high, floor=by_chance / many, against="train",
                   detail={"planted": many, "found": people, "by_chance": by_chance, "columns": columns,
                           "places": places[:10], "control": "found" if sure else "missed",
                           "floor_from": "as many that were planted nowhere"})


def _found(folder: Path, people: Sequence[Mapping[str, Value]]) -> list[str]:
    """Who was found, and in which file."""
    wanted = {str(i): _sought(value) for i, person in enumerate(people) for value in person.values()}
    return [f"{trace.name} in {trace.place.split(':')[0]}" for trace in traces([folder], wanted)]


def _sought(value: Value) -> Value:
    """What is searched for: of a sentence, its longest word."""
    return max(value.split(), key=len) if isinstance(value, str) else value


def _people(columns: Sequence[Column], many: int, evidence: Evidence, run: Run) -> list[dict[str, Value]]:
    """People with one thing each that nobody else has, the columns in turn, and of each its ways in turn."""
    chance, found = run.random(), list[dict[str, Value]]()
    for i in range(many):
        column = columns[i % len(columns)]
        ways = _ways(column, evidence)
        found.append({column.name: ways[(i // len(columns)) % len(ways)](chance)})
    return found


def _ways(column: Column, evidence: Evidence) -> list[Callable[[np.random.Generator], Value]]:
    """How a column may get a value that nobody else has and that does not stand somewhere by chance; none where it
    cannot hold such a value."""
    if column.kind in ("category", "text") and not column.public and "string" in column.storage:
        return [_word] if column.kind == "category" else [lambda chance: f"this one has {_word(chance)} they say"]
    if column.kind == "date" and column.notation in (None, "%Y-%m-%d") and column.bounds is None:
        return [lambda chance: f"18{chance.integers(10, 99)}-0{chance.integers(1, 9)}-{chance.integers(10, 28)}"]
    if column.notation is not None or column.bounds is not None or column.kind not in ("integer", "decimal"):
        return []
    if any(narrow in column.storage for narrow in ("int8", "int16", "float16", "float32", "halffloat")):
        return []
    if column.kind == "integer":
        signed = not column.storage.startswith("uint")
        return [lambda chance: _digits(chance), lambda chance: -_digits(chance) if signed else _digits(chance)]
    decimals = max(2, column.decimals or 0)
    values = evidence.real.values[column.name]
    middle = float(np.nanmedian(values)) if np.isfinite(values).any() else 0.0
    return [lambda chance: _digits(chance) + round(float(chance.random()), decimals),
            lambda chance: -_digits(chance) - round(float(chance.random()), decimals),
            lambda chance: round(middle + float(chance.random()), 7)]


def _digits(chance: np.random.Generator) -> int:
    """A number of nine digits."""
    return int(chance.integers(200_000_000, 2_000_000_000))


def _word(chance: np.random.Generator) -> str:
    return "".join(chr(97 + int(letter)) for letter in chance.integers(0, 26, 14)).capitalize()
