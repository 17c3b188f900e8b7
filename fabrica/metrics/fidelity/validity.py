"""Validity: does the twin hold values that cannot be?

A cell is *impossible* when it is no value of the column's kind, a fraction among whole numbers, outside the
declared bounds, a level that the original never has, or missing where the original (of 100 rows at least) never is.
``validity`` is the percentage of rows with an impossible cell; per column the percentage of its cells, with a count
for each reason in ``detail``. ``validity_range`` is the percentage of numeric cells outside the original's [min,
max]: not impossible, but never seen. ``validity_keys``: percentage of rows whose key is missing or has been used
before, for each key column and for the primary key (all its columns together).

Real rows also bring levels and extremes that the original lacks: the floor is the holdout's score (for keys and
without a holdout: the original's own). Interval: Wilson's for a share of rows. On a sample of the rows, repeated
keys are under-counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from fabrica.contract import Evidence, Metric, Sheet
from fabrica.report import Finding
from fabrica.run import Run
from fabrica.schema import Column
from fabrica.statistics import HOLDOUT, ITSELF, wilson

ENOUGH = 100


class Validity(Metric):
    """See the file's first lines."""

    title: ClassVar[str] = "whether impossible values or repeated keys occur"
    source: ClassVar[str] = "own; compare DiagnosticReport of sdmetrics; interval: Wilson 1927"
    numbers: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "validity": ("train",), "validity_keys": ("train",), "validity_range": ("train",)}

    def judge(self, evidence: Evidence, run: Run) -> Sequence[Finding]:
        if not evidence.synthetic.rows:
            return [Finding("validity", None, unit="%", problem="the synthetic table has no rows")]
        twin = {n: reasons(evidence, evidence.synthetic, n) for n in _names(evidence)}
        rest = evidence.holdout or evidence.real
        source = {"floor_from": ITSELF if rest is evidence.real else HOLDOUT}
        floor = {n: reasons(evidence, rest, n) for n in twin}
        whole = _any([m for r in twin.values() for m in r.values()], evidence.synthetic.rows)
        real = _any([m for r in floor.values() for m in r.values()], rest.rows)
        found = [_finding("validity", (), whole, real, {"columns": len(twin)} | source)]
        for name, why in twin.items():
            counts: dict[str, Any] = {reason: int(m.sum()) for reason, m in why.items() if m.any()}
            found.append(_finding("validity", (name,), _any(list(why.values()), len(whole)),
                                  _any(list(floor[name].values()), rest.rows), counts | source))
        return [*found, _outside(evidence, rest), *_keys(evidence)]


def _names(evidence: Evidence) -> list[str]:
    return [n for n in evidence.table.names if n in evidence.real.values or n in _idents(evidence.real)]


def _idents(sheet: Sheet) -> dict[str, np.ndarray]:
    return dict(getattr(sheet, "idents", {}))


def _any(flags: Sequence[np.ndarray], rows: int) -> np.ndarray:
    out = np.zeros(rows, bool)
    for flag in flags:
        out |= flag
    return out


def _cells(sheet: Sheet, name: str) -> np.ndarray:
    """True where a cell is missing."""
    if name not in sheet.values:
        return _idents(sheet)[name] < 0
    return sheet.values[name] < 0 if name in sheet.levels else np.isnan(sheet.values[name])


def reasons(evidence: Evidence, sheet: Sheet, name: str) -> dict[str, np.ndarray]:
    """reason -> (rows,) which cells of the sheet are impossible for it."""
    column, found = evidence.table[name], {}
    misfit = getattr(sheet, "misfits", {}).get(name)
    if misfit is not None:
        found["another kind"] = misfit
    gone = _cells(sheet, name)
    if column.kind == "empty":
        return found | {"a value in an empty column": ~gone}
    if evidence.real.rows >= ENOUGH and not _cells(evidence.real, name).any():
        found["missing"] = gone if misfit is None else gone & ~misfit
    if name in sheet.levels:
        codes, size = sheet.values[name], len(sheet.levels[name])
        known = np.bincount(evidence.real.values[name] + 1, minlength=size + 1) > 0
        found["a level never seen"] = ~gone & ~known[codes + 1]
    elif name in sheet.values:
        values = sheet.values[name]
        if column.kind == "integer":
            found["a fraction"] = ~gone & (values != np.floor(values))
        if (ends := _ends(column)) is not None:
            found["out of bounds"] = ~gone & ((values < ends[0]) | (values >= ends[1]))
    return found


