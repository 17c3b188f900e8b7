"""A holdout: each row of a table falls by chance to one of two parts, and nothing is copied.

Both parts are views: they read the table again and keep their own rows, so a table larger than memory can be split.
Which row falls where depends on the seed and on the row's number alone; where rows belong to people, on whose it is, so
that nobody is on both sides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from hashlib import blake2b

import numpy as np
import pyarrow as pa

from fabrica.counted import Counted
from fabrica.dataset import Dataset
from fabrica.errors import SettingError
from fabrica.notation.storage import as_text
from fabrica.run import Run

__all__ = ["Share", "split"]

CHUNK = 1 << 20  #: rows whose draws are held in memory at once when counting


@dataclass(frozen=True, eq=False)
class Share(Counted):
    """The rows of ``whole`` that were put aside, or those that were not; a dataset like any other.

    Parameters
    ----------
    share : of the rows that are put aside, between 0 and 1.
    run : names the stream of chance; both parts of a split have the same.
    aside : which of the two parts this is.
    unit : the column that says whose rows they are; None where each is another's.
    """

    whole: Dataset | None = None
    share: float = 0.0
    run: Run | None = None
    aside: bool = False
    unit: str | None = None

    def batches(self) -> Iterator[pa.RecordBatch]:
        assert self.whole is not None and self.run is not None
        draws = _draws(self.run, self.unit)
        for batch in self.whole.batches():
            mine = batch.filter(pa.array((draws(batch) < self.share) == self.aside))
            if mine.num_rows:
                yield mine


def _draws(run: Run, unit: str | None) -> Callable[[pa.RecordBatch], np.ndarray]:
    """What gives each row of the next batch a uniform number: its own, or that of its unit."""
    random = run.fresh().random()
    if unit is None:
        return lambda batch: random.random(batch.num_rows)
    key = random.bytes(16)

    def of_units(batch: pa.RecordBatch) -> np.ndarray:
        column = batch.column(unit)
        plain = column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
        coded = as_text(plain).dictionary_encode("encode")
        digests = (blake2b(repr(who).encode(), digest_size=8, key=key).digest() for who in coded.dictionary.to_pylist())
        drawn = np.array([int.from_bytes(digest, "big") / 2**64 for digest in digests])
        return drawn[np.asarray(coded.indices)] if len(drawn) else np.zeros(0)

    return of_units


def _many(whole: Counted, share: float, run: Run, unit: str | None) -> int:
    """How many rows are put aside; the table is read for it only where they belong to units."""
    if unit is not None:
        draws = _draws(run, unit)
        return sum(int((draws(batch) < share).sum()) for batch in whole.batches())
    random = run.fresh().random()
    return sum(int((random.random(min(CHUNK, whole.rows - start)) < share).sum())
               for start in range(0, whole.rows, CHUNK))


def split(whole: Counted, share: float, run: Run, unit: str | None = None) -> tuple[Share, Share]:
    """Two parts, of about ``1 - share`` and ``share`` of the rows: a uniform draw for each row, or for each ``unit``.

    Parameters
    ----------
    whole : a dataset that knows its rows.
    share : of the second part, between 0 and 1.
    run : its stream decides. unit : the column that says whose rows they are.

    Raises
    ------
    SettingError : a part would be empty.

    >>> from fabrica.counted import counted
    >>> kept, aside = split(counted(Dataset.open({"age": list(range(100))})), 0.2, Run(7))
    >>> kept.rows + aside.rows
    100
    """
    rows, aside = whole.rows, _many(whole, share, run, unit)
    if not 0 < aside < rows:
        raise SettingError(f"a share of {share:g} leaves no row on one side of {rows:,}", where="holdout",
                           hint="use a larger table, another share, or 0 for no holdout")
    same = {f.name: getattr(whole, f.name) for f in fields(Dataset)} | {"parts": (), "table": None}
    return (Share(**same, total=rows - aside, whole=whole, share=share, run=run, aside=False, unit=unit),
            Share(**same, total=aside, whole=whole, share=share, run=run, aside=True, unit=unit))
