"""What fabrica writes itself, of any table: the texts and names in its own source, and the words of its pages.

A value of few people that is such a word stands in every report, and tells of nobody.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import fabrica

__all__ = ["written"]

PAGES = (".html", ".js", ".css")
_FILLED = re.compile(r"\{[{%].*?[%}]\}|\n", re.DOTALL)  #: where a page is filled in, or a line ends


@cache
def written() -> frozenset[str]:
    """All texts in the source but docstrings, all names in it, and each line of a page.

    >>> {"metric", "INCONCLUSIVE"} <= written(), "Ouagadougou" in written()
    (True, False)
    """
    home = Path(fabrica.__file__).parent
    found = {file.stem for file in home.rglob("*.py")}
    for file in home.rglob("*.py"):
        found.update(_texts(ast.parse(file.read_text(encoding="utf-8"))))
    for file in home.rglob("*"):
        if file.suffix in PAGES:
            found.update(part.strip() for part in _FILLED.split(file.read_text(encoding="utf-8")))
    return frozenset(found)


def _texts(tree: ast.Module) -> Iterator[str]:
    said = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}  # docstrings
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in said:
            yield node.value
        elif isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.keyword | ast.arg) and node.arg:
            yield node.arg
