"""Places: a latitude and a longitude together, as one walk through the cells of a k-d tree.

The points of the map are halved at the weighted median of their longer side (Bentley, CACM 1975) until a piece would
hold too few rows. Pieces in the order of the tree are neighbours on the map, so one ordered code says where a row is. A
point that k rows or more share (a station, a shop) comes back bit for bit; of all others only means and spreads of at
least k rows are kept (microaggregation) and values are drawn evenly over mean ± √3 spreads, which is the piece itself
where it is evenly filled. No border of a piece is stored: a border lies between two single rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import pyarrow as pa

from fabrica import absence, sound
from fabrica.block import Coded, code_type
from fabrica.contract import Cells, Codec, Coder, Setting, Summary
from fabrica.run import Run
from fabrica.schema import Column
from fabrica.state import State
from fabrica.tally import Tally

__all__ = ["Place"]

DISTINCT = 200_000  #: points that a survey keeps, at most
PIECES = 8192  #: pieces whose means are kept, about
LIMITS = (90.0, 180.0)  #: degrees


@dataclass(frozen=True)
class Points:
    """Distinct points (d, 2) in degrees and their ``counts`` (d,); above ``DISTINCT`` light neighbours are one."""

    where: np.ndarray
    counts: np.ndarray

    @classmethod
    def of(cls, where: np.ndarray, counts: np.ndarray) -> Points:
        """Count equal points."""
        order = np.lexsort((where[:, 1], where[:, 0]))
        where, counts = where[order], counts[order]
        new = np.append(True, (where[1:] != where[:-1]).any(1))[: len(where)]
        label = np.cumsum(new) - 1
        return cls(where[new], np.bincount(label, counts, int(new.sum()))).thinned()

    def merge(self, other: Points) -> Points:
        return Points.of(np.concatenate([self.where, other.where]), np.concatenate([self.counts, other.counts]))

    def thinned(self) -> Points:
        """Points on an ever coarser grid joined at their mean, but for heavy ones, until few enough are left."""
        found, mesh = self, 1e-6
        while len(found.counts) > DISTINCT:
            heavy = found.counts > found.counts.sum() / PIECES
            light = ~heavy
            grid = np.round(found.where[light] / mesh).astype(np.int64)
            label = np.unique(grid[:, 0] * (1 << 32) + grid[:, 1], return_inverse=True)[1]
            mass = np.bincount(label, found.counts[light])
            mean = np.stack([np.bincount(label, found.counts[light] * found.where[light, a]) / mass for a in (0, 1)], 1)
            found = Points(np.concatenate([found.where[heavy], mean]), np.concatenate([found.counts[heavy], mass]))
            mesh *= 2
        return found


@dataclass(frozen=True)
class Seen(Summary):
    """Counted points; how often each pair of ways of being missing occurs (256 * latitude's + longitude's)."""

    points: Points
    pairs: dict[int, int]

    def merge(self, other: Summary) -> Seen:
        assert isinstance(other, Seen)
        pairs = {p: self.pairs.get(p, 0) + other.pairs.get(p, 0) for p in sorted({*self.pairs, *other.pairs})}
        return Seen(self.points.merge(other.points), pairs)


@dataclass(frozen=True)
class Place(Codec):
    """Settings of the place codec."""

    title = "latitude and longitude together: cells of the map, exact where k rows share a point"
    kinds = ()  # seated by partner, not by kind

    codes: Annotated[int, Setting("cells of the map, about", low=8, high=60_000)] = 512
    k: Annotated[int, Setting("rows that a stored place must stand for, at least", low=1, high=10_000)] = 5

    def survey(self, columns: tuple[Column, ...], cells: tuple[Cells, ...], run: Run) -> Seen:
        pair, where = _read(cells)
        kinds, counts = np.unique(pair, return_counts=True)
        here = where[pair == 0]
        return Seen(Points.of(here, np.ones(len(here))), {int(p): int(c) for p, c in zip(kinds, counts, strict=True)})

    def learn(self, columns: tuple[Column, ...], summary: Summary, run: Run) -> PlaceCoder:
        assert isinstance(summary, Seen)
        names = (columns[0].name, columns[1].name)
        held = absence.protected(np.bincount(list(summary.pairs), list(summary.pairs.values()), 1 << 16), self.k)
        pairs, missing = absence.numbered(held), float(held[1:].sum() / max(1, held.sum()))
        for a, column in enumerate(columns):
            Tally.of(summary.points.where[:, a]).demand_within(column.bounds, column.name)
        limits = tuple(c.bounds or _ends(summary.points, a, self.k) for a, c in enumerate(columns))
        known = summary.points.counts.sum() >= self.k  # of fewer nothing may be said
        pieces = _pieces(summary.points, self.codes, self.k) if known else _none()
        decimals = (columns[0].decimals, columns[1].decimals)
        return PlaceCoder(names, decimals, limits, pairs, missing, pieces)


def _ends(points: Points, axis: int, k: int) -> tuple[float, float]:
    """The means of the k southernmost and northernmost (westernmost and easternmost) rows, within what is possible."""
    ends = []
    for order in (np.argsort(points.where[:, axis]), np.argsort(-points.where[:, axis])):
        counts = points.counts[order]
        weight = np.clip(k - (np.cumsum(counts) - counts), 0, counts)
        ends.append(float(weight @ points.where[order, axis]) / max(float(weight.sum()), 1.0))
    return max(ends[0], -LIMITS[axis]), min(max(ends), LIMITS[axis])


def _read(cells: tuple[Cells, ...]) -> tuple[np.ndarray, np.ndarray]:
    """((n,) pairs of ways of being missing, (n, 2) degrees)."""
    columns = []
    for cell in cells:
        values = cell.values.cast(pa.float64()) if cell.values.type != pa.float64() else cell.values
        columns.append(values.fill_null(0).to_numpy(zero_copy_only=False) + 0.0)
    pair = absence.kinds(cells[0]).astype(np.int64) * 256 + absence.kinds(cells[1])
    return pair, np.stack(columns, 1)


# ---------------------------------------------------------------- the map in pieces


@dataclass(frozen=True)
class Pieces:
    """The map as learned.

    Parameters
    ----------
    cum : (m+1,) share of rows before each piece, from 0 to 1.
    edges : (B+1,) where codes are cut; each edge is one of ``cum``.
    mean, spread : (m, 2) degrees; a piece without spread is one exact point.
    """

    cum: np.ndarray
    edges: np.ndarray
    mean: np.ndarray
    spread: np.ndarray

    @property
    def size(self) -> int:
        return len(self.edges) - 1

    @property
    def axes(self) -> np.ndarray:
        """(B, 2) for each code the share of rows that lie south, and west, of its middle."""
        mass, at = np.diff(self.cum), np.searchsorted(self.cum, self.edges[:-1])
        weight = np.maximum(np.add.reduceat(mass, at), 1e-12)
        middle = np.add.reduceat(self.mean * mass[:, None], at) / weight[:, None]
        found = np.empty_like(middle)
        for axis in (0, 1):
            order = np.argsort(middle[:, axis], kind="stable")
            found[order, axis] = np.cumsum(weight[order]) - weight[order] / 2
        return np.clip(found, 0, 1)

    def nearest(self, where: np.ndarray) -> np.ndarray:
        """(n,) the piece whose mean is nearest to each point (n, 2)."""
        from scipy.spatial import cKDTree

        flat = np.array([1.0, max(0.01, float(np.cos(np.radians(np.average(self.mean[:, 0])))))])
        return np.asarray(cKDTree(self.mean * flat).query(where * flat)[1])

    def draw(self, position: np.ndarray, chance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """((n, 2) degrees at each share of the rows, (n,) whether exact); ``chance`` (n, 2) uniform numbers."""
        piece = np.clip(np.searchsorted(self.cum, position, "right") - 1, 0, len(self.mean) - 1)
        spread = self.spread[piece]
        return self.mean[piece] + spread * (3**0.5) * (2 * chance - 1), np.asarray(~spread.any(1))


def _none() -> Pieces:
    return Pieces(np.zeros(1), np.zeros(1), np.zeros((0, 2)), np.zeros((0, 2)))


def _pieces(points: Points, codes: int, k: int) -> Pieces:
    total = points.counts.sum()
    fine, coarse = max(k, total / PIECES), max(k, total / codes)
    found: list[tuple[float, np.ndarray, np.ndarray]] = []
    starts: list[int] = []
    waiting = [(np.arange(len(points.counts)), False)]
    while waiting:  # depth first, the lower half first: the order of the tree
        rows, coded = waiting.pop()
        mass = points.counts[rows].sum()
        halves = _halves(points, rows, fine) if mass >= 2 * fine else None
        if not coded and (halves is None or mass < 2 * coarse):
            starts.append(len(found))
            coded = True
        if halves is None:
            found += _leaf(points, rows, fine, k)
        else:
            waiting += [(halves[1], coded), (halves[0], coded)]
    cum = np.concatenate([[0.0], np.cumsum([f[0] for f in found])])
    cum = cum / cum[-1]
    edges = np.unique(cum[[*starts, -1]])
    return Pieces(cum, edges, np.array([f[1] for f in found]), np.array([f[2] for f in found]))


def _halves(points: Points, rows: np.ndarray, least: float) -> tuple[np.ndarray, np.ndarray] | None:
    """The rows cut at the weighted median of the longer side; None where a half would hold less than ``least``."""
    where, counts = points.where[rows], points.counts[rows]
    side = np.ptp(where, axis=0) * [1.0, np.cos(np.radians(where[:, 0].mean()))]
    for axis in np.argsort(-side):
        order = np.argsort(where[:, axis], kind="stable")
        before = np.cumsum(counts[order])
        cut = int(np.argmin(np.abs(before - before[-1] / 2))) + 1
        if cut < len(rows) and min(before[cut - 1], before[-1] - before[cut - 1]) >= least:
            return rows[order[:cut]], rows[order[cut:]]
    return None


def _leaf(points: Points, rows: np.ndarray, heavy: float, k: int) -> list[tuple[float, np.ndarray, np.ndarray]]:
    """(mass, mean, spread) of each heavy point of a leaf and of its other rows together, if they are k."""
    where, counts = points.where[rows], points.counts[rows]
    exact = counts >= heavy
    found = [(float(c), w, np.zeros(2)) for w, c in zip(where[exact], counts[exact], strict=True)]
    rest, weight = where[~exact], counts[~exact]
    if weight.sum() >= k:
        mean = np.average(rest, axis=0, weights=weight)
        spread = np.sqrt(np.average((rest - mean) ** 2, axis=0, weights=weight))
        found.append((float(weight.sum()), mean, np.maximum(spread, 1e-9)))
    elif found:  # fewer than k rows are counted with their neighbour
        found[-1] = (found[-1][0] + float(weight.sum()), *found[-1][1:])
    return found


# ---------------------------------------------------------------- the coder


@dataclass(frozen=True)
class PlaceCoder(Coder):
    """The learned map of one pair of columns."""

    names: tuple[str, str]
    decimals: tuple[int | None, int | None]
    limits: tuple[Any, ...]
    pairs: tuple[int, ...]  # the code of a pair of ways of being missing is its place here
    missing: float
    pieces: Pieces

    def encode(self, cells: tuple[Cells, ...], run: Run) -> tuple[Coded, ...]:
        pair, where = _read(cells)
        absent, pieces = len(self.pairs), self.pieces
        codes = absence.coded(pair, self.pairs)
        reals = np.full(len(pair), np.nan, np.float32)
        here = np.flatnonzero(pair == 0)
        if pieces.size and len(here):
            piece = pieces.nearest(where[here])
            middle = (pieces.cum[piece] + pieces.cum[piece + 1]) / 2
            reals[here] = middle
            codes[here] = absent + np.clip(np.searchsorted(pieces.edges, middle, "right") - 1, 0, pieces.size - 1)
        if pieces.size and len(rows := absence.lost(pair, self.pairs)):
            reals[rows] = chance = run.child("lost").random().random(len(rows), np.float32)
            codes[rows] = np.clip(np.searchsorted(pieces.edges, chance, "right") - 1, 0, pieces.size - 1)
        size = max(1, absent + pieces.size)
        grid = np.concatenate([np.full(absent, np.nan), (pieces.edges[1:] + pieces.edges[:-1]) / 2])
        grid = grid if len(grid) else np.full(1, np.nan)
        axes = np.concatenate([np.full((absent, 2), np.nan), pieces.axes]) if pieces.size else None
        return (Coded(self.names[0], size, codes.astype(code_type(size)), True, absent, None, grid, reals, axes),)

    def decode(self, coded: tuple[Coded, ...], rows: range, run: Run) -> tuple[Cells, ...]:
        column, absent, pieces = coded[0], len(self.pairs), self.pieces
        pair = np.array((*self.pairs, 0) if pieces.size else self.pairs or (257,), np.int64)
        pair = pair[np.minimum(column.codes, len(pair) - 1)]
        chance = run.child("place").random().random((len(column), 3), np.float32).astype(np.float64)
        if pieces.size:
            piece = np.clip(column.codes.astype(np.int64) - absent, 0, pieces.size - 1)
            low, high = pieces.edges[piece], pieces.edges[piece + 1]
            position = np.where(pair > 0, chance[:, 2], low + chance[:, 2] * (high - low))
            if column.reals is not None:
                position = np.where(np.isfinite(column.reals), column.reals, position)
            where, exact = pieces.draw(position, chance[:, :2])
        else:
            where, exact = np.zeros((len(column), 2)), np.ones(len(column), bool)
        return tuple(self._cells(i, where[:, i], exact, pair // 256 if i == 0 else pair % 256) for i in (0, 1))

    def _cells(self, i: int, values: np.ndarray, exact: np.ndarray, kind: np.ndarray) -> Cells:
        drawn = np.clip(values, *self.limits[i])
        decimals = self.decimals[i]
        if decimals is not None and decimals <= 15:
            drawn = np.round(drawn, decimals)
        told = kind.astype(np.uint8) if self.pairs or not self.pieces.size else None
        return Cells(pa.array(np.where(exact, values, drawn), mask=kind > 0), told)

    def words(self) -> str:
        if not self.pieces.size:
            return "no place known"
        exact = int((~self.pieces.spread.any(1)).sum())
        missing = f", missing in {100 * self.missing:.1f} %" if self.pairs else ""
        return f"{self.pieces.size} cells of the map, {exact} exact points{missing}"

    def state(self) -> State:
        plain = {"names": list(self.names), "decimals": list(self.decimals), "limits": [list(b) for b in self.limits],
                 "pairs": list(self.pairs), "missing": self.missing}
        p = self.pieces
        return State(plain, {"cum": p.cum, "edges": p.edges, "mean": p.mean.ravel(), "spread": p.spread.ravel()})

    @classmethod
    def from_state(cls, state: State) -> PlaceCoder:
        names, decimals, limits, pairs = (sound.plain(state, n, list) for n in ("names", "decimals", "limits", "pairs"))
        sound.demand(len(names) == 2 and all(isinstance(n, str) for n in names), "a place without its two names")
        sound.demand(len(decimals) == 2 and all(d is None or (type(d) is int and -99 < d < 99) for d in decimals),
                     "decimals that make no sense")
        sound.demand(len(limits) == 2 and all(isinstance(b, list) and len(b) == 2 and all(
            isinstance(v, (int, float)) for v in b) and b[0] <= b[1] for b in limits), "limits that make no sense")
        sound.demand(len(set(map(str, pairs))) == len(pairs) and all(type(p) is int and 0 < p < 1 << 16 for p in pairs),
                     "missing markers that make no sense")
        cum = sound.array(state, "cum", low=0, high=1, ascending=True)
        edges = sound.array(state, "edges", low=0, high=1, ascending=True)
        sound.demand(len(cum) >= 1 and len(edges) >= 1, "a map without pieces")
        sound.demand((len(cum) > 1) == (len(edges) > 1), "a map without pieces")
        mean = sound.array(state, "mean", size=2 * (len(cum) - 1)).reshape(-1, 2)
        spread = sound.array(state, "spread", size=mean.size, low=0).reshape(-1, 2)
        return cls((names[0], names[1]), (decimals[0], decimals[1]), tuple((b[0], b[1]) for b in limits), tuple(pairs),
                   sound.share(state, "missing"), Pieces(cum, edges, mean, spread))
