"""Guesses what a column of text means, from the most particular reading to the most general."""

from __future__ import annotations

import re
from dataclasses import replace

import pyarrow.compute as pc

from fabrica.inference import markers
from fabrica.inference.facts import Facts, told
from fabrica.inference.keys import key_notation, named_like_code, named_like_key, whole_key
from fabrica.inference.moments import guess_moment
from fabrica.inference.numbers import digits_of, written
from fabrica.inference.people import share
from fabrica.inference.words import boolean_words, is_free_text, scale, speaks_of_people
from fabrica.notation import misfits, read, write
from fabrica.notation.numbers import Numeral
from fabrica.schema import Column

__all__ = ["guess_text", "as_number", "as_moment", "as_words"]

_DAY_NAMES = ("date", "day", "dt", "datum", "fecha", "birth", "dob")
_ODD_SHARE, _ODD_WORDS = 0.005, 12
_NAME = re.compile(r"(?i:(?:^|[^a-z])(?:sur|first|last|full|nick|user)?_?name$|surname$)|[a-z]Name$")
_FULL_NAME = r"^\p{Lu}[\p{L}'’.\-]*,?(?: \p{Lu}[\p{L}'’.\-]*){1,3}$"  # Ann B. Lee; Lee, Ann
_NAMES = 20  #: distinct names, at least, of which something is said


def guess_text(facts: Facts) -> tuple[Column, str]:
    """``(column, note)``; the note is empty where the guess is nothing to worry about."""
    values, missing = markers.split(facts, markers.EVERYWHERE)
    if not values.distinct:
        return Column(facts.name, "empty", facts.storage, missing=missing, why="no value in any row"), ""
    between, more = markers.split(values, markers.BETWEEN_NUMBERS)
    if between.distinct:
        digits = pc.all(pc.match_substring_regex(between.text, r"^\d{8}$")).as_py()
        for guess in (as_moment, as_number) if digits else (as_number, as_moment):
            if found := guess(between):
                column, note = found
                return replace(column, missing=missing + more + column.missing), note
    if values.distinct == 1 and not values.nulls and not missing:
        return Column(facts.name, "constant", facts.storage, why="one value in every row"), ""
    column, note = as_words(values)
    return replace(column, missing=missing), note


def as_number(facts: Facts) -> tuple[Column, str] | None:
    """Whole numbers or decimals, in whatever notation; None where the column is not mostly numbers."""
    if facts.distinct == 1 and not facts.nulls:
        return None
    numeral = written(facts.formed(loose=True).head)
    if numeral is None:
        return None
    plain = Column(facts.name, "integer", facts.storage, notation=numeral.plain())
    if numeral.decimal == "." and not numeral.suffix:  # whole numbers that passed through a float: 3.0
        floated = _fitted(replace(plain, notation=replace(numeral, suffix=".0").plain()), facts)
    else:
        floated = None
    fitted = _fitted(plain, facts) or floated or _fitted(replace(plain, kind="decimal"), facts)
    if fitted is None:
        return None
    column, good, note = fitted
    if column.kind == "decimal" and pc.any(pc.match_substring_regex(good.text, r"^-?\d{19,}$")).as_py():
        return None  # whole numbers beyond 64 bits: codes
    if column.kind == "integer":
        return _whole(column, good, note)
    fewest, digits = digits_of(good.formed(loose=True).text, numeral)
    notation = replace(numeral, least=fewest).plain()
    column = replace(column, decimals=digits, notation=notation, why=_why(column, digits))
    return column, note or _told_apart(column, good)


def _told_apart(column: Column, facts: Facts) -> str:
    """A line where one number is written in several ways (1.5 and 1.50), of which only one comes back."""
    look = facts.text[:2000]
    other = pc.sum(pc.not_equal(write(column, read(column, look)), look)).as_py() or 0
    share = f"{told(other, facts.k)} of {len(look):,} numbers looked at"
    return f"column {column.name!r}: {share} will be written in another way, with the same value" if other else ""


