"""Missingness: are values missing as often, together, and for the same rows as in the original?

``missingness``: absolute difference of a column's share of missing cells, in percentage points; the headline is the
mean over the columns in which either table lacks a value (0 where none does: ``detail["columns"]`` is 0).
``missingness_pairs``: for every two such columns the difference of the share of rows in which both are missing,
mean. ``missingness_values``: does what is missing depend on the other values as in the original (missing not at
random)? For a column with missing cells and another column, the shift of the other's distribution between rows with
and without the missing cell, on the original's quantile bins; half the summed absolute difference of the two
tables' shifts in percent, mean over pairs. Pairs with fewer than 25 missing cells in either table, or all missing,
are left out and counted.

After Rubin (1976) and the missingness checks of Stekhoven and others; the numbers are own. Interval and floor:
5 to 20 resamples of rows (see ``fabrica/statistics.py``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import ClassVar

import numpy as np

from fabrica.contract import Evidence, Metric, Sheet
from fabrica.report import Finding
from fabrica.run import Run
from fabrica.statistics import BOOTSTRAP, Binned, Resamples, among, common_bins, floors, spread, variations

LEAST, WORST = 25, 10


class Missingness(Metric):
    """See the file's first lines."""

    title: ClassVar[str] = "whether values are missing as often, together and for the same rows"
    source: ClassVar[str] = "own; after Rubin, Inference and missing data, Biometrika 1976"
    numbers: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "missingness": ("train",), "missingness_pairs": ("train",), "missingness_values": ("train",)}

    def judge(self, evidence: Evidence, run: Run) -> Sequence[Finding]:
        sheets = [s for s in (evidence.real, evidence.synthetic) if s.rows]
        if len(sheets) < 2:
            return [Finding("missingness", None, unit="%", problem="a table has no rows")]
        absent = {n: tuple(_absent(s, n) for s in sheets) for n in sheets[0].values}
        gappy = [n for n, flags in absent.items() if any(f.any() for f in flags)]
        few = list(among(evidence).real.values)
        paired = [n for n in gappy if n in set(few)]
        work = max(1, len(gappy)) * len(absent) * (sheets[0].rows + sheets[1].rows)
        times = Resamples.times(work)
        draws = Resamples.of(sheets[0].rows, sheets[1].rows, times, run.random())
        flags = {n: Binned(tuple(f.astype(np.intp) for f in absent[n]), 2) for n in gappy}
        together = {n: flags[n] for n in paired}
        return [*_rates(flags, draws, times), _pairs(together, draws, times),
                *_shifts(together, common_bins(sheets, few), draws, times)]


def _absent(sheet: Sheet, name: str) -> np.ndarray:
    values = sheet.values[name]
    return values < 0 if name in sheet.levels else np.isnan(values)


def _rates(flags: dict[str, Binned], draws: Resamples, times: int) -> list[Finding]:
    if not flags:
        return [Finding("missingness", 0.0, unit="%", low=0.0, high=0.0, floor=0.0,
                        detail={"columns": 0, "floor_from": BOOTSTRAP})]
    numbers = {n: 100 * variations(f, draws) for n, f in flags.items()}
    mean = spread(np.mean(list(numbers.values()), axis=0), times, 100.0, fresh=draws.fresh)
    found = [Finding("missingness", mean.value, unit="%", **mean.company(),
                     detail={"columns": len(flags), "floor_from": BOOTSTRAP})]
    for name, number in numbers.items():
        rates = [100 * float(flags[name].shares(i)[1]) for i in (0, 1)]
        one = spread(number, times, 100.0, fresh=draws.fresh)
        found.append(Finding("missingness", one.value, (name,), unit="%", **one.company(),
                             detail={"real": rates[0], "synthetic": rates[1], "floor_from": BOOTSTRAP}))
    return found


def _pairs(flags: dict[str, Binned], draws: Resamples, times: int) -> Finding:
    if len(flags) < 2:
        return Finding("missingness_pairs", None, unit="%", problem="fewer than two columns have missing cells")
    numbers = []
    for a, b in combinations(flags.values(), 2):
        both = Binned(tuple(x * y for x, y in zip(a.codes, b.codes, strict=True)), 2)
        numbers.append(100 * variations(both, draws))
    mean = spread(np.mean(numbers, axis=0), times, 100.0, fresh=draws.fresh)
    worst = int(np.argmax([n[0] for n in numbers]))
    detail = {"pairs": len(numbers), "worst": list(list(combinations(flags, 2))[worst]), "floor_from": BOOTSTRAP}
    return Finding("missingness_pairs", mean.value, unit="%", **mean.company(), detail=detail)


def _shifts(flags: dict[str, Binned], bins: dict[str, Binned], draws: Resamples, times: int) -> list[Finding]:
    numbers: dict[tuple[str, str], np.ndarray] = {}
    left = 0
    for gap, flag in flags.items():
        counts = [flag.shares(i)[1] * len(flag.codes[i]) for i in (0, 1)]
        full = [len(flag.codes[i]) - c for i, c in enumerate(counts)]
        if min(*counts, *full) < LEAST:
            left += len(bins) - 1
            continue
        numbers |= {(gap, n): 100 * shifts(flag, other, draws) for n, other in bins.items() if n != gap}
    if not numbers:
        why = f"no column lacks at least {LEAST} values in both tables" if len(bins) > 1 else "there is only one column"
        return [Finding("missingness_values", None, unit="%", problem=why, detail={"pairs": 0, "left_out_pairs": left})]
    mean = spread(np.mean(list(numbers.values()), axis=0), times, 100.0, fresh=draws.fresh)
    found = [Finding("missingness_values", mean.value, unit="%", **mean.company(),
                     detail={"pairs": len(numbers), "left_out_pairs": left, "floor_from": BOOTSTRAP})]
    order = sorted(numbers, key=lambda k: floors(numbers[k], times, 100.0, draws.fresh).mean() - numbers[k][0])
    for place in order[:WORST]:
        one = spread(numbers[place], times, 100.0, fresh=draws.fresh)
        found.append(Finding("missingness_values", one.value, place, unit="%", **one.company(),
                             detail={"floor_from": BOOTSTRAP}))
    return found


def shifts(flag: Binned, other: Binned, draws: Resamples) -> np.ndarray:
    """In the order of ``variations``: half the summed absolute difference of P(value | missing) - P(value | there)."""
    codes = [f * other.size + o for f, o in zip(flag.codes, other.codes, strict=True)]

    def shift(sheet: int, weights: np.ndarray | None = None) -> np.ndarray:
        there, gone = np.bincount(codes[sheet], weights, 2 * other.size).reshape(2, -1)
        return gone / max(gone.sum(), 1) - there / max(there.sum(), 1)

    real = shift(0)
    others = [shift(1), *(shift(1, w) for w in draws.synthetic), *(shift(0, w) for w in draws.real)]
    return np.array([float(np.abs(real - o).sum() / 2) for o in others])
