"""One way to write a thing down, so that no two texts mean the same: what is signed is read strictly or not at all.

JSON with sorted names, no spaces, UTF-8 and whole numbers only (the part of RFC 8785 that needs no rule for floats);
base64 with its padding and no stray bits. Whatever is not written exactly so is refused: a name that stands twice, NaN,
a byte order mark, a character after the end.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Sequence
from typing import Any, NoReturn

from fabrica.errors import InputError

__all__ = ["base64_of", "bytes_of", "canonical", "parse", "parse_canonical"]


def canonical(plain: Any) -> bytes:
    """The one text of a plain value.

    >>> canonical({"b": [1, "ü"], "a": None}).decode()
    '{"a":null,"b":[1,"ü"]}'
    """
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def parse(raw: bytes, where: str) -> Any:
    """The plain value of a JSON file, laid out as one likes.

    Raises
    ------
    InputError : it is no JSON in UTF-8, a name stands twice in an object, a number is not finite.

    >>> parse(b'{"a": 1, "a": 2}', "gate.json")
    Traceback (most recent call last):
    ...
    fabrica.errors.InputError: gate.json: 'a' stands twice in one object
    """
    def once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            raise InputError(f"{twice!r} stands twice in one object", where=where)
        return found

    def never(text: str) -> NoReturn:
        raise InputError(f"holds {text}, which is no number of JSON", where=where)

    def finite(text: str) -> float:
        return value if math.isfinite(value := float(text)) else never(text)

    try:
        return json.loads(raw.decode("utf-8"), object_pairs_hook=once, parse_constant=never, parse_float=finite)
    except (ValueError, RecursionError):  # also bytes that are no UTF-8, and numbers of thousands of digits
        raise InputError("is not JSON in UTF-8", where=where) from None


def parse_canonical(raw: bytes, where: str) -> Any:
    """The plain value of a text that ``canonical`` wrote.

    Raises
    ------
    InputError : it is no JSON, or it is written in another way than ``canonical`` writes.
    """
    plain = parse(raw, where)
    if _has_floats(plain) or canonical(plain) != raw:
        raise InputError("is not written in the one canonical way", where=where,
                         hint="it was changed after it was signed")
    return plain


def _has_floats(plain: Any) -> bool:
    if isinstance(plain, dict):
        return any(map(_has_floats, plain.values()))
    return any(map(_has_floats, plain)) if isinstance(plain, list) else isinstance(plain, float)


def base64_of(raw: bytes) -> str:
    """Bytes as base64 of RFC 4648, padded.

    >>> base64_of(b"twin")
    'dHdpbg=='
    """
    return base64.b64encode(raw).decode()


def bytes_of(text: Any, where: str) -> bytes:
    """The bytes of a base64 text; ``InputError`` where ``base64_of`` would write them otherwise.

    >>> bytes_of("dHdpbh==", "sig")
    Traceback (most recent call last):
    ...
    fabrica.errors.InputError: sig: is not base64 in its canonical form; it was changed after it was signed
    """
    try:
        raw = base64.b64decode(text, validate=True) if isinstance(text, str) else b""
    except (binascii.Error, ValueError):
        raw = b""
    if not raw or base64_of(raw) != text:
        raise InputError("is not base64 in its canonical form", where=where,
                         hint="it was changed after it was signed")
    return raw
