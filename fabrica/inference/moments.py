"""Guesses the pattern in which a column of text writes dates, date-times, times of day and lengths of time."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from fabrica.inference.facts import Facts
from fabrica.notation import misfits, read
from fabrica.notation.pattern import DAYS, MONTHS
from fabrica.schema import Column

__all__ = ["guess_moment", "unit_of"]

_MONTH = "|".join(m[:3] for m in MONTHS)
_LONG = "|".join(MONTHS)
_DAY = "|".join(d[:3] for d in DAYS)
_ZONE = re.compile(r"(?P<gap> ?)(?P<zone>Z|UTC|GMT|[+-]\d\d:\d\d|[+-]\d\d\d\d)$")
_TIME = re.compile(r"(?P<h>\d{1,3}):(?P<m>\d\d)(?::(?P<s>\d\d)(?:(?P<mark>[.,])(?P<f>\d{1,9}))?)?"
                   r"(?P<p> ?(?:[AaPp][Mm]))?$")
_DATE = [
    (re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})"), "Y2m2d"),
    (re.compile(r"(\d{1,2})([-/. ])(\d{1,2})\2(\d{4})"), "x2x2Y"),
    (re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{2})"), "x2x2y"),
    (re.compile(rf"(\d{{1,2}})([-/. ]|)({_MONTH})\2(\d{{4}})", re.I), "d2b2Y"),
    (re.compile(rf"(\d{{1,2}})([-/. ])({_MONTH})\2(\d{{2}})", re.I), "d2b2y"),
    (re.compile(rf"(\d{{1,2}})([. ]+)({_LONG}) (\d{{4}})", re.I), "d2B Y"),
    (re.compile(rf"(?:{_DAY}), (\d{{1,2}})( )({_MONTH})\2(\d{{4}})", re.I), "A, d2b2Y"),
    (re.compile(rf"({_MONTH})( )(\d{{1,2}}), (\d{{4}})", re.I), "b2d, Y"),
    (re.compile(rf"({_LONG})( )(\d{{1,2}}), (\d{{4}})", re.I), "B2d, Y"),
    (re.compile(rf"({_MONTH})([- ])(\d{{4}})", re.I), "b2Y"),
    (re.compile(rf"({_MONTH})([- ])(\d{{2}})", re.I), "b2y"),
    (re.compile(r"(\d{4})(-)(\d{2})"), "Y2m"),
    (re.compile(r"(\d{4})()(\d{2})(\d{2})"), "Ymd"),
]
_UNITS = (("D", 86400), ("h", 3600), ("m", 60), ("s", 1))


@dataclass(frozen=True)
class _Clock:
    """How the time of day is written behind (or without) the date."""

    pattern: str = ""
    digits: int = 0
    zone: str | None = None


def guess_moment(facts: Facts, hint: bool = False) -> tuple[Column, str] | None:
    """``(column, note)`` where (almost) all cells are moments in one pattern; None where they are not.

    ``hint`` says that the name speaks of a day, which bare digits such as ``20120214`` need.
    """
    best: tuple[int, Column, str] | None = None
    for column, note in _candidates(facts, hint):
        wrong = int(facts.counts[misfits(column, facts.text)].sum())
        if best is None or wrong < best[0]:
            best = (wrong, column, note)
        if wrong == 0:
            break
    if best is None or best[0] > 0.7 * facts.present:
        return None
    return best[1], best[2]


def _candidates(facts: Facts, hint: bool) -> Iterator[tuple[Column, str]]:
    texts = facts.head
    shown = [t for t in texts if t and len(t) <= 45 and (":" in t or re.search(r"\d", t))]
    if len(shown) < 0.3 * len(texts) or not shown:
        return
    if all(re.fullmatch(r"-?P(?=.)[\dWDTHMS]+", t) for t in shown):
        yield _settled(Column(facts.name, "duration", facts.storage, notation="iso", unit="s"), facts), ""
    for lead in _leads(shown):
        yield from _from_lead(lead, shown, facts, hint)


def _leads(texts: Sequence[str]) -> list[str]:
    """A few texts that differ in shape: the first of each shape, the commonest shapes first."""
    shapes: dict[str, list[str]] = {}
    for t in texts:
        shapes.setdefault(re.sub(r"[A-Za-z]+", "a", re.sub(r"\d+", "9", t)), []).append(t)
    ranked = sorted(shapes.values(), key=len, reverse=True)
    return [group[0] for group in ranked[:3]]


def _from_lead(lead: str, texts: Sequence[str], facts: Facts, hint: bool) -> Iterator[tuple[Column, str]]:
    date, gap, clock = _taken_apart(lead, texts)
    if clock.pattern and not date:
        yield from _times(clock, facts)
        return
    for pattern, note in _dates(date, texts, facts, hint, bool(clock.pattern)):
        full = pattern + gap + clock.pattern
        if not clock.pattern:
            column = Column(facts.name, "date", facts.storage, notation=full, unit="D")
        else:
            unit = "s" if not clock.digits else "ms" if clock.digits <= 3 else "us" if clock.digits <= 6 else "ns"
            column = Column(facts.name, "datetime", facts.storage, notation=full, unit=unit, timezone=clock.zone)
        yield _settled(column, facts), note


def _taken_apart(lead: str, texts: Sequence[str]) -> tuple[str, str, _Clock]:
    """``(text of the date, what stands between, the clock)``."""
    zone = None
    rest, tail = lead, ""
    found = _ZONE.search(lead) if ":" in lead or "T" in lead else None
    if found and ":" in lead[: found.start()]:
        rest = lead[: found.start()]
        tail, zone = _zone(found, texts)
    time = _TIME.search(rest)
    if not time:
        return lead, "", _Clock()
    date = rest[: time.start()]
    gap = re.search(r"(?:T|, | +)?$", date)
    date, between = (date[: gap.start()], gap[0]) if gap else (date, "")
    return date, between, replace(_clock(time, texts), zone=zone, pattern=_clock(time, texts).pattern + tail)


def _zone(found: re.Match[str], texts: Sequence[str]) -> tuple[str, str]:
    """How the zone is written and which one the cells have: a fixed one where all say the same, else UTC."""
    if found["zone"] in ("Z", "UTC", "GMT"):
        return found[0], "UTC"
    same = {m[0] for t in texts if (m := _ZONE.search(t))}
    if len(same) == 1:
        bare = found["zone"].replace(":", "")
        return found[0], "UTC" if bare[1:] == "0000" else f"{bare[:3]}:{bare[3:]}"
    return found["gap"] + ("%z" if ":" in found["zone"] else "%+z"), "UTC"


def _clock(time: re.Match[str], texts: Sequence[str]) -> _Clock:
    short = len(time["h"]) == 1 or any(re.search(r"(?:^|[^\d:])\d:\d\d", t) for t in texts)
    flag = "-" if short else ""
    pattern = f"%{flag}{'I' if time['p'] else 'H'}:%M" + (":%S" if time["s"] else "")
    digits = 0
    if time["f"]:
        sizes = {len(m["f"] or "") for t in texts if (m := _TIME.search(re.sub(_ZONE, "", t)))}
        digits = max(sizes)
        pattern += time["mark"] + (f"%{digits}f" if len(sizes) == 1 else "%-f")
    if time["p"]:
        word = time["p"].strip()
        pattern += " " * (len(time["p"]) - 2) + ("%-p" if word.islower() else "%p")
    return _Clock(pattern, digits)


def _times(clock: _Clock, facts: Facts) -> Iterator[tuple[Column, str]]:
    unit = "s" if not clock.digits else "ms" if clock.digits <= 3 else "us" if clock.digits <= 6 else "ns"
    time = Column(facts.name, "time", facts.storage, notation=clock.pattern, unit=unit)
    yield _settled(time, facts), ""
    if "I" not in clock.pattern:
        yield _settled(replace(time, kind="duration"), facts), "hours beyond 24: lengths of time"


def _dates(date: str, texts: Sequence[str], facts: Facts, hint: bool, timed: bool) -> Iterator[tuple[str, str]]:
    for shape, form in _DATE:
        m = shape.fullmatch(date)
        if not m:
            continue
        if form == "Ymd" and not (timed or _days_in_digits(facts, hint)):
            continue
        if form == "Y2m" and not _months_in_digits(texts):
            continue
        shown = [found[0] for t in texts if (found := shape.match(t))]
        short = any(re.search(r"(?:^|[^\d])\d[-/. ][\dA-Za-z]|[-/. ]\d(?:[-/. ,]|$)", t) for t in shown)
        words = {1: m[3] if form[0] in "dA" else m[1]} if "b" in form.lower() else {}
        style = "^" if words and words[1].isupper() else "-" if words and words[1].islower() else ""
        for order, note in _orders(form, texts, shape):
            yield _spelled(order, m[2], "-" if short else "", style), note


def _spelled(form: str, gap: str, flag: str, style: str) -> str:
    """The strptime pattern of a form: ``d2b2Y`` with the gap ``-`` is ``%d-%b-%Y``."""
    out = ""
    for c in form:
        if c == "2":
            out += gap
        elif c in "dm":
            out += f"%{flag}{c}"
        elif c in "bB":
            out += f"%{style}{c}"
        elif c == "A":
            out += "%a"
        elif c in "yY":
            out += f"%{c}"
        else:
            out += c
    return out


def _orders(form: str, texts: Sequence[str], shape: re.Pattern[str]) -> list[tuple[str, str]]:
    """Day first or month first, by the evidence: a number above 12, else an order that the rows follow."""
    if "x" not in form:
        return [(form, "")]
    day_first, month_first = form.replace("x", "d", 1).replace("x", "m"), form.replace("x", "m", 1).replace("x", "d")
    pairs = np.array([(int(m[1]), int(m[3]), int(m[4])) for t in texts if (m := shape.match(t))])
    first, second = int((pairs[:, 0] > 12).sum()), int((pairs[:, 1] > 12).sum())
    if first != second:
        return [(day_first, ""), (month_first, "")] if first > second else [(month_first, ""), (day_first, "")]
    back = {f: int((np.diff(pairs[:, 2] * 400 + pairs[:, m] * 31 + pairs[:, d]) < 0).sum())
            for f, d, m in ((day_first, 0, 1), (month_first, 1, 0))}
    if len(pairs) > 4 and min(back.values()) * 4 < max(back.values()):
        best = min(back, key=lambda f: back[f])
        return [(best, "day and month told apart by the order of the rows only")]
    return [(day_first, "day and month could be the other way round; read as day first"), (month_first, "")]


def _days_in_digits(facts: Facts, hint: bool) -> bool:
    """Eight bare digits are days where all of them are days of our time and there are many, or the name says so."""
    texts = facts.head
    good = sum(bool(re.fullmatch(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])", t)) for t in texts)
    return good == len(texts) and (hint or good >= 20)


def _months_in_digits(texts: Sequence[str]) -> bool:
    return all(re.fullmatch(r"(?:1[5-9]|20|21)\d\d-(?:0[1-9]|1[0-2])", t) for t in texts)


def _settled(column: Column, facts: Facts) -> Column:
    """With the precision that the cells have, not the one that the pattern could have."""
    if column.kind == "date":
        return column
    fine = replace(column, lenient=True)
    return replace(column, unit=unit_of(read(fine, facts.text).values, column, facts.counts, facts.enough))


def unit_of(values: pa.Array, column: Column, counts: np.ndarray, k: int) -> str:
    """The coarsest unit that holds exactly all cells but those of fewer than ``k`` rows: ``D`` where all stand at
    midnight. ``counts`` (n,) says how many rows hold each value."""
    whole = pa.int32() if values.type.bit_width == 32 else pa.int64()
    ticks = np.asarray(values.drop_null().view(whole)).astype(np.int64)
    rows = counts[np.asarray(values.is_valid())]
    unit = values.type.unit
    steps = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
    if not len(ticks):
        return column.unit or unit
    for name, seconds in _UNITS:
        fits = rows[ticks % (seconds * steps) != 0].sum() < k
        if fits and (name != "D" or column.kind == "datetime" or len(ticks) > 1):
            return name if not (name == "D" and column.kind == "time") else "h"
    for name, part in (("ms", 10**3), ("us", 10**6)):
        if steps > part and rows[ticks % (steps // part) != 0].sum() < k:
            return name
    return unit


