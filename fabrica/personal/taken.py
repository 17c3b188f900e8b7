"""Sees to it that no fake is a real value: looked up while the table is read, kept as a small number.

Four promises, each for any seed and any number of rows. Words: fakes are called by the words of one window of coined
ones, and a window is taken of which no word stands in the table. Ranges: where a real value lies in the range that is
kept for fakes (a table of tests does that), fakes begin with a digit that none of these has there. Templates: of the
slots as few as needed are fixed to what no real value begins with, where enough fresh ones are left; else one of the
characters that all real values share becomes another. Running numbers: fresh ones begin at a power of ten that no real
one reaches.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fabrica.personal.fakes import people
from fabrica.personal.fakes.coined import WINDOWS, windows_hit
from fabrica.template import DIGITS, LOWER, MOST, Template

__all__ = ["Ranges", "Runs", "Slots", "Words"]

WORDY = frozenset({*people.MAKERS, "address", "city"}) - {"given_name"}  #: kinds whose fakes hold a coined word
ALPHABETS = (DIGITS, LOWER, LOWER.upper())
DEEP = 4  #: slots of a template that may be fixed

#: kind -> locale ("" any) -> a real value in the range of fakes, without its signs, its first free digit kept
_RANGES: dict[str, dict[str, str]] = {
    "card": {"": r"^(?:400000|37000)(\d)"},
    "imei": {"": r"^0010(\d)"},
    "vin": {"": r"^0FKZX(\d)"},
    "iban": {"": r"^(?:DE\d\d0{8}|ES\d\d0{8}\d\d|FR\d\d0{10}|GB\d\d[A-Z]{4}0{6}|NL\d\d[A-Z]{4}0|(?:AT|CH)\d\d0{5}"
        r"|IT\d\d[A-Z]0{10}|PL\d\d0{8})(\d)"},
    "mac": {"": r"^02([0-9A-F])"},
    "health_id": {"": r"^999(\d)"},
    "phone": {
        "en_US": r"^1?[2-9](\d)\d55501",
        "en_GB": r"^(?:44)?0?(?:1632960|7700900|1134960|1144960|1214960|2079460)(\d)",
        "de_DE": r"^(?:49)?0?(?:3023125|8999998|6990009|6966969)(\d)",
        "es_ES": r"^(?:34)?5(\d)",
        "fr_FR": r"^(?:33)?0?(?:19900|26191|35301|46571|53649|63998)(\d)",
    },
    "national_id": {
        "en_US": r"^9(\d)",
        "en_GB": r"^QQ(\d)",
        "es_ES": r"^99(\d)",
        "fr_FR": r"^[12](\d)\d3\d99",
        "de_DE": r"^0(\d)",
    },
    "tax_id": {
        "en_US": r"^00(\d)",
        "en_GB": r"^(?:GB)?0(\d)",
        "de_DE": r"^(?:DE)?0(\d)",
        "fr_FR": r"^(?:FR)?\d\d00(\d)",
        "es_ES": r"^(?:ES)?B00(\d)",
    },
}
_NETS = r"^(?:192\.0\.2|198\.51\.100|203\.0\.113|198\.1[89]\.\d+)\."


@dataclass
class Words:
    """Which windows of coined words are free of real ones."""

    hit: dict[str, np.ndarray] = field(default_factory=dict)

    def look(self, locale: str, texts: pa.Array) -> None:
        """Every word of the texts, without capitals."""
        lower = pc.utf8_lower(texts)
        plain = pc.replace_substring_regex(lower, r"[^\p{L}]+", " ")
        words = pc.unique(pc.list_flatten(pc.split_pattern(plain, " ")))
        for found, said in (("ae", "ä"), ("oe", "ö"), ("ue", "ü")):
            words = pc.unique(pa.concat_arrays([words, pc.replace_substring(words, found, said)]))
        self.hit[locale] = self.hit.get(locale, np.zeros(WINDOWS, bool)) | windows_hit(locale, words)

    def window(self, locale: str) -> int:
        """The first window without a real word; the first of all where there is none."""
        hit = self.hit.get(locale)
        return 0 if hit is None or hit.all() else int(np.argmin(hit))

    def free(self, locale: str) -> bool:
        return locale not in self.hit or not self.hit[locale].all()


@dataclass
class Ranges:
    """Which first digits real values have within the range that is kept for fakes."""

    what: str
    locale: str
    leads: set[str] = field(default_factory=set)

    def look(self, texts: pa.Array) -> None:
        if self.what == "ip":
            self.leads |= {"1"} if pc.any(pc.match_substring_regex(texts, _NETS)).as_py() else set()
            return
        known = _RANGES.get(self.what, {})
        pattern = known.get("", known.get(self.locale))
        if pattern:
            bare = pc.utf8_upper(pc.replace_substring_regex(texts, r"[^0-9A-Za-z]", ""))
            for text in bare.filter(pc.match_substring_regex(bare, pattern)).to_pylist():
                self.leads.add(re.match(pattern, text)[1])  # type: ignore[index]

    def lead(self) -> dict[str, str]:
        """The look's field, where one is needed and there is a digit left."""
        if not self.leads:
            return {}
        if (self.what, self.locale) == ("national_id", "de_DE"):
            return {}  # their digits are a permutation: none can be fixed
        left = [d for d in "876543291" if d not in self.leads]
        return {"lead": left[0]} if left else {}

    @property
    def free(self) -> bool:
        return not self.leads or bool(self.lead())


