"""Columns that name people, or accounts of theirs: by the form of their values, wherever they stand, or by a name that
says so. What has the form (an e-mail address, a UUID, an IBAN, the number of a card, of a telephone or of the social
security, an address in a network) is made afresh in that form, because a person with five rows is still one person.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fabrica.inference.facts import Facts
from fabrica.inference.keys import UUID, template

__all__ = ["form", "named_for_people", "share"]

_EMAIL = r"[^@\s<>,;]+@[^@\s<>,;]+\.[A-Za-z]{2,}"
_IBAN = r"^[A-Za-z]{2}\d{2}[A-Za-z0-9 ]{11,38}$"  # ISO 13616
_PHONE = r"^(?:\+\d|\(\d{2,5}\)|\d{3}[ .\-]\d{3}[ .\-]\d{4}$)[\d ().\-/]*$"  # ITU-T E.123, and with its area
_SSN = r"^\d{3}-\d{2}-\d{4}$"
_CARD = r"^(?:\d[ \-]?){12,18}\d$"  # ISO/IEC 7812
_NET = r"^(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]{2}(?:[:\-][0-9A-Fa-f]{2}){5})$"  # IPv4, MAC
_SEVEN = r"(?:\d\D*){7}"
_NUMBER = r"[\s_.\-]?(?:id|n[or]|number|key|code)"
_PERSON = re.compile(rf"(?:^|[\s_.\-])(?:patient|subject|person|participant|respondent|mrn|ssn|iban|passport)"
                     rf"(?:{_NUMBER})?$|(?:^|[\s_.\-])(?:case|client|member|hadm|admission|encounter|icu_?stay){_NUMBER}$",
                     re.IGNORECASE)
_ROLE = re.compile(rf"(?:^|[\s_.\-])(?:user|customer|driver|rider|employee|student|pupil|account|card|subscriber|guest"
                   rf"|donor|voter|tenant|citizen|applicant|borrower)(?P<tail>{_NUMBER})$", re.IGNORECASE)
_DIAL = re.compile(rf"(?:^|[\s_.\-])(?:(?:tele|cell)?phone|tel|telefon\w*|mobile|msisdn|cell|fax)(?:{_NUMBER})?"
                   r"[\s_]?\d*$", re.IGNORECASE)


def form(values: Facts) -> dict[str, Any] | None:
    """The look of fresh ones where (nearly) all values have the form of something that names a person; else None."""
    if not values.distinct:
        return None
    masks = {pattern: _has(values, pattern) for pattern in (_EMAIL, UUID, _IBAN, _CARD, _PHONE, _SSN, _NET)}
    masks[_PHONE] &= _has(values, _SEVEN)
    for pattern, right in ((_IBAN, _iban), (_CARD, _card)):
        masks[pattern] &= _checked(values.text.filter(pa.array(masks[pattern])), right)
    if np.any(list(masks.values()), axis=0).mean() < 0.9:
        return None
    commonest = max(masks, key=lambda pattern: masks[pattern].sum())
    if commonest == _EMAIL:
        return {"kind": "email"}
    if commonest == UUID:
        return {"template": "xxxxxxxx-xxxx-4xxx-\\axxx-xxxxxxxxxxxx"}
    return {"template": template(values.keep(masks[commonest]).head, values.k)[0]}


def named_for_people(values: Facts) -> bool:
    """Whether a column named as the numbers of people holds such: a number of a role (``guest_number``) must be long,
    or it counts them."""
    if _DIAL.search(values.name):
        return share(values, _SEVEN) > 0.9
    if _PERSON.search(values.name):
        return share(values, r"\d") > 0.9
    role = _ROLE.search(values.name)
    if role is None:
        return False
    return share(values, r"\d" if role["tail"].lower().endswith("id") else r"(?:[A-Za-z0-9][^A-Za-z0-9]*){4}") > 0.9


def share(values: Facts, pattern: str) -> float:
    """Of the distinct values, those in which a pattern is found."""
    return float(_has(values, pattern).mean()) if values.distinct else 0.0


def _has(values: Facts, pattern: str) -> np.ndarray:
    return np.asarray(pc.match_substring_regex(values.text, pattern))


def _checked(texts: pa.Array, right: Callable[[str], bool]) -> bool:
    """Whether (nearly) all texts have the check digits of what they look like; others have them by chance."""
    some = [right(re.sub(r"[\s\-]", "", text).upper()) for text in texts[:200].to_pylist()]
    return bool(some) and sum(some) >= 0.9 * len(some)


def _iban(text: str) -> bool:
    """Modulo 97 (ISO 7064).

    >>> _iban("DE89370400440532013000"), _iban("DE88370400440532013000")
    (True, False)
    """
    return len(text) >= 15 and int("".join(str(int(c, 36)) for c in text[4:] + text[:4])) % 97 == 1


def _card(text: str) -> bool:
    """Luhn's sum.

    >>> _card("4111111111111111"), _card("4111111111111112")
    (True, False)
    """
    digits = [int(c) for c in reversed(text)]
    return (sum(digits[::2]) + sum(sum(divmod(2 * d, 10)) for d in digits[1::2])) % 10 == 0
