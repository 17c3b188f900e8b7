"""Differential privacy by the independent yardstick: fidelity, utility and attack at several epsilons, median of seeds.

    python benchmarks/privacy.py [--data adult,default] [--epsilons 0.1,1,3,10] [--engines aim,mst] [--seeds 5]
                                 [--known all|kinds|nothing] [--marginals]

``--known`` says what is declared public: levels and bounds too, the kinds of the columns only, or nothing. Figures are
medians; ``L1`` is the mean over all triples of columns of the L1 distance of their marginals, numbers cut into 32
quantiles of the real table. CPU-s are those of reading, learning and sampling. Engines ``dpmm-mst`` and ``dpmm-aim``
are dpmm 0.1.9 in an environment of its own; whoever takes longer than five minutes has no figures.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
import tempfile
from itertools import combinations
from pathlib import Path
from statistics import median

import numpy as np
from places import DATA, HERE, RESULTS, SHARED, Data, environment, need_data, score

DENSE = Data("default", "default payment next month")
SHOWN = ("shape", "trend_common", "trend", "mle", "xgb_c2st", "l1", "mia_auc", "mia_auc_outliers", "cpu", "memory")
HEAD = ("data", "epsilon", "engine", "public", "Shape", "Trend (common)", "Trend (own bins)", "MLE", "C2ST", "L1 3-way",
        "attack all", "attack outliers", "CPU-s", "MB", "seeds")
BINS = 32
CAP = 300  #: seconds that a generator may take


def made(data: Data, engine: str, epsilon: float, known: str, seed: int, out: Path) -> dict:
    """A private twin in ``out``, and what it cost: in a process of its own, on one core."""
    peer = engine.startswith("dpmm")
    python = environment("dpmm", "dpmm==0.1.9") if peer else sys.executable
    script = "dpmm_marginals.py" if peer else "fabrica_private.py"
    command = [python, HERE / "generators" / script, data.train, out, engine, epsilon, known, seed, data.target,
               data.categorical]
    try:
        done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=CAP)
    except subprocess.TimeoutExpired:
        return {}
    if done.returncode:
        sys.exit(f"{engine} failed on {data.name}:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def columns(path: Path) -> dict[str, np.ndarray]:
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    return {name: np.array([row[i] for row in rows[1:]]) for i, name in enumerate(rows[0])}


def coded(real: np.ndarray, twin: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """Both columns as numbers of bins: quantiles of the real one, or levels."""
    try:
        numbers = real.astype(float), twin.astype(float)
    except ValueError:
        levels, where = np.unique(np.concatenate([real, twin]), return_inverse=True)
        return where[: len(real)], where[len(real) :], len(levels)
    edges = np.unique(np.quantile(numbers[0], np.linspace(0, 1, BINS + 1)))
    one, other = (np.clip(np.searchsorted(edges, x, "right") - 1, 0, max(len(edges) - 2, 0)) for x in numbers)
    return one, other, max(len(edges) - 1, 1)


def triples(real: Path, twin: Path) -> float:
    """Mean L1 distance of the marginals of all triples of columns."""
    a, b = columns(real), columns(twin)
    both = [coded(a[name], b[name]) for name in a]
    found = []
    for three in combinations(both, 3):
        shape = [size for _, _, size in three]
        cells = int(np.prod(shape))
        p, q = (np.bincount(np.ravel_multi_index([c[i] for c in three], shape), minlength=cells) for i in (0, 1))
        found.append(np.abs(p / p.sum() - q / q.sum()).sum())
    return float(np.mean(found))


def run(data: Data, engine: str, epsilon: float, known: str, seed: int, judged: bool = True) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        twin = Path(folder, "twin.csv")
        cost = made(data, engine, epsilon, known, seed, twin)
        if not cost:
            return {}  # it took longer than the cap
        return {**(score(data, twin) if judged else {}), "l1": triples(data.train, twin), **cost}


def table(results: dict[str, list[dict]]) -> str:
    lines = ["| " + " | ".join(HEAD) + " |", "|" + "---|" * len(HEAD)]
    for key, scores in results.items():
        m = {k: median(s.get(k, float("nan")) for s in scores) for k in SHOWN}
        said = [f"{m['shape']:.2f}", f"{m['trend_common']:.2f}", f"{m['trend']:.2f}", f"{m['mle']:.3f}",
                f"{m['xgb_c2st']:.3f}", f"{m['l1']:.3f}", f"{m['mia_auc']:.3f}", f"{m['mia_auc_outliers']:.3f}",
                f"{m['cpu']:.1f}", f"{m['memory']:.0f}", str(len(scores))]
        lines.append("| " + " | ".join([*key.split("|"), *said]) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="adult")
    parser.add_argument("--epsilons", default="0.1,1,3,10")
    parser.add_argument("--engines", default="aim")
    parser.add_argument("--known", default="all", choices=("all", "kinds", "nothing"))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--marginals", action="store_true", help="only L1 of the marginals, without the judge")
    parser.add_argument("--keep", action="store_true", help="write the table to results/privacy.md")
    said = parser.parse_args()
    need_data()
    file = RESULTS / "privacy.json"
    results: dict = json.loads(file.read_text()) if file.exists() and said.keep else {}
    every = {d.name: d for d in (*DATA, DENSE) if (SHARED / "data" / d.name).is_dir()}
    for name in said.data.split(","):
        for epsilon in map(float, said.epsilons.split(",")):
            for engine in said.engines.split(","):
                key = f"{name}|{epsilon:g}|{engine}|{said.known}"
                results[key] = [run(every[name], engine, epsilon, said.known, seed, not said.marginals)
                                for seed in range(said.seeds)]
                print(table({key: results[key]}).splitlines()[-1], flush=True)
                if said.keep:
                    file.write_text(json.dumps(results, indent=1))
                    (RESULTS / "privacy.md").write_text(table(results) + "\n")
    print(table(results))


if __name__ == "__main__":
    main()
