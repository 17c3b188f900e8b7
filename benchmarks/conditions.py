"""Rows of a rare condition: how long they take, and whether their law is the known one.

    python benchmarks/conditions.py [--rows 10000] [--engines trees,bayesnet]

Half a million rows with two independent rare levels, so that both hold in one of 50,000 rows; a column of levels that
hangs together with the first, and six more columns that do with others. What is told: seconds for the rows (one core,
the model is there), how many of them differ, and the share of the first level's companion against the known one.
"""

from __future__ import annotations

import argparse
import os
import time

os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[int(os.environ.get("CORE", -1))]})
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from places import RESULTS  # noqa: E402

import fabrica  # noqa: E402

ROWS = 500_000
KNOWN = 0.7  #: share of "u" among those who have the first rare level


def world() -> pd.DataFrame:
    random = np.random.default_rng(1)
    one, two = random.random(ROWS) < 1 / 200, random.random(ROWS) < 1 / 250
    base = random.normal(size=ROWS)
    more = {f"x{i}": np.round(base * i / 6 + random.normal(size=ROWS), 2) for i in range(6)}
    return pd.DataFrame({**more, "one": np.where(one, "y", "n"), "two": np.where(two, "y", "n"),
                         "three": np.where(random.random(ROWS) < np.where(one, KNOWN, 0.2), "u", "v")})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--engines", default="trees,boosted,bayesnet,autoregressive,copula")
    said = parser.parse_args()
    frame = world()
    lines = ["| engine | seconds | rows that differ | companion (known .70) |", "|---|---|---|---|"]
    for name in said.engines.split(","):
        model = fabrica.fit(frame, engine=name, seed=1, workers=1)
        model.sample(500, given=["one=y"], workers=1)  # kernels are compiled once
        began = time.perf_counter()
        twin = model.sample(said.rows, given=["one=y", "two=y"], seed=1, workers=1)
        took = time.perf_counter() - began
        differ = len(twin.drop_duplicates())
        lines.append(f"| {name} | {took:.2f} | {differ:,} | {(twin['three'] == 'u').mean():.3f} |")
        print(lines[-1], flush=True)
    (RESULTS / "conditions.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
