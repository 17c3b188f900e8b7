"""The picture of docs/rules.md: twins of made-up orders, learned without rules and with them.

    python benchmarks/rules_picture.py     writes docs/rules.svg

Left the total against the sum of its parts, right the end against the start; red is what breaks the rule.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

import fabrica

OUT = Path(__file__).resolve().parents[1] / "docs" / "rules.svg"
SIZE, GAP, ROWS = 210, 46, 350
RULES = ["total == net + tax", "end >= start"]


def world(rows: int = 4_000) -> pd.DataFrame:
    random = np.random.default_rng(1)
    net = np.round(random.gamma(2, 40, rows), 2)
    tax = np.round(net * random.choice([0.07, 0.19], rows), 2)
    start = random.integers(0, 300, rows)
    return pd.DataFrame({"net": net, "tax": tax, "total": np.round(net + tax, 2), "start": start,
                         "end": start + random.geometric(0.04, rows) - 1})


def panel(x: np.ndarray, y: np.ndarray, broken: np.ndarray, left: float, top: float, words: tuple[str, str]) -> str:
    """Points in a square."""
    high = max(x.max(), y.max())
    parts = [f'<rect x="{left}" y="{top}" width="{SIZE}" height="{SIZE}" fill="none" stroke="#999"/>']
    for a, b, bad in zip(x / high * SIZE, y / high * SIZE, broken, strict=True):
        colour = "#d55e00" if bad else "#0072b2"
        parts.append(f'<circle cx="{left + a:.1f}" cy="{top + SIZE - b:.1f}" r="1.8" fill="{colour}" '
                     'fill-opacity=".6"/>')
    parts.append(f'<text x="{left + SIZE / 2}" y="{top + SIZE + 18}" text-anchor="middle">{words[0]}</text>'
                 f'<text transform="translate({left - 8} {top + SIZE / 2}) rotate(-90)" text-anchor="middle">'
                 f'{words[1]}</text>')
    return "".join(parts)


def main() -> None:
    width, height = 4 * SIZE + 5 * GAP, SIZE + 2 * GAP + 14
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" font-size="12" '
             'font-family="system-ui, sans-serif"><title>Twins without rules and with rules</title>'
             f'<rect width="{width}" height="{height}" fill="#fff"/>']
    for i, (rules, title) in enumerate((([], "without rules"), (RULES, "with rules"))):
        twin = fabrica.fit(world(), engine="trees", seed=1, rules=rules).sample(ROWS, seed=1)
        both, total = (twin.net + twin.tax).to_numpy(), twin.total.to_numpy()
        start, end = twin.start.to_numpy(), twin.end.to_numpy()
        left = GAP + i * 2 * (SIZE + GAP)
        off, before = np.abs(both - total) > 0.0049, end < start
        told = f"{title}: {100 * (off | before).mean():.0f} % of the rows break a rule"
        parts.append(f'<text x="{left}" y="{GAP - 14}" font-weight="600">{told}</text>')
        parts.append(panel(both, total, off, left, GAP, ("net + tax", "total")))
        parts.append(panel(start, end, before, left + SIZE + GAP, GAP, ("start", "end")))
    OUT.write_text("\n".join([*parts, "</svg>\n"]))


if __name__ == "__main__":
    main()