@dataclass
class Slots:
    """What real values have in the first slots of a template."""

    template: Template
    most: int | None = None
    seen: dict[int, np.ndarray] = field(default_factory=dict)
    shared: dict[int, set[str]] = field(default_factory=dict)  #: fixed place -> what real ones have there

    def _slots(self) -> list[int]:
        return [i for i, place in enumerate(self.template.places) if len(place) > 1][:DEEP]

    def look(self, texts: pa.Array) -> None:
        """Texts of another length are none of the template's and cannot be met."""
        slots, places = self._slots(), self.template.places
        same = texts.filter(pc.equal(pc.utf8_length(texts), len(places)))
        for i, place in enumerate(places):
            if len(place) == 1:
                self.shared.setdefault(i, set()).update(pc.unique(pc.utf8_slice_codeunits(same, i, i + 1)).to_pylist())
        for i, place in enumerate(places):
            if len(place) == 1 and len(same):
                same = same.filter(pc.equal(pc.utf8_slice_codeunits(same, i, i + 1), place))
        if not len(same) or not slots:
            return
        number, size = np.zeros(len(same), np.int64), 1
        fits = np.ones(len(same), bool)
        for depth, i in enumerate(slots, 1):
            digit = np.asarray(
                pc.index_in(pc.utf8_slice_codeunits(same, i, i + 1), pa.array(list(places[i]))).fill_null(-1)
            )
            fits &= digit >= 0
            number, size = number * len(places[i]) + np.maximum(digit, 0), size * len(places[i])
            seen = self.seen.setdefault(depth, np.zeros(size, bool))
            seen[number[fits]] = True

    def lead(self, rows: int) -> str | None:
        """What fakes begin with: as little as no real value has; "" where nothing need be fixed, None where too few
        fresh ones would be left."""
        slots, places, size = self._slots(), self.template.places, 1
        if not self.seen or not any(seen.any() for seen in self.seen.values()):
            return ""
        for depth, i in enumerate(slots, 1):
            size *= len(places[i])
            left = np.flatnonzero(~self.seen[depth]) if depth in self.seen else np.zeros(0, np.int64)
            if self.template.capacity // size < 2 * rows:
                return None
            if self.most is not None and places[slots[0]] == DIGITS:
                left = left[left >= size // 10]
            if len(left):
                return self._spelt(int(left[len(left) // 2]), slots[:depth])
        return None

    def fresh(self, text: str, rows: int) -> str | None:
        """The text of the template in which no real value is written, for so many fresh ones; None where there is none.

        >>> slots = Slots(Template.of("P-##"))
        >>> slots.look(pa.array([f"P-{number}" for number in range(10, 99)]))
        >>> slots.fresh("P-##", 40)
        'M-##'
        """
        lead = self.lead(rows)
        return self._apart(text, rows) if lead is None else fixed(text, lead)

    def _apart(self, text: str, rows: int) -> str | None:
        """The text with another digit or letter at the last fixed place where one is left that no real value has."""
        if self.template.capacity < 2 * rows:
            return None
        for i in sorted(self.shared, reverse=True):
            own, taken = self.template.places[i], self.shared[i]
            left = [c for c in next((some for some in ALPHABETS if own in some), "") if c not in taken]
            left = [c for c in left if c != "0" or i or self.most is None]
            if left:
                return _replaced(text, {i: left[len(left) // 2]})
        return None

    def _spelt(self, number: int, slots: list[int]) -> str:
        out = []
        for i in reversed(slots):
            number, digit = divmod(number, len(self.template.places[i]))
            out.append(self.template.places[i][digit])
        return "".join(reversed(out))


def fixed(text: str, lead: str) -> str:
    r"""The text of a template whose first slots are fixed.

    >>> fixed("A-###?", "Q4"), fixed("x##", "a")
    ('Q-4##?', '\\a##')
    """
    slots = [i for i, m in enumerate(re.finditer(r"\\.|.", text, re.DOTALL)) if m[0] in "#Aax?"]
    return _replaced(text, dict(zip(slots, lead, strict=False)))


def _replaced(text: str, there: Mapping[int, str]) -> str:
    """The text of a template with other characters at some of its places."""
    tokens = [m[0] for m in re.finditer(r"\\.|.", text, re.DOTALL)]
    return "".join("\\" * (there[i] in "#Aax?\\") + there[i] if i in there else one for i, one in enumerate(tokens))


@dataclass
class Runs:
    """How far real running numbers reach: ``most`` is the largest number of their type.

    >>> runs = Runs({"prefix": "P", "width": 4, "start": 1})
    >>> runs.look(pa.array(["P0001", "P0250"]))
    >>> runs.start(300)
    1000
    """

    notation: Mapping[str, Any]
    most: int = MOST["int64"]
    last: int = -1

    def look(self, texts: pa.Array) -> None:
        before, after = (re.escape(str(self.notation.get(name, ""))) for name in ("prefix", "suffix"))
        numbers = pc.extract_regex(texts, rf"^{before}(?P<n>[0-9]{{1,18}}){after}(?:\.0)?$").drop_null()
        if len(numbers):
            self.last = max(self.last, pc.max(pc.cast(pc.struct_field(numbers, "n"), pa.int64())).as_py())

    def start(self, rows: int) -> int | None:
        """With which number fresh ones begin, above all real ones; None where the type has no room for so many."""
        own, step = int(self.notation.get("start", 1)), int(self.notation.get("step", 1))
        start = own if own > self.last else 10 ** len(str(self.last))
        return start if step > 0 and start + 2 * rows * step <= self.most else None


def looked(notation: Mapping[str, Any]) -> Mapping[str, Any]:
    """The look of fresh ones: that of the notation, or within a reference."""
    return notation.get("look") or notation if notation.get("kind") == "reference" else notation
