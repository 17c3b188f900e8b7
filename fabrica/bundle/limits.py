"""What a release is for, what it must not be used for, and what is known to be wrong or open: ``limits.md``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fabrica.bundle.made import Made
from fabrica.bundle.page_one import verdict_line

__all__ = ["limits", "plain_text"]

PROHIBITED = (
    "finding out whose data the model was learned from, or anything about a single person",
    "linking rows with other data about people",
    "decisions about a single person that rest on these rows alone",
    "passing it on to others than the recipients named, or using it after its last day",
    "taking it for the real population where evidence/fidelity.json or evidence/fairness.json says that it differs",
)
UNCOVERED = (
    "attacks that nobody knows yet: the tests are those of the gate, on the day it ran",
    "what a recipient knows beside it: the attackers of the tests hold a part of the holdout, not everything",
    "other releases from the same source, unless an account of differential privacy sums them",
    "the law: whether these rows are personal data for a recipient is for that recipient's counsel to say",
    "the truth of the source: its errors and biases are learned with it",
)


def plain_text(text: Any) -> str:
    """A text of others for Markdown: one line, nothing that means markup.

    >>> plain_text("<b>|`x`|</b>")
    '\\\\<b\\\\>\\\\|\\\\`x\\\\`\\\\|\\\\</b\\\\>'
    """
    return "".join(f"\\{c}" if c in "\\`*_{}[]<>#|!" else c for c in " ".join(str(text).split()))


def limits(made: Made, claim: Mapping[str, Any], tests: Sequence[Mapping[str, Any]], withheld: int) -> str:
    """The text of ``limits.md``; ``tests`` as the gate's evidence shows them, ``withheld``: findings left out."""
    return "\n".join([
        "# Limits", "", f"This release {plain_text(verdict_line(claim))}.", "",
        "## Intended use", "",
        f"- purpose: {plain_text(claim['purpose'] or 'not stated; ask the approvers')}",
        f"- recipients: {plain_text(', '.join(claim['recipients']) or 'not stated; ask the approvers')}",
        f"- until: {claim['expires']}; it must be judged again after that", "",
        "## Prohibited use", "", *(f"- {one}" for one in PROHIBITED), "",
        "## Known failures and open tests", "", *_failures(claim, tests), "",
        "## Left out and suppressed", "", *_suppressed(made, claim, withheld), "",
        "## Not covered", "", *(f"- {one}" for one in (*UNCOVERED, *_noise(made))), ""])


def _failures(claim: Mapping[str, Any], tests: Sequence[Mapping[str, Any]]) -> list[str]:
    found = [f"- {plain_text(test.get('id'))} {plain_text(test.get('name'))}: {plain_text(test['verdict'])}"
             f"{'. ' + plain_text(test['why']) if test.get('why') else ''}"
             for test in tests if test.get("verdict") != "PASS"]
    found += [f"- judged at tier {claim['tier']} and told to everybody: {plain_text(one)}"
              for one in [claim["beyond_tier"]] if one]
    found += [f"- loosened by waiver: {plain_text(one)}" for one in claim["waivers"]]
    return found or ["- none: every test of the gate passed"]


def _suppressed(made: Made, claim: Mapping[str, Any], withheld: int) -> list[str]:
    found = ["- levels and ends that fewer than k people hold are not drawn; groups of fewer people are not judged"]
    if claim["profile"] == "public":
        found.append(f"- {withheld} findings about less than a whole column are left out of this public profile, and "
                     "so are drawings, the report and the seed")
    few = max([int((one.get("detail") or {}).get("small_groups") or 0) for one in made.findings], default=0)
    if few:
        found.append(f"- {few} groups of too few people are counted, and nothing else is told of them")
    unmeasured = sorted({str(one.get("metric")) for one in made.findings if one.get("value") is None})
    if unmeasured:
        found.append(f"- not computed at least at one place: {', '.join(map(plain_text, unmeasured))}")
    secret = made.ledger is not None and claim["profile"] == "public"  # of the real rows then only noise tells
    if made.real_rows is not None and claim["rows"] > made.real_rows and not secret:
        found.append("- warning: more rows are released than the source has. Each further row tells a little more "
                     "of the source, and repeats its patterns without being further evidence of them")
    return found


def _noise(made: Made) -> list[str]:
    if made.ledger is None:
        return ["differential privacy: none is claimed; the bounds are those of the attacks that were run"]
    return [f"differential privacy: {plain_text(one)}" for one in made.ledger.uncovered] + [
        "differential privacy does not cover what was measured for this bundle on real rows"]
