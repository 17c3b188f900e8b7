"""Protected groups: who belongs to which, and which are too small to be spoken of.

A protected column puts each person into a group, and each two columns into one of their intersections, for a harm to
Black women need show neither among women nor among Black people (Crenshaw, Univ. of Chicago Legal Forum 1989; Kearns et
al., "Preventing fairness gerrymandering", ICML 2018). Numbers are cut into bands at the quantiles of the original.

Of a group of fewer than ``LEAST`` real people nothing is told but that there is one: chance alone would show gaps in
it, and a figure about few people is a figure about each of them. Such groups are counted.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations, pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fabrica.contract import Evidence, Sheet
from fabrica.crowd import Readable
from fabrica.errors import NotComputable, SettingError
from fabrica.fairness import resamples
from fabrica.notation import read
from fabrica.notation.storage import as_text
from fabrica.notation.words import spelled
from fabrica.run import Run
from fabrica.schema import Column, Table

__all__ = ["LEAST", "Cut", "Partition", "demand_groups", "one_group", "owners", "partitions", "protected_columns",
           "resampled"]

NEVER = ("key", "text", "empty")  #: kinds that put nobody into a group
LEAST = 100  #: real people in a group, below which nothing is told of it
BANDS, FEW = 4, 10  #: into which numbers are cut, unless they have no more than so many values
MISSING, OTHERS = "(missing)", "(others)"
MOMENTS = ("date", "datetime")


def protected_columns(named: str | Sequence[str], table: Table) -> tuple[str, ...]:
    """The columns that somebody named, each once: one name, several with commas between them, or a list. A name that
    has a comma or outer blanks stands in quotes, as in a CSV file; one without them is found by what lies between its
    blanks too.

    Raises
    ------
    UnknownName : there is no such column.
    SettingError : a column of this kind puts nobody into a group.

    >>> from fabrica.schema import Column
    >>> protected_columns("sex, race", Table("people", (Column("sex", "category"), Column("race", "category"))))
    ('sex', 'race')
    >>> protected_columns('"b, c",a', Table("letters", (Column("a ", "category"), Column("b, c", "category"))))
    ('b, c', 'a ')
    """
    if isinstance(named, str):
        named = [named] if named in table.names else next(csv.reader([named], skipinitialspace=True), [])
    found = tuple(dict.fromkeys(_called(name, table.names) for name in named if name in table.names or name.strip()))
    for name in found:
        if table[name].kind in NEVER:
            raise SettingError(f"is of the kind {table[name].kind!r}, which puts nobody into a group",
                               where=f"protected column {name!r}", hint="name a category or a number")
    return found


def demand_groups(named: Sequence[str], table: Table, real: Readable, run: Run) -> None:
    """Refuse protected columns by none of which anybody is compared, before anything is measured; of one among others
    it is said.

    Parameters
    ----------
    named : columns of the ``table``. real : an object with ``batches()``, the rows that were learned from.

    Raises
    ------
    SettingError : each of the columns has one value only.

    >>> from types import SimpleNamespace
    >>> from fabrica.schema import Column
    >>> land = SimpleNamespace(batches=lambda: [pa.record_batch({"land": ["no"] * 9})])
    >>> demand_groups(["land"], Table("people", (Column("land", "category"),)), land, Run())
    Traceback (most recent call last):
    ...
    fabrica.errors.SettingError: protected column 'land': has one value only, so everybody is of one group and \
