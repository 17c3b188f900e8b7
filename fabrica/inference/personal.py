"""Personal columns: what they hold, whose it is, and how fresh values are written.

A column whose values name people is made afresh, a person a row or, where people have several rows, one of so many
people. Columns of one person agree (e-mail and name, city and postal code). What singles out only together with other
columns (age, postal code, date of birth) stays what it is and is marked.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fabrica.inference.facts import Facts
from fabrica.inference.markers import without
from fabrica.inference.people import form, named_for_people
from fabrica.inference.references import UNIQUE, fresh, rounded
from fabrica.notation.storage import as_text
from fabrica.personal import KINDS, OFF, SHARED, Found, Sight, find, numbers_named
from fabrica.personal.detect.names import locale_of
from fabrica.personal.fakes import LOCALES, MAKERS
from fabrica.personal.fakes.numbers import ACCOUNTS
from fabrica.personal.fakes.phones import CODES
from fabrica.personal.sight import spoken
from fabrica.personal.taken import WORDY, Ranges, Slots, Words, fixed, looked
from fabrica.schema import Column, Table
from fabrica.template import Template

__all__ = ["Guard", "shared", "with_personal"]

_BY_LOCALE = {"national_id", "tax_id", "health_id"}  #: made for the locales that the makers know
_BARE = (OFF, "")
_PERSON_ID = re.compile(
    r"(?:^|_)(?:customer|client|user|employee|staff|actor|rep|agent|driver|member|student|teacher|doctor"
                       r"|nurse|patient|person|guest|tenant|owner)_?id$")


def with_personal(table: Table, known: Mapping[str, Facts], declared: Mapping[str, Any]) -> tuple[Table, list[str]]:
    """``(table, notes)``: personal columns are marked, and those that name people are made afresh.

    Parameters
    ----------
    table : as guessed, column by column.
    known : what was seen of each column.
    declared : what the user has said of columns; one whose kind is declared stays what it is.
    """
    seen = {c.name: found for c in table.columns if (found := _found(c, known[c.name], declared.get(c.name, {})))}
    if not seen:
        return table, []
    values = {name: without(known[name], table[name].missing) for name in seen}
    locale = _locale(seen, values)
    roles = _roles(seen)
    afresh = {n for n, f in seen.items() if _replaced(table[n], KINDS[f.kind].fresh, f.kind, values[n])}
    people = _people({n: values[n] for n in afresh if seen[n].kind not in SHARED})
    changed = {}
    for name, found in seen.items():
        column = replace(table[name], personal=found.kind)
        if name in afresh and not (table[name].refers and table[name].notation.get("to")):
            where = found.locale if found.locale in LOCALES else locale
            column = _afresh(column, found, values[name], where, roles[name], people)
        changed[name] = column
    return table.with_columns(changed), _notes(changed)


def _found(column: Column, facts: Facts, said: Mapping[str, Any]) -> Found | None:
    """What the column holds; what the user says of it goes first."""
    told = said.get("personal")
    if told == OFF or (told is None and "kind" in said):
        return None
    if told:
        return Found(told, "declared", 1.0, 1.0) if told in KINDS else None  # the column itself says what is wrong
    if column.kind in ("empty", "constant", "boolean"):
        return None
    values = without(facts, column.missing)
    if not values.distinct:
        return None
    sight = Sight.of(column.name, values.text, values.counts, column.kind)
    found = find(sight)
    if found is None and column.kind == "key" and (kind := numbers_named(sight)):
        return Found(kind, "an identifier, and the column's name", 1.0, 0.75)
    if found is None and column.kind == "key" and (named_for_people(values) or _PERSON_ID.search(spoken(column.name))):
        return Found("record", "an identifier, and the column's name", 1.0, 0.75)
    if found is None and column.kind == "key" and (look := form(values) if values.textual else None):
        return Found("email" if look.get("kind") == "email" else "record", "forms of several kinds", 0.9, 0.8)
    return found


def _replaced(column: Column, kind_fresh: bool, kind: str, values: Facts) -> bool:
    """Whether the values are made afresh: what names people, and places of which hardly any comes again."""
    if column.kind in ("latitude", "longitude"):
        return False
    if kind == "url":
        return column.kind in ("text", "key")  # few pages that come again are levels, not people
    return kind_fresh or (kind in ("city", "postcode") and column.kind in ("text", "key"))


def _locale(seen: Mapping[str, Found], values: Mapping[str, Facts]) -> str:
    """Whose table it is: what check digits, country codes and lists of names say most often."""
    votes: Counter[str] = Counter()
    for name, found in seen.items():
        if found.locale in LOCALES:
            votes[found.locale] += 2
        elif found.kind in ("person", "surname", "given_name"):
            votes[locale_of(Sight.of(name, values[name].text, values[name].counts))] += 3
        elif found.kind in ("email", "username"):
            words = pc.replace_substring_regex(values[name].text, r"@.*|[^\p{L}]+", " ")
            votes[locale_of(Sight.of(name, pc.utf8_trim_whitespace(words), values[name].counts))] += 2
        elif found.kind in ("phone", "iban"):
            votes[_abroad(values[name], found.kind)] += 4  # a country's code says more than names
    del votes[""]
    return votes.most_common(1)[0][0] if votes else "en_US"


def _abroad(values: Facts, kind: str) -> str:
    """The locale of the commonest country code; "" where none is written."""
    heads = Counter(text.strip()[:2].upper() if kind == "iban" else text.strip()[:3] for text in values.head)
    head = heads.most_common(1)[0][0] if heads else ""
    if kind == "iban":
        return {"DE": "de_DE", "FR": "fr_FR", "GB": "en_GB", "ES": "es_ES"}.get(head, "")
    if kind == "phone" and head[:1] == "0":
        return _at_home(values)
    return next((locale for locale, code in CODES.items() if head.startswith(f"+{code}")), "")


def _at_home(values: Facts) -> str:
    """Whose telephone numbers begin with a zero: pairs of digits are French, 02 and 07 British."""
    texts = values.head
    if _most(re.fullmatch(r"0\d(?:[ .\-]?\d\d){4}", text) is not None for text in texts):
        return "fr_FR" if _most(text[2:3] in " .-" for text in texts) else "en_GB"
    return "en_GB" if _most(text[:2] in ("02", "07") for text in texts) else "de_DE"


def _roles(seen: Mapping[str, Found]) -> dict[str, str]:
    """Whose person a column is: of a row with a sender and a receiver both have their own names. Of two columns of one
    kind and one role the second is another's."""
    twice = {kind for kind, n in Counter(f.kind for f in seen.values()).items() if n > 1}
    parts = {name: spoken(name).split("_") for name in seen}
    firsts = {parts[name][0] for name, f in seen.items() if f.kind in twice and len(parts[name]) > 1}
    roles, taken = {}, set()
    for name, found in seen.items():
        role = parts[name][0] if parts[name][0] in firsts and len(parts[name]) > 1 else ""
        if (found.kind, role) in taken:
            role = f"{role}/{spoken(name)}"[:200]
        taken.add((found.kind, role))
        roles[name] = role
    return roles


