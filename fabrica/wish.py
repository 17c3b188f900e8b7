"""What a person wrote down in a scenario, read with errors that name the place; and cells as plain numbers.

Shared by the kinds in ``scenarios/``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fabrica.contract import Cells
from fabrica.errors import FabricaError, InputError, UnknownName
from fabrica.expression import Expression
from fabrica.generator import Factor
from fabrica.schema import Column, Table

__all__ = ["column", "condition", "fields", "levels", "number", "numbers", "share", "times", "value",
           "weighted_quantile"]

NUMBERS = ("integer", "decimal", "latitude", "longitude")


def fields(plain: Any, known: Sequence[str], where: str, needs: Sequence[str] = ()) -> dict[str, Any]:
    """A mapping that has only ``known`` names, and all that it ``needs``.

    >>> fields({"rate": 0.3}, ["rate", "when"], "stress.yaml, missing, age")
    {'rate': 0.3}
    """
    if not isinstance(plain, Mapping):
        raise InputError(f"must be a mapping of {', '.join(known)}", where=where)
    for name in plain:
        if name not in known:
            raise UnknownName("word", str(name), list(known), where=where)
    for name in needs:
        if plain.get(name) is None:
            raise InputError(f"`{name}` is missing", where=where)
    return dict(plain)


def number(plain: Any, where: str, low: float = -math.inf, high: float = math.inf) -> float:
    """A finite number between ``low`` and ``high``."""
    fine = isinstance(plain, int | float) and not isinstance(plain, bool) and math.isfinite(plain)
    if not fine or not low <= plain <= high:
        bounds = f" between {low:g} and {high:g}" if math.isfinite(low) and math.isfinite(high) else (
            f" of at least {low:g}" if math.isfinite(low) else "")
        raise InputError(f"must be a number{bounds}", where=where)
    return float(plain)


def share(plain: Any, where: str) -> float:
    """A share of rows: from 0 to 1."""
    return number(plain, where, 0.0, 1.0)


def column(name: Any, table: Table, where: str, kinds: Sequence[str] = ()) -> Column:
    """A column of the table, of one of the ``kinds``."""
    if not isinstance(name, str) or name not in table.names:
        raise UnknownName("column", str(name), table.names, where=where)
    found = table[name]
    if found.kind == "key":
        raise InputError(f"the column {name!r} is made afresh for each row, nothing can be asked of it", where=where)
    if kinds and found.kind not in kinds:
        raise InputError(f"the column {name!r} is of the kind {found.kind}, and this needs {' or '.join(kinds)}",
                         where=where)
    return found


def condition(plain: Any, table: Table, where: str) -> Expression:
    """An expression, or a list of short words."""
    try:
        if isinstance(plain, str):
            return Expression.of(plain, table)
        if isinstance(plain, list | tuple) and plain and all(isinstance(word, str) for word in plain):
            return Expression.given(list(plain), table)
    except FabricaError as error:
        raise error.at(where) from None
    raise InputError("must be a condition such as \"age > 60\", or a list of words such as \"age=60..\"", where=where)


def value(name: str, plain: Any, table: Table, where: str) -> Expression:
    """That a column has a value, as the short words of a command line say it: ``>50K``, ``18..30``, ``null``."""
    text = "null" if plain is None else str(plain).lower() if isinstance(plain, bool) else str(plain)
    try:
        return Expression.value(name, text, table)
    except FabricaError as error:
        raise error.at(where) from None


# ---------------------------------------------------------------- cells as numbers


def numbers(cells: Cells) -> np.ndarray:
    """(n,) float64: NaN where missing.

    >>> numbers(Cells(pa.array([1, None, 3]))).tolist()
    [1.0, nan, 3.0]
    """
    return np.asarray(pc.fill_null(cells.values.cast(pa.float64()), float("nan")), np.float64)


def levels(cells: Cells) -> tuple[np.ndarray, list[Any]]:
    """(n,) the number of each cell's level, and the levels; what is missing is a level, None."""
    found = cells.values if pa.types.is_dictionary(cells.values.type) else pc.dictionary_encode(cells.values)
    texts = [v.strip() if isinstance(v, str) else v for v in found.dictionary.to_pylist()]
    names: dict[Any, int] = {}
    places = np.array([names.setdefault(one, len(names)) for one in (*texts, None)])
    return places[np.asarray(pc.fill_null(found.indices.cast(pa.int64()), len(texts)))], list(names)


def weighted_quantile(values: np.ndarray, weights: np.ndarray, at: float) -> float:
    """The smallest value up to which at least the share ``at`` of the weight lies.

    >>> weighted_quantile(np.array([3.0, 1.0, 2.0]), np.array([0.2, 0.5, 0.3]), 0.6)
    2.0
    """
    order = np.argsort(values, kind="stable")
    upto = np.cumsum(weights[order])
    return float(values[order][min(np.searchsorted(upto, at * upto[-1] * (1 - 1e-12)), len(order) - 1)])


def times(factors: Sequence[Factor], cells: Mapping[str, Cells], rows: int) -> np.ndarray:
    """(n,) what all factors say together."""
    found = np.ones(rows)
    for factor in factors:
        found *= factor.weights(cells)
    return found
