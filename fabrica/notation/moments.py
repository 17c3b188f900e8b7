"""Moments: dates, date-times, times of day and lengths of time, as text, as Arrow's own types or as plain numbers.

Cells are ``date32`` for dates, ``timestamp[unit]`` for date-times (with the zone of the column), ``time32/64`` and
``duration[unit]``. Nothing passes through nanoseconds on its way, so the year 1066 and the year 2999 are safe.
"""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fabrica.errors import SchemaError
from fabrica.notation.pattern import Pattern
from fabrica.notation.storage import as_text, is_text
from fabrica.schema import Column

__all__ = ["cell_type", "read_moment", "write_moment", "per_second"]

#: no number of more digits than 64 bits hold, whatever its unit
_ISO_DURATION = (r"^(?P<n>-?)P(?:(?P<w>\d{1,9})W)?(?:(?P<d>\d{1,9})D)?"
                 r"(?:T(?:(?P<h>\d{1,9})H)?(?:(?P<m>\d{1,12})M)?(?:(?P<s>\d{1,12})S)?)?$")
_DEFAULTS = {"date": "%Y-%m-%d", "datetime": "%Y-%m-%d %H:%M:%S", "time": "%H:%M:%S", "duration": "%H:%M:%S"}
_STEPS = {"D": 1, "h": 1, "m": 1, "s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def per_second(unit: str | None) -> int:
    """Steps of the cells' unit in a second; units coarser than a second are kept in seconds."""
    return _STEPS[unit or "s"]


def _arrow_unit(column: Column) -> str:
    unit = column.unit or "s"
    if unit not in _STEPS:
        raise SchemaError("the unit must be one of D, h, m, s, ms, us, ns", where=f"column {column.name!r}")
    return unit if unit in ("s", "ms", "us", "ns") else "s"


def cell_type(column: Column) -> pa.DataType:
    """The Arrow type of the cells of a column of moments."""
    unit = _arrow_unit(column)
    if column.kind == "date":
        return pa.date32()
    if column.kind == "datetime":
        return pa.timestamp(unit, column.timezone)
    if column.kind == "time":
        return pa.time32(unit) if unit in ("s", "ms") else pa.time64(unit)
    return pa.duration(unit)


# ---------------------------------------------------------------- reading


def read_moment(column: Column, pool: pa.Array) -> tuple[pa.Array, np.ndarray]:
    """``(cells, bad)`` of text by the column's pattern, of Arrow's moments by a cast, of numbers by either."""
    if is_text(pool.type) or (column.notation and not pa.types.is_temporal(pool.type)):
        text = pool if pool.type == pa.string() else as_text(pool)
        if column.notation == "iso":
            return _read_iso(column, text)
        return _read_text(column, text)
    return _read_typed(column, pool)


def _narrow(whole: pa.Array) -> tuple[pa.Array, np.ndarray]:
    """Whole numbers in 32 bits, and which of them do not fit; those become null."""
    far = pc.or_(pc.greater(whole, 2**31 - 1), pc.less(whole, -(2**31)))
    bad = np.asarray(pc.fill_null(far, False))
    return pc.if_else(pa.array(bad), pa.scalar(None, pa.int64()), whole).cast(pa.int32()), bad


def _read_typed(column: Column, pool: pa.Array) -> tuple[pa.Array, np.ndarray]:
    target, bad = cell_type(column), np.zeros(len(pool), bool)
    if pa.types.is_floating(pool.type) or pa.types.is_integer(pool.type):
        pool = pool.cast(pa.int64(), safe=False)
        if column.kind in ("date", "time") and target.bit_width == 32:
            pool, bad = _narrow(pool)
    try:
        return pool.cast(target), bad
    except pa.ArrowInvalid:
        back = pool.cast(target, safe=False)
        again = back.cast(pool.type, safe=False)
        return back, bad | np.asarray(pc.fill_null(pc.not_equal(again, pool), False))


def _read_text(column: Column, text: pa.Array) -> tuple[pa.Array, np.ndarray]:
    null = np.asarray(pc.is_null(text))
    minus = np.zeros(len(text), bool)
    if column.kind == "duration":
        minus = np.asarray(pc.fill_null(pc.starts_with(text, "-"), False))
        text = pc.replace_substring_regex(text, "^-", "") if minus.any() else text
    fields, bad = _pattern(column).fields(text)
    days, wrong = _days(fields, len(text))
    seconds, late = _seconds(fields, len(text), column.kind)
    bad = bad | ((wrong | late) & ~null)
    steps = per_second(_arrow_unit(column))
    if column.kind == "date":
        return _array(days.astype(np.int32), null | bad, pa.date32()), bad
    if column.kind == "datetime":
        seconds = seconds + days * 86400 - _offset(column, fields)
        if steps == 10**9:
            bad = bad | ((np.abs(seconds) > 9_223_372_035) & ~null)
    value = np.where(bad, 0, seconds) * steps + fields.get("f", np.zeros(1, np.int64)) // (10**9 // steps)
    return _array(np.where(minus, -value, value), null | bad, cell_type(column)), bad


def _pattern(column: Column) -> Pattern:
    """The column's pattern; the hours of a length of time may have more than two digits."""
    text = column.notation or _DEFAULTS[column.kind]
    if not isinstance(text, str):
        raise SchemaError("the notation of a moment must be a pattern such as %Y-%m-%d",
                          where=f"column {column.name!r}")
    return Pattern.of(text.replace("%H", "%0H") if column.kind == "duration" else text)


def _array(value: np.ndarray, null: np.ndarray, kind: pa.DataType) -> pa.Array:
    if kind.bit_width == 32:
        value = value.astype(np.int32)
    return pa.array(value, mask=null if null.any() else None).view(kind)


def _days(fields: dict[str, np.ndarray], size: int) -> tuple[np.ndarray, np.ndarray]:
    """Days since 1970 of year, month and day; ``wrong`` where there is no such day."""
    if "Y" not in fields and "y" not in fields:
        return np.zeros(size, np.int64), np.zeros(size, bool)
    year = fields["Y"] if "Y" in fields else np.where(fields["y"] < 69, 2000, 1900) + fields["y"]
    month = fields.get("m", fields.get("b", fields.get("B", np.ones(size, np.int64))))
    day = fields.get("d", np.ones(size, np.int64))
    wrong = (month < 1) | (month > 12) | (day < 1) | (day > 31)
    months = ((year - 1970) * 12 + np.where(wrong, 1, month) - 1).astype("datetime64[M]")
    days = months.astype("datetime64[D]") + (np.where(wrong, 1, day) - 1)
    if "j" in fields:
        days = months.astype("datetime64[D]") + (np.clip(fields["j"], 1, 366) - 1)
        other_year = days.astype("datetime64[Y]") != months.astype("datetime64[Y]")
        return days.astype(np.int64), (fields["j"] < 1) | other_year
    return days.astype(np.int64), wrong | (days.astype("datetime64[M]") != months)


def _seconds(fields: dict[str, np.ndarray], size: int, kind: str) -> tuple[np.ndarray, np.ndarray]:
    zero = np.zeros(size, np.int64)
    hour, minute, second = (fields.get(k, zero) for k in "HMS")
    wrong = (minute > 59) | (second > 59)
    if "I" in fields:
        hour = fields["I"] % 12 + 12 * (fields.get("p", zero) == 2)
        wrong |= (fields["I"] < 1) | (fields["I"] > 12)
    if kind != "duration":
        wrong |= hour > 23
    return np.where(wrong, 0, hour) * 3600 + minute * 60 + second, wrong


def _offset(column: Column, fields: dict[str, np.ndarray]) -> np.ndarray | int:
    """Seconds that the written time is ahead of UTC."""
    return fields["z"] * 60 if "z" in fields else _zone_seconds(column.timezone)


def _zone_seconds(zone: str | None) -> int:
    if m := re.fullmatch(r"([+-])(\d\d):(\d\d)", zone or ""):
        return (int(m[2]) * 3600 + int(m[3]) * 60) * (-1 if m[1] == "-" else 1)
    return 0


def _read_iso(column: Column, text: pa.Array) -> tuple[pa.Array, np.ndarray]:
    got = pc.extract_regex(text, _ISO_DURATION)
    bad = np.asarray(pc.and_(pc.is_null(got), pc.is_valid(text))) | np.asarray(
        pc.fill_null(pc.match_substring_regex(text, "[PT]$"), False))
    total = np.zeros(len(text), np.int64)
    for name, size in (("w", 604800), ("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        piece = pc.struct_field(got, name)
        piece = pc.if_else(pc.equal(piece, ""), "0", piece)
        total += np.asarray(pc.fill_null(piece.cast(pa.int64()), 0)) * size
    minus = np.asarray(pc.fill_null(pc.equal(pc.struct_field(got, "n"), "-"), False))
    total = np.where(minus, -total, total) * per_second(_arrow_unit(column))
    return _array(total, np.asarray(pc.is_null(text)) | bad, cell_type(column)), bad


# ---------------------------------------------------------------- writing


def write_moment(column: Column, values: pa.Array) -> pa.Array:
    """Text of the cells by the column's pattern; null stays null."""
    null = pc.is_null(values)
    if column.notation == "iso":
        text = _iso_text(_ticks(values, column) // per_second(_arrow_unit(column)))
    else:
        text = _pattern_text(column, values)
    return pc.if_else(null, pa.scalar(None, pa.string()), text) if values.null_count else text


def _pattern_text(column: Column, values: pa.Array) -> pa.Array:
    pattern = _pattern(column)
    if column.kind != "duration":
        return pattern.write(_fields(column, values, pattern))
    ticks = _ticks(values, column)
    size = _array(np.abs(ticks), np.zeros(len(ticks), bool), cell_type(column))
    text = pattern.write(_fields(column, size, pattern))
    return pc.binary_join_element_wise(pa.array(np.where(ticks < 0, "-", "")), text, "") if (ticks < 0).any() else text


def _ticks(values: pa.Array, column: Column) -> np.ndarray:
    values = values.cast(cell_type(column)) if values.type != cell_type(column) else values
    whole = pa.int32() if values.type.bit_width == 32 else pa.int64()
    return np.asarray(pc.fill_null(values.view(whole), 0)).astype(np.int64)


def _fields(column: Column, values: pa.Array, pattern: Pattern) -> dict[str, np.ndarray]:
    ticks, steps = _ticks(values, column), per_second(_arrow_unit(column))
    if column.kind == "date":
        seconds, fraction = ticks * 86400, np.zeros(len(ticks), np.int64)
    else:
        seconds, fraction = ticks // steps, ticks % steps * (10**9 // steps)
    if column.kind == "datetime":
        seconds = seconds + _local(column, values, seconds)
    out = {"f": fraction, "S": seconds % 60, "M": seconds // 60 % 60, "z": np.zeros(len(ticks), np.int64)}
    hours = seconds // 3600
    out["H"] = hours if column.kind == "duration" else hours % 24
    out["I"], out["p"] = (hours % 24 + 11) % 12 + 1, hours % 24 // 12 + 1
    if pattern.letters & set("YymdbBjaA"):
        out |= _calendar(seconds // 86400)
    return {k: v for k, v in out.items() if k in pattern.letters} or {"f": fraction}


def _local(column: Column, values: pa.Array, seconds: np.ndarray) -> np.ndarray | int:
    """Seconds to add for the wall clock of the column's zone."""
    if "%z" in str(column.notation) or "%+z" in str(column.notation):
        return 0
    return _zone_seconds(column.timezone)


def _calendar(days: np.ndarray) -> dict[str, np.ndarray]:
    day = days.astype("datetime64[D]")
    month, year = day.astype("datetime64[M]"), day.astype("datetime64[Y]")
    m = month.astype(np.int64) % 12 + 1
    y = year.astype(np.int64) + 1970
    week = (days + 3) % 7 + 1
    of_month = (day - month.astype("datetime64[D]")).astype(np.int64) + 1
    of_year = (day - year.astype("datetime64[D]")).astype(np.int64) + 1
    return {"Y": y, "y": y % 100, "m": m, "b": m, "B": m, "d": of_month, "j": of_year, "a": week, "A": week}


def _iso_text(seconds: np.ndarray) -> pa.Array:
    out = []
    for s in seconds.tolist():
        sign, s = ("-", -s) if s < 0 else ("", s)
        day = f"{s // 86400}D" if s >= 86400 else ""
        clock = "".join(f"{n}{u}" for n, u in ((s // 3600 % 24, "H"), (s // 60 % 60, "M"), (s % 60, "S")) if n)
        out.append(f"{sign}P{day}" + (f"T{clock}" if clock else "" if day else "T0S"))
    return pa.array(out, pa.string())
