"""How the real values of a personal column are written, so that fresh ones look like them: capitals, signs, order, the
country they are of; nothing that fewer than ``k`` values share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np

from fabrica.inference.facts import Facts
from fabrica.personal.fakes.numbers import ACCOUNTS

__all__ = ["hand", "most"]

_BARE = ("person", "email", "username", "url", "address", "city", "surname", "given_name", "handle", "ip", "wallet")
_CASED = ("person", "given_name", "surname", "email", "username", "handle", "address", "city", "mac", "ipv6")


def hand(kind: str, values: Facts) -> dict[str, Any]:
    """The form of fresh ones, as fields of a fake's notation.

    >>> import pyarrow as pa
    >>> hand("email", Facts.of("mail", pa.chunked_array([["a.b@x.de", "c.d@x.de", "e.f@y.de"]])))
    {'case': 'lower', 'sign': '.'}
    """
    texts = values.head
    found: dict[str, Any] = _case(texts) if kind in _CASED else {}
    if kind in ("email", "username"):
        found["sign"] = _sign([text.partition("@")[0] for text in texts])
    if kind == "person" and most(", " in text for text in texts):
        found["order"] = "family"
    if kind == "url":
        heads = (head for head in ("https://", "http://") if most(text.startswith(head) for text in texts))
        found["before"] = next(heads, "")
    if kind == "address" and most(_parts(text) >= 2 for text in texts):
        found["whole"] = True
    if kind == "iban":
        found["country"] = _country(values)
    if kind == "phone" and most(text.strip().startswith("+") for text in texts):
        texts = [text for text in texts if text.strip().startswith("+")]
        found["abroad"] = True
    if kind == "coordinates":
        return found | _box(texts, values.k)
    return found if kind in _BARE else found | _layout(texts, values.k)


def _country(values: Facts) -> str:
    """Of bank accounts: the commonest, if that is enough of them and one that is made."""
    country, held = Counter(text.strip()[:2].upper() for text in values.head).most_common(1)[0]
    return country if country in ACCOUNTS and held >= min(values.k, len(values.head)) else "DE"


def _parts(text: str) -> int:
    """Parts of an address behind its first comma or line."""
    return sum(text.count(sign) for sign in (",", "\n"))


def most(flags: Iterable[bool]) -> bool:
    listed = list(flags)
    return 2 * sum(listed) > len(listed)


def _case(texts: list[str]) -> dict[str, str]:
    for name, same in (("upper", str.isupper), ("lower", str.islower)):
        if sum(map(same, texts)) > 0.9 * len(texts):
            return {"case": name}
    return {}


def _sign(locals_: list[str]) -> str:
    signs = Counter(sign for text in locals_ for sign in "._-" if sign in text)
    if not signs or signs.most_common(1)[0][1] < 0.4 * len(locals_):
        return ""
    return signs.most_common(1)[0][0]


def _layout(texts: list[str], k: int) -> dict[str, str]:
    """The signs between the characters, where enough values have them in the same places."""
    shapes = Counter("".join("#" if c.isalnum() else c for c in text.strip()) for text in texts)
    shape, held = shapes.most_common(1)[0] if shapes else ("", 0)
    return {"layout": shape} if held >= min(k, len(texts)) and len(shape) <= 60 and shape.isascii() else {}


def _box(texts: list[str], k: int) -> dict[str, Any]:
    """Whole degrees around nine in ten of the points, at each side of which ``k`` lie or more, and their digits."""
    pairs = [text.strip("()[] ").replace(";", ",").split(",") for text in texts]
    points = np.array([[float(a), float(b)] for a, b in pairs if _number(a) and _number(b)] or [[0.0, 0.0]])
    beyond = min(max(k - 1, len(points) // 20), len(points) // 2)
    ranked = np.sort(points, axis=0)
    low, high = np.floor(ranked[beyond]), np.ceil(ranked[-1 - beyond])
    south, west = max(-90, int(low[0])), max(-180, int(low[1]))
    north, east = min(90, max(south + 1, int(high[0]))), min(180, max(west + 1, int(high[1])))
    digits = Counter(len(a.strip().partition(".")[2]) for a, _ in pairs).most_common(1)[0][0]
    sign = ", " if most(", " in text for text in texts) else ","
    return {
        "box": [min(south, north - 1), north, min(west, east - 1), east],
        "digits": min(6, max(1, digits)),
        "sign": sign,
    }


def _number(text: str) -> bool:
    return text.strip().lstrip("+-").replace(".", "", 1).isdigit()