def _people(values: Mapping[str, Facts]) -> int | None:
    """How many people there are, rounded, where each has several rows; None where each row is another's."""
    if not values or any(facts.distinct >= UNIQUE * facts.present for facts in values.values()):
        return None
    return rounded(max(facts.levels for facts in values.values()))


def _afresh(column: Column, found: Found, values: Facts, locale: str, role: str, people: int | None) -> Column:
    why = f"personal data: {KINDS[found.kind].title} ({found.detector})"
    if found.kind not in MAKERS or not values.textual or (found.kind in _BY_LOCALE and not _made(found, locale)):
        return _templated(column, found.kind, values, why)
    look = {"kind": "fake", "what": found.kind, "locale": locale, **_written(found.kind, locale, values)}
    look |= ({"role": role} if role else {}) | ({"people": people} if people else {})
    return Column(
        column.name, "key", column.storage, notation=look, missing=column.missing, why=why, personal=found.kind
    )


def _templated(column: Column, kind: str, values: Facts, why: str) -> Column:
    """The column made afresh by the template of its values: kinds for which there is no maker."""
    look = column.notation if isinstance(column.notation, Mapping) else {}
    if column.kind == "key" and (kind == "record" or look.get("kind") != "sequence"):
        return replace(column, why=why, personal=kind)
    made = fresh(column, values)
    if made.kind != "key":
        return replace(column, kind="key", notation=None, why=why, personal=kind)
    notation = _numbered(made.notation) if column.kind == "integer" and values.textual else made.notation
    return replace(made, notation=notation, why=why, personal=kind, missing=column.missing)


