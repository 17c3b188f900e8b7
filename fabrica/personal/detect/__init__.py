"""All detectors, and what they say of one column together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fabrica.personal.detect import contacts, lives, names, places, sums
from fabrica.personal.detect.detector import Detector
from fabrica.personal.sight import Sight

__all__ = ["DETECTORS", "Detector", "Found", "detector_of", "find", "numbers_named"]

DETECTORS: tuple[Detector, ...] = (
    *contacts.DETECTORS,
    *sums.DETECTORS,
    *names.DETECTORS,
    *places.DETECTORS,
    *lives.DETECTORS,
)
_MOMENTS = {"date", "datetime"}
_NUMBERS = {"integer", "decimal", "latitude", "longitude"}
#: what numbers may be; of anything else they would be written otherwise
_NUMERIC = {
    "age",
    "latitude",
    "longitude",
    "birth_date",
    "phone",
    "card",
    "imei",
    "national_id",
    "health_id",
    "tax_id",
    "account",
    "record",
    "postcode",
    "passport",
    "licence",
}


#: numbers of people and of their things, the more particular first
_NUMBERED = (
    "iban", "card", "imei", "vin", "passport", "licence", "health_id", "tax_id", "national_id", "plate", "account",
)


@dataclass(frozen=True)
class Found:
    """Personal data in one column.

    Parameters
    ----------
    kind : a name of ``fabrica.personal.KINDS``. detector : by what it was recognised.
    share : of the distinct values that were looked at, those of the kind.
    sure : how sure this is, from 0 to 1: a rule of thumb and no probability.
    locale : whose values these are; "" where they do not tell.
    """

    kind: str
    detector: str
    share: float
    sure: float
    locale: str = ""


def find(sight: Sight, more: Sequence[Detector] = ()) -> Found | None:
    """What kind of personal data a column holds; None where it holds none. What the column was taken for rules kinds
    out: moments may be dates of birth and nothing else. ``more`` detectors are those of others.

    >>> find(Sight.of("x", ["ann.lee@example.com", "bo.ek@example.org", "cy.fox@example.net"])).kind
    'email'
    >>> find(Sight.of("amount", ["12", "40", "17"])) is None
    True
    """
    best: tuple[float, Found] | None = None
    for detector in (*DETECTORS, *more) if sight.distinct else ():
        if not _may(sight.kind, detector.kind):
            continue
        named = bool(detector.hint) and sight.named(detector.hint)
        if not named and (detector.alone > 1 or sight.distinct < detector.fewest):
            continue
        least = detector.hinted if named else detector.alone
        if np.mean(detector.test(sight.few)) < 0.5 * least or (share := float(np.mean(detector.test(sight)))) < least:
            continue
        rank = detector.weight * (2.0 if named else 1.0) * (0.5 + 0.5 * share)
        if best is None or rank > best[0]:
            best = (
                rank,
                Found(detector.kind, detector.name, share, _sure(detector, share, named, sight), detector.locale),
            )
    return best[1] if best else None


def numbers_named(sight: Sight) -> str:
    """The kind of numbers that a column's name speaks of; "" where it speaks of none. What to call identifiers by whose
    values nothing is recognised, such as those of many countries in one column.

    >>> numbers_named(Sight.of("national_id", [])), numbers_named(Sight.of("colour", []))
    ('national_id', '')
    """
    hints = ((one.kind, one.hint) for kind in _NUMBERED for one in DETECTORS if one.kind == kind and one.hint)
    found = next((kind for kind, hint in hints if sight.named(hint)), "")
    return "" if found == "health_id" and "patient" in sight.said else found  # a number of a clinic's own


def detector_of(kind: str, name: str, more: Sequence[Detector] = ()) -> Detector | None:
    """The detector of a kind by its name; None where there is none."""
    return next((one for one in (*DETECTORS, *more) if (one.kind, one.name) == (kind, name)), None)


def _may(taken: str, kind: str) -> bool:
    """Whether a column that was taken for one kind of schema may hold this kind of personal data."""
    if taken in _MOMENTS:
        return kind == "birth_date"
    if taken in _NUMBERS:
        return kind in _NUMERIC
    return taken not in ("ordinal", "time", "duration", "constant", "boolean", "empty")


def _sure(detector: Detector, share: float, named: bool, sight: Sight) -> float:
    """Strong forms and agreeing names are surer, few values less so."""
    base = 0.75 if detector.alone > 1 else 0.99 if named else 0.95 if detector.alone >= 0.8 else 0.85
    return round(base * (0.8 + 0.2 * share) * (1 - 0.3 / (1 + sight.distinct / 3)), 2)
