"""Where a row should stand, by what is known of it: references that turn a question into a difference.

"Is y above u?" is hard to learn from x for each u anew, and easy from the difference between what x expects of y and u:
one split serves all nodes of a level (the threshold as a covariate: Foresi and Peracchi, "The conditional distribution
of excess returns", JASA 90, 1995). So columns that are near functions of others keep their ties. There are two kinds:
the mean position of y at each code of one earlier column (few people share it with others, or it would tell of each),
and a boosted regression of the position on all of them. The regression is fitted on two halves and each predicts the
other, so that training sees it as sharp as sampling will; a row that is drawn asks one of the two, which one follows
from its context.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from fabrica import sound
from fabrica.block import Coded
from fabrica.boosters.boost import Boosting, boost
from fabrica.boosters.forest import Forest
from fabrica.state import State

__all__ = ["ALONE", "References", "difference"]

STEPS = 4096  #: of a position in [0, 1]
FINE = 100.0  #: differences near zero are seen this much finer than a linear scale would
ALONE = 3  #: references to single columns, at most
TELLS = 0.06  #: of the variance of positions, what a single column must explain
CALM = 10.0  #: rows by which the mean of a place is drawn to the mean of all

_steps = np.arange(-STEPS, STEPS + 1) / STEPS
#: the place of a difference between two positions, for each of its 2 * STEPS + 1 values
DIFFERENCE = np.round(128 + 127 * np.arcsinh(_steps * FINE) / np.arcsinh(FINE)).astype(np.uint8)


def difference(expected: np.ndarray, threshold: np.ndarray) -> np.ndarray:
    """(n,) uint8: the place of positions ``expected`` (n,) int16 less ``threshold`` (n,) int16."""
    return DIFFERENCE[expected.astype(np.int32) - threshold + STEPS]


def steps(positions: np.ndarray) -> np.ndarray:
    """(n,) int16 in [0, STEPS] of positions in [0, 1]."""
    return np.round(np.clip(positions, 0.0, 1.0) * STEPS).astype(np.int16)


@dataclass(frozen=True)
class References:
    """The references of one column.

    columns (A,): earlier columns; tables: for each of them (size,) int16, the expected position at each code.
    halves: the two regressions over the context's places, or none.
    """

    columns: tuple[int, ...] = ()
    tables: tuple[np.ndarray, ...] = ()
    halves: tuple[Forest, ...] = ()

    def __len__(self) -> int:
        return len(self.columns) + (len(self.halves) > 0)

    def expected(self, codes: Sequence[np.ndarray], placed: np.ndarray) -> np.ndarray:
        """(r, n) int16: positions expected of rows with earlier ``codes`` and ``placed`` (n, F) context."""
        found = np.empty((len(self), len(placed)), np.int16)
        for i, (column, table) in enumerate(zip(self.columns, self.tables, strict=True)):
            found[i] = table[codes[column]]
        if self.halves:
            which = placed.sum(1, dtype=np.int64) % len(self.halves)
            for i, half in enumerate(self.halves):
                rows = np.flatnonzero(which == i).astype(np.int32)
                score = np.zeros(len(rows))
                half.add(placed, rows, score)
                found[-1, rows] = steps(0.5 + score)
        return found

    def state(self) -> State:
        own = State({"columns": list(self.columns)}, {f"table{i}": t for i, t in enumerate(self.tables)})
        return State.nest({"own": own, **{f"half{i}": h.state() for i, h in enumerate(self.halves)}},
                          {"halves": len(self.halves)})

    @classmethod
    def from_state(cls, state: State, earlier: Sequence[Coded], features: int) -> References:
        own = state.part("own")
        columns = sound.plain(own, "columns", list)
        sound.demand(len(columns) <= ALONE and all(type(c) is int and 0 <= c < len(earlier) for c in columns),
                     "references to columns that are not there")
        tables = tuple(sound.array(own, f"table{i}", size=earlier[c].size, low=0, high=STEPS, kind=np.int16)
                       for i, c in enumerate(columns))
        halves = sound.whole(state, "halves", 0, 2)
        return cls(tuple(columns), tables,
                   tuple(Forest.from_state(state.part(f"half{i}"), features) for i in range(halves)))


def learn(
    position: np.ndarray, earlier: Sequence[Coded], looked: np.ndarray, column: np.ndarray, placed: np.ndarray,
    nominal: np.ndarray, how: Boosting, order: np.ndarray, least: int, late: Callable[[float], bool],
) -> tuple[References, np.ndarray]:
    """References for a column whose rows stand at ``position`` (n,), and (r, n) what they say of the rows.

    ``looked`` (F,) are the features of the context and ``placed`` (n, F) their places, ``column`` (G,) the column of
    each feature; ``order`` (n,) a random order of the rows. A mean is that of ``least`` people or more; ``late`` says
    whether a share of the time is over.
    """
    columns, tables = _alone(position, earlier, column[looked], placed, nominal, least)
    halves = order[: len(order) // 2].astype(np.int32), order[len(order) // 2 :].astype(np.int32)
    base, score = np.full(len(position), 0.5), np.zeros(len(position))
    forests = []
    for mine, other, over in ((*halves, 0.5), (*halves[::-1], 1.0)):
        forest = boost(placed, nominal, position, base, mine, other, how, partial(late, over), square=True)
        said = np.zeros(len(other))
        forest.add(placed, other, said)
        score[other] = said
        forests.append(forest)
    found = References(columns, tables, tuple(forests))
    expected = np.empty((len(found), len(position)), np.int16)
    for i, (c, table) in enumerate(zip(columns, tables, strict=True)):
        expected[i] = table[earlier[c].codes]
    expected[-1] = steps(0.5 + score)
    return found, expected


def _alone(
    position: np.ndarray, earlier: Sequence[Coded], column: np.ndarray, placed: np.ndarray, nominal: np.ndarray,
    least: int,
) -> tuple[tuple[int, ...], tuple[np.ndarray, ...]]:
    """The columns that explain most of the position by themselves, and the position that each code expects."""
    spread, told = max(float(position.var()), 1e-12), {}
    for f, c in enumerate(column):
        if c in told:  # further axes of a place
            continue
        counts = np.bincount(placed[:, f], minlength=256)
        run = _runs(counts, nominal[f], least)
        people, total = np.bincount(run, counts), np.bincount(run[placed[:, f]], position, run.max() + 1)
        mean = ((total + CALM * position.mean()) / (people + CALM))[run]
        explained = float(counts @ (mean - position.mean()) ** 2) / len(position) / spread
        told[int(c)] = explained - (counts > 0).sum() / len(position), mean, f
    best = sorted((c for c in told if told[c][0] > TELLS), key=lambda c: -told[c][0])[:ALONE]
    return tuple(best), tuple(_table(earlier[c], told[c][1], placed[:, told[c][2]]) for c in best)


def _runs(counts: np.ndarray, nominal: bool, least: int) -> np.ndarray:
    """(256,) the run of places that each belongs to: every run holds ``least`` people, if so many there are, so that
    neither a mean nor what the others leave of the whole is that of fewer. Neighbours go together where places have an
    order; else the rarest do, as whose neighbour a rare level is would tell of its people."""
    found, run, held, behind = np.empty(len(counts), np.int64), 0, 0, int(counts.sum())
    for place in np.argsort(counts, kind="stable") if nominal else range(len(counts)):
        found[place] = run
        held, behind = held + counts[place], behind - counts[place]
        if min(held, behind) >= least:
            run, held = run + 1, 0
    return found


def _table(column: Coded, mean: np.ndarray, placed: np.ndarray) -> np.ndarray:
    """(size,) int16: the ``mean`` (256,) at each code's place, between the places of a finely cut column on a line."""
    counts = np.bincount(column.codes, minlength=column.size)
    place = np.zeros(column.size, np.int64)
    place[column.codes] = placed
    found = mean[place]
    fine = np.arange(column.absent, column.size)
    if column.ordered and len(np.unique(place[fine])) < (counts[fine] > 0).sum():
        middle = (np.cumsum(counts) - counts / 2)[fine]
        held = np.bincount(place[fine], counts[fine], 256)
        centre = np.bincount(place[fine], counts[fine] * middle, 256)[held > 0] / held[held > 0]
        found[fine] = np.interp(middle, centre, mean[held > 0])
    return steps(found)