def _numbered(notation: Mapping[str, Any]) -> dict[str, Any]:
    """The notation of whole numbers: they do not begin with a zero."""
    if notation.get("kind") == "reference":
        return {**notation, "look": _numbered(notation["look"])}
    return {**notation, "number": True} if set(notation.get("template", "")) <= {"#"} else dict(notation)


def _made(found: Found, locale: str) -> bool:
    """Whether there is a maker for the country's numbers; others are made by their template."""
    if found.kind == "health_id":
        return found.locale == "en_GB"
    return found.detector == "declared" or found.locale == locale or "European" in found.detector


# ---------------------------------------------------------------- how the real ones are written


def _written(kind: str, locale: str, values: Facts) -> dict[str, Any]:
    """The form of fresh ones: capitals, signs, order; nothing that fewer than ``k`` values share."""
    texts = values.head
    some = len(texts) >= values.k
    found: dict[str, Any] = (
        _case(texts)
        if kind in ("person", "given_name", "surname", "email", "username", "handle", "address", "city", "mac", "ipv6")
        else {}
    )
    if kind in ("email", "username"):
        found["sign"] = _sign([text.partition("@")[0] for text in texts])
    if kind == "person" and _most(", " in text for text in texts):
        found["order"] = "family"
    if kind == "url":
        found["before"] = next(
            (head for head in ("https://", "http://") if _most(t.startswith(head) for t in texts)), ""
        )
    if kind == "address" and _most(_parts(text) >= 2 for text in texts):
        found["whole"] = True
    if kind == "iban":
        country = Counter(text.strip()[:2].upper() for text in texts).most_common(1)[0]
        found["country"] = country[0] if country[0] in ACCOUNTS and (country[1] >= values.k or not some) else "DE"
    if kind == "phone":
        texts = (
            [text for text in texts if text.strip().startswith("+")]
            if _most(t.strip().startswith("+") for t in texts)
            else texts
        )
        found |= {"abroad": True} if texts and texts[0].strip().startswith("+") else {}
    if kind == "coordinates":
        found |= _box(texts)
    elif kind not in (
        "person",
        "email",
        "username",
        "url",
        "address",
        "city",
        "surname",
        "given_name",
        "handle",
        "ip",
        "wallet",
    ):
        found |= _layout(texts, values.k)
    return found


def _parts(text: str) -> int:
    """Parts of an address behind its first comma or line."""
    return sum(text.count(sign) for sign in (",", "\n"))


def _most(flags: Iterable[bool]) -> bool:
    listed = list(flags)
    return 2 * sum(listed) > len(listed)


def _case(texts: list[str]) -> dict[str, str]:
    for name, same in (("upper", str.isupper), ("lower", str.islower)):
        if sum(map(same, texts)) > 0.9 * len(texts):
            return {"case": name}
    return {}


def _sign(locals_: list[str]) -> str:
    signs = Counter(sign for text in locals_ for sign in "._-" if sign in text)
    if not signs or signs.most_common(1)[0][1] < 0.4 * len(locals_):
        return ""
    return signs.most_common(1)[0][0]


def _layout(texts: list[str], k: int) -> dict[str, str]:
    """The signs between the characters, where enough values have them in the same places."""
    shapes = Counter("".join("#" if c.isalnum() else c for c in text.strip()) for text in texts)
    shape, held = shapes.most_common(1)[0] if shapes else ("", 0)
    return {"layout": shape} if held >= min(k, len(texts)) and len(shape) <= 60 and shape.isascii() else {}


def _box(texts: list[str]) -> dict[str, Any]:
    """Whole degrees around nine in ten of the points, and their digits."""
    pairs = [text.strip("()[] ").replace(";", ",").split(",") for text in texts]
    points = np.array([[float(a), float(b)] for a, b in pairs if _number(a) and _number(b)] or [[0.0, 0.0]])
    low, high = np.floor(np.quantile(points, 0.05, axis=0)), np.ceil(np.quantile(points, 0.95, axis=0))
    south, west = max(-90, int(low[0])), max(-180, int(low[1]))
    north, east = min(90, max(south + 1, int(high[0]))), min(180, max(west + 1, int(high[1])))
    digits = Counter(len(a.strip().partition(".")[2]) for a, _ in pairs).most_common(1)[0][0]
    sign = ", " if _most(", " in text for text in texts) else ","
    return {
        "box": [min(south, north - 1), north, min(west, east - 1), east],
        "digits": min(6, max(1, digits)),
        "sign": sign,
    }


