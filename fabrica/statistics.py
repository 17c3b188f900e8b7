"""The mathematics that judges share: bins, contingency counts, resamples, correlation, ranks.

A *binned* column is an array of small codes for every sheet, with the number of codes. Two binnings are in use.
``common_bins`` cuts every sheet at the ten quantiles of the first one (the honest choice); ``own_bins`` cuts each
sheet by its own ten equal-width edges (the published definition of Trend, in which one missing maximum moves every
bin). A missing value is a bin of its own in both.

Distances are total variation: half the sum of |p - q|. Intervals and floors come from resampled rows: ``Resamples``
holds row weights, so that a resampled table costs one weighted count and the dependence between columns is kept.

Where a floor comes from is said in ``detail["floor_from"]``. ``HOLDOUT``: rows nobody learned from, as many as the twin
has, so exactly what a fresh sample scores; taken where the holdout has nearly as many rows as the twin (a smaller one
would score worse by its own noise). ``BOOTSTRAP``: rows drawn anew from the original, whose distances lack the
original's own chance; they are multiplied by what it adds (``Resamples.fresh``), which is still too little where most
cells are empty. So what counts many sparse cells (``kway``, ``association``) is measured on ``even`` parts instead: a
part of the original, as many rows of the twin, and as many real rows beside both, from the holdout or (``HALVES``) from
the original's other half.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fabrica.contract import Evidence, Sheet
from fabrica.run import Run

__all__ = ["Binned", "Resamples", "Spread", "common_bins", "own_bins", "cross", "variation", "variations",
           "correlation", "floors", "fresh", "spread", "wilson", "auc", "auc_difference", "roc", "BOOTSTRAP",
           "HOLDOUT", "HALVES", "ITSELF", "RESAMPLE", "TRAINED", "WIDE", "among", "beside", "even"]

#: what a floor was measured on, as ``detail["floor_from"]`` says it
BOOTSTRAP, HOLDOUT, HALVES = "bootstrap of the original", "holdout", "halves of the original"
#: the same without what chance adds: of levels, fresh rows would lose more
RESAMPLE = "resamples of the original"
ITSELF, TRAINED = "the original itself", "a model trained on the original"


@dataclass(frozen=True)
class Binned:
    """One column, or a crossing of columns: ``codes[i]`` (rows of sheet i,) in [0, size)."""

    codes: tuple[np.ndarray, ...]
    size: int

    def shares(self, sheet: int) -> np.ndarray:
        """(size,) share of the rows of one sheet in every code."""
        return np.bincount(self.codes[sheet], minlength=self.size) / max(1, len(self.codes[sheet]))


def _digitize(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    codes = np.searchsorted(edges, values, side="right") + 1
    return np.where(np.isnan(values), 0, codes)


def _levels(sheets: Sequence[Sheet], name: str) -> Binned:
    return Binned(tuple(s.values[name].astype(np.intp) + 1 for s in sheets), len(sheets[0].levels[name]) + 1)


def common_bins(sheets: Sequence[Sheet], names: Sequence[str] | None = None, bins: int = 10) -> dict[str, Binned]:
    """Every column cut at the quantiles of the first sheet; code 0 is missing, levels keep their numbers plus one.

    >>> a = Sheet(4, {"x": np.array([1.0, 2, 3, np.nan])}, {})
    >>> common_bins([a], bins=2)["x"].codes[0].tolist()
    [1, 2, 2, 0]
    """
    found = {}
    for name in names if names is not None else list(sheets[0].values):
        if name in sheets[0].levels:
            found[name] = _levels(sheets, name)
            continue
        real = sheets[0].values[name]
        real = real[~np.isnan(real)]
        inner = np.linspace(0, 1, bins + 1)[1:-1]
        edges = np.unique(np.quantile(real, inner)) if len(real) else np.empty(0)
        found[name] = Binned(tuple(_digitize(s.values[name], edges).astype(np.intp) for s in sheets), len(edges) + 2)
    return found


def _equal_width(values: np.ndarray) -> np.ndarray:
    values = values[~np.isnan(values)]
    if not len(values):
        return np.empty(0)
    try:
        return np.histogram_bin_edges(values)
    except ValueError:  # the range is too small for ten different floats
        return np.unique(np.linspace(values.min(), values.max(), 11))


def own_bins(sheets: Sequence[Sheet], names: Sequence[str] | None = None) -> dict[str, Binned]:
    """Every numeric column cut by each sheet's own ten equal-width edges (its maximum alone in the last code)."""
    found = {}
    for name in names if names is not None else list(sheets[0].values):
        if name in sheets[0].levels:
            found[name] = _levels(sheets, name)
        else:
            columns = [s.values[name] for s in sheets]
            found[name] = Binned(tuple(_digitize(v, _equal_width(v)).astype(np.intp) for v in columns), 13)
    return found


