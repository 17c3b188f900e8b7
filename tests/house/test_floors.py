"""The house keeps its rules, and each rule catches a careless twin."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path

import floors
import pytest

import fabrica
from fabrica import catalog
from fabrica.contract import Chooser

ROOT = Path(fabrica.__file__).parent

#: rule -> (file, what a careless hand would write there)
CARELESS = {
    "falling": ("block.py", "from fabrica.model import TableModel"),
    "wings": ("codecs/number.py", "def f():\n    from fabrica.engines.trees import Trees"),
    "ground": ("errors.py", "import numpy"),
    "seams": ("pipeline.py", "PLACE = 'fabrica.engines.trees'"),
    "unsafe": ("state.py", "import numpy as np\nnp.load('x', allow_pickle=True)"),
    "chance": ("engines/trees.py", "import numpy as np\nr = np.random.default_rng(0)"),
    "quiet": ("model.py", "print('fitting')"),
    "names": ("utils.py", ""),
    "opening": ("model.py", "x = 1"),
    "length": ("model.py", "x = 1\n" * 501),
}


@pytest.mark.parametrize("rule", floors.RULES, ids=lambda r: r.__name__)
def test_house_keeps(rule):
    assert rule(ROOT) == []


@pytest.mark.parametrize("rule", floors.RULES, ids=lambda r: r.__name__)
def test_rule_bites(rule, tmp_path):
    name, text = CARELESS[rule.__name__]
    tidy = {"errors.py", "model.py", "engines/trees.py", "codecs/number.py", name} - {"utils.py"}
    for file in sorted(tidy):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text('"""What it is for."""\n')
    assert rule(tmp_path) == []
    head = "" if rule.__name__ == "opening" else '"""What it is for."""\n'
    (tmp_path / name).write_text(head + text)
    assert rule(tmp_path)


@pytest.mark.parametrize("line", ["import pickle", "from joblib import load", "eval('1')", "exec('x')",
                                  "import yaml\nyaml.load('')", "import pandas\npandas.read_pickle('x')"])
def test_nothing_that_is_read_is_run(line, tmp_path):
    (tmp_path / "model.py").write_text(line)
    assert floors.unsafe(tmp_path)


@pytest.mark.parametrize("family", list(catalog.FAMILIES))
def test_every_public_setting_is_annotated(family):
    for name in catalog.names(family):
        way = catalog.get(family, name)
        assert way.title.strip(), name
        if dataclasses.is_dataclass(way) and hasattr(way, "settings"):
            given = {"rivals"} if issubclass(way, Chooser) else set()  # by whoever knows the catalog
            assert set(way.settings()) == {f.name for f in dataclasses.fields(way)} - given, name
            assert all(setting.help for _, setting, _ in way.settings().values()), name


@pytest.mark.parametrize("module", ["fabrica", "fabrica.cli"])
def test_doors_open_without_heavy_imports(module):
    code = f"import sys, {module}; print([m for m in sys.modules if m in {HEAVY!r}])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


HEAVY = {"numpy", "pyarrow", "numba", "pandas", "polars", "scipy", "xgboost", "safetensors", "jinja2"}


def test_help_of_every_command_needs_no_heavy_import():
    code = ("import sys, click.testing, fabrica.cli.commands as m\n"
            "for c in m.COMMANDS:\n"
            "    assert click.testing.CliRunner().invoke(m.fabrica_group, [c, '--help']).exit_code == 0\n"
            f"print([m for m in sys.modules if m in {HEAVY!r}])")
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"
