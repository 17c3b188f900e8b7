"""One declared column: what a person wrote down -> the column of the schema and the coder that draws it.

The parameters go by the field's names. What is not a number has a word of its own: ``categorical`` and ``bernoulli``
(levels with probabilities), ``date`` and ``datetime`` (every moment of a range alike), ``constant``, ``sequence``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from fabrica.declared import START, STEP, DeclaredCoder, Levels, Sequence
from fabrica.errors import FabricaError, SchemaError, UnknownName
from fabrica.laws import LAWS, law, number
from fabrica.schema import Column

__all__ = ["SPECIAL", "declared"]

HINT = "write `age: {distribution: normal, mean: 40, std: 12}`"
Made = tuple[Column, DeclaredCoder]


def declared(name: str, said: Any) -> Made:
    """The column ``name`` with what is ``said`` of it; an error names the column."""
    try:
        if not isinstance(said, Mapping) or "distribution" not in said:
            raise SchemaError("must be a mapping with a `distribution`", hint=HINT)
        plain = {str(key): value for key, value in said.items()}
        word = str(plain.pop("distribution"))
        if word not in LAWS and word not in SPECIAL:
            raise UnknownName("distribution", word, [*LAWS, *SPECIAL])
        missing = _missing(plain.pop("missing", 0.0))
        return SPECIAL[word][2](name, plain, missing) if word in SPECIAL else _number(name, word, plain, missing)
    except FabricaError as error:
        raise error.at(f"column {name!r}") from None


def _missing(said: Any) -> float:
    share = number(said, "missing")
    if not 0 <= share < 1:
        raise SchemaError("`missing` must be a share of the rows from 0 to below 1")
    return share


def _number(name: str, word: str, plain: dict[str, Any], missing: float) -> Made:
    bounds, decimals = _bounds(plain.pop("bounds", None)), plain.pop("decimals", None)
    if decimals is not None and not (type(decimals) is int and 0 <= decimals <= 15):
        raise SchemaError("`decimals` must be a whole number from 0 to 15")
    found = law(word, plain, bounds)
    whole = found.whole or decimals == 0
    decimals = 0 if whole else decimals
    kind = "integer" if whole else "decimal"
    column = Column(name, kind, "int64" if whole else "double", decimals=None if whole else decimals, bounds=bounds,
                    public=bounds is not None, why=f"declared: {found.words()}")
    coder = DeclaredCoder(name, kind, found, decimals, missing)
    if bounds is not None and decimals is not None and coder.inner is None:
        raise SchemaError(f"there is no number of {decimals} decimals inside the bounds", hint="widen them")
    return column, coder


def _bounds(said: Any) -> tuple[float, float] | None:
    if said is None:
        return None
    if not isinstance(said, list | tuple) or len(said) != 2:
        raise SchemaError("`bounds` must be [low, high]")
    low, high = (number(end, "bounds") for end in said)
    if low > high:
        raise SchemaError("`bounds` must be [low, high], the lower one first")
    return low, high


def _only(plain: Mapping[str, Any], *known: str, needed: tuple[str, ...] = ()) -> None:
    """Nothing but the ``known`` fields is there, and all that are ``needed``."""
    for key in plain:
        if key not in known:
            raise UnknownName("field", key, [*known, "missing"])
    for key in needed:
        if key not in plain:
            raise SchemaError(f"`{key}` is not said", hint=f"it takes {', '.join(known)}")


# ---------------------------------------------------------------- what is not a number


def _categorical(name: str, plain: dict[str, Any], missing: float) -> Made:
    _only(plain, "levels", "probabilities", needed=("levels",))
    levels: Any = plain["levels"]
    shares: Any = plain.get("probabilities")
    if isinstance(levels, Mapping) and shares is None:
        levels, shares = list(levels), list(plain["levels"].values())
    if not isinstance(levels, list | tuple) or not levels:
        raise SchemaError("`levels` must map levels to probabilities, or list levels",
                          hint="write `levels: {north: 0.7, south: 0.3}`")
    shares = [1 / len(levels)] * len(levels) if shares is None else shares
    if not isinstance(shares, list | tuple) or len(shares) != len(levels):
        raise SchemaError(f"`probabilities` must list {len(levels)} numbers, one for each level")
    texts = tuple(_text(level) for level in levels)
    if len(set(texts)) < len(texts):
        raise SchemaError("a level stands twice")
    column = Column(name, "category", "string", why="declared: levels with probabilities")
    return column, DeclaredCoder(name, "category", Levels(texts, _shares(shares)), None, missing)


def _text(level: Any) -> str:
    if isinstance(level, bool) or not isinstance(level, str | int | float):
        raise SchemaError("a level must be a text or a number", hint="YAML reads a bare yes, no, on or off as true or "
                          "false: put them in quotes")
    return str(level)


def _shares(said: Any) -> tuple[float, ...]:
    found = [number(share, "probabilities") for share in said]
    if min(found) < 0 or abs(sum(found) - 1) > 1e-6:
        raise SchemaError(f"the probabilities must not be negative and must sum to 1, not {sum(found):g}")
    return tuple(share / sum(found) for share in found)


def _bernoulli(name: str, plain: dict[str, Any], missing: float) -> Made:
    _only(plain, "p", needed=("p",))
    p = number(plain["p"], "p")
    if not 0 <= p <= 1:
        raise SchemaError(f"`p` must be in [0, 1], not {p:g}")
    column = Column(name, "boolean", "bool", why=f"declared: true with probability {p:g}")
    return column, DeclaredCoder(name, "boolean", Levels(("false", "true"), (1 - p, p)), None, missing)


def _date(name: str, plain: dict[str, Any], missing: float) -> Made:
    return _moment(name, "date", plain, missing)


def _datetime(name: str, plain: dict[str, Any], missing: float) -> Made:
    return _moment(name, "datetime", plain, missing)


def _moment(name: str, kind: str, plain: dict[str, Any], missing: float) -> Made:
    _only(plain, "low", "high", needed=("low", "high"))
    low, high = (_steps(plain[end], kind) for end in ("low", "high"))
    if low > high:
        raise SchemaError("`low` must not be later than `high`")
    storage, unit = ("date32[day]", "D") if kind == "date" else ("timestamp[s]", "s")
    column = Column(name, kind, storage, unit=unit, why=f"declared: every {kind} of a range alike")
    return column, DeclaredCoder(name, kind, law("integers", {"low": low, "high": high}), None, missing)


def _steps(said: Any, kind: str) -> int:
    """Days or seconds since 1970 of a moment that YAML has read, or of a text."""
    try:
        moment = datetime.fromisoformat(said) if isinstance(said, str) else said
        if isinstance(moment, date) and not isinstance(moment, datetime):
            moment = datetime(moment.year, moment.month, moment.day)
        fits = moment.tzinfo is None and (kind == "datetime" or moment.time().isoformat() == "00:00:00")
    except (ValueError, AttributeError):
        fits = False
    if not fits:
        form = "2024-01-31" if kind == "date" else "2024-01-31 08:30:00, without a time zone"
        raise SchemaError(f"`low` and `high` must be written as {form}")
    return int(moment.replace(tzinfo=UTC).timestamp() // (86_400 if kind == "date" else 1))


def _constant(name: str, plain: dict[str, Any], missing: float) -> Made:
    _only(plain, "value", needed=("value",))
    value = plain["value"]
    storage = {bool: "bool", int: "int64", float: "double", str: "string"}.get(type(value))
    if storage is None or (storage == "int64" and abs(value) >= 1 << 63):
        raise SchemaError("`value` must be a text, a number, true or false")
    text = str(value).lower() if storage == "bool" else str(value)
    column = Column(name, "constant", storage, why="declared: one value in every row")
    return column, DeclaredCoder(name, "constant", Levels((text,), (1.0,)), None, missing)


def _sequence(name: str, plain: dict[str, Any], missing: float) -> Made:
    _only(plain, "start", "step", "prefix", "width")
    found: dict[str, Any] = {"start": 1, "step": 1, "prefix": "", "width": 0} | plain
    for key, most in {"start": START, "step": STEP, "width": 40}.items():
        if type(found[key]) is not int or abs(found[key]) > most:
            raise SchemaError(f"`{key}` must be a whole number of at most {most}")
    if found["step"] == 0 or found["width"] < 0 or not isinstance(found["prefix"], str):
        raise SchemaError("`step` must not be 0, `width` not negative, `prefix` a text")
    source = Sequence(**found)
    column = Column(name, "key", "string" if source.text else "int64", why="declared: a sequence")
    return column, DeclaredCoder(name, "key", source, None, missing)


#: name -> (what it is, its fields, how it is made)
SPECIAL: dict[str, tuple[str, str, Callable[[str, dict[str, Any], float], Made]]] = {
    "categorical": ("levels with probabilities; without probabilities all alike; their order counts for correlations",
                    "levels: {north: 0.7, south: 0.3}", _categorical),
    "bernoulli": ("true with probability `p`", "p in [0, 1]", _bernoulli),
    "date": ("every day of a range alike", "low, high", _date),
    "datetime": ("every second of a range alike", "low, high", _datetime),
    "constant": ("one value in every row", "value", _constant),
    "sequence": ("a key that counts up: 1, 2, 3, or as text with a prefix and zeros: C-0001",
                 "start, step, prefix, width", _sequence),
}
