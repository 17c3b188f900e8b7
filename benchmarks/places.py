"""Where the benchmarks find data, the yardstick and environments."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
SHARED = HERE.parent.parent / "shared"
RESULTS = HERE / "results"
CACHE = HERE / ".cache"


@dataclass(frozen=True)
class Data:
    """One train/holdout split of the published evaluations."""

    name: str
    target: str
    categorical: str = ""

    @property
    def train(self) -> Path:
        return SHARED / "data" / self.name / "train.csv"

    @property
    def test(self) -> Path:
        return SHARED / "data" / self.name / "test.csv"


DATA = (
    Data("adult", "income"),
    Data("shoppers", "Revenue", "OperatingSystems,Browser,Region,TrafficType"),
    Data("magic", "class"),
)


def need_data() -> None:
    """Stop with a clear line where the real tables are absent."""
    if not (SHARED / "data").is_dir():
        sys.exit(f"benchmarks need the real tables in {SHARED / 'data'}, which is not there")


def environment(name: str, *packages: str) -> Path:
    """The Python of an environment of its own, made at the first use."""
    folder = CACHE / name
    python = folder / "bin" / "python"
    done = folder / "complete"
    if not done.exists():
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *packages], check=True)
        done.touch()
    return python


def yardstick() -> Path:
    return environment("yardstick", "-r", str(SHARED / "yardstick" / "requirements.txt"))


def lightgbm() -> Path:
    return environment("lightgbm", "lightgbm==4.6.0", "pandas==2.3.3", "scikit-learn==1.7.2")


def score(
    data: Data, synthetic: Path, *, train: Path | None = None, test: Path | None = None, attack: int = 2000
) -> dict:
    """The yardstick's verdict on one synthetic table."""
    command = [yardstick(), SHARED / "yardstick" / "score.py", train or data.train, test or data.test, synthetic,
               "--target", data.target, "--attack", str(attack)]
    if data.categorical:
        command += ["--categorical", data.categorical]
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"the yardstick failed on {data.name}:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout)