nobody is compared by it; name a column that tells groups apart
    """
    seen = {name: pa.array([], pa.string()) for name in named}
    for batch in real.batches():
        for name in named:
            if len(seen[name]) < 2:
                cells = read(replace(table[name], lenient=True), batch.column(name)).values
                plain = cells.dictionary_decode() if pa.types.is_dictionary(cells.type) else cells
                seen[name] = pc.unique(pa.concat_arrays([seen[name], pc.unique(as_text(plain))]))
    alone = [name for name in named if len(seen[name]) < 2]
    what = "has one value only, so everybody is of one group and nobody is compared by it"
    if alone and len(alone) == len(named):
        raise SettingError(what, where=f"protected column {alone[0]!r}", hint="name a column that tells groups apart")
    for name in alone:
        run.remark(f"protected column {name!r} {what}; the others are judged all the same")


def _called(name: str, names: Sequence[str]) -> str:
    """The column of that name, else the only one that differs from it by outer blanks, else the name without them."""
    near = [one for one in (name, name.strip()) if one in names] or [
        one for one in names if one.strip() == name.strip()]
    return near[0] if near else name.strip()


@dataclass(frozen=True)
class Cut:
    """One protected column, cut: code 0 is missing, the others are levels, values or bands with their ``labels``."""

    name: str
    labels: tuple[str, ...]
    values: np.ndarray | None = None  #: (labels - 1,) of a number with few values
    edges: np.ndarray | None = None  #: (labels - 2,) at which another is cut

    @classmethod
    def of(cls, column: Column, real: Sheet) -> Cut:
        """Of a column of the original.

        >>> Cut.of(Column("age", "integer"), Sheet(40, {"age": np.arange(20.0, 60.0)}, {})).labels
        ('(missing)', 'under 30', '30 to 40', '40 to 49', '49 and more')
        """
        name, kind = column.name, column.kind
        if name in real.levels:
            return cls(name, (MISSING, *spelled(column, real.levels[name])))
        known = np.unique(real.values[name][~np.isnan(real.values[name])])
        if len(known) <= FEW:
            return cls(name, (MISSING, *(_said(v, kind) for v in known)), values=known)
        inner = np.nanquantile(real.values[name], np.linspace(0, 1, BANDS + 1)[1:-1], method="nearest")
        edges = np.unique([_round(v, kind) for v in inner])
        told = [_said(v, kind) for v in edges]
        middle = [f"{a} to {b}" for a, b in pairwise(told)]
        return cls(name, (MISSING, f"under {told[0]}", *middle, f"{told[-1]} and more"), edges=edges)

    def codes(self, sheet: Sheet) -> np.ndarray:
        """(n,) code of each row; a number that is none of few known values has none (-1)."""
        cells = sheet.values[self.name]
        if self.edges is not None:
            return np.where(np.isnan(cells), 0, np.searchsorted(self.edges, cells, side="right") + 1)
        if self.values is not None:
            at = np.searchsorted(self.values, cells).clip(0, max(0, len(self.values) - 1))
            known = self.values[at] == cells if len(self.values) else np.zeros(len(cells), bool)
            return np.where(np.isnan(cells), 0, np.where(known, at + 1, -1))
        return cells.astype(np.int64) + 1


def _round(value: float, kind: str) -> float:
    """A place for a cut that is nobody's own number: three digits, days of moments, whole numbers as they are."""
    if kind in MOMENTS:
        return float(np.floor(value / 86400) * 86400) if kind == "datetime" else float(np.floor(value))
    if kind == "integer" and abs(value) < 10_000:
        return float(round(value))
    return float(f"{value:.3g}")


