"""Real rows and a holdout must be apart: whoever was learned from is no control, and what succeeds on them is no luck.

Rows of the holdout may equal one that was learned from and stands there once only about as often as chance gives. Of
all people that might be drawn, those like a row that stands there once are about as large a share as the rows that
stand there twice (Good, Biometrika 40, 1953). Common rows say nothing. Where a column says whose rows they are, nobody
may stand on both sides.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fabrica.contract import Sheet
from fabrica.errors import InputError, UnknownName
from fabrica.notation.storage import as_text
from fabrica.rows import counted, row_marks
from fabrica.run import Run
from fabrica.schema import Table
from fabrica.sheets import Batches, sheets

__all__ = ["demand_apart", "repeated", "same_people"]

OVERLAP, FEW = 6.0, 5  #: standard deviations, and rows, by which a holdout may repeat more than chance gives
LOOKED = 100_000  #: rows of each side that are compared, at most


def demand_apart(table: Table, real: Batches, holdout: Batches, unit: str | None, run: Run) -> None:
    """Refuse a holdout that holds what was, or is to be, learned from.

    Parameters
    ----------
    real, holdout : objects with ``rows`` and ``batches()``, with the columns of ``table``. unit : the column that says
        whose rows they are; None where each is another's.

    Raises
    ------
    InputError : rows or people of the holdout stand among the real ones too. UnknownName : there is no such unit.

    >>> from types import SimpleNamespace
    >>> from fabrica.schema import Column
    >>> ages = SimpleNamespace(rows=60, batches=lambda: [pa.record_batch({"age": list(range(60))})])
    >>> demand_apart(Table("people", (Column("age", "integer", "int64"),)), ages, ages, None, Run(7))
    Traceback (most recent call last):
    ...
    fabrica.errors.InputError: 60 of 60 rows of the holdout are learned from too, where chance gives \
about 0, so what succeeds on them is no luck; hold back other people
    """
    if not real.rows or not holdout.rows:
        return
    if unit is not None and (problem := _of_units(real, holdout, unit)):
        raise InputError(problem,
                         hint=f"divide people and not rows: fabrica synth --unit {unit} --holdout 0.3 does")
    keep = [_some(side.rows, run.child(name)) for name, side in (("real", real), ("holdout", holdout))]
    problem = repeated(*sheets(table, real, holdout, keep=keep, roles=("real", "holdout")))
    if problem:
        raise InputError(problem, hint="hold back other people")


def repeated(real: Sheet, holdout: Sheet) -> str:
    """What is wrong where rows of a holdout stand among the real ones more often than chance gives; "" if not."""
    own, other = row_marks(real), row_marks(holdout)
    twice, again = float((counted(own, own) == 2).mean()), int((counted(other, own) == 1).sum())
    luck = len(other) * twice
    if again <= luck + OVERLAP * (luck * (1 + len(other) / len(own))) ** 0.5 + FEW:
        return ""
    return (f"{again:,} of {len(other):,} rows of the holdout are learned from too, where chance gives about "
            f"{luck:,.0f}, so what succeeds on them is no luck")


def same_people(both: int, held: int) -> str:
    """What is wrong where so many of the people of a holdout, ``held`` in all, are real ones too; "" where none is."""
    return f"{both:,} of {held:,} people of the holdout are learned from too, so what succeeds on them is no luck" * (
        both > 0)


def _of_units(real: Batches, holdout: Batches, unit: str) -> str:
    own, other = (_people(side, unit) for side in (real, holdout))
    return same_people(int(pc.sum(pc.is_in(other, value_set=own)).as_py() or 0), len(other))


def _people(rows: Batches, unit: str) -> pa.Array:
    """(n,) the different people, as text."""
    parts = []
    for batch in rows.batches():
        if unit not in batch.schema.names:
            raise UnknownName("column", unit, list(batch.schema.names), where="unit")
        cells = batch.column(unit)
        plain = cells.dictionary_decode() if pa.types.is_dictionary(cells.type) else cells
        parts.append(pc.unique(as_text(plain.drop_null()).cast(pa.string())))
    return pc.unique(pa.concat_arrays(parts)) if parts else pa.array([], pa.string())


def _some(rows: int, run: Run) -> np.ndarray | None:
    """The numbers of the rows that are compared; None for all."""
    if rows <= LOOKED:
        return None
    return np.sort(run.random().choice(rows, LOOKED, replace=False, shuffle=False))
