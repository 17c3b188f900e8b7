"""Real rows and a holdout must be apart: whoever was learned from is no control, and what succeeds on them is no luck.

Rows of the holdout may equal ones that were learned from about as often as chance gives. Whoever divides a table by
chance gives each of the t rows that are alike to either side by a throw of its own, so on how many such rows the sides
have r and t - r follows the binomial law, whatever the table is (a permutation test, given all rows of both; Fisher
1935). Rows that stand there more than a few times are common and say nothing. Every n-th row of a sorted table is met
on the other side more often than that, just as one that was learned from is, and as little a control: people who are
nearer to those learned from than strangers are make luck look larger, and a risk smaller. Where a column says whose
rows they are, nobody may stand on both sides. Nor is a twin its own holdout: rows that were made are no real people.
"""

from __future__ import annotations

import numpy as np
import pyarrow.compute as pc
from scipy.stats import binom, hypergeom

from fabrica.contract import Sheet
from fabrica.crowd import demand_unit
from fabrica.errors import InputError
from fabrica.rows import recognised, row_marks
from fabrica.run import Run
from fabrica.schema import Table
from fabrica.sheets import Batches, sheets

__all__ = ["demand_apart", "repeated", "same_people"]

STREAMS = ("real", "holdout", "holdout")  #: of chance: of equally many rows of holdout and twin the same are looked at
MOST, LUCK = 6, 1e-6  #: rows that are alike, beyond which they are common; and how likely chance may be
LOOKED = 100_000  #: rows of each side that are compared, at most
ITSELF = "the holdout is the synthetic table: both have the same rows"
REAL = "give real rows that nobody learned from"
FEW, RARE, SAME = 5, 0.5, 0.95  #: of more rows, of which so many differ, so many in another table too are no luck


def demand_apart(table: Table, real: Batches, holdout: Batches, unit: str | None, run: Run, twin: Batches | None = None
                 ) -> None:
    """Refuse a holdout that holds what was, or is to be, learned from, or that is the ``twin`` itself.

    Parameters
    ----------
    real, holdout, twin : objects with ``rows`` and ``batches()``, with the columns of ``table``. unit : the column that
        says whose rows they are; None where each is another's.

    Raises
    ------
    InputError : rows or people of the holdout stand among the real ones too, or its rows are those of the twin, or the
        unit has two values only.
    UnknownName : there is no such unit.

    >>> import pyarrow as pa
    >>> from types import SimpleNamespace
    >>> from fabrica.schema import Column
    >>> ages = SimpleNamespace(rows=60, batches=lambda: [pa.record_batch({"age": list(range(60))})])
    >>> demand_apart(Table("people", (Column("age", "integer", "int64"),)), ages, ages, None, Run(7))
    Traceback (most recent call last):
    ...
    fabrica.errors.InputError: 60 of 60 rows of the holdout stand among those learned from, many more than chance \
gives: they are learned from too, or are every n-th row of a sorted table, so what succeeds on them is no luck; \
hold back other people, at random
    """
    if not real.rows or not holdout.rows:
        return
    sides = [real, holdout, *([twin] if twin is not None else [])]
    keep = [_some(side.rows, run.child(name).fresh()) for side, name in zip(sides, STREAMS, strict=False)]
    own, other, *made = sheets(table, *sides, keep=keep, roles=("real", "holdout", "synthetic"))
    if any(np.array_equal(row_marks(side), row_marks(other)) for side in made):
        raise InputError(ITSELF, hint=REAL)
    if unit is not None and (problem := _of_units(real, holdout, unit)):
        raise InputError(problem,
                         hint=f"divide people and not rows: fabrica synth --unit {unit} --holdout 0.3 does")
    if problem := repeated(own, other):
        raise InputError(problem, hint="hold back other people, at random")
    for side in made:
        if problem := _made(row_marks(side), row_marks(own), row_marks(other)):
            raise InputError(problem, hint=REAL)


def _made(made: np.ndarray, own: np.ndarray, other: np.ndarray) -> str:
    """What is wrong where a holdout has rows of the twin; "" if it has none. Of the rows that nobody else has no larger
    a part of the holdout's stands in a twin than of those learned from, but for chance (Fisher's exact test).

    >>> own, other, twin = (np.arange(start, start + 500, dtype=np.uint64) for start in (0, 500, 1_000))
    >>> _made(twin, own, other), _made(twin, own, np.r_[other[:460], twin[:40]])[:43]
    ('', '40 rows of the holdout stand in the synthet')
    """
    if _same(made, other):
        return ITSELF
    (alone, there), (others, met) = (side.sum(1) for side in recognised(own, other, made))
    if not met or hypergeom.sf(met - 1, alone + others, there + met, others) >= LUCK:
        return ""
    return (f"{met:,} rows of the holdout stand in the synthetic table, many more than of those learned from: they "
            "were made, or learned from")


def _same(made: np.ndarray, rest: np.ndarray) -> bool:
    """Whether nearly all rows of a holdout stand in a twin, where most rows of both are alone or one of a pair."""
    own, other = np.unique(made), np.unique(rest)
    rare = len(own) >= RARE * len(made) and len(other) >= RARE * len(rest) and len(other) > FEW
    return rare and bool(np.isin(other, own).mean() >= SAME)


def repeated(real: Sheet, holdout: Sheet) -> str:
    """What is wrong where rows of a holdout stand among the real ones more often than chance gives; "" if not.

    >>> ages = Sheet(60, {"age": np.arange(60.0)}, {})
    >>> repeated(ages, ages)[:60], repeated(ages, Sheet(60, {"age": np.arange(60.0, 120.0)}, {}))
    ('60 of 60 rows of the holdout stand among those learned from,', '')
    """
    sides = [row_marks(sheet) for sheet in (real, holdout)]
    kinds, of = np.unique(np.concatenate(sides), return_inverse=True)
    own, other = (np.bincount(part, minlength=len(kinds)) for part in np.split(of, [real.rows]))
    share = real.rows / len(of)
    for many in range(2, MOST + 1):
        here = own[own + other == many]
        met = np.bincount(here, minlength=many + 1)[1:many]
        chance = binom.pmf(np.arange(1, many), many, share)
        if (binom.sf(met - 1, len(here), chance) < LUCK).any():
            again = int(other[(own > 0) & (own + other <= MOST)].sum())
            return (f"{again:,} of {holdout.rows:,} rows of the holdout stand among those learned from, many more than "
                    "chance gives: they are learned from too, or are every n-th row of a sorted table, so what "
                    "succeeds on them is no luck")
    return ""


def same_people(both: int, held: int) -> str:
    """What is wrong where so many of the people of a holdout, ``held`` in all, are real ones too; "" where none is."""
    return f"{both:,} of {held:,} people of the holdout are learned from too, so what succeeds on them is no luck" * (
        both > 0)


def _of_units(real: Batches, holdout: Batches, unit: str) -> str:
    own, other = demand_unit(unit, real, holdout)
    return same_people(int(pc.sum(pc.is_in(other, value_set=own)).as_py() or 0), len(other))


def _some(rows: int, run: Run) -> np.ndarray | None:
    """The numbers of the rows that are compared; None for all."""
    if rows <= LOOKED:
        return None
    return np.sort(run.random().choice(rows, LOOKED, replace=False, shuffle=False))
