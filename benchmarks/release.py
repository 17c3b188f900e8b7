"""How long it takes to release and to check a bundle of a gigabyte, by fabrica and by the script that stands alone.

    python benchmarks/release.py [--size 1.0]

A table of noise is learned, so many rows are drawn that their file has the size (Parquet and CSV), the gate decides,
and what it decided about is released and checked: of so many rows for so few people it hardly decides anything, and a
release without a pass says so on page one. Prints a table, which also goes to results/release.md.
"""

from __future__ import annotations

import argparse
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

PEOPLE, COLUMNS = 40_000, 4
BYTES = {".parquet": 8.5, ".csv": 19.0}  #: of a number, about


def results(folder: Path, ending: str, size: float) -> Path:
    """A folder as synth and the gate leave it, with rows of about ``size`` gigabytes."""
    random = np.random.default_rng(7)
    noise = pa.record_batch({f"c{i}": random.random(PEOPLE) for i in range(COLUMNS)})
    write_table(folder / f"noise{ending}", noise.schema, [noise])
    rows = round(size * 1e9 / (COLUMNS * BYTES[ending]))
    subprocess.run([sys.executable, "-m", "fabrica", "synth", folder / f"noise{ending}", "-o", folder / "out", "-q",
                    "--engine", "independent", "--holdout", "0.5", "--rows", str(rows)], check=True)
    fabrica.gate(folder / "out", tier="internal")
    return folder / "out"


def timed(work) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def alone(bundle: Path, key: Path) -> None:
    subprocess.run([sys.executable, str(bundle / "verify.py"), str(bundle), "--key", str(key)], check=True,
                   capture_output=True)


def main() -> None:
    asked = argparse.ArgumentParser()
    asked.add_argument("--size", type=float, default=1.0, help="gigabytes")
    size = asked.parse_args().size
    lines = ["| data | GB | learn and gate | release | fabrica verify | verify.py |", "|---|---|---|---|---|---|"]
    for ending in BYTES:
        root = Path(tempfile.mkdtemp(prefix="fabrica-release-"))
        try:
            start = time.perf_counter()
            out = results(root, ending, size)
            judged = time.perf_counter() - start
            private, public, _ = new_key(root / "signer.pem")
            made = timed(lambda: fabrica.release(out, root / "bundle", key=private, approvers="owner: A B",  # noqa: B023
                                                 without_pass="a benchmark of speed"))
            shutil.rmtree(out)
            holds: list[bool] = []
            ours = timed(lambda: holds.append(fabrica.verify(root / "bundle", public).holds))  # noqa: B023
            theirs = timed(lambda: alone(root / "bundle", public))  # noqa: B023
            assert holds == [True]
            bytes_ = sum(path.stat().st_size for path in (root / "bundle").rglob("*") if path.is_file())
            lines.append(f"| {ending} | {bytes_ / 1e9:.2f} | {judged:.0f} s | {made:.1f} s | {ours:.1f} s | "
                         f"{theirs:.1f} s |")
        finally:
            shutil.rmtree(root)
    text = "\n".join(lines) + "\n"
    (RESULTS / "release.md").write_text(text)
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
