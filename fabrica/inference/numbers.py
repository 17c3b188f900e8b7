"""Guesses how a column of text writes numbers, and how many decimals numbers have."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fabrica.notation.numbers import Numeral

__all__ = ["written", "decimals_of", "digits_of", "MOST_DECIMALS"]

MOST_DECIMALS = 12
_CURRENCY = r"[$€£¥₹₽₩₺฿₫₴₦]|USD|EUR|GBP|CHF|JPY|CNY|AUD|CAD|SEK|NOK|DKK|PLN|INR|BRL|R\$|US\$|A\$|C\$|kr\.?|zł|Fr\.?"
_UNITS = (r"%|‰|°[CF]?|[kmcµn]?m[²³]?|[kmµ]?g|km/h|mph|m/s|kWh|MWh|kW|MW|GB|MB|KB|TB"
          r"|Hz|kHz|MHz|GHz|ms|mi|ft|lbs?|oz|[mdc]?[lL]|hp|bhp|CC|kmpl|kcal")
_SHAPE = re.compile(
    rf"(?P<open>\(?)(?P<sign>[-+]?)(?P<before>\s*(?:(?:{_CURRENCY})\s?)?)(?P<inner>[-+]?)"
    rf"(?P<body>\d(?:[\d.,'’ \u00a0\u202f]*\d)?[.,]?|[.,]\d+)(?P<power>[eE][-+]?\d+)?"
    rf"(?P<after>(?:\s?(?:{_CURRENCY}|{_UNITS}))?\s?)(?P<close>\)?)")
_PADDED = re.compile(r"[-+]?0\d")


def written(texts: Sequence[str]) -> Numeral | None:
    """The way in which most of these texts write numbers; None where they are not numbers.

    >>> written(["$1,200.50", "-$5.00"]).plain()
    {'prefix': '$', 'thousands': ','}
    >>> written(["007", "120"]) is None
    True
    """
    shapes = [m for m in map(_SHAPE.fullmatch, texts) if m]
    if len(shapes) < 0.3 * len(texts) or not shapes:
        return None
    width = _width(texts, shapes)
    before = "" if width else _common([m["before"] for m in shapes])
    after = _common([m["after"] for m in shapes])
    shapes = [m for m in shapes if m["after"] == after and (width or m["before"] == before)]
    thousands, decimal = _marks([m["body"].strip() for m in shapes], bool(before.strip() or after.strip(" %")))
    bodies = [m["body"].replace(thousands, "") if thousands else m["body"] for m in shapes]
    if sum(bool(_PADDED.match(b)) for b in bodies) > 0.001 * len(bodies):
        return None
    plus = any("+" in (m["sign"], m["inner"]) for m in shapes)
    if plus and max(map(len, bodies)) > 9:
        return None  # a telephone number
    power = next((m["power"][0] for m in shapes if m["power"]), "")
    return Numeral(prefix=before, suffix=after, thousands=thousands, decimal=decimal,
                   negative=_negative(shapes), plus=plus, width=width, power=power)


def _width(texts: Sequence[str], shapes: list[re.Match[str]]) -> int:
    """The width to which all texts are filled with spaces on the left; 0 where they are not."""
    fills = {m["before"] for m in shapes}
    filled = len(fills) > 1 and all(not f or f.isspace() for f in fills) and len({len(t) for t in texts}) == 1
    return len(texts[0]) if filled else 0


def _common(pieces: list[str]) -> str:
    return Counter(pieces).most_common(1)[0][0]


def _negative(shapes: list[re.Match[str]]) -> str:
    if any(m["open"] for m in shapes):
        return "brackets"
    return "inside" if any(m["inner"] for m in shapes) and any(m["before"] for m in shapes) else "before"


def _marks(bodies: list[str], money: bool) -> tuple[str, str]:
    """``(thousands separator, decimal mark)``."""
    used = set("".join(bodies)) - set("0123456789")
    for space in used & set("'’ \u00a0\u202f"):
        return space, "," if "," in used else "."
    both = [b for b in bodies if "," in b and "." in b]
    if both:
        return (",", ".") if both[0].rfind(".") > both[0].rfind(",") else (".", ",")
    if "," in used:
        grouped = all(re.fullmatch(r"\d{1,3}(,\d{3})+", b) for b in bodies if "," in b)
        return (",", ".") if grouped else ("", ",")
    if any(b.count(".") > 1 for b in bodies) and all(re.fullmatch(r"\d{1,3}(\.\d{3})+", b) for b in bodies if "." in b):
        return ".", ","
    return "", "."


def digits_of(text: pa.Array, numeral: Numeral) -> tuple[int, int | None]:
    """``(fewest, most)`` digits after the mark in texts of numbers; most is None where they vary freely (binary
    floats). Fewest is more than one only where zeros at the end prove that they are always written.

    >>> digits_of(pa.array(["1.50", "2.375"]), Numeral())
    (2, 3)
    """
    mark = re.escape(numeral.decimal)
    tail = pc.struct_field(pc.extract_regex(text, rf"{mark}(?P<tail>\d+){re.escape(numeral.suffix)}\)?$"), "tail")
    power = pc.match_substring_regex(text, r"\d[eE][-+]?\d")
    found = pc.min_max(pc.fill_null(pc.utf8_length(tail), 0).filter(pc.invert(power))).as_py()
    fewest, most = found["min"] or 0, found["max"] or 0
    if fewest > 1 and not pc.any(pc.ends_with(tail, "0")).as_py():
        fewest = 1
    if pc.any(power).as_py():
        return fewest, decimals_of(np.asarray(numeral.parse(text, whole=False)[0].drop_null()))
    return fewest, most if most <= MOST_DECIMALS else None


def decimals_of(values: np.ndarray, counts: np.ndarray | None = None, k: int = 1) -> int | None:
    """The least d with ``round(x, d) == x`` exactly for all values but those of fewer than ``k`` rows; None where there
    is none (binary floats).

    No tolerance: a measurement such as 0.1 + 0.2 has no short decimals. float32 is compared as float32.

    Parameters
    ----------
    values : (n,). counts : (n,) the rows that hold each; one where it is not said.

    >>> decimals_of(np.array([0.25, 3.0])), decimals_of(np.array([0.1 + 0.2]))
    (2, None)
    """
    finite = np.isfinite(values)
    x, rows = values[finite], np.ones(int(finite.sum())) if counts is None else counts[finite]
    wide = x.astype(np.float64)
    limit = 2.0**24 if x.dtype == np.float32 else 2.0**53
    for d in range(MOST_DECIMALS + 1):
        scaled = np.rint(wide * 10.0**d)
        beyond = np.abs(scaled) >= limit
        if rows[beyond].sum() >= k:
            return 0 if d == 0 and (np.rint(wide) == wide).all() else None
        if rows[~beyond & ((scaled / 10.0**d).astype(x.dtype) != x)].sum() < k:
            return d
    return None
