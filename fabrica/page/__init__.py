"""The report as people read it: one self-contained HTML page, a fragment for notebooks, and lines for a terminal.

Everything shown comes from the ``Report``; nothing here sees a row. Names are hostile until escaped: all markup is
written by autoescaping templates, and the page's own security policy lets the browser load and run nothing but what is
in the file.
"""

from __future__ import annotations

from fabrica.page.words import text
from fabrica.report import Report

__all__ = ["page", "summary", "text"]


def page(report: Report) -> str:
    """One HTML file: no network, light and dark, printable, readable without JavaScript."""
    from fabrica.page.build import page as build

    return build(report)


def summary(report: Report) -> str:
    """A compact HTML fragment for a notebook: scoped styles, no script."""
    from fabrica.page.build import summary as build

    return build(report)