def _why(column: Column, digits: int | None) -> str:
    if isinstance(column.notation, dict) and set(column.notation) & {"prefix", "suffix", "thousands"}:
        return "text that writes amounts"
    return "numbers whose decimals vary freely" if digits is None else f"numbers with at most {digits} decimals"


def _whole(column: Column, facts: Facts, note: str) -> tuple[Column, str] | None:
    if named_like_code(facts):
        why = "whole numbers named as codes"
        return Column(facts.name, "category", facts.storage, missing=column.missing, why=why), ""
    if column.notation is None and not column.missing:
        values, _ = Numeral().parse(facts.text, whole=True)
        if (found := whole_key(facts, values)) is not None:
            found = found | {"number": True} if "template" in found else found
            why = "whole numbers, unique, named or numbered like a key"
            return replace(column, kind="key", notation=found, why=why), ""
    return replace(column, why="whole numbers"), note


def as_moment(facts: Facts) -> tuple[Column, str] | None:
    """Dates, date-times, times or lengths of time; None where the column is not mostly that."""
    found = guess_moment(facts.formed(loose=False), any(w in facts.name.lower() for w in _DAY_NAMES))
    fitted = _fitted(found[0], facts) if found else None
    if found is None or fitted is None or (facts.distinct == 1 and not facts.nulls):
        return None
    column, _, odd = fitted
    note = f"column {facts.name!r}: {found[1]}" if found[1] else ""
    return replace(column, why=f"written as {column.notation}" + (f"; {found[1]}" if found[1] else "")), note or odd


def _fitted(column: Column, facts: Facts) -> tuple[Column, Facts, str] | None:
    """``(column, the cells that fit, note)``: a few words among numbers become missing markers, rare oddities count as
    missing; where there are too many of them None."""
    wrong = misfits(column, facts.text)
    if not wrong.any():
        return column, facts, ""
    good, odd = facts.keep(~wrong), facts.keep(wrong)
    often = odd.keep(odd.counts >= facts.k)
    rare = odd.present - often.present
    if good.distinct < 10 or often.distinct > min(_ODD_WORDS, good.distinct // 5) or rare > _ODD_SHARE * facts.present:
        return None
    if often.distinct and pc.any(pc.match_substring_regex(often.text, r"^\s*[-+]?\d")).as_py():
        return None
    said = [f"{often.distinct} word(s) among the values are kept as missing markers"] if often.distinct else []
    said += [f"{told(rare, facts.k)} odd cell(s) of the sample do not fit and count as missing"] if rare else []
    column = replace(column, missing=tuple(often.text.to_pylist()), lenient=rare > 0)
    return column, good, f"column {facts.name!r}: a mixed column of the kind {column.kind!r}; " + "; ".join(said)


def as_words(facts: Facts) -> tuple[Column, str]:
    """Booleans, keys, ordinals, free text, categories."""
    if words := boolean_words(facts):
        return Column(facts.name, "boolean", facts.storage, notation=words, why="two words, yes and no"), ""
    if (found := key_notation(facts)) is not None:
        why = "unique, with the look of an identifier"
        return Column(facts.name, "key", facts.storage, notation=found, why=why), ""
    if (ordered := scale(facts)) and len(levels := facts.held_by_k(ordered[0])) > 1:
        return Column(facts.name, "ordinal", facts.storage, levels=levels, why=ordered[1]), ""
    if is_free_text(facts):
        return Column(facts.name, "text", facts.storage, why="long or hardly repeating texts"), ""
    if speaks_of_people(facts):
        return Column(facts.name, "text", facts.storage, why="sentences, some of which tell of people"), ""
    why = "codes that come again" if named_like_key(facts.name) else "words that come again"
    return Column(facts.name, "category", facts.storage, why=why), _names(facts)


def _names(facts: Facts) -> str:
    """A line where words that come back may be names of people: k rows need not be k people."""
    if facts.levels < _NAMES or not (_NAME.search(facts.name) or share(facts, _FULL_NAME) >= 0.9):
        return ""
    return (f"column {facts.name!r}: names in {facts.k} rows or more come back as they are, and {facts.k} rows need "
            f"not be {facts.k} people (declare it a key if it names people)")


