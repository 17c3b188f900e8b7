"""The picture and the words of a frontier of fairness, from its plain values (``Frontier.to_json``).

Left: accuracy against the gap of the predictions, the points of the dial joined, and the classifier that does not see
the protected columns. Right: what the dial does to the gaps. Bars are 95 % intervals; those of the accuracy are of the
difference to parity 0, which is what is asked.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from fabrica.page.numbers import short

__all__ = ["picture", "words"]

WIDTH, HEIGHT, TOP, BOTTOM = 900, 410, 84, 62
INK, SOFT, LINE, BLUE, RED, GREEN = "#1d232b", "#5b6673", "#dde2e8", "#0072b2", "#d55e00", "#009e73"
TICKS, MOST = 5, 12
CLOSE = 0.01  #: beyond its interval, from which a gap is told to be another than was wished


@dataclass(frozen=True)
class Axes:
    """A rectangle of the picture and the values at its sides."""

    left: float
    right: float
    x: tuple[float, float]
    y: tuple[float, float]

    def at(self, x: float, y: float) -> tuple[float, float]:
        high = HEIGHT - BOTTOM
        return (round(self.left + (self.right - self.left) * (x - self.x[0]) / (self.x[1] - self.x[0]), 1),
                round(high - (high - TOP) * (y - self.y[0]) / (self.y[1] - self.y[0]), 1))


def picture(plain: Mapping[str, Any]) -> str:
    """The whole SVG."""
    question = plain["question"]
    title = (f"{', '.join(question['protected'])} and {question['outcome']} = {question['favourable']}"
             + (f", given {', '.join(question['legitimate'])}" if question["legitimate"] else ""))
    under = (f"{plain['draws']} × {plain['rows']:,} synthetic rows, judged on {plain['holdout']:,} real ones; "
             "bars: 95 % (of the accuracy: of the difference to parity 0)")
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="system-ui, '
             f'sans-serif" font-size="12" fill="{INK}" role="img"><title>{escape(_sentence(plain))}</title>'
             f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>', _text(20, 24, title, size=15, weight=600),
             _text(20, 42, under, fill=SOFT)]
    return "\n".join([*parts, *_price(plain), *_dial(plain), "</svg>\n"])


def _price(plain: Mapping[str, Any]) -> list[str]:
    """Accuracy against the gap of the predictions."""
    every = [*plain["points"], plain["dropped"]]
    top = every[0]["accuracy"]["value"]
    lows, highs = ([top - point["cost"][end] for point in every] for end in ("high", "low"))
    gaps = [point["predicted"][end] for point in every for end in ("low", "high")]
    axes = Axes(84, 450, _around(gaps, 0.0), _around([*lows, *highs]))
    out = _frame(axes, "gap of the predictions on real rows", "accuracy on real rows")
    places = [axes.at(point["predicted"]["value"], point["accuracy"]["value"]) for point in plain["points"]]
    out.append(_path(places, BLUE))
    for point, (x, y) in zip(plain["points"], places, strict=True):
        out += [_cross(axes, point, top, BLUE), f'<circle cx="{x}" cy="{y}" r="4.5" fill="{BLUE}"/>',
                _text(x + 8, y + 16, f"{point['parity']:g}", fill=BLUE, halo=True)]
    blind = plain["dropped"]
    x, y = axes.at(blind["predicted"]["value"], blind["accuracy"]["value"])
    out += [_cross(axes, blind, top, RED), f'<path d="M{x} {y - 6}l6 6l-6 6l-6 -6z" fill="#fff" stroke="{RED}" '
            'stroke-width="2"/>']
    names = short(", ".join(plain["question"]["protected"]), 24)
    legend = [f'<circle cx="{axes.left + 8}" cy="{TOP - 10}" r="4.5" fill="{BLUE}"/>',
              _text(axes.left + 18, TOP - 6, "learned from rows of a parity", fill=BLUE),
              f'<path d="M{axes.left + 206} {TOP - 16}l6 6l-6 6l-6 -6z" fill="#fff" stroke="{RED}" stroke-width="2"/>',
              _text(axes.left + 218, TOP - 6, f"without {names}", fill=RED)]
    return [*out, *legend]


def _dial(plain: Mapping[str, Any]) -> list[str]:
    """The gaps against the parity."""
    points = plain["points"]
    series = [("the rows", BLUE, [(p["parity"], p["rows"]) for p in points]),
              ("predictions", RED, [(p["parity"], p["predicted"]) for p in points]),
              ("true positive rates", GREEN, [(p["parity"], p["opportunity"]) for p in points if p["opportunity"]])]
    highest = max(number["high"] for _, _, some in series for _, number in some)
    axes = Axes(540, 880, (-0.04, 1.04), (0.0, _around([0.0, highest], 0.0)[1]))
    out = _frame(axes, "parity of the dial", "gap between groups", ticks=(0, 0.25, 0.5, 0.75, 1))
    wished = [axes.at(p["parity"], p["wished"]) for p in points]
    out.append(_path(wished, SOFT, dashes="2 4"))
    for i, (name, colour, some) in enumerate(series):
        places = [axes.at(parity, number["value"]) for parity, number in some]
        out.append(_path(places, colour))
        for (x, y), (parity, number) in zip(places, some, strict=True):
            low, high = (axes.at(parity, number[end])[1] for end in ("low", "high"))
            out.append(f'<path d="M{x} {low}V{high}" stroke="{colour}" stroke-width="1.2"/>'
                       f'<circle cx="{x}" cy="{y}" r="3.5" fill="{colour}"/>')
        if places:
            out.append(f'<circle cx="{axes.left + 116 * i + 8}" cy="{TOP - 10}" r="3.5" fill="{colour}"/>'
                       + _text(axes.left + 116 * i + 16, TOP - 6, name, fill=colour))
    return out


def _sentence(plain: Mapping[str, Any]) -> str:
    first, last, blind = plain["points"][0], plain["points"][-1], plain["dropped"]
    return (f"Parity {last['parity']:g} takes the gap of the predictions from {first['predicted']['value']:.3f} to "
            f"{last['predicted']['value']:.3f} and costs {100 * last['cost']['value']:.1f} points of accuracy; without "
            f"the protected columns it is {blind['predicted']['value']:.3f}.")


def _around(values: Sequence[float], least: float | None = None) -> tuple[float, float]:
    low, high = min(values) if least is None else least, max(values)
    pad = 0.08 * max(high - low, 0.004)
    return (low - pad if least is None else least), high + pad


def _even(low: float, high: float) -> list[float]:
    """About five round values within an interval.

    >>> _even(0.0, 0.21)
    [0.0, 0.05, 0.1, 0.15, 0.2]
    """
    rough = (high - low) / TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * unit for unit in (1, 2, 2.5, 5, 10) if power * unit >= rough * 0.9)
    return [round(step * i, 10) for i in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]


def _frame(axes: Axes, x: str, y: str, ticks: Sequence[float] = ()) -> list[str]:
    """Grid, ticks and names."""
    out = []
    for value in _even(*axes.y):
        _, place = axes.at(axes.x[0], value)
        out.append(f'<path d="M{axes.left} {place}H{axes.right}" stroke="{LINE}"/>'
                   + _text(axes.left - 8, place + 4, f"{value:g}", anchor="end", fill=SOFT))
    base = HEIGHT - BOTTOM
    for value in ticks or _even(*axes.x):
        place, _ = axes.at(value, axes.y[0])
        out.append(f'<path d="M{place} {base}v5" stroke="{SOFT}"/>'
                   + _text(place, base + 18, f"{value:g}", anchor="middle", fill=SOFT))
    middle = (axes.left + axes.right) / 2
    out += [f'<path d="M{axes.left} {base}H{axes.right}" stroke="{SOFT}"/>',
            _text(middle, base + 40, x, anchor="middle"),
            f'<text transform="translate({axes.left - 60:g} {(TOP + base) / 2:g}) rotate(-90)" text-anchor="middle">'
            f"{escape(y)}</text>"]
    return out


def _cross(axes: Axes, point: Mapping[str, Any], top: float, colour: str) -> str:
    """The intervals of a point."""
    gaps, value = point["predicted"], point["accuracy"]["value"]
    x, y = axes.at(gaps["value"], value)
    left, right = (axes.at(gaps[end], value)[0] for end in ("low", "high"))
    low, high = (axes.at(0, top - point["cost"][end])[1] for end in ("high", "low"))
    return f'<path d="M{left} {y}H{right}M{x} {low}V{high}" stroke="{colour}" stroke-opacity=".45"/>'


def _path(places: Sequence[tuple[float, float]], colour: str, dashes: str = "") -> str:
    line = "L".join(f"{x} {y}" for x, y in places)
    return (f'<path d="M{line}" fill="none" stroke="{colour}" stroke-width="1.8"'
            + (f' stroke-dasharray="{dashes}"' if dashes else "") + "/>") if places else ""


def _text(x: float, y: float, said: str, *, anchor: str = "start", fill: str = INK, size: int = 12, weight: int = 400,
          halo: bool = False) -> str:
    behind = ' stroke="#fff" stroke-width="3" paint-order="stroke"' if halo else ""
    return (f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" fill="{fill}" font-size="{size}" font-weight="{weight}"'
            f'{behind}>{escape(said)}</text>')


# ---------------------------------------------------------------- words

HEAD = (f"{'parity':<8} {'gap: rows':>9}  {'of predictions':<21}  {'of true positives':<21}  {'accuracy':>8}  "
        f"{'cost in points':<21}  {'AUC':<6}  {'likeness':>8}  worth")


def words(plain: Mapping[str, Any]) -> str:
    """A table for a terminal, and what it says."""
    question = plain["question"]
    given = f" given {', '.join(question['legitimate'])}" if question["legitimate"] else ""
    lines = [f"Gap of {question['outcome']} = {question['favourable']} between groups of "
             f"{', '.join(question['protected'])}{given}: {_number(plain['real'])} in {plain['holdout']:,} real rows.",
             f"Classifiers learned from {plain['draws']} × {plain['rows']:,} rows of each parity, judged on real ones.",
             "", HEAD]
    lines += [_line(point) for point in (*plain["points"], plain["dropped"])]
    return "\n".join([*lines, "", *_groups(plain), *_conclusions(plain)])


def _groups(plain: Mapping[str, Any]) -> list[str]:
    """The shares of each group at the ends of the dial, where there are few groups."""
    first, last = plain["points"][0], plain["points"][-1]
    if len(first["groups"]) > MOST or last is first:
        return []
    names = [short(group["name"], 32) for group in first["groups"]]
    wide = max(7, *map(len, names))
    ends = f"{first['parity']:g} → {last['parity']:g}"
    said = [f"{'group':<{wide}}  {'real':>5}  {'rows, ' + ends:<15}  predictions, {ends}"]
    for name, one, other in zip(names, first["groups"], last["groups"], strict=True):
        rows, predicted = (f"{one[what]:.3f} → {other[what]:.3f}" for what in ("rows", "predicted"))
        real = f"{one['real']:.3f}"
        said.append(f"{name:<{wide}}  {real:>5}  {rows:<15}  {predicted}")
    return [*said, ""]


def _line(point: Mapping[str, Any]) -> str:
    name = "dropped" if point["dropped"] else f"{point['parity']:g}"
    cost = "–" if not point["parity"] and not point["dropped"] else _number(point["cost"], 100, 2)
    right = "–" if point["opportunity"] is None else _number(point["opportunity"])
    alike = "–" if point["likeness"] is None else f"{point['likeness']['value']:.3f}"
    return (f"{name:<8} {point['rows']['value']:>9.3f}  {_number(point['predicted']):<21}  {right:<21}  "
            f"{point['accuracy']['value']:>8.4f}  {cost:<21}  {point['auc']['value']:.4f}  {alike:>8}  "
            f"{100 * point['worth']:>3.0f} %")


def _number(number: Mapping[str, float], times: float = 1, digits: int = 3) -> str:
    value, low, high = (f"{times * number[name]:.{digits}f}" for name in ("value", "low", "high"))
    return f"{value} ({low}…{high})"


def _conclusions(plain: Mapping[str, Any]) -> list[str]:
    names, base = ", ".join(plain["question"]["protected"]), plain["points"][0]["predicted"]["value"]
    said = [f"Without {names} in the training {_gone(plain['dropped'], base)}; the other columns tell the rest."]
    said += [f"Parity {point['parity']:g}: {_gone(point, base)}, for {_number(point['cost'], 100, 2)} points of "
             "accuracy." for point in plain["points"][1:]]
    off = [p for p in plain["points"] if not p["rows"]["low"] - CLOSE <= p["wished"] <= p["rows"]["high"] + CLOSE]
    if off:
        parities = ", ".join(format(point["parity"], "g") for point in off)
        said.append(f"At parity {parities} the gap of the rows is not what was wished for: an outcome that a group "
                    "never has cannot be given to it, and very small groups are left as they are.")
    if plain["left_out"]:
        many = "One group has" if plain["left_out"] == 1 else f"{plain['left_out']} groups have"
        said.append(f"{many} too few rows and cannot be compared.")
    return [*said, f"Note: {plain['remark']}."]


def _gone(point: Mapping[str, Any], base: float) -> str:
    """Which part of the gap of the predictions is gone, where that can be told."""
    moved = point["moved"]
    if moved["low"] <= 0 <= moved["high"]:
        return f"the gap of the predictions is what it was, as far as these rows can tell ({_number(moved)})"
    part = 100 * abs(moved["value"]) / max(base, 1e-9)
    return (f"{part:.0f} % of the gap of the predictions is gone" if moved["value"] > 0 else
            f"the gap of the predictions grows by {part:.0f} %") + f" ({_number(moved)})"
