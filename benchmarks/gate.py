"""Does the gate decide rightly? On releases of real tables whose truth is known.

    python benchmarks/gate.py [--releases 26] [--tables adult,bank_marketing,magic,nafld] [--part 0/2]

Releases are made as in ``attacks.py``: a fresh one holds people who are in neither part, so that nothing leaks; a leaky
one has 1 % of its rows replaced by verbatim copies of the most isolated members; bootstrap and smote are published weak
generators. All attacks that need no engine strike, and what they find goes through the tests of the gate. Left out is
what is counted exactly (levels and ends of few people, which fresh *real* rows hold by nature) and what needs an engine
(canaries), and positive controls are not repeated. A leaky release is not attacked further once a test has failed.

Wrongly failed: a fresh release with a test that says FAIL. Wrongly passed: a leaky one whose tests all say PASS.
``--part i/n`` takes every n-th release, so that several processes share the work; ``--tell a,b`` joins what they found.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace

import attacks
from attacks import KINDS, Release, whole
from places import RESULTS, need_data

from fabrica import catalog
from fabrica.attack import Attack
from fabrica.bounds import share
from fabrica.contract import Evidence
from fabrica.errors import NotComputable
from fabrica.gatehouse.case import Case
from fabrica.gatehouse.checks import outcomes
from fabrica.gatehouse.outcome import FAIL, PASS, joined
from fabrica.gatehouse.policy import Policy
from fabrica.gatehouse.rare import Rare
from fabrica.report import Finding, Report
from fabrica.run import Run
from fabrica.schema import Table
from fabrica.world import World

ATTACKS = ("verbatim", "verbatim_but_one", "singling_out", "linkability", "membership", "density", "outliers",
           "inference")
NO_ENGINE = {"tier": "partner", "field": "canaries", "reason": "no engine", "by": "benchmark"}
POLICY = Policy.from_json({"name": "without canaries", "tiers": {"partner": {"canaries": 0}}, "waivers": [NO_ENGINE]})
TIERS = ("internal", "partner")
attacks.MEMBERS, attacks.HELD_BACK = 8_000, 6_000


def findings(table: Table, parts: Release, run: Run, stop: bool) -> list[Finding]:
    """What the attacks find; with ``stop`` no more once the loosest tier has failed."""
    real, rest, twin = parts
    evidence = Evidence(table, real, twin, rest)
    found = list(catalog.get("metrics", "alike")().judge(evidence, run.child("alike")))
    world = World.of(evidence, run.child("world"))
    for name in ATTACKS:
        attack: Attack = catalog.get("metrics", name)()
        try:
            told = attack.made(world, run.child(name), control=False)
        except NotComputable as why:
            told = [Finding(name, None, problem=why.what)]
        found += [replace(one, detail={**one.detail, "control": "found"}) for one in told]
        if stop and any(one.verdict == FAIL for one in decided(found, parts, "internal")):
            break
    return found


def decided(found: list[Finding], parts: Release, tier: str) -> list:
    real, rest, twin = parts
    return outcomes(Case(POLICY, tier, Report(tuple(found)), twin.rows, real.rows + rest.rows, Rare()))


def run_one(name: str, kind: str, number: int) -> dict:
    started = time.process_time()
    table, sheet = whole(name)
    run = Run(1_000 + number, workers=1)
    parts = attacks.release(sheet, kind, run.child("release"))
    found = findings(table, parts, run.child("attacks"), stop=kind != "fresh")
    said = {}
    for tier in TIERS:
        every = decided(found, parts, tier)
        said[tier] = {"verdict": joined(every), "shut": {one.name: one.verdict for one in every if one.verdict != PASS}}
    said["numbers"] = {one.metric: [one.value, one.low, one.high, one.floor] for one in found if not one.place}
    return {"table": name, "kind": kind, "number": number, "seconds": round(time.process_time() - started, 1), **said}


def tell(found: list[dict]) -> list[str]:
    told = __doc__.split("\n\n", 2)[2].strip()
    lines = ["# How well the gate decides", "", "`python benchmarks/gate.py`", "", told, "",
             "| tier | twin | releases | PASS | FAIL | INCONCLUSIVE | wrong | at most (95 %) | not passed because of |",
             "|---|---|---|---|---|---|---|---|---|"]
    for tier in TIERS:
        for kind in KINDS:
            some = [one for one in found if one["kind"] == kind]
            if not some:
                continue
            verdicts = [one[tier]["verdict"] for one in some]
            counts = {name: verdicts.count(name) for name in (PASS, FAIL, "INCONCLUSIVE")}
            wrong = counts[FAIL] if kind == "fresh" else counts[PASS]
            shut: dict[str, int] = {}
            for one in some:
                for name in one[tier]["shut"]:
                    shut[name] = shut.get(name, 0) + 1
            why = ", ".join(f"{name} {n}" for name, n in sorted(shut.items(), key=lambda pair: -pair[1])[:4])
            lines.append(f"| {tier} | {kind} | {len(some)} | " + " | ".join(str(n) for n in counts.values())
                         + f" | {wrong} | {100 * share(wrong, len(some))[1]:.1f} % | {why} |")
    lines += ["", *bounds([one["numbers"] for one in found if one["kind"] == "fresh"])]
    by_table = ", ".join(f"{name} {sum(one['table'] == name for one in found)}" for name in
                         dict.fromkeys(one["table"] for one in found))
    return [*lines, "", f"Releases by table: {by_table}; up to {attacks.MEMBERS:,} people learned from and "
            f"{attacks.HELD_BACK:,} held back.", ""]


def bounds(fresh: list[dict]) -> list[str]:
    """How often the bounds of each attack hold where nothing leaks; either may be wrong in 5 %."""
    lines = ["| attack | releases where nothing leaks | lower bound above luck | upper bound below it |",
             "|---|---|---|---|"]
    for name in dict.fromkeys(name for numbers in fresh for name in numbers):
        said = [numbers[name] for numbers in fresh if numbers.get(name, [None])[0] is not None]
        alarms, missed = (sum(one[1] > one[3] for one in said), sum(one[2] < one[3] for one in said))
        lines.append(f"| {name} | {len(said)} | {alarms} | {missed} |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--releases", type=int, default=26)
    parser.add_argument("--weak", type=int, default=4, help="releases of bootstrap and smote of each table")
    parser.add_argument("--tables", default="adult,bank_marketing,magic,nafld")
    parser.add_argument("--part", default="0/1")
    parser.add_argument("--out", default="gate")
    parser.add_argument("--tell", default="")
    asked = parser.parse_args()
    if asked.tell:
        found = [one for name in asked.tell.split(",") for one in json.loads((RESULTS / f"{name}.json").read_text())]
    else:
        need_data()
        part, of = map(int, asked.part.split("/"))
        jobs = [(name, kind, number) for number in range(asked.releases) for name in asked.tables.split(",")
                for kind in KINDS if kind in ("fresh", "leaky") or number < asked.weak]
        found = []
        for job in jobs[part::of]:
            found.append(run_one(*job))
            print(found[-1], flush=True)
            (RESULTS / f"{asked.out}.json").write_text(json.dumps(found), encoding="utf-8")
    lines = tell(found)
    (RESULTS / "gate.md").write_text("\n".join(lines), encoding="utf-8")
    (RESULTS / "gate.json").write_text(json.dumps(found), encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
