"""The fingerprint of a table's rows: the same for the same rows in any order, in one file or in several.

Every row is hashed with the names of its columns, and the hashes are added up; so the fingerprints of two parts of a
table add up to that of the whole. Under a key nobody without it can tell whether a table that they guess has the same
one (BLAKE2, RFC 7693; sums of hashes: Bellare and Micciancio, EUROCRYPT 1997).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fabrica.notation.storage import as_text

__all__ = ["Fingerprint"]

BETWEEN, MISSING = "\x1f", "\x1e"  #: what stands between two cells, and for one that is missing


@dataclass(frozen=True)
class Fingerprint:
    """Parameters
    ----------
    rows : how many there are. sums : of the two halves of their hashes, each modulo 2**64.

    >>> def rows(*ages):
    ...     return Fingerprint.of([pa.record_batch({"age": list(ages)})])
    >>> rows(20, 30, 30) == rows(30, 20, 30) == rows(30) + rows(30, 20) != rows(20, 30)
    True
    """

    rows: int = 0
    sums: tuple[int, int] = (0, 0)

    @classmethod
    def of(cls, batches: Iterable[pa.RecordBatch], key: str = "") -> Fingerprint:
        """That of some rows, under a ``key`` in hexadecimal digits; the order of columns does not matter."""
        found = cls()
        for batch in batches:
            names = sorted(batch.schema.names)
            head = blake2b(BETWEEN.join(names).encode(), digest_size=16, key=bytes.fromhex(key))
            hashes = b"".join(map(_after(head), _rows([batch.column(name) for name in names])))
            first, second = np.frombuffer(hashes, np.uint64).reshape(-1, 2).sum(0, dtype=np.uint64)
            found += cls(batch.num_rows, (int(first), int(second)))
        return found

    def __add__(self, other: Fingerprint) -> Fingerprint:
        first, second = ((a + b) % 2**64 for a, b in zip(self.sums, other.sums, strict=True))
        return Fingerprint(self.rows + other.rows, (first, second))

    def __str__(self) -> str:
        return f"{self.rows:x}-{self.sums[0]:016x}{self.sums[1]:016x}"


def _after(head: Any) -> Callable[[bytes], bytes]:
    """What hashes a row after what all rows begin with."""

    def hashed(row: bytes) -> bytes:
        one = head.copy()
        one.update(row)
        return bytes(one.digest())

    return hashed


def _rows(columns: list[pa.Array]) -> list[bytes]:
    """The cells of each row as one text."""
    plain = (c.dictionary_decode() if pa.types.is_dictionary(c.type) else c for c in columns)
    cells = [as_text(c).cast(pa.binary()) for c in plain]
    found: list[bytes] = pc.binary_join_element_wise(
        *cells, BETWEEN.encode(), null_handling="replace", null_replacement=MISSING.encode()).to_pylist()
    return found
