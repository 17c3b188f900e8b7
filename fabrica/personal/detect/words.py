"""Given names, family names and cities by locale, from the word lists of Faker; read when first needed.

Words are compared without capitals and accents, so that ``Élodie``, ``ELODIE`` and ``elodie`` are one.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from importlib import import_module

__all__ = ["LOCALES", "folded", "given", "surnames", "titles"]

LOCALES = ("en_US", "en_GB", "de_DE", "fr_FR", "es_ES", "it_IT", "nl_NL", "pt_BR", "pl_PL", "sv_SE", "tr_TR")
_SHORTEST = 3
#: words of whole names that are no names
_TITLES = (
    "mr mrs ms miss dr prof sir frau herr mme mlle m sr sra srta dipl ing phd md jr ii iii iv de der den van von la le"
    " du da dos del di san y e master mag dra don doña"
)
titles = frozenset(_TITLES.split())


def folded(text: str) -> str:
    """Small letters without accents.

    >>> folded("Élodie"), folded("Müller"), folded("GROSS")
    ('elodie', 'muller', 'gross')
    """
    if text.isascii():
        return text.lower()
    plain = text.lower().replace("ß", "ss").replace("ø", "o").replace("ł", "l")
    return "".join(c for c in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(c))


@cache
def given() -> frozenset[str]:
    """Given names of all locales, folded."""
    return frozenset().union(*(_folded(locale, "first_names") for locale in LOCALES))


@cache
def surnames() -> frozenset[str]:
    """Family names of all locales, folded."""
    return frozenset().union(*(_folded(locale, "last_names") for locale in LOCALES))


@cache
def of(locale: str) -> tuple[frozenset[str], frozenset[str]]:
    """(given names, family names) of one locale, folded."""
    return _folded(locale, "first_names"), _folded(locale, "last_names")


@cache
def _folded(locale: str, words: str) -> frozenset[str]:
    provider = import_module(f"faker.providers.person.{locale}").Provider
    lists = [
        name
        for name in dir(provider)
        if name.startswith(words)
        or (words == "first_names" and name.startswith("first_name") and name.endswith("male"))
    ]
    found = (word for name in lists if not callable(listed := getattr(provider, name)) for word in listed)
    return frozenset(
        bit
        for word in found
        for bit in folded(str(word)).replace("-", " ").split()
        if len(bit) >= _SHORTEST and bit not in titles
    )
