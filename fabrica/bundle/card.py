"""The data card: page one, what the columns are, how it was judged, for a person; as Markdown and as one HTML page.

No value of any table stands in it, real or synthetic. Names are hostile until escaped: the HTML is written by an
autoescaping template whose own security policy lets the browser load nothing, and run nothing at all. The head of the
Markdown has the keys that the Hugging Face hub reads.

Gebru et al., "Datasheets for Datasets", Communications of the ACM 64, 2021; Pushkarna et al., "Data Cards", FAccT 2022.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from fabrica.bundle.canonical import canonical
from fabrica.bundle.limits import plain_text
from fabrica.bundle.made import Made
from fabrica.bundle.page_one import lines, verdict_line
from fabrica.page.numbers import clean
from fabrica.version import VERSION

__all__ = ["html_card", "markdown_card", "verify_page"]

PASSES = ("A risk passes only where the upper end of its one-sided 95 % bound is within its threshold; counts, and "
          "gaps between groups, are told as the number itself.")
SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"),
         (10_000_000, "1M<n<10M"))
READ = (("verify.html, verify.py, TRUST.md", "check that nothing was changed, and who signed"),
        ("evidence/gate.json", "each test with its bound and its threshold"),
        ("evidence/privacy.json", "what somebody who holds this may find out about people"),
        ("evidence/dp.json", "what noise promises, if it does"),
        ("evidence/fidelity.json, evidence/utility.json", "how like the real rows, and how useful"),
        ("evidence/fairness.json", "protected groups beside each other"),
        ("limits.md", "intended and prohibited use, known failures, what is not covered"),
        ("approvals.json, provenance.json", "who answers for it, and where it comes from"))


def markdown_card(made: Made, claim: Mapping[str, Any], tests: Sequence[Mapping[str, Any]]) -> str:
    """The text of ``datacard.md``."""
    size = next((name for most, name in SIZES if claim["rows"] < most), "n>10M")
    columns = "\n".join(f"| {plain_text(one['name'])} | {one['kind']} | {plain_text(_personal(made, one))} |"
                        for one in made.columns)
    judged = "\n".join(f"| {' | '.join(map(plain_text, _row(test)))} |" for test in tests)
    page = "\n".join(f"- {plain_text(line)}" for line in lines(claim))
    read = "\n".join(f"| `{name}` | {words} |" for name, words in READ)
    return f"""---
pretty_name: {canonical(claim['name'] + ' (synthetic)').decode()}
tags: [synthetic, tabular]
size_categories: [{size}]
source_datasets: [private]
license: other
---

# {plain_text(claim['name'])}, synthetic

**These rows are synthetic: drawn from a model.** One may equal a real row by chance.

This release {plain_text(verdict_line(claim))}.

{page}

## Columns

| column | kind | personal data in the source |
|---|---|---|
{columns}

## How it was judged

| test | what | verdict | bound, or number | threshold |
|---|---|---|---|---|
{judged}

{PASSES}

## What else is here

| file | what it tells |
|---|---|
{read}

Made with fabrica {VERSION}.
"""


def html_card(made: Made, claim: Mapping[str, Any], tests: Sequence[Mapping[str, Any]]) -> str:
    """The text of ``datacard.html``."""
    env = _environment()
    style = env.get_template("bundle.css").render()
    policy = f"default-src 'none'; style-src '{_hash(style)}'; base-uri 'none'; form-action 'none'"
    columns = [{**one, "personal": _personal(made, one)} for one in made.columns]
    return env.get_template("datacard.html").render(
        claim=claim, verdict=verdict_line(claim), lines=lines({**claim, "waivers": []})[1:], columns=columns,
        tests=[_row(test) for test in tests], read=READ, passes=PASSES, style=style, policy=policy, version=VERSION)


def verify_page() -> str:
    """The text of ``verify.html``, the same in every bundle of a version."""
    env = _environment()
    style, script = (env.get_template(name).render() for name in ("bundle.css", "verify.js"))
    policy = (f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
              "base-uri 'none'; form-action 'none'")
    return env.get_template("verify.html").render(style=style, script=script, policy=policy, version=VERSION)


def _personal(made: Made, column: Mapping[str, str]) -> str:
    return column["personal"] or ("–" if made.looked_for_people else "not looked for")


def _row(test: Mapping[str, Any]) -> list[str]:
    bound, threshold = test.get("high", test.get("value")), test.get("threshold")
    return [str(test.get("id", "")), str(test.get("name", "")), str(test.get("verdict", "")),
            *("–" if one is None else f"{one:.4g}" if isinstance(one, float) else str(one)
              for one in (bound, threshold))]


@cache
def _environment() -> Environment:
    return Environment(loader=PackageLoader("fabrica.bundle", "templates"), autoescape=True, undefined=StrictUndefined,
                       trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=False,
                       finalize=lambda value: clean(value) if type(value) is str else value)


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
