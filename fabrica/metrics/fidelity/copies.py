"""Copies: how many synthetic rows are exactly a row of the original, and how many would be by chance?

``copies`` is the share of synthetic rows that equal a row of the training table in every column but the keys
(numbers to six decimals, as in the project's published protocol). Common rows recur in any fresh sample, so chance
is measured, and needs no scaling: the floor is the share of the *holdout's* rows that equal a row of the training
table. Without a holdout it is the share of the training rows that equal another training row (what one row more would
do, told by leaving each out in turn); ``detail["floor_from"]`` says which. Rows with a level that fewer than five
training rows hold are no part of the floor: a twin that leaves such levels out consists of commoner rows. A share for
the whole table cannot be had from the twin's rows that equal a holdout row: matches saturate, and do not grow with the
table.

``copies_excess`` compares at equal size, where no scaling is needed: the expected share of synthetic rows that
equal one of ``m`` random training rows, minus the share that equal one of the ``m`` holdout rows. The expectation
over all choices of ``m`` training rows is exact (hypergeometric). About 0 is what a generator that learned and did
not memorise shows; its interval is normal, from the paired differences of the synthetic rows and the luck of who is in
the holdout. The intervals of ``copies`` and of its floor are Wilson's.

``copies_keys`` is, of the different identifiers of the twin (e-mail addresses, UUIDs, codes with a template; no running
numbers), the share that stands in the original, for each key and for the worst of them; chance is how much of what the
template allows is taken.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
from scipy.special import gammaln

from fabrica.contract import Evidence, Metric, Sheet
from fabrica.report import Finding
from fabrica.rows import counted, row_marks
from fabrica.run import Run
from fabrica.statistics import HOLDOUT, wilson

UNIT = "share of rows"
RARE, ENOUGH = 5, 30  #: rows of a level that is not rare; rows without one that tell of chance
LUCK = 20  #: random choices of training rows by which that luck is told
SLOTS = {"#": 10.0, "A": 26.0, "a": 26.0, "x": 16.0, "?": 62.0}  #: of a template


class Copies(Metric):
    """See the file's first lines."""

    title: ClassVar[str] = "how many rows are exact copies of the original's, against chance"
    source: ClassVar[str] = "identical match share, with the holdout as chance (Platzer and Reutterer 2021)"
    numbers: ClassVar[Mapping[str, tuple[str, ...]]] = {"copies": ("train",), "copies_excess": ("holdout",),
                                                             "copies_keys": ("train",)}

    def judge(self, evidence: Evidence, run: Run) -> Sequence[Finding]:
        real, twin, rest = evidence.real, evidence.synthetic, evidence.holdout
        why = "" if real.values and real.rows and twin.rows else "a table has no rows or no comparable column"
        if why:
            return [Finding(m, None, unit=UNIT, problem=why) for m in ("copies", "copies_excess")] + _keys(evidence)
        marks = [row_marks(s) for s in (real, twin, *([] if rest is None else [rest]))]
        times = counted(marks[1], marks[0])
        if rest is None or not rest.rows:
            chance = counted(marks[0], marks[0])[_common(real, real)] > 1
            return [_copies(times > 0, chance, "the original's other rows"), *_keys(evidence),
                    Finding("copies_excess", None, unit=UNIT, better=0.0, against="holdout",
                            problem="there is no holdout")]
        chance = counted(marks[2], marks[0])[_common(rest, real)] > 0
        return [_copies(times > 0, chance, HOLDOUT), *_keys(evidence),
                _excess(times, counted(marks[1], marks[2]), real.rows, rest.rows, _luck(marks, run.child("luck")))]


def _copies(copied: np.ndarray, chance: np.ndarray, floor_from: str) -> Finding:
    hits, by_chance = int(copied.sum()), int(chance.sum())
    low, high = wilson(hits, len(copied))
    floor_low, floor_high = wilson(by_chance, len(chance))
    return Finding("copies", hits / len(copied), unit=UNIT, low=low, high=high, floor=by_chance / len(chance),
                   floor_low=floor_low, floor_high=floor_high,
                   detail={"copies": hits, "by_chance": by_chance, "of": len(chance), "floor_from": floor_from})


