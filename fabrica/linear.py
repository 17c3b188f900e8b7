"""Linear models as pupils: logistic, multinomial and ridge regression on standardised numbers and one-hot levels.

They see what boosted trees do not care for: a straight line through everything. A twin that teaches trees and misleads
a linear model has kept groups of rows and lost the slopes that a paper would report.

The loss is the sum of the log losses (of squared errors for a number) plus half the squared length of the slopes (a
ridge of 1, as is the usual default), by Newton's steps or L-BFGS. Numbers are centred and scaled by the table that was
learned from; a missing one is at the centre and has a mark of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from fabrica.contract import Sheet

__all__ = ["Design", "classes", "line"]

COMMON = 30  #: levels of a column that have a slope, the commonest
FAR = 10.0  #: standard deviations beyond which a number is as far as that
STEPS, NEWTON = 100, 25
CHUNK = 20_000


@dataclass(frozen=True)
class Design:
    """How rows become numbers: for each numeric column its (centre, scale, whether some are missing), for each other
    its commonest levels."""

    numbers: tuple[tuple[str, float, float, bool], ...]
    levels: tuple[tuple[str, np.ndarray], ...]

    @classmethod
    def of(cls, train: Sheet, names: Sequence[str]) -> Design:
        """The design of a table's columns.

        >>> sheet = Sheet(3, {"x": np.array([1.0, 3.0, np.nan]), "k": np.array([0, 1, 1])}, {"k": ["a", "b"]})
        >>> Design.of(sheet, ["x", "k"]).matrix(sheet).tolist()
        [[-1.0, 0.0, 0.0, 1.0], [1.0, 0.0, 1.0, 0.0], [0.0, 1.0, 1.0, 0.0]]
        """
        numbers, levels = [], []
        for name in names:
            cells = train.values[name]
            if name in train.levels:
                known, counts = np.unique(cells, return_counts=True)
                levels.append((name, known[np.argsort(-counts, kind="stable")][:COMMON]))
                continue
            have = cells[~np.isnan(cells)]
            centre, scale = (float(have.mean()), float(have.std())) if len(have) else (0.0, 0.0)
            numbers.append((name, centre, scale if scale > 1e-12 * abs(centre) else np.inf, len(have) < len(cells)))
        return cls(tuple(numbers), tuple(levels))

    def matrix(self, sheet: Sheet) -> np.ndarray:
        """(rows, features)."""
        found = []
        for name, centre, scale, marked in self.numbers:
            absent = np.isnan(sheet.values[name])
            found.append(np.where(absent, 0.0, np.clip((sheet.values[name] - centre) / scale, -FAR, FAR)))
            found += [absent.astype(float)] if marked else []
        for name, known in self.levels:
            found += [(sheet.values[name] == level).astype(float) for level in known]
        return np.stack(found, 1) if found else np.zeros((sheet.rows, 0))


def _two(x: np.ndarray, y: np.ndarray, ridge: float) -> np.ndarray:
    """(features + 1, 1) slopes and, last, the intercept of a logistic model, by Newton's steps, halved where they go
    too far."""
    x = np.hstack([x, np.ones((len(x), 1))])
    weight = np.append(np.full(x.shape[1] - 1, ridge), 1e-9)

    def loss(w: np.ndarray) -> float:
        z = x @ w
        return float(np.logaddexp(0, z).sum() - z[y == 1].sum() + (weight * w * w).sum() / 2)

    w = np.zeros(x.shape[1])
    here = loss(w)
    for _ in range(NEWTON):
        p = 1 / (1 + np.exp(-np.clip(x @ w, -500, 500)))
        slope = x.T @ (p - y) + weight * w
        step = np.linalg.solve((x.T * (p * (1 - p))) @ x + np.diag(weight + 1e-9), slope)
        size, there = 1.0, loss(w - step)
        while there > here and size > 1e-4:
            size /= 2
            there = loss(w - size * step)
        w, gained, here = w - size * step, here - there, there
        if gained < 1e-9 * len(y):
            break
    return w[:, None]


def _many(x: np.ndarray, y: np.ndarray, ridge: float) -> np.ndarray:
    """(features + 1, classes) slopes and, last, intercepts of a multinomial model of (n,) class numbers, by L-BFGS."""
    n, d = x.shape
    many = int(y.max()) + 1
    hot = np.eye(many)[y]

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        w = flat.reshape(d + 1, many)
        z = x @ w[:-1] + w[-1]
        top = z.max(1, keepdims=True)
        whole = top + np.log(np.exp(z - top).sum(1, keepdims=True))
        cost, p = float(whole.sum() - (hot * z).sum()), np.exp(z - whole)
        slope = np.vstack([x.T @ (p - hot) + ridge * w[:-1], (p - hot).sum(0)])
        return (cost + ridge * float((w[:-1] ** 2).sum()) / 2) / n, slope.ravel() / n

    found = minimize(loss, np.zeros((d + 1) * many), jac=True, method="L-BFGS-B",
                     options={"maxiter": STEPS, "ftol": 1e-9, "gtol": 1e-6})
    slopes: np.ndarray = found.x.reshape(d + 1, many)
    return slopes


def classes(train: Sheet, test: Sheet, names: Sequence[str], y: np.ndarray, ridge: float = 1.0) -> np.ndarray:
    """(rows of ``test``, classes) probabilities, learned from (rows of ``train``,) class numbers from 0.

    >>> draw = np.random.default_rng(1)
    >>> x = draw.normal(size=2000)
    >>> sheet, yes = Sheet(2000, {"x": x}, {}), draw.random(2000) < 1 / (1 + np.exp(-2 * x))
    >>> float(np.corrcoef(classes(sheet, sheet, ["x"], yes.astype(int))[:, 1], x)[0, 1]) > 0.95
    True
    """
    design = Design.of(train, names)
    slopes = (_two if y.max() == 1 else _many)(design.matrix(train), y, ridge)
    found = []
    for start in range(0, max(1, test.rows), CHUNK):
        z = design.matrix(test.take(np.arange(start, min(start + CHUNK, test.rows)))) @ slopes[:-1] + slopes[-1]
        z = np.hstack([np.zeros_like(z), z]) if z.shape[1] == 1 else z
        p = np.exp(z - z.max(1, keepdims=True))
        found.append(p / p.sum(1, keepdims=True))
    return np.vstack(found)


def line(train: Sheet, test: Sheet, names: Sequence[str], y: np.ndarray, ridge: float = 1.0) -> np.ndarray:
    """(rows of ``test``,) predictions of a number, learned from (rows of ``train``,) numbers."""
    design = Design.of(train, names)
    x, middle = design.matrix(train), float(y.mean())
    centre = x.mean(0)
    gram = (x - centre).T @ (x - centre) + ridge * np.eye(x.shape[1])
    slopes = np.linalg.solve(gram, (x - centre).T @ (y - middle))
    return np.asarray((design.matrix(test) - centre) @ slopes + middle)
