"""A holdout: each row of a table falls by chance to one of two parts, and nothing is copied.

Both parts are views: they read the table again and keep their own rows, so a table larger than memory can be split.
Which row falls where depends on the seed and on the row's number alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

import pyarrow as pa

from fabrica.counted import Counted
from fabrica.dataset import Dataset
from fabrica.errors import SettingError
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
    """

    whole: Dataset | None = None
    share: float = 0.0
    run: Run | None = None
    aside: bool = False

    def batches(self) -> Iterator[pa.RecordBatch]:
        assert self.whole is not None and self.run is not None
        random = self.run.fresh().random()
        for batch in self.whole.batches():
            mine = batch.filter(pa.array((random.random(batch.num_rows) < self.share) == self.aside))
            if mine.num_rows:
                yield mine


def split(whole: Counted, share: float, run: Run) -> tuple[Share, Share]:
    """Two parts, of about ``1 - share`` and ``share`` of the rows: a uniform draw for each row.

    Parameters
    ----------
    whole : a dataset that knows its rows.
    share : of the second part, between 0 and 1.
    run : its stream decides.

    Raises
    ------
    SettingError : a part would be empty.

    >>> from fabrica.counted import counted
    >>> kept, aside = split(counted(Dataset.open({"age": list(range(100))})), 0.2, Run(7))
    >>> kept.rows + aside.rows
    100
    """
    rows = whole.rows
    random = run.fresh().random()
    aside = sum(int((random.random(min(CHUNK, rows - start)) < share).sum()) for start in range(0, rows, CHUNK))
    if not 0 < aside < rows:
        raise SettingError(f"a share of {share:g} leaves no row on one side of {rows:,}", where="holdout",
                           hint="use a larger table, another share, or 0 for no holdout")
    same = {f.name: getattr(whole, f.name) for f in fields(Dataset)} | {"parts": (), "table": None}
    return (Share(**same, total=rows - aside, whole=whole, share=share, run=run, aside=False),
            Share(**same, total=aside, whole=whole, share=share, run=run, aside=True))
