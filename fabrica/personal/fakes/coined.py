"""Family names and places that nobody bears: coined of syllables that sound like the locale.

No real name can be promised away from a list of real names. A coined one can: there are some 50,000 of them for each
locale, cut into windows of ``WORDS``; the few that happen to be somebody's name are seen when the table is looked at,
and a window without any of them is taken (``fabrica.personal.taken``). The model keeps the number of the window only.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["WINDOWS", "WORDS", "coined", "windows_hit"]

WORDS = 1024  #: words of a window
WINDOWS = 40  #: windows of a locale that share no word
ONSETS = (
    "B",
    "Br",
    "C",
    "Cl",
    "D",
    "Dr",
    "F",
    "Fl",
    "G",
    "Gr",
    "H",
    "K",
    "L",
    "M",
    "N",
    "P",
    "R",
    "S",
    "St",
    "T",
    "Tr",
    "V",
    "W",
    "J",
)
MIDDLES = {
    "en": ("ll", "rn", "nd", "st", "v", "rd", "m", "sk", "lt", "nn", "th", "rk", "ng", "dd", "ss", "lv"),
    "de": ("ll", "rn", "nd", "st", "ck", "rg", "mm", "tz", "lt", "nn", "ff", "rk", "ch", "rt", "ss", "lb"),
    "fr": ("ll", "rn", "nd", "ss", "v", "rd", "m", "qu", "lt", "nn", "g", "rs", "ch", "l", "r", "nt"),
    "es": ("ll", "rn", "nd", "st", "v", "rd", "m", "z", "lt", "n", "g", "rc", "ch", "l", "r", "nt"),
}
ENDINGS = {
    "en": (
        "enford",
        "erwick",
        "ingdale",
        "enmoor",
        "erstone",
        "inghurst",
        "enfield",
        "erby",
        "inshaw",
        "erleigh",
        "enthorpe",
        "ingworth",
        "erham",
        "endell",
        "ercote",
        "enbury",
        "ervale",
        "ingate",
        "erlow",
        "enwood",
        "erholt",
        "inscombe",
        "erbrook",
        "endale",
        "ermere",
    ),
    "de": (
        "enhofer",
        "ermann",
        "ingbauer",
        "enstedt",
        "erwald",
        "ensteiner",
        "erbach",
        "enberger",
        "ershaus",
        "enthal",
        "ermeister",
        "enrieder",
        "erbrink",
        "enmoser",
        "ersdorf",
        "enkamp",
        "erloh",
        "enfelder",
        "erholz",
        "enreuter",
        "erwinkel",
        "enburger",
        "eracker",
        "enmüller",
        "erhagen",
    ),
    "fr": (
        "ouvières",
        "anceau",
        "ignac",
        "onnet",
        "ardin",
        "evault",
        "ombert",
        "ellier",
        "inoux",
        "aubert",
        "essart",
        "ouzet",
        "amblain",
        "ivelle",
        "ondreau",
        "argnac",
        "eteuil",
        "oisard",
        "aumont",
        "inville",
        "ancourt",
        "elonne",
        "oubray",
        "enchaud",
        "usseau",
    ),
    "es": (
        "abarra",
        "errano",
        "ondilla",
        "artegui",
        "ecillos",
        "ambrera",
        "ustiano",
        "ovales",
        "anzueta",
        "erizano",
        "olmedal",
        "arquina",
        "ebrales",
        "ontañera",
        "asquillo",
        "edrosa",
        "umbrales",
        "oriega",
        "andreza",
        "ellaneda",
        "otillana",
        "arzuela",
        "iberana",
        "osanta",
        "ercedo",
    ),
}
VOWELS = "aeiou"


def _pieces(locale: str) -> tuple[tuple[str, ...], ...]:
    tongue = locale[:2] if locale[:2] in ENDINGS else "en"
    return ONSETS, tuple(VOWELS), MIDDLES[tongue], ENDINGS[tongue]


@cache
def _all(locale: str) -> pa.Array:
    """Every word that can be coined for a locale, in the order of its number."""
    parts = _pieces(locale)
    total = int(np.prod([len(p) for p in parts]))
    columns, left = [], np.arange(total)
    for pool in reversed(parts):
        left, digit = np.divmod(left, len(pool))
        columns.append(pa.array(pool).take(pa.array(digit)))
    return pc.binary_join_element_wise(*reversed(columns), "")


@cache
def _order(locale: str) -> np.ndarray:
    """(WINDOWS * WORDS,) numbers of the words, window after window, neighbours far apart."""
    total = len(_all(locale))
    stride = round(total * 0.6180339887) | 1
    while np.gcd(stride, total) != 1:
        stride += 2
    return np.arange(min(total, WINDOWS * WORDS), dtype=np.int64) * stride % total


def coined(locale: str, window: int, which: np.ndarray) -> pa.Array:
    """(n,) words of a window by their numbers, 0 to ``WORDS`` - 1.

    >>> coined("de_DE", 0, np.array([0, 1])).to_pylist()
    ['Ballenhofer', 'Nundenreuter']
    """
    return _all(locale).take(pa.array(_order(locale)[window * WORDS + which]))


@cache
def _window(locale: str) -> tuple[pa.Array, np.ndarray]:
    order = _order(locale)
    return pc.utf8_lower(_all(locale).take(pa.array(order))), np.arange(len(order)) // WORDS


def windows_hit(locale: str, words: pa.Array) -> np.ndarray:
    """(WINDOWS,) bool: the windows that hold one of the words (in small letters).

    >>> int(windows_hit("de_DE", pa.array(["ballenhofer", "meier"])).sum())
    1
    """
    known, window = _window(locale)
    found = pc.index_in(known, words)
    hit = np.zeros(WINDOWS, bool)
    hit[np.unique(window[np.asarray(pc.is_valid(found))])] = True
    return hit
