"""How a model treats groups of people: whom it decides for, and how often it is right about whom.

In each group the share of decisions for an outcome, the accuracy, the true and false positive rates, and the
calibration (what was promised on average less what came); and the gaps, the largest differences between two groups:
demographic parity, equalised odds (Hardt, Price & Srebro, NeurIPS 2016), disparate impact (Feldman et al., KDD 2015).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fabrica.fairness import Tally, gap

__all__ = ["FEWEST", "Treated"]

FEWEST = 30  #: people of one truth, below which a group's rate among them says nothing


@dataclass(frozen=True)
class Treated:
    """How one model treats groups: rates (B, groups), of the rows themselves and then of people drawn anew; NaN where
    a group has too few of them."""

    chosen: np.ndarray
    right: np.ndarray
    true: np.ndarray
    false: np.ndarray
    promised: np.ndarray

    @classmethod
    def of(cls, at: np.ndarray, groups: int, decided: np.ndarray, sure: np.ndarray, truth: np.ndarray,
           weights: np.ndarray) -> Treated:
        """Of (n,) groups (-1: none), (n,) bool decisions, (n,) probabilities and (n,) bool truths, with (B, n)
        ``weights``."""
        here, drawn = at >= 0, weights[:, at >= 0]
        code, over = (4 * at + 2 * decided + truth)[here], (sure - truth)[here]
        told = np.array([np.bincount(code, one, 4 * groups) for one in drawn]).reshape(-1, groups, 2, 2)
        off = np.array([np.bincount(at[here], one * over, groups) for one in drawn])
        seen = np.bincount(code, minlength=4 * groups).reshape(groups, 2, 2)

        def rate(hits: np.ndarray, rows: np.ndarray, people: np.ndarray) -> np.ndarray:
            return np.where(people >= FEWEST, hits / np.maximum(rows, 1e-300), np.nan)

        rows, people = told.sum((2, 3)), seen.sum((1, 2))
        return cls(rate(told[:, :, 1].sum(2), rows, people), rate(told[:, :, 0, 0] + told[:, :, 1, 1], rows, people),
                   rate(told[:, :, 1, 1], told[..., 1].sum(2), seen[..., 1].sum(1)),
                   rate(told[:, :, 1, 0], told[..., 0].sum(2), seen[..., 0].sum(1)), rate(off, rows, people))

    @property
    def gaps(self) -> np.ndarray:
        """(5, B) the gaps of decisions, odds, impact (what the ratio lacks to 1), accuracy and calibration; NaN where
        there is none."""
        most = np.nanmax(self.chosen, 1)
        impact = np.where(most > 0, 1 - np.nanmin(self.chosen, 1) / np.maximum(most, 1e-300), np.nan)
        odds = np.fmax(_apart(self.true), _apart(self.false))
        return np.stack([_apart(self.chosen), odds, impact, _apart(self.right), _apart(self.promised)])


def _apart(rates: np.ndarray) -> np.ndarray:
    """(B,) the largest difference of two rates that are known; NaN where fewer than two are."""
    known = rates[:, ~np.isnan(rates[0])]
    if known.shape[1] < 2:
        return np.full(len(rates), np.nan)
    return gap(Tally(np.ones((*known.shape, 1)), known[..., None]))
