"""The picture of what injection does for a detector: average precision by the number of real positives."""

from __future__ import annotations

import math
from collections.abc import Mapping
from html import escape
from typing import Any

__all__ = ["picture"]

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 760, 400, 62, 170, 58, 52
INK, SOFT, LINE = "#1d232b", "#5b6673", "#dde2e8"
COLOURS = {"none": "#9aa5b1", "class weights": "#8c6d31", "oversampling": "#009e73", "SMOTE": "#d55e00",
           "injected": "#0072b2"}


def picture(plain: Mapping[str, Any]) -> str:
    """The SVG of a ``Lift`` as plain values."""
    steps = plain["steps"]
    counts = [step["positives"] for step in steps]
    top = _top(max((arm["precision"]["high"] for step in steps for arm in step["arms"]), default=1.0))
    title = f"{plain['target']} = {plain['positive']}: average precision by real positives"
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="system-ui, '
           f'sans-serif" font-size="12" fill="{INK}" role="img"><title>{escape(title)}</title>'
           f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>'
           f'<text x="20" y="24" font-size="15" font-weight="600">{escape(title)}</text>'
           f'<text x="20" y="42" fill="{SOFT}">on real test rows; bars: 95 %</text>']
    for tick in range(5):
        y = _y(top * tick / 4, top)
        out.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="{LINE}"/>'
                   f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{top * tick / 4:.3g}</text>')
    for count in counts:
        x, y = _x(count, counts), HEIGHT - BOTTOM + 20
        out.append(f'<text x="{x:.1f}" y="{y}" text-anchor="middle">{count:,}</text>')
    out.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2:.0f}" y="{HEIGHT - 12}" text-anchor="middle">real positives that '
               'are learned from</text>')
    for i, (name, colour) in enumerate(COLOURS.items()):
        out += _line(name, colour, i - 2, steps, counts, top)
        out.append(f'<circle cx="{WIDTH - RIGHT + 24}" cy="{TOP + 14 + 22 * i}" r="5" fill="{colour}"/>'
                   f'<text x="{WIDTH - RIGHT + 36}" y="{TOP + 18 + 22 * i}">{escape(name)}</text>')
    return "\n".join([*out, "</svg>\n"])


def _line(name: str, colour: str, shift: int, steps: Any, counts: list[int], top: float) -> list[str]:
    """The points of one way, joined, with their intervals a little beside each other."""
    out, places = [], []
    for step in steps:
        arm = next(one for one in step["arms"] if one["name"] == name)
        x, mid = _x(step["positives"], counts) + 4 * shift, arm["precision"]
        places.append((x, _y(mid["value"], top)))
        out.append(f'<path d="M{x:.1f} {_y(mid["low"], top):.1f}V{_y(mid["high"], top):.1f}" stroke="{colour}"/>'
                   f'<circle cx="{x:.1f}" cy="{_y(mid["value"], top):.1f}" r="4" fill="{colour}"/>')
    path = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
    joined = [f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="1.6"/>'] if len(places) > 1 else []
    return [*joined, *out]


def _x(count: int, counts: list[int]) -> float:
    """On a logarithmic scale."""
    low, high = math.log(min(counts)), math.log(max(counts))
    part = (math.log(count) - low) / (high - low) if high > low else 0.5
    return LEFT + 30 + part * (WIDTH - LEFT - RIGHT - 60)


def _y(value: float, top: float) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / top


def _top(value: float) -> float:
    """The end of the scale: the next tenth."""
    return max(0.1, math.ceil(value * 10) / 10)