def cross(*parts: Binned) -> Binned:
    """The crossing of columns: one code for every combination, renumbered where the combinations outnumber the rows."""
    whole = parts[0]
    for part in parts[1:]:
        codes = tuple(a * part.size + b for a, b in zip(whole.codes, part.codes, strict=True))
        whole = _compact(Binned(codes, whole.size * part.size))
    return whole


def _compact(binned: Binned) -> Binned:
    rows = sum(len(c) for c in binned.codes)
    if binned.size <= max(1 << 14, rows):
        return binned
    found, place = np.unique(np.concatenate(binned.codes), return_inverse=True)
    cuts = np.cumsum([len(c) for c in binned.codes])[:-1]
    return Binned(tuple(np.split(place.astype(np.intp), cuts)), max(1, len(found)))


def variation(p: np.ndarray, q: np.ndarray) -> float:
    """Total variation of two distributions over the same codes.

    >>> variation(np.array([0.5, 0.5]), np.array([1.0, 0.0]))
    0.5
    """
    return float(0.5 * np.abs(p - q).sum())


@dataclass(frozen=True)
class Resamples:
    """Row weights of resampled tables, all with replacement and of the synthetic table's size.

    ``synthetic`` (times, rows of synthetic) gives the interval; ``real`` (times, rows of real) gives the floor: what as
    many real rows would score.
    """

    real: np.ndarray
    synthetic: np.ndarray

    @property
    def fresh(self) -> float:
        """How much farther fresh rows lie from the original than its own resamples do."""
        return fresh(self.real.shape[1], self.synthetic.shape[1])

    @classmethod
    def of(cls, real: int, synthetic: int, times: int, draw: np.random.Generator) -> Resamples:
        return cls(cls._weights(real, synthetic, times, draw), cls._weights(synthetic, synthetic, times, draw))

    @staticmethod
    def _weights(rows: int, size: int, times: int, draw: np.random.Generator) -> np.ndarray:
        out = np.empty((times, rows))
        for one in out:
            one[:] = np.bincount(draw.integers(rows, size=size), minlength=rows)
        return out

    @staticmethod
    def times(counts: int) -> int:
        """How many resamples are affordable when one costs ``counts`` additions: 5 to 20."""
        return int(np.clip(4e8 // max(1, counts), 5, 20))


def fresh(real: int, rows: int) -> float:
    """``rows`` fresh rows lie this much farther from an original of ``real`` rows than as many drawn anew from it: the
    variance of a difference is 1 / real + 1 / rows, that of a resample only 1 / rows.

    >>> fresh(1000, 1000)
    1.4142135623730951
    """
    return float(np.sqrt(1 + rows / max(real, 1)))


def variations(binned: Binned, draws: Resamples) -> np.ndarray:
    """Total variation of sheet 0 (real) and: sheet 1 (synthetic), each resample of it, each resample of real, and
    sheet 2 (holdout) where there is one. Shape (1 + 2 * times [+ 1],)."""
    real, synthetic = binned.codes[:2]
    p, size = binned.shares(0), binned.size
    out = [variation(p, binned.shares(1))]
    for codes, weights in ((synthetic, draws.synthetic), (real, draws.real)):
        for w in weights:
            out.append(variation(p, np.bincount(codes, weights=w, minlength=size) / max(1, len(synthetic))))
    out += [variation(p, binned.shares(i)) for i in range(2, len(binned.codes))]
    return np.array(out)


@dataclass(frozen=True)
class Spread:
    """A number with its interval, its floor and the holdout's score, ready for a Finding."""

    value: float
    low: float
    high: float
    floor: float
    floor_low: float
    floor_high: float
    holdout: float | None = None
    floor_from: str = BOOTSTRAP

    def company(self) -> dict[str, Any]:
        """The fields of a Finding that keep the value company."""
        return {"low": self.low, "high": self.high, "floor": self.floor,
                "floor_low": self.floor_low, "floor_high": self.floor_high}


def spread(
    numbers: np.ndarray, times: int, top: float = np.inf, floor_from: str = BOOTSTRAP, fresh: float = 1.0
) -> Spread:
    """Read what ``variations`` wrote. The interval is value +- 1.96 standard deviations of the resamples: a resampled
    distance is biased upwards, so its percentiles would miss the value. The floor is the mean of the real resamples
    with their 2.5 and 97.5 percentiles, all ``fresh`` times; or, not from a bootstrap, the last number (real rows
    beside the original) +- 1.96 standard deviations of the real resamples."""
    value, own, real = float(numbers[0]), numbers[1:1 + times], floors(numbers, times, top, fresh)
    around = 1.96 * float(numbers[1 + times:1 + 2 * times].std(ddof=1)) if times > 1 else 0.0
    half = 1.96 * float(own.std(ddof=1)) if times > 1 else 0.0
    low, high = np.quantile(real, [0.025, 0.975])
    rest = float(numbers[1 + 2 * times]) if len(numbers) > 1 + 2 * times else None
    floor = float(real.mean())
    if rest is not None and floor_from != BOOTSTRAP:
        floor, low, high = rest, max(0.0, rest - around), min(top, rest + around)
    return Spread(value, max(0.0, value - half), min(top, value + half), floor, float(low), float(high), rest,
                  floor_from)


def floors(numbers: np.ndarray, times: int, top: float, fresh: float) -> np.ndarray:
    """(..., times) of ``variations``: what fresh rows would score, as each resample of real rows tells."""
    return np.minimum(fresh * numbers[..., 1 + times:1 + 2 * times], top)


WIDE = 141  #: columns among which pairs are measured at most: ten thousand pairs


def among(evidence: Evidence) -> Evidence:
    """The evidence with the columns among which pairs are measured: all, or of more than ``WIDE`` every so many-th, the
    same for every metric, the target always among them."""
    names = list(evidence.real.values)
    if len(names) <= WIDE:
        return evidence
    others = [n for n in names if n != evidence.target]
    places = np.linspace(0, len(others) - 1, WIDE - len(names) + len(others)).round().astype(int)
    chosen = {others[i] for i in places} | {evidence.target}
    kept = [n for n in names if n in chosen]
    rest = evidence.holdout
    return replace(evidence, real=evidence.real.select(kept), synthetic=evidence.synthetic.select(kept),
                   holdout=None if rest is None else rest.select(kept))


NEARLY = 0.9  #: a holdout of this share of the twin's rows is as good as one of as many
FEW = 1_000  #: a holdout of fewer rows gives way to the original's halves where those are larger


def beside(evidence: Evidence, run: Run) -> tuple[list[Sheet], str]:
    """Original, twin and, where there is one, holdout with at most the twin's rows; and where floors come from."""
    real, twin, rest = evidence.real, evidence.synthetic, evidence.holdout
    if rest is None:
        return [real, twin], BOOTSTRAP
    if rest.rows > twin.rows:
        rest = rest.take(run.random().permutation(rest.rows)[:twin.rows])
    return [real, twin, rest], HOLDOUT if twin.rows and rest.rows >= NEARLY * twin.rows else BOOTSTRAP


def even(evidence: Evidence, run: Run) -> tuple[list[Sheet], str]:
    """Three tables of one size, of random rows: of the original, of the twin, and of real rows beside both."""
    real, twin, rest = evidence.real, evidence.synthetic, evidence.holdout
    order = run.child("real").random().permutation(real.rows)
    halves = rest is None or rest.rows < min(FEW, real.rows // 2)
    size = min(twin.rows, real.rows // 2 if rest is None or halves else min(real.rows, rest.rows))
    if rest is None or halves:
        other = real.take(order[size:2 * size])
    else:
        other = rest.take(run.child("holdout").random().permutation(rest.rows)[:size])
    cut = twin.take(run.child("synthetic").random().permutation(twin.rows)[:size])
    return [real.take(order[:size]), cut, other], HALVES if halves else HOLDOUT


def wilson(hits: int, rows: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share.

    >>> tuple(round(v, 4) for v in wilson(0, 100))
    (0.0, 0.037)
    """
    if not rows:
        return 0.0, 1.0
    p, z2 = hits / rows, 1.96**2
    middle, half = p + z2 / (2 * rows), 1.96 * np.sqrt(p * (1 - p) / rows + z2 / (4 * rows**2))
    low, high = (middle - half) / (1 + z2 / rows), (middle + half) / (1 + z2 / rows)
    return float(max(0.0, min(low, p))), float(min(1.0, max(high, p)))


def correlation(matrix: np.ndarray) -> np.ndarray:
    """Pearson correlation of every two columns over the rows that have both; NaN where a column is constant there.

    ``matrix`` (rows, columns) with NaN where missing; the result is (columns, columns).
    """
    have = ~np.isnan(matrix)
    rows = np.maximum(have.sum(0), 1)
    middle = np.where(have, matrix, 0).sum(0) / rows
    x = np.where(have, matrix - middle, 0)
    scale = np.abs(x).max(0, initial=0)
    x = x / np.where(scale > 0, scale, 1)
    mask = have.astype(float)
    n, sums, squares = np.maximum(mask.T @ mask, 1), x.T @ mask, (x * x).T @ mask
    variance = squares - sums**2 / n
    covariance = x.T @ x - sums * sums.T / n
    tiny = 1e-12 * n
    varied = scale > 1e-12 * np.abs(middle)
    fine = (np.minimum(variance, variance.T) > tiny) & varied & varied[:, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(fine, np.clip(covariance / np.sqrt(variance * variance.T), -1, 1), np.nan)


def _placements(own: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Share of ``other`` under each of ``own``, ties count half."""
    other = np.sort(other)
    under, upto = np.searchsorted(other, own, "left"), np.searchsorted(other, own, "right")
    return (under + upto) / (2 * len(other))


def auc(truth: np.ndarray, score: np.ndarray) -> tuple[float, float]:
    """Area under the ROC curve and its variance by DeLong, DeLong and Clarke-Pearson (1988).

    >>> auc(np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8]))[0]
    0.75
    """
    yes, no = score[truth == 1], score[truth == 0]
    up, down = _placements(yes, no), _placements(no, yes)
    variance = (up.var(ddof=1) / len(up) if len(up) > 1 else 0.0) + (
        down.var(ddof=1) / len(down) if len(down) > 1 else 0.0)
    return float(up.mean()), float(variance)


def auc_difference(truth: np.ndarray, one: np.ndarray, other: np.ndarray) -> tuple[float, float]:
    """The first area less the second, and the variance of that: both scores are of the same rows, and what makes a row
    hard for both cancels out (DeLong, DeLong and Clarke-Pearson 1988, for paired curves).

    >>> auc_difference(np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8]), np.array([0.1, 0.4, 0.35, 0.8]))
    (0.0, 0.0)
    """
    placed = [(_placements(s[truth == 1], s[truth == 0]), _placements(s[truth == 0], s[truth == 1]))
              for s in (one, other)]
    up, down = (placed[0][i] - placed[1][i] for i in (0, 1))
    variance = sum(float(part.var(ddof=1)) / len(part) for part in (up, down) if len(part) > 1)
    return float(up.mean()), variance


def roc(truth: np.ndarray, score: np.ndarray, points: int = 41) -> tuple[list[float], list[float]]:
    """(false positive rates, true positive rates) at ``points`` even false positive rates, for a picture."""
    order = np.argsort(-score, kind="stable")
    ends = np.r_[np.nonzero(np.diff(score[order]))[0], len(score) - 1]
    hits = np.cumsum(truth[order])[ends]
    yes = max(1, int(truth.sum()))
    tpr, fpr = np.r_[0, hits / yes], np.r_[0, (ends + 1 - hits) / max(1, len(truth) - yes)]
    grid = np.linspace(0, 1, points)
    return [round(float(v), 4) for v in grid], [round(float(v), 4) for v in np.interp(grid, fpr, tpr)]
