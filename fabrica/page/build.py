"""Templates to text. Every expression is escaped and cleaned here, at one place; styles and script are named by their
hash in the page's own security policy, so nothing that slipped through could run.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from fabrica.page.heat import Heat, Matrix
from fabrica.page.numbers import clean, number, plain, short
from fabrica.page.view import view
from fabrica.report import Report
from fabrica.version import VERSION

__all__ = ["page", "summary"]


def page(report: Report) -> str:
    """The whole page."""
    env = _environment()
    style, script = env.get_template("style.css").render(), env.get_template("page.js").render()
    policy = (f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
              "base-uri 'none'; form-action 'none'")
    shown = view(report)
    return env.get_template("page.html").render(
        v=shown, style=style, script=script, policy=policy, version=VERSION,
        heat_data=_heat_data(shown.pairs.heat) if shown.pairs else None)


def summary(report: Report) -> str:
    """The fragment for a notebook."""
    return _environment().get_template("summary.html").render(v=view(report))


@cache
def _environment() -> Environment:
    env = Environment(loader=PackageLoader("fabrica.page", "templates"), autoescape=True, undefined=StrictUndefined,
                      trim_blocks=True, lstrip_blocks=True, finalize=_cleaned)
    env.filters.update(short=short, number=number, plain=plain)
    return env


def _cleaned(value: Any) -> Any:
    """Text without characters that no HTML file may hold; markup made by the templates themselves passes."""
    return clean(value) if type(value) is str else value


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _heat_data(heat: Heat) -> dict[str, Any]:
    """What the pointer needs to name the cell under it: names, and the lower triangle with few digits."""
    def lower(matrix: Matrix) -> list[list[float | None]]:
        return [[None if (v := row[j]) is None else round(v, 2) for j in range(i)] for i, row in enumerate(matrix)]
    return {"names": [short(n, 60) for n in heat.names], "cell": heat.cell, "values": lower(heat.values),
            "floors": lower(heat.floors)}
