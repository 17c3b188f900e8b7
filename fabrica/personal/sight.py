"""What a detector sees of one column: some of its distinct values as text, how often values come again, its name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["Sight", "compiled", "spoken"]

LOOKED, FEW = 300, 30  #: distinct values that are looked at, and that a first glance sees
CAPITALS, LETTERS = "A-ZÀ-ÖØ-ÞĆČĎĐĘĞĚİŁŃŇŘŚŞŠŤŮŹŻŽΑ-ΩЀ-Я", "A-Za-zÀ-ÖØ-öø-ɏͰ-ϿЀ-ӿ"
_CAMEL = re.compile(r"(?<=[a-z\d])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """Of the scripts only those whose words have capitals: Latin, Greek, Cyrillic."""
    return re.compile(pattern.replace(r"\p{Lu}", CAPITALS).replace(r"\p{L}", LETTERS))


def spoken(name: str) -> str:
    """The name of a column as words in small letters, joined by underscores.

    >>> spoken("CustomerEmail"), spoken("E-Mail Address"), spoken("DOB")
    ('customer_email', 'e_mail_address', 'dob')
    """
    return "_".join(re.findall(r"[^\W_]+", _CAMEL.sub("_", name))).lower()


@dataclass(frozen=True)
class Sight:
    """One column as detectors see it.

    Parameters
    ----------
    name : of the column.
    texts : (n,) distinct values as text, spread evenly over the column.
    distinct, present : distinct values, and rows that hold one, in what was looked at.
    kind : what the column was taken for, as in ``fabrica.schema``; "" where nothing was guessed.
    """

    name: str
    texts: pa.Array
    distinct: int
    present: int
    kind: str = ""
    said: str = field(default="")
    found: dict[str, np.ndarray] = field(default_factory=dict, compare=False, repr=False)  #: what was asked before

    @classmethod
    def of(cls, name: str, values: Sequence[str] | pa.Array, counts: np.ndarray | None = None, kind: str = "") -> Sight:
        """The distinct values (n,), with the rows that hold each; of plain values they are counted here.

        >>> Sight.of("mail", ["a@b.org", "a@b.org", "c@d.org"]).distinct
        2
        """
        if counts is None:
            found = pc.value_counts(pa.array(values, pa.string()).drop_null())
            values, counts = found.field(0), np.asarray(found.field(1))
        assert isinstance(values, pa.Array)
        size = len(values)
        some = (
            np.unique(np.linspace(0, size - 1, min(size, LOOKED)).astype(np.int64)) if size else np.zeros(0, np.int64)
        )
        texts = pc.utf8_trim_whitespace(values.take(pa.array(some)).cast(pa.string()))
        return cls(name, texts, size, int(counts.sum()), kind, spoken(name))

    @cached_property
    def few(self) -> Sight:
        """The same column with some of the values only, for a first glance."""
        return replace(self, texts=self.texts[:: max(1, len(self.texts) // FEW)], found={})

    @cached_property
    def plain(self) -> list[str]:
        return self.texts.to_pylist()

    @property
    def repetition(self) -> float:
        return self.present / max(self.distinct, 1)

    def named(self, words: str) -> bool:
        """Whether the column's name holds one of the words (a regular expression) as whole words."""
        return re.search(rf"(?:^|_)(?:{words})(?:_?\d*)(?:_|$)", self.said) is not None

    def matches(self, pattern: str) -> np.ndarray:
        r"""(n,) bool: the whole value matches; ``\p{Lu}`` and ``\p{L}`` within brackets are capitals and letters."""
        if pattern not in self.found:
            whole = compiled(pattern).fullmatch
            self.found[pattern] = np.fromiter((whole(text) is not None for text in self.plain), bool, len(self.texts))
        return self.found[pattern].copy()

    def share(self, pattern: str) -> float:
        """Of the values, those that match as a whole."""
        return float(self.matches(pattern).mean()) if len(self.texts) else 0.0
