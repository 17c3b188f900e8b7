"""Fidelity against closeness to people: the half-train membership attack over the leaves of ``trees``.

    python benchmarks/trade.py [--data adult,magic]

The engine learns one random half of the training table; the attack tells its members from the other half, which is the
harsher test (4,000 people a side, error about .008), and C2ST is against that unseen half.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from places import DATA, RESULTS, Data, need_data, score

HERE = Path(__file__).resolve().parent
LEAVES = (10, 15, 25, 50, 100)


def halves(data: Data, folder: Path) -> tuple[Path, Path]:
    """The training table in two random halves."""
    head, *rows = data.train.read_text().splitlines()
    random.Random(5).shuffle(rows)
    files = folder / "members.csv", folder / "others.csv"
    for file, part in zip(files, (rows[: len(rows) // 2], rows[len(rows) // 2:]), strict=True):
        file.write_text("\n".join([head, *part]) + "\n")
    return files


def run(data: Data, leaf: int, folder: Path) -> dict:
    members, others = halves(data, folder)
    twin = folder / "twin.csv"
    command = [sys.executable, HERE / "generators" / "fabrica_engine.py", members, twin, 1, "trees", 0, f"leaf={leaf}",
               f"pure={min(10, leaf)}"]
    subprocess.run([str(c) for c in command], check=True, capture_output=True)
    return score(data, twin, train=members, test=others, attack=4000)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="adult,shoppers,magic")
    chosen = parser.parse_args().data.split(",")
    need_data()
    results: dict[str, dict[int, dict]] = {}
    head = ("data", "leaf", "C2ST members", "C2ST unseen half", "attack all", "attack outliers")
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    with tempfile.TemporaryDirectory() as name:
        for data in (d for d in DATA if d.name in chosen):
            for leaf in LEAVES:
                s = results.setdefault(data.name, {})[leaf] = run(data, leaf, Path(name))
                scores = (s["xgb_c2st"], s["xgb_c2st_test"], s["mia_auc"], s["mia_auc_outliers"])
                lines.append(f"| {data.name} | {leaf} | " + " | ".join(f"{v:.3f}" for v in scores) + " |")
                print(lines[-1], flush=True)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "trade.json").write_text(json.dumps(results, indent=1))
    (RESULTS / "trade.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
