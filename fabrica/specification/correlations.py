"""Declared correlations: from what shall be seen between two columns to the normals behind them.

Behind each column stands a normal; a column's value is a rising function of it. What is declared is a correlation of
the finished cells (``spearman``, the default: of their ranks, ties sharing the middle rank; ``pearson``: of their
values) or of the normals themselves (``normal``). The correlation r of two normals that makes f(X) and g(Y) correlate
as declared is found from

    d Cov(f(X), g(Y)) / d r  =  sum over the steps of f and g of  (step of f) (step of g) (their joint density),

since f and g are stairs (Plackett, "A reduction formula for normal multivariate integrals", Biometrika 41, 1954; the
way is known as NORTA: Cario and Nelson 1997). With r = sin(t) the integrand is bounded, so a few panels are enough. At
r = 1 and -1 stand the largest and the smallest correlation that these two columns can have at all (Fréchet 1951).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import ndtr

from fabrica.correlation import FLOOR, nearest
from fabrica.declared import DeclaredCoder
from fabrica.errors import SchemaError, UnknownName
from fabrica.laws import Law, number
from fabrica.specification.completed import completed

__all__ = ["MEASURES", "latent"]

MEASURES = ("spearman", "pearson", "normal")
GRID = np.linspace(-8.5, 8.5, 8193)  #: of the normal, on which a column's function is looked at
MOST = 160  #: steps of one column's function, besides its point masses
HEAVY = 0.005  #: share from which a value is a point mass
PANELS = 128  #: of the angle from -90 to 90 degrees
ROUNDING = 0.006  #: how far correlations that contradict each other may be moved without a word: their second decimal
HINT = "write `correlations: [[age, income, 0.6]]`"

Pairs = dict[tuple[str, str], float]


@dataclass(frozen=True)
class Stairs:
    """A column as a function of its normal: it rises by ``rises`` (K,) at ``places`` (K,); ``even`` where it is the
    rank of a column that is all but continuous."""

    places: np.ndarray
    rises: np.ndarray
    spread: float
    even: bool

    @classmethod
    def of(cls, coder: DeclaredCoder, measure: str) -> Stairs:
        middle = (GRID[1:] + GRID[:-1]) / 2
        values, mass = coder.values(ndtr(middle)), np.diff(ndtr(GRID))
        mass = mass / mass.sum()
        shown = _ranks(values, mass) if measure == "spearman" else values / max(1.0, float(np.abs(values).max()))
        rises = np.diff(shown)
        places, smooth = GRID[1:-1], np.count_nonzero(rises) > MOST
        heavy = _heavy(values, mass)
        if smooth:  # wider stairs, at their means; a point mass stays a step of its own
            wide = np.zeros(len(shown), bool)
            wide[:: -(-len(shown) // MOST)] = True
            wide[1:] |= (values[1:] != values[:-1]) & (heavy[1:] | heavy[:-1])
            start = np.flatnonzero(wide)
            own = np.add.reduceat(mass, start)
            shown = np.add.reduceat(mass * shown, start) / np.maximum(own, 1e-300)
            rises, places, mass = np.diff(shown), GRID[start[1:]], own
        kept = rises != 0
        spread = np.sqrt(max(0.0, mass @ shown**2 - (mass @ shown) ** 2))
        return cls(places[kept], rises[kept], float(spread), bool(smooth and measure == "spearman" and not heavy.any()))


def _heavy(values: np.ndarray, mass: np.ndarray) -> np.ndarray:
    """(n,) whether each of the ascending ``values`` is a point mass."""
    _, which = np.unique(values, return_inverse=True)
    return (np.bincount(which.ravel(), mass) > HEAVY)[which.ravel()]


def _ranks(values: np.ndarray, mass: np.ndarray) -> np.ndarray:
    """(n,) the middle rank, as a share, of each of the ascending ``values``."""
    _, which = np.unique(values, return_inverse=True)
    own = np.bincount(which.ravel(), mass)
    return (np.cumsum(own) - own / 2)[which.ravel()]


def _curve(one: Stairs, other: Stairs) -> tuple[np.ndarray, np.ndarray]:
    """(r, seen): correlations of the normals from -1 to 1, and those of the columns that come of them."""
    angle = np.linspace(-np.pi / 2, np.pi / 2, PANELS + 1)
    if one.even and other.even:  # Pearson 1907
        return np.sin(angle), np.arcsin(np.sin(angle) / 2) * 6 / np.pi
    middle = (angle[1:] + angle[:-1]) / 2
    sums = one.places[:, None] ** 2 + other.places[None, :] ** 2
    product = one.places[:, None] * other.places[None, :]
    slopes = np.array([one.rises @ np.exp((product * np.sin(t) - sums / 2) / np.cos(t) ** 2) @ other.rises
                       for t in middle])
    upto = np.concatenate([[0.0], np.cumsum(slopes * np.diff(angle))]) / (2 * np.pi)
    seen = (upto - upto[PANELS // 2]) / (one.spread * other.spread)
    return np.sin(angle), seen


def latent(said: Any, coders: Mapping[str, DeclaredCoder]) -> tuple[np.ndarray, list[str]]:
    """(C, C) correlations of the normals behind ``coders``, in their order, and what a person should know, a line each.

    Parameters
    ----------
    said : a list of [column, column, correlation]; or a mapping with ``measure`` and with ``pairs`` or ``columns`` and
        ``matrix``.
    """
    measure, pairs = _read(said)
    names = list(coders)
    wanted, asked, named = np.eye(len(names)), np.eye(len(names)), np.eye(len(names), dtype=bool)
    stairs: dict[str, Stairs] = {}
    for (a, b), value in pairs.items():
        for name in (a, b):
            if name not in stairs:
                stairs[name] = _stairs(name, coders, measure)
        r = value if measure == "normal" else _inverse(a, b, value, stairs, measure)
        i, j = names.index(a), names.index(b)
        wanted[i, j] = wanted[j, i] = np.clip(r, FLOOR - 1, 1 - FLOOR)
        asked[i, j] = asked[j, i] = r
        named[i, j] = named[j, i] = True
    return _fitting(np.where(named, asked, whole := completed(wanted, named)), whole, names, pairs, measure, stairs)


def _stairs(name: str, coders: Mapping[str, DeclaredCoder], measure: str) -> Stairs:
    if name not in coders:
        raise UnknownName("column with a distribution", name, list(coders), where="correlations")
    source = coders[name].source
    if measure == "pearson" and isinstance(source, Law) and not source.steady:
        raise SchemaError(f"{name!r} has no variance, so no correlation of values", where="correlations",
                          hint="declare correlations of ranks (measure: spearman), or bounds")
    found = Stairs.of(coders[name], measure)
    if not found.rises.size:
        raise SchemaError(f"{name!r} has one value only, so it has no correlation", where="correlations")
    return found


def _inverse(a: str, b: str, value: float, stairs: Mapping[str, Stairs], measure: str) -> float:
    """The correlation of the normals at which the columns ``a`` and ``b`` have the correlation ``value``."""
    if value == 0:
        return 0.0
    r, seen = _curve(stairs[a], stairs[b])
    if not seen[0] - 0.005 <= value <= seen[-1] + 0.005:
        raise SchemaError(f"{a!r} and {b!r} cannot have the {measure} correlation {value:g}: with these distributions "
                          f"it is between {seen[0]:.2f} and {seen[-1]:.2f}", where="correlations",
                          hint="lower it, or change a distribution")
    return float(np.interp(value, np.maximum.accumulate(seen), r))


def _fitting(asked: np.ndarray, wanted: np.ndarray, names: list[str], pairs: Pairs, measure: str,
             stairs: Mapping[str, Stairs]) -> tuple[np.ndarray, list[str]]:
    """The nearest matrix to ``wanted`` that normals can have, unless it is another one than was ``asked``."""
    found = nearest(wanted)
    moved = float(np.abs(found - asked).max(initial=0.0))
    if moved <= ROUNDING:
        note = f"correlations were moved by at most {moved:.4f} so that they fit together"
        return found, [note] if moved > 1e-6 else []

    def back(a: str, b: str) -> float:
        r = float(found[names.index(a), names.index(b)])
        return r if measure == "normal" else float(np.interp(r, *_curve(stairs[a], stairs[b])))

    involved = sorted({name for pair in pairs for name in pair}, key=names.index)
    every = [(a, b) for i, a in enumerate(involved) for b in involved[i + 1 :]]
    told = [f"[{a}, {b}, {back(a, b):.2f}]" for a, b in every][:21]
    more = f" and {len(every) - 21} more" if len(every) > 21 else ""
    raise SchemaError("these correlations contradict each other: no columns can have them all (the matrix is not "
                      "positive definite)", where="correlations",
                      hint=f"the nearest that fit together: {', '.join(told)}{more}")


# ---------------------------------------------------------------- reading


def _read(said: Any) -> tuple[str, Pairs]:
    """The measure and the pairs."""
    if said is None:
        return MEASURES[0], {}
    if isinstance(said, list | tuple):
        said = {"pairs": said}
    if not isinstance(said, Mapping):
        raise SchemaError("must be a list of [column, column, correlation]", where="correlations", hint=HINT)
    known = ["measure", "pairs", "columns", "matrix"]
    for key in said:
        if key not in known:
            raise UnknownName("field of correlations", str(key), known, where="correlations")
    measure = said.get("measure", MEASURES[0])
    if measure not in MEASURES:
        raise UnknownName("measure of correlation", str(measure), list(MEASURES), where="correlations")
    return measure, _pairs([*_listed(said.get("pairs", [])), *_matrix(said.get("columns"), said.get("matrix"))])


def _listed(said: Any) -> list[tuple[Any, Any, Any]]:
    if not isinstance(said, list | tuple) or not all(isinstance(p, list | tuple) and len(p) == 3 for p in said):
        raise SchemaError("must be a list of [column, column, correlation]", where="correlations", hint=HINT)
    return [(p[0], p[1], p[2]) for p in said]


def _matrix(columns: Any, matrix: Any) -> list[tuple[Any, Any, Any]]:
    """The pairs of a matrix, which must be symmetric with ones on its diagonal."""
    if columns is None and matrix is None:
        return []
    size = len(columns) if isinstance(columns, list | tuple) else -1
    if not isinstance(matrix, list | tuple) or len(matrix) != size or any(
            not isinstance(row, list | tuple) or len(row) != size for row in matrix):
        raise SchemaError("`matrix` must have a row and a column for each of `columns`", where="correlations")
    found = np.array([[number(v, "matrix") for v in row] for row in matrix])
    if not np.array_equal(found, found.T) or (np.diag(found) != 1).any():
        raise SchemaError("`matrix` must be symmetric, with 1 on its diagonal", where="correlations")
    return [(columns[i], columns[j], float(found[i, j])) for i in range(size) for j in range(i + 1, size)]


def _pairs(said: Iterable[tuple[Any, Any, Any]]) -> Pairs:
    found: Pairs = {}
    for a, b, value in said:
        a, b = str(a), str(b)
        if a == b or (a, b) in found or (b, a) in found:
            raise SchemaError(f"the pair {a!r}, {b!r} stands twice, or is one column", where="correlations")
        if not -1 <= number(value, "correlation") <= 1:
            raise SchemaError(f"the correlation of {a!r} and {b!r} must be between -1 and 1", where="correlations")
        found[a, b] = float(value)
    return found
