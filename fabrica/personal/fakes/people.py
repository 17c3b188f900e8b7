"""Names, and what is called after them: account names, e-mail addresses, personal web pages.

A person is a number. Its digits in a stirred order choose the given name and the family name, so that all columns of
one person agree; from the second lap on (after 65,536 people) there is a middle initial, and a number in addresses.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fabrica.personal.fakes.coined import WORDS, coined
from fabrica.personal.fakes.given import GIVEN
from fabrica.template import stirred

__all__ = ["MAKERS", "Texts", "cased", "same"]

Look: TypeAlias = Mapping[str, Any]
Texts: TypeAlias = pa.Array
DOMAINS = ("@example.com", "@example.org", "@example.net")  #: reserved, nobody's (RFC 2606)


def same(text: str, size: int) -> Texts:
    """(n,) the same text."""
    return pa.array([text] * size, pa.string())


def cased(texts: Texts, look: Look) -> Texts:
    """In the capitals or the small letters of the real ones."""
    case = look.get("case")
    return pc.utf8_upper(texts) if case == "upper" else pc.utf8_lower(texts) if case == "lower" else texts


def _names(people: np.ndarray, look: Look, shift: int) -> tuple[Texts, Texts, np.ndarray]:
    """(given names, family names, lap) of the people (n,)."""
    listed = GIVEN[look["locale"]]
    lap, here = np.divmod(people, len(listed) * WORDS)
    digits = stirred(here, (len(listed), WORDS), shift)
    return (
        pa.array(listed).take(pa.array(digits[:, 0])),
        coined(look["locale"], look.get("window", 0), digits[:, 1]),
        lap,
    )


def _initials(lap: np.ndarray) -> Texts:
    """`` A.`` for the second lap, `` B.`` for the third, and so on; two of them from the 28th on."""

    def said(n: int) -> str:
        text = ""
        while n:
            n, letter = divmod(n - 1, 26)
            text = f" {chr(65 + letter)}." + text
        return text

    which, back = np.unique(lap, return_inverse=True)
    return pa.array([said(int(n)) for n in which], pa.string()).take(pa.array(back))


def person(people: np.ndarray, look: Look, shift: int) -> Texts:
    given, family, lap = _names(people, look, shift)
    given = pc.binary_join_element_wise(given, _initials(lap), "")
    parts = (family, given, ", ") if look.get("order") == "family" else (given, family, " ")
    return cased(pc.binary_join_element_wise(*parts), look)


def given_name(people: np.ndarray, look: Look, shift: int) -> Texts:
    return cased(_names(people, look, shift)[0], look)


def surname(people: np.ndarray, look: Look, shift: int) -> Texts:
    return cased(_names(people, look, shift)[1], look)


_PLAIN = (
    ("ä", "ae"),
    ("ö", "oe"),
    ("ü", "ue"),
    ("ß", "ss"),
    ("[éèêë]", "e"),
    ("[áàâ]", "a"),
    ("[íî]", "i"),
    ("[óô]", "o"),
    ("[úû]", "u"),
    ("ñ", "n"),
    ("ç", "c"),
)


def _local(people: np.ndarray, look: Look, shift: int) -> Texts:
    """``anna.baltenhofer``: unique, since no name holds the sign between them; without a sign a number makes it so."""
    given, family, lap = _names(people, look, shift)
    sign = look.get("sign", ".")
    texts = pc.utf8_lower(pc.binary_join_element_wise(given, family, sign or "."))
    for found, plain in _PLAIN:
        texts = pc.replace_substring_regex(texts, found, plain)
    if not sign:
        return pc.binary_join_element_wise(
            pc.replace_substring(texts, ".", ""), pa.array(people + 1).cast(pa.string()), ""
        )
    number = pc.if_else(pa.array(lap > 0), pa.array(lap + 1).cast(pa.string()), "")
    return pc.binary_join_element_wise(texts, number, "")


def email(people: np.ndarray, look: Look, shift: int) -> Texts:
    domain = pa.array(DOMAINS).take(pa.array((people * 7 + shift) % len(DOMAINS)))
    return cased(pc.binary_join_element_wise(_local(people, look, shift), domain, ""), look)


def username(people: np.ndarray, look: Look, shift: int) -> Texts:
    return cased(_local(people, look, shift), look)


def handle(people: np.ndarray, look: Look, shift: int) -> Texts:
    return cased(pc.binary_join_element_wise("@", _local(people, {**look, "sign": "_"}, shift), ""), look)


def url(people: np.ndarray, look: Look, shift: int) -> Texts:
    return pc.binary_join_element_wise(
        look.get("before", "https://") + "www.example.com/", _local(people, {**look, "sign": "-"}, shift), ""
    )


MAKERS = {
    "person": person,
    "given_name": given_name,
    "surname": surname,
    "email": email,
    "username": username,
    "handle": handle,
    "url": url,
}
