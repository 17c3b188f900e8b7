"""A private twin of a table: TRAIN OUT ENGINE EPSILON KNOWN SEED TARGET CATEGORICAL; prints its cost as JSON.

``KNOWN`` is what is declared public of the columns: all (kinds, levels and bounds, as everybody who knows the table
would write them down), kinds, or nothing. Engine settings follow the engine's name: ``aim:cells=6000:rounds=3``.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

import fabrica


def declared(path: Path, known: str, categorical: list[str]) -> dict:
    """What is public of each column. The benchmark reads it off the table, as a person reads it off a code book."""
    table, _ = fabrica.inspect(str(path), schema=dict.fromkeys(categorical, "category"))
    data = fabrica.Dataset.open(str(path)).head(10**9)
    found = {}
    for column in table.columns:
        fields = {k: v for k, v in column.to_json().items() if k not in ("name", "storage", "why", "public", "levels")}
        texts = [t for t in data[column.name].to_pylist() if t is not None and str(t) not in column.missing]
        if column.kind in ("integer", "decimal"):
            numbers = np.array(texts, float)
            fields |= {"bounds": [float(numbers.min()), float(numbers.max())], "public": True}
        elif column.kind in ("category", "ordinal", "boolean", "constant"):
            fields |= {"kind": "category", "levels": sorted(set(map(str, texts))), "public": True, "notation": None}
        found[column.name] = fields if known == "all" else {"kind": fields["kind"]}
    return found


def peak() -> float:
    """The most memory that this program took, in MB. (What getrusage says may be that of whoever started it.)"""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def main() -> None:
    train, out, engine, epsilon, known, seed, target, categorical = sys.argv[1:9]
    name, *said = engine.split(":")
    settings = {k: json.loads(v) for k, v in (pair.split("=") for pair in said)}
    names = [c for c in categorical.split(",") if c]
    schema = None if known == "nothing" else declared(Path(train), known, names)
    if name == "aim":
        settings = {"target": target, **settings}
    rows = fabrica.Dataset.open(train).count()
    fabrica.fit({"x": list(range(300))}, privacy=1.0, engine="aim")  # what is compiled at the first use
    before, wall = time.process_time(), time.perf_counter()
    model = fabrica.fit(train, engine=name, schema=schema, privacy=float(epsilon), seed=int(seed), workers=1,
                        **settings)
    twin = model.sample(rows, seed=int(seed), workers=1)
    cost = {"cpu": time.process_time() - before, "wall": time.perf_counter() - wall,
            "memory": peak(), "epsilon": model.ledger.epsilon()}
    import pyarrow.csv

    pyarrow.csv.write_csv(twin, out, pyarrow.csv.WriteOptions(quoting_style="needed"))
    print(json.dumps(cost))


if __name__ == "__main__":
    main()
