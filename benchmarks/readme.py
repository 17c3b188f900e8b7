"""Puts the measured tables of ``results/`` into the README, between their marks.

    python benchmarks/readme.py
"""

from __future__ import annotations

import re

from places import HERE, RESULTS


def main() -> None:
    page = HERE.parent / "README.md"
    text = page.read_text(encoding="utf-8")
    for name in ("fidelity", "speed", "closeness", "imputation", "conditions", "trade"):
        table = (RESULTS / f"{name}.md").read_text(encoding="utf-8").strip()
        mark = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
        text = mark.sub(lambda m, table=table: f"{m[1]}{table}\n{m[2]}", text)
    page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
