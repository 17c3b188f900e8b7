"""The evidence, one file for each question that a board asks: privacy, fidelity, use, fairness, noise, identifiers.

A question that was not answered has its file too, and the file says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fabrica.bundle import public
from fabrica.bundle.made import Made
from fabrica.page.groups import GROUPS

__all__ = ["QUESTIONS", "evidence"]

#: the file -> what it answers
QUESTIONS = {"privacy": "what somebody who holds this may find out about people",
             "fidelity": "how much the synthetic rows are like the real ones",
             "utility": "what a model is worth that learned from it, on real rows it never saw",
             "fairness": "whom it treats how: protected groups beside each other"}
#: section of the report -> the file; other sections go to fidelity
SECTIONS = {"copies": "privacy", "attacks": "privacy", "privacy": "privacy", "utility": "utility",
            "people": "fairness"}
UNMEASURED = "not measured for this release"


def evidence(made: Made, profile: str) -> dict[str, dict[str, Any]]:
    """Name of each file under ``evidence/`` -> its content."""
    told = public.decision(made.decision) if profile == "public" else made.decision
    files = {"gate.json": told.to_json()}
    for question in QUESTIONS:
        files[f"{question}.json"] = _answer(made, question, profile)
    files["dp.json"] = _noise(made)
    files["identifiers.json"] = _identifiers(made, files["gate.json"])
    return files


def _question(metric: str) -> str:
    """The file that a metric belongs to.

    >>> _question("membership"), _question("shape"), _question("utility")
    ('privacy', 'fidelity', 'utility')
    """
    section = next((anchor for anchor, *_, metrics in GROUPS if metric in metrics), "")
    return SECTIONS.get(section, "fidelity")


def _answer(made: Made, question: str, profile: str) -> dict[str, Any]:
    own = [one for one in made.findings if _question(str(one.get("metric"))) == question]
    told: list[Mapping[str, Any]] = own
    if profile == "public":
        rounded = [public.finding(one, made.names, _is_risk(question, one)) for one in own]
        told = [one for one in rounded if one is not None]
    found = {"fabrica_evidence": 1, "question": QUESTIONS[question], "profile": profile, "measured": bool(own),
             "withheld": len(own) - len(told), "findings": told}
    if question == "fidelity":
        found["likeness"] = made.likeness
    return found if own else {**found, "problem": UNMEASURED}


def _is_risk(question: str, finding: Mapping[str, Any]) -> bool:
    return question == "privacy" or "risk" in str(finding.get("metric"))


def _noise(made: Made) -> dict[str, Any]:
    """The promise of differential privacy with all that it rests on, to be reckoned again."""
    if made.ledger is None:
        return {"fabrica_evidence": 1, "question": "what noise promises", "measured": False,
                "problem": "no differential privacy is claimed"}
    return {"fabrica_evidence": 1, "question": "what noise promises", "measured": True,
            "epsilon": made.ledger.epsilon(), "delta": made.ledger.terms.delta, "unit": made.ledger.terms.whose,
            "not_covered": [*made.ledger.uncovered,
                            "what was measured for this bundle on real rows: the gate and the other evidence"],
            "noise_source": "the operating system's secret source; it has no seed",
            "ledger": made.ledger.to_json()}


def _identifiers(made: Made, gate: Mapping[str, Any]) -> dict[str, Any]:
    """Which columns held personal data, and what the gate found of it in the files."""
    own = [one for one in made.columns if one["personal"]]
    tests = [test for test in gate["tests"] if "identif" in str(test.get("name", "")) or test.get("id") == "G0"]
    return {"fabrica_evidence": 1, "measured": bool(tests), "searched": made.looked_for_people, "columns": own,
            "tests": tests,
            "question": "which columns held personal data, and whether any of it stands in a file",
            "method": "values are recognised by form, check digits and word lists; in columns of direct identifiers "
                      "all values are made afresh",
            **({} if tests else {"problem": UNMEASURED})}
