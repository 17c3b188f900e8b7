"""Speed and memory: import, help, rows a second, ten million rows, a table of five million rows, the evaluation.

    python benchmarks/speed.py [--quick]

Each line is the best of three runs (one for the long ones) of a fresh process on one core.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from places import DATA, RESULTS, need_data

ONE_CORE = "import os; os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[-1]}); "
CLOCK = """
import json, resource, sys, time
def cpu():
    own, kids = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + kids.ru_utime + kids.ru_stime
def told(start, wall, **more):
    print(json.dumps({"cpu": cpu() - start, "wall": time.time() - wall,
                      "memory": max(resource.getrusage(w).ru_maxrss for w in
                                    (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) / 1024, **more}))
"""

IMPORT = CLOCK + "start, wall = 0.0, time.time()\nimport fabrica\ntold(start, wall)"
HELP = CLOCK + """
import subprocess
start, wall = cpu(), time.time()
subprocess.run([sys.executable, "-m", "fabrica", "--help"], stdout=subprocess.DEVNULL, check=True)
told(start, wall)"""
FIT = CLOCK + """
import pandas as pd, fabrica
frame = pd.read_csv(sys.argv[1])
fabrica.fit(frame.head(500), workers=1)
start, wall = cpu(), time.time()
model = fabrica.fit(frame, workers=1)
told(start, wall)
model.save(sys.argv[2])"""
FIRST = CLOCK + """
import subprocess
start, wall = cpu(), time.time()
subprocess.run([sys.executable, "-m", "fabrica", "fit", sys.argv[1], "-o", sys.argv[2], "--quiet"],
               stdout=subprocess.DEVNULL, check=True, env={**os.environ, "NUMBA_CACHE_DIR": sys.argv[3]})
told(start, wall)"""
SAMPLE = CLOCK + """
from fabrica.model import TableModel
from fabrica.pipeline import write
from fabrica.run import Run
from pathlib import Path
model = TableModel.load(sys.argv[1])
write(model, 70_000, Path(sys.argv[2]), Run(0, workers=1))
start, wall, rows = cpu(), time.time(), int(sys.argv[3])
write(model, rows, Path(sys.argv[2]), Run(1, workers=1))
told(start, wall, rows=rows)"""
EVALUATE = CLOCK + """
import fabrica, pandas as pd
train, test, twin = (pd.read_csv(p) for p in sys.argv[1:4])
fabrica.evaluate(real=train.head(2000), synthetic=twin.head(2000), holdout=test.head(2000), target="income", workers=1)
start, wall = cpu(), time.time()
fabrica.evaluate(real=train, synthetic=twin, holdout=test, target="income", workers=1)
told(start, wall)"""
LARGE = CLOCK + """
import fabrica
start, wall = cpu(), time.time()
fabrica.fit(sys.argv[1], workers=1).save(sys.argv[2])
told(start, wall)"""
TILE = """
import sys
import numpy as np, pandas as pd, pyarrow as pa, pyarrow.parquet as pq
frame, random, rows, done = pd.read_csv(sys.argv[1]), np.random.default_rng(0), int(sys.argv[3]), 0
writer = None
while done < rows:
    part = frame.sample(min(500_000, rows - done), replace=True, random_state=done).reset_index(drop=True)
    part["fnlwgt"] = (part["fnlwgt"] * random.uniform(.9, 1.1, len(part))).round().astype(int)
    part["age"] = (part["age"] + random.integers(-2, 3, len(part))).clip(17, 90)
    part["hours.per.week"] = (part["hours.per.week"] + random.integers(-3, 4, len(part))).clip(1, 99)
    table = pa.Table.from_pandas(part, preserve_index=False)
    writer = writer or pq.ParquetWriter(sys.argv[2], table.schema)
    writer.write_table(table)
    done += len(part)
writer.close()"""


def run(code: str, *args: object, times: int = 1) -> dict:
    """Best of ``times`` fresh processes on one core."""
    runs = []
    for _ in range(times):
        done = subprocess.run([sys.executable, "-c", ONE_CORE + code, *map(str, args)], capture_output=True, text=True)
        if done.returncode:
            sys.exit(done.stderr[-2000:])
        runs.append(json.loads(done.stdout.strip().splitlines()[-1]) if done.stdout.strip() else {})
    return min(runs, key=lambda r: r.get("cpu", 0))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the rows")
    quick = parser.parse_args().quick
    need_data()
    adult, many, large = DATA[0], 1_000_000 if quick else 10_000_000, 500_000 if quick else 5_000_000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model, out, twin = folder / "m.fab", folder / "rows.parquet", folder / "twin.csv"
        results = {"import fabrica": run(IMPORT, times=3), "fabrica --help": run(HELP, times=3)}
        results["first fit of Adult after installation (compiles)"] = run(FIRST, adult.train, model, folder / "cache")
        results["fit Adult"] = run(FIT, adult.train, model, times=3)
        results["sample 1 M rows to Parquet"] = run(SAMPLE, model, out, 1_000_000, times=3)
        results[f"sample {many // 1_000_000} M rows to Parquet"] = run(SAMPLE, model, out, many)
        run(SAMPLE, model, twin, 32_561)
        results["evaluate Adult, all metrics"] = run(EVALUATE, adult.train, adult.test, twin)
        tiled = folder / "tiled.parquet"
        subprocess.run([sys.executable, "-c", TILE, adult.train, tiled, str(large)], check=True)
        results[f"fit a table of {large:,} x 15 from Parquet"] = run(LARGE, tiled, model)
    lines = ["| what | CPU-s | rows per CPU-s | peak MB |", "|---|---|---|---|"]
    for what, r in results.items():
        rate = f"{r['rows'] / r['cpu']:,.0f}" if "rows" in r else ""
        lines.append(f"| {what} | {r['cpu']:.2f} | {rate} | {r['memory']:,.0f} |")
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "speed.json").write_text(json.dumps(results, indent=1))
    (RESULTS / "speed.md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
