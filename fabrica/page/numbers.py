"""Numbers and names as a reader sees them: few digits, the unit said once, nothing that a browser could trip over.

Every door (page, notebook fragment, terminal) writes a number through this file, so a number reads the same everywhere.
"""

from __future__ import annotations

import math
import re

__all__ = ["DASH", "clean", "fitting", "level", "number", "percent", "plain", "rows", "short", "span"]

DASH = "–"
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\u202a-\u202e\u2066-\u2069]")


def clean(text: str) -> str:
    """``text`` without what no HTML file may hold (control characters, lone surrogates) and without signs that turn the
    direction of the text around them, by which one name could pass for another.

    >>> clean("a\\x00b")
    'a�b'
    """
    return _CONTROL.sub("�", text)


def fitting(text: str, width: float) -> str:
    """As much of a line as fits into ``width`` average letters; capitals and wide scripts take more.

    >>> fitting("Returning_Visitor", 15), fitting("EMERGENCY ROOM ADMIT", 15)
    ('Returning_Vis…', 'EMERGENCY…')
    """
    used = 0.0
    for i, letter in enumerate(short(text, 1000)):
        used += 1.9 if ord(letter) > 0x2E80 else 1.3 if letter.isupper() or letter in "@%" else 1.0
        if used > width:
            return short(text, i)
    return short(text, 1000)


def short(text: str, most: int = 24) -> str:
    """``text`` cut to ``most`` characters with an ellipsis, on one line.

    >>> short("a very long name of a column", 12)
    'a very long…'
    >>> short(" ")
    '(blank)'
    """
    line = " ".join(clean(text).split()) or "(blank)"
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def number(value: float | None, unit: str = "") -> str:
    """A measured number with its unit.

    >>> number(0.3871, "%"), number(3e-15, "%"), number(0.50812, "AUC"), number(32561.0, "rows"), number(None)
    ('0.39 %', '0 %', '0.508', '32,561 rows', '–')
    """
    if value is None or not math.isfinite(value):
        return DASH
    if unit == "%" and abs(value) < 1e-9:  # what is left of a sum
        return "0 %"
    if unit == "%":
        return f"{value:.2f} %" if 0.005 <= abs(value) < 100 else f"{plain(value)} %"
    if unit.startswith("share of "):
        return percent(value)
    if unit == "rows":
        return f"{rows(value)} {'row' if value == 1 else 'rows'}"
    if unit in ("AUC", "R2", "accuracy") or (not unit and abs(value) < 1):
        return f"{value:.3f}".replace("-0.000", "0.000")
    return f"{plain(value)} {unit}" if unit else plain(value)


def level(value: float, unit: str = "") -> str:
    """A round number of a scale: an ideal or an end, with no more digits than it has.

    >>> level(0.5, "AUC"), level(5.0, "%"), level(4.6000000001, "rows")
    ('0.5', '5 %', '4.6 rows')
    """
    text = f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"
    if unit.startswith("share of "):
        return percent(value)
    return f"{text} {unit}" if unit in ("%", "rows") else text


def plain(value: float) -> str:
    """About three digits, thousands separated, never in powers of ten unless very small or very large.

    >>> plain(0.0512), plain(3.14159), plain(12345.6), plain(1e-7), plain(2.0), plain(0.0)
    ('0.051', '3.14', '12,346', '1e-07', '2', '0')
    """
    size = abs(value)
    if value == 0:
        return "0"
    if 1e-4 <= size < 0.01:
        return f"{value:.1g}"
    if size < 1e-4 or size >= 1e12:
        return f"{value:.0e}" if size < 1e-4 else f"{value:.2e}"
    if float(value).is_integer():
        return f"{value:,.0f}"
    decimals = 0 if size >= 1000 else 1 if size >= 100 else 2 if size >= 0.1 else 3
    return f"{value:,.{decimals}f}"


def rows(count: float) -> str:
    """A count with its thousands separated.

    >>> rows(32561)
    '32,561'
    """
    return f"{count:,.0f}"


def percent(share: float | None) -> str:
    """A share in [0, 1] as a percentage.

    >>> percent(0.1234), percent(0.00003), percent(0.0), percent(1.0)
    ('12.3 %', '0.003 %', '0 %', '100 %')
    """
    if share is None or not math.isfinite(share):
        return DASH
    value = 100 * share
    if value in (0, 100):
        return f"{value:.0f} %"
    if abs(value) >= 0.005:
        return f"{value:.1f} %" if abs(value) >= 1 else f"{value:.2f} %"
    return f"{plain(value)} %"


def span(low: float | None, high: float | None, unit: str = "") -> str:
    """An interval, the unit said once; "" where there is none.

    >>> span(0.31, 0.42, "%")
    '0.31 to 0.42 %'
    """
    if low is None or high is None:
        return ""
    first, last = number(low, unit), number(high, unit)
    said = first.split(" ")[0] if last.split(" ")[1:] == first.split(" ")[1:] else first
    return f"{said} to {last}"
