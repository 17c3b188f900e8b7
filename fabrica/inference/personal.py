"""Personal columns: what they hold, whose it is, and how fresh values are written.

A column whose values name people is made afresh, a person a row or, where people have several rows, one of so many
people. Columns of one person agree (e-mail and name, city and postal code). What singles out only together with other
columns (age, postal code, date of birth) stays what it is and is marked.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pyarrow.compute as pc

from fabrica import catalog
from fabrica.inference.facts import Facts
from fabrica.inference.found import NAMED
from fabrica.inference.hand import hand, most
from fabrica.inference.markers import without
from fabrica.inference.people import form, named_for_people
from fabrica.inference.references import UNIQUE, fresh, rounded
from fabrica.personal import KINDS, OFF, SHARED, Found, Sight, find, numbers_named
from fabrica.personal.detect.names import locale_of
from fabrica.personal.fakes import LOCALES, MAKERS
from fabrica.personal.fakes.phones import CODES
from fabrica.personal.sight import spoken
from fabrica.schema import Column, Table

__all__ = ["ELSEWHERE", "shared", "with_personal"]

ELSEWHERE = "`fabrica inspect` of the table says by what they were recognised"

_BY_LOCALE = {"national_id", "tax_id", "health_id"}  #: made for the locales that the makers know
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
            if found.kind == "record" and people and column.refers:
                column = replace(column, notation={**column.notation, "people": people, "role": roles[name]})
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
    found = find(sight, catalog.detectors())
    if found is None and column.kind == "key" and (kind := numbers_named(sight)):
        return Found(kind, NAMED, 1.0, 0.75)
    if found is None and column.kind == "key" and (named_for_people(values) or _PERSON_ID.search(spoken(column.name))):
        return Found("record", NAMED, 1.0, 0.75)
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
    if most(re.fullmatch(r"0\d(?:[ .\-]?\d\d){4}", text) is not None for text in texts):
        return "fr_FR" if most(text[2:3] in " .-" for text in texts) else "en_GB"
    return "en_GB" if most(text[:2] in ("02", "07") for text in texts) else "de_DE"


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
    look = {"kind": "fake", "what": found.kind, "locale": locale, **hand(found.kind, values)}
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


def _notes(changed: Mapping[str, Column]) -> list[str]:
    afresh = [name for name, column in changed.items() if column.kind == "key"]
    kept = [name for name, column in changed.items() if column.kind != "key"]
    lines = []
    for names, words in (
        (afresh, f"hold personal data and are made afresh ({ELSEWHERE})"),
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
