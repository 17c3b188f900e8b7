"""A scenario played on a generator: rows, the origin and weight of each, and what is told about the whole.

The order is fixed, whatever the order in the file: conditions and rules, then the tilts (found together, so that each
holds given the others), then injections, then edits. The law is a mixture, so every row has the weight

    w(x) = p(x) / ((1 - S) p(x) t(x) + sum of s_i q_i(x))  =  1 / ((1 - S) t(x) + sum of s_i r_i(x))

by which weighted means are those of the generator as it was under the conditions (deterministic mixture weights; Veach
& Guibas, "Optimally combining sampling techniques", SIGGRAPH 1995; Owen & Zhou, "Safe and effective importance
sampling", JASA 95, 2000). Rows beyond the generator weigh nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from fabrica.errors import ExpressionError, InputError, SchemaError
from fabrica.generator import CellsOf, Drawn, Factor, Generator, Injection, Law, Look, Tilt
from fabrica.rules.law import placed
from fabrica.run import Run
from fabrica.scenario import Bound
from fabrica.wish import times

__all__ = ["Origin", "Stage", "Window"]

LOOK = 1 << 17  #: rows by which the numbers of a scenario are found
RARE = 0.02  #: share below which a region gets rows of its own in the look
OWN, LEAST, MOST = 1 << 16, 1 << 11, 1 << 14  #: how many all of them together, each at least and at most
ROUNDS, CLOSE = 200, 1e-5  #: of the tilts, until nothing changes by more than this share
APART = 0.01  #: share of the law that a wish would still move, from which on wishes contradict each other
AGAIN, FEWEST = 40, 256  #: times that rows which are not as wished are drawn again; rows at a time
WINDOW = 1 << 17  #: rows that are made together


@dataclass(frozen=True)
class Origin:
    """Where rows come from.

    Parameters
    ----------
    injection : (n,) int32, 0 for rows of the generator, i for the i-th injection.
    weight : (n,) float64, the likelihood ratio by which estimates are those of the generator.
    """

    injection: np.ndarray
    weight: np.ndarray


@dataclass(frozen=True)
class Window:
    """Finished rows, one after the other: their cells and their origin, and how many of them differ."""

    numbers: range
    cells: CellsOf
    origin: Origin
    differ: int


@dataclass(frozen=True)
class Stage:
    """A scenario made ready on a generator: everything that must be known before the first row.

    Parameters
    ----------
    base : the generator under the conditions; its law is p.
    tilted : the base under the tilts; its law is p t.
    factors : of the tilts; ``mean`` is what they keep of the base.
    laws : of the injections.
    worth : what share of rows of equal weight the tilted ones are worth (Kish).
    bare : share of the base that neither the tilted law nor an injection has rows of.
    came : of each tilt, as the tilted law has it.
    """

    bound: Bound
    base: Generator
    tilted: Generator
    factors: tuple[Factor, ...]
    mean: float
    laws: tuple[Law, ...]
    worth: float = 1.0
    bare: float = 0.0
    came: tuple[Mapping[str, Any], ...] = ()

    @classmethod
    def of(cls, bound: Bound, generator: Generator, run: Run) -> Stage:
        """Find the tilts and the laws of the injections.

        Raises
        ------
        FabricaError : what is wished for cannot be.
        """
        given = _conditions(bound)
        with _placed(bound, "given"):
            base = generator.under(given, run.child("given"))
        if not bound.tilts and not bound.injections:
            return cls(bound, base, base, (), 1.0, ())
        look = _look(base, bound.tilts, run.child("look"))
        factors, weights = _together(bound, look)
        mean = float(weights.sum())
        tilted = base.under(factors, run.child("tilts"))
        laws = []
        for i, (_, injection) in enumerate(bound.injections):
            with _placed(bound, "inject", i):
                laws.append(injection.law(base, look, run.child("inject").child(i)))
        worth = mean**2 / float((weights**2 / np.maximum(look.weights, 1e-300)).sum()) if len(weights) else 1.0
        shares = np.array([one.share for _, one in bound.injections])
        density = _mixture(factors, mean, laws, shares, look.cells, len(look.weights))
        bare = float(look.weights[density <= 0].sum())
        there = Look(look.cells, weights / max(mean, 1e-300), look.share)
        return cls(bound, base, tilted, factors, mean, tuple(laws), worth, bare,
                   tuple(tilt.came(there) for tilt in bound.tilts))

    def counts(self, rows: int) -> list[int]:
        """How many rows each injection gives: its share, rounded; at least one where it has a share."""
        found = [max(round(one.share * rows), int(one.share > 0 and rows > 0)) for one in self._injections]
        if sum(found) > rows:
            raise InputError(f"{rows:,} rows are too few for the injections", where=self.bound.scenario.place("inject"))
        return found

    def shares(self, rows: int) -> np.ndarray:
        """(injections,) the share of each among all ``rows``."""
        return np.array(self.counts(rows)) / max(rows, 1)

    @property
    def _injections(self) -> Sequence[Injection]:
        return [injection for _, injection in self.bound.injections]

    def windows(self, rows: int, run: Run) -> Iterator[Window]:
        """The rows, in parts; the same for any number of workers."""
        counts = self.counts(rows)
        kinds = np.zeros(rows, np.int32)
        kinds[: sum(counts)] = np.repeat(np.arange(1, len(counts) + 1), counts)
        run.child("places").random().shuffle(kinds)
        shares = self.shares(rows)
        for start in range(0, rows, WINDOW):
            run.check()
            here = run.child("window").child(start // WINDOW)
            numbers = range(start, min(start + WINDOW, rows))
            yield self.window(numbers, kinds[numbers.start : numbers.stop], shares, here)
            run.tell(numbers.stop, rows, "playing the scenario")

    def window(self, numbers: range, kinds: np.ndarray, shares: np.ndarray, run: Run) -> Window:
        """Rows of the injections that ``kinds`` (n,) says, 0 for none, where the whole has these ``shares`` of each.
        Rows that are not as wished when they are finished are drawn again, and then edited.

        Raises
        ------
        InputError : whatever is drawn is undone by rules, bounds or conditions.
        """
        made = self._made(numbers, kinds, shares, run)
        cells, weight = dict(made.cells), made.origin.weight.copy()
        where = np.flatnonzero(self._astray(cells, kinds))
        for turn in range(AGAIN):
            if not len(where):
                break
            asked = np.resize(where, int(np.clip(2 * len(where), FEWEST, WINDOW)))
            try:
                new = self._made(range(len(asked)), kinds[asked], shares, run.child("again").child(turn))
            except SchemaError:  # no row of these can be mended
                raise self._undone(kinds[where]) from None
            fine = np.flatnonzero(~self._astray(new.cells, kinds[asked]))
            places, first = np.unique(asked[fine], return_index=True)
            cells = {**cells, **{name: placed(cells[name], places, new.cells[name].take(fine[first]))
                                 for name in cells if self.bound.table[name].kind != "key" and len(places)}}
            weight[places] = new.origin.weight[fine[first]]
            where = np.setdiff1d(where, places)
        if len(where):
            raise self._undone(kinds[where])
        return Window(numbers, self._edited(cells, run), Origin(kinds, weight), made.differ)

    def _astray(self, cells: CellsOf, kinds: np.ndarray) -> np.ndarray:
        """(n,) bool: the finished rows that the laws do not keep, or that are not what their injection wishes."""
        found = np.zeros(len(kinds), bool)
        for factor in _conditions(self.bound):
            found |= factor.weights(cells) <= 0
        for i, law in enumerate(self.laws, start=1):
            mine = np.flatnonzero(kinds == i)
            if len(mine):
                found[mine] |= ~law.holds({name: column.take(mine) for name, column in cells.items()})
        return found

    def _undone(self, kinds: np.ndarray) -> InputError:
        worst, scenario = int(np.argmax(np.bincount(kinds))), self.bound.scenario
        place = scenario.place(*(("inject", worst - 1) if worst else ("rules" if scenario.given is None else "given",)))
        return InputError("whatever is drawn, rows do not come out as wished: rules, bounds or what is given undo it",
                          where=place, hint="loosen one of them")

    def _edited(self, cells: CellsOf, run: Run) -> CellsOf:
        """The cells after all edits; where one would make a row break a rule, it leaves that row alone."""
        found = dict(cells)
        for i, edit in enumerate(self.bound.edits):
            changed = edit.edited(cells, run.child("edit").child(i))
            bad = self.base.broken({**found, **changed})
            for law in self.bound.laws:
                bad |= law.breaks({**found, **changed})
            back = np.flatnonzero(bad)
            found |= {name: placed(new, back, found[name].take(back)) if len(back) else new
                      for name, new in changed.items()}
        return found

    def _made(self, numbers: range, kinds: np.ndarray, shares: np.ndarray, run: Run) -> Window:
        order = np.argsort(kinds, kind="stable")
        sizes = np.bincount(kinds, minlength=len(shares) + 1)
        parts = [self.tilted.rows(int(sizes[0]), run.child("rows"))] if sizes[0] else []
        parts += [law.draw(int(size), run.child("inject").child(i))
                  for i, (law, size) in enumerate(zip(self.laws, sizes[1:], strict=True)) if size]
        rows = self.base.joined(parts, np.argsort(order, kind="stable"))
        weight = self._weights(rows, kinds, shares)
        cells = dict(self.base.finished(rows, numbers, run.child("finish")))
        for law in self.bound.laws:
            cells = dict(law.mended(cells, run.child("laws")))
        return Window(numbers, cells, Origin(kinds, weight), len(rows) - sum(max(len(p) - p.differ, 0) for p in parts))

    def _weights(self, rows: Drawn, kinds: np.ndarray, shares: np.ndarray) -> np.ndarray:
        """(n,) the likelihood ratio of each row."""
        density = _mixture(self.factors, self.mean, self.laws, shares, rows.cells, len(rows))
        beyond = np.isin(kinds, [i for i, law in enumerate(self.laws, start=1) if law.beyond])
        return np.where(beyond, 0.0, 1.0 / np.where(beyond | (density <= 0), 1.0, density))

    def told(self, rows: int) -> dict[str, Any]:
        """What came of the scenario, as plain values: injections with their rows and parameters, tilts, edits."""
        named = zip(self.bound.injections, self.laws, self.counts(rows), strict=True)
        injections = [{"injection_id": i, "kind": kind, "rows": count, "share": count / max(rows, 1), **one.found(),
                       "parameters": dict(law.found()), "beyond_the_model": law.beyond}
                      for i, ((kind, one), law, count) in enumerate(named, start=1)]
        tilts = [{"kind": type(tilt).__name__.lower(), **tilt.found(), "came": dict(came)}
                 for tilt, came in zip(self.bound.tilts, self.came, strict=True)]
        edits = [{"kind": type(edit).__name__.lower(), **edit.found()} for edit in self.bound.edits]
        return {"injections": injections, "tilts": tilts, "edits": edits,
                "effective_share": round(self.worth, 4)}


@contextmanager
def _placed(bound: Bound, *path: str | int) -> Iterator[None]:
    """Errors of what cannot be drawn, with their place in the scenario."""
    try:
        yield
    except ExpressionError as error:
        raise error.at(bound.scenario.place(*path)) from None


def _conditions(bound: Bound) -> list[Factor]:
    """What all rows must satisfy."""
    return [factor for law in bound.laws for factor in law.factors(Look({}, np.zeros(0)))]


def _mixture(factors: Sequence[Factor], mean: float, laws: Sequence[Law], shares: np.ndarray, cells: CellsOf,
             rows: int) -> np.ndarray:
    """(n,) the density of what is made over that of the base, where injections do not lie beyond it."""
    density = (1 - shares.sum()) * times(factors, cells, rows) / mean
    for law, share in zip(laws, shares, strict=True):
        if not law.beyond:
            density += share * law.ratio(cells)
    return density


def _look(base: Generator, tilts: Sequence[Tilt], run: Run) -> Look:
    """Rows of the base, and of each region that is rare rows of its own, weighted so that all together stand for the
    base."""
    first = base.rows(LOOK, run.child("base"))
    shown = Look(first.cells, np.full(len(first), 1 / len(first)), first.share)
    parts, inside, chances = [first], [], []
    regions = [(i, region) for i, region in enumerate(region for tilt in tilts for region in tilt.regions(shown))
               if float(times(region, first.cells, len(first)).mean()) < RARE]
    for i, region in regions:
        size = min(max(OWN // len(regions), LEAST), MOST)
        own = base.under(region, run.child(i)).rows(size, run.child("own").child(i))
        parts.append(own)
        inside.append(region)
        chances.append(own.share / first.share)
    whole = base.joined(parts, np.arange(sum(map(len, parts))))
    density = np.full(len(whole), len(first) / len(whole))
    for region, chance, part in zip(inside, chances, parts[1:], strict=True):
        density += len(part) / len(whole) * times(region, whole.cells, len(whole)) / chance
    weights = 1 / density
    return Look(whole.cells, weights / weights.sum(), first.share)


def _missed(tilt: Tilt, look: Look, weights: np.ndarray) -> float:
    """How much of the law under all tilts, ``weights`` (n,) of the look, one of them would still move."""
    law = weights / max(weights.sum(), 1e-300)
    there = np.flatnonzero(law > 0)
    cells = {name: cells.take(there) for name, cells in look.cells.items()}
    ratio = times(tilt.factors(Look(cells, law[there], look.share)), cells, len(there))
    return float(law[there] @ np.abs(ratio / (law[there] @ ratio) - 1) / 2)


def _together(bound: Bound, look: Look) -> tuple[tuple[Factor, ...], np.ndarray]:
    """The factors of all tilts, each found given all others, and (n,) the weights of the look under them."""
    rows = len(look.weights)
    found: list[Sequence[Factor]] = [() for _ in bound.tilts]
    said = [np.ones(rows) for _ in bound.tilts]
    for _ in range(ROUNDS if len(bound.tilts) > 1 else 1):
        moved = 0.0
        for i, tilt in enumerate(bound.tilts):
            others = look.weights * np.prod([one for j, one in enumerate(said) if j != i] or [np.ones(rows)], 0)
            found[i] = tilt.factors(Look(look.cells, others / others.sum(), look.share))
            now = times(found[i], look.cells, rows)
            moved, said[i] = max(moved, float(np.abs(now - said[i]).max())), now
        if moved < CLOSE:
            break
    weights = look.weights * np.prod(said or [np.ones(rows)], 0)
    if len(bound.tilts) > 1 and max(_missed(tilt, look, weights) for tilt in bound.tilts) > APART:
        raise InputError("the wishes contradict each other: no law has all of the new shares and moments",
                         where=bound.scenario.place("shift"), hint="leave one of them out, or loosen it")
    return tuple(factor for some in found for factor in some), weights

