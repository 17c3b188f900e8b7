"""How long it takes to release and to check a bundle of a gigabyte, by fabrica and by the script that stands alone.

    python benchmarks/release.py [--size 1.0]

Makes rows of noise (Parquet and CSV), a decision about them, a bundle, and checks it; prints a table, which also goes
to results/release.md.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
from places import RESULTS

import fabrica
from fabrica.bundle.keys import new_key
from fabrica.dataset import write_table

ROWS = 1 << 18


def batches(size: float):
    """Batches of 16 columns of numbers that do not pack, until there are ``size`` gigabytes of them."""
    random = np.random.default_rng(7)
    for _ in range(max(1, round(size * 1e9 / (ROWS * 16 * 8)))):
        yield pa.record_batch({f"c{i}": random.random(ROWS) for i in range(16)})


def results(folder: Path, ending: str, size: float) -> Path:
    """A folder as synth and the gate leave it."""
    data = folder / f"data{ending}"
    share = size if ending == ".parquet" else size * 8 / 19  # a number as text takes about 19 bytes
    first = next(batches(0))
    write_table(data, first.schema, batches(share))
    plain = {
        "gate.json": {"fabrica_gate": 1, "tier": "internal", "policy": {"name": "fabrica"}, "verdict": "PASS",
                      "tests": [{"id": "G2", "name": "copies", "verdict": "PASS", "high": 0.001, "threshold": 0.005}],
                      "subject": {"data": hashlib.sha256(data.read_bytes()).hexdigest()},
                      "made": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "expires_months": 12},
        "report.json": {"fabrica_report": 1, "facts": {}, "findings": []}, "recipe.json": {"engine": "none"},
        "schema.json": {"fabrica_schema": 1, "tables": [{"name": "noise", "columns": []}]}}
    for name, content in plain.items():
        (folder / name).write_text(json.dumps(content))
    return folder


def timed(work) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def alone(bundle: Path, key: Path) -> None:
    subprocess.run([sys.executable, str(bundle / "verify.py"), str(bundle), str(key)], check=True, capture_output=True)


def main() -> None:
    asked = argparse.ArgumentParser()
    asked.add_argument("--size", type=float, default=1.0, help="gigabytes")
    size = asked.parse_args().size
    lines = ["| data | GB | release | fabrica verify | verify.py |", "|---|---|---|---|---|"]
    for ending in (".parquet", ".csv"):
        root = Path(tempfile.mkdtemp(prefix="fabrica-release-"))
        try:
            (root / "out").mkdir()
            out = results(root / "out", ending, size)
            private, public, _ = new_key(root / "signer.pem")
            made = timed(lambda: fabrica.release(out, root / "bundle", key=private, approvers="owner: A B"))  # noqa: B023
            shutil.rmtree(out)
            holds: list[bool] = []
            ours = timed(lambda: holds.append(fabrica.verify(root / "bundle", public).holds))  # noqa: B023
            theirs = timed(lambda: alone(root / "bundle", public))  # noqa: B023
            assert holds == [True]
            bytes_ = sum(path.stat().st_size for path in (root / "bundle").rglob("*") if path.is_file())
            lines.append(f"| {ending} | {bytes_ / 1e9:.2f} | {made:.1f} s | {ours:.1f} s | {theirs:.1f} s |")
        finally:
            shutil.rmtree(root)
    text = "\n".join(lines) + "\n"
    (RESULTS / "release.md").write_text(text)
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
