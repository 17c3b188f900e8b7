"""How numbers are written: ``1.50``, ``$1,200.50``, ``-$5``, ``($5)``, ``1.200,50 €``, ``12%``, ``+3``.

``Column.notation`` is None for plain numbers, else a mapping that says only what is not plain:

=============  ==========================================================================================
``prefix``     text before the digits (``$``, a space)
``suffix``     text after them (``%``, `` €``)
``thousands``  the separator of thousands
``decimal``    the decimal mark, ``.`` if not said
``negative``   where the minus stands: ``before`` the prefix (if not said), ``inside`` it, or ``brackets``
``plus``       True where positive numbers carry a ``+``
``least``      digits after the point that are always written (``1.50`` has 2)
``zeros``      digits before the point that are always written (``007`` has 3)
``width``      the width to which the number is filled with spaces on the left
``power``      ``e`` or ``E`` where numbers below 0.0001 and from 1e16 on are written with an exponent
=============  ==========================================================================================
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fabrica.errors import SchemaError, UnknownName

__all__ = ["Numeral", "fixed_text"]

_EXACT = 2.0**52


@dataclass(frozen=True)
class Numeral:
    """A way of writing numbers; ``parse`` and ``format`` are each other's inverse.

    >>> money = Numeral(prefix="$", thousands=",", least=2)
    >>> values, bad = money.parse(pa.array(["$1,200.50", "-$5.00"]), whole=False)
    >>> money.format(values, 2).to_pylist()
    ['$1,200.50', '-$5.00']
    """

    prefix: str = ""
    suffix: str = ""
    thousands: str = ""
    decimal: str = "."
    negative: str = "before"
    plus: bool = False
    least: int = 0
    zeros: int = 0
    width: int = 0
    power: str = ""

    @classmethod
    def of(cls, notation: Any, where: str = "column") -> Numeral:
        """From ``Column.notation``; an unknown name is an error that names the known ones."""
        if notation is None:
            return cls()
        if not isinstance(notation, Mapping):
            raise SchemaError("the notation of a number must be a mapping", where=where,
                              hint='example: {"prefix": "$", "thousands": ","}')
        known = [f.name for f in fields(cls)]
        for name in notation:
            if name not in known:
                raise UnknownName("part of a number's notation", str(name), known, where=where)
            if type(notation[name]) is not type(getattr(cls, name)) or not 0 <= _size(notation[name]) <= 100:
                raise SchemaError(f"`{name}` of a number's notation has the wrong type or size", where=where)
        numeral = cls(**notation)
        places = ["before", "inside", "brackets"]
        if numeral.negative not in places:
            raise UnknownName("place of the minus", str(numeral.negative), places, where=where)
        return numeral

    def plain(self) -> dict[str, Any] | None:
        """What ``of`` reads: only what is said; None where nothing is."""
        said = {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) != f.default}
        return said or None

    def pattern(self, whole: bool, strict: bool = False) -> str:
        """The regular expression of a number written so. ``strict`` refuses leading zeros that would be lost."""
        digits = r"\d+" if not strict or self.zeros else r"(?:0|[1-9]\d*)"
        if self.thousands:
            digits = rf"(?:\d{{1,3}}(?:{re.escape(self.thousands)}\d{{3}})+|{digits})"
        fraction = "" if whole else rf"(?:{re.escape(self.decimal)}\d*)?"
        tail = "" if whole else r"(?:[eE][+-]?\d+)?"
        body = f"{digits}{fraction}" if whole else f"(?:{digits}{fraction}|{re.escape(self.decimal)}\\d+)"
        before, after = re.escape(self.prefix), re.escape(self.suffix)
        sign = "[+-]?" if self.plus else "-?"
        pad = " *" if self.width else ""
        if self.negative == "brackets":
            return rf"^{pad}(?:{before}{body}{tail}{after}|\({before}{body}{tail}{after}\))$"
        if self.negative == "inside":
            return rf"^{pad}{before}{sign}{body}{tail}{after}$"
        return rf"^{pad}{sign}{before}{body}{tail}{after}$"

    def parse(self, text: pa.Array, whole: bool, strict: bool = False) -> tuple[pa.Array, np.ndarray]:
        """``(int64 or float64 values, bad)`` of a string array; null stays null and is not bad."""
        fits = pc.match_substring_regex(text, self.pattern(whole, strict))
        if pc.all(fits, min_count=0).as_py() is False:
            text = pc.if_else(fits, text, pa.scalar(None, pa.string()))
        bad = np.asarray(pc.invert(pc.fill_null(fits, True)))
        text = self._bare(text)
        if not whole:
            values = text.cast(pa.float64())
            beyond = np.asarray(pc.fill_null(pc.is_inf(values), False))
            return (values if not beyond.any() else pc.if_else(pa.array(~beyond), values, None)), bad | beyond
        try:
            return text.cast(pa.int64()), bad
        except pa.ArrowInvalid:
            return _safe_whole(text, bad)

    def _bare(self, text: pa.Array) -> pa.Array:
        """Only digits, ``-``, ``.`` and an exponent."""
        if self.width:
            text = pc.utf8_ltrim(text, characters=" ")
        for piece in (self.prefix, self.suffix, self.thousands):
            if piece:
                text = pc.replace_substring(text, piece, "")
        if self.negative == "brackets":
            text = pc.replace_substring(pc.replace_substring(text, "(", "-"), ")", "")
        if self.plus:
            text = pc.replace_substring_regex(text, r"^\+", "")
        return pc.replace_substring(text, self.decimal, ".") if self.decimal != "." else text

    def format(self, values: pa.Array, decimals: int | None) -> pa.Array:
        """Text of int64 or float64 values, with ``decimals`` digits after the point (None: as many as it takes)."""
        negative = pc.less(values, 0)
        text = self._digits(values, decimals)
        if self == Numeral(least=self.least, power=self.power):
            return text
        text = pc.replace_substring_regex(text, "^-", "")
        if self.zeros:
            text = _zero_filled(text, self.zeros)
        if self.thousands:
            text = _grouped(text, self.thousands, self.decimal)
        elif self.decimal != ".":
            text = pc.replace_substring(text, ".", self.decimal)
        return self._dressed(text, negative)

    def _dressed(self, text: pa.Array, negative: pa.Array) -> pa.Array:
        sign = pc.if_else(negative, "-", "+" if self.plus else "")
        if self.negative == "brackets":
            text = _join(pc.if_else(negative, "(", ""), self.prefix, text, self.suffix, pc.if_else(negative, ")", ""))
        elif self.negative == "inside":
            text = _join(self.prefix, sign, text, self.suffix)
        else:
            text = _join(sign, self.prefix, text, self.suffix)
        return pc.utf8_lpad(text, self.width) if self.width else text

    def _digits(self, values: pa.Array, decimals: int | None) -> pa.Array:
        if pa.types.is_integer(values.type):
            return values.cast(pa.string())
        if decimals is not None and self.least >= decimals and not self.power:
            return fixed_text(values, decimals)
        if decimals is not None:
            values = pc.round(values, decimals)
        values = pc.add(values, 0.0)  # no minus zero
        return _at_least(_spelled(values, decimals, self.power), self.least)


def _size(said: Any) -> int:
    return len(said) if isinstance(said, str) else int(said)


def fixed_text(values: pa.Array, decimals: int) -> pa.Array:
    """Float64 values with exactly ``decimals`` digits after the point.

    >>> fixed_text(pa.array([1.5, -0.05, None]), 2).to_pylist()
    ['1.50', '-0.05', None]
    """
    x = np.nan_to_num(values.to_numpy(zero_copy_only=False).astype(np.float64))
    with np.errstate(over="ignore"):
        scaled = x * 10.0**decimals
    if decimals > 6 or (np.abs(scaled) >= _EXACT).any():
        return pa.array([None if v is None else f"{v:.{decimals}f}" for v in values.to_pylist()], pa.string())
    whole = np.rint(scaled).astype(np.int64)
    if decimals == 0:
        return pa.array(whole, mask=np.asarray(pc.is_null(values))).cast(pa.string())
    wide = np.empty((len(whole), 2), np.int64)  # the two words of a decimal128: low, then the sign
    wide[:, 0], wide[:, 1] = whole, whole >> 63
    exact = pa.Array.from_buffers(pa.decimal128(38, decimals), len(whole), [None, pa.py_buffer(wide)])
    text = exact.cast(pa.string())
    return pc.if_else(pc.is_valid(values), text, pa.scalar(None, pa.string())) if values.null_count else text


def _spelled(values: pa.Array, decimals: int | None, power: str) -> pa.Array:
    """The shortest text that reads back as the same number; tiny and huge ones as the column writes them."""
    text = values.cast(pa.string())
    x = np.abs(np.asarray(pc.fill_null(values, 0.0)))
    special = (x >= 1e15) | ((x < 1e-4) & (x > 0))
    if not special.any() or (decimals is None and not power):
        return text
    rows = np.flatnonzero(special)
    numbers = values.take(pa.array(rows)).to_pylist()
    if power:
        words = [repr(v).replace("e", power) for v in numbers]
    else:
        words = [f"{v:.{decimals}f}".rstrip("0").rstrip(".") if decimals else f"{v:.0f}" for v in numbers]
    return pc.replace_with_mask(text, pa.array(special), pa.array(words, pa.string()))


def _safe_whole(text: pa.Array, bad: np.ndarray) -> tuple[pa.Array, np.ndarray]:
    """Whole numbers of which some do not fit 64 bits: those are bad, never wrapped."""
    big = np.array([v is not None and not -(2**63) <= int(v) < 2**63 for v in text.to_pylist()], bool)
    return pc.if_else(pa.array(~big), text, pa.scalar(None, pa.string())).cast(pa.int64()), bad | big


def _join(*pieces: Any) -> pa.Array:
    return pc.binary_join_element_wise(*pieces, "")


def _at_least(text: pa.Array, least: int) -> pa.Array:
    """Zeros behind the point until there are ``least`` digits; numbers with an exponent stay."""
    if not least:
        return text
    power = pc.or_(pc.match_substring(text, "e"), pc.match_substring(text, "E"))
    pointed = pc.or_(power, pc.match_substring(text, "."))
    if least == 1:
        return pc.if_else(pointed, text, _join(text, ".0"))
    done = pc.if_else(pointed, text, _join(text, "."))
    for have in range(least):
        short = pc.and_(pc.invert(power), pc.match_substring_regex(done, rf"\.\d{{{have}}}$"))
        done = pc.if_else(short, _join(done, "0" * (least - have)), done)
    return done


def _zero_filled(text: pa.Array, zeros: int) -> pa.Array:
    point = pc.find_substring(text, ".")
    whole = pc.if_else(pc.less(point, 0), pc.utf8_length(text), point)
    for have in range(1, zeros):
        text = pc.if_else(pc.equal(whole, have), _join("0" * (zeros - have), text), text)
    return text


def _grouped(text: pa.Array, thousands: str, decimal: str) -> pa.Array:
    """A separator before each three digits of the whole part."""
    parts = pc.extract_regex(text, r"^(?P<whole>\d+)(?P<rest>.*)$")
    whole, rest = pc.struct_field(parts, "whole"), pc.struct_field(parts, "rest")
    longest = pc.max(pc.utf8_length(whole)).as_py() or 0
    out = pc.utf8_slice_codeunits(whole, -3)
    for end in range(3, longest, 3):
        more = pc.utf8_slice_codeunits(whole, -end - 3, -end)
        out = pc.if_else(pc.greater(pc.utf8_length(whole), end), _join(more, thousands, out), out)
    return _join(out, pc.replace_substring(rest, ".", decimal))
