"""Bars before and after, as SVG: what a scenario does to a table."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

BEFORE, AFTER, INK, LINE = "#9aa5b1", "#0072b2", "#333", "#ddd"
WIDTH, PANEL, LEFT, TOP, BOTTOM = 760, 210, 52, 46, 30

#: a panel: its title, the labels, shares before, shares after
Panel = tuple[str, Sequence[str], Sequence[float], Sequence[float]]


def effect(title: str, panels: Sequence[Panel], before: str, after: str) -> str:
    """One picture of panels side by side, each with its own scale."""
    height = TOP + PANEL + BOTTOM
    wide = (WIDTH - 10) / len(panels)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
             f'font-family="system-ui, sans-serif" font-size="11" fill="{INK}" role="img">'
             f'<title>{escape(title)}</title><rect width="{WIDTH}" height="{height}" fill="#fff"/>']
    for i, (colour, said) in enumerate(((BEFORE, before), (AFTER, after))):
        x = LEFT + i * 250
        parts.append(f'<rect x="{x}" y="10" width="11" height="11" fill="{colour}"/><text x="{x + 17}" y="20">'
                     f'{escape(said)}</text>')
    for i, panel in enumerate(panels):
        parts += _panel(panel, i * wide, wide)
    return "\n".join([*parts, "</svg>"])


def _panel(panel: Panel, x: float, wide: float) -> list[str]:
    name, labels, before, after = panel
    top = _top(max(max(before), max(after)))
    step = (wide - LEFT - 14) / len(labels)
    bar = min(step * 0.4, 26)
    parts = [f'<text x="{x + LEFT}" y="{TOP - 8}" font-weight="600">{escape(name)}</text>']
    for tick in range(5):
        y = TOP + PANEL * (1 - tick / 4)
        said = f"{100 * top * tick / 4:.3g} %"
        parts.append(f'<path d="M{x + LEFT:.1f} {y:.1f}h{wide - LEFT - 14:.1f}" stroke="{LINE}"/>'
                     f'<text x="{x + LEFT - 5:.1f}" y="{y + 4:.1f}" text-anchor="end">{said}</text>')
    every = max(1, -(-len(labels) * 30 // int(wide - LEFT)))
    for i, label in enumerate(labels):
        middle = x + LEFT + step * (i + 0.5)
        for side, value, colour in ((-1, before[i], BEFORE), (0, after[i], AFTER)):
            tall = PANEL * value / top
            parts.append(f'<rect x="{middle + side * bar:.1f}" y="{TOP + PANEL - tall:.1f}" width="{bar:.1f}" '
                         f'height="{tall:.1f}" fill="{colour}"/>')
        if i % every == 0:
            short = label if len(label) * 6 < step * every else label[: max(int(step * every / 6) - 1, 3)] + "…"
            parts.append(f'<text x="{middle:.1f}" y="{TOP + PANEL + 16}" text-anchor="middle">{escape(short)}</text>')
    return parts


def _top(value: float) -> float:
    """The end of a scale: the next of 1, 1.5, 2, 3, 4, 6, 8 times a power of ten."""
    power = 1e-6
    while True:
        for one in (1, 1.5, 2, 3, 4, 6, 8):
            if value <= one * power:
                return one * power
        power *= 10
