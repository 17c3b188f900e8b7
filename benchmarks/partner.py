"""Does the default engine pass at the tier *partner*, and what does the larger k that it asks for cost in fidelity?

    python benchmarks/partner.py [--seeds 3] [--tables nafld,adult] [--tier partner]

Each table is learned with the defaults but for ``--k``, from that of the tier upwards, and brought to the gate; so many
people are held back as ``fabrica plan`` says, half of the 17,549 patients and 30 % of Adult, and as many rows are drawn
as were learned from. Fidelity is that of the report of ``synth``, against the people held back.
Prints a table, which also goes to results/partner.md.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import attacks
import numpy as np
from places import RESULTS, need_data

import fabrica
from fabrica.gatehouse.policy import TIERS

TARGET = {"nafld": "status", "adult": "income", "bank_marketing": "y", "magic": "class"}
FIDELITY = {"shape": "Shape", "trend_common": "Trend", "detector": "detector", "utility_gap": "points lost"}
HEAD = ("table", "people", "k", "verdicts", "not passed because of", *FIDELITY.values(), "seconds at the gate")
SHARE = {"nafld": 0.5}  #: of the people who are held back; of other tables .3
LINKS = {"nafld": {"case.id": {"personal": "none"}}}  #: columns that refer to other people, and tell of no several rows
KS = {"nafld": (10, 20, 30), "adult": (10, 20)}


def brought(name: str, k: int, seed: int, tier: str) -> dict:
    """One twin of one table: the verdict, what it did not pass, and its fidelity."""
    with tempfile.TemporaryDirectory() as place:
        data, out = Path(place) / f"{name}.csv", Path(place) / "out"
        people = attacks.read(name)
        people.to_csv(data, index=False)
        schema = Path(place) / "schema.yaml"
        schema.write_text(json.dumps(LINKS.get(name, {})), encoding="utf-8")
        share = SHARE.get(name, 0.3)
        settings = ["--holdout", str(share), "--rows", str(round(len(people) * (1 - share))), "--seed", str(seed),
                    "--target", TARGET[name], "--schema", str(schema)]
        subprocess.run([sys.executable, "-m", "fabrica", "synth", data, "-o", out, "--k", str(k), "-q", *settings],
                       check=True, stdout=subprocess.DEVNULL)
        started = time.perf_counter()
        decision = fabrica.gate(out, tier=tier)
        seconds = time.perf_counter() - started
        told = json.loads((out / "report.json").read_text(encoding="utf-8"))
    found = {one["metric"]: one["value"] for one in told["findings"] if not one.get("place")}
    return {"people": len(people), "verdict": decision.verdict, "seconds": seconds,
            "shut": [one.name for one in decision.outcomes if one.verdict != "PASS"],
            **{metric: found[metric] for metric in FIDELITY}}


def row(name: str, k: int, all_told: list[dict]) -> str:
    verdicts = [one["verdict"] for one in all_told]
    counted = ", ".join(f"{verdicts.count(verdict)} {verdict}" for verdict in dict.fromkeys(verdicts))
    shut = [test for one in all_told for test in one["shut"]]
    why = ", ".join(f"{test} {shut.count(test)}" for test in dict.fromkeys(shut))
    means = [f"{np.mean([one[metric] for one in all_told]):.3f}" for metric in FIDELITY]
    people = f"{all_told[0]['people']:,}"
    seconds = f"{np.mean([one['seconds'] for one in all_told]):.0f}"
    return f"| {' | '.join([name, people, str(k), counted, why, *means, seconds])} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--tables", default="nafld,adult")
    parser.add_argument("--tier", default="partner")
    asked = parser.parse_args()
    need_data()
    lines = [f"| {' | '.join(HEAD)} |", "|" + "---|" * len(HEAD)]
    for name in asked.tables.split(","):
        for k in KS.get(name, (5, TIERS[asked.tier].k)):
            lines.append(row(name, k, [brought(name, k, seed, asked.tier) for seed in range(1, asked.seeds + 1)]))
            print("\n".join(lines), flush=True)
            told = ["# The default engine at the gate", "", f"`python benchmarks/partner.py`, tier {asked.tier}", "",
                    *lines, ""]
            (RESULTS / "partner.md").write_text("\n".join(told), encoding="utf-8")


if __name__ == "__main__":
    main()
