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

from fabrica.inference.facts import Facts, K

__all__ = ["UUID", "key_notation", "whole_key", "template", "named_like_key", "named_like_code", "look"]

_NAME = re.compile(
    r"(?:^|[\s_.\-])(?:id|uid|uuid|guid|key|pk|index|idx|nr|rowid|rownum|row_?number|record|serial)$|^(?:id|key|index|no)$"
    r"|[a-z](?:Id|ID|Key|Uid|UID|UUID|Uuid|Nr|No)$"
    r"|^(?:unnamed: ?\d+|__index_level_\d+__|instant|identifier)$|identifier$|^id[\s_]",
    re.IGNORECASE)
_CAMEL = re.compile(r"[a-z](?:Id|ID|Key|Uid|UID|UUID|Uuid|Nr|No)$")
_CODE = re.compile(r"(?i:(?:^|[\s_.\-\d])(?:code|zip|zipcode|postal|postalcode|postcode|icd\d*|fips|naics|sic|sku))$"
                   r"|[a-z](?:Code|Zip|ZIP|Postcode|Fips|FIPS)$")
UUID = r"^[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$"
_EMAIL = r"^[^@\s]+@[^@\s]+\.[A-Za-z]{2,}$"
_MANY = 50  #: a run of whole numbers must be this long to be a key whatever its name


def named_like_key(name: str) -> bool:
    """Whether the name of a column says that it identifies.

    >>> named_like_key("CustomerId"), named_like_key("row_id"), named_like_key("paid")
    (True, True, False)
    """
    bare = _NAME.search(name)
    alone = bare and (bare.start() == 0 or not bare[0][0].islower())
    return bool(alone or _CAMEL.search(name))


def named_like_code(facts: Facts) -> bool:
    """Whether whole numbers are codes, not amounts: a name such as ``zip_code``, and values that come again."""
    return bool(_CODE.search(facts.name)) and facts.repetition >= 5 and facts.held >= 0.5


def look(facts: Facts, pattern: str) -> bool:
    """Whether all values match."""
    return facts.distinct > 0 and bool(pc.all(pc.match_substring_regex(facts.text, pattern)).as_py())


def key_notation(facts: Facts) -> dict[str, Any] | None:
    """The notation of a text key; None where the column does not look like one."""
    if not facts.unique:
        return None
    if look(facts, UUID):
        return {"kind": "uuid"}
    if look(facts, _EMAIL):
        return {"kind": "email"}
    if run := _numbered(facts):
        return run
    found, share = template(facts.head, facts.k)
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


def _numbered(facts: Facts) -> dict[str, Any] | None:
    """Codes that are a constant prefix and a run of numbers of one width: ``INV-00001`` and so on."""
    parts = [re.fullmatch(r"(\D*)(\d+)", t) for t in facts.head]
    if len(parts) < max(facts.k, facts.distinct) or not all(parts):
        return None
    prefixes, widths = {m[1] for m in parts if m}, {len(m[2]) for m in parts if m}
    numbers = sorted(int(m[2]) for m in parts if m)
    if len(prefixes) > 1 or len(widths) > 1 or numbers[-1] - numbers[0] != len(numbers) - 1:
        return None
    return {"kind": "sequence", "start": min(numbers[0], 1), "step": 1, "width": widths.pop(), "prefix": prefixes.pop()}


def template(texts: list[str], k: int = K) -> tuple[str, float]:
    r"""``(template, share of the texts that it covers)`` of the commonest length: ``#`` a digit, ``A`` and ``a``
    letters, ``x`` hexadecimal, ``?`` a letter or a digit, anything else (or behind a backslash) stands for itself. A
    character is literal only where all texts have it, and a letter or digit only where there are ``k`` of them.

    >>> template(["INV-00042", "INV-00917"])
    ('AAA-#####', 1.0)
    """
    length = Counter(map(len, texts)).most_common(1)[0][0]
    same = [t for t in texts if len(t) == length]
    places = [Counter(t[i] for t in same) for i in range(length)]
    met = set().union(*places)
    if length >= 16 and met <= set("0123456789abcdef") and met & set("abcdef"):
        return "x" * length, len(same) / len(texts)
    few = len(same) < k
    mixed = any(len({_class(c) if c.isalnum() else c for c in p}) > 1 for p in places)
    return "".join(_place(p, few) for p in places), 0.0 if mixed else len(same) / len(texts)


def _place(seen: Counter[str], few: bool) -> str:
    """One character of a template: itself where it never varies, else the commonest class."""
    if len(seen) == 1 and not (few and next(iter(seen)).isalnum()):
        one = next(iter(seen))
        return "\\" + one if one in "#Aax?\\" else one
    classes: Counter[str] = Counter()
    for c, n in seen.items():
        classes[_class(c) if c.isalnum() else c] += n
    if {"#", "A", "a"} <= set(classes):
        return "?"
    most = classes.most_common(1)[0][0]
    return most if most in ("#", "A", "a") else "\\" + most if most in "x?\\" else most


def _class(c: str) -> str:
    return "#" if c.isdigit() else "a" if c.islower() else "A"


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
        first = int(numbers[0])
        start = first if first in (0, 1) else 10 ** (len(str(first)) - 1) if first > 0 else 1  # never a real number
        return {"kind": "sequence", "start": start, "step": 1}
    if named:
        return {"template": "#" * len(str(int(np.abs(numbers).max())))}
    return None
