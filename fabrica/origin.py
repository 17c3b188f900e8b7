"""The origin of a twin: which real table it was learned from, and which rows were its holdout.

It is for the owner of the real table: whoever wants to judge a twin later needs the same holdout, and must know that
the table is still the one that was learned from. The digest is keyed (HMAC; Krawczyk, Bellare & Canetti, RFC 2104): a
plain one of a small or guessable table would confirm a guess. Key and split stay with the owner; the digest alone may
go out, and whoever is later shown table and key can check it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from fabrica import declaration
from fabrica.errors import InputError
from fabrica.fingerprint import Fingerprint

__all__ = ["Origin", "keyed"]


@dataclass(frozen=True)
class Origin:
    """Parameters
    ----------
    key : 32 hexadecimal digits that nobody else knows. digest : of the table's files under it, "" for a frame.
    rows : of the whole table. holdout : the fingerprint of the holdout's rows under the key, "" where there is none.
    split : what the holdout was drawn by where no seed tells it (under an epsilon), else None.
    """

    key: str
    digest: str
    rows: int
    holdout: str = ""
    split: str | None = None

    def demand(self, files: Iterable[Path], rows: int, where: str) -> None:
        """Raises ``InputError`` where a table is not the one that was learned from."""
        if rows != self.rows or (self.digest and keyed(self.key, files) != self.digest):
            raise InputError("is not the table any more that was learned from", where=where,
                             hint="bring that one back, or make a new twin of this one")

    def demand_holdout(self, batches: Iterable[pa.RecordBatch], where: str) -> None:
        """Raises ``InputError`` where a holdout is not the one that was put aside before anything was learned."""
        if str(Fingerprint.of(batches, self.key)) != self.holdout:
            raise InputError("leads to another holdout than the one that was put aside when the twin was made",
                             where=where, hint="bring back the file of the holdout and this one as they were, or make "
                                               "the twin again")

    def to_json(self) -> dict[str, Any]:
        return {"fabrica_origin": 1, **asdict(self)}

    @classmethod
    def from_json(cls, plain: Any, where: str = "origin.json") -> Origin:
        try:
            if not isinstance(plain, Mapping) or plain["fabrica_origin"] != 1:
                raise LookupError
            return cls(str(plain["key"]), str(plain["digest"]), int(plain["rows"]),
                       str(plain["holdout"]), None if plain["split"] is None else str(plain["split"]))
        except (LookupError, TypeError, ValueError):
            raise InputError("does not tell where a twin comes from", where=where,
                             hint="it is a file that `fabrica synth` makes; make the twin again") from None

    @classmethod
    def load(cls, path: Path) -> Origin:
        return cls.from_json(declaration.read(path), str(path))

    def dumps(self) -> str:
        return json.dumps(self.to_json(), indent=2)


def keyed(key: str, files: Iterable[Path]) -> str:
    """HMAC-SHA256 of some files, in their order, under a key in hexadecimal digits.

    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "people.csv"; _ = file.write_text("age\\n41\\n")
    >>> keyed("00" * 16, [file])[:16], keyed("01" * 16, [file])[:16]
    ('f165755ceac8c189', 'a29b9df6f881f06b')
    """
    whole = hmac.new(bytes.fromhex(key), digestmod="sha256")
    for file in files:
        with Path(file).open("rb") as stream:
            whole.update(hashlib.file_digest(stream, "sha256").digest())
    return whole.hexdigest()
