"""How many people stand on both sides of a judgement, and how few are too few for it.

The number comes from the rule of three (Hanley and Lippman-Hand, JAMA 1983): where none of n people is copied, the
upper end of the 95 % bound on the share of copies is about 3 / n. Of fewer than ``LEAST`` it lies above what the widest
of the house's tiers accepts, so whatever a twin is like, it cannot pass. The plan, the gate and the notes of a run all
ask here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fabrica.errors import InputError, UnknownName
from fabrica.notation.storage import as_text
from fabrica.sheets import Batches

__all__ = ["LEAST", "demand_unit", "demand_people", "few", "marks", "people", "whose"]

FEWEST = 2  #: values of a column, which are a property of people and nobody's name
LEAST = 600  #: people, those learned from and those held back together
WHY = (f"no test of the gate could decide anything of fewer than {LEAST}: even where nobody is copied, so few cannot "
       f"show that no more than {300 / LEAST:g} % are")


class Readable(Protocol):
    """What is read in record batches."""

    def batches(self) -> Iterable[pa.RecordBatch]: ...


def whose(rows: Readable, unit: str) -> pa.Array:
    """(n,) the different people to whom some rows belong, as text.

    Parameters
    ----------
    rows : an object with ``batches()``. unit : the column that says whose they are.

    Raises
    ------
    UnknownName : there is no such column.

    >>> from types import SimpleNamespace
    >>> visits = pa.record_batch({"who": ["a", "a", None, "b"]})
    >>> whose(SimpleNamespace(rows=4, batches=lambda: [visits]), "who").to_pylist()
    ['a', 'b']
    """
    return _told(rows, unit)[0]


def _told(rows: Readable, unit: str) -> tuple[pa.Array, int]:
    """The different people of some rows, and how many rows do not say whose they are."""
    parts, alone = [pa.array([], pa.string())], 0
    for batch in rows.batches():
        if unit not in batch.schema.names:
            raise UnknownName("column", unit, list(batch.schema.names), where="unit")
        cells = batch.column(unit)
        plain = cells.dictionary_decode() if pa.types.is_dictionary(cells.type) else cells
        parts.append(pc.unique(as_text(plain.drop_null()).cast(pa.string())))
        alone += plain.null_count
    return pc.unique(pa.concat_arrays(parts)), alone


def marks(column: pa.Array | pa.ChunkedArray) -> np.ndarray:
    """(n,) uint64, whose each row is: equal marks for the same person in any part of a table, almost surely (2**-64)
    others for others. Rows that do not say whose they are may all be one person's, and count as that: what they alone
    hold is told of nobody.

    >>> marks(pa.array(["a", "b", "a"])).tolist() == marks(pa.array(["a", "b", "a"]).dictionary_encode()).tolist()
    True
    >>> len(set(marks(pa.array(["a", "a", None, None])).tolist()))
    2
    """
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    plain = whole.dictionary_decode() if pa.types.is_dictionary(whole.type) else whole
    coded = as_text(plain).cast(pa.string()).dictionary_encode()
    known = np.array([_mark(f"{who}") for who in coded.dictionary.to_pylist()], np.uint64)
    at = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    found = known[at] if len(known) else np.zeros(len(at), np.uint64)
    found[at < 0] = _mark("\0")
    return found


def _mark(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")


def people(unit: str | None, *sides: Batches) -> int:
    """How many people some tables have together: by the ``unit`` that says whose the rows are, else a row each. A row
    that does not say whose it is, is somebody's of its own.

    Raises
    ------
    InputError : the column does not tell people apart. UnknownName : there is no such column.

    >>> from types import SimpleNamespace
    >>> visits = SimpleNamespace(rows=5, batches=lambda: [pa.record_batch({"who": ["a", "a", "b", "c", None]})])
    >>> people("who", visits), people(None, visits, visits)
    (4, 10)
    """
    if unit is None:
        return sum(side.rows for side in sides)
    told = [_told(side, unit) for side in sides]
    return len(_apart(unit, [who for who, _ in told])) + sum(alone for _, alone in told)


def demand_unit(unit: str, *sides: Readable) -> list[pa.Array]:
    """The people of some sides (``whose``), if the column tells people apart at all.

    Raises
    ------
    InputError : it has no more than two values. UnknownName : there is no such column.

    >>> from types import SimpleNamespace
    >>> visits = SimpleNamespace(batches=lambda: [pa.record_batch({"sex": ["f", "m"] * 40})])
    >>> demand_unit("sex", visits)
    Traceback (most recent call last):
    ...
    fabrica.errors.InputError: column 'sex', unit: has no more than two different values, so it cannot say whose rows \
they are; name the column that tells people apart
    """
    found = [whose(side, unit) for side in sides]
    _apart(unit, found)
    return found


def _apart(unit: str, sides: Sequence[pa.Array]) -> pa.Array:
    """The different people of all sides, if the column tells people apart at all."""
    found = pc.unique(pa.concat_arrays(sides))
    if len(found) <= FEWEST:
        raise InputError("has no more than two different values, so it cannot say whose rows they are",
                         where=f"column {unit!r}, unit", hint="name the column that tells people apart")
    return found


def demand_people(where: str, unit: str | None, *sides: Batches) -> int:
    """The number of people, if they are enough to be judged.

    Raises
    ------
    InputError : they are too few. UnknownName : there is no such column.
    """
    found = people(unit, *sides)
    if found < LEAST:
        raise InputError(f"has {found:,} people, and {WHY}", where=where, hint="bring more people")
    return found


def few(unit: str | None, *sides: Batches) -> list[str]:
    """A line where the people are too few to be judged.

    Raises
    ------
    UnknownName : there is no such column.

    >>> from types import SimpleNamespace
    >>> few(None, SimpleNamespace(rows=600)), len(few(None, SimpleNamespace(rows=300), SimpleNamespace(rows=299)))
    ([], 1)
    """
    return [f"the gate will refuse a twin of so few people: {WHY}"] * (people(unit, *sides) < LEAST)
