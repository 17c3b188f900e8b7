"""References: identifiers that stand more than once, of other rows of the table or of people who have several rows.

They are never learned as numbers or words: a twin that repeats a real identifier points at a real person. What stays
is how they look, how many there are (rounded) and, where all of them are keys of another column, which one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fabrica.errors import UnknownName
from fabrica.inference.facts import Facts
from fabrica.inference.keys import named_like_key, template
from fabrica.inference.markers import without
from fabrica.inference.people import form, named_for_people
from fabrica.schema import Column, Table

__all__ = ["as_reference", "fresh", "settled_references", "with_references"]

UNIQUE = 0.95  #: different identifiers a row, of which hardly any comes again
KEPT = 1_000  #: so many identifiers may stay what they are, where enough rows hold them
_SHARE = 0.95  #: of the values must be values of a key, so that the column refers to it
_CHANCE = 0.5  #: share of the whole numbers between them that are keys anyway: above it, to find them says nothing


def as_reference(column: Column, note: str, facts: Facts) -> tuple[Column, str]:
    """``(column, note)``, as a reference where its name says that it identifies and its values come again.

    The few (at most ``KEPT``) identifiers that ``k`` rows or more hold stay as they are, unless they name people.
    """
    values = without(facts, column.missing)
    if (column.kind in ("category", "constant") or _long(column, values)) and (look := form(values)):
        return _again(column, values, look | ({"number": True} if column.kind == "integer" and values.textual else {}))
    people = _may_refer(column) and named_for_people(values)
    if values.distinct < 2 or not (people or (_may_refer(column) and named_like_key(facts.name))):
        return column, note
    if not people and not _like_codes(column, values):
        return column, note
    if values.unique:
        why = "unique, named for people" if people else "unique, named like a key"
        return (_afresh(column, _look(column, values), why) if facts.nulls or people else column), note
    if not people and values.levels <= KEPT:
        if (values.counts >= facts.k).all():
            why = f"{column.why}; each of these identifiers stands in {facts.k} rows or more, so they are kept"
            return replace(column, why=why), note
        if values.held >= 0.9:
            why = f"identifiers that come again; those in fewer than {facts.k} rows are protected"
            return Column(facts.name, "category", facts.storage, missing=column.missing, why=why), ""
    return _again(column, values, _look(column, values))


def fresh(column: Column, values: Facts) -> Column:
    """A column that was declared a key: fresh ones look like the real ones, and come again as these do."""
    plain = replace(column, kind="category" if values.textual else "integer")
    if not values.textual and not pa.types.is_integer(values.pool.type):
        return column
    look = (form(values) if values.textual else None) or _look(plain, values)
    return _afresh(column, look, "declared") if values.unique else _again(column, values, look)[0]


def _again(column: Column, values: Facts, look: dict[str, Any]) -> tuple[Column, str]:
    """A reference to nothing in the table, with its note; a key of its own where hardly any comes again."""
    if values.distinct >= UNIQUE * values.present:
        return _afresh(column, look, "identifiers of which hardly any comes again"), (
            f"column {column.name!r}: hardly any of its identifiers comes again; each row gets a fresh one")
    notation = {"kind": "reference", "to": None, "distinct": rounded(values.levels), "look": look}
    return _afresh(column, notation, "identifiers that come again"), (
        f"column {column.name!r}: its identifiers come again; they are made afresh, whose they are is not learned "
        "(declare it a category to keep them)")


def _afresh(column: Column, notation: dict[str, Any], why: str) -> Column:
    return Column(column.name, "key", column.storage, notation=notation, missing=column.missing, why=why)


def _may_refer(column: Column) -> bool:
    plain = column.notation in (None, {}, {"suffix": ".0"})
    return plain and column.kind in ("integer", "category", "text")


def _long(column: Column, values: Facts) -> bool:
    """Whether whole numbers are as long as those of cards."""
    return column.kind == "integer" and _may_refer(column) and values.distinct > 0 and (
        pc.min(pc.utf8_length(values.text)).as_py() >= 13)


def _like_codes(column: Column, values: Facts) -> bool:
    """Whether these may be identifiers: no negative numbers, no texts of several words."""
    if column.kind == "integer":
        return not pc.any(pc.starts_with(values.text, "-")).as_py()
    return pc.sum(pc.match_substring(values.text, " ")).as_py() < 0.1 * values.distinct


def _look(column: Column, values: Facts) -> dict[str, Any]:
    """The template of fresh identifiers that look like these."""
    if column.kind != "integer":
        return {"template": template(values.head, values.k)[0]}
    suffix = (column.notation or {}).get("suffix", "")
    texts = values.text if values.textual else values.pool.cast(pa.float64()).cast(pa.int64()).cast(pa.string())
    digits = pc.max(pc.utf8_length(texts)).as_py() - len(suffix)
    return {"template": "#" * digits + suffix} | ({"number": True} if values.textual else {})


def rounded(number: float) -> int:
    """Two digits of it, below a hundred a multiple of five: it names no exact number of people.

    >>> rounded(3853), rounded(87.0), rounded(2)
    (3900, 85, 1)
    """
    return max(1, 5 * round(number / 5)) if number < 100 else int(float(f"{number:.2g}"))


# ---------------------------------------------------------------- to which column


def with_references(table: Table, known: Mapping[str, Facts], declared: Mapping[str, Any]) -> tuple[Table, list[str]]:
    """``(table, notes)``: columns whose values are (nearly) all values of a key of the same table refer to it.

    Parameters
    ----------
    table : as guessed, column by column.
    known : what was seen of each column.
    declared : columns of which the user has said something; they stay as they are.
    """
    keys = {c.name: known[c.name] for c in table.columns if c.kind == "key" and not c.refers and _computable(c.notation)
            and known[c.name].unique}
    changed, notes = {}, []
    for column in table.columns if keys else ():
        facts = known[column.name]
        if column.name in declared or facts.unique or not (column.refers or _may_refer(column)):
            continue
        values = without(facts, column.missing)
        named = {n: column.refers and column.name.lower().endswith(n.lower()) for n in keys}
        to = next((n for n, key in keys.items() if _points(values, key, named[n])), None)
        if to is None:
            continue
        look = {"kind": "reference", "to": to, "distinct": rounded(values.levels), "look": table[to].notation}
        changed[column.name] = _afresh(column, look, f"its values are those of {to!r}")
        notes.append(f"column {column.name!r} refers to {to!r}: its values are made afresh, which row they point to is "
                     "not learned")
    return table.with_columns(changed), notes


def _computable(notation: Any) -> bool:
    """Whether the key of a row follows from its number alone."""
    return isinstance(notation, Mapping) and notation.get("kind") != "uuid"


def _points(values: Facts, key: Facts, named: bool) -> bool:
    """Whether the values are keys, and not by chance: whole numbers lie among the keys 1, 2, 3, … whatever they mean,
    unless the names agree (``named``: ``case.id`` and ``id``)."""
    if values.distinct < (5 if named else 20) or values.textual != key.textual:
        return False
    ours, theirs = _bare(values), _bare(key)
    seen = key.rows / max(key.total, 1)
    hit = np.asarray(pc.is_in(ours, theirs))
    if values.counts[hit].sum() < (_SHARE if seen == 1 else 0.9 * seen) * values.present or hit.sum() < 5:
        return False
    ours, theirs = _whole(ours), _whole(theirs)
    if ours is None or theirs is None:
        return True
    low, high = ours.min(), ours.max()
    chance = ((theirs >= low) & (theirs <= high)).sum() / (float(high) - float(low) + 1)
    wide = float(high) - float(low) >= 0.9 * (float(theirs.max()) - float(theirs.min()))
    return bool(chance < _CHANCE * seen or (named and wide))


def _bare(facts: Facts) -> pa.Array:
    if pa.types.is_floating(facts.pool.type):
        return facts.pool.cast(pa.int64(), safe=False).cast(pa.string())
    return facts.text.cast(pa.string())


def _whole(texts: pa.Array) -> np.ndarray | None:
    """The texts as whole numbers; None where they are none."""
    if not pc.all(pc.match_substring_regex(texts, r"^-?\d{1,18}$")).as_py():
        return None
    return np.asarray(texts.cast(pa.int64()))


def settled_references(table: Table) -> Table:
    """The table whose references look like the keys to which they refer; where that is no such key they stand alone."""
    changed = {}
    for column in table.columns:
        if not column.refers or column.notation.get("to") is None:
            continue
        to = column.notation["to"]
        if to not in table.names:
            raise UnknownName("column", str(to), table.names, where=f"column {column.name!r}, a reference")
        target = table[to]
        if target.kind == "key" and not target.refers and _computable(target.notation):
            changed[column.name] = replace(column, notation={**column.notation, "look": target.notation})
        else:
            changed[column.name] = replace(column, notation={**column.notation, "to": None})
    return table.with_columns(changed)
