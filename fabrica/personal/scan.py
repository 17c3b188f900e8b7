"""Free text, token by token: which tokens tell of a person.

By themselves: e-mail and web addresses, addresses in networks, @names, tokens with five digits or more, given names. By
their neighbours: groups of digits that make a telephone number, a card or an account together, and words with a capital
behind a given name, an initial or a title.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fabrica.personal.detect import words
from fabrica.personal.detect.contacts import EMAIL, IP
from fabrica.personal.sight import CAPITALS

__all__ = ["NAME", "SCANNED", "scanned", "told"]

#: what a token may be, by number
SCANNED = ("", "e-mail addresses", "web addresses", "internet addresses", "long numbers", "names")
EMAIL_AT, WEB, NET, NUMBER, NAME = range(1, 6)
LONG = 5  #: digits of a number that identifies by itself
JOINED = 6  #: digits of neighbouring groups that do so together
_TITLES = (
    "Mr",
    "Mrs",
    "Ms",
    "Miss",
    "Dr",
    "Prof",
    "Herr",
    "Frau",
    "Herrn",
    "Mme",
    "Mlle",
    "M",
    "Monsieur",
    "Madame",
    "Sr",
    "Sra",
    "Señor",
    "Señora",
    "Don",
    "Doña",
    "Sir",
    "Lady",
    "Signor",
    "Signora",
)
_STRONG = (
    (rf"^{EMAIL}$", EMAIL_AT),
    (r"^(?:https?://|www\.)\S+", WEB),
    (r"^@\w{3,}", WEB),
    (rf"^{IP}$|^(?:[0-9A-Fa-f]{{2}}[:\-]){{5}}[0-9A-Fa-f]{{2}}$|^(?:[0-9A-Fa-f]{{1,4}}:){{3,7}}[0-9A-Fa-f:]+$", NET),
    (rf"^(?:\D*\d){{{LONG}}}", NUMBER),
)
_GROUP = r"^[+(]?[A-Z]{0,2}\d[\d()./\-]*[A-Z]?$"


def scanned(row: np.ndarray, token: np.ndarray, pool: pa.Array) -> np.ndarray:
    """(n,) int8 what each token is, as its place in ``SCANNED``; 0 for a word.

    Parameters
    ----------
    row : (n,) the number of the text in which each stands, ascending.
    token : (n,) its place in the pool. pool : (d,) distinct tokens.

    >>> pool = pa.array(["call", "Anna", "Wexler", "on", "089", "1234567"])
    >>> scanned(np.zeros(6, int), np.arange(6), pool).tolist()
    [0, 5, 5, 0, 4, 4]
    """
    if not len(token):
        return np.zeros(0, np.int8)
    bare = pc.utf8_trim(pool.cast(pa.string()), ".,;:!?()[]<>{}\"'`„“”«»’")
    alone = _alone(bare)
    found = alone[token]
    new = np.append(True, row[1:] != row[:-1])
    found = np.where((found == 0) & _grouped(bare, token, new), NUMBER, found)
    return np.where((found == 0) & _called(bare, alone, token, new), NAME, found).astype(np.int8)


def _alone(bare: pa.Array) -> np.ndarray:
    """(d,) what the tokens are by themselves."""
    found = np.zeros(len(bare), np.int8)
    for pattern, kind in _STRONG:
        hit = np.asarray(pc.match_substring_regex(bare, pattern))
        found[hit & (found == 0)] = kind
    capital = np.flatnonzero(_capital(bare) & (found == 0))
    given = words.given()
    for i in capital:
        text = words.folded(bare[int(i)].as_py().removesuffix("'s").removesuffix("’s"))
        if text in given and len(text) > 2:
            found[i] = NAME
    return found


def _capital(bare: pa.Array) -> np.ndarray:
    return np.asarray(pc.match_substring_regex(bare, rf"^[{CAPITALS}][\p{{L}}'’\-]+$"))


def _grouped(bare: pa.Array, token: np.ndarray, new: np.ndarray) -> np.ndarray:
    """(n,) bool: the token is one of several neighbouring groups of digits that are long together."""
    group = np.asarray(pc.match_substring_regex(bare, _GROUP))[token]
    size = np.asarray(pc.utf8_length(pc.replace_substring_regex(bare, r"\D", "")))[token]
    run = np.cumsum(~group | new | np.append(True, ~group[:-1]))
    total = np.bincount(run, np.where(group, size, 0), int(run[-1]) + 1)
    many = np.bincount(run, group, int(run[-1]) + 1)
    return group & (total[run] >= JOINED) & (many[run] > 1)


def _called(bare: pa.Array, alone: np.ndarray, token: np.ndarray, new: np.ndarray) -> np.ndarray:
    """(n,) bool: a word with a capital behind a given name, an initial or a title, and the next one too."""
    capital = _capital(bare)[token]
    initial = np.asarray(pc.match_substring_regex(bare, rf"^[{CAPITALS}]$"))[token]
    opens = (alone == NAME)[token] | np.asarray(pc.is_in(bare, pa.array(_TITLES)))[token]
    before = np.append(False, opens[:-1]) & ~new
    first = before & (capital | initial)
    second = np.append(False, first[:-1]) & ~new & capital
    return first | second


def told(texts: pa.Array) -> dict[str, float]:
    """Of the texts, the share that holds each kind of token; kinds that none holds are left out.

    >>> told(pa.array(["write to ann@example.com", "all is well"]))
    {'e-mail addresses': 0.5}
    """
    lists = pc.split_pattern_regex(texts.drop_null(), r"\s+")
    row = np.asarray(pc.list_parent_indices(lists)).astype(np.int64)
    coded = pc.list_flatten(lists).dictionary_encode()
    kinds = scanned(row, np.asarray(coded.indices).astype(np.int64), coded.dictionary)
    return {
        SCANNED[kind]: len(np.unique(row[kinds == kind])) / max(1, len(texts))
        for kind in range(1, len(SCANNED))
        if (kinds == kind).any()
    }
