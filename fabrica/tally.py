"""What a survey of numbers keeps: distinct values with their counts, mergeable and bounded.

Few values stay exact however many rows there are; of many, light neighbours are joined at their mean, so a survey of
any number of rows fits in memory and still tells every cumulative probability.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fabrica.errors import SchemaError

__all__ = ["Tally", "same", "KNOTS", "DISTINCT"]

KNOTS = 4096  #: groups of rows that a learned marginal keeps borders of, at most
DISTINCT = 1 << 18  #: distinct values that a survey keeps, at most
EXACT = 1 << 53  #: whole numbers beyond it are kept in 64-bit integers: a float64 would lose their last digits


@dataclass(frozen=True)
class Tally:
    """Sorted distinct ``values`` (d,) with their ``counts`` (d,) float64: what a survey of numbers keeps.

    Values are float64, or int64 where whole numbers are beyond 2^53. Above ``DISTINCT`` values, light neighbours are
    joined at their mean, which is ``merged`` (d,) and never taken for a value that somebody has; values that hold more
    than 1/32768 of the rows stay exact (four times less than a point mass needs, so that a mass survives parts in which
    it is rarer), and the error of any cumulative probability stays below 1/10,000 per merge.
    """

    values: np.ndarray
    counts: np.ndarray
    merged: np.ndarray | None = None  # None: no value is a mean

    @classmethod
    def of(cls, values: np.ndarray) -> Tally:
        """Count the finite numbers of one part."""
        v, c = np.unique(values, return_counts=True)
        far = v.dtype.kind == "i" and len(v) and (v[0] < -EXACT or v[-1] > EXACT)
        return cls(v.astype(np.int64) if far else v.astype(np.float64) + 0.0, c.astype(np.float64)).thinned()

    def merge(self, other: Tally) -> Tally:
        if not len(self.values) or not len(other.values):
            return self if len(self.values) else other
        counts = np.concatenate([self.counts, other.counts])
        values = np.concatenate(_alike(self.values, other.values))
        mean = np.concatenate([self._mean, other._mean])
        order = np.lexsort((mean, values))
        values, counts, mean = values[order], counts[order], mean[order]
        new = np.concatenate([[True], (values[1:] != values[:-1]) | (mean[1:] != mean[:-1])])
        counts = np.bincount(np.cumsum(new) - 1, counts)
        return Tally(values[new], counts, mean[new] if mean.any() else None).thinned()

    def thinned(self) -> Tally:
        if len(self.values) <= DISTINCT:
            return self
        heavy = (self.counts >= self.counts.sum() / (8 * KNOTS)) & ~self._mean
        begins = heavy | np.roll(heavy, 1) | (np.arange(len(heavy)) % 2 == 0)
        begins[0] = True
        group = np.cumsum(begins) - 1
        counts = np.bincount(group, self.counts)
        mean = np.bincount(group, self.values * self.counts) / counts
        alone = np.bincount(group) == 1
        values = np.where(alone, self.values[begins], same(mean, self.values))
        merged = np.where(alone, self._mean[begins], True)
        order = np.lexsort((merged, values))  # the mean of far whole numbers is rounded
        return Tally(values[order], counts[order], merged[order]).thinned()

    @property
    def _mean(self) -> np.ndarray:
        return np.zeros(len(self.values), bool) if self.merged is None else self.merged

    @property
    def total(self) -> float:
        return float(self.counts.sum())

    def demand_within(self, bounds: tuple[float, float] | None, name: str) -> None:
        """``SchemaError`` where a value lies beyond the bounds that the user declared for a column."""
        if bounds is not None and len(self.values) and not bounds[0] <= self.values[0] <= self.values[-1] <= bounds[1]:
            raise SchemaError("some of its values lie beyond the declared bounds", where=f"column {name!r}",
                              hint="correct the bounds, or list such values under `missing`")

    def points(self, k: int) -> np.ndarray:
        """(d,) whether k rows or more hold a value, enough of them to be a point mass."""
        return (self.counts >= max(k, self.total / (2 * KNOTS))) & ~self._mean


def same(values: np.ndarray, like: np.ndarray) -> np.ndarray:
    """Float64 ``values`` rounded to int64 if ``like`` is."""
    if like.dtype.kind != "i":
        return values
    return np.clip(np.round(values), -(2.0**63), np.nextafter(2.0**63, 0)).astype(np.int64)


def _alike(one: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both as int64 if one of them is."""
    return same(one, other) if one.dtype.kind == "f" else one, same(other, one) if other.dtype.kind == "f" else other
