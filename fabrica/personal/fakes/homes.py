"""Where fake people live: streets that nobody has named, places with their postal code, points in a box.

A city and its postal code come from the same number of the person, so that one place has one code.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fabrica.personal.fakes.coined import WORDS, coined
from fabrica.personal.fakes.people import Look, Texts, cased
from fabrica.template import stirred

__all__ = ["MAKERS"]

GOLDEN = 0x9E3779B97F4A7C15  #: 2**64 over the golden section (Fibonacci hashing; Knuth, vol. 3, 6.4)
HOUSES = 199
PLACES = 400  #: places in which fake people live
_KINDS = {
    "en": ("Street", "Road", "Avenue", "Lane"),
    "de": ("straße", "weg", "allee", "gasse"),
    "fr": ("rue ", "avenue ", "boulevard ", "chemin "),
    "es": ("Calle ", "Avenida ", "Plaza ", "Paseo "),
}


def _text(numbers: np.ndarray) -> Texts:
    return pa.array(numbers).cast(pa.string())


def _street(people: np.ndarray, look: Look, shift: int) -> Texts:
    """Number and street in the order of the locale; a flat from the second lap on."""
    tongue = look["locale"][:2]
    lap, here = np.divmod(people, WORDS * HOUSES)
    digits = stirred(here, (WORDS, HOUSES), shift + 1)
    word = coined(look["locale"], look.get("window", 0), digits[:, 0])
    kind = pa.array(_KINDS[tongue]).take(pa.array(digits[:, 0] % 4))
    number = pc.binary_join_element_wise(
        _text(digits[:, 1] + 1),
        pc.if_else(pa.array(lap > 0), pc.binary_join_element_wise("/", _text(lap + 1), ""), ""),
        "",
    )
    return {
        "en": lambda: pc.binary_join_element_wise(number, word, kind, " "),
        "de": lambda: pc.binary_join_element_wise(pc.binary_join_element_wise(word, kind, ""), number, " "),
        "fr": lambda: pc.binary_join_element_wise(number, pc.binary_join_element_wise(kind, word, ""), " "),
        "es": lambda: pc.binary_join_element_wise(pc.binary_join_element_wise(kind, word, ""), number, ", "),
    }[tongue]()


def _place(people: np.ndarray, shift: int) -> np.ndarray:
    """The number of each one's place: some places have many people."""
    turn = np.uint64(shift * GOLDEN % (1 << 64))
    stir = (people.astype(np.uint64) * np.uint64(GOLDEN) + turn) >> np.uint64(40)
    share = (stir % np.uint64(1 << 20)).astype(np.float64) / (1 << 20)
    return (PLACES * share**2).astype(np.int64)


def city(people: np.ndarray, look: Look, shift: int) -> Texts:
    words = coined(look["locale"], look.get("window", 0), WORDS - 1 - _place(people, shift))
    return cased(words, look)


def postcode(people: np.ndarray, look: Look, shift: int) -> Texts:
    """Codes that no office has given out."""
    at = _place(people, shift)
    if look["locale"] == "en_GB":
        return pc.binary_join_element_wise("ZZ", _text(at // 10), " ", _text(at % 10), "ZZ", "")
    return pc.utf8_lpad(_text(at), 5, "0")


def address(people: np.ndarray, look: Look, shift: int) -> Texts:
    found = _street(people, look, shift)
    if look.get("whole"):
        code, town = postcode(people, look, shift), city(people, {**look, "case": ""}, shift)
        lead = (town, code) if look["locale"].startswith("en") else (code, town)
        found = pc.binary_join_element_wise(found, pc.binary_join_element_wise(*lead, " "), ", ")
    return cased(found, look)


def coordinates(people: np.ndarray, look: Look, shift: int) -> Texts:
    """Points of a box of whole degrees, all apart."""
    south, north, west, east = look["box"]
    digits = look.get("digits", 5)
    fine = 10**digits
    sizes = ((north - south) * fine, (east - west) * fine)
    at = stirred(people % (sizes[0] * sizes[1]), sizes, shift)
    lines = [
        f"{south + a / fine:.{digits}f}{look.get('sign', ', ')}{west + b / fine:.{digits}f}" for a, b in at.tolist()
    ]
    return pa.array(lines, pa.string())


MAKERS = {"address": address, "city": city, "postcode": postcode, "coordinates": coordinates}
