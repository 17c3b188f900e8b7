"""Plugins of other packages: one class of a module, and what is told where there is none."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint

import pyarrow as pa
import pytest

from fabrica import catalog
from fabrica.errors import FabricaError, PluginError
from fabrica.inference import infer
from fabrica.inference.found import sightings
from fabrica.scenario import Scenario
from fabrica.schema import Column, Table

TWO = "from fabrica.scenarios.rare import Rare\n\nclass Burst(Rare):\n    pass\n\nclass Other(Rare):\n    pass\n"


@pytest.fixture
def brought(tmp_path, monkeypatch):
    """A package that brings kinds of scenarios: entry points -> what is found."""
    def bring(code: str, **entries: str):
        (tmp_path / "brought_module.py").write_text(code)
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.setattr(catalog, "entry_points", lambda group: [
            type("E", (), {"name": name, "value": value}) for name, value in entries.items()
            if group == "fabrica.scenarios"])
        catalog._places.cache_clear()
        catalog.get.cache_clear()
        sys.modules.pop("brought_module", None)

    yield bring
    monkeypatch.undo()
    catalog._places.cache_clear()
    catalog.get.cache_clear()


def test_a_class_is_named_or_the_only_one(brought):
    brought(TWO, burst="brought_module:Burst")
    assert catalog.get("scenarios", "burst").__name__ == "Burst"
    brought(TWO.split("class Other")[0], burst="brought_module")
    assert catalog.get("scenarios", "burst").__name__ == "Burst"


@pytest.mark.parametrize(("code", "entry", "words"), [
    (TWO, "brought_module", "exactly one"), (TWO, "brought_module:Nobody", "exactly one"),
    ("def (", "brought_module", "SyntaxError"), ("", "not_there_at_all", "ModuleNotFoundError")])
def test_what_is_none_is_said_and_does_not_stand_in_the_way_of_others(brought, code, entry, words):
    brought(code, burst=entry)
    with pytest.raises(PluginError, match=words):
        catalog.get("scenarios", "burst")
    table = Table("t", (Column("x", "integer"),))
    Scenario.from_json({"inject": [{"kind": "rare", "where": "x > 3", "share": 0.1}]}).bound(table)
    with pytest.raises(FabricaError, match="rare"):
        Scenario.from_json({"inject": [{"kind": "nobody", "share": 0.1}]}).bound(table)


DETECTOR = """
import numpy as np
from fabrica.personal.detect.detector import Detector

beast = Detector("record", "numbers of beasts", lambda sight: np.array([t.startswith("beast ") for t in sight.plain]))
odd = Detector("beast", "a kind that nobody knows", lambda sight: np.zeros(sight.distinct, bool))
"""


@pytest.fixture
def detecting(tmp_path, monkeypatch):
    """A package that brings detectors: entry points -> what they are."""
    def bring(**entries: str):
        (tmp_path / "brought_detectors.py").write_text(DETECTOR)
        monkeypatch.syspath_prepend(str(tmp_path))
        points = [EntryPoint(name, value, "fabrica.detectors") for name, value in entries.items()]
        monkeypatch.setattr(catalog, "entry_points", lambda group: points if group == "fabrica.detectors" else [])
        catalog.detectors.cache_clear()

    yield bring
    monkeypatch.undo()
    catalog.detectors.cache_clear()


def test_a_detector_that_a_package_brings_is_asked(detecting):
    table = pa.table({"x": [f"beast {i % 40} of the field" for i in range(400)], "y": list(range(400))})
    assert infer(table)[0]["x"].personal == ""
    detecting(beast="brought_detectors:beast")
    found = infer(table)[0]
    assert found["x"].personal == "record" and found["x"].kind == "key" and found["y"].personal == ""
    assert [(s.column, s.detector, s.share) for s in sightings(found, table.to_batches())] == [
        ("x", "numbers of beasts", 1.0)]


@pytest.mark.parametrize(("entry", "words"), [
    ("brought_detectors:odd", "known kind"), ("brought_detectors:np", "must be a Detector"),
    ("brought_detectors:nobody", "AttributeError"), ("not_there_at_all:x", "ModuleNotFoundError")])
def test_a_detector_that_is_none_is_said(detecting, entry, words):
    detecting(beast=entry)
    with pytest.raises(PluginError, match=words):
        catalog.detectors()
