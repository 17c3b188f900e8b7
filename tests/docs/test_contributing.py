"""The engine that CONTRIBUTING shows is an engine: one file is enough."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

import fabrica
import fabrica.engines
from fabrica import catalog

HOUSE = Path(__file__).resolve().parents[2]


@pytest.fixture
def chain(tmp_path, monkeypatch):
    """The file, put where engines live."""
    text = re.search(r"^```python\n(.*?)^```$", (HOUSE / "CONTRIBUTING.md").read_text(encoding="utf-8"),
                     re.DOTALL | re.MULTILINE)[1]
    (tmp_path / "chain.py").write_text(text, encoding="utf-8")
    monkeypatch.setattr(fabrica.engines, "__path__", [*fabrica.engines.__path__, str(tmp_path)])
    for remembered in (catalog._places, catalog.get):
        remembered.cache_clear()
    yield catalog.get("engines", "chain")
    monkeypatch.undo()
    for remembered in (catalog._places, catalog.get):
        remembered.cache_clear()


def table(rows=2_000):
    return pd.DataFrame({"a": ["x", "y"] * (rows // 2), "b": ["no", "yes"] * (rows // 2),
                         "c": [1, 1, 2, 2] * (rows // 4)})


def test_one_file_is_enough(chain, tmp_path):
    assert "chain" in catalog.names("engines")
    model = fabrica.fit(table(), engine="chain", smooth=0.0)
    twin = model.sample(1_000, seed=3)
    assert list(twin.columns) == ["a", "b", "c"] and len(twin) == 1_000
    assert set(zip(twin["a"], twin["b"], strict=True)) == {("x", "no"), ("y", "yes")}  # neighbours are seen
    model.save(tmp_path / "m.fab")
    assert fabrica.load(tmp_path / "m.fab").sample(1_000, seed=3).to_pydict() == twin.to_dict("list")


def test_its_setting_is_checked(chain):
    with pytest.raises(fabrica.FabricaError, match="between 0 and 100"):
        fabrica.fit(table(), engine="chain", smooth=-1.0)
    with pytest.raises(fabrica.FabricaError, match="smooth"):
        fabrica.fit(table(), engine="chain", smoth=1.0)
