"""Telephone numbers that ring nowhere: those that regulators keep for films, and what follows them.

United States 555-0100 to 0199 in any area (NANPA), United Kingdom 01632 960 and 07700 900 (Ofcom), Germany 030 23125
and others (BNetzA), France 01 99 00 and others (Arcep); Spain keeps none, so a range that is given to nobody is used.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fabrica.personal.fakes.numbers import free, laid
from fabrica.personal.fakes.people import Look, Texts

__all__ = ["CODES", "MAKERS"]

CODES = {"en_US": "1", "en_GB": "44", "de_DE": "49", "fr_FR": "33", "es_ES": "34"}
_RANGES = {
    "en_US": ("m##55501##",),
    "en_GB": ("1632960###", "7700900###", "1134960###", "1144960###", "1214960###", "2079460###"),
    "de_DE": ("3023125###", "8999998###", "6990009###", "6966969###"),
    "es_ES": ("5########",),
    "fr_FR": ("19900####", "26191####", "35301####", "46571####", "53649####", "63998####"),
}
_LAYOUTS = {
    "en_US": "###-###-####",
    "en_GB": "##### ######",
    "de_DE": "#### #######",
    "fr_FR": "## ## ## ## ##",
    "es_ES": "### ### ###",
}


_AREA = {"en_US": 3, "en_GB": 4, "de_DE": 2, "fr_FR": 1, "es_ES": 3}  #: digits of an area


def phone(people: np.ndarray, look: Look, shift: int) -> Texts:
    """Each range in turn; from the second lap on with an extension."""
    locale = look["locale"]
    ranges = [free(text, look.get("lead", "")) for text in _RANGES[locale]]
    sizes = np.array([t.capacity for t in ranges])
    ends = np.cumsum(sizes)
    lap, here = np.divmod(people, int(ends[-1]))
    which = np.searchsorted(ends, here, "right")
    found = np.empty(len(people), object)
    for i, template in enumerate(ranges):
        rows = np.flatnonzero(which == i)
        if len(rows):
            points = template.points(here[rows] - (ends[i] - sizes[i]), shift)
            found[rows] = _dialled(points, look).to_pylist()
    texts = pa.array(found.tolist(), pa.string())
    more = pc.if_else(pa.array(lap > 0), pc.binary_join_element_wise(" x", pa.array(lap + 1).cast(pa.string()), ""), "")
    return pc.binary_join_element_wise(texts, more, "")


def _dialled(points: np.ndarray, look: Look) -> Texts:
    """With the country or with the zero before it, in the layout of the real ones where it has as many digits."""
    locale, layout = look["locale"], look.get("layout", "")
    if look.get("abroad"):
        head = CODES[locale]
        points = np.hstack([np.tile(np.array([ord(c) for c in head], np.uint32), (len(points), 1)), points])
        if layout.count("#") == points.shape[1]:
            return laid(points, layout)
        return laid(
            points, f"+{'#' * len(head)} {'#' * _AREA[locale]} {'#' * (points.shape[1] - len(head) - _AREA[locale])}"
        )
    if locale in ("en_GB", "de_DE", "fr_FR"):
        points = np.hstack([np.full((len(points), 1), 48, np.uint32), points])
    usual = _LAYOUTS[locale]
    return laid(
        points,
        layout
        if layout.count("#") == points.shape[1]
        else usual
        if usual.count("#") == points.shape[1]
        else "#" * 4 + " " + "#" * (points.shape[1] - 4),
    )


MAKERS = {"phone": phone}
