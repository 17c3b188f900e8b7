"""The half-train membership attack on the defaults of every engine, and of the peers: the test that decides.

    python benchmarks/closeness.py [--peers] [--data adult,magic] [--only trees,boosted] [--seeds 3]

Every generator learns one random half of the training table; the attack tells its members from the other half (up to
8,000 people a side), and C2ST is against the members and against the half that nobody learned from. Means over the
seeds (other halves, other draws) with their standard errors; what was measured before stays in the table.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

from fidelity import made, wanted
from places import DATA, RESULTS, Data, need_data, score, yardstick
from trade import halves, summary

HEAD = ("data", "generator", "fit CPU-s", "C2ST members", "C2ST unseen half", "attack all", "attack outliers", "seeds")


def run(name: str, data: Data, seed: int) -> dict:
    """One twin of one half, and its score."""
    with tempfile.TemporaryDirectory() as folder:
        members, others = halves(data, seed, Path(folder))
        twin = Path(folder, "twin.csv")
        cost = made(name, members, seed, twin)
        return {**score(data, twin, train=members, test=others, attack=8000), "fit": cost["fit"]}


def table(results: dict[str, dict[str, list[dict]]]) -> str:
    lines = ["| " + " | ".join(HEAD) + " |", "|" + "---|" * len(HEAD)]
    for data, generators in results.items():
        for name, scores in generators.items():
            several = len(scores) > 1
            said = [f"{m:.3f} ± {error:.3f}" if several else f"{m:.3f}" for m, error in summary(scores).values()]
            fit = sum(s["fit"] for s in scores) / len(scores)
            lines.append("| " + " | ".join([data, name, f"{fit:.1f}", *said, str(len(scores))]) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peers", action="store_true")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", default="", help="words of the names of generators, with commas; empty: all")
    parser.add_argument("--data", default=",".join(d.name for d in DATA))
    said = parser.parse_args()
    need_data()
    yardstick()
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / "closeness.json"
    results: dict = json.loads(file.read_text()) if file.exists() else {}
    for data in (d for d in DATA if d.name in said.data.split(",")):
        for name in wanted(said.only, said.peers):
            scores = [run(name, data, seed) for seed in range(1, said.seeds + 1)]
            results.setdefault(data.name, {})[name] = scores
            file.write_text(json.dumps(results, indent=1))
            print(data.name, name, summary(scores), flush=True)
    (RESULTS / "closeness.md").write_text(table(results) + "\n")
    print(table(results))


if __name__ == "__main__":
    main()