def _number(text: str) -> bool:
    return text.strip().lstrip("+-").replace(".", "", 1).isdigit()


# ---------------------------------------------------------------- what is said of it


def _notes(changed: Mapping[str, Column]) -> list[str]:
    afresh = [name for name, column in changed.items() if column.kind == "key"]
    kept = [name for name, column in changed.items() if column.kind != "key"]
    lines = []
    for names, words in (
        (afresh, "hold personal data: made afresh, see `fabrica inspect`"),
        (kept, "tell of people together with others (ages, places, dates of birth): learned, no level of few rows"),
    ):
        if names:
            lines.append(
                f"{len(names)} column(s) {words}: {', '.join(map(repr, names[:5]))}" + (", …" if len(names) > 5 else "")
            )
    return lines


def shared(column: Column, facts: Facts) -> Column:
    """A personal column of which later rows show that people have several."""
    if column.notation.get("people") or facts.distinct >= UNIQUE * facts.present:
        return column
    return replace(column, notation={**column.notation, "people": rounded(facts.levels)})


# ---------------------------------------------------------------- no fake is a real value


@dataclass
class Guard:
    """Looks at real values and chooses what fakes are made of, so that none of them is one."""

    table: Table
    words: Words = field(default_factory=Words)
    ranges: dict[str, Ranges] = field(default_factory=dict)
    slots: dict[str, Slots] = field(default_factory=dict)

    @classmethod
    def of(cls, table: Table) -> Guard:
        """A guard of a table's personal columns that are made afresh."""
        guard = cls(table)
        for column in table.columns:
            look = looked(column.notation) if isinstance(column.notation, Mapping) else {}
            if column.kind != "key" or column.personal in _BARE:
                continue
            if look.get("kind") == "fake":
                guard.ranges[column.name] = Ranges(look["what"], look["locale"])
            elif isinstance(look.get("template"), str):
                guard.slots[column.name] = Slots(Template.of(look["template"]), 1 if look.get("number") else None)
        return guard

    @property
    def names(self) -> set[str]:
        return {*self.ranges, *self.slots}

    def look(self, name: str, cells: pa.Array) -> None:
        """Real values of a column; the distinct ones of a part, or all of it."""
        if pa.types.is_dictionary(cells.type):
            cells = cells.dictionary
        texts = pc.unique(as_text(cells.drop_null()))
        if name in self.slots:
            self.slots[name].look(texts)
            return
        found = self.ranges[name]
        if found.what in WORDY:
            self.words.look(found.locale, texts)
        else:
            found.look(texts)

    def settle(self, rows: int) -> tuple[Table, list[str]]:
        """``(table, notes)``: the table whose fakes are nobody's."""
        changed, open_ = {}, []
        for column in self.table.columns:
            if column.name in self.ranges:
                found = self.ranges[column.name]
                window = self.words.window(found.locale)
                more = {"window": window} if window and found.what in WORDY | {"city", "address"} else {}
                plain = {k: v for k, v in column.notation.items() if k not in ("window", "lead")}
                changed[column.name] = replace(column, notation={**plain, **more, **found.lead()})
                sound = found.free if found.what not in WORDY else self.words.free(found.locale)
            elif column.name in self.slots:
                lead = self.slots[column.name].lead(rows)
                sound = lead is not None
                if lead:
                    changed[column.name] = replace(column, notation=_led(column.notation, lead))
            else:
                continue
            open_ += [] if sound or column.personal == "record" else [column.name]
        note = (
            f"column(s) {', '.join(map(repr, open_[:5]))}: there are so few identifiers of this form that a"
            f" fresh one may "
            "by chance be a real one"
        )
        return self.table.with_columns(changed), [note] if open_ else []


def _led(notation: Mapping[str, Any], lead: str) -> dict[str, Any]:
    if notation.get("kind") == "reference":
        return {**notation, "look": _led(notation["look"], lead)}
    return {**notation, "template": fixed(notation["template"], lead)}
