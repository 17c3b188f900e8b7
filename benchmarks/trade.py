"""Fidelity against closeness to people: the half-train membership attack over the settings of ``trees``.

    python benchmarks/trade.py [--data adult,magic] [--seeds 3] [--workers 2]

The engine learns one random half of the training table; the attack tells its members from the other half, which is the
harsher test (up to 8,000 people a side), and C2ST is against that unseen half. Each number is the mean over the seeds
(other halves, other draws) with its standard error.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path

from places import DATA, RESULTS, Data, need_data, score, yardstick

HERE = Path(__file__).resolve().parent
#: (leaf, price): people that a leaf holds at least, and what a split must bring
SETTINGS = ((10, 2.5), (15, 1.0), (15, 2.5), (15, 3.0), (15, 5.0), (25, 2.5), (50, 2.5), (100, 2.5))
SCORES = ("xgb_c2st", "xgb_c2st_test", "mia_auc", "mia_auc_outliers")
HEAD = ("data", "leaf", "price", "C2ST members", "C2ST unseen half", "attack all", "attack outliers")


def halves(data: Data, seed: int, folder: Path) -> tuple[Path, Path]:
    """The training table in two random halves."""
    head, *rows = data.train.read_text().splitlines()
    random.Random(seed).shuffle(rows)
    files = folder / "members.csv", folder / "others.csv"
    for file, part in zip(files, (rows[: len(rows) // 2], rows[len(rows) // 2:]), strict=True):
        file.write_text("\n".join([head, *part]) + "\n")
    return files


def run(data: Data, setting: tuple[int, float], seed: int) -> dict:
    leaf, price = setting
    with tempfile.TemporaryDirectory() as name:
        members, others = halves(data, seed, Path(name))
        twin = Path(name, "twin.csv")
        command = [sys.executable, HERE / "generators" / "fabrica_engine.py", members, twin, seed, "trees", 0,
                   f"leaf={leaf}", f"pure={min(10, leaf)}", f"price={price}"]
        subprocess.run([str(c) for c in command], check=True, capture_output=True)
        return score(data, twin, train=members, test=others, attack=8000)


def summary(scores: list[dict]) -> dict[str, tuple[float, float]]:
    """Score -> (mean, standard error of the mean)."""
    told = {}
    for name in SCORES:
        values = [s[name] for s in scores]
        error = statistics.stdev(values) / len(values) ** 0.5 if len(values) > 1 else float("nan")
        told[name] = round(statistics.mean(values), 3), round(error, 3)
    return told


def line(data: Data, setting: tuple[int, float], told: dict[str, tuple[float, float]]) -> str:
    """A row of the table."""
    said = [f"{mean:.3f} ± {error:.3f}" for mean, error in told.values()]
    return "| " + " | ".join([data.name, str(setting[0]), f"{setting[1]:g}", *said]) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="adult,shoppers,magic")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2)
    said = parser.parse_args()
    need_data()
    yardstick()
    chosen = [d for d in DATA if d.name in said.data.split(",")]
    results: dict[str, dict[str, tuple[float, float]]] = {}
    lines = ["| " + " | ".join(HEAD) + " |", "|" + "---|" * len(HEAD)]
    with ThreadPoolExecutor(said.workers) as pool:
        jobs = {(data, setting): [pool.submit(run, data, setting, seed) for seed in range(1, said.seeds + 1)]
                for data, setting in product(chosen, SETTINGS)}
        for (data, setting), waiting in jobs.items():
            told = summary([job.result() for job in waiting])
            results[f"{data.name} leaf={setting[0]} price={setting[1]:g}"] = told
            lines.append(line(data, setting, told))
            print(lines[-1], flush=True)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "trade.json").write_text(json.dumps(results, indent=1))
    (RESULTS / "trade.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
