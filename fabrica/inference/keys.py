"""Identifiers: unique, and with the look of one. They are made afresh in samples and never learned.

A column that is merely unique is no key: measurements are unique too. It needs the look (a UUID, an e-mail address, one
template such as ``INV-#####``), or a run of whole numbers without gaps, or a name that says so.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fabrica.inference.facts import Facts

__all__ = ["key_notation", "whole_key", "template", "named_like_key", "look"]

_NAME = re.compile(
    r"(?:^|[\s_.\-])(?:id|uid|uuid|guid|key|pk|index|idx|nr|rowid|rownum|row_?number|record|serial)$|^(?:id|key|index|no)$"
    r"|[a-z](?:Id|ID|Key|Uid|UID|UUID|Uuid|Nr|No)$|^(?:unnamed: ?\d+|__index_level_\d+__|instant|identifier)$|identifier$|^id[\s_]",
    re.IGNORECASE)
_CAMEL = re.compile(r"[a-z](?:Id|ID|Key|Uid|UID|UUID|Uuid|Nr|No)$")
_UUID = r"^[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$"
_EMAIL = r"^[^@\s]+@[^@\s]+\.[A-Za-z]{2,}$"
_MANY = 50  #: a run of whole numbers must be this long to be a key whatever its name


def named_like_key(name: str) -> bool:
    """Whether the name of a column says that it identifies.

    >>> named_like_key("CustomerId"), named_like_key("row_id"), named_like_key("paid"), named_like_key("humid")
    (True, True, False, False)
    """
    bare = _NAME.search(name)
    return bool(bare and (bare[0][0] not in "abcdefghijklmnopqrstuvwxyz" or bare.start() == 0) or _CAMEL.search(name))


def look(facts: Facts, pattern: str) -> bool:
    """Whether all values match."""
    return facts.distinct > 0 and bool(pc.all(pc.match_substring_regex(facts.text, pattern)).as_py())


def key_notation(facts: Facts) -> dict[str, Any] | None:
    """The notation of a text key; None where the column does not look like one."""
    if not facts.unique:
        return None
    if look(facts, _UUID):
        return {"kind": "uuid"}
    if look(facts, _EMAIL):
        return {"kind": "email"}
    found, share = template(facts.head)
    digits = pc.sum(pc.match_substring_regex(facts.text, r"\d")).as_py() / facts.distinct
    spaces = pc.sum(pc.match_substring(facts.text, " ")).as_py() / facts.distinct
    named = named_like_key(facts.name)
    if facts.distinct < 3 and not named:
        return None
    code = re.search(r"[#x]", found) and share > 0.9 and digits == 1 and spaces < 0.5 and len(found) > 1
    loose = digits > 0.9 and spaces == 0 and (named or facts.distinct >= 20)
    if code or loose or (named and spaces < 0.1):
        return {"template": found}
    return None


def template(texts: list[str]) -> tuple[str, float]:
    """``(template, share of the texts that it covers)`` of the commonest length: ``#`` a digit, ``A`` and ``a`` letters,
    ``x`` hexadecimal, anything else stands for itself. A character is literal only where all texts have it.

    >>> template(["INV-00042", "INV-00917"])
    ('INV-00###', 1.0)
    """
    length = Counter(map(len, texts)).most_common(1)[0][0]
    same = [t for t in texts if len(t) == length]
    columns = [set(t[i] for t in same) for i in range(length)]
    if len(columns) >= 16 and all(c <= set("0123456789abcdef") for c in columns):
        return "x" * length, len(same) / len(texts)
    few = len(same) < 5
    out = "".join(_class(c, few) for c in columns)
    return out, len(same) / len(texts) if "?" not in out else 0.0


def _class(seen: set[str], few: bool) -> str:
    """One character of a template; ``?`` where kinds of characters mix."""
    one = next(iter(seen))
    if len(seen) == 1 and not (few and one.isalnum()):
        return one if one not in "#AaxX?" or not one.isalnum() else one
    if all(c.isdigit() for c in seen):
        return "#"
    if all(c.isupper() for c in seen):
        return "A"
    if all(c.islower() for c in seen):
        return "a"
    return "A" if all(c.isalpha() for c in seen) else "x" if all(c in "0123456789abcdef" for c in seen) else "?"


def whole_key(facts: Facts, values: pa.Array) -> dict[str, Any] | None:
    """The notation of a key of whole numbers; None where they are not one.

    A run (each number one step after another, in any order) is a key whatever its name once it is long; unique numbers
    with gaps need the name of one.
    """
    if not facts.unique or facts.nulls or facts.distinct < 2 or facts.total > facts.rows * 1000:
        return None
    numbers = np.sort(np.asarray(values).astype(np.int64))
    span = float(numbers[-1]) - float(numbers[0])
    run = span == len(numbers) - 1 if facts.total <= facts.rows else span <= 1.02 * facts.total
    named = named_like_key(facts.name)
    if run and (named or (facts.distinct >= _MANY and numbers[0] in (0, 1))):
        return {"kind": "sequence", "start": int(numbers[0]) if numbers[0] in (0, 1) else 1, "step": 1}
    if named:
        return {"template": "#" * len(str(int(np.abs(numbers).max())))}
    return None
