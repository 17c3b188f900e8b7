"""Names of people: two to four words with capitals, of which enough stand in lists of names.

No list holds all names, so a share of the values is enough; how small a share, depends on the column's name. A column
of few levels is no column of names unless its own name says so.
"""

from __future__ import annotations

import re

import numpy as np

from fabrica.personal.detect import words
from fabrica.personal.detect.detector import Detector
from fabrica.personal.sight import Sight

__all__ = ["DETECTORS", "locale_of"]

_WORD = r"[\p{Lu}][\p{L}'’.\-]*"
FULL = (
    rf"(?:(?:Dr|Prof|Mrs?|Ms|Mme|Mlle|M|Sr|Sra|Herr|Frau|Dipl|Ing)\.? ?[\-.]? ?(?:rer\. nat\. )?)*{_WORD}(?:,?"
    rf" (?:{_WORD}"
    r"|de|der|den|van|von|la|le|du|da|dos|del|di|y|e|zu|\(.+\))){1,5}"
)
SINGLE = rf"{_WORD}(?:[ \-](?:{_WORD}|de|der|van|von|la|le|du|da|del|di|y))?"
_PEOPLE = (
    r"full_?name|(?:customer|client|patient|employee|contact|person|user|member|student|staff|guest|driver|doctor"
    r"|physician|passenger|holder|owner|applicant|account|card_?holder|account_?holder|teacher|manager|author|artist"
    r"|actor|director|sender|recipient|beneficiary|insured|subscriber|participant|display|legal|billing|shipping)_?name"
    r"|nombre_completo|nom_complet|vollstaendiger_name|nom_prenom|prenom_nom|ansprechpartner|kunde|kundenname|cliente"
    r"|nombre_y_apellidos|customer|patient|employee|passenger|payee|payer|mitarbeiter|contact"
)
_GIVEN = (
    r"first_?names?|given_?names?|fore_?names?|fname|vorname|rufname|prenom|nombre|nombre_de_pila"
    r"|middle_?name|first|nome"
)
_SURNAME = (
    r"last_?names?|surname|sur_?name|family_?name|lname|nachname|familienname|nom|nom_(?:de_famille|famille)"
    r"|apellidos?|primer_apellido|maiden_?name|last|cognome|zuname"
)


def _bits(sight: Sight) -> list[list[str]]:
    return [
        [bit for bit in re.split(r"[\s,.\-()\"]+", words.folded(text)) if bit and bit not in words.titles]
        for text in sight.plain
    ]


def _full(sight: Sight) -> np.ndarray:
    """Whole names: the form, and words of the lists."""
    if "names" in sight.found:
        return sight.found["names"].copy()
    mask = sight.matches(FULL) & ~sight.matches(r".*\d.*")
    given, surnames = words.given(), words.surnames()
    for i in np.flatnonzero(mask):
        bits = [
            bit
            for bit in re.split(r"[\s,.\-()\"]+", words.folded(sight.plain[i]))
            if len(bit) > 1 and bit not in words.titles
        ]
        mask[i] = len(bits) >= 2 and _sound(bits, given, surnames)
    sight.found["names"] = mask.copy()
    return mask


def _sound(bits: list[str], given: frozenset[str], surnames: frozenset[str]) -> bool:
    """A given name at one end, or two words of the lists."""
    return (
        bits[0] in given
        or (bits[-1] in given
        and bits[0] in surnames)
        or (bits[-1] in surnames and any(bit in given for bit in bits))
    )


def _of(listed: frozenset[str], sight: Sight) -> np.ndarray:
    """Single names; double ones count, whole names do not."""
    mask = sight.matches(SINGLE) & ~_full(sight)
    for i in np.flatnonzero(mask):
        bits = [bit for bit in re.split(r"[\s\-]+", words.folded(sight.plain[i])) if bit not in words.titles]
        mask[i] = 2 * sum(bit in listed for bit in bits) > len(bits)
    return mask


def _given(sight: Sight) -> np.ndarray:
    return _of(words.given(), sight)


def _surnames(sight: Sight) -> np.ndarray:
    return _of(words.surnames(), sight)


def locale_of(sight: Sight) -> str:
    """The locale whose lists hold most of the words; English of the United States where none stands out.

    >>> locale_of(Sight.of("name", ["Heinz Schmitz", "Jürgen Krause", "Uwe Neumann"]))
    'de_DE'
    """
    bits = [bit for some in _bits(sight) for bit in some]
    scores = {
        locale: sum((bit in given) + 2 * (bit in family) for bit in bits)
        for locale in ("en_US", "en_GB", "de_DE", "fr_FR", "es_ES")
        for given, family in [words.of(locale)]
    }
    return max(scores, key=lambda locale: scores[locale]) if any(scores.values()) else "en_US"


DETECTORS = (
    Detector(
        "person",
        "words with capitals, many of them listed names",
        _full,
        _PEOPLE,
        alone=0.45,
        hinted=0.2,
        fewest=20,
        weight=1.3,
    ),
    Detector(
        "person",
        "words with capitals, some listed names, and the column's name",
        _full,
        r"(?:the_)?name|nom|nombre",
        alone=2,
        hinted=0.4,
        weight=1.3,
    ),
    Detector("given_name", "listed given names", _given, _GIVEN, alone=0.5, hinted=0.15, fewest=20, weight=1.1),
    Detector("surname", "listed family names", _surnames, _SURNAME, alone=0.5, hinted=0.08, fewest=20, weight=1.15),
)
