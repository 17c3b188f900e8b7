"""The metrics equal the project's published protocol on real data, where the protocol and the data lie beside the
checkout."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

SHARED = Path(__file__).resolve().parents[3] / "shared"
if not (SHARED / "yardstick" / "score.py").exists():
    pytest.skip("the published protocol is not beside this checkout", allow_module_level=True)
pd = pytest.importorskip("pandas")
pytest.importorskip("sklearn", reason="the published protocol needs scikit-learn")

import pyarrow as pa  # noqa: E402

from fabrica.evaluation import evaluate  # noqa: E402
from fabrica.run import Run  # noqa: E402
from fabrica.schema import Column, Table  # noqa: E402

NAMES = ("adult", "magic", "shoppers")


def protocol():
    spec = importlib.util.spec_from_file_location("score", SHARED / "yardstick" / "score.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module", params=NAMES)
def world(request):
    """(protocol, its frames, numeric, categorical, target, our report) of 3,000 rows and a careless synthetic table."""
    score = protocol()
    paths = [SHARED / "data" / request.param / f"{part}.csv" for part in ("train", "test")]
    raw = pd.read_csv(paths[0])
    cat = [c for c in raw.columns if pd.api.types.is_bool_dtype(raw[c]) or not pd.api.types.is_numeric_dtype(raw[c])]
    num = [c for c in raw.columns if c not in cat]
    train, test = (score.read(p, cat, list(raw.columns)).head(n)
                   for p, n in zip(paths, (3000, 1200), strict=True))
    twin = train.copy()
    for i, c in enumerate(twin.columns[::2]):
        twin[c] = twin[c].sample(frac=1, random_state=i).to_numpy()
    draw = np.random.default_rng(0)
    for c in num[:2]:
        twin.loc[draw.random(len(twin)) < 0.1, c] = np.nan
    target = raw.columns[-1]
    table = Table(request.param, tuple(Column(c, "decimal" if c in num else "category") for c in raw.columns))
    tables = [pa.Table.from_pandas(f, preserve_index=False) for f in (train, twin, test)]
    sides = [SimpleNamespace(rows=t.num_rows, batches=t.to_batches) for t in tables]
    report = evaluate(*sides, table=table, target=target, run=Run(1, workers=1),
                      metrics=["shape", "trend", "trend_common", "detector", "copies", "utility"])
    return score, (train, twin, test), num, cat, target, report


def test_shape_and_both_trends(world):
    score, (train, twin, _), num, cat, _, report = world
    assert report.find("shape").value == pytest.approx(score.shape(train, twin, num, cat), abs=1e-9)
    assert report.find("trend").value == pytest.approx(score.trend(train, twin, num, cat, False), abs=1e-6)
    assert report.find("trend_common").value == pytest.approx(score.trend(train, twin, num, cat, True), abs=1e-9)


def test_detector_but_for_the_draw_of_folds(world):
    score, (train, twin, test), num, cat, _, report = world
    for against, real in (("train", train), ("holdout", test)):
        theirs = score.c2st(real, twin, num, cat)
        assert report.find("detector", against=against).value == pytest.approx(theirs, abs=0.05)


def test_utility(world):
    score, (train, twin, test), num, cat, target, report = world
    mine = report.find("utility")
    assert mine.floor == pytest.approx(score.mle(train, test, target, num, cat), abs=0.01)
    assert mine.value == pytest.approx(score.mle(twin, test, target, num, cat), abs=0.02)


def test_copies(world):
    _, (train, twin, test), _, _, _, report = world
    keys = [pd.util.hash_pandas_object(f.round(6), index=False) for f in (train, twin, test)]
    mine = report.find("copies")
    assert mine.value == pytest.approx(keys[1].isin(set(keys[0])).mean())
    assert mine.floor == pytest.approx(keys[2].isin(set(keys[0])).mean())
