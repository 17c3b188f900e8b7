"""A holdout: each row of a table falls by chance to one of two parts, and nothing is copied.

Both parts are views: they read the table again and keep their own rows, so a table larger than memory can be split.
Which row falls where depends on the seed and on the row's number alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from fabrica.dataset import Dataset
from fabrica.errors import SettingError
from fabrica.run import Run

__all__ = ["Part", "split"]

CHUNK = 1 << 20  #: rows whose draws are held in memory at once when counting


class Part:
    """The rows of ``whole`` that were put aside, or those that were not; it can be read like any dataset.

    Parameters
    ----------
    whole : the table.
    share : of the rows that are put aside, between 0 and 1.
    run : names the stream of chance; both parts of a split share it.
    aside : which of the two parts this is.
    """

    def __init__(self, whole: Dataset, share: float, run: Run, aside: bool):
        self.whole, self.share, self.run, self.aside = whole, share, run, aside
        self.name, self.format, self.schema = whole.name, whole.format, whole.schema
        random, sizes = self._random(), (min(CHUNK, whole.rows - start) for start in range(0, whole.rows, CHUNK))
        self.rows = sum(int(self._mine(random, size).sum()) for size in sizes)

    def _random(self) -> np.random.Generator:
        return self.run.fresh().random()

    def _mine(self, random: np.random.Generator, size: int) -> np.ndarray:
        """(size,) of booleans: whether the next rows of the whole are ours."""
        return (random.random(size) < self.share) == self.aside

    def batches(self) -> Iterator[pa.RecordBatch]:
        random = self._random()
        for batch in self.whole.batches():
            yield batch.filter(pa.array(self._mine(random, batch.num_rows)))

    def head(self, rows: int) -> pa.Table:
        """The first rows of this part."""
        return self._taken(np.arange(min(rows, self.rows)))

    def sample(self, rows: int, run: Run) -> pa.Table:
        """``rows`` rows drawn without replacement, in the order of the table; all of them where there are no more."""
        if rows >= self.rows:
            return pa.Table.from_batches(list(self.batches()), self.schema)
        return self._taken(np.sort(run.random().choice(self.rows, rows, replace=False)))

    def _taken(self, rows: np.ndarray) -> pa.Table:
        parts, start = [], 0
        for batch in self.batches():
            low, high = np.searchsorted(rows, (start, start + batch.num_rows))
            parts.append(batch.take(pa.array(rows[low:high] - start)))
            start += batch.num_rows
        return pa.Table.from_batches(parts, self.schema)

    def restore(self, table: pa.Table) -> Any:
        """``table`` as the kind of frame that the whole was."""
        return self.whole.restore(table)


def split(whole: Dataset, share: float, run: Run) -> tuple[Part, Part]:
    """Two parts, of about ``1 - share`` and ``share`` of the rows: a uniform draw for each row.

    Raises
    ------
    SettingError : a part would be empty.
    """
    kept, aside = Part(whole, share, run, False), Part(whole, share, run, True)
    if not kept.rows or not aside.rows:
        raise SettingError(f"a share of {share:g} leaves one part of {kept.rows + aside.rows} rows empty",
                           where="holdout", hint="use a larger table, another share, or 0 for no holdout")
    return kept, aside