def _common(sheet: Sheet, real: Sheet) -> np.ndarray:
    """(rows,) the rows without a level that fewer than ``RARE`` rows of ``real`` hold; all, where these are too few."""
    common = np.ones(sheet.rows, bool)
    for name in sheet.levels:
        held = np.bincount(real.values[name] + 1, minlength=len(sheet.levels[name]) + 1)
        common &= held[sheet.values[name] + 1] >= RARE
    return common if common.sum() >= ENOUGH else np.ones(sheet.rows, bool)


def _keys(evidence: Evidence) -> list[Finding]:
    """Real identifiers among the twin's, the worst key for the whole."""
    real, twin = (getattr(s, "idents", {}) for s in (evidence.real, evidence.synthetic))
    found = []
    for column in evidence.table.columns:
        room = _room(column.notation)
        if column.kind == "key" and room and column.name in real and (twin[column.name] >= 0).any():
            known, made = (np.unique(side[column.name][side[column.name] >= 0]) for side in (real, twin))
            hits = int(np.isin(made, known).sum())
            low, high = wilson(hits, len(made))
            found.append(Finding("copies_keys", hits / len(made), (column.name,), unit="share of identifiers", low=low,
                                 high=high, floor=min(1.0, len(known) / room),
                                 detail={"copies": hits, "floor_from": "what the template allows"}))
    if not found:
        return [Finding("copies_keys", None, unit=UNIT, detail={"keys": 0},
                        problem="there is no key but running numbers")]
    worst = max(found, key=lambda f: (f.value or 0.0) - (f.floor or 0.0))
    return [replace(worst, place=()), *found]


def _room(notation: Any) -> float:
    """How many keys a notation allows; 0 where it is a running number or unknown."""
    look = notation.get("look") if isinstance(notation, dict) and notation.get("kind") == "reference" else notation
    if isinstance(look, dict) and look.get("kind") in ("email", "uuid"):
        return 1e12
    template = look.get("template") if isinstance(look, dict) else look
    if not isinstance(template, str):
        return 0.0
    return float(np.prod([SLOTS.get(c, 1.0) for c in re.sub(r"\\.", "", template)]))


def _luck(marks: Sequence[np.ndarray], run: Run) -> float:
    """By how much the share of synthetic rows that equal one of m real rows scatters with who these m are: standard
    deviation over random rows of the training table, as many as the holdout has."""
    real, twin, rest = marks
    size, random = min(len(real), len(rest)), run.random()
    shares = [float((counted(twin, random.permutation(real)[:size]) > 0).mean()) for _ in range(LUCK)]
    return float(np.std(shares, ddof=1)) / max(1e-9, 1 - size / len(real)) ** 0.5 if size < len(real) else 0.0


def _excess(times: np.ndarray, by_chance: np.ndarray, real: int, rest: int, luck: float) -> Finding:
    size = min(real, rest)
    own, other = among(times, real, size), among(by_chance, rest, size)
    gap = own - other
    half = 1.96 * float(np.hypot(gap.std(ddof=1) / np.sqrt(len(gap)), luck)) if len(gap) > 1 else 0.0
    value = float(gap.mean())
    return Finding("copies_excess", value, better=0.0, unit=UNIT, low=value - half, high=value + half, floor=0.0,
                   against="holdout", detail={"rows": size, "train": float(own.mean()), "chance": float(other.mean()),
                                              "floor_from": "no excess"})


def among(times: np.ndarray, rows: int, size: int) -> np.ndarray:
    """Chance that at least one of ``times`` marked rows is among ``size`` of ``rows`` drawn without replacement.

    >>> among(np.array([0, 1, 4]), 4, 2).tolist()
    [0.0, 0.5, 1.0]
    """
    seen, place = np.unique(times, return_inverse=True)
    left = rows - seen - size
    none = np.where(left < 0, -np.inf, gammaln(rows - seen + 1) - gammaln(np.maximum(left, 0) + 1)
                    - gammaln(rows + 1) + gammaln(rows - size + 1))
    return np.round(-np.expm1(none), 12)[place] + 0.0

