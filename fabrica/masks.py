"""What factors of one column say of its codes: how welcome the values of each are in the mean, as a look at them tells.

Most codes are all welcome or not at all. Of those that are of two minds, or among whose values the end of a condition
lies, many more values are looked at, so that a condition far narrower than a code is neither lost nor drawn too often.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from fabrica.encoder import Encoder
from fabrica.errors import ExpressionError
from fabrica.expression import Expression
from fabrica.generator import Factor
from fabrica.rules import Rulebook
from fabrica.run import Run
from fabrica.wish import times

__all__ = ["Mask", "demand_no_key", "possible", "seat_of"]

DRAWS = 256  #: values of each code by which a mask is found
MORE, SOON = 1 << 20, 1 << 17  #: values of the codes of which too little is known by these; of one of them, at most
CLOSE = 1 / 16  #: of the range of a code's values, within which the end of a condition may lie beyond them
VALUES = 1 << 21  #: values that are looked at before it is said that none satisfies


@dataclass(frozen=True)
class Mask:
    """What factors of one column say of its codes.

    Parameters
    ----------
    shares : (size,) mean weight of each code's values; where nothing is drawn again the largest.
    tops : (size,) largest weight of each code's values.
    factors : which say how welcome a value is among those of its code.
    again : whether values are drawn again inside their codes until one is accepted. Else the row is dropped: the column
        has other codes, or an exact place, that have a say.
    """

    shares: np.ndarray
    tops: np.ndarray
    factors: tuple[Factor, ...]
    again: bool = True


def demand_no_key(part: Factor, encoder: Encoder) -> None:
    """Refuse what is asked about a key."""
    keys = {encoder.table.names[i] for seat in encoder.seats if seat.codec == "key" for i in seat.columns}
    asked = sorted(keys & set(part.columns))
    if asked:
        raise ExpressionError(f"the column {asked[0]!r} is made afresh for each row, nothing can be asked of it",
                              where=str(part))


def seat_of(part: Factor, encoder: Encoder, book: Rulebook | None) -> int | None:
    """The seat of the only column that a part looks at, or that is learned in its place; None where there are several,
    or one without codes."""
    roots = tuple(book.roots(part.columns)) if book else part.columns
    if len(roots) != 1:
        return None
    where = encoder.table.names.index(roots[0])
    seat = next(i for i, s in enumerate(encoder.seats) if where in s.columns)
    return seat if encoder.widths[seat] else None


def possible(parts: Sequence[Factor], encoder: Encoder, seat: int, run: Run, book: Rulebook | None, free: bool
             ) -> Mask:
    """The mask of all parts that are asked of a seat; where its columns are not ``free`` of rules it may be empty.

    Raises
    ------
    ExpressionError : one of them that no value satisfies, or that none satisfies together with those before it.
    """
    for count in range(1, len(parts) + 1):
        found = _mask(parts[:count], encoder, seat, DRAWS, run.child(count), book)
        if not found.shares.any():
            found = _mask(parts[:count], encoder, seat, max(DRAWS, VALUES // len(found.shares)),
                          run.child(count).child("more"), book)
        if not found.shares.any() and free:
            part = parts[count - 1]
            alone = count == 1 or not _mask([part], encoder, seat, DRAWS, run.child("alone"), book).shares.any()
            what = ("no row of the model satisfies it" if alone else
                    "no value satisfies this and what was asked of the column before")
            raise ExpressionError(what, where=str(part), hint=_reach(part, encoder, run) if alone else None)
    return found


def _mask(parts: Sequence[Factor], encoder: Encoder, seat: int, draws: int, run: Run, book: Rulebook | None) -> Mask:
    """What the parts say of ``draws`` values of each code of a seat's first coded column, and of more where these tell
    too little: where they are of two minds, or where the end of a condition lies among them and none satisfies."""
    size = encoder.blank().columns[encoder.coded[seat]][0].size
    weights, near = _looked(parts, encoder, seat, np.arange(size), draws, run, book)
    shares, tops, hits = weights.mean(1), weights.max(1), (weights > 0).sum(1)
    unsure = np.flatnonzero((near | (hits > 0)) & (hits < draws))
    if len(unsure):
        more, _ = _looked(parts, encoder, seat, unsure, min(max(MORE // len(unsure), draws), SOON), run.child("closer"),
                          book)
        shares[unsure], tops[unsure] = more.mean(1), np.maximum(tops[unsure], more.max(1))
        shares[unsure] = np.where((shares[unsure] == 0) & (hits[unsure] > 0), 1 / more.shape[1], shares[unsure])
    return Mask(shares, tops, tuple(parts))


def _looked(parts: Sequence[Factor], encoder: Encoder, seat: int, which: np.ndarray, draws: int, run: Run,
            book: Rulebook | None) -> tuple[np.ndarray, np.ndarray]:
    """(m, draws) what the parts say of values of the codes ``which`` (m,); and (m,) bool: the codes among whose values
    the end of a condition lies."""
    columns = encoder.blank().columns[encoder.coded[seat]]
    random = run.child("others").random()
    codes = np.repeat(which, draws)
    coded = [columns[0].filled(codes), *(c.filled(random.integers(0, c.size, len(codes))) for c in columns[1:])]
    found = encoder.coders[seat].decode(tuple(coded), range(len(codes)), run.child("decode"))
    cells = dict(zip((encoder.table.names[i] for i in encoder.seats[seat].columns), found, strict=True))
    if book:
        cells = book.restore(cells, run.child("restore"), {name for part in parts for name in part.columns})
    near = np.zeros(len(which), bool)
    for part in parts:
        for margin in part.margins(cells) if isinstance(part, Expression) else ():
            spread = np.nan_to_num(margin.reshape(len(which), draws), nan=np.inf)
            low, high = spread.min(1), np.where(np.isinf(spread), -np.inf, spread).max(1)
            width = CLOSE * np.where(high > low, high - low, 0)
            near |= (high > low) & (low - width <= 0) & (high + width >= 0)
    return times(parts, cells, len(codes)).reshape(len(which), draws), near


def _reach(part: Factor, encoder: Encoder, run: Run) -> str:
    """What the model's values of a part's column are."""
    seat = seat_of(part, encoder, None)
    assert seat is not None
    name = part.columns[0]
    if encoder.seats[seat].codec == "text":
        return f"the texts of the column {name!r} are written afresh, and none that was tried satisfies it"
    blank = encoder.blank().columns[encoder.coded[seat]]
    every = [c.filled(np.arange(max(b.size for b in blank)) % c.size) for c in blank]
    found = dict(zip((encoder.table.names[i] for i in encoder.seats[seat].columns), encoder.coders[seat].decode(
        tuple(every), range(len(every[0])), run.child("reach")), strict=True))[name].values
    if pa.types.is_dictionary(found.type) or pa.types.is_string(found.type):
        levels = sorted({str(v).strip() for v in found.to_pylist() if v is not None})
        more = f" and {len(levels) - 10} more" if len(levels) > 10 else ""
        return f"the column {name!r} has the levels {', '.join(map(repr, levels[:10]))}{more}" if levels else (
            f"the column {name!r} has no values")
    values = [v for v in found.to_pylist() if v is not None]
    return f"the column {name!r} reaches from about {min(values)} to {max(values)}" if values else (
        f"the column {name!r} has no values")
