"""How far apart groups are: in the rows, in what a classifier says of them, and among those who deserve it.

Between two groups a and b the difference of their rates of a favourable outcome is taken within each stratum of the
legitimate factors and averaged with the weights n_a n_b / (n_a + n_b) (the risk difference of Mantel and Haenszel;
Greenland & Robins, "Estimation of a common effect parameter from sparse follow-up data", Biometrics 41, 1985). It needs
no stratum to be large, a stratum of one group alone counts nothing, and without strata it is the plain difference. The
*gap* is the largest such difference between any two groups.

- of the rows: statistical parity, conditional where there are factors (Kamiran, Žliobaitė & Calders, KAIS 35, 2013);
- of a classifier's word: demographic parity of its decisions;
- of its word on rows whose true outcome is favourable: equal opportunity (Hardt, Price & Srebro, NeurIPS 2016).

Intervals are bootstrapped. Weights of resampled rows are the same for everything that is judged, so differences between
two classifiers are paired; a gap's interval holds for all pairs of groups at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from fabrica.errors import NotComputable

__all__ = ["DRAWS", "Judged", "Tally", "accuracy", "area", "differences", "gap", "judged", "largest", "redrawn",
           "resamples"]

DRAWS = 200  #: resamples


@dataclass(frozen=True)
class Tally:
    """Rows by group and stratum, and how many of them are favourable.

    Parameters
    ----------
    rows, hits : (..., S, L).
    """

    rows: np.ndarray
    hits: np.ndarray

    @classmethod
    def of(cls, cell: np.ndarray, yes: np.ndarray, shape: tuple[int, int], weights: np.ndarray | None = None) -> Tally:
        """Of (n,) cells of ``shape`` (S, L) and (n,) bool; with (B, n) ``weights`` a tally for each resample."""
        size = shape[0] * shape[1]
        code = 2 * cell + yes
        each = [np.bincount(code, one, 2 * size) for one in ([None] if weights is None else weights)]
        counts = np.stack(each).reshape(-1, *shape, 2).astype(float)
        counts = counts[0] if weights is None else counts
        return cls(counts.sum(-1), counts[..., 1])

    def of_groups(self, groups: Sequence[int]) -> Tally:
        """Of some groups only."""
        return Tally(self.rows[..., list(groups), :], self.hits[..., list(groups), :])

    @property
    def rates(self) -> np.ndarray:
        """(..., S) the share of favourable rows of each group, over all strata."""
        return self.hits.sum(-1) / np.maximum(self.rows.sum(-1), 1e-300)

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.rows + other.rows, self.hits + other.hits)


def gap(tally: Tally) -> np.ndarray:
    """(...) the largest difference between any two groups.

    Of ten women 2 and of ten men 5 are hired, so the gap is .3; but all apply to two departments, which hire alike:

    >>> float(gap(Tally(np.array([[10.0], [10.0]]), np.array([[2.0], [5.0]]))).__round__(3))
    0.3
    >>> float(gap(Tally(np.array([[8.0, 2.0], [2.0, 8.0]]), np.array([[1.0, 1.0], [0.25, 4.0]]))).__round__(3))
    0.0
    """
    return largest(differences(tally))


def largest(apart: np.ndarray) -> np.ndarray:
    """(...) the largest of differences (..., P), whichever of two is ahead."""
    return np.abs(apart).max(-1, initial=0.0)


def differences(tally: Tally) -> np.ndarray:
    """(..., P) the difference between each two groups."""
    rate, found = tally.hits / np.maximum(tally.rows, 1e-300), []
    for a, b in combinations(range(tally.rows.shape[-2]), 2):
        one, other = tally.rows[..., a, :], tally.rows[..., b, :]
        weight = one * other / np.maximum(one + other, 1e-300)
        found.append((weight * (rate[..., a, :] - rate[..., b, :])).sum(-1) / np.maximum(weight.sum(-1), 1e-300))
    return np.stack(found, -1) if found else np.zeros((*tally.rows.shape[:-2], 0))


def redrawn(tally: Tally, random: np.random.Generator) -> Tally:
    """The tally of the rows themselves, then of ``DRAWS`` resamples of them."""
    counts = np.stack([tally.hits, tally.rows - tally.hits])
    total = round(counts.sum())
    again = random.multinomial(total, counts.ravel() / counts.sum(), DRAWS).reshape(DRAWS, *counts.shape)
    every = np.concatenate([counts[None], again])
    return Tally(every.sum(1), every[:, 0])


def resamples(rows: int, random: np.random.Generator) -> np.ndarray:
    """(1 + DRAWS, rows) uint8 weights: the rows themselves, then Poisson's bootstrap (Chamandy et al. 2012)."""
    return np.concatenate([np.ones((1, rows), np.uint8), random.poisson(1.0, (DRAWS, rows)).astype(np.uint8)])


@dataclass(frozen=True)
class Judged:
    """What one classifier does on the holdout: each (1 + DRAWS, ...), the number itself and then of resampled rows.

    Parameters
    ----------
    apart : (1 + DRAWS, P) what its decisions differ by between each two groups.
    rightly : the same where the truth is favourable; None where fewer than two groups are compared so.
    rates, true : the share of each group that it finds favourable, of all of it and of those who are.
    """

    accuracy: np.ndarray
    auc: np.ndarray
    apart: np.ndarray
    rightly: np.ndarray | None
    rates: np.ndarray
    true: np.ndarray


def judged(score: np.ndarray, truth: np.ndarray, cell: np.ndarray, shape: tuple[int, int], groups: Sequence[int],
           deserving: Sequence[int], weights: np.ndarray) -> Judged:
    """Of (n,) probabilities of the favourable outcome, decided at one half, against (n,) bool truths.

    ``cell`` (n,) tells group and stratum (of ``shape``). Only ``groups`` are compared, and ``deserving`` ones in their
    true positive rates. ``weights`` as of ``resamples``.
    """
    said = score > 0.5
    every = Tally.of(cell, said, shape, weights).of_groups(groups)
    right = Tally.of(cell[truth], said[truth], shape, weights[:, truth]).of_groups(deserving)
    return Judged(accuracy(said, truth, weights), area(score, truth, weights), differences(every),
                  differences(right) if len(deserving) > 1 else None, every.rates[0], right.rates[0])


def accuracy(said: np.ndarray, truth: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(B,) the share of weighted rows of which the truth is said."""
    right = (said == truth)
    return np.array([one[right].sum(dtype=float) / max(one.sum(dtype=float), 1e-300) for one in weights])


def area(score: np.ndarray, truth: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(B,) the area under the ROC curve of weighted rows; ties count half.

    >>> float(area(np.array([0.1, 0.4, 0.35, 0.8]), np.array([False, False, True, True]), np.ones((1, 4)))[0])
    0.75

    Raises
    ------
    NotComputable : all rows are of one kind.
    """
    if truth.all() or not truth.any():
        raise NotComputable("the rows have only one outcome")
    places = np.unique(score, return_inverse=True)[1]
    found = []
    for one in weights:
        yes, no = (np.bincount(places[kind], one[kind], places.max() + 1) for kind in (truth, ~truth))
        below = np.cumsum(no) - no / 2
        found.append((yes * below).sum() / max(yes.sum() * no.sum(), 1e-300))
    return np.array(found)
