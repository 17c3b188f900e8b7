"""Puts the measured tables of ``results/`` into the README and the docs, between their marks.

    python benchmarks/readme.py
"""

from __future__ import annotations

import re

from places import HERE, RESULTS

#: page -> the tables in it
PAGES = {"README.md": ("fidelity", "speed", "closeness", "imputation", "conditions", "trade"),
         "docs/scenarios.md": ("scenarios",), "docs/boost.md": ("boost",),
         "docs/privacy.md": ("privacy",)}


def main() -> None:
    for name, tables in PAGES.items():
        page = HERE.parent / name
        text = page.read_text(encoding="utf-8")
        for one in tables:
            table = (RESULTS / f"{one}.md").read_text(encoding="utf-8").strip()
            mark = re.compile(rf"(<!-- {one} -->\n).*?(<!-- /{one} -->)", re.DOTALL)
            text = mark.sub(lambda m, table=table: f"{m[1]}{table}\n{m[2]}", text)
        page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