def _ends(column: Column) -> tuple[float, float] | None:
    """The declared bounds as the sheet counts, the upper one excluded: days of dates, seconds of date-times, of which
    the last day belongs to the bounds whole."""
    if column.bounds is None or column.kind in ("time", "duration"):
        return None
    if column.kind not in ("date", "datetime"):
        return float(column.bounds[0]), float(np.nextafter(column.bounds[1], np.inf))
    low, high = (np.datetime64(b, "D").astype(np.int64) if isinstance(b, str) else b for b in column.bounds)
    unit = 1.0 if column.kind == "date" else 86_400.0
    return low * unit, (high + 1) * unit


def _finding(metric: str, place: tuple[str, ...], flags: np.ndarray, real: np.ndarray | None,
             detail: dict[str, Any]) -> Finding:
    low, high = wilson(int(flags.sum()), len(flags))
    return Finding(metric, 100 * float(flags.mean()) if len(flags) else 0.0, place, unit="%", low=100 * low,
                   high=100 * high, floor=None if real is None or not len(real) else 100 * float(real.mean()),
                   detail=detail)


def _outside(evidence: Evidence, rest: Sheet) -> Finding:
    def flags(sheet: Sheet) -> np.ndarray:
        parts = [np.zeros(0, bool)]
        for name in evidence.real.numeric:
            real, values = evidence.real.values[name], sheet.values[name]
            real, values = real[~np.isnan(real)], values[~np.isnan(values)]
            if len(real):
                parts.append((values < real.min()) | (values > real.max()))
        return np.concatenate(parts)

    twin = flags(evidence.synthetic)
    if not len(twin):
        return Finding("validity_range", None, unit="%", problem="there is no numeric cell")
    source = ITSELF if rest is evidence.real else HOLDOUT
    return _finding("validity_range", (), twin, flags(rest), {"cells": len(twin), "floor_from": source})


def _keys(evidence: Evidence) -> list[Finding]:
    keys: list[tuple[str, ...]] = [(c.name,) for c in evidence.table.columns if c.kind == "key" and not c.refers]
    if evidence.table.primary_key and evidence.table.primary_key not in keys:
        keys.append(evidence.table.primary_key)
    found = []
    for key in keys:
        twin, real = _repeated(evidence.synthetic, key), _repeated(evidence.real, key)
        if twin is not None:
            detail = {"repeated": int(twin.sum()), "floor_from": ITSELF}
            found.append(_finding("validity_keys", key, twin, real, detail))
    return found or [Finding("validity_keys", None, unit="%", problem="the table has no key")]


def _repeated(sheet: Sheet, key: Sequence[str]) -> np.ndarray | None:
    """(rows,) whether the key is missing or stands in an earlier row; None where a column is not there."""
    idents, codes, bad = _idents(sheet), np.zeros(sheet.rows, np.int64), np.zeros(sheet.rows, bool)
    for name in key:
        values = idents.get(name, sheet.values.get(name))
        if values is None:
            return None
        bad |= _cells(sheet, name)
        place = np.unique(values, return_inverse=True)[1]
        codes = np.unique(codes * (place.max(initial=0) + 1) + place, return_inverse=True)[1]
    first = np.zeros(sheet.rows, bool)
    first[np.unique(codes, return_index=True)[1]] = True
    return bad | ~first
