"""The tables of the docs that grow from the code, so that each fact is said once.

    python tests/docs/tables.py     writes them into docs/*.md
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from fabrica import catalog, errors
from fabrica.cli.list import limits, settings
from fabrica.laws import LAWS
from fabrica.schema import KINDS, Column
from fabrica.specification.column import SPECIAL

DOCS = Path(__file__).resolve().parents[2] / "docs"
SLOT = re.compile(r"(<!-- table: (\w+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines) + "\n"


def plugins(family: str) -> list[tuple[str, Any]]:
    return [(name, catalog.get(family, name)) for name in catalog.names(family)]


def engines() -> str:
    rows = ((f"`{n}`", w.title, w.source) for n, w in plugins("engines"))
    return table(("engine", "what it is", "source"), rows) + "\n" + set_table("engine", "engines")


def codecs() -> str:
    kinds = ((f"`{n}`", w.title, ", ".join(w.kinds)) for n, w in plugins("codecs"))
    return table(("codec", "what it is", "kinds"), kinds) + "\n" + set_table("codec", "codecs")


def metrics() -> str:
    rows = ((f"`{n}`", w.title, w.source) for n, w in plugins("metrics"))
    return table(("metric", "what it answers", "source"), rows) + "\n" + set_table("metric", "metrics")


def sources() -> str:
    return table(("source", "what it is", "endings"),
                 ((f"`{n}`", w.title, " ".join(f"`{s}`" for s in w.suffixes)) for n, w in plugins("sources")))


def set_table(word: str, family: str) -> str:
    rows = [(f"`{name}`", f"`{one['name']}`", f"`{one['default']}`", one["help"] + limits(one))
            for name, way in plugins(family) for one in settings(way)]
    return table((word, "setting", "default", "meaning"), rows) if rows else "They have no settings.\n"


def kinds() -> str:
    return table(("kind", "what it is"), ((f"`{name}`", words) for name, words in KINDS.items()))


def laws() -> str:
    numbers = ((f"`{n}`", d.title, " or ".join(f"`{form}`" for form in d.said())) for n, d in LAWS.items())
    others = ((f"`{n}`", title, f"`{said}`") for n, (title, said, _) in SPECIAL.items())
    return table(("distribution", "what it is", "parameters"), [*numbers, *others])


def fields() -> str:
    said = dict(re.findall(r"^    (\w+) : (.*?)(?=^    \w+ : |\Z)", Column.__doc__ or "", re.DOTALL | re.MULTILINE))
    rows = ((f"`{f.name}`", " ".join(said[f.name].split())) for f in dataclasses.fields(Column))
    return table(("field", "meaning"), rows)


def error_classes() -> list[type[errors.FabricaError]]:
    return [getattr(errors, name) for name in errors.__all__]


def all_errors() -> str:
    return table(("error", "when", "exit code"),
                 ((f"`{e.__name__}`", (e.__doc__ or "").splitlines()[0], str(e.exit_code)) for e in error_classes()))


TABLES = {"engines": engines, "codecs": codecs, "metrics": metrics, "sources": sources, "kinds": kinds, "laws": laws,
          "fields": fields, "errors": all_errors}


def filled(text: str) -> str:
    """A page with its tables as the code has them now."""
    return SLOT.sub(lambda m: m[1] + TABLES[m[2]]() + m[4], text)


if __name__ == "__main__":
    for page in sorted(DOCS.glob("*.md")):
        page.write_text(filled(page.read_text(encoding="utf-8")), encoding="utf-8")
