"""Moments: dates, date-times, times of day and lengths of time, whose weeks and days hang together with the rest.

Everything is counted in whole steps of the wall clock (the step is the column's own precision), in 64-bit integers of
the cell's unit, so the year 1 and the year 9999 are safe. A time of day or a length of time is one marginal of steps.
A calendar day is one column of days where the days are few and heavy; else it is two, the week and the weekday. A
date-time whose time of day varies adds a column for it. An engine sees these parts as columns and learns what Mondays
and nights have to do with everything else. Days beyond the learned ends are moved by whole weeks back inside, so a real
first or last day is never needed.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Annotated, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fabrica import absence, measured, sound
from fabrica.block import Coded, Told, code_type
from fabrica.contract import Allowance, Cells, Codec, Coder, Known, Setting, Summary
from fabrica.errors import FabricaError, ModelFileError, SchemaError
from fabrica.gaps import pieces
from fabrica.marginal import Marginal
from fabrica.notation import cell_type
from fabrica.run import Run
from fabrica.schema import Column
from fabrica.state import State
from fabrica.tally import Tally

__all__ = ["Moment"]

DAY = 86_400
SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}  #: ticks of a cell in a second
COARSE = {"D": DAY, "h": 3600, "m": 60}  #: seconds in a step that is longer than one
FARTHEST = {"s": 11_000_000, "ms": 11_000_000, "us": 11_000_000, "ns": 106_000}  #: days from 1970 that 64 bits hold
MONDAY = 3  #: 1970-01-01 was a Thursday: days since the Monday before
WEEK_2000 = 1565  #: the first whole week of the year 2000, counted from 1970


@dataclass(frozen=True)
class Clock:
    """How cells count time: ``unit`` of a tick, ``step`` ticks apart, on the wall clock of ``timezone``."""

    kind: str
    unit: str
    step: int
    timezone: str | None

    @classmethod
    def of(cls, column: Column) -> Clock:
        unit = column.unit if column.unit in SECOND else "s"
        zone = column.timezone if column.kind == "datetime" else None
        return cls(column.kind, unit, 1 if column.kind == "date" else COARSE.get(column.unit or "", 1), zone)

    @property
    def arrow(self) -> pa.DataType:
        return cell_type(Column("", self.kind, unit=self.unit, timezone=self.timezone))

    @property
    def ticks_a_day(self) -> int:
        return 1 if self.kind == "date" else DAY * SECOND[self.unit]

    @property
    def dated(self) -> bool:
        """Whether values are points of the calendar."""
        return self.kind in ("date", "datetime")

    def ticks(self, values: pa.Array) -> np.ndarray:
        """(n,) int64 ticks of the wall clock; 0 where null."""
        values = values.cast(self.arrow) if values.type != self.arrow else values
        if self.timezone:
            values = pc.local_timestamp(values)
        found = values.view(pa.int32() if values.type.bit_width == 32 else pa.int64())
        return np.asarray(found.fill_null(0) if found.null_count else found).astype(np.int64, copy=False)

    def cells(self, ticks: np.ndarray, kind: np.ndarray | None) -> Cells:
        """Ticks (n,) of the wall clock as cells; ``kind`` (n,) says which are missing and how."""
        narrow = self.arrow.bit_width == 32
        missing = None if kind is None else kind > 0
        values = pa.array(ticks.astype(np.int32) if narrow else ticks, mask=missing)
        if self.timezone:
            wall = values.view(pa.timestamp(self.unit))
            values = pc.assume_timezone(wall, self.timezone, ambiguous="earliest", nonexistent="latest")
        else:
            values = values.view(self.arrow)
        return Cells(values, kind)


@dataclass(frozen=True)
class Seen(Summary):
    """Tally days and counted times of day (of a date), or counted steps; and how often each marker occurs."""

    days: Tally
    steps: Tally
    absent: np.ndarray

    def merge(self, other: Summary) -> Seen:
        assert isinstance(other, Seen)
        return Seen(self.days.merge(other.days), self.steps.merge(other.steps), self.absent + other.absent)


@dataclass(frozen=True)
class Moment(Codec):
    """Settings of the moment codec."""

    title = "dates, date-times, times and durations: weeks, weekdays and times of day as parts of the whole"
    kinds = ("date", "datetime", "time", "duration")
    weight = 3.0

    codes: Annotated[int, Setting("pieces of each part's marginal, about", low=8, high=60_000)] = 512
    k: Annotated[int, Setting("rows that a stored moment must stand for, at least", low=1, high=10_000)] = 5

    def survey(self, columns: tuple[Column, ...], cells: tuple[Cells, ...], run: Run) -> Seen:
        clock = Clock.of(columns[0])
        ticks = clock.ticks(cells[0].values)[absence.kinds(cells[0]) == 0]
        days, steps = _split(ticks, clock)
        return Seen(Tally.of(days), Tally.of(steps), absence.counted(cells[0]))

    def learn(self, columns: tuple[Column, ...], summary: Summary, run: Run) -> MomentCoder:
        assert isinstance(summary, Seen)
        column, clock = columns[0], Clock.of(columns[0])
        present, held = summary.absent[0], absence.protected(summary.absent, self.k)
        markers, missing = absence.numbered(held), float(held[1:].sum() / max(1, held.sum()))
        parts: list[Part] = []
        base, ends = 0, (0, 0)
        if present >= self.k:  # of fewer nothing may be said
            bounds = _bounds(column, clock)
            (summary.days if clock.dated else summary.steps).demand_within(bounds, column.name)
            if clock.dated:
                parts += self._days(summary.days, bounds)
                ends = bounds or _ends(_kept(summary.days, self.k), self.k)
            if len(summary.steps.values) > 1 or not clock.dated:
                parts.append(Part("time", self._marginal(summary.steps, None if clock.dated else bounds)))
            else:
                base = int(summary.steps.values[0])
        return MomentCoder(column.name, clock, markers, missing, tuple(parts), base, ends)

    def measured(self, columns: tuple[Column, ...], cells: tuple[Cells, ...], allowance: Allowance, run: Run) -> Known:
        """Each part is a column of whole numbers: the weeks since the year 2000 and the weekday of a day, the steps of
        a time. The first part tells what is missing."""
        column, clock, kinds = columns[0], Clock.of(columns[0]), absence.kinds(cells[0])
        asked = _asked(clock.ticks(cells[0].values)[kinds == 0], clock, _bounds(column, clock))
        ways, parts, told = 1 + len(column.missing), list[Part](), list[Told | None]()
        there, present = None, np.zeros(int((kinds == 0).sum()), np.uint8)
        for role, values, ends, shift in asked:
            first = there is None
            known = measured.numbers(values.astype(np.float64), kinds if first else present, ways if first else 1,
                                     measured.Lattice(1.0), ends, 0, allowance.rho / len(asked), run,
                                     f"{column.name}, {role}")
            there = there or known.presence
            if known.marginal is None:
                parts, told = [], [None]
                break
            size = known.marginal.size
            parts.append(Part(role, replace(known.marginal, knots=known.marginal.knots + shift)))
            told.append(known.told if first else Told(known.told.counts[-size:], known.told.variance[-size:]))
        assert there is not None
        far = _bounds(column, clock) or (-FARTHEST[clock.unit], FARTHEST[clock.unit])
        coder = MomentCoder(column.name, clock, there.markers, float(there.share[1:].sum()), tuple(parts), 0,
                            far if parts and clock.dated else (0, 0))
        return Known(coder, tuple(told))

    def _marginal(self, tally: Tally, bounds: tuple[float, float] | None) -> Marginal:
        return Marginal.learn(tally, codes=self.codes, k=self.k, decimals=0, bounds=bounds)

    def _days(self, days: Tally, bounds: tuple[int, int] | None) -> list[Part]:
        """One part where the days are few and heavy, else weeks and weekdays."""
        heavy = days.points(self.k)
        if len(days.values) <= self.codes and days.counts[heavy].sum() >= 0.9 * days.total:
            return [Part("day", self._marginal(days, bounds))]
        week, weekday = np.divmod(np.floor(days.values) + MONDAY, 7)
        weeks = None if bounds is None else ((bounds[0] + MONDAY) // 7, (bounds[1] + MONDAY) // 7)
        return [Part("week", self._marginal(_tally(week, days.counts), weeks)),
                Part("weekday", self._marginal(_tally(weekday, days.counts), None))]


def _asked(ticks: np.ndarray, clock: Clock, bounds: tuple[int, int] | None
           ) -> list[tuple[str, np.ndarray, tuple[float, float] | None, int]]:
    """(role, values, public ends, what is added to a value again) of the parts that are measured under privacy."""
    days, steps = _split(ticks, clock)
    day = (0.0, clock.ticks_a_day // clock.step - 1.0)
    if not clock.dated:
        return [("time", steps, day if clock.kind == "time" else bounds, 0)]
    week, weekday = np.divmod(days + MONDAY, 7)
    ends = None
    if bounds is not None:
        ends = tuple(float((end + MONDAY) // 7 - WEEK_2000) for end in bounds)
    found: list[Any] = [("week", week - WEEK_2000, ends, WEEK_2000), ("weekday", weekday, (0.0, 6.0), 0)]
    return found + ([("time", steps, day, 0)] if clock.kind == "datetime" else [])


def _split(ticks: np.ndarray, clock: Clock) -> tuple[np.ndarray, np.ndarray]:
    """(days, steps): the calendar day of each tick, if there is one, and the steps of the day (else all steps)."""
    if not clock.dated:
        return ticks[:0], ticks // clock.step
    days = ticks // clock.ticks_a_day
    return days, (ticks - days * clock.ticks_a_day) // clock.step


def _tally(values: np.ndarray, counts: np.ndarray) -> Tally:
    distinct, where = np.unique(values, return_inverse=True)
    return Tally(distinct, np.bincount(where, counts, len(distinct)))


def _kept(days: Tally, k: int) -> Tally:
    """The days of the weeks that may be drawn, k rows or more at either end: a few rows of 9999-12-31 are none."""
    week = (np.floor(days.values) + MONDAY) // 7
    weeks = _tally(week, days.counts)
    drawn = pieces(weeks, k)
    kept = (week >= weeks.values[drawn[0].first]) & (week <= weeks.values[drawn[-1].last])
    return Tally(days.values[kept], days.counts[kept])


def _ends(days: Tally, k: int) -> tuple[int, int]:
    """The mean of the k lowest and of the k highest rows, as days inside."""
    def mean(values: np.ndarray, counts: np.ndarray) -> float:
        taken = np.diff(np.minimum(np.cumsum(counts), k), prepend=0)
        return float((values * taken).sum() / taken.sum())

    low, high = mean(days.values, days.counts), mean(days.values[::-1], days.counts[::-1])
    return int(np.ceil(low)), max(int(np.ceil(low)), int(np.floor(high)))


def _bounds(column: Column, clock: Clock) -> tuple[int, int] | None:
    """Declared ends in days of a date or in steps; texts such as ``2020-01-31`` are days."""
    if column.bounds is None:
        return None
    try:
        low, high = (np.datetime64(b, "D").astype(np.int64) if isinstance(b, str) else b for b in column.bounds)
    except ValueError:
        raise SchemaError("bounds of a date are written 2020-01-31", where=f"column {column.name!r}") from None
    return int(low), int(high)


@dataclass(frozen=True)
class Part:
    """One coded column of a moment: its ``role`` (time, day, week or weekday) and its marginal of whole numbers."""

    role: str
    marginal: Marginal

    def values(self, coded: Coded, absent: int, run: Run) -> np.ndarray:
        """(n,) int64 values; anything where the code means missing."""
        if coded.reals is not None:
            found = self.marginal.value(np.nan_to_num(coded.reals, nan=0.5))
        else:
            codes = np.maximum(coded.codes, absent) - absent if absent else coded.codes
            found = self.marginal.decode(codes, run.child(self.role).random().random(len(coded), np.float32))
        return found if found.dtype.kind == "i" else np.clip(found, -(2.0**62), 2.0**62).astype(np.int64)


@dataclass(frozen=True)
class MomentCoder(Coder):
    """The learned map of one column of moments."""

    name: str
    clock: Clock
    markers: tuple[int, ...]
    missing: float
    parts: tuple[Part, ...]
    base: int  # steps of the day where all rows agree on them
    ends: tuple[int, int]  # first and last day that may be drawn

    def encode(self, cells: tuple[Cells, ...], run: Run) -> tuple[Coded, ...]:
        kind = absence.kinds(cells[0])
        if not self.parts:
            size = max(1, len(self.markers))
            codes = absence.coded(kind, self.markers).astype(code_type(size))
            return (Coded(self.name, size, codes, True, size, None, np.full(size, np.nan)),)
        here = np.flatnonzero(kind == 0)
        days, steps = _split(self.clock.ticks(cells[0].values)[here], self.clock)
        week, weekday = np.divmod(days + MONDAY, 7)
        found = {"time": steps, "day": days, "week": week, "weekday": weekday}
        return tuple(self._part(i, part, found[part.role], here, kind, run) for i, part in enumerate(self.parts))

    def _part(self, i: int, part: Part, values: np.ndarray, here: np.ndarray, kind: np.ndarray, run: Run) -> Coded:
        """The first part says what is missing; in the others such rows get a likely value: no two can contradict."""
        absent, name = (len(self.markers), self.name) if i == 0 else (0, f"{self.name} {part.role}")
        position = part.marginal.position(values)
        reals = np.full(len(kind), np.nan, np.float32)
        told = i == 0 and bool(self.markers)
        if not told and len(here) < len(kind):
            reals[:] = run.child(part.role).random().random(len(kind), np.float32)
        reals[here] = position
        codes = absence.coded(kind, self.markers) if told else part.marginal.code(reals.astype(np.float64))
        codes[here] = absent + part.marginal.code(position)
        size = absent + part.marginal.size
        grid = np.concatenate([np.full(absent, np.nan), part.marginal.middle])
        return Coded(name, size, codes.astype(code_type(size)), True, absent, None, grid, reals)

    def decode(self, coded: tuple[Coded, ...], rows: range, run: Run) -> tuple[Cells, ...]:
        first, absent = coded[0], len(self.markers)
        if not self.parts:
            kind = np.array(self.markers or (1,), np.uint8)[np.minimum(first.codes, max(0, absent - 1))]
            return (self.clock.cells(np.zeros(len(first), np.int64), kind),)
        kind = absence.told(first.codes, self.markers)
        found = {part.role: part.values(column, absent if i == 0 else 0, run)
                 for i, (part, column) in enumerate(zip(self.parts, coded, strict=True))}
        steps = found.get("time", np.full(len(first), self.base, np.int64))
        if not self.clock.dated:
            if self.clock.kind == "time":
                steps = np.clip(steps, 0, self.clock.ticks_a_day // self.clock.step - 1)
            return (self.clock.cells(steps * self.clock.step, kind),)
        day = found["day"] if "day" in found else self._inside(found["week"] * 7 - MONDAY + found["weekday"])
        ticks = day if self.clock.kind == "date" else self._instant(day, steps)
        return (self.clock.cells(ticks, kind),)

    def _inside(self, day: np.ndarray) -> np.ndarray:
        """Days beyond the ends, moved inside by a week where a week suffices: their weekday stays."""
        low, high = self.ends
        day = np.where(day < low, day + 7, day)
        day = np.where(day > high, day - 7, day)
        return np.clip(day, low, high)

    def _instant(self, day: np.ndarray, steps: np.ndarray) -> np.ndarray:
        clock = self.clock
        far = FARTHEST[clock.unit]
        steps = np.clip(steps, 0, clock.ticks_a_day // clock.step - 1)
        return np.clip(day, -far, far) * clock.ticks_a_day + steps * clock.step

    def words(self) -> str:
        if not self.parts:
            return "no value known"
        roles = " and ".join(f"{p.marginal.size} codes of its {p.role}" for p in self.parts)
        return roles + (f", missing in {100 * self.missing:.1f} %" if self.markers else "")

    def state(self) -> State:
        plain = {"name": self.name, "clock": asdict(self.clock), "markers": list(self.markers), "missing": self.missing,
                 "roles": [p.role for p in self.parts], "base": self.base, "ends": list(self.ends)}
        return State.nest({p.role: p.marginal.state() for p in self.parts}, plain)

    @classmethod
    def from_state(cls, state: State) -> MomentCoder:
        clock = _clock(sound.plain(state, "clock", dict))
        roles = sound.texts(state, "roles")
        sound.demand(roles in _roles(clock), "parts of a moment that make no sense")
        parts = tuple(Part(r, Marginal.from_state(state.part(r))) for r in roles)
        ends = sound.plain(state, "ends", (list, tuple))
        far = FARTHEST["s"]
        sound.demand(len(ends) == 2 and all(type(e) is int and -far <= e <= far for e in ends) and ends[0] <= ends[1],
                     "ends of a date that make no sense")
        base = sound.whole(state, "base", 0, clock.ticks_a_day)
        name, missing = sound.plain(state, "name", str), sound.share(state, "missing")
        return cls(name, clock, absence.stored(state), missing, parts, base, (ends[0], ends[1]))


def _roles(clock: Clock) -> list[tuple[str, ...]]:
    """The parts that a column of this kind may have."""
    if not clock.dated:
        return [(), ("time",)]
    days = [("day",), ("week", "weekday")]
    return [(), *days, *([(*d, "time") for d in days] if clock.kind == "datetime" else [])]


def _clock(plain: dict[str, Any]) -> Clock:
    """A clock out of a model file."""
    try:
        clock = Clock(**plain)
        fine = clock.kind in Moment.kinds and clock.unit in SECOND and clock.step in (1, *COARSE.values())
        fine = fine and (clock.timezone is None or isinstance(clock.timezone, str))
        sound.demand(fine, "a clock that makes no sense")
        clock.cells(np.zeros(1, np.int64), None)
    except (TypeError, FabricaError, pa.ArrowException):
        raise ModelFileError("the model holds a clock that makes no sense") from None
    return clock
