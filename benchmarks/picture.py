"""A small scatter plot as SVG: one mark a generator and data set, logarithmic costs."""

from __future__ import annotations

from html import escape
from math import ceil, floor, log10

#: one for each series, far apart also for those who see few colours (after Okabe and Ito 2008, and greys)
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f3c8d", "#8c6d31", "#222222", "#999999",
           "#b2df8a", "#c9c900", "#f4a3a3")
MARKS = ("circle", "square", "diamond")
WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 760, 420, 70, 24, 230, 60


def scatter(points: list[tuple[str, str, float, float]], *, x: str, y: str) -> str:
    """``points`` are (series, mark's name, x, y); x is logarithmic, y runs from 0 to 1."""
    series = list(dict.fromkeys(p[0] for p in points))
    kinds = list(dict.fromkeys(p[1] for p in points))
    xs = [max(p[2], 1e-3) for p in points]
    low, high = floor(log10(min(xs)) * 2) / 2, ceil(log10(max(xs)) * 2) / 2
    plot_w, plot_h = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def place(px: float, py: float) -> tuple[float, float]:
        return LEFT + plot_w * (log10(max(px, 1e-3)) - low) / max(high - low, 1e-9), TOP + plot_h * (1 - py)

    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
             f'font-family="system-ui, sans-serif" font-size="12" role="img">'
             f'<title>{escape(y)} against {escape(x)}</title>'
             f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>']
    for tick in range(6):
        _, ty = place(10**low, tick / 5)
        parts.append(f'<path d="M{LEFT} {ty:.1f}h{plot_w}" stroke="#ddd"/>'
                     f'<text x="{LEFT - 8}" y="{ty + 4:.1f}" text-anchor="end">{tick / 5:.1f}</text>')
    for power in range(ceil(low), floor(high) + 1):
        tx, _ = place(10**power, 0)
        parts.append(f'<path d="M{tx:.1f} {TOP}v{plot_h}" stroke="#ddd"/>'
                     f'<text x="{tx:.1f}" y="{TOP + plot_h + 18}" text-anchor="middle">{10**power:g}</text>')
    for name, kind, px, py in points:
        cx, cy = place(px, py)
        parts.append(_mark(MARKS[kinds.index(kind) % 3], cx, cy, COLOURS[series.index(name) % len(COLOURS)]))
    for i, name in enumerate(series):
        parts.append(_mark("circle", WIDTH - RIGHT + 20, TOP + 12 + 20 * i, COLOURS[i % len(COLOURS)])
                     + f'<text x="{WIDTH - RIGHT + 32}" y="{TOP + 16 + 20 * i}">{escape(name)}</text>')
    for i, kind in enumerate(kinds):
        row = TOP + 32 + 20 * (len(series) + i)
        parts.append(_mark(MARKS[i % 3], WIDTH - RIGHT + 20, row, "#555")
                     + f'<text x="{WIDTH - RIGHT + 32}" y="{row + 4}">{escape(kind)}</text>')
    middle = TOP + plot_h / 2
    parts.append(f'<text x="{LEFT + plot_w / 2}" y="{HEIGHT - 12}" text-anchor="middle">{escape(x)}</text>'
                 f'<text transform="translate(16 {middle}) rotate(-90)" text-anchor="middle">{escape(y)}</text></svg>')
    return "\n".join(parts)


def _mark(kind: str, x: float, y: float, colour: str) -> str:
    if kind == "square":
        return f'<rect x="{x - 5:.1f}" y="{y - 5:.1f}" width="10" height="10" fill="{colour}" fill-opacity=".85"/>'
    if kind == "diamond":
        return f'<path d="M{x:.1f} {y - 7:.1f}l7 7l-7 7l-7 -7z" fill="{colour}" fill-opacity=".85"/>'
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5.5" fill="{colour}" fill-opacity=".85"/>'
