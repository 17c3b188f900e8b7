"""Guesses what a column of numbers, truth values, moments or bytes means; its Arrow type says most of it."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fabrica.errors import InputError
from fabrica.inference.facts import Facts
from fabrica.inference.keys import named_like_code, whole_key
from fabrica.inference.moments import unit_of
from fabrica.inference.numbers import decimals_of
from fabrica.inference.text import as_moment, as_words
from fabrica.notation import cell_type, read
from fabrica.notation.storage import is_binary
from fabrica.schema import Column

__all__ = ["guess_typed"]

_INT64 = 2**63


def guess_typed(facts: Facts) -> tuple[Column, str]:
    """``(column, note)`` of a column that is not text."""
    kind = facts.pool.type
    if not facts.distinct:
        return Column(facts.name, "empty", facts.storage, why="no value in any row"), ""
    if is_binary(kind):
        return as_words(facts)
    marks = _not_finite(facts)
    if facts.distinct == 1 and not facts.nulls and facts.present >= facts.k:
        return Column(facts.name, "constant", facts.storage, why="one value in every row"), ""
    if pa.types.is_temporal(kind):
        return _moment(facts), ""
    if pa.types.is_boolean(kind):
        return Column(facts.name, "boolean", facts.storage, why="true and false"), ""
    if pa.types.is_integer(kind):
        return _whole(facts)
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return _decimal(facts, marks), ""
    raise InputError(f"columns of the type {kind} cannot be learned", where=f"column {facts.name!r}")


def _not_finite(facts: Facts) -> tuple[str, ...]:
    """Infinities and NaN that stand in the column: they come back as they are, as missing markers."""
    if not pa.types.is_floating(facts.pool.type):
        return ()
    x = np.asarray(facts.pool)
    found = (("nan", np.isnan(x)), ("inf", x == np.inf), ("-inf", x == -np.inf))
    return tuple(word for word, where in found if where.any())


def _whole(facts: Facts) -> tuple[Column, str]:
    if facts.pool.type == pa.uint64() and pc.max(facts.pool).as_py() >= _INT64:
        column, note = as_words(facts)
        return column, note or f"column {facts.name!r}: numbers beyond 64 bits are kept as words"
    if pc.all(pc.is_in(pc.utf8_length(facts.text), pa.array([8], pa.int32()))).as_py() and (day := as_moment(facts)):
        return day
    if (found := whole_key(facts, facts.pool)) is not None:
        return Column(facts.name, "key", facts.storage, notation=found,
                      why="whole numbers, unique, named or numbered like a key"), ""
    if named_like_code(facts):
        return Column(facts.name, "category", facts.storage, why="whole numbers named as codes"), ""
    return Column(facts.name, "integer", facts.storage, why="whole numbers"), ""


def _decimal(facts: Facts, marks: tuple[str, ...]) -> Column:
    if pa.types.is_decimal(facts.pool.type):
        scale = facts.pool.type.scale
        x = np.asarray(facts.pool.cast(pa.float64()))
        decimals = decimals_of(x, facts.counts, facts.enough)
        return Column(facts.name, "decimal", facts.storage, why="decimal numbers",
                      decimals=max(scale, 0) if decimals is None else min(decimals, max(scale, 0)))
    decimals = decimals_of(np.asarray(facts.pool), facts.counts, facts.enough)
    finite = np.asarray(facts.pool)[np.isfinite(np.asarray(facts.pool))]
    whole = len(finite) and (np.abs(finite) < 2.0**53).all() and (np.rint(finite) == finite).all()
    if decimals == 0 and whole:
        return Column(facts.name, "integer", facts.storage, missing=marks, why="whole numbers, stored with a fraction")
    why = "numbers whose decimals vary freely" if decimals is None else f"numbers with at most {decimals} decimals"
    return Column(facts.name, "decimal", facts.storage, decimals=decimals, missing=marks, why=why)


def _moment(facts: Facts) -> Column:
    kind = facts.pool.type
    if pa.types.is_date(kind):
        if pa.types.is_date32(kind) or pc.all(pc.equal(facts.pool.cast(pa.date32()).cast(kind), facts.pool)).as_py():
            return Column(facts.name, "date", facts.storage, unit="D", why="dates")
        return Column(facts.name, "datetime", facts.storage, unit="ms", why="dates that hold a time")
    name = "datetime" if pa.types.is_timestamp(kind) else "duration" if pa.types.is_duration(kind) else "time"
    zone = kind.tz if name == "datetime" else None
    column = Column(facts.name, name, facts.storage, unit=kind.unit, timezone=zone)
    unit = unit_of(read(column, facts.pool.cast(cell_type(column))).values, column, facts.counts, facts.enough)
    return Column(facts.name, name, facts.storage, unit=unit, timezone=zone, why=f"{name}s to the precision {unit!r}")
