"""What stands on page one, in words: verdict, policy, tier, waivers, approvals, expiry. One text for all places."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fabrica.page.numbers import clean

__all__ = ["lines", "verdict_line"]

PROFILES = {"internal": "internal: numbers are given in full",
            "public": "public: risks are rounded up to 0.01, counts to 5; what is about few people is left out"}


def verdict_line(claim: Mapping[str, Any]) -> str:
    """The verdict in a sentence.

    >>> verdict_line({"verdict": "PASS", "policy": "house", "tier": "partner", "tests": 9})
    'passed policy house at tier partner on these 9 tests'
    """
    at = f"policy {claim['policy']} at tier {claim['tier']}"
    if claim["verdict"] == "PASS":
        return f"passed {at} on these {claim['tests']} tests"
    how = "FAILED" if claim["verdict"] == "FAIL" else "is INCONCLUSIVE under"
    return f"{how} {at}; released without a pass, because: {claim['without_pass']}"


def signed_line(claim: Mapping[str, Any]) -> str:
    """How many different people have approved and how many keys have signed: a name is a record, and only a key is a
    signature.

    >>> signed_line({"approvals_counted": 2, "approvals_asked": 2, "signers": ["0a"]})
    'approvals: 2 (the policy asks for 2), keys that signed: 1; who approved is the word of the one who signed'
    """
    people, keys = claim["approvals_counted"], len(claim["signers"])
    return (f"approvals: {people} (the policy asks for {claim['approvals_asked']}), keys that signed: {keys}; "
            f"who approved is the word of {'the one' if keys == 1 else 'all'} who signed")


def lines(claim: Mapping[str, Any]) -> list[str]:
    """Page one, a line each, from the claim of a statement; without signs that a terminal would obey."""
    found = [verdict_line(claim), f"attempts at this gate: {claim['attempts']}"]
    found += [f"decided before about the same file: {one}" for one in claim["before"]]
    found += [f"told to everybody though it was judged at tier {claim['tier']}, because: {one}"
              for one in [claim["beyond_tier"]] if one]
    found += [f"waiver: {one}" for one in claim["waivers"]]
    found += [f"approval recorded by the signer: {one['role']}: {one['name']}" for one in claim["approvals"]]
    found.append(signed_line(claim))
    found += [f"purpose: {claim['purpose'] or 'not stated'}",
              f"recipients: {', '.join(claim['recipients']) or 'not stated'}",
              f"valid until {claim['expires']}, made {claim['made']}"]
    if claim["data"]:
        found.append(f"data: {claim['data']}, {claim['rows']} rows, {claim['columns']} columns, all synthetic")
    found += [f"people: {claim['source']}", f"likeness to the real rows: {claim['likeness']}"]
    if claim["model"]:
        found.append(f"model: {claim['model']}; whoever holds a model can find out more than from rows")
    found.append(f"differential privacy: epsilon {claim['epsilon']} at delta {claim['delta']} for {claim['unit']}"
                 if claim["epsilon"] else "differential privacy: none is claimed")
    found.append(f"profile {PROFILES[claim['profile']]}")
    return [clean(line) for line in [*found, *(f"signed with key {one}" for one in claim["signers"])]]