def _said(value: float, kind: str) -> str:
    if kind in MOMENTS:
        return str(np.datetime64(int(value // 86400) if kind == "datetime" else int(value), "D"))
    return f"{value:,.0f}" if value == int(value) and abs(value) >= 10_000 else f"{value:g}"


@dataclass(frozen=True)
class Partition:
    """The groups of one protected column, or of two.

    Parameters
    ----------
    place : its columns. groups : names of the groups of which something is told. people : real people in each.
    small : how many groups have too few people. hidden : real people in those.
    """

    place: tuple[str, ...]
    groups: tuple[str, ...]
    people: tuple[int, ...]
    small: int
    hidden: int
    cuts: tuple[Cut, ...]
    codes: np.ndarray  #: (groups,) sorted

    @classmethod
    def of(cls, cuts: Sequence[Cut], real: Sheet, judged: Sheet | None = None, unit: str | None = None,
           least: int = LEAST) -> Partition:
        """Groups of ``least`` real people: of the rows that were learned from and, where figures are about others
        (``judged``, the holdout), of those too."""
        codes = _crossed(cuts, real)
        found, people = np.unique(codes, return_inverse=True)[0], _people(codes, owners(real, unit))
        enough = people >= least
        if judged is not None:
            here = _crossed(cuts, judged)
            again = dict(zip(np.unique(here).tolist(), _people(here, owners(judged, unit)).tolist(), strict=True))
            enough &= np.array([again.get(int(code), 0) >= least for code in found], bool)
        names = [_name(cuts, int(code)) for code in found[enough]]
        return cls(tuple(cut.name for cut in cuts), tuple(names), tuple(int(n) for n in people[enough]),
                   int((~enough).sum()), int(people[~enough].sum()), tuple(cuts), found[enough])

    def of_rows(self, sheet: Sheet) -> np.ndarray:
        """(n,) which of the groups each row belongs to, -1 where to none of them."""
        codes = _crossed(self.cuts, sheet)
        at = np.searchsorted(self.codes, codes).clip(0, max(0, len(self.codes) - 1))
        return np.where(self.codes[at] == codes, at, -1) if len(self.codes) else np.full(sheet.rows, -1)

    def counted(self, k: int) -> dict[str, Any]:
        """What is told of the groups that are too small: how many they are and, of k people or more, of how many."""
        return {"small_groups": self.small, "small_people": self.hidden if self.hidden >= k or not self.small else None,
                "least": LEAST}

    @property
    def alone(self) -> bool:
        """Whether everybody is of one group."""
        return len(self.groups) + self.small < 2

    def need(self, groups: int = 2) -> None:
        """
        Raises
        ------
        NotComputable : there are fewer groups.
        """
        if len(self.groups) < groups:
            what = "everybody is of one group" if self.alone else (
                f"{len(self.groups)} of {len(self.groups) + self.small} groups have {LEAST} of the real people "
                "that it is measured on")
            raise NotComputable(f"{what}, so there is nothing to compare")


def partitions(evidence: Evidence, judged: Sheet | None = None) -> list[Partition]:
    """Of every protected column and of every two of them; one of which everybody is of one group tells nothing that the
    others do not.

    Raises
    ------
    NotComputable : no column is protected.
    """
    if not evidence.protected:
        raise NotComputable("no column is protected; name one, such as sex")
    alone = one_group(evidence)
    names = [name for name in evidence.protected if name not in alone] or evidence.protected
    cuts = [Cut.of(evidence.table[name], evidence.real) for name in names]
    places = [*((cut,) for cut in cuts), *combinations(cuts, 2)]
    return [Partition.of(place, evidence.real, judged, evidence.unit, max(LEAST, evidence.k)) for place in places]


def one_group(evidence: Evidence) -> list[str]:
    """The protected columns of which everybody is of one group."""
    cuts = [Cut.of(evidence.table[name], evidence.real) for name in evidence.protected]
    return [cut.name for cut in cuts if Partition.of([cut], evidence.real).alone]


def _crossed(cuts: Sequence[Cut], sheet: Sheet) -> np.ndarray:
    """(n,) one number for each combination; below 0 where a cell is of no group."""
    whole = np.zeros(sheet.rows, np.int64)
    for cut in cuts:
        codes = cut.codes(sheet)
        whole = np.where((whole < 0) | (codes < 0), -1, whole * len(cut.labels) + codes)
    return whole


def _name(cuts: Sequence[Cut], code: int) -> str:
    said: list[str] = []
    for cut in reversed(cuts):
        code, at = divmod(code, len(cut.labels))
        said.append(" ".join(cut.labels[at].split()) or "(blank)")
    return " × ".join(reversed(said))


def _people(codes: np.ndarray, who: np.ndarray | None) -> np.ndarray:
    """How many people hold each of the codes, in their order."""
    if who is None:
        return np.unique(codes, return_counts=True)[1]
    pairs = np.unique(np.stack([codes, who]), axis=1)[0]
    return np.unique(pairs, return_counts=True)[1]


def owners(sheet: Sheet, unit: str | None) -> np.ndarray | None:
    """(n,) whose each row is, numbered from 0; None where each is another's or the sheet does not say."""
    if unit is None:
        return None
    who = getattr(sheet, "idents", {}).get(unit, sheet.values.get(unit))
    if who is None:
        return None
    missing = np.isnan(who) if who.dtype.kind == "f" else who < 0
    known = np.unique(who, return_inverse=True)[1].astype(np.int64)
    known[missing] = known.max(initial=0) + 1 + np.arange(int(missing.sum()))
    numbered: np.ndarray = np.unique(known, return_inverse=True)[1]
    return numbered


def resampled(sheet: Sheet, unit: str | None, random: np.random.Generator) -> np.ndarray:
    """(1 + DRAWS, rows) weights of the rows themselves and of people drawn anew, each with all their rows."""
    who = owners(sheet, unit)
    if who is None:
        return resamples(sheet.rows, random)
    return resamples(int(who.max(initial=-1)) + 1, random)[:, who]
