"""What every codec promises.

* Surveys of parts, merged in any order, teach the same as a survey of the whole.
* Codes are below their alphabet's size; the first of them are the ways of being missing; positions are in [0, 1].
* What comes back has the type and the pattern of missing cells that went in; numbers keep within what was seen and keep
  its distribution.
* The same seed gives the same cells.
* A state goes through JSON and arrays and teaches the same; a damaged one is refused or harmless.
* What fewer than k rows hold is neither in the state nor in what comes back (``check_secret``).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fabrica import absence
from fabrica.block import Coded
from fabrica.checks.promise import alike, keep, stored
from fabrica.contract import Cells, Codec, Coder
from fabrica.errors import FabricaError
from fabrica.run import Run
from fabrica.schema import Column
from fabrica.state import State

__all__ = ["check_codec", "check_secret", "learned", "bare"]

Columns = tuple[Column, ...]
Cell = tuple[Cells, ...]
WRONG: tuple[Any, ...] = (None, -1, 10**9, "x", [], {}, [1e300], True)  #: plain values that stand where others should


def check_codec(codec: Codec, columns: Columns, cells: Cell, *, fresh: bool = False, ks: float = 0.05) -> None:
    """All promises of a codec but ``check_secret``, on these columns.

    Parameters
    ----------
    columns, cells : what one codec serves together; a few hundred rows or more, each marker in at least k of them.
    fresh : values are made afresh (keys, text), so they need not look like those that went in.
    ks : how far the distribution of numbers may move (Kolmogorov-Smirnov distance), beside the luck of the draw.
    """
    coder = learned(codec, columns, cells)
    parts(codec, columns, cells)
    coded = coder.encode(cells, Run(1))
    alphabet(coded, coder.encode(taken(cells, 0, 0), Run(2)), len(cells[0]))
    missing(coder, cells, coded)
    seeds(coder, cells, coded)
    states(coder, cells, coded)
    damage(coder, len(cells[0]), coded)
    for i, cell in enumerate(cells):
        if fresh:
            afresh(coder, coded, i, len(cell))
        else:
            shape(coder, cell, coded, i, ks)


def check_secret(codec: Codec, columns: Columns, cells: Cell, secret: Any, *, numbers: tuple[float, ...] = ()) -> None:
    """What fewer than k rows hold is neither in the state nor in what comes back.

    Parameters
    ----------
    cells : in which fewer than k rows hold ``secret``.
    secret : the value as Arrow gives it to Python.
    numbers : what must not stand in an array of the state either: the secret as a number, if it is not one itself.
    """
    coder = learned(codec, columns, cells)
    state = stored(coder.state())
    said = json.dumps(str(secret))[1:-1] in json.dumps(state.plain)
    keep(not said, "a value that fewer than k rows hold is not stored")
    wanted = numbers or ((float(secret),) if isinstance(secret, int | float) else ())
    for name, array in state.arrays.items():
        held = np.isin(array, np.array(wanted)).any()
        keep(not held, f"a value that fewer than k rows hold is not stored ({name!r})")
    for seed in range(3):
        back = coder.decode(bare(coder.encode(cells, Run(0))), range(len(cells[0])), Run(seed))
        for cell in back:
            values = cell.values.dictionary_decode() if pa.types.is_dictionary(cell.values.type) else cell.values
            found = pc.is_in(_plain(values), _plain(pa.array([secret], values.type)))
            keep(not pc.any(found).as_py(), "a value that fewer than k rows hold does not come back")


def learned(codec: Codec, columns: Columns, cells: Cell, seed: int = 0) -> Coder:
    """The coder of a survey of all cells."""
    run = Run(seed)
    return codec.learn(columns, codec.survey(columns, cells, run.child("survey")), run.child("learn"))


def bare(coded: tuple[Coded, ...]) -> tuple[Coded, ...]:
    """Codes alone, as an engine gives them."""
    return tuple(replace(c, reals=None) for c in coded)


def taken(cells: Cell, start: int, stop: int) -> Cell:
    """Some rows of the cells."""
    return tuple(Cells(c.values[start:stop], None if c.absent is None else c.absent[start:stop]) for c in cells)


def parts(codec: Codec, columns: Columns, cells: Cell) -> None:
    """Surveys of parts, merged in any order, teach the same."""
    size = len(cells[0])
    cuts = [(0, size // 3), (size // 3, size // 2), (size // 2, size // 2), (size // 2, size)]
    a, b, none, c = (codec.survey(columns, taken(cells, *cut), Run(i)) for i, cut in enumerate(cuts))
    whole = stored(learned(codec, columns, cells).state())
    for merged in (a.merge(b).merge(c), a.merge(b.merge(c)), c.merge(a).merge(b), none.merge(c).merge(b).merge(a)):
        found = codec.learn(columns, merged, Run(0)).state()
        keep(alike(whole, found), "surveys of parts, merged in any order, teach the same as a survey of the whole")


def alphabet(coded: tuple[Coded, ...], none: tuple[Coded, ...], rows: int) -> None:
    """Codes, alphabets, positions."""
    keep(len({c.name for c in coded}) == len(coded), "coded columns have names of their own")
    keep([(c.name, c.size, c.ordered, c.absent, c.rest) for c in coded]
         == [(c.name, c.size, c.ordered, c.absent, c.rest) for c in none], "no rows give the same alphabets as many")
    for c in coded:
        keep(len(c) == rows, "there is a code for each row")
        keep(c.codes.dtype.kind == "u", "codes are unsigned")
        keep(not rows or c.codes.max() < c.size, "codes are below the size")
        keep(0 <= c.absent <= c.size and (c.rest is None or c.absent <= c.rest < c.size), "absent and rest are codes")
        if c.grid is not None:
            fine = c.grid.shape == (c.size,) and np.isnan(c.grid[: c.absent]).all()
            keep(fine, "the grid has an entry for each code, NaN where absent")
            inside = c.grid[c.absent :]
            keep(((inside >= 0) & (inside <= 1)).all(), "the grid is in [0, 1]")
            rising = c.rest is not None or (np.diff(inside) >= 0).all()
            keep(not c.ordered or rising, "the grid of ordered codes ascends")
        if c.axes is not None:
            fine = c.axes.ndim == 2 and len(c.axes) == c.size and np.isnan(c.axes[: c.absent]).all()
            keep(fine, "axes have an entry for each code, NaN where absent")
            keep(((c.axes[c.absent :] >= 0) & (c.axes[c.absent :] <= 1)).all(), "axes are in [0, 1]")
        if c.reals is not None:
            present = c.reals[c.codes >= c.absent]
            keep(((present >= 0) & (present <= 1)).all(), "positions are in [0, 1]")


def missing(coder: Coder, cells: Cell, coded: tuple[Coded, ...]) -> None:
    """Type and pattern of missing cells come back."""
    for form in (coded, bare(coded)):
        back = coder.decode(form, range(len(cells[0])), Run(3))
        keep(len(back) == len(cells), "a column comes back for each that went in")
        for before, after in zip(cells, back, strict=True):
            keep(_kind(before.values.type) == _kind(after.values.type), "the type of the cells comes back")
            keep((absence.kinds(before) == absence.kinds(after)).all(), "the pattern of missing cells comes back")
            null = np.asarray(after.values.is_null()) == (absence.kinds(after) > 0)
            keep(null.all() or after.values.type == pa.null(), "a cell is null where it is missing")


def seeds(coder: Coder, cells: Cell, coded: tuple[Coded, ...]) -> None:
    """The same seed gives the same cells, whatever was drawn before."""
    rows = range(len(cells[0]))
    one, other = (coder.decode(bare(coded), rows, Run(5)) for _ in range(2))
    keep(_same(one, other), "the same seed gives the same cells")


def states(coder: Coder, cells: Cell, coded: tuple[Coded, ...]) -> None:
    """A state that went through a file teaches the same."""
    again = type(coder).from_state(stored(coder.state()))
    rows = range(len(cells[0]))
    keep(_same(coder.decode(bare(coded), rows, Run(6)), again.decode(bare(coded), rows, Run(6))),
         "what was stored decodes alike")
    for a, b in zip(coder.encode(cells, Run(7)), again.encode(cells, Run(7)), strict=True):
        keep((a.codes == b.codes).all() and a.size == b.size and a.rest == b.rest, "what was stored encodes alike")


def damage(coder: Coder, rows: int, coded: tuple[Coded, ...]) -> None:
    """A damaged state is refused, or at least harmless; so are codes beyond the alphabet."""
    for broken in _damaged(stored(coder.state())):
        try:
            hurt = type(coder).from_state(broken)
        except (FabricaError, KeyError, TypeError, ValueError, AttributeError):
            continue
        try:
            hurt.decode(bare(coded), range(rows), Run(8))
        except (FabricaError, ValueError, IndexError):
            continue
    wild = tuple(replace(c, codes=np.full_like(c.codes, np.iinfo(c.codes.dtype).max), reals=None) for c in coded)
    try:
        coder.decode(wild, range(rows), Run(9))
    except (FabricaError, ValueError, IndexError):
        return


def shape(coder: Coder, cell: Cells, coded: tuple[Coded, ...], i: int, ks: float) -> None:
    """Numbers keep within what was seen and keep its distribution; levels are levels that were seen."""
    back = coder.decode(bare(coded), range(len(cell)), Run(10))[i]
    before, after = _plain(cell.values).drop_null(), _plain(back.values).drop_null()
    if not len(before) or not len(after):
        return
    if not pa.types.is_floating(before.type) and not pa.types.is_integer(before.type):
        hidden = {c.rest for c in coded} != {None} or len(after.unique()) == 1
        keep(hidden or pc.all(pc.is_in(after, before)).as_py(), "levels that come back were seen")
        return
    x, y = (np.sort(v.to_numpy(zero_copy_only=False).astype(np.float64)) for v in (before, after))
    room = 1e-9 * max(1.0, abs(x[0]), abs(x[-1]))
    keep(x[0] - room <= y[0] and y[-1] <= x[-1] + room, "numbers that come back are between the lowest and the highest")
    at = np.unique(np.concatenate([x, y]))
    far = np.abs(np.searchsorted(x, at, "right") / len(x) - np.searchsorted(y, at, "right") / len(y)).max()
    keep(far <= ks + 1.5 / np.sqrt(len(x)), f"numbers keep their distribution (they moved by {far:.3f})")


def afresh(coder: Coder, coded: tuple[Coded, ...], i: int, rows: int) -> None:
    """What is made afresh differs between chunks."""
    half = rows // 2
    pieces = (range(half), range(half, 2 * half))
    one, other = (coder.decode(tuple(c.take(slice(p.start, p.stop)) for c in bare(coded)), p, Run(11).child(p.start))[i]
                  for p in pieces)
    keep(len(one) == len(other) == half, "chunks come back in their size")
    keep(half < 20 or not one.values.equals(other.values), "chunks are not each other's copies")


# ---------------------------------------------------------------- small helps


def _kind(found: pa.DataType) -> pa.DataType:
    return pa.string() if pa.types.is_dictionary(found) else found


def _plain(values: pa.Array) -> pa.Array:
    """Levels as text, moments as whole numbers."""
    if pa.types.is_dictionary(values.type):
        return values.dictionary_decode()
    if pa.types.is_temporal(values.type):
        return values.view(pa.int32() if values.type.bit_width == 32 else pa.int64())
    return values


def _same(one: Cell, other: Cell) -> bool:
    return all(_plain(a.values).equals(_plain(b.values)) and (absence.kinds(a) == absence.kinds(b)).all()
               for a, b in zip(one, other, strict=True))


def _damaged(state: State) -> Iterator[State]:
    """The same state with one thing wrong in it, many times."""
    for name in state.plain:
        yield State({k: v for k, v in state.plain.items() if k != name}, state.arrays)
        for value in WRONG:
            yield State({**state.plain, name: value}, state.arrays)
    for name, array in state.arrays.items():
        yield State(state.plain, {k: v for k, v in state.arrays.items() if k != name})
        huge, text = np.full(array.shape, 1e300), np.full(array.shape, "x")
        for wrong in (array[:-1], array[:0], array[::-1], huge, -huge, array * np.nan, text, array.reshape(1, -1)):
            yield State(state.plain, {**state.arrays, name: wrong})
